"""A belief about the end of a job, and how far the one who holds it has been right before."""

from __future__ import annotations

import math
from typing import Final, NamedTuple

# Seconds. The API's times are whole ones, and nothing is known better than that: their standard deviation.
FINEST: Final = 0.3
# To be off by so many seconds is no mark of a bad forecast, however near the end it was made.
SLACK: Final = 3.0

# Where a record begins counts as much as this many forecasts; with each new one, the older ones count less.
PRIOR_WEIGHT: Final = 3.0
MEMORY: Final = 0.8

# What a person may be told: a forecast that was tested on this job, and is off by no more than this share.
TELLING: Final = 1 / 3


class Forecast(NamedTuple):
    """When the job will end: Unix seconds of the API's clock, and one standard deviation in seconds.

    `proven`: it was tested on this job and did well enough to be told to a person.
    """

    end: float
    spread: float
    proven: bool = False

    def vagueness(self, now: float) -> float:
        """Return the spread as a share of what is left; near the end a few seconds do not count."""
        return self.spread / (max(self.end - now, 0.0) + SLACK)


class TrackRecord:
    """How wrong the forecasts of one clue were, as shares of the time that each of them spoke of.

    Nobody knows the truth before the end, so each forecast is held against the newest one: the root mean
    square of (newest end - its end) / (its end - when it was made). Estimates that improve keep a small
    error; one that always promises the end in 30 s is off by 100 % after 30 s, and by more with every answer.
    Three running sums hold it, so that it costs the same after any number of forecasts.
    """

    def __init__(self, prior: float) -> None:
        """Begin with a typical error of `prior`, as a share."""
        self._prior = prior
        self.forget()

    def forget(self) -> None:
        """Begin anew."""
        self._count = self._weight = self._first = self._second = 0.0
        self._origin = 0.0

    @property
    def empty(self) -> bool:
        """Whether there was no forecast yet."""
        return self._count == 0.0

    @property
    def tested(self) -> bool:
        """Whether there were forecasts enough to judge by: at least three."""
        return self._count > 2.0

    def judge(self, end: float, now: float) -> float:
        """File a new forecast, and return the typical error of the earlier ones in its light."""
        if self.empty:
            self._origin = end  # sums of moments since 1970 would have no digits left for the seconds
        moved = end - self._origin
        squares = self._second - 2 * moved * self._first + moved * moved * self._weight
        squares = max(squares, 0.0) + PRIOR_WEIGHT * self._prior**2
        error = math.sqrt(squares / (self._count + PRIOR_WEIGHT))

        weight = 1 / ((end - now) ** 2 + SLACK**2)
        self._count = self._count * MEMORY + 1
        self._weight = self._weight * MEMORY + weight
        self._first = self._first * MEMORY + weight * moved
        self._second = self._second * MEMORY + weight * moved * moved
        return error
