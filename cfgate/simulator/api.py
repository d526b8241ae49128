"""Clanforge's side of the conversation: which request gets which answer. No sockets here.

A new endpoint is one more line in `ROUTES`.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from functools import partial
from hmac import compare_digest
from http import HTTPStatus
from threading import Lock
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs

from cfgate.model import JobState
from cfgate.simulator import bodies
from cfgate.simulator.life import Look, look
from cfgate.simulator.scenario import Begins, Unset

if TYPE_CHECKING:
    from cfgate.simulator.faults import Connection, Fault
    from cfgate.simulator.scenario import Scenario


@dataclass(frozen=True, slots=True)
class Route:
    """An endpoint: its path, with the groups `id` and perhaps `asid`, and the fields of its answer."""

    path: re.Pattern[str]
    fields: Callable[[int, Look, bodies.Moment, Unset], dict[str, Any]]


ROUTES: Final = (
    Route(
        re.compile(r"/cfp/v1/imageversion/(?P<id>[0-9]{1,18})/status"),
        partial(bodies.job, "imageversionid"),
    ),
    Route(re.compile(r"/cfp/v1/imageupdate/(?P<id>[0-9]{1,18})/status"), partial(bodies.job, "updateid")),
    Route(re.compile(r"/cfp/v1/imagediff/(?P<id>[0-9]{1,18})/status"), bodies.diff),
    Route(
        re.compile(r"/cfp/v2/project/(?P<asid>[0-9]{1,18})/image/(?P<id>[0-9]{1,18})/status"),
        bodies.machines,
    ),
)


@dataclass(frozen=True, slots=True)
class Access:
    """Who may ask. Nothing set: everybody. `account_service_id` `None`: for any account."""

    access_key: str = field(default="", repr=False)
    secret_key: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    account_service_id: int | None = None


@dataclass(frozen=True, slots=True)
class Response:
    """An answer and how it is to be sent. `summary` is a description of it; `delay` is real seconds."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    summary: str
    delay: float = 0.0
    connection: Connection | None = None


@dataclass(slots=True)
class _Life:
    """One job: when its life began (seconds of the local clock), and how often it was asked about."""

    born: float
    requests: int = 0


