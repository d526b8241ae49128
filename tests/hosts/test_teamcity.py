"""TeamCity gets exactly the service messages that were meant."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cfgate.conclusion import UNDECIDED
from cfgate.delivery import deliver, write_undecided
from cfgate.hosts import Level
from cfgate.hosts.console import Console
from cfgate.hosts.teamcity import PROBLEM_LIMIT, TeamCity
from cfgate.model import GateStatus, JobState
from cfgate.settings.values import Files
from tests.support import hostile
from tests.support.factories import job, outcome, result
from tests.support.parsers import teamcity_log
from tests.support.parsers.teamcity_log import Message

NAMES = ("ready", "status", "job-state-name", "job-error", "result")


def printed(act: Callable[[TeamCity], None]) -> teamcity_log.Log:
    """Do something on a host, and return what TeamCity makes of it."""
    stream = io.StringIO()
    act(TeamCity(Console(stream)))
    return teamcity_log.parse(stream.getvalue())


@given(hostile.texts)
@example(hostile.WORST)
def test_the_log_commands_nothing(told: str) -> None:
    """No text that is logged becomes a service message."""
    assert printed(lambda host: host.log(told)).messages == []


@given(hostile.texts, hostile.texts, st.sampled_from(Level))
@example(hostile.WORST, hostile.WORST, Level.ERROR)
@example(hostile.WORST, hostile.WORST, Level.NOTICE)
def test_an_annotation_is_one_message(title: str, message: str, level: Level) -> None:
    """An error is a problem of the build, a warning a line of the log, good news the status text."""
    expected = {
        Level.ERROR: ("buildProblem", {"description"}),
        Level.WARNING: ("message", {"text", "status"}),
        Level.NOTICE: ("buildStatus", {"text"}),  # without a status, which it would overrule
    }
    log = printed(lambda host: host.annotate(level, title, message))
    assert [(each.name, set(each.attributes)) for each in log.messages] == [expected[level]]
    assert log.lines == []


def test_a_problem_reads_well() -> None:
    """Title and message arrive unchanged, whatever the grammar gives a meaning to."""
    [problem] = printed(lambda host: host.annotate(Level.ERROR, "a|b", "it's [50 %]\n漢字 é 😀")).messages
    assert problem == Message("buildProblem", {"description": "a|b: it's [50 %]\n漢字 é 😀"})


@pytest.mark.parametrize("char", ["x", "😀"])
def test_a_long_problem_is_cut(char: str) -> None:
    """TeamCity takes so many UTF-16 units and no more."""
    [problem] = printed(lambda host: host.annotate(Level.ERROR, "a", char * 10_000)).messages
    assert len(problem.attributes["description"].encode("utf-16-le")) // 2 <= PROBLEM_LIMIT
    assert problem.attributes["description"].endswith("[cut]")


@given(st.dictionaries(st.sampled_from(NAMES), hostile.texts, max_size=4))
@example({"job-error": hostile.WORST})
@example({"job-error": "%a%", "result": "%%a%% %b% 50% 50 % %"})
def test_parameters_come_back_as_they_were(pairs: dict[str, str]) -> None:
    """Each output is a parameter; none asks for another, and but for blanks behind `%` nothing is changed."""
    messages = printed(lambda host: host.output(pairs)).messages
    assert [(each.name, each.attributes["name"]) for each in messages] == [
        ("setParameter", f"cfgate.{name}") for name in pairs
    ]
    for message, value in zip(messages, pairs.values(), strict=True):
        told = message.attributes["value"]
        assert teamcity_log.references(told) == []
        units = value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
        assert told.replace("% ", "%") == units.replace("% ", "%")


def test_no_parameter_asks_for_a_secret_one() -> None:
    """TeamCity would put it there; the parser sees the danger, and JSON stays JSON."""
    told = result(outcome(GateStatus.FAILED, job=job(JobState.FAILED, error="%secure:key% 50%, 7%%")))
    assert teamcity_log.references("%secure:key%") == ["secure:key"]
    messages = printed(lambda host: write_undecided(told, host, Files())).messages
    values = {each.attributes["name"]: each.attributes["value"] for each in messages}
    assert all(teamcity_log.references(value) == [] for value in values.values())
    assert json.loads(values["cfgate.result"])["job-error"] == "% secure:key% 50% , 7% % "


@given(hostile.texts, st.lists(hostile.texts, max_size=4))
@example(hostile.WORST, [hostile.WORST])
def test_a_block_opens_and_closes(title: str, lines: list[str]) -> None:
    """Nothing in the title or the lines ends the block or is a message; both ends have the same name."""
    opened, closed = printed(lambda host: host.group(title, lines)).messages
    assert (opened.name, closed.name) == ("blockOpened", "blockClosed")
    assert opened.attributes == closed.attributes


@given(hostile.texts)
def test_any_path_is_one_message(path: str) -> None:
    """A report is imported from the path that it has, whatever is in it."""
    [message] = printed(lambda host: host.junit(path)).messages
    same = path.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
    assert message == Message("importData", {"type": "junit", "path": same})


def test_only_the_last_report_is_imported(tmp_path: Path) -> None:
    """Not the fail-closed one of the start, and none that could not be written."""
    files = Files(junit=str(tmp_path / "it's.xml"))
    names = [each.name for each in printed(lambda host: write_undecided(UNDECIDED, host, files)).messages]
    assert "importData" not in names
    messages = printed(lambda host: deliver(UNDECIDED, host, files, None)).messages
    assert Message("importData", {"type": "junit", "path": files.junit}) in messages
    gone = Files(junit=str(tmp_path))
    messages = printed(lambda host: deliver(UNDECIDED, host, gone, None)).messages
    assert "importData" not in [each.name for each in messages]
    assert messages[-1].attributes["status"] == "WARNING"


def test_messages_are_spelled_as_the_manual_does() -> None:
    """What is written is what jetbrains.com shows, to the letter."""
    stream = io.StringIO()
    host = TeamCity(Console(stream))
    host.group("job error", ["disk full"])
    host.annotate(Level.NOTICE, "ready", "image version 9001")
    host.annotate(Level.WARNING, "odd", "it's [99 %]")
    host.annotate(Level.ERROR, "failed", "a|b\né 😀")
    host.output({"job-state-name": "Completed"})
    host.junit("cfgate.xml")
    assert stream.getvalue() == (
        "##teamcity[blockOpened name='job error']\ndisk full\n##teamcity[blockClosed name='job error']\n"
        "##teamcity[buildStatus text='ready: image version 9001']\n"
        "##teamcity[message text='odd: it|'s |[99 %|]' status='WARNING']\n"
        "##teamcity[buildProblem description='failed: a||b|n|0x00E9 |0xD83D|0xDE00']\n"
        "##teamcity[setParameter name='cfgate.job-state-name' value='Completed']\n"
        "##teamcity[importData type='junit' path='cfgate.xml']\n"
    )
