"""What an HTTP answer means by docs/verdicts.md, rules 1 to 8: the part of the oracle that reads bytes.

As in `oracle`, nothing of cfgate is imported.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Any, Final

from proofs.oracle import Heard, Means

_NAMES: Final = ("created", "pending", "queued", "running", "completed", "failed", "squashed")
_NUMBERS: Final = (
    "jobstateid",
    "jobprogress",
    "jobfailed",
    "jobcreated",
    "jobstart",
    "jobupdated",
    "jobeta",
)
_END_OF_TIME: Final = 253_402_300_799  # the last second of the year 9999


# Not of use now, perhaps later.
_NOT_NOW: Final = (304, 408, 421, 425, 429)


class _DoubtfulError(Exception):
    """The answer contradicts itself or the question."""


class _Written(str):
    """A number of the answer that is not a short integer: its text."""

    __slots__ = ()


def judge(
    status: int, headers: Mapping[str, str], body: bytes, asked: tuple[str, int], local_time: float
) -> Heard:
    """Say what an answer means.

    `asked` is the field that must hold the id, empty for a roll-out, and the id. Names of `headers` are in
    lower case; `local_time` is Unix time.
    """
    if status != 200:
        return _by_status(status, headers, local_time)
    try:
        job = _object(body)
    except _DoubtfulError:
        return Heard(Means.DOUBTFUL)
    except (ValueError, RecursionError):
        return Heard(Means.NO_ANSWER)
    if not any(re.fullmatch("job.*" if asked[0] else ".*_machines", name, re.DOTALL) for name in job):
        message = job.get("error_message")
        if _true(job.get("error")) or _true(message) or job.get("success") is False:
            forbidden = isinstance(message, str) and "forbidden" in message.lower()
            return Heard(Means.REJECTED, credentials=True) if forbidden else Heard(Means.NO_ANSWER)
    try:
        heard = _by_fields(job, *asked) if asked[0] else _by_machines(job, asked[1])
    except _DoubtfulError:
        return Heard(Means.DOUBTFUL)
    # A letter in another encoding takes nothing from a bad end, and all trust from a good one.
    broken = body.decode(errors="ignore").encode() != body
    return Heard(Means.DOUBTFUL) if broken and heard.means is Means.READY else heard


def _by_status(status: int, headers: Mapping[str, str], local_time: float) -> Heard:
    """Apply rules 1 and 2."""
    if status in _NOT_NOW or status >= 500 or status < 300:
        return Heard(Means.NO_ANSWER, retry_after=_retry_after(headers, local_time), busy=status == 429)
    if status == 404:
        return Heard(Means.NOT_FOUND)
    return Heard(Means.REJECTED, credentials=status in (401, 403))


def _retry_after(headers: Mapping[str, str], local_time: float) -> float | None:
    """Read seconds or a date; a date counts from the answer's own, for the local clock may be wrong."""
    value = _once(headers.get("retry-after", ""))
    if re.fullmatch(r"[0-9]{1,10}(\.[0-9]{1,10})?", value):
        return min(math.ceil(float(value)), 365 * 86_400.0)
    own = _unix(headers.get("date", ""))
    then = _unix(value)
    if then is None:
        return None
    return min(max(then - (local_time if own is None else own), 0.0), 365 * 86_400.0)


