"""The API behind the servers, in plain HTTP; its jobs end some seconds after the first question."""

from __future__ import annotations

import json
import math
import re
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

ADDRESS: Final = ("127.0.0.1", 8000)
_STARTED: Final = 1_700_000_000
_MACHINES: Final = 20

Json = dict[str, Any]
# Makes the bytes on the wire of the lines of a head, without Content-Length, and a body.
Writer = Callable[[list[str], bytes], bytes]


def plain(head: list[str], body: bytes) -> bytes:
    """Write an answer as every server does."""
    return "\r\n".join([*head, f"Content-Length: {len(body)}", "", ""]).encode("latin-1") + body


class Api:
    """An API that serves at once."""

    def __init__(
        self,
        seconds: float = 4.0,
        *,
        slow: float = 0.0,
        stuck: Iterable[int] = (),
        ending: Json | None = None,
        encoding: str = "utf-8",
        write: Writer = plain,
    ) -> None:
        """All jobs end `seconds` after the first question; `ending` is what the last answer says then.

        Each answer takes `slow` seconds. The roll-outs of `stuck` never end.
        """
        self.seconds = seconds
        self.slow = slow
        self.down = False  # closes connections without an answer
        self.asked: list[tuple[float, int]] = []  # when, about which target
        self.ended = set[int]()  # the targets whose end was told
        self._stuck = frozenset(stuck)
        self._ending = ending or {}
        self._encoding = encoding
        self._write = write
        self._first = threading.Event()
        self._lock = threading.Lock()
        server = _Server(ADDRESS, _handler(self))
        threading.Thread(target=server.serve_forever, daemon=True).start()

    @property
    def last(self) -> float:
        """When the last question came; long ago, if none did."""
        return self.asked[-1][0] if self.asked else -math.inf

    @property
    def late(self) -> float:
        """How long after the end of the jobs the last question came, which found it."""
        return self.last - self.asked[0][0] - self.seconds if self.asked else math.inf

    def later(self, seconds: float, action: Callable[[], object]) -> None:
        """Do something so long after the first question."""

        def wait() -> None:
            self._first.wait()
            time.sleep(max(0.0, self.asked[0][0] + seconds - time.monotonic()))
            action()

        threading.Thread(target=wait, daemon=True).start()

    def away(self, since: float, until: float) -> list[float]:
        """Close every connection without an answer in between; the list gets the moment when that ends."""
        back = list[float]()

        def again() -> None:
            self.down = False
            back.append(time.monotonic())

        self.later(since, self._leave)
        self.later(until, again)
        return back

    def _leave(self) -> None:
        self.down = True

    def about(self, target: int) -> list[float]:
        """When a target was asked about."""
        return [when for when, asked in self.asked if asked == target]

    def answer(self, path: str) -> bytes | None:
        """Answer a request for a path; `None` closes the connection."""
        found = re.search(r"/(image|imageversion)/([0-9]+)/status", path)
        if self.down or not found:
            return None
        target = int(found[2])
        with self._lock:
            self.asked.append((time.monotonic(), target))
            self._first.set()
        if self.slow:
            time.sleep(self.slow)
        ended = time.monotonic() >= self.asked[0][0] + self.seconds and target not in self._stuck
        if ended:
            self.ended.add(target)
        body = self._rollout(ended=ended) if found[1] == "image" else self._job(target, ended=ended)
        text = json.dumps(body, ensure_ascii=self._encoding == "ascii").encode(self._encoding)
        date = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime())
        return self._write(["HTTP/1.1 200 OK", f"Date: {date}", "Content-Type: application/json"], text)

    def _job(self, target: int, *, ended: bool) -> Json:
        job: Json = {"imageversionid": target, "jobcreated": _STARTED, "jobupdated": int(time.time())}
        job |= {"jobstart": str(_STARTED + 1), "jobeta": None, "joberror": None, "jobfailed": 0}
        job |= {"jobstateid": 4, "jobstatename": "Running", "jobprogress": 50, "success": True}
        if ended:
            job |= {"jobstateid": 5, "jobstatename": "Completed", "jobprogress": 100, **self._ending}
        return job

    def _rollout(self, *, ended: bool) -> Json:
        done = _MACHINES if ended else 0
        return {"pending_machines": _MACHINES - done, "failed_machines": 0, "completed_machines": done}


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 1024

    def handle_error(self, *_: object) -> None:
        """Say nothing about connections that a proxy has closed."""


def _handler(api: Api) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            answer = api.answer(self.path)
            self.close_connection = self.close_connection or answer is None
            if answer:
                with suppress(OSError):
                    self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    return Handler
