"""The log that a person reads: events in, lines out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import pytest

from cfgate.hosts import Bar, Level, Style
from cfgate.log.ending import write_ending
from cfgate.log.progress import ProgressLog, introduce
from cfgate.log.wording import headline
from cfgate.model import GateStatus, Outcome, Plan, Resource, Result, Target
from cfgate.model.events import Answered, AskingAgain, Ended, Looked, Noted
from cfgate.rules import judge_job
from cfgate.settings.values import Settings
from tests.support.fakes import ID, NOON, FakeClock, job

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
        self.debugged: list[str] = []
        self.annotations: list[tuple[Level, str, str]] = []
        self.groups: dict[str, list[str]] = {}
        self.bars: Sequence[Bar] = ()

    def log(self, text: str, style: Style = Style.PLAIN) -> None:  # noqa: ARG002 - the shape of a host
        self.lines.append(text)

    def debug(self, text: str) -> None:
        self.debugged.append(text)

    def group(self, title: str, lines: Iterable[str]) -> None:
        self.groups[title] = list(lines)

    def annotate(self, level: Level, title: str, message: str) -> None:
        self.annotations.append((level, title, message))

    def output(self, pairs: Mapping[str, str]) -> None:
        pytest.fail(f"a narrator writes no outputs: {pairs}")

    def summary(self, markdown: str) -> None:
        pytest.fail(f"a narrator writes no summary: {markdown}")

    def junit(self, path: str) -> None:
        """Refuse."""
        pytest.fail(f"a narrator imports no report: {path}")

    def mask(self, secret: str) -> None:
        pytest.fail(f"a narrator masks nothing: {secret}")

    def progress(self, bars: Sequence[Bar]) -> None:
        self.bars = bars

    def close(self) -> None:
        pytest.fail("a narrator closes no host")


def narrator(
    *targets: Target, live: bool = False, clock: FakeClock | None = None, verbose: bool = False
) -> tuple[ProgressLog, Notebook]:
    """Make a narrator and the notebook that it tells."""
    notebook = Notebook(live=live)
    settings = Settings(tuple(map(Plan, targets)), verbose=verbose)
    return ProgressLog(notebook, settings, clock or FakeClock()), notebook


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
        " 3:40  answers come again after 1m9s and 1 retry",
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
    assert book.lines[-1] == " 1:00  3 Running (0 % on average), 1 Queued, 2 not seen yet"


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
        Bar("0 of 2 ready", None, ("1:00 of 1h",), track=False),
        Bar("linux", 41, ("Running", "about 20s left"), "linux"),
        Bar("console", None, ("asking",), "console"),
    ]
    narrator_.tell(Ended(LINUX, 61, Outcome(LINUX, GateStatus.READY, "")))
    narrator_.tick()
    assert [bar.label for bar in book.bars] == ["1 of 2 ready", "console"]


def test_the_row_of_one_target_has_the_time_too() -> None:
    """The time gone stands with that of the time-out; for a long name the id takes its place."""
    clock = FakeClock()
    target = Target(9001, "a very long name")
    narrator_, book = narrator(target, live=True, clock=clock)
    clock.now = 751
    narrator_.tick()
    assert book.bars == [Bar("a very long name", None, ("asking", "12:31 of 1h"), "9001")]


def failing(target: Target, at: float, attempt: int, why: str = "no answer (HTTP 503)") -> AskingAgain:
    """Make a failed answer in an outage that is endured until 700 s."""
    return AskingAgain(target, at, why, attempt, 5.0, 700.0 - at)


def play_outage(narrator_: ProgressLog, clock: FakeClock, *targets: Target) -> None:
    """Let six minutes pass, from 100 s on, in which each target fails every five seconds."""
    for attempt in range(1, 74):
        clock.now = 95 + 5 * attempt
        for target in targets:
            narrator_.tell(failing(target, clock.now, attempt))
        narrator_.tick()


def test_an_outage_is_one_line_a_minute() -> None:
    """One line when it begins, one a minute with its length and its end, one when answers come again."""
    clock = FakeClock()
    narrator_, book = narrator(TARGET, clock=clock)
    narrator_.tell(Answered(TARGET, 0, job("Running", jobprogress=41), 80.0))
    clock.now = 95
    narrator_.tick()
    play_outage(narrator_, clock, TARGET)
    narrator_.tell(Answered(TARGET, 463, job("Running", jobprogress=60), 50.0))
    narrator_.tell(Answered(TARGET, 470, job("Running", jobprogress=61), 50.0))
    assert book.lines == [
        " 0:00  Running   41 %   about 1m20s left",
        " 1:35  Running   41 %   about 1m20s left",
        " 1:40  no answer (HTTP 503), retry 1, asking again in 5s",
        " 2:40  still no answer (HTTP 503) after 1m and 13 retries, gives up in 9m",
        " 3:40  still no answer (HTTP 503) after 2m and 25 retries, gives up in 8m",
        " 4:40  still no answer (HTTP 503) after 3m and 37 retries, gives up in 7m",
        " 5:40  still no answer (HTTP 503) after 4m and 49 retries, gives up in 6m",
        " 6:40  still no answer (HTTP 503) after 5m and 61 retries, gives up in 5m",
        " 7:40  still no answer (HTTP 503) after 6m and 73 retries, gives up in 4m",
        " 7:43  answers come again after 6m3s and 73 retries: Running at 60 %, about 50s left",
    ]


def test_an_outage_of_many_targets_is_one() -> None:
    """However many targets are not answered, the log has the lines of one."""
    clock = FakeClock()
    targets = [Target(number) for number in range(1, 21)]
    narrator_, book = narrator(*targets, clock=clock)
    for target in targets:
        narrator_.tell(Answered(target, 0, job("Running")))
    book.lines.clear()
    play_outage(narrator_, clock, *targets)
    for target in targets:
        narrator_.tell(Answered(target, clock.now, job("Running")))
    outage = [line for line in book.lines if "answer" in line]
    assert outage[0] == " 1:40  image version 1   no answer (HTTP 503), retry 1, asking again in 5s"
    assert outage[1] == " 2:40  20 of 20: still no answer (HTTP 503) after 1m and 260 retries, gives up in 9m"
    assert outage[-1] == " 7:40  image version 20  answers come again after 6m and 1460 retries"
    assert len(outage) == 8


def test_targets_that_are_answered_meanwhile_keep_their_heartbeat() -> None:
    """Of three targets, the one in trouble has a line of its own, and the others say how they stand."""
    clock = FakeClock()
    other = Target(9003, "tools")
    narrator_, book = narrator(LINUX, CONSOLE, other, clock=clock)
    for target in (LINUX, CONSOLE, other):
        narrator_.tell(Answered(target, 0, job("Queued")))
    clock.now = 100
    narrator_.tell(failing(CONSOLE, 100, 1))
    clock.now = 160
    narrator_.tick()
    assert book.lines[-3:] == [
        " 2:40  console  still no answer (HTTP 503) after 1m and 1 retry, gives up in 9m",
        " 2:40  linux    Queued",
        " 2:40  tools    Queued",
    ]
    narrator_.tell(failing(LINUX, 160, 1))
    clock.now = 220
    narrator_.tick()
    assert book.lines[-2].endswith(
        "2 of 3: still no answer (HTTP 503) after 2m and 2 retries, gives up in 8m"
    )


def test_in_an_outage_the_display_knows_no_more_than_the_gate() -> None:
    """There is no bar and no estimate: how long, until when, what was seen last, and why."""
    clock = FakeClock()
    narrator_, book = narrator(TARGET, live=True, clock=clock)
    narrator_.tell(Answered(TARGET, 0, job("Running", jobprogress=41), 80.0))
    printed = list(book.lines)
    play_outage(narrator_, clock, TARGET)
    clock.now = 463
    narrator_.tick()
    texts = ("no answer for 6m3s", "gives up in 3m", "last seen: Running at 41 %", "7:43 of 1h", "HTTP 503")
    assert book.bars == [Bar("image version 9001", None, texts, "9001", Style.ODD)]
    assert book.lines == printed
    narrator_.tell(Answered(TARGET, 463, job("Running", jobprogress=60), 50.0))
    narrator_.tick()
    assert book.lines[len(printed) :] == [
        " 7:43  answers come again after 6m3s and 73 retries: Running at 60 %, about 50s left"
    ]
    assert book.bars[0].percent == 60


@pytest.mark.parametrize(
    ("why", "told"),
    [("doubtful answer (odd)", "doubtful answers for 1s"), ("not found (HTTP 404)", "not found for 1s")],
)
def test_the_display_says_what_came_instead(why: str, told: str) -> None:
    """Also where nothing was ever seen of the target."""
    clock = FakeClock()
    narrator_, book = narrator(TARGET, live=True, clock=clock)
    narrator_.tell(failing(TARGET, 0, 1, why))
    clock.now = 1
    narrator_.tick()
    assert book.bars[0].texts[0] == told
    assert book.bars[0].texts[2] == "last seen: nothing"


def test_a_job_that_is_put_back_is_one_line() -> None:
    """The note says the new state, so that no further line does."""
    narrator_, book = narrator(TARGET)
    queued = job("Queued", jobfailed=1)
    narrator_.tell(Answered(TARGET, 0, job("Running")))
    narrator_.tell(Noted(TARGET, 60, "went back from Running to Queued: retried", warning=True, job=queued))
    narrator_.tell(Answered(TARGET, 60, queued))
    narrator_.tell(Answered(TARGET, 90, job("Running", jobfailed=1)))
    assert book.lines == [
        " 0:00  Running    0 %",
        " 1:00  went back from Running to Queued: retried",
        " 1:30  Running    0 %",
    ]


def test_a_roll_out_is_told_in_machines() -> None:
    """Per cents of machines are machines."""
    clock = FakeClock()
    target = Target(7, resource=Resource.ROLLOUT)
    counts = {"pending_machines": 2, "failed_machines": 0, "completed_machines": 18}
    rolling = judge_job(counts, 7, Resource.ROLLOUT)
    narrator_, book = narrator(target, clock=clock)
    narrator_.tell(Answered(target, 0, rolling, 80.0))
    assert book.lines == [" 0:00  Running 18 of 20 machines   about 1m20s left"]
    live, book = narrator(target, live=True, clock=clock)
    live.tell(Answered(target, 0, rolling))
    live.tick()
    assert book.bars[0].texts == ("Running 18 of 20 machines", "0:00 of 1h")


def test_many_targets_are_counted() -> None:
    """Twenty targets are not twenty lines for a state; what fails has a line, but not twenty of a kind."""
    clock = FakeClock()
    targets = [Target(number) for number in range(1, 21)]
    narrator_, book = narrator(*targets, clock=clock)
    for second in range(200):
        clock.now = second
        state = "Created" if second < 10 else "Queued" if second < 60 else "Running"
        if second % 5 == 0:
            for target in targets:
                narrator_.tell(Answered(target, second, job(state, jobprogress=second // 4)))
        narrator_.tick()
    for target in targets:
        status = GateStatus.READY if target.id > 10 else GateStatus.TIMEOUT
        narrator_.tell(Ended(target, 200, Outcome(target, status, f"{target.label} was late")))
        narrator_.tick()
    assert book.lines[:4] == [
        " 0:02  20 Created",
        " 0:32  20 Queued",
        " 1:02  20 Running (15 % on average)",
        " 2:02  20 Running (30 % on average)",
    ]
    late = [line for line in book.lines if "late" in line]
    assert late[0] == " 3:20  image version 1   timeout: was late"
    assert len(late) == 4
    assert len(book.lines) < 12


def test_the_same_oddity_of_many_targets_is_told_for_some() -> None:
    """A clock that is off is off for all."""
    targets = [Target(number) for number in range(1, 21)]
    narrator_, book = narrator(*targets)
    for target in targets:
        narrator_.tell(Noted(target, 0, f"this machine's clock is {target.id} s behind", warning=True))
    assert len(book.lines) == len(book.annotations) == 4


def test_verbose_has_a_line_for_each_request() -> None:
    """With the time it took, what came, and the next pause with its reason; else only where one debugs."""
    looks = (
        Looked(TARGET, 8, 0.153, job("Running", jobprogress=41, jobeta=NOON), "", 15.0, "unknown"),
        Looked(TARGET, 23, 20.0, None, "no answer\nwithin 20s", 1.4, "backing off"),
        Looked(TARGET, 45, 0.1, job("Completed")),
    )
    noon = "2026-11-23 12:00:00 UTC"
    updated = f"jobupdated {noon}"
    told = [
        f" 0:08  request: 153 ms, HTTP 200, Running 41 %, {updated}, jobeta {noon}; next in 15s (unknown)",
        " 0:23  request: 20000 ms, no answer within 20s; next in 1.4s (backing off)",
        f" 0:45  request: 100 ms, HTTP 200, Completed, {updated}",
    ]
    verbose, book = narrator(TARGET, verbose=True)
    quiet, other = narrator(TARGET)
    for look in looks:
        verbose.tell(look)
        quiet.tell(look)
    assert (book.lines, book.debugged) == (told, [])
    assert (other.lines, other.debugged) == ([], told)


def test_the_end_of_one_target_is_not_told_twice() -> None:
    """The reason of a single target stands in the last lines; of several each line has its own, once."""
    alone, book = narrator(TARGET)
    alone.tell(Ended(TARGET, 60, Outcome(TARGET, GateStatus.TIMEOUT, "image version 9001 was late")))
    assert book.lines == [" 1:00  timeout"]
    several, book = narrator(LINUX, CONSOLE)
    several.tell(Ended(LINUX, 60, Outcome(LINUX, GateStatus.TIMEOUT, "linux was late")))
    several.tell(Ended(CONSOLE, 60, Outcome(CONSOLE, GateStatus.PENDING, "console: not followed")))
    assert book.lines == [" 1:00  linux    timeout: was late", " 1:00  console  pending: not followed"]


@pytest.mark.parametrize("rehearse", ["", "ready"])
def test_a_rehearsal_names_no_address(rehearse: str) -> None:
    """Whoever is not asked is not named, neither in the first line nor among the settings."""
    book = Notebook()
    book.folds = True
    introduce(book, Settings((Plan(TARGET),), rehearse=rehearse), ["odd"])
    named = [line for line in [*book.lines, *book.groups["settings"]] if "api.multiplay" in line]
    assert len(named) == (0 if rehearse else 2)
    assert book.annotations == [(Level.WARNING, "cfgate: settings", "odd")]


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
    assert level is (Level.NOTICE if status is GateStatus.PENDING else Level.ERROR)
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
        "image version 9001 is ready",
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
