"""HTTP over real sockets on loopback, with the troubles that a network can have. Imported only to serve."""

from __future__ import annotations

import re
import socket
import struct
import sys
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler
from socketserver import TCPServer, ThreadingMixIn
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING, Any, Final

from cfgate.simulator.bodies import phrase_of
from cfgate.simulator.faults import Place, Trouble

if TYPE_CHECKING:
    from collections.abc import Callable
    from email.message import Message

    from cfgate.simulator.api import Response

    Answering = Callable[[str, str, Message[str, str]], Response]

_BODILESS: Final = frozenset({204, 304})
_LONGEST_END: Final = 1.0  # seconds
_RESET_ON_CLOSE: Final = struct.pack("ii", 1, 0)  # SO_LINGER, on, for 0 seconds: close sends an RST


class Server(ThreadingMixIn, TCPServer):
    """A server on 127.0.0.1 that knows its connections, so that it can end them.

    Not an `HTTPServer`: that one asks the resolver for the name of the machine, which can take seconds.
    """

    allow_reuse_address = sys.platform != "win32"  # there it would let two listen on one port
    daemon_threads = True
    request_queue_size = 256  # a hundred gates may knock at once

    def __init__(self, port: int, answering: Answering, speed: float) -> None:
        self.answering = answering
        self.speed = speed
        self.stopping = Event()
        self._lock = Lock()
        self._connections: set[Any] = set()
        self._workers: list[Thread] = []  # a thread is under way for a moment after its connection is closed
        super().__init__(("127.0.0.1", port), _Handler)

    def stop(self) -> None:
        """End every connection and every thread, and free the port. `serve_forever` must run elsewhere."""
        self.stopping.set()
        self.shutdown()
        self.server_close()
        with self._lock:
            for connection in self._connections:
                with suppress(OSError):  # the client was faster
                    connection.shutdown(socket.SHUT_RDWR)
        # Where a thread is not woken by that, as on Windows, it ends with the process.
        end = time.monotonic() + _LONGEST_END
        for thread in self._workers:
            thread.join(max(end - time.monotonic(), 0.0))

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve a connection on a thread of its own."""
        thread = Thread(target=self.process_request_thread, args=(request, client_address), daemon=True)
        with self._lock:
            self._connections.add(request)
        thread.start()
        self._workers = [*filter(Thread.is_alive, self._workers), thread]

    def shutdown_request(self, request: Any) -> None:
        """Close a connection: with an RST where the handler has asked for one, else with a FIN."""
        with self._lock:
            self._connections.discard(request)
        request.close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Be silent about clients that leave; anything else is a bug and must be seen."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    """One connection: reads requests, sends what the API says, and causes the trouble that it asks for."""

    protocol_version = "HTTP/1.1"
    server_version = "cfgate-simulator"
    sys_version = ""
    disable_nagle_algorithm = True
    server: Server

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Write nothing: the simulator keeps its own record."""

    def answer(self) -> None:
        """Answer one request."""
        self._skip_body()
        reply = self.server.answering(self.command, self.path, self.headers)
        if self.server.stopping.wait(reply.delay):
            self.close_connection = True
            return
        head, body = self._head(reply), b"" if self._bodiless(reply) else reply.body
        if reply.connection is None:
            self.wfile.write(head + body)
            return
        self.close_connection = True
        sent = _length_before(reply.connection.place, len(head), len(body))
        self.wfile.write((head + body)[:sent])
        self._trouble(reply.connection.trouble, (head + body)[sent:])

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = answer  # noqa: N815 - see base

    def _skip_body(self) -> None:
        """Read the body of a request, so that the next request on this connection begins where it should."""
        length = self.headers.get("Content-Length", "0")
        if re.fullmatch("[0-9]{1,5}", length):
            self.rfile.read(int(length))
        else:
            self.close_connection = True

    def _head(self, reply: Response) -> bytes:
        if reply.headers.get("Connection", "").lower() == "close":
            self.close_connection = True
        lines = [f"HTTP/1.1 {reply.status} {phrase_of(reply.status)}"]
        lines += [f"{name}: {value}" for name, value in reply.headers.items()]
        return "\r\n".join([*lines, "", ""]).encode("latin-1")

    def _bodiless(self, reply: Response) -> bool:
        return self.command == "HEAD" or reply.status in _BODILESS

    def _trouble(self, trouble: Trouble, rest: bytes) -> None:
        """Go on as no server should."""
        if trouble is Trouble.RESET:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        elif trouble is Trouble.STALL:
            while self.connection.recv(1 << 16):  # ends when the client leaves, or the server stops
                pass
        elif trouble is Trouble.DRIP:
            for byte in rest:
                if self.server.stopping.wait(1.0 / self.server.speed):
                    return
                self.wfile.write(bytes([byte]))


def _length_before(place: Place, head: int, body: int) -> int:
    """Return how many bytes of an answer go out before trouble begins."""
    lengths = {
        Place.BEFORE_HEADERS: 0,
        Place.IN_HEADERS: head // 2,
        Place.IN_BODY: head + body // 2,
        Place.AFTER_BODY: head + body,
    }
    return lengths[place]
