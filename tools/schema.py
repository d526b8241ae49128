"""The JSON Schema of the config file, from the option table: for editors, which complete and check by it.

It knows how a value is written, not what it means: that a duration is below a week, or that two targets are
not the same, cfgate says itself.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final

from cfgate.model import Resource
from cfgate.settings import parsers
from cfgate.settings.options import OPTIONS, TARGET_OPTIONS, TARGETS, Option
from cfgate.text import durations

PATH: Final = Path(__file__).parents[1] / "docs" / "config.schema.json"
Schema = dict[str, Any]

_ZERO: Final[Schema] = {"const": 0}
_DURATION: Final[Schema] = {
    "type": "string",
    "pattern": f"^(?=.){durations.PATTERN}$",
    "examples": ["45m", "1h30m", "90s"],
}
# A pattern is for texts alone, the limits are for numbers.
_ONE: Final = "[1-9][0-9]{0,17}"
_BETWEEN: Final = r"[, \t\r\n]"
_ID: Final[Schema] = {
    "type": ["integer", "string"],
    "minimum": 1,
    "maximum": 10**18 - 1,
    "pattern": f"^{_ONE}$",
}

# How a value that a parser reads is written in YAML.
FORMS: Final[dict[Callable[[str], Any], Schema]] = {
    parsers.number: _ID,
    parsers.only_number: _ID,
    parsers.numbers: {
        **_ID,
        "type": ["integer", "string", "array"],
        "pattern": f"^{_BETWEEN}*{_ONE}({_BETWEEN}+{_ONE})*{_BETWEEN}*$",
        "items": _ID,
        "minItems": 1,
        "maxItems": parsers.MOST_TARGETS,
    },
    parsers.resource: {"enum": [kind.label for kind in Resource]},
    parsers.duration: {"anyOf": [_DURATION, _ZERO]},
    parsers.request_timeout: _DURATION,
    parsers.interval: _DURATION,
    parsers.off_or_duration: {"anyOf": [_DURATION, _ZERO, {"const": "off"}]},
    parsers.auto_or_interval: {"anyOf": [_DURATION, {"const": "auto"}]},
    parsers.yes_or_no: {"type": "boolean"},
}


def schema() -> Schema:
    """Build the schema."""
    target = {**_mapping(TARGET_OPTIONS), "required": ["image-version-id"]}
    top = _mapping(option for option in OPTIONS if not option.not_in_file)
    top["properties"][TARGETS] = {
        "description": "What to wait for, by name, and what is different for each.",
        "type": "object",
        "propertyNames": {"minLength": 1, "maxLength": parsers.LONGEST_NAME},
        "minProperties": 1,
        "maxProperties": parsers.MOST_TARGETS,
        "additionalProperties": target,
    }
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "cfgate config file",
        **top,
        "not": {"required": ["image-version-id", TARGETS]},
    }


def text() -> str:
    """Write the schema as it lies in the repository."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


def _mapping(options: Iterable[Option]) -> Schema:
    properties = {option.name: _value(option) for option in options}
    return {"type": "object", "additionalProperties": False, "properties": properties}


def _value(option: Option) -> Schema:
    default = f" Default: {option.default}." if option.default else ""
    return {"description": f"{option.help}.{default}", **FORMS[option.parse]}
