"""Proxies: squid, tinyproxy and a SOCKS proxy, as people name them in HTTPS_PROXY, rightly and wrongly."""

from __future__ import annotations

import os
import signal
import time
from urllib.parse import quote

from fronts import servers
from fronts.api import Api
from fronts.lab import DEAD, FRONT, PROXY, Lab
from fronts.servers import PROXY_PORT, THROUGH_PROXY
from fronts.situation import each, situation

_PROXY = f"proxy.lab.test:{PROXY_PORT}"
_USER, _PASSWORD = "l@b user/€", "s:c#r/t%?&=+ é€\"'\\`$;"


def _credentials(lab: Lab) -> str:
    """Write a password file; return the lines for squid."""
    hashed = lab.run("openssl", "passwd", "-apr1", _PASSWORD).strip()
    lab.write("passwords", f"{_USER}:{hashed}\n")
    program = f"auth_param basic program /usr/lib/squid/basic_ncsa_auth {lab.directory}/passwords"
    return f"{program}\nacl known proxy_auth REQUIRED\nhttp_access deny !known\nhttp_access allow all"


def _tunnels(lab: Lab) -> int:
    return lab.read("squid.log").count("CONNECT")


@situation()
def squid_credentials_of_every_character(lab: Lab) -> None:
    """User and password with every kind of character, in per cent signs and UTF-8, open the proxy."""
    api = Api(4)
    servers.nginx(lab)
    servers.squid(lab, access=_credentials(lab))
    pair = f"{quote(_USER, safe='')}:{quote(_PASSWORD, safe='')}"
    run = lab.gate(targets=3, environ={"HTTPS_PROXY": f"http://{pair}@{_PROXY}"})
    lab.ready(run, api, retries=0)
    lab.expect("s:c#r" not in run.log and "s%3Ac" not in run.log, "the password of the proxy is in the log")


@each(none="", wrong="lab:no@")
def squid_407(lab: Lab, credentials: str) -> None:
    """A proxy that asks for credentials is named; it ends at once."""
    Api(4)
    servers.nginx(lab)
    servers.squid(lab, access=_credentials(lab))
    run = lab.gate(environ={"HTTPS_PROXY": f"http://{credentials}{_PROXY}"})
    lab.exits(run, 6)
    lab.says(run, f"the proxy {_PROXY} asks for credentials", "HTTP 407")
    lab.within("the gate", run.result.get("waited-seconds", 99), 3)


@each(
    number_sign="Osprey#Kestrel",
    slash="Osprey/Kestrel",
    question="Osprey?Kestrel",
    at="Osprey@Kestrel/Merlin",
)
def password_without_per_cent_signs(lab: Lab, password: str) -> None:
    """A password that splits the address is refused with the remedy, nothing sent, no part of it shown."""
    servers.squid(lab)
    run = lab.gate(environ={"HTTPS_PROXY": f"http://user:{password}@{_PROXY}"}, timeout="5s")
    lab.exits(run, 2)
    lab.says(run, "HTTPS_PROXY", "per cent|percent")
    shown = (run.log + lab.read("result.json")).lower()
    for part in ("osprey", "kestrel", "merlin"):
        lab.expect(part not in shown, f"{part!r}, a part of the password, is shown")
    lab.equal("tunnels", _tunnels(lab), 0)


@each(
    line_feed=f"{servers.PROXY_URL}\n",
    blanks=f"  {servers.PROXY_URL} \t",
    carriage=f"{servers.PROXY_URL}\r\n",
)
def blanks_around_the_address(lab: Lab, address: str) -> None:
    """Blanks and line ends around HTTPS_PROXY are trimmed."""
    api = Api(2)
    servers.nginx(lab)
    servers.squid(lab)
    run = lab.gate(environ={"HTTPS_PROXY": address})
    lab.ready(run, api)
    time.sleep(0.3)  # squid logs a tunnel when it has ended
    lab.expect(_tunnels(lab) >= 1, "it went past the proxy")


