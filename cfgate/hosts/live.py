"""Rows at the bottom of a terminal that are drawn anew in place, one for each bar. Imports tqdm."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from os import terminal_size
from threading import RLock
from typing import Any, Final

from tqdm import tqdm
from tqdm.utils import disp_len, disp_trim

from cfgate.hosts import Bar
from cfgate.hosts.console import Console
from cfgate.hosts.text import single_line

_BLOCKS: Final = "▏▎▍▌▋▊▉█"  # what tqdm draws a smooth bar with
_LONGEST: Final = 500  # characters of a label or text; no terminal is wider


class _Row(tqdm):  # type: ignore[type-arg] # generic in its stubs only
    """One row: the label in a column of its own, the bar, the per cent, the text."""

    monitor_interval = 0  # no thread: a row is drawn when it is told to, and at no other time
    _lock = RLock()  # tqdm's own lock may start a helper process, for programs that fork

    def __init__(self, bar: Bar, frame: io.StringIO, position: int, *, smooth: bool) -> None:
        self.tell(bar, columns=1, label_columns=0)  # before tqdm's __init__, which draws
        super().__init__(
            total=100,
            file=frame,
            position=position,
            nrows=position + 3,  # tqdm hides the last of these
            ascii=not smooth,
            leave=False,
            disable=False,
        )

    def tell(self, bar: Bar, *, columns: int, label_columns: int) -> None:
        """Take in what the row is to show, disarmed, and in how many columns of the terminal."""
        self._bar = bar
        self._columns = columns
        self._label_columns = label_columns

    @property
    def format_dict(self) -> dict[str, Any]:
        """Lay out the row, and fill its fields."""
        percent = self._bar.percent
        bar_columns = max(1, min(20, (self._columns + 1) // 4))
        return {
            **super().format_dict,
            "ncols": self._columns,
            "bar_format": f"{{label}} {{bar:{bar_columns}}} {{percent}} {{text}}",
            "n": min(max(percent or 0, 0), 100),
            "label": _fit(self._bar.label, self._label_columns),
            "percent": "     " if percent is None else f"{percent:>3} %",
            "text": self._bar.text,
        }


class Display:
    """The rows, as many as the terminal is high. What does not fit is summed up in the last one.

    Every frame reaches the terminal in one write and leaves the cursor at the start of the first row: an
    interruption finds no half-drawn frame, and the `^C` that a terminal echoes stays inside a row.
    """

    def __init__(self, console: Console, size: Callable[[], terminal_size]) -> None:
        self._console = console
        self._size = size
        self._frame = io.StringIO()
        self._rows: list[_Row] = []
        self._smooth = console.can_show(_BLOCKS)

    def show(self, bars: Sequence[Bar]) -> None:
        """Draw these bars in place of the ones before."""
        size = self._size()
        shown = [_disarmed(bar) for bar in _summed_up(bars, max(1, size.lines - 2))]  # leave room for the log
        columns = max(1, size.columns - 1)  # a full last column would wrap
        label_columns = min(max((disp_len(bar.label) for bar in shown), default=0), columns // 3)
        with self._drawing():
            if len(shown) != len(self._rows):
                self._take_away()
                self._rows = [
                    _Row(bar, self._frame, position, smooth=self._smooth)
                    for position, bar in enumerate(shown)
                ]
            for row, bar in zip(self._rows, shown, strict=True):
                row.tell(bar, columns=columns, label_columns=label_columns)
                row.refresh()

    @contextmanager
    def hidden(self) -> Iterator[None]:
        """Make room for lines that are written meanwhile; they stay, above the rows."""
        with self._drawing():
            for row in self._rows:
                row.clear()
        yield
        with self._drawing():
            for row in self._rows:
                row.refresh()

    def close(self) -> None:
        """Take the rows away."""
        with self._drawing():
            self._take_away()

    def _take_away(self) -> None:
        for row in reversed(self._rows):
            row.close()
        self._rows = []

    @contextmanager
    def _drawing(self) -> Iterator[None]:
        """Collect what tqdm draws, and write it at once."""
        self._frame.seek(0)
        self._frame.truncate()
        yield
        if self._frame.tell():
            self._console.write(self._frame.getvalue() + "\r")


def _disarmed(bar: Bar) -> Bar:
    return Bar(single_line(bar.label[:_LONGEST]), bar.percent, single_line(bar.text[:_LONGEST]))


def _fit(label: str, columns: int) -> str:
    """Cut or fill up to a width; a wide character takes two columns."""
    cut = disp_trim(label, columns)
    return cut + " " * (columns - disp_len(cut))


def _summed_up(bars: Sequence[Bar], rows: int) -> list[Bar]:
    """Let one row stand for all the bars that do not fit."""
    if len(bars) <= rows:
        return list(bars)
    rest = bars[rows - 1 :]
    percents = [bar.percent or 0 for bar in rest]
    label = f"and {len(rest)} more" if rows > 1 else f"{len(rest)} in all"
    average = sum(percents) // len(percents)
    return [*bars[: rows - 1], Bar(label, average, f"on average, {percents.count(100)} at 100 %")]
