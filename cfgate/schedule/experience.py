"""What is left where a job tells nothing that can be believed: how long such jobs usually run."""

from __future__ import annotations

import math
from typing import Final

from cfgate.model import JobState, JobStatus

# "An install usually takes 5 to 15 minutes" (Clanforge documentation): in seconds the middle of that, on a
# scale of ratios, and a shape with which seven in ten jobs take so long and hardly any less than two minutes.
TYPICAL: Final = math.sqrt(300 * 900)
SHAPE: Final = 3.0

# What a request is worth here, as a share of the longest pause: delay / requests again, now 4.7 s / 46.
PRICE: Final = 1 / 150


class Experience:
    """Pauses for a job of which only its age is known: long at first, shorter when most jobs end.

    A job that was just started does not end yet, and one that waits in a queue does not end at all. The best
    rate of looking is the square root of hazard / (2 * price); the hazard rate is that of a log-logistic
    distribution, which rises, and falls again for a job that takes unusually long: so one of hours is not
    asked for every few seconds.
    """

    def __init__(self, max_interval: float) -> None:
        """Take the longest pause in seconds."""
        self._longest = max_interval
        self._since: float | None = None  # when the job began to run, Unix seconds at the API

    def pause(self, status: JobStatus, now: float) -> float:
        """Take in an answer, and return the seconds until the next look. May be beyond all bounds."""
        if status.state is not JobState.RUNNING:
            self._since = None
            return math.inf
        if self._since is None:
            self._since = min(status.started or now, now)
        # A pause that is short enough for its end: the hazard rate rises while it lasts.
        age = max(now - self._since, 0.0) + self._longest / 2
        hazard = SHAPE / age / (1 + (TYPICAL / age) ** SHAPE)
        return math.sqrt(2 * PRICE * self._longest / hazard)
