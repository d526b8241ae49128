"""The one stream that a host writes to."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from typing import Final, TextIO

from cfgate.hosts import Style
from cfgate.hosts.pipe import Pipe
from cfgate.system.pipes import descriptor_of

# SGR escapes, which terminals, GitHub, GitLab and Azure all show; faint may be ignored, and then looks plain.
_SGR: Final = {Style.DIM: "2", Style.GOOD: "32", Style.BAD: "31", Style.ODD: "33"}


class Console:
    """Write text at once and never raise or hang: a log that nobody reads any more must not stop a gate.

    `stream` may be `None` (Python's own way to say that the descriptor was closed before it started), closed,
    broken, a pipe or a terminal whose reader has stopped, or of an encoding that lacks characters: these are
    written as escapes.
    """

    def __init__(self, stream: TextIO | None, *, colour: bool = False) -> None:
        self._stream = stream
        self._encoding = getattr(stream, "encoding", None) or "utf-8"
        # UTF-16 begins with a mark: there only the stream itself knows where the beginning is.
        descriptor = None if "".encode(self._encoding) else descriptor_of(stream)
        self._pipe = None if descriptor is None else Pipe(descriptor)
        self._colour = colour

    def lines(self, lines: Iterable[str], style: Style = Style.PLAIN) -> None:
        """Write whole lines, disarmed by the caller."""
        self.write("".join(f"{self.paint(line, style)}\n" for line in lines))

    def paint(self, line: str, style: Style) -> str:
        """Colour one line, where colours are wanted; on GitLab a colour would outlast its line."""
        code = _SGR.get(style)
        return f"\x1b[{code}m{line}\x1b[0m" if self._colour and code and line else line

    def write(self, text: str) -> None:
        """Write `text` as it is, and flush."""
        if self._stream is None:
            return
        try:
            if self._pipe:
                self._pipe.write(self._encoded(text))
            else:
                self._stream.write(self._encoded(text).decode(self._encoding))
                self._stream.flush()
        except BlockingIOError:
            pass  # the reader of a non-blocking stream is slow: this text is lost, the next may pass
        except (OSError, ValueError):  # ValueError: closed
            self._abandon(self._stream)

    def close(self) -> None:
        """Wait a moment for a reader that is slow. Nothing follows."""
        if self._stream is not None and self._pipe:
            with contextlib.suppress(OSError):
                self._pipe.close()

    def can_show(self, text: str) -> bool:
        """Tell whether the stream's encoding has all these characters."""
        return self._encoded(text).decode(self._encoding) == text

    def _encoded(self, text: str) -> bytes:
        return text.encode(self._encoding, "backslashreplace")

    def _abandon(self, stream: TextIO) -> None:
        """Write nothing more, and keep Python from failing when it flushes what is left at its exit."""
        self._stream = None
        with contextlib.suppress(OSError, ValueError):
            null = os.open(os.devnull, os.O_WRONLY)
            try:
                os.dup2(null, stream.fileno())
            finally:
                os.close(null)
