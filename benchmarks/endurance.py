"""What one answer costs after ten thousand of them: counted, not timed, and so the same on every machine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final
from unittest import mock

from benchmarks.worlds import ID, World
from cfgate.rules import judge_job
from cfgate.schedule import Cadence, progress

ANSWERS: Final = 10_000
# Corners that are looked at for one answer: two cuts for each of 101 levels and for the start, and a polygon
# that keeps some ten corners. An answer may take 5 ms, which is a microsecond for each.
LIMIT: Final = 5_000


def endure(world: World) -> int:
    """Let a job answer ten thousand times; return the most corners that an answer made the cadence look at.

    The first half of the answers comes in its life; with the rest, a second apart, it stands still as it was
    last.
    """
    job, cadence = world.job("endurance"), Cadence(seed=1)
    counted = most = 0

    def count(cut: Callable[..., list[progress.Line]]) -> Callable[..., list[progress.Line]]:
        def counting(corners: list[progress.Line], *line: float) -> list[progress.Line]:
            nonlocal counted
            counted += len(corners)
            return cut(corners, *line)

        return counting

    with mock.patch.object(progress, "_cut", count(progress._cut)):  # noqa: SLF001 - to count what it does
        for number in range(ANSWERS):
            at = job.end * min(number / ANSWERS * 2, 0.999)
            waited = max(number - ANSWERS / 2, 0)
            counted = 0
            cadence.next_pause(judge_job(job.answer(at), ID), job.life.created + at + waited)
            most = max(most, counted)
    return most
