"""Stand between act and podman: `python between.py SOCKET ENGINE` listens at SOCKET, the engine's is ENGINE.

Two things that act asks cost podman more than all else in a job. The architecture, at every expression and so
some thirty times in a job: podman starts six programs for each answer, so the first one is kept. And that a
container has ended: podman looks without a pause, and keeps a core busy for as long as a gate waits; so it is
asked only when the container is seen to run no more. Whatever else is said passes through, byte by byte.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
from contextlib import suppress
from typing import Final

ASKED_AGAIN: Final = re.compile(rb"(?:HEAD /_ping|GET (?:/v[0-9.]+)?/(?:info|version)) ")
ENDED: Final = re.compile(rb"POST (/v[0-9.]+/containers/[^/?]+)/wait[? ]")
PAUSE: Final = 0.2  # seconds


async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    """Hand on what comes, and that nothing more comes."""
    with suppress(OSError):
        while part := await source.read(1 << 16):
            sink.write(part)
            await sink.drain()
        sink.write_eof()


class Between:
    """The way to an engine, and the answers that are kept, by what was asked."""

    def __init__(self, engine: str) -> None:
        self._engine = engine
        self._kept: dict[bytes, bytes] = {}
        self._open: set[asyncio.StreamReader] = set()  # asyncio itself only has weak references

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one connection: one question from what is kept, or everything by the engine."""
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            if asked := ASKED_AGAIN.match(head):
                if asked[0] not in self._kept:
                    self._kept[asked[0]] = await self._ask(asked[0])
                writer.write(self._kept[asked[0]])
            else:
                if container := ENDED.match(head):
                    while await self._runs(container[1]):
                        await asyncio.sleep(PAUSE)
                back, forth = await asyncio.open_unix_connection(self._engine)
                self._open.add(back)
                # Each question comes on a connection of its own, but for those that become a stream.
                if b"\r\nupgrade:" not in head.lower():
                    head = head.replace(b"\r\n", b"\r\nConnection: close\r\n", 1)
                forth.write(head)
                await asyncio.gather(pump(reader, forth), pump(back, writer))
                forth.close()
                self._open.remove(back)
        writer.close()

    async def _runs(self, container: bytes) -> bool:
        answer = await self._ask(b"GET " + container + b"/json ")
        told = json.loads(answer.partition(b"\r\n\r\n")[2])
        return bool(told.get("State", {}).get("Running"))

    async def _ask(self, line: bytes) -> bytes:
        """Ask the engine on a connection that it closes then; an answer to HTTP/1.0 comes in one piece."""
        back, forth = await asyncio.open_unix_connection(self._engine)
        forth.write(line + b"HTTP/1.0\r\n\r\n")
        answer = await back.read()
        forth.close()
        return answer


async def main(socket: str, engine: str) -> None:
    """Listen until the end."""
    server = await asyncio.start_unix_server(Between(engine).serve, socket)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
