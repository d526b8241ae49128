"""Virtual time for threads: one runs at a time, and when all sleep the clock jumps to the next waking."""

from __future__ import annotations

import heapq
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

NOON = 1_795_435_200.0  # Unix seconds at which virtual days begin


class TurnClock:
    """A `Clock` on which any number of threads take turns, in an order that never varies."""

    def __init__(self) -> None:
        self._now = 0.0
        self._order = 0  # those who wake in the same moment do so in the order in which they lay down
        self._sleepers: list[tuple[float, int, threading.Lock]] = []
        self._over = threading.Lock()

    def monotonic(self) -> float:
        """Seconds since the beginning."""
        return self._now

    def time(self) -> float:
        """Unix time."""
        return NOON + self._now

    def sleep(self, seconds: float) -> None:
        """Let the others have their turns until it is time."""
        if seconds > 0:
            bed = self._lie_down(seconds)
            self._wake_next()
            bed.acquire()

    def run(self, works: Iterable[Callable[[], object]]) -> None:
        """Run all of these, each on a thread of its own, until the last one has ended."""
        threads = [threading.Thread(target=self._turn, args=(work, self._lie_down(0.0))) for work in works]
        usual = threading.stack_size(512 * 1024)  # there may be thousands
        for thread in threads:
            thread.start()
        threading.stack_size(usual)
        self._over.acquire()
        self._wake_next()
        self._over.acquire()  # until `_wake_next` finds nobody left
        for thread in threads:
            thread.join()

    def _turn(self, work: Callable[[], object], bed: threading.Lock) -> None:
        bed.acquire()
        try:
            work()
        finally:
            self._wake_next()

    def _lie_down(self, seconds: float) -> threading.Lock:
        bed = threading.Lock()
        bed.acquire()
        self._order += 1
        heapq.heappush(self._sleepers, (self._now + seconds, self._order, bed))
        return bed

    def _wake_next(self) -> None:
        if not self._sleepers:
            self._over.release()
            return
        moment, _, bed = heapq.heappop(self._sleepers)
        self._now = max(self._now, moment)
        bed.release()
