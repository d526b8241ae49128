"""Factories with defaults, and the hostile.texts and results that hypothesis throws at every encoder."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from cfgate.model import GateStatus, JobState, JobStatus, Moment, Outcome, Resource, Result, Retry, Target
from tests.support import hostile
from tests.support.fakes import ID, NOON, payload

__all__ = ["ID", "NOON", "job", "life", "outcome", "payload", "result", "results"]


def job(state: JobState = JobState.COMPLETED, **overrides: Any) -> JobStatus:
    """Make the status of a job in `state`; overrides are fields of `JobStatus`."""
    progress = {JobState.RUNNING: 41, JobState.COMPLETED: 100}.get(state, 0)
    fields: dict[str, Any] = {
        "verdict": state.verdict,
        "why": f"the job is {state.title}",
        "state": state,
        "progress": progress,
        "failures": 0,
        "created": NOON - 60,
        "updated": NOON + 60,
    }
    return JobStatus(**(fields | overrides))


def life(*states: tuple[float, JobState]) -> tuple[Moment, ...]:
    """Make a time line of pairs of seconds and states."""
    return tuple(Moment(at, job(state)) for at, state in states)


def outcome(status: GateStatus = GateStatus.READY, **overrides: Any) -> Outcome:
    """Make the outcome for one image version; `id`, `name` and `resource` override its target."""
    kind = overrides.pop("resource", Resource.IMAGE_VERSION)
    target = Target(overrides.pop("id", ID), overrides.pop("name", ""), kind)
    fields: dict[str, Any] = {
        "target": target,
        "status": status,
        "reason": f"{target.label} ended {status.label}",
        "remedy": "" if status is GateStatus.READY else "Look at the log.",
        "job": job(),
        "waited": 220.4,
        "requests": 19,
        "timeline": life(
            (0.0, JobState.CREATED),
            (8.2, JobState.QUEUED),
            (72.0, JobState.RUNNING),
            (220.0, JobState.COMPLETED),
        ),
        "retries": (Retry(151.0, "no answer (HTTP 503)", 1.4),),
    }
    return Outcome(**(fields | overrides))


def result(*outcomes: Outcome, **overrides: Any) -> Result:
    """Make the result of these outcomes, with the status that follows; without any, of one that is ready.

    A run that never got to an image version is `result(outcomes=(), status=…)`.
    """
    outcomes = overrides.pop("outcomes", outcomes or (outcome(),))
    decisive = min(outcomes, key=lambda each: each.status.precedence, default=None)
    status = overrides.pop("status", decisive.status if decisive else GateStatus.ERROR)
    fields: dict[str, Any] = {
        "exit_code": status.exit_code,
        "reason": decisive.reason if decisive else status.meaning,
        "remedy": decisive.remedy if decisive else "",
        "started": float(NOON),
        "waited": 220.4,
    }
    return Result(status=status, outcomes=outcomes, **(fields | overrides))


def results() -> st.SearchStrategy[Result]:
    """Results of any status with up to three outcomes that hold hostile texts everywhere."""
    seconds = st.floats(0, 100_000)
    moments = st.none() | st.integers(1, 253_402_300_799)
    progress = st.none() | st.integers(0, 100)
    jobs = st.builds(
        job,
        st.sampled_from(JobState),
        error=st.none() | hostile.texts,
        progress=progress,
        failures=st.none() | st.integers(),
        created=moments,
        started=moments,
        updated=moments,
        eta=moments,
    )
    targets = st.builds(Target, st.integers(1, 10**12), hostile.texts, st.sampled_from(Resource))
    outcomes = st.builds(
        Outcome,
        target=targets,
        status=st.sampled_from(GateStatus),
        reason=hostile.texts,
        remedy=hostile.texts,
        job=st.none() | jobs,
        waited=seconds,
        requests=st.integers(0, 1000),
        timeline=st.lists(st.builds(Moment, seconds, jobs), max_size=3).map(tuple),
        retries=st.lists(st.builds(Retry, seconds, hostile.texts, seconds), max_size=3).map(tuple),
        warnings=st.lists(hostile.texts, max_size=2).map(tuple),
    )
    return st.builds(
        Result,
        status=st.sampled_from(GateStatus),
        exit_code=st.integers(0, 255),
        reason=hostile.texts,
        remedy=hostile.texts,
        outcomes=st.lists(outcomes, max_size=3).map(tuple),
        rehearsal=st.booleans(),
        started=st.floats(0, 4_102_444_800),
        waited=seconds,
        asked=st.lists(targets, max_size=3).map(tuple),
        warnings=st.lists(hostile.texts, max_size=2).map(tuple),
    )
