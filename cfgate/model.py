"""The words of the gate: what a job can be, what an answer means, how a gate can end. Frozen, no I/O.

The rules that turn the fields of an answer into a verdict are here (rules 5 to 9); the rules about HTTP and
bodies (1 to 4) are in `cfgate.verdicts`. `Resource` is the one table of what can be waited for. Sources: the
image-version-status page of the Clanforge documentation and its siblings, and its job-states page for
Squashed and for the spelling Complete.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

# Unix seconds outside this range are no moment in a job's life: 0 means "not yet", 10^18 means nothing.
_LAST_SECOND: Final = 253_402_300_799  # 9999-12-31T23:59:59Z, the last that datetime can show
_INTEGER: Final = re.compile(r"[+-]?[0-9]{1,18}")


class Verdict(Enum):
    """What one answer means for the gate."""

    PENDING = "pending"
    READY = "ready"
    FAILED = "failed"
    SQUASHED = "squashed"
    DOUBTFUL = "doubtful"
    NO_ANSWER = "no_answer"
    REJECTED = "rejected"
    NOT_FOUND = "not_found"


class JobState(Enum):
    """A state of a Clanforge job: its id, its names, and what it means for the gate."""

    CREATED = (1, ("Created",), Verdict.PENDING)
    PENDING = (2, ("Pending",), Verdict.PENDING)
    QUEUED = (3, ("Queued",), Verdict.PENDING)
    RUNNING = (4, ("Running",), Verdict.PENDING)
    COMPLETED = (5, ("Completed", "Complete"), Verdict.READY)  # two pages, two spellings, one state
    FAILED = (6, ("Failed",), Verdict.FAILED)
    SQUASHED = (7, ("Squashed",), Verdict.SQUASHED)

    def __init__(self, state_id: int, names: tuple[str, ...], verdict: Verdict) -> None:
        self.id = state_id
        self.names = names
        self.verdict = verdict

    @property
    def title(self) -> str:
        """The name to print."""
        return self.names[0]

    @property
    def terminal(self) -> bool:
        """Whether the job stays in this state (unless somebody retries it)."""
        return self.verdict is not Verdict.PENDING


_BY_ID: Final = {state.id: state for state in JobState}
_BY_NAME: Final = {name.lower(): state for state in JobState for name in state.names}


class GateStatus(Enum):
    """How a gate can end: the `status` output, its exit code, and the sentence that explains it.

    The order is the order of precedence for several image versions: the first of these that any of them
    ended with is the status of the whole.
    """

    ERROR = ("error", 70, "a bug in cfgate")
    INVALID = ("invalid", 2, "the configuration is wrong; nothing was sent")
    INTERRUPTED = ("interrupted", 130, "stopped by a signal (130 for SIGINT, 143 for SIGTERM)")
    FAILED = ("failed", 1, "a job ended Failed")
    SQUASHED = ("squashed", 3, "a job was superseded by another one")
    REJECTED = ("rejected", 6, "the API refuses: credentials, ASID, request or redirect")
    NOT_FOUND = ("not_found", 7, "nothing has this id (after the grace period)")
    INCONSISTENT = ("inconsistent", 9, "answers came, but none that can be trusted")
    UNAVAILABLE = ("unavailable", 8, "no usable answer, or TLS cannot be verified")
    STALLED = ("stalled", 5, "the running job did not move for the stall time-out")
    TIMEOUT = ("timeout", 4, "not finished in time")
    PENDING = ("pending", 10, "not finished yet (only when looking once)")
    READY = ("ready", 0, "everything that was asked for is Completed")

    def __init__(self, label: str, exit_code: int, meaning: str) -> None:
        self.label = label
        self.exit_code = exit_code
        self.meaning = meaning

    @property
    def precedence(self) -> int:
        """The place in the order of precedence; lower decides."""
        return list(GateStatus).index(self)


class _Doubt(Exception):
    """An answer contradicts itself or the question. Never leaves this module."""


# Besides the id.
_NUMBERS: Final = (
    "jobstateid",
    "jobprogress",
    "jobfailed",
    "jobcreated",
    "jobstart",
    "jobupdated",
    "jobeta",
)
_MACHINES: Final = ("pending", "failed", "completed")
# A machine may join late: a roll-out is over once it has looked so in answers this many seconds apart.
_ROLLED_OUT_FOR: Final = 10.0


def _job(payload: dict[str, Any], asked: int, resource: Resource) -> JobStatus:
    """Read the fields that the jobs of all three kinds share; others, as the maps of a diff, say nothing."""
    numbers = {name: _number(payload, name) for name in (resource.id_field, *_NUMBERS)}
    _check_id(payload, numbers[resource.id_field], asked, resource)
    state = _state(payload, numbers["jobstateid"])
    error = payload.get("joberror")
    progress = numbers["jobprogress"]
    verdict, why = _verdict(payload, state)
    return JobStatus(
        verdict,
        why,
        state=state,
        state_id=numbers["jobstateid"],
        state_name=payload.get("jobstatename") or None,
        progress=progress if progress is not None and 0 <= progress <= 100 else None,
        failures=numbers["jobfailed"],
        error=(error if isinstance(error, str) else repr(error)) if error else None,
        created=_moment(numbers["jobcreated"]),
        started=_moment(numbers["jobstart"]),
        updated=_moment(numbers["jobupdated"]),
        eta=_moment(numbers["jobeta"]),
        warnings=tuple(_warnings(numbers)) if verdict is Verdict.READY else (),
    )


def _rollout(payload: dict[str, Any], asked: int, resource: Resource) -> JobStatus:  # noqa: ARG001 - no id in it
    """Read the counts of machines as the state of a job."""
    if payload.get("success", True) is not True or payload.get("error") or payload.get("error_message"):
        raise _Doubt("the answer counts machines, but says that the request failed")
    pending, failed, completed = (_count(payload, f"{kind}_machines") for kind in _MACHINES)
    total = pending + failed + completed
    if failed:
        state = JobState.FAILED
    elif pending:
        state = JobState.RUNNING
    else:
        # Without any machine it has not begun: right after packaging all counts may be 0.
        state = JobState.COMPLETED if completed else JobState.QUEUED
    return JobStatus(
        state.verdict,
        f"the roll-out is {state.title}",
        state=state,
        progress=completed * 100 // total if total else 0,
        error=f"{failed} of {total} machines failed ({completed} completed, {pending} pending)"
        if failed
        else None,
        holds=_ROLLED_OUT_FOR if state is JobState.COMPLETED else 0.0,
    )


class Resource(Enum):
    """What can be waited for: everything that tells the four apart, and nothing else in the code does.

    Sources: the image-version-status page of the Clanforge documentation and its siblings.
    """

    IMAGE_VERSION = (
        "image-version",
        "image version",
        "/cfp/v1/imageversion/{id}/status",
        "imageversionid",
        _job,
        "job.*",
        "Read the job error, mend the build, and create a new image version.",
    )
    IMAGE_UPDATE = (
        "image-update",
        "image update",
        "/cfp/v1/imageupdate/{id}/status",
        "updateid",
        _job,
        "job.*",
        "Read the job error, mend the files, and update the image again.",
    )
    IMAGE_DIFF = (
        "image-diff",
        "image diff",
        "/cfp/v1/imagediff/{id}/status",
        "diffid",
        _job,
        "job.*",
        "Read the job error, mend its cause, and create a new image diff.",
    )
    ROLLOUT = (
        "rollout",
        "image roll-out",
        "/cfp/v2/project/{asid}/image/{id}/status",
        "",
        _rollout,
        ".*_machines",
        "Look at the failed machines in the Clanforge dashboard; do not switch anything to this image yet.",
    )

    def __init__(
        self,
        label: str,
        noun: str,
        path: str,
        id_field: str,
        reads: Callable[[dict[str, Any], int, Resource], JobStatus],
        fields: str,
        remedy: str,
    ) -> None:
        self.label = label  # as the option `resource` spells it
        self.noun = noun  # in a sentence, before the id
        self.path = path  # always of a status: other GET addresses of Clanforge change state
        self.id_field = id_field  # of the answer; must equal the id asked for; empty: the answer names none
        self.reads = reads
        self.remedy = remedy  # what to do when it has failed
        self._fields = re.compile(fields)  # the names of fields without which an answer is none about it

    @property
    def needs_account(self) -> bool:
        """Whether it cannot be asked for without an account service id."""
        return "{asid}" in self.path

    def address(self, number: int, account_service_id: int | None) -> str:
        """Give the path and the query that ask for the status of number so and so.

        Raises ValueError where the account is needed and missing, and for anything but numbers.
        """
        if self.needs_account:
            if account_service_id is None:
                raise ValueError(f"a {self.label} needs the account service id")
            return self.path.format(id=f"{number:d}", asid=f"{account_service_id:d}")
        account = "" if account_service_id is None else f"?accountserviceid={account_service_id:d}"
        return self.path.format(id=f"{number:d}") + account

    def told_in(self, payload: dict[str, Any]) -> bool:
        """Whether an answer has any field that tells of it; an error envelope has none."""
        return any(self._fields.fullmatch(name) for name in payload)


@dataclass(frozen=True, slots=True)
class JobStatus:
    """One answer about one job (or the roll-out that it led to), as sent, and what it means.

    Times are Unix seconds of the API's clock, `None` where the API said nothing or nothing sensible (missing,
    null, "", 0, out of range). `progress` is 0 to 100. `failures` counts how often the job has failed so far.
    `error` is text from outside: disarm it before it is shown anywhere.
    """

    verdict: Verdict
    why: str  # one clause that explains the verdict
    state: JobState | None = None
    state_id: int | None = None  # as sent
    state_name: str | None = None  # as sent
    progress: int | None = None
    failures: int | None = None
    error: str | None = None
    created: int | None = None
    started: int | None = None
    updated: int | None = None
    eta: int | None = None
    warnings: tuple[str, ...] = ()
    holds: float = 0.0  # seconds for which the state must have been heard before the verdict is believed

    @classmethod
    def from_payload(
        cls, payload: dict[str, Any], image_version_id: int, resource: Resource = Resource.IMAGE_VERSION
    ) -> JobStatus:
        """Judge a decoded answer by rules 5 to 9. Never raises: what cannot be trusted is DOUBTFUL.

        `image_version_id` is the id that was asked for, of whatever `resource` says.
        """
        try:
            return resource.reads(payload, image_version_id, resource)
        except _Doubt as doubt:
            name = payload.get("jobstatename")
            error = payload.get("joberror")
            return cls(
                Verdict.DOUBTFUL,
                str(doubt),
                state_name=name if isinstance(name, str) else None,
                error=error if isinstance(error, str) and error else None,
            )


def _number(payload: dict[str, Any], name: str) -> int | None:
    """Read an int that may arrive as a string; `None` for what is missing or says nothing."""
    value = payload.get(name)
    if isinstance(value, bool):  # an int to Python, and never one to the API
        raise _Doubt(f"{name} is {str(value).lower()}, where a number belongs")
    if isinstance(value, int):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str) and _INTEGER.fullmatch(value.strip(" ")):
        return int(value)
    return None


def _count(payload: dict[str, Any], name: str) -> int:
    """Read a count, which must be there."""
    number = _number(payload, name)
    if number is None:
        missing = payload.get(name) in (None, "")
        raise _Doubt(f"the answer has no {name}" if missing else f"{name} is not a number")
    if number < 0:
        raise _Doubt(f"{name} is {number}")
    return number


def _moment(seconds: int | None) -> int | None:
    return seconds if seconds is not None and 0 < seconds <= _LAST_SECOND else None


def _check_id(payload: dict[str, Any], answered: int | None, asked: int, resource: Resource) -> None:
    """Rule 5: another one's answer is not ours."""
    if answered is None:
        missing = payload.get(resource.id_field) in (None, "")
        named = f"the answer names no {resource.noun}"
        raise _Doubt(named if missing else f"{resource.id_field} is not a number")
    if answered != asked:
        raise _Doubt(f"the answer is about {resource.noun} {answered}, not {asked}")


