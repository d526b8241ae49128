"""Report the run to a person: events and endings become lines, bars and annotations of a host.

One line when something changes, a heartbeat when nothing does; a time without answers is one line when it
begins, one a minute while it lasts, and one when it is over. Never a line for each poll. With several targets
every line says which it is about; many of them are counted. How a run ended is reported in
`cfgate.log.ending`, and worded in `cfgate.log.wording`.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Final

from cfgate.hosts import Bar, Level, Style
from cfgate.log import bars, wording
from cfgate.log.outage import Outage
from cfgate.model import GateStatus, JobState, JobStatus, Outcome, Target, Verdict
from cfgate.model.events import Answered, AskingAgain, Ended, Event, Looked, Noted
from cfgate.settings.description import describe
from cfgate.text.wording import duration, elapsed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cfgate.hosts import Host
    from cfgate.settings.values import Settings
    from cfgate.system.clock import Clock

# While nothing changes a line comes at least this often, in seconds, so that nobody thinks the gate dead; and
# an outage has a line no more often.
HEARTBEAT: Final = 60.0
# Seconds between two lines that count many targets, and from a change to the line that counts it.
_SPACING: Final = 30.0
_SETTLING: Final = 2.0
# Of the same kind of line about many targets so many are printed.
_ALIKE: Final = 4
_NUMBER: Final = re.compile(r"[0-9][0-9hms.:]*")


class ProgressLog:
    """Reports one run to one host."""

    def __init__(self, host: Host, settings: Settings, clock: Clock) -> None:
        self._host = host
        self._clock = clock
        self._verbose = settings.verbose
        self._targets = settings.targets
        self._timeout = max(plan.timeout for plan in settings.plans)
        self._many = len(self._targets) > wording.NAMED
        self._width = max(len(target.label) for target in self._targets)
        self._began = self._last_line = clock.monotonic()
        self._last_count = -_SPACING
        self._changed: float | None = None  # when something changed that no line has counted yet
        self._latest: dict[Target, Answered | None] = dict.fromkeys(self._targets)
        self._states: dict[Target, JobState | None] = {}  # that the log has shown
        self._endings: dict[Target, GateStatus] = {}
        self._outage = Outage()
        self._alike: Counter[str] = Counter()

    def tell(self, event: Event) -> None:
        """Report what has happened to one target, if it is news."""
        match event:
            case Looked(target, at):
                self._request(target, at, event)
            case Answered():
                self._answered(event)
            case AskingAgain(target, at, why, attempt, pause):
                if self._outage.take(event) and not self._host.live:
                    again = f"retry {attempt}, asking again in {duration(pause)}"
                    self._line(target, at, f"{why}, {again}", Style.ODD)
            case Noted(target, at, what, warning, job):
                if job is not None:
                    self._states[target] = job.state
                self._note(target, at, what, warning=warning)
            case Ended(target, at, outcome):
                self._ended(target, at, outcome)

    def tick(self) -> None:
        """Let time pass: draw the live display, or write after a long silence."""
        now = self._clock.monotonic()
        if self._host.live:
            self._host.progress(self._bars(now - self._began))
        elif now - self._last_line >= HEARTBEAT and self._latest:
            self._heartbeat(now - self._began)
        elif (
            self._changed is not None
            and now - max(self._changed + _SETTLING, self._last_count + _SPACING) >= 0
        ):
            self._count(now - self._began)

    # Events

    def _answered(self, event: Answered) -> None:
        target, at, job = event.target, event.at, event.job
        self._latest[target] = event
        news = self._states.get(target) is not job.state and job.verdict is Verdict.PENDING
        if news:  # an ending is reported once it is believed
            self._states[target] = job.state
        if target in self._outage and self._outage.over(target):
            again = self._outage.afterwards(at)
            told = again if self._many else f"{again}: {wording.sentence(job, event.left)}"
            self._line(target, at, told, Style.GOOD)
        elif news and self._many:
            self._changed = self._changed or self._clock.monotonic()
        elif news:
            self._line(target, at, wording.progress(job, event.left))

    def _note(self, target: Target, at: float, what: str, *, warning: bool) -> None:
        """Report something odd; the same of many targets is the same oddity."""
        kind = _NUMBER.sub("0", what)
        self._alike[kind] += 1
        if len(self._targets) > 1 and self._alike[kind] > _ALIKE:
            return
        self._line(target, at, what, Style.ODD if warning else Style.DIM)
        if warning and self._host.annotates:
            self._host.annotate(Level.WARNING, target.label, what)

    def _ended(self, target: Target, at: float, outcome: Outcome) -> None:
        self._latest.pop(target, None)
        self._endings[target] = outcome.status
        if target in self._outage and self._outage.over(target) and outcome.status.by_job:
            self._line(target, at, self._outage.afterwards(at), Style.GOOD)
        self._alike[outcome.status.label] += 1
        if self._many and (outcome.status is GateStatus.READY or self._alike[outcome.status.label] > _ALIKE):
            self._changed = self._changed or self._clock.monotonic()
            return
        told = wording.ending(outcome, alone=len(self._targets) == 1)
        self._line(target, at, told, wording.style_of(outcome.status))

    def _request(self, target: Target, at: float, look: Looked) -> None:
        text = f"{self._start(target, at)}{wording.request(look)}"
        if self._verbose:
            self._host.log(text, Style.DIM)
        else:
            self._host.debug(text)

    # Lines

    def _start(self, target: Target | None, at: float) -> str:
        label = f"{target.label:<{self._width}}  " if target and len(self._targets) > 1 else ""
        return f"{elapsed(at):>5}  {label}"

    def _line(self, target: Target | None, at: float, text: str, style: Style = Style.PLAIN) -> None:
        self._host.log(f"{self._start(target, at)}{text}", style)
        self._last_line = self._clock.monotonic()

    def _heartbeat(self, at: float) -> None:
        """Report how things stand: one line for each of a few targets, one for all of many."""
        silent = self._outage.targets
        if silent:
            one = silent[0] if len(silent) == 1 else None
            about = f"{len(silent)} of {len(self._targets)}: " if len(self._targets) > 1 and not one else ""
            self._line(one, at, about + self._outage.so_far(at), Style.ODD)
        if self._many:
            if len(silent) < len(self._latest):
                self._count(at)
            return
        for target, event in self._latest.items():
            if target not in self._outage:
                told = wording.progress(event.job, event.left) if event else "no usable answer yet"
                self._line(target, at, told, Style.DIM)

    def _count(self, at: float) -> None:
        """Count many targets in a line."""
        self._changed = None
        self._last_count = self._clock.monotonic()
        self._line(None, at, wording.overview(self._jobs(), self._endings.values()), Style.DIM)

    def _jobs(self) -> list[JobStatus | None]:
        return [event.job if event else None for event in self._latest.values()]

    def _bars(self, at: float) -> list[Bar]:
        clock = bars.stopwatch(at, self._timeout)
        if len(self._targets) == 1:
            return [
                bars.row(target, event, at, self._outage, clock) for target, event in self._latest.items()
            ]
        ready = sum(status is GateStatus.READY for status in self._endings.values())
        rows = [bars.row(target, event, at, self._outage, "") for target, event in self._latest.items()]
        return [bars.whole(ready, len(self._targets), clock), *rows]


def introduce(host: Host, settings: Settings, warnings: Iterable[str]) -> None:
    """Report what was understood: one line, the effective settings where they can be folded away, oddities.

    A rehearsal asks a simulator: the addresses of the settings would be misleading there.
    """
    host.log(wording.headline(settings))
    if host.folds:
        rows = [row for row in describe(settings) if not (settings.rehearse and row[0] in _UNUSED)]
        host.group("settings", [f"{name} = {value}  ({source})" for name, value, source in rows])
    for warning in warnings:
        host.annotate(Level.WARNING, "cfgate: settings", warning)


_UNUSED: Final = ("api-url", "ca-bundle")
