"""Which characters a reader cannot see, or which make others look wrong: the log and all reports ask here."""

from __future__ import annotations

import re
from typing import Final

# C0, DEL, C1; soft hyphen, zero-width characters, invisible operators, BOM, tags; Unicode's
# line ends; what turns the direction of writing; surrogates, which no encoding takes; two that XML forbids.
INVISIBLE: Final = re.compile(
    r"[\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    r"\U000e0000-\U000e007f\ud800-\udfff\ufffe\uffff]"
)
