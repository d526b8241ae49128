"""The records of a gate: a usable answer, a change of state, a retry, and how it ended."""

from __future__ import annotations

from typing import NamedTuple

from cfgate.model.job import JobStatus
from cfgate.model.states import GateStatus
from cfgate.model.target import Target


class Answer(NamedTuple):
    """A usable answer as it came: the job, the `Date` header (Unix seconds), and when it was asked for.

    `sent` and `received` are seconds of the local monotonic clock.
    """

    job: JobStatus
    date: float | None
    sent: float
    received: float


class Moment(NamedTuple):
    """A change of state, as first seen: seconds since the gate began, and the answer that showed it."""

    at: float
    job: JobStatus


class Retry(NamedTuple):
    """One answer that could not be used: when (seconds since the gate began), why, and the pause after it.

    `attempt` counts from 1 since the last usable answer.
    """

    at: float
    why: str
    pause: float
    attempt: int = 1


class Outcome(NamedTuple):
    """How the gate on one target ended, and everything that a report may show."""

    target: Target
    status: GateStatus
    reason: str  # one sentence: what happened
    remedy: str = ""  # one sentence: what to do; empty when there is nothing to do
    job: JobStatus | None = None  # the last answer that could be trusted
    waited: float = 0.0  # seconds
    requests: int = 0
    timeline: tuple[Moment, ...] = ()
    retries: tuple[Retry, ...] = ()
    warnings: tuple[str, ...] = ()


class Result(NamedTuple):
    """How the whole run ended. `exit_code` is that of `status`, or of the signal that ended the run.

    `asked` is what was to be waited for, as far as it was known: a run that ended early has no outcomes.
    """

    status: GateStatus
    exit_code: int
    reason: str
    remedy: str = ""
    outcomes: tuple[Outcome, ...] = ()
    rehearsal: bool = False
    started: float = 0.0  # Unix seconds of the local clock
    waited: float = 0.0  # seconds
    warnings: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()  # of the configuration, each a line
    asked: tuple[Target, ...] = ()

    @property
    def ready(self) -> bool:
        """Whether the pipeline may go on. True in one case only."""
        return self.status is GateStatus.READY and self.exit_code == 0

    @property
    def go(self) -> bool:
        """Whether something may change in the world because of it: ready, and no rehearsal."""
        return self.ready and not self.rehearsal

    @property
    def decisive(self) -> Outcome | None:
        """The outcome that decided, whose job the single-job outputs describe."""
        return min(self.outcomes, key=lambda outcome: outcome.status.precedence, default=None)

    @property
    def target(self) -> Target | None:
        """The target that decided; where nothing could, the one that was asked for, if it was one."""
        if self.decisive:
            return self.decisive.target
        return self.asked[0] if len(self.asked) == 1 else None
