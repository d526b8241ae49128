"""What a machine may run out of, in words: none of it is a bug of the program that meets it."""

from __future__ import annotations

import errno
from typing import Final

from cfgate.system.waiting import NoThread

_FEWER: Final = "or gate on fewer targets in one step"
_FILES: Final = "too many open files", f"Let this job have more files open (`ulimit -n`), {_FEWER}."
_THREADS: Final = (
    "this machine lets the job have no more threads",
    f"Raise the limit (`ulimit -u`, or the process limit of the container), {_FEWER}.",
)
_MEMORY: Final = "out of memory", f"Let this job have more memory, {_FEWER}."
_DISK: Final = "the disk is full", "Make room on the disk of this machine, then run this step again."
_BY_NUMBER: Final = {
    errno.EMFILE: _FILES,
    errno.ENFILE: _FILES,
    errno.ENOMEM: _MEMORY,
    errno.ENOSPC: _DISK,
    getattr(errno, "EDQUOT", errno.ENOSPC): _DISK,  # Windows has no quotas that it tells of so
}


def limit_met(error: BaseException) -> tuple[str, str] | None:
    """Name the limit of the machine that an exception tells of, and what to do; `None` if it is another."""
    if isinstance(error, MemoryError):
        return _MEMORY
    if isinstance(error, NoThread) or (isinstance(error, RuntimeError) and "new thread" in str(error)):
        return _THREADS
    return _BY_NUMBER.get(error.errno or 0) if isinstance(error, OSError) else None


def why(error: OSError | ValueError) -> str:
    """Say why a file cannot be used, without its name, which may hold anything."""
    if isinstance(error, ValueError):
        return "it is no name of a file"
    return error.strerror or "it cannot be used"
