"""The rules of docs/verdicts.md, written down a second time, by which runs of the gate are judged.

Nothing of cfgate is imported here: a mistake there cannot hide behind the same mistake. Where the gate keeps
its state from answer to answer, this looks at the whole history of a run each time. Times are seconds since
the run began.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
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
    UNSUITED = "unsuited"
    UNTRUSTED = "untrusted"


USABLE: Final = {Means.PENDING, Means.READY, Means.FAILED, Means.SQUASHED}
# Believed at once as long as no answer was usable; afterwards so many in a row, over so many seconds.
_REFUSALS: Final = {Means.REJECTED, Means.UNSUITED}
_REFUSALS_IN_A_ROW: Final = 3
_REFUSED_FOR: Final = 10.0
_STALE_HOLDS: Final = 10.0  # seconds for which an ending that is older than an earlier answer must stay
_LONGEST_BACK_OFF: Final = 30.0
_TINY: Final = 1e-3  # a pause of exactly the right length may have been slept
_RUNNING: Final = 4


@dataclass(frozen=True)
class Heard:
    """An answer, as far as the rules look at it.

    `holds`: how many seconds it must stay so to count; `credentials`: the refusal is one of who asks; `busy`:
    there were too many requests.
    """

    means: Means
    state: int = 0
    progress: int | None = None
    updated: int | None = None
    created: int | None = None
    retry_after: float | None = None
    holds: float = 0.0
    credentials: bool = False
    busy: bool = False


@dataclass(frozen=True)
class Look:
    """One request: when it was sent, when the answer was there, and what that was."""

    sent: float
    received: float
    heard: Heard


@dataclass(frozen=True)
class Rules:
    """The settings that decide about endings and pauses; `pauses` are the shortest and the longest one.

    `asked_pause` is the pause that the user has asked for, 0 for none.
    """

    timeout: float
    error_tolerance: float
    not_found_grace: float
    stall_timeout: float | None
    pauses: tuple[float, float]
    asked_pause: float = 0.0


def ending(looks: Sequence[Look], rules: Rules) -> str | None:
    """Say how the gate must end after these looks; `None`: it must look again."""
    looks = believable(looks)
    last = looks[-1]
    if last.heard.means is Means.UNTRUSTED:
        return "unavailable"
    if last.heard.means in _REFUSALS and (not usable(looks) or confirmed(looks)):
        return "rejected" if last.heard.means is Means.REJECTED else "unavailable"
    time_is_up = last.received >= rules.timeout
    if last.heard.means in USABLE:
        if last.heard.means is not Means.PENDING and _to_believe(looks) <= 0:
            return str(last.heard.means.value)
        if time_is_up:
            return "timeout" if rules.timeout else "pending"
        return "stalled" if _stall_left(looks, rules) <= 0 else None
    if not time_is_up and patience(looks, rules) > 0:
        return None
    if time_is_up and rules.timeout and usable(looks):
        return "timeout"
    if last.heard.means is Means.NOT_FOUND:
        return "not_found"
    doubtful = any(look.heard.means is Means.DOUBTFUL for look in _row(looks))
    return "inconsistent" if doubtful else "unavailable"


def patience(looks: Sequence[Look], rules: Rules) -> float:
    """Tell for how many seconds more answers like the last one are put up with."""
    looks = believable(looks)
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
    looks = believable(looks)
    left = rules.timeout - looks[-1].received
    if looks[-1].heard.means in USABLE:
        again = _to_believe(looks)
        # A setback within the time that an ending has to hold is to be seen: a look every three seconds.
        often = max(min(again, 3.0), rules.asked_pause)
        low, high = (often, often + 2 * _TINY) if again > 0 else rules.pauses
        left = min(left, max(_stall_left(looks, rules), 0.5))
    elif looks[-1].heard.retry_after is not None:
        low = high = max(looks[-1].heard.retry_after, 1.0)
    else:
        # What `max-interval` promises holds after an outage too.
        longest = min(_LONGEST_BACK_OFF, rules.pauses[1])
        low, high = min(1.0, longest), min(2.0 ** len(_row(looks)), longest)
        left = min(left, patience(looks, rules))
    return min(low, left), min(high, left)


def usable(looks: Sequence[Look]) -> list[Look]:
    """Return the answers that say what the job is."""
    return [look for look in looks if look.heard.means in USABLE]


def believable(looks: Sequence[Look]) -> list[Look]:
    """Take for doubtful what is about an older job than an earlier answer was."""
    newest = 0
    judged = []
    for look in looks:
        created = look.heard.created or 0
        older = look.heard.means in USABLE and 0 < created < newest
        judged.append(replace(look, heard=Heard(Means.DOUBTFUL)) if older else look)
        if look.heard.means in USABLE and not older:
            newest = max(newest, created)
    return judged


def confirmed(looks: Sequence[Look]) -> bool:
    """Say whether the last refusal has been repeated for long enough, with nothing else in between."""
    row = refusals(looks)
    return len(row) >= _REFUSALS_IN_A_ROW and row[-1].received - row[0].received >= _REFUSED_FOR


def refusals(looks: Sequence[Look]) -> list[Look]:
    """Return the refusals in a row up to the last answer."""
    row = takewhile(lambda look: look.heard.means in _REFUSALS, reversed(looks))
    return list(row)[::-1]


def _to_believe(looks: Sequence[Look]) -> float:
    """Say for how many seconds more an ending must be answered, and nothing else, before it counts."""
    *before, last = looks
    if last.heard.means is Means.PENDING:
        return 0.0
    newest = max((look.heard.updated or 0 for look in usable(before)), default=0)
    stale = last.heard.updated is not None and last.heard.updated < newest
    *_, first = _the_same(looks)
    holds = max(last.heard.holds, _STALE_HOLDS if stale else 0.0)
    left = holds - (last.received - first.received)
    return left if left > _TINY else 0.0


def _the_same(looks: Sequence[Look]) -> Iterator[Look]:
    """Go back from the last answer as long as each could be used and said the same state."""
    state = looks[-1].heard.state
    return takewhile(lambda look: look.heard.means in USABLE and look.heard.state == state, reversed(looks))


def _row(looks: Sequence[Look]) -> list[Look]:
    """Get the unusable answers since the last usable one."""
    row = takewhile(lambda look: look.heard.means not in USABLE, reversed(looks))
    return list(row)[::-1]


def _tolerance(looks: Sequence[Look], rules: Rules) -> float:
    if usable(looks):
        return rules.error_tolerance
    nameless = all(look.heard.means is Means.NO_ADDRESS for look in _row(looks))
    return min(rules.error_tolerance, 15.0 if nameless else 120.0)


def _stall_left(looks: Sequence[Look], rules: Rules) -> float:
    """Tell for how many seconds more a running job may stand still."""
    if rules.stall_timeout is None or looks[-1].heard.state != _RUNNING:
        return float("inf")
    good = usable(looks)
    moves = [(look.heard.state, look.heard.progress, look.heard.updated) for look in good]
    still = takewhile(lambda pair: pair[1] == moves[-1], zip(reversed(good), reversed(moves), strict=True))
    *_, (first, _) = still
    return rules.stall_timeout - (looks[-1].received - first.received)
