"""Buildkite.

Source: buildkite.com/docs, "Managing log output", `buildkite-agent annotate` and `buildkite-agent meta-data`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from cfgate.hosts import Level, Style
from cfgate.hosts.console import Console
from cfgate.hosts.file_commands import encode_summary
from cfgate.hosts.plain import Plain
from cfgate.hosts.text import PREFIX, log_lines, single_line
from cfgate.system.files import write_all
from cfgate.text.wording import cap_utf8

# Under the working directory: the agent is not inside a container, and gives a step no place for files.
FOLDER: Final = "cfgate-buildkite"

_OVERLOOKED: Final = re.compile(r"[^!-~]+")
_HEADERS: Final = ("---", "+++", "~~~", "^^^")


class Buildkite(Plain):
    """A log with groups; files with the meta-data and the annotation, which the step hands to the agent."""

    folds = True

    def __init__(self, console: Console, *, folder: str = FOLDER, debugging: bool = False) -> None:
        super().__init__(console, debugging=debugging)
        self._folder = Path(folder)
        self._failures: set[str] = set()

    def log(self, text: str, style: Style = Style.PLAIN) -> None:
        """Print disarmed lines, of which none begins like the header of a group."""
        first, *rest = log_lines(text)
        armed = _OVERLOOKED.sub("", first).startswith(_HEADERS)
        self._console.lines([PREFIX + first if armed else first, *rest], style)

    def group(self, title: str, lines: Iterable[str]) -> None:
        """Print lines that are folded; a group ends where the next begins, so one that is open follows."""
        self._between(f"--- {single_line(title)}", lines, "+++ cfgate")

    def output(self, pairs: Mapping[str, str]) -> None:
        """Write a file for each value, for `buildkite-agent meta-data set KEY <FILE`."""
        self._write(
            {
                f"meta-data/{name}": cap_utf8(value, self.value_limit).encode("utf-8", "backslashreplace")
                for name, value in pairs.items()
            }
        )

    def summary(self, markdown: str) -> None:
        """Write the page, for `buildkite-agent annotate <FILE`, which takes 1 MiB as GitHub does."""
        self._write({"annotation.md": encode_summary(markdown)})

    def _write(self, contents: Mapping[str, bytes]) -> None:
        """Write files, and warn once of each reason; the exit code still tells the verdict."""
        failed = write_all({str(self._folder / name): data for name, data in contents.items()})
        for reason in set(failed.values()) - self._failures:
            self._failures.add(reason)
            message = f"the files for the agent could not be written to {self._folder}: {reason}"
            self.annotate(Level.WARNING, "cfgate: no meta-data", message)
