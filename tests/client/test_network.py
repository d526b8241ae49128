"""Certificates and proxies: what is trusted, which way is taken, and what is said when it does not work."""

from __future__ import annotations

import base64
import os
import shutil
import socket
import ssl
import sys
import urllib.request
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfgate.client.network import bypasses, hint, host_and_port, proxy_for, tls_context
from cfgate.errors import GateError, InvalidSettings, NoAnswer, Rejected, Unresolved, Unsuited, Untrusted
from tests.support import posix
from tests.support.wire import (
    ASID,
    CA,
    TARGET,
    TLS,
    Peer,
    answering,
    client,
    http,
    once,
    serve,
    tunnel,
)

API = "https://api.cfgate.test"  # a name of the certificate that no resolver knows


def refused(url: str, **options: Any) -> GateError:
    """Ask, and get an error."""
    with client(url, **options) as api, pytest.raises(GateError) as raised:
        api.fetch(TARGET, ASID)
    return raised.value


# Certificates


def test_a_certificate_of_an_extra_authority_is_trusted() -> None:
    """With its authority in `ca-bundle`, a server is asked."""
    with serve(answering(http()), "good") as server, client(server.url, ca_bundle=CA) as api:
        assert api.fetch(TARGET, ASID).job.progress == 12
        assert api.fetch(TARGET, ASID).job.progress == 12
    assert server.connections == 1


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"])
def test_the_usual_variables_name_authorities(variable: str) -> None:
    """Authorities are taken from where requests, curl and OpenSSL take them."""
    with serve(answering(http()), "good") as server, client(server.url, environ={variable: CA}) as api:
        assert api.fetch(TARGET, ASID).job.progress == 12


def test_a_folder_of_authorities_will_do(tmp_path: Path) -> None:
    """A variable may name a folder, with files named by hash as OpenSSL wants them."""
    shutil.copy(CA, tmp_path / "92d652ec.0")
    environ = {"REQUESTS_CA_BUNDLE": str(tmp_path)}
    with serve(answering(http()), "good") as server, client(server.url, environ=environ) as api:
        assert api.fetch(TARGET, ASID).job.progress == 12


def test_an_extra_authority_replaces_none() -> None:
    """`ca-bundle` comes on top of the default trust; a variable comes in its place."""
    default = tls_context({}).cert_store_stats()["x509_ca"]
    assert default > 1
    flags = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).verify_flags
    assert tls_context({}).verify_flags == flags | ssl.VERIFY_X509_PARTIAL_CHAIN
    assert tls_context({}, CA).cert_store_stats()["x509_ca"] == default + 1
    assert tls_context({"SSL_CERT_FILE": CA}).cert_store_stats()["x509_ca"] == 1


def as_windows_has_it(name: str) -> bytes:
    """Make DER of the certificate in a file."""
    begin, end = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
    inside = (TLS / name).read_text("ascii").partition(begin)[2].partition(end)[0]
    return ssl.PEM_cert_to_DER_cert(begin + inside + end)


def test_what_windows_trusts_is_trusted_besides(monkeypatch: pytest.MonkeyPatch) -> None:
    """The roots in its store that are for servers; not what is for other uses, is broken, or is no root."""
    store = {
        "ROOT": [
            (b"no certificate", "x509_asn", True),
            (as_windows_has_it("self-signed.pem"), "x509_asn", {"1.3.6.1.5.5.7.3.3"}),
            (as_windows_has_it("ca.pem"), "pkcs_7_asn", True),
            (as_windows_has_it("elsewhere.pem"), "x509_asn", False),
            (as_windows_has_it("ca.pem"), "x509_asn", {"1.3.6.1.5.5.7.3.3", "1.3.6.1.5.5.7.3.1"}),
        ],
        "CA": [(as_windows_has_it("good.pem"), "x509_asn", True)],
    }
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(ssl, "enum_certificates", lambda _: [], raising=False)
    before = tls_context({}).cert_store_stats()
    monkeypatch.setattr(ssl, "enum_certificates", store.__getitem__)
    assert tls_context({}).cert_store_stats()["x509"] == before["x509"] + 1
    assert tls_context({"SSL_CERT_FILE": CA}).cert_store_stats()["x509"] == 1
    with serve(answering(http()), "good") as server, client(server.url) as api:
        assert api.fetch(TARGET, ASID).job.progress == 12


