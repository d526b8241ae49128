"""What a server, or something before it, can do to bring an answer and its request out of step.

Each mischief sends the answer to one request, and more, or less, or late. It says what a client must make of
it: `READ`, the answer as it was meant, or `NOTHING`, no answer at all; and whether the connection can be used
again: it must be (`KEPT`), it must not be (`OVER`), or nobody can tell (`EITHER`).
"""

from __future__ import annotations

import gzip
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto
from threading import Event
from typing import Final

from tests.support.wire import Peer


class Reads(Enum):
    """What a client must make of the answer."""

    READ = auto()
    NOTHING = auto()


class Then(Enum):
    """What must become of the connection."""

    KEPT = auto()
    OVER = auto()
    EITHER = auto()


@dataclass
class Said:
    """What was answered to one request about one target, and where; the mischief fills it in."""

    target: int
    connection: int
    body: bytes
    mischief: Mischief
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    at: float = field(default_factory=time.monotonic)
    played: Event = field(default_factory=Event)  # the server has nothing more to send


@dataclass(frozen=True)
class Exchange:
    """One request to answer. `lie` is a body that nobody says: it would end the wait of this very target.

    `other` is the true body about another target, and `too_late` the seconds after which nobody waits.
    """

    peer: Peer
    said: Said
    lie: bytes
    other: bytes
    too_late: float

    def send(self, *parts: bytes) -> None:
        """Send these bytes, all at once."""
        self.peer.send(b"".join(parts))

    @property
    def answer(self) -> bytes:
        """The whole answer that is meant."""
        return http(self.said.body, self.said.status, **self.said.headers)

    @property
    def false_answer(self) -> bytes:
        """A whole answer that is not meant for anybody."""
        return http(self.lie)


@dataclass(frozen=True)
class Mischief:
    """A way to answer."""

    name: str
    play: Callable[[Exchange], None]
    reads: Reads = Reads.READ
    then: Then = Then.OVER


def http(body: bytes, status: int = 200, **headers: str) -> bytes:
    """Write an answer with its length."""
    return head(status, Content_Length=str(len(body)), **headers) + body


def head(status: int, **headers: str) -> bytes:
    """Write the head of an answer."""
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([f"HTTP/1.1 {status} So", *lines, "", ""]).encode()


_CONTINUE: Final = head(100)
_PROCESSING: Final = head(102)
_HINTS: Final = head(103, Link="</style.css>; rel=preload")
_SEVEN: Final = (_HINTS, _CONTINUE, _PROCESSING, _HINTS, _HINTS, _CONTINUE, _HINTS)


def _interim(*interim: bytes, pause: float = 0.0) -> Callable[[Exchange], None]:
    """Send interim answers one by one, then the answer."""

    def play(exchange: Exchange) -> None:
        for one in interim:
            exchange.send(one)
            time.sleep(pause)
        exchange.send(exchange.answer)

    return play


def _all_at_once(exchange: Exchange) -> None:
    exchange.send(_CONTINUE, _PROCESSING, _HINTS, _HINTS, exchange.answer)


def _too_late(exchange: Exchange) -> None:
    time.sleep(exchange.too_late)
    exchange.send(exchange.answer)


def _hints_and_too_late(exchange: Exchange) -> None:
    exchange.send(_HINTS)
    _too_late(exchange)


def _hints_and_a_late_lie(exchange: Exchange) -> None:
    exchange.send(_HINTS)
    time.sleep(exchange.too_late)
    exchange.send(exchange.false_answer)


def _half_and_too_late(exchange: Exchange) -> None:
    half = len(exchange.answer) - 5
    exchange.send(exchange.answer[:half])
    time.sleep(exchange.too_late)
    exchange.send(exchange.answer[half:], exchange.false_answer)


def _switching(exchange: Exchange) -> None:
    exchange.send(head(101, Upgrade="h2c"), exchange.false_answer)


def _behind(surplus: Callable[[Exchange], bytes], pause: float | None = None) -> Callable[[Exchange], None]:
    """Send the answer and a surplus: in one piece, or after a pause."""

    def play(exchange: Exchange) -> None:
        if pause is None:
            exchange.send(exchange.answer, surplus(exchange))
        else:
            exchange.send(exchange.answer)
            time.sleep(pause)
            exchange.send(surplus(exchange))

    return play


def _lie(exchange: Exchange) -> bytes:
    return exchange.false_answer


def _padded(size: int) -> Callable[[Exchange], None]:
    """Fill the answer up with blanks to a size at which buffers end, and put a lie behind it."""

    def play(exchange: Exchange) -> None:
        exchange.said.body += b" " * (size - len(exchange.answer))
        exchange.said.body += b" " * (size - len(exchange.answer))  # its length has grown in the meantime
        exchange.send(exchange.answer, exchange.false_answer)

    return play


def _another(exchange: Exchange) -> None:
    exchange.said.body = exchange.other
    exchange.send(exchange.answer)


def _bodiless(status: int) -> Callable[[Exchange], None]:
    """Send an answer that has no body, with a length and a lie where the body would be."""

    def play(exchange: Exchange) -> None:
        exchange.said.status = status
        exchange.send(http(exchange.lie, status))

    return play


def _packed(behind: Callable[[Exchange], bytes]) -> Callable[[Exchange], None]:
    """Send the answer as a gzip member, and something behind its end, within the length."""

    def play(exchange: Exchange) -> None:
        content = gzip.compress(exchange.said.body) + behind(exchange)
        exchange.send(http(content, Content_Encoding="gzip"))

    return play


