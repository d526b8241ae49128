"""TLS faults: each in words and with a remedy; what cannot pass by itself ends at once, with nothing sent."""

from __future__ import annotations

import os
import signal

from fronts import servers
from fronts.api import Api
from fronts.lab import Lab, Run
from fronts.situation import each, situation

_AT_ONCE = 4.0  # seconds, on a busy machine
_WEAK = "openssl_conf = lab\n[lab]\nssl_conf = ssl\n[ssl]\nsystem_default = all\n[all]\n%s\n"


def _ends_at_once(lab: Lab, api: Api, *patterns: str) -> Run:
    """Expect that it is unavailable at once, in these words, and that no request came through."""
    run = lab.gate(timeout="25s")
    lab.exits(run, 8)
    lab.says(run, *patterns)
    lab.never_says(run, r"[A-Z]{4,}_[A-Z]+", "tlsv1|sslv3")  # OpenSSL's own constants
    lab.within("the gate", run.result.get("waited-seconds", 99), _AT_ONCE)
    lab.equal("requests that came through", len(api.asked), 0)
    return run


def _weak(lab: Lab, settings: str) -> dict[str, str]:
    """Let a server use what OpenSSL has turned off by default."""
    return {"OPENSSL_CONF": str(lab.write("openssl.cnf", _WEAK % settings))}


@each(
    unknown_ca=("unknown-ca", "authority that is not trusted", "ca-bundle"),
    wrong_host=("wrong-host", "another host", "api-url"),
    expired=("expired", "has expired", "clock"),
    not_yet=("not-yet", "not valid yet", "clock"),
    without_its_chain=("no-chain", "authority that is not trusted", "ca-bundle"),
)
def nginx_certificate(lab: Lab, certificate: tuple[str, str, str]) -> None:
    """A certificate that cannot be verified ends the gate at once, with what is wrong and what to do."""
    name, what, remedy = certificate
    api = Api()
    servers.nginx(lab, certificate=name)
    _ends_at_once(lab, api, what, remedy)


@each(weak_digest=("weak-digest", "digest|md too weak"), weak_key=("weak-key", "key.* too (small|weak)"))
def haproxy_certificate(lab: Lab, certificate: tuple[str, str]) -> None:
    """A signature with SHA-1, or a key of 1024 bits, is named in words, not by a number of OpenSSL."""
    name, what = certificate
    api = Api()
    servers.haproxy(lab, certificate=name, environ=_weak(lab, "CipherString = DEFAULT@SECLEVEL=0"))
    run = _ends_at_once(lab, api, what)
    lab.never_says(run, r"OpenSSL says \d+")


@situation()
def nginx_certificate_with_its_chain(lab: Lab) -> None:
    """A certificate with the authority between is trusted."""
    api = Api(2)
    servers.nginx(lab, certificate="chain")
    lab.ready(lab.gate(), api)


@situation()
def nginx_authority_between_in_the_bundle(lab: Lab) -> None:
    """An authority between in `ca-bundle` is enough, as for curl."""
    api = Api(2)
    servers.nginx(lab, certificate="no-chain")
    lab.ready(lab.gate(ca="between"), api)


@situation()
def nginx_tls_1_0_only(lab: Lab) -> None:
    """A front that speaks TLS 1.0 only: the version is named, and 1.2 as what it takes."""
    api = Api()
    weak = _weak(lab, "MinProtocol = TLSv1\nCipherString = DEFAULT@SECLEVEL=0")
    os.environ.update(weak)
    servers.nginx(lab, server="ssl_protocols TLSv1; ssl_ciphers DEFAULT@SECLEVEL=0;")
    del os.environ["OPENSSL_CONF"]
    _ends_at_once(lab, api, "TLS", "version", r"1\.2")


@situation()
def haproxy_wants_a_client_certificate(lab: Lab) -> None:
    """A client certificate that is demanded in the handshake is named, with a remedy."""
    api = Api()
    servers.haproxy(lab, bind=f"ca-file {lab.tls}/ca.pem verify required")
    _ends_at_once(lab, api, "client certificate", "ask|address|without")


@situation()
def haproxy_wants_a_client_certificate_in_tls_1_2(lab: Lab) -> None:
    """The same in TLS 1.2, where OpenSSL calls it a handshake failure."""
    api = Api()
    servers.haproxy(lab, bind=f"ca-file {lab.tls}/ca.pem verify required ssl-max-ver TLSv1.2")
    _ends_at_once(lab, api, "client certificate", "ask|address|without")


@situation()
def haproxy_and_no_cipher_in_common(lab: Lab) -> None:
    """A front with no cipher in common is a handshake that cannot succeed, in words."""
    api = Api()
    servers.haproxy(lab, bind="ssl-max-ver TLSv1.2 ciphers ECDHE-ECDSA-CAMELLIA256-SHA384")
    _ends_at_once(lab, api, "cipher", "ask")


@situation()
def openssl_h2_only(lab: Lab) -> None:
    """A front that wants HTTP/2 only refuses in the handshake: HTTP/1.1 is named as what it lacks."""
    servers.openssl_server(lab, "-alpn", "h2")
    _ends_at_once(lab, Api(), r"HTTP/1\.1|HTTP/2")


@situation()
def nghttpd_behind_stunnel(lab: Lab) -> None:
    """A server that speaks HTTP/2 only, behind one that takes off TLS: HTTP/2 is named."""
    servers.nghttpd(lab)
    _ends_at_once(lab, Api(), "HTTP/2")


@situation()
def nginx_plain_http_on_443(lab: Lab) -> None:
    """Plain HTTP on the TLS port: that it does not speak TLS, and the port as what to check."""
    api = Api()
    servers.nginx(lab, tls="")
    _ends_at_once(lab, api, "does not speak TLS", "port|api-url")


@situation()
def nginx_rejects_the_name(lab: Lab) -> None:
    """A front that knows no such host (unrecognized name) says so in the handshake: the name is to check."""
    api = Api()
    servers.nginx(lab, server="ssl_reject_handshake on;")
    _ends_at_once(lab, api, "name", "api-url")


@situation()
def nginx_takes_a_certificate_of_another_ca_in_mid_wait(lab: Lab) -> None:
    """A certificate of an unknown authority in mid-wait ends the gate at once; nothing is sent to it."""
    api = Api(30)
    process = servers.nginx(lab, http="keepalive_timeout 1s;")

    def change() -> None:
        lab.copy("unknown-ca")
        os.kill(process.pid, signal.SIGHUP)

    api.later(3, change)
    run = lab.gate()
    lab.exits(run, 8)
    lab.says(run, "authority that is not trusted here")
    lab.within("the gate", run.ended - api.asked[0][0], 9)
    lab.equal("requests nginx saw", lab.read("access.log").count("/status"), len(api.asked))


@situation()
def nginx_renews_its_certificate_in_mid_wait(lab: Lab) -> None:
    """A certificate that is renewed by the same authority costs nothing."""
    api = Api(6)
    process = servers.nginx(lab, http="keepalive_timeout 1s;")

    def change() -> None:
        lab.copy("chain")
        os.kill(process.pid, signal.SIGHUP)

    api.later(3, change)
    run = lab.gate(targets=5)
    lab.ready(run, api, retries=0)