def _state(payload: dict[str, Any], state_id: int | None) -> JobState:
    """Rule 6: id and name agree, or one of them stands alone."""
    name = payload.get("jobstatename")
    if name is not None and not isinstance(name, str):
        raise _Doubt("jobstatename is not a text")
    by_name = _BY_NAME.get(name.strip(" \t\r\n").lower()) if name else None
    if name and by_name is None:
        raise _Doubt(f"unknown job state {name[:80]!r}")
    if state_id is None and payload.get("jobstateid") not in (None, ""):
        raise _Doubt("jobstateid is not a number")
    # 0 stands for "not set" before a job starts, and for nothing that has ended.
    unset = state_id is None or (state_id == 0 and by_name is not None and not by_name.terminal)
    by_id = None if unset or state_id is None else _BY_ID.get(state_id)
    if not unset and by_id is None:
        raise _Doubt(f"unknown job state id {state_id}")
    if by_id and by_name and by_id is not by_name:
        raise _Doubt(f"job state id {by_id.id} is {by_id.title}, but its name says {by_name.title}")
    state = by_id or by_name
    if state is None:
        raise _Doubt("the answer names no job state")
    return state


def _verdict(payload: dict[str, Any], state: JobState) -> tuple[Verdict, str]:
    """Rules 7 and 8: what a state means, once the rest of the answer has been heard."""
    if state.verdict is Verdict.READY:
        if "success" in payload and payload["success"] is not True:
            raise _Doubt("the job is Completed, but the answer does not say success")
        if payload.get("error"):
            raise _Doubt("the job is Completed, but the answer carries an error")
        if payload.get("joberror"):
            raise _Doubt("the job is Completed, but it has a job error")
    if state.verdict is Verdict.PENDING and (payload.get("success") is False or payload.get("error")):
        raise _Doubt(f"the job is {state.title}, but the answer says that the request failed")
    return state.verdict, f"the job is {state.title}"


