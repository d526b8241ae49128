"""What a machine runs out of is named; everything else is not taken for it."""

from __future__ import annotations

import errno

import pytest

from cfgate.system.limits import limit_met
from cfgate.system.waiting import NoThread


@pytest.mark.parametrize(
    ("error", "name"),
    [
        (OSError(errno.EMFILE, ""), "too many open files"),
        (OSError(errno.ENFILE, ""), "too many open files"),
        (NoThread(), "this machine lets the job have no more threads"),
        (RuntimeError("can't start new thread"), "this machine lets the job have no more threads"),
        (BlockingIOError(errno.EAGAIN, "fork"), None),
        (MemoryError(), "out of memory"),
        (OSError(errno.ENOMEM, ""), "out of memory"),
        (OSError(errno.ENOSPC, ""), "the disk is full"),
        (OSError(errno.EDQUOT, ""), "the disk is full"),
        (OSError(errno.EPERM, ""), None),
        (OSError("no number"), None),
        (RuntimeError("a bug"), None),
        (KeyError("x"), None),
    ],
)
def test_a_limit_is_told_from_a_bug(error: BaseException, name: str | None) -> None:
    """Each limit has its name and one sentence that says what to do."""
    met = limit_met(error)
    assert (met[0] if met else None) == name
    assert met is None or (met[1].endswith(".") and met[1][0].isupper())
