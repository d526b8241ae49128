"""The time line of the states as a mermaid gantt chart."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

import pytest
from hypothesis import given, settings

from cfgate.model import GateStatus, JobState, Outcome, Result, Retry
from cfgate.report.gantt import gantt
from tests.support.factories import NOON, job, life, outcome, result, results

AXES = ("axisFormat %H:%M:%S", "axisFormat %H:%M", "axisFormat %d %b")


@dataclass(frozen=True)
class Bar:
    """One bar: its section, its name, its tags, its start and its length in seconds."""

    section: str
    name: str
    tags: tuple[str, ...]
    start: int
    length: int


def mermaid(chart: str) -> list[Bar]:
    """Read a chart by the rules of mermaid's gantt.jison; refuse what it refuses or takes for something else.

    A name ends at a `:`; `#`, `;` and `%` begin other things; a section must have a title; a name must not
    begin with a keyword; a start is a moment without a zone, a length is a number and a unit; a tick is a
    number and a unit.
    """
    head, *lines = chart.removesuffix("\n").split("\n")
    assert head == "gantt"
    assert len(chart) <= 50_000
    bars = []
    section = ""
    formats = {}
    for line in lines:
        assert not re.search("[#;%]", line) or line.strip() in AXES
        if found := re.fullmatch(r" +(dateFormat|axisFormat|tickInterval|todayMarker) (.+)", line):
            formats[found[1]] = found[2]
        elif found := re.fullmatch(r" +section ([^#:\n;]*\S[^#:\n;]*)", line):
            section = found[1]
        else:
            found = re.fullmatch(r" +([^#:\n;]+) :([^#\n;]+)", line)
            assert found, line
            assert not re.match("gantt|section|title|click|call|href|[0-9]", found[1], re.IGNORECASE)
            *tags, begin, length = found[2].split(", ")
            assert set(tags) <= {"active", "done", "crit", "milestone"}
            start = datetime.strptime(f"{begin}Z", "%Y-%m-%d %H:%M:%S%z").timestamp() - NOON
            assert re.fullmatch("[0-9]+s", length)
            bars.append(Bar(section, found[1], tuple(tags), round(start), int(length[:-1])))
    assert formats["dateFormat"] == "YYYY-MM-DD HH:mm:ss"
    assert formats["todayMarker"] == "off"
    assert re.fullmatch("[1-9][0-9]*(second|minute|hour|day|week)", formats["tickInterval"])
    assert re.fullmatch(f"({'|'.join(AXES)})", f"axisFormat {formats['axisFormat']}")
    return bars


def test_a_whole_life() -> None:
    """Each state is a bar from when it was first seen to the next; the end is a milestone."""
    chart, left = gantt(result())
    assert left == 0
    assert mermaid(chart) == [
        Bar("9001", "Created", ("done",), 0, 8),
        Bar("9001", "Queued", ("done",), 8, 64),
        Bar("9001", "Running", ("done",), 72, 148),
        Bar("9001", "no answer", ("crit",), 151, 1),
        Bar("9001", "Completed", ("milestone",), 220, 1),
    ]


@pytest.mark.parametrize("state", [JobState.FAILED, JobState.SQUASHED])
def test_a_bad_end(state: JobState) -> None:
    """An end that is not Completed is shown as critical."""
    chart, _ = gantt(result(outcome(GateStatus.FAILED, timeline=life((0, JobState.RUNNING), (5, state)))))
    assert mermaid(chart)[1] == Bar("9001", state.title, ("crit", "milestone"), 5, 1)


def test_a_job_that_goes_on() -> None:
    """The last state of a job that has not ended reaches until the gate gave up."""
    late = outcome(GateStatus.TIMEOUT, timeline=life((0.0, JobState.RUNNING)), waited=3600.0)
    assert mermaid(gantt(result(late))[0]) == [Bar("9001", "Running", ("active",), 0, 3600)]


def test_a_state_that_was_seen_for_a_moment() -> None:
    """A state shorter than a second still has a bar that can be seen."""
    states = life((0.0, JobState.CREATED), (0.2, JobState.RUNNING), (9.0, JobState.COMPLETED))
    short = outcome(timeline=states, retries=())
    assert [bar.length for bar in mermaid(gantt(result(short))[0])] == [1, 9, 1]


def test_a_moment_is_no_time_line() -> None:
    """Who looks once sees no chart of a second."""
    once = outcome(GateStatus.PENDING, timeline=life((0.0, JobState.RUNNING)), waited=0.1, retries=())
    assert gantt(result(once)) == ("", 0)


def row(at: float, *pauses: float) -> tuple[Retry, ...]:
    """Make the retries of one outage."""
    begins = [at + sum(pauses[:number]) for number in range(len(pauses))]
    return tuple(
        Retry(begin, "HTTP 503", pause, number)
        for number, (begin, pause) in enumerate(zip(begins, pauses, strict=True), 1)
    )


def test_an_outage_is_seen() -> None:
    """From the first answer that could not be used to the next usable one, however many came between."""
    times = life((0.0, JobState.RUNNING), (3000.0, JobState.COMPLETED))
    long = outcome(timeline=times, retries=(*row(600, 100, 200, 60), *row(961, 60), *row(2000, 1.0)))
    silent = [bar for bar in mermaid(gantt(result(long))[0]) if bar.name == "no answer"]
    assert silent == [
        Bar("9001", "no answer", ("crit",), 600, 360),
        Bar("9001", "no answer", ("crit",), 961, 60),
    ]


def test_the_longest_outages_are_seen() -> None:
    """Of very many those that mattered are drawn, in their order."""
    times = life((0.0, JobState.RUNNING), (3000.0, JobState.COMPLETED))
    many = [retry for number in range(30) for retry in row(90.0 * number, 20.0 + number)]
    bars = mermaid(gantt(result(outcome(timeline=times, retries=tuple(many))))[0])
    assert [bar.start for bar in bars if bar.name == "no answer"] == [90 * number for number in range(20, 30)]


@pytest.mark.parametrize(
    ("started", "drawn"), [(NOON - 600, 1), (NOON + 3000, 0), (NOON - 10**6, 0), (None, 0)]
)
def test_what_the_api_recorded_stands_first(started: int | None, drawn: int) -> None:
    """Its own start and end are a bar of their own, where they are known and make sense."""
    over = job(JobState.COMPLETED, started=started, updated=NOON + 200)
    bars = mermaid(gantt(result(outcome(job=over, retries=())))[0])
    recorded = [bar for bar in bars if bar.name == "ran, by the API"]
    assert recorded == [Bar("9001", "ran, by the API", ("done",), -600, 800)][:drawn]
    assert bars[:drawn] == recorded


def test_a_job_that_goes_on_has_no_recorded_end() -> None:
    """`jobupdated` is the end of a job only when the job is over."""
    late = outcome(GateStatus.TIMEOUT, job=job(JobState.RUNNING, started=NOON, updated=NOON + 60))
    assert "by the API" not in gantt(result(late))[0]


@pytest.mark.parametrize(
    ("seconds", "ticks", "axis"),
    [
        (20, "5second", "%H:%M:%S"),
        (240, "1minute", "%H:%M:%S"),
        (2220, "10minute", "%H:%M"),
        (20_000, "3hour", "%H:%M"),
        (200_000, "1day", "%d %b"),
        (4_000_000, "1week", "%d %b"),
    ],
)
def test_ticks_do_not_collide(seconds: int, ticks: str, axis: str) -> None:
    """There are five at most, and they are as short as the time allows."""
    late = outcome(
        GateStatus.TIMEOUT, timeline=life((0.0, JobState.RUNNING)), waited=float(seconds), retries=()
    )
    chart, _ = gantt(result(late))
    assert f"tickInterval {ticks}\n" in chart
    assert f"axisFormat {axis}\n" in chart


def test_a_section_for_each_image_version() -> None:
    """Several image versions have a section each, with their names; those never seen have none."""
    chart, left = gantt(
        result(
            outcome(name="linux"), outcome(id=9002, timeline=()), outcome(id=9003, name="click: #1;\n%%{x}")
        )
    )
    assert left == 0
    assert list(dict.fromkeys(bar.section for bar in mermaid(chart))) == ["linux", "click 1 x"]


def test_nothing_was_seen() -> None:
    """Without any state there is no chart."""
    assert gantt(result(outcomes=())) == ("", 0)
    assert gantt(result(outcome(timeline=()))) == ("", 0)


def test_too_many_states() -> None:
    """Of very many states the newest are drawn, and the section says so."""
    flapping = life(*((float(at), JobState.QUEUED) for at in range(500)))
    bars = mermaid(gantt(result(outcome(timeline=flapping, retries=())))[0])
    assert len(bars) == 40
    assert bars[-1].start == 499
    assert bars[0].section == "9001, last 40 states"


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
    """Whatever names and times there are, each state becomes one bar, unless all is over in a moment."""
    chart, _ = gantt(any_result)
    expected = sum(len(one.timeline) for one in any_result.outcomes)
    states = (
        [bar for bar in mermaid(chart) if bar.name not in ("no answer", "ran, by the API")] if chart else []
    )
    assert len(states) == (expected if chart else 0)
