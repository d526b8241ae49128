"""Names with several addresses, of which some lead nowhere; names that move; slow and wrong resolvers."""

from __future__ import annotations

import os
import signal
import socket

from fronts import servers
from fronts.api import Api
from fronts.lab import DEAD, DEAD_V6, FRONT, FRONT_V6, PROXY, Lab
from fronts.situation import each, situation


def _order(lab: Lab, *wanted: str) -> None:
    """Make sure that the dead addresses really come first, or this would show nothing."""
    places = [place[4][0] for place in socket.getaddrinfo("api.lab.test", 443, type=socket.SOCK_STREAM)]
    lab.equal("the order of addresses on this machine", places, list(wanted))


@situation(20)
def two_dead_before_a_good_one(lab: Lab) -> None:
    """Two addresses that lead nowhere, before a good one, cost no retry, and a second a look at most."""
    api = Api(5)
    servers.nginx(lab, http="keepalive_timeout 0;")
    lab.hosts({"api.lab.test": [*DEAD, FRONT]})
    _order(lab, *DEAD, FRONT)
    run = lab.gate(timeout="60s")
    lab.ready(run, api, retries=0)
    lab.within("late", api.late, 3)


@situation()
def one_that_refuses_before_a_good_one(lab: Lab) -> None:
    """An address that refuses connections, before a good one, costs nothing."""
    api = Api(4)
    servers.nginx(lab, http="keepalive_timeout 0;")
    lab.hosts({"api.lab.test": ["192.0.2.53", FRONT]})
    _order(lab, "192.0.2.53", FRONT)
    run = lab.gate()
    lab.ready(run, api, retries=0)


@situation(20)
def dead_ipv6_before_a_good_ipv4(lab: Lab) -> None:
    """IPv6 that leads nowhere costs no ten seconds a look, though the front closes after each answer."""
    api = Api(5)
    servers.nginx(lab, http="keepalive_timeout 0;")
    lab.hosts({"api.lab.test": [DEAD_V6, FRONT]})
    _order(lab, DEAD_V6, FRONT)
    run = lab.gate()
    lab.ready(run, api, retries=0)
    lab.within("late", api.late, 2)


@situation()
def ipv6_alone(lab: Lab) -> None:
    """A name with an IPv6 address alone works."""
    api = Api(3)
    servers.nginx(lab, at=f"[{FRONT_V6}]")
    lab.hosts({"api.lab.test": [FRONT_V6]})
    run = lab.gate()
    lab.ready(run, api, retries=0)


@situation()
def dead_ones_only(lab: Lab) -> None:
    """When no address answers, the time-out is about connecting, and no longer than was asked for."""
    lab.hosts({"api.lab.test": [*DEAD, DEAD_V6]})
    run = lab.gate("--request-timeout", "2s", timeout="5s")
    lab.exits(run, 8)
    lab.says(run, "connect", r"\b2 ?s\b")
    lab.within("the gate with a timeout of 5 s", run.result.get("waited-seconds", 99), 6)


@situation(15)
def name_that_moves(lab: Lab) -> None:
    """A name that moves to another address (blue and green) in mid-wait costs each target a retry at most."""
    api = Api(9)
    front = servers.nginx(lab)
    resolver = servers.dnsmasq(lab, f"host-record=api.lab.test,{FRONT}")

    def switch() -> None:
        settings = lab.read("nginx.conf").replace(f"listen {FRONT}:443", f"listen {PROXY}:443")
        lab.write("nginx.conf", settings)
        os.kill(front.pid, signal.SIGHUP)
        lab.stop(resolver)
        servers.dnsmasq(lab, f"host-record=api.lab.test,{PROXY}")

    api.later(4, switch)
    run = lab.gate(targets=3)
    lab.ready(run, api)
    lab.expect(run.result.get("retries", 9) <= 3, f"{run.result.get('retries')} retries")


@situation(20)
def name_that_moves_while_the_old_address_vanishes(lab: Lab) -> None:
    """When the old address falls silent as the name moves, one time-out of a request at most is lost."""
    api = Api(8)
    servers.nginx(lab)
    resolver = servers.dnsmasq(lab, f"host-record=api.lab.test,{FRONT}")

    def switch() -> None:
        lab.firewall(f"ip daddr {FRONT} drop", f"ip saddr {FRONT} drop")
        lab.stop(resolver)
        servers.dnsmasq(lab, f"host-record=api.lab.test,{FRONT_V6}")
        settings = lab.read("nginx.conf").replace(f"listen {FRONT}:443", f"listen [{FRONT_V6}]:443")
        lab.write("nginx2.conf", settings.replace("nginx.pid", "nginx2.pid"))
        words = ("-c", lab.directory / "nginx2.conf", "-g", "daemon off;")
        lab.start("nginx", *words, at=(FRONT_V6, 443))

    api.later(4, switch)
    run = lab.gate("--request-timeout", "3s")
    lab.ready(run, api)
    lab.expect(run.result.get("retries", 9) <= 2, f"{run.result.get('retries')} retries")


@situation(20)
def resolver_that_takes_two_seconds(lab: Lab) -> None:
    """A resolver of which the first server is silent takes a second per look-up: it works without a retry."""
    api = Api(5)
    servers.nginx(lab, http="keepalive_timeout 0;")
    servers.dnsmasq(lab, f"host-record=api.lab.test,{FRONT}")
    lab.write("resolv.conf", f"nameserver {DEAD[0]}\nnameserver 192.0.2.53\noptions timeout:2\n")
    run = lab.gate()
    lab.ready(run, api, retries=0)


@each(nxdomain="address=/other.test/192.0.2.9", nodata="txt-record=api.lab.test,none")
def name_without_an_address(lab: Lab, record: str) -> None:
    """A name that does not exist, or has no address, is named, with `api-url` as what to check."""
    servers.dnsmasq(lab, record)
    run = lab.gate(timeout="4s")
    lab.exits(run, 8)
    lab.says(run, "no address", "api.lab.test", "api-url")
