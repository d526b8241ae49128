"""The rows of the live display: what is true now, and nothing that only goes on counting."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cfgate.hosts import Bar, Style
from cfgate.log.wording import time_left
from cfgate.model import JobState, standing, state_of
from cfgate.text import wording

if TYPE_CHECKING:
    from cfgate.log.outage import Outage
    from cfgate.model import JobStatus, Target
    from cfgate.model.events import Answered

_LONGEST_SHORT: Final = 12  # characters of a name that stays in a narrow window


def stopwatch(at: float, timeout: float) -> str:
    """Write the time gone, and that of the time-out: "12:31 of 1h"."""
    of = f" of {wording.duration(timeout)}" if timeout else ""
    return f"{wording.elapsed(at)}{of}"


def whole(ready: int, targets: int, clock: str) -> Bar:
    """Make the row above several targets: how many are ready, and the time."""
    return Bar(f"{ready} of {targets} ready", None, (clock,), track=False)


def row(target: Target, event: Answered | None, at: float, outage: Outage, clock: str) -> Bar:
    """Make the row of one target; `at` is now, `clock` the time that is shown where there is room."""
    short = target.name if 0 < len(target.name) <= _LONGEST_SHORT else str(target.id)
    clocks = (clock,) if clock else ()
    if target in outage:
        last = standing(event.job) if event else "nothing"
        texts = outage.texts(target, at, last)
        return Bar(target.label, None, (*texts[:3], *clocks, texts[3]), short, Style.ODD)
    if event is None:
        return Bar(target.label, None, ("asking", *clocks), short)
    # The estimate was made when the answer came; it has run down since.
    left = None if event.left is None else event.left - (at - event.at)
    texts = tuple(text for text in (_state(event.job), time_left(left), *clocks) if text)
    return Bar(target.label, _percent(event.job), texts, short)


def _state(job: JobStatus) -> str:
    running = job.state is JobState.RUNNING
    return f"{state_of(job)} {job.machines}" if running and job.machines else state_of(job)


def _percent(job: JobStatus) -> int | None:
    return job.progress if job.state is JobState.RUNNING else None
