"""The summary page in GitHub-flavoured Markdown: the verdict, a table, the time line, and what went wrong."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from cfgate import __version__
from cfgate.model import GateStatus, JobStatus, Outcome, Result, Retry, counted, state_of
from cfgate.report.annotations import links
from cfgate.report.gantt import gantt
from cfgate.report.gfm import LEFT, RIGHT, block, cell, fitting, folding, table
from cfgate.text.wording import duration, elapsed, moment, plural

# GitHub drops a summary of more than 1,048,576 bytes whole. These rooms, and what is small besides them, make
# less than 1,000,000 bytes.
_OUTCOMES_ROOM: Final = 200_000
_LINKS_ROOM: Final = 50_000
_TIMES_ROOM: Final = 100_000
_ERRORS_ROOM: Final = 300_000
_WARNINGS_ROOM: Final = 50_000
_RETRIES_ROOM: Final = 150_000
_HEADLINE: Final = 2000  # characters
_HEADING: Final = 2000  # bytes at most of what stands above a job error

_ICONS: Final = {GateStatus.READY: "✅", GateStatus.PENDING: "⏳", GateStatus.INTERRUPTED: "🛑"}
_BAD: Final = "❌"

_REHEARSAL: Final = (
    "> [!WARNING]\n"
    "> **This is a rehearsal.** A simulator was asked instead of Clanforge: "
    "the verdict says nothing about a real job."
)


def markdown(result: Result, details_url: str = "") -> str:
    """Write the summary page, less than 1,000,000 bytes; every text from outside is disarmed.

    `details_url` is where links lead, with `{id}` for the id of an image version.
    """
    return "\n\n".join(part for part in _parts(result, details_url) if part) + "\n"


def _parts(result: Result, details_url: str) -> Iterator[str]:
    yield f"## {_verdict(result.status)}: {_about(result)}"
    yield _REHEARSAL if result.rehearsal else ""
    yield cell(result.reason, _HEADLINE)
    yield f"**What to do:** {cell(result.remedy, _HEADLINE)}" if result.remedy else ""
    yield _outcomes(result)
    yield _links(result, details_url)
    yield _chart(result)
    yield _times(result)
    yield from _errors(result)
    yield _warnings(result)
    yield _retries(result)
    yield _footer(result)


def _verdict(status: GateStatus) -> str:
    return f"{_ICONS.get(status, _BAD)} {status.label.replace('_', ' ')}"


def _about(result: Result) -> str:
    """Say in the headline what the verdict is about, in words of ours only."""
    targets = [outcome.target for outcome in result.outcomes]
    if len(targets) == 1:
        return f"{targets[0].resource.noun} {targets[0].id}"
    return counted(targets) if targets else "cfgate"


def _name(outcome: Outcome) -> str:
    """Name a target by what it is, and by the name that the user gave it."""
    target = outcome.target
    return f"{target.resource.noun} {target.id} {cell(target.name, limit=100)}".strip()


def _outcomes(result: Result) -> str:
    columns = {
        "Target": LEFT,
        "Verdict": LEFT,
        "State": LEFT,
        "Progress": RIGHT,
        "Waited": RIGHT,
        "Requests": RIGHT,
        "Retries": RIGHT,
        "Reason": LEFT,
    }

    def cells(outcome: Outcome) -> tuple[str, ...]:
        return (
            _name(outcome),
            _verdict(outcome.status),
            state_of(outcome.job),
            _or_dash(outcome.job.progress if outcome.job else None, " %"),
            duration(outcome.waited),
            str(outcome.requests),
            str(len(outcome.retries)),
            cell(outcome.reason),
        )

    return table(columns, result.outcomes, cells, _OUTCOMES_ROOM) if result.outcomes else ""


def _links(result: Result, details_url: str) -> str:
    def part(link: tuple[str, str]) -> str:
        label, url = link
        return f"[{label}]({url})"

    parts = fitting(links(result, details_url), part, _LINKS_ROOM, lambda left: f"… and {left} more")
    return f"**Details:** {', '.join(parts)}" if parts else ""


def _or_dash(value: int | None, unit: str = "") -> str:
    return "–" if value is None else f"{value}{unit}"


def _chart(result: Result) -> str:
    chart, left = gantt(result)
    if not chart:
        return ""
    cut = f" There was no room for {plural(left, 'more target')}." if left else ""
    return f"### Time line\n\n```mermaid\n{chart}```\n\nIn the time zone of your browser.{cut}"


def _times(result: Result) -> str:
    """Show what the API's own clock says of each job."""
    titles = ("Target", "Created", "Started", "Updated", "Estimated end", "Failures so far")

    def cells(seen: tuple[Outcome, JobStatus]) -> tuple[str, ...]:
        outcome, job = seen
        stamps = (job.created, job.started, job.updated, job.eta)
        return _name(outcome), *(moment(stamp) if stamp else "–" for stamp in stamps), _or_dash(job.failures)

    jobs = [(outcome, outcome.job) for outcome in result.outcomes if outcome.job]
    times = table(dict.fromkeys(titles, LEFT), jobs, cells, _TIMES_ROOM)
    return f"### Jobs, by the API's clock\n\n{times}" if jobs else ""


def _errors(result: Result) -> list[str]:
    """Show the error of each job in full, as far as there is room for all of them."""
    errors = [
        (outcome, outcome.job.error) for outcome in result.outcomes if outcome.job and outcome.job.error
    ]
    share = max(_ERRORS_ROOM // max(len(errors), 1) - _HEADING, 200)

    def part(failed: tuple[Outcome, str]) -> str:
        outcome, error = failed
        return folding(f"Job error of {_name(outcome)}", block(error, share), unfolded=True)

    return fitting(errors, part, _ERRORS_ROOM, lambda left: f"… and {plural(left, 'more job error')}")


def _warnings(result: Result) -> str:
    warnings = [("", warning) for warning in result.warnings]
    for outcome in result.outcomes:
        warnings += [(f"{_name(outcome)}: ", warning) for warning in outcome.warnings]

    def part(warning: tuple[str, str]) -> str:
        return f"- ⚠️ {warning[0]}{cell(warning[1])}"

    lines = fitting(warnings, part, _WARNINGS_ROOM, lambda left: f"- … and {left} more")
    return "### Warnings\n\n" + "\n".join(lines) if lines else ""


def _retries(result: Result) -> str:
    columns = {"After": RIGHT, "Target": LEFT, "What came": LEFT, "Asked again in": RIGHT}

    def cells(asked_again: tuple[Outcome, Retry]) -> tuple[str, ...]:
        outcome, retry = asked_again
        return elapsed(retry.at), _name(outcome), cell(retry.why), duration(retry.pause)

    retries = [(outcome, retry) for outcome in result.outcomes for retry in outcome.retries]
    retries.sort(key=lambda pair: pair[1].at)
    rows = table(columns, retries, cells, _RETRIES_ROOM)
    return folding(plural(len(retries), "retry", "retries"), rows) if retries else ""


def _footer(result: Result) -> str:
    return (
        f"cfgate {__version__} · exit code {result.exit_code} · started {moment(result.started)} · "
        f"took {duration(result.waited)}"
    )