def _packed_lie(exchange: Exchange) -> bytes:
    return gzip.compress(exchange.lie)


def _zeros(*, chunked: bool) -> Callable[[Exchange], None]:
    """Send the answer as a gzip member, and zeros until the client leaves."""

    def play(exchange: Exchange) -> None:
        member, zeros = gzip.compress(exchange.said.body), bytes(1 << 16)
        framing = {"Transfer_Encoding": "chunked"} if chunked else {}
        exchange.send(head(200, Content_Encoding="gzip", **framing))
        exchange.send(_chunk(member) if chunked else member)
        while not exchange.peer.server.closing.is_set():
            exchange.send(_chunk(zeros) if chunked else zeros)

    return play


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def _chunked(behind: Callable[[Exchange], bytes], trailer: bytes = b"") -> Callable[[Exchange], None]:
    """Send the answer in two chunks."""

    def play(exchange: Exchange) -> None:
        body = exchange.said.body
        chunks = _chunk(body[:9]) + _chunk(body[9:]) + b"0\r\n" + trailer + b"\r\n"
        exchange.send(head(200, Transfer_Encoding="chunked"), chunks, behind(exchange))

    return play


def _chunked_with_length(exchange: Exchange) -> None:
    """Send a chunk with a lie behind it, in the way that two readers part differently."""
    chunks = _chunk(exchange.said.body) + b"0\r\n\r\n"
    length = str(len(chunks) + len(exchange.false_answer))
    exchange.send(
        head(200, Transfer_Encoding="chunked", Content_Length=length), chunks, exchange.false_answer
    )


def _two_lengths(exchange: Exchange) -> None:
    lengths = {
        "Content_Length": str(len(exchange.said.body)),
        "content_length": str(len(exchange.said.body) + 9),
    }
    exchange.send(head(200, **lengths), exchange.said.body, exchange.false_answer)


def _too_short(exchange: Exchange) -> None:
    """Give a length that ends within the answer."""
    length = str(len(exchange.said.body) - 2)
    exchange.send(head(200, Content_Length=length), exchange.said.body, exchange.false_answer)


def _closes(exchange: Exchange) -> None:
    """Close the connection instead."""
    exchange.peer.socket.close()


def _nothing(_: Exchange) -> bytes:
    return b""


_NO: Final = Reads.NOTHING
_KEPT: Final = Then.KEPT

MISCHIEF: Final = (
    Mischief("no mischief", _interim(), then=_KEPT),
    Mischief("100", _interim(_CONTINUE), then=_KEPT),
    Mischief("102", _interim(_PROCESSING), then=_KEPT),
    Mischief("103", _interim(_HINTS), then=_KEPT),
    Mischief("103, early", _interim(_HINTS, pause=0.1), then=_KEPT),
    Mischief("seven interim answers", _interim(*_SEVEN, pause=0.01), then=_KEPT),
    Mischief("four interim answers at once", _all_at_once, then=_KEPT),
    Mischief("103 with a length", _interim(head(103, Content_Length="500")), then=_KEPT),
    Mischief("101 and a lie", _switching, _NO),
    Mischief("too late", _too_late, _NO),
    Mischief("103, too late", _hints_and_too_late, _NO),
    Mischief("103, a late lie", _hints_and_a_late_lie, _NO),
    Mischief("one half, the other too late", _half_and_too_late, _NO),
    Mischief("a lie behind it", _behind(_lie)),
    Mischief("a lie right after it", _behind(_lie, 0.0)),
    Mischief("a lie a moment later", _behind(_lie, 0.05)),
    Mischief("half a lie behind it", _behind(lambda exchange: exchange.false_answer[:30])),
    Mischief("the same twice", _behind(lambda exchange: exchange.answer)),
    Mischief("103 behind it", _behind(lambda _: _HINTS)),
    Mischief("103 a moment later", _behind(lambda _: _HINTS, 0.05)),
    Mischief("a line feed behind it", _behind(lambda _: b"\r\n")),
    Mischief("8,192 bytes and a lie", _padded(8192)),
    Mischief("16,384 bytes and a lie", _padded(16_384)),
    Mischief("somebody else's answer", _another, then=_KEPT),
    Mischief("304 and a lie", _bodiless(304)),
    Mischief("204 and a lie", _bodiless(204)),
    Mischief("gzip", _packed(_nothing), then=_KEPT),
    Mischief("gzip and a lie", _packed(lambda exchange: exchange.lie)),
    Mischief("gzip and a lie in gzip", _packed(_packed_lie), _NO, Then.EITHER),
    Mischief("gzip and endless zeros", _zeros(chunked=False)),
    Mischief("gzip and endless zeros in chunks", _zeros(chunked=True)),
    Mischief("chunks", _chunked(_nothing), then=_KEPT),
    Mischief("chunks and a trailer", _chunked(_nothing, b"X-Trailer: x\r\n"), then=_KEPT),
    Mischief("chunks and a lie", _chunked(_lie)),
    Mischief("chunks, a length and a lie", _chunked_with_length),
    Mischief("two lengths and a lie", _two_lengths, _NO),
    Mischief("a length that is too short", _too_short, _NO),
    Mischief("no answer", _closes, _NO),
)  # fmt: skip
