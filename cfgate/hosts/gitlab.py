"""GitLab CI."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterable, Mapping

from cfgate.hosts.console import Console
from cfgate.hosts.plain import Plain
from cfgate.hosts.text import single_line

_ERASE = "\x1b[0K"


class GitLab(Plain):
    """A log with sections that fold, and nothing else: GitLab reads all the rest from report files."""

    folds = True

    def __init__(
        self, console: Console, *, debugging: bool = False, now: Callable[[], float] = time.time
    ) -> None:
        super().__init__(console, debugging=debugging)
        self._now = now

    def group(self, title: str, lines: Iterable[str]) -> None:
        """Print a collapsed section. Its name must be unique in the job, which may run cfgate twice."""
        name = f"cfgate_{uuid.uuid4().hex}"
        start = self._marker("start", f"{name}[collapsed=true]")
        self._console.lines([f"{start}{single_line(title)}"])
        try:
            for line in lines:
                self.log(line)
        finally:
            self._console.lines([self._marker("end", name)])  # with the time of then

    def output(self, pairs: Mapping[str, str]) -> None:
        """Do nothing: a later job gets variables from a dotenv report, which `dotenv-file` writes."""

    def _marker(self, kind: str, name: str) -> str:
        return f"{_ERASE}section_{kind}:{int(self._now())}:{name}\r{_ERASE}"
