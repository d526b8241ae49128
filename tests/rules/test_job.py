"""What is told of a wait: which target it was, how it ended, and whether the pipeline may go on."""

from __future__ import annotations

import pytest

from cfgate.model import GateStatus, JobState, Resource, Result, Target, Verdict
from tests.support.factories import outcome


@pytest.mark.parametrize("status", GateStatus)
@pytest.mark.parametrize("exit_code", [0, 1, 130])
def test_a_pipeline_may_go_on_in_one_case_only(status: GateStatus, exit_code: int) -> None:
    """Ready means the status ready and the exit code 0, and nothing else does."""
    assert Result(status, exit_code, "").ready is ((status.label, exit_code) == ("ready", 0))


def test_only_one_status_has_the_exit_code_of_success() -> None:
    """Every ending but ready is red, by a code that the shell keeps (1 to 255)."""
    assert [status for status in GateStatus if status.exit_code == 0] == [GateStatus.READY]
    assert all(0 <= status.exit_code <= 255 for status in GateStatus)


def test_the_worst_outcome_decides() -> None:
    """Of several outcomes the one whose status comes first counts, the first of them if there are two."""
    ready, late, failed = outcome(), outcome(GateStatus.TIMEOUT), outcome(GateStatus.FAILED)
    also_failed = outcome(GateStatus.FAILED, id=2)
    result = Result(GateStatus.FAILED, 1, "", outcomes=(ready, late, failed, also_failed))
    assert result.decisive is failed
    assert Result(GateStatus.INVALID, 2, "").decisive is None


def test_the_order_of_precedence_begins_with_what_is_worst() -> None:
    """What cannot be green comes before what may still become so, and ready comes last."""
    order = sorted(GateStatus, key=lambda status: status.precedence)
    assert [status.label for status in order] == [
        "error", "invalid", "interrupted", "failed", "squashed", "rejected", "not_found", "inconsistent",
        "unavailable", "stalled", "timeout", "pending", "ready",
    ]  # fmt: skip


def test_only_three_states_end_a_job() -> None:
    """A job is over when it is Completed, Failed or Squashed, and only Completed is good."""
    assert [state.title for state in JobState if state.terminal] == ["Completed", "Failed", "Squashed"]
    assert [state.title for state in JobState if state.verdict is Verdict.READY] == ["Completed"]


def test_a_target_is_called_by_its_name() -> None:
    """A target without a name is called by what it is, and its id."""
    assert Target(7, "console").label == "console"
    assert Target(7).label == "image version 7"
    assert Target(7, resource=Resource.ROLLOUT).label == "image roll-out 7"


def test_an_answer_has_the_shape_of_what_was_asked_for() -> None:
    """The fields of a job and the counts of machines are told apart by their names."""
    job, machines = Resource.IMAGE_VERSION.shape, Resource.ROLLOUT.shape
    for fields, told in (
        ({"jobx": 1, "error": 1}, (True, False)),
        ({"x_machines": 1, "error": 1}, (False, True)),
        ({"myjob": 1, "machines_x": 1}, (False, False)),
        ({}, (False, False)),
    ):
        assert (job.told_in(fields), machines.told_in(fields)) == told
