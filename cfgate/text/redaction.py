"""Take secrets out of text from outside before anybody sees it: `***` stands in their place."""

from __future__ import annotations

import base64
import math
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_MASK: Final = "***"
# A shorter word protects nothing, and without it no sentence could be read.
_SHORTEST: Final = 4  # characters

_PASSES: Final = 10

# Possessive quantifiers and atomic groups would say "and never less of it" in a word, but CPython 3.11.0 to
# 3.11.4 gets them wrong: what a group has taken behind `(?=(…))\1` is as final, on every Python.
#
# User and password in front of the host of an address, up to the last @ before the path. Behind a colon they
# may hold slashes, as the keys of S3 do, unless it is a port with a path that stands there, or the colon is
# one of an IPv6 address. The search for that @ goes so far and no further, and not beyond what is masked
# already: a hostile text would make it quadratic. In JSON inside of JSON a slash has backslashes.
_USER_INFO: Final = re.compile(
    r"""(: (?: \\{0,3} / ){2})
        (?: [^\s/?#"<>]+
          | (?!\[) (?= ([^\s/?#"<>:@]*) )\2 : (?! [0-9]{1,5} [/?#] ) (?= (?= ([^\s"<>@]{1,100}) )\3 @ )
            (?= ( (?: (?! /\*{3}@ ) [^\s"<>@] )+ ) )\4 )
        (?=@)""",
    re.VERBOSE,
)
# The same in an address that is quoted once or twice, as in the query of another one.
_QUOTED_USER_INFO: Final = re.compile(
    r"""( %(?:25)?3a (?: %(?:25)?2f ){2} )
        (?: (?: (?! %(?:25)?(?:2f|3f|23) ) [^\s/?#"<>&] )+
          | (?! %(?:25)?5b ) (?= ( (?: (?! %(?:25)?(?:2f|3f|23|3a|40) ) [^\s/?#"<>&] ){0,100} ) )\2
            %(?:25)?3a (?! [0-9]{1,5} %(?:25)?(?:2f|3f|23) )
            (?= ( (?: (?! %(?:25)?40 | 2f\*{3}%(?:25)?40 ) [^\s"<>&] ){1,100} ) )\3 )
        (?= %(?:25)?40 )""",
    re.VERBOSE | re.IGNORECASE,
)
# The value of an Authorization header, as HTTP, JSON, Python or curl write it: a word, or a scheme and one;
# of Digest, which has many, all of them.
_AUTHORIZATION: Final = re.compile(
    r"""(authorization \\{0,3} ["']? [ \t]* [:=] [ \t]* (?: \\{0,3} ["'] )?)
        (?: digest [ \t]+ [^\r\n]+ | (?: (?:basic|bearer|negotiate|token) [ \t]+ )? [^\s"',;\\]+ )""",
    re.VERBOSE | re.IGNORECASE,
)
_ENTITIES: Final = {"&": "amp", "<": "lt", ">": "gt", '"': "quot", "'": "apos"}
_LETTERS: Final = {"\b": "b", "\t": "t", "\n": "n", "\f": "f", "\r": "r"}  # behind a backslash
_PLAIN: Final = re.compile("[0-9A-Za-z]+")
_BASE64_FOR_URLS: Final = str.maketrans("+/", "-_")


class Redactor:
    """Masks secrets in all the forms in which they may come back, and whatever looks like credentials.

    A secret is found as it is, in base64 (inside a longer one too, as in a Basic header), and escaped as in a
    URL, JSON, XML or a literal of Python, wholly or in part. What is shorter than 4 characters is left alone.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        forms = {form for secret in secrets if len(secret.strip()) >= _SHORTEST for form in _forms(secret)}
        # The longest first: else a secret inside another would be cut out, and the rest left to read.
        longest_first = sorted(forms, key=lambda form: (-len(form), form))
        # Each with the longest part of it that is the same in every way to write it, "" if there is none.
        self._forms = [(max(_PLAIN.findall(form), key=len, default=""), form) for form in longest_first]

    def __call__(self, text: str) -> str:
        """Return the text without secrets; there is nothing left to mask in what comes out."""
        # Masks may make a new secret with what is beside them, but hardly ever more than once.
        for _ in range(_PASSES):
            before = text
            # What is known goes first: of a secret with a quote in it the others would take a part only.
            for part, form in self._forms:
                if part in text:  # hardly ever: most runs are spared the patterns
                    text = _pattern(form).sub(_MASK, text)
            for pattern in (_USER_INFO, _QUOTED_USER_INFO, _AUTHORIZATION):
                text = pattern.sub(rf"\1{_MASK}", text)
            if text == before:
                return text
        return _MASK  # made up to keep us busy; nobody could read it anyway


def _forms(secret: str) -> Iterator[str]:
    """List a secret and its base64: whole, and as it looks at the three places inside a longer one."""
    yield secret
    raw = _bytes(secret)
    whole = base64.b64encode(raw).decode("ascii")
    encoded = [whole, whole.rstrip("=")]
    for before in range(3):
        # A base64 character is 6 bits. Those at the ends that hold bits of a neighbour too are left out.
        first, end = math.ceil(before * 8 / 6), (before + len(raw)) * 8 // 6
        encoded.append(base64.b64encode(bytes(before) + raw).decode("ascii")[first:end])
    for form in encoded:
        yield form
        yield form.translate(_BASE64_FOR_URLS)


def _bytes(text: str) -> bytes:
    """Encode a text as it goes into a header."""
    try:
        return text.encode(errors="surrogateescape")
    except UnicodeEncodeError:  # a surrogate that no environment holds, but a YAML file may
        return text.encode(errors="surrogatepass")


def _utf16(code: int) -> tuple[int, ...]:
    """Encode a character in UTF-16; without the codec, which Python would have to load."""
    return (code,) if code < 0x10000 else (0xD7C0 + (code >> 10), 0xDC00 + (code & 0x3FF))


@lru_cache(maxsize=64)
def _pattern(form: str) -> re.Pattern[str]:
    """Match a form, with any of its characters escaped or not."""
    return re.compile("".join(_ways(character) for character in form))


def _ways(character: str) -> str:
    """Match one character in every way to write it: as it is, as in a URL, JSON, XML, or a Python literal.

    What was written in one way may be in a text that is written in the same way once more.
    """
    if character.isascii() and character.isalnum():
        return character  # nobody escapes these
    utf8 = _bytes(character)
    code, ampersand = ord(character), "&(?:amp;){0,2}"
    ways = [
        rf"\\{{0,4}}{re.escape(character)}",
        "".join(rf"%(?:25){{0,2}}(?i:{byte:02x})" for byte in utf8),
        "".join(rf"\\{{1,4}}u(?i:{unit:04x})" for unit in _utf16(ord(character))),
        "".join(rf"\\{{1,4}}x(?i:{byte:02x})" for byte in utf8),
        rf"\\{{1,4}}(?:x(?i:{code:02x})|U(?i:{code:08x}))",
        rf"{ampersand}\#(?:0{{0,4}}{code}|[xX]0{{0,4}}(?i:{code:x}));",
    ]
    if character in _LETTERS:
        ways.append(rf"\\{{1,4}}{_LETTERS[character]}")
    if character in _ENTITIES:
        ways.append(f"{ampersand}{_ENTITIES[character]};")
    if character == " ":
        ways.append(r"\+")
    return f"(?:{'|'.join(sorted(ways, key=len, reverse=True))})"
