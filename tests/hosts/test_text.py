"""Text is disarmed for a log, and stays readable."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cfgate.hosts import text
from tests.support import hostile
from tests.support.parsers import azure_log, workflow_commands


@settings(deadline=None)
@given(hostile.texts)
@example(hostile.WORST)
@example("\u2028::error::x")
@example("a\r::error::x")
@example("###[error]x")
@example("#\u200b#[error]x")
def test_no_log_line_is_a_command(told: str) -> None:
    """No text makes a line that GitHub's runner or Azure's agent would obey."""
    log = "\n".join(text.log_lines(told)) + "\n"
    assert workflow_commands.parse(log)[0] == []
    assert azure_log.parse(log).commands == []
    assert azure_log.parse(log).formats == []


OVERLOOKED = [
    "\u034f",
    "\u115f",
    "\u180b",
    "\ufe0f",
    "\U000e0100",
    "\u0600",
    "\u0378",
    "\U0001ffff",
    "\u2065",
]


@pytest.mark.parametrize("between", OVERLOOKED)
def test_what_a_search_may_overlook_joins_nothing(between: str) -> None:
    """Two hashes with a character between them that has no weight, or that is not assigned, are parted."""
    for armed in (f"#{between}#vso[task.setvariable variable=a]b", f"#{between * 3}#[error]x"):
        (line,) = text.log_lines(armed)
        assert "##" not in line.replace(between, "")
    (line,) = text.log_lines(f"{between}:{between}:error::x")
    assert not line.replace(between, "").startswith("::")


def test_hashes_that_somebody_sees_apart_stay_as_they_are() -> None:
    """Text of plain characters between two hashes is not touched."""
    assert text.log_lines("#1 and #2, C# and F#, # #") == ["#1 and #2, C# and F#, # #"]


@settings(deadline=None)
@given(hostile.texts)
@example(hostile.WORST)
def test_a_person_still_reads_the_text(told: str) -> None:
    """Every letter and digit is still there, in order, next to the escapes of what cannot be seen."""
    assert hostile.survives(told, "\n".join(text.log_lines(told)))


@settings(deadline=None)
@given(hostile.texts)
@example(hostile.WORST)
def test_nothing_invisible_is_left(told: str) -> None:
    """No character is left that moves the cursor, turns the direction, draws nothing or has no encoding."""
    for line in text.log_lines(told):
        line.encode()
        assert not [char for char in line if unicodedata.category(char) in {"Cc", "Cs", "Zl", "Zp"}]
        assert not [char for char in line if unicodedata.bidirectional(char) in {"RLO", "LRI", "PDF", "BN"}]


@pytest.mark.parametrize(
    "line",
    [
        " 0:08  Queued",
        "blanks at the end \t".expandtabs(4),
        "MAX",
        "ready: image version 9001 after 3m40s (19 requests)",
        "a::b",
        "# one",
        "",
        "·…",
    ],
)
def test_an_ordinary_line_stays_as_it_is(line: str) -> None:
    """The lines that cfgate writes itself hold nothing to disarm."""
    assert text.log_lines(line) == [line]


@pytest.mark.parametrize(
    ("told", "lines"),
    [
        ("::error::x", ["| ::error::x"]),
        (" \u3000::error::x", ["|  \u3000::error::x"]),
        ("a\nb\r\nc\rd", ["a", "| b", "| c", "| d"]),
        ("a\n\n ::b\n", ["a", "| ", "|  ::b"]),
        ("a\x0bb\x85c\u2028d", [r"a\x0bb\x85c\u2028d"]),
        ("\x1b[31mred\x00", [r"\x1b[31mred\x00"]),
        ("\ud800\u202e\U000e0041", [r"\ud800\u202e\U000e0041"]),
        ("###[error]", ["# # #[error]"]),
        ("\tat main", ["    at main"]),
    ],
)
def test_what_disarming_looks_like(told: str, lines: list[str]) -> None:
    """Lines get prefixes where they need them, escapes stand for what cannot be seen, hashes are parted."""
    assert text.log_lines(told) == lines


def test_one_call_cannot_fill_the_log() -> None:
    """A text larger than the limit of a log call is cut, and says so."""
    lines = text.log_lines("x" * 100_000)
    assert len(lines[0]) <= text.LOG_LIMIT
    assert lines[0].endswith("… [cut by cfgate: 100000 bytes in all]")


@settings(deadline=None)
@given(hostile.texts)
@example(hostile.WORST)
def test_a_single_line_is_one(told: str) -> None:
    """A title has no line break, no edge of blanks and no command."""
    line = text.single_line(told)
    assert workflow_commands.split(line) in ([line], [])
    assert line == line.strip()
    assert "##" not in line


def test_a_paragraph_keeps_its_lines() -> None:
    """The data of a command keeps line breaks, all of one kind, and no prefix."""
    assert text.paragraph("a\r\n::b\rc##\n") == "a\n::b\nc# #"


@settings(deadline=None)
@given(hostile.texts, st.integers(min_value=20, max_value=60))
@example(hostile.WORST, 50)
def test_a_cut_in_utf16_keeps_the_limit(told: str, units: int) -> None:
    """The result keeps the number of UTF-16 units, is a beginning of the text, and shows the cut."""
    told = text.paragraph(told)
    cut = text.cut_utf16(told, units)
    assert len(cut.encode("utf-16-le")) <= 2 * units
    if cut != told:
        assert told.startswith(cut.removesuffix(text.CUT))
        assert cut.endswith(text.CUT)
        assert len(told.encode("utf-16-le")) > 2 * units


def test_a_cut_may_find_half_a_character() -> None:
    """A lone surrogate in the text is a unit, and a pair that the cut falls into is left out."""
    assert text.cut_utf16("\ud83d" * 30, 20) == "\ud83d" * 12 + text.CUT
    assert text.cut_utf16("😀" * 30, 21) == "😀" * 6 + text.CUT


def test_cuts_are_not_made_for_nothing() -> None:
    """A text of exactly the limit stays whole."""
    assert text.cut_utf16("😀" * 10, 20) == "😀" * 10


@pytest.mark.parametrize(
    ("secret", "lines"),
    [
        ("", []),
        ("changeme", []),
        ("production-server-key", []),
        ("a1a1a1a1a1a1a1a1a1a1", []),
        ("1234567890123456", []),
        ("abcdef1abcdef12", []),
        ("abcdefg1abcdefg1", ["abcdefg1abcdefg1"]),
        ("abcdef1aabcdef1a", []),
        ("9f86d081884c7d659a2feaa0c55ad015", ["9f86d081884c7d659a2feaa0c55ad015"]),
        ("-----BEGIN KEY-----\nMIIEvQIBADANBgkq1h\r\nab\n", ["MIIEvQIBADANBgkq1h"]),
    ],
)
def test_only_long_and_mixed_secrets_are_masked(secret: str, lines: list[str]) -> None:
    """What might stand in other texts by accident is left alone; a key of several lines goes by lines."""
    assert text.maskable(secret) == lines
