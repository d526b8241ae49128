"""What only Windows has: a console that is closed, a code page, and a terminal that has to be asked for more.

Nothing here is loaded anywhere else.
"""

from __future__ import annotations

import contextlib
import re
import sys
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from typing import TextIO

_CLOSED: Final = frozenset({2, 5, 6})  # CTRL_CLOSE_EVENT, CTRL_LOGOFF_EVENT, CTRL_SHUTDOWN_EVENT
_LONGER_THAN_ANY: Final = 60.0  # seconds; Windows grants five, or twenty to a service
_ESCAPES: Final = 4  # ENABLE_VIRTUAL_TERMINAL_PROCESSING
_KEPT: Final[list[object]] = []  # a handler must live as long as Windows may call it
# What Windows takes for a device in any folder; what lies beyond files, as named pipes and whole drives; and
# what stands for a stream elsewhere, here a folder like any other at the root of a drive.
_NO_FILE: Final = re.compile(
    r"(?:.*[\\/:])?(?:CON|PRN|AUX|NUL|CONIN\$|CONOUT\$|(?:COM|LPT)[0-9\xb9\xb2\xb3]) *(?:[.:].*)?"
    r"|[\\/]{2}\.[\\/].*|[\\/]{2}\?[\\/](?!UNC[\\/]|[A-Z]:[\\/]).*|[\\/](?:dev|proc)[\\/].*",
    re.IGNORECASE,
)


def is_no_file(path: str) -> bool:
    """Whether a path names a device, a pipe or a stream. To ask for its status could already open it."""
    return bool(_NO_FILE.fullmatch(path))


def on_closing(tell: Callable[[], None]) -> None:
    """Call `tell` when the console is closed, its user logs off or the machine shuts down.

    Windows ends the process as soon as its handler returns, so the handler does not: it leaves the main
    thread those seconds that there are. `tell` is called on a thread of Windows' own.
    """
    if sys.platform == "win32":
        with contextlib.suppress(ImportError, OSError):  # a Python without ctypes hears the rest
            import ctypes
            from ctypes import wintypes

            def handle(event: int) -> bool:
                if event not in _CLOSED:
                    return False  # Ctrl-C and Ctrl-Break are signals, which Python hears itself
                tell()
                time.sleep(_LONGER_THAN_ANY)
                return True

            handler = ctypes.WINFUNCTYPE(wintypes.BOOL, wintypes.DWORD)(handle)
            if ctypes.WinDLL("kernel32").SetConsoleCtrlHandler(handler, 1):
                _KEPT.append(handler)


def shows_escapes(stream: TextIO) -> bool:
    """Have a console obey escape sequences; tell whether it does. NUL, a terminal to Python, does not."""
    if sys.platform == "win32":
        with contextlib.suppress(ImportError, OSError, ValueError):  # ValueError: closed
            import ctypes
            import msvcrt
            from ctypes import wintypes

            kernel = ctypes.WinDLL("kernel32")
            console = wintypes.HANDLE(msvcrt.get_osfhandle(stream.fileno()))
            mode = wintypes.DWORD()
            if kernel.GetConsoleMode(console, ctypes.byref(mode)):
                return bool(mode.value & _ESCAPES or kernel.SetConsoleMode(console, mode.value | _ESCAPES))
    return False


def speak_utf8(stream: TextIO | None, environ: Mapping[str, str]) -> None:
    """Write UTF-8 into a pipe or a file, whatever the code page of the machine: CI hosts read nothing else.

    A console gets text and needs no encoding. Who has set `PYTHONIOENCODING` gets what it says.
    """
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure and not environ.get("PYTHONIOENCODING"):
        reconfigure(encoding="utf-8", errors="backslashreplace")
