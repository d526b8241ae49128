"""How close the requests of a run may come: as close as it wants, or as often as the API lets them through.

After too many requests (HTTP 429) the rate of those that were let through is the new one, a little less; from
there it grows with every usable answer, until it is refused again. Pure arithmetic on times that are handed
in.
"""

from __future__ import annotations

from collections import deque
from typing import Final

_WINDOW: Final = 2.0  # seconds over which the answers are counted
_SETTLE: Final = 0.25  # seconds; refusals that come sooner are of requests that were under way
_BELOW: Final = 0.95  # of the rate that was let through
_SLOWER: Final = 0.6  # of the rate, when too few were let through to be counted
_FASTER: Final = 0.1  # requests a second more, with each answer
_FASTER_AT_MOST: Final = 0.02  # of the rate
_LEAST: Final = 0.5  # requests a second


class Pace:
    """The spacing of one run, in seconds between two requests."""

    def __init__(self, narrowest: float, now: float) -> None:
        """Begin with the `narrowest` spacing that there will ever be."""
        self.narrowest = narrowest
        self._rate: float | None = None  # requests a second; none is known to be too many
        self._answers: deque[float] = deque()
        self._began = self._changed = now

    @property
    def spacing(self) -> float:
        """Seconds between two requests."""
        return self.narrowest if self._rate is None else max(1 / self._rate, self.narrowest)

    def answered(self, now: float) -> None:
        """Count a usable answer."""
        self._answers.append(now)
        while self._answers[0] < now - _WINDOW:
            self._answers.popleft()
        if self._rate is not None:
            self._rate += min(_FASTER, _FASTER_AT_MOST * self._rate)
            if 1 / self._rate <= self.narrowest:
                self._rate = None

    def too_many(self, now: float) -> None:
        """Slow down to what is let through."""
        if self._rate is not None and now - self._changed < _SETTLE:
            return
        self._changed = now
        passed = sum(answer > now - _WINDOW for answer in self._answers)
        before = self._rate or 1 / max(self.narrowest, 1e-3)
        counted = passed / max(min(_WINDOW, now - self._began), _SETTLE)
        self._rate = max(min(counted * _BELOW, before) if passed > 1 else before * _SLOWER, _LEAST)
