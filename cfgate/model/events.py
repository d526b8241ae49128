"""What a gate tells while it runs. Frozen; posted from the gates' threads, read by the one that reports."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from cfgate.model import JobStatus, Outcome, Target


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to one target, `at` so many seconds after the run began."""

    target: Target
    at: float


@dataclass(frozen=True, slots=True)
class Answered(Event):
    """A usable answer came. `left` is the estimate of what remains, in seconds, `None` when unknown."""

    job: JobStatus
    left: float | None = None


@dataclass(frozen=True, slots=True)
class AskingAgain(Event):
    """An answer could not be used: why, which retry in a row this is, and the pause before it in seconds."""

    why: str
    attempt: int
    pause: float


@dataclass(frozen=True, slots=True)
class Noted(Event):
    """Something odd that changes nothing: a stale answer, a job that was put back, a clock that is off."""

    what: str
    warning: bool = False


@dataclass(frozen=True, slots=True)
class Ended(Event):
    """The gate on this target is over."""

    outcome: Outcome


Observer = Callable[[Event], None]
