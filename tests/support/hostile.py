"""Text as somebody would write it who wants to command a CI host, garble a terminal or forge a report."""

from __future__ import annotations

import re

from hypothesis import strategies as st

_COMMANDS = (
    "::error::x",
    "::set-output name=ready::true",
    "::endgroup::",
    "::stop-commands::x",
    "##[set-output name=ready;]true",
    "##[add-mask]ready",
    "##[stop-commands]x",
    "##[endgroup]",
    "##vso[task.setvariable variable=ready;isOutput=true]true",
    "##teamcity[setParameter name='cfgate.ready' value='true']",
    "##teamcity[buildStatus status='SUCCESS' text='x']",
    "--- x",
    "+++ x",
    "~~~ x",
    "^^^ +++",
    "\x1b[0Ksection_start:1:x[collapsed=true]\r\x1b[0K",
    "\x1b[0Ksection_end:1:x\r\x1b[0K",
    "\x1b[2J",
    "\x1b[31m",
)

_PARTS = (
    "::",
    ":",
    "##[",
    "#",
    "##",
    "error",
    "]",
    "%",
    "%25",
    "%0A",
    "%3A",
    "%AZP25",
    "%secret%",
    "|",
    "|n",
    "']",
    "ready=true",
    "ready<<EOF",
    "ghadelimiter_00000000-0000-4000-8000-000000000000",
    "##vso[",
    "section_start:1:x",
    "\x1b]0;title\x07",
    "\x9b31m",
    # line breaks, and what only Python takes for one
    "\n",
    "\r",
    "\r\n",
    "\v",
    "\f",
    "\x1c",
    "\x85",
    "\u2028",
    # white space, and what cannot be seen
    " ",
    "\t",
    "\xa0",
    "\u3000",
    "\x00",
    "\u200b",
    "\u200d",
    "\ufeff",
    "\u202e",
    "\xad",
    "\U000e0041",
    "\ud83d",
    "\udc80",
    # separators, and letters of every width
    "=",
    ",",
    ";",
    ".",
    "{label}",
    "%s",
    "state",
    "é",
    "漢字",
    "😀",
)

# What the parsers of Markdown, HTML and XML act on, a shell, and the reader of a JUnit report.
_MARKUP = (
    "|", "`", "```", "~~~", "\\", "\\|", "*x*", "_x_", "~~x~~", "- ", "1. ", "# ", "> ", "\n\n", "\u2019",
    "<b>", "</code>", "</pre>", "</details>", "<!--", "-->", "]]>", "&amp;", "&#64;", "&#0;", "[x](y)",
    "[x]: y", "![x](https://a.b/x.png)", "www.example.com", "https://example.com", "mailto:foo@example.com",
    "foo@example.com", "xmpp:foo@example.com/x", "@somebody", "#1", ":tada:", "[[ATTACHMENT|../x]]",
    "$HOME", "${HOME}", "$(id)", "%PATH%", "%%{", '"', "'", "A=B", "\ufffe",
)  # fmt: skip

_ANY_CHARACTER = st.characters(exclude_categories=())
_PIECE = st.one_of(
    *(st.sampled_from(pieces) for pieces in (_COMMANDS, _PARTS, _MARKUP)), st.text(_ANY_CHARACTER, max_size=6)
)

texts = st.lists(_PIECE, max_size=10).map("".join)

# Every command at every place where some host would obey it: for `@example`, so that no run goes without.
WORST = "".join(
    f"{place}{command}"
    for command in _COMMANDS
    for place in ("", "\n", "\r", "\r\n \u3000", "\n%0A", "\nx ", "\n\x1b[0m", "\n\u200b")
)


def survives(text: str, shown: str) -> bool:
    """Tell whether every letter and digit of `text` can still be read in `shown`, in order."""
    rest = iter(shown)
    return all(char in rest for char in re.findall(r"[0-9A-Za-zé漢字😀]", text))
