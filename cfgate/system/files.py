"""To write what must not get lost: whole or not at all, owned by whoever owns the folder, without hanging.

Every place is written on a thread of its own (see `waiting`): a pipe may have no reader, a disk may be a
network that has gone.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

from cfgate.system.limits import why
from cfgate.system.waiting import Attempt, NoThread, Pulse

# Seconds for which a place may stand still: a disk that is busy, and a pipe, whose reader may come late; and
# what any place may take in all.
_PATIENCE: Final = 5.0
_STREAM_PATIENCE: Final = 1.0
_LONGEST: Final = 10.0
_PIECE: Final = 4096  # bytes; a pipe takes these at once or not at all (PIPE_BUF), and shows that it moves
_GLANCE: Final = 0.01  # seconds, where nothing can be waited for
# A folder that takes no new file, or a single file that is mounted, which nothing can take the place of.
_IN_PLACE: Final = frozenset({errno.EACCES, errno.EPERM, errno.EROFS, errno.EBUSY, errno.EXDEV})

# Windows has O_BINARY, others have O_NOCTTY.
_BINARY: Final = getattr(os, "O_BINARY", 0)
_NO_CONSOLE: Final = getattr(os, "O_NOCTTY", 0)

Value = TypeVar("Value")


def write_all(contents: Mapping[str, bytes]) -> dict[str, str]:
    """Write every file, all of them at the same time; return why which could not be written.

    Folders are made where they are missing, links are followed, and pipes and devices are written to.
    """
    finishing = {path: _begun(path, partial(_write, path, data)) for path, data in contents.items()}
    failures = {}
    for path, finish in finishing.items():
        try:
            finish()
        except (OSError, ValueError) as error:  # ValueError: what can be no name of a file
            failures[path] = why(error)
    return failures


def extend(path: str, content: Callable[[int], bytes], own: range = range(0)) -> range:
    """Write behind what a file holds, and return which bytes of it are the new ones.

    What stands in front ends with a line feed before anything follows. `own` are bytes that an earlier call
    has written: they are replaced, unless somebody else has written behind them. `content` makes the bytes,
    once it is known how many stand in front. What cannot be written whole leaves the file as it was. Raises
    OSError.
    """
    return _begun(path, partial(_extend, path, content, own))()


def _begun(path: str, call: Callable[[Pulse], Value]) -> Callable[[], Value]:
    """Begin a call that writes to a path, on a thread if there is one, and return what finishes it."""
    try:
        return Attempt(call, _PATIENCE, _LONGEST).result
    except NoThread as error:
        refused = error  # `error` ends with the block

    def without() -> Value:
        if _is_stream(path):  # it may hang, and nobody could give it up
            raise refused
        return call(Pulse(_PATIENCE))

    return without


def _write(path: str, data: bytes, pulse: Pulse) -> None:
    if _is_stream(path):
        _pour(path, data, pulse)
        return
    real = Path(os.path.realpath(path))  # a link stays, and what it leads to is written
    _make_folder(real.parent)
    try:
        _replace(real, data, pulse)
    except OSError as error:
        if error.errno not in _IN_PLACE or not real.is_file():
            raise
        _overwrite(real, data, pulse)


def _is_stream(path: str) -> bool:
    """Whether a path is not one of a file that could be replaced: a pipe, a device, a descriptor of ours."""
    if os.path.abspath(path).startswith(("/dev/std", "/dev/fd/", "/proc/")):  # noqa: PTH100 - no link
        return True
    try:
        mode = Path(path).stat().st_mode
    except (OSError, ValueError):
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def _pour(path: str, data: bytes, pulse: Pulse) -> None:
    """Write to a pipe or a device, as fast as it takes it."""
    pulse.patience, pulse.silence = _STREAM_PATIENCE, "nobody reads it"
    with _opened(path, os.O_WRONLY | os.O_APPEND | _NO_CONSOLE, pulse) as descriptor:
        rest = memoryview(data)
        while rest:
            try:
                rest = rest[os.write(descriptor, rest[:_PIECE]) :]
            except BlockingIOError:  # somebody has set it not to wait
                time.sleep(_GLANCE)
                pulse.check()
            else:
                pulse.beat()


@contextlib.contextmanager
def _opened(path: str | Path, flags: int, pulse: Pulse) -> Iterator[int]:
    """Open a file, unless that took so long that nobody waits for it any more."""
    descriptor = os.open(path, flags | _BINARY, 0o644)
    try:
        pulse.beat()
        yield descriptor
    finally:
        os.close(descriptor)


def _replace(path: Path, data: bytes, pulse: Pulse) -> None:
    """Write a file beside `path`, which then takes its place."""
    descriptor, name = tempfile.mkstemp(prefix=".cfgate-", dir=path.parent)
    new = Path(name)
    try:
        try:
            _put(descriptor, data)
        finally:
            os.close(descriptor)
        before = path.stat() if path.exists() else None
        if sys.platform != "win32":  # there a file has the rights of its folder
            new.chmod(before.st_mode if before else 0o644)
        _give(new, before or path.parent.stat())
        pulse.beat()
        new.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            new.unlink()
        raise


def _overwrite(path: Path, data: bytes, pulse: Pulse) -> None:
    """Write a file in place; if that fails, what it held before is put back."""
    with _opened(path, os.O_RDWR, pulse) as descriptor:
        _replace_from(descriptor, 0, data, _read(descriptor, 0, os.fstat(descriptor).st_size))


def _extend(path: str, content: Callable[[int], bytes], own: range, pulse: Pulse) -> range:
    if _is_stream(path):
        _pour(path, content(0), pulse)
        return range(0)
    new = not Path(path).exists()
    readable = new or os.access(path, os.R_OK)
    flags = os.O_CREAT | os.O_APPEND | (os.O_RDWR if readable else os.O_WRONLY)
    with _opened(path, flags, pulse) as descriptor:
        if new:
            _give(Path(path), Path(path).absolute().parent.stat())
        end = os.fstat(descriptor).st_size
        # Behind the end, if this is the first time or somebody else has been here since.
        begin = own.start if own.stop == end else end
        before = _read(descriptor, begin, end - begin) if readable else b""
        ended = not begin or (readable and _read(descriptor, begin - 1, 1) == b"\n")
        line_feed = b"" if ended else b"\n"
        data = line_feed + content(begin + len(line_feed))
        _replace_from(descriptor, begin, data, before)
        return range(begin, begin + len(data))


def _replace_from(descriptor: int, begin: int, data: bytes, before: bytes) -> None:
    """Put `data` in the place of `before`, all that a file has from `begin` on, which stays if this fails."""
    try:
        _put(descriptor, data, begin)
    except OSError:
        with contextlib.suppress(OSError):
            _put(descriptor, before, begin)
        raise


def _put(descriptor: int, data: bytes, begin: int = 0) -> None:
    """Write to a file from a place on, where it ends afterwards."""
    os.ftruncate(descriptor, begin)
    os.lseek(descriptor, begin, os.SEEK_SET)
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def _read(descriptor: int, begin: int, size: int) -> bytes:
    """Read so many bytes of a file from a place on."""
    os.lseek(descriptor, begin, os.SEEK_SET)
    parts = []
    while size and (part := os.read(descriptor, size)):
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def _make_folder(folder: Path) -> None:
    """Make a folder and those above it that are missing; each belongs to the owner of the one above."""
    if folder.is_dir():
        return
    _make_folder(folder.parent)
    with contextlib.suppress(FileExistsError):  # somebody was faster; where it is a file, what follows fails
        folder.mkdir()
        _give(folder, folder.parent.stat())


def _give(path: Path, like: os.stat_result) -> None:
    """Make a file belong to the owner of another, as root: else the next job could not remove it."""
    if sys.platform != "win32" and os.geteuid() == 0:
        with contextlib.suppress(OSError):  # a root without its powers, or a disk that knows no owners
            os.chown(path, like.st_uid, like.st_gid)
