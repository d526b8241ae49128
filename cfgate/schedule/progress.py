"""The second clue: the end that the measured rate of `jobprogress` leads to."""

from __future__ import annotations

import math
from typing import Final, NamedTuple

from cfgate.model import JobState, JobStatus
from cfgate.schedule.forecast import FINEST, TELLING, Forecast, TrackRecord

# A rate that was measured here is taken to be off by a fiftieth, until its record says something else.
MEASURED: Final = 0.02

# Per cents per second: no rate is above it, since a job that takes less than a second needs no forecast.
FASTEST: Final = 100.0


class Level(NamedTuple):
    """A value of `jobprogress`, and the first and the last moment at which it is known to have been shown."""

    percent: int
    since: float
    until: float


class Line(NamedTuple):
    """A steady progress: the per cents that are true now, and how many are added per second."""

    percent: float
    rate: float


class ProgressClue:
    """The end that the progress leads to, if it goes on as it went lately.

    A number in whole per cents says little about now: the truth is anywhere up to the next step. It says a
    lot about the moments at which it changes. So every level gives two bounds on the true progress: at least
    this much since it was first seen, less than the next step when it was last seen. The steady progresses
    that keep within all bounds are a polygon in the plane of (per cents now, rate). It is cut out from the
    newest level backwards, as long as something is left of it: the rate is taken over the longest recent
    stretch that was steady. A slow tail or a new start drops what was before it, with no threshold to tune.
    """

    def __init__(self) -> None:
        self._record = TrackRecord(MEASURED)
        self._levels: list[Level] = []  # rising; no value twice, so never more than 101
        self._fallen = 0

    def hear(self, status: JobStatus, now: float) -> Forecast | None:
        """Take in an answer; `None` when there is no rate yet, or the number is noise."""
        if status.state is not JobState.RUNNING or status.progress is None:
            self._record.forget()
            self._levels.clear()
            self._fallen = 0
            return None
        self._file(status.progress, status.updated, now)
        if len(self._levels) < 2 or self._fallen > status.progress:
            return None  # it has not moved, or it has fallen by more than it shows
        left, width = self._extrapolate(now)
        error = self._record.judge(now + left, now)
        # Lines within a range deviate from their mean by about a quarter of it. The forecast is never vaguer
        # than "as long again", or the errors of an old rate would drown the new one.
        spread = min(math.hypot(width / 4, error * left), max(left, 0.0))
        proven = self._record.tested and spread <= TELLING * left
        return Forecast(now + left, math.hypot(spread, FINEST), proven=proven)

    def _file(self, percent: int, updated: int | None, now: float) -> None:
        """Note which level was shown, and since when."""
        levels = self._levels
        heard = levels[-1].until if levels else now
        if levels:
            self._fallen += max(levels[-1].percent - percent, 0)
        while levels and levels[-1].percent > percent:
            levels.pop()  # what it takes back, it has never shown
        if levels and levels[-1].percent == percent:
            levels[-1] = levels[-1]._replace(until=now)
            return
        # `jobupdated` may tell, to the second, when a level was reached that we see only now. Where it means
        # something else, it is no later than the last answer or no earlier than this one.
        reached = now if updated is None else updated + 1.0
        levels.append(Level(percent, reached if heard < reached < now else now, now))

    def _extrapolate(self, now: float) -> tuple[float, float]:
        """Return the seconds that are left at the measured rate, and how far apart the extremes are."""
        lines = self._steady(now)
        percent = sum(line.percent for line in lines) / len(lines)
        rate = sum(line.rate for line in lines) / len(lines)
        left = (100 - percent) / rate
        ends = [(100 - line.percent) / line.rate if line.rate > 0 else math.inf for line in lines]
        return left, min(max(ends) - min(ends), 3 * abs(left))

    def _steady(self, now: float) -> list[Line]:
        """Return the corners of the set of steady progresses that the newest levels allow."""
        newest = self._levels[-1].percent
        step = math.gcd(*(level.percent for level in self._levels if level.percent < 100)) or 1
        lines = [
            Line(newest, 0.0),
            Line(newest + step, 0.0),
            Line(newest + step, FASTEST),
            Line(newest, FASTEST),
        ]
        for level in reversed(self._levels):
            fewer = _cut(lines, -1.0, now - level.since, -level.percent)
            fewer = _cut(fewer, 1.0, level.until - now, level.percent + step)
            if len(fewer) < 3:
                break
            lines = fewer
        return lines


def _cut(corners: list[Line], a: float, b: float, most: float) -> list[Line]:
    """Keep the part of a convex polygon where a * percent + b * rate <= most (Sutherland and Hodgman)."""
    excess = [a * percent + b * rate - most for percent, rate in corners]
    if max(excess, default=0.0) <= 0:
        return corners
    kept: list[Line] = []
    for index, (here, over) in enumerate(zip(corners, excess, strict=True)):
        before, was_over = corners[index - 1], excess[index - 1]
        if over * was_over < 0:
            share = was_over / (was_over - over)
            percent = before.percent + share * (here.percent - before.percent)
            kept.append(Line(percent, before.rate + share * (here.rate - before.rate)))
        if over <= 0:
            kept.append(here)
    return kept
