"""The fields of an answer, one by one: numbers that may be strings, moments, counts. Or a doubt.

Numbers are read from their text, never by way of a binary float, and up to 18 digits: a longer one, and
4.9999999999999999999, says nothing sensible.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

# Unix seconds outside this range are no moment in a job's life: 0 means "not yet", 10^18 means nothing.
_LAST_SECOND: Final = 253_402_300_799  # 9999-12-31T23:59:59Z, the last that datetime can show
_MOST_DIGITS: Final = 18
_WHOLE: Final = re.compile(r"([+-]?[0-9]{1,18})(?:\.0{1,18})?")
_FRACTION: Final = re.compile(r"(\+?[0-9]{1,18})(?:\.[0-9]{1,100})?")
_EXACT_FLOAT: Final = 2.0**53  # every whole float below is the number that was written


class Doubt(Exception):
    """An answer contradicts itself or the question. Never leaves `cfgate.rules`.

    `quote` is text of the answer that belongs to it, whole.
    """

    def __init__(self, why: str, quote: str = "") -> None:
        super().__init__(why)
        self.quote = quote


@dataclass(frozen=True, slots=True)
class Literal:
    """A number of a JSON text that Python would not read exactly, or not at all: as it was written."""

    text: str

    def __bool__(self) -> bool:
        """Whether it is anything but zero."""
        return any(digit in "123456789" for digit in self.text.lower().partition("e")[0])

    def __str__(self) -> str:
        return self.text


def integer(text: str) -> int | Literal:
    """Read an integer of a JSON text: `parse_int` of json."""
    return int(text) if len(text.lstrip("-")) <= _MOST_DIGITS else Literal(text)


def number(payload: dict[str, Any], name: str, *, whole: bool = True) -> int | None:
    """Read a number that may arrive as a string; `None` for what is missing or says nothing sensible.

    Unless it has to be `whole`, a fraction is rounded down.
    """
    value = payload.get(name)
    if isinstance(value, bool):  # an int to Python, and never one to the API
        raise Doubt(f"{name} is {str(value).lower()}, where a number belongs")
    match = (_WHOLE if whole else _FRACTION).fullmatch(_written(value))
    return int(match[1]) if match else None


def _written(value: Any) -> str:
    """Return a number as it is written; "" for what is none."""
    if isinstance(value, str):
        return value.strip(" ")
    if isinstance(value, Literal):
        return value.text
    if isinstance(value, int) and -(10**_MOST_DIGITS) < value < 10**_MOST_DIGITS:
        return str(value)
    if isinstance(value, float) and abs(value) < _EXACT_FLOAT:  # not from our decoder, which makes none
        return repr(value)
    return ""


def plain(value: Any) -> str:
    """Write a decoded value for a person, without any escapes: a secret in it must be found as sent."""
    if isinstance(value, dict):
        return ", ".join(f"{key}: {plain(inner)}" for key, inner in value.items())
    if isinstance(value, list):
        return ", ".join(map(plain, value))
    return value if isinstance(value, str) else str(value)


def count(payload: dict[str, Any], name: str) -> int:
    """Read a count, which must be there."""
    found = number(payload, name)
    if found is None:
        missing = payload.get(name) in (None, "")
        raise Doubt(f"the answer has no {name}" if missing else f"{name} is not a number")
    if found < 0:
        raise Doubt(f"{name} is {found}")
    return found


def moment(seconds: int | None) -> int | None:
    """Take a number as Unix seconds; `None` for what is no moment in the life of a job."""
    return seconds if seconds is not None and 0 < seconds <= _LAST_SECOND else None
