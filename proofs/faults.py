"""Every fault of the matrix: what goes wrong, how it is played, and what the gate is to make of it.

A fault is played on one request, or on as many in a row as `times` says. The gate is to ride it out, unless
docs/verdicts.md lets it `end` the gate at once; a `refusal` does so before the first usable answer only, or
when it is repeated. A `harmless` one must not even cost a retry; nor must one that is `resent`, when it hits
a kept connection. With one that is `unsent` no request goes out. An `overtaking` one may get to the client
before the bytes that were sent before it, and then it is as one that is `resent`: the kernel decides.
"""

from __future__ import annotations

import gzip
import json
import socket
import struct
import time
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from cfgate.model import GateStatus
from proofs.front import drip, stall
from proofs.program import ID


@dataclass(frozen=True)
class Answered:
    """The simulator plays it: the keys of a fault in a scenario."""

    fault: Mapping[str, Any]


@dataclass(frozen=True)
class OnTheWire:
    """A front plays it: `play` gets the connection, and a way to have the simulator's true answer.

    With `tls` the API is https, and `play` begins before the handshake.
    """

    play: Callable[[socket.socket, Callable[[], bytes]], None]
    tls: bool = False


@dataclass(frozen=True)
class Door:
    """The front refuses connections ("shut") or lets nobody through ("block") until the gate has noticed.

    With `proxy` the front is the HTTP proxy.
    """

    how: str
    proxy: bool = False


@dataclass(frozen=True)
class Certificate:
    """The server shows this certificate of the tests."""

    name: str


@dataclass(frozen=True)
class Lookup:
    """The look-up of the API's name fails, with this error number of `getaddrinfo`, or hangs for `seconds`.

    Or it finds an address `before` the true one: ("nobody") where nobody listens, or ("hole") where all that
    is sent gets lost.
    """

    error: int = 0
    seconds: float = 0.0
    before: str = ""


@dataclass(frozen=True)
class Tunnel:
    """The HTTP proxy answers this to CONNECT, and then says nothing more; or it hangs up, or drips."""

    answer: bytes
    then: str = "stall"


@dataclass(frozen=True)
class Jump:
    """The local clock jumps by so many seconds; `fault` is what the simulator plays besides."""

    seconds: float
    fault: Mapping[str, Any] = field(default_factory=dict)


Played = Answered | OnTheWire | Door | Certificate | Lookup | Tunnel | Jump


@dataclass(frozen=True)
class Fault:
    """Something that goes wrong, once. The gate must not ask again before `least` seconds have passed."""

    name: str
    played: Played
    times: int = 1
    end: GateStatus | None = None
    refusal: bool = False
    harmless: bool = False
    resent: bool = False
    unsent: bool = False
    overtaking: bool = False
    least: float = 0.0


# What fronts do


def _send(data: bytes) -> OnTheWire:
    """Answer with these bytes, and close the connection."""
    return OnTheWire(lambda connection, _: connection.sendall(data))


