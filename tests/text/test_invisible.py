"""What counts as invisible, whatever version of Unicode an interpreter knows."""

from __future__ import annotations

import sys
import unicodedata

import pytest

from cfgate.text.invisible import INVISIBLE, printable

# DerivedCoreProperties.txt of Unicode 16.0: Default_Ignorable_Code_Point.
DEFAULT_IGNORABLE = (
    (0x00AD, 0x00AD), (0x034F, 0x034F), (0x061C, 0x061C), (0x115F, 0x1160), (0x17B4, 0x17B5),
    (0x180B, 0x180D), (0x180E, 0x180E), (0x180F, 0x180F), (0x200B, 0x200F), (0x202A, 0x202E),
    (0x2060, 0x2064), (0x2065, 0x2065), (0x2066, 0x206F), (0x3164, 0x3164), (0xFE00, 0xFE0F),
    (0xFEFF, 0xFEFF), (0xFFA0, 0xFFA0), (0xFFF0, 0xFFF8), (0x1BCA0, 0x1BCA3), (0x1D173, 0x1D17A),
    (0xE0000, 0xE0000), (0xE0001, 0xE0001), (0xE0002, 0xE001F), (0xE0020, 0xE007F), (0xE0080, 0xE00FF),
    (0xE0100, 0xE01EF), (0xE01F0, 0xE0FFF),
)  # fmt: skip


@pytest.mark.parametrize(("first", "last"), DEFAULT_IGNORABLE)
def test_every_ignorable_character_is_invisible(first: int, last: int) -> None:
    """Whatever Unicode says may be drawn as nothing is replaced, assigned or not."""
    assert all(INVISIBLE.fullmatch(chr(code)) for code in range(first, last + 1))


def test_controls_and_what_is_no_character_are_invisible() -> None:
    """So are controls, line ends, surrogates, and the code points that will never be characters."""
    for code in range(sys.maxunicode + 1):
        never = 0xFDD0 <= code <= 0xFDEF or code & 0xFFFE == 0xFFFE
        if never or unicodedata.category(chr(code)) in {"Cc", "Cs", "Zl", "Zp"}:
            assert INVISIBLE.fullmatch(chr(code)), hex(code)


def test_what_is_drawn_is_not_invisible() -> None:
    """No digit, sign, mark that is drawn, or blank is: a text in any script stays one."""
    ignorable = {code for first, last in DEFAULT_IGNORABLE for code in range(first, last + 1)}
    for code in range(sys.maxunicode + 1):
        if unicodedata.category(chr(code))[0] in "LMNPSZ" and code not in {*ignorable, 0x2028, 0x2029}:
            assert not INVISIBLE.fullmatch(chr(code)), hex(code)


def test_what_can_be_printed_is_the_same_on_every_python() -> None:
    """As each Python has it for the characters that it knows; what Unicode gets later can always be."""
    odd = {
        code
        for code in range(sys.maxunicode + 1)
        if printable(chr(code)) is not chr(code).isprintable()
        and unicodedata.category(chr(code)) not in {"Cn", "Co"}
    }
    # Format characters that are drawn: the signs of numbers in Arabic, Syriac and others, and of hieroglyphs.
    assert {unicodedata.category(chr(code)) for code in odd} == {"Cf"}
    assert all(printable(chr(code)) for code in odd)
    for character in ("\U0001fae9", "\U0001f6d8", "\u0378", "\ue000"):  # new in 16 and 17, free, private
        assert printable(character)
    for character in ("\u2065", "\ufff0", "\U000e0fff", "\ufdd0", "\ud800", "\n", "\xa0", "\u3000"):
        assert not printable(character)
