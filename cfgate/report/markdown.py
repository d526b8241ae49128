"""The summary page in GitHub-flavoured Markdown: the verdict, what to do, what went wrong, and the time line.

Sentences of ours are plain text, and only what came from outside is code. No column, row or part says
nothing, and no sentence stands there twice. All moments are UTC.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from cfgate import __version__
from cfgate.model import GateStatus, Outcome, Result, Retry, counted, standing
from cfgate.report.annotations import links
from cfgate.report.gantt import gantt
from cfgate.report.gfm import LEFT, RIGHT, block, cell, fitting, folding, prose, table
from cfgate.text.wording import duration, elapsed, moment, plural

# GitHub drops a summary of more than 1,048,576 bytes whole. These rooms, and what is small besides them, make
# less than 1,000,000 bytes.
_OUTCOMES_ROOM: Final = 200_000
_LINKS_ROOM: Final = 50_000
_TIMES_ROOM: Final = 100_000
_ERRORS_ROOM: Final = 300_000
_LIST_ROOM: Final = 40_000  # of problems, of advice and of warnings each
_RETRIES_ROOM: Final = 150_000
_HEADING: Final = 2000  # bytes at most of what stands above a job error

ICONS: Final = {
    GateStatus.READY: "✅",
    GateStatus.PENDING: "⏳",
    GateStatus.FAILED: "❌",
    GateStatus.SQUASHED: "♻️",
    GateStatus.TIMEOUT: "⏰",
    GateStatus.STALLED: "🐌",
    GateStatus.REJECTED: "⛔",
    GateStatus.NOT_FOUND: "🔍",
    GateStatus.UNAVAILABLE: "🔌",
    GateStatus.INCONSISTENT: "❓",
    GateStatus.INVALID: "✏️",
    GateStatus.INTERRUPTED: "🛑",
    GateStatus.ERROR: "🐞",
}

_REHEARSAL: Final = (
    "> [!WARNING]\n"
    "> **This is a rehearsal.** A simulator was asked instead of Clanforge: "
    "the verdict says nothing about a real job."
)
_STAMPS: Final = ("created", "started", "updated", "eta")
# A column: its alignment, and what it says of an outcome; one that says nothing about any is left out.
_Column = tuple[str, Callable[[Outcome], str]]


def markdown(result: Result, details_url: str = "") -> str:
    """Write the summary page, less than 1,000,000 bytes; every text from outside is disarmed.

    `details_url` is where links lead, with `{id}` for the id of an image version.
    """
    return "\n\n".join(part for part in _parts(result, details_url) if part) + "\n"


def _parts(result: Result, details_url: str) -> Iterator[str]:
    yield f"## {_verdict(result.status)}: {_about(result)}"
    yield _REHEARSAL if result.rehearsal else ""
    yield _reason(result)
    yield _advice(result)
    yield from _errors(result)
    yield _outcomes(result)
    yield _links(result, details_url)
    yield _chart(result)
    yield _times(result)
    yield _warnings(result)
    yield _retries(result)
    yield _footer(result)


def _verdict(status: GateStatus) -> str:
    return f"{ICONS[status]} {status.label.replace('_', ' ')}"


def _about(result: Result) -> str:
    """Name what the verdict is about, in words of ours only."""
    targets = [outcome.target for outcome in result.outcomes]
    if len(targets) == 1:
        return f"{targets[0].resource.noun} {targets[0].id}"
    if not targets:
        return "the configuration" if result.status is GateStatus.INVALID else "cfgate"
    ready = sum(outcome.status is GateStatus.READY for outcome in result.outcomes)
    return counted(targets) if result.ready else f"{ready} of {counted(targets)} ready"


def _name(outcome: Outcome) -> str:
    """Name a target by what it is, and by the name that the user gave it."""
    target = outcome.target
    return f"{target.resource.noun} {target.id} {cell(target.name, limit=100)}".strip()


def _reason(result: Result) -> str:
    """Say what happened: once, and of several targets each in its own row; several problems are a list."""
    if len(result.problems) > 1:
        problems = fitting(
            result.problems, lambda problem: f"- {_sentence(problem, ours=True)}", _LIST_ROOM, _more
        )
        return "\n".join(problems)
    if len(result.outcomes) > 1 and result.status is not GateStatus.INTERRUPTED:
        return ""
    names = [outcome.target.name for outcome in result.outcomes]
    return _sentence(_without_error(result), *names, ours=result.status is GateStatus.INVALID)


def _without_error(result: Result) -> str:
    """Leave out the first line of the job error, which follows in full."""
    error = next((outcome.job.error for outcome in result.outcomes if outcome.job and outcome.job.error), "")
    head, mark, tail = result.reason.partition(": ")
    return head if mark and error and tail.removesuffix("…") in error else result.reason


def _sentence(text: str, *names: str, ours: bool = False) -> str:
    """Write a clause as a sentence."""
    begun = text[:1].upper() + text[1:] if text[:1].islower() else text
    written = prose(begun, names, ours=ours)
    if not written or text.endswith((".", "!", "?", "…")):
        return written
    return f"{written}&#46;" if written.isdigit() else f"{written}."  # a number and a dot begin a list


def _advice(result: Result) -> str:
    """Say what to do: of several targets for each kind of trouble."""
    advice: dict[str, list[Outcome]] = {}
    for outcome in sorted(result.outcomes, key=lambda outcome: outcome.status.precedence):
        if outcome.remedy and len(result.outcomes) > 1:
            advice.setdefault(outcome.remedy, []).append(outcome)
    if len(advice) < 2:
        return f"**What to do:** {prose(result.remedy, ours=True)}" if result.remedy else ""

    def part(entry: tuple[str, list[Outcome]]) -> str:
        remedy, outcomes = entry
        more = f" and {len(outcomes) - 1} more" if len(outcomes) > 1 else ""
        return f"- {_name(outcomes[0])}{more}: {prose(remedy, ours=True)}"

    lines = fitting(list(advice.items()), part, _LIST_ROOM, _more)
    return "\n".join(["**What to do:**", "", *lines])


def _more(left: int) -> str:
    return f"- … and {left} more"


def _columned(titles: dict[str, _Column], outcomes: list[Outcome], room: int, *, named: bool = True) -> str:
    """Write a table with the columns that say something."""
    kept = {title: column for title, column in titles.items() if any(map(column[1], outcomes))}
    columns = {title: alignment for title, (alignment, _) in kept.items()}

    nouns = {outcome.target.resource.noun for outcome in outcomes}
    title = nouns.pop().capitalize() if len(nouns) == 1 else "Target"

    def cells(outcome: Outcome) -> tuple[str, ...]:
        told = tuple(tell(outcome) or "–" for _, tell in kept.values())
        short = f"{outcome.target.id} {cell(outcome.target.name, limit=100)}".strip()
        return (_name(outcome) if title == "Target" else short, *told) if named else told

    return table({title: LEFT, **columns} if named else columns, outcomes, cells, room) if kept else ""


def _outcomes(result: Result) -> str:
    """Show each of several targets in a row; one alone has a line."""
    if len(result.outcomes) == 1:
        return _facts(result.outcomes[0])
    columns: dict[str, _Column] = {
        "Verdict": (LEFT, lambda outcome: _verdict(outcome.status)),
        "Last seen": (LEFT, lambda outcome: standing(outcome.job) if outcome.job else ""),
        "Waited": (RIGHT, lambda outcome: duration(round(outcome.waited))),
        "Requests": (RIGHT, lambda outcome: str(outcome.requests)),
        "Retries": (RIGHT, lambda outcome: str(len(outcome.retries) or "")),
        "Reason": (LEFT, _row_reason),
    }
    return _columned(columns, list(result.outcomes), _OUTCOMES_ROOM) if result.outcomes else ""


def _facts(outcome: Outcome) -> str:
    last = standing(outcome.job) if outcome.job else ""
    facts = [
        f"Waited {duration(round(outcome.waited))}",
        plural(outcome.requests, "request"),
        plural(len(outcome.retries), "retry", "retries") if outcome.retries else "",
        f"last seen {last}" if last and last not in outcome.reason else "",
        cell(outcome.target.name, limit=100),
    ]
    return " · ".join(fact for fact in facts if fact)


def _row_reason(outcome: Outcome) -> str:
    """Say why a target is not ready; the name of it stands at the left, and a job error above."""
    error = outcome.job.error if outcome.job else ""
    if outcome.status is GateStatus.READY or (outcome.status.by_job and error):
        return ""
    reason = outcome.reason.removeprefix(outcome.target.label).lstrip(": ")
    return prose(reason[:1].upper() + reason[1:], [outcome.target.name], limit=500)


def _links(result: Result, details_url: str) -> str:
    def part(link: tuple[str, str]) -> str:
        label, url = link
        return f"[{label}]({url})"

    parts = fitting(links(result, details_url), part, _LINKS_ROOM, lambda left: f"… and {left} more")
    return f"**Details:** {', '.join(parts)}" if parts else ""


def _chart(result: Result) -> str:
    chart, left = gantt(result)
    if not chart:
        return ""
    cut = f"\n\nThere was no room for {plural(left, 'more target')}." if left else ""
    return f"### Time line (UTC)\n\n```mermaid\n{chart}```{cut}"


def _times(result: Result) -> str:
    """Show what the API's own clock says of each job: of a single day the date stands in the heading."""
    jobs = [outcome for outcome in result.outcomes if outcome.job]
    days = {stamp[:10] for outcome in jobs for field in _STAMPS if (stamp := _stamp(outcome, field))}
    short = 11 if len(days) == 1 else 0
    columns: dict[str, _Column] = {
        "Created": (LEFT, lambda outcome: _stamp(outcome, "created")[short:]),
        "Started": (LEFT, lambda outcome: _stamp(outcome, "started")[short:]),
        "Ended": (LEFT, lambda outcome: _stamp(outcome, "updated")[short:] if _over(outcome) else ""),
        "Updated": (LEFT, lambda outcome: "" if _over(outcome) else _stamp(outcome, "updated")[short:]),
        "Estimated end": (LEFT, lambda outcome: _stamp(outcome, "eta")[short:]),
        "Queued for": (RIGHT, lambda outcome: _between(outcome, "created", "started")),
        "Ran for": (RIGHT, lambda outcome: _between(outcome, "started", "updated") if _over(outcome) else ""),
        "Failed before": (RIGHT, _failures),
    }
    times = _columned(columns, jobs, _TIMES_ROOM, named=len(result.outcomes) > 1)
    day = f"{days.pop()} " if short else ""
    return f"### By the API's clock ({day}UTC)\n\n{times}" if times else ""


