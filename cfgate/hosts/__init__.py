"""Where cfgate runs: one file for each CI host, one protocol, chosen once.

A host takes text and pairs, never domain objects. `log`, `annotate`, `output` and `summary` are different
verbs: the first is for a person who reads along, the second for one who glances at the run, the third for
the next step, the fourth for the one who comes the day after. Whatever text a host is given, it disarms for
its own parser: no caller escapes anything, and nothing that an API answer says can become a command.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from typing import NamedTuple, Protocol


class Style(Enum):
    """What a line is, so that a host can colour it."""

    PLAIN = "plain"
    DIM = "dim"
    GOOD = "good"
    BAD = "bad"
    ODD = "odd"


class Level(Enum):
    """How loud an annotation is."""

    NOTICE = "notice"
    WARNING = "warning"
    ERROR = "error"


class Bar(NamedTuple):
    """One row of a live display: what it is about, how far it is (0 to 100 or unknown), and what to say.

    `texts` begin with the most important one; those that have no room are left out. `short` takes the place
    of the label in a narrow window. Without a `track`, and in any other style than the plain one, there is no
    bar.
    """

    label: str
    percent: int | None
    texts: tuple[str, ...] = ()
    short: str = ""
    style: Style = Style.PLAIN
    track: bool = True


class Host(Protocol):
    """What every place that cfgate runs in can do. None of these raises on any text."""

    @property
    def live(self) -> bool:
        """Whether `progress` draws something, so that no heartbeat lines are needed."""
        ...

    @property
    def folds(self) -> bool:
        """Whether `group` folds its lines away, so that details cost a reader nothing."""
        ...

    @property
    def annotates(self) -> bool:
        """Whether `annotate` reaches a place of its own, besides the log."""
        ...

    @property
    def value_limit(self) -> int:
        """How many bytes a value of `output` may have; what is longer is cut, visibly."""
        ...

    def log(self, text: str, style: Style = Style.PLAIN) -> None:
        """Print for a person. Line breaks in `text` make lines; each is disarmed."""
        ...

    def debug(self, text: str) -> None:
        """Print only where the user has asked for debug output (`RUNNER_DEBUG=1`, `CI_DEBUG_TRACE`, …)."""
        ...

    def group(self, title: str, lines: Iterable[str]) -> None:
        """Print lines that a reader can fold away, where the host can."""
        ...

    def annotate(self, level: Level, title: str, message: str) -> None:
        """Put something where nobody can miss it. Where a host has no such place, print it."""
        ...

    def output(self, pairs: Mapping[str, str]) -> None:
        """Hand values to later steps, where the host can; a later call overrides an earlier one."""
        ...

    def summary(self, markdown: str) -> None:
        """Leave a page for later, where the host can; a later call replaces an earlier one."""
        ...

    def junit(self, path: str) -> None:
        """Tell the host where a JUnit report lies, if it reads one when it is told; once, at the end."""
        ...

    def mask(self, secret: str) -> None:
        """Ask the host to hide `secret` in everything it prints from now on, where it can."""
        ...

    def progress(self, bars: Sequence[Bar]) -> None:
        """Draw the live display anew; nothing where `live` is false."""
        ...

    def close(self) -> None:
        """Take the live display away and flush everything."""
        ...
