"""The keyboard of a terminal with a live display: whatever is typed must not end up among the rows.

The terminal itself prints what is typed. That is turned off while the display is there, and only then; it is
turned on again at every end, and while the program is stopped by Ctrl-Z.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import signal
import sys
from typing import Final

if sys.platform != "win32":  # where nobody asks for a `Keys`: see `choose`
    import termios

_LOCAL: Final = 3  # where `tcgetattr` keeps the local modes


class Keys:
    """The echo of one terminal. Used by the main thread alone."""

    def __init__(self, descriptor: int, erase: str) -> None:
        """Take a descriptor of the terminal, and what to write there before the program is stopped."""
        self._descriptor = descriptor
        self._erase = erase.encode()
        self._silenced = False

    @property
    def foreground(self) -> bool:
        """Whether the terminal belongs to this process now, and not to a shell that runs it behind."""
        # An error: it is not our controlling terminal, and there is no shell to share it with.
        with contextlib.suppress(OSError):
            if sys.platform != "win32":
                return os.tcgetpgrp(self._descriptor) == os.getpgrp()
        return True

    def silence(self) -> None:
        """Turn the echo off, also when somebody has turned it on again meanwhile."""
        if sys.platform != "win32" and self._set(echo=False) and not self._silenced:
            self._silenced = True
            atexit.register(self.restore)
            signal.signal(signal.SIGTSTP, self._stop)

    def restore(self) -> None:
        """Turn the echo on, if it was on before."""
        if sys.platform != "win32" and self._silenced:
            self._silenced = False
            self._set(echo=True)
            atexit.unregister(self.restore)
            signal.signal(signal.SIGTSTP, signal.SIG_DFL)

    def _set(self, *, echo: bool) -> bool:
        """Set the echo; return whether it was different before. A terminal that is gone needs none."""
        if not self.foreground:
            return False  # to change it now would stop this process
        if sys.platform != "win32":
            with contextlib.suppress(termios.error, OSError):
                modes = termios.tcgetattr(self._descriptor)
                if bool(modes[_LOCAL] & termios.ECHO) != echo:
                    modes[_LOCAL] ^= termios.ECHO
                    termios.tcsetattr(self._descriptor, termios.TCSANOW, modes)
                    return True
        return False

    def _stop(self, number: int, frame: object) -> None:  # noqa: ARG002 - the shape of a handler
        """Clear the rows away, and stop as every program does; once it goes on, they are drawn again.

        Written past the console, whose lock the interrupted code may hold.
        """
        if self.foreground:
            with contextlib.suppress(OSError):
                os.write(self._descriptor, self._erase)
        self.restore()
        os.kill(os.getpid(), number)
