"""What one gate has seen so far: the time line, the retries, the oddities. Tells the observer of each.

It follows calmly what a job may really do: go backwards after a retry, answer with something stale, fail a
few times first. It judges but one thing: whether an ending must be heard again before it is believed.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from cfgate.model import GateStatus, JobStatus, Moment, Outcome, Retry, Verdict
from cfgate.model.events import Answered, AskingAgain, Ended, Noted

if TYPE_CHECKING:
    from cfgate.model import Target
    from cfgate.model.events import Observer
    from cfgate.system.clock import Clock

# A terminal answer that is too old to be believed at once is asked for again after this many seconds.
_STALE_HOLDS: Final = 1.0


class History:
    """The story of one target. Written by its gate's thread; `outcome` may be called from any."""

    def __init__(self, target: Target, observer: Observer, clock: Clock) -> None:
        self.target = target
        self.job: JobStatus | None = None  # the latest usable answer
        self.doubt = ""  # why the latest ending is not believed yet; empty when it is
        self.requests = 0
        self._observer = observer
        self._clock = clock
        self._began = clock.monotonic()
        self._moved = self._began  # when state, progress or `jobupdated` last moved
        self._state_since = self._began  # when the state was first heard that has been heard ever since
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

    def answered(self, job: JobStatus) -> float:
        """Take in a usable answer; tell in how many seconds to ask again to believe it, 0 if it is believed.

        A terminal answer older than one already seen may come from a replica that lags behind a job which was
        put back to work, and some endings count only once they have held for a while (`JobStatus.holds`).
        They are believed when they are still heard after that time, with nothing else heard in between.
        """
        now = self._clock.monotonic()
        before, self.job = self.job, job
        stale = job.updated is not None and job.updated < self._newest
        self._newest = max(self._newest, job.updated or 0)
        if before is None or _movement(job) != _movement(before):
            self._moved = now
        changed = before is None or job.state is not before.state
        if changed:
            self._state_since = now
            self._timeline += (Moment(self.elapsed, job),)
        if before is not None:
            self._tell_setback(before, job)
        return self._disbelieved(job, now, stale=stale, changed=changed)

    def _disbelieved(self, job: JobStatus, now: float, *, stale: bool, changed: bool) -> float:
        self.doubt = ""
        if job.verdict is Verdict.PENDING:
            return 0.0
        holds = max(job.holds, _STALE_HOLDS if stale else 0.0)
        # In whole milliseconds, rounded up: the pause in between was a difference of clock readings.
        left = math.ceil((self._state_since + holds - now) * 1000 - 1e-3) / 1000
        if left <= 0:
            return 0.0
        too_old = "that answer is too old to be believed at once"
        self.doubt = too_old if stale else f"it has to stay so for {holds:g} s"
        if changed:
            self.note(f"{job.why}, but {self.doubt}")
        return left

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
