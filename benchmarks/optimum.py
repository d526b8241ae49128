"""The least E that a gate can reach that knows how the jobs of a world are distributed: dynamic programming.

Each plan is the optimum of delay + price x requests over all pauses within the bounds, computed backwards
from the end, for the best price. It knows what no gate knows: the distribution that the world draws from. It
is a pacing, so that it is measured on the same jobs as everybody else.

`Silent`     nothing is known but when the job was started: the state is its age, and the plan exact.
`Announced`  an end was announced once: the state is the age, for each announced duration. Exact as well.
`Renewed`    every answer has a new estimate: the state is the newest one, and the plan the best of those that
             use no older ones.

There is none for progress: what is known there is a polygon, and no number stands for it.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from bisect import bisect_right
from collections.abc import Callable, Sequence
from functools import cache
from statistics import NormalDist, fmean
from typing import Final

from benchmarks.measure import ROUND_TRIP, Measurement, measure
from benchmarks.worlds import BY_NAME, World
from cfgate.model import JobState, JobStatus
from cfgate.schedule import Pacing

LONGEST: Final = 15.0  # seconds: the bounds of a pause, by default
SHORTEST: Final = 0.5
CELL: Final = SHORTEST + ROUND_TRIP  # seconds from one look to the next: a whole number of these
MOST: Final = int((LONGEST + ROUND_TRIP) / CELL)
PRICES: Final = (0.003, 0.006, 0.012, 0.025, 0.05)  # seconds of delay for a request

_NORMAL: Final = NormalDist()

# The share of jobs that have ended so many seconds after they began to run.
Ended = Callable[[float], float]


def by_age(ended: Ended, horizon: float, price: float) -> list[float]:
    """Return the best pause for every cell of the age of a running job."""
    cells = int(horizon / CELL)
    gone = [ended(index * CELL) if index else 0.0 for index in range(cells + MOST + 1)]
    # delay[n]: of all jobs that end before n, to a look at n, if it were the first; so that of those that end
    # between two looks is a difference.
    delay = [0.0]
    for index in range(1, len(gone)):
        delay.append(delay[-1] + (gone[index - 1] + gone[index]) / 2 * CELL)
    costs = [0.0] * (cells + MOST + 1)  # times the share that still runs
    pauses = [0.0] * cells
    for here in range(cells - 1, -1, -1):
        running = 1 - gone[here]
        best = math.inf
        for gap in range(1, MOST + 1):
            then = here + gap
            late = delay[then] - delay[here] - gone[here] * gap * CELL
            cost = price * running + late + costs[then]
            if cost < best:
                best, pauses[here] = cost, gap * CELL - ROUND_TRIP
        costs[here] = best
    return pauses


class Plan(ABC):
    """A pacing that pauses as long as it may while a job waits, and in a run as a plan says."""

    def next_pause(self, status: JobStatus, now: float) -> float:
        """Return the pause of the plan."""
        if status.state is not JobState.RUNNING or status.started is None:
            return LONGEST
        return min(max(self.planned(status, status.started, now), SHORTEST), LONGEST)

    @abstractmethod
    def planned(self, status: JobStatus, started: float, now: float) -> float:
        """Return the best pause for a running job."""

    def time_left(self, now: float) -> float | None:  # noqa: ARG002 - only pauses are measured
        """Know nothing."""
        return None


class Silent(Plan):
    """Knows how long the jobs of a world run, and nothing of this one."""

    def __init__(self, world: World, price: float) -> None:
        """Plan for a world and a price."""
        self._pauses = _silent(world.running, world.sigma, price)

    def planned(self, status: JobStatus, started: float, now: float) -> float:  # noqa: ARG002 - silent
        """Go by the age."""
        return _at(self._pauses, now - started)


class Announced(Plan):
    """Knows an estimate from the start, and how wrong it may be."""

    def __init__(self, error: float, price: float) -> None:
        """Plan for estimates that are off by this share, and a price."""
        self._error, self._price = error, price

    def planned(self, status: JobStatus, started: float, now: float) -> float:
        """Go by the age, and by what was announced, to 3 %."""
        step = round(math.log(max((status.eta or started) - started, 1.0)) / 0.03)
        return _at(_announced(step, self._error, self._price), now - started)


class Renewed(Plan):
    """Knows a new estimate with every answer, and how wrong those are."""

    def __init__(self, error: float, price: float) -> None:
        """Plan for estimates that are off by this share of what remains, and a price."""
        self._pauses = _renewed(error, price)

    def planned(self, status: JobStatus, started: float, now: float) -> float:  # noqa: ARG002 - age says nothing
        """Go by what is announced to remain."""
        left = (status.eta or now) - now
        return self._pauses[max(bisect_right(HEARD, left) - 1, 0)]


def _at(pauses: Sequence[float], age: float) -> float:
    return pauses[min(max(round(age / CELL), 0), len(pauses) - 1)]


@cache
def _silent(running: float, sigma: float, price: float) -> list[float]:
    spread = NormalDist(math.log(running), sigma)
    return by_age(lambda seconds: spread.cdf(math.log(seconds)), 8 * running, price)


@cache
def _announced(step: int, error: float, price: float) -> list[float]:
    announced = math.exp(0.03 * step)
    return by_age(
        lambda seconds: _NORMAL.cdf((1 - announced / seconds) / error),
        announced / max(1 - 3.5 * error, 0.2),
        price,
    )


# What may remain, and what may be announced to remain, in seconds; beyond, the pause is the longest.
RESTS: Final = [0.05 * 1.1**power for power in range(82)]
HEARD: Final = [-1.0, -0.5, 0.0, *(0.25 * 1.08**power for power in range(80))]
GAPS: Final = [min(CELL * 1.08**power, LONGEST + ROUND_TRIP) for power in range(43)]


@cache
def _renewed(error: float, price: float) -> tuple[float, ...]:
    """Return the best pause for each rest of `HEARD`, by iteration of the policy.

    Backwards from the end, what each rest costs under the policy; forwards, how often a gate comes to look at
    each rest; then for all that is heard the best pause in the light of both, until nothing changes.
    """
    heard = [_heard(rest, error) for rest in RESTS]
    gaps = [min(max(said / 2, CELL), GAPS[-1]) for said in HEARD]
    for _ in range(15):
        costs: list[float] = []
        for rest, places in zip(RESTS, heard, strict=True):
            costs.append(fmean(_cost(gaps[place], rest, price, costs) for place in places))
        visits = [1.0 if rest > RESTS[-1] - LONGEST else 0.0 for rest in RESTS]
        seen: list[list[tuple[float, float]]] = [[] for _ in HEARD]  # the rest that it was, how often
        for index in range(len(RESTS) - 1, 0, -1):
            for place in heard[index]:
                often = visits[index] / len(heard[index])
                seen[place].append((RESTS[index], often))
                if RESTS[index] > gaps[place]:
                    below, share = _place(RESTS[index] - gaps[place])
                    visits[below] += often * (1 - share)
                    visits[below + 1] += often * share
        better = [
            min(GAPS, key=lambda gap: sum(often * _cost(gap, rest, price, costs) for rest, often in cases))
            if cases
            else gaps[place]
            for place, cases in enumerate(seen)
        ]
        if better == gaps:
            break
        gaps = better
    return tuple(gap - ROUND_TRIP for gap in gaps)


def _heard(rest: float, error: float) -> list[int]:
    """Return the places in `HEARD` of what may be announced when so much remains, all equally likely."""
    factors = [max(1 + error * _NORMAL.inv_cdf((number + 0.5) / 12), 0.1) for number in range(12)]
    said = [rest * factor + rounding for factor in factors for rounding in (-1 / 3, 0.0, 1 / 3)]
    return [max(bisect_right(HEARD, each - ROUND_TRIP / 2) - 1, 0) for each in said]


def _cost(gap: float, rest: float, price: float, costs: Sequence[float]) -> float:
    """Return what the next look costs, so many seconds later, and all that follow it."""
    if rest <= gap:
        return price + gap - rest
    below, share = _place(rest - gap)
    return price + costs[below] * (1 - share) + costs[min(below + 1, len(costs) - 1)] * share


def _place(rest: float) -> tuple[int, float]:
    """Return the place in `RESTS` at or below this one, and how far it is to the next, as a share."""
    below = min(max(bisect_right(RESTS, rest) - 1, 0), len(RESTS) - 2)
    return below, min(max((rest - RESTS[below]) / (RESTS[below + 1] - RESTS[below]), 0.0), 1.0)


_SILENT: Final = ("no estimate, no progress",)
_ANNOUNCED: Final = {"one fixed estimate, 15 % off": 0.15}
_RENEWED: Final = {"the estimate improves": 0.2, "the estimate improves, 50 % off": 0.5}
NAMES: Final = (*_RENEWED, *_ANNOUNCED, *_SILENT)


def optimum(name: str, jobs: int, seed: int) -> Measurement:
    """Measure the best plan for a world, at the price with which E is the least."""
    world = BY_NAME[name]
    return min(
        (measure(world, lambda _, price=price: _plan(world, price), jobs, seed) for price in PRICES),  # type: ignore[misc]
        key=lambda measured: measured.efficiency,
    )


def _plan(world: World, price: float) -> Pacing:
    if world.name in _RENEWED:
        return Renewed(_RENEWED[world.name], price)
    if world.name in _ANNOUNCED:
        return Announced(_ANNOUNCED[world.name], price)
    return Silent(world, price)
