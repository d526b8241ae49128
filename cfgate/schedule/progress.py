"""The second clue: the end that the measured rate of `jobprogress` leads to."""

from __future__ import annotations

import math
from typing import Final, NamedTuple

from cfgate.model import JobState, JobStatus
from cfgate.schedule.forecast import FINEST, TELLING, Forecast, TrackRecord

# A rate that was measured here is taken to be off by a fiftieth, until its record says something else.
MEASURED: Final = 0.02

# Per cents per second: from "not in this century" to "within a second", where no forecast is needed.
SLOWEST: Final = 1e-8
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
    that keep within all bounds are a polygon in the plane of (per cents now, rate), and every answer cuts a
    piece off. When nothing is left of it, the pace has changed: it is cut anew, from the newest level
    backwards, as long as something is left. So the rate is always taken over the longest recent stretch that
    was steady; a slow tail or a new start drops what was before it, with no threshold to tune.
    """

    def __init__(self) -> None:
        self._record = TrackRecord(MEASURED)
        self._forget()

    def _forget(self) -> None:
        self._record.forget()
        self._levels: list[Level] = []  # rising; no value twice, so never more than 101
        self._step = 0
        self._fallen = 0
        self._lines: list[Line] = []  # the corners of the polygon, as of `_heard`
        self._heard = 0.0

    def hear(self, status: JobStatus, now: float) -> Forecast | None:
        """Take in an answer; `None` when there is no rate yet, or the number is noise."""
        if status.state is not JobState.RUNNING or status.progress is None:
            self._forget()
            return None
        self._file(status.progress, status.updated, now)
        self._cut_lines(now)
        self._heard = now
        if len(self._levels) < 2 or self._fallen > status.progress:
            return None  # it has not moved, or it has fallen by more than it shows
        left, width = self._extrapolate()
        error = self._record.judge(now + left, now)
        # Lines within a range deviate from their mean by about a quarter of it. The forecast is never vaguer
        # than "as long again", or the errors of an old rate would drown the new one.
        spread = min(math.hypot(width / 4, error * left), max(left, 0.0))
        proven = self._record.tested and spread <= TELLING * left
        return Forecast(now + left, math.hypot(spread, FINEST), proven=proven)

    def _file(self, percent: int, updated: int | None, now: float) -> None:
        """Note which level was shown, and since when."""
        levels = self._levels
        if levels and percent < levels[-1].percent:
            self._fallen += levels[-1].percent - percent
            self._lines.clear()
            while levels and levels[-1].percent > percent:
                levels.pop()  # what it takes back, it has never shown
        if levels and levels[-1].percent == percent:
            levels[-1] = levels[-1]._replace(until=now)
            return
        # `jobupdated` may tell, to the second, when a level was reached that we see only now. Where it means
        # something else, it is no later than the last answer or no earlier than this one.
        reached = now if updated is None or not levels else updated + 1.0
        levels.append(Level(percent, reached if self._heard < reached < now else now, now))
        step = math.gcd(*(level.percent for level in levels if level.percent < 100)) or 1
        if step != self._step:
            self._step = step
            self._lines.clear()

    def _cut_lines(self, now: float) -> None:
        """Cut off what the newest level excludes; begin anew when nothing is left."""
        passed = now - self._heard
        moved = [Line(percent + rate * passed, rate) for percent, rate in self._lines]
        self._lines = self._within(moved, self._levels[-1], now)
        if self._lines:
            return
        newest = self._levels[-1].percent
        self._lines = [
            Line(newest, SLOWEST),
            Line(newest + self._step, SLOWEST),
            Line(newest + self._step, FASTEST),
            Line(newest, FASTEST),
        ]
        for level in reversed(self._levels):
            fewer = self._within(self._lines, level, now)
            if not fewer:
                return
            self._lines = fewer

    def _within(self, lines: list[Line], level: Level, now: float) -> list[Line]:
        """Return the corners of what is left within the bounds of a level; none, if it has no area."""
        lines = _cut(lines, -1.0, now - level.since, -level.percent)
        lines = _cut(lines, 1.0, level.until - now, level.percent + self._step)
        return lines if len(lines) >= 3 else []

    def _extrapolate(self) -> tuple[float, float]:
        """Return the seconds that are left at the measured rate, and how far apart the extremes are."""
        percent = sum(line.percent for line in self._lines) / len(self._lines)
        rate = sum(line.rate for line in self._lines) / len(self._lines)
        left = (100 - percent) / rate
        ends = [(100 - line.percent) / line.rate for line in self._lines]
        return left, min(max(ends) - min(ends), 3 * abs(left))


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
