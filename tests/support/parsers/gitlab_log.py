"""Show a job log as GitLab does: `lib/gitlab/ci/ansi2json/converter.rb`."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_SECTION = re.compile(r"section_(start|end):(\d+):([a-zA-Z0-9_.-]+)(\[\w+=\w+(?:, ?\w+=\w+)*\])?\r\x1b\[0K")
_SEQUENCE = re.compile(r"\x1b([@-_])(.*?)([@-~])")
_BROKEN_SEQUENCE = re.compile(r"\x1b(?:[@-_].*?)?$")
_TEXT = re.compile(r".[^\x1b\r\ns]*", re.DOTALL)


@dataclass
class Section:
    """A part of the log that folds; `lines` begins with its header."""

    name: str
    options: str
    lines: list[str] = field(default_factory=list)
    closed: bool = False


@dataclass
class Log:
    """Every line that a person sees, the colours (SGR codes) in the order they came, and the sections."""

    lines: list[str] = field(default_factory=list)
    colours: list[str] = field(default_factory=list)
    sections: list[Section] = field(default_factory=list)


def parse(log: str) -> Log:
    """Read a whole log."""
    return _Converter().convert(log)


class _Converter:
    def __init__(self) -> None:
        self._log = Log()
        self._line = ""

    def convert(self, log: str) -> Log:
        for line in re.findall(r"[^\n]*\n|[^\n]+$", log):
            position = 0
            while position < len(line):
                position = self._token(line, position)
        self._flush(hard=False)
        return self._log

    def _token(self, line: str, position: int) -> int:
        """Take in one token, and return where the next one begins."""
        if section := _SECTION.match(line, position):
            self._section(section)
            return section.end()
        if sequence := _SEQUENCE.match(line, position):
            if sequence[1] == "[" and sequence[3] == "m":  # every other sequence is dropped
                self._log.colours.append(sequence[2])
            return sequence.end()
        if _BROKEN_SEQUENCE.match(line, position):
            return len(line)
        if line.startswith(("\r\n", "\n"), position):
            self._flush(hard=True)
            return len(line)
        if line[position] == "\r":
            self._line = ""
            return position + 1
        text = _TEXT.match(line, position)
        assert text is not None
        self._line += text[0]
        return text.end()

    def _section(self, marker: re.Match[str]) -> None:
        name = re.sub(r"[^a-z0-9]", "-", marker[3].lower())
        self._flush(hard=False)
        if marker[1] == "start":
            self._log.sections.append(Section(name, (marker[4] or "").strip("[]")))
            return
        for section in self._log.sections:
            if section.name == name:
                section.closed = True

    def _flush(self, *, hard: bool) -> None:
        """End a line; GitLab shows no empty one, but for those of the program itself we keep them."""
        if self._line or hard:
            self._log.lines.append(self._line)
            for section in self._log.sections:
                if not section.closed:
                    section.lines.append(self._line)
        self._line = ""
