"""The config file: YAML. Imported only when a file is named.

The YAML is parsed into nodes and never built into objects. Every value is the text as it is written, so the
parsers that read a flag read it too (`1:30` and `yes` are not what YAML 1.1 makes of them), an alias is one
more way to write a value and cannot grow, and each problem knows its line and column.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import yaml

from cfgate.settings.layers import Findings, Given
from cfgate.settings.options import BY_NAME, Option
from cfgate.settings.parsers import one_line
from cfgate.settings.wording import Wrong, closest, listed, named

_MOST_BYTES: Final = 64 * 1024  # a config file has some lines
_MOST_KEYS: Final = 100
_NULL: Final = "tag:yaml.org,2002:null"
_PLAIN: Final = {f"tag:yaml.org,2002:{kind}" for kind in ("null", "str", "int", "float", "bool", "timestamp")}


def read_file(path: str) -> Findings:
    """Read a config file. Raises `Wrong` when the file as a whole cannot be used."""
    root = _parsed(_text(path))
    if root is None or root.tag == _NULL:  # nothing but comments, or dashes
        return Findings()
    return _options(root, f"file {named(path)}")


def _text(path: str) -> str:
    try:
        with Path(one_line(path)).open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise Wrong(f"cannot be read: {error.strerror}") from None
    if len(content) > _MOST_BYTES:
        raise Wrong(f"is larger than {_MOST_BYTES // 1024} KiB: that is no config file")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Wrong(f"is not UTF-8, at byte {error.start + 1}") from None


def _parsed(text: str) -> yaml.Node | None:
    try:
        root: yaml.Node | None = yaml.compose(text, Loader=yaml.SafeLoader)
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


def _options(node: yaml.Node, source: str) -> Findings:
    """Read one mapping of options."""
    if not isinstance(node, yaml.MappingNode):
        raise Wrong("holds no options: write them as `key: value` lines")
    if len(node.value) > _MOST_KEYS:
        raise Wrong(f"has more than {_MOST_KEYS} keys: that is no config file")
    findings = Findings()
    lines: dict[str, int] = {}
    for key, value in node.value:
        name = key.value if isinstance(key, yaml.ScalarNode) else ""
        where = f"key {named(name)} from {source}{_at(key.start_mark)}"
        if name in lines:
            findings.problems.append(f"{where} was there before, in line {lines[name]}: keep one of the two")
        elif name in BY_NAME:
            _take(BY_NAME[name], value, source, where, findings)
        else:
            findings.problems.append(f"{where} {_unknown(name)}")
        lines.setdefault(name, key.start_mark.line + 1)
    return findings


def _take(option: Option, value: yaml.Node, source: str, where: str, findings: Findings) -> None:
    """Read the value of one option."""
    text = _joined(value) if option.many and isinstance(value, yaml.SequenceNode) else _plain(value)
    place = f"{source}{_at(value.start_mark)}, key {option.name}"
    if option.not_in_file:
        findings.problems.append(
            f"{where} may not stand in a file: it {option.not_in_file}; give it as {option.places}"
        )
        findings.refused[option.name] = Given(text or "", source, place)
    elif text is None:
        advice = "write one plain value, or a list of them" if option.many else "write one plain value"
        findings.problems.append(f"the value from {place} cannot be used: {advice}")
    elif text:
        findings.layer[option.name] = Given(text, source, place)


def _plain(node: yaml.Node) -> str | None:
    """Return a scalar as it is written, "" for null, `None` when it is no plain scalar."""
    if not isinstance(node, yaml.ScalarNode) or node.tag not in _PLAIN:
        return None
    return "" if node.tag == _NULL else node.value.strip()


def _joined(node: yaml.SequenceNode) -> str | None:
    """Return a list of scalars as one text, by comma."""
    texts = [_plain(item) for item in node.value]
    return None if None in texts else ",".join(text for text in texts if text)


def _unknown(name: str) -> str:
    known = [option.name for option in BY_NAME.values() if not option.not_in_file]
    guess = closest(name.lower().replace("_", "-"), known)
    return f"is unknown: did you mean {guess}?" if guess else f"is unknown: there are {listed(known)}"
