"""The second clue: the end that the measured rate of `jobprogress` leads to."""

from __future__ import annotations

import math
from typing import Final, NamedTuple

from cfgate.model import JobState, JobStatus
from cfgate.schedule.forecast import FINEST, Forecast

# Per cents per second: from "not in this century" to "within a second", where no forecast is needed.
SLOWEST: Final = 1e-8
FASTEST: Final = 100.0

# Lines that are equally likely deviate from the middle of their range by about this share of it. With a
# quarter, the end after a slow tail is known later (95 % within 1.2 s and not 0.9 s).
DEVIATION: Final = 1 / 3


class Level(NamedTuple):
    """A value of `jobprogress`, and the first and the last moment at which it was shown."""

    percent: int
    since: float
    until: float


class Line(NamedTuple):
    """A steady progress: the per cents that are true now, and how many are added per second."""

    percent: float
    rate: float


class Bound(NamedTuple):
    """The progress was at least `low` at `since`, and at most `high` at `until`."""

    low: float
    since: float
    high: float
    until: float


class ProgressClue:
    """The end that the progress leads to, if it goes on as it went lately.

    A number in whole per cents says little about now: the truth is anywhere up to the next step. It says a
    lot about the moments at which it changes. So every level gives two bounds on the true progress: at least
    this much since it was first seen, less than the next step when it was last seen; and when the job began
    to run, it was 0. The steady progresses that keep within the bounds are a polygon in the plane of (per
    cents now, rate). It is cut from the newest level backwards, as long as something is left: so the rate is
    always taken over the longest recent stretch that was steady, and a slow tail or a new phase drops what
    was before it, with no threshold to tune. All that is kept are the levels, at most 101; every answer cuts
    anew.
    """

    def __init__(self) -> None:
        self._levels: list[Level] = []  # rising

    def update(self, status: JobStatus, now: float, began: float) -> Forecast | None:
        """Read an answer about a job that runs since `began`; `None` when there is no rate yet."""
        if status.state is not JobState.RUNNING or status.progress is None:
            self._levels.clear()
            return None
        self._add(status.progress, now)
        if self._levels[-1].percent == 0 or (len(self._levels) == 1 and began >= now - 1):
            return None
        lines = self._lines(began, now)
        percent = sum(line.percent for line in lines) / len(lines)
        rate = sum(line.rate for line in lines) / len(lines)
        left = (100 - percent) / rate
        ends = [(100 - line.percent) / line.rate for line in lines]
        # The forecast is never vaguer than "as long again": a rate that was just measured has no limits yet.
        spread = min(DEVIATION * (max(ends) - min(ends)), max(left, 0.0))
        return Forecast(now + left, math.hypot(spread, FINEST), proven=spread <= DEVIATION * left)

    def _add(self, percent: int, now: float) -> None:
        """Note when a level was shown; what it takes back, it has never shown."""
        levels = self._levels
        if levels and percent < levels[-1].percent:
            while levels and levels[-1].percent >= percent:
                levels.pop()
        if levels and levels[-1].percent == percent:
            levels[-1] = levels[-1]._replace(until=now)
        else:
            levels.append(Level(percent, now, now))

    def _lines(self, began: float, now: float) -> list[Line]:
        """Return the corners of the polygon: at most one more for every bound."""
        step = math.gcd(*(level.percent for level in self._levels if level.percent < 100)) or 1
        newest = self._levels[-1].percent
        lines = [
            Line(newest, SLOWEST),
            Line(newest + step, SLOWEST),
            Line(newest + step, FASTEST),
            Line(newest, FASTEST),
        ]
        bounds = [Bound(percent, since, percent + step, until) for percent, since, until in self._levels]
        bounds.insert(0, Bound(0, began + 1, 0, began))  # the API cuts the seconds of `jobstart`
        for bound in reversed(bounds):
            fewer = _cut(lines, -1.0, now - bound.since, -bound.low)
            fewer = _cut(fewer, 1.0, bound.until - now, bound.high)
            if len(fewer) < 3:  # no area
                break
            lines = fewer
        return lines


def _cut(corners: list[Line], a: float, b: float, most: float) -> list[Line]:
    """Keep the part of a convex polygon where a * percent + b * rate <= most; nothing may be left.

    What lies beyond is one stretch of corners, which two new ones replace. More than one stretch is an effect
    of rounding, where corners lie nearly on the line: to cut there too would multiply them without end.
    """
    excess = [a * percent + b * rate - most for percent, rate in corners]
    if max(excess, default=0.0) <= 0:
        return corners
    worst = excess.index(max(excess))
    corners, excess = corners[worst:] + corners[:worst], excess[worst:] + excess[:worst]
    within = [index for index, over in enumerate(excess) if over <= 0]
    if not within:
        return []
    first, last = within[0], within[-1]
    kept = corners[first : last + 1]
    for here, beyond in ((last, (last + 1) % len(corners)), (first, first - 1)):
        if excess[here] < 0:
            share = excess[here] / (excess[here] - excess[beyond])
            near, far = corners[here], corners[beyond]
            percent = near.percent + share * (far.percent - near.percent)
            kept.append(Line(percent, near.rate + share * (far.rate - near.rate)))
    return kept
