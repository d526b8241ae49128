"""Which characters a reader cannot see, or which make others look wrong: the log and all reports ask here.

The list is written out, not asked of the interpreter: each Python knows another version of Unicode.
"""

from __future__ import annotations

import re
from typing import Final

# Unicode's Default_Ignorable_Code_Point, with the places that are kept free for more of them: searches that
# mind the language, as those of .NET, do not see these between two characters. Here those that stand alone …
_FORMATS: Final = (
    r"\xad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff0-\ufff8"
    r"\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e00ff\U000e01f0-\U000e0fff"
)
# … and those that change how the character before them is drawn, or keep a place free in a syllable.
_SELECTORS: Final = (
    r"\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef"
)
# What will never be a character, and two that XML forbids are among it.
_NO_CHARACTERS: Final = r"\ufdd0-\ufdef" + "".join(
    f"\\U{plane:04x}fffe\\U{plane:04x}ffff" for plane in range(0x11)
)
# C0, DEL, C1; Unicode's line ends; the marks of interlinear notes; surrogates, which no encoding takes.
_CONTROLS: Final = r"\x00-\x1f\x7f-\x9f\u2028\u2029\ufff9-\ufffb\ud800-\udfff"
# What only looks like a blank; in a name it is a slip.
_BLANKS: Final = r"\xa0\u1680\u2000-\u200a\u202f\u205f\u3000"

INVISIBLE: Final = re.compile(f"[{_CONTROLS}{_FORMATS}{_SELECTORS}{_NO_CHARACTERS}]")
_UNPRINTABLE: Final = f"[{_CONTROLS}{_FORMATS}{_BLANKS}{_NO_CHARACTERS}]"


def printable(text: str) -> bool:
    """Whether a name can be shown as it is: like `str.isprintable`, but with one answer on every Python."""
    if text.isascii():  # so most starts are spared a pattern
        return text.isprintable()
    return not re.search(_UNPRINTABLE, text)
