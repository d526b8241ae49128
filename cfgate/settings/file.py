"""The config file: YAML. Imported only when a file is named.

Every value is the text as it is written, so the parsers that read a flag read it too; an alias is one more
way to write a value; each problem has a line and a column.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from cfgate.settings.layers import FileFindings, Findings, Given
from cfgate.settings.options import BY_NAME, TARGET_OPTIONS, TARGETS, Option
from cfgate.settings.parsers import LONGEST_NAME, MOST_TARGETS, one_line
from cfgate.settings.problems import secrets_of
from cfgate.system import pipes
from cfgate.system.limits import why
from cfgate.text.invisible import printable
from cfgate.text.strict_yaml import Entry, MappingNode, Node, SequenceNode, compose, entries, text_of
from cfgate.text.wording import Wrong, closest, listed, named

_MOST_BYTES: Final = 128 * 1024  # room for the most targets there can be
_MOST_KEYS: Final = 100
_ID: Final = "image-version-id"
_IN_FILE: Final = tuple(option.name for option in BY_NAME.values() if not option.not_in_file)
_IN_TARGET: Final = {option.name: option for option in TARGET_OPTIONS}


def read_file(path: str) -> FileFindings:
    """Read a config file. Raises `Wrong` when the file as a whole cannot be used."""
    root = compose(_text(path), aliases=True)
    if root is None or text_of(root) == "":  # nothing but comments, or dashes
        return FileFindings()
    return _findings(root, f"file {named(path)}, ")


def _text(path: str) -> str:
    try:
        content = pipes.read(one_line(path), _MOST_BYTES)
    except OSError as error:
        raise Wrong(f"cannot be read: {why(error)}") from None
    if len(content) > _MOST_BYTES:
        raise Wrong(f"is larger than {_MOST_BYTES // 1024} KiB: that is no config file")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Wrong(f"is not UTF-8, at byte {error.start + 1}") from None


def _findings(root: Node, source: str) -> FileFindings:
    """Read the options for all targets, and the targets."""
    if not isinstance(root, MappingNode):
        raise Wrong("has no options: write them as `key: value` lines")
    if len(root.value) > _MOST_KEYS:
        raise Wrong(f"has more than {_MOST_KEYS} keys: that is no config file")
    findings = FileFindings()
    for entry in entries(root, "", findings.problems, source):
        if entry.name == TARGETS:
            _take_targets(entry, findings)
        elif entry.name in BY_NAME:
            _take(BY_NAME[entry.name], entry, findings)
        else:
            findings.problems.append(f"{entry.key_place} {_unknown(entry.name, [*_IN_FILE, TARGETS])}")
    if findings.targets and _ID in findings.layer:
        place = findings.layer[_ID].where
        findings.problems.append(f"the value from {place} stands beside {TARGETS}: keep one of the two")
    return findings


def _take_targets(targets: Entry, findings: FileFindings) -> None:
    """Read the targets: a mapping of names to mappings of options."""
    if text_of(targets.node) == "":
        return
    if not isinstance(targets.node, MappingNode):
        advice = f"write `name: {{{_ID}: 9001}}` lines under it"
        findings.problems.append(f"the value from {targets.place} cannot be used: {advice}")
        return
    if len(targets.node.value) > MOST_TARGETS:
        findings.problems.append(f"{targets.key_place} has more than {MOST_TARGETS} targets")
        return
    for target in entries(targets.node, f"{TARGETS}.", findings.problems, targets.source):
        if not (printable(target.name) and target.name.strip() and len(target.name) <= LONGEST_NAME):
            advice = f"write 1 to {LONGEST_NAME} printable characters"
            findings.problems.append(f"{target.key_place} is no name for a target: {advice}")
        elif not isinstance(target.node, MappingNode) or len(target.node.value) > _MOST_KEYS:
            advice = f"write `{{{_ID}: 9001}}` and the options that differ"
            findings.problems.append(f"the value from {target.place} cannot be used: {advice}")
        else:
            findings.targets[target.name] = _target(target, target.node, findings)


def _target(target: Entry, node: MappingNode, findings: FileFindings) -> Findings:
    """Read the options of one target; its problems and what is refused are those of the file too."""
    found = Findings()
    for entry in entries(node, f"{target.path}.", found.problems, target.source):
        option = _IN_TARGET.get(entry.name) or BY_NAME.get(entry.name)
        if option is None:
            found.problems.append(f"{entry.key_place} {_unknown(entry.name, _IN_TARGET)}")
        elif option.each or option.not_in_file:
            _take(option, entry, found)
        else:
            found.problems.append(
                f"{entry.key_place} is for all targets together: write it at the top of the file"
            )
    if _ID not in found.layer and not found.problems:
        found.problems.append(f"{target.key_place} has no {_ID}")
    findings.problems += found.problems
    findings.refused |= found.refused
    return found


def _take(option: Option, entry: Entry, findings: Findings) -> None:
    """Read the value of one option."""
    several = option.many and isinstance(entry.node, SequenceNode)
    text = _joined(entry.node) if several else text_of(entry.node)
    if option.not_in_file:
        findings.problems.append(
            f"{entry.key_place} may not stand in a file: it {option.not_in_file}; give it as {option.places}"
        )
        findings.refused |= secrets_of(option, text or "")
    elif text is None:
        advice = "write one plain value, or a list of them" if option.many else "write one plain value"
        findings.problems.append(f"the value from {entry.place} cannot be used: {advice}")
    elif text:
        findings.layer[option.name] = Given(text, entry.source.removesuffix(", "), entry.place)


def _joined(node: Node) -> str | None:
    """Return a list of scalars as one text, by comma."""
    texts = [text_of(item) for item in node.value]
    return None if None in texts else ",".join(text for text in texts if text)


def _unknown(name: str, known: Collection[str]) -> str:
    guess = closest(name.lower().replace("_", "-"), known)
    return f"is unknown: did you mean {guess}?" if guess else f"is unknown: there are {listed(known)}"
