"""What can be played, and on what machine."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeVar

from fronts.lab import Lab

ROOMS: Final = ("outages", "pages", "silence", "wire", "addresses", "proxies", "tls")
_SECONDS: Final = 12.0

Play = Callable[[Lab], None]
_Variant = TypeVar("_Variant")
_PlayOf = Callable[[Lab, _Variant], None]


@dataclass(frozen=True)
class Situation:
    """A situation: how it is played, what is right (in one sentence), and about how long it takes."""

    room: str
    name: str
    play: Play
    right: str
    seconds: float


_all: list[Situation] = []


def situation(seconds: float = _SECONDS) -> Callable[[Play], Play]:
    """Register a function as a situation. The longest are begun first."""

    def register(play: Play) -> Play:
        _add(play.__name__, play, play.__doc__, seconds)
        return play

    return register


def each(**variants: _Variant) -> Callable[[_PlayOf[_Variant]], _PlayOf[_Variant]]:
    """Register a function once for each of these, which it is called with; their names end in its."""

    def register(play: _PlayOf[_Variant]) -> _PlayOf[_Variant]:
        for name, variant in variants.items():
            # By keyword, so that each has its own variant.
            def played(lab: Lab, variant: _Variant = variant) -> None:
                play(lab, variant)

            played.__module__ = play.__module__
            _add(f"{play.__name__}_{name}", played, play.__doc__, _SECONDS)
        return play

    return register


def _add(name: str, play: Play, right: str | None, seconds: float) -> None:
    room = play.__module__.rpartition(".")[2]
    _all.append(Situation(room, name, play, (right or "").strip(), seconds))


def situations() -> list[Situation]:
    """Return all there are."""
    for room in ROOMS:
        importlib.import_module(f"fronts.situations.{room}")
    names = [each.name for each in _all]
    assert len(set(names)) == len(names), "two situations have one name"
    return list(_all)
