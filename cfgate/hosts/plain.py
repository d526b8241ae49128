"""A place that shows lines and can do nothing else: what every host is built on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from cfgate.hosts import Bar, Level, Style
from cfgate.hosts.console import Console
from cfgate.hosts.text import log_lines, single_line

VALUE_LIMIT: Final = 64 * 1024  # bytes
_STYLES: Final = {Level.NOTICE: Style.GOOD, Level.WARNING: Style.ODD, Level.ERROR: Style.BAD}


class Plain:
    """The whole of `Host` with nothing but lines; a subclass overrides what its place does better."""

    folds: bool = False
    annotates: bool = False
    value_limit: int = VALUE_LIMIT

    def __init__(self, console: Console, *, debugging: bool = False) -> None:
        self._console = console
        self._debugging = debugging

    @property
    def live(self) -> bool:
        """Nothing moves in a log."""
        return False

    def log(self, text: str, style: Style = Style.PLAIN) -> None:
        """Print disarmed lines."""
        self._console.lines(log_lines(text), style)

    def debug(self, text: str) -> None:
        """Print faintly, for the user who has asked for debug output."""
        if self._debugging:
            self.log(f"debug: {text}", Style.DIM)

    def group(self, title: str, lines: Iterable[str]) -> None:
        """Print the title, and the lines indented below it."""
        self.log(single_line(title))
        for line in lines:
            self.log(f"  {line}")

    def annotate(self, level: Level, title: str, message: str) -> None:
        """Print in the colour of the level."""
        self.log(f"{level.value}: {title}: {message}", _STYLES[level])

    def output(self, pairs: Mapping[str, str]) -> None:
        """Do nothing: there is no next step."""

    def summary(self, markdown: str) -> None:
        """Do nothing: there is no page; `summary-file` writes one."""

    def junit(self, path: str) -> None:
        """Do nothing: whoever wants the report knows where it is."""

    def mask(self, secret: str) -> None:
        """Do nothing: nobody rewrites this log. cfgate prints no secret anyway."""

    def progress(self, bars: Sequence[Bar]) -> None:
        """Do nothing; see `live`."""

    def close(self) -> None:
        """See the last lines off."""
        self._console.close()

    def _between(self, start: str, lines: Iterable[str], end: str) -> None:
        """Print lines between two that the host reads as where a group starts and ends."""
        self._console.lines([start])
        try:
            for line in lines:
                self.log(line)
        finally:
            self._console.lines([end])
