"""GitHub Actions, and Gitea and Forgejo, whose runners understand the same commands."""

from __future__ import annotations

import errno
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from cfgate.hosts import Level
from cfgate.hosts.console import Console
from cfgate.hosts.file_commands import SUMMARY_LIMIT, encode_outputs, encode_summary
from cfgate.hosts.plain import Plain
from cfgate.hosts.text import cut_utf16, log_lines, maskable, paragraph, single_line
from cfgate.hosts.workflow_commands import command
from cfgate.system.files import extend
from cfgate.system.limits import why

MESSAGE_LIMIT: Final = 4096  # UTF-16 units; the runner cuts what is longer without a word
TITLE_LIMIT: Final = 255  # that of the API behind the annotations
ANNOTATIONS_PER_LEVEL: Final = 10  # per step; the runner drops further ones


class GitHub(Plain):
    """Commands go to the log's stream, for the runner reads it; values and the summary go to files."""

    folds = annotates = True

    def __init__(
        self, console: Console, *, output_file: str, summary_file: str, debugging: bool = False
    ) -> None:
        super().__init__(console, debugging=debugging)
        self._output_file = output_file
        self._summary_file = summary_file
        self._page = range(0)  # which bytes of the summary are ours
        self._annotated: Counter[Level] = Counter()
        self._failures: set[str] = set()

    def debug(self, text: str) -> None:
        """Print what the runner shows only when step debugging is on."""
        if self._debugging:
            self._console.lines(command("debug", line) for line in log_lines(text))

    def group(self, title: str, lines: Iterable[str]) -> None:
        """Print lines that are folded away."""
        self._between(command("group", single_line(title)), lines, command("endgroup"))

    def annotate(self, level: Level, title: str, message: str) -> None:
        """Put an annotation on the page of the run; when the step has had its share, print a line."""
        self._annotated[level] += 1
        if self._annotated[level] > ANNOTATIONS_PER_LEVEL:
            super().annotate(level, title, message)
            return
        told = cut_utf16(paragraph(message), MESSAGE_LIMIT)
        titled = cut_utf16(single_line(title), TITLE_LIMIT)
        self._console.lines([command(level.value, told, title=titled)])

    def output(self, pairs: Mapping[str, str]) -> None:
        """Append to `GITHUB_OUTPUT`, in one write, so that no kill falls between two pairs.

        No `fsync`: the runner reads the file on the same machine, which sees what was written.
        """
        encoded = encode_outputs(pairs)
        with self._warned("outputs", "GITHUB_OUTPUT"):
            extend(_named(self._output_file), lambda _: encoded)

    def summary(self, markdown: str) -> None:
        """Write to `GITHUB_STEP_SUMMARY`, behind what other programs of this step have put there."""
        with self._warned("summary", "GITHUB_STEP_SUMMARY"):
            self._page = extend(
                _named(self._summary_file),
                lambda begin: encode_summary(markdown, SUMMARY_LIMIT - begin),
                self._page,
            )

    def mask(self, secret: str) -> None:
        """Mask the lines of `secret` that are safe to mask."""
        self._console.lines(command("add-mask", line) for line in maskable(secret))

    @contextmanager
    def _warned(self, what: str, variable: str) -> Iterator[None]:
        """Annotate once that a file cannot be written; the exit code still tells the verdict."""
        try:
            yield
        except (OSError, ValueError) as error:
            failure = f"the {what} could not be written to {variable}: {why(error)}"
            if failure not in self._failures:
                self._failures.add(failure)
                self.annotate(Level.WARNING, f"cfgate: no {what}", failure)


def _named(path: str) -> str:
    if not path:
        raise OSError(errno.ENOENT, "it is not set")
    return path
