"""What one gate has seen so far: the time line, the retries, the oddities. Tells the observer of each.

It follows calmly what a job may really do: go backwards after a retry, answer with something stale, fail a
few times first. It judges but one thing: whether a terminal answer is too old to be believed at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cfgate.events import Answered, AskingAgain, Ended, Noted
from cfgate.model import GateStatus, JobStatus, Moment, Outcome, Retry, Verdict

if TYPE_CHECKING:
    from cfgate.clock import Clock
    from cfgate.events import Observer
    from cfgate.model import Target


class Chronicle:
    """The story of one target. Written by its gate's thread; `outcome` may be called from any."""

    def __init__(self, target: Target, observer: Observer, clock: Clock) -> None:
        self.target = target
        self.job: JobStatus | None = None  # the latest usable answer
        self.requests = 0
        self._observer = observer
        self._clock = clock
        self._began = clock.monotonic()
        self._moved = self._began  # when state, progress or `jobupdated` last moved
        self._newest = 0  # the largest `jobupdated` so far
        self._timeline: tuple[Moment, ...] = ()
        self._retries: tuple[Retry, ...] = ()
        self._warnings: tuple[str, ...] = ()

    @property
    def elapsed(self) -> float:
        """Seconds since the gate began."""
        return self._clock.monotonic() - self._began

    @property
    def standstill(self) -> float:
        """Seconds since state, progress or `jobupdated` last moved."""
        return self._clock.monotonic() - self._moved

    def answered(self, job: JobStatus) -> bool:
        """Take in a usable answer; say whether it can be believed at once.

        A terminal answer older than one already seen may come from a replica that lags behind a job which was
        put back to work. It is believed once the next answer says the same.
        """
        before, self.job = self.job, job
        stale = job.updated is not None and job.updated < self._newest
        self._newest = max(self._newest, job.updated or 0)
        if before is None or _movement(job) != _movement(before):
            self._moved = self._clock.monotonic()
        if before is None or job.state is not before.state:
            self._timeline += (Moment(self.elapsed, job),)
        if before is not None:
            self._tell_setback(before, job)
        if stale and job.verdict is not Verdict.PENDING and (before is None or job.state is not before.state):
            self.note(f"{job.why}, but that answer is older than one already seen; asking once more")
            return False
        return True

    def waiting(self, job: JobStatus, left: float | None) -> None:
        """Tell that the gate goes on waiting after this answer; `left` is the estimate in seconds."""
        self._observer(Answered(self.target, self.elapsed, job, left))

    def asking_again(self, why: str, attempt: int, pause: float) -> None:
        """Take in an answer that could not be used, and the pause in seconds after which to ask again."""
        self._retries += (Retry(self.elapsed, why, pause),)
        self._observer(AskingAgain(self.target, self.elapsed, why, attempt, pause))

    def note(self, what: str, *, warning: bool = False) -> None:
        """Take in something odd that changes nothing."""
        if warning:
            self._warnings += (what,)
        self._observer(Noted(self.target, self.elapsed, what, warning))

    def ended(self, outcome: Outcome) -> None:
        """Tell that the gate is over."""
        self._observer(Ended(self.target, self.elapsed, outcome))

    def outcome(self, status: GateStatus, reason: str, remedy: str) -> Outcome:
        """Build the outcome that follows if the gate ends now, in this way."""
        job = self.job
        odd = job.warnings if job is not None and status is GateStatus.READY else ()
        return Outcome(
            target=self.target,
            status=status,
            reason=reason,
            remedy=remedy,
            job=job,
            waited=self.elapsed,
            requests=self.requests,
            timeline=self._timeline,
            retries=self._retries,
            warnings=self._warnings + odd,
        )

    def _tell_setback(self, before: JobStatus, job: JobStatus) -> None:
        """Tell of a job that was put back: Running to Queued, or one more failure that did not end it."""
        if job.verdict is not Verdict.PENDING or before.state is None or job.state is None:
            return
        if job.state.id < before.state.id:
            self.note(f"went back from {before.state.title} to {job.state.title}")
        if (job.failures or 0) > (before.failures or 0):
            times = "once" if job.failures == 1 else f"{job.failures} times"
            self.note(f"the job has failed {times} so far and is being retried", warning=True)


def _movement(job: JobStatus) -> tuple[object, ...]:
    return job.state, job.progress, job.updated
