"""How long something takes, as a person writes it: one grammar for options, config file and scenarios."""

from __future__ import annotations

import re
from typing import Final

from cfgate.text.wording import Wrong

_NUMBER: Final = r"[0-9]{1,9}(?:\.[0-9]{1,3})?"
_UNITS: Final = {"d": 86_400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
# Each unit at most once, the larger ones first. The empty text fits too.
PATTERN: Final = "".join(f"(?:({_NUMBER}){unit})?" for unit in _UNITS)
_DURATION: Final = re.compile(PATTERN)
_BARE_NUMBER: Final = re.compile(_NUMBER)


def read(text: str, *, least: float = 0.0, most: float) -> float:
    """Read `500ms`, `90s`, `1h30m`, `1.5h`, `1d` or `0` as seconds, exact to a millisecond. Raises Wrong."""
    seconds = _seconds(text)
    if seconds > most:
        raise Wrong(f"is too long: {written(most)} at most")
    if seconds < least:
        raise Wrong(f"is too short: {written(least)} at least")
    return seconds


def _seconds(text: str) -> float:
    if _BARE_NUMBER.fullmatch(text):
        if float(text) != 0:
            raise Wrong(f"has no unit: {text}s or {text}m?")
        return 0.0
    if text.startswith("-"):
        raise Wrong("is negative: a duration is 0 or more")
    match = _DURATION.fullmatch(text)
    if not match or not text:
        raise Wrong("is not a duration: write it in d, h, m, s and ms, such as 90s, 45m, 1h30m or 1.5h")
    parts = zip(match.groups(), _UNITS.values(), strict=True)
    return round(sum(float(part or 0) * unit for part, unit in parts), 3)


def written(seconds: float) -> str:
    """Write seconds as `read` reads them: `7d`, `1h30m`, `20s`, `0.5s`, `0`."""
    days, rest = divmod(round(seconds * 1000), 86_400_000)
    minutes, milliseconds = divmod(rest, 60_000)
    hours, minutes = divmod(minutes, 60)
    parts = ((days, "d"), (hours, "h"), (minutes, "m"), (milliseconds / 1000, "s"))
    return "".join(f"{amount:g}{unit}" for amount, unit in parts if amount) or "0"
