"""What GitHub reads from files: the grammar of `GITHUB_OUTPUT`, and a step summary of bounded size. Pure.

Source: docs.github.com, "Workflow commands for GitHub Actions"; `FileCommandManager.cs` of actions/runner.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Mapping
from typing import Final

from cfgate.text.wording import cap_utf8

OUTPUT_LIMIT: Final = 64 * 1024  # bytes a value; all outputs of a job share about 1 MB
SUMMARY_LIMIT: Final = 1024 * 1024  # bytes; GitHub drops a longer one whole

LEFT_OUT: Final = "\n\n> Parts of this summary were left out: no more than 1 MiB is shown.\n"
_SECTION: Final = re.compile(r"^(?=#{1,6} )", re.MULTILINE)


def new_delimiter() -> str:
    """Make up a delimiter that nobody can foresee."""
    return f"ghadelimiter_{uuid.uuid4()}"


def encode_outputs(pairs: Mapping[str, str], delimiter: Callable[[], str] = new_delimiter) -> bytes:
    """Encode outputs, the last of a name wins. Names are cfgate's own: letters, digits, hyphens."""
    return b"".join(_heredoc(name, value, delimiter) for name, value in pairs.items())


def _heredoc(name: str, value: str, delimiter: Callable[[], str]) -> bytes:
    chosen = delimiter()
    while chosen in value:
        chosen = delimiter()
    document = f"{name}<<{chosen}\n{cap_utf8(value, OUTPUT_LIMIT)}\n{chosen}\n"
    return document.encode("utf-8", "backslashreplace")  # a lone surrogate has no UTF-8


def encode_summary(markdown: str, limit: int = SUMMARY_LIMIT) -> bytes:
    """Encode a step summary in at most `limit` bytes.

    What does not fit is left out by whole sections, from one heading to the next: a cut anywhere else could
    fall into a table, a code fence or a tag.
    """
    whole = markdown.encode("utf-8", "backslashreplace")
    if len(whole) <= limit:
        return whole
    note = LEFT_OUT.encode()
    kept = b""
    for section in _SECTION.split(markdown):
        encoded = section.encode("utf-8", "backslashreplace")
        if len(kept) + len(encoded) + len(note) <= limit:
            kept += encoded
    return (kept + note)[: max(limit, 0)]
