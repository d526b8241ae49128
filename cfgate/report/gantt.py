"""The time line of the states, and of the times without answers, as a mermaid gantt chart.

Its moments are UTC, as all of the page: mermaid shows a moment that is written without a zone as it is
written, wherever the reader is.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate, pairwise
from typing import Final, NamedTuple

from cfgate.model import GateStatus, Moment, Outcome, Result, Verdict, state_of
from cfgate.text.wording import utc

# Mermaid refuses a text of more than 50,000 characters; a reader gives up long before.
_MAX_CHARACTERS: Final = 20_000
_MAX_BARS: Final = 40
_MAX_OUTAGES: Final = 10
_MAX_NAME: Final = 24
# A gap without answers is drawn when it is at least this share of the chart, or nobody would see it.
_VISIBLE: Final = 1 / 200
_SHORTEST: Final = 5.0  # seconds; less is no story
_LONGEST_LIFE: Final = 86_400.0  # seconds; what the API says of other days would make the chart unreadable

# (up to so many seconds, a tick every): five ticks at most, which fit side by side in half a page.
_TICKS: Final = (
    (5.0, "1second"),
    (25.0, "5second"),
    (75.0, "15second"),
    (150.0, "30second"),
    (300.0, "1minute"),
    (600.0, "2minute"),
    (1500.0, "5minute"),
    (3000.0, "10minute"),
    (9000.0, "30minute"),
    (18_000.0, "1hour"),
    (54_000.0, "3hour"),
    (108_000.0, "6hour"),
    (432_000.0, "1day"),
)


class Bar(NamedTuple):
    """One bar: what it shows, mermaid's tags, and its begin and end in Unix seconds."""

    name: str
    tags: str
    begin: float
    end: float


def gantt(result: Result) -> tuple[str, int]:
    """Draw a section for each target and a bar for each state; return also how many there was no room for.

    The chart is empty when no state was seen at all, or for a moment only.
    """
    drawn = [(outcome, _bars(outcome, result)) for outcome in result.outcomes if outcome.timeline]
    if not drawn:
        return "", 0
    begin = min(bar.begin for _, bars in drawn for bar in bars)
    end = max(bar.end for _, bars in drawn for bar in bars)
    if end - begin < _SHORTEST:
        return "", 0
    head = _head(end - begin)
    sections = [_section(outcome, bars, end - begin) for outcome, bars in drawn]
    ends = accumulate((len(section) for section in sections), initial=len(head))
    fitting = sum(end <= _MAX_CHARACTERS for end in ends) - 1
    return head + "".join(sections[:fitting]), len(sections) - fitting


def _head(seconds: float) -> str:
    ticks = next((ticks for longest, ticks in _TICKS if seconds <= longest), "1week")
    axis = "%H:%M:%S" if seconds <= 300 else "%H:%M" if seconds <= 108_000 else "%d %b"
    lines = [
        "dateFormat YYYY-MM-DD HH:mm:ss",
        f"axisFormat {axis}",
        f"tickInterval {ticks}",
        "todayMarker off",
    ]
    return "".join(f"{line}\n" for line in ["gantt", *(f"    {line}" for line in lines)])


def _section(outcome: Outcome, bars: list[Bar], seconds: float) -> str:
    title = _safe(outcome.target.name) or str(outcome.target.id)
    if len(outcome.timeline) > _MAX_BARS:
        title += f", last {_MAX_BARS} states"
    drawn = [bar for bar in bars if bar.name != "no answer" or bar.end - bar.begin >= _VISIBLE * seconds]
    return "".join(f"    {line}\n" for line in [f"section {title}", *map(_line, drawn)])


def _bars(outcome: Outcome, result: Result) -> list[Bar]:
    """List the bars of one target in the order of their begin."""
    started = result.started
    states = [Bar(bar.name, bar.tags, started + bar.begin, started + bar.end) for bar in _states(outcome)]
    silent = [Bar("no answer", "crit", started + begin, started + end) for begin, end in outages(outcome)]
    # By its begin, and what the API itself recorded before everything that was only seen.
    return [*_recorded(outcome, started), *sorted(states + silent, key=lambda bar: bar.begin)]


def _recorded(outcome: Outcome, started: float) -> Iterator[Bar]:
    """Draw how long the job ran by the API's own record, once that is complete."""
    job = outcome.job
    if job is None or job.started is None or job.updated is None:
        return
    sane = started - _LONGEST_LIFE < job.started <= job.updated < started + outcome.waited + _LONGEST_LIFE
    if sane and outcome.status in (GateStatus.READY, GateStatus.FAILED):
        yield Bar("ran, by the API", "done", job.started, job.updated)


def _states(outcome: Outcome) -> Iterator[Bar]:
    """Draw each of the newest states until the next one began, and the last until the gate ended."""
    states = outcome.timeline[-_MAX_BARS:]
    for now, following in pairwise(states):
        yield _state(now, "done", following.at)
    last = states[-1]
    if last.job.verdict is Verdict.PENDING:
        yield _state(last, "active", outcome.waited)
    else:
        tags = "milestone" if last.job.verdict is Verdict.READY else "crit, milestone"
        yield _state(last, tags, last.at)


def _state(moment: Moment, tags: str, end: float) -> Bar:
    """Draw a state; it has at least a second, or nobody would see it."""
    return Bar(state_of(moment.job), tags, moment.at, max(end, moment.at + 1))


def outages(outcome: Outcome) -> list[tuple[float, float]]:
    """List the longest times without answers, begin and end in seconds since the start of the run."""
    found: list[tuple[float, float]] = []
    for retry in outcome.retries:
        end = retry.at + retry.pause
        if found and retry.attempt > 1:
            found[-1] = (found[-1][0], end)
        else:
            found.append((retry.at, end))
    longest = sorted(found, key=lambda outage: outage[0] - outage[1])[:_MAX_OUTAGES]
    return sorted(longest)


def _line(bar: Bar) -> str:
    seconds = max(round(bar.end - bar.begin), 1)
    return f"{bar.name} :{bar.tags}, {_moment(bar.begin)}, {seconds}s"


def _moment(unix: float) -> str:
    return utc(max(round(unix), 0)).strftime("%Y-%m-%d %H:%M:%S")


def _safe(name: str) -> str:
    """Keep what mermaid has no other use for: letters, digits, blanks and a few marks."""
    start = name[:_MAX_NAME]
    kept = "".join(character if character.isalnum() or character in "-._()" else " " for character in start)
    return " ".join(kept.split())