def _reset(connection: socket.socket, _: Callable[[], bytes]) -> None:
    """Break off with an RST before anything was said."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def _leave(connection: socket.socket, _: Callable[[], bytes]) -> None:
    """Close the connection before anything was said."""


def _stall(connection: socket.socket, _: Callable[[], bytes]) -> None:
    stall(connection)


def _drip(connection: socket.socket, _: Callable[[], bytes]) -> None:
    """Send the beginning of a long TLS record, a byte a second, until the client leaves."""
    connection.recv(1)
    drip(connection, b"\x16\x03\x03\x40\x00" + b"\x02" * 1000)


def _as_http_1_0(connection: socket.socket, true_answer: Callable[[], bytes]) -> None:
    """Answer as an old server does: no length, the end of the connection ends the body."""
    head, _, body = true_answer().partition(b"\r\n\r\n")
    lines = [
        line for line in head.split(b"\r\n")[1:] if not line.startswith((b"Content-Length", b"Connection"))
    ]
    connection.sendall(b"\r\n".join((b"HTTP/1.0 200 OK", *lines, b"", body)))


def _huge(connection: socket.socket, true_answer: Callable[[], bytes]) -> None:
    """Pad the true answer to 100 MB."""
    _, _, body = true_answer().partition(b"\r\n\r\n")
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n" + body)
    for _ in range(100):
        connection.sendall(b" " * 1_000_000)


def _chunked_and_cut(connection: socket.socket, true_answer: Callable[[], bytes]) -> None:
    """Send the true answer as a chunk, and leave without the last one."""
    _, _, body = true_answer().partition(b"\r\n\r\n")
    connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    connection.sendall(b"%x\r\n%b\r\n" % (len(body), body))


def _negative_chunk(connection: socket.socket, true_answer: Callable[[], bytes]) -> None:
    """Send a chunk of less than nothing."""
    true_answer()
    connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\n{}\r\n0\r\n\r\n")


def _endless_headers(connection: socket.socket, _: Callable[[], bytes]) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    while True:  # until the client leaves
        connection.sendall(b"X-Filler: " + b"x" * 1000 + b"\r\n")


def _endless_hints(connection: socket.socket, _: Callable[[], bytes]) -> None:
    while True:  # until the client leaves
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n" * 10)


def _before(interim: bytes, pause: float = 0.0) -> OnTheWire:
    """Send interim answers, and the true one after a pause."""

    def play(connection: socket.socket, true_answer: Callable[[], bytes]) -> None:
        connection.sendall(interim)
        time.sleep(pause)
        connection.sendall(true_answer())

    return OnTheWire(play)


def _behind(surplus: bytes) -> OnTheWire:
    """Send the true answer and more, all at once."""
    return OnTheWire(lambda connection, true_answer: connection.sendall(true_answer() + surplus))


def _headed(*fields: bytes) -> OnTheWire:
    """Send the true answer with these header lines before all others."""

    def play(connection: socket.socket, true_answer: Callable[[], bytes]) -> None:
        status, _, rest = true_answer().partition(b"\r\n")
        connection.sendall(b"\r\n".join((status, *fields, rest)))

    return OnTheWire(play)


def _packed(
    packed: Callable[[bytes], bytes], coding: bytes, behind: bytes = b"", times: int = 1
) -> OnTheWire:
    """Send the true answer compressed, with something behind the end of the stream, so many times."""

    def play(connection: socket.socket, true_answer: Callable[[], bytes]) -> None:
        _, _, body = true_answer().partition(b"\r\n\r\n")
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Encoding: " + coding + b"\r\n\r\n" + packed(body))
        for _ in range(times):
            connection.sendall(behind)

    return OnTheWire(play)


def _bare_deflate(body: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(body) + packer.flush()


def _in_two_members(body: bytes) -> bytes:
    return gzip.compress(body[:9]) + gzip.compress(body[9:])


def _endless_trailers(connection: socket.socket, true_answer: Callable[[], bytes]) -> None:
    _, _, body = true_answer().partition(b"\r\n\r\n")
    connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    connection.sendall(b"%x\r\n%b\r\n0\r\n" % (len(body), body))
    while True:  # until the client leaves
        connection.sendall(b"X-Filler: " + b"x" * 1000 + b"\r\n")


# What simulators do


def _answered(**fault: Any) -> Answered:
    return Answered({name.replace("_", "-"): value for name, value in fault.items()})


def _completed(**fields: Any) -> Answered:
    """Say Completed, but for these fields."""
    return Answered({"fields": {"jobstateid": 5, "jobstatename": "Completed", "jobprogress": 100, **fields}})


def _busy(retry_after: str) -> dict[str, Any]:
    return {"status": 429, "headers": {"Retry-After": retry_after}}


def _redirect(status: int, location: str) -> Answered:
    return Answered({"status": status, "headers": {"Location": location}})


_TWICE: Final = json.dumps(
    {"imageversionid": ID, "jobstatename": "Running", "jobprogress": 1, "success": True}
).replace("}", ', "jobstatename": "Completed"}')
_NESTED: Final[list[Any]] = json.loads("[" * 70 + "]" * 70)
_ENVELOPE: Final = {"error_code": 1, "error_message": "image locked by diffid: 218595", "error": True}
_ITSELF: Final = f"/cfp/v1/imageversion/{ID}/status"
_HINTS: Final = b"HTTP/1.1 103 Early Hints\r\nLink: </x.css>; rel=preload\r\n\r\n"
_PROCESSING: Final = b"HTTP/1.1 102 Processing\r\n\r\n"
_CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"
_DONE: Final = json.dumps({"imageversionid": ID, "jobstatename": "Completed", "success": True}).encode()
_SURPLUS: Final = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(_DONE), _DONE)
_REJECTED: Final = GateStatus.REJECTED
_UNTRUSTED: Final = GateStatus.UNAVAILABLE
_NO_SUCH_NAME: Final = socket.EAI_NONAME
_NOT_NOW: Final = socket.EAI_AGAIN

# `{trap}` is the port of a server that nobody must ever ask.
FAULTS: Final = (
    Fault("HTTP 500", _answered(status=500)),
    Fault("HTTP 502", _answered(status=502)),
    Fault("HTTP 503, three times", _answered(status=503), times=3),
    Fault("HTTP 408", _answered(status=408)),
    Fault("HTTP 429, Retry-After in seconds", Answered(_busy("2")), least=1.5),
    Fault("HTTP 429, Retry-After as a date", Answered(_busy("$date+4")), least=2.5),
    Fault("HTTP 404, twice", _answered(status=404), times=2),
    Fault("HTTP 204", _answered(status=204)),
    Fault("HTTP 304", _answered(status=304)),
    Fault("HTTP 421", _answered(status=421), resent=True),
    Fault("HTTP 429, Retry-After twice, with a fraction", Answered(_busy("1.5, 1.5")), least=1.5),
    Fault("an error envelope", _answered(body=json.dumps(_ENVELOPE))),
    Fault("an HTML page with 200", _answered(instead="html")),
    Fault("an empty body", _answered(instead="empty")),
    Fault("a body that is not UTF-8", _answered(instead="not-utf8")),
    Fault("70 levels of nesting", _completed(x=_NESTED)),
    Fault("100,000 levels of nesting", _answered(instead="deep")),
    Fault("a body of 2 MiB", _answered(instead="huge 2MiB")),
    Fault("a body of 100 MB", OnTheWire(_huge)),
    Fault("a gzip bomb of 64 MiB", _answered(instead="gzip-bomb 64MiB")),
    Fault("a reset before headers", _answered(connection="reset before headers"), resent=True),
    Fault("a reset in headers", _answered(connection="reset in headers"), overtaking=True),
    Fault("a reset in body", _answered(connection="reset in body")),
    Fault("an end before headers", _answered(connection="cut before headers"), resent=True),
    Fault("an end in headers", _answered(connection="cut in headers")),
    Fault("an end in body", _answered(connection="cut in body")),
    Fault("a stall before headers", _answered(connection="stall before headers")),
    Fault("a stall in headers", _answered(connection="stall in headers")),
    Fault("a stall in body", _answered(connection="stall in body")),
    Fault("one byte a second in the headers", _answered(connection="drip in headers")),
    Fault("one byte a second in the body", _answered(connection="drip in body")),
    Fault("a kept connection closed by the server", _answered(connection="cut after body"), harmless=True),
    Fault("a kept connection reset by the server", _answered(connection="reset after body"), harmless=True),
    Fault("half a second of delay", _answered(delay="500ms"), harmless=True),
    Fault("HTTP/1.0", OnTheWire(_as_http_1_0), harmless=True),
    Fault("chunks without an end", OnTheWire(_chunked_and_cut)),
    Fault("a chunk of negative size", OnTheWire(_negative_chunk)),
    Fault("headers without an end", OnTheWire(_endless_headers)),
    Fault("100 Continue without an end", OnTheWire(_endless_hints)),
    Fault("100 Continue before the answer", _before(_CONTINUE), harmless=True),
    Fault("102 Processing before the answer", _before(_PROCESSING), harmless=True),
    Fault("103 Early Hints, the answer later", _before(_HINTS, 0.5), harmless=True),
    Fault("five interim answers", _before(_CONTINUE + _PROCESSING + _HINTS * 3), harmless=True),
    Fault("103 Early Hints and no answer", _send(_HINTS)),
    Fault("103 Early Hints, the answer too late", _before(_HINTS, 2.5)),
    Fault("101 Switching Protocols", _send(b"HTTP/1.1 101 Switching Protocols\r\n\r\n")),
    Fault("an answer that nobody asked for behind it", _behind(_SURPLUS), harmless=True),
    Fault("two line feeds behind the answer", _behind(b"\n\n"), harmless=True),
    Fault("a blank before a colon", _headed(b"X-Frame-Options : DENY"), harmless=True),
    Fault("150 header lines", _headed(*[b"X-Filler: x"] * 150), harmless=True),
    Fault("an odd Set-Cookie2", _headed(b"Set-Cookie2: a=b; expires=31-Foo-99"), harmless=True),
    Fault("gzip and endless zeros", _packed(gzip.compress, b"gzip", bytes(1 << 20), 99), harmless=True),
    Fault("two gzip members", _packed(_in_two_members, b"gzip"), harmless=True),
    Fault("deflate", _packed(zlib.compress, b"deflate"), harmless=True),
    Fault("bare deflate", _packed(_bare_deflate, b"deflate"), harmless=True),
    Fault("br", _packed(lambda body: b"\x0b\x02\x80" + body, b"br")),
    Fault("trailers without an end", OnTheWire(_endless_trailers)),
    Fault("something that is not HTTP", _send(b"SSH-2.0-OpenSSH_9.6\r\n")),
    Fault("a reset when connecting", OnTheWire(_reset)),
    Fault("a connection refused", Door("shut")),
    Fault("a stall when connecting", Door("block")),
    Fault("another version's answer", _completed(imageversionid=ID + 1)),
    Fault("id and name of the state disagree", _completed(jobstateid=4)),
    Fault("an unknown state", _completed(jobstateid=8, jobstatename="Archived")),
    Fault("Completed without success", _completed(success=False)),
    Fault("Completed with a job error", _completed(joberror="disk full")),
    Fault("true where a number belongs", _completed(jobprogress=True)),
    Fault("the same key twice", _answered(body=_TWICE)),
    Fault("a redirect to another host", _redirect(302, "https://other.cfgate.test:{trap}/"),
          end=_REJECTED, refusal=True),
    Fault("a redirect to http", _redirect(301, "http://127.0.0.1:{trap}/"), end=_REJECTED, refusal=True),
    Fault("a loop of redirects", _redirect(307, _ITSELF), times=99, end=_REJECTED, refusal=True),
    Fault("HTTP 403 with a page", _answered(status=403, instead="html"), end=_REJECTED, refusal=True),
    Fault("HTTP 451", _answered(status=451), end=_REJECTED, refusal=True),
    Fault("HTTP 403 without an end", _answered(status=403), times=99, end=_REJECTED, refusal=True),
    Fault("HTTP 401", _answered(status=401), end=_REJECTED, refusal=True),
    Fault("HTTP 403", _answered(status=403), end=_REJECTED, refusal=True),
    Fault("an envelope that says forbidden", _answered(body='{"error_message": "forbidden"}'),
          end=_REJECTED, refusal=True),
    Fault("a stall in the TLS handshake", OnTheWire(_stall, tls=True)),
    Fault("one byte a second in the TLS handshake", OnTheWire(_drip, tls=True)),
    Fault("an end in the TLS handshake", OnTheWire(_leave, tls=True)),
    Fault("an answer without TLS", OnTheWire(_send(b"HTTP/1.1 400 Bad Request\r\n\r\n").play, tls=True),
          end=GateStatus.UNAVAILABLE, refusal=True, unsent=True),
    Fault("a certificate that has expired", Certificate("expired"), end=_UNTRUSTED, unsent=True),
    Fault("a certificate of the future", Certificate("early"), end=_UNTRUSTED, unsent=True),
    Fault("a certificate for another host", Certificate("elsewhere"), end=_UNTRUSTED, unsent=True),
    Fault("a certificate signed by itself", Certificate("self-signed"), end=_UNTRUSTED, unsent=True),
    Fault("a name without an address", Lookup(_NO_SUCH_NAME)),
    Fault("a resolver that fails", Lookup(_NOT_NOW)),
    Fault("a resolver that hangs", Lookup(seconds=2.5)),
    Fault("an IPv6 address that is dead", Lookup(before="nobody"), harmless=True),
    Fault("an address that swallows all, then IPv4", Lookup(before="hole"), harmless=True),
    Fault("a proxy that answers 502", Tunnel(b"HTTP/1.1 502 Bad Gateway\r\n\r\n")),
    Fault("a proxy that stalls", Tunnel(b"")),
    Fault("a proxy that hangs up", Tunnel(b"", "leave")),
    Fault("one byte a second from a proxy", Tunnel(b"HTTP/1.1 200 OK\r\n\r\n", "drip")),
    Fault("a proxy that does not listen", Door("shut", proxy=True)),
    Fault("a proxy that takes no connection", Door("block", proxy=True)),
    Fault("a proxy that answers 403", Tunnel(b"HTTP/1.1 403 Forbidden\r\n\r\n"), end=_REJECTED, refusal=True,
          unsent=True),
    Fault("a proxy that answers 407", Tunnel(b"HTTP/1.1 407 Log In\r\n\r\n"), end=_REJECTED, refusal=True,
          unsent=True),
    Fault("a clock that jumps an hour ahead", Jump(3600.0), harmless=True),
    Fault("a clock that jumps an hour back", Jump(-3600.0), harmless=True),
    Fault("a jump back, with a date in Retry-After", Jump(-3600.0, _busy("$date+4")), least=2.5),
    Fault("a jump ahead, with a date in Retry-After", Jump(3600.0, _busy("$date+4")), least=2.5),
)  # fmt: skip