def _over(outcome: Outcome) -> bool:
    return bool(outcome.job and outcome.job.state and outcome.job.state.terminal)


def _stamp(outcome: Outcome, field: str) -> str:
    """Write a stamp of a job; an estimate of the end only while it has not come."""
    unix = getattr(outcome.job, field) if field != "eta" or not _over(outcome) else None
    return moment(unix).removesuffix(" UTC") if unix else ""


def _between(outcome: Outcome, begin: str, end: str) -> str:
    """Write the time between two stamps of a job, if both are known and in their order."""
    first, last = getattr(outcome.job, begin), getattr(outcome.job, end)
    return duration(last - first) if first and last and first <= last else ""


def _failures(outcome: Outcome) -> str:
    """Count the failures before the last one, which the verdict has told."""
    failures = (outcome.job.failures if outcome.job else 0) or 0
    before = failures - (outcome.status is GateStatus.FAILED)
    return plural(before, "time") if before > 0 else ""


def _errors(result: Result) -> list[str]:
    """Show the errors of the jobs in full, as far as there is room for all; the same of several jobs once."""
    errors: dict[str, list[Outcome]] = {}
    for outcome in result.outcomes:
        if outcome.job and outcome.job.error:
            errors.setdefault(outcome.job.error, []).append(outcome)
    share = max(_ERRORS_ROOM // max(len(errors), 1) - _HEADING, 200)

    def part(failed: tuple[str, list[Outcome]]) -> str:
        error, (first, *others) = failed
        more = f" and {len(others)} more" if others else ""
        return folding(f"Job error of {_name(first)}{more}", block(error, share), unfolded=True)

    return fitting(
        list(errors.items()), part, _ERRORS_ROOM, lambda left: f"… and {plural(left, 'more job error')}"
    )


def _warnings(result: Result) -> str:
    warnings = [("", warning, "") for warning in result.warnings]
    for outcome in result.outcomes:
        about = f"{_name(outcome)}: " if len(result.outcomes) > 1 else ""
        warnings += [(about, warning, outcome.target.name) for warning in outcome.warnings]

    def part(warning: tuple[str, str, str]) -> str:
        about, text, name = warning
        return f"- ⚠️ {about}{prose(text, [name]) if about else _sentence(text, name)}"

    lines = fitting(warnings, part, _LIST_ROOM, _more)
    return "### Warnings\n\n" + "\n".join(lines) if lines else ""


def _retries(result: Result) -> str:
    """Show the answers that could not be used, those of the same kind in a row as one."""
    several = len(result.outcomes) > 1
    target = {"Target": LEFT} if several else {}
    columns = {"From": RIGHT, "To": RIGHT, **target, "What came": LEFT, "Retries": RIGHT}

    def cells(row: tuple[Outcome, list[Retry]]) -> tuple[str, ...]:
        outcome, alike = row
        name = (_name(outcome),) if several else ()
        begin, end = elapsed(alike[0].at), elapsed(alike[-1].at + alike[-1].pause)
        return begin, end, *name, prose(alike[0].why, limit=500), str(len(alike))

    rows = [(outcome, alike) for outcome in result.outcomes for alike in _alike(outcome.retries)]
    rows.sort(key=lambda row: row[1][0].at)
    count = sum(len(outcome.retries) for outcome in result.outcomes)
    written = table(columns, rows, cells, _RETRIES_ROOM)
    return folding(plural(count, "retry", "retries"), written) if rows else ""


def _alike(retries: tuple[Retry, ...]) -> Iterator[list[Retry]]:
    """Part retries where an answer came in between, or something else came than before."""
    row: list[Retry] = []
    for retry in retries:
        if row and (retry.attempt == 1 or retry.why != row[-1].why):
            yield row
            row = []
        row.append(retry)
    if row:
        yield row


def _footer(result: Result) -> str:
    started = f"started {moment(result.started)} · " if result.started else ""
    took = f"took {duration(round(result.waited))}" if len(result.outcomes) > 1 else ""
    return f"cfgate {__version__} · exit code {result.exit_code} · {started}{took}".removesuffix(" · ")
