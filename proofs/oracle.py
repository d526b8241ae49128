"""The rules of docs/verdicts.md, written down a second time, by which runs of the gate are judged.

Nothing of cfgate is imported here: a mistake there cannot hide behind the same mistake. Where the gate keeps
its state from answer to answer, this looks at the whole history of a run each time. Times are seconds since
the run began.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import takewhile
from typing import Final


class Means(Enum):
    """What an answer means."""

    PENDING = "pending"
    READY = "ready"
    FAILED = "failed"
    SQUASHED = "squashed"
    DOUBTFUL = "inconsistent"
    NO_ANSWER = "no answer"
    NO_ADDRESS = "no address"
    NOT_FOUND = "not_found"
    REJECTED = "rejected"
    UNTRUSTED = "unavailable"


_USABLE: Final = {Means.PENDING, Means.READY, Means.FAILED, Means.SQUASHED}
_AT_ONCE: Final = {Means.REJECTED, Means.UNTRUSTED}
_RUNNING: Final = 4


@dataclass(frozen=True)
class Heard:
    """An answer, as far as the rules look at it.

    `holds`: how many seconds it must stay so to count; `credentials`: the refusal is one of who asks.
    """

    means: Means
    state: int = 0
    progress: int | None = None
    updated: int | None = None
    retry_after: float | None = None
    holds: float = 0.0
    credentials: bool = False


@dataclass(frozen=True)
class Look:
    """One request: when it was sent, when the answer was there, and what that was."""

    sent: float
    received: float
    heard: Heard


@dataclass(frozen=True)
class Rules:
    """The settings that decide about endings and pauses; `pauses` are the shortest and the longest one."""

    timeout: float
    error_tolerance: float
    not_found_grace: float
    stall_timeout: float | None
    pauses: tuple[float, float]


def ending(looks: Sequence[Look], rules: Rules) -> str | None:
    """Say how the gate must end after these looks; `None`: it must look again."""
    last = looks[-1]
    if last.heard.means in _AT_ONCE:
        return str(last.heard.means.value)
    time_is_up = last.received >= rules.timeout
    if last.heard.means in _USABLE:
        if last.heard.means is not Means.PENDING and _to_believe(looks) <= 0:
            return str(last.heard.means.value)
        if time_is_up:
            return "timeout" if rules.timeout else "pending"
        return "stalled" if _stall_left(looks, rules) <= 0 else None
    if not time_is_up and patience(looks, rules) > 0:
        return None
    if time_is_up and rules.timeout and _usable(looks):
        return "timeout"
    if last.heard.means is Means.NOT_FOUND:
        return "not_found"
    doubtful = any(look.heard.means is Means.DOUBTFUL for look in _row(looks))
    return "inconsistent" if doubtful else "unavailable"


def patience(looks: Sequence[Look], rules: Rules) -> float:
    """Tell for how many seconds more answers like the last one are put up with."""
    now, row = looks[-1].received, _row(looks)
    if looks[-1].heard.means is Means.NOT_FOUND:
        unknown = list(takewhile(lambda look: look.heard.means is Means.NOT_FOUND, reversed(row)))
        return rules.not_found_grace - (now - unknown[-1].received)
    silence = now - next(look.received for look in row if look.heard.means is not Means.NOT_FOUND)
    for look in row:
        asked = look.heard.retry_after
        if asked is not None and asked < rules.timeout - look.received:
            silence -= asked
    return _tolerance(looks, rules) - silence


def pause(looks: Sequence[Look], rules: Rules) -> tuple[float, float]:
    """Tell how long the gate may pause after these looks: at least, and at most."""
    left = rules.timeout - looks[-1].received
    if looks[-1].heard.means in _USABLE:
        again = _to_believe(looks)
        # A setback within the time that an ending has to hold is to be heard: a look every three seconds.
        low, high = (min(again, 3.0), min(again, 3.0) + 0.002) if again > 0 else rules.pauses
        left = min(left, max(_stall_left(looks, rules), 1.0))
    elif looks[-1].heard.retry_after is not None:
        low = high = max(looks[-1].heard.retry_after, 1.0)
    else:
        low, high = 1.0, min(2.0 ** len(_row(looks)), 30.0)
        left = min(left, patience(looks, rules))
    return min(low, left), min(high, left)


def _usable(looks: Sequence[Look]) -> list[Look]:
    return [look for look in looks if look.heard.means in _USABLE]


def _to_believe(looks: Sequence[Look]) -> float:
    """Tell for how many seconds more an ending must be heard, and nothing else, before it counts.

    One that is older than what was heard before counts when it is heard again, a second later.
    """
    *before, last = _usable(looks)
    if last.heard.means is Means.PENDING:
        return 0.0
    newest = max((look.heard.updated or 0 for look in before), default=0)
    stale = last.heard.updated is not None and last.heard.updated < newest
    same = takewhile(lambda look: look.heard.state == last.heard.state, reversed([*before, last]))
    *_, first = same
    # To the millisecond, for a pause of exactly that length has been slept.
    return round(max(last.heard.holds, 1.0 if stale else 0.0) - (last.received - first.received), 3)


def _row(looks: Sequence[Look]) -> list[Look]:
    """Get the unusable answers since the last usable one."""
    row = takewhile(lambda look: look.heard.means not in _USABLE, reversed(looks))
    return list(row)[::-1]


def _tolerance(looks: Sequence[Look], rules: Rules) -> float:
    if _usable(looks):
        return rules.error_tolerance
    nameless = all(look.heard.means is Means.NO_ADDRESS for look in _row(looks))
    return min(rules.error_tolerance, 15.0 if nameless else 120.0)


def _stall_left(looks: Sequence[Look], rules: Rules) -> float:
    """Tell for how many seconds more a running job may stand still."""
    if rules.stall_timeout is None or looks[-1].heard.state != _RUNNING:
        return float("inf")
    usable = _usable(looks)
    moves = [(look.heard.state, look.heard.progress, look.heard.updated) for look in usable]
    still = takewhile(lambda pair: pair[1] == moves[-1], zip(reversed(usable), reversed(moves), strict=True))
    *_, (first, _) = still
    return rules.stall_timeout - (looks[-1].received - first.received)
