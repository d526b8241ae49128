"""The outputs: text under fixed names for the next step of a pipeline."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any, Final

from cfgate.model import GateStatus, Result
from cfgate.report.result import as_dict, as_json

# Below the 64 KiB that most hosts take for a value.
MAX_RESULT: Final = 60_000

_STATUSES: Final = ", ".join(sorted(status.label for status in GateStatus))

DESCRIPTIONS: Final = MappingProxyType(
    {
        "status": f"How the gate ended, one of {_STATUSES}.",
        "ready": "Whether everything is ready, `true` or `false`; in a rehearsal too (deploy on `go`).",
        "go": "Whether to deploy, `true` only when ready and not a rehearsal, else `false`.",
        "exit-code": "The exit code of cfgate, different for each way to end.",
        "reason": "One sentence that says what happened.",
        "image-version-id": "The id that decided (the only one, if there was one), of what `resource` says.",
        "job-state-id": "The id of the job state last seen, 1 to 7.",
        "job-state-name": "The name of the job state last seen, such as `Running` or `Completed`.",
        "job-progress": "The progress of the job in per cent, 0 to 100.",
        "job-failed": "How many times the job has failed; more than 0 is normal on a job that was retried.",
        "job-error": "The error of the job as the API gave it; handle it as untrusted text.",
        "job-created": "When the job was created, in Unix seconds of the API's clock.",
        "job-started": "When the job was started, in Unix seconds of the API's clock.",
        "job-updated": "When the job was last updated, in Unix seconds of the API's clock.",
        "job-eta": "The API's last estimate of the job's end, in Unix seconds of the API's clock.",
        "machines-pending": "How many machines a roll-out has still to reach.",
        "machines-failed": "On how many machines a roll-out has failed.",
        "machines-completed": "How many machines a roll-out has reached.",
        "waited-seconds": "How long the gate waited, in whole seconds.",
        "requests": "How many requests were sent, for all targets together.",
        "retries": "How many answers could not be used and were asked for again.",
        "rehearsal": "Whether a simulator was asked instead of Clanforge, `true` or `false`.",
        "result": "The whole result as JSON, each target with its time line and retries, and a job matrix.",
    }
)
NAMES: Final = tuple(DESCRIPTIONS)


def outputs(result: Result, limit: int = MAX_RESULT) -> dict[str, str]:
    """Tell a result by all of `NAMES`; what is not known is empty.

    `limit` is how many bytes the host takes for a value: JSON that it had to cut would be worth nothing.
    """
    facts = as_dict(result)
    texts = {name: _text(facts[name]) for name in NAMES if name != "result"}
    return {**texts, "result": as_json(result, limit)}


def _text(value: Any) -> str:
    """Write a value of the JSON result as a step's shell can use it: whole numbers only."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return str(round(value))
    return str(value)
