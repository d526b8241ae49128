"""The JSON Schema of scenarios, from the tables by which the simulator reads them: for editors.

It knows how a value is written, not what it means: that a progress goes up, or that a life ends in a state
that stays, the simulator checks itself.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from enum import Enum
from pathlib import Path
from typing import Any, Final

from cfgate.model import JobState
from cfgate.simulator import reader
from cfgate.simulator.faults import Junk, Place, Trouble
from cfgate.simulator.scenario import Begins, Unset, Updated
from cfgate.text.durations import PATTERN

PATH: Final = Path(__file__).parents[1] / "docs" / "scenario.schema.json"
Schema = dict[str, Any]

_DURATION: Final[Schema] = {
    "anyOf": [{"type": "string", "pattern": f"^(?=.){PATTERN}$"}, {"const": 0}],
    "examples": ["10s", "1m30s"],
}
_NAMES: Final[Schema] = {"type": "object", "minProperties": 1}
_TEXT: Final[Schema] = {"type": "string"}
_STATES: Final = [name for state in JobState for name in state.names]


def _words(kind: type[Enum]) -> Schema:
    return {
        "enum": [*(member.value for member in kind), *([None] if "null" in {m.value for m in kind} else [])]
    }


def _of(words: type[Enum], rest: str = "") -> Schema:
    return {"type": "string", "pattern": f"^({'|'.join(member.value for member in words)}){rest}$"}


# How a value that a function of `values` reads is written in YAML, by the key that it has.
FORMS: Final[dict[str, Schema]] = {
    "description": {"type": "string", "minLength": 1},
    "begins": _words(Begins),
    "date-offset": {"anyOf": [{"type": "string", "pattern": f"^[+-]?(?=.){PATTERN}$"}, {"const": 0}]},
    "unset": _words(Unset),
    "updated": _words(Updated),
    "image-version-id": {
        "anyOf": [{"type": "integer", "minimum": 1}, {"type": ["string", "array"]}],
        "description": "The ids that there are; without it, all are.",
    },
    "state": {"enum": [*_STATES, *map(str.lower, _STATES)]},
    "for": {**_DURATION, "description": "How long the state lasts; the last one stays."},
    "progress": {
        "anyOf": [
            {"type": "integer", "minimum": 0, "maximum": 100},
            {
                "type": "string",
                "pattern": r"^[0-9]{1,3}( to [0-9]{1,3}( (steady|uneven|in jumps of [0-9]{1,3}))?)?$",
            },
        ]
    },
    "eta": {
        "anyOf": [
            {"enum": ["none", "zero", "exact"]},
            {"type": "string", "pattern": r"^(within|fixed) [+-]?[0-9]+(\.[0-9]+)? ?%$"},
            {"type": "string", "pattern": f"^(ahead|past) (?=.){PATTERN}$"},
        ]
    },
    "jobfailed": {"type": "integer", "minimum": 0, "maximum": 10**9},
    "joberror": _TEXT,
    "fields": {**_NAMES, "description": "Fields of the answer that take the place of the usual ones."},
    "requests": {
        "type": ["integer", "string"],
        "minimum": 1,
        "pattern": r"^ *(every +[0-9]+|[0-9]+ *(- *[0-9]*)?) *(, *(every +[0-9]+|[0-9]+ *(- *[0-9]*)?) *)*$",
        "examples": [3, "2-4", "10-", "every 5"],
    },
    "after": _DURATION,
    "until": _DURATION,
    "during": {"enum": [*_STATES, *map(str.lower, _STATES)]},
    "delay": _DURATION,
    "status": {"type": "integer", "minimum": 200, "maximum": 599},
    "headers": {**_NAMES, "additionalProperties": {"type": ["string", "number", "boolean"]}},
    "body": _TEXT,
    "instead": _of(Junk, "( [0-9]{1,6} ?(KiB|MiB))?"),
    "connection": _of(Trouble, f" ({'|'.join(place.value for place in Place)})"),
}


def schema() -> Schema:
    """Build the schema."""
    stage = _mapping(reader.STAGE) | {"required": ["state"]}
    what = [{"required": [key]} for key in reader.WHAT]
    fault = _mapping({**reader.WHEN, **reader.WHAT}) | {"anyOf": what}
    top = _mapping(reader.SCENARIO)
    top["properties"] |= {
        "life": {
            "description": "One state after the other.",
            "type": "array",
            "minItems": 1,
            "maxItems": reader.MOST_ROWS,
            "items": stage,
        },
        "faults": {
            "description": "What goes wrong, and when.",
            "type": "array",
            "maxItems": reader.MOST_ROWS,
            "items": fault,
        },
    }
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "cfgate scenario",
        **top,
        "required": ["life"],
    }


def _mapping(readers: Iterable[str]) -> Schema:
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": {key: FORMS[key] for key in readers},
    }


def text() -> str:
    """Write the schema as it lies in the repository."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"
