"""A pipe into which a log goes. Whoever reads it may be slow or stop, which must not hold up a gate."""

from __future__ import annotations

from threading import Lock
from typing import Final

from cfgate.system.pipes import write_within

_PATIENCE: Final = 0.2  # seconds that one write waits for the reader
_LAST_PATIENCE: Final = 2.0  # and the end of the log, for every bit that the reader takes
_LAST_TRIES: Final = 5
_MOST: Final = 1 << 20  # bytes that wait for the reader


class Pipe:
    """Writes what the reader takes, and keeps the rest for the next write. Any thread may call."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._lock = Lock()
        self._waiting = bytearray()
        self._missing = 0  # bytes that were left out in front of those that wait
        self._patience = _PATIENCE

    def write(self, data: bytes) -> None:
        """Write, or keep for later; of more than a MiB the oldest is left out. Raises OSError."""
        with self._lock:
            self._waiting += data
            if len(self._waiting) > _MOST:
                self._leave_out(len(self._waiting) - _MOST // 2)
            # A reader that was waited for in vain has to catch up before it is waited for again.
            self._patience = _PATIENCE if self._pour(self._patience) else 0.0

    def close(self) -> None:
        """Give the reader a last chance, for as long as it goes on reading. Raises OSError."""
        with self._lock:
            for _ in range(_LAST_TRIES):
                before = len(self._waiting)
                if self._pour(_LAST_PATIENCE) or len(self._waiting) == before:
                    break

    def _pour(self, seconds: float) -> bool:
        # What is missing is told once there is a reader again; a part of a line may stand before it.
        if self._missing:
            if not write_within(self._descriptor, bytearray(b"\n"), seconds):
                return False
            told = f"… [{self._missing} bytes of this log are missing: nobody read them]\n"
            self._waiting[:0], self._missing = told.encode(), 0
        return write_within(self._descriptor, self._waiting, seconds)

    def _leave_out(self, size: int) -> None:
        """Leave out that many bytes in front, and what is left of the line."""
        size = self._waiting.find(b"\n", size) + 1 or len(self._waiting)
        del self._waiting[:size]
        self._missing += size
