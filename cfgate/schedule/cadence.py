"""The adaptive cadence (`poll-interval: auto`)."""

from __future__ import annotations

import math
import random
from typing import TYPE_CHECKING, Final

from cfgate.model import JobState
from cfgate.schedule.eta import EtaClue
from cfgate.schedule.experience import usual_pause
from cfgate.schedule.looks import best_pause
from cfgate.schedule.progress import ProgressClue

if TYPE_CHECKING:
    from cfgate.model import JobStatus
    from cfgate.schedule.forecast import Forecast

# Seconds: what has happened since the API looked at the job is up to a round trip older than the answer. So
# much shorter is the longest pause, or the delay could be longer than that and one round trip.
TRIP: Final = 0.15

# Each gate has a longest pause of its own, up to this share shorter: gates that were started in step are
# spread over all of it within a quarter of an hour, for less than one request in a hundred.
JITTER: Final = 0.015

# A job may be about to end when its gate starts. So the first pause is this many seconds, no pause is longer
# than the gate is old and this, and in its first half minute a running job of which nothing is known is asked
# for every 5 s. Without: 1.6 requests fewer, and the end of a job of seconds is known up to 15 s late.
FIRST: Final = 3.0
SOON: Final = 5.0
OPENING: Final = 30.0


class Cadence:
    """Look rarely while the end is far, and closely when it comes.

    Far from the end the pause is the longest one, which bounds the delay. Of two forecasts the narrower one
    counts; where neither can be believed, experience does. They are made anew after every answer, so no
    forecast has to be right but the last.
    """

    def __init__(
        self, max_interval: float = 15.0, min_interval: float = 0.5, *, seed: int | None = None
    ) -> None:
        """Take the bounds of a pause in seconds; the same `seed` gives the same jitter."""
        chance = random.Random(seed).random()  # noqa: S311 - a jitter, no secret
        self._longest = max(max_interval * (1 - JITTER * chance) - TRIP, min_interval)
        self._shortest = min_interval
        self._eta, self._progress = EtaClue(), ProgressClue()
        # All in Unix seconds at the API: the first answer, the last one with a job that did not run, and the
        # beginning of the run that is on.
        self._first: float | None = None
        self._idle = -math.inf
        self._began: float | None = None
        self._forecast: Forecast | None = None
        self._proven: list[Forecast] = []

    def next_pause(self, status: JobStatus, now: float) -> float:
        """Return seconds to pause, in `[min_interval, max_interval]`; `now` is Unix time at the API."""
        self._first = now if self._first is None else self._first
        self._began = self._beginning(status, now)
        began = now if self._began is None else self._began
        heard = (self._eta.update(status, now, began), self._progress.update(status, now, began))
        forecasts = [forecast for forecast in heard if forecast]
        self._proven = [forecast for forecast in forecasts if forecast.proven]
        self._forecast = min(forecasts, key=lambda forecast: forecast.spread, default=None)
        age = max(now - self._first, 0.0)
        pause = self._longest
        if self._forecast is not None:
            pause = best_pause(self._forecast.end - now, self._forecast.spread, self._shortest)
        elif self._began is not None:
            pause = min(usual_pause(now - began, self._longest), SOON if age < OPENING else math.inf)
        return min(max(min(pause, FIRST + age), self._shortest), self._longest)

    def _beginning(self, status: JobStatus, now: float) -> float | None:
        """Return when the job began to run: `jobstart`, if no answer contradicts it. `None`: it waits."""
        if status.state is not JobState.RUNNING:
            self._idle = now
            return None
        if self._began is None and status.started is not None and self._idle - 1 <= status.started <= now:
            return status.started
        return now if self._began is None else self._began

    def time_left(self, now: float) -> float | None:
        """Return the seconds that the job still needs, `None` when nothing is known that is worth showing.

        Where two clues disagree, the later end is the one to plan with.
        """
        end = max((forecast.end for forecast in self._proven), default=now)
        return end - now if end > now else None