def test_a_store_that_may_not_be_read_costs_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """The usual authorities stay."""

    def refuse(_: str) -> list[object]:
        raise PermissionError

    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(ssl, "enum_certificates", lambda _: [], raising=False)
    before = tls_context({}).cert_store_stats()
    monkeypatch.setattr(ssl, "enum_certificates", refuse)
    assert tls_context({}).cert_store_stats() == before


@pytest.mark.parametrize("system", ["win32", "darwin"])
@pytest.mark.parametrize(
    ("found", "environ", "told"),
    [
        ({"https": "http://user:pass@proxy:1"}, {}, True),
        ({"http": "http://proxy:1"}, {}, False),
        ({"https": "http://proxy:1"}, {"HTTPS_PROXY": "http://other:1"}, False),
    ],
)
def test_a_proxy_in_the_settings_of_the_system_is_not_taken_but_told(
    system: str, found: dict[str, str], environ: dict[str, str], told: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with curl and git only the environment counts; what it may mean is told where nothing is reached."""
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr(urllib.request, "getproxies", lambda: found)
    assert proxy_for(API, {}) == ""
    text = hint(API, environ)
    assert text.startswith("The settings of this machine name a proxy") is told
    assert "pass" not in text
    assert hint("http://127.0.0.1:1", {}) == ""


def test_authorities_that_were_replaced_do_not_come_back() -> None:
    """Whatever requests does with the context on the way, no other authority gets in."""
    with serve(answering(http()), "good") as server, client(server.url, environ={"SSL_CERT_FILE": CA}) as api:
        api.fetch(TARGET, ASID)
        context = api._tls
        assert context is not None
        assert context.cert_store_stats()["x509_ca"] == 1


def test_a_certificate_can_be_trusted_by_itself() -> None:
    """As with curl, what is in `ca-bundle` is trusted: it need not be the root that everything comes from."""
    with (
        serve(answering(http()), "good") as server,
        client(server.url, ca_bundle=str(TLS / "good.pem")) as api,
    ):
        assert api.fetch(TARGET, ASID).job.progress == 12


@posix.only("Windows has no /dev/fd")
def test_authorities_may_come_from_a_pipe() -> None:
    """As a shell gives them with `<(…)`, whatever stands between the certificates; they can be read once."""
    for name, count in (("ca_bundle", tls_context({}).cert_store_stats()["x509_ca"] + 1), ("variable", 1)):
        reader, writer = os.pipe()
        os.write(writer, "Aussteller: Prüfstelle\n".encode() + Path(CA).read_bytes())
        os.close(writer)
        place = f"/dev/fd/{reader}"
        context = tls_context({}, place) if name == "ca_bundle" else tls_context({"SSL_CERT_FILE": place})
        assert context.cert_store_stats()["x509_ca"] == count
        os.close(reader)


@posix.only("Windows has no /dev/fd")
def test_a_pipe_without_authorities_is_refused() -> None:
    """What comes from a pipe is not trusted blindly, even when it is nothing at all."""
    for content in (b"", b"PK", b"-----BEGIN CERTIFICATE-----\nnone\n"):
        reader, writer = os.pipe()
        os.write(writer, content)
        os.close(writer)
        with pytest.raises(InvalidSettings, match=r"ca-bundle names /dev/fd/.* which holds no certificate"):
            tls_context({}, f"/dev/fd/{reader}")
        os.close(reader)


def test_a_variable_that_is_empty_is_not_set() -> None:
    """`SSL_CERT_FILE=` means nothing, and the next variable counts."""
    environ = {"REQUESTS_CA_BUNDLE": "", "SSL_CERT_FILE": CA}
    assert tls_context(environ).cert_store_stats()["x509_ca"] == 1


@pytest.mark.parametrize(
    ("certificate", "words", "remedy"),
    [
        ("expired", "has expired", "Check the clock of this machine"),
        ("early", "is not valid yet", "Check the clock of this machine"),
        ("self-signed", "is self-signed", "name its CA file in `ca-bundle`"),
        ("elsewhere", "is for another host name", "Check the host name in `api-url`"),
    ],
)
def test_a_bad_certificate_is_not_trusted(certificate: str, words: str, remedy: str) -> None:
    """A certificate that does not hold ends the gate at once, says why, and nothing has been sent."""
    with serve(answering(http()), certificate) as server:
        error = refused(server.url, ca_bundle=CA)
    assert isinstance(error, Untrusted)
    assert str(error) == f"the certificate of localhost:{server.port} {words}"
    assert remedy in error.remedy
    assert server.requests == []


def test_an_unknown_authority_is_not_trusted() -> None:
    """Without its authority a server is not asked; the way out is named."""
    with serve(answering(http()), "good") as server:
        error = refused(server.url)
    assert isinstance(error, Untrusted)
    assert "comes from an authority that is not trusted here" in str(error)
    assert "ca-bundle" in error.remedy
    assert server.requests == []


def test_an_address_that_the_certificate_does_not_name_is_not_trusted() -> None:
    """A certificate counts for the host in `api-url`, also when that is a number."""
    with serve(answering(http()), "elsewhere") as server:
        error = refused(f"https://127.0.0.1:{server.port}", ca_bundle=CA)
    assert "is for another address" in str(error)


def test_a_server_without_tls_is_told() -> None:
    """An answer in plain text to a TLS greeting is no matter of trust."""
    with serve(lambda peer: peer.send(http())) as server:
        error = refused(f"https://localhost:{server.port}")
    assert type(error) is Unsuited
    assert str(error) == f"localhost:{server.port} does not speak TLS"


@pytest.mark.parametrize(
    ("name", "why"), [("nowhere.pem", "no such file or directory"), ("no\0name", "not a file name")]
)
@pytest.mark.parametrize("variable", ["", "SSL_CERT_FILE"])
def test_a_file_of_authorities_that_cannot_be_read_is_refused(
    name: str, why: str, variable: str, tmp_path: Path
) -> None:
    """A wrong path is a wrong setting, told by its source, before anything is sent."""
    path = str(tmp_path / name)
    environ, extra = ({variable: path}, "") if variable else ({}, path)
    with pytest.raises(InvalidSettings) as refused:
        tls_context(environ, extra)
    source = f"environment {variable}" if variable else "ca-bundle"
    assert refused.value.problems == (f"{source} names {path}, which cannot be read: {why}",)


def test_a_file_without_authorities_is_refused() -> None:
    """A file of something else is no bundle."""
    with pytest.raises(InvalidSettings) as refused:
        tls_context({}, __file__)
    assert str(refused.value) == f"ca-bundle names {__file__}, which holds no certificate in PEM form"


# Proxies

CHECK_THE_PROXY = (
    "Check the proxy that HTTPS_PROXY names (http:// or https://, and its port), "
    "or name the API's host in NO_PROXY."
)


@pytest.mark.parametrize("tls", ["", "good"], ids=["http", "https"])
@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"])
def test_a_proxy_tunnels_to_the_api(variable: str, tls: str) -> None:
    """The proxy learns host, port and its own password; the API's credentials go through the tunnel."""
    with serve(answering(http()), "good") as server, serve(tunnel(server.port), tls) as proxy:
        environ = {variable: proxy.url.replace("://", "://me:pass%40word@")}
        with client(API, ca_bundle=CA, environ=environ) as api:
            assert [api.fetch(TARGET, ASID).job.progress for _ in range(3)] == [12, 12, 12]
    (connect,) = proxy.requests
    assert connect.line.startswith("CONNECT api.cfgate.test:443 HTTP/1.")
    assert base64.b64decode(connect["Proxy-Authorization"].removeprefix("Basic ")) == b"me:pass@word"
    assert "Authorization" not in dict(connect.headers)
    assert "Proxy-Authorization" not in dict(server.requests[0].headers)
    assert (proxy.connections, len(server.requests)) == (1, 3)


def test_a_proxy_without_a_scheme_is_understood() -> None:
    """`HTTPS_PROXY=host:port` is what curl takes."""
    assert proxy_for(API, {"HTTPS_PROXY": "proxy.cfgate.test:3128"}) == "http://proxy.cfgate.test:3128"


@pytest.mark.parametrize(
    ("code", "kind", "words", "remedy"),
    [
        (407, Rejected, "asks for credentials (HTTP 407)", "Check user name and password in HTTPS_PROXY."),
        (
            403,
            Rejected,
            "refuses to connect to the API (HTTP 403)",
            "Have the proxy allow it, or put the host into NO_PROXY.",
        ),
        (502, NoAnswer, "does not connect to the API (HTTP 502)", CHECK_THE_PROXY),
        (503, NoAnswer, "does not connect to the API (HTTP 503)", CHECK_THE_PROXY),
    ],
)
def test_a_proxy_that_refuses_is_told_without_its_password(
    code: int, kind: type[GateError], words: str, remedy: str
) -> None:
    """What asking again cannot help ends the gate; the rest is no answer. The password is not shown."""
    with serve(once(lambda peer: peer.send(http(b"", code)))) as proxy:
        error = refused(API, environ={"HTTPS_PROXY": f"http://me:passw0rd@127.0.0.1:{proxy.port}"})
    assert type(error) is kind
    assert str(error) == f"the proxy 127.0.0.1:{proxy.port} {words}"
    assert error.remedy == remedy
    assert "passw0rd" not in f"{error!r} {error.remedy} {error.__cause__!r} {error.__context__!r}"


def test_a_proxy_that_does_not_listen_is_told() -> None:
    """It is the proxy that cannot be reached, not the API."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    error = refused(API, environ={"HTTPS_PROXY": f"http://127.0.0.1:{port}"})
    assert str(error) == f"no connection to the proxy 127.0.0.1:{port}: connection refused"
    assert error.remedy == CHECK_THE_PROXY


def test_the_certificate_of_a_proxy_counts() -> None:
    """An https proxy is verified like a server."""
    with serve(Peer.stall, "expired") as proxy:
        error = refused(API, ca_bundle=CA, environ={"HTTPS_PROXY": proxy.url})
    assert isinstance(error, Untrusted)
    assert str(error) == f"the certificate of the proxy localhost:{proxy.port} has expired"


def test_the_certificate_of_the_api_counts_behind_a_proxy() -> None:
    """A proxy in between changes nothing in what is trusted."""
    with serve(answering(http()), "expired") as server, serve(tunnel(server.port)) as proxy:
        error = refused(API, ca_bundle=CA, environ={"HTTPS_PROXY": proxy.url})
    assert str(error) == "the certificate of api.cfgate.test has expired"
    assert server.requests == []


@pytest.mark.parametrize(
    "no_proxy", ["api.cfgate.test", ".cfgate.test", "cfgate.test", "x, api.cfgate.test:443", "*"]
)
@pytest.mark.parametrize("variable", ["NO_PROXY", "no_proxy"])
def test_no_proxy_is_obeyed(variable: str, no_proxy: str) -> None:
    """A host that is to be asked directly is."""
    url = f"{API}:443" if ":" in no_proxy else API
    assert proxy_for(url, {"HTTPS_PROXY": "http://127.0.0.1:9", variable: no_proxy}) == ""


def test_another_host_in_no_proxy_changes_nothing() -> None:
    """Only the named hosts go without the proxy."""
    proxy = "http://127.0.0.1:9"
    assert proxy_for(API, {"HTTPS_PROXY": proxy, "NO_PROXY": "other.test,notcfgate.test"}) == proxy


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "https://localhost:1", "http://[::1]:1"])
def test_this_machine_is_not_asked_through_a_proxy(url: str) -> None:
    """A simulator on loopback is out of reach for any proxy."""
    assert proxy_for(url, {"HTTPS_PROXY": "http://127.0.0.1:9", "ALL_PROXY": "http://127.0.0.1:9"}) == ""


def test_only_the_given_environment_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the process has in its environment is not looked at, and not changed."""
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere")
    before = dict(os.environ)
    assert proxy_for(API, {}) == ""
    assert proxy_for(API, {"HTTPS_PROXY": "https://127.0.0.1:1"}) == "https://127.0.0.1:1"
    assert proxy_for(API, {"HTTPS_PROXY": "http://127.0.0.1:8"}) == "http://127.0.0.1:8"
    tls_context({})
    assert dict(os.environ) == before


@pytest.mark.parametrize(
    ("proxy", "words"),
    [
        ("socks5h://u:secr3t@h:1", "names a SOCKS proxy, which cfgate does not speak"),
        ("http://u:p#secr3t@h", "write them with per cent signs"),
        ("http://u:p/secr3t@h:3128", "write them with per cent signs"),
        ("u:p?secr3t@h:3128", "write them with per cent signs"),
        ("http://", "is not the address of an http or https proxy"),
        ("http://u:secr3t@", "is not the address of an http or https proxy"),
        ("http://h:secr3t", "is not the address of an http or https proxy"),
        ("http://u:secr3t @h", "is not the address of an http or https proxy"),
    ],
)
def test_a_proxy_that_cannot_be_used_is_refused_unseen(proxy: str, words: str) -> None:
    """A proxy of another kind, or a mistyped one, is a wrong setting; its value may hold a password."""
    with pytest.raises(InvalidSettings, match=f"^environment ALL_PROXY .*{words}") as refusal:
        proxy_for(API, {"ALL_PROXY": proxy})
    assert "secr3t" not in str(refusal.value)


@pytest.mark.parametrize(
    "value", [" http://127.0.0.1:8\n", "http://127.0.0.1:8\r\n", "\thttp://127.0.0.1:8 "]
)
def test_a_blank_around_a_proxy_is_trimmed(value: str) -> None:
    """As around every other value (psf/requests#4613)."""
    assert proxy_for(API, {"HTTPS_PROXY": value}) == "http://127.0.0.1:8"


@pytest.mark.parametrize("pair", ["me:%E2%82%AC", "m%C3%A9:p%40ss%2Fw%23rd", "me:", "me"])
def test_user_and_password_of_a_proxy_are_sent_in_utf8(pair: str) -> None:
    """Every character that per cent signs can write reaches the proxy (psf/requests#3662)."""
    user, _, password = pair.partition(":")
    with serve(answering(http()), "good") as server, serve(tunnel(server.port)) as proxy:
        environ = {"HTTPS_PROXY": proxy.url.replace("://", f"://{pair}@")}
        with client(API, ca_bundle=CA, environ=environ) as api:
            api.fetch(TARGET, ASID)
    sent = base64.b64decode(proxy.requests[0]["Proxy-Authorization"].removeprefix("Basic ")).decode()
    assert sent == f"{unquote(user)}:{unquote(password)}"


@pytest.mark.parametrize(
    ("host", "no_proxy", "direct"),
    [
        ("api.cfgate.test", "other.test api.cfgate.test", True),
        ("api.cfgate.test", "other.test\tcfgate.test\n", True),
        ("api.cfgate.test", ".CFGATE.test.", True),
        ("api.cfgate.test", "gate.test", False),
        ("api.cfgate.test", "*.cfgate.test", False),
        ("api.cfgate.test.", "cfgate.test", True),
        ("10.1.2.3", "10.0.0.0/8", True),
        ("10.1.2.3", "10.1.2.3", True),
        ("10.1.2.3", "10.1.2", False),
        ("11.1.2.3", "10.0.0.0/8,11.1.2.4/31", False),
        ("[2001:db8::7]", "2001:db8::/32", True),
        ("[2001:db8::7]", "[2001:db8::7]", True),
        ("[2001:db9::7]", "2001:db8::/32", False),
        ("api.cfgate.test:8443", "api.cfgate.test:8443", True),
        ("api.cfgate.test:8443", "api.cfgate.test:443", False),
        ("api.cfgate.test:8443", "api.cfgate.test", True),
        ("api.cfgate.test", ",, ,", False),
        ("api.cfgate.test", "nonsense/8, 999.0.0.0/8", False),
    ],
)
def test_no_proxy_is_read_as_curl_reads_it(host: str, no_proxy: str, direct: bool) -> None:
    """Blanks part entries too, ranges are of IPv4 and IPv6, a name stands for what is below it."""
    found = proxy_for(f"https://{host}", {"HTTPS_PROXY": "http://127.0.0.1:9", "NO_PROXY": no_proxy})
    assert found == ("" if direct else "http://127.0.0.1:9")


@given(st.text(st.characters(codec="utf-8"), max_size=60))
def test_any_no_proxy_is_read(no_proxy: str) -> None:
    """Nothing that may stand there breaks the run."""
    assert bypasses(API, no_proxy) in (True, False)


@given(st.text(st.characters(codec="utf-8"), max_size=60))
def test_any_proxy_is_used_or_refused(proxy: str) -> None:
    """What cannot be used is a wrong setting, whatever it is."""
    with suppress(InvalidSettings):
        found = proxy_for(API, {"HTTPS_PROXY": proxy})
        assert not found or urlsplit(found).hostname


def test_a_proxy_for_http_alone_is_hinted_at() -> None:
    """Whoever has set HTTP_PROXY only gets to know why it is of no use (docker/for-linux#1290)."""
    error = refused(API, environ={"HTTP_PROXY": "http://127.0.0.1:9"})
    assert error.remedy.startswith("HTTP_PROXY is set, but is not for https: set HTTPS_PROXY")


# Names


@pytest.mark.parametrize(
    ("code", "kind", "words"),
    [
        (socket.EAI_NONAME, Unresolved, "no address found for api.cfgate.test"),
        (socket.EAI_AGAIN, NoAnswer, "the resolver has no answer for api.cfgate.test at the moment"),
    ],
)
def test_a_name_without_an_address_is_told(
    code: int, kind: type, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that does not resolve is an error of its own kind, for a misspelt one is not waited for."""

    def resolve(*_args: object, **_options: object) -> None:
        raise socket.gaierror(code, "as the C library puts it")

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    error = refused(API)
    assert type(error) is kind
    assert str(error) == words


def test_a_proxy_without_an_address_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a proxy it is the proxy's name that is looked up."""

    def resolve(*_args: object, **_options: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "as the C library puts it")

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    error = refused(API, environ={"HTTPS_PROXY": "http://me:secr3t@proxy.test:3128"})
    assert type(error) is Unresolved
    assert str(error) == "no address found for the proxy proxy.test:3128"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://api.cfgate.test", "api.cfgate.test"),
        ("https://u:p@api.cfgate.test:8443/x?y", "api.cfgate.test:8443"),
        ("http://[::1]:80", "[::1]:80"),
        ("", ""),
    ],
)
def test_a_host_is_shown_without_credentials(url: str, shown: str) -> None:
    """Of an address only host and port are for the public."""
    assert host_and_port(url) == shown
