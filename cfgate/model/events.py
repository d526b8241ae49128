"""What a gate reports while it runs: posted from the gates' threads, read by the one that logs.

Every event is about one `target`, and happened `at` so many seconds after the run began.
"""

from __future__ import annotations

import math
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
    """An answer could not be used: why, which retry in a row this is, and the pause before it in seconds.

    `patience` is the time in seconds after which the gate gives up, if nothing usable comes.
    """

    target: Target
    at: float
    why: str
    attempt: int
    pause: float
    patience: float = math.inf


class Noted(NamedTuple):
    """Something odd that changes nothing: a stale answer, a job that was put back, a clock that is off.

    `job` is the answer that it is about, when the note has said everything that is new in it.
    """

    target: Target
    at: float
    what: str
    warning: bool = False
    job: JobStatus | None = None


class Looked(NamedTuple):
    """One request is over: how long it took in seconds, and what came.

    `job` is the usable answer, or `None`: then `error` describes what came instead. `pause` is the time in
    seconds until the next request and `because` its reason; `None` after the last one.
    """

    target: Target
    at: float
    took: float
    job: JobStatus | None
    error: str = ""
    pause: float | None = None
    because: str = ""


class Ended(NamedTuple):
    """The gate on this target is over."""

    target: Target
    at: float
    outcome: Outcome


Event = Answered | AskingAgain | Looked | Noted | Ended
Observer = Callable[[Event], None]
