"""Read a log as TeamCity does: `MapSerializerUtil`; where it is unsure, the greedier way."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_NAMED = {
    "n": "\n",
    "r": "\r",
    "x": "\x85",
    "l": "\u2028",
    "p": "\u2029",
    "|": "|",
    "'": "'",
    "[": "[",
    "]": "]",
}
_START = "##teamcity["


class Malformed(Exception):
    """TeamCity would report a message that it cannot read."""


@dataclass(frozen=True)
class Message:
    """A service message that TeamCity would obey."""

    name: str
    attributes: dict[str, str] = field(default_factory=dict)


@dataclass
class Log:
    """The messages, and the lines that are only shown."""

    messages: list[Message] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)


def parse(log: str) -> Log:
    """Read a whole log; a message may begin anywhere in a line, and several may share one."""
    result = Log()
    lines = re.split(r"\r\n|\n|\r", log)
    for line in lines[:-1] if lines[-1] == "" else lines:
        start = line.find(_START)
        if start < 0:
            result.lines.append(line)
        while start >= 0:
            reader = _Reader(line, start + len(_START))
            result.messages.append(reader.message())
            start = line.find(_START, reader.position)
    return result


def references(value: str) -> list[str]:
    """Find what another parameter would be put in the place of, when this value is used."""
    return re.findall(r"%([^%\s][^%]*)%", value)


class _Reader:
    """Reads one message, character by character, as far as its closing bracket."""

    def __init__(self, line: str, position: int) -> None:
        self._line = line
        self.position = position

    def message(self) -> Message:
        name = self._while(r"[A-Za-z]+")
        attributes: dict[str, str] = {}
        while self._while(r"\s*") is not None and not self._line.startswith("]", self.position):
            key = self._while(r"[\w:.-]+")
            self._expect("='")
            if key in attributes:
                raise Malformed(f"{key} twice: {self._line}")
            attributes[key] = self._value()
        self._expect("]")
        return Message(name, attributes)

    def _value(self) -> str:
        units: list[int] = []
        while not self._line.startswith("'", self.position):
            char = self._next()
            if char in "[]\n\r":
                raise Malformed(f"a bare {char!r}: {self._line}")
            units += _utf16(self._escape() if char == "|" else char)
        self._expect("'")
        return b"".join(unit.to_bytes(2, "little") for unit in units).decode("utf-16-le", "surrogatepass")

    def _escape(self) -> str:
        kind = self._next()
        if kind in _NAMED:
            return _NAMED[kind]
        digits = self._line[self.position + 1 : self.position + 5]
        if kind == "0" and self._next() == "x" and re.fullmatch("[0-9A-Fa-f]{4}", digits):
            self.position += 4
            return chr(int(digits, 16))
        raise Malformed(f"an escape that is none: {self._line}")

    def _next(self) -> str:
        if self.position >= len(self._line):
            raise Malformed(f"no end: {self._line}")
        self.position += 1
        return self._line[self.position - 1]

    def _while(self, pattern: str) -> str:
        found = re.compile(pattern).match(self._line, self.position)
        if found is None:
            raise Malformed(f"no {pattern} at {self.position}: {self._line}")
        self.position = found.end()
        return found[0]

    def _expect(self, text: str) -> None:
        if not self._line.startswith(text, self.position):
            raise Malformed(f"no {text} at {self.position}: {self._line}")
        self.position += len(text)


def _utf16(text: str) -> list[int]:
    raw = text.encode("utf-16-le", "surrogatepass")
    return [int.from_bytes(raw[at : at + 2], "little") for at in range(0, len(raw), 2)]
