"""Fuzz the bytes of a connection: whatever a server sends, the client makes an answer or an error of it.

A server on loopback answers each request with the input, and closes. Only what the whole program would take
for a bug counts: an exception that is no `GateError`, a request beyond its bound, a thread that stays.
"""

from __future__ import annotations

import socket
from functools import cache
from threading import Thread
from typing import Final

from cfgate.client.client import Client
from cfgate.errors import Broken, GateError
from cfgate.model import Target, Verdict
from cfgate.system.clock import SystemClock

_BOUND: Final = 5.0  # seconds; no input is that long
_ID: Final = 9001


class _Server:
    """Answers every connection with `answer`, and closes it."""

    def __init__(self) -> None:
        self.answer = b""
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            connection, _ = self._listener.accept()
            with connection:
                connection.recv(1 << 16)  # a request is far shorter
                connection.sendall(self.answer)


@cache
def _server() -> _Server:
    return _Server()


def wire(data: bytes) -> str:
    """Send these bytes as the answer to a request; tell what the client made of them."""
    server = _server()
    server.answer = data
    client = Client(
        api_url=server.url,
        token="canary-token-93ab",  # noqa: S106 - made up
        request_timeout=_BOUND,
        environ={},
        clock=SystemClock(),
        redact=str,
    )
    try:
        job = client.fetch(Target(_ID), 1).job
    except GateError as error:
        if isinstance(error, Broken) or "time-out" in str(error):
            raise
        return type(error).__name__
    finally:
        client.close()
    if job.verdict is Verdict.DOUBTFUL:
        raise ValueError("a doubtful answer came as a usable one")
    return job.verdict.name
