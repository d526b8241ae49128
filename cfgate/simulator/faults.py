"""What can go wrong with an answer, and on which requests it does. Frozen, no I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cfgate.model import JobState


@dataclass(frozen=True, slots=True)
class Numbers:
    """A choice of request numbers: ranges with both ends included (no end: for ever), and every nth."""

    ranges: tuple[tuple[int, int | None], ...] = ()
    every: tuple[int, ...] = ()

    def __contains__(self, number: int) -> bool:
        ranged = any(low <= number and (high is None or number <= high) for low, high in self.ranges)
        return ranged or any(number % nth == 0 for nth in self.every)


class Junk(Enum):
    """Bodies that are no answer."""

    HTML = "html"
    EMPTY = "empty"
    NOT_UTF8 = "not-utf8"
    DEEP = "deep"
    HUGE = "huge"
    GZIP_BOMB = "gzip-bomb"


@dataclass(frozen=True, slots=True)
class Instead:
    """A body that is no answer, and its size in bytes where it has one."""

    junk: Junk
    size: int = 0


class Trouble(Enum):
    """What can happen to a connection."""

    RESET = "reset"
    STALL = "stall"
    DRIP = "drip"
    CUT = "cut"


class Place(Enum):
    """Where in an answer trouble begins."""

    BEFORE_HEADERS = "before headers"
    IN_HEADERS = "in headers"
    IN_BODY = "in body"
    AFTER_BODY = "after body"


@dataclass(frozen=True, slots=True)
class Connection:
    """Trouble on the wire, and where it begins."""

    trouble: Trouble
    place: Place

    def __str__(self) -> str:
        return f"{self.trouble.value} {self.place.value}"


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that goes wrong: when (the first four fields), and what. Times are seconds."""

    requests: Numbers | None = None
    after: float = 0.0
    until: float = float("inf")
    during: JobState | None = None
    delay: float = 0.0
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    fields: Mapping[str, Any] = field(default_factory=dict)
    body: str | None = None
    instead: Instead | None = None
    connection: Connection | None = None

    def hits(self, number: int, elapsed: float, state: JobState) -> bool:
        """Whether it is played on request `number`, `elapsed` seconds into a life that is at `state`."""
        return (
            (self.requests is None or number in self.requests)
            and self.after <= elapsed < self.until
            and self.during in (None, state)
        )
