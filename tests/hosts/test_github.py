"""GitHub gets exactly the commands that were meant, and values that it reads back byte by byte."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cfgate.hosts import Level, Style
from cfgate.hosts.console import Console
from cfgate.hosts.file_commands import LEFT_OUT, OUTPUT_LIMIT, SUMMARY_LIMIT, encode_outputs, encode_summary
from cfgate.hosts.github import ANNOTATIONS_PER_LEVEL, GitHub
from cfgate.hosts.workflow_commands import command
from tests.support import hostile, posix
from tests.support.parsers import file_commands, workflow_commands

SECRET = "9f86d081884c7d659a2feaa0c55ad015"
NAMES = ("ready", "status", "job-state-name", "job-error", "result")


def github(
    stream: io.StringIO, output: Path | str = "", summary: Path | str = "", *, debugging: bool = False
) -> GitHub:
    """Make a host that prints to `stream`."""
    console = Console(stream, colour=True)
    return GitHub(console, output_file=str(output), summary_file=str(summary), debugging=debugging)


def printed(act: Callable[[GitHub], None], *, debugging: bool = False) -> list[workflow_commands.Command]:
    """Do something on a host, and return the commands that the runner obeys."""
    stream = io.StringIO()
    act(github(stream, debugging=debugging))
    return workflow_commands.parse(stream.getvalue())[0]


@settings(deadline=None)
@given(hostile.texts, st.sampled_from(Style))
@example(hostile.WORST, Style.BAD)
def test_the_log_commands_nothing(told: str, style: Style) -> None:
    """No text that is logged, in any colour, becomes a command."""
    assert printed(lambda host: host.log(told, style)) == []


@settings(deadline=None)
@given(hostile.texts, hostile.texts, st.sampled_from(Level))
@example(hostile.WORST, hostile.WORST, Level.ERROR)
def test_an_annotation_is_one_command(title: str, message: str, level: Level) -> None:
    """Title and message come back as they were disarmed, and no other command comes with them."""
    [annotation] = printed(lambda host: host.annotate(level, title, message))
    assert annotation.name == level.value
    assert set(annotation.properties) <= {"title"}
    assert len(annotation.data.encode("utf-16-le")) <= 2 * 4096
    assert hostile.survives(message[:200], annotation.data)


def test_an_annotation_reads_well() -> None:
    """An ordinary title and message arrive unchanged, whatever the grammar gives a meaning to."""
    title, message = "cfgate: 50 %, done", "first: 100 %\nsecond, a::b"
    assert printed(lambda host: host.annotate(Level.ERROR, title, message)) == [
        workflow_commands.Command("error", message, {"title": title})
    ]


def test_an_annotation_is_disarmed() -> None:
    """What would be a command or an escape sequence in the lines of the log is made visible."""
    [annotation] = printed(lambda host: host.annotate(Level.ERROR, "a\n##b", "c\r\n##[endgroup]\x1b[2J\n"))
    assert annotation.properties == {"title": "a # #b"}
    assert annotation.data == "c\n# #[endgroup]\\x1b[2J"


def test_a_long_annotation_is_cut_before_the_runner_does() -> None:
    """The message keeps within 4096 UTF-16 units, the title within 255, and both show the cut."""
    [annotation] = printed(lambda host: host.annotate(Level.ERROR, "t" * 300, "😀" * 3000))
    assert len(annotation.data.encode("utf-16-le")) <= 2 * 4096
    assert annotation.data.endswith("[cut]")
    assert len(annotation.properties["title"]) == 255


def test_annotations_beyond_the_share_of_a_step_become_lines() -> None:
    """The runner would drop the eleventh of a kind: it is printed; other kinds have their own share."""
    stream = io.StringIO()
    host = github(stream)
    for number in range(ANNOTATIONS_PER_LEVEL + 2):
        host.annotate(Level.WARNING, "odd", f"number {number}")
    host.annotate(Level.ERROR, "failed", "the verdict")
    commands, lines = workflow_commands.parse(stream.getvalue())
    assert [found.name for found in commands] == ["warning"] * 10 + ["error"]
    assert [line for line in lines if "warning: odd: number" in line] == lines
    assert len(lines) == 2


@settings(deadline=None)
@given(hostile.texts, st.lists(hostile.texts, max_size=4))
@example(hostile.WORST, [hostile.WORST])
def test_a_group_opens_and_closes(title: str, lines: list[str]) -> None:
    """Nothing in the title or the lines ends the group or begins another."""
    opened, closed = printed(lambda host: host.group(title, lines))
    assert (opened.name, closed) == ("group", workflow_commands.Command("endgroup", ""))
    assert "\n" not in opened.data


def test_a_group_holds_its_lines() -> None:
    """The lines stand between the two commands."""
    stream = io.StringIO()
    github(stream).group("job error", ["disk full", "second\nthird"])
    assert stream.getvalue() == "::group::job error\ndisk full\nsecond\n| third\n::endgroup::\n"


@settings(deadline=None)
@given(hostile.texts)
@example(hostile.WORST)
def test_debug_output_is_debug_commands_only(told: str) -> None:
    """With step debugging on, every line is a `debug` command."""
    assert {found.name for found in printed(lambda host: host.debug(told), debugging=True)} == {"debug"}


def test_debug_output_is_silent_by_default() -> None:
    """Without step debugging nothing is printed."""
    stream = io.StringIO()
    GitHub(Console(stream), output_file="", summary_file="").debug("x")
    assert stream.getvalue() == ""


def test_secrets_are_masked_where_that_is_safe() -> None:
    """Each line of a secret that is long and mixed is masked, exactly as it is; a short one is not."""
    assert printed(lambda host: host.mask(f"{SECRET}%0A\nshort\n")) == [
        workflow_commands.Command("add-mask", f"{SECRET}%0A")
    ]


@settings(deadline=None)
@given(hostile.texts)
@example(hostile.WORST)
def test_masking_commands_nothing_else(secret: str) -> None:
    """A secret cannot carry another command."""
    commands = printed(lambda host: host.mask(f"{secret}\n{SECRET}{secret}"))
    assert {found.name for found in commands} == {"add-mask"}


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(NAMES), hostile.texts, max_size=5))
@example({"job-error": hostile.WORST})
def test_outputs_come_back_byte_by_byte(pairs: dict[str, str]) -> None:
    """The runner reads what was written; only a lone surrogate, which has no UTF-8, is escaped."""
    outputs = file_commands.parse(encode_outputs(pairs))
    assert outputs.error is None
    expected = {name: value.encode("utf-8", "backslashreplace").decode() for name, value in pairs.items()}
    assert outputs.values == expected


def test_a_delimiter_inside_a_value_is_replaced() -> None:
    """Whoever foresees the delimiter gains nothing: it is made up anew."""
    delimiters = iter(["known", "known", "fresh"])
    encoded = encode_outputs({"job-error": "x\nknown\nready=true"}, lambda: next(delimiters))
    assert encoded == b"job-error<<fresh\nx\nknown\nready=true\nfresh\n"


def test_delimiters_differ() -> None:
    """No two values share a delimiter, and a delimiter is 122 random bits."""
    lines = encode_outputs({"a": "1", "b": "2"}).decode().splitlines()
    first, second = (line.split("<<")[1] for line in lines if "<<" in line)
    assert first != second
    assert len(first.removeprefix("ghadelimiter_")) == 36


def test_a_large_output_is_capped() -> None:
    """A value above 64 KiB is cut to that, and says how large it was."""
    value = file_commands.parse(encode_outputs({"result": "é" * 100_000})).values["result"]
    assert OUTPUT_LIMIT - 4 <= len(value.encode()) <= OUTPUT_LIMIT
    assert value.endswith("… [cut by cfgate: 200000 bytes in all]")


def test_outputs_are_appended_and_the_last_wins(tmp_path: Path) -> None:
    """What stood in the file stays, and a later call overrides an earlier one."""
    path = tmp_path / "output"
    path.write_bytes(b"other=1\n")
    host = github(io.StringIO(), path)
    host.output({"ready": "false", "status": "error"})
    host.output({"ready": "true"})
    assert file_commands.parse(path.read_bytes()).values == {"other": "1", "ready": "true", "status": "error"}
    assert b"\r" not in path.read_bytes()


@posix.only("Windows has no /dev/fd")
def test_outputs_may_go_into_a_pipe() -> None:
    """Who tries it out by hand may name a pipe, which has no place that could be returned to."""
    reader, writer = os.pipe()
    stream = io.StringIO()
    github(stream, f"/dev/fd/{writer}").output({"ready": "true"})
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        assert file_commands.parse(pipe.read()).values == {"ready": "true"}
    assert stream.getvalue() == ""


@pytest.mark.parametrize("path", ["", "missing/directory/file", "."])
def test_outputs_that_cannot_be_written_are_one_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    """A missing variable or an unwritable file is annotated once, and stops nothing."""
    monkeypatch.chdir(tmp_path)

    def twice(host: GitHub) -> None:
        host._output_file = path
        host.output({"ready": "false"})
        host.output({"ready": "true"})

    [warning] = printed(twice)
    assert warning.name == "warning"
    assert warning.properties == {"title": "cfgate: no outputs"}
    assert warning.data.startswith("the outputs could not be written to GITHUB_OUTPUT: ")


def test_a_summary_that_cannot_be_written_is_a_warning() -> None:
    """A missing variable is annotated, and stops nothing."""
    [warning] = printed(lambda host: host.summary("# x"))
    assert warning.data == "the summary could not be written to GITHUB_STEP_SUMMARY: it is not set"


def test_a_file_that_ends_in_the_middle_of_a_line_swallows_nothing(tmp_path: Path) -> None:
    """Whoever has left a line without its end loses nothing, and neither do we."""
    output, page = tmp_path / "output", tmp_path / "page"
    output.write_bytes(b"other=1")
    page.write_bytes(b"theirs")
    host = github(io.StringIO(), output, page)
    host.output({"ready": "false"})
    host.output({"ready": "true"})
    host.summary("# first, and longer\n")
    host.summary("# second\n")
    assert file_commands.parse(output.read_bytes()).values == {"other": "1", "ready": "true"}
    assert page.read_bytes() == b"theirs\n# second\n"


def test_a_broken_stdout_loses_no_outputs(tmp_path: Path) -> None:
    """When nobody reads the log any more, outputs and summary are written all the same."""
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as stream:
        console = Console(stream)
        host = GitHub(console, output_file=str(tmp_path / "output"), summary_file=str(tmp_path / "summary"))
        host.log("a")
        host.annotate(Level.ERROR, "b", "c")
        host.group("d", ["e"])
        host.output({"ready": "true"})
        host.summary("# f\n")
        host.close()
    assert file_commands.parse((tmp_path / "output").read_bytes()).values == {"ready": "true"}
    assert (tmp_path / "summary").read_text() == "# f\n"


def test_a_later_summary_replaces_an_earlier_one(tmp_path: Path) -> None:
    """Our own page is replaced; what the step had there before us stays."""
    path = tmp_path / "summary"
    for theirs in ("", "\n", "theirs\n"):
        path.write_text(theirs)
        host = github(io.StringIO(), summary=path)
        host.summary("# first, and longer\n")
        host.summary("# second\n")
        assert path.read_text() == theirs + "# second\n"


def test_a_summary_spares_what_others_have_added_since(tmp_path: Path) -> None:
    """When another program has written behind our page, nothing is taken away."""
    path = tmp_path / "summary"
    host = github(io.StringIO(), summary=path)
    host.summary("# first\n")
    with path.open("a") as file:
        file.write("theirs\n")
    host.summary("# second\n")
    host.summary("# third\n")
    assert path.read_text() == "# first\ntheirs\n# third\n"


def test_a_summary_too_large_is_cut_between_sections() -> None:
    """The sections that fit are kept whole, and a note tells of the rest."""
    small, large = "# Verdict\nready\n", "## Job error\n<pre>" + "x" * SUMMARY_LIMIT + "</pre>\n"
    last = "## Times\n| a |\n|---|\n"
    assert encode_summary(small + large + last).decode() == small + last + LEFT_OUT


def test_a_section_may_fill_a_summary_to_the_last_byte() -> None:
    """A section is left out for the byte that is too much, and not before."""
    last = "## Times\n" + "y" * len(LEFT_OUT)
    fits = "# " + "x" * (SUMMARY_LIMIT - len("# " + "\n" + LEFT_OUT)) + "\n"
    assert encode_summary(fits + last).decode() == fits + LEFT_OUT
    assert encode_summary("# " + fits + last).decode() == last + LEFT_OUT


@settings(deadline=None)
@given(st.lists(hostile.texts, max_size=5), st.integers(min_value=0, max_value=300))
def test_a_summary_keeps_the_limit(texts: list[str], limit: int) -> None:
    """Whatever the document and the room that is left, the bytes fit, and a cut is told of."""
    whole = "\n# ".join(texts).encode("utf-8", "backslashreplace")
    encoded = encode_summary("\n# ".join(texts), limit)
    assert len(encoded) <= limit
    assert encoded == whole or encoded.endswith(LEFT_OUT.encode()) or limit < len(LEFT_OUT)


@settings(deadline=None)
@given(hostile.texts, st.dictionaries(st.sampled_from(["title", "file"]), hostile.texts))
@example(hostile.WORST, {"title": hostile.WORST})
def test_a_command_comes_back_as_it_was(data: str, properties: dict[str, str]) -> None:
    """Escaping loses nothing, but for what the runner itself trims: see the independent parser."""
    [parsed], _ = workflow_commands.parse(command("error", data, **properties))
    assert parsed.data == data
    for name, value in parsed.properties.items():
        assert value in properties[name]


def test_a_property_without_a_value_is_left_out() -> None:
    """An empty title is none."""
    assert command("error", "x", title="", file="a") == "::error file=a::x"
    assert command("error", "x", title="") == "::error::x"


def test_colours_follow_the_style() -> None:
    """Each line has its own colour, which ends with it."""
    stream = io.StringIO()
    github(stream).log("a\nb", Style.BAD)
    assert stream.getvalue() == "\x1b[31ma\x1b[0m\n\x1b[31m| b\x1b[0m\n"


def test_half_a_surrogate_pair_is_escaped() -> None:
    """What has no UTF-8 is written as its escape, in an output and in a summary."""
    assert encode_outputs({"job-error": "a\ud800"}, lambda: "x") == b"job-error<<x\na\\ud800\nx\n"
    assert encode_summary("a\ud800") == b"a\\ud800"


def test_a_summary_of_exactly_the_limit_stays_whole() -> None:
    """The last byte that GitHub takes is used."""
    assert encode_summary("# ab", 4) == b"# ab"


def test_a_summary_behind_another_one_keeps_the_limit_of_the_file(tmp_path: Path) -> None:
    """What the step has written before counts too: GitHub would drop the whole."""
    path = tmp_path / "summary"
    path.write_text("theirs\n")
    github(io.StringIO(), summary=path).summary("# Verdict\n" + "x" * (SUMMARY_LIMIT - 12))
    assert path.read_text() == "theirs\n" + LEFT_OUT


def test_a_mask_is_spelled_as_the_manual_does() -> None:
    """The runner reads commands without case; a person may not."""
    stream = io.StringIO()
    github(stream).mask(SECRET)
    assert stream.getvalue() == f"::add-mask::{SECRET}\n"
