"""What a run came to: every way to end makes one result, with its status, exit code, reason and remedy."""

from __future__ import annotations

import errno
from signal import SIGINT, SIGTERM, Signals

import pytest

from cfgate.conclusion import UNDECIDED, bug, conclude
from cfgate.errors import InvalidSettings, NoAnswer, Rejected
from cfgate.gate.watch import Crashed, Watched
from cfgate.model import GateStatus, JobState, JobStatus, Outcome, Target, Verdict

BEFORE = UNDECIDED._replace(started=1_795_435_200.0, rehearsal=True, warnings=("odd",))
RUNNING = JobStatus(Verdict.PENDING, "", state=JobState.RUNNING)


def outcome(number: int, status: GateStatus, job: JobStatus | None = None) -> Outcome:
    """Make the outcome of one target."""
    return Outcome(Target(number), status, f"image version {number} is {status.label}", "Do this.", job)


def test_one_target_decides_alone() -> None:
    """The result of a single target is its own: status, exit code, reason and remedy."""
    result = conclude(Watched((outcome(1, GateStatus.TIMEOUT),)), BEFORE)
    assert (result.status, result.exit_code) == (GateStatus.TIMEOUT, 4)
    assert (result.reason, result.remedy) == ("image version 1 is timeout", "Do this.")


def test_of_several_the_first_in_the_order_of_precedence_decides() -> None:
    """The reason counts what is ready, and quotes the target that decided."""
    ended = (outcome(1, GateStatus.READY), outcome(2, GateStatus.TIMEOUT), outcome(3, GateStatus.FAILED))
    result = conclude(Watched(ended), BEFORE)
    assert (result.status, result.exit_code) == (GateStatus.FAILED, 1)
    assert result.reason == "1 of 3 image versions are ready; image version 3 is failed"
    ready = conclude(Watched((outcome(1, GateStatus.READY), outcome(2, GateStatus.READY))), BEFORE)
    assert (ready.ready, ready.reason) == (True, "2 of 2 image versions are ready")


@pytest.mark.parametrize(("signal", "code"), [(SIGINT, 130), (SIGTERM, 143)])
def test_a_signal_has_its_own_exit_code(signal: Signals, code: int) -> None:
    """The reason says how far the target was, or how many were not ready."""
    one = conclude(Watched((outcome(1, GateStatus.INTERRUPTED, RUNNING),), signal), BEFORE)
    assert (one.status, one.exit_code) == (GateStatus.INTERRUPTED, code)
    assert one.reason == f"stopped by {signal.name} while image version 1 was Running"
    two = (outcome(1, GateStatus.READY), outcome(2, GateStatus.INTERRUPTED))
    stopped = conclude(Watched(two, signal), BEFORE)
    assert stopped.reason.endswith("while 1 of 2 image versions were not ready")
    assert not conclude(Watched((outcome(1, GateStatus.READY),), signal), BEFORE).ready


def test_an_error_ends_a_run_with_its_own_status_and_remedy() -> None:
    """What an error says is redacted, and each problem of a configuration stays a line of its own."""
    rejected = conclude(Rejected("no entry for hunter2"), BEFORE, lambda text: text.replace("hunter2", "***"))
    assert (rejected.status, rejected.reason) == (GateStatus.REJECTED, "no entry for ***")
    assert rejected.remedy == Rejected.remedy
    invalid = conclude(InvalidSettings(["first", "second"]), BEFORE)
    assert (invalid.exit_code, invalid.problems) == (2, ("first", "second"))


def test_a_bug_is_an_error_that_says_where_it_is() -> None:
    """One on the thread of a gate keeps the outcomes; neither is ever ready."""
    crashed = Crashed(Target(1), ZeroDivisionError("by hunter2"))
    ended = (outcome(1, GateStatus.READY),)
    result = conclude(Watched(ended, None, crashed), BEFORE, lambda text: text.replace("hunter2", "***"))
    assert (result.status, result.exit_code, result.outcomes) == (GateStatus.ERROR, 70, ended)
    assert result.reason == "ZeroDivisionError: by ***"
    assert conclude(ZeroDivisionError("x"), BEFORE).exit_code == 70


def test_the_text_of_a_bug_is_left_out_where_it_cannot_be_redacted() -> None:
    """The kind of the exception is all that is left."""
    assert str(bug(ValueError("hunter2"))) == "ValueError"


def test_a_package_that_is_not_installed_is_no_bug() -> None:
    """It is named, with the command that installs it."""
    result = conclude(ModuleNotFoundError("No module named 'requests'", name="requests"), BEFORE)
    assert (result.exit_code, result.reason) == (2, "the Python package requests is not installed")
    assert "pip install" in result.remedy


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE])
def test_a_machine_without_files_gets_its_own_advice(number: int) -> None:
    """That is no bug of cfgate, whatever raised it."""
    assert "ulimit -n" in conclude(OSError(number, "too many"), BEFORE).remedy


@pytest.mark.parametrize("ending", [Watched((outcome(1, GateStatus.READY),)), NoAnswer("x"), KeyError("y")])
def test_what_was_known_before_stays(ending: Watched | Exception) -> None:
    """When the run began, whether it was a rehearsal, and the warnings are in every result."""
    result = conclude(ending, BEFORE)
    assert (result.started, result.rehearsal, result.warnings) == (1_795_435_200.0, True, ("odd",))


class LibraryError(Exception):
    """An error of somebody else's, whose text quotes what it was given."""

    __module__ = "yaml.scanner"


def test_of_an_unexpected_error_only_harmless_words_are_shown() -> None:
    """The text of a library stays out, and so does the name of a file; a limit of the machine is no bug."""
    assert "theSecret" not in str(bug(LibraryError("found theSecret"), str))
    assert "theSecret" not in str(bug(OSError(5, "Input/output error", "/theSecret"), str))
    assert "what was wrong" in str(bug(ValueError("what was wrong"), str))
    for error in (MemoryError(), RuntimeError("can't start new thread"), OSError(28, "x")):
        assert "bug" not in f"{bug(error, str)} {bug(error, str).remedy}"
