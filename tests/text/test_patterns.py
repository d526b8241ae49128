"""No regular expression needs what some of the promised Pythons get wrong."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import cfgate
from cfgate.text.redaction import _pattern

# In the words of the parser of `re`. Wrong in CPython 3.11.0 to 3.11.4.
BROKEN = {"ATOMIC_GROUP", "POSSESSIVE_REPEAT"}
MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(cfgate.__path__, "cfgate.")
    if "__main__" not in module.name
)


def operations(pattern: str, flags: int = 0) -> set[str]:
    """Name all operations of a pattern, at whatever depth."""
    from re import _parser  # type: ignore[attr-defined] # nothing else tells what a pattern is made of

    def names(tree: Any) -> Iterator[str]:
        for part in tree:
            if isinstance(part, (_parser.SubPattern, tuple, list)):
                yield from names(part)
            elif type(part).__name__ == "_NamedIntConstant":
                yield str(part)

    return set(names(_parser.parse(pattern, flags)))


def written_in(module: str) -> Iterator[tuple[str, int]]:
    """List the patterns of a module: those that it keeps, and those that stand in its code as plain texts."""
    loaded = importlib.import_module(module)
    for value in vars(loaded).values():
        if isinstance(value, re.Pattern) and isinstance(value.pattern, str):
            yield value.pattern, value.flags
    for node in ast.walk(ast.parse(Path(loaded.__file__ or "").read_text("utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
            of_re = isinstance(node.func.value, ast.Name) and node.func.value.id == "re"
            first = node.args[0]
            if (
                of_re
                and isinstance(first, ast.Constant)
                and len(node.args) > 1
                and node.func.attr != "compile"
            ):
                yield str(first.value), 0


@pytest.mark.parametrize("module", MODULES)
def test_every_promised_python_understands_each_pattern_alike(module: str) -> None:
    """Neither possessive quantifiers nor atomic groups are used."""
    for pattern, flags in written_in(module):
        assert not operations(pattern, flags) & BROKEN, pattern


def test_the_patterns_that_are_made_are_of_the_same_kind() -> None:
    """Neither are they in the pattern of a secret."""
    assert not operations(_pattern("a/b +\"'&é😀\n").pattern) & BROKEN


def test_a_broken_operation_would_be_noticed() -> None:
    """The search sees them at any depth."""
    assert operations("a(?:b|(?=c(?:de)++))") >= {"POSSESSIVE_REPEAT"}
    assert operations("a(?:b|(?>cd))") >= {"ATOMIC_GROUP"}
