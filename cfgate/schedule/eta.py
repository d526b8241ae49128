"""The first clue: the end that the API announces (`jobeta`)."""

from __future__ import annotations

import math
from collections import deque
from typing import Final

from cfgate.model import JobStatus
from cfgate.schedule.experience import TYPICAL
from cfgate.schedule.forecast import FINEST, Forecast

# An announced end is taken to be off by a fifth of what it says remains. Measured from 0.15 to 0.23: E is the
# least where it is as true as that; an estimate that is 50 % off costs a quarter more with 0.15.
ANNOUNCED: Final = 0.2

# Seconds. Nobody says whether the API rounds the end, or cuts it and is half a second early. Taken to be so
# much later, it is met about as well either way.
CUT: Final = 0.1

# Seconds. An estimate that repeats itself is confirmed only if it was as sharp as this when it came. Where
# estimates come once a minute, 95 % of the ends are then known within 1.2 s and not 3.1 s.
SHARP: Final = 1.5

# To be off by so many seconds is no mark of a bad estimate, however near the end it was made. With 10, ends
# that are always promised in 5 s cost an eighth more E; with 1, a twentieth more delay.
SLACK: Final = 3.0

# The estimates that count, and how far they may lie behind the newest one, as a mean of logarithms: by a
# factor of two. Ends that slip are dropped after the first slip; those that err by 50 % either way are kept.
# With 10, ends that are always promised in 30 s cost a third more E; with 100, nothing changes.
COUNTED: Final = 30
DRIFT: Final = 0.7

# Seconds: an end so long after the start is believed once it has changed or the job is half as old. So where
# ends are ten times too far, E is a tenth less, and they are known four seconds earlier.
FAR: Final = 3 * TYPICAL

# What a person may be shown: estimates that move by no more than a third, and at least three of them.
SHOWN: Final = 0.3


class EtaClue:
    """The announced end: good while it improves, and dropped when it slips.

    Only the newest estimate counts. Its error shrinks with what remains, so that even the best mixture with
    older ones gains nothing; and where all errors go the same way, it loses.
    """

    def __init__(self) -> None:
        self._forget()

    def _forget(self) -> None:
        # The values so far, and when each was announced for the last time, in Unix seconds.
        self._announced: deque[tuple[int, float]] = deque(maxlen=COUNTED)
        self._forecast: Forecast | None = None

    def update(self, status: JobStatus, now: float, began: float) -> Forecast | None:
        """Read an answer about a job that runs since `began`; `None` when there is no estimate to believe.

        A first estimate that is already past is none, nor is an only one that is far beyond experience, until
        the job has become half as old as that. One that repeats itself remains as wide as it was when
        it was new: an end that was announced once, at the start, remains vague until the last.
        """
        eta = status.eta
        if eta is None or (eta <= now and not self._announced):
            self._forget()
            return None
        repeated = bool(self._announced) and self._announced[-1][0] == eta
        if repeated:
            self._announced.pop()
        self._announced.append((eta, now))
        drift = self._drift(eta)
        if not repeated or self._forecast is None or self._forecast.spread < SHARP:
            end = eta + CUT
            spread = math.hypot(ANNOUNCED * max(end - now, 0.0), FINEST)
            proven = len(self._announced) > 2 and abs(drift) < SHOWN
            self._forecast = Forecast(end, spread, proven=proven)
        doubted = len(self._announced) == 1 and eta - began > FAR and now - began < FAR / 2
        return None if doubted or drift >= DRIFT else self._forecast

    def _drift(self, newest: int) -> float:
        """Return how much later the newest end is than what was announced, as a mean of logarithms.

        An end that slips whenever it is reached was close when it was announced for the last time: to slip
        costs it most of its credit at once, whereas estimates that err both ways keep theirs.
        """
        logs = [math.log(_left(newest, when) / _left(end, when)) for end, when in self._announced]
        return math.fsum(logs) / len(logs)


def _left(end: int, when: float) -> float:
    return max(end - when, 0.0) + SLACK
