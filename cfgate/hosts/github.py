"""GitHub Actions, and Gitea and Forgejo, whose runners understand the same commands."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from io import FileIO
from pathlib import Path
from typing import Final

from cfgate.hosts import Level, Style
from cfgate.hosts.console import Console
from cfgate.hosts.file_commands import SUMMARY_LIMIT, encode_outputs, encode_summary
from cfgate.hosts.plain import Plain
from cfgate.hosts.text import cut_utf16, log_lines, maskable, paragraph, single_line
from cfgate.hosts.workflow_commands import command

MESSAGE_LIMIT: Final = 4096  # UTF-16 units; the runner cuts what is longer without a word
TITLE_LIMIT: Final = 255  # that of the API behind the annotations
ANNOTATIONS_PER_LEVEL: Final = 10  # per step; the runner drops further ones


class GitHub(Plain):
    """Commands go to the log's stream, for the runner reads it; values and the summary go to files."""

    def __init__(
        self, console: Console, *, output_file: str, summary_file: str, debugging: bool = False
    ) -> None:
        super().__init__(console, debugging=debugging)
        self._output_file = output_file
        self._summary_file = summary_file
        self._page = range(0)  # which bytes of the summary are ours
        self._annotated: Counter[Level] = Counter()
        self._failures: set[str] = set()

    @property
    def folds(self) -> bool:
        """Groups can be folded away."""
        return True

    @property
    def annotates(self) -> bool:
        """Annotations show on the page of the run."""
        return True

    def debug(self, text: str) -> None:
        """Print what the runner shows only when step debugging is on."""
        if self._debugging:
            self._console.lines(command("debug", line) for line in log_lines(text))

    def group(self, title: str, lines: Iterable[str]) -> None:
        """Print lines that are folded away."""
        self._console.lines([command("group", single_line(title))])
        try:
            for line in lines:
                self.log(line)
        finally:
            self._console.lines([command("endgroup")])

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
        with self._warned("outputs", "GITHUB_OUTPUT"), _append_to(self._output_file) as file:
            _write_whole(file, encode_outputs(pairs))

    def summary(self, markdown: str) -> None:
        """Write to `GITHUB_STEP_SUMMARY`, behind what other programs of this step have put there."""
        with self._warned("summary", "GITHUB_STEP_SUMMARY"), _append_to(self._summary_file) as file:
            end = file.tell()
            # Behind the end, if this is our first time or somebody else has been here since.
            begin = self._page.start if self._page.stop == end else end
            file.truncate(begin)
            page = encode_summary(markdown, SUMMARY_LIMIT - begin)
            _write_whole(file, page)
            self._page = range(begin, begin + len(page))

    def mask(self, secret: str) -> None:
        """Mask the lines of `secret` that are safe to mask."""
        self._console.lines(command("add-mask", line) for line in maskable(secret))

    @contextmanager
    def _warned(self, what: str, variable: str) -> Iterator[None]:
        """Tell once of a file that cannot be written; the exit code still tells the verdict."""
        try:
            yield
        except OSError as error:
            failure = f"warning: the {what} could not be written to {variable}: {error.strerror or error}"
            if failure not in self._failures:
                self._failures.add(failure)
                self.log(failure, Style.ODD)


def _append_to(path: str) -> FileIO:
    if not path:
        raise FileNotFoundError("it is not set")
    return Path(path).open("ab", buffering=0)


def _write_whole(file: FileIO, content: bytes) -> None:
    """Write all of it or, on a disk that is full, nothing: the runner fails a step for half a value."""
    begin = file.tell() if file.seekable() else None
    try:
        rest = memoryview(content)
        while rest:
            rest = rest[file.write(rest) :]
    except OSError:
        if begin is not None:
            with suppress(OSError):
                file.truncate(begin)
        raise
