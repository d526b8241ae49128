"""The fields of an answer, one by one: numbers that may be strings, moments, counts. Or a doubt."""

from __future__ import annotations

import re
from typing import Any, Final

# Unix seconds outside this range are no moment in a job's life: 0 means "not yet", 10^18 means nothing.
_LAST_SECOND: Final = 253_402_300_799  # 9999-12-31T23:59:59Z, the last that datetime can show
_INTEGER: Final = re.compile(r"[+-]?[0-9]{1,18}")


class Doubt(Exception):
    """An answer contradicts itself or the question. Never leaves `cfgate.model`."""


def number(payload: dict[str, Any], name: str) -> int | None:
    """Read an int that may arrive as a string; `None` for what is missing or says nothing."""
    value = payload.get(name)
    if isinstance(value, bool):  # an int to Python, and never one to the API
        raise Doubt(f"{name} is {str(value).lower()}, where a number belongs")
    if isinstance(value, int):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str) and _INTEGER.fullmatch(value.strip(" ")):
        return int(value)
    return None


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
