"""Read a log as the agent of Azure Pipelines does: `Command.cs` and `CommandStringConvertor.cs`."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_ESCAPES = (("%3B", ";"), ("%0D", "\r"), ("%0A", "\n"), ("%5D", "]"), ("%AZP25", "%"))
_FORMATS = re.compile(r"##\[(group|endgroup|debug|warning|error|section|command)\]", re.IGNORECASE)


@dataclass(frozen=True)
class Command:
    """A command that the agent would obey."""

    name: str
    data: str
    properties: dict[str, str] = field(default_factory=dict)


@dataclass
class Log:
    """The commands; the lines that are only shown; and which of those the log viewer formats, and how."""

    commands: list[Command] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    formats: list[str] = field(default_factory=list)


def parse(log: str) -> Log:
    """Read a whole log."""
    result = Log()
    lines = re.split(r"\r\n|\n|\r", log)
    for line in lines[:-1] if lines[-1] == "" else lines:
        command = parse_line(line)
        if command is not None:
            result.commands.append(command)
            continue
        result.lines.append(line)
        result.formats += [found.lower() for found in _FORMATS.findall(line)]
    return result


def parse_line(line: str) -> Command | None:
    """Find `##vso[area.event key=value;key=value]data`, anywhere in the line."""
    start = line.lower().find("##vso[")  # the agent minds the case; other readers of logs do not
    end = line.find("]", start)
    if start < 0 or end < 0:
        return None
    name, _, properties = line[start + 6 : end].partition(" ")
    if len([part for part in name.split(".") if part]) != 2:
        return None
    told = {}
    for piece in properties.split(";"):
        key, _, value = piece.lstrip("=").partition("=")
        if key and value:
            told[key.lower()] = _unescape(value)
    return Command(name.lower(), _unescape(line[end + 1 :]), told)


def _unescape(text: str) -> str:
    for escaped, char in _ESCAPES:
        text = text.replace(escaped, char)
    return text
