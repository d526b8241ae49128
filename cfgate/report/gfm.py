"""GitHub-flavoured Markdown in which text from outside stays text.

Untrusted text goes through `cell` or `block`, and nothing else. In both every line end and every ASCII
punctuation character is a character reference, which Markdown never takes for markup; and both are elements
in which GitHub leaves mentions, issue numbers and emoji codes alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, TypeVar

from cfgate.text.wording import pictured, shorten

Item = TypeVar("Item")

LEFT: Final = "---"
RIGHT: Final = "--:"

_MARKUP: Final = re.compile(r"[\n!-/:-@\[-`{-~]")  # a line end and all ASCII punctuation

_LINE_END: Final = "&#10;"

_QUOTED: Final = (
    r"`[^`\n]*`"
    r"|(?<![A-Za-z])'(?:[^'\\\n]|\\.)*'(?![A-Za-z])"
    r'|(?<![A-Za-z])"(?:[^"\\\n]|\\.)*"(?![A-Za-z])'
)
# Behind this begins what somebody else has said.
_OUTSIDE: Final = re.compile(r": | (?=\()")
# A word that is nothing but a word to GitHub: no issue (GH-1), no commit, no host name.
_WORD: Final = re.compile(
    r"(?!GH-)(?![0-9]*[a-f][0-9a-f]{5}[^ ]*)\(?[A-Za-z0-9%–'-]*(?:[).,;?!…]{0,2}|[).,;?!…]?:)", re.IGNORECASE
)

# GFM looks for e-mail addresses after it has read the character references, so that `&#64;` alone would still
# make a link: an empty comment parts the text that it looks at.
_AT: Final = "&#64;"
_PARTED_AT: Final = "&#64;<!---->"


def cell(text: str, limit: int = 500) -> str:
    """Write untrusted text for a table cell or a sentence, at most `limit` characters of it."""
    encoded = _referenced(pictured(shorten(text, limit)))
    encoded = encoded.replace(_LINE_END, "<br>").replace(_AT, _PARTED_AT)
    return f"<code>{encoded}</code>" if text else ""


def prose(text: str, names: Iterable[str] = (), *, ours: bool = False, limit: int = 2000) -> str:
    """Write a sentence of ours, with what came from outside in it as code.

    From outside is what follows the first colon or bracket (not in a text that is `ours` as a whole), what
    stands in quotes, each of `names`, and every word that is more than a word to GitHub. What stands between
    backticks is the name of something.
    """
    kept = pictured(shorten(text, limit))
    known = "|".join([*(re.escape(pictured(name)) for name in names if name), _QUOTED])
    written, at = "", 0
    for match in [*re.finditer(known, kept), None]:
        part = kept[at : match.start() if match else len(kept)]
        begin = None if ours else _OUTSIDE.search(part)
        if begin:
            return written + _words(part[: begin.end()]) + cell(kept[at + begin.end() :], limit)
        written += _words(part)
        if match:
            written += cell(match[0].strip("`"), limit)
            at = match.end()
    return written


def _words(text: str) -> str:
    """Write words as they are, and all that is more as code."""
    return " ".join(_referenced(word) if _WORD.fullmatch(word) else cell(word) for word in text.split(" "))


def block(text: str, room: int) -> str:
    """Write untrusted text as a block, on one line of Markdown, cut to about `room` bytes."""
    whole = text.replace("\r\n", "\n").replace("\r", "\n")
    kept = pictured(whole[:room])  # no more than that can fit, and a text may be much longer
    while (bytes_needed := size(_referenced(kept))) > room:
        kept = kept[: len(kept) * room // bytes_needed]
    left = len(whole) - len(kept)
    more = f"… ({left} more characters)" if left else ""
    return f"<pre><code>{_referenced(kept + more)}</code></pre>"


def table(
    columns: Mapping[str, str], items: Sequence[Item], cells: Callable[[Item], Iterable[str]], room: int
) -> str:
    """Write a table of at most `room` bytes, a row for each item; what is left out is counted in the last.

    `columns` gives for each title LEFT or RIGHT. Titles and cells are Markdown already.
    """
    rows = fitting(items, lambda item: _row(cells(item)), room, lambda left: _row([f"… and {left} more"]))
    return "\n".join([_row(columns.keys()), _row(columns.values()), *rows])


def folding(summary: str, body: str, *, unfolded: bool = False) -> str:
    """Write something that a reader can fold and unfold; `summary`, one line, is HTML, `body` Markdown."""
    return f"<details{' open' * unfolded}><summary>{summary}</summary>\n\n{body}\n\n</details>"


def fitting(
    items: Sequence[Item], part: Callable[[Item], str], room: int, more: Callable[[int], str]
) -> list[str]:
    """Write a part for each item while they fit into `room` bytes; `more` tells how many are left out."""
    kept: list[str] = []
    for item in items:
        written = part(item)
        room -= size(written) + 1
        if room < 0:
            return [*kept, more(len(items) - len(kept))]
        kept.append(written)
    return kept


def size(text: str) -> int:
    """Count bytes in UTF-8."""
    return len(text.encode())


def _referenced(text: str) -> str:
    return _MARKUP.sub(lambda match: f"&#{ord(match[0])};", text)


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
