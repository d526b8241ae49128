"""What scenario files may say, and what is answered to those that say something else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from cfgate.model import JobState
from cfgate.simulator import ScenarioError, Simulator, load, names, parse, reader, scenario
from cfgate.simulator.faults import Connection, Instead, Junk, Numbers, Place, Trouble
from cfgate.simulator.scenario import Begins, Eta, Guess, Progress, Unset, Updated


def problems(text: str) -> list[str]:
    """Read a scenario that cannot be played; return what is said about it."""
    with pytest.raises(ScenarioError) as caught:
        parse(dedent(text), source="mine.yml")
    return list(caught.value.problems)


def in_life(line: str) -> str:
    """Return the one problem of a last state with one more key."""
    (problem,) = problems(f"life: [{{state: Running, for: 5s, {line}}}]")
    return problem


def in_fault(line: str) -> str:
    """Return the one problem of a fault."""
    (problem,) = problems(f"life: [{{state: Created}}]\nfaults: [{{{line}}}]")
    return problem


# The built-in ones


def test_the_built_in_scenarios_are_all_there() -> None:
    """Every name that the documentation promises can be played."""
    promised = "demo denied doubtful failed flaky hostile missing ready retried rollout rollout-failed slow"
    assert names() == (*promised.split(), "squashed", "stuck")


@pytest.mark.parametrize("name", names())
def test_each_built_in_scenario_loads_and_says_what_it_is(name: str) -> None:
    """A built-in scenario has its name, and a description of one sentence for the list of them."""
    loaded = load(name)
    assert loaded.name == name
    assert loaded.description.endswith(".")
    assert len(loaded.description) <= 100


@pytest.mark.parametrize("name", sorted(set(names()) - {"stuck", "slow"}))
def test_a_rehearsal_is_short(name: str) -> None:
    """The life of a built-in scenario reaches its last state within 20 seconds."""
    assert sum(stage.duration or 0 for stage in load(name).life[:-1]) <= 20


# What a file can say


def test_the_example_of_the_documentation_can_be_played() -> None:
    """The example in the docstring is a scenario, and is understood as its comments say."""
    told = (scenario.__doc__ or "").partition("is required:\n")[2]
    example = "\n".join(line for line in told.splitlines() if line.startswith("    ") or not line)
    example = example.partition("    state       ")[0]
    loaded = parse(dedent(example))
    assert [stage.name for stage in loaded.life] == ["Queued", "Running", "Queued", "Running", "Completed"]
    assert [stage.failures for stage in loaded.life] == [0, 0, 1, 1, 1]
    assert loaded.date_offset == 600
    assert loaded.known == {9001}
    assert [fault.status for fault in loaded.faults] == [503, None, None]


def test_what_a_scenario_leaves_out_has_a_usual_value() -> None:
    """A life alone is enough: no faults, a true clock, every id known, a life from the first request on."""
    loaded = parse("life: [{state: Created}]")
    assert loaded.faults == ()
    assert (loaded.date_offset, loaded.known) == (0, frozenset())
    assert (loaded.begins, loaded.unset, loaded.updated) == (
        Begins.FIRST_REQUEST,
        Unset.NULL,
        Updated.WITH_PROGRESS,
    )


def test_progress_goes_on_where_the_state_before_left_it() -> None:
    """Without a word on progress Running goes from 0 to 100, Failed stops there, Completed is at 100."""
    ended = parse("life: [{state: Running, for: 1s, progress: 0 to 63}, {state: Failed}]")
    assert ended.life[1].progress == Progress(63, 63)
    ended = parse("life: [{state: Running, for: 1s}, {state: Completed}]")
    assert [stage.progress for stage in ended.life] == [Progress(0, 100), Progress(100, 100)]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("500ms", 0.5),
        ("10s", 10),
        ("1m30s", 90),
        ("1d", 86_400),
        ("1.5h", 5400),
    ],
)
def test_a_duration_has_a_unit(written: str, meant: float) -> None:
    """Durations are read as everywhere in cfgate."""
    assert parse(f"life: [{{state: Created, for: {written}}}]").life[0].duration == meant


@pytest.mark.parametrize(("written", "meant"), [("10m", 600), ("-10m", -600), ("+5s", 5), ("0", 0)])
def test_the_clock_can_be_off_in_both_directions(written: str, meant: float) -> None:
    """`date-offset` is a duration with a sign."""
    assert parse(f"date-offset: {written}\nlife: [{{state: Created}}]").date_offset == meant


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("40", Progress(40, 40)),
        ("0 to 80", Progress(0, 80)),
        ("0 to 80 steady", Progress(0, 80)),
        ("10 to 100 uneven", Progress(10, 100, uneven=True)),
        ("0 to 100 in jumps of 10", Progress(0, 100, step=10)),
    ],
)
def test_progress_is_written_in_words(written: str, meant: Progress) -> None:
    """A number, a range, and how the way is made."""
    assert parse(f"life: [{{state: Running, for: 1s, progress: {written}}}]").life[0].progress == meant


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("none", Eta(Guess.NONE)),
        ("zero", Eta(Guess.ZERO)),
        ("exact", Eta(Guess.EXACT)),
        ("within 20%", Eta(Guess.WITHIN, 0.2)),
        ("fixed +15%", Eta(Guess.FIXED, 0.15)),
        ("fixed -15 %", Eta(Guess.FIXED, -0.15)),
        ("fixed 900%", Eta(Guess.FIXED, 9.0)),
        ("ahead 30s", Eta(Guess.AHEAD, 30)),
        ("Past 1m", Eta(Guess.PAST, 60)),
    ],
)
def test_an_estimate_is_written_in_words(written: str, meant: Eta) -> None:
    """The kind of estimate, and how wrong it is."""
    assert parse(f"life: [{{state: Running, for: 1s, eta: {written}}}]").life[0].eta == meant


@pytest.mark.parametrize(
    ("written", "chosen"),
    [
        ("3", [3]),
        ("'2-4'", [2, 3, 4]),
        ("10-", [10, 11, 12]),
        ("every 5", [5, 10]),
        ("'1, 3-4, every 6'", [1, 3, 4, 6, 12]),
    ],
)
def test_requests_are_chosen_by_number(written: str, chosen: list[int]) -> None:
    """A number, a range, an open range, every nth, or several of these."""
    fault = parse(f"life: [{{state: Created}}]\nfaults: [{{requests: {written}, status: 503}}]").faults[0]
    assert isinstance(fault.requests, Numbers)
    assert [number for number in range(1, 13) if number in fault.requests] == chosen


def test_a_fault_says_what_happens_on_the_wire() -> None:
    """Connection troubles and odd bodies are read into what they mean."""
    text = "life: [{state: Created}]\nfaults: [{connection: Stall in body, instead: huge 5MiB}]"
    (fault,) = parse(text).faults
    assert fault.connection == Connection(Trouble.STALL, Place.IN_BODY)
    assert fault.instead == Instead(Junk.HUGE, 5 << 20)


def test_a_fault_can_be_bound_to_a_time_and_a_state() -> None:
    """All conditions of a fault must fit; `until` is no longer within."""
    text = "life: [{state: Queued}]\nfaults: [{after: 5s, until: 10s, during: Queued, status: 500}]"
    (fault,) = parse(text).faults
    assert [second for second in (4.9, 5, 9.9, 10) if fault.hits(1, second, JobState.QUEUED)] == [5, 9.9]
    assert not fault.hits(1, 7, JobState.RUNNING)


def test_a_scenario_can_be_a_file_anywhere(tmp_path: Path) -> None:
    """A path loads the file that it names, and the scenario is called after it."""
    file = tmp_path / "bad-day.yml"
    file.write_text("\ufeffdescription: Ünly a test.\nlife: [{state: Created}]\n", encoding="utf-8")
    loaded = load(str(file))
    assert (loaded.name, loaded.description) == ("bad-day", "Ünly a test.")


# What is wrong with a file


def test_a_misspelt_name_is_answered_with_the_nearest() -> None:
    """An unknown scenario is refused with a suggestion and with the list of all."""
    with pytest.raises(ScenarioError, match=r"'flakey'.*did you mean flaky\?.*demo, denied, doubtful"):
        load("flakey")


def test_a_missing_file_is_named() -> None:
    """A path that leads nowhere is told, and where paths begin."""
    with pytest.raises(ScenarioError, match=r"^\./nowhere\.yml: there is no such file: a path"):
        load("./nowhere.yml")


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    """Binary data, a folder and a file without end are told from a scenario."""
    (tmp_path / "binary.yml").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "large.yml").write_text(" " * ((1 << 20) + 1))
    for name, told in (("binary.yml", "UTF-8"), ("", "cannot be read"), ("large.yml", "larger than 1 MiB")):
        with pytest.raises(ScenarioError, match=told):
            load(f"{tmp_path}/{name}")


def test_all_problems_are_told_at_once() -> None:
    """One look at the message is enough to fix the whole file: each problem has line, column and key path."""
    text = """
        lief: []
        date-offset: 10
        life:
          - {state: Runing, for: 5s}
          - {state: Created}
          - {for: 0s}
        faults:
          - {requests: 0, conection: reset}
          - {}
          - 503
    """
    kinds = "delay, status, headers, fields, body, instead, connection"
    nothing = f"says when, but not what: add one of {kinds}"
    counted = "chooses no requests: they are counted upwards from 1"
    state = "did you mean Running? (for a made-up one use `fields`)"
    assert problems(text) == [
        "key lief from line 2, column 1 is unknown: did you mean life?",
        "'10' from line 3, column 14, key date-offset has no unit: 10s or 10m?",
        f"'Runing' from line 5, column 13, key life[0].state is no job state: {state}",
        "the value from line 6, column 5, key life[1] has no end: say how long it lasts, as in `for: 10s`",
        "'0s' from line 7, column 11, key life[2].for is no time at all: omit the state instead",
        "the value from line 7, column 5, key life[2] names no `state`",
        "key faults[0].conection from line 9, column 19 is unknown: did you mean connection?",
        f"the value from line 9, column 5, key faults[0] {nothing}",
        f"'0' from line 9, column 16, key faults[0].requests {counted}",
        f"the value from line 10, column 5, key faults[1] {nothing}",
        "the value from line 11, column 5, key faults[2] is not a mapping: write `key: value`",
    ]


def test_the_message_names_the_file() -> None:
    """A ScenarioError begins with the file, whether it has one problem or several."""
    with pytest.raises(ScenarioError, match=r"^mine\.yml: key life is missing: write a list"):
        parse("{}", source="mine.yml")
    with pytest.raises(
        ScenarioError, match=r"^mine\.yml has 2 problems:\n  key xx from line 1, .*\n  key life .*$"
    ):
        parse("xx: 1", source="mine.yml")


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("progress: 50 to 20", "does not go up"),
        ("progress: 0 to 101", "between 0 and 100"),
        ("progress: fast", "write it as 40, 0 to 100"),
        ("progress: 0 to 9 in jumps of 0", "does not go up"),
        ("eta: soon", "write it as none, zero, exact"),
        ("eta: within -20%", "write it as none, zero, exact"),
        ("eta: exact 5%", "write it as none, zero, exact"),
        ("eta: ahead 30", "has no unit: 30s or 30m?"),
        ("eta:", "write it as none, zero, exact"),
        ("jobfailed: true", "not a whole number"),
        ("jobfailed: -1", "not a whole number"),
        ("joberror: 5", "put it between quotes"),
        ("fields: [a]", "write names and values"),
        ("fields: {}", "write names and values"),
        ("until: 5s", "is unknown"),
    ],
)
def test_a_state_that_makes_no_sense_is_refused(line: str, told: str) -> None:
    """A wrong value in a state is told with its key path and the right forms."""
    problem = in_life(line)
    assert f"key life[0].{line.partition(':')[0]}" in problem
    assert "line 1, column " in problem
    assert told in problem


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("requests: 5-3, status: 500", "counted upwards"),
        ("requests: some, status: 500", "chooses no requests"),
        ("requests: every 0, status: 500", "counted upwards"),
        ("requests: true, status: 500", "chooses no requests"),
        ("status: 199", "from 200 to 599"),
        ("headers: {'a b': x}", "no name of a header"),
        ('headers: {Location: "a\\r\\nb"}', "not one line"),
        ("body: 7", "put it between quotes"),
        ('body: "\\uD800"', "surrogate"),
        ("instead: htm", "did you mean html?"),
        ("instead: html 5MiB", "behind huge or gzip-bomb only"),
        ("instead: huge 65MiB", "at most 64MiB"),
        ("instead: ", "write html, empty"),
        ("connection: reset", "before headers, in headers, in body, after body"),
        ("connection: explode in body", "reset, stall, drip, cut"),
        ("body: x, fields: {a: 1}", "fields and body, which exclude each other"),
        ("during: Somewhere, status: 500", "no job state"),
        ("delay: 400d", "is too long: 366d at most"),
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(line: str, told: str) -> None:
    """A wrong value in a fault is told with its key path and the right forms."""
    problem = in_fault(line)
    assert "key faults[0]" in problem
    assert "line 2, column " in problem
    assert told in problem


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("image-version-id: [9001, nine]", "has an id that is not a whole number"),
        ("unset: nothing", "'nothing' from line 2, column 8, key unset is unknown: write null, missing"),
        ("begins: never", "key begins is unknown"),
        ("updated: sometimes", "key updated is unknown"),
        ("description: [a]", "key description is not one line of text"),
        ('description: "a\\eb"', "key description is not one line of text"),
        ("faults: {status: 500}", "key faults cannot be used: write a list"),
        ("[a]: 1", "key '' from line 2, column 1 is unknown"),
        (
            "begins: at start\nbegins: at start",
            "key begins from line 3, column 1 was there before, in line 2: keep one of the two",
        ),
        ("faults: &f []\nunset: *f", "it is not YAML, line 3, column 8: aliases"),
        ("unset: !!python/name:os.system x", "has a tag (line 2, column 8)"),
        ("unset: !!bool x", "write plain YAML without tags"),
        ("unset: !!timestamp x", "has a tag (line 2, column 8)"),
        ("unset: " + "9" * 5000, "write plain YAML without tags"),
        ("unset: 0x" + "f" * 5000, "line 2, column 8, key unset is a number that is too long"),
        ("unset: " + "[" * 5000, "nested too deeply"),
        ("unset: \x00", "it is not YAML: it has characters"),
    ],
)
def test_a_document_that_makes_no_sense_is_refused(line: str, told: str) -> None:
    """YAML that is broken, clever or not about a scenario is told on one line."""
    (problem,) = problems(f"life: [{{state: Created}}]\n{line}")
    assert told in problem
    assert "\n" not in problem


def test_a_last_state_needs_a_duration_for_what_moves() -> None:
    """Progress and estimates in a state without a duration would never move, and so are refused."""
    told = "needs a `for` that says how fast it goes"
    (progress,) = problems("life: [{state: Running, progress: 0 to 50}]")
    assert progress == f"the value from line 1, column 35, key life[0].progress {told}"
    (eta,) = problems("life: [{state: Running, eta: exact}]")
    assert eta == f"the value from line 1, column 30, key life[0].eta {told}"


def test_the_speed_must_move() -> None:
    """A simulator that stands still or runs backwards is refused."""
    for speed in (0, -1, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="speed must be greater than 0"):
            Simulator(load("ready"), speed=speed)


@pytest.mark.process
def test_importing_the_simulator_is_cheap() -> None:
    """Neither YAML nor an HTTP server is loaded before something is played."""
    heavy = "('yaml', 'http', 'socketserver', 'email', 'requests')"
    program = f"import sys, cfgate.simulator; print([name for name in {heavy} if name in sys.modules])"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout == "[]\n"


# Whatever is in a file

KEYS = [*reader.SCENARIO, *reader.STAGE, *reader.WHEN, *reader.WHAT, "life", "faults"]
VALUES = ["Running", "10s", "0 to 9", "within 20%", "reset in body", "huge 5MiB", "every 5, 2-4", "$now+5"]
WORDS = st.sampled_from([*KEYS, *VALUES])
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | WORDS
TREES = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(WORDS | st.text(), inner))
SCENARIOS = st.fixed_dictionaries(
    {"life": st.lists(st.dictionaries(WORDS, TREES) | TREES, max_size=3)},
    optional={"faults": st.lists(st.dictionaries(WORDS, TREES), max_size=3), "unset": TREES, "begins": TREES},
)


def complaint(text: str) -> str:
    """Read a text; return what the ScenarioError says, nothing if there is none."""
    try:
        parse(text, source="mine.yml")
    except ScenarioError as error:
        return str(error)
    return ""


@given(st.text() | st.text(alphabet="[]{}:,-!&*|>'\"#%@? \n\tab0=<~"))
def test_any_text_is_a_scenario_or_a_scenario_error(text: str) -> None:
    """Whatever is in a file, the loader never raises anything else."""
    assert complaint(text).startswith("mine.yml")


@given(TREES | SCENARIOS)
def test_any_document_is_a_scenario_or_a_scenario_error(document: Any) -> None:
    """Whatever a YAML document says, the reader never raises anything else."""
    told = complaint(yaml.dump(document, allow_unicode=True))
    assert not told or told.startswith("mine.yml")


@given(st.text())
def test_any_name_is_a_scenario_or_a_scenario_error(name: str) -> None:
    """Whatever somebody asks to be played, the library never raises anything else."""
    with pytest.raises(ScenarioError):
        load(f"no {name}")