def _warnings(numbers: dict[str, int | None]) -> list[str]:
    """Rule 9: what looks odd about a job that is ready all the same."""
    failures, progress = numbers["jobfailed"], numbers["jobprogress"]
    odd = []
    if failures:
        times = "once" if failures == 1 else f"{failures} times"
        odd.append(f"the job had failed {times} before it was completed")
    if progress is not None and progress != 100:
        odd.append(f"the job is Completed, but its progress reads {progress} %")
    return odd


@dataclass(frozen=True, slots=True)
class Answer:
    """A usable answer as it came: the job, the `Date` header (Unix seconds), and when it was asked for.

    `sent` and `received` are seconds of the local monotonic clock.
    """

    job: JobStatus
    date: float | None
    sent: float
    received: float


@dataclass(frozen=True, slots=True)
class Target:
    """One thing to wait for, and the name that the log gives it."""

    image_version_id: int  # or the id of whatever `resource` says
    name: str = ""
    resource: Resource = Resource.IMAGE_VERSION

    @property
    def label(self) -> str:
        """What to call it in a sentence."""
        return self.name or f"{self.resource.noun} {self.image_version_id}"


@dataclass(frozen=True, slots=True)
class Moment:
    """A change of state, as first seen: seconds since the gate began, and the answer that showed it."""

    at: float
    job: JobStatus


