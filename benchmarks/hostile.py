"""Measure what a hostile API can make one gate cost: memory and CPU of the whole process, for each body.

    python -m benchmarks.hostile [--seconds N] [--max-interval DURATION] [--program DIR] [--only WORD]

Every request is answered with the same hostile body until time is up. A gate may take 64 MiB and, in a run of
30 seconds, 2 seconds of CPU, start included. `--program` measures the cfgate of another checkout. Exits with
1 where a bound is broken.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import socket
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path
from threading import Thread
from typing import Final

ROOT: Final = Path(__file__).parents[1]
MEMORY: Final = 64.0  # MiB
CPU: Final = 2.0  # seconds, in a run of so many:
SECONDS: Final = 30.0
AT_ONCE: Final = 4  # gates; more would be in each other's way

_MIB: Final = 1 << 20
_JOB: Final = (
    b'{"imageversionid": 9001, "jobstateid": 4, "jobstatename": "Running", "success": true, "jobprogress": 1'
)
_GOOD: Final = _JOB + b"}"
_OK: Final = b"HTTP/1.1 200 OK\r\n"
_CHUNKED: Final = _OK + b"Transfer-Encoding: chunked\r\n\r\n"
_GZIP: Final = _OK + b"Content-Encoding: gzip\r\n\r\n"
_TEXT: Final = "::error::x\r\n##[set-output name=ready]true\x1b[2J|`<b>]]>\u202e%0A$(id) Basic QTpC "


def _sized(body: bytes, status: bytes = b"200 OK", *fields: bytes) -> list[bytes]:
    length = b"Content-Length: %d" % len(body)
    return [b"\r\n".join((b"HTTP/1.1 " + status, *fields, length, b"", body))]


def _filled(opening: bytes, piece: bytes, closing: bytes) -> list[bytes]:
    """Fill a body of not quite a MiB."""
    times = (_MIB - len(opening) - len(closing)) // len(piece)
    return _sized(opening + piece * times + closing)


def _bomb(size: int) -> bytes:
    return gzip.compress(bytes(size))


def _endless(first: bytes, piece: bytes) -> Callable[[], Iterator[bytes]]:
    def parts() -> Iterator[bytes]:
        yield first
        yield from repeat(piece)

    return parts


def _once(make: Callable[[], list[bytes]]) -> Callable[[], Iterator[bytes]]:
    """Build a body once, for all requests."""
    kept: list[bytes] = []

    def parts() -> Iterator[bytes]:
        kept.extend(make() if not kept else ())
        return iter(kept)

    return parts


def _many_keys() -> list[bytes]:
    return _sized(json.dumps({f"k{number}": number for number in range(60_000)}).encode())


def _job_error() -> list[bytes]:
    error = json.dumps(_TEXT * (900_000 // len(json.dumps(_TEXT))))
    return _sized(_JOB + b', "joberror": ' + error.encode() + b"}")


# What is sent for each request, in pieces, until there are no more or the client leaves.
BODIES: Final[dict[str, Callable[[], Iterator[bytes]]]] = {
    "a good answer, to compare": _once(lambda: _sized(_GOOD)),
    "a gzip bomb of 256 MiB": _once(lambda: [_GZIP + _bomb(256 * _MIB)]),
    "zeros behind a gzip member": _endless(_GZIP + gzip.compress(_GOOD), bytes(1 << 16)),
    "gzip members behind a gzip member": _endless(_GZIP + gzip.compress(_GOOD), gzip.compress(b"") * 1000),
    "thousands of tiny gzip members": _once(lambda: [_GZIP + gzip.compress(b" ") * 40_000]),
    "endless chunks": _endless(_CHUNKED, b"10000\r\n" + b" " * (1 << 16) + b"\r\n"),
    "endless chunks of a byte": _endless(_CHUNKED, b"1\r\n \r\n" * 1000),
    "endless headers": _endless(_OK, b"X-Filler: " + b"x" * 1000 + b"\r\n"),
    "endless tiny headers": _endless(_OK, b"a:\r\n" * 1000),
    "endless interim answers": _endless(b"", b"HTTP/1.1 103 Early Hints\r\n\r\n" * 1000),
    "endless trailers": _endless(_CHUNKED + b"2\r\n{}\r\n0\r\n", b"a:\r\n" * 1000),
    "a line without an end": _endless(_OK, b"x" * (1 << 16)),
    "a body without an end": _endless(_OK + b"\r\n", b" " * (1 << 16)),
    "deep nesting": _once(lambda: _filled(b'{"x": ', b"[", b"")),
    "deep nesting of objects": _once(lambda: _filled(b"", b'{"x":', b"")),
    "1 MiB of digits": _once(lambda: _filled(_JOB + b', "jobeta": ', b"9", b"}")),
    "1 MiB of numbers": _once(lambda: _filled(_JOB + b', "x": [0', b",12345.678", b"]}")),
    "1 MiB of empty objects": _once(lambda: _filled(_JOB + b', "x": [0', b",{}", b"]}")),
    "1 MiB of keys": _once(_many_keys),
    "1 MiB of a job error": _once(_job_error),
    "1 MiB of titles, with HTTP 503": _once(lambda: _sized(b"<title" * 170_000, b"503 Busy")),
}


@dataclass(frozen=True)
class Cost:
    """What a gate took: seconds of CPU, its largest resident set in MiB, requests, and its exit code."""

    cpu: float
    memory: float
    requests: int
    code: int

    def kept(self, seconds: float) -> bool:
        """Whether both bounds are kept in a run of so many seconds."""
        return self.memory < MEMORY and self.cpu < CPU * max(1.0, seconds / SECONDS)


@contextmanager
def serving(parts: Callable[[], Iterator[bytes]], asked: list[float]) -> Iterator[str]:
    """Answer every request on loopback with these pieces, on a thread for each connection."""

    def serve(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            while b"\r\n\r\n" in connection.recv(1 << 16):
                asked.append(time.monotonic())
                for part in parts():
                    connection.sendall(part)
                if b"Content-Length" not in part:
                    return

    def accept() -> None:
        with suppress(OSError):
            while True:
                Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        Thread(target=accept, daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)


def measure(name: str, seconds: float, max_interval: str, program: Path) -> Cost:
    """Run a gate against a body, and ask the operating system what it took."""
    asked: list[float] = []
    with serving(BODIES[name], asked) as url:
        options = ["--api-url", url, "--timeout", f"{seconds:g}s", "--max-interval", max_interval]
        asking = ["wait", "9001", "--account-service-id", "1", *options]
        command = [sys.executable, "-P", "-m", "cfgate", *asking]
        environ = {"PATH": os.environ["PATH"], "PYTHONPATH": str(program), "CLANFORGE_TOKEN": "benchmark"}
        quiet = os.open(os.devnull, os.O_WRONLY)
        streams = [(os.POSIX_SPAWN_DUP2, quiet, number) for number in (1, 2)]
        process = os.posix_spawn(command[0], command, environ, file_actions=streams)
        _, status, usage = os.wait4(process, 0)
        os.close(quiet)
    unit = _MIB if sys.platform == "darwin" else 1 << 10  # of ru_maxrss, in a MiB
    code = os.waitstatus_to_exitcode(status)
    return Cost(usage.ru_utime + usage.ru_stime, usage.ru_maxrss / unit, len(asked), code)


def main() -> int:
    """Measure, and print a table beside the bounds."""
    parser = argparse.ArgumentParser(description="Measure what a hostile API can make a gate cost.")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="of each run (default: 30)")
    parser.add_argument("--max-interval", default="15s", help="between two looks (default: 15s)")
    parser.add_argument("--program", type=Path, default=ROOT, help="a checkout with another cfgate")
    parser.add_argument("--only", default="", metavar="WORD", help="only bodies with this in their name")
    given = parser.parse_args()
    names = [name for name in BODIES if given.only in name]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        costs = list(
            pool.map(lambda name: measure(name, given.seconds, given.max_interval, given.program), names)
        )
    print(f"| {'body':<34} | CPU (< {CPU:g} s) | memory (< {MEMORY:g} MiB) | requests | exit code |")
    print(f"| {'-' * 34} | ----------- | ----------------- | -------- | --------- |")
    for name, cost in zip(names, costs, strict=True):
        mark = "" if cost.kept(given.seconds) else "✗ "
        cells = f"{cost.cpu:>9.2f} s | {cost.memory:>13.1f} MiB | {cost.requests:>8} | {cost.code:>9}"
        print(f"| {mark + name:<34} | {cells} |")
    return 0 if all(cost.kept(given.seconds) for cost in costs) else 1


if __name__ == "__main__":
    raise SystemExit(main())
