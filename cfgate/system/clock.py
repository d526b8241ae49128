"""Time, so that tests can make their own: the local clocks, the API's clock, and a deadline."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """The two local clocks, and a way to let time pass. All in seconds."""

    def monotonic(self) -> float:
        """Read a clock that never jumps; its zero means nothing."""
        ...

    def time(self) -> float:
        """Read Unix time as this machine believes it; it may be wrong, and it may jump."""
        ...

    def sleep(self, seconds: float) -> None:
        """Let `seconds` pass; nothing at or below 0."""
        ...


class SystemClock:
    """The clocks of this machine."""

    def monotonic(self) -> float:
        """`time.monotonic`."""
        return time.monotonic()

    def time(self) -> float:
        """`time.time`."""
        return time.time()

    def sleep(self, seconds: float) -> None:
        """`time.sleep`; gates sleep on threads of their own, so a signal need not wake them."""
        if seconds > 0:
            time.sleep(seconds)


class Deadline:
    """A moment on the monotonic clock after which there is no more waiting."""

    def __init__(self, clock: Clock, seconds: float) -> None:
        self._clock = clock
        self._end = clock.monotonic() + seconds

    def left(self) -> float:
        """Tell how many seconds are left; negative when it has passed."""
        return self._end - self._clock.monotonic()

    @property
    def passed(self) -> bool:
        """Whether the moment has come."""
        return self.left() <= 0


class ApiClock:
    """The API's clock, learned from the `Date` headers of its answers.

    A `Date` header is whole seconds, cut off: the true time at the API lies within [date, date + 1) at some
    moment between sending and receiving. Every answer narrows the interval that the offset to the local
    monotonic clock must lie in, so the estimate becomes far better than a second. A local clock that is wrong
    or jumps does no harm: it is used only until the first `Date` arrives.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._low = self._high = clock.time() - clock.monotonic()
        self._heard = False

    def hear(self, date: float, sent: float, received: float) -> None:
        """Take in a `Date` (Unix seconds) of an answer sent and received at these monotonic times."""
        low, high = date - received, date + 1.0 - sent
        if self._heard and low <= self._high and high >= self._low:
            low, high = max(low, self._low), min(high, self._high)
        # An interval that does not meet the old one: the API's clock was set, or another machine answers.
        self._low, self._high, self._heard = low, high, True

    def now(self) -> float:
        """Tell the Unix time at the API, in seconds."""
        return self._clock.monotonic() + (self._low + self._high) / 2

    def skew(self) -> float:
        """Tell how far the local clock is ahead of the API's, in seconds; 0 before the first `Date`."""
        return self._clock.time() - self.now() if self._heard else 0.0
