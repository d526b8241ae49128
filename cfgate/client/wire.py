"""An HTTP answer as servers and proxies really send it, read within a bound on its bytes.

`http.client`, which urllib3 and requests build on, is strict where servers are not, and lax where an answer
could be taken for another's. So the head of an answer is read here, and only what cfgate needs of it is
handed on to `http.client`, in its cleanest form:

- every interim answer (1xx) is skipped, not only 100 (RFC 9110, 15.2; notatallshaw/nab#1130);
- a blank before a colon does not end the headers (urllib3#1433), and there may be many
  (python/cpython#131724);
- no cookie goes any further: nothing parses one;
- a length that is no number, or two lengths that differ, are refused: the end of such an answer is anybody's
  guess.
"""

from __future__ import annotations

import io
import re
import socket
import ssl
import zlib
from http.client import BadStatusLine, HTTPException, HTTPResponse, IncompleteRead, RemoteDisconnected
from typing import TYPE_CHECKING, Any, Final, cast

from cfgate.rules.answer import MAX_BODY, codings

if TYPE_CHECKING:
    from collections.abc import Iterable

# Everything that one request may bring, in bytes: first interim answers and headers, each line of which costs
# far more time than its bytes; then chunk sizes, the body and trailers as well.
_MOST_HEAD: Final = 256 << 10
_MOST_BYTES: Final = 2 << 20
_PIECE: Final = 1 << 16  # bytes
_MOST_MEMBERS: Final = 100  # of a gzip stream
_MOST_PIECES: Final = 10_000  # header lines; chunks of a body, with the lines of its trailer

_STATUS_LINE: Final = re.compile(rb"HTTP/1\.[0-9] +([1-9][0-9]{2})(?:[ \t][^\r\n]*)?")
_FIELD: Final = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+)([ \t]*):[ \t]*(.*)")
_CHUNK_SIZE: Final = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;.*)?")
# What `client`, `rules` and http.client read, besides what says where the body ends.
_USED: Final = frozenset(
    {
        b"connection",
        b"content-encoding",
        b"content-type",
        b"date",
        b"keep-alive",
        b"location",
        b"retry-after",
        b"server",
        b"via",
    }
)
_BODILESS: Final = frozenset({204, 304})


class Malformed(HTTPException):
    """What came is HTTP that cannot be relied on. The text is a clause of ours."""


class Http2Only(Malformed):
    """The server speaks HTTP/2, which it was not asked for."""


