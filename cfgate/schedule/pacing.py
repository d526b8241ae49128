"""What a gate needs to know about pauses, and the simplest thing that knows it."""

from __future__ import annotations

from typing import Protocol

from cfgate.model import JobStatus
from cfgate.schedule.cadence import Cadence


class Pacing(Protocol):
    """Anything that returns how long to pause after a usable answer."""

    def next_pause(self, status: JobStatus, now: float) -> float:
        """Return seconds to pause; `now` is the API's clock in Unix seconds."""
        ...

    def time_left(self, now: float) -> float | None:
        """Return the estimate of the seconds that the job still needs, `None` when there is none to trust."""
        ...


class FixedInterval:
    """The same pause after every answer, for `poll-interval: 10s`; the estimates are those of `Cadence`."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._cadence = Cadence()

    def next_pause(self, status: JobStatus, now: float) -> float:
        """Return the fixed pause."""
        self._cadence.next_pause(status, now)
        return self._seconds

    def time_left(self, now: float) -> float | None:
        """Return the estimate in seconds that follows from the answers so far."""
        return self._cadence.time_left(now)
