"""Let a cadence wait for many jobs of a world, in virtual time, and tell what it cost.

request    sent; the API looks at the job half a round trip later; the answer is there after a whole one
pause      from the receipt of an answer to the sending of the next request
requests   R: all of a gate, from the first to the one that shows its end
latency    L: seconds from the end of the job to the receipt of the answer that shows it
E          R x L / D of the means over all jobs, D being the time from the start of the gate to the end
J          L + 0.03 s x R: what a studio feels, when it would wait 0.03 s to save a request
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from statistics import fmean
from typing import Final

from benchmarks.worlds import ID, Job, World
from cfgate.rules import judge_job
from cfgate.schedule import Pacing
from cfgate.system.clock import ApiClock

ROUND_TRIP: Final = 0.15  # seconds
REQUEST_WORTH: Final = 0.03  # seconds of latency

# Makes the pacing of one gate, from the number of its job.
Maker = Callable[[int], Pacing]


class VirtualClock:
    """A local clock that passes only when it is told to; it runs with the API's, but shows another time."""

    def __init__(self, start: float, error: float) -> None:
        self.now = 0.0
        self._shown = start + error

    def monotonic(self) -> float:
        """Seconds since the gate began."""
        return self.now

    def time(self) -> float:
        """Unix seconds, as wrong as the clock is set."""
        return self._shown + self.now

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds


@dataclass(frozen=True)
class Wait:
    """What one gate took for one job; times in seconds."""

    requests: int
    latency: float
    duration: float


@dataclass(frozen=True)
class Measurement:
    """What a cadence takes in a world: means over its jobs, and the worst latencies; times in seconds."""

    requests: float
    latency: float
    duration: float
    p95: float
    worst: float

    @property
    def efficiency(self) -> float:
        """E: requests x latency / duration, of the means."""
        return self.requests * self.latency / self.duration

    @property
    def cost(self) -> float:
        """J, in seconds."""
        return self.latency + REQUEST_WORTH * self.requests


def wait(job: Job, pacing: Pacing) -> Wait:
    """Wait for a job as the gate does, API clock included, on a network that loses nothing."""
    clock = VirtualClock(job.life.created + job.life.gate, job.world.clock_error)
    api_clock = ApiClock(clock)
    requests = 0
    while True:
        requests += 1
        sent = clock.now
        asked = job.life.gate + sent + ROUND_TRIP / 2
        status = judge_job(job.answer(asked), ID)
        clock.sleep(ROUND_TRIP)
        if asked >= job.end:
            duration = job.end - job.life.gate
            return Wait(requests, clock.now - duration, duration)
        api_clock.hear(math.floor(job.life.created + asked), sent, clock.now)
        clock.sleep(pacing.next_pause(status, api_clock.now()))


def measure(world: World, maker: Maker, jobs: int, seed: int) -> Measurement:
    """Wait for `jobs` jobs of a world; equal seeds make equal lives, whatever the cadence."""
    waits = [wait(world.job(f"{seed}/{number}"), maker(number)) for number in range(jobs)]
    latencies = sorted(each.latency for each in waits)
    return Measurement(
        requests=fmean(each.requests for each in waits),
        latency=fmean(latencies),
        duration=fmean(each.duration for each in waits),
        p95=latencies[math.ceil(0.95 * jobs) - 1],
        worst=latencies[-1],
    )
