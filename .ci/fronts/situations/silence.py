"""Somebody on the way is silent: the fault names who, in which phase, for how long, and what to check."""

from __future__ import annotations

from fronts import servers
from fronts.api import Api
from fronts.lab import DEAD, RESOLVER, Lab
from fronts.situation import situation

_SILENCE = ("--request-timeout", "2s")


def _silent(lab: Lab, *patterns: str, environ: dict[str, str] | None = None) -> None:
    """Expect the end of a gate that nobody answers."""
    run = lab.gate(*_SILENCE, timeout="5s", environ=environ)
    lab.exits(run, 8)
    lab.says(run, r"\b2 ?s\b", *patterns)
    lab.within("the gate with a timeout of 5 s", run.result.get("waited-seconds", 99), 6)


@situation()
def address_silent(lab: Lab) -> None:
    """An address that leads nowhere: the connection to the host is named, a firewall or address to check."""
    lab.hosts({"api.lab.test": [DEAD[0]]})
    _silent(lab, "connect", "api.lab.test", "firewall|network|api-url")


@situation()
def resolver_silent(lab: Lab) -> None:
    """A resolver that is silent: the look-up is named, and DNS as what to check."""
    lab.hosts({"localhost": ["127.0.0.1"]})
    lab.firewall(f"ip daddr {RESOLVER} drop")
    lab.write("resolv.conf", f"nameserver {RESOLVER}\noptions timeout:30\n")
    _silent(lab, "api.lab.test", "DNS|resolver", "look")


@situation()
def handshake_silent(lab: Lab) -> None:
    """A front that accepts and then is silent (stopped by SIGSTOP): the TLS handshake is named."""
    Api()
    lab.freeze(servers.haproxy(lab))
    _silent(lab, "TLS handshake", "api.lab.test")


@situation()
def headers_silent(lab: Lab) -> None:
    """An API that is silent behind a front that waits: the answer is named as what did not come."""
    Api(slow=30)
    servers.nginx(lab)
    _silent(lab, "answer|headers", "api.lab.test")
    lab.never_says(lab.gate(*_SILENCE, timeout="3s"), "handshake", "connecting")


@situation()
def body_silent(lab: Lab) -> None:
    """An answer that stops in its middle: the body is named as what did not come."""
    Api(write=lambda head, body: "\r\n".join([*head, "Content-Length: 9999", "", ""]).encode() + body)
    servers.haproxy(lab)
    _silent(lab, "middle|body|rest", "api.lab.test")


@situation()
def proxy_silent(lab: Lab) -> None:
    """A proxy that accepts and then is silent: the proxy is named, and HTTPS_PROXY as what to check."""
    lab.freeze(servers.squid(lab))
    _silent(lab, "proxy proxy.lab.test:3128", "HTTPS_PROXY", environ=servers.THROUGH_PROXY)


@situation()
def behind_proxy_silent(lab: Lab) -> None:
    """An API that is silent in its handshake behind a proxy: both are named, and the handshake."""
    Api()
    lab.freeze(servers.haproxy(lab))
    servers.squid(lab)
    _silent(lab, "TLS handshake", "api.lab.test", "proxy.lab.test", environ=servers.THROUGH_PROXY)
