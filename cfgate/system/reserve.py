"""Descriptors that are kept back for the end."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import Final

_RESERVE: Final = 32  # descriptors


@contextlib.contextmanager
def reserved() -> Iterator[None]:
    """Keep some descriptors back while the block runs.

    Many connections may use up all that the process may have; then no report could be opened after them, no
    module be loaded, and no thread be ended.
    """
    kept: list[int] = []
    with contextlib.suppress(OSError):  # so few that none are left: no connection will get any either
        kept += (os.open(os.devnull, os.O_RDONLY) for _ in range(_RESERVE))
    try:
        yield
    finally:
        for descriptor in kept:
            os.close(descriptor)
