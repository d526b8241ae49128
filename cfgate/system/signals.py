"""Signals that ask the process to stop, as messages."""

from __future__ import annotations

import signal
from collections.abc import Callable
from signal import Signals


def listen(put: Callable[[Signals], None]) -> None:
    """Hand over every SIGINT and SIGTERM from now on.

    As PID 1 of a container a process ignores SIGTERM unless it has a handler. `put` is called in the middle
    of anything: `SimpleQueue.put` may be, for it is reentrant by its documentation.
    """

    def handle(number: int, frame: object) -> None:  # noqa: ARG001 - the shape of a handler
        put(Signals(number))

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, handle)


def exit_code(number: Signals) -> int:
    """Return the exit code of a program that a signal has stopped, by the convention of shells."""
    return 128 + number
