"""A terminal shows lines, and below them bars that move; both stay legible whatever happens."""

from __future__ import annotations

import io
import os

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cfgate.hosts import Bar, Level, Style
from cfgate.hosts.console import Console
from cfgate.hosts.live import Display
from cfgate.hosts.terminal import Terminal
from tests.support import hostile
from tests.support.parsers.screen import Screen


class Window(io.StringIO):
    """A terminal window: what is written to it appears on a screen."""

    def __init__(self, columns: int, rows: int) -> None:
        super().__init__()
        self.size = os.terminal_size((columns, rows))
        self.screen = Screen(columns, rows)

    def write(self, text: str) -> int:
        """Show the text."""
        self.screen.feed(text)
        return super().write(text)


def terminal(window: Window, *, colour: bool = False) -> Terminal:
    """Make a host with a live display in the window."""
    console = Console(window, colour=colour)
    return Terminal(console, display=Display(console, lambda: window.size))


def bars(count: int, percent: int = 50) -> list[Bar]:
    """Make rows to show."""
    return [Bar(f"version {number}", percent, ("Running",)) for number in range(count)]


def test_without_a_display_only_lines_are_printed() -> None:
    """The fallback prints lines, indents a group, colours an annotation, and has no live display."""
    stream = io.StringIO()
    Terminal(Console(stream)).debug("not asked for")
    host = Terminal(Console(stream, colour=True), debugging=True)
    host.log("a", Style.GOOD)
    host.debug("b")
    host.group("c", ["d", "e\nf"])
    host.annotate(Level.WARNING, "g", "h")
    host.progress(bars(1))
    host.output({"ready": "true"})
    host.close()
    assert not host.live
    assert stream.getvalue() == (
        "\x1b[32ma\x1b[0m\n\x1b[2mdebug: b\x1b[0m\nc\n  d\n  e\n| f\n\x1b[33mwarning: g: h\x1b[0m\n"
    )


def test_a_row_shows_label_bar_percent_and_texts() -> None:
    """A row has columns for the label, the bar, the per cent and what there is to say."""
    window = Window(80, 24)
    host = terminal(window)
    host.progress(
        [
            Bar("game server", 41, ("Running", "about 1m20s left", "2:12 of 1h")),
            Bar("tools", None, ("Queued",)),
        ]
    )
    assert host.live
    assert window.screen.lines == [
        "game server ━━━━━────────  41 % Running  about 1m20s left  2:12 of 1h",
        "tools       ─────────────       Queued",
    ]


@pytest.mark.parametrize(
    ("columns", "bar"), [(30, 0), (31, 6), (40, 6), (78, 13), (119, 19), (120, 20), (200, 20)]
)
def test_a_bar_takes_a_sixth_of_the_window(columns: int, bar: int) -> None:
    """It is twenty columns wide at most; in a window that is very narrow there is none."""
    window = Window(columns, 24)
    terminal(window).progress([Bar("a", 100, ("x",))])
    assert window.screen.lines == [f"a {'━' * bar}{' ' * bool(bar)}100 % x"]


@pytest.mark.parametrize(
    ("columns", "row"),
    [
        (80, "image version 9001 ━━━━━──────── 41 % Running  about 1m left  0:31 of 1h"),
        (70, "image version 9001 ━━━━╸────── 41 % Running  about 1m left"),
        (60, "9001 ━━━━────── 41 % Running about 1m left 0:31 of 1h"),
        (40, "9001 ━━──── 41 % Running about 1m left"),
        (20, "9001  41 % Running"),
        (6, "90  4"),
    ],
)
def test_in_a_narrow_window_the_id_and_the_state_stay(columns: int, row: str) -> None:
    """What matters least goes first: the time, the estimate, the words around the id, the bar."""
    window = Window(columns, 24)
    terminal(window).progress(
        [Bar("image version 9001", 41, ("Running", "about 1m left", "0:31 of 1h"), "9001")]
    )
    assert " ".join(window.screen.lines[0].split()) == " ".join(row.split())


def test_a_row_in_trouble_has_no_bar() -> None:
    """What is not known is not drawn, and the row has a colour of its own."""
    window = Window(80, 24)
    texts = ("no answer for 2m10s", "gives up in 7m", "last seen: Running at 41 %", "2:12 of 1h")
    terminal(window, colour=True).progress([Bar("image version 9001", None, texts, "9001", Style.ODD)])
    assert window.screen.lines == ["image version 9001 no answer for 2m10s  gives up in 7m"]
    assert "\x1b[33m" in window.getvalue()
    narrow = Window(40, 24)
    terminal(narrow).progress([Bar("image version 9001", None, texts, "9001", Style.ODD)])
    assert narrow.screen.lines == ["9001 no answer for 2m10s gives up in 7m"]


