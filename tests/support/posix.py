"""What Windows does not have, in one place. A test that asks for it is skipped there, and why."""

from __future__ import annotations

import errno
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, NoReturn

import pytest

KILL = 9  # SIGKILL
# What a folder raises that is opened as a file.
NO_FILE = IsADirectoryError if sys.platform != "win32" else PermissionError
NO_FILE_NUMBER = errno.EISDIR if sys.platform != "win32" else errno.EACCES
Limit = Literal["RLIMIT_FSIZE", "RLIMIT_NOFILE"]


def only(reason: str) -> pytest.MarkDecorator:
    """Mark a test that cannot run on Windows, and why; for what needs nothing of this module."""
    return pytest.mark.skipif(sys.platform == "win32", reason=f"POSIX only: {reason}")


def _lacking(what: str) -> NoReturn:
    pytest.skip(f"POSIX only: Windows has no {what}")


def mkfifo(path: Path | str) -> None:
    """Make a named pipe."""
    if sys.platform != "win32":
        os.mkfifo(path)
    else:
        _lacking("named pipes in folders")


def open_at_once(path: Path | str, flags: int) -> int:
    """Open what must not be waited for: `O_NONBLOCK`."""
    if sys.platform != "win32":
        return os.open(path, flags | os.O_NONBLOCK)
    _lacking("O_NONBLOCK")


def waits(descriptor: int) -> bool:
    """Whether reads and writes wait."""
    if sys.platform != "win32":
        return os.get_blocking(descriptor)
    _lacking("pipes that do not wait")


def let_wait(descriptor: int, wait: bool) -> None:
    """Let reads and writes wait, or not."""
    if sys.platform != "win32":
        os.set_blocking(descriptor, wait)
    else:
        _lacking("pipes that do not wait")


def open_terminal(*, raw: bool = False) -> tuple[int, int]:
    """Make a terminal: the end of whoever watches it, and the end of the program."""
    if sys.platform != "win32":
        import tty

        watcher, program = os.openpty()
        if raw:
            tty.setraw(program)
        return watcher, program
    _lacking("pseudo-terminals")


def resize(terminal: int, rows: int, columns: int) -> None:
    """Change the size of a terminal."""
    if sys.platform != "win32":
        import termios

        termios.tcsetwinsize(terminal, (rows, columns))
    else:
        _lacking("pseudo-terminals")


def fork_into_terminal() -> tuple[int, int]:
    """Go on as two processes: the child (0) has a terminal, which the parent watches by a descriptor."""
    if sys.platform != "win32":
        import pty

        return pty.fork()
    _lacking("pseudo-terminals")


def user() -> int:
    """Who this process is; -1 where users have no numbers."""
    number = -1
    if sys.platform != "win32":
        number = os.geteuid()
    return number


def give(path: Path, owner: int) -> None:
    """Give a file away, as root."""
    if sys.platform != "win32":
        os.chown(path, owner, owner)
    else:
        _lacking("numbers of owners")


@contextmanager
def limited(limit: Limit, number: int) -> Iterator[None]:
    """Set a limit of this process for a while: of how large a file may grow, of descriptors."""
    if sys.platform != "win32":
        import resource

        kind = getattr(resource, limit)
        soft, hard = resource.getrlimit(kind)
        resource.setrlimit(kind, (number, hard))
        try:
            yield
        finally:
            resource.setrlimit(kind, (soft, hard))
    else:
        _lacking("limits of a process")


@contextmanager
def in_tokyo(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Move this machine into another time zone for a while."""
    if sys.platform != "win32":
        with monkeypatch.context() as elsewhere:
            elsewhere.setenv("TZ", "Asia/Tokyo")
            time.tzset()
            yield
        time.tzset()
    else:
        _lacking("time zone of a process")
