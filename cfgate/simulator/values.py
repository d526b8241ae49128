"""From the values of YAML to those of a scenario: one function for each kind of value.

Each takes whatever stands in the file and raises `Wrong`, with a clause that says what to write instead.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import Enum
from typing import Any, Final, TypeVar

from cfgate.model import JobState
from cfgate.simulator.faults import Connection, Instead, Junk, Numbers, Place, Trouble
from cfgate.simulator.scenario import Eta, Guess, Progress
from cfgate.text import durations
from cfgate.text.invisible import printable
from cfgate.text.wording import Wrong, meant

_E = TypeVar("_E", bound=Enum)

_LONGEST: Final = 366 * 86_400.0  # seconds; keeps every moment within what a date can show
_SIZES: Final = {"KiB": 1 << 10, "MiB": 1 << 20}
_LARGEST: Final = 64 << 20  # bytes; a body is built in memory
_DEFAULT_SIZES: Final = {Junk.HUGE: 2 << 20, Junk.GZIP_BOMB: 64 << 20}
_STATES: Final = {name.lower(): (state, name) for state in JobState for name in state.names}


def line(value: object) -> str:
    """Read one line of printable text."""
    text = value.strip() if isinstance(value, str) else ""
    if not text or not printable(text):
        raise Wrong("is not one line of text")
    return text


def text(value: object) -> str:
    """Read any text; it may contain whatever a hostile server would send."""
    if not isinstance(value, str):
        raise Wrong("is not a text: put it between quotes")
    return value


def body(value: object) -> str:
    """Read the text of a body, which must be possible to send."""
    content = text(value)
    try:
        content.encode()
    except UnicodeEncodeError:
        raise Wrong("has half a surrogate pair, which UTF-8 has no form for", part="") from None
    return content


def whole(low: int, high: int) -> Callable[[object], int]:
    """Make a reader of whole numbers between `low` and `high`."""

    def read(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise Wrong(f"is not a whole number from {low} to {high}")
        return value

    return read


def choice(kind: type[_E]) -> Callable[[object], _E]:
    """Make a reader of one of the words of an enumeration; an empty value stands for `null`."""
    words = {member.value: member for member in kind}

    def read(value: object) -> _E:
        word = "null" if value is None else " ".join(str(value).lower().split())
        if word not in words:
            raise Wrong(f"is unknown: {meant(word, words)}")
        return words[word]

    return read


def duration(value: object) -> float:
    """Read a duration as seconds."""
    return durations.read(_word(value), most=_LONGEST)


def some_time(value: object) -> float:
    """Read a duration longer than nothing."""
    seconds = duration(value)
    if not seconds:
        raise Wrong("is no time at all: omit the state instead")
    return seconds


def offset(value: object) -> float:
    """Read a duration that may be negative, as seconds."""
    text = _word(value)
    seconds = duration(text.removeprefix("-").removeprefix("+"))
    return -seconds if text.startswith("-") else seconds


def _word(value: object) -> str:
    """Return a plain value as a text without blanks around it."""
    return "" if value is None or isinstance(value, (list, dict)) else str(value).strip()


def state(value: object) -> tuple[JobState, str]:
    """Read the name of a job state; return the state, and the name as Clanforge would spell it."""
    word = str(value).strip().lower()
    if word not in _STATES:
        hint = meant(word, [name for _, name in _STATES.values()])
        raise Wrong(f"is no job state: {hint} (for a made-up one use `fields`)")
    return _STATES[word]


def image_version_ids(value: object) -> frozenset[int]:
    """Read one image version id or a list of them."""
    ids = value if isinstance(value, list) else [value]
    try:
        return frozenset(whole(1, 10**18 - 1)(one) for one in ids)
    except Wrong as wrong:
        raise Wrong(f"has an id that {wrong}", part="") from None


def progress(value: object) -> Progress:
    """Read how `jobprogress` moves."""
    written = str(value) if isinstance(value, int) else value
    how = r"([0-9]{1,3})(?: to ([0-9]{1,3})(?: (?:(steady)|(uneven)|in jumps of ([0-9]{1,3})))?)?"
    match = re.fullmatch(how, " ".join(written.split())) if isinstance(written, str) else None
    if match is None:
        forms = "40, 0 to 100, 0 to 100 uneven, or 0 to 100 in jumps of 10"
        raise Wrong(f"is not a progress: write it as {forms}")
    first, last = int(match[1]), int(match[2] or match[1])
    step = int(match[5] or 1)
    if not (first <= last <= 100 and step):
        raise Wrong("does not go up between 0 and 100: for a step back use another state of `life`")
    return Progress(first, last, step, uneven=bool(match[4]))


def eta(value: object) -> Eta:
    """Read what `jobeta` says."""
    word, _, rest = " ".join(str(value).lower().split()).partition(" ")
    guess = {guess.value: guess for guess in Guess}.get(word)
    share = re.fullmatch(r"([+-]?[0-9]{1,5}(?:\.[0-9]{1,5})?) ?%", rest)
    if guess in (Guess.NONE, Guess.ZERO, Guess.EXACT) and not rest and value is not None:
        return Eta(guess)
    if guess in (Guess.AHEAD, Guess.PAST):
        return Eta(guess, duration(rest))
    if guess is Guess.FIXED and share:
        return Eta(guess, float(share[1]) / 100)
    if guess is Guess.WITHIN and share and not share[1].startswith("-"):
        return Eta(guess, float(share[1]) / 100)
    forms = "none, zero, exact, within 20%, fixed +15%, fixed -15%, ahead 30s or past 30s"
    raise Wrong(f"is not an estimate: write it as {forms}")


def numbers(value: object) -> Numbers:
    """Read a choice of request numbers."""
    ranges: list[tuple[int, int | None]] = []
    every: list[int] = []
    for part in str(value).split(","):
        match = re.fullmatch(r"\s*(?:every\s+([0-9]{1,9})|([0-9]{1,9})\s*(-)?\s*([0-9]{1,9})?)\s*", part)
        if match is None or (match[4] and not match[3]) or isinstance(value, bool):
            raise Wrong("chooses no requests: write it as 3, 2-4, 10-, every 5, or 1, 3-5")
        if match[1]:
            every.append(int(match[1]))
        else:
            low = int(match[2])
            ranges.append((low, int(match[4]) if match[4] else None if match[3] else low))
    if 0 in every or any(low == 0 or (high is not None and high < low) for low, high in ranges):
        raise Wrong("chooses no requests: they are counted upwards from 1")
    return Numbers(tuple(ranges), tuple(every))


def connection(value: object) -> Connection:
    """Read what happens to a connection, and where."""
    first, _, rest = str(value).partition(" ")
    try:
        return Connection(choice(Trouble)(first), choice(Place)(rest))
    except Wrong:
        troubles, places = (", ".join(one.value for one in kind) for kind in (Trouble, Place))
        forms = f"one of {troubles}, and where it begins: {places}"
        raise Wrong(f"is no connection trouble: write {forms}") from None


def instead(value: object) -> Instead:
    """Read another kind of body, and its size."""
    words = str(value).split()
    junk = choice(Junk)(words[0] if words else "")
    if len(words) < 2:
        return Instead(junk, _DEFAULT_SIZES.get(junk, 0))
    match = re.fullmatch(r"([0-9]{1,6}) ?(KiB|MiB)", " ".join(words[1:]))
    if match is None or junk not in _DEFAULT_SIZES or int(match[1]) * _SIZES[match[2]] > _LARGEST:
        raise Wrong("is not another body: write a size of at most 64MiB behind huge or gzip-bomb only")
    return Instead(junk, int(match[1]) * _SIZES[match[2]])


def fields(value: object) -> dict[str, Any]:
    """Read fields of an answer: any names, any values."""
    return _named(value)


def headers(value: object) -> dict[str, str]:
    """Read HTTP headers: names that are tokens, values on one line."""
    named = {name: str(one) for name, one in _named(value).items()}
    for name, one in named.items():
        if not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name):
            raise Wrong("is no name of a header", part=name)
        if not one.isprintable() or not one.isascii():
            raise Wrong(f"is not one line of plain ASCII, as the value of {name} has to be", part=one)
    return named


def _named(value: object) -> dict[str, Any]:
    if not isinstance(value, dict) or not value:
        raise Wrong("cannot be used: write names and values, as in {name: value}", part="")
    return value