def test_a_row_about_all_has_no_bar_either() -> None:
    """How many are ready stands at the left, whatever the labels of the others need."""
    window = Window(80, 24)
    terminal(window).progress([Bar("1 of 3 ready", None, ("2:12 of 1h",), track=False), *bars(1)])
    assert window.screen.lines[0] == "1 of 3 ready 2:12 of 1h"


@pytest.mark.parametrize(
    ("percent", "drawn"), [(0, "─" * 20), (2, "─" * 20), (3, "╸" + "─" * 19), (5, "━" + "─" * 19)]
)
def test_a_bar_is_drawn_to_half_a_column(percent: int, drawn: str) -> None:
    """Behind what is done a track shows the whole."""
    window = Window(130, 24)
    terminal(window).progress([Bar("a", percent)])
    assert window.screen.lines == [f"a {drawn} {percent:>3} %"]


def test_a_long_label_takes_a_third_of_the_window() -> None:
    """What is longer is cut, so that there is room for the bar and the text."""
    window = Window(61, 24)
    terminal(window).progress([Bar("0123456789" * 5, 0, ("Queued",))])
    assert window.screen.lines[0].split()[0] == "0123456789" * 2


def test_more_than_all_is_a_full_bar() -> None:
    """A number that cannot be is shown, but the bar stays within its columns."""
    window = Window(130, 24)
    terminal(window).progress([Bar("a", 150, ("b",)), Bar("a", -5, ("b",))])
    assert window.screen.lines == [f"a {'━' * 20} 150 % b", f"a {'─' * 20}  -5 % b"]


def test_rows_are_drawn_in_place() -> None:
    """A new frame overwrites the one before, even where it is shorter."""
    window = Window(80, 24)
    host = terminal(window)
    host.progress([Bar("a", 10, ("Running, a long text",))])
    host.progress([Bar("a", 20, ("Running",))])
    assert window.screen.lines == ["a ━━╸──────────  20 % Running"]


def test_a_frame_is_written_once() -> None:
    """The same frame costs the same, however many came before it; nothing of them is written again."""
    window = Window(80, 24)
    host = terminal(window)
    host.progress(bars(2))
    written = []
    for _ in range(3):
        before = len(window.getvalue())
        host.progress(bars(2))
        written.append(len(window.getvalue()) - before)
    assert len(set(written)) == 1


def test_lines_stand_above_the_rows() -> None:
    """What is logged stays above, in order, and the rows move down."""
    window = Window(60, 24)
    host = terminal(window, colour=True)
    host.log("first")
    host.progress(bars(2))
    host.log("second\nthird", Style.BAD)
    host.annotate(Level.ERROR, "a", "b")
    lines = window.screen.lines
    assert lines[:4] == ["first", "second", "| third", "error: a: b"]
    assert [line[:9] for line in lines[4:]] == ["version 0", "version 1"]


def test_lines_scroll_out_at_the_top() -> None:
    """At the bottom of the window the rows stay, and no line is lost."""
    window = Window(60, 6)
    host = terminal(window)
    for number in range(20):
        host.progress(bars(3))
        host.log(f"line {number}")
    assert window.screen.lines[:20] == [f"line {number}" for number in range(20)]
    assert [line[:9] for line in window.screen.lines[20:]] == ["version 0", "version 1", "version 2"]


def test_close_takes_the_rows_away() -> None:
    """After the end only the lines are left, and what follows is printed right below them."""
    window = Window(60, 24)
    host = terminal(window)
    host.log("first")
    host.progress(bars(3))
    host.close()
    host.log("ready")
    assert window.screen.lines == ["first", "ready"]


def test_close_may_come_twice_or_without_rows() -> None:
    """Nothing is printed by a display that shows nothing."""
    window = Window(60, 24)
    host = terminal(window)
    host.close()
    host.progress(bars(1))
    host.close()
    host.close()
    assert window.screen.lines == []


def test_the_echo_of_ctrl_c_breaks_nothing() -> None:
    """The terminal itself prints `^C` where the cursor is; close removes that too."""
    window = Window(60, 6)
    host = terminal(window)
    host.log("first")
    host.progress(bars(4))
    window.screen.feed("^C")
    host.close()
    host.log("interrupted")
    assert window.screen.lines == ["first", "interrupted"]


def test_an_interrupted_frame_is_never_half_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """A KeyboardInterrupt in the middle of drawing leaves the last whole frame, which close takes away."""
    window = Window(60, 24)
    host = terminal(window)
    host.progress(bars(3))
    before = window.screen.lines

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("cfgate.hosts.live.fitted", interrupt)
        with pytest.raises(KeyboardInterrupt):
            host.progress(bars(3, percent=99))
    assert window.screen.lines == before
    host.close()
    assert window.screen.lines == []


