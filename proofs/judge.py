"""What an HTTP answer means by docs/verdicts.md, rules 1 to 8: the part of the oracle that reads bytes.

As in `oracle`, nothing of cfgate is imported.
"""

from __future__ import annotations

import json
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


class _DoubtfulError(Exception):
    """The answer contradicts itself or the question."""


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
        if job.get("error") or message or job.get("success") is False:
            forbidden = isinstance(message, str) and "forbidden" in message.lower()
            return Heard(Means.REJECTED, credentials=True) if forbidden else Heard(Means.NO_ANSWER)
    try:
        return _by_fields(job, *asked) if asked[0] else _by_machines(job)
    except _DoubtfulError:
        return Heard(Means.DOUBTFUL)


def _by_status(status: int, headers: Mapping[str, str], local_time: float) -> Heard:
    """Apply rules 1 and 2."""
    if status in (408, 425, 429) or status >= 500 or status < 300:
        return Heard(Means.NO_ANSWER, retry_after=_retry_after(headers, local_time))
    if status == 404:
        return Heard(Means.NOT_FOUND)
    return Heard(Means.REJECTED, credentials=status in (401, 403))


def _retry_after(headers: Mapping[str, str], local_time: float) -> float | None:
    """Read seconds or a date; a date counts from the answer's own, for the local clock may be wrong."""
    value = headers.get("retry-after", "")
    if re.fullmatch(r"[0-9]{1,10}", value):
        return min(float(value), 365 * 86_400.0)
    own = _unix(headers.get("date", ""))
    then = _unix(value)
    if then is None:
        return None
    return min(max(then - (local_time if own is None else own), 0.0), 365 * 86_400.0)


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
            if any(key == other and repr(value) != repr(rest) for other, rest in found[:at]):
                raise _DoubtfulError
        return dict(found)

    def constant(name: str) -> None:
        raise ValueError(name)

    if len(body) > 1 << 20:
        raise ValueError
    value = json.loads(body.decode("utf-8-sig"), object_pairs_hook=pairs, parse_constant=constant)
    if not isinstance(value, dict) or _depth(value) > 65:
        raise ValueError
    return value


def _depth(value: object) -> int:
    """Count the levels of nesting; a number has one."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + max(map(_depth, inner), default=0)


def _by_machines(counts: Mapping[str, Any]) -> Heard:
    """Apply the rules of roll-outs."""
    if counts.get("success", True) is not True or counts.get("error") or counts.get("error_message"):
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
    if numbers[id_field] != asked:
        raise _DoubtfulError
    state = _state(job, numbers["jobstateid"])
    failed_request = job.get("success") is False or bool(job.get("error"))
    if state <= 4 and failed_request:
        raise _DoubtfulError
    if state == 5 and (job.get("success", True) is not True or job.get("error") or job.get("joberror")):
        raise _DoubtfulError
    means = {5: Means.READY, 6: Means.FAILED, 7: Means.SQUASHED}.get(state, Means.PENDING)
    progress, updated = numbers["jobprogress"], numbers["jobupdated"]
    return Heard(
        means,
        state,
        progress if progress is not None and 0 <= progress <= 100 else None,
        updated if updated is not None and 0 < updated <= _END_OF_TIME else None,
    )


def _number(value: object) -> int | None:
    if isinstance(value, bool):
        raise _DoubtfulError
    if isinstance(value, int) or (isinstance(value, float) and value % 1 == 0):
        return int(value)
    if isinstance(value, str) and re.fullmatch(r" *[+-]?[0-9]{1,18} *", value):
        return int(value)
    return None


def _state(job: Mapping[str, Any], number: int | None) -> int:
    """Find the one state that id and name speak of."""
    name = job.get("jobstatename")
    if number is None and job.get("jobstateid") not in (None, ""):
        raise _DoubtfulError
    if name in (None, ""):
        by_name = None
    else:
        word = name.strip().lower() if isinstance(name, str) else ""
        word = "completed" if word == "complete" else word
        if word not in _NAMES:
            raise _DoubtfulError
        by_name = _NAMES.index(word) + 1
    if number == 0 and by_name is not None and by_name <= 4:
        number = None
    known = {state for state in (number, by_name) if state is not None}
    if len(known) != 1 or not known <= set(range(1, 8)):
        raise _DoubtfulError
    return known.pop()
