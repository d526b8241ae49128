"""What went wrong on the wire, as an error of `cfgate.errors`, in words for a person.

requests wraps the exceptions of urllib3, which wraps those of http.client, ssl and socket, each with a text
of its own about pools and objects. Here their kinds count and hardly ever their texts, for those may quote a
header, an address with a password, or whatever a server has made up.
"""

from __future__ import annotations

import errno
import os
import re
import socket
import ssl
import zlib
from http.client import HTTPException, IncompleteRead, RemoteDisconnected
from typing import TYPE_CHECKING, Final, TypeVar

import urllib3.exceptions
from requests import RequestException
from urllib3.exceptions import ConnectTimeoutError, InvalidChunkLength

from cfgate.client.channel import Phase
from cfgate.client.wire import Http2Only, Malformed
from cfgate.errors import GateError, NoAnswer, Rejected, Unresolved, Unsuited, Untrusted

if TYPE_CHECKING:
    from collections.abc import Iterator

_OF_THE_WIRE: Final = (RequestException, urllib3.exceptions.HTTPError, HTTPException, OSError, zlib.error)
# As long as a request is here, a proxy is the peer, if there is one.
_BEFORE_THE_TUNNEL: Final = frozenset({Phase.LOOK_UP, Phase.CONNECT, Phase.PROXY})

_Kind = TypeVar("_Kind", bound=BaseException)


def explained(error: Exception, phase: Phase, api: str, proxy: str) -> Exception:
    """Turn an exception of the wire into an error of `cfgate.errors`; return any other, a bug, as it is.

    `phase` is how far the request had come. `api` and `proxy` are hosts (with ports), for the text; an empty
    `proxy` is none.
    """
    if isinstance(error, GateError) or not isinstance(error, _OF_THE_WIRE):
        return error
    causes = list(_causes(error))
    at_proxy = bool(proxy) and phase in _BEFORE_THE_TUNNEL
    peer = f"the proxy {proxy}" if at_proxy else api
    explanation = (
        _certificate(causes, peer)
        or _look_up(causes, peer)
        or _tunnel(causes, peer)
        or _tls(causes, peer)
        or _this_machine(causes)
        or _http2(causes, peer)
        or _connection(causes, phase, peer)
    )
    if at_proxy and type(explanation) in (NoAnswer, Unsuited):
        explanation.remedy = _CHECK_THE_PROXY
    return explanation


def timed_out(phase: Phase, seconds: float, api: str, proxy: str) -> NoAnswer:
    """Return the error of a request that was given up after so many seconds, in this phase."""
    at_proxy = bool(proxy) and phase in _BEFORE_THE_TUNNEL
    peer = f"the proxy {proxy}" if at_proxy else api
    through = f" through the proxy {proxy}" if proxy and not at_proxy else ""
    remedy = _CHECK_THE_PROXY if at_proxy else _REMEDIES.get(phase)
    return NoAnswer(f"time-out after {seconds:.3g}s {_DURING[phase].format(peer)}{through}", remedy=remedy)


