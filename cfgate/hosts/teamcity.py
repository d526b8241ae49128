"""TeamCity.

Source: jetbrains.com/help/teamcity, "Service Messages"; `ServiceMessage` of JetBrains/teamcity-messages.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

from cfgate.hosts import Level
from cfgate.hosts.plain import Plain
from cfgate.hosts.text import LOG_LIMIT, cut_utf16, paragraph, single_line
from cfgate.text.wording import cap_utf8

PROBLEM_LIMIT: Final = 4000  # UTF-16 units; a longer description of a build problem is refused

_SPECIAL: Final = {"|": "||", "'": "|'", "[": "|[", "]": "|]", "\n": "|n", "\r": "|r"}
_ESCAPED: Final = re.compile(r"[|'\[\]]|[^ -~]")
# `%name%` is a reference, and no name begins with a blank.
_REFERENCE: Final = re.compile(r"%(?! |\Z)")


class TeamCity(Plain):
    """Service messages for what TeamCity knows; lines for the rest."""

    folds = annotates = True

    def group(self, title: str, lines: Iterable[str]) -> None:
        """Print lines that are folded away."""
        name = single_line(title)
        self._between(_message("blockOpened", name=name), lines, _message("blockClosed", name=name))

    def annotate(self, level: Level, title: str, message: str) -> None:
        """Report a problem, which fails the build too; mark a line as a warning; or set the status text."""
        text = paragraph(f"{title}: {message}")
        if level is Level.ERROR:
            self._message("buildProblem", description=cut_utf16(text, PROBLEM_LIMIT))
        elif level is Level.WARNING:
            self._message("message", text=cap_utf8(text, LOG_LIMIT), status="WARNING")
        else:
            self._message("buildStatus", text=cut_utf16(single_line(text), PROBLEM_LIMIT))

    def output(self, pairs: Mapping[str, str]) -> None:
        """Set parameters, named `cfgate.job-state-name`, for later steps and for builds that depend on this.

        TeamCity puts other parameters, secret ones too, in the place of `%name%`: nothing that a stranger has
        written may ask for one.
        """
        for name, value in pairs.items():
            told = cap_utf8(_REFERENCE.sub("% ", value), self.value_limit)
            self._message("setParameter", name=f"cfgate.{name}", value=told)

    def junit(self, path: str) -> None:
        """Let the agent import the report. It reads the path as seen from its checkout directory."""
        self._message("importData", type="junit", path=path)

    def _message(self, name: str, /, **attributes: str) -> None:
        self._console.lines([_message(name, **attributes)])


def _message(name: str, /, **attributes: str) -> str:
    told = " ".join(f"{key}='{_escaped(value)}'" for key, value in attributes.items())
    return f"##teamcity[{name} {told}]"


def _escaped(value: str) -> str:
    """Escape a value; what is not ASCII as its UTF-16 units, which Java counts in."""
    return _ESCAPED.sub(lambda match: _SPECIAL.get(match[0]) or _units(match[0]), value)


def _units(char: str) -> str:
    code = ord(char)
    if code < 1 << 16:
        return f"|0x{code:04X}"
    code -= 1 << 16
    return f"|0x{0xD800 + (code >> 10):04X}|0x{0xDC00 + (code & 0x3FF):04X}"
