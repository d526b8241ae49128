"""How the log words what it reports: the headline, where a job stands, a request, an ending."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from cfgate import __version__
from cfgate.hosts import Style
from cfgate.model import GateStatus, JobState, JobStatus, Outcome, Target, counted, kinds, standing, state_of
from cfgate.text import wording

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cfgate.model.events import Looked
    from cfgate.settings.values import Settings

# A line names this many targets and counts the others.
NAMED: Final = 4
_STYLES: Final = {GateStatus.READY: Style.GOOD, GateStatus.PENDING: Style.ODD}


def headline(settings: Settings) -> str:
    """Write one line: who asks whom about what, and for how long."""
    where = f"rehearsal of {settings.rehearse}" if settings.rehearse else settings.api_url
    longest = max(settings.plans, key=lambda plan: plan.timeout)
    until = f"waits up to {wording.duration(longest.timeout)}" if longest.timeout else "looks once"
    source = settings.source("timeout", longest.target)
    return f"cfgate {__version__} · {where} · {_asked_for(settings.targets)} · {until} ({source})"


def _asked_for(targets: Sequence[Target]) -> str:
    """Name one target in full, some by name or id, and count the rest of many."""
    if len(targets) == 1:
        return targets[0].full_name
    some = ", ".join(target.name or str(target.id) for target in targets[:NAMED])
    more = f" and {len(targets) - NAMED} more" if len(targets) > NAMED else ""
    return f"{counted(targets) if targets[0].name else kinds(targets)} {some}{more}"


def progress(job: JobStatus, left: float | None = None) -> str:
    """Write where a job stands, in columns: the state, the progress while it runs, the time that is left."""
    title = state_of(job)
    if job.state is JobState.RUNNING and job.machines is not None:
        return f"{title:<8}{job.machines}   {time_left(left)}".rstrip()
    if job.state is not JobState.RUNNING or job.progress is None:
        return f"{title:<14}   {time_left(left)}".rstrip()
    return f"{title:<8}{job.progress:>4} %   {time_left(left)}".rstrip()


def sentence(job: JobStatus, left: float | None = None) -> str:
    """Write the same for a sentence: "Running at 41 %, about 1m20s left"."""
    return ", ".join(filter(None, [standing(job), time_left(left)]))


def time_left(left: float | None) -> str:
    """Write an estimate, or nothing where there is none."""
    return f"{wording.about(left)} left" if left is not None and left > 0 else ""


def overview(jobs: Iterable[JobStatus | None], endings: Iterable[GateStatus]) -> str:
    """Count many targets by where they stand: "2 ready, 12 Running (41 % on average), 6 Queued"."""
    seen = list(jobs)
    ended = Counter(endings)
    parts = [f"{ended[status]} {label(status)}" for status in reversed(GateStatus) if ended[status]]
    for state in reversed(JobState):
        there = [job for job in seen if job and job.state is state]
        known = [job.progress for job in there if job.progress is not None]
        average = f" ({sum(known) // len(known)} % on average)" if state is JobState.RUNNING and known else ""
        parts += [f"{len(there)} {state.title}{average}"] if there else []
    unseen = sum(job is None for job in seen)
    return ", ".join(parts + ([f"{unseen} not seen yet"] if unseen else []))


def request(look: Looked) -> str:
    """Write what `verbose` shows of one request: its time, what came, and the next pause and its reason."""
    came = look.error or "HTTP 200"
    if look.job is not None:
        came += f", {progress(look.job).strip()}"
        stamps = {"jobupdated": look.job.updated, "jobeta": look.job.eta}
        came += "".join(f", {name} {wording.moment(unix)}" for name, unix in stamps.items() if unix)
    following = "" if look.pause is None else f"; next in {wording.duration(look.pause)} ({look.because})"
    return f"request: {round(look.took * 1000)} ms, {' '.join(came.split())}{following}"


def ending(outcome: Outcome, *, alone: bool) -> str:
    """Write that a target is over, in the API's words where the job itself ended.

    The reason of one that is alone is in the last lines, which follow at once.
    """
    if outcome.status is GateStatus.READY:
        return "Completed"
    if outcome.status.by_job:
        return outcome.status.label.capitalize()
    if alone:
        return label(outcome.status)
    return f"{label(outcome.status)}: {outcome.reason.removeprefix(outcome.target.label).lstrip(': ')}"


def label(status: GateStatus) -> str:
    """Name a status for a person."""
    return status.label.replace("_", " ")


def style_of(status: GateStatus) -> Style:
    """Colour an ending."""
    return _STYLES.get(status, Style.BAD)
