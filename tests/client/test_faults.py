"""The words for what goes wrong on the wire; the wire itself is played in test_transport and test_network."""

from __future__ import annotations

import errno
import os
import socket
import ssl
from http.client import BadStatusLine

import pytest
import requests
import urllib3.exceptions

from cfgate.client.channel import Phase
from cfgate.client.faults import explained, timed_out
from cfgate.client.wire import HttpAnswer
from cfgate.errors import NoAnswer, Unresolved, Unsuited, Untrusted
from tests.support.wire import ASID, TARGET, answering, client, http, serve

SECRET = "https://me:secr3t@host"
FAILED = urllib3.exceptions.NewConnectionError(None, SECRET)  # type: ignore[arg-type]  # no connection in sight


def wrapped(inner: Exception) -> requests.ConnectionError:
    """Wrap an error as deep as requests and urllib3 do."""
    FAILED.__cause__ = inner
    return requests.ConnectionError(urllib3.exceptions.MaxRetryError(None, SECRET, FAILED))  # type: ignore[arg-type]


def tls_error(reason: str) -> ssl.SSLError:
    """Make an error as OpenSSL gives it, with one of its constants."""
    error = ssl.SSLError(1, SECRET)
    error.reason = reason
    return error


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (
            wrapped(OSError(errno.EHOSTUNREACH, SECRET)),
            f"no connection to host: {os.strerror(errno.EHOSTUNREACH).lower()}",
        ),
        (urllib3.exceptions.ReadTimeoutError(None, "", SECRET), "the answer is broken"),  # type: ignore[arg-type]
        (ssl.SSLError(1, SECRET), "TLS with host failed: for no known reason"),
        (tls_error("BAD_RECORD_MAC"), "TLS with host failed: bad record mac"),
        (ssl.SSLEOFError(8, SECRET), "host closed the connection during TLS"),
        (ssl.SSLZeroReturnError(6, SECRET), "host closed the connection during TLS"),
        (BrokenPipeError(errno.EPIPE, SECRET), "the connection was reset"),
        (BadStatusLine(SECRET), "what came is not HTTP"),
        (urllib3.exceptions.ProtocolError(SECRET), "the answer is broken"),
        (requests.RequestException(SECRET), "the answer is broken"),
        (OSError(SECRET), "the answer is broken"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_every_fault_has_words_of_its_own(error: Exception, words: str) -> None:
    """However deep the cause is wrapped, it is told in our words, and none of the libraries' is repeated."""
    fault = explained(error, Phase.HEADERS, "host", "")
    assert type(fault) is NoAnswer
    assert str(fault) == words
    assert fault.remedy == NoAnswer.remedy


@pytest.mark.parametrize("code", [0, 99])
def test_an_unknown_fault_of_a_certificate_is_told_by_its_number(code: int) -> None:
    """What OpenSSL may think of in years to come is a matter of trust too, and so is what has no number."""
    error = ssl.SSLCertVerificationError(1, SECRET)
    if code:
        error.verify_code = code
    fault = explained(error, Phase.HEADERS, "host", "")
    assert isinstance(fault, Untrusted)
    assert str(fault) == f"the certificate of host cannot be verified: OpenSSL says “code {code}”"


def test_an_unusual_fault_of_a_certificate_is_in_openssl_s_own_words() -> None:
    """They are constants; anything that does not look like one is not repeated."""
    error = ssl.SSLCertVerificationError(1, SECRET)
    error.verify_code, error.verify_message = 99, "unsuitable certificate purpose"
    assert str(explained(error, Phase.HANDSHAKE, "host", "")).endswith("“unsuitable certificate purpose”")
    error.verify_message = "::error::x"
    assert str(explained(error, Phase.HANDSHAKE, "host", "")).endswith("“code 99”")


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("RECORD_LAYER_FAILURE", "host does not speak TLS"),
        ("HTTP_REQUEST", "host does not speak TLS"),
        ("NO_PROTOCOLS_AVAILABLE", "host speaks only versions of TLS that are not secure any more"),
        ("TLSV1_ALERT_PROTOCOL_VERSION", "host speaks only versions of TLS that are not secure any more"),
        ("TLSV13_ALERT_CERTIFICATE_REQUIRED", "host wants a client certificate, which cfgate does not have"),
        ("TLSV1_ALERT_NO_APPLICATION_PROTOCOL", "host does not speak HTTP/1.1"),
        ("TLSV1_UNRECOGNIZED_NAME", "host does not know the host name that it was asked for"),
    ],
)
def test_a_handshake_that_can_never_succeed_ends_at_once(reason: str, words: str) -> None:
    """What a server wants and cfgate does not have will not change by asking again."""
    fault = explained(tls_error(reason), Phase.HANDSHAKE, "host", "")
    assert isinstance(fault, Unsuited)
    assert (str(fault), bool(fault.remedy)) == (words, True)


