"""Put the API on its stage for one run: a simulator, what stands before it, and a fault at one request."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Final

from cfgate.simulator import Simulator, parse
from cfgate.system.clock import SystemClock
from proofs.faults import Answered, Certificate, Door, Fault, Jump, Lookup, OnTheWire, Played, Tunnel
from proofs.front import CERTIFICATES, Front, drip, head_of, hole, relayed, secured, stall
from proofs.program import ASID, deaf
from tests.support.canary import ACCESS_KEY, SECRET_KEY

NAME: Final = "api.cfgate.test"  # the host in the good certificate; no resolver knows it
_RUNNING: Final = {"jobstateid": 4, "jobstatename": "Running", "jobprogress": 40}
_TRUST: Final = {"SSL_CERT_FILE": str(CERTIFICATES / "ca.pem")}
# An address as `socket.getaddrinfo` gives it.
Address = tuple[socket.AddressFamily, socket.SocketKind, int, str, tuple[Any, ...]]
_CONTENT: Final = {"status", "body", "instead", "fields"}


@dataclass(frozen=True)
class Script:
    """What is played: Running for so many good answers, then Completed; and the fault at request `at`."""

    running: int
    fault: Fault | None = None
    at: int = 0
    damages: str = "Running"  # what the damaged answer would have said

    def hits(self, number: int) -> bool:
        """Whether the fault is played on this request."""
        return self.fault is not None and self.at <= number < self.at + self.fault.times


@dataclass
class Stage:
    """What a gate is told of the API, and what happens when it says something."""

    url: str
    environ: Mapping[str, str] = field(default_factory=dict)
    clock: JumpingClock | None = None
    hear: Callable[[str], None] = deaf


class JumpingClock(SystemClock):
    """A clock whose time of day somebody sets."""

    offset = 0.0

    def time(self) -> float:
        """Unix time, as it was set."""
        return super().time() + self.offset


class Resolver:
    """Stands in for the resolver: knows `NAME`, fails on demand, and notes who is asked for."""

    def __init__(self) -> None:
        self.asked: set[tuple[str, int]] = set()
        self.troubles: dict[int, Callable[[], list[Address]]] = {}  # by port: what comes before the true one
        self._real = socket.getaddrinfo

    def __call__(self, host: Any, port: Any, *args: Any, **kwargs: Any) -> Any:
        """Look a host up, as `socket.getaddrinfo` does."""
        self.asked.add((str(host), int(port)))
        before = self.troubles[port]() if port in self.troubles else []
        return [*before, *self._real("127.0.0.1" if host == NAME else host, port, *args, **kwargs)]


@contextmanager
def resolving() -> Iterator[Resolver]:
    """Put a resolver of ours in the place of the real one, for the whole process."""
    resolver = Resolver()
    real = socket.getaddrinfo
    socket.getaddrinfo = resolver
    try:
        yield resolver
    finally:
        socket.getaddrinfo = real


@contextmanager
def staged(script: Script, world: Played, resolver: Resolver, trap: int) -> Iterator[Stage]:
    """Play a script in the world of a fault; `trap` is a port where nobody must ever knock."""
    clock = JumpingClock()
    answers = 0
    front: Front | None = None

    def answering(_: str) -> None:
        """Hear from the simulator that it is about to answer."""
        nonlocal answers
        answers += 1
        if isinstance(world, Jump) and script.hits(answers):
            clock.offset = world.seconds
        if front is not None and answers == script.at - 1:
            _close(front, script)

    direct = isinstance(world, (Answered, Jump))
    scenario = parse(_scenario(script, direct=direct).replace("{trap}", str(trap)))
    simulated = Simulator(
        scenario, access_key=ACCESS_KEY, secret_key=SECRET_KEY, account_service_id=ASID, log=answering
    )
    with ExitStack() as stack:
        simulator = stack.enter_context(simulated)
        if direct:
            yield Stage(simulator.url, clock=clock)
            return
        front = stack.enter_context(Front(_serve(script, world, int(simulator.url.rpartition(":")[2]))))
        if script.at == 1:
            _close(front, script)
        if isinstance(world, Lookup):
            trouble = _trouble(stack, front.port, script, world)
            resolver.troubles[front.port] = trouble
        yield _fronted(front, world)


def _close(front: Front, script: Script) -> None:
    """Close the door of the front, if that is the fault."""
    if script.fault is not None and isinstance(script.fault.played, Door):
        {"shut": front.shut, "block": front.block}[script.fault.played.how]()


def _trouble(stack: ExitStack, port: int, script: Script, world: Lookup) -> Callable[[], list[Address]]:
    """Make what the resolver does before it gives the true address of a front."""
    numbers = count(1)
    dead: Address = (socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("::1", port, 0, 0))
    if world.before == "hole":
        dead = (socket.AF_INET, socket.SOCK_STREAM, 6, "", (stack.enter_context(hole(port)), port))

    def trouble() -> list[Address]:
        if not script.hits(next(numbers)):
            return []
        time.sleep(world.seconds)
        if world.error:
            raise socket.gaierror(world.error, "no luck")
        return [dead] if world.before else []

    return trouble


def _fronted(front: Front, world: Played) -> Stage:
    """Tell the gate the way to a front."""

    def hear(text: str) -> None:
        if "asking again in" in text:  # the gate has run into the closed door
            front.open()

    if _is_proxied(world):
        return Stage(
            f"https://{NAME}", {"HTTPS_PROXY": f"http://127.0.0.1:{front.port}", **_TRUST}, hear=hear
        )
    if _is_tls(world):
        return Stage(f"https://{NAME}:{front.port}", _TRUST, hear=hear)
    return Stage(f"http://127.0.0.1:{front.port}", hear=hear)


def _scenario(script: Script, *, direct: bool) -> str:
    """Write the scenario: JSON, which is YAML. Behind a front every answer ends its connection."""
    headers = {} if direct else {"headers": {"Connection": "close"}}
    faults: list[dict[str, Any]] = []
    if direct and script.fault is not None:
        played = script.fault.played
        what = dict(played.fault) if isinstance(played, (Answered, Jump)) else {}
        if script.damages == "Running" and not what.keys() & _CONTENT:
            what["fields"] = _RUNNING
        if what:
            faults.append({"requests": f"{script.at}-{script.at + script.fault.times - 1}", **what})
    faults.append({"requests": f"1-{script.running}", "fields": _RUNNING, **headers})
    if headers:
        faults.append(headers)
    return json.dumps({"life": [{"state": "Completed"}], "faults": faults})


def _serve(script: Script, world: Played, simulator: int) -> Callable[[socket.socket, int], None]:
    """Make what a front does with its nth connection."""

    def serve(connection: socket.socket, number: int) -> None:
        played = script.fault.played if script.fault is not None and script.hits(number) else None
        if isinstance(played, OnTheWire):
            played.play(connection, lambda: relayed(head_of(connection), simulator))
            return
        if _is_proxied(world):
            head_of(connection)
            if isinstance(played, Tunnel):
                _refuse(connection, played)
                return
            connection.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
        if _is_tls(world):
            connection = secured(connection, played.name if isinstance(played, Certificate) else "good")
        with connection:
            connection.sendall(relayed(head_of(connection), simulator))

    return serve


def _refuse(connection: socket.socket, played: Tunnel) -> None:
    """Answer as a proxy that does not connect."""
    if played.then == "drip":
        drip(connection, played.answer)
    else:
        connection.sendall(played.answer)
    if played.then == "stall":
        stall(connection)


def _is_proxied(world: Played) -> bool:
    return isinstance(world, Tunnel) or (isinstance(world, Door) and world.proxy)


def _is_tls(world: Played) -> bool:
    wire = isinstance(world, OnTheWire) and world.tls
    return isinstance(world, (Certificate, Lookup)) or wire or _is_proxied(world)
