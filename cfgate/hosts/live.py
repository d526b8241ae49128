"""Rows at the bottom of a terminal that are drawn again in place, one for each bar.

A frame is one write that leaves the cursor at the start of the first row, so that everything below the cursor
is the display's own: a window that has become narrower and has wrapped the rows, or what a key has echoed
there, is erased together with them.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from os import terminal_size
from typing import TYPE_CHECKING, Final

from cfgate.hosts import Bar, Style
from cfgate.hosts.console import Console
from cfgate.hosts.text import single_line

if TYPE_CHECKING:
    from cfgate.hosts.keys import Keys

# Done, the half cell at the end of it, and what is left to do.
_SMOOTH: Final = ("━", "╸", "─")
_ASCII: Final = ("#", "-", "-")
_LONGEST: Final = 500  # characters of a label or text; no terminal is wider
_NARROW: Final = 60  # columns; below, only the short name of a target has room
_NARROWEST: Final = 30  # columns; below, there is no room for a bar
ERASE: Final = "\r\x1b[J"  # from the cursor, which stands in the first row, to the end of the screen


class Display:
    """The rows, as many as the terminal is high. What does not fit is summed up in the last one."""

    def __init__(self, console: Console, size: Callable[[], terminal_size], keys: Keys | None = None) -> None:
        self._console = console
        self._size = size
        self._keys = keys
        self._frame = ""
        self._cells = _SMOOTH if console.can_show("".join(_SMOOTH)) else _ASCII

    @property
    def present(self) -> bool:
        """Whether anything can be drawn: not while the terminal belongs to another process."""
        return self._keys is None or self._keys.foreground

    def show(self, bars: Sequence[Bar]) -> None:
        """Draw these bars in place of the ones before."""
        if not self.present:
            self._frame = ""  # whoever took the terminal has erased it
            return
        if self._keys:
            self._keys.silence()
        size = self._size()
        columns = max(1, size.columns - 1)  # a full last column would wrap
        shown = _summed_up(bars, max(1, size.lines - 2))  # leave room for the log
        rows = [self._console.paint(row, style) for row, style in _rows(shown, columns, self._cells)]
        before, self._frame = self._frame, _frame(rows)
        self._console.write(self._frame or (ERASE if before else ""))

    @contextmanager
    def hidden(self) -> Iterator[None]:
        """Make room for lines that are written meanwhile; they stay, above the rows."""
        if self._frame and self.present:
            self._console.write(ERASE)
        yield
        if self._frame and self.present:
            self._console.write(self._frame)

    def close(self) -> None:
        """Take the rows away, and give the keyboard back."""
        if self._frame and self.present:
            self._console.write(ERASE)
        self._frame = ""
        if self._keys:
            self._keys.restore()


def _frame(rows: Sequence[str]) -> str:
    """Write rows over those before, erase what is left of them, and go back to the start."""
    if not rows:
        return ""
    up = f"\x1b[{len(rows) - 1}A" if len(rows) > 1 else ""
    return "\r" + "\n".join(f"{row}\x1b[K" for row in rows) + "\x1b[J" + up + "\r"


def _rows(bars: Sequence[Bar], columns: int, cells: tuple[str, str, str]) -> Iterator[tuple[str, Style]]:
    """Lay out all rows in the same columns: label, bar, per cent, and the texts that have room."""
    labels = [_disarmed(bar.short if columns < _NARROW and bar.short else bar.label) for bar in bars]
    widest = max((width(label) for label, bar in zip(labels, bars, strict=True) if bar.track), default=0)
    label_columns = min(widest, columns // (2 if columns < _NARROW else 3))
    bar_columns = max(6, min(20, (columns + 1) // 6)) if columns >= _NARROWEST else 0
    for label, bar in zip(labels, bars, strict=True):
        parts = [fitted(label, label_columns) if bar.track else label]
        if bar.track and bar.style is Style.PLAIN:
            parts += [_drawn(bar.percent, bar_columns, cells)] if bar_columns else []
            parts += ["     " if bar.percent is None else f"{bar.percent:>3} %"]
        yield _joined(" ".join(parts), map(_disarmed, bar.texts), columns), bar.style


def _joined(start: str, texts: Iterator[str], columns: int) -> str:
    """Add the texts that have room, the most important first; cut the first one if it alone is too long."""
    row, gap = start, "  " if columns >= _NARROW else " "
    for number, text in enumerate(texts):
        longer = f"{row}{gap if number else ' '}{text}" if row else text
        if width(longer) > columns:
            row = longer if number == 0 else row
            break
        row = longer
    return fitted(row, columns).rstrip()


def _drawn(percent: int | None, columns: int, cells: tuple[str, str, str]) -> str:
    """Draw a bar to half a cell; a job that has no progress yet has nothing but the track."""
    done, half, left = cells
    halves = 2 * columns * min(max(percent or 0, 0), 100) // 100
    bar = done * (halves // 2) + half * (halves % 2)
    return bar + left * (columns - len(bar))


def _disarmed(text: str) -> str:
    return single_line(text[:_LONGEST])


def width(text: str) -> int:
    """Count the columns that a terminal needs for a text."""
    return sum(map(_cells_of, text))


def fitted(text: str, columns: int) -> str:
    """Cut or fill up to a width; a wide character takes two columns."""
    kept = []
    for character in text:
        columns -= _cells_of(character)
        if columns < 0:
            columns += _cells_of(character)
            break
        kept.append(character)
    return "".join(kept) + " " * columns


def _cells_of(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _summed_up(bars: Sequence[Bar], rows: int) -> list[Bar]:
    """Let one row stand for all the bars that do not fit."""
    if len(bars) <= rows:
        return list(bars)
    rest = bars[rows - 1 :]
    percents = [bar.percent or 0 for bar in rest]
    label = f"and {len(rest)} more" if rows > 1 else f"{len(rest)} in all"
    average = sum(percents) // len(percents)
    return [*bars[: rows - 1], Bar(label, average, ("on average",))]
