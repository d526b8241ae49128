"""Take secrets out of text from outside before anybody sees it: `***` stands in their place."""

from __future__ import annotations

import base64
import json
import math
import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_MASK: Final = "***"
# A shorter word protects nothing, and without it no sentence could be read.
_SHORTEST: Final = 4  # characters

# User and password in front of the host of an address, up to the last @ before the path. Behind a colon they
# may hold slashes, as the keys of S3 do, unless it is a port with a path that stands there. The search for
# that @ goes so far and no further: a hostile text would make it quadratic.
_USER_INFO: Final = re.compile(
    r"""(?<=://)
        (?: [^\s/?#"<>]+ | [^\s/?#"<>:@]* : (?! [0-9]{1,5} [/?#] ) [^\s"<>@]{1,100} )
        (?=@)""",
    re.VERBOSE,
)
# The value of an Authorization header, as HTTP, JSON, Python or curl write it: a word, or a scheme and one.
_AUTHORIZATION: Final = re.compile(
    r"""(authorization ["']? [ \t]* [:=] [ \t]* ["']?)
        (?: (?:basic|bearer|digest|negotiate|token) [ \t]+ )?
        [^\s"',;]+""",
    re.VERBOSE | re.IGNORECASE,
)
_BASE64_FOR_URLS: Final = str.maketrans("+/", "-_")


class Redactor:
    """Masks secrets in all the forms in which they may come back, and whatever looks like credentials.

    A secret is found as it is, in base64 (inside a longer one too, as in a Basic header), and escaped as in a
    URL or in JSON, wholly or in part. What is shorter than 4 characters is left alone.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        forms = {form for secret in secrets if len(secret.strip()) >= _SHORTEST for form in _forms(secret)}
        # The longest first: else a secret inside another would be cut out, and the rest left to read.
        self._patterns = [_pattern(form) for form in sorted(forms, key=lambda form: (-len(form), form))]

    def __call__(self, text: str) -> str:
        """Return the text without secrets; there is nothing left to mask in what comes out."""
        before = None
        # Masks may make a new secret with what is beside them. No form is as short as a mask: this ends.
        while text != before:
            before = text
            text = _USER_INFO.sub(_MASK, text)
            text = _AUTHORIZATION.sub(rf"\1{_MASK}", text)
            for pattern in self._patterns:
                text = pattern.sub(_MASK, text)
        return text


def _forms(secret: str) -> Iterator[str]:
    """List a secret and its base64: whole, and as it looks at the three places inside a longer one."""
    yield secret
    raw = secret.encode(errors="surrogateescape")  # as it goes into a header
    whole = base64.b64encode(raw).decode("ascii")
    encoded = [whole, whole.rstrip("=")]
    for before in range(3):
        # A base64 character is 6 bits. Those at the ends that hold bits of a neighbour too are left out.
        first, end = math.ceil(before * 8 / 6), (before + len(raw)) * 8 // 6
        encoded.append(base64.b64encode(bytes(before) + raw).decode("ascii")[first:end])
    for form in encoded:
        yield form
        yield form.translate(_BASE64_FOR_URLS)


def _pattern(form: str) -> re.Pattern[str]:
    """Match a form, with any of its characters escaped or not."""
    return re.compile("".join(_ways(character) for character in form))


def _ways(character: str) -> str:
    """Match one character in every way to write it: as it is, as in a URL, or as in JSON."""
    if character.isascii() and character.isalnum():
        return character  # nobody escapes these
    utf8 = character.encode(errors="surrogateescape")
    utf16 = character.encode("utf-16-be", errors="surrogatepass")
    ways = [
        re.escape(character),
        "(?i:" + "".join(f"%{byte:02x}" for byte in utf8) + ")",
        "(?i:" + "".join(rf"\\u{utf16[i : i + 2].hex()}" for i in range(0, len(utf16), 2)) + ")",
        re.escape(json.dumps(character)[1:-1]),
    ]
    ways += {" ": [r"\+"], "/": [r"\\/"]}.get(character, [])
    return f"(?:{'|'.join(ways)})"
