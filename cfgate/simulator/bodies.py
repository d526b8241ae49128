"""What stands in an answer: the job, the error pages, and bodies that are no answer at all."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import formatdate
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from cfgate.model import JobState
from cfgate.simulator.faults import Junk
from cfgate.simulator.scenario import Guess, Unset

if TYPE_CHECKING:
    from cfgate.simulator.faults import Instead
    from cfgate.simulator.life import Look

JSON: Final = "application/json"
HTML: Final = "text/html; charset=utf-8"
MACHINES: Final = 20  # of every image

_MISSING: Final = "$missing"
_VARIABLE: Final = re.compile(r"\$(id|now|date)(?:([+-][0-9]{1,9})(?![0-9]))?")
_LOGIN_PAGE: Final = b"<!doctype html>\n<html><title>Sign in</title><h1>Sign in to continue</h1></html>\n"
_DEPTH: Final = 100_000
# What the live API has been seen to say, or public clients look for.
_CAPTURED: Final[Mapping[int, str]] = {403: "forbidden", 404: "no rows in result set"}

_BEFORE_ITS_TIME: Final[Mapping[Unset, Mapping[str, Any]]] = {
    Unset.NULL: {"jobstart": None, "jobeta": None, "joberror": None},
    Unset.MISSING: {},
    Unset.EMPTY: {"jobstart": "", "jobeta": "", "joberror": ""},
    Unset.ZERO: {"jobstart": "0", "jobeta": 0, "joberror": ""},
}

Moment = Callable[[float], int]


def job(id_field: str, job_id: int, look: Look, moment: Moment, unset: Unset) -> dict[str, Any]:
    """Make the fields of a job, with the types that the documentation gives them (image-version-status page).

    `moment` turns seconds of the life into Unix seconds of the server; `id_field` is what names the job.
    """
    fields: dict[str, Any] = {
        id_field: job_id,
        "jobcreated": moment(0.0),
        **_BEFORE_ITS_TIME[unset],
        "jobfailed": look.stage.failures,
        "jobprogress": look.progress,
        "jobstateid": look.stage.state.id,
        "jobstatename": look.stage.name,
        "jobupdated": moment(look.updated),
        "success": True,  # of the request, not of the job
    }
    if look.stage.error:
        fields["joberror"] = look.stage.error
    if look.started is not None:
        fields["jobstart"] = str(moment(look.started))  # a string in the documentation, alone among the times
    if look.eta is not None:
        fields["jobeta"] = moment(look.eta)
    elif look.stage.eta.guess is Guess.ZERO:
        fields["jobeta"] = 0
    return dict(sorted(fields.items()))


def diff(job_id: int, look: Look, moment: Moment, unset: Unset) -> dict[str, Any]:
    """Make the fields of an image diff: a job, and maps of what is different (image-diff-status page)."""
    maps = {"added": {"new.pak": 1}, "modified": {"server.bin": 2}, "removed": {}}
    return job("diffid", job_id, look, moment, unset) | maps


def machines(image_id: int, look: Look, moment: Moment, unset: Unset) -> dict[str, Any]:  # noqa: ARG001 - a route
    """Count the machines of a roll-out that has come as far as the job: none before it is Running."""
    state = look.stage.state
    if state not in (JobState.RUNNING, JobState.COMPLETED, JobState.FAILED):
        return {"pending_machines": 0, "failed_machines": 0, "completed_machines": 0}
    done = MACHINES if state is JobState.COMPLETED else MACHINES * look.progress // 100
    left = MACHINES - done
    failed = left if state is JobState.FAILED else 0
    return {"pending_machines": left - failed, "failed_machines": failed, "completed_machines": done}


@dataclass(frozen=True, slots=True)
class Filler:
    """Puts the id asked for and the server's time where a scenario says `$id`, `$now` or `$date`."""

    job_id: int
    now: float  # Unix seconds of the server

    def text(self, text: str) -> str:
        """Fill in a text."""
        return _VARIABLE.sub(lambda match: str(self._value(match)), text)

    def fields(self, true: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
        """Replace fields of the `true` answer by those that a scenario wants, and add what is new."""
        merged = {**true, **other}
        return {name: self._filled(value) for name, value in merged.items() if value != _MISSING}

    def headers(self, true: Mapping[str, str], other: Mapping[str, str]) -> dict[str, str]:
        """Do the same for headers, whose names have no case."""
        replaced = {name.lower() for name in other}
        merged = {name: value for name, value in true.items() if name.lower() not in replaced} | {**other}
        return {name: self.text(value) for name, value in merged.items() if value != _MISSING}

    def _filled(self, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        alone = _VARIABLE.fullmatch(value)
        return self._value(alone) if alone else self.text(value)

    def _value(self, match: re.Match[str]) -> int | str:
        shift = int(match[2] or 0)
        if match[1] == "id":
            return self.job_id + shift
        return formatdate(self.now + shift, usegmt=True) if match[1] == "date" else int(self.now + shift)


def encoded(value: Mapping[str, Any]) -> bytes:
    """Write JSON as it goes over the wire."""
    return json.dumps(value).encode()


def envelope(message: str) -> bytes:
    """Make an error in the form that was captured from the live API."""
    return encoded(
        {
            "messages": [],
            "error_code": 1,
            "error_message": message,
            "_debug": [],
            "success": False,
            "error": True,
        }
    )


def phrase_of(status: int) -> str:
    """Return the words that belong to an HTTP status; none for one that nobody has defined."""
    return HTTPStatus(status).phrase if status in HTTPStatus.__members__.values() else ""


def error_page(status: int) -> tuple[bytes, str]:
    """Return the usual body of an error, and its content type: Clanforge speaks JSON, proxies HTML."""
    phrase = phrase_of(status)
    if status < 400:
        return b"", JSON
    if status >= 500:
        return f"<html><body>{status} {phrase}</body></html>".encode(), HTML
    if status == HTTPStatus.UNAUTHORIZED:
        return encoded({"error": "unauthorized"}), JSON
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return encoded({}), JSON
    return envelope(_CAPTURED.get(status, phrase.lower() or "error")), JSON


def junk(instead: Instead, true: bytes) -> tuple[bytes, dict[str, str]]:
    """Make a body that is no answer, from the `true` one where that hides it best; and its headers."""
    padded = true + b" " * max(instead.size - len(true), 0)
    match instead.junk:
        case Junk.HTML:
            return _LOGIN_PAGE, {"Content-Type": HTML}
        case Junk.EMPTY:
            return b"", {}
        case Junk.NOT_UTF8:
            return true[:-1] + b', "note": "\xff\xfe"}', {}
        case Junk.DEEP:
            return b"[" * _DEPTH + b"]" * _DEPTH, {}
        case Junk.HUGE:
            return padded, {}
        case Junk.GZIP_BOMB:
            return gzip.compress(padded, 1, mtime=0), {"Content-Encoding": "gzip"}
