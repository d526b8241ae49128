"""The log that a person reads: events in, lines out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import pytest

from cfgate.hosts import Bar, Level, Style
from cfgate.log.ending import write_ending
from cfgate.log.progress import ProgressLog, headline
from cfgate.model import GateStatus, Outcome, Resource, Result, Target
from cfgate.model.events import Answered, AskingAgain, Ended, Noted
from cfgate.settings.values import Plan, Settings
from tests.support.fakes import ID, FakeClock, job

TARGET = Target(ID)
LINUX, CONSOLE = Target(9001, "linux"), Target(9002, "console")


class Notebook:
    """A host that writes down what a narrator tells; to do anything else is the work of others, and fails."""

    def __init__(self, *, live: bool = False, annotates: bool = True) -> None:
        self.live = live
        self.folds = False
        self.annotates = annotates
        self.value_limit = 0
        self.lines: list[str] = []
        self.annotations: list[tuple[Level, str, str]] = []
        self.groups: dict[str, list[str]] = {}
        self.bars: Sequence[Bar] = ()

    def log(self, text: str, style: Style = Style.PLAIN) -> None:  # noqa: ARG002 - the shape of a host
        self.lines.append(text)

    def debug(self, text: str) -> None:
        pytest.fail(f"a narrator tells no debug output: {text}")

    def group(self, title: str, lines: Iterable[str]) -> None:
        self.groups[title] = list(lines)

    def annotate(self, level: Level, title: str, message: str) -> None:
        self.annotations.append((level, title, message))

    def output(self, pairs: Mapping[str, str]) -> None:
        pytest.fail(f"a narrator writes no outputs: {pairs}")

    def summary(self, markdown: str) -> None:
        pytest.fail(f"a narrator writes no summary: {markdown}")

    def mask(self, secret: str) -> None:
        pytest.fail(f"a narrator masks nothing: {secret}")

    def progress(self, bars: Sequence[Bar]) -> None:
        self.bars = bars

    def close(self) -> None:
        pytest.fail("a narrator closes no host")


def narrator(
    *targets: Target, live: bool = False, clock: FakeClock | None = None
) -> tuple[ProgressLog, Notebook]:
    """Make a narrator and the notebook that it tells."""
    notebook = Notebook(live=live)
    return ProgressLog(notebook, targets, clock or FakeClock()), notebook


def test_the_log_has_one_line_for_each_change() -> None:
    """Polls that bring nothing new print nothing; a new state, a retry and the end print a line each."""
    narrator_, book = narrator(TARGET)
    outcome = Outcome(TARGET, GateStatus.READY, "image version 9001 is Completed")
    for event in (
        Answered(TARGET, 0, job("Created")),
        Answered(TARGET, 4, job("Created")),
        Answered(TARGET, 8, job("Queued")),
        Answered(TARGET, 72, job("Running")),
        Answered(TARGET, 90, job("Running", jobprogress=20), 80.0),
        AskingAgain(TARGET, 151, "no answer (HTTP 503)", 1, 1.4),
        Noted(TARGET, 160, "went back from Running to Queued"),
        Ended(TARGET, 220, outcome),
    ):
        narrator_.tell(event)
    assert book.lines == [
        " 0:00  Created",
        " 0:08  Queued",
        " 1:12  Running    0 %",
        " 2:31  no answer (HTTP 503), retry 1, asking again in 1.4s",
        " 2:40  went back from Running to Queued",
        " 3:40  Completed",
    ]


def test_a_heartbeat_comes_after_a_minute_of_silence() -> None:
    """While nothing changes the last known state is told once a minute, with the time that is left."""
    clock = FakeClock()
    narrator_, book = narrator(TARGET, clock=clock)
    narrator_.tell(Answered(TARGET, 0, job("Running")))
    for _ in range(119):
        clock.now += 1
        narrator_.tell(Answered(TARGET, clock.now, job("Running", jobprogress=41), 80.0))
        narrator_.tick()
    assert book.lines == [" 0:00  Running    0 %", " 1:00  Running   41 %   about 1m20s left"]


def test_a_gate_that_never_heard_anything_still_gives_signs_of_life() -> None:
    """The heartbeat comes before the first answer too."""
    clock = FakeClock()
    narrator_, book = narrator(TARGET, clock=clock)
    clock.now = 60
    narrator_.tick()
    assert book.lines == [" 1:00  no usable answer yet"]


def test_the_heartbeat_of_many_targets_is_one_line() -> None:
    """With more targets than a person follows, the heartbeat counts them."""
    clock = FakeClock()
    targets = [Target(i) for i in range(1, 7)]
    narrator_, book = narrator(*targets, clock=clock)
    for target in targets[:4]:
        narrator_.tell(Answered(target, 0, job("Running" if target.id > 1 else "Queued")))
    clock.now = 60
    narrator_.tick()
    assert book.lines[-1] == " 1:00  1 Queued, 3 Running, 2 not heard of yet"


def test_several_targets_are_told_apart() -> None:
    """With several targets every line says which it is about; the columns stay in line."""
    narrator_, book = narrator(LINUX, CONSOLE)
    narrator_.tell(Answered(LINUX, 0, job("Queued")))
    narrator_.tell(Answered(CONSOLE, 61, job("Running", jobprogress=7)))
    assert book.lines == [" 0:00  linux    Queued", " 1:01  console  Running    7 %"]


@pytest.mark.parametrize(
    ("plans", "words"),
    [
        ((Plan(Target(9001)),), "image version 9001 · waits up to 1h (default)"),
        (
            (Plan(Target(7, "art", Resource.IMAGE_UPDATE), timeout=0),),
            "art (image update 7) · looks once (default)",
        ),
        ((Plan(Target(1)), Plan(Target(2))), "image versions 1, 2 · waits up to 1h (default)"),
        (tuple(Plan(Target(n)) for n in range(1, 7)), "image versions 1, 2, 3, 4 and 2 more · waits"),
        (
            (Plan(LINUX, timeout=60), Plan(CONSOLE, timeout=5400)),
            "2 image versions linux, console · waits up to 1h30m",
        ),
        (
            (Plan(LINUX), Plan(Target(7, "art", Resource.IMAGE_UPDATE))),
            "2 targets linux, art · waits up to 1h",
        ),
    ],
)
def test_the_headline_names_what_is_waited_for(plans: tuple[Plan, ...], words: str) -> None:
    """The first line names the target or targets, some of many, and the longest wait with its source."""
    assert f" · https://api.multiplay.co.uk · {words}" in headline(Settings(plans))


def test_the_headline_tells_where_the_longest_wait_was_given() -> None:
    """A time-out that a target has for itself is told with the place that it has in the file."""
    sources = {"timeout": "input timeout", "targets.console.timeout": "file gate.yml"}
    told = headline(Settings((Plan(LINUX), Plan(CONSOLE, timeout=5400)), sources=sources))
    assert told.endswith("waits up to 1h30m (file gate.yml)")


def test_several_targets_end_in_a_table() -> None:
    """Before the last lines each target has its row, those that went wrong at the end, with their reasons."""
    book = Notebook(annotates=False)
    failed = Outcome(
        CONSOLE, GateStatus.FAILED, "console is Failed:\ndisk full", "Mend it.", job("Failed"), 130, 12
    )
    ready = Outcome(LINUX, GateStatus.READY, "linux is Completed", "", job("Completed"), 220, 19)
    update = Outcome(Target(7, resource=Resource.IMAGE_UPDATE), GateStatus.PENDING, "not followed", waited=9)
    write_ending(book, Result(GateStatus.FAILED, 1, "1 of 3 targets are ready", "", (failed, ready, update)))
    assert book.lines[:-1] == [
        "target        id    status   state      waited  requests  reason",
        "linux         9001  ready    Completed  3m40s   19",
        "image update  7     pending  unknown    9s      0         not followed",
        "console       9002  failed   Failed     2m10s   12        console is Failed: disk full",
    ]
    assert book.lines[-1].startswith("failed after ")


def test_every_failure_is_told_in_the_annotation() -> None:
    """Besides the one that decided, the annotation tells the other failures, some of very many."""
    book = Notebook()
    outcomes = [Outcome(Target(n), GateStatus.TIMEOUT, f"{n} was late") for n in range(1, 14)]
    outcomes += [
        Outcome(LINUX, GateStatus.FAILED, "linux is Failed"),
        Outcome(CONSOLE, GateStatus.PENDING, "x"),
    ]
    write_ending(book, Result(GateStatus.FAILED, 1, "linux is Failed", "Mend it.", tuple(outcomes)))
    ((_, _, message),) = book.annotations
    late = [f"{n} was late." for n in range(1, 11)]
    assert message.split("\n") == ["linux is Failed. Mend it.", *late, "And 3 more."]


def test_all_ready_is_told_with_their_number() -> None:
    """The last line of several says how many there were, of what."""
    book = Notebook(annotates=False)
    outcomes = tuple(Outcome(target, GateStatus.READY, "") for target in (LINUX, CONSOLE))
    write_ending(book, Result(GateStatus.READY, 0, "", "", outcomes))
    assert book.lines[-1] == "ready: all 2 image versions"


def test_a_live_display_takes_the_place_of_heartbeats() -> None:
    """In a terminal the bars move on with every tick, and no heartbeat is printed."""
    clock = FakeClock()
    narrator_, book = narrator(LINUX, CONSOLE, live=True, clock=clock)
    narrator_.tell(Answered(LINUX, 0, job("Running", jobprogress=41), 80.0))
    printed = list(book.lines)
    clock.now = 60
    narrator_.tick()
    assert book.lines == printed
    assert book.bars == [
        Bar("linux", 41, "1:00  Running  about 20s left"),
        Bar("console", None, "1:00  asking"),
    ]


def test_an_oddity_that_matters_becomes_an_annotation() -> None:
    """A warning is a line and an annotation; a mere note is a line."""
    narrator_, book = narrator(TARGET)
    narrator_.tell(Noted(TARGET, 0, "a note"))
    narrator_.tell(Noted(TARGET, 0, "a warning", warning=True))
    assert book.lines == [" 0:00  a note", " 0:00  a warning"]
    assert book.annotations == [(Level.WARNING, "image version 9001", "a warning")]


def result(
    status: GateStatus, reason: str = "so it was", remedy: str = "Do this.", **outcome: object
) -> Result:
    """Make the result of a run on one target."""
    one = Outcome(TARGET, status, reason, remedy, waited=220, requests=19, **outcome)  # type: ignore[arg-type]  # a factory
    return Result(status, status.exit_code, reason, remedy, (one,), waited=220)


def test_ready_is_told_in_one_line_and_one_notice() -> None:
    """A green gate ends with one line that says how long it took, and one notice."""
    book = Notebook()
    write_ending(book, result(GateStatus.READY, "image version 9001 is Completed", ""))
    assert book.lines == ["ready: image version 9001 after 3m40s (19 requests)"]
    assert book.annotations == [(Level.NOTICE, "cfgate: ready", "image version 9001 is Completed")]


@pytest.mark.parametrize("status", [status for status in GateStatus if status is not GateStatus.READY])
def test_every_other_ending_tells_what_and_what_to_do_in_its_last_lines(status: GateStatus) -> None:
    """The last two lines name the status, the reason and the remedy; one annotation says the same."""
    book = Notebook()
    write_ending(book, result(status))
    name = status.label.replace("_", " ")
    assert book.lines == [f"{name} after 3m40s (19 requests): so it was", "what to do: Do this."]
    ((level, title, message),) = book.annotations
    assert level is Level.ERROR
    assert title == f"cfgate: {name}"
    assert message == "so it was. Do this."


def test_a_job_error_is_told_in_full_before_the_last_lines() -> None:
    """Every line of the job error is in the log, each behind a mark of its own."""
    book = Notebook()
    write_ending(book, result(GateStatus.FAILED, job=job("Failed", joberror="disk full\r\n::error::x\rlast")))
    assert book.groups == {"job error of image version 9001": ["| disk full", "| ::error::x", "| last"]}


def test_what_is_odd_about_a_ready_job_is_annotated() -> None:
    """A job that was retried is ready, with a warning."""
    book = Notebook()
    write_ending(book, result(GateStatus.READY, job=job("Completed", jobfailed=2)))
    assert (
        Level.WARNING,
        "image version 9001 is ready, but looks odd",
        "the job had failed 2 times before it was completed",
    ) in book.annotations


def test_a_rehearsal_says_so_where_it_matters() -> None:
    """The last line and the annotation of a rehearsal say that Clanforge was not asked."""
    book = Notebook()
    ready = result(GateStatus.READY, "image version 9001 is Completed", "")
    write_ending(book, Result(ready.status, 0, ready.reason, "", ready.outcomes, rehearsal=True, waited=220))
    assert "rehearsal" in book.lines[-1]
    assert "rehearsal" in book.annotations[-1][1]


def test_where_there_is_only_a_log_nothing_is_said_twice() -> None:
    """A host without annotations gets the last lines alone."""
    book = Notebook(annotates=False)
    write_ending(book, result(GateStatus.TIMEOUT))
    assert book.annotations == []
    assert book.lines == ["timeout after 3m40s (19 requests): so it was", "what to do: Do this."]
