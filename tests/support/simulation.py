"""Helpers for the tests of the simulator: a clock to turn by hand, and a client that hides nothing."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import Message
from http.client import HTTPConnection
from textwrap import dedent
from typing import Any
from urllib.parse import urlsplit

from cfgate.errors import GateError
from cfgate.model import Resource
from cfgate.rules.answer import judge
from cfgate.simulator import Scenario, Simulator, parse
from cfgate.simulator.api import Access, Api, Response

ID = 9001
PATH = f"/cfp/v1/imageversion/{ID}/status"
NOON = 1_795_435_200.0  # Unix seconds: 2026-11-23T12:00:00Z


class HandClock:
    """A local clock that only tests move."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> float:
        return self.now


class Player:
    """Plays a scenario without a socket: what would be answered at which second of the life."""

    def __init__(self, scenario: Scenario, *, speed: float = 1.0) -> None:
        self.clock = HandClock()
        self.api = Api(scenario, Access(), speed, self.clock)

    def reply(self, second: float, job_id: int = ID) -> Response:
        """Ask about a job at a second after noon."""
        self.clock.now = NOON + second
        return self.api.answer("GET", PATH.replace(str(ID), str(job_id)), "")

    def job(self, second: float, job_id: int = ID) -> dict[str, Any]:
        """Ask in the same way, and return the fields of the answer."""
        fields: dict[str, Any] = json.loads(self.reply(second, job_id).body)
        return fields


def scenario(text: str) -> Scenario:
    """Read a scenario from indented YAML."""
    return parse(dedent(text))


def verdict(reply: Response, number: int = ID, resource: Resource = Resource.IMAGE_VERSION) -> str:
    """Judge an answer as the gate would: the verdict's name, or the error's."""
    headers = Message()
    for name, value in reply.headers.items():
        headers[name] = value
    try:
        job = judge(reply.status, headers, reply.body, number, resource, now=NOON)  # type: ignore[arg-type]  # no case either
    except GateError as error:
        return type(error).__name__
    return job.verdict.name


@dataclass(frozen=True)
class Got:
    """What came over the wire."""

    status: int
    headers: Message
    body: bytes

    @property
    def job(self) -> dict[str, Any]:
        """The fields of a job."""
        fields: dict[str, Any] = json.loads(self.body)
        return fields


def address(simulator: Simulator) -> tuple[str, int]:
    """Return where a simulator listens."""
    parts = urlsplit(simulator.url)
    assert parts.hostname is not None
    assert parts.port is not None
    return parts.hostname, parts.port


def ask(simulator: Simulator, path: str = PATH, method: str = "GET", authorization: str = "") -> Got:
    """Send one request on a connection of its own."""
    with connected(simulator) as connection:
        return send(connection, path, method, authorization)


@contextmanager
def connected(simulator: Simulator) -> Iterator[HTTPConnection]:
    """Open a connection to a simulator."""
    connection = HTTPConnection(*address(simulator), timeout=10)
    try:
        yield connection
    finally:
        connection.close()


def send(connection: HTTPConnection, path: str = PATH, method: str = "GET", authorization: str = "") -> Got:
    """Send a request on a connection that may be used again."""
    connection.request(method, path, headers={"Authorization": authorization} if authorization else {})
    response = connection.getresponse()
    return Got(response.status, response.headers, response.read())


@contextmanager
def raw(simulator: Simulator, path: str = PATH) -> Iterator[socket.socket]:
    """Send a request, and hand over the bare socket that the answer comes on."""
    with socket.create_connection(address(simulator), timeout=10) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        yield connection


def drained(connection: socket.socket) -> bytes:
    """Read until the other side ends the connection in good order."""
    parts = []
    while part := connection.recv(1 << 16):
        parts.append(part)
    return b"".join(parts)
