"""The credentials that every test and proof gives cfgate, and how to find any trace of them.

They are made up and open nothing: wherever they turn up, something leaks. Between two plain words they hold
what URLs, JSON, XML, shells and base64 write differently, so that whoever hides them in one form only leaves
at least a word to find.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Iterator
from typing import Final

_WORDS: Final = {
    "access key": ("Canary7d1f9A", "Key5b1c4Q"),
    "secret key": ("Canary93abS8", "Keyf70e2Z"),
    "token": ("Canary2c6eT5", "Key81d47W"),
}
ACCESS_KEY: Final = "/+&".join(_WORDS["access key"])
SECRET_KEY: Final = "/+\"<&>'=".join(_WORDS["secret key"])
TOKEN: Final = "/+<'=~".join(_WORDS["token"])

PAIR: Final = f"{ACCESS_KEY}:{SECRET_KEY}"
BASIC: Final = base64.b64encode(PAIR.encode()).decode("ascii")  # as a Basic header holds it
KEYS: Final = {"CLANFORGE_ACCESS_KEY": ACCESS_KEY, "CLANFORGE_SECRET_KEY": SECRET_KEY}
BEARER: Final = {"CLANFORGE_TOKEN": TOKEN}


def _traces(word: str) -> Iterator[str]:
    """Give a word, and what any base64 of a text with the word in it holds, at each of its three places."""
    yield word
    for before in range(3):
        # A base64 character is 6 bits. Those that hold bits of a neighbour too are left out.
        first, end = math.ceil(before * 8 / 6), (before + len(word)) * 8 // 6
        yield base64.b64encode(bytes(before) + word.encode()).decode("ascii")[first:end]


_TRACES: Final = {
    name: tuple(trace.encode() for word in words for trace in _traces(word)) for name, words in _WORDS.items()
}


def found(text: str | bytes) -> list[str]:
    """Name the credentials of which a text holds a part: raw, escaped in whatever way, or in base64."""
    data = text.encode(errors="surrogatepass") if isinstance(text, str) else text
    return [name for name, traces in _TRACES.items() if any(trace in data for trace in traces)]
