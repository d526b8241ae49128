"""The gate as a state machine: for every sequence of answers, faults and signals one documented outcome.

Hypothesis plays the sequence to the real gate, in virtual time, and the oracle of the proofs, which shares
no code with it, says after every step what was due.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Collection
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from cfgate.errors import Doubtful, NoAnswer, NotFound, Rejected, Unresolved, Unsuited, Untrusted
from cfgate.gate.patience import Streak
from cfgate.model import GateStatus, JobState, Verdict
from cfgate.rules.sequence import Sequence
from cfgate.system.clock import Deadline
from proofs import model_check
from proofs.documents import CODES
from proofs.gate_run import GateRun
from proofs.model_check import Letter, fault, job, play
from proofs.oracle import Means, Rules

TIMES = st.sampled_from([0.0, 0.3, 5.0, 12.0, 25.0, 60.0, 3600.0])
TRIPS = st.sampled_from([0.0, 0.1, 0.9, 3.0, 12.0])
UPDATED = st.integers(100, 105)  # close together: stale answers, and such as have not moved


class GateMachine(RuleBasedStateMachine):
    """A gate to which one thing after the other happens. Each step plays the whole story again."""

    def __init__(self) -> None:
        super().__init__()
        self.story: list[Letter] = []
        self.run: GateRun | None = None
        self.over = False

    @initialize(
        timeout=TIMES,
        error_tolerance=TIMES,
        not_found_grace=TIMES,
        stall_timeout=st.none() | TIMES.filter(bool),
        pause=st.sampled_from([1.0, 10.0]),
    )
    def begin(self, pause: float, **chosen: Any) -> None:
        """Choose the settings."""
        self.limits = Rules(**chosen, pauses=(pause, pause))

    @precondition(lambda self: not self.over)
    @rule(
        state=st.sampled_from(JobState),
        updated=UPDATED,
        progress=st.sampled_from([0, 50, 100]),
        trip=TRIPS,
        created=st.sampled_from([50, 50, 50, 49, 51]),
    )
    def answers(self, state: JobState, updated: int, progress: int, trip: float, created: int) -> None:
        """Tell of the job."""
        self.happens(job(state, updated, progress, trip, created))

    @precondition(lambda self: not self.over)
    @rule(
        error=st.sampled_from([NoAnswer("503"), Doubtful("odd"), NotFound("404"), Unresolved("no address")]),
        trip=TRIPS,
    )
    def fails(self, error: NoAnswer | Doubtful | NotFound, trip: float) -> None:
        """Give an answer that cannot be used, or none."""
        means = {
            NoAnswer: Means.NO_ANSWER,
            Doubtful: Means.DOUBTFUL,
            NotFound: Means.NOT_FOUND,
            Unresolved: Means.NO_ADDRESS,
        }
        self.happens(fault(error, means[type(error)], trip=trip))

    @precondition(lambda self: not self.over)
    @rule(seconds=st.sampled_from([0, 1, 7, 40, 86_400]), trip=TRIPS)
    def is_busy(self, seconds: int, trip: float) -> None:
        """Ask to be left alone."""
        self.happens(fault(NoAnswer("429", retry_after=seconds, busy=True), Means.NO_ANSWER, seconds, trip))

    @precondition(lambda self: not self.over and len(self.story) > 2)
    @rule(unsuited=st.booleans(), times=st.sampled_from([1, 1, 4]))
    def refuses(self, *, unsuited: bool, times: int) -> None:
        """Refuse, once or on and on."""
        refusal = fault(Rejected("403"), Means.REJECTED)
        for _ in range(times):
            if not self.over:
                self.happens(fault(Unsuited("it has a wish"), Means.UNSUITED) if unsuited else refusal)

    @precondition(lambda self: not self.over and len(self.story) > 2)
    @rule()
    def is_somebody_else(self) -> None:
        """Show a certificate that is not trusted."""
        self.happens(fault(Untrusted("expired"), Means.UNTRUSTED))

    @precondition(lambda self: not self.over)
    @rule(jump=st.sampled_from([-86_400.0, -3600.0, 3600.0, 86_400.0]), updated=UPDATED)
    def clock_jumps(self, jump: float, updated: int) -> None:
        """Somebody sets this machine's clock while an answer is on its way."""
        told = job(JobState.RUNNING, updated)
        self.happens(Letter(told.answer, told.heard, told.trip, dated=True, jump=jump))

    @precondition(lambda self: self.run is not None and not self.over and len(self.story) > 2)
    @rule(part=st.floats(0.0, 1.0))
    def signal_comes(self, part: float) -> None:
        """Stop the gate at some moment of its story, or in the pause after it."""
        assert self.run is not None
        random.seed(0)
        self.run = play(self.story, self.limits, alarm=part * (self.run.clock.now + 1.0))
        self.over = True

    @precondition(lambda self: self.over)
    @rule()
    def nothing_happens(self) -> None:
        """Leave a gate alone that is over."""

    def happens(self, letter: Letter) -> None:
        """Let the gate live through its story once more, with this at its end."""
        self.story.append(letter)
        random.seed(0)  # for the back-off of tenacity
        self.run = play(self.story, self.limits)
        self.over = not self.run.stopped

    @invariant()
    def every_step_was_by_the_rules(self) -> None:
        """Check every pause, the ending, the count of requests and the events."""
        if self.run is not None:
            assert list(self.run.problems()) == []

    @invariant()
    def there_is_one_documented_outcome(self) -> None:
        """Check that the gate has ended in a way that the documents know, or still asks."""
        if self.run is not None:
            assert self.run.outcome is not None
            assert self.run.outcome.status.label in CODES
            assert self.run.stopped == (self.run.outcome.status is GateStatus.INTERRUPTED)

    @invariant()
    def success_comes_after_a_trusted_completed_only(self) -> None:
        """Check without the oracle: the last answer to a green gate was Completed."""
        if (
            self.run is not None
            and self.run.outcome is not None
            and self.run.outcome.status is GateStatus.READY
        ):
            last = self.run.looks[-1].heard
            assert (last.means, last.state) == (Means.READY, JobState.COMPLETED.id)
            assert not self.run.stopped


