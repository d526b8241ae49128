"""One pace for all gates of a run: their requests are spread, and what the API says to one, all hear.

Each gate looks when its own cadence says so. The pacer only keeps them from doing it in the same moment:

- the first looks are spread over a part of the longest pause, so that gates with a fixed pause stay apart;
- two requests are never closer than a spacing that delays a look by half a second at most, come all at once;
- while the API wants to be left alone (HTTP 429, `Retry-After`) nobody asks; then all come back one by one;
- once it has refused the credentials, nobody asks any more.

A gate that is alone feels nothing of this.
"""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Final

from cfgate.errors import Rejected

if TYPE_CHECKING:
    from cfgate.system.clock import Clock

# Seconds between two requests where there is no hurry: twenty a second are a load for nobody.
_AMPLE: Final = 0.05
# Seconds that a look may come late for the sake of the others.
_MOST_DELAY: Final = 0.5
# The part of the longest pause over which the first looks are spread, and those after a quiet time.
_OPENING: Final = 1 / 3


class Pacer:
    """The pace of one run. Shared by all its gates, each on a thread of its own."""

    def __init__(self, clock: Clock, targets: int = 1, max_interval: float = 15.0) -> None:
        """Begin; `targets` gates will ask, the most eager of them at least every `max_interval` seconds."""
        # A gate that is alone keeps its own distances; only its look at the deadline may come close behind.
        self._spacing = min(_AMPLE, _MOST_DELAY / targets) if targets > 1 else 0.0
        self._opening = min(_AMPLE, _OPENING * max_interval / targets)
        self._clock = clock
        self._lock = Lock()
        self._free = self._quiet_until = clock.monotonic()  # when the next request may be sent, the first
        self._places = 0  # given away in the queue at the end of the quiet time, or at the start
        self._refusal: Rejected | None = None

    @property
    def refused(self) -> bool:
        """Whether the API has refused the credentials."""
        return self._refusal is not None

    def begin(self, patience: float) -> None:
        """Let time pass until a gate may send its first request, for `patience` seconds at most."""
        with self._lock:
            pause = min(self._place() - self._clock.monotonic(), patience)
        self._sleep(pause)

    def turn(self, patience: float) -> float:
        """Let time pass until a gate may send its next request.

        Return the seconds that went by because the API wants to be left alone; those are `patience` at most,
        so that a look at the deadline comes at the deadline. Raises Rejected once the credentials have been.
        """
        quiet = self._await_quiet(patience)
        with self._lock:
            now = self._clock.monotonic()
            moment = max(now, self._free)
            self._free = moment + self._spacing
        self._sleep(moment - now)
        if self._refusal is not None:
            raise Rejected(str(self._refusal), remedy=self._refusal.remedy, credentials=True)
        return quiet

    def pause_all(self, seconds: float) -> None:
        """Hear that the API wants to be left alone for so long."""
        with self._lock:
            until = self._clock.monotonic() + seconds
            if until > self._quiet_until:
                self._quiet_until = until
                self._places = 1  # the first one is for the gate that was told, which pauses by itself

    def refuse(self, refusal: Rejected) -> None:
        """Hear that the API has refused the credentials."""
        self._refusal = refusal

    def _await_quiet(self, patience: float) -> float:
        began = self._clock.monotonic()
        until = began + patience
        while True:
            with self._lock:
                now = self._clock.monotonic()
                if now >= min(self._quiet_until, until):
                    return now - began
                pause = min(self._place(), until) - now
            self._sleep(pause)

    def _place(self) -> float:
        """Give the next place in the queue away: the moment at which it is one's turn. Needs the lock."""
        self._places += 1
        return self._quiet_until + (self._places - 1) * self._opening

    def _sleep(self, seconds: float) -> None:
        if seconds > 0:
            self._clock.sleep(seconds)
