"""What one target has shown so far: the time line, the retries, the oddities; each is reported."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cfgate.model import GateStatus, JobStatus, Moment, Outcome, Retry, Verdict
from cfgate.model.events import Answered, AskingAgain, Ended, Noted
from cfgate.rules.sequence import Sequence

if TYPE_CHECKING:
    from cfgate.model import Target
    from cfgate.model.events import Observer
    from cfgate.system.clock import Clock


class History:
    """The history of one target. Written by its gate's thread; `outcome` may be called from any."""

    def __init__(self, target: Target, observer: Observer, clock: Clock) -> None:
        self.target = target
        self.job: JobStatus | None = None  # the latest usable answer
        self.requests = 0  # that really went out
        self._observer = observer
        self._clock = clock
        self._began = clock.monotonic()
        self._moved = self._began  # when state, progress or `jobupdated` last moved
        self._sequence = Sequence()
        self._noted = ""  # the doubt about endings that was noted last
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

    @property
    def doubt(self) -> str:
        """Why the latest ending is not believed yet; empty when it is."""
        return self._sequence.doubt

    def sent(self) -> None:
        """Count a request that goes out."""
        self.requests += 1

    def check(self, job: JobStatus) -> None:
        """Raise Doubtful for an answer that earlier ones contradict."""
        self._sequence.check(job)

    def answered(self, job: JobStatus) -> float:
        """Add a usable answer; return for how many seconds its ending must hold yet, 0 if it is believed."""
        now = self._clock.monotonic()
        before, self.job = self.job, job
        if before is None or _movement(job) != _movement(before):
            self._moved = now
        if before is None or job.state is not before.state:
            # Without the error, of which a job that goes back and forth would show many.
            self._timeline += (Moment(self.elapsed, job._replace(error=None)),)
        if before is not None:
            self._note_setback(before, job)
        left = self._sequence.add(job, now)
        if self.doubt and self.doubt != self._noted:
            self.note(f"{job.why}, but {self.doubt}")
        if self.doubt or job.verdict is Verdict.PENDING:
            self._noted = self.doubt
        return left

    def waiting(self, job: JobStatus, left: float | None) -> None:
        """Report that the gate goes on waiting after this answer; `left` is the estimate in seconds."""
        self._observer(Answered(self.target, self.elapsed, job, left))

    def asking_again(self, why: str, attempt: int, pause: float) -> None:
        """Add an answer that could not be used, and the pause in seconds after which to ask again."""
        self._sequence.trouble()
        self._retries += (Retry(self.elapsed, why, pause),)
        self._observer(AskingAgain(self.target, self.elapsed, why, attempt, pause))

    def note(self, what: str, *, warning: bool = False) -> None:
        """Add something odd that changes nothing."""
        if warning:
            self._warnings += (what,)
        self._observer(Noted(self.target, self.elapsed, what, warning))

    def ended(self, outcome: Outcome) -> None:
        """Report that the gate is over."""
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

    def _note_setback(self, before: JobStatus, job: JobStatus) -> None:
        """Note a job that was put back: Running to Queued, or one more failure that did not end it."""
        if job.verdict is not Verdict.PENDING or before.state is None or job.state is None:
            return
        if job.state.id < before.state.id:
            self.note(f"went back from {before.state.title} to {job.state.title}")
        if (job.failures or 0) > (before.failures or 0):
            times = "once" if job.failures == 1 else f"{job.failures} times"
            self.note(f"the job has failed {times} so far and is being retried", warning=True)


def _movement(job: JobStatus) -> tuple[object, ...]:
    return job.state, job.progress, job.updated
