"""GitLab shows the lines, the colours and the sections that were meant."""

from __future__ import annotations

import io
import re

from hypothesis import example, given, settings
from hypothesis import strategies as st

from cfgate.hosts import Bar, Level, Style
from cfgate.hosts.console import Console
from cfgate.hosts.gitlab import GitLab
from tests.support import hostile
from tests.support.parsers import gitlab_log


def gitlab(stream: io.StringIO, *, colour: bool = False, **debugging: bool) -> GitLab:
    """Make a host whose clock stands still."""
    return GitLab(Console(stream, colour=colour), **debugging, now=lambda: 1_700_000_000.9)


@settings(deadline=None)
@given(hostile.texts, st.sampled_from(Style))
@example(hostile.WORST, Style.BAD)
def test_the_log_shows_every_line(told: str, style: Style) -> None:
    """No text opens a section, erases a line or changes a colour."""
    stream = io.StringIO()
    gitlab(stream).log(told, style)
    log = gitlab_log.parse(stream.getvalue())
    assert (log.sections, log.colours) == ([], [])
    assert "\n".join(log.lines) + "\n" == stream.getvalue()


@settings(deadline=None)
@given(hostile.texts, st.lists(hostile.texts, max_size=4))
@example(hostile.WORST, [hostile.WORST])
def test_a_group_is_one_collapsed_section(title: str, lines: list[str]) -> None:
    """Nothing in the title or the lines ends the section or begins another."""
    stream = io.StringIO()
    gitlab(stream).group(title, lines)
    [section] = gitlab_log.parse(stream.getvalue()).sections
    assert section.options == "collapsed=true"
    assert section.closed
    assert len(section.lines) >= 1 + len(lines)


def test_a_section_is_written_as_the_manual_says() -> None:
    """Start and end share a name of the allowed characters, and carry the time in whole seconds."""
    stream = io.StringIO()
    gitlab(stream).group("job error", ["disk full"])
    match = re.fullmatch(
        r"\x1b\[0Ksection_start:1700000000:([A-Za-z0-9_.-]+)\[collapsed=true\]\r\x1b\[0Kjob error\n"
        r"disk full\n"
        r"\x1b\[0Ksection_end:1700000000:\1\r\x1b\[0K\n",
        stream.getvalue(),
    )
    assert match


def test_section_names_are_unique() -> None:
    """A job that runs cfgate twice has no section twice."""
    stream = io.StringIO()
    gitlab(stream).group("a", [])
    gitlab(stream).group("a", [])
    first, second = gitlab_log.parse(stream.getvalue()).sections
    assert first.name != second.name


def test_an_annotation_is_a_coloured_line() -> None:
    """GitLab has no annotations: an error is a red line."""
    stream = io.StringIO()
    gitlab(stream, colour=True).annotate(Level.ERROR, "failed", "the job ended Failed")
    log = gitlab_log.parse(stream.getvalue())
    assert log.lines == ["error: failed: the job ended Failed"]
    assert log.colours == ["31", "0"]


def test_what_gitlab_reads_from_files_is_not_printed() -> None:
    """Outputs, the summary, masks and live bars leave the log alone."""
    stream = io.StringIO()
    host = gitlab(stream)
    host.output({"ready": "true"})
    host.summary("# x")
    host.mask("9f86d081884c7d659a2feaa0c55ad015")
    host.progress([Bar("a", 1, ("b",))])
    host.close()
    assert (stream.getvalue(), host.live) == ("", False)


def test_debug_output_waits_for_the_trace() -> None:
    """Debug lines are printed when debugging is on, and only then."""
    stream = io.StringIO()
    gitlab(stream).debug("a")
    gitlab(stream, debugging=True).debug("b\nc")
    assert stream.getvalue() == "debug: b\n| c\n"
