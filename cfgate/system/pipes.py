"""To read and to write without hanging: at the other end of a pipe or a terminal nobody may be."""

from __future__ import annotations

import errno
import os
import select
import stat
import sys
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cfgate.system.waiting import NoThread, within

if TYPE_CHECKING:
    from typing import TextIO

_PIECE: Final = 4096  # bytes; a pipe that has room at all has room for these (PIPE_BUF)
_GLANCE: Final = 0.01  # seconds, where nothing can be waited for


def descriptor_of(stream: TextIO | None) -> int | None:
    """Find what `write_within` can write to behind a stream that is a pipe, a socket or a terminal.

    `None` for a file, which takes everything at once, for what is closed or in memory, and on Windows.
    """
    if stream is None:
        return None
    if sys.platform != "win32":  # nothing there can be asked whether it has room
        try:
            descriptor = stream.fileno()
            mode = os.fstat(descriptor).st_mode
            if os.isatty(descriptor):
                # Opened anew: not to wait is a property of the opening, which others share with us.
                return os.open(os.ttyname(descriptor), os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK)
        except (OSError, ValueError):
            return None
        if stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode):
            return descriptor
    return None


def write_within(descriptor: int, data: bytearray, seconds: float) -> bool:
    """Write `data`, for some seconds at most, and take away from it what is written; tell whether all is.

    Raises OSError where nobody is there to read any more.
    """
    if sys.platform != "win32":  # see `descriptor_of`
        room = select.poll()
        room.register(descriptor, select.POLLOUT)
        end = time.monotonic() + seconds
        while data:
            if not room.poll(max(end - time.monotonic(), 0.0) * 1000):
                return False
            try:
                del data[: os.write(descriptor, data[:_PIECE])]
            except BlockingIOError:  # somebody else was faster
                time.sleep(_GLANCE)
                if time.monotonic() > end:
                    return False
    return not data


def print_within(stream: TextIO, text: str, seconds: float) -> None:
    """Write to a stream that is open, for some seconds at most where it is a pipe or a terminal.

    Raises OSError, and ValueError where it is closed.
    """
    descriptor = descriptor_of(stream)
    if descriptor is None:
        _write_through(stream, text)
    elif not write_within(descriptor, bytearray(text.encode(stream.encoding, "backslashreplace")), seconds):
        raise TimeoutError(errno.ETIMEDOUT, "nobody reads it")


def _write_through(stream: TextIO, text: str) -> None:
    """Write to a file or a device past the buffer of the stream.

    What a full disk leaves in the buffer would be written again when the interpreter ends, which would then
    end with an exit code of its own (120).
    """
    try:
        descriptor = stream.fileno()
    except (OSError, ValueError):  # in memory, or closed
        stream.write(text)
        stream.flush()
        return
    stream.flush()
    data = text.encode(stream.encoding, "backslashreplace")
    while data:
        data = data[os.write(descriptor, data) :]


def read(path: str, most: int, seconds: float = 5.0) -> bytes:
    """Read a file up to its end, or `most` bytes and one more; of a pipe what comes within some seconds.

    Raises OSError, and ValueError for what can be no name of a file.
    """
    call = partial(_read, path, most)
    try:
        return within(seconds, call)
    except NoThread:
        if Path(path).is_fifo():
            raise
        return call()
    except TimeoutError:
        raise TimeoutError(errno.ETIMEDOUT, "nobody writes into it") from None


def _read(path: str, most: int) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    try:
        content = b""
        while len(content) <= most:
            try:
                part = os.read(descriptor, most + 1 - len(content))
            except BlockingIOError:  # somebody has set it not to wait
                time.sleep(_GLANCE)
                continue
            if not part:
                break
            content += part
        return content
    finally:
        os.close(descriptor)