@each(
    blanks="www.lab.test api.lab.test",
    commas="www.lab.test, api.lab.test",
    domain=".lab.test",
    bare_domain="lab.test",
    range="192.0.2.0/24",
    range_v6="2001:db8::/32",
    address_v6="2001:db8::1",
    capitals="API.LAB.TEST",
    everything="*",
)
def no_proxy(lab: Lab, value: str) -> None:
    """`NO_PROXY` is read as curl reads it: the proxy, which refuses everything, is not asked."""
    api = Api(2)
    url = "https://api.lab.test"
    if "2001" in value:
        url = "https://[2001:db8::1]"
        servers.nginx(lab, at="[2001:db8::1]", certificate="addresses")
    else:
        servers.nginx(lab, certificate="addresses")
        url = f"https://{FRONT}" if value[0].isdigit() else url
    servers.squid(lab, access="http_access deny all")
    run = lab.gate(url=url, environ={**THROUGH_PROXY, "NO_PROXY": value}, timeout="20s")
    lab.ready(run, api)


@each(other_domain="notlab.test,pi.lab.test", other_port="api.lab.test:8443", other_range="198.51.100.0/24")
def no_proxy_of_others(lab: Lab, value: str) -> None:
    """What NO_PROXY does not name goes to the proxy."""
    api = Api(2)
    servers.nginx(lab)
    servers.squid(lab)
    run = lab.gate(environ={**THROUGH_PROXY, "NO_PROXY": value}, timeout="20s")
    lab.ready(run, api)
    time.sleep(0.3)
    lab.expect(_tunnels(lab) >= 1, "it went past the proxy")


@situation()
def only_http_proxy_is_set(lab: Lab) -> None:
    """Where only HTTP_PROXY is set and there is no other way out, a sentence names HTTPS_PROXY."""
    lab.hosts({"api.lab.test": [DEAD[0]], "proxy.lab.test": [PROXY]})
    servers.squid(lab)
    run = lab.gate("--request-timeout", "2s", environ={"HTTP_PROXY": servers.PROXY_URL}, timeout="5s")
    lab.exits(run, 8)
    lab.expect("HTTPS_PROXY" in run.log, f"HTTPS_PROXY is not named, but {run.said!r}")


@situation()
def squid_inspects_tls(lab: Lab) -> None:
    """A proxy that inspects TLS works with its authority, and is refused at once without."""
    api = Api(3)
    servers.nginx(lab)
    _bump(lab)
    run = lab.gate(environ=THROUGH_PROXY, ca="other-ca")
    lab.ready(run, api, retries=0)
    run = lab.gate(environ=THROUGH_PROXY)
    lab.exits(run, 8)
    lab.says(run, "not trusted here", "ca-bundle")
    lab.within("the gate", run.result.get("waited-seconds", 99), 3)


@situation()
def squid_inspects_tls_and_has_no_api(lab: Lab) -> None:
    """The error page that an inspecting squid sends in the API's name is known as squid's."""
    _bump(lab)
    run = lab.gate(environ=THROUGH_PROXY, ca="other-ca", timeout="4s")
    lab.exits(run, 8)
    lab.says(run, "HTTP 503", "squid|proxy")


def _bump(lab: Lab) -> None:
    """Start a squid that looks into TLS."""
    generator = f"/usr/lib/squid/security_file_certgen -s {lab.directory}/generated -M 4MB"
    lab.run(*generator.split(), "-c")
    lab.run("chown", "-R", "proxy", lab.directory / "generated")
    certificate = f"tls-cert={lab.tls}/other-ca.both generate-host-certificates=on"
    servers.squid(
        lab,
        port=f"http_port {PROXY}:{PROXY_PORT} ssl-bump {certificate}",
        more=f"sslcrtd_program {generator}\nssl_bump bump all\ntls_outgoing_options cafile={lab.tls}/ca.pem",
    )


@situation()
def squid_away_for_2_seconds(lab: Lab) -> None:
    """A proxy that is restarted is ridden out, and named in the log."""
    api = Api(8)
    servers.nginx(lab)
    process = servers.squid(lab)

    def again() -> None:
        lab.stop(process)
        time.sleep(2)
        servers.start_squid(lab, lab.directory / "squid.conf")

    api.later(3, again)
    run = lab.gate(targets=10, environ=THROUGH_PROXY)
    lab.ready(run, api)
    lab.logs(run, f"proxy {_PROXY}: connection refused")


