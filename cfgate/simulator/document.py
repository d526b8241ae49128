"""Read YAML strictly: plain values only, no key twice, no aliases. Imported only when a file is read."""

from __future__ import annotations

from typing import Any, Final

import yaml

_PLAIN: Final = ("null", "bool", "int", "float", "str", "seq", "map")
_WIDEST: Final = 4096  # bits of a number; one of more than 4300 digits Python would not even print
_DEEPEST: Final = 100  # brackets within brackets


class _Strict(yaml.SafeLoader):
    """A loader for files that a person writes by hand: what would surprise that person is an error."""

    def construct_number(self, node: yaml.ScalarNode) -> int:
        """Read a whole number that is not absurdly long."""
        number: int = self.construct_yaml_int(node)
        if number.bit_length() > _WIDEST:
            raise yaml.constructor.ConstructorError(None, None, "the number is too long", node.start_mark)
        return number

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]  # its stub has no types
            raise yaml.composer.ComposerError(None, None, "aliases are not understood here", mark)
        return super().compose_node(parent, index)

    def fetch_flow_collection_start(self, token: Any) -> None:
        """Begin a list or a mapping in brackets; deep ones would take the square of their depth."""
        if self.flow_level > _DEEPEST:
            raise RecursionError
        super().fetch_flow_collection_start(token)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002 - PyYAML's signature
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value in seen:
                problem = f"the key {key.value[:80]!r} stands here twice"
                raise yaml.constructor.ConstructorError(None, None, problem, key.start_mark)
            seen.add(str(key.value))
        return super().construct_mapping(node, deep)


# Without these a date stays the text that it is, `<<` and `=` are no magic, and a tag makes no object.
_Strict.yaml_implicit_resolvers = {
    start: [(tag, pattern) for tag, pattern in resolvers if tag.rpartition(":")[2] in _PLAIN]
    for start, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Strict.yaml_constructors = {
    tag: constructor
    for tag, constructor in yaml.SafeLoader.yaml_constructors.items()
    if tag is None or tag.rpartition(":")[2] in _PLAIN
}
_Strict.add_constructor("tag:yaml.org,2002:int", _Strict.construct_number)


def parse(text: str) -> object:
    """Read a YAML document; raise ValueError, with one line that says where and what."""
    try:
        return yaml.load(text, _Strict)  # noqa: S506 - a SafeLoader, and stricter
    except yaml.MarkedYAMLError as error:
        where = f"line {error.problem_mark.line + 1}: " if error.problem_mark else ""
        raise ValueError(f"{where}it is not the YAML that it should be ({error.problem})") from None
    except yaml.YAMLError as error:
        raise ValueError(f"it is not YAML ({str(error).splitlines()[0]})") from None
    except RecursionError:
        raise ValueError("it is nested too deep") from None
    except (ValueError, LookupError):  # a number of thousands of digits; `!!int x` and its like
        raise ValueError("it holds a value that cannot be read; write plain YAML without tags") from None
