"""The cadences of other gates, as their defaults have them, and two simple rules that use the answers."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain, repeat
from random import Random
from typing import Final

from cfgate.model import JobStatus
from cfgate.schedule import Pacing


class Blind:
    """A cadence that does not read the answers: one pause after the other."""

    def __init__(self, *first: float, then: float) -> None:
        self._pauses = chain(first, repeat(then))

    def next_pause(self, status: JobStatus, now: float) -> float:  # noqa: ARG002 - blind
        """Return the next pause."""
        return next(self._pauses)

    def time_left(self, now: float) -> float | None:  # noqa: ARG002 - blind
        """Know nothing."""
        return None


class BackOff(Blind):
    """Exponential back-off with full jitter, from 15 s to 600 s, as the waiters of cloud SDKs have it."""

    def __init__(self, rng: Random) -> None:
        shortest, longest = 15.0, 600.0
        doublings = int(math.log2(longest / shortest)) + 1
        jittered = (rng.uniform(shortest, shortest * 2**attempt) for attempt in range(doublings))
        super().__init__(*jittered, then=longest)


class HalfOfWhatRemains:
    """A simple rule: pause for half of what the announced end leaves, from 1 s to 15 s."""

    def next_pause(self, status: JobStatus, now: float) -> float:
        """Return half of what is announced to remain."""
        if status.eta is None:
            return 15.0
        return min(max((status.eta - now) / 2, 1.0), 15.0)

    def time_left(self, now: float) -> float | None:  # noqa: ARG002 - only pauses are measured
        """Tell nothing."""
        return None


class AverageRate:
    """A simple rule: pause for half of what the average rate since the first per cent leaves, 1 s to 15 s."""

    def __init__(self) -> None:
        self._since: float | None = None

    def next_pause(self, status: JobStatus, now: float) -> float:
        """Return half of what remains at the average rate."""
        if not status.progress:
            self._since = now
        if not status.progress or self._since is None:
            return 15.0
        remains = (now - self._since) * (100 - status.progress) / status.progress
        return min(max(remains / 2, 1.0), 15.0)

    def time_left(self, now: float) -> float | None:  # noqa: ARG002 - only pauses are measured
        """Tell nothing."""
        return None


@dataclass(frozen=True)
class Peer:
    """A cadence to compare with; `make` takes the number of the job."""

    name: str
    make: Callable[[int], Pacing]


def _every(seconds: float) -> Peer:
    return Peer(f"every {seconds:g} s", lambda _: Blind(then=seconds))


# None of these reads the answers: they cost the same in every world.
PEERS: Final = (
    _every(1),
    _every(5),
    _every(10),
    _every(15),
    _every(20),
    _every(30),
    Peer("doubling to 10 s", lambda _: Blind(1, 2, 4, 8, then=10)),
    Peer("Fibonacci to 7 s", lambda _: Blind(1, 1, 2, 3, 5, then=7)),
    Peer("back-off, 15 s to 600 s", lambda number: BackOff(Random(number))),
)
SIMPLE_RULES: Final = (
    Peer("half of what jobeta leaves", lambda _: HalfOfWhatRemains()),
    Peer("half of what the average rate leaves", lambda _: AverageRate()),
)
