"""What is wrong with a text that is no YAML, in words of our own.

PyYAML's messages quote what they choke on. That may be a secret: `secret-key: *theSecret` is an alias that is
defined nowhere. So its messages are recognised by their beginnings, and none is passed on.
"""

from __future__ import annotations

from typing import Final

_QUOTES: Final = "put the value into quotes"
_FAULTS: Final = (
    ("aliases are not understood", f"aliases (`*`) are not understood here; if it is none, {_QUOTES}"),
    ("found undefined alias", f"an alias (`*`) that is defined nowhere; if it is none, {_QUOTES}"),
    ("found duplicate anchor", f"an anchor (`&`) that was there before; if it is none, {_QUOTES}"),
    ("expected alphabetic or numeric", f"a `*`, `&` or `!` that cannot be read; {_QUOTES}"),
    ("found undefined tag", f"a tag (`!`) that means nothing; if it is none, {_QUOTES}"),
    ("but found another document", "a second document begins"),
    ("mapping values are not allowed", f"a `:` where none can stand; {_QUOTES}"),
    ("could not find expected ':'", "a line that is no `key: value`"),
    ("sequence entries are not allowed", "a `-` where none can stand"),
    ("mapping keys are not allowed", "a `?` where none can stand"),
    (r"found character '\t'", "a tab; indent with blanks"),
    ("found character", f"a character that no value begins with; {_QUOTES}"),
    ("found unexpected end of stream", "a quote that is not closed"),
    ("found unexpected document separator", "a quote that is not closed"),
    ("found unknown escape character", "a backslash in double quotes that means nothing; take single quotes"),
    ("expected escape sequence", "a backslash in double quotes that means nothing; take single quotes"),
    ("expected ',' or", "a comma that is missing, or a bracket that is not closed"),
    ("expected <block end>", "a line that is indented in another way than those before it"),
)
_OTHER: Final = "what stands there cannot be read"


def fault(problem: str | None) -> str:
    """Say what PyYAML's `problem` says, without a word of the text that it is about."""
    return next((words for beginning, words in _FAULTS if (problem or "").startswith(beginning)), _OTHER)
