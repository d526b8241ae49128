"""Read a log as Buildkite does: groups begin at their headers, and escape sequences make links and images."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

# Colours do not keep a header from being one, nor does what cannot be seen.
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_SEQUENCE = re.compile(r"\x1b[^\[]|\x1b\[(?![0-9;]*m)|[\x80-\x9f]")
_HEADER = re.compile(r"[^!-~]*(---|\+\+\+|~~~|\^\^\^)(.*)", re.DOTALL)


@dataclass
class Group:
    """A header and what follows it."""

    kind: str
    title: str
    lines: list[str] = field(default_factory=list)


@dataclass
class Log:
    """All groups, of which the first has no header; and sequences that are more than colours."""

    groups: list[Group] = field(default_factory=lambda: [Group("", "")])
    sequences: list[str] = field(default_factory=list)

    @property
    def lines(self) -> list[str]:
        """What a person can read, without the headers."""
        return [line for group in self.groups for line in group.lines]


def parse(log: str) -> Log:
    """Read a whole log."""
    result = Log()
    lines = re.split(r"\r\n|\n|\r", log)
    for line in lines[:-1] if lines[-1] == "" else lines:
        result.sequences += _SEQUENCE.findall(line)
        plain = _COLOUR.sub("", line)
        header = _HEADER.fullmatch(plain)
        if header:
            result.groups.append(Group(header[1], header[2].strip()))
        else:
            result.groups[-1].lines.append(plain)
    return result
