"""One pace for all gates of a run: their requests are spread, and what one learns of the API, all know.

Each gate looks when its own cadence says so. The pacer only keeps them from doing it in the same moment:

- the first looks are spread over a part of the longest pause, so that gates with a fixed pause stay apart;
- two requests are never closer than a spacing that delays a look by half a second at most, come all at once;
- an API that has too many requests (HTTP 429) gets fewer, until they are let through; while it asks all to
  pause (`Retry-After` beside it) nobody asks, and then all come back one by one;
- the first usable answer after an outage wakes those who wait;
- once the credentials are refused, nobody asks any more.

A gate that is alone feels nothing of this.
"""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Final

from cfgate.errors import Rejected
from cfgate.gate.pace import Pace

if TYPE_CHECKING:
    from cfgate.system.clock import Clock

# Seconds between two requests where there is no hurry: twenty a second are a load for nobody.
_AMPLE: Final = 0.05
# Seconds that a look may come late for the sake of the others.
_MOST_DELAY: Final = 0.5
# Who waits for a turn that is far away looks this often, in seconds, whether it has come nearer.
_GLANCE: Final = 1.0
_TINY: Final = 1e-9  # seconds that are lost in sums
# The part of the longest pause over which the first looks are spread, and those after a quiet time.
_OPENING: Final = 1 / 3


class Pacer:
    """The pace of one run. Shared by all its gates, each on a thread of its own."""

    def __init__(self, clock: Clock, targets: int = 1, max_interval: float = 15.0) -> None:
        """Begin; `targets` gates will ask, the most eager of them at least every `max_interval` seconds."""
        # A gate that is alone keeps its own distances; only its look at the deadline may come close behind.
        narrowest = min(_AMPLE, _MOST_DELAY / targets) if targets > 1 else 0.0
        self._pace = Pace(narrowest, clock.monotonic())
        self._opening = min(_AMPLE, _OPENING * max_interval / targets)
        self._clock = clock
        self._lock = Lock()
        self._quiet_until = clock.monotonic()  # when the first request may be sent
        self._latest = float("-inf")  # when the last one was
        self._queue: list[object] = []  # those who wait for their turn
        self._places = 0  # given away in the queue at the end of the quiet time, or at the start
        self._refusal: Rejected | None = None
        # When the first usable answer of the run came, and the last.
        self._worked: tuple[float, float] | None = None
        self.shared = targets > 1

    @property
    def worked(self) -> bool:
        """Whether any gate of the run has had a usable answer: then credentials and address are right."""
        return self._worked is not None

    @property
    def worked_for(self) -> float:
        """Seconds from the first usable answer of the run to the last."""
        return self._worked[1] - self._worked[0] if self._worked else 0.0

    def answered(self) -> None:
        """Note a usable answer."""
        now = self._clock.monotonic()
        with self._lock:
            self._worked = (self._worked[0] if self._worked else now, now)
            self._pace.answered(now)

    def answered_since(self, moment: float) -> bool:
        """Whether any gate of the run has had a usable answer after this moment of the clock."""
        return self._worked is not None and self._worked[1] > moment

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

        Return the seconds that went by because the API wants to be left alone. All of it lasts `patience` at
        most, so that a look at the deadline comes at the deadline, and no more than `_MOST_DELAY` later.
        Raises Rejected once the credentials have been.
        """
        end = self._clock.monotonic() + patience
        quiet = self._await_quiet(end)
        while not self._waited_in_turn(end):
            quiet += self._await_quiet(end)
        if self._refusal is not None:
            raise Rejected(str(self._refusal), remedy=self._refusal.remedy, credentials=True)
        return quiet

    def too_many(self, retry_after: float | None) -> None:
        """Note an answer of too many requests: ask less often, and not at all for `retry_after` seconds."""
        with self._lock:
            now = self._clock.monotonic()
            if self.shared:
                self._pace.too_many(now)
            until = now + (retry_after or 0.0)
            if retry_after is not None and until > self._quiet_until:
                self._quiet_until = until
                self._places = 1  # the first one is for the gate that was told, which pauses by itself

    def refuse(self, refusal: Rejected) -> None:
        """Note that the API has refused the credentials."""
        self._refusal = refusal

    def _waited_in_turn(self, end: float) -> bool:
        """Wait until it is one's turn; return early, and false, when the API asks all to pause.

        At the `end` of the time that a gate has, the slow pace for too many requests counts no more.
        """
        place = object()
        with self._lock:
            self._queue.append(place)
        try:
            while True:
                with self._lock:
                    now = self._clock.monotonic()
                    if now < min(self._quiet_until, end):
                        return False
                    spacing = self._pace.spacing if now < end else self._pace.narrowest
                    left = self._latest + (self._queue.index(place) + 1) * spacing - now
                    if left <= _TINY:
                        self._latest = now
                        return True
                    pause = min(left, end - now if now < end else left, _GLANCE)
                self._sleep(pause)
        finally:
            with self._lock:
                self._queue.remove(place)

    def _await_quiet(self, until: float) -> float:
        began = self._clock.monotonic()
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