@situation()
def squid_refuses_for_5_seconds_in_mid_wait(lab: Lab) -> None:
    """A proxy that forbids the API for a while, after it had let it through, is ridden out."""
    api, front = Api(10), servers.nginx(lab, http="keepalive_timeout 0;")
    process = servers.squid(lab)
    settings = lab.read("squid.conf")

    def forbid() -> None:
        lab.write("squid.conf", settings.replace("allow all", "deny all"))
        os.kill(process.pid, signal.SIGHUP)

    def allow() -> None:
        lab.write("squid.conf", settings)
        os.kill(process.pid, signal.SIGHUP)

    api.later(2.5, forbid)
    api.later(7.5, allow)
    run = lab.gate(environ=THROUGH_PROXY)
    lab.ready(run, api)
    lab.expect(front.poll() is None, "nginx has ended")
    lab.expect(run.result.get("retries", 0) > 0, "squid was not noticed")


@situation()
def squid_refuses_at_the_first_look(lab: Lab) -> None:
    """A proxy that forbids the API from the start ends the gate at once, and is named."""
    servers.squid(lab, access="http_access deny all")
    run = lab.gate(environ=THROUGH_PROXY)
    lab.exits(run, 6)
    lab.says(run, f"the proxy {_PROXY} refuses", "HTTP 403")
    lab.within("the gate", run.result.get("waited-seconds", 99), 3)


@situation()
def squid_has_no_api(lab: Lab) -> None:
    """Squid's own 503 to CONNECT, for an API that refuses connections, is the proxy's."""
    servers.squid(lab)
    run = lab.gate(environ=THROUGH_PROXY, timeout="4s")
    lab.exits(run, 8)
    lab.says(run, f"the proxy {_PROXY}", "HTTP 503", "proxy")
    lab.never_says(run, "Check that the API is up and that `api-url` names it, then run this step again")


@situation()
def squid_whose_resolver_is_silent(lab: Lab) -> None:
    """A squid whose own resolver is silent is named as who was silent, and it is not the API."""
    lab.hosts({"proxy.lab.test": [PROXY]})
    servers.squid(lab, more=f"dns_nameservers {DEAD[0]}\ndns_timeout 30 seconds")
    run = lab.gate("--request-timeout", "2s", environ=THROUGH_PROXY, timeout="5s")
    lab.exits(run, 8)
    lab.says(run, f"the proxy {_PROXY}", r"\b2 ?s\b", "HTTPS_PROXY")


@situation()
def squid_https_port_named_https(lab: Lab) -> None:
    """TLS to the proxy, and TLS to the API in it."""
    api = Api(2)
    servers.nginx(lab)
    servers.squid(lab, port=f"https_port {PROXY}:{PROXY_PORT} tls-cert={lab.tls}/good.both")
    run = lab.gate(environ={"HTTPS_PROXY": f"https://{_PROXY}"})
    lab.ready(run, api, retries=0)


@situation()
def squid_https_port_named_http(lab: Lab) -> None:
    """An https proxy that is given as http:// is named, with https:// as what to try."""
    servers.squid(lab, port=f"https_port {PROXY}:{PROXY_PORT} tls-cert={lab.tls}/good.both")
    run = lab.gate(environ=THROUGH_PROXY, timeout="4s")
    lab.exits(run, 8)
    lab.says(run, f"the proxy {_PROXY}", "https://")


@situation()
def squid_http_port_named_https(lab: Lab) -> None:
    """A plain proxy that is given as https:// is named, with http:// as what to try."""
    servers.squid(lab)
    run = lab.gate(environ={"HTTPS_PROXY": f"https://{_PROXY}"}, timeout="4s")
    lab.exits(run, 8)
    lab.says(run, f"the proxy {_PROXY}", "TLS", "http://|HTTPS_PROXY")


