"""The JSON Schema of the result (output `result`, file `result-file`), from the code that writes it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from cfgate.model import GateStatus, JobState, Resource
from cfgate.report.outputs import DESCRIPTIONS
from cfgate.report.result import OF_RUNS, SCHEMA_VERSION

PATH: Final = Path(__file__).parents[1] / "docs" / "result.schema.json"
Schema = dict[str, Any]

_COUNT: Final[Schema] = {"type": "integer", "minimum": 0}
_SECONDS: Final[Schema] = {"type": "number", "minimum": 0}
_TEXT: Final[Schema] = {"type": "string"}
_ID: Final[Schema] = {"type": "integer", "minimum": 1}
_STATE: Final[Schema] = {
    "job-state-id": {"enum": [*(state.id for state in JobState), None]},
    "job-state-name": {"enum": [*(state.title for state in JobState), None]},
    "job-progress": {"type": ["integer", "null"], "minimum": 0, "maximum": 100},
}
_STAMP: Final[Schema] = {"type": ["integer", "null"], "minimum": 1}
_MAYBE: Final[Schema] = {"type": ["integer", "null"]}
_JOB: Final[Schema] = {
    **_STATE,
    "job-failed": _MAYBE,
    "job-error": {"type": ["string", "null"]},
    **{f"job-{moment}": {**_STAMP} for moment in ("created", "started", "updated", "eta")},
    **{f"machines-{kind}": {**_MAYBE, "minimum": 0} for kind in ("pending", "failed", "completed")},
}
_STATUS: Final[Schema] = {"enum": [status.label for status in GateStatus]}
_RESOURCE: Final = [resource.label for resource in Resource]
_REMEDY: Final[Schema] = {
    "type": ["string", "null"],
    "description": "What to do; null when there is nothing.",
}
_NAME: Final[Schema] = {"type": ["string", "null"], "description": "As the config file names it, or null."}
_FACTS: Final[Schema] = {
    "waited-seconds": {**_SECONDS, "description": DESCRIPTIONS["waited-seconds"]},
    "requests": _COUNT,
    "retries": _COUNT,
    "warnings": {"type": "array", "items": _TEXT},
}


def schema() -> Schema:
    """Build the schema. A key more is allowed, so that a later cfgate fits too; a key less is not."""
    top = {
        "schema-version": {"const": SCHEMA_VERSION, "description": "Rises when a key changes or goes."},
        "cfgate-version": _TEXT,
        "truncated": {"type": "boolean", "description": "Whether something was left out to fit a limit."},
        "status": _STATUS,
        "ready": {"type": "boolean"},
        "go": {"type": "boolean", "description": "Whether to deploy: ready, and not a rehearsal."},
        "exit-code": {"type": "integer", "minimum": 0, "maximum": 255},
        "reason": _TEXT,
        "remedy": _REMEDY,
        "rehearsal": {"type": "boolean"},
        "started": {"type": "string", "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$"},
        "id": {"type": ["integer", "null"], "minimum": 1, "description": DESCRIPTIONS["image-version-id"]},
        "image-version-id": {"type": ["integer", "null"], "minimum": 1},
        "name": _NAME,
        "resource": {"enum": [*_RESOURCE, None]},
        **_JOB,
        **_FACTS,
        "totals": _object(
            {"image-versions": _COUNT}
            | {status.label: _COUNT for status in GateStatus if status not in OF_RUNS},
        ),
        "matrix": {
            "description": "A GitHub job matrix of all targets; null where it had no room.",
            "anyOf": [_object({"include": {"type": "array", "items": _matrix_job()}}), {"type": "null"}],
        },
        "image-versions": {"type": "array", "items": _target()},
    }
    described = {
        key: {"description": DESCRIPTIONS[key], **form} if key in DESCRIPTIONS else form
        for key, form in top.items()
    }
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "cfgate result",
        "description": "Every key is always there; what is not known or was not given is null.",
        **_object(described),
    }


def _target() -> Schema:
    moment = {"at-seconds": _SECONDS, **_STATE, "job-updated": _STAMP}
    retry = {"at-seconds": _SECONDS, "why": _TEXT, "pause-seconds": _SECONDS}
    return _object(
        {
            "id": _ID,
            "image-version-id": _ID,
            "name": _NAME,
            "resource": {"enum": _RESOURCE},
            "status": _STATUS,
            "reason": _TEXT,
            "remedy": _REMEDY,
            **_JOB,
            **_FACTS,
            "timeline": {"type": "array", "items": _object(moment)},
            "retry-log": {"type": "array", "items": _object(retry)},
        }
    )


def _matrix_job() -> Schema:
    return _object(
        {
            "name": _TEXT,
            "id": _ID,
            "image-version-id": _ID,
            "resource": {"enum": _RESOURCE},
            "status": _STATUS,
            "ready": {"type": "boolean"},
            "go": {"type": "boolean"},
        }
    )


def _object(properties: Schema) -> Schema:
    return {"type": "object", "required": list(properties), "properties": properties}


def text() -> str:
    """Write the schema as it lies in the repository."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"
