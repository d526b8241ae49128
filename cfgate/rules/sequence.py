"""What earlier answers say about a new one: part of rule 5, and when an ending is believed. Pure.

A job is followed calmly: it may go backwards after a retry, and a replica that lags behind may answer with
something stale. But an answer about an older job is doubtful, and an ending that is stale, or that has to
hold, is believed only when nothing else and no trouble has come for a while.
"""

from __future__ import annotations

from typing import Final

from cfgate.errors import Doubtful
from cfgate.model import JobState, JobStatus, Verdict

# Seconds for which an ending that is older than an answer already seen must be answered.
_STALE_HOLDS: Final = 10.0


class Sequence:
    """The answers about one target, in their order. Times are seconds of any clock that never jumps."""

    def __init__(self) -> None:
        self.doubt = ""  # why the latest ending is not believed yet; empty when it is
        self._created = 0  # the newest `jobcreated` so far
        self._updated = 0  # the newest `jobupdated` so far
        self._ending: JobState | None = None  # what the latest answers have agreed on, if it is an ending
        self._since = 0.0  # since when

    def check(self, job: JobStatus) -> None:
        """Raise Doubtful for an answer about an older job than one already seen."""
        if job.created is not None and job.created < self._created:
            raise Doubtful("the answer is about an older job, created before the one that was seen")
        self._created = max(self._created, job.created or 0)

    def add(self, job: JobStatus, now: float) -> float:
        """Add a usable answer; return for how many seconds its ending must hold yet, 0 if it is believed."""
        self.doubt = ""
        stale = job.updated is not None and job.updated < self._updated
        self._updated = max(self._updated, job.updated or 0)
        if job.verdict is Verdict.PENDING:
            self._ending = None
            return 0.0
        if job.state is not self._ending:
            self._ending, self._since = job.state, now
        holds = max(job.holds, _STALE_HOLDS if stale else 0.0)
        left = self._since + holds - now
        if left <= 1e-3:  # the pause in between was a difference of clock readings
            return 0.0
        too_old = "that answer is too old to be believed at once"
        self.doubt = too_old if stale else f"it has to stay so for {holds:g} s"
        return left

    def trouble(self) -> None:
        """Note an answer that could not be used: whatever has to hold begins anew."""
        self._ending = None
