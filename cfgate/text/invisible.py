"""Which characters a reader cannot see, or which make others look wrong: the log and all reports ask here.

The list is written out, not asked of the interpreter: each Python knows another version of Unicode.
"""

from __future__ import annotations

import re
from typing import Final

# Unicode's Default_Ignorable_Code_Point, with the places that are kept free for more of them: searches that
# mind the language, as those of .NET, do not see these between two characters.
_IGNORABLE: Final = (
    r"\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    r"\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
# What will never be a character, and two that XML forbids are among it.
_NO_CHARACTERS: Final = r"\ufdd0-\ufdef" + "".join(
    f"\\U{plane:04x}fffe\\U{plane:04x}ffff" for plane in range(0x11)
)
# C0, DEL, C1; Unicode's line ends; the marks of interlinear notes; surrogates, which no encoding takes.
INVISIBLE: Final = re.compile(
    rf"[\x00-\x1f\x7f-\x9f\u2028\u2029\ufff9-\ufffb\ud800-\udfff{_IGNORABLE}{_NO_CHARACTERS}]"
)