def _once(value: str) -> str:
    """Read a header that two machines have set to the same as one."""
    parts = [part.strip() for part in value.split(",")]
    first, second = parts[: len(parts) // 2], parts[len(parts) // 2 :]
    return ", ".join(first if first == second else parts)


def _unix(date: str) -> float | None:
    """Read a date as Unix seconds; without a zone it is UTC."""
    try:
        read = parsedate_to_datetime(date)
        return (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None


def _object(body: bytes) -> dict[str, Any]:
    """Apply rule 3, and rule 5 as far as it is about keys; raise ValueError for what is no answer."""

    def pairs(found: list[tuple[str, Any]]) -> dict[str, Any]:
        for at, (key, value) in enumerate(found):
            if any(key == other and not _same(value, rest) for other, rest in found[:at]):
                raise _DoubtfulError
        return dict(found)

    def constant(name: str) -> None:
        raise ValueError(name)

    def integer(text: str) -> int | _Written:
        return int(text) if len(text.lstrip("-")) <= 18 else _Written(text)

    if len(body) > 1 << 20:
        raise ValueError
    value = json.loads(
        body.decode("utf-8-sig", errors="replace"),
        object_pairs_hook=pairs,
        parse_constant=constant,
        parse_int=integer,
        parse_float=_Written,
    )
    if not isinstance(value, dict) or _depth(value) > 65:
        raise ValueError
    return value


def _same(one: object, other: object) -> bool:
    """Compare two values to the type: 1 is neither true nor 1.0."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return one == other


def _true(value: object) -> bool:
    """Say whether a field says anything: 0 in whatever form does not."""
    return bool(re.search("[1-9]", re.split("[eE]", value)[0]) if isinstance(value, _Written) else value)


def _depth(value: object) -> int:
    """Count the levels of nesting; a number has one."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + max(map(_depth, inner), default=0)


def _by_machines(counts: Mapping[str, Any], asked: int) -> Heard:
    """Apply the rules of roll-outs; an answer that is about something else as well is doubtful."""
    another = counts.get("imageid") is not None and _number(counts["imageid"]) != asked
    if another or any(name.startswith("job") for name in counts):
        raise _DoubtfulError
    if counts.get("success", True) is not True or _true(counts.get("error")):
        raise _DoubtfulError
    if _true(counts.get("error_message")):
        raise _DoubtfulError
    numbers = [_number(counts.get(f"{kind}_machines")) for kind in ("pending", "failed", "completed")]
    pending, failed, completed = (-1 if number is None else number for number in numbers)
    if min(pending, failed, completed) < 0:
        raise _DoubtfulError
    total = pending + failed + completed
    progress = completed * 100 // total if total else 0
    if failed:
        return Heard(Means.FAILED, 6, progress)
    if pending:
        return Heard(Means.PENDING, 4, progress)
    return Heard(Means.READY, 5, progress, holds=10.0) if completed else Heard(Means.PENDING, 3, progress)


def _by_fields(job: Mapping[str, Any], id_field: str, asked: int) -> Heard:
    """Apply rules 5 to 8."""
    numbers = {name: _number(job.get(name)) for name in (id_field, *_NUMBERS)}
    numbers["jobprogress"] = _rounded_down(job.get("jobprogress"))
    if numbers[id_field] != asked:
        raise _DoubtfulError
    state = _state(job, numbers["jobstateid"])
    failed_request = job.get("success") is False or _true(job.get("error"))
    if state <= 4 and failed_request:
        raise _DoubtfulError
    texts = ("error", "error_message", "joberror")
    if state == 5 and (job.get("success", True) is not True or any(_true(job.get(name)) for name in texts)):
        raise _DoubtfulError
    means = {5: Means.READY, 6: Means.FAILED, 7: Means.SQUASHED}.get(state, Means.PENDING)
    progress = numbers["jobprogress"]
    return Heard(
        means,
        state,
        progress if progress is not None and 0 <= progress <= 100 else None,
        _moment(numbers["jobupdated"]),
        _moment(numbers["jobcreated"]),
    )


def _moment(seconds: int | None) -> int | None:
    return seconds if seconds is not None and 0 < seconds <= _END_OF_TIME else None


def _text(value: object) -> str:
    """Get the text of a number, or of a string that may hold one; empty for anything else."""
    if isinstance(value, bool):
        raise _DoubtfulError
    if isinstance(value, _Written):
        return str(value)
    return value.strip(" ") if isinstance(value, str) else str(value) if isinstance(value, int) else ""


def _number(value: object) -> int | None:
    """Read a whole number from its text; it has 18 digits at most, and zeros only behind a point."""
    found = re.fullmatch(r"([+-]?[0-9]{1,18})(\.0{1,18})?", _text(value))
    return int(found[1]) if found else None


def _rounded_down(value: object) -> int | None:
    """Read a number that may have a fraction, and is not below 0."""
    found = re.fullmatch(r"(\+?[0-9]{1,18})(\.[0-9]{1,100})?", _text(value))
    return int(found[1]) if found else None


def _state(job: Mapping[str, Any], number: int | None) -> int:
    """Find the one state that id and name speak of."""
    name = job.get("jobstatename")
    if number is None and job.get("jobstateid") not in (None, ""):
        raise _DoubtfulError
    if name in (None, ""):
        by_name = None
    else:
        word = name.strip(" \t\r\n").lower() if isinstance(name, str) else ""
        word = "completed" if word == "complete" else word
        if word not in _NAMES:
            raise _DoubtfulError
        by_name = _NAMES.index(word) + 1
    if number == 0 and by_name is not None and by_name <= 4:
        number = None
    known = {state for state in (number, by_name) if state is not None}
    if len(known) != 1 or not known <= set(range(1, len(_NAMES) + 1)):
        raise _DoubtfulError
    return known.pop()
