"""What a gate reports while it runs: posted from the gates' threads, read by the one that logs.

Every event is about one `target`, and happened `at` so many seconds after the run began.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from cfgate.model.job import JobStatus
from cfgate.model.outcome import Outcome
from cfgate.model.target import Target


class Answered(NamedTuple):
    """A usable answer came. `left` is the estimate of what remains, in seconds, `None` when unknown."""

    target: Target
    at: float
    job: JobStatus
    left: float | None = None


class AskingAgain(NamedTuple):
    """An answer could not be used: why, which retry in a row this is, and the pause before it in seconds."""

    target: Target
    at: float
    why: str
    attempt: int
    pause: float


class Noted(NamedTuple):
    """Something odd that changes nothing: a stale answer, a job that was put back, a clock that is off."""

    target: Target
    at: float
    what: str
    warning: bool = False


class Ended(NamedTuple):
    """The gate on this target is over."""

    target: Target
    at: float
    outcome: Outcome


Event = Answered | AskingAgain | Noted | Ended
Observer = Callable[[Event], None]
