"""The gate on one job: ask, judge, pause, ask again, until it ends. Knows neither HTTP nor any CI host.

    ask ──usable──▶ terminal? ──▶ the ending of its verdict: ready, failed …
     ▲                ├─ deadline ──▶ timeout (pending when looking once)
     │                ├─ no movement ──▶ stalled
     ├◀─── pause ─────┘
     ├──unusable──▶ tenacity asks again ─ patience or time over ──▶ unavailable, inconsistent, not_found
     └──refused──▶ asked again once answers were usable, else ──▶ rejected, unavailable (TLS)

Nothing but a READY verdict of `cfgate.model` leads to the ready ending.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from tenacity import RetryCallState, Retrying, retry_if_exception_type, wait_random_exponential

from cfgate.errors import Doubtful, GateError, NoAnswer, NotFound, Refused, Rejected, Unsuited, Unusable
from cfgate.gate.history import History
from cfgate.gate.pacer import Pacer
from cfgate.gate.patience import Streak
from cfgate.model import Answer, GateStatus, JobState, JobStatus, Outcome, Verdict, standing
from cfgate.system.clock import ApiClock, Deadline
from cfgate.text.wording import about, duration

if TYPE_CHECKING:
    from cfgate.model import Plan
    from cfgate.model.events import Observer
    from cfgate.schedule import Pacing
    from cfgate.system.clock import Clock

# Seconds of a pause after an unusable answer, at the most: a struggling API gets room. `max-interval` bounds
# it too, for what it promises holds after an outage as well.
_LONGEST_BACK_OFF: Final = 30.0
# After too many requests a gate of several asks again after so many seconds, when it is its turn.
_BUSY: Final = 1.0
# After an outage a gate learns at this interval, in seconds, that another one of the run has had an answer.
_GLANCE: Final = 1.0
# Two looks are at least this many seconds apart, but for the one at the deadline.
_CLOSEST: Final = 0.5
# An ending that has to hold for a while is looked at this often meanwhile, so that a setback is seen, unless
# the user has asked for another pause.
_WHILE_IT_HOLDS: Final = 3.0
# A clock that is further off than this many seconds is worth a word; less is what machines drift.
_SKEW_WORTH_TELLING: Final = 60.0
# An estimate beyond the time-out is reported when it lies there by so much of the time that is left, and one
# that only the API makes when the job has run for so many seconds: a job's first estimate is often its worst.
_LATE: Final = 1.05
_SETTLED: Final = 30.0
_LONGEST_ESTIMATE: Final = 7 * 86_400.0  # seconds; one beyond that is no estimate

_WAITING: Final = (JobState.CREATED, JobState.PENDING, JobState.QUEUED)
_QUEUED_TOO_LONG: Final = (
    "Look at what the queue waits for; a version with an `install_at` in the future needs a longer "
    "`queue-timeout`."
)


Fetch = Callable[[Callable[[], None]], Answer]


class Gate:
    """The gate on one target. `wait` runs it; `so_far` tells, from any thread, how it stands."""

    def __init__(
        self,
        plan: Plan,
        fetch: Fetch,
        pacing: Pacing,
        observer: Observer,
        clock: Clock,
        pacer: Pacer | None = None,
    ) -> None:
        """Prepare a gate; its time begins now.

        `fetch` sends one request and returns a usable answer, or raises an error of `cfgate.errors`; it calls
        what it is given for each request that really goes out. `pacer`
        is shared with the other gates of the run; a gate that is alone needs none.
        """
        self.target = plan.target
        self._fetch = fetch
        self._pacing = pacing
        self._plan = plan
        self._clock = clock
        self._api_clock = ApiClock(clock)
        self._deadline = Deadline(clock, plan.timeout)
        self._history = History(plan.target, observer, clock)
        self._pacer = pacer or Pacer(clock)
        longest = min(_LONGEST_BACK_OFF, plan.longest_pause)
        # Full jitter: a hundred gates do not come back in step.
        self._back_off = wait_random_exponential(multiplier=2, min=min(1.0, longest), max=longest)
        self._skew_told = False
        self._late_told = False
        self._shared = False  # whether the trouble under way is one that all gates of a run have together

    @property
    def refused(self) -> bool:
        """Whether the API has refused the credentials, which all gates of a run share."""
        return self._pacer.refused

    def wait(self) -> Outcome:
        """Block until the gate ends, telling the observer about everything on the way."""
        try:
            outcome = self._follow()
        except Unusable as error:
            outcome = self._silent(error)
        except GateError as error:
            outcome = self._end(error.status, str(error), error.remedy)
        self._history.ended(outcome)
        return outcome

    def so_far(self, status: GateStatus, reason: str, remedy: str = "") -> Outcome:
        """Build the outcome for a gate that somebody else ends now, in this way."""
        return self._history.outcome(status, reason, remedy)

    def _follow(self) -> Outcome:
        """Follow the job to its end; raise an error of `cfgate.errors` where the answers end first."""
        # Looking once takes the time that it takes; whoever waits for a while looks within that while.
        self._pacer.begin(self._deadline.left() if self._plan.timeout > 0 else float("inf"))
        while True:
            job = self._ask()
            again = self._history.answered(job)
            if not again and (status := job.verdict.ending):
                return self._over(job, status)
            if self._deadline.passed:
                return self._too_late(job)
            patience = min(self._stall_left(job), self._queue_left(job))
            if patience <= 0:
                return self._stalled(job)
            now = self._api_clock.now()
            pause = self._pacing.next_pause(job, now)
            if again:
                pause = max(min(again, _WHILE_IT_HOLDS), self._plan.poll_interval or 0.0)
            left = self._pacing.time_left(now)
            self._note_late(job, left)
            # The look that finds a job stalled comes no closer to the one before than any other may.
            bounds = {
                "that has to hold" if again else _aim(left): pause,
                "then time is up": self._deadline.left(),
                "then it counts as stalled": max(patience, _CLOSEST),
            }
            because = min(bounds, key=lambda reason: bounds[reason])
            self._history.pausing(bounds[because], because)
            self._history.waiting(job, left)
            self._clock.sleep(bounds[because])

    def _ask(self) -> JobStatus:
        """Ask until a usable answer comes; when patience or time is over, raise what came instead."""
        streak = Streak(self._clock, self._plan, answered=self._history.job is not None)

        def ask_once() -> Answer:
            try:
                return self._request(streak)
            except Unusable as error:
                streak.take(error, self._deadline.left())
                raise

        def pause(state: RetryCallState) -> float:
            error = _error(state)
            wished = self._wished_pause(state)
            if error.retry_after is None:
                wished = min(wished, streak.left(error))
            return max(min(wished, self._deadline.left()), 0.0)

        def hopeless(state: RetryCallState) -> bool:
            return self._deadline.passed or streak.refused or streak.left(_error(state)) <= 0

        def report(state: RetryCallState) -> None:
            self._report_retry(state, min(streak.left(_error(state)), self._deadline.left()))

        asking = Retrying(
            retry=retry_if_exception_type(Unusable),
            wait=pause,
            stop=hopeless,
            before_sleep=report,
            sleep=self._sleep_before_retry,
            reraise=True,
        )
        try:
            return asking(ask_once).job
        except Refused as error:
            if streak.refused:
                raise self._confirmed(error.refusal, streak) from None
            raise streak.verdict(error) from None
        except Unusable as error:
            raise streak.verdict(error) from None

    def _wished_pause(self, state: RetryCallState) -> float:
        """Return the pause after an unusable answer; tell the pacer what concerns all gates of the run."""
        error = _error(state)
        self._shared = type(error) is NoAnswer and error.retry_after is None and not error.busy
        if error.busy:
            self._pacer.too_many(error.retry_after)
        if error.retry_after is not None:
            return max(error.retry_after, 1.0)
        if error.busy and self._pacer.shared:
            return _BUSY  # it is the pacer that makes room
        return self._back_off(state)

    def _sleep_before_retry(self, seconds: float) -> None:
        """Sleep; less when another gate of the run has had an answer: the API is back for this one too."""
        began = self._clock.monotonic()
        glance = _GLANCE if self._shared and self._pacer.shared else seconds
        while seconds > 0 and not (self._shared and self._pacer.answered_since(began)):
            step = min(seconds, glance)
            self._clock.sleep(step)
            seconds -= step

    def _confirmed(self, refusal: Rejected | Unsuited, streak: Streak) -> Rejected | Unsuited:
        """Return a refusal that was repeated, which ends the gate."""
        since, worked = duration(streak.refused_for), duration(self._pacer.worked_for)
        refusal.message += f" (for {since} now, after usable answers for {worked})"
        others_work = self._pacer.answered_since(self._clock.monotonic() - streak.refused_for)
        if isinstance(refusal, Rejected) and refusal.credentials and not others_work:
            self._pacer.refuse(refusal)
        return refusal

    def _request(self, streak: Streak) -> Answer:
        """Send one request when it is this gate's turn."""
        streak.excuse(self._pacer.turn(self._deadline.left()))
        try:
            answer = self._fetched()
        except (Rejected, Unsuited) as refusal:
            if self._pacer.worked:
                raise Refused(refusal) from None
            if isinstance(refusal, Rejected) and refusal.credentials:
                self._pacer.refuse(refusal)
            raise
        self._pacer.answered()
        if answer.date is not None:
            self._api_clock.hear(answer.date, answer.sent, answer.received)
            self._tell_skew()
        return answer

    def _fetched(self) -> Answer:
        """Send one request, and record what came."""
        self._history.asking()
        try:
            answer = self._fetch(self._history.sent)
            self._history.check(answer.job)
        except GateError as error:
            self._history.asked(None, str(error))
            raise
        self._history.asked(answer.job)
        return answer

    def _report_retry(self, state: RetryCallState, patience: float) -> None:
        """Report an answer that could not be used, and for how many seconds the gate goes on at most."""
        error = _error(state)
        because = "backing off" if error.retry_after is None else "the API asked for this pause"
        self._history.pausing(state.upcoming_sleep, because)
        asked = "" if error.retry_after is None else f"; it asked for a pause of {error.retry_after:g}s"
        self._history.asking_again(
            f"{error.label} ({error}{asked})", state.attempt_number, state.upcoming_sleep, patience
        )

    def _tell_skew(self) -> None:
        skew = self._api_clock.skew()
        if abs(skew) > _SKEW_WORTH_TELLING and not self._skew_told:
            self._skew_told = True
            way = "ahead of" if skew > 0 else "behind"
            told = f"this machine's clock is {abs(skew):.0f} s {way} the API's; cfgate goes by the API's"
            self._history.note(told, warning=True)

    def _note_late(self, job: JobStatus, left: float | None) -> None:
        """Report once, as soon as it is known, that the job will outlast the time-out by the estimate."""
        if self._late_told or self._plan.timeout == 0 or job.state is not JobState.RUNNING:
            return
        whose = "by the estimate"
        if left is None and self._history.state_age >= _SETTLED:
            left, whose = self._announced(job), "by the API's estimate"
        if left is not None and left > self._deadline.left() * _LATE:
            self._late_told = True
            told = f"{about(left)} left {whose}, but time is up in {duration(self._deadline.left())}"
            self._history.note(f"{told}: give it more time with `timeout`", warning=True)

    def _announced(self, job: JobStatus) -> float | None:
        """Return the seconds that are left by the API's own estimate, `None` if it makes no sense."""
        left = (job.eta or 0) - self._api_clock.now()
        return left if 0 < left < _LONGEST_ESTIMATE else None

    def _queue_left(self, job: JobStatus) -> float:
        """Return for how many seconds more the job may wait to begin."""
        if self._plan.queue_timeout is None or job.state not in _WAITING:
            return float("inf")
        return self._plan.queue_timeout - self._history.queued

    def _stall_left(self, job: JobStatus) -> float:
        """Tell for how many seconds more the running job may stand still."""
        if self._plan.stall_timeout is None or job.state is not JobState.RUNNING:
            return float("inf")
        return self._plan.stall_timeout - self._history.standstill

    # The endings

    def _end(self, status: GateStatus, reason: str, remedy: str = "") -> Outcome:
        return self._history.outcome(status, reason, remedy or status.remedy)

    def _over(self, job: JobStatus, status: GateStatus) -> Outcome:
        reason = f"{self.target.label} is {standing(job)}"
        if said := _first_line(job.error or ""):
            reason += f": {said}"
        remedy = self.target.resource.remedy if job.verdict is Verdict.FAILED else ""
        return self._end(status, reason, remedy)

    def _too_late(self, job: JobStatus) -> Outcome:
        once = self._plan.timeout == 0
        status = GateStatus.PENDING if once else GateStatus.TIMEOUT
        if self._history.doubt:
            when = "" if once else " when time was up"
            perhaps = f"{'is' if once else 'was'} perhaps {standing(job)}{when}"
            return self._end(status, f"{self.target.label} {perhaps}, but {self._history.doubt}")
        if not once:
            return self._end(status, f"{self.target.label} was still {standing(job)} when time was up")
        left = self._announced(job)
        expected = f", with {about(left)} left by the API's estimate" if left is not None else ""
        return self._end(status, f"{self.target.label} is {standing(job)}{expected}")

    def _stalled(self, job: JobStatus) -> Outcome:
        if job.state in _WAITING:
            still = f"has not begun to run for {duration(self._history.queued)}"
            reason = f"{self.target.label} is {standing(job)}, and {still}"
            return self._end(GateStatus.STALLED, reason, _QUEUED_TOO_LONG)
        still = f"has not moved for {duration(self._history.standstill)}"
        return self._end(GateStatus.STALLED, f"{self.target.label} is {standing(job)}, but {still}")

    def _silent(self, error: Unusable) -> Outcome:
        """End a gate whose answers could not be used for too long."""
        job = self._history.job
        if self._deadline.passed and job is not None:
            last = f"{self.target.label} was {standing(job)} when last heard of"
            return self._end(GateStatus.TIMEOUT, f"{last}, and when time was up: {error.label} ({error})")
        if isinstance(error, NotFound):
            reason = f"there is no {self.target.label} ({error})"
        elif isinstance(error, Doubtful):
            reason = f"the answers about {self.target.label} cannot be trusted: {error}"
        else:
            reason = f"no usable answer about {self.target.label}: {error}"
        return self._end(error.status, reason, error.remedy)


def _error(state: RetryCallState) -> Unusable:
    """Get the error of an attempt that has failed."""
    error = state.outcome.exception() if state.outcome else None
    if not isinstance(error, Unusable):  # tenacity retries nothing else here
        raise TypeError(error)
    return error


def _aim(left: float | None) -> str:
    """Give the reason for the pause that the schedule chose."""
    return "nothing is known of the end" if left is None else f"{about(left)} left by the estimate"


def _first_line(text: str) -> str:
    line = next((line.strip() for line in text.replace("\r", "\n").split("\n") if line.strip()), "")
    return f"{line[:199]}…" if len(line) > 200 else line
