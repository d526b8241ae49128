"""Azure Pipelines gets exactly the commands that were meant."""

from __future__ import annotations

import io
import json
from collections.abc import Callable

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cfgate.delivery import write_undecided
from cfgate.hosts import Level
from cfgate.hosts.azure import OUTPUT_LIMIT, Azure
from cfgate.hosts.console import Console
from cfgate.model import GateStatus, JobState
from cfgate.settings.values import Files
from tests.support import hostile
from tests.support.factories import job, outcome, result
from tests.support.parsers import azure_log

SECRET = "9f86d081884c7d659a2feaa0c55ad015"
NAMES = ("ready", "status", "job-state-name", "job-error", "result")


def printed(act: Callable[[Azure], None], **debugging: bool) -> azure_log.Log:
    """Do something on a host, and return what the agent makes of it."""
    stream = io.StringIO()
    act(Azure(Console(stream), **debugging))
    return azure_log.parse(stream.getvalue())


@settings(deadline=None)
@given(hostile.texts)
@example(hostile.WORST)
def test_the_log_commands_nothing(told: str) -> None:
    """No text that is logged becomes a command or a formatted line."""
    log = printed(lambda host: host.log(told))
    assert (log.commands, log.formats) == ([], [])


@settings(deadline=None)
@given(hostile.texts, hostile.texts, st.sampled_from(Level))
@example(hostile.WORST, hostile.WORST, Level.ERROR)
def test_an_annotation_is_one_issue(title: str, message: str, level: Level) -> None:
    """Errors and warnings are logged as issues; a notice, which Azure does not have, is a line."""
    commands = printed(lambda host: host.annotate(level, title, message)).commands
    expected = [] if level is Level.NOTICE else [("task.logissue", {"type": level.value})]
    assert [(command.name, command.properties) for command in commands] == expected


def test_an_issue_reads_well() -> None:
    """Title and message arrive unchanged, whatever the grammar gives a meaning to."""
    [issue] = printed(lambda host: host.annotate(Level.ERROR, "a]b;", "100 %\nsecond %5D")).commands
    assert issue.data == "a]b;: 100 %\nsecond %5D"


def test_an_issue_is_disarmed() -> None:
    """What would format a line of the log or move a cursor there is made visible."""
    [issue] = printed(lambda host: host.annotate(Level.WARNING, "a", "b\r\n##[endgroup]\x1b[2J\n")).commands
    assert issue.data == "a: b\n# #[endgroup]\\x1b[2J"


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(NAMES), hostile.texts, max_size=4))
@example({"job-error": hostile.WORST})
def test_outputs_come_back_as_they_were(pairs: dict[str, str]) -> None:
    """Each output is a variable for later jobs; only a lone surrogate, which has no UTF-8, is escaped."""
    commands = printed(lambda host: host.output(pairs)).commands
    assert [(found.name, found.properties, found.data) for found in commands] == [
        (
            "task.setvariable",
            {"variable": name.replace("-", "_"), "isoutput": "true"},
            value.replace("$(", "$ (").encode("utf-8", "backslashreplace").decode(),
        )
        for name, value in pairs.items()
    ]


@pytest.mark.parametrize("value", ["$(System.AccessToken)", "a $$(b) $((c)) $($(d))", '{"e":"$(F)"}'])
def test_no_value_asks_for_a_variable(value: str) -> None:
    """The agent would put the variable there before every later step, a secret one too."""
    [command] = printed(lambda host: host.output({"job-error": value})).commands
    assert "$(" not in command.data
    assert command.data.replace("$ (", "$(") == value


@pytest.mark.parametrize("targets", [1, 100, 500])
def test_the_result_of_many_targets_is_json_that_the_agent_takes(targets: int) -> None:
    """The result is built to the limit of Azure, so that nothing is cut, and `$(` is escaped in it."""
    failed = (outcome(GateStatus.FAILED, id=7, job=job(JobState.FAILED, error="$(System.AccessToken)")),)
    others = tuple(outcome(id=1000 + number) for number in range(targets - 1))
    stream = io.StringIO()
    write_undecided(result(*others, *failed), Azure(Console(stream)), Files())
    commands = azure_log.parse(stream.getvalue()).commands
    [text] = [each.data for each in commands if each.properties["variable"] == "result"]
    assert len(text) <= OUTPUT_LIMIT
    assert "$(" not in text
    versions = json.loads(text)["image-versions"]
    assert [each["job-error"] for each in versions if each["status"] != "ready"] == ["$(System.AccessToken)"]


def test_a_large_output_is_capped() -> None:
    """A value that would not fit into an environment variable is cut."""
    [command] = printed(lambda host: host.output({"result": "x" * 100_000})).commands
    assert len(command.data.encode()) == OUTPUT_LIMIT
    assert command.data.endswith("[cut by cfgate: 100000 bytes in all]")


@settings(deadline=None)
@given(hostile.texts, st.lists(hostile.texts, max_size=4))
@example(hostile.WORST, [hostile.WORST])
def test_a_group_opens_and_closes(title: str, lines: list[str]) -> None:
    """Nothing in the title or the lines ends the group, begins another, or is a command."""
    log = printed(lambda host: host.group(title, lines))
    assert (log.commands, log.formats) == ([], ["group", "endgroup"])


def test_secrets_are_masked_where_that_is_safe() -> None:
    """A long and mixed secret is masked, exactly as it is; a short one is not."""
    assert printed(lambda host: host.mask(f"{SECRET};%5D\nshort")).commands == [
        azure_log.Command("task.setsecret", f"{SECRET};%5D")
    ]


def test_debug_output_waits_for_system_debug() -> None:
    """Debug lines are printed when debugging is on, and only then."""
    assert printed(lambda host: host.debug("a")).lines == []
    assert printed(lambda host: host.debug("a"), debugging=True).lines == ["debug: a"]


def test_commands_are_spelled_as_the_manual_does() -> None:
    """What is written is what learn.microsoft.com shows, to the letter; a notice is a line."""
    stream = io.StringIO()
    host = Azure(Console(stream))
    host.group("job error", ["disk full"])
    host.annotate(Level.NOTICE, "ready", "image version 9001")
    host.annotate(Level.WARNING, "odd", "progress 99 %")
    host.output({"job-state-name": "Completed"})
    host.mask(SECRET)
    assert stream.getvalue() == (
        "##[group]job error\ndisk full\n##[endgroup]\n"
        "notice: ready: image version 9001\n"
        "##vso[task.logissue type=warning]odd: progress 99 %AZP25\n"
        "##vso[task.setvariable variable=job_state_name;isOutput=true]Completed\n"
        f"##vso[task.setsecret]{SECRET}\n"
    )