class HttpAnswer(HTTPResponse):
    """An answer as it comes off the wire. `body` reads it; then `reusable` says whether nothing else came."""

    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.meter = _Metered(self.fp.detach())
        self.fp = io.BufferedReader(self.meter)
        self._ended: io.BufferedReader | None = None
        self._clean = True  # no doubt about where the answer ends
        self._rest = False  # something stands behind the end of the compressed stream
        self._pieces = 0

    def begin(self) -> None:
        """Read the head."""
        stream = self.fp
        status, version, fields = _final_head(stream)
        self.meter.bound = _MOST_BYTES
        head, self._clean = _clean_head(status, version, fields)
        self.fp = cast(Any, io.BytesIO(head))  # read by line only
        try:
            super().begin()
        finally:
            self.fp = stream

    def body(self) -> bytes:
        """Read the body to its end, `MAX_BODY` + 1 bytes at most, and unpack it on the way: no bomb goes off.

        Raises HTTPException and OSError, and zlib.error for a stream that is broken or cut off.
        """
        unpack = _unpacker(codings(self.headers.get("Content-Encoding") or ""))
        content = bytearray()
        taken = 0
        while len(content) <= MAX_BODY and not self._rest:
            piece = self.read(_PIECE)
            if not piece:
                self._check_end()
                if unpack and taken:
                    unpack.finish()
                return bytes(content)
            taken += len(piece)
            room = MAX_BODY + 1 - len(content)
            content += unpack.feed(piece, room) if unpack else piece[:room]
            self._rest = unpack is not None and unpack.rest
            if taken > MAX_BODY + _PIECE:
                raise Malformed("the compressed answer is larger than 1 MiB")
        self._clean = False  # the rest is not read
        return bytes(content)

    def reusable(self, sock: socket.socket) -> bool:
        """Whether the connection may be used again: the answer is whole, and nothing is left over behind it.

        Not in the buffer, not in the TLS layer, not in the socket, which is left without waiting. To be asked
        once.
        """
        stream, self._ended = self._ended, None
        if stream is None:
            return False
        try:
            if self.will_close or not self._clean or self._rest:
                return False
            sock.settimeout(0)
            return not stream.peek(1)
        except (BlockingIOError, ssl.SSLWantReadError):
            return True  # nothing has come
        except (OSError, ValueError):
            return False
        finally:
            stream.close()

    def _check_end(self) -> None:
        """Refuse an answer that is shorter than it says: http.client does not when it reads in pieces."""
        if self.length:
            raise IncompleteRead(b"", self.length)

    def _close_conn(self) -> None:
        """Keep the stream at the end of the body: http.client would drop what it has buffered."""
        if self._ended is None and isinstance(self.fp, io.BufferedReader):
            self._ended = self.fp
            self.fp = None  # type: ignore[assignment] # this is how http.client marks the end

    def close(self) -> None:
        """Drop everything."""
        super().close()
        if self._ended is not None:
            self._ended.close()
            self._ended = None

    def _get_chunk_left(self) -> int | None:
        """Read on to the next chunk; return how much is left of it, `None` at the end. http.client calls it.

        Strictly: http.client takes `-1`, `0x1` and `1_0` for sizes, throws two bytes behind a chunk away
        whatever they are, and takes a connection that is closed for the end of the trailer.
        """
        if self.chunk_left:
            return self.chunk_left
        if self.chunk_left is not None and _line(self.fp):
            raise Malformed("the answer has a chunk that is longer than it says")
        self._count_piece()
        match = _CHUNK_SIZE.fullmatch(_line(self.fp))
        if match is None:
            raise Malformed("the answer has a chunk without a size")
        self.chunk_left = int(match[1], 16) or None
        if self.chunk_left is None:
            while _line(self.fp):
                self._count_piece()  # a trailer, of which nothing is needed
            self._close_conn()
        return self.chunk_left

    def _count_piece(self) -> None:
        self._pieces += 1
        if self._pieces > _MOST_PIECES:
            raise Malformed("the answer comes in more than 10,000 pieces")


class _Metered(io.RawIOBase):
    """Counts what comes out of a socket, and ends it past a bound."""

    def __init__(self, raw: Any) -> None:
        self._raw = raw
        self.taken = 0
        self.bound = _MOST_HEAD

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        if self.taken > self.bound:
            what = "the head of the answer" if self.bound == _MOST_HEAD else "the answer"
            raise Malformed(f"{what} is larger than {self.bound >> 10} KiB")
        count: int | None = self._raw.readinto(buffer)
        self.taken += count or 0
        return count

    def close(self) -> None:
        if not self.closed:
            super().close()
            self._raw.close()


# The head

_Field = tuple[bytes, bytes]


def _final_head(stream: io.BufferedReader) -> tuple[int, bytes, list[_Field | None]]:
    """Skip interim answers; return status, version and fields of the final one, `None` for no field."""
    while True:
        line = _line(stream, first=True)
        match = _STATUS_LINE.fullmatch(line.rstrip())
        if match is None:
            raise BadStatusLine("no status line")
        fields = _fields(stream)
        status = int(match[1])
        if status == 101:
            raise Malformed("the server switches to another protocol, which was not asked for")
        if status >= 200:
            return status, line[:8], fields


def _fields(stream: io.BufferedReader) -> list[_Field | None]:
    """Read header lines up to the empty one."""
    fields: list[_Field | None] = []
    while line := _line(stream):
        if len(fields) > _MOST_PIECES:
            raise Malformed("the answer has more than 10,000 header lines")
        match = _FIELD.fullmatch(line)
        if line[:1] in b" \t":  # continues the line before, as HTTP once allowed
            last = fields.pop() if fields else None
            fields.append(last and (last[0], last[1] + b" " + line.strip()))
        else:
            fields.append((match[1].lower(), match[3].strip()) if match else None)
            if match and match[2]:
                fields.append(None)  # a blank before the colon: readable, but not clean
    return fields