_CHECK_THE_PROXY: Final = (
    "Check the proxy that HTTPS_PROXY names (http:// or https://, and its port), or name the API's host in "
    "NO_PROXY."
)
_DURING: Final = {
    Phase.LOOK_UP: "while the resolver looked for {}",
    Phase.CONNECT: "while connecting to {}",
    Phase.PROXY: "while waiting for {}",
    Phase.HANDSHAKE: "in the TLS handshake with {}",
    Phase.HEADERS: "while waiting for the answer of {}",
    Phase.BODY: "in the middle of the answer of {}",
}
_REMEDIES: Final = {
    Phase.LOOK_UP: "Check the DNS settings of this machine.",
    Phase.CONNECT: "Check that a firewall lets this machine reach the API, and that `api-url` names it.",
    Phase.BODY: "Check that the API is up, or give a slow network more time with `request-timeout`.",
}


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Walk through an exception and everything that it wraps, outermost first."""
    yield error
    for inner in (getattr(error, "reason", None), error.__cause__, *error.args):
        if isinstance(inner, BaseException):
            yield from _causes(inner)


def _first(causes: list[BaseException], kind: type[_Kind]) -> _Kind | None:
    return next((cause for cause in causes if isinstance(cause, kind)), None)


_ASK_THE_OPERATOR: Final = "Check the clock of this machine; if it is right, the server's operator must act."
_WEAK: Final = "Ask for a certificate and an authority with SHA-256 and keys of 2048 bits or more."

# By OpenSSL's X509_V_ERR codes: what is wrong with a certificate, and what to do if not to trust its CA.
_CERTIFICATE_FAULTS: Final[dict[int, tuple[str, str | None]]] = {
    9: ("is not valid yet", _ASK_THE_OPERATOR),
    10: ("has expired", _ASK_THE_OPERATOR),
    18: ("is self-signed", None),
    19: ("comes from a self-signed authority that is not trusted here", None),
    20: ("comes from an authority that is not trusted here", None),
    21: ("comes from an authority that is not trusted here", None),
    62: (
        "is for another host name",
        "Check the host name in `api-url`; if it is right, somebody may listen.",
    ),
    64: ("is for another address", "Put the host name into `api-url` instead of its address."),
    66: ("has a key that is too small", _WEAK),
    67: ("comes from an authority whose key is too small", _WEAK),
    68: ("comes from an authority whose signature uses a weak digest", _WEAK),
}
_PLAIN_WORDS: Final = re.compile(r"[A-Za-z0-9 ,.'()-]{1,100}")


def _certificate(causes: list[BaseException], peer: str) -> GateError | None:
    error = _first(causes, ssl.SSLCertVerificationError)
    if error is None:
        return None
    code = getattr(error, "verify_code", 0)
    if code in _CERTIFICATE_FAULTS:
        what, remedy = _CERTIFICATE_FAULTS[code]
        return Untrusted(f"the certificate of {peer} {what}", remedy=remedy)
    words = getattr(error, "verify_message", "")  # one of OpenSSL's constants
    said = words if _PLAIN_WORDS.fullmatch(words) else f"code {code}"
    return Untrusted(f"the certificate of {peer} cannot be verified: OpenSSL says “{said}”")


def _look_up(causes: list[BaseException], peer: str) -> GateError | None:
    error = _first(causes, socket.gaierror)
    if error is None:
        return None
    if error.errno == socket.EAI_AGAIN:  # the resolver itself says that it may pass (kubernetes#76790)
        return NoAnswer(
            f"the resolver has no answer for {peer} at the moment", remedy=_REMEDIES[Phase.LOOK_UP]
        )
    return Unresolved(f"no address found for {peer}")


# http.client reports the proxy's answer to CONNECT in no other way than this text.
_TUNNEL: Final = re.compile(r"Tunnel connection failed: ([0-9]{3})\b")
_REFUSALS: Final = {
    403: ("refuses to connect to the API", "Have the proxy allow it, or put the host into NO_PROXY."),
    407: ("asks for credentials", "Check user name and password in HTTPS_PROXY."),
}


def _tunnel(causes: list[BaseException], peer: str) -> GateError | None:
    found = next((match for cause in causes if (match := _TUNNEL.search(str(cause)))), None)
    if found is None:
        return None
    code = int(found[1])
    if code in _REFUSALS:
        what, remedy = _REFUSALS[code]
        return Rejected(f"{peer} {what} (HTTP {code})", remedy=remedy)
    return NoAnswer(f"{peer} does not connect to the API (HTTP {code})")


# By OpenSSL's reasons: what a handshake cannot get over, however often it is tried, and what to do.
_HANDSHAKE_FAULTS: Final = {
    "wants a client certificate, which cfgate does not have": (
        ("TLSV13_ALERT_CERTIFICATE_REQUIRED",),
        "Ask whoever runs it for an address without client certificates.",
    ),
    "refuses the TLS handshake; perhaps it wants a client certificate": (
        ("SSLV3_ALERT_HANDSHAKE_FAILURE", "TLSV1_ALERT_HANDSHAKE_FAILURE", "SSLV3_ALERT_BAD_CERTIFICATE"),
        "Ask whoever runs it which TLS versions, ciphers and client certificates it wants.",
    ),
    "speaks only versions of TLS that are not secure any more": (
        ("UNSUPPORTED_PROTOCOL", "TLSV1_ALERT_PROTOCOL_VERSION", "NO_PROTOCOLS_AVAILABLE"),
        "Ask whoever runs it for TLS 1.2 or newer.",
    ),
    "does not know the host name that it was asked for": (
        ("TLSV1_UNRECOGNIZED_NAME", "TLSV1_ALERT_UNRECOGNIZED_NAME"),
        "Check the host name in `api-url`.",
    ),
    "does not speak HTTP/1.1": (
        ("TLSV1_ALERT_NO_APPLICATION_PROTOCOL",),
        "Ask whoever runs it to allow HTTP/1.1 beside HTTP/2.",
    ),
    "does not speak TLS": (
        ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST", "PACKET_LENGTH_TOO_LONG"),
        "Check the port in `api-url`, or of the proxy.",
    ),
}


def _tls(causes: list[BaseException], peer: str) -> GateError | None:
    error = _first(causes, ssl.SSLError)
    if error is None:
        return None
    if isinstance(error, (ssl.SSLEOFError, ssl.SSLZeroReturnError)):
        return NoAnswer(f"{peer} closed the connection during TLS")
    reason = _reason(error)
    for what, (reasons, remedy) in _HANDSHAKE_FAULTS.items():
        if reason in reasons:
            return Unsuited(f"{peer} {what}", remedy=remedy)
    return NoAnswer(f"TLS with {peer} failed: {reason.replace('_', ' ').lower() or 'for no known reason'}")


def _reason(error: ssl.SSLError) -> str:
    """Return OpenSSL's constant for what went wrong; Python knows some of them only in its text."""
    text = _REASON_IN_TEXT.match(str(error.args[-1]) if error.args else "")
    return str(getattr(error, "reason", None) or "") or (text[1].replace(" ", "_").upper() if text else "")


