"""The first clue: the end that the API announces (`jobeta`)."""

from __future__ import annotations

import math
from typing import Final

from cfgate.model import JobStatus
from cfgate.schedule.forecast import FINEST, TELLING, Forecast, TrackRecord

# An announced end is taken to be off by a fifth of what it says remains.
ANNOUNCED: Final = 0.2

# Seconds. Nobody says whether the API rounds the end, or cuts it and is half a second early. Taken to be so
# much later, it is met about as well either way.
CUT: Final = 0.1


class EtaClue:
    """The announced end: good while it improves, and dropped when it does not.

    Only the newest estimate counts. Its error shrinks with what remains, so that even the best mixture with
    older ones gains nothing; and where all errors go the same way, it loses.
    """

    def __init__(self) -> None:
        self._record = TrackRecord(ANNOUNCED)
        self._eta: int | None = None
        self._forecast: Forecast | None = None

    def hear(self, status: JobStatus, now: float) -> Forecast | None:
        """Take in an answer; `None` when there is no estimate, or none to believe.

        One that has moved before and now repeats itself has been confirmed: the errors of the last seconds
        hide in whole ones. But one that never moves is as old as it is, and stays as wide as when it was new:
        an end that was announced once, at the start, remains vague until the last.
        """
        if status.eta is None:
            self._record.forget()
            self._forecast = None
        elif status.eta != self._eta or self._record.tested:
            self._forecast = self._weigh(status.eta + CUT, now)
        self._eta = status.eta
        return self._forecast

    def _weigh(self, end: float, now: float) -> Forecast | None:
        left = max(end - now, 0.0)
        if left == 0.0 and self._record.empty:
            return None  # an end that was past when it was first heard of is no forecast
        error = self._record.judge(end, now)
        if error > 1.0:
            return None  # wrong by more than all the time that it speaks of: it knows nothing
        # Else the record changes nothing: a wider forecast is a reason to look early, and a clue that does
        # badly must not earn itself more requests.
        spread = math.hypot(ANNOUNCED * left, FINEST)
        return Forecast(end, spread, proven=self._record.tested and error <= TELLING)
