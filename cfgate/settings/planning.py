"""What to wait for, and each how: from the layers to the plans.

The targets of the config file have names and options of their own, which come after flags, inputs and the
environment and before the options that the file gives for all. Ids from a flag, an input or the environment
take the place of all these targets.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from cfgate.model import Plan, Target
from cfgate.settings.layers import FileFindings, Given, Layer
from cfgate.settings.options import EACH, TARGET_OPTIONS, Option
from cfgate.settings.values import own_key

_ID: Final = "image-version-id"
_OF_PLAN: Final = [option for option in EACH if option.name not in (_ID, "resource")]  # those make the target


class Entry(NamedTuple):
    """What is given for one target of the config file or, without a name, for all ids from elsewhere."""

    name: str
    given: Mapping[str, Given]
    own: Layer

    @property
    def options(self) -> Sequence[Option]:
        """The options that are read for it."""
        return TARGET_OPTIONS if self.name else EACH

    def sources(self) -> Iterator[tuple[str, str]]:
        """Name the source of everything that counts here and is the target's own."""
        for name, given in self.own.items():
            if self.given[name] is given:
                yield own_key(self.name, name), given.source


def entries(outside: Sequence[Layer], file: FileFindings, fallback: Layer) -> list[Entry]:
    """List the targets of the file, or what stands in their place.

    `outside` are the layers that come before the file, `fallback` is the one behind it.
    """
    if not file.targets or replaced(outside, file):
        return [Entry("", ChainMap(*outside, file.layer, fallback), {})]
    return [
        Entry(name, ChainMap(*outside, target.layer, file.layer, fallback), target.layer)
        for name, target in file.targets.items()
    ]


def replaced(outside: Sequence[Layer], file: FileFindings) -> Given | None:
    """Return which ids, if any, replace the targets in the file."""
    given = next((layer[_ID] for layer in outside if _ID in layer), None)
    return given if file.targets else None


def plans(entry: Entry, values: Mapping[str, Any]) -> Iterator[Plan]:
    """Make the plans of an entry, one for each of its ids, in their order and each once."""
    for number in dict.fromkeys(values[_ID]):
        yield Plan(Target(number, entry.name, values["resource"]), **fields(values, _OF_PLAN))


def fields(values: Mapping[str, Any], options: Iterable[Option]) -> dict[str, Any]:
    """Name the values of some options as the settings do; where there is none, the default there counts."""
    return {option.field: values[option.name] for option in options if option.name in values}
