"""Untrusted text in GitHub-flavoured Markdown, rendered by GitHub's own library."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfgate.report.gfm import LEFT, RIGHT, block, cell, fitting, folding, table
from cfgate.text.wording import pictured
from tests.support import hostile
from tests.support.gfm import Page

TABLE = ["table", "thead", "tr", "th", "th", "tbody", "tr", "td", "td"]
NASTY = [
    "a|b \\| c",
    "*a* _b_ ~~c~~ `d` ``e``",
    "[a](https://example.com) ![b](https://example.com/x.png) [c] <https://example.com>",
    "https://example.com www.example.com foo@example.com mailto:foo@example.com xmpp:a@b.cc/x",
    "</code></pre></details><script>alert(1)</script><!-- x",
    "@somebody #1 :tada: 1234567890123456789012345678901234567890",
    "one\ntwo\r\n\r\n# three\n\n- four\n\n    five",
    "  blanks  at   both ends  ",
    "&amp; &#64; &#0; \x00 \x1b[31m \u202e \ud800 é 日本 🎉",
    "::error::x ##[add-mask]x",
]


@pytest.mark.parametrize("text", NASTY)
def test_nasty_cells(text: str) -> None:
    """A cell shows the text as it was and makes no element but its own."""
    check_cell(text)


@given(hostile.texts)
def test_any_cell(text: str) -> None:
    """No text whatever makes a link, an image, an element, another cell, or is changed."""
    check_cell(text)


def check_cell(text: str) -> None:
    """Put a text into a table cell and into a sentence, and compare what a person sees."""
    row = Page(table({"h": LEFT, "i": RIGHT}, [text], lambda text: [cell(text), "next"], room=100_000))
    assert [tag for tag in row.tags if tag not in {"code", "br"}] == TABLE
    assert row.attributes == [("align", "right")] * 2
    assert "".join(row.quiet) == pictured(text)
    assert row.loud.split() == ["h", "i", "next"]
    sentence = Page(f"Before {cell(text)} after")
    assert set(sentence.tags) <= {"p", "code", "br"}
    assert "".join(sentence.quiet) == pictured(text)
    assert sentence.loud.split() == ["Before", "after"]


@pytest.mark.parametrize("text", NASTY)
def test_nasty_blocks(text: str) -> None:
    """A block shows the text as it was, lines and blanks included, and stays inside its element."""
    check_block(text)


@given(hostile.texts)
def test_any_block(text: str) -> None:
    """No text whatever gets out of a block, or is changed by it."""
    check_block(text)


def check_block(text: str) -> None:
    """Put a text into a block that can be folded, and compare what a person sees."""
    page = Page(folding("title", block(text, room=100_000)) + "\n\n*after*\n")
    assert page.tags == ["details", "summary", "pre", "code", "p", "em"]
    assert page.attributes == []
    assert page.quiet == [pictured(text)]
    assert page.loud.split() == ["title", "after"]


def test_an_empty_cell_is_empty() -> None:
    """No text makes no box."""
    assert cell("") == ""


def test_a_long_cell_is_cut() -> None:
    """A cell holds so many characters, and says how many more there were."""
    assert Page(cell("x" * 120, limit=100)).quiet == ["x" * 100 + "… (20 more characters)"]


@given(hostile.texts.map(lambda text: text * 300), st.integers(100, 3000))
def test_a_long_block_is_cut(text: str, room: int) -> None:
    """A block needs no more bytes than there is room for (and its frame), and says how much was cut."""
    encoded = block(text, room)
    assert len(encoded.encode()) <= room + 150
    (shown,) = Page(encoded).quiet
    whole = pictured(text)
    if shown != whole:
        kept, _, rest = shown.rpartition("… (")
        assert whole.startswith(kept)
        assert rest == f"{len(whole) - len(kept)} more characters)"


def test_a_long_table_is_cut() -> None:
    """Rows that have no room are counted in one row more."""
    page = Page(table({"h": LEFT}, ["x" * 96] * 20, lambda text: [text], room=1010))
    assert page.tags.count("td") == 11
    assert page.loud.split()[-5:] == ["x" * 96, "…", "and", "10", "more"]


def test_fitting_takes_a_prefix() -> None:
    """After the first part that does not fit, none is taken, so that nothing is missing in the middle."""
    assert fitting(["aa", "bbbb", "c"], str, 5, lambda left: f"{left} more") == ["aa", "2 more"]
    assert fitting(["é"], str, 2, lambda left: f"{left} more") == ["1 more"]
    assert fitting(["aa", "b"], str, 5, lambda left: f"{left} more") == ["aa", "b"]


def test_folding() -> None:
    """What can be folded is closed unless it is asked to be open."""
    assert Page(folding("title", "*body*")).attributes == []
    assert Page(folding("title", "*body*", unfolded=True)).attributes == [("open", None)]
