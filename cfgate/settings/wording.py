"""How problems are worded: values quoted so that they do no harm, names guessed from misspelt ones."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

_LONGEST: Final = 60  # characters of a value that a sentence can hold


class Wrong(ValueError):
    """A value is no good: a clause that follows it in a sentence ("has no unit: 90s or 90m?").

    `part` is the piece of the value that is to blame, "" when none of it may be shown, `None` for all of it.
    """

    def __init__(self, why: str, part: str | None = None) -> None:
        super().__init__(why)
        self.part = part


def shown(text: str) -> str:
    """Quote a value for a sentence: short, one line, and nothing in it that a terminal obeys."""
    return repr(text if len(text) <= _LONGEST else text[:_LONGEST] + "…")


def named(name: str) -> str:
    """Put a name that came from outside into a sentence: as it is when it is harmless, or else quoted."""
    return name if name.isprintable() and 0 < len(name) <= _LONGEST else shown(name)


def listed(words: Iterable[str], last: str = "and") -> str:
    """Enumerate words as a sentence does: `a, b and c`."""
    *most, final = words
    return f"{', '.join(most)} {last} {final}" if most else final


def closest(word: str, known: Iterable[str], *, likeness: float = 0.7) -> str:
    """Guess which of the `known` names was meant; "" when none is like enough (0 to 1)."""
    from difflib import get_close_matches  # late: only for those who have made a mistake

    return next(iter(get_close_matches(word[:_LONGEST], known, cutoff=likeness)), "")
