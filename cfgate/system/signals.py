"""Signals that ask the process to stop, as messages."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from signal import Signals


def listen(put: Callable[[Signals], None]) -> None:
    """Hand over every SIGINT, SIGTERM, SIGQUIT, SIGHUP and, on Windows, SIGBREAK from now on.

    There it is Ctrl-Break, and a console that is closed. A SIGHUP that is ignored stays so: that is how
    `nohup` starts a program.

    As PID 1 of a container a process ignores SIGTERM unless it has a handler. `put` is called in the middle
    of anything: `SimpleQueue.put` may be, for it is reentrant by its documentation.
    """

    def handle(number: int, frame: object) -> None:  # noqa: ARG001 - the shape of a handler
        put(Signals(number))

    for name in ("SIGINT", "SIGTERM", "SIGQUIT", "SIGHUP", "SIGBREAK"):
        number = getattr(signal, name, None)  # Windows has no terminal to quit or to hang up
        if number is not None and (name != "SIGHUP" or signal.getsignal(number) is not signal.SIG_IGN):
            signal.signal(number, handle)
    if sys.platform == "win32":
        from cfgate.system.windows import on_closing

        on_closing(lambda: put(Signals.SIGBREAK))


def exit_code(number: Signals) -> int:
    """Return the exit code of a program that a signal has stopped, by the convention of shells."""
    return 128 + number
