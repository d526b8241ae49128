"""Tell the run to a person: events and endings become lines, bars and annotations of a host.

One line when something changes, a heartbeat when nothing does, a line for each retry; never one for each
poll. With several targets every line says which it is about; with one it stays quiet. How a run ended is
told in `cfgate.log.ending`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cfgate import __version__
from cfgate.hosts import Bar, Level, Style
from cfgate.model import GateStatus, JobState, JobStatus, Outcome, Target, Verdict, counted, kinds, state_of
from cfgate.model.events import Answered, AskingAgain, Ended, Event, Noted
from cfgate.settings.description import describe
from cfgate.text import wording

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cfgate.hosts import Host
    from cfgate.settings.values import Settings
    from cfgate.system.clock import Clock

# While nothing changes a line comes at least this often, in seconds, so that nobody thinks the gate dead.
HEARTBEAT: Final = 60.0
# A heartbeat names this many targets and counts the others.
_NAMED: Final = 4
_STYLES: Final = {GateStatus.READY: Style.GOOD, GateStatus.PENDING: Style.ODD}


class ProgressLog:
    """Tells one run to one host."""

    def __init__(self, host: Host, targets: Sequence[Target], clock: Clock) -> None:
        self._host = host
        self._clock = clock
        self._began = self._last_line = clock.monotonic()
        self._several = len(targets) > 1
        self._width = max((len(target.label) for target in targets), default=0)
        self._latest: dict[Target, Answered | None] = dict.fromkeys(targets)

    def tell(self, event: Event) -> None:
        """Tell what has happened to one target, if it is news."""
        match event:
            case Answered(target, at, job, left):
                before = self._latest.get(target)
                self._latest[target] = event
                news = before is None or before.job.state is not job.state
                if news and job.verdict is Verdict.PENDING:  # an ending is told once it is believed
                    self._line(target, at, progress(job, left))
            case AskingAgain(target, at, why, attempt, pause):
                again = f"asking again in {wording.duration(pause)}"
                self._line(target, at, f"{why}, retry {attempt}, {again}", Style.ODD)
            case Noted(target, at, what, warning):
                self._line(target, at, what, Style.ODD if warning else Style.DIM)
                if warning and self._host.annotates:
                    self._host.annotate(Level.WARNING, target.label, what)
            case Ended(target, at, outcome):
                self._latest.pop(target, None)
                self._line(target, at, _ending(outcome), style_of(outcome.status))

    def tick(self) -> None:
        """Let time pass: draw the live display, or speak up after a long silence."""
        now = self._clock.monotonic()
        if self._host.live:
            self._host.progress([self._bar(target, event, now) for target, event in self._latest.items()])
        elif now - self._last_line >= HEARTBEAT and self._latest:
            self._heartbeat(now - self._began)

    def _line(self, target: Target, at: float, text: str, style: Style = Style.PLAIN) -> None:
        label = f"{target.label:<{self._width}}  " if self._several else ""
        self._host.log(f"{wording.elapsed(at):>5}  {label}{text}", style)
        self._last_line = self._clock.monotonic()

    def _heartbeat(self, at: float) -> None:
        """Tell how things stand: one line for each of a few targets, one for all of many."""
        self._last_line = self._clock.monotonic()
        if len(self._latest) <= _NAMED:
            for target, event in self._latest.items():
                told = progress(event.job, event.left) if event else "no usable answer yet"
                self._line(target, at, told, Style.DIM)
            return
        counts: dict[str, int] = {}
        for event in self._latest.values():
            name = state_of(event.job) if event else "not heard of yet"
            counts[name] = counts.get(name, 0) + 1
        told = ", ".join(f"{count} {name}" for name, count in counts.items())
        self._host.log(f"{wording.elapsed(at):>5}  {told}", Style.DIM)

    def _bar(self, target: Target, event: Answered | None, now: float) -> Bar:
        stopwatch = wording.elapsed(now - self._began)
        if event is None:
            return Bar(target.label, None, f"{stopwatch}  asking")
        # The estimate was made when the answer came; it has run down since.
        left = None if event.left is None else event.left - (now - self._began - event.at)
        percent = event.job.progress if event.job.state is JobState.RUNNING else None
        return Bar(target.label, percent, f"{stopwatch}  {state_of(event.job)}  {_about(left)}".rstrip())


def introduce(host: Host, settings: Settings, warnings: Iterable[str]) -> None:
    """Tell what was understood: one line, the effective settings where they can be folded away, oddities."""
    host.log(headline(settings))
    if host.folds:
        host.group(
            "settings", [f"{name} = {value}  ({source})" for name, value, source in describe(settings)]
        )
    for warning in warnings:
        host.annotate(Level.WARNING, "cfgate: settings", warning)


def headline(settings: Settings) -> str:
    """Say in one line who asks whom about what, and for how long."""
    where = f"rehearsal of {settings.rehearse}" if settings.rehearse else settings.api_url
    longest = max(settings.plans, key=lambda plan: plan.timeout)
    until = f"waits up to {wording.duration(longest.timeout)}" if longest.timeout else "looks once"
    source = settings.source("timeout", longest.target)
    return f"cfgate {__version__} · {where} · {_asked_for(settings.targets)} · {until} ({source})"


def _asked_for(targets: Sequence[Target]) -> str:
    """Name one target in full, some by name or id, and count the rest of many."""
    if len(targets) == 1:
        return targets[0].full_name
    some = ", ".join(target.name or str(target.id) for target in targets[:_NAMED])
    more = f" and {len(targets) - _NAMED} more" if len(targets) > _NAMED else ""
    return f"{counted(targets) if targets[0].name else kinds(targets)} {some}{more}"


def progress(job: JobStatus, left: float | None = None) -> str:
    """Say where a job stands, in columns: the state, the progress while it runs, the time that is left."""
    title = state_of(job)
    if job.state is not JobState.RUNNING or job.progress is None:
        return f"{title:<14}   {_about(left)}".rstrip()
    return f"{title:<8}{job.progress:>4} %   {_about(left)}".rstrip()


def _about(left: float | None) -> str:
    return f"{wording.about(left)} left" if left is not None and left > 0 else ""


def _ending(outcome: Outcome) -> str:
    """Say in a line of the log that a target is over, in the API's words where the job itself ended."""
    if outcome.status is GateStatus.READY:
        return "Completed"
    if outcome.status.by_job:
        return outcome.status.label.capitalize()
    return f"{outcome.status.label.replace('_', ' ')}: {outcome.reason}"


def style_of(status: GateStatus) -> Style:
    """Colour an ending."""
    return _STYLES.get(status, Style.BAD)
