"""The independent parsers see the danger: each is shown what its host would obey."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.parsers import (
    azure_log,
    buildkite_log,
    dotenv,
    file_commands,
    gitlab_log,
    teamcity_log,
    workflow_commands,
)
from tests.support.parsers.screen import Screen


@pytest.mark.parametrize("space", ["", " ", "\t", "\v", "\f", "\x85", "\xa0", "\u2028", "\u3000"])
def test_the_runner_takes_a_command_after_any_white_space(space: str) -> None:
    """`::name::` counts after every Unicode white space, not only after a blank."""
    commands, lines = workflow_commands.parse(f"{space}::set-output name=ready::true\n")
    assert commands == [workflow_commands.Command("set-output", "true", {"name": "ready"})]
    assert lines == []


def test_the_runner_takes_the_old_form_anywhere_in_a_line() -> None:
    """A prefix does not disarm `##[name]data`."""
    commands, _ = workflow_commands.parse("| job error: ##[set-output name=ready;]true%25%5D\n")
    assert commands == [workflow_commands.Command("set-output", "true%]", {"name": "ready"})]


@pytest.mark.parametrize("line_break", ["\n", "\r\n", "\r"])
def test_the_runner_ends_a_line_at_cr_too(line_break: str) -> None:
    """A lone CR is enough to begin a command."""
    commands, lines = workflow_commands.parse(f"harmless{line_break}::error::x")
    assert ([command.name for command in commands], lines) == (["error"], ["harmless"])


@pytest.mark.parametrize("other", ["\v", "\f", "\x85", "\u2028"])
def test_the_runner_ends_no_line_where_python_does(other: str) -> None:
    """What `str.splitlines` splits at stays inside a line."""
    assert workflow_commands.parse(f"harmless{other}::error::x") == ([], [f"harmless{other}::error::x"])


@pytest.mark.parametrize(
    "line", ["| ::error::x", "::unheard-of::x", "::error", "# #[error]x", "##[error", "a ::error::x"]
)
def test_the_runner_shows_what_is_no_command(line: str) -> None:
    """A prefix, an unknown name, a missing end or a broken `##` leave plain text."""
    assert workflow_commands.parse(line) == ([], [line])


def test_the_runner_unescapes_properties_and_data_differently() -> None:
    """A colon and a comma are escapes in a property only; the per cent sign is unescaped last."""
    parsed = workflow_commands.parse_line("::error title=a%3A%2C%250A,file=b::c%3A%0A%250A")
    assert parsed == workflow_commands.Command("error", "c%3A\n%0A", {"title": "a:,%0A", "file": "b"})


@pytest.mark.parametrize(
    ("content", "values", "error"),
    [
        (b"", {}, None),
        (b"a=1\n\nb=2=3\n", {"a": "1", "b": "2=3"}, None),
        (b"a=\n", {"a": ""}, None),
        (b"a=1<<EOF\n", {"a": "1<<EOF"}, None),
        (b"a<<EOF\n1\n2\n\nEOF\n", {"a": "1\n2\n"}, None),
        (b"a<<EOF\nEOF\n", {"a": ""}, None),
        (b"a<<EOF\n\nEOF\n", {"a": ""}, None),
        (b"a<<EOF\nx\r\n\rEOF\nEOF", {"a": "x\r\n\rEOF"}, None),
        (b"a<<EOF=\n1\nEOF=\n", {"a": "1"}, None),
        (b"\xef\xbb\xbfa=1\n", {"a": "1"}, None),
        (b"Ready=false\nready=true\n", {"Ready": "true"}, None),
        (b"a=1\nnonsense\nb=2\n", {"a": "1"}, "Invalid format"),
        (b"<<EOF\nEOF\n", {}, "Name must not be empty"),
        (b"a<<\n1\n", {}, "delimiter must not be empty"),
        (b"a<<EOF\n1\n", {}, "Matching delimiter not found"),
        (b"a<<EOF\n1", {}, "EOF marker missing new line"),
    ],
)
def test_the_runner_reads_outputs(content: bytes, values: dict[str, str], error: str | None) -> None:
    """Both forms are read; a bad line ends the reading, and the pairs before it stay."""
    outputs = file_commands.parse(content)
    assert outputs.values == values
    assert (error in outputs.error) if error and outputs.error else outputs.error is error


@pytest.mark.process
@pytest.mark.parametrize(("content", "status"), [(b"a<<E\n1\nE\n", 0), (b"a<<E\n1\n", 1)])
def test_the_reader_of_outputs_is_a_command_too(tmp_path: Path, content: bytes, status: int) -> None:
    """`python -m tests.support.parsers.file_commands FILE` prints JSON, and fails where the step would."""
    (tmp_path / "output").write_bytes(content)
    run = subprocess.run(
        [sys.executable, "-m", "tests.support.parsers.file_commands", str(tmp_path / "output")],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        check=False,
    )
    printed = json.loads(run.stdout)
    assert run.returncode == status
    assert printed["outputs"] == ({"a": "1"} if status == 0 else {})
    assert (printed["error"] is None) == (status == 0)


def test_gitlab_folds_sections_and_obeys_colours_only() -> None:
    """A section has a header and lines; colours are kept, every other escape sequence is dropped."""
    log = gitlab_log.parse(
        "before\n\x1b[0Ksection_start:1700000000:a.B_c[collapsed=true]\r\x1b[0Ktitle\n"
        "\x1b[31mred\x1b[0m\x1b[2J\nis\n\x1b[0Ksection_end:1700000001:a.B_c\r\x1b[0K\nafter\n"
    )
    [section] = log.sections
    assert (section.name, section.options, section.closed) == ("a-b-c", "collapsed=true", True)
    assert section.lines == ["title", "red", "is"]
    assert log.colours == ["31", "0"]
    assert [line for line in log.lines if line] == ["before", "title", "red", "is", "after"]


def test_gitlab_erases_a_line_at_a_lone_cr() -> None:
    """What stands before a CR is never seen."""
    assert gitlab_log.parse("Failed\rCompleted\n").lines == ["Completed"]


def test_azure_takes_a_command_anywhere_in_a_line() -> None:
    """`##vso[…]` counts behind any text, and what stands before it is not shown."""
    log = azure_log.parse("| x ##vso[task.setvariable variable=a%3B;isOutput=true]1%0A%5D%AZP25%25\rb\n")
    [command] = log.commands
    assert command.name == "task.setvariable"
    assert command.properties == {"variable": "a;", "isoutput": "true"}
    assert command.data == "1\n]%%25"
    assert log.lines == ["b"]


def test_gitlab_reads_variables() -> None:
    """A line is parted at its first equals sign, and stripped of what Ruby takes for white space."""
    assert dotenv.parse(b" A = b=c \nD=\0\n") == {"A": "b=c", "D": ""}
    assert dotenv.expanded("$A ${B} $(id) %C% 100 % and $") == {"$A", "${B}", "$(", "%C%"}


@pytest.mark.parametrize(
    "raw", [b"A\n", b"\n", b"A-B=1\n", b"# A=1\n", b"=1", b"A=" + b"x" * 5118, b"A=\xff"]
)
def test_gitlab_refuses_a_bad_report_as_a_whole(raw: bytes) -> None:
    """A line without a name and an equals sign, a size of 5 KiB, or bytes that are no UTF-8 are refused."""
    with pytest.raises((AssertionError, UnicodeDecodeError)):
        dotenv.parse(raw)


def test_azure_formats_lines() -> None:
    """`##[group]` and its like are for the viewer of the log."""
    assert azure_log.parse("##[group]a\nb ##vso[task]\n##[endgroup]\n").formats == ["group", "endgroup"]


def test_the_screen_wraps_scrolls_and_overwrites() -> None:
    """The screen does what a terminal does with CR, LF, the cursor and wide characters."""
    screen = Screen(columns=4, rows=2)
    screen.feed("abcdef\nxyz\r漢\x1b[1A\rQ")
    assert screen.lines == ["abcd", "Qf", "漢z"]
    assert screen.cursor == (1, 1)


@pytest.mark.parametrize("output", ["\x1b[2J", "\x1b]0;t", "\x07", "\u202e", "\x85"])
def test_the_screen_refuses_what_nobody_meant(output: str) -> None:
    """A control character or an unknown escape sequence is an error of the program."""
    with pytest.raises(AssertionError):
        Screen(80, 24).feed(output)


def test_teamcity_takes_a_message_anywhere_in_a_line() -> None:
    """Behind a prefix, and two in one line, with every escape."""
    log = teamcity_log.parse("| x ##teamcity[a b='|'|n|[|]|||0x00e9|0xD83D|0xDE00'] ##teamcity[c]\nshown\n")
    assert log.messages == [
        teamcity_log.Message("a", {"b": "'\n[]|é😀"}),
        teamcity_log.Message("c"),
    ]
    assert log.lines == ["shown"]


@pytest.mark.parametrize(
    "line", ["a b='c", "a b='[']", "a b='|y']", "a b='|0xZZZZ']", "a b=c]", "a b='1' b='2']", "", "a b='c|']"]
)
def test_teamcity_refuses_what_it_cannot_read(line: str) -> None:
    """Such a message would show as an error in the log of the build."""
    with pytest.raises(teamcity_log.Malformed):
        teamcity_log.parse(f"##teamcity[{line}\n")


@pytest.mark.parametrize("kind", ["---", "+++", "~~~", "^^^"])
def test_buildkite_begins_a_group_at_a_header(kind: str) -> None:
    """Coloured or not; whatever is left of it makes no difference, if it cannot be seen."""
    for line in (f"{kind} title", f"\x1b[31m{kind} title\x1b[0m", f"\u200b {kind} title"):
        log = buildkite_log.parse(f"before\r{line}\nafter\n")
        assert log.groups[1:] == [buildkite_log.Group(kind, "title", ["after"])]
    assert buildkite_log.parse("\x1b]1338;url=x\x07\n").sequences