def test_more_bars_than_rows_are_summed_up() -> None:
    """The last row stands for all that do not fit: how many, and how far on average."""
    window = Window(70, 6)
    host = terminal(window)
    host.progress([*bars(3, percent=0), *bars(3, percent=100), *bars(4, percent=50)])
    lines = window.screen.lines
    assert len(lines) == 4
    assert lines[3].startswith("and 7 more")
    assert lines[3].endswith("71 % on average")


def test_bars_that_just_fit_are_shown_as_they_are() -> None:
    """Two lines of the window are left to the log; there, nothing is summed up."""
    window = Window(70, 6)
    terminal(window).progress(bars(4))
    assert [line[:9] for line in window.screen.lines] == [f"version {number}" for number in range(4)]


def test_a_window_of_two_rows_shows_one_of_many() -> None:
    """The first bar stands for itself, and one that knows no per cent counts as nothing done."""
    window = Window(70, 4)
    terminal(window).progress([*bars(1), Bar("unknown", None), *bars(1, percent=20), *bars(1, 21)])
    first, rest = window.screen.lines
    assert first.startswith("version 0")
    assert rest.startswith("and 3 more")
    assert rest.endswith("13 % on average")


def test_a_window_of_one_line_has_one_row() -> None:
    """Even the lowest window shows how far everything is."""
    window = Window(70, 1)
    terminal(window).progress([*bars(1, percent=0), *bars(1, percent=100)])
    assert window.screen.lines[-1].startswith("2 in all")
    assert window.screen.lines[-1].endswith("50 % on average")
    assert window.screen.history == []


def test_the_number_of_rows_may_change() -> None:
    """More, fewer and no bars, and a window that changes its size, leave nothing behind."""
    window = Window(60, 24)
    host = terminal(window)
    for count in (1, 5, 2, 0, 3):
        host.progress(bars(count))
        assert [line[:9] for line in window.screen.lines] == [f"version {n}" for n in range(count)]
    window.size = os.terminal_size((60, 4))
    host.progress(bars(3))
    assert len(window.screen.lines) == 2


@settings(deadline=None)
@given(
    st.lists(
        st.builds(
            Bar,
            hostile.texts,
            st.none() | st.integers(0, 100),
            st.lists(hostile.texts, max_size=3).map(tuple),
            hostile.texts,
            st.sampled_from(Style),
            st.booleans(),
        ),
        max_size=6,
    ),
    hostile.texts,
    st.integers(min_value=1, max_value=90),
)
@example([Bar(hostile.WORST, None, (hostile.WORST,))] * 2, hostile.WORST, 40)
def test_no_text_garbles_the_display(shown: list[Bar], told: str, columns: int) -> None:
    """Hostile labels, texts and lines neither wrap nor move the rows, and all of them can be taken away."""
    window = Window(columns + 1, 8)  # a wide character needs two columns
    host = terminal(window)
    host.progress(shown)
    assert len(window.screen.lines) <= min(len(shown), 6)
    assert window.screen.cursor == (0, 0)
    host.log(told)
    host.progress(shown)
    host.close()
    plain = Window(columns + 1, 8)
    Terminal(Console(plain)).log(told)
    assert window.screen.lines == plain.screen.lines


def test_a_console_without_block_characters_gets_ascii() -> None:
    """An encoding that lacks the block characters gets a bar of hash signs."""
    binary = io.BytesIO()
    stream = io.TextIOWrapper(binary, encoding="ascii")
    Display(Console(stream), lambda: os.terminal_size((80, 24))).show([Bar("a", 50, ("b",))])
    assert b"a ######-------  50 % b" in binary.getvalue()


def test_a_console_with_block_characters_gets_a_smooth_bar() -> None:
    """An encoding that has the block characters gets them."""
    binary = io.BytesIO()
    stream = io.TextIOWrapper(binary, encoding="utf-8")
    Display(Console(stream), lambda: os.terminal_size((80, 24))).show([Bar("a", 50, ("b",))])
    assert "a ━━━━━━╸──────  50 % b" in binary.getvalue().decode()


def test_a_window_that_becomes_narrower_is_drawn_anew() -> None:
    """A terminal wraps what no longer fits; the cursor stays in the first row, and all below is erased."""
    window = Window(60, 24)
    host = terminal(window)
    host.log("first")
    host.progress(bars(2))
    window.size = os.terminal_size((30, 24))
    window.screen = Screen(30, 24)
    window.screen.feed("first\n" + "version 0 wrapped\nonce\nversion 1 wrapped\nonce" + "\x1b[3A\r")
    host.progress(bars(2))
    host.log("second")
    assert window.screen.lines == ["first", "second", "version 0  50 % Running", "version 1  50 % Running"]


def test_a_broken_terminal_stops_nothing() -> None:
    """A window that was closed is no reason to fail."""
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as stream:
        console = Console(stream)
        host = Terminal(console, display=Display(console, lambda: os.terminal_size((60, 24))))
        host.progress(bars(2))
        host.log("a")
        host.progress(bars(2))
        host.close()