@dataclass(frozen=True, slots=True)
class Retry:
    """One answer that could not be used: when (seconds since the gate began), why, and the pause after it."""

    at: float
    why: str
    pause: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """How the gate on one target ended, and everything that a report may want to tell of it."""

    target: Target
    status: GateStatus
    reason: str  # one sentence: what happened
    remedy: str = ""  # one sentence: what to do; empty when there is nothing to do
    job: JobStatus | None = None  # the last answer that could be trusted
    waited: float = 0.0  # seconds
    requests: int = 0
    timeline: tuple[Moment, ...] = ()
    retries: tuple[Retry, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Result:
    """How the whole run ended. `exit_code` is that of `status`, or of the signal that ended the run."""

    status: GateStatus
    exit_code: int
    reason: str
    remedy: str = ""
    outcomes: tuple[Outcome, ...] = ()
    rehearsal: bool = False
    started: float = 0.0  # Unix seconds of the local clock
    waited: float = 0.0  # seconds
    warnings: tuple[str, ...] = field(default=())

    @property
    def ready(self) -> bool:
        """Whether the pipeline may go on. True in one case only."""
        return self.status is GateStatus.READY and self.exit_code == 0

    @property
    def decisive(self) -> Outcome | None:
        """The outcome that decided, whose job the single-job outputs describe."""
        return min(self.outcomes, key=lambda outcome: outcome.status.precedence, default=None)
