"""What a run came to: one `Result`, whatever ended it.

A run ends by its targets, by a signal, by an error that was foreseen or by a bug. `conclude` makes the result
of each of these from the undecided one that the run began with, and nothing else makes one.
"""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cfgate.errors import Broken, GateError, InvalidSettings, NotInstalled
from cfgate.gate.watch import Watched
from cfgate.model import GateStatus, Outcome, Result, counted
from cfgate.system.limits import limit_met
from cfgate.system.signals import exit_code

if TYPE_CHECKING:
    from collections.abc import Callable

# What is written before anything is asked: a run that is killed leaves this behind, and it is not green.
UNDECIDED: Final = Result(
    GateStatus.ERROR,
    GateStatus.ERROR.exit_code,
    "cfgate was stopped before it could decide",
    "Look at how this job ended: cfgate was killed, or its machine went away. Then run the gate again.",
)
_INTERRUPTED: Final = "The job goes on at Clanforge. Run the gate again to wait for it."


def conclude(
    ending: Watched | Exception, before: Result = UNDECIDED, redact: Callable[[str], str] = str
) -> Result:
    """Make the result of a run that began as `before`; `redact` takes secrets out of the text of errors."""
    if not isinstance(ending, Watched):
        return _by_error(ending, before, redact)
    result = before._replace(outcomes=ending.outcomes)
    if ending.crashed:
        return _by_error(bug(ending.crashed.error, redact), result)
    if ending.signalled:
        return result._replace(
            status=GateStatus.INTERRUPTED,
            exit_code=exit_code(ending.signalled),
            reason=f"stopped by {ending.signalled.name} while {_standing(ending.outcomes)}",
            remedy=_INTERRUPTED,
        )
    return _by_targets(result)


def bug(error: BaseException, redact: Callable[[str], str] | None = None) -> Broken:
    """Describe an unexpected exception: its kind, its place in cfgate, its text if it can be redacted."""
    place = ""
    for frame in traceback.extract_tb(error.__traceback__):
        if Path(__file__).parent in Path(frame.filename).parents:
            place = f" in {Path(frame.filename).name}, line {frame.lineno}"
    if met := limit_met(error):
        limit, remedy = met
        return Broken(limit, remedy=remedy)
    text = redact(_words(error)) if redact else ""
    return Broken(f"{type(error).__name__}{place}{f': {text}' if text else ''}")


def _words(error: BaseException) -> str:
    """Return the text of an exception, unless it is a library's: these quote what they were given."""
    if isinstance(error, OSError):
        return error.strerror or "" if type(error).__module__ == "builtins" else ""
    return str(error) if type(error).__module__.partition(".")[0] in ("builtins", "cfgate") else ""


def _by_error(error: Exception, before: Result, redact: Callable[[str], str] = str) -> Result:
    if isinstance(error, ModuleNotFoundError):
        error = NotInstalled(error)
    elif not isinstance(error, GateError):
        error = bug(error, redact)
    problems = error.problems if isinstance(error, InvalidSettings) else ()
    return before._replace(
        status=error.status,
        exit_code=error.status.exit_code,
        reason=redact(str(error)),
        remedy=error.remedy,
        problems=tuple(map(redact, problems)),
    )


def _by_targets(result: Result) -> Result:
    """Let the outcome decide that comes first in the order of `GateStatus`."""
    outcomes, decisive = result.outcomes, result.decisive
    if decisive is None:
        raise ValueError("a run has targets")
    reason = decisive.reason
    if len(outcomes) > 1:
        ready = sum(outcome.status is GateStatus.READY for outcome in outcomes)
        reason = f"{ready} of {_counted(outcomes)} are ready"
        if ready < len(outcomes):
            reason += f"; {decisive.reason}"
    status = decisive.status
    return result._replace(status=status, exit_code=status.exit_code, reason=reason, remedy=decisive.remedy)


def _standing(outcomes: tuple[Outcome, ...]) -> str:
    """Describe how far the targets were: the state of a single one, or how many were not ready."""
    if len(outcomes) == 1:
        (outcome,) = outcomes
        state = outcome.job.state.title if outcome.job and outcome.job.state else "not heard of yet"
        return f"{outcome.target.label} was {state}"
    waiting = sum(outcome.status is not GateStatus.READY for outcome in outcomes)
    return f"{waiting} of {_counted(outcomes)} were not ready"


def _counted(outcomes: tuple[Outcome, ...]) -> str:
    return counted([outcome.target for outcome in outcomes])
