"""What one target has shown so far: the time line, the retries, the oddities; each is reported."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cfgate.model import (
    GateStatus,
    JobState,
    JobStatus,
    Moment,
    Outcome,
    Retry,
    Verdict,
    had_failed,
    times,
)
from cfgate.model.events import Answered, AskingAgain, Ended, Looked, Noted
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
        self._state_since = self._began  # when the state was first seen that has been seen ever since
        self._ran = self._began  # when the job was last seen to run
        self._sent = self._began  # when the last request began
        self._look: tuple[float, JobStatus | None, str] | None = (
            None  # the last request, until it is reported
        )
        self._failures = 0  # that a note has reported
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
    def state_age(self) -> float:
        """Seconds since the state was first seen that has been seen ever since."""
        return self._clock.monotonic() - self._state_since

    @property
    def queued(self) -> float:
        """Seconds since the job last ran, or since the gate began."""
        return self._clock.monotonic() - self._ran

    @property
    def doubt(self) -> str:
        """Why the latest ending is not believed yet; empty when it is."""
        return self._sequence.doubt

    def sent(self) -> None:
        """Count a request that goes out."""
        self.requests += 1

    def asking(self) -> None:
        """Record that a request begins."""
        self._sent = self._clock.monotonic()

    def asked(self, job: JobStatus | None, error: str = "") -> None:
        """Record that a request is over: with the usable answer, or what came instead."""
        self._look = (self._clock.monotonic() - self._sent, job, error)

    def pausing(self, seconds: float, because: str) -> None:
        """Report the last request, and the pause after it."""
        self._report_look(seconds, because)

    def _report_look(self, pause: float | None, because: str) -> None:
        if self._look is not None:
            took, job, error = self._look
            self._look = None
            self._observer(Looked(self.target, self.elapsed, took, job, error, pause, because))

    def check(self, job: JobStatus) -> None:
        """Raise Doubtful for an answer that earlier ones contradict."""
        self._sequence.check(job)

    def answered(self, job: JobStatus) -> float:
        """Add a usable answer; return for how many seconds its ending must hold yet, 0 if it is believed."""
        now = self._clock.monotonic()
        before, self.job = self.job, job
        if before is None or _movement(job) != _movement(before):
            self._moved = now
        if job.state is JobState.RUNNING:
            self._ran = now
        if before is None or job.state is not before.state:
            self._state_since = now
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

    def asking_again(self, why: str, attempt: int, pause: float, patience: float) -> None:
        """Add an answer that could not be used, and the pause in seconds after which to ask again.

        `patience` is the time in seconds after which the gate gives up.
        """
        self._sequence.trouble()
        self._retries += (Retry(self.elapsed, why, pause, attempt),)
        self._observer(AskingAgain(self.target, self.elapsed, why, attempt, pause, patience))

    def note(self, what: str, *, warning: bool = False, job: JobStatus | None = None) -> None:
        """Add something odd that changes nothing; `job` if that says all that is new in an answer."""
        if warning:
            self._warnings += (what,)
        self._observer(Noted(self.target, self.elapsed, what, warning, job))

    def ended(self, outcome: Outcome) -> None:
        """Report that the gate is over."""
        self._report_look(None, "")
        self._observer(Ended(self.target, self.elapsed, outcome))

    def outcome(self, status: GateStatus, reason: str, remedy: str) -> Outcome:
        """Build the outcome that follows if the gate ends now, in this way."""
        job = self.job
        odd = job.warnings if job is not None and status is GateStatus.READY else ()
        if self._failures:
            odd = tuple(warning for warning in odd if warning != had_failed(self._failures))
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
        back = f"went back from {before.state.title} to {job.state.title}"
        went_back = job.state.id < before.state.id
        failures = job.failures or 0
        if failures > (before.failures or 0):
            self._failures = failures
            retried = f"the job has failed {times(failures)} so far and is being retried"
            told = f"{back}: {retried}" if went_back else retried
            self.note(told, warning=True, job=job if went_back else None)
        elif went_back:
            self.note(back, job=job)


def _movement(job: JobStatus) -> tuple[object, ...]:
    return job.state, job.progress, job.updated
