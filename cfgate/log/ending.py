"""Tell a person how the run ended. The last three lines alone must tell what happened and what to do."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from cfgate.hosts import Level, Style
from cfgate.log.wording import style_of
from cfgate.model import GateStatus, Outcome, Result, counted, state_of
from cfgate.text import wording

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cfgate.hosts import Host

# An annotation tells this many failures besides the one that decided, and counts the others.
_ANNOTATED: Final = 10
# All job errors together, in characters, of which the log may need ten bytes for one. GitLab closes a log at
# 4 MiB, and what follows here is the verdict; the files and the summary have more of them.
_ERRORS: Final = 64 * 1024
_TITLES: Final = ("target", "id", "status", "state", "waited", "requests", "reason")
_LINE_BREAK: Final = re.compile(r"\r\n|\r|\n")


def write_ending(host: Host, result: Result) -> None:
    """Write how the run ended: the job errors, a table of several, the annotations, the last lines."""
    _job_errors(host, result)
    for outcome in result.outcomes:
        for warning in outcome.job.warnings if outcome.job and outcome.status is GateStatus.READY else ():
            host.annotate(Level.WARNING, f"{outcome.target.label} is ready", warning)
    if len(result.outcomes) > 1:
        _tabulate(host, result.outcomes)
    if host.annotates:  # elsewhere it would say what the last lines say
        _annotate(host, result)
    _last_lines(host, result)


def _job_errors(host: Host, result: Result) -> None:
    """Print the errors of the jobs, each as far as there is room for all of them."""
    errors = [
        (outcome.target.label, outcome.job.error)
        for outcome in result.outcomes
        if outcome.job and outcome.job.error
    ]
    room = _ERRORS // max(len(errors), 1)
    for label, error in errors:
        told = error.strip("\r\n")
        lines = [f"| {line}" for line in _LINE_BREAK.split(told[:room])]
        # A line of its own: the host may have to cut the last one.
        cut = [f"… ({len(told) - room} more characters)"] if len(told) > room else []
        host.group(f"job error of {label}", lines + cut)


def _tabulate(host: Host, outcomes: Sequence[Outcome]) -> None:
    """Print a row for each target, the worst last: next to the lines that everybody reads."""
    rows = [
        (_row(outcome), style_of(outcome.status)) for outcome in sorted(outcomes, key=_place, reverse=True)
    ]
    cells = [_TITLES, *(row for row, _ in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for row, style in [(_TITLES, Style.DIM), *rows]:
        line = "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True))
        host.log(line.rstrip(), style)


def _place(outcome: Outcome) -> int:
    return outcome.status.precedence


def _row(outcome: Outcome) -> tuple[str, ...]:
    """Tell one outcome in columns. What is ready needs no reason."""
    target = outcome.target
    return (
        target.name or target.resource.noun,
        str(target.id),
        outcome.status.label.replace("_", " "),
        state_of(outcome.job),
        wording.duration(outcome.waited),
        str(outcome.requests),
        "" if outcome.status is GateStatus.READY else " ".join(outcome.reason.split()),
    )


def _annotate(host: Host, result: Result) -> None:
    """Leave one annotation: the title says what, the message why and what to do, and what else went wrong."""
    title = f"cfgate: {_status(result)}"
    level = Level.NOTICE if result.ready or result.status is GateStatus.PENDING else Level.ERROR
    message = f"{_sentence(result.reason)} {result.remedy}".rstrip()
    host.annotate(
        level, title, result.reason if result.ready else "\n".join([message, *_other_failures(result)])
    )


def _other_failures(result: Result) -> list[str]:
    """Give a line for each failure besides the one that decided, as many as an annotation can show."""
    others = [
        _sentence(outcome.reason)
        for outcome in sorted(result.outcomes, key=_place)
        if outcome.status.failure and outcome is not result.decisive
    ]
    more = [f"And {len(others) - _ANNOTATED} more."] if len(others) > _ANNOTATED else []
    return others[:_ANNOTATED] + more


def _last_lines(host: Host, result: Result) -> None:
    """Print what somebody reads who reads nothing else."""
    requests = sum(outcome.requests for outcome in result.outcomes)
    cost = (
        f" after {wording.duration(result.waited)} ({wording.plural(requests, 'request')})"
        if requests
        else ""
    )
    if result.ready:
        targets = [outcome.target for outcome in result.outcomes]
        what = targets[0].label if len(targets) == 1 else f"all {counted(targets)}"
        host.log(f"{_status(result)}: {what}{cost}", Style.GOOD)
        return
    style = style_of(result.status)
    if len(result.problems) > 1:
        host.log(f"{_status(result)}: {len(result.problems)} problems in the configuration", style)
        for problem in result.problems:
            host.log(f"  - {problem}", style)
    else:
        host.log(f"{_status(result)}{cost}: {result.reason}", style)
    if result.remedy:
        host.log(f"what to do: {result.remedy}", style)


def _status(result: Result) -> str:
    """Name the ending, and say so if it was only a rehearsal."""
    label = result.status.label.replace("_", " ")
    return f"{label} (rehearsal: Clanforge was not asked)" if result.rehearsal else label


def _sentence(clause: str) -> str:
    """Make a sentence of a clause."""
    return clause if clause.endswith((".", "!", "?", "…")) else f"{clause}."
