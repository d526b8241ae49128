"""Read a log as the runner of GitHub Actions does: `ActionCommand.cs` and `ActionCommandManager.cs`."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

REGISTERED = frozenset(
    {
        "add-mask",
        "add-matcher",
        "add-path",
        "debug",
        "echo",
        "endgroup",
        "error",
        "group",
        "notice",
        "remove-matcher",
        "save-state",
        "set-env",
        "set-output",
        "stop-commands",
        "warning",
    }
)

# Char.IsWhiteSpace of .NET, which String.TrimStart goes by.
DOTNET_SPACE = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)

# In the order of the runner: the per cent sign comes last.
_V1_ESCAPES = (("%3B", ";"), ("%0D", "\r"), ("%0A", "\n"), ("%5D", "]"), ("%25", "%"))
_DATA_ESCAPES = (("%0D", "\r"), ("%0A", "\n"), ("%25", "%"))
_PROPERTY_ESCAPES = (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%"))


@dataclass(frozen=True)
class Command:
    """A command that the runner would obey."""

    name: str
    data: str
    properties: dict[str, str] = field(default_factory=dict)


def parse(log: str) -> tuple[list[Command], list[str]]:
    """Return the commands that the runner obeys, and the lines that it only shows."""
    commands, lines = [], []
    for line in split(log):
        command = parse_line(line)
        if command is None:
            lines.append(line)
        else:
            commands.append(command)
    return commands, lines


def split(log: str) -> list[str]:
    r"""Split as .NET's StreamReader.ReadLine does: at \n, \r\n and a lone \r."""
    lines = re.split(r"\r\n|\n|\r", log)
    return lines[:-1] if lines[-1] == "" else lines


def parse_line(line: str) -> Command | None:
    """Try the newer form, then the older one."""
    return _parse_v2(line) or _parse_v1(line)


def _parse_v2(line: str) -> Command | None:
    """`::name key=value,key=value::data`, after white space."""
    line = line.lstrip(DOTNET_SPACE)
    if not line.startswith("::"):
        return None
    end = line.find("::", 2)
    if end < 0:
        return None
    name, _, properties = line[2:end].partition(" ")
    if name.lower() not in REGISTERED:
        return None
    told = _properties(properties.strip(DOTNET_SPACE), ",", _PROPERTY_ESCAPES)
    return Command(name.lower(), _unescape(line[end + 2 :], _DATA_ESCAPES), told)


def _parse_v1(line: str) -> Command | None:
    """`##[name key=value;key=value]data`, anywhere in the line."""
    start = line.find("##[")
    end = line.find("]", start)
    if start < 0 or end < 0:
        return None
    name, _, properties = line[start + 3 : end].partition(" ")
    if name.lower() not in REGISTERED:
        return None
    told = _properties(properties, ";", _V1_ESCAPES)
    return Command(name.lower(), _unescape(line[end + 1 :], _V1_ESCAPES), told)


def _properties(text: str, separator: str, escapes: tuple[tuple[str, str], ...]) -> dict[str, str]:
    """Read `key=value` pairs; .NET drops empty pieces, and with them an equals sign that starts a value."""
    properties = {}
    for piece in text.split(separator):
        key, _, value = piece.lstrip("=").partition("=")
        if key and value.lstrip("="):
            properties[key.lower()] = _unescape(value.lstrip("="), escapes)
    return properties


def _unescape(text: str, escapes: tuple[tuple[str, str], ...]) -> str:
    for escaped, char in escapes:
        text = text.replace(escaped, char)
    return text