def test_a_reason_that_python_has_only_in_its_text_is_known_as_well() -> None:
    """Python has no name for some alerts of TLS."""
    error = ssl.SSLError(1, "[SSL] tlsv1 alert no application protocol (_ssl.c:1006)")
    assert str(explained(error, Phase.HANDSHAKE, "host", "")) == "host does not speak HTTP/1.1"


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENOMEM, errno.ENETUNREACH, errno.EADDRNOTAVAIL])
def test_what_this_machine_refuses_is_not_blamed_on_the_api(number: int) -> None:
    """The limit is named, and who can raise it."""
    fault = explained(wrapped(OSError(number, SECRET)), Phase.CONNECT, "host", "proxy")
    assert isinstance(fault, NoAnswer)
    assert str(fault) == f"this machine has refused: {os.strerror(number).lower()}"
    assert fault.remedy != NoAnswer.remedy


@pytest.mark.parametrize("phase", Phase)
def test_a_time_out_names_the_phase_and_who_was_silent(phase: Phase) -> None:
    """Before the tunnel stands it is the proxy, then the API; every phase has words of its own."""
    alone, behind = str(timed_out(phase, 20, "api", "")), str(timed_out(phase, 20, "api", "squid:3128"))
    assert alone.startswith("time-out after 20s ")
    assert alone.endswith(" api")
    before = phase in (Phase.LOOK_UP, Phase.CONNECT, Phase.PROXY)
    assert behind.endswith("the proxy squid:3128")
    assert ("api" in behind) is not before
    assert len({str(timed_out(each, 20, "api", "")) for each in Phase}) == len(Phase)


def test_a_resolver_that_asks_to_try_again_has_the_patience_of_a_server() -> None:
    """It may pass, so that the short patience for a name that does not exist is not for it."""
    assert (
        type(explained(wrapped(socket.gaierror(socket.EAI_AGAIN, SECRET)), Phase.LOOK_UP, "h", ""))
        is NoAnswer
    )
    assert (
        type(explained(wrapped(socket.gaierror(socket.EAI_NONAME, SECRET)), Phase.LOOK_UP, "h", ""))
        is Unresolved
    )


@pytest.mark.parametrize("bug", [KeyError("x"), ValueError("x"), RuntimeError("x"), AssertionError()])
def test_a_bug_stays_a_bug(bug: Exception) -> None:
    """What is no fault of the wire is not hidden behind one."""
    assert explained(bug, Phase.HEADERS, "host", "") is bug


def test_a_bug_on_the_thread_of_a_request_reaches_the_gate(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is raised where the answer is waited for, and is not asked again as if the API were at fault."""

    def broken(_response: object) -> bytes:
        raise KeyError("a bug")

    monkeypatch.setattr(HttpAnswer, "body", broken)
    with (
        serve(answering(http())) as server,
        client(server.url) as api,
        pytest.raises(KeyError, match="a bug"),
    ):
        api.fetch(TARGET, ASID)
