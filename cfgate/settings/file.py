"""The config file: YAML. Imported only when a file is named.

The YAML is parsed into nodes and never built into objects. Every value is the text as it is written, so the
parsers that read a flag read it too (`1:30` and `yes` are not what YAML 1.1 makes of them), an alias is one
more way to write a value and cannot grow, and each problem knows its line and column.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any, Final

import yaml

from cfgate.settings.layers import FileFindings, Findings, Given
from cfgate.settings.options import BY_NAME, TARGET_OPTIONS, TARGETS, Option
from cfgate.settings.parsers import LONGEST_NAME, MOST_TARGETS, one_line
from cfgate.settings.problems import secrets_of
from cfgate.system import pipes
from cfgate.text.wording import Wrong, closest, listed, named

_MOST_BYTES: Final = 128 * 1024  # room for the most targets there can be
_MOST_KEYS: Final = 100
_DEEPEST: Final = 100  # brackets within brackets
_ID: Final = "image-version-id"
_IN_FILE: Final = tuple(option.name for option in BY_NAME.values() if not option.not_in_file)
_IN_TARGET: Final = {option.name: option for option in TARGET_OPTIONS}
_NULL: Final = "tag:yaml.org,2002:null"
_PLAIN: Final = {f"tag:yaml.org,2002:{kind}" for kind in ("null", "str", "int", "float", "bool", "timestamp")}


def read_file(path: str) -> FileFindings:
    """Read a config file. Raises `Wrong` when the file as a whole cannot be used."""
    root = _parsed(_text(path))
    if root is None or root.tag == _NULL:  # nothing but comments, or dashes
        return FileFindings()
    return _findings(root, f"file {named(path)}")


def _text(path: str) -> str:
    try:
        content = pipes.read(one_line(path), _MOST_BYTES)
    except OSError as error:
        raise Wrong(f"cannot be read: {error.strerror}") from None
    if len(content) > _MOST_BYTES:
        raise Wrong(f"is larger than {_MOST_BYTES // 1024} KiB: that is no config file")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Wrong(f"is not UTF-8, at byte {error.start + 1}") from None


class _Loader(yaml.SafeLoader):
    """A loader that gives up on what is nested deeply before that takes its time: the square of the depth."""

    def fetch_flow_collection_start(self, token: Any) -> None:
        """Begin a list or a mapping in brackets."""
        if self.flow_level > _DEEPEST:
            raise RecursionError
        super().fetch_flow_collection_start(token)


def _parsed(text: str) -> yaml.Node | None:
    try:
        root: yaml.Node | None = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        where = _at(error.problem_mark) if error.problem_mark else ""
        raise Wrong(f"is not YAML{where}: {named(error.problem or 'it breaks off')}") from None
    except yaml.YAMLError:
        raise Wrong("is not YAML: it holds characters that cannot be printed") from None
    except (ValueError, OverflowError):  # "\U7fffffff"
        raise Wrong("is not YAML: it holds a number that means nothing") from None
    except RecursionError:
        raise Wrong("is nested too deeply: a config file is `key: value` lines") from None
    return root


def _at(mark: yaml.Mark) -> str:
    return f", line {mark.line + 1}, column {mark.column + 1}"


def _findings(root: yaml.Node, source: str) -> FileFindings:
    """Read the options for all targets, and the targets."""
    if not isinstance(root, yaml.MappingNode):
        raise Wrong("holds no options: write them as `key: value` lines")
    if len(root.value) > _MOST_KEYS:
        raise Wrong(f"has more than {_MOST_KEYS} keys: that is no config file")
    findings = FileFindings()
    for entry in _entries(root, source, "", findings.problems):
        if entry.name == TARGETS:
            _take_targets(entry, findings)
        elif entry.name in BY_NAME:
            _take(BY_NAME[entry.name], entry, findings)
        else:
            findings.problems.append(f"{entry.key} {_unknown(entry.name, [*_IN_FILE, TARGETS])}")
    if findings.targets and _ID in findings.layer:
        place = findings.layer[_ID].where
        findings.problems.append(f"the value from {place} stands beside {TARGETS}: keep one of the two")
    return findings


@dataclass(frozen=True, slots=True)
class _Entry:
    """A key of a mapping and what stands there."""

    path: str  # from the top of the file, as in targets.console.timeout
    name: str  # the last part of it
    key: str  # the key and its place, for a problem with the key
    node: yaml.Node
    source: str

    @property
    def place(self) -> str:
        """Say where the value is."""
        return f"{self.source}{_at(self.node.start_mark)}, key {named(self.path)}"


def _entries(node: yaml.MappingNode, source: str, above: str, problems: list[str]) -> Iterator[_Entry]:
    """Give the entries of a mapping whose path is `above`, each key once."""
    lines: dict[str, int] = {}
    for key, value in node.value:
        name = key.value if isinstance(key, yaml.ScalarNode) else ""
        path = f"{above}{name}"
        where = f"key {named(path)} from {source}{_at(key.start_mark)}"
        if name in lines:
            problems.append(f"{where} was there before, in line {lines[name]}: keep one of the two")
        else:
            lines[name] = key.start_mark.line + 1
            yield _Entry(path, name, where, value, source)


def _take_targets(targets: _Entry, findings: FileFindings) -> None:
    """Read the targets: a mapping of names to mappings of options."""
    if _plain(targets.node) == "":
        return
    if not isinstance(targets.node, yaml.MappingNode):
        advice = f"write `name: {{{_ID}: 9001}}` lines under it"
        findings.problems.append(f"the value from {targets.place} cannot be used: {advice}")
        return
    if len(targets.node.value) > MOST_TARGETS:
        findings.problems.append(f"{targets.key} has more than {MOST_TARGETS} targets")
        return
    for target in _entries(targets.node, targets.source, f"{TARGETS}.", findings.problems):
        if not (target.name.isprintable() and target.name.strip() and len(target.name) <= LONGEST_NAME):
            advice = f"write 1 to {LONGEST_NAME} printable characters"
            findings.problems.append(f"{target.key} is no name for a target: {advice}")
        elif not isinstance(target.node, yaml.MappingNode) or len(target.node.value) > _MOST_KEYS:
            advice = f"write `{{{_ID}: 9001}}` and the options that differ"
            findings.problems.append(f"the value from {target.place} cannot be used: {advice}")
        else:
            findings.targets[target.name] = _target(target, target.node, findings)


def _target(target: _Entry, node: yaml.MappingNode, findings: FileFindings) -> Findings:
    """Read the options of one target; its problems and what is refused are those of the file too."""
    found = Findings()
    for entry in _entries(node, target.source, f"{target.path}.", found.problems):
        option = _IN_TARGET.get(entry.name) or BY_NAME.get(entry.name)
        if option is None:
            found.problems.append(f"{entry.key} {_unknown(entry.name, _IN_TARGET)}")
        elif option.each or option.not_in_file:
            _take(option, entry, found)
        else:
            found.problems.append(f"{entry.key} is for all targets together: write it at the top of the file")
    if _ID not in found.layer and not found.problems:
        found.problems.append(f"{target.key} has no {_ID}")
    findings.problems += found.problems
    findings.refused |= found.refused
    return found


def _take(option: Option, entry: _Entry, findings: Findings) -> None:
    """Read the value of one option."""
    several = option.many and isinstance(entry.node, yaml.SequenceNode)
    text = _joined(entry.node) if several else _plain(entry.node)
    if option.not_in_file:
        findings.problems.append(
            f"{entry.key} may not stand in a file: it {option.not_in_file}; give it as {option.places}"
        )
        findings.refused |= secrets_of(option, text or "")
    elif text is None:
        advice = "write one plain value, or a list of them" if option.many else "write one plain value"
        findings.problems.append(f"the value from {entry.place} cannot be used: {advice}")
    elif text:
        findings.layer[option.name] = Given(text, entry.source, entry.place)


def _plain(node: yaml.Node) -> str | None:
    """Return a scalar as it is written, "" for null, `None` when it is no plain scalar."""
    if not isinstance(node, yaml.ScalarNode) or node.tag not in _PLAIN:
        return None
    return "" if node.tag == _NULL else node.value.strip()


def _joined(node: yaml.Node) -> str | None:
    """Return a list of scalars as one text, by comma."""
    texts = [_plain(item) for item in node.value]
    return None if None in texts else ",".join(text for text in texts if text)


def _unknown(name: str, known: Collection[str]) -> str:
    guess = closest(name.lower().replace("_", "-"), known)
    return f"is unknown: did you mean {guess}?" if guess else f"is unknown: there are {listed(known)}"