_REASON_IN_TEXT: Final = re.compile(r"\[SSL\] ([a-z0-9 ]{1,80}) \(_ssl\.c")


def _http2(causes: list[BaseException], peer: str) -> GateError | None:
    if _first(causes, Http2Only) is None:
        return None
    remedy = "Ask whoever runs it to allow HTTP/1.1 beside HTTP/2."
    return Unsuited(f"{peer} speaks HTTP/2 only", remedy=remedy)


# What this machine itself refuses, and what to do.
_LIMITS: Final = {
    errno.EMFILE: "Let this job have more files open (`ulimit -n`), or gate on fewer targets in one step.",
    errno.ENFILE: "Too many files are open on this machine: wait for other jobs, or raise its limit.",
    errno.ENOMEM: "Let this job have more memory, or gate on fewer targets in one step.",
    errno.ENOBUFS: "Let this job have more memory, or gate on fewer targets in one step.",
    errno.EACCES: "A firewall on this machine forbids the connection: ask whoever runs it.",
    errno.EPERM: "A firewall on this machine forbids the connection: ask whoever runs it.",
    errno.ENETUNREACH: "Check the network of this machine: it has no route to the API.",
    errno.EADDRNOTAVAIL: "Check the network of this machine: it has no address or port to connect from.",
}


def _this_machine(causes: list[BaseException]) -> GateError | None:
    numbers = [cause.errno for cause in causes if isinstance(cause, OSError) and cause.errno in _LIMITS]
    if not numbers:
        return None
    what = os.strerror(numbers[0]).lower()
    return NoAnswer(f"this machine has refused: {what}", remedy=_LIMITS[numbers[0]])


# The most telling first: the others often have one of these inside.
_CLAUSES: Final[tuple[tuple[type[BaseException], str], ...]] = (
    (ConnectionRefusedError, "connection refused"),
    (RemoteDisconnected, "the connection was closed without an answer"),
    (ConnectionError, "the connection was reset"),
    (TimeoutError, "time-out"),
    (zlib.error, "the compression of the answer is broken"),
    (InvalidChunkLength, "the answer is broken"),
    (IncompleteRead, "the answer was cut off"),
    (Malformed, ""),
    (HTTPException, "what came is not HTTP"),
)


def _connection(causes: list[BaseException], phase: Phase, peer: str) -> GateError:
    found = next(((cause, clause) for kind, clause in _CLAUSES if (cause := _first(causes, kind))), None)
    if found:
        clause = found[1] or str(found[0])
    else:
        numbers = (cause.errno for cause in causes if isinstance(cause, OSError) and cause.errno)
        clause = next((os.strerror(number).lower() for number in numbers), "the answer is broken")
    # Everything that is raised before there is a connection is of this kind, a refusal too.
    if _first(causes, ConnectTimeoutError) is not None:
        return NoAnswer(f"no connection to {peer}: {clause}")
    return NoAnswer(f"{peer}: {clause}" if phase in _BEFORE_THE_TUNNEL else clause)
