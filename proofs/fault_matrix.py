"""Play every fault at every place of a run, over real sockets, and print what became of the gate.

    python -m proofs.fault_matrix [--markdown] [--only WORD] [--workers N]

A run without a fault is asked for three times (Running, Running, Completed). A fault hits it

    first      at its first request
    middle     at its second
    Completed  at the very answer that says Completed
    deadline   at the last look, when time is up; that answer would have said Completed too

and must be ridden out, but for those that end the gate by the rules of docs/verdicts.md (at the first request
only, or when they are repeated, for refusals). At the deadline
there is no time left for another look, so the gate must end as `timeout`, in time, and never green. Whatever
happens, the credentials stand in nothing that was written, and nobody but the API (or the proxy) was asked.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

from cfgate.model import GateStatus
from proofs import program
from proofs.faults import FAULTS, Answered, Door, Fault, Jump, OnTheWire, Played
from proofs.front import Front
from proofs.program import Ran
from proofs.stage import NAME, Resolver, Script, resolving, staged

_REQUEST_TIMEOUT: Final = 2.0  # seconds
_TOLERANCE: Final = 16.0  # seconds; longer than a refusal takes to be believed
_REPEATED: Final = 3  # refusals in a row, after which one is believed
_TIMEOUT: Final = 40.0  # seconds
_DEADLINE: Final = 2.0  # seconds, the time-out of those runs that are hit at the deadline
_SLACK: Final = 2.0  # seconds that may pass beyond time-out and request time-out
_WORKERS: Final = 32  # runs at once; they hardly do anything but wait


class Place(Enum):
    """Where a fault hits: at which request, after how many good answers, instead of which one."""

    FIRST = ("first", 1, 2, "Running")
    MIDDLE = ("middle", 2, 2, "Running")
    COMPLETED = ("Completed", 3, 2, "Completed")
    DEADLINE = ("deadline", 2, 1, "Completed")

    def __init__(self, label: str, at: int, running: int, damages: str) -> None:
        self.label = label
        self.at = at
        self.running = running
        self.damages = damages

    def script(self, fault: Fault) -> Script:
        """Write down what is played when the fault hits here."""
        # What the simulator plays takes the place of an answer of its own, but for what does no harm.
        replaces = isinstance(fault.played, Answered | Jump) and self.damages == "Running"
        replaced = fault.times if replaces and not fault.harmless else 0
        return Script(self.running + replaced, fault, self.at, self.damages)

    def spared_by(self, fault: Fault) -> bool:
        """Whether a fault must not cost anything here."""
        return fault.harmless or (fault.resent and self is not Place.FIRST)

    @property
    def inputs(self) -> dict[str, str]:
        """The settings of a run."""
        ending = {"timeout": f"{_DEADLINE:g}s", "poll-interval": "60s"} if self is Place.DEADLINE else {}
        return {
            "timeout": f"{_TIMEOUT:g}s",
            "request-timeout": f"{_REQUEST_TIMEOUT:g}s",
            "max-interval": "1s",
            "error-tolerance": f"{_TOLERANCE:g}s",
            "not-found-grace": f"{_TOLERANCE:g}s",
            **ending,
        }


@dataclass(frozen=True)
class Cell:
    """A fault at a place, what the gate made of it, and what is wrong with that."""

    fault: Fault
    place: Place
    ran: Ran
    lost: float  # seconds, against the run without a fault
    problems: tuple[str, ...]

    def __str__(self) -> str:
        mark = "✗ " if self.problems else ""
        lost = "at once" if at_once(self.fault, self.place) else f"{self.lost:+.1f} s"
        return f"{mark}{self.ran.status} {lost}, {self.ran.requests}"


def at_once(fault: Fault, place: Place) -> bool:
    """Say whether a fault ends the gate there and then."""
    return fault.end is not None and (place is Place.FIRST or not fault.refusal)


def expected(fault: Fault, place: Place) -> GateStatus:
    """Say how the gate must end."""
    repeated = fault.times >= _REPEATED and place is not Place.DEADLINE
    if fault.end is not None and (at_once(fault, place) or repeated):
        return fault.end
    late = place is Place.DEADLINE and not place.spared_by(fault)
    return GateStatus.TIMEOUT if late else GateStatus.READY


@dataclass(frozen=True)
class Matrix:
    """Plays the runs. `trap` is the port where redirects lead to."""

    resolver: Resolver
    trap: int

    def undisturbed(self, world: Played, place: Place) -> float:
        """Time a run without a fault, in seconds."""
        ran = self._run(Script(place.running), world, place)
        if ran.status != "ready":
            raise AssertionError(f"not even undisturbed: {ran.log}")
        return ran.seconds

    def cell(self, fault: Fault, place: Place, undisturbed: float) -> Cell:
        """Play one fault at one place, and judge what became of the gate."""
        ran = self._run(place.script(fault), fault.played, place)
        lost = ran.seconds - undisturbed
        return Cell(fault, place, ran, lost, tuple(_problems(fault, place, ran, lost)))

    def _run(self, script: Script, world: Played, place: Place) -> Ran:
        with staged(script, world, self.resolver, self.trap) as stage:
            inputs = {"api-url": stage.url, **place.inputs}
            return program.run(inputs, stage.environ, clock=stage.clock, hear=stage.hear)


def _kind(world: Played) -> str:
    """Tell the worlds apart whose undisturbed runs may take different times."""
    if isinstance(world, OnTheWire) and world.tls:
        return "TLS on the wire"
    return "proxy" if isinstance(world, Door) and world.proxy else type(world).__name__


def _problems(fault: Fault, place: Place, ran: Ran, lost: float) -> Iterable[str]:
    if fault.overtaking and (ran.status, ran.outputs.get("retries")) == ("ready", "0"):
        fault = replace(fault, resent=True)
    status = expected(fault, place)
    if (ran.status, ran.code) != (status.label, status.exit_code):
        yield f"ended {ran.status} ({ran.code}) and not {status.label}: {ran.outputs.get('reason')}"
    if ran.outputs["ready"] != ("true" if status is GateStatus.READY else "false"):
        yield f"the output `ready` is {ran.outputs['ready']}"
    if ran.leaks:
        yield f"leaked {', '.join(ran.leaks)}"
    if at_once(fault, place) and ran.requests != place.at - fault.unsent:
        yield f"was asked {ran.requests} times, though it ends the gate"
    if status is GateStatus.READY:
        wanted = 0 if place.spared_by(fault) else fault.times
        if int(ran.outputs["retries"]) != wanted:
            yield f"cost {ran.outputs['retries']} retries and not {wanted}"
        if fault.least and lost < fault.least:
            yield f"asked again {fault.least - lost:.1f} s too early"
    yield from _too_slow(place, ran, lost)


def _too_slow(place: Place, ran: Ran, lost: float) -> Iterable[str]:
    if place is Place.DEADLINE and ran.seconds > _DEADLINE + _REQUEST_TIMEOUT + _SLACK:
        yield f"ended {ran.seconds - _DEADLINE:.1f} s after the deadline"
    if lost > _TOLERANCE + _REQUEST_TIMEOUT:
        yield f"lost {lost:.1f} s"


def play(
    faults: Sequence[Fault], places: Sequence[Place] = tuple(Place), workers: int = _WORKERS
) -> tuple[list[Cell], list[str]]:
    """Play faults at places. Return the cells, row by row, and what is wrong with all of them together."""
    knocks: list[int] = []
    with (
        resolving() as resolver,
        Front(lambda _, number: knocks.append(number)) as trap,
        ThreadPoolExecutor(workers) as pool,
    ):
        program.run(
            {"rehearse": "ready", "timeout": "0"}
        )  # load what is loaded late: no run shall pay for it
        matrix = Matrix(resolver, trap.port)
        worlds = {(_kind(fault.played), place): fault.played for fault in faults for place in places}
        timed = {key: pool.submit(matrix.undisturbed, world, key[1]) for key, world in worlds.items()}
        times = {key: future.result() for key, future in timed.items()}
        played = [
            pool.submit(matrix.cell, fault, place, times[_kind(fault.played), place])
            for fault in faults
            for place in places
        ]
        cells = [future.result() for future in played]
    strangers = {host for host, _ in resolver.asked} - {NAME, "127.0.0.1"}
    problems = [f"asked for {', '.join(sorted(strangers))}"] if strangers else []
    if knocks or trap.port in {port for _, port in resolver.asked}:
        problems.append("followed a redirect")
    return cells, problems


def table(cells: Sequence[Cell], places: Sequence[Place], *, markdown: bool) -> Iterable[str]:
    """Lay the cells out: a row for each fault, a column for each place."""
    starts = range(0, len(cells), len(places))
    rows = [["fault", *(place.label for place in places)]]
    rows += [[cells[at].fault.name, *map(str, cells[at : at + len(places)])] for at in starts]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    if markdown:
        rows.insert(1, ["-" * width for width in widths])
    for row in rows:
        padded = [f"{text:<{width}}" for text, width in zip(row, widths, strict=True)]
        yield f"| {' | '.join(padded)} |" if markdown else "  ".join(padded).rstrip()


def main() -> int:
    """Print the table; exit 1 when anything in it is wrong."""
    parser = argparse.ArgumentParser(prog="fault_matrix", description="Play every fault at every place.")
    parser.add_argument("--markdown", action="store_true", help="print a table for a document")
    parser.add_argument("--only", default="", metavar="WORD", help="only faults with this in their name")
    parser.add_argument("--workers", type=int, default=_WORKERS, metavar="N", help="runs at once")
    arguments = parser.parse_args()
    faults = [fault for fault in FAULTS if arguments.only in fault.name]
    began = time.monotonic()
    cells, problems = play(faults, tuple(Place), arguments.workers)
    print(*table(cells, tuple(Place), markdown=arguments.markdown), sep="\n")
    problems += [f"{cell.fault.name}, {cell.place.label}: {each}" for cell in cells for each in cell.problems]
    print(
        f"\n{len(cells)} runs in {time.monotonic() - began:.0f} s; each: how it ended, time lost, requests."
    )
    print(*problems or ["All as it must be; nothing leaked, and nobody else was asked."], sep="\n")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
