"""What separate pipelines cost that wait for the same job, in virtual time: `python -m benchmarks.same_job`.

Each has a gate of its own, which knows nothing of the others and starts within a minute of the first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from random import Random
from statistics import fmean

from benchmarks.measure import ROUND_TRIP, wait
from benchmarks.worlds import IMPROVING, NOTHING, STEADY, Job, World
from cfgate.model import JobStatus
from cfgate.schedule import Cadence, Pacing

GATES = 200
SPREAD = 60.0  # seconds
SEEDS = 20


class Recorder:
    """A pacing that records when the requests after its pauses are sent, in Unix seconds at the API."""

    def __init__(self, pacing: Pacing) -> None:
        self._pacing = pacing
        self.sent: list[float] = []

    def next_pause(self, status: JobStatus, now: float) -> float:
        """Return the pause, and record when it ends."""
        pause = self._pacing.next_pause(status, now)
        self.sent.append(now + pause)
        return pause

    def time_left(self, now: float) -> float | None:
        """Return what the pacing returns."""
        return self._pacing.time_left(now)


def _gates(world: World, seed: int, gates: int) -> Iterator[tuple[int, list[float]]]:
    """Let the gates wait for one job; yield the requests of each, and when they were sent."""
    starts = Random(seed)
    for number in range(gates):
        job: Job = world.job(str(seed))
        job.life = replace(job.life, gate=starts.uniform(0.0, min(SPREAD, job.end - ROUND_TRIP)))
        recorder = Recorder(Cadence(seed=1000 * seed + number))
        yield wait(job, recorder).requests, recorder.sent


def busiest(world: World, gates: int) -> tuple[float, float]:
    """Return the most requests in one second, and all of them, as means over some jobs."""
    peaks, totals = [], []
    for seed in range(SEEDS):
        waits = list(_gates(world, seed, gates))
        seconds = Counter(int(sent) for _, times in waits for sent in times)
        peaks.append(max(seconds.values()))
        totals.append(sum(requests for requests, _ in waits))
    return fmean(peaks), fmean(totals)


def main() -> None:
    """Print a line for each of three worlds."""
    for world in (IMPROVING, STEADY, NOTHING):
        for gates in (1, GATES):
            peak, total = busiest(world, gates)
            print(f"{world.name}: {gates} gates, {total:.0f} requests, {peak:.0f} in the busiest second")


if __name__ == "__main__":
    main()
