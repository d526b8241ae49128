"""What a life looks like at one moment. Pure arithmetic on the stages of a scenario.

All times in this module are seconds of the scenario since the life began; `api` turns them into Unix time.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

from cfgate.model import JobState
from cfgate.simulator.scenario import Eta, Guess, Updated

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cfgate.simulator.scenario import Progress, Scenario, Stage


@dataclass(frozen=True, slots=True)
class Look:
    """What a job shows: the stage that it is in, and what has come of it."""

    stage: Stage
    progress: int
    updated: float
    started: float | None  # when it last began to run
    eta: float | None


@dataclass(frozen=True, slots=True)
class _Span:
    """A stage and when it begins. A last stage without a duration ends where it begins."""

    stage: Stage
    begin: float

    @property
    def end(self) -> float:
        return self.begin + (self.stage.duration or 0.0)


def look(scenario: Scenario, elapsed: float, salt: int) -> Look:
    """Show a job `elapsed` seconds into its life; by `salt` the errors of estimates differ between jobs."""
    spans = list(_spans(scenario.life))
    now = max(elapsed, 0.0)
    span = next(span for span in reversed(spans) if span.begin <= now)
    progress, moved = _progress(span, now)
    runs = _runs(spans)
    updated = {Updated.WITH_PROGRESS: moved, Updated.WITH_STATE: span.begin, Updated.ALWAYS: now}
    return Look(
        stage=span.stage,
        progress=progress,
        updated=updated[scenario.updated],
        started=next((begin for begin, _ in reversed(runs) if begin <= now), None),
        eta=_eta(span.stage.eta, runs, now, salt),
    )


def _spans(life: tuple[Stage, ...]) -> Iterator[_Span]:
    begin = 0.0
    for stage in life:
        span = _Span(stage, begin)
        yield span
        begin = span.end


def _progress(span: _Span, now: float) -> tuple[int, float]:
    """Return the per cent shown, and the moment since which it has been."""
    progress, duration = span.stage.progress, span.stage.duration
    width = progress.last - progress.first
    if not duration or not width:
        return progress.last, span.begin
    share = min((now - span.begin) / duration, 1.0)
    gained = _gained(progress, share) * width
    # Rounded first: 28.999999999 is an artefact of binary fractions, and means 29.
    steps = int(round(gained, 6) // progress.step) * progress.step if share < 1 else width
    return progress.first + steps, span.begin + _share(progress, steps / width) * duration


def _gained(progress: Progress, share: float) -> float:
    """Return the part of the way that is done in a `share` of the time; both 0 to 1."""
    return min(1.8 * share, 0.8 + 0.2 * share) if progress.uneven else share


def _share(progress: Progress, gained: float) -> float:
    """Return the share of the time after which a part of the way is done: `_gained`, the other way round."""
    return max(gained / 1.8, (gained - 0.8) / 0.2) if progress.uneven else gained


def _runs(spans: list[_Span]) -> list[tuple[float, float]]:
    """Find the unbroken rows of Running: when each begins and ends."""
    runs: list[tuple[float, float]] = []
    running = False
    for span in spans:
        if span.stage.state is not JobState.RUNNING:
            running = False
            continue
        begin = runs.pop()[0] if running else span.begin
        runs.append((begin, span.end))
        running = True
    return runs


def _eta(eta: Eta, runs: list[tuple[float, float]], now: float, salt: int) -> float | None:
    """Estimate when the job leaves Running: this time; else next time; else the last time that it did."""
    if eta.guess is Guess.AHEAD:
        return now + eta.amount
    if eta.guess is Guess.PAST:
        return now - eta.amount
    run = next((run for run in runs if now < run[1]), runs[-1] if runs else None)
    if run is None:
        return None
    begin, end = run
    if eta.guess is Guess.EXACT:
        return end
    if eta.guess is Guess.WITHIN:
        # One error for each second: whoever asks twice in a second gets the same answer.
        error = Random(f"{salt} {int(now)}").uniform(-eta.amount, eta.amount)  # noqa: S311 - no secret
        return end + max(end - now, 0.0) * error
    if eta.guess is Guess.FIXED:
        return begin + (end - begin) * (1 + eta.amount)
    return None  # NONE; and ZERO, which is no moment