def machine(examples: int, phases: Collection[Phase] = tuple(Phase)) -> None:
    """Let hypothesis look for a story that breaks a rule."""
    run_state_machine_as_test(
        GateMachine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=12,
            deadline=None,
            database=None,
            phases=phases,
            report_multiple_bugs=False,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_every_sequence_leads_to_one_documented_outcome() -> None:
    """Whatever happens in whatever order, the gate does what the rules say, at the time they say."""
    machine(examples=100)


def test_all_short_sequences_are_by_the_rules() -> None:
    """Every script of up to two answers, in every world, and not only those that chance has picked."""
    endings, problems = model_check.check(2)
    assert problems == []
    assert endings.total() > 500
    assert set(endings) == set(CODES) - {"invalid", "error", "interrupted"}


def test_a_pause_that_was_asked_for_before_a_row_of_404s_does_not_count_for_it() -> None:
    """The grace of a 404 counts from the first of its row, whatever the API wanted before."""
    busy = fault(NoAnswer("429", retry_after=300), Means.NO_ANSWER, 300)
    unknown = fault(NotFound("404"), Means.NOT_FOUND)
    run = play([busy, *[unknown] * 50], Rules(3600.0, 600.0, 60.0, None, (10.0, 10.0)))
    assert run.outcome is not None
    assert run.outcome.status is GateStatus.NOT_FOUND
    assert 360.0 < run.outcome.waited < 362.0


# A proof that cannot fail proves nothing: each of these defects is planted in the gate, and must be found.


def believes_everything(patch: pytest.MonkeyPatch) -> None:
    """Believe an ending that is older than what came before."""
    patch.setattr(Sequence, "add", lambda *_: 0.0)


def believes_an_older_job(patch: pytest.MonkeyPatch) -> None:
    """Take an answer about an older job for one about this."""
    patch.setattr(Sequence, "check", lambda *_: None)


def shrugs_trouble_off(patch: pytest.MonkeyPatch) -> None:
    """Let an ending that has to hold go on through answers that could not be used."""
    patch.setattr(Sequence, "trouble", lambda _: None)


def believes_every_refusal(patch: pytest.MonkeyPatch) -> None:
    """End on the first refusal that follows a usable answer."""
    patch.setattr(Streak, "refused", property(lambda streak: bool(streak._refusals)))


def is_never_refused(patch: pytest.MonkeyPatch) -> None:
    """Ask on, however often the API refuses."""
    patch.setattr(Streak, "refused", property(lambda _: False))


def takes_squashed_for_ready(patch: pytest.MonkeyPatch) -> None:
    """End green on a job that another one has replaced."""
    patch.setattr(Verdict.SQUASHED, "ending", GateStatus.READY)


def forgets_the_deadline(patch: pytest.MonkeyPatch) -> None:
    """Take one look more when time is up."""
    patch.setattr(Deadline, "passed", property(lambda deadline: deadline.left() <= -5.0))


def is_too_patient(patch: pytest.MonkeyPatch) -> None:
    """Put up with silence for longer than was asked."""
    tolerance = Streak._tolerance
    patch.setattr(Streak, "_tolerance", lambda streak: tolerance(streak) + 15.0)


DEFECTS: list[Callable[[pytest.MonkeyPatch], None]] = [
    believes_everything,
    believes_an_older_job,
    shrugs_trouble_off,
    believes_every_refusal,
    is_never_refused,
    takes_squashed_for_ready,
    forgets_the_deadline,
    is_too_patient,
]


@pytest.mark.parametrize("plant", DEFECTS, ids=lambda plant: plant.__name__)
def test_the_model_check_finds_a_planted_defect(
    plant: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The exhaustive check reports it."""
    with monkeypatch.context() as patch:
        plant(patch)
        _, problems = model_check.check(2, model_check.WORLDS[5:6])
    assert problems


# The model check has every short story; chance finds those for two of the defects too seldom.
@pytest.mark.parametrize(
    "plant",
    [plant for plant in DEFECTS if plant not in (shrugs_trouble_off, is_never_refused)],
    ids=lambda plant: plant.__name__,
)
def test_the_machine_finds_a_planted_defect(
    plant: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hypothesis finds a story that shows it."""
    with monkeypatch.context() as patch:
        plant(patch)
        with pytest.raises(AssertionError):
            machine(examples=1000, phases=[Phase.generate])
