"""A terminal, or whatever else stdout is where no CI host is known: a pipe, a file, an unknown CI."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from cfgate.hosts import Bar, Style
from cfgate.hosts.console import Console
from cfgate.hosts.plain import Plain

if TYPE_CHECKING:
    from cfgate.hosts.live import Display


class Terminal(Plain):
    """Lines, and a live display below them where there is one."""

    def __init__(self, console: Console, *, display: Display | None = None, debugging: bool = False) -> None:
        super().__init__(console, debugging=debugging)
        self._display = display

    @property
    def live(self) -> bool:
        """Whether there is a display now: not while the terminal belongs to somebody else."""
        return self._display is not None and self._display.present

    def log(self, text: str, style: Style = Style.PLAIN) -> None:
        """Print above the display."""
        if self._display is None:
            super().log(text, style)
        else:
            with self._display.hidden():
                super().log(text, style)

    def progress(self, bars: Sequence[Bar]) -> None:
        """Draw the display anew."""
        if self._display is not None:
            self._display.show(bars)

    def close(self) -> None:
        """Take the display away."""
        if self._display is not None:
            self._display.close()
        super().close()
