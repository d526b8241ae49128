"""Make text that a stranger may control harmless to print, and keep it readable for a person. Pure.

The log of a CI job is parsed. GitHub's runner takes `::command::` at the start of a line, after any Unicode
white space, and `##[command]` anywhere; it ends lines at CR, LF and CRLF. The agent of Azure Pipelines takes
`##vso[…]` anywhere. GitLab obeys escape sequences and a lone CR. So every text loses its control characters,
every `##` is broken, and a line that would start with `::` gets a prefix.

Runner and agent are .NET programs, some of whose searches mind the language: they overlook characters that
have no weight in it, and which these are depends on their version of Unicode. So whatever is not plain ASCII
counts for nothing between two `#` and in front of `::`.
"""

from __future__ import annotations

import re
from typing import Final

from cfgate.text.invisible import INVISIBLE
from cfgate.text.wording import cap_utf8

PREFIX: Final = "| "
CUT: Final = " … [cut]"

# One call prints so many bytes at most: GitLab closes the log of a job at 4 MiB, and the verdict comes last.
LOG_LIMIT: Final = 64 * 1024

# Not `str.splitlines`: that splits at VT, FF, U+0085, U+2028 and more, where no parser of a log does.
_LINE_BREAK: Final = re.compile(r"\r\n|\r|\n")

_DOUBLE_HASH: Final = re.compile(r"#(?=[^ -~]*#)")
_TWO_UNITS: Final = re.compile("[\U00010000-\U0010ffff]")
_OVERLOOKED: Final = re.compile(r"[^!-~]+")


def split_lines(text: str) -> list[str]:
    """Split where the parsers of logs do, and nowhere else; line breaks at the end count for nothing."""
    return _LINE_BREAK.split(text.rstrip("\r\n"))


def visible(line: str) -> str:
    r"""Replace what cannot be seen by its escape (`\x1b`), a tab by blanks, and break every `##`."""
    shown = INVISIBLE.sub(lambda match: match[0].encode("unicode_escape").decode("ascii"), line.expandtabs(4))
    return _DOUBLE_HASH.sub("# ", shown)


def log_lines(text: str) -> list[str]:
    """Disarm `text` for a log. Every line but the first has a prefix; the first has one where it needs it."""
    first, *rest = map(visible, split_lines(cap_utf8(text, LOG_LIMIT)))
    armed = _OVERLOOKED.sub("", first).startswith("::")
    return [PREFIX + first if armed else first, *(PREFIX + line for line in rest)]


def single_line(text: str) -> str:
    """Disarm `text` for a place that has one line: a title, a row of a live display."""
    return " ".join(map(visible, split_lines(text))).strip()


def paragraph(text: str) -> str:
    """Disarm `text` for the data of a command, which will escape the line breaks that stay in it."""
    return "\n".join(map(visible, split_lines(text)))


def cut_utf16(text: str, units: int) -> str:
    """Cut to `units` UTF-16 code units, the length that .NET counts, and show that it was cut.

    No codec is asked: Python loads most of them from a file, and an annotation may be about that there can be
    no more open files.
    """
    if len(text) <= units and len(text) + len(_TWO_UNITS.findall(text)) <= units:
        return text
    room = units - len(CUT)
    kept = text[:room]
    while (over := len(kept) + len(_TWO_UNITS.findall(kept)) - room) > 0:
        kept = kept[: -((over + 1) // 2)]
    return kept + CUT


def maskable(secret: str) -> list[str]:
    """Pick the lines of `secret` that are safe to mask: long, mixed, and so in no other text by accident.

    A mask hides a word in the rest of the job, and GitHub drops a job output that contains a masked word: to
    mask a test password such as `changeme` would do more harm than to leave it. Lines one by one, for that is
    how logs are masked.
    """
    return [line for line in split_lines(secret) if _unpredictable(line)]


def _unpredictable(word: str) -> bool:
    mixed = any(char.isalpha() for char in word) and any(char.isdigit() for char in word)
    return len(word) >= 16 and len(set(word)) >= 8 and mixed
