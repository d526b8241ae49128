"""What a simulator cannot do: a front before it that breaks connections below HTTP, or does not even open.

Every connection is one request (the simulator behind is told to close), so the nth connection is the nth
request.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from threading import Event, Lock, Thread
from typing import Final, Self

CERTIFICATES: Final = Path(__file__).parents[1] / "tests" / "data" / "tls"
_GLANCE: Final = 0.02  # seconds for which the front waits for a connection, before it looks at its door again

Serve = Callable[[socket.socket, int], None]


class Front:
    """A server on loopback whose door can be shut: then it refuses. Or blocked: then nobody gets through.

    `serve` is called with every connection and its number, from 1 on, on a thread of its own.
    """

    def __init__(self, serve: Serve) -> None:
        self._serve = serve
        self._listener = _listener(0)
        self.port: int = self._listener.getsockname()[1]
        self._open = Event()
        self._open.set()
        self._accepting = Lock()
        self._closed = False
        self._served = 0
        self._blockers: list[socket.socket] = []
        self._connections: list[socket.socket] = []
        self._threads: list[Thread] = []
        self._start(self._accept)

    def shut(self) -> None:
        """Refuse connections from now on."""
        self._leave_the_door()
        self._listener.close()

    def block(self) -> None:
        """Let the queue of the kernel run full, so that no connection is answered at all."""
        self._leave_the_door()
        with suppress(TimeoutError):
            while True:
                blocker = socket.create_connection(("127.0.0.1", self.port), timeout=0.1)
                self._blockers.append(blocker)

    def open(self) -> None:
        """Accept connections again; nothing when the door is open."""
        if self._open.is_set():
            return
        if self._listener.fileno() < 0:
            self._listener = _listener(self.port)
        self._open.set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._closed = True
        self.open()
        for connection in (*self._blockers, *self._connections):
            with suppress(OSError):  # it is closed already
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        for connection in self._blockers:
            connection.close()
        self._listener.close()

    def _leave_the_door(self) -> None:
        self._open.clear()
        with self._accepting:
            pass  # whoever was waiting for a connection has looked up

    def _start(self, target: Callable[..., None], *args: object) -> None:
        thread = Thread(target=target, args=args, name="front", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._closed:
            self._open.wait()
            with self._accepting, suppress(TimeoutError):
                if self._open.is_set():
                    self._take(*self._listener.accept())

    def _take(self, connection: socket.socket, client: object) -> None:
        connection.settimeout(None)
        self._connections.append(connection)
        if client in [blocker.getsockname() for blocker in self._blockers]:
            connection.close()
        else:
            self._served += 1
            self._start(self._play, connection, self._served)

    def _play(self, connection: socket.socket, number: int) -> None:
        with connection, suppress(OSError):  # the client leaves when it has had enough
            self._serve(connection, number)


def _listener(port: int) -> socket.socket:
    """Listen with the shortest queue that there is."""
    listener = socket.create_server(("127.0.0.1", port), backlog=0)
    listener.settimeout(_GLANCE)
    return listener


def secured(connection: socket.socket, certificate: str) -> ssl.SSLSocket:
    """Do the server's side of a TLS handshake, with one of the certificates of the tests."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATES / f"{certificate}.pem")
    return context.wrap_socket(connection, server_side=True)


def head_of(connection: socket.socket) -> bytes:
    """Read the head of a request; empty when the client leaves first."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        byte = connection.recv(1)
        if not byte:
            return b""
        head += byte
    return head


def relayed(head: bytes, port: int) -> bytes:
    """Send a request on to the simulator at `port`, and return its whole answer."""
    answer = b""
    with socket.create_connection(("127.0.0.1", port)) as simulator:
        simulator.sendall(head)
        while part := simulator.recv(1 << 16):
            answer += part
    return answer


def drip(connection: socket.socket, data: bytes) -> None:
    """Send a byte a second, until the client leaves."""
    for byte in data:
        connection.sendall(bytes([byte]))
        time.sleep(1.0)


@contextmanager
def hole(port: int) -> Iterator[str]:
    """Give an address of this machine where connections to this port get no answer at all."""
    address = "127.0.0.2"
    with ExitStack() as stack:
        stack.enter_context(socket.create_server((address, port), backlog=0))
        with suppress(TimeoutError):
            while True:
                # Not `create_connection`, which would ask the resolver.
                blocker = stack.enter_context(socket.socket())
                blocker.settimeout(0.1)
                blocker.connect((address, port))
        yield address


def stall(connection: socket.socket) -> None:
    """Say nothing until the client leaves."""
    while connection.recv(1 << 16):
        pass
