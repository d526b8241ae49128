"""Hand a result over: to the host, and to the files that the user has named.

It is called twice. At the start with `conclusion.UNDECIDED`, so that a gate that is killed leaves no green
from itself or from an earlier run behind it; and at the end with the result, on every way out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, TextIO

from cfgate.errors import InvalidSettings
from cfgate.hosts import Level
from cfgate.model import GateStatus
from cfgate.report.annotations import job_annotations
from cfgate.report.dotenv import dotenv
from cfgate.report.markdown import markdown
from cfgate.report.outputs import MAX_RESULT, outputs
from cfgate.report.result import as_json
from cfgate.system.files import write_all
from cfgate.system.limits import limit_met, why
from cfgate.system.pipes import print_within

if TYPE_CHECKING:
    from cfgate.hosts import Host
    from cfgate.model import Result
    from cfgate.settings.values import Files

# Seconds for whoever reads the JSON from stdout; whoever has cancelled the job will not wait for them.
_PATIENCE: Final = 10.0
_LAST_PATIENCE: Final = 1.0


def write_undecided(undecided: Result, host: Host, files: Files) -> None:
    """Write the fail-closed verdict everywhere. Raises InvalidSettings for what cannot be written."""
    problems = _deliver(undecided, host, files)
    if problems:
        raise InvalidSettings(list(problems.values()))


def deliver(
    result: Result,
    host: Host,
    files: Files,
    stdout: TextIO | None,
    redact: Callable[[str], str] = str,
) -> None:
    """Write the verdict everywhere; what cannot be written is told, and changes nothing.

    `redact` takes secrets out of the names of files.
    """
    problems = _deliver(result, host, files)
    if files.result == "-":
        cancelled = result.status is GateStatus.INTERRUPTED
        try:
            if stdout is None:
                raise ValueError  # noqa: TRY301 - as of one that is closed later
            print_within(stdout, as_json(result) + "\n", _LAST_PATIENCE if cancelled else _PATIENCE)
        except BrokenPipeError:
            problems["result-file"] = "result-file '-' cannot be written: nobody reads it"
        except OSError as error:
            problems["result-file"] = f"result-file '-' cannot be written: {why(error)}"
        except ValueError:
            problems["result-file"] = "result-file '-' cannot be written: stdout is closed"
    if files.junit and "junit-file" not in problems:
        host.junit(files.junit)
    for problem in problems.values():
        host.annotate(Level.WARNING, "cfgate: a report is missing", redact(problem))


def _deliver(result: Result, host: Host, files: Files) -> dict[str, str]:
    """Write everywhere; return what went wrong, by the option that names the file."""
    pairs = outputs(result, min(MAX_RESULT, host.value_limit))
    page = markdown(result, files.details_url)
    host.output(pairs)
    host.summary(page)
    reports: dict[str, tuple[str, Callable[[], str]]] = {
        "result-file": (files.result, lambda: as_json(result) + "\n"),
        "junit-file": (files.junit, lambda: _junit(result)),
        "dotenv-file": (files.dotenv, lambda: dotenv(pairs, files.dotenv_prefix)),
        "summary-file": (files.summary, lambda: page),
        "annotations-file": (files.annotations, lambda: job_annotations(result, files.details_url)),
    }
    made: dict[str, bytes] = {}
    problems = {}
    for option, (path, content) in reports.items():
        if path in ("", "-"):
            continue
        try:
            made[option] = content().encode("utf-8", "backslashreplace")
        except Exception as error:  # noqa: BLE001 - one report that cannot be made must not cost the others
            problems[option] = f"{option} '{path}' cannot be written: {_why_not_made(error)}"
    failures = write_all({reports[option][0]: data for option, data in made.items()})
    unwritten = {option: reports[option][0] for option in made if reports[option][0] in failures}
    return problems | {
        option: f"{option} '{path}' cannot be written: {failures[path]}" for option, path in unwritten.items()
    }


def _why_not_made(error: Exception) -> str:
    met = limit_met(error)
    return met[0] if met else f"a bug in cfgate ({type(error).__name__})"


def _junit(result: Result) -> str:
    from cfgate.report.junit import junit  # with an XML library, for those alone who want this report

    return junit(result)
