"""A loopback server that plays a script on every connection, byte by byte; and a client to ask it with."""

from __future__ import annotations

import json
import socket
import ssl
import struct
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any

from cfgate.client.client import Client
from cfgate.model import Target
from cfgate.system.clock import SystemClock
from cfgate.text.redaction import Redactor
from tests.support.canary import ACCESS_KEY, PAIR, SECRET_KEY, TOKEN

TLS = Path(__file__).parents[1] / "data" / "tls"
CA = str(TLS / "ca.pem")

ID = 481516
ASID = 100042
TARGET = Target(ID)

RUNNING = json.dumps(
    {
        "imageversionid": ID,
        "jobstateid": 4,
        "jobstatename": "Running",
        "jobcreated": 1795430000,
        "jobupdated": 1795430060,
        "jobprogress": 12,
        "jobfailed": 0,
        "success": True,
    }
).encode()


@contextmanager
def client(url: str, **options: Any) -> Iterator[Client]:
    """Make a client with credentials, in an environment where nothing is set.

    At the end its threads must end as well, by themselves.
    """
    settings: dict[str, Any] = {
        "api_url": url,
        "access_key": ACCESS_KEY,
        "secret_key": SECRET_KEY,
        "request_timeout": 10.0,
        "environ": {},
        "clock": SystemClock(),
        "redact": Redactor([ACCESS_KEY, SECRET_KEY, PAIR, TOKEN]),
    }
    made = Client(**settings | options)
    try:
        yield made
    finally:
        made.close()
        for thread in under_way():
            thread.join(5)
        assert not under_way()


def under_way() -> list[threading.Thread]:
    """List the threads that still work on a request."""
    return [thread for thread in threading.enumerate() if thread.name == "cfgate-request"]


def http(body: bytes = RUNNING, status: int = 200, **headers: str) -> bytes:
    """Write a whole HTTP answer; a header is named with underscores, `None` takes a usual one away."""
    usual = {"Content_Type": "application/json", "Content_Length": str(len(body))}
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in (usual | headers).items()]
    phrase = HTTPStatus(status).phrase
    return "\r\n".join([f"HTTP/1.1 {status} {phrase}", *lines, "", ""]).encode() + body


@dataclass
class Request:
    """The head of a request, as it came."""

    line: str
    headers: list[tuple[str, str]]

    def __getitem__(self, name: str) -> str:
        """Get the only value of a header."""
        (value,) = [value for key, value in self.headers if key.lower() == name.lower()]
        return value


@dataclass
class Peer:
    """One connection, seen from the server."""

    server: Server
    socket: socket.socket
    _rest: bytes = b""

    def request(self) -> Request | None:
        """Read the next request; `None` when the client has closed the connection."""
        while b"\r\n\r\n" not in self._rest:
            received = self.socket.recv(65536)
            if not received:
                return None
            self._rest += received
        head, _, self._rest = self._rest.partition(b"\r\n\r\n")
        line, *fields = head.decode("latin-1").split("\r\n")
        headers = [(name, value.strip()) for name, _, value in (field.partition(":") for field in fields)]
        request = Request(line, headers)
        self.server.requests.append(request)
        return request

    def send(self, data: bytes) -> None:
        """Send all of it."""
        self.socket.sendall(data)

    def drip(self, data: bytes, pause: float = 0.02) -> None:
        """Send one byte after the other, `pause` seconds apart, until the client leaves."""
        for byte in data:
            self.send(bytes([byte]))
            if self.server.closing.wait(pause):
                return

    def stall(self) -> None:
        """Send nothing until the client leaves."""
        while self.socket.recv(65536):
            pass

    def reset(self) -> None:
        """Break the connection off, so that the client gets ECONNRESET."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()


Script = Callable[[Peer], None]


@dataclass
class Server:
    """Listens on a free port of 127.0.0.1 and plays `script` on every connection, each on its own thread."""

    script: Script
    tls: str = ""  # the name of a certificate in data/tls; empty: plain HTTP
    requests: list[Request] = field(default_factory=list)
    connections: int = 0
    closing: threading.Event = field(default_factory=threading.Event)
    _open: list[socket.socket] = field(default_factory=list)
    _threads: list[threading.Thread] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port: int = self._listener.getsockname()[1]
        self._start(self._accept)

    @property
    def url(self) -> str:
        """The address of this server, by the name that its certificate has."""
        return f"https://localhost:{self.port}" if self.tls else f"http://127.0.0.1:{self.port}"

    def close(self) -> None:
        """Close everything and wait for the threads."""
        self.closing.set()
        for sock in (self._listener, *self._open):
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            if sys.platform == "win32":  # there only this is sure to wake who waits for a socket
                sock.close()
        for thread in self._threads:
            thread.join(5)
        self._listener.close()
        for sock in self._open:
            sock.close()

    def _start(self, target: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=target, args=args, name="wire", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with suppress(OSError):  # the listener is closed
            while True:
                sock, _ = self._listener.accept()
                self.connections += 1
                self._open.append(sock)
                self._start(self._play, sock)

    def _play(self, sock: socket.socket) -> None:
        # The client leaves, or refuses the certificate.
        with suppress(OSError), self._secured(sock) as secured:
            self._open.append(secured)
            self.script(Peer(self, secured))

    def _secured(self, sock: socket.socket) -> socket.socket:
        if not self.tls:
            return sock
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(TLS / f"{self.tls}.pem")
        return context.wrap_socket(sock, server_side=True)


@contextmanager
def serve(script: Script, tls: str = "") -> Iterator[Server]:
    """Run a server for the length of a `with`."""
    server = Server(script, tls)
    try:
        yield server
    finally:
        server.close()


def answering(*answers: bytes) -> Script:
    """Script: keep the connection alive and give these answers in turn, the last one for ever."""

    def script(peer: Peer) -> None:
        while peer.request():
            peer.send(answers[min(len(peer.server.requests), len(answers)) - 1])

    return script


def once(play: Script) -> Script:
    """Script: read one request, then play something."""

    def script(peer: Peer) -> None:
        if peer.request():
            play(peer)

    return script


def tunnel(port: int) -> Script:
    """Script: a proxy that connects to this port of loopback, whatever host it is asked for."""

    def copy(source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
        with suppress(OSError):
            target.shutdown(socket.SHUT_RDWR)

    def script(peer: Peer) -> None:
        if not peer.request():
            return
        with socket.create_connection(("127.0.0.1", port)) as target:
            peer.send(b"HTTP/1.1 200 Connection established\r\n\r\n")
            back = threading.Thread(target=copy, args=(target, peer.socket), daemon=True)
            back.start()
            copy(peer.socket, target)
            back.join(5)

    return script
