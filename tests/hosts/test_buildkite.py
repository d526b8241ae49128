"""Buildkite gets groups in its log, and files that a step hands to the agent."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cfgate.hosts import Level, Style
from cfgate.hosts.buildkite import Buildkite
from cfgate.hosts.console import Console
from tests.support import hostile
from tests.support.parsers import buildkite_log

NAMES = ("ready", "status", "job-state-name", "job-error", "result")


def printed(act: Callable[[Buildkite], None], *, colour: bool = False, folder: str = "") -> buildkite_log.Log:
    """Do something on a host, and return what Buildkite makes of it."""
    stream = io.StringIO()
    act(Buildkite(Console(stream, colour=colour), folder=folder))
    return buildkite_log.parse(stream.getvalue())


@given(hostile.texts, st.booleans(), st.sampled_from(Style))
@example(hostile.WORST, True, Style.BAD)
def test_the_log_begins_no_group(told: str, colour: bool, style: Style) -> None:
    """No text that is logged is the header of a group, a link or an image; it can be read all the same."""
    log = printed(lambda host: host.log(told, style), colour=colour)
    assert (len(log.groups), log.sequences) == (1, [])
    assert hostile.survives(told, "\n".join(log.lines))


@pytest.mark.parametrize("header", ["---", "+++ x", "~~~ x", "^^^ +++", " --- x", "\u3000+++"])
def test_a_header_in_the_text_gets_a_prefix(header: str) -> None:
    """The parser sees the danger, and the line stays readable."""
    assert len(buildkite_log.parse(f"{header}\n").groups) == 2
    [line] = printed(lambda host: host.log(header)).lines
    assert line.startswith("| ")


@given(hostile.texts, hostile.texts, st.sampled_from(Level))
@example(hostile.WORST, hostile.WORST, Level.ERROR)
def test_an_annotation_is_a_line(title: str, message: str, level: Level) -> None:
    """The agent alone could make another of it."""
    log = printed(lambda host: host.annotate(level, title, message))
    assert (len(log.groups), log.sequences) == (1, [])


@given(hostile.texts, st.lists(hostile.texts, max_size=4))
@example(hostile.WORST, [hostile.WORST])
def test_a_group_is_folded_and_ends(title: str, lines: list[str]) -> None:
    """Nothing in the title or the lines begins another one, and what follows is open."""
    log = printed(lambda host: host.group(title, lines))
    assert [group.kind for group in log.groups] == ["", "---", "+++"]
    assert log.groups[2].lines == []


@given(st.dictionaries(st.sampled_from(NAMES), hostile.texts, max_size=4), hostile.texts)
@example({"job-error": hostile.WORST}, hostile.WORST)
def test_values_and_page_lie_in_files_of_their_own(pairs: dict[str, str], page: str) -> None:
    """Whatever they hold: no shell reads them, and nothing of them is in the log."""
    with tempfile.TemporaryDirectory() as base:
        folder = Path(base, "cfgate-buildkite")

        def act(host: Buildkite) -> None:
            host.output({"ready": "false"})
            host.output(pairs)
            host.summary("before")
            host.summary(page)

        log = printed(act, folder=str(folder))
        written = {
            path.relative_to(folder).as_posix(): path.read_bytes()
            for path in folder.rglob("*")
            if path.is_file()
        }
    expected = {f"meta-data/{name}": value for name, value in ({"ready": "false"} | pairs).items()}
    assert written == {
        name: text.encode("utf-8", "backslashreplace")
        for name, text in {**expected, "annotation.md": page}.items()
    }
    assert log.groups == [buildkite_log.Group("", "")]


def test_large_values_are_cut(tmp_path: Path) -> None:
    """Buildkite takes 100 KiB of a value, and a MiB of a page."""
    printed(lambda host: host.output({"result": "x" * 200_000}), folder=str(tmp_path))
    printed(lambda host: host.summary("# a\n" + "x\n" * 700_000), folder=str(tmp_path))
    assert (tmp_path / "meta-data" / "result").stat().st_size == 64 * 1024
    assert 0 < (tmp_path / "annotation.md").stat().st_size <= 1 << 20


def test_a_folder_that_cannot_be_made_is_told_once(tmp_path: Path) -> None:
    """The exit code still says how the gate ended."""
    (tmp_path / "file").touch()

    def act(host: Buildkite) -> None:
        host.output({"ready": "true", "status": "ready"})
        host.output({"ready": "true"})

    lines = printed(act, folder=str(tmp_path / "file")).lines
    assert len(lines) == 1
    assert lines[0].startswith("warning: cfgate: no meta-data: the files for the agent could not be written")
