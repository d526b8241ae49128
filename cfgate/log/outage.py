"""A time without usable answers: when it began, about which targets, and when the gate gives up."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from cfgate.text.wording import duration, plural

if TYPE_CHECKING:
    from cfgate.model import Target
    from cfgate.model.events import AskingAgain


class Outage:
    """All the targets that are not answered now. An outage of the API is one, however many it concerns."""

    def __init__(self) -> None:
        self._open: dict[Target, AskingAgain] = {}  # the newest failure of each
        self._since: dict[Target, float] = {}  # seconds since the start of the run
        self._began = 0.0
        self._retries = 0

    def __contains__(self, target: Target) -> bool:
        return target in self._open

    @property
    def targets(self) -> tuple[Target, ...]:
        """The targets without an answer, the longest first."""
        return tuple(self._open)

    def take(self, event: AskingAgain) -> bool:
        """Add an answer that could not be used; return whether the outage begins with it."""
        begins = not self._open
        if begins:
            self._began, self._retries = event.at, 0
        self._retries += 1
        self._since.setdefault(event.target, event.at)
        self._open[event.target] = event
        return begins

    def over(self, target: Target) -> bool:
        """Note that a target is answered again, or has ended; return whether that ends the outage."""
        del self._since[target], self._open[target]
        return not self._open

    def so_far(self, at: float) -> str:
        """Describe the outage at a moment, for the log: how long, what came, and when the gate gives up."""
        why, _ = Counter(event.why for event in self._open.values()).most_common(1)[0]
        retries = plural(self._retries, "retry", "retries")
        long = duration(round(at - self._began))
        return f"still {why} after {long} and {retries}, gives up in {self._patience(at)}"

    def afterwards(self, at: float) -> str:
        """Describe the outage that is over at this moment."""
        retries = plural(self._retries, "retry", "retries")
        return f"answers come again after {duration(at - self._began)} and {retries}"

    def texts(self, target: Target, at: float, last: str) -> tuple[str, ...]:
        """Describe it for one target in a live display, the most important first."""
        event = self._open[target]
        kind, _, why = event.why.partition(" (")
        what = {"doubtful answer": "doubtful answers"}.get(kind, kind)
        since = duration(round(at - self._since[target]))
        left = coarse(event.at + event.patience - at)
        return f"{what} for {since}", f"gives up in {left}", f"last seen: {last}", why.removesuffix(")")

    def _patience(self, at: float) -> str:
        first = min(event.at + event.patience for event in self._open.values())
        return coarse(first - at)


def coarse(seconds: float) -> str:
    """Write how long something will last at least: in whole minutes, while that is exact enough."""
    whole = max(int(seconds), 0)
    return duration(whole // 60 * 60 if whole >= 120 else whole)
