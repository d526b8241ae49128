"""One answer about one job, judged: what the fields said, and what that means."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from cfgate.model.states import JobState, Verdict


class Machines(NamedTuple):
    """The machines that a roll-out goes to, counted by how far they are."""

    pending: int
    failed: int
    completed: int

    @property
    def total(self) -> int:
        """All of them, as far as they are counted yet."""
        return sum(self)

    def __str__(self) -> str:
        return f"{self.completed} of {self.total} machines"


class JobStatus(NamedTuple):
    """One answer about one job (or the roll-out that it led to), as sent, and what it means.

    Times are Unix seconds of the API's clock, `None` where the API said nothing or nothing sensible (missing,
    null, "", 0, out of range). `progress` is 0 to 100. `failures` counts how often the job has failed so far.
    `error` is text from outside: disarm it before it is shown anywhere.
    """

    verdict: Verdict
    why: str  # one clause that explains the verdict
    state: JobState | None = None
    progress: int | None = None
    failures: int | None = None
    error: str | None = None
    created: int | None = None
    started: int | None = None
    updated: int | None = None
    eta: int | None = None
    warnings: tuple[str, ...] = ()
    quote: str = ""  # what the API says that belongs to `why`, from outside as well
    machines: Machines | None = None  # of a roll-out
    holds: float = 0.0  # seconds for which the state must have been answered before the verdict is believed

    def redacted(self, redact: Callable[[str], str]) -> JobStatus:
        """Return it with every text from outside as `redact` leaves it."""
        if not (self.error or self.quote):
            return self
        return self._replace(error=self.error and redact(self.error), quote=redact(self.quote))


def state_of(job: JobStatus | None) -> str:
    """Name the state of a job: one of ours, or "unknown"."""
    return job.state.title if job and job.state else "unknown"


def standing(job: JobStatus | None) -> str:
    """Describe in a sentence how far a job is: "Running at 41 %", "Running (18 of 20 machines)", "Queued"."""
    title = state_of(job)
    if job and job.machines and job.state in (JobState.RUNNING, JobState.COMPLETED):
        return f"{title} ({job.machines})"
    running = job and job.state is JobState.RUNNING
    return f"{title} at {job.progress} %" if job and running and job.progress else title


def had_failed(failures: int) -> str:
    """Describe a ready job that had failed before, as a job that is retried has."""
    return f"the job had failed {times(failures)} before it was completed"


def times(count: int) -> str:
    """Write how often: "once", "3 times"."""
    return "once" if count == 1 else f"{count} times"