class Api:
    """Answers requests; may be asked from many threads. `clock` gives Unix seconds."""

    def __init__(self, scenario: Scenario, access: Access, speed: float, clock: Callable[[], float]) -> None:
        self._scenario = scenario
        self._access = access
        self._speed = speed
        self._clock = clock
        self._started = clock()
        self._lives: dict[tuple[Route, int], _Life] = {}
        self._lock = Lock()

    def answer(self, method: str, target: str, authorization: str) -> Response:
        """Answer one request; `target` is path and query, `authorization` the header of that name."""
        path, _, query = target.partition("?")
        route, found = _find(path)
        if route is None or found is None:
            return self._refusal(404, "no such endpoint")
        if method != "GET":
            return self._refusal(405, f"{method} is not allowed", {"Allow": "GET"})
        scheme = self._scheme(authorization)
        if scheme is None:
            return self._refusal(401, "wrong credentials", {"WWW-Authenticate": 'Basic realm="Clanforge"'})
        job_id = int(found["id"])
        account = found.groupdict().get("asid")
        if not self._is_account(account, query, optional=scheme == "bearer"):
            return self._refusal(403, "forbidden: wrong accountserviceid")
        if self._scenario.known and job_id not in self._scenario.known:
            return self._refusal(404, "unknown id")
        return self._play(route, job_id)

    def _scheme(self, authorization: str) -> str | None:
        """Return the scheme of good credentials in lower case ("" when everybody may ask), or `None`."""
        access = self._access
        if not (access.access_key or access.secret_key or access.token):
            return ""
        scheme, _, given = authorization.partition(" ")
        pair = b64encode(f"{access.access_key}:{access.secret_key}".encode()).decode()
        good = {"basic": pair if access.access_key else "", "bearer": access.token}.get(scheme.lower(), "")
        same = compare_digest(given.strip().encode(errors="replace"), good.encode(errors="replace"))
        return scheme.lower() if good and same else None

    def _is_account(self, account: str | None, query: str, *, optional: bool) -> bool:
        """Check the ASID, of the path or the query; there, with a bearer token, it may be left out."""
        wanted = self._access.account_service_id
        given = [account] if account else parse_qs(query, keep_blank_values=True).get("accountserviceid", [])
        return wanted is None or given == [str(wanted)] or (optional and not given)

    def _play(self, route: Route, job_id: int) -> Response:
        """Answer as the scenario has it."""
        now = self._clock()
        with self._lock:
            at_start = self._scenario.begins is Begins.AT_START
            life = self._lives.setdefault((route, job_id), _Life(self._started if at_start else now))
            life.requests += 1
            number = life.requests
        elapsed = (now - life.born) * self._speed
        seen = look(self._scenario, elapsed, job_id)
        fault = self._scenario.fault(number, elapsed, seen.stage.state)
        filler = bodies.Filler(job_id, now + self._scenario.date_offset)
        fields = route.fields(job_id, seen, partial(self._moment, life), self._scenario.unset)
        fields = filler.fields(filler.fields(fields, seen.stage.fields), fault.fields)
        status, headers, body, summary = _content(fault, fields, filler, seen)
        return Response(
            status=status,
            headers=filler.headers(self._headers(body, headers), fault.headers),
            body=body,
            summary=summary,
            delay=fault.delay / self._speed,
            connection=fault.connection,
        )

    def _moment(self, life: _Life, seconds: float) -> int:
        """Turn seconds of a life into Unix seconds of the server."""
        return int(life.born + seconds / self._speed + self._scenario.date_offset)

    def _headers(self, body: bytes, more: Mapping[str, str]) -> dict[str, str]:
        return {
            "Date": formatdate(self._clock() + self._scenario.date_offset, usegmt=True),
            "Server": "cfgate-simulator",
            "Content-Length": str(len(body)),
            "Content-Type": bodies.JSON,
            **more,
        }

    def _refusal(self, status: int, summary: str, headers: Mapping[str, str] | None = None) -> Response:
        """Refuse what no scenario is asked about."""
        body, content_type = bodies.error_page(status)
        more = {"Content-Type": content_type, **(headers or {})}
        return Response(status, self._headers(body, more), body, summary)


def _find(path: str) -> tuple[Route | None, re.Match[str] | None]:
    for route in ROUTES:
        if match := route.path.fullmatch(path):
            return route, match
    return None, None


def _content(
    fault: Fault, fields: Mapping[str, Any], filler: bodies.Filler, seen: Look
) -> tuple[int, dict[str, str], bytes, str]:
    """Return the status, the headers that differ from the usual ones, the body, and what it is in words."""
    status = fault.status or HTTPStatus.OK.value
    true = bodies.encoded(fields)
    if fault.body is not None:
        return status, {}, filler.text(fault.body).encode(), "a body from the scenario"
    if fault.instead is not None:
        body, headers = bodies.junk(fault.instead, true)
        return status, headers, body, fault.instead.junk.value
    if fault.status is not None and fault.status != HTTPStatus.OK and not fault.fields:
        body, content_type = bodies.error_page(status)
        return status, {"Content-Type": content_type}, body, bodies.phrase_of(status)
    return status, {}, true, _in_words(fields, altered=bool(fault.fields or seen.stage.fields))


def _in_words(fields: Mapping[str, Any], *, altered: bool) -> str:
    """Describe an answer, for the record."""
    if "pending_machines" in fields:
        summary = ", ".join(f"{count} {name}" for name, count in fields.items() if name.endswith("_machines"))
        summary = summary.replace("_machines", "")
    else:
        name = str(fields.get("jobstatename", "no state"))
        summary = f"{name} {fields.get('jobprogress')} %" if name in JobState.RUNNING.names else name
    return summary[:80] + (", altered" if altered else "")
