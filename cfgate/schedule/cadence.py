"""The adaptive cadence (`poll-interval: auto`)."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Final

from cfgate.schedule.eta import EtaClue
from cfgate.schedule.experience import Experience
from cfgate.schedule.looks import best_pause
from cfgate.schedule.progress import ProgressClue

if TYPE_CHECKING:
    from cfgate.model import JobStatus
    from cfgate.schedule.forecast import Forecast

# What a request is worth, as a share of the longest pause. Requests x delay is least where one more request
# saves delay / requests: 0.7 s / 35 for a job of eight minutes and a longest pause of 15 s.
PRICE: Final = 1 / 750

# Seconds: what has happened since the API looked at the job is up to a round trip older than the answer. So
# much shorter is the longest pause, or the delay could be longer than that and one round trip.
TRIP: Final = 0.15

# Each gate has a longest pause of its own, up to this share shorter: gates that were started in step are
# spread over all of it within a quarter of an hour, for less than one request in a hundred.
JITTER: Final = 0.015


class Cadence:
    """Look rarely while the end is far, and closely when it comes.

    Far from the end the pause is the longest one, which bounds the delay. Of two clues the one counts that is
    surer for the time that it speaks of; where neither can be believed, experience does. They are asked again
    after every answer, so no forecast has to be right but the last.
    """

    def __init__(
        self, max_interval: float = 15.0, min_interval: float = 1.0, *, seed: int | None = None
    ) -> None:
        """Take the bounds of a pause in seconds; the same `seed` gives the same jitter."""
        chance = random.Random(seed).random()  # noqa: S311 - a jitter, no secret
        self._longest = max(max_interval * (1 - JITTER * chance) - TRIP, min_interval)
        self._shortest = min_interval
        self._price = max_interval * PRICE
        self._clues = (EtaClue(), ProgressClue())
        self._experience = Experience(max_interval)
        self._forecast: Forecast | None = None
        self._proven: list[Forecast] = []

    def next_pause(self, status: JobStatus, now: float) -> float:
        """Return seconds to pause, in `[min_interval, max_interval]`; `now` is Unix time at the API."""
        heard = [clue.hear(status, now) for clue in self._clues]
        forecasts = [forecast for forecast in heard if forecast]
        self._proven = [forecast for forecast in forecasts if forecast.proven]
        self._forecast = min(forecasts, key=lambda forecast: forecast.vagueness(now), default=None)
        pause = self._experience.pause(status, now)
        if self._forecast is not None:
            left = self._forecast.end - now
            pause = best_pause(left, self._forecast.spread, self._price, self._shortest)
        return min(max(pause, self._shortest), self._longest)

    def time_left(self, now: float) -> float | None:
        """Return the seconds that the job still needs, `None` when nothing is known that is worth telling.

        Where two clues disagree, the later end is the one to plan with.
        """
        end = max((forecast.end for forecast in self._proven), default=now)
        return end - now if end > now else None