@situation()
def squid_https_port_of_an_unknown_authority(lab: Lab) -> None:
    """An https proxy whose certificate is not trusted is named, not the API."""
    servers.squid(lab, port=f"https_port {PROXY}:{PROXY_PORT} tls-cert={lab.tls}/unknown-ca.both")
    run = lab.gate(environ={"HTTPS_PROXY": f"https://{_PROXY}"}, timeout="20s")
    lab.exits(run, 8)
    lab.says(run, f"certificate of the proxy {_PROXY}", "not trusted here", "ca-bundle")
    lab.within("the gate", run.result.get("waited-seconds", 99), 3)


@situation()
def socks_port_named_http(lab: Lab) -> None:
    """A SOCKS proxy that is given as http:// is named in the fault."""
    servers.microsocks(lab)
    run = lab.gate(environ=THROUGH_PROXY, timeout="4s")
    lab.exits(run, 8)
    lab.says(run, f"the proxy {_PROXY}", "HTTPS_PROXY")


@each(socks5="socks5", socks5h="socks5h", socks4="socks4", socks="socks")
def socks_named_as_such(lab: Lab, scheme: str) -> None:
    """A SOCKS proxy that is given as such is refused with a sentence that says so, or it works."""
    api = Api(2)
    servers.nginx(lab)
    servers.microsocks(lab)
    run = lab.gate(environ={"ALL_PROXY": f"{scheme}://{_PROXY}"}, timeout="15s")
    if run.code == 0:
        lab.ready(run, api)
    else:
        lab.exits(run, 2)
        lab.says(run, "SOCKS", "ALL_PROXY")


@situation()
def proxy_that_is_not_there(lab: Lab) -> None:
    """A proxy that refuses connections is named, and how to go without."""
    run = lab.gate(environ=THROUGH_PROXY, timeout="4s")
    lab.exits(run, 8)
    lab.says(run, f"the proxy {_PROXY}", "connection refused", "HTTPS_PROXY|NO_PROXY")


@situation()
def proxy_whose_name_is_unknown(lab: Lab) -> None:
    """A proxy whose name has no address is named, not the API."""
    servers.dnsmasq(lab, f"host-record=api.lab.test,{FRONT}")
    run = lab.gate(environ={"HTTPS_PROXY": "http://old-proxy.lab.test:3128"}, timeout="4s")
    lab.exits(run, 8)
    lab.says(run, "no address", "the proxy old-proxy.lab.test:3128", "HTTPS_PROXY|proxy settings")


@situation()
def tinyproxy_healthy(lab: Lab) -> None:
    """A tunnel is kept from look to look: one for each target, whatever comes from the other side."""
    api = Api(6)
    servers.nginx(lab)
    servers.tinyproxy(lab)
    run = lab.gate(targets=5, environ=THROUGH_PROXY)
    lab.ready(run, api, retries=0)
    tunnels = lab.read("tinyproxy.out").count("CONNECT api.lab.test:443")
    lab.expect(1 <= tunnels <= 5, f"{tunnels} tunnels for 5 targets")


@situation()
def tinyproxy_has_no_api(lab: Lab) -> None:
    """Tinyproxy's page to CONNECT (it sends 500) is the proxy's."""
    servers.tinyproxy(lab)
    run = lab.gate(environ=THROUGH_PROXY, timeout="4s")
    lab.exits(run, 8)
    lab.says(run, f"the proxy {_PROXY}", "HTTP 50[0-9]")


@situation()
def tinyproxy_filters(lab: Lab) -> None:
    """A proxy that filters the API's name refuses at once, and is named."""
    lab.write("filter", "lab.test\n")
    servers.tinyproxy(lab, more=f'Filter "{lab.directory}/filter"')
    run = lab.gate(environ=THROUGH_PROXY)
    lab.exits(run, 6)
    lab.says(run, f"the proxy {_PROXY} refuses", "HTTP 403")


@situation()
def nginx_is_no_proxy(lab: Lab) -> None:
    """A web server that is taken for a proxy (it sends 400 or 405 to CONNECT) is named."""
    servers.nginx(lab, server=f"listen {PROXY}:{PROXY_PORT};")
    run = lab.gate(environ=THROUGH_PROXY, timeout="4s")
    lab.expect(run.code in (6, 8), f"exit code {run.code} instead of 6 or 8")
    lab.says(run, f"the proxy {_PROXY}", "HTTP 40[05]", "HTTPS_PROXY|proxy")
