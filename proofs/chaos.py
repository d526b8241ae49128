"""An API in virtual time that has good days and bad ones: lives of jobs, and everything that goes wrong."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from random import Random
from typing import Any, Final, Protocol

from requests.structures import CaseInsensitiveDict

from cfgate.errors import NoAnswer, Unresolved, Unsuited, Untrusted
from cfgate.model import Answer, Resource, Target
from cfgate.rules.answer import judge as judge_answer
from proofs.judge import judge
from proofs.oracle import Heard, Look, Means

STATES: Final = ("Created", "Pending", "Queued", "Running", "Completed", "Failed", "Squashed")
_HOSTILE: Final = "::error::x\r\n##[set-output name=ready]true\x1b[2J|`<b>]]>\u202e\ud800%0A$(id)"
# Values that some field may have, and hardly ever should.
_ODD: Final[tuple[Any, ...]] = (
    None, True, False, 0, 1, 5, -1, 7, 8, 100, 101, 10**17, 1.5, 5.0, 1e16, "", "5", " 5 ", "+5",
    "0", "5.0", "٥", "Completed", "COMPLETE", " completed\n", "Failed", "Archived", _HOSTILE, [], {},
    ["Completed"], {"jobstateid": 5},
)  # fmt: skip
_COMMON: Final = ("success", "error", "error_message", "messages")
LIVES: Final[Mapping[str, tuple[str, ...]]] = {
    "good": ("Created", "Queued", "Running", "Completed"),
    "retried": ("Running", "Queued", "Running", "Completed"),
    "failed": ("Queued", "Running", "Failed"),
    "squashed": ("Pending", "Squashed"),
    "stuck": ("Running",),
    "forgotten": ("Created",),
    "put back": ("Running", "Failed", "Running", "Completed"),
}
_MACHINES: Final = 20

Payload = dict[str, Any]


@dataclass
class Wire:
    """An HTTP answer before it is sent."""

    payload: Payload
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    raw: bytes | None = None

    @property
    def body(self) -> bytes:
        """The bytes of the body."""
        return json.dumps(self.payload).encode() if self.raw is None else self.raw


def _busy(random: Random, wire: Wire, now: float) -> None:
    wire.status = random.choice((408, 425, 429, 429, 429, 500, 502, 503, 503, 504, 599, 204, 206, 304, 421))
    dates = [formatdate(now + random.choice((-5, 3, 90, 10**6)), usegmt=True)]
    values = ("0", "1", "2", "17", "120", "3600", "9999999999", "2.5", "3, 3", "soon", "", "-3", *dates)
    if random.random() < 0.6:
        wire.headers["Retry-After"] = random.choice(values)


def _refused(random: Random, wire: Wire, _: float) -> None:
    wire.status = random.choice((301, 302, 307, 400, 401, 403, 405, 410, 422, 451, 499))
    wire.headers["Location"] = random.choice(("https://user:pw@elsewhere.test/?x=1", "/", "http://[", ""))
    if random.random() < 0.5:
        wire.headers["Server"] = "a firewall"
        wire.raw = b"<html><title>Blocked</title></html>"


def _unknown(_: Random, wire: Wire, __: float) -> None:
    wire.status = 404


def _junk(random: Random, wire: Wire, _: float) -> None:
    whole = wire.body
    junk = (
        b"", b" \r\n", b"<!doctype html><title>Sign in</title>", b"<?xml version='1.0'?>", b"Completed",
        b"[" * 100_000, b"{" * 100, b"[]", b"5", b"null", b'"Completed"', b"\xff\xfe", whole[:-1], whole[1:],
        whole + b"x", whole[:-1] + b', "x": NaN}', whole + b" " * (1 << 20), b"\xef\xbb\xbf" + whole,
        whole[:-1] + b', "x": 4.9999999999999999999}', whole[:-1] + b', "x": ' + b"9" * 4300 + b"}",
        whole[:-1] + b', "x": "\xe9"}', whole[:-1] + b', "jobstateid": 5}',
        whole[:-1] + b', "x": ' + b"[" * 70 + b"]" * 70 + b"}",
    )  # fmt: skip
    wire.raw = random.choice(junk)


def _envelope(random: Random, wire: Wire, _: float) -> None:
    message = random.choice(("image locked by diffid: 218595", "", None, _HOSTILE, "x" * 5000))
    wire.payload = {
        "messages": [],
        "error_code": 1,
        "error_message": message,
        "success": False,
        "error": True,
    }


def _forbidden(_: Random, wire: Wire, __: float) -> None:
    wire.payload = {"error_message": "Forbidden for this account", "success": False}


def _odd(random: Random, wire: Wire, _: float) -> None:
    for name in random.sample(sorted({*wire.payload, *_COMMON}), random.randint(1, 3)):
        wire.payload[name] = random.choice(_ODD)
        if random.random() < 0.3:
            del wire.payload[name]


def _another(_: Random, wire: Wire, __: float) -> None:
    for name in filter(None, (resource.id_field for resource in Resource)):
        if name in wire.payload:
            wire.payload[name] += 1


def _stale(random: Random, wire: Wire, _: float) -> None:
    """Answer from a replica that lags behind, or from one whose clock is ahead."""
    if "jobupdated" in wire.payload:
        wire.payload["jobupdated"] += random.choice((-1000, -10, -1, 10**6))


def _older(random: Random, wire: Wire, _: float) -> None:
    """Answer about an older job: how an earlier version of the same id has ended."""
    if "jobcreated" in wire.payload:
        before = random.choice((1, 3600))
        state = random.choice(("Completed", "Failed", "Running"))
        wire.payload |= {"jobstateid": STATES.index(state) + 1, "jobstatename": state}
        wire.payload["jobcreated"] -= before
        wire.payload["jobupdated"] -= before


def _liar(random: Random, wire: Wire, _: float) -> None:
    """Claim another state, in good order."""
    state = random.choice(STATES)
    if "jobstateid" in wire.payload:
        wire.payload |= {"jobstateid": STATES.index(state) + 1, "jobstatename": state}
    else:
        wire.payload |= _machines(state, 50)


def _machines(state: str, progress: int) -> Payload:
    """Count machines as a roll-out in this state does."""
    done = {"Running": _MACHINES * progress // 100, "Completed": _MACHINES, "Failed": 3}.get(state, 0)
    failed = 2 if state == "Failed" else 0
    begun = state in ("Running", "Completed", "Failed")
    left = _MACHINES - done - failed if begun else 0
    return {"pending_machines": left, "failed_machines": failed, "completed_machines": done}


Trouble = Callable[[Random, Wire, float], None]
_PASSING: Final[tuple[Trouble, ...]] = (
    _busy,
    _busy,
    _junk,
    _envelope,
    _odd,
    _odd,
    _another,
    _stale,
    _older,
    _unknown,
    _refused,
)
_GRAVE: Final[tuple[Trouble, ...]] = (_refused, _forbidden, _liar)


class Clock(Protocol):
    """What an API in virtual time must know of time."""

    @property
    def now(self) -> float:
        """Seconds since the run began."""

    def spend(self, seconds: float) -> None:
        """Let time pass."""

    def time(self) -> float:
        """Unix time as the machine of the gate believes it."""

    def true_time(self) -> float:
        """Unix time as it is."""


@dataclass
class Weather:
    """What the APIs of a run have in common: when an outage begins and ends, and the most requests a second.

    Apart from that they have good days only.
    """

    outage: tuple[float, float] = (0.0, 0.0)
    limit: float = float("inf")
    _free: float = 0.0

    def admits(self, now: float) -> bool:
        """Take one more request, or say that there are too many: ten may come at once."""
        self._free = max(self._free, now) + 1 / self.limit
        if self._free - now <= 10 / self.limit:
            return True
        self._free -= 1 / self.limit
        return False


class Api:
    """Asked by one gate about one target; `looks` notes what each answer means by the rules."""

    def __init__(
        self,
        random: Random,
        clock: Clock,
        target: Target,
        request_timeout: float,
        weather: Weather | None = None,
    ) -> None:
        self.looks: list[Look] = []
        self._random = random
        self._clock = clock
        self._target = target
        self._asked = target.resource.id_field, target.id
        self._request_timeout = request_timeout
        self._dated = random.random() < 0.9
        self._bad = random.choice((0.0, 0.05, 0.1, 0.1, 0.3, 0.9))
        self._grave = random.choice((0.0, 0.0, 0.0, 0.02))
        self._down = [
            sorted(random.uniform(0, 2000) for _ in range(2)) for _ in range(random.choice((0, 0, 1)))
        ]
        self._weather = weather
        if weather is not None:
            self._bad, self._grave, self._down = 0.0, 0.0, [list(weather.outage)]
        self._life = self._a_life()

    def ask(self, count: Callable[[], None]) -> Answer:
        """Send a request: let it take its time, answer it, and note what the answer means."""
        count()
        sent = self._clock.now
        if self._random.random() < self._bad * 0.2:
            self._clock.spend(self._request_timeout)
            return self._breaks(sent, NoAnswer("time-out"), Means.NO_ANSWER)
        self._clock.spend(self._request_timeout * self._random.choice((0.0, 0.01, 0.1, 0.9)))
        if self._is_down() or self._random.random() < self._bad * 0.2:
            return self._broken(sent)
        return self._answered(sent, self._wire())

    def _breaks(self, sent: float, error: Exception, means: Means) -> Answer:
        self.looks.append(Look(sent, self._clock.now, Heard(means)))
        raise error

    def _broken(self, sent: float) -> Answer:
        """Fail below HTTP."""
        if self._random.random() < self._grave:
            return self._breaks(sent, Untrusted("the certificate has expired"), Means.UNTRUSTED)
        if self._random.random() < self._grave:
            return self._breaks(sent, Unsuited("it wants a client certificate"), Means.UNSUITED)
        if self._random.random() < 0.3:
            return self._breaks(sent, Unresolved("no address found"), Means.NO_ADDRESS)
        return self._breaks(sent, NoAnswer("the connection was reset"), Means.NO_ANSWER)

    def _answered(self, sent: float, wire: Wire) -> Answer:
        now = self._clock.true_time()
        if self._dated:
            wire.headers["Date"] = formatdate(now, usegmt=True)
        lower = {name.lower(): value for name, value in wire.headers.items()}
        heard = judge(wire.status, lower, wire.body, self._asked, self._clock.time())
        self.looks.append(Look(sent, self._clock.now, heard))
        local = float(int(now)) if self._dated else self._clock.time()
        headers = CaseInsensitiveDict(wire.headers)
        job = judge_answer(wire.status, headers, wire.body, self._asked[1], self._target.resource, now=local)
        return Answer(job, float(int(now)) if self._dated else None, sent, self._clock.now)

    def _wire(self) -> Wire:
        """Make the true answer, and damage it on a bad day."""
        wire = Wire(self._truth())
        now = self._clock.true_time()
        if self._weather is not None and not self._weather.admits(self._clock.now):
            wire.status = 429
        if self._random.random() < self._bad:
            self._random.choice(_PASSING)(self._random, wire, now)
        if self._random.random() < self._grave:
            self._random.choice(_GRAVE)(self._random, wire, now)
        return wire

    def _truth(self) -> Payload:
        began, state = next((at, name) for at, name in reversed(self._life) if at <= self._clock.now)
        born = int(self._clock.true_time() - self._clock.now)
        age = self._clock.now - began
        progress = {"Completed": 100, "Running": min(99, int(age / 3))}.get(state, 0)
        id_field, number = self._asked
        if not id_field:
            return _machines(state, progress)
        return {
            id_field: number,
            "jobstateid": STATES.index(state) + 1,
            "jobstatename": state,
            "jobcreated": born,
            "jobstart": None,
            "jobupdated": born + int(began) + (int(age / 3) if progress in range(1, 99) else 0),
            "jobeta": born + int(began) + 300,
            "jobprogress": progress,
            "jobfailed": 0,
            "joberror": _HOSTILE if state == "Failed" else "",
            "success": True,
        }

    def _a_life(self) -> list[tuple[float, str]]:
        """Make up when the job is in which state, from the start of the run on."""
        states = LIVES[self._random.choice(("good", "good", "good", *sorted(LIVES)))]
        ends = sorted(self._random.expovariate(1 / 120) for _ in states[1:])
        return list(zip((0.0, *ends), states, strict=True))

    def _is_down(self) -> bool:
        return any(begin <= self._clock.now <= end for begin, end in self._down)
