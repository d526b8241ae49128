"""What went wrong on the wire, as an error of `cfgate.errors`, in words for a person.

requests wraps the exceptions of urllib3, which wraps those of http.client, ssl and socket, each with a text
of its own about pools and objects. Here their kinds count and hardly ever their texts, for those may quote a
header, an address with a password, or whatever a server has made up.
"""

from __future__ import annotations

import os
import re
import socket
import ssl
import zlib
from http.client import HTTPException, IncompleteRead, RemoteDisconnected
from typing import TYPE_CHECKING, Final, TypeVar

import urllib3.exceptions
from requests import RequestException
from urllib3.exceptions import ConnectTimeoutError, InvalidChunkLength, ProxyError

from cfgate.errors import GateError, NoAnswer, Rejected, Unresolved, Untrusted

if TYPE_CHECKING:
    from collections.abc import Iterator

_OF_THE_WIRE: Final = (RequestException, urllib3.exceptions.HTTPError, HTTPException, OSError, zlib.error)

_Kind = TypeVar("_Kind", bound=BaseException)


def explained(error: Exception, api: str, proxy: str) -> Exception:
    """Turn an exception of the wire into an error of `cfgate.errors`; return any other, a bug, as it is.

    `api` and `proxy` are hosts (with ports), for the text; an empty `proxy` is none.
    """
    if not isinstance(error, _OF_THE_WIRE):
        return error
    causes = list(_causes(error))
    at_proxy = bool(proxy) and _first(causes, ProxyError) is not None
    peer = f"the proxy {proxy}" if at_proxy else api
    explanation = (
        _certificate(causes, peer)
        or _look_up(causes, peer)
        or _tunnel(causes, peer)
        or _tls(causes, peer)
        or _connection(causes, peer)
    )
    if at_proxy and type(explanation) is NoAnswer:
        explanation.remedy = "Check the proxy that HTTPS_PROXY names, or name the API's host in NO_PROXY."
    return explanation


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Walk through an exception and everything that it wraps, outermost first."""
    yield error
    for inner in (getattr(error, "reason", None), error.__cause__, *error.args):
        if isinstance(inner, BaseException):
            yield from _causes(inner)


def _first(causes: list[BaseException], kind: type[_Kind]) -> _Kind | None:
    return next((cause for cause in causes if isinstance(cause, kind)), None)


_ASK_THE_OPERATOR: Final = "Check the clock of this machine; if it is right, the server's operator must act."

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
}


def _certificate(causes: list[BaseException], peer: str) -> GateError | None:
    error = _first(causes, ssl.SSLCertVerificationError)
    if error is None:
        return None
    code = getattr(error, "verify_code", 0)
    what, remedy = _CERTIFICATE_FAULTS.get(code, (f"cannot be verified (OpenSSL says {code})", None))
    return Untrusted(f"the certificate of {peer} {what}", remedy=remedy)


def _look_up(causes: list[BaseException], peer: str) -> GateError | None:
    error = _first(causes, socket.gaierror)
    if error is None:
        return None
    passing = " at the moment" if error.errno == socket.EAI_AGAIN else ""
    return Unresolved(f"no address found for {peer}{passing}")


# http.client tells the proxy's answer to CONNECT in no other way than this text.
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
    return NoAnswer(f"{peer} does not connect (HTTP {code})")


def _tls(causes: list[BaseException], peer: str) -> GateError | None:
    error = _first(causes, ssl.SSLError)
    if error is None:
        return None
    if isinstance(error, (ssl.SSLEOFError, ssl.SSLZeroReturnError)):
        return NoAnswer(f"{peer} closed the connection during TLS")
    reason = str(getattr(error, "reason", None) or "")  # one of OpenSSL's constants
    if reason in ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST"):
        return NoAnswer(f"{peer} does not speak TLS")
    return NoAnswer(f"TLS with {peer} failed: {reason.replace('_', ' ').lower() or 'for no known reason'}")


# The most telling first: the others often have one of these inside.
_CLAUSES: Final[tuple[tuple[type[BaseException], str], ...]] = (
    (ConnectionRefusedError, "connection refused"),
    (RemoteDisconnected, "the connection was closed without an answer"),
    (ConnectionError, "the connection was reset"),
    (TimeoutError, "time-out"),
    (zlib.error, "the compression of the answer is broken"),
    (InvalidChunkLength, "the answer is broken"),
    (IncompleteRead, "the answer was cut off"),
    (HTTPException, "what came is not HTTP"),
)


def _connection(causes: list[BaseException], peer: str) -> GateError:
    clause = next((clause for kind, clause in _CLAUSES if _first(causes, kind)), "")
    if not clause:
        numbers = (cause.errno for cause in causes if isinstance(cause, OSError) and cause.errno)
        clause = next((os.strerror(number).lower() for number in numbers), "the answer is broken")
    # Everything that urllib3 raises before there is a connection is of this kind, a refusal too.
    connecting = _first(causes, ConnectTimeoutError) is not None
    return NoAnswer(f"no connection to {peer}: {clause}" if connecting else clause)
