"""From the fields of an answer to a `JobStatus`: rules 5 to 9 of docs/verdicts.md.

Rules 1 to 4, about HTTP and bodies, are in `answer`.
"""

from __future__ import annotations

from typing import Any, Final

from cfgate.model import JobState, JobStatus, Machines, Resource, Shape, Verdict, had_failed
from cfgate.rules.fields import Doubt, count, moment, number, plain

_BY_ID: Final = {state.id: state for state in JobState}
_BY_NAME: Final = {name.lower(): state for state in JobState for name in state.names}

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


def judge_job(payload: dict[str, Any], id: int, resource: Resource = Resource.IMAGE_VERSION) -> JobStatus:  # noqa: A002 - the name in the interface
    """Judge a decoded answer by rules 5 to 9. Never raises: what cannot be trusted is DOUBTFUL.

    `id` is the id that was asked for, of whatever `resource` is.
    """
    try:
        if resource.shape is Shape.MACHINES:
            return _rollout(payload, id)
        return _job(payload, id, resource)
    except Doubt as doubt:
        error = payload.get("joberror")
        return JobStatus(
            Verdict.DOUBTFUL,
            str(doubt),
            quote=doubt.quote,
            error=error if isinstance(error, str) and error else None,
        )


def _job(payload: dict[str, Any], asked: int, resource: Resource) -> JobStatus:
    """Read the fields that the jobs of all three kinds share; others, as the maps of a diff, say nothing."""
    numbers = {
        name: number(payload, name, whole=name != "jobprogress") for name in (resource.id_field, *_NUMBERS)
    }
    _check_id(payload, numbers[resource.id_field], asked, resource)
    state = _state(payload, numbers["jobstateid"])
    error = payload.get("joberror")
    progress = numbers["jobprogress"]
    verdict, why = _verdict(payload, state)
    return JobStatus(
        verdict,
        why,
        state=state,
        progress=progress if progress is not None and 0 <= progress <= 100 else None,
        failures=numbers["jobfailed"],
        error=plain(error) if error else None,
        created=moment(numbers["jobcreated"]),
        started=moment(numbers["jobstart"]),
        updated=moment(numbers["jobupdated"]),
        eta=moment(numbers["jobeta"]),
        warnings=tuple(_warnings(numbers)) if verdict is Verdict.READY else (),
    )


def _rollout(payload: dict[str, Any], asked: int) -> JobStatus:
    """Read the counts of machines as the state of a job."""
    if payload.get("success", True) is not True or payload.get("error") or payload.get("error_message"):
        raise Doubt("the answer counts machines, but says that the request failed")
    if payload.get("imageid") is not None and number(payload, "imageid") != asked:
        raise Doubt(f"the answer is not about image {asked}")
    pending, failed, completed = (count(payload, f"{kind}_machines") for kind in _MACHINES)
    if Shape.JOB.told_in(payload):
        raise Doubt("the answer counts machines, but is about a job as well")
    machines = Machines(pending, failed, completed)
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
        progress=completed * 100 // machines.total if machines.total else 0,
        error=f"{failed} of {machines.total} machines failed ({completed} completed, {pending} pending)"
        if failed
        else None,
        machines=machines,
        holds=_ROLLED_OUT_FOR if state is JobState.COMPLETED else 0.0,
    )


def _check_id(payload: dict[str, Any], answered: int | None, asked: int, resource: Resource) -> None:
    """Rule 5: another one's answer is not ours."""
    if answered is None:
        missing = payload.get(resource.id_field) in (None, "")
        named = f"the answer names no {resource.noun}"
        raise Doubt(named if missing else f"{resource.id_field} is not a number")
    if answered != asked:
        raise Doubt(f"the answer is about {resource.noun} {answered}, not {asked}")


def _state(payload: dict[str, Any], state_id: int | None) -> JobState:
    """Rule 6: id and name agree, or one of them stands alone."""
    name = payload.get("jobstatename")
    if name is not None and not isinstance(name, str):
        raise Doubt("jobstatename is not a text")
    by_name = _BY_NAME.get(name.strip(" \t\r\n").lower()) if name else None
    if name and by_name is None:
        raise Doubt("unknown job state", name if name.isprintable() else repr(name))
    if state_id is None and payload.get("jobstateid") not in (None, ""):
        raise Doubt("jobstateid is not a number")
    # 0 stands for "not set" before a job starts, and for nothing that has ended.
    unset = state_id is None or (state_id == 0 and by_name is not None and not by_name.terminal)
    by_id = _BY_ID.get(state_id) if state_id else None
    if not unset and by_id is None:
        raise Doubt(f"unknown job state id {state_id}")
    if by_id and by_name and by_id is not by_name:
        raise Doubt(f"job state id {by_id.id} is {by_id.title}, but its name says {by_name.title}")
    state = by_id or by_name
    if state is None:
        raise Doubt("the answer names no job state")
    return state


def _verdict(payload: dict[str, Any], state: JobState) -> tuple[Verdict, str]:
    """Rules 7 and 8: what a state means, once the rest of the answer has been heard."""
    if state.verdict is Verdict.READY:
        if "success" in payload and payload["success"] is not True:
            raise Doubt("the job is Completed, but the answer does not say success")
        if payload.get("error"):
            raise Doubt("the job is Completed, but the answer carries an error")
        if payload.get("error_message"):
            raise Doubt("the job is Completed, but the answer carries an error message")
        if payload.get("joberror"):
            raise Doubt("the job is Completed, but it has a job error")
    if state.verdict is Verdict.PENDING and (payload.get("success") is False or payload.get("error")):
        raise Doubt(f"the job is {state.title}, but the answer says that the request failed")
    return state.verdict, f"the job is {state.title}"


def _warnings(numbers: dict[str, int | None]) -> list[str]:
    """Rule 9: what looks odd about a job that is ready all the same."""
    failures, progress = numbers["jobfailed"], numbers["jobprogress"]
    odd = []
    if failures:
        odd.append(had_failed(failures))
    if progress is not None and progress != 100:
        odd.append(f"the job is Completed, but its progress reads {progress} %")
    return odd
