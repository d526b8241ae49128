"""To wait for what may never end: a pipe that nobody reads, a disk that does not answer.

Such a call runs on a daemon thread of its own; whoever waits for it gives it up in time. That needs nothing
of the operating system but threads.
"""

from __future__ import annotations

import errno
import threading
import time
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Generic, TypeVar

Value = TypeVar("Value")


class NoThread(OSError):
    """The operating system refuses another thread."""

    def __init__(self) -> None:
        super().__init__(errno.EAGAIN, "no more threads")


class Pulse:
    """What a call shows of itself while it runs, and how it learns that nobody waits for it any more."""

    def __init__(self, patience: float) -> None:
        self.patience = patience  # seconds for which it may stand still
        self.silence = "it does not answer"  # what is wrong when it stands still for longer
        self.moved = time.monotonic()
        self._given_up = False

    def beat(self) -> None:
        """Show that the call moves. Raises TimeoutError where it should stop."""
        self.check()
        self.moved = time.monotonic()

    def check(self) -> None:
        """Raise TimeoutError where the call should stop: nobody waits for it any more."""
        if self._given_up:
            raise TimeoutError(errno.ETIMEDOUT, self.silence)

    def give_up(self) -> None:
        """Have the call stop at its next beat."""
        self._given_up = True


class Attempt(Generic[Value]):
    """A call under way. Any number of them run side by side."""

    def __init__(
        self, call: Callable[[Pulse], Value], patience: float, longest: float, thread: str = "cfgate-waiting"
    ) -> None:
        """Begin, on a thread of this name; give up after `patience` seconds without a beat, `longest` in all.

        Raises NoThread.
        """
        self._pulse = Pulse(patience)
        self._end = self._pulse.moved + longest
        # A call may change its patience at any moment, unless it has all the time that there is.
        self._glance = longest if patience >= longest else 0.1
        self._outcomes: SimpleQueue[tuple[Value] | BaseException] = SimpleQueue()
        start(threading.Thread(target=self._work, args=(call,), name=thread, daemon=True))

    def result(self) -> Value:
        """Wait for the call, and return or raise what it does. Raises TimeoutError when it is given up."""
        while True:
            left = min(self._pulse.moved + self._pulse.patience, self._end) - time.monotonic()
            try:
                outcome = self._outcomes.get(timeout=min(max(left, 0.0), self._glance))
            except Empty:
                if left <= 0:
                    self._pulse.give_up()
                    raise TimeoutError(errno.ETIMEDOUT, self._pulse.silence) from None
                continue
            if isinstance(outcome, BaseException):
                raise outcome
            return outcome[0]

    def _work(self, call: Callable[[Pulse], Value]) -> None:
        try:
            self._outcomes.put((call(self._pulse),))
        except BaseException as error:  # noqa: BLE001 - raised again by whoever waits
            self._outcomes.put(error)


def within(seconds: float, call: Callable[[], Value], thread: str = "cfgate-waiting") -> Value:
    """Return what `call` returns, or raise what it raises; TimeoutError after so many seconds, NoThread."""
    return Attempt(lambda _: call(), seconds, seconds, thread).result()


def start(thread: threading.Thread) -> None:
    """Start a thread. Raises NoThread where there can be no more."""
    try:
        thread.start()
    except RuntimeError:  # Python says nothing better: "can't start new thread"
        raise NoThread from None
