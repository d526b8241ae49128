"""Show what a person would see on a terminal: a screen of rows and columns that scrolls and wraps."""

from __future__ import annotations

import re
import unicodedata

_TOKEN = re.compile(r"\x1b\[([0-9;]*)([A-Za-z])|(.)", re.DOTALL)

_BIDI_CONTROLS = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}


def _moves(char: str) -> bool:
    """Tell whether a character does something else than to take its place in the line."""
    control = unicodedata.category(char) in {"Cc", "Cs", "Zl", "Zp"}
    return control or unicodedata.bidirectional(char) in _BIDI_CONTROLS


class Screen:
    """A terminal of a size; `history` holds the lines that have scrolled out at the top.

    It wraps as soon as the last column is filled, as some terminals do; others wait for the next character.
    """

    def __init__(self, columns: int, rows: int) -> None:
        self._columns = columns
        self._cells = [[" "] * columns for _ in range(rows)]
        self._row = self._column = 0
        self.history: list[str] = []

    def feed(self, output: str) -> None:
        """Take in what a program writes (or what the keyboard echoes)."""
        for parameters, final, char in _TOKEN.findall(output):
            if final == "A":
                self._row = max(0, self._row - int(parameters or 1))
            elif (final, parameters) == ("J", ""):
                self._erase(self._row, self._column)
                for row in range(self._row + 1, len(self._cells)):
                    self._erase(row, 0)
            elif (final, parameters) == ("K", ""):
                self._erase(self._row, self._column)
            elif char == "\r":
                self._column = 0
            elif char == "\n":  # the line discipline of a terminal adds the carriage return
                self._column = 0
                self._down()
            elif char:
                self._put(char)
            elif final != "m":
                raise AssertionError(f"an escape sequence that nobody meant: {parameters}{final}")

    @property
    def lines(self) -> list[str]:
        """Everything visible or scrolled out, without the blanks at the ends."""
        lines = [*self.history, *("".join(row).rstrip() for row in self._cells)]
        while lines and not lines[-1]:
            lines.pop()
        return lines

    @property
    def cursor(self) -> tuple[int, int]:
        """Row (counted with the history) and column."""
        return len(self.history) + self._row, self._column

    def _erase(self, row: int, column: int) -> None:
        self._cells[row][column:] = [" "] * (self._columns - column)

    def _put(self, char: str) -> None:
        assert not _moves(char), f"a control character reached the terminal: {char!r}"
        if unicodedata.combining(char):
            return
        width = 2 if unicodedata.east_asian_width(char) in "WF" else 1
        if self._column + width > self._columns:
            self._column = 0
            self._down()
        self._cells[self._row][self._column] = char
        if width == 2:
            self._cells[self._row][self._column + 1] = ""
        self._column += width
        if self._column == self._columns:
            self._column = 0
            self._down()

    def _down(self) -> None:
        if self._row + 1 < len(self._cells):
            self._row += 1
        else:
            self.history.append("".join(self._cells.pop(0)).rstrip())
            self._cells.append([" "] * self._columns)