def _line(stream: io.BufferedReader, *, first: bool = False) -> bytes:
    """Read one line, without its end."""
    line = stream.readline(_PIECE + 1)
    if first and not line:
        raise RemoteDisconnected("closed without an answer")
    if not line.endswith(b"\n"):
        if len(line) > _PIECE:
            raise Malformed("the answer has a line longer than 64 KiB")
        # A frame of HTTP/2 (RFC 9113, 4.1): SETTINGS or GOAWAY, on stream 0.
        http2 = first and line[:2] == b"\0\0" and line[3:4] in (b"\x04", b"\x07") and line[5:9] == bytes(4)
        raise Http2Only("the server speaks HTTP/2 only") if http2 else IncompleteRead(b"")
    return line.removesuffix(b"\n").removesuffix(b"\r")


def _clean_head(status: int, version: bytes, fields: Iterable[_Field | None]) -> tuple[bytes, bool]:
    """Write the head anew from what is needed of it; return too whether it is clear where the body ends."""
    known = [field for field in fields if field is not None]
    clean = len(known) == len(list(fields))
    lengths = {
        part.strip().lstrip(b"0") or b"0"
        for name, value in known
        if name == b"content-length"
        for part in value.split(b",")
        if part.strip()
    }
    if len(lengths) > 1 or not all(part.isdigit() and len(part) < 16 for part in lengths):
        raise Malformed("the answer does not say clearly how long it is")
    coding = b",".join(value.lower() for name, value in known if name == b"transfer-encoding").strip()
    if coding not in (b"", b"identity", b"chunked"):
        raise Malformed("the answer has a Transfer-Encoding that was not asked for")
    chunked = coding == b"chunked"
    if chunked and (lengths or version == b"HTTP/1.0" or status in _BODILESS):
        clean = False  # others may see its end elsewhere
    framing = [b"transfer-encoding: chunked"] if chunked else [b"content-length: " + part for part in lengths]
    kept = [b"%s: %s" % field for field in known if field[0] in _USED]
    return b"\r\n".join([b"%s %d" % (version, status), *framing, *kept, b"", b""]), clean


# The body


class _Unpacker:
    """Unpacks a compressed stream. `rest` is true once something stands behind its end, which is not read."""

    def __init__(self, *, gzip: bool) -> None:
        self._gzip = gzip
        self._stream: Any = None
        self._begun = 0  # members
        self._pending = b""  # the first byte of what may be a member
        self.rest = False

    def feed(self, data: bytes, room: int) -> bytes:
        """Unpack a piece, `room` bytes at most."""
        content = b""
        data, self._pending = self._pending + data, b""
        while data and len(content) < room and not self.rest:
            if self._stream is None:
                if len(data) < 2 and not self._begun:
                    self._pending = data
                    break
                if self._begun and not self._continues(data):
                    self.rest = True
                    break
                self._stream = zlib.decompressobj(self._kind(data))
                self._begun += 1
            content += self._stream.decompress(data, room - len(content))
            data = self._stream.unused_data if self._stream.eof else b""
            if self._stream.eof:
                self._stream = None
        return content

    def finish(self) -> None:
        """Raise zlib.error when the stream is not at its end."""
        if self._stream is not None or not self._begun:
            raise zlib.error

    def _continues(self, data: bytes) -> bool:
        """Whether one more member follows (RFC 1952, 2.2)."""
        return self._gzip and self._begun < _MOST_MEMBERS and b"\x1f\x8b".startswith(data[:2])

    def _kind(self, data: bytes) -> int:
        """Return the window bits: of gzip, of zlib, or of bare deflate, which some servers send for it."""
        if self._gzip:
            return 16 + zlib.MAX_WBITS
        zlib_header = data[0] & 0x0F == 8 and int.from_bytes(data[:2], "big") % 31 == 0
        return zlib.MAX_WBITS if zlib_header else -zlib.MAX_WBITS


def _unpacker(coding: tuple[str, ...]) -> _Unpacker | None:
    """Choose how to unpack; what is packed in another way is left as it is, for the rules to name."""
    if coding in (("gzip",), ("x-gzip",)):
        return _Unpacker(gzip=True)
    return _Unpacker(gzip=False) if coding == ("deflate",) else None
