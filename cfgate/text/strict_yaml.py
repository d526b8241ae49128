"""Read YAML strictly: each value with its line and column, no key twice, no objects made of tags.

The text is parsed into nodes. A reader takes from them the text as it is written (`text_of`: `1:30` and `yes`
are not what YAML 1.1 makes of them) or a plain value (`value_of`). Imported only when a file is read.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import yaml
from yaml import MappingNode, Node, ScalarNode, SequenceNode

from cfgate.text.wording import Wrong, named
from cfgate.text.yaml_faults import fault

__all__ = [
    "Entry",
    "MappingNode",
    "Node",
    "ScalarNode",
    "SequenceNode",
    "compose",
    "entries",
    "text_of",
    "value_of",
]

_TAG: Final = "tag:yaml.org,2002:"
_PLAIN: Final = {f"{_TAG}{kind}" for kind in ("null", "bool", "int", "float", "str", "seq", "map")}
_WIDEST: Final = 4096  # bits of a number; one of more than 4300 digits Python would not even print
_DEEPEST: Final = 100  # brackets within brackets


class _Loader(yaml.SafeLoader):
    """A loader that stops at what is nested deeply before it takes its time: the square of the depth."""

    def fetch_flow_collection_start(self, token: Any) -> None:
        """Begin a list or a mapping in brackets."""
        if self.flow_level > _DEEPEST:
            raise RecursionError
        super().fetch_flow_collection_start(token)


# Without the others a date stays the text that it is, and `<<` and `=` are no magic.
_Loader.yaml_implicit_resolvers = {
    start: [(tag, pattern) for tag, pattern in resolvers if tag in _PLAIN]
    for start, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


class _Unaliased(_Loader):
    """A loader that refuses aliases: they would let a small file become a huge value."""

    def compose_node(self, parent: Node | None, index: Any) -> Node | None:
        """Compose a node that is no alias."""
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]  # its stub has no types
            raise yaml.composer.ComposerError(None, None, "aliases are not understood here", mark)
        return super().compose_node(parent, index)


def compose(text: str, *, aliases: bool) -> Node | None:
    """Parse one document; `None` for an empty one. Raises Wrong for what is not YAML."""
    try:
        root: Node | None = yaml.compose(text, Loader=_Loader if aliases else _Unaliased)
    except yaml.MarkedYAMLError as error:
        where = f", {_at(error.problem_mark)}" if error.problem_mark else ""
        raise Wrong(f"is not YAML{where}: {fault(error.problem)}") from None
    except yaml.YAMLError:
        raise Wrong("is not YAML: it has characters that cannot be printed") from None
    except (ValueError, OverflowError):  # "\U7fffffff"
        raise Wrong("is not YAML: it has a number that means nothing") from None
    except RecursionError:
        raise Wrong("is nested too deeply") from None
    return root


def _at(mark: yaml.Mark) -> str:
    return f"line {mark.line + 1}, column {mark.column + 1}"


@dataclass(frozen=True, slots=True)
class Entry:
    """A key of a mapping and the value there; `source` names the file, for a sentence."""

    path: str  # from the top of the file, as in targets.console.timeout
    name: str  # the last part of it
    key: Node
    node: Node
    source: str = ""

    @property
    def key_place(self) -> str:
        """Where the key is, for a problem with the key."""
        return f"key {named(self.path)} from {self.source}{_at(self.key.start_mark)}"

    @property
    def place(self) -> str:
        """Where the value is."""
        return f"{self.source}{_at(self.node.start_mark)}, key {named(self.path)}"


def entries(node: MappingNode, above: str, problems: list[str], source: str = "") -> Iterator[Entry]:
    """Yield the entries of a mapping whose path is `above`, each key once; a second one is a problem."""
    lines: dict[str, int] = {}
    for key, value in node.value:
        name = key.value if isinstance(key, ScalarNode) else ""
        entry = Entry(f"{above}{name}", name, key, value, source)
        if name in lines:
            problems.append(f"{entry.key_place} was there before, in line {lines[name]}: keep one of the two")
        else:
            lines[name] = key.start_mark.line + 1
            yield entry


def text_of(node: Node) -> str | None:
    """Return a scalar as it is written, "" for null, `None` when it is no plain scalar."""
    if not isinstance(node, ScalarNode) or node.tag not in _PLAIN:
        return None
    return "" if node.tag == f"{_TAG}null" else str(node.value).strip()


def value_of(node: Node) -> Any:
    """Build the plain value of a node without aliases. Raises Wrong for a tag, or a key given twice."""
    if node.tag not in _PLAIN:
        raise Wrong(f"has a tag ({_at(node.start_mark)}): write plain YAML without tags", part="")
    if isinstance(node, SequenceNode):
        return [value_of(item) for item in node.value]
    if isinstance(node, MappingNode):
        problems: list[str] = []
        values = {entry.name: value_of(entry.node) for entry in entries(node, "", problems)}
        if not all(isinstance(key, ScalarNode) for key, _ in node.value):
            raise Wrong("has a key that is no plain text", part="")
        if problems:
            raise Wrong(f"cannot be used: {problems[0]}", part="")
        return values
    return _scalar(node)


def _scalar(node: Node) -> Any:
    constructor = yaml.constructor.SafeConstructor()
    try:
        value = constructor.yaml_constructors[node.tag](constructor, node)
    except (ValueError, LookupError):  # a number of thousands of digits; `!!int x` and its like
        raise Wrong("cannot be read: write plain YAML without tags") from None
    if isinstance(value, int) and value.bit_length() > _WIDEST:
        raise Wrong("is a number that is too long")
    return value
