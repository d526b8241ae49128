"""The time line of the states as a mermaid gantt chart."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate, pairwise
from typing import Final

from cfgate.model import Moment, Outcome, Result, Verdict, state_of

# Mermaid refuses a text of more than 50,000 characters; a reader gives up long before.
_MAX_CHARACTERS: Final = 20_000
_MAX_BARS: Final = 40
_MAX_NAME: Final = 60

# `x` is milliseconds. Not `X`, seconds: mermaid 11 reads the start of a bar by it and the end not.
_HEAD: Final = "gantt\n    dateFormat x\n    axisFormat %H:%M:%S\n"


def gantt(result: Result) -> tuple[str, int]:
    """Draw a section for each target and a bar for each state; tell how many there was no room for.

    The chart is empty when no state was seen at all.
    """
    sections = [_section(outcome, result.started) for outcome in result.outcomes if outcome.timeline]
    ends = accumulate((len(section) for section in sections), initial=len(_HEAD))
    drawn = sum(end <= _MAX_CHARACTERS for end in ends) - 1
    return _HEAD + "".join(sections[:drawn]) if sections else "", len(sections) - drawn


def _section(outcome: Outcome, started: float) -> str:
    target = outcome.target
    title = f"{_safe(target.name) or target.resource.noun} {target.id}"
    if len(outcome.timeline) > _MAX_BARS:
        title += f", last {_MAX_BARS} states"
    return "".join(f"    {line}\n" for line in [f"section {title}", *_bars(outcome, started)])


def _bars(outcome: Outcome, started: float) -> Iterator[str]:
    """Draw each of the newest states until the next one began, and the last until the gate ended."""
    states = outcome.timeline[-_MAX_BARS:]
    for now, following in pairwise(states):
        yield _bar(now, "done", started, following.at)
    last = states[-1]
    if last.job.verdict is Verdict.PENDING:
        yield _bar(last, "active", started, outcome.waited)
    else:
        tags = "milestone" if last.job.verdict is Verdict.READY else "crit, milestone"
        yield _bar(last, tags, started, last.at)


def _bar(moment: Moment, tags: str, started: float, end: float) -> str:
    """Draw one bar; it has at least a second, or nobody would see it."""
    milliseconds = max(round((started + moment.at) * 1000), 0)
    return f"{state_of(moment.job)} :{tags}, {milliseconds}, {max(round(end - moment.at), 1)}s"


def _safe(name: str) -> str:
    """Keep what mermaid has no other use for: letters, digits, blanks and a few marks."""
    start = name[:_MAX_NAME]
    kept = "".join(character if character.isalnum() or character in "-._()" else " " for character in start)
    return " ".join(kept.split())
