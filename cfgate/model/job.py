"""One answer about one job, judged: what the fields said, and what that means."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from cfgate.model.states import JobState, Verdict


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
    holds: float = 0.0  # seconds for which the state must have been answered before the verdict is believed

    def redacted(self, redact: Callable[[str], str]) -> JobStatus:
        """Return it with every text from outside as `redact` leaves it."""
        if not (self.error or self.quote):
            return self
        return self._replace(error=self.error and redact(self.error), quote=redact(self.quote))


def state_of(job: JobStatus | None) -> str:
    """Name the state of a job: one of ours, or "unknown"."""
    return job.state.title if job and job.state else "unknown"
