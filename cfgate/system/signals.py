"""Signals that ask the process to stop, as messages."""

from __future__ import annotations

import signal
from collections.abc import Callable
from signal import Signals


def listen(put: Callable[[Signals], None]) -> None:
    """Hand over every SIGINT, SIGTERM, SIGQUIT and SIGHUP from now on.

    A SIGHUP that is ignored stays so: that is how `nohup` starts a program.

    As PID 1 of a container a process ignores SIGTERM unless it has a handler. `put` is called in the middle
    of anything: `SimpleQueue.put` may be, for it is reentrant by its documentation.
    """

    def handle(number: int, frame: object) -> None:  # noqa: ARG001 - the shape of a handler
        put(Signals(number))

    for name in ("SIGINT", "SIGTERM", "SIGQUIT", "SIGHUP"):
        number = getattr(signal, name, None)  # Windows has no terminal to quit or to hang up
        if number is not None and (name != "SIGHUP" or signal.getsignal(number) is not signal.SIG_IGN):
            signal.signal(number, handle)


def exit_code(number: Signals) -> int:
    """Return the exit code of a program that a signal has stopped, by the convention of shells."""
    return 128 + number
