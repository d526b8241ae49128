"""How a problem with a value is told without telling a secret."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from cfgate.settings.layers import Given
from cfgate.settings.options import SECRETS
from cfgate.settings.wording import Wrong, shown

_SHORTEST: Final = 4  # characters; anything shorter is part of half the words of a sentence


def secrets_in(layers: Iterable[Mapping[str, Given]]) -> frozenset[str]:
    """Collect every secret that was given, whether it counts or not."""
    found: set[str] = set()
    for layer in layers:
        found.update(layer[option.name].text for option in SECRETS if option.name in layer)
        if "api-url" in layer:
            found.update(_userinfo(layer["api-url"].text))
    return frozenset(found - {""})


def _userinfo(url: str) -> tuple[str, ...]:
    """Find user and password, and the password alone, in something that may be an address."""
    before, at, _ = url.rpartition("@")
    userinfo = before.rpartition("//")[2]
    return (userinfo, userinfo.partition(":")[2]) if at else ()


def problem(given: Given, wrong: Wrong, secrets: Iterable[str], *, secret: bool = False) -> str:
    """Say what is wrong with a value, and where it stands. One that is or holds a secret is not shown."""
    part = given.text if wrong.part is None else wrong.part
    if secret or not part:
        return f"the value from {given.where} {wrong}"
    if any(word in given.text for word in _long_enough(secrets)):
        return f"the value from {given.where} holds a credential: are two values swapped?"
    return f"{shown(part)} from {given.where} {wrong}"


def _long_enough(secrets: Iterable[str]) -> list[str]:
    return [word for word in secrets if len(word) >= _SHORTEST]
