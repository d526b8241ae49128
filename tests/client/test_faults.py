"""The words for what goes wrong on the wire; the wire itself is played in test_transport and test_network."""

from __future__ import annotations

import errno
import os
import ssl
from http.client import BadStatusLine

import pytest
import requests
import urllib3.exceptions

from cfgate.client import channel
from cfgate.client.faults import explained
from cfgate.errors import NoAnswer, Untrusted
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
            wrapped(OSError(errno.ENETUNREACH, SECRET)),
            f"no connection to host: {os.strerror(errno.ENETUNREACH).lower()}",
        ),
        (OSError(errno.EMFILE, SECRET), os.strerror(errno.EMFILE).lower()),
        (ssl.SSLError(1, SECRET), "TLS with host failed: for no known reason"),
        (tls_error("RECORD_LAYER_FAILURE"), "host does not speak TLS"),
        (tls_error("HTTP_REQUEST"), "host does not speak TLS"),
        (tls_error("NO_PROTOCOLS_AVAILABLE"), "TLS with host failed: no protocols available"),
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
    fault = explained(error, "host", "")
    assert type(fault) is NoAnswer
    assert str(fault) == words
    assert fault.remedy == NoAnswer.remedy


@pytest.mark.parametrize("code", [0, 99])
def test_an_unknown_fault_of_a_certificate_is_told_by_its_number(code: int) -> None:
    """What OpenSSL may think of in years to come is a matter of trust too, and so is what has no number."""
    error = ssl.SSLCertVerificationError(1, SECRET)
    if code:
        error.verify_code = code
    fault = explained(error, "host", "")
    assert isinstance(fault, Untrusted)
    assert str(fault) == f"the certificate of host cannot be verified (OpenSSL says {code})"


@pytest.mark.parametrize("bug", [KeyError("x"), ValueError("x"), RuntimeError("x"), AssertionError()])
def test_a_bug_stays_a_bug(bug: Exception) -> None:
    """What is no fault of the wire is not hidden behind one."""
    assert explained(bug, "host", "") is bug


def test_a_bug_on_the_thread_of_a_request_reaches_the_gate(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is raised where the answer is waited for, and is not asked again as if the API were at fault."""

    def broken(_response: object) -> bytes:
        raise KeyError("a bug")

    monkeypatch.setattr(channel, "_body", broken)
    with (
        serve(answering(http())) as server,
        client(server.url) as api,
        pytest.raises(KeyError, match="a bug"),
    ):
        api.fetch(TARGET, ASID)
