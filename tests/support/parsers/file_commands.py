"""Read a `GITHUB_OUTPUT` file as the runner does: `EnvFileKeyValuePairs` in `FileCommandManager.cs`.

As a command: `python -m tests.support.parsers.file_commands FILE` prints
`{"outputs": {…}, "error": null}` as JSON, and exits 1 if the runner would fail the step on this file.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Outputs:
    """What a file sets before the first bad line, and what is wrong with that line.

    Names compare without case: the spelling of the first is kept, the value of the last.
    """

    values: dict[str, str] = field(default_factory=dict)
    error: str | None = None

    def set(self, name: str, value: str) -> None:
        """Set an output, as `ExecutionContext.SetOutput` does."""
        known = {old.lower(): old for old in self.values}
        self.values[known.get(name.lower(), name)] = value


class _BadLine(Exception):
    """The runner gives up, and fails the step."""


class _Reader:
    """Lines that end at LF only; a last line may lack it."""

    def __init__(self, text: str) -> None:
        self._rest = text

    def line(self) -> tuple[str, bool] | None:
        """Return the next line, and whether an LF ended it; `None` at the end."""
        if not self._rest:
            return None
        line, newline, self._rest = self._rest.partition("\n")
        return line, bool(newline)


def parse(content: bytes) -> Outputs:
    """Read the whole file."""
    outputs = Outputs()
    reader = _Reader(content.decode("utf-8-sig", "replace"))  # .NET's ReadAllText takes a BOM off
    try:
        while (read := reader.line()) is not None:
            if read[0]:
                outputs.set(*_pair(read[0], reader))
    except _BadLine as bad:
        outputs.error = str(bad)
    return outputs


def _pair(line: str, reader: _Reader) -> tuple[str, str]:
    equals, heredoc = line.find("="), line.find("<<")
    if equals >= 0 and (heredoc < 0 or equals < heredoc):
        return line[:equals], line[equals + 1 :]
    if heredoc < 0:
        raise _BadLine(f"Invalid format '{line}'")
    name, delimiter = line[:heredoc], line[heredoc + 2 :]
    if not name or not delimiter:
        raise _BadLine(f"Invalid format '{line}'. Name must not be empty and delimiter must not be empty")
    return name, _heredoc(delimiter, reader)


def _heredoc(delimiter: str, reader: _Reader) -> str:
    lines: list[str] = []
    while (read := reader.line()) is not None:
        line, ended = read
        if line == delimiter:
            return "\n".join(lines)
        if not ended:
            raise _BadLine("Invalid value. EOF marker missing new line.")
        lines.append(line)
    raise _BadLine(f"Invalid value. Matching delimiter not found '{delimiter}'")


def main(path: str) -> int:
    """Print what the file sets."""
    outputs = parse(Path(path).read_bytes())
    sys.stdout.write(json.dumps({"outputs": outputs.values, "error": outputs.error}, indent=2) + "\n")
    return 0 if outputs.error is None else 1


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit("usage: python -m tests.support.parsers.file_commands FILE")
    raise SystemExit(main(sys.argv[1]))
