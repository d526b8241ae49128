"""The time line of the states as a mermaid gantt chart."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest
from hypothesis import given, settings

from cfgate.model import GateStatus, JobState, Outcome, Resource, Result
from cfgate.report.gantt import gantt
from tests.support.factories import NOON, life, outcome, result, results

START = NOON * 1000


@dataclass(frozen=True)
class Bar:
    """One bar: its section, its name, its tags, its start in milliseconds and its length in seconds."""

    section: str
    name: str
    tags: tuple[str, ...]
    start: int
    length: int


def mermaid(chart: str) -> list[Bar]:
    """Read a chart by the rules of mermaid's gantt.jison; refuse what it refuses or takes for something else.

    A name ends at a `:`; `#`, `;` and `%` begin other things; a section must have a title; a name must not
    begin with a keyword; a start is milliseconds (`dateFormat x`), a length is a number and a unit.
    """
    head, *lines = chart.removesuffix("\n").split("\n")
    assert head == "gantt"
    assert len(chart) <= 50_000
    bars = []
    section = ""
    formats = {}
    for line in lines:
        assert not re.search("[#;%]", line) or line.strip() == "axisFormat %H:%M:%S"
        if found := re.fullmatch(r" +(dateFormat|axisFormat) (.+)", line):
            formats[found[1]] = found[2]
        elif found := re.fullmatch(r" +section ([^#:\n;]*\S[^#:\n;]*)", line):
            section = found[1]
        else:
            found = re.fullmatch(r" +([^#:\n;]+) :([^#\n;:]+)", line)
            assert found, line
            assert not re.match("gantt|section|title|click|call|href|[0-9]", found[1], re.IGNORECASE)
            *tags, start, length = found[2].split(", ")
            assert set(tags) <= {"active", "done", "crit", "milestone"}
            assert re.fullmatch("[0-9]+", start)
            assert re.fullmatch("[0-9]+s", length)
            bars.append(Bar(section, found[1], tuple(tags), int(start), int(length[:-1])))
    assert formats == {"dateFormat": "x", "axisFormat": "%H:%M:%S"}
    return bars


def test_a_whole_life() -> None:
    """Each state is a bar from when it was first seen to the next; the end is a milestone."""
    chart, left = gantt(result())
    assert left == 0
    assert mermaid(chart) == [
        Bar("image version 9001", "Created", ("done",), START, 8),
        Bar("image version 9001", "Queued", ("done",), START + 8200, 64),
        Bar("image version 9001", "Running", ("done",), START + 72_000, 148),
        Bar("image version 9001", "Completed", ("milestone",), START + 220_000, 1),
    ]


@pytest.mark.parametrize("state", [JobState.FAILED, JobState.SQUASHED])
def test_a_bad_end(state: JobState) -> None:
    """An end that is not Completed is shown as critical."""
    chart, _ = gantt(result(outcome(GateStatus.FAILED, timeline=life((0, JobState.RUNNING), (5, state)))))
    assert mermaid(chart)[-1] == Bar(
        "image version 9001", state.title, ("crit", "milestone"), START + 5000, 1
    )


def test_a_job_that_goes_on() -> None:
    """The last state of a job that has not ended reaches until the gate gave up."""
    late = outcome(GateStatus.TIMEOUT, timeline=life((0.0, JobState.RUNNING)), waited=3600.0)
    assert mermaid(gantt(result(late))[0])[-1] == Bar(
        "image version 9001", "Running", ("active",), START, 3600
    )


def test_a_state_that_was_seen_for_a_moment() -> None:
    """A state shorter than a second still has a bar that can be seen."""
    short = outcome(timeline=life((0.0, JobState.CREATED), (0.2, JobState.COMPLETED)))
    assert [bar.length for bar in mermaid(gantt(result(short))[0])] == [1, 1]


def test_a_section_for_each_image_version() -> None:
    """Several image versions have a section each, with their names; those never seen have none."""
    chart, left = gantt(
        result(
            outcome(name="linux"), outcome(id=9002, timeline=()), outcome(id=9003, name="click: #1;\n%%{x}")
        )
    )
    assert left == 0
    assert list(dict.fromkeys(bar.section for bar in mermaid(chart))) == ["linux 9001", "click 1 x 9003"]


def test_a_section_is_called_what_it_is_about() -> None:
    """An image update is no image version."""
    chart, _ = gantt(result(outcome(id=7, resource=Resource.IMAGE_UPDATE)))
    assert {bar.section for bar in mermaid(chart)} == {"image update 7"}


def test_nothing_was_seen() -> None:
    """Without any state there is no chart."""
    assert gantt(result(outcomes=())) == ("", 0)
    assert gantt(result(outcome(timeline=()))) == ("", 0)


def test_too_many_states() -> None:
    """Of very many states the newest are drawn, and the section says so."""
    flapping = life(*((float(at), JobState.QUEUED) for at in range(500)))
    bars = mermaid(gantt(result(outcome(timeline=flapping)))[0])
    assert len(bars) == 40
    assert bars[-1].start == START + 499_000
    assert bars[0].section == "image version 9001, last 40 states"


def test_too_many_image_versions() -> None:
    """Image versions that the chart has no room for are counted."""
    outcomes: list[Outcome] = [outcome(id=number) for number in range(1, 1001)]
    chart, left = gantt(result(*outcomes))
    drawn = {bar.section for bar in mermaid(chart)}
    assert len(drawn) + left == 1000
    assert drawn


@given(results())
@settings(max_examples=50)
def test_any_result_makes_a_chart_that_mermaid_draws(any_result: Result) -> None:
    """Whatever names and times there are, each state becomes one bar."""
    chart, _ = gantt(any_result)
    expected = sum(len(one.timeline) for one in any_result.outcomes)
    assert len(mermaid(chart) if chart else []) == expected
