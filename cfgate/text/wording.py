"""How a sentence for a person is worded: values quoted, words listed, names guessed, times and counts.

Reports, log and settings share these forms.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Final

from cfgate.text.invisible import INVISIBLE, printable

# (below so many seconds, rounded to so many): the further away, the less an estimate can know.
_GRAINS: Final = ((60.0, 5), (600.0, 10), (3600.0, 60), (14_400.0, 300))
_COARSEST: Final = 900
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LONGEST_VALUE: Final = 60  # characters of a value that a sentence can contain


def duration(seconds: float) -> str:
    """Write a length of time: "3m40s", "1h2m", "0s"; with tenths below ten seconds, "1.4s"."""
    if 0 < seconds < 10:
        return f"{round(seconds, 1):g}s"
    minutes, whole_seconds = divmod(max(round(seconds), 0), 60)
    hours, minutes = divmod(minutes, 60)
    parts = ((hours, "h"), (minutes, "m"), (whole_seconds, "s"))
    return "".join(f"{number}{unit}" for number, unit in parts if number) or "0s"


def elapsed(seconds: float) -> str:
    """Write what a stopwatch shows: "0:08", "12:31", "1:02:31". The log pads it."""
    minutes, whole_seconds = divmod(max(int(seconds), 0), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{whole_seconds:02}" if hours else f"{minutes}:{whole_seconds:02}"


def about(seconds: float) -> str:
    """Write an estimate no finer than it can be: "about 1m20s", "about 50m"; "a moment" for next to none."""
    grain = next((grain for below, grain in _GRAINS if seconds < below), _COARSEST)
    rounded = grain * round(seconds / grain)
    return f"about {duration(rounded)}" if rounded > 0 else "a moment"


def moment(unix: float) -> str:
    """Write Unix seconds for a person: "2026-11-23 17:12:14 UTC"."""
    return f"{utc(unix):%Y-%m-%d %H:%M:%S} UTC"


def utc(unix: float) -> datetime:
    """Return the date of Unix seconds. On Windows `datetime.fromtimestamp` knows none after the year 3000."""
    return _EPOCH + timedelta(seconds=unix)


def plural(count: int, one: str, many: str = "") -> str:
    """Count things: "1 retry", "2 retries"; `many` defaults to `one` and an s."""
    return f"{count} {one if count == 1 else many or one + 's'}"


def shorten(text: str, limit: int) -> str:
    """Keep the first `limit` characters, and say how many were cut off."""
    return text if len(text) <= limit else f"{text[:limit]}… ({len(text) - limit} more characters)"


def cap_utf8(text: str, limit: int) -> str:
    """Cut to `limit` bytes of UTF-8 (at least 100), and show that it was cut."""
    encoded = text.encode("utf-8", "backslashreplace")
    if len(encoded) <= limit:
        return text
    marker = f" … [cut by cfgate: {len(encoded)} bytes in all]"
    return encoded[: limit - len(marker.encode())].decode("utf-8", "ignore") + marker


def pictured(text: str) -> str:
    """Replace what cannot be seen by its picture or by U+FFFD, but tabs; every line end becomes LF."""
    return INVISIBLE.sub(_picture, text.replace("\r\n", "\n").replace("\r", "\n"))


def _picture(match: re.Match[str]) -> str:
    code = ord(match[0])
    if match[0] in "\t\n":
        return match[0]
    if code < 0x20:
        return chr(0x2400 + code)  # the block "Control Pictures" has them in the same order
    return "\u2421" if code == 0x7F else "\ufffd"


class Wrong(ValueError):
    """A value is no good: a clause that follows it in a sentence ("has no unit: 90s or 90m?").

    `part` is the piece of the value that is to blame, "" when none of it may be shown, `None` for all of it.
    """

    def __init__(self, why: str, part: str | None = None) -> None:
        super().__init__(why)
        self.part = part


def shown(text: str) -> str:
    """Quote a value for a sentence: short, one line, and nothing in it that a terminal obeys."""
    return repr(text if len(text) <= _LONGEST_VALUE else text[:_LONGEST_VALUE] + "…")


def named(name: str) -> str:
    """Put a name that came from outside into a sentence: as it is when it is harmless, or else quoted."""
    return name if printable(name) and 0 < len(name) <= _LONGEST_VALUE else shown(name)


def listed(words: Iterable[str], last: str = "and") -> str:
    """Enumerate words as a sentence does: `a, b and c`."""
    *most, final = words
    return f"{', '.join(most)} {last} {final}" if most else final


def problem(wrong: Wrong, text: str, place: str) -> str:
    """Say what is wrong with a value that stands at `place`; it is shown as far as `wrong` allows it."""
    part = text if wrong.part is None else wrong.part
    return f"{shown(part)} from {place} {wrong}" if part else f"the value from {place} {wrong}"


def meant(word: str, known: Iterable[str]) -> str:
    """Ask whether one of the `known` names was meant, or list them all."""
    names = {name.lower(): name for name in known}
    guess = closest(word.lower(), names)
    return f"did you mean {names[guess]}?" if guess else f"write {listed(names.values(), 'or')}"


def closest(word: str, known: Iterable[str], *, likeness: float = 0.7) -> str:
    """Guess which of the `known` names was meant; "" when none is like enough (0 to 1)."""
    from difflib import get_close_matches  # late: only for those who have made a mistake

    return next(iter(get_close_matches(word[:_LONGEST_VALUE], known, cutoff=likeness)), "")
