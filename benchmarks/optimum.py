"""The least E that can be reached where no answer tells anything new about the end: the square-root rule.

When the distribution of the end is known, the best rate of looking is proportional to the square root of its
hazard rate. Here it is the best that keeps to the bounds of a pause, with the factor that makes E the least.
It knows more than any gate: the very distribution that the world draws from.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from statistics import NormalDist, fmean
from typing import Final

from benchmarks.measure import ROUND_TRIP
from benchmarks.worlds import World

STEP: Final = 1.0  # seconds of integration
QUANTILES: Final = [(each + 0.5) / 20 for each in range(20)]
ERROR: Final = 0.15  # of the fixed estimate
LEAST: Final = 1 / (15.0 + ROUND_TRIP)  # looks per second: the bounds of a pause, by default
MOST: Final = 1 / (1.0 + ROUND_TRIP)

_NORMAL: Final = NormalDist()

# The share of jobs that have ended so many seconds after they began to run.
Ended = Callable[[float], float]


def best_blind(world: World) -> float:
    """Return the least E for a gate that knows how long jobs of this world run, and nothing of this one."""
    spread = NormalDist(math.log(world.running), world.sigma)
    return _best(world, [lambda seconds: spread.cdf(math.log(seconds))])


def best_estimate(world: World) -> float:
    """Return the least E for a gate that knows an estimate from the start, and how wrong it may be."""
    spread = NormalDist(math.log(world.running), world.sigma)
    return _best(world, [_around(math.exp(spread.inv_cdf(each))) for each in QUANTILES])


def _around(announced: float) -> Ended:
    """Distribute the true duration of a job for which `announced` seconds, off by `ERROR`, were announced."""
    return lambda seconds: _NORMAL.cdf((1 - announced / seconds) / ERROR)


def _best(world: World, beliefs: list[Ended]) -> float:
    """Try factors for the rate; a belief is about one job, and the means are over all of them."""
    queued, running = (median * math.exp(world.sigma**2 / 2) for median in (world.queued, world.running))
    hazards = [list(_hazards(ended, 6 * world.running)) for ended in beliefs]
    results = []
    for power in range(-12, 13):
        costs = [_cost(each, 1.4**power) for each in hazards]
        # The first look, half of one that goes past the end on average, and those in the queue.
        requests = 1.5 + queued * LEAST + fmean(looks for looks, _ in costs)
        latency = ROUND_TRIP / 2 + fmean(delay for _, delay in costs)
        results.append(requests * latency / (queued + running))
    return min(results)


def _hazards(ended: Ended, horizon: float) -> Iterator[tuple[float, float]]:
    """Yield the share that still runs, and its hazard rate, for each step."""
    before = 0.0
    for number in range(1, int(horizon / STEP)):
        after = ended(number * STEP)
        if before > 1 - 1e-6:
            return
        yield 1 - before, (after - before) / (1 - before) / STEP
        before = after


def _cost(hazards: list[tuple[float, float]], factor: float) -> tuple[float, float]:
    """Return looks and delay of a rate that is `factor` times the root of the hazard, within the bounds."""
    looks = delay = 0.0
    for running, hazard in hazards:
        rate = min(max(factor * math.sqrt(hazard), LEAST), MOST)
        looks += running * rate * STEP
        delay += running * hazard * STEP / (2 * rate)
    return looks, delay
