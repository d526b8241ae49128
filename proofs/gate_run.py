"""A gate in virtual time: the real one, on a clock that jumps, and what the oracle says about the run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from cfgate.gate.loop import Gate
from cfgate.model import Answer, GateStatus, Outcome, Plan, Target
from cfgate.model.events import Ended, Event
from cfgate.schedule import Pacing
from proofs import oracle
from proofs.oracle import Look, Rules

# A sleep never ends early, and always a little late: by so many seconds.
_LATE: Final = 1e-4
_SLACK: Final = 2.0  # seconds that a run may take beyond time-out and request time-out
_NOON: Final = 1_795_435_200.0  # Unix seconds at which every run begins


class Stopped(BaseException):
    """The run is over from outside: a signal came, or the script is at its end."""


class VirtualClock:
    """A clock on which waiting takes no time. `skew` is how far the local time of day is ahead."""

    def __init__(self, skew: float = 0.0) -> None:
        self.now = 0.0
        self.skew = skew
        self.alarm = float("inf")  # when to raise Stopped

    def monotonic(self) -> float:
        """Seconds since the run began."""
        return self.now

    def time(self) -> float:
        """Unix time as this machine believes it."""
        return self.true_time() + self.skew

    def true_time(self) -> float:
        """Unix time as it is."""
        return _NOON + self.now

    def sleep(self, seconds: float) -> None:
        """Let time pass, and a little more."""
        self.spend(max(seconds, 0.0) + _LATE)

    def spend(self, seconds: float) -> None:
        """Let time pass; raise Stopped at the alarm."""
        if self.now + seconds >= self.alarm:
            self.now = max(self.now, self.alarm)
            raise Stopped
        self.now += seconds


def plan(target: Target, rules: Rules) -> Plan:
    """Write the rules down as the gate takes them."""
    return Plan(
        target,
        timeout=rules.timeout,
        poll_interval=rules.asked_pause or None,
        max_interval=rules.pauses[1],
        error_tolerance=rules.error_tolerance,
        not_found_grace=rules.not_found_grace,
        stall_timeout=rules.stall_timeout,
    )


@dataclass
class GateRun:
    """One run of a gate. `ask` sends a request and counts it; it notes the look, and answers or raises."""

    target: Target
    rules: Rules
    clock: VirtualClock
    pacing: Pacing
    ask: Callable[[Callable[[], None]], Answer]
    looks: list[Look]
    longest_request: float = float("inf")  # seconds
    events: list[Event] = field(default_factory=list)
    outcome: Outcome | None = None
    stopped: bool = False

    def run(self) -> Outcome:
        """Run the gate to its end, or until it is stopped."""
        chosen = plan(self.target, self.rules)
        gate = Gate(chosen, self.ask, self.pacing, self.events.append, self.clock)
        try:
            self.outcome = gate.wait()
        except Stopped:
            self.stopped = True
            self.outcome = gate.so_far(GateStatus.INTERRUPTED, "stopped by SIGTERM")
        return self.outcome

    def problems(self) -> Iterator[str]:
        """Compare the run with the rules: every pause, the ending, the count of requests, the events."""
        if self.outcome is None:
            raise ValueError("run it first")
        for number, look in enumerate(self.looks, start=1):
            so_far = self.looks[:number]
            due = oracle.ending(so_far, self.rules)
            if number < len(self.looks):
                yield from self._gap(number, due)
            elif not self.stopped and due != self.outcome.status.label:
                yield f"ended {self.outcome.status.label} after look {number}, where {due} was due"
            elif self.stopped and due is not None:
                yield f"went on after look {number}, where {due} was due"
            if look.sent > self.rules.timeout + 2 * _LATE:
                yield f"asked {look.sent - self.rules.timeout:.3f} s after the deadline"
        yield from self._told(self.outcome)

    def _gap(self, number: int, due: str | None) -> Iterator[str]:
        """Check the pause between a look and the next."""
        gap = self.looks[number].sent - self.looks[number - 1].received
        if due is not None:
            yield f"went on after look {number}, where {due} was due"
            return
        low, high = oracle.pause(self.looks[:number], self.rules)
        if not low - _LATE <= gap <= high + 2 * _LATE:
            yield f"paused {gap:.4f} s after look {number}, not between {low:.4f} and {high:.4f}"

    def _told(self, outcome: Outcome) -> Iterator[str]:
        endings = [event for event in self.events if isinstance(event, Ended)]
        if len(endings) != (0 if self.stopped else 1) or (endings and endings[0] is not self.events[-1]):
            yield f"told of {len(endings)} endings"
        if self.clock.now > self.rules.timeout + self.longest_request + _SLACK:
            yield f"went on until {self.clock.now:.1f} s"
        under_way = outcome.requests - len(self.looks)
        if under_way not in ((0, 1) if self.stopped else (0,)):
            yield f"counted {outcome.requests} requests, not {len(self.looks)}"
        # The first look, two a second, and the last one at the deadline.
        if outcome.requests > 2 * self.clock.now + 3:
            yield f"sent {outcome.requests} requests in {self.clock.now:.1f} s"
        advised = outcome.status in (GateStatus.READY, GateStatus.INTERRUPTED) or bool(outcome.remedy)
        if not (outcome.reason and advised):
            yield "gave no reason or no remedy"
        if [event.at for event in self.events] != sorted(event.at for event in self.events):
            yield "told of things in the wrong order"
