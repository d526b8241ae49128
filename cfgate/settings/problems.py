"""How a problem with a value is reported without showing a secret."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final
from urllib.parse import unquote

from cfgate.settings.layers import Given
from cfgate.settings.options import BY_NAME, Option
from cfgate.text import wording
from cfgate.text.wording import Wrong

_SHORTEST: Final = 4  # characters; anything shorter is part of half the words of a sentence
# Characters of a credential that no value may contain: a made-up one, such as `test`, is in many a file name.
_UNMISTAKABLE: Final = 8
_ADDRESSES: Final = ("api-url", "details-url")
_SWAPPED: Final = "contains a credential: are two values swapped?"
# User name and password, in something that may be an address. A password may contain anything, an @ too.
_USER_INFO: Final = re.compile(r"(?:[^:/@]*:?//)?(.*)@", re.DOTALL)


def secrets_in(layers: Iterable[Mapping[str, Given]], refused: Iterable[str] = ()) -> frozenset[str]:
    """Collect every secret that was given, whether it counts or not, or was refused."""
    found = set(refused)
    for layer in layers:
        for name, given in layer.items():
            found |= secrets_of(BY_NAME[name], given.text)
    return frozenset(found - {""})


def secrets_of(option: Option, text: str) -> set[str]:
    """Find what is secret in a value: a credential; in an address user name and password, and that alone."""
    if option.secret:
        return {text}
    return in_address(text) if option.name in _ADDRESSES else set()


def of_proxies(environ: Mapping[str, str]) -> set[str]:
    """Find user and password of every proxy, in use or not: `https_proxy`, `ALL_PROXY` and so on."""
    return {
        secret
        for variable, text in environ.items()
        if variable.lower().endswith("_proxy") and variable.lower() != "no_proxy"
        for secret in in_address(text)
    }


def in_address(text: str) -> set[str]:
    """Find user and password in an address, as they stand there and as they are sent."""
    match = _USER_INFO.match(text)
    if not match:
        return set()
    user, _, password = match[1].partition(":")
    words = {match[1], user, password}
    return (words | {unquote(word) for word in words}) - {""}


def problem(given: Given, wrong: Wrong, secrets: Iterable[str], *, secret: bool = False) -> str:
    """Say what is wrong with a value, and where it stands. One that is or contains a secret is not shown."""
    if secret:
        wrong = Wrong(str(wrong), part="")
    elif wrong.part != "" and any(word in given.text for word in _long_enough(secrets)):
        wrong = Wrong(_SWAPPED, part="")
    return wording.problem(wrong, given.text, given.where)


def check_harmless(text: str, secrets: Iterable[str]) -> None:
    """Refuse a text that everybody will see if it contains a secret, although its option would allow it."""
    if any(word in text for word in _long_enough(secrets, _UNMISTAKABLE)):
        raise Wrong(_SWAPPED)


def _long_enough(secrets: Iterable[str], shortest: int = _SHORTEST) -> list[str]:
    return [word for word in secrets if len(word) >= shortest]
