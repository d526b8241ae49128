"""The whole result as JSON: the file `result-file`, and the output `result`.

The keys of the top level are the names of the outputs, so that both can be read by the same names; with
several targets `name`, `resource` and the `job-…` keys there describe the one that decided, `image-versions`
has all, whatever their resource, and `matrix` is all of them in the form of a GitHub job matrix.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any, Final

from cfgate import __version__
from cfgate.model import GateStatus, JobStatus, Moment, Outcome, Result, Retry
from cfgate.text.wording import shorten, utc

SCHEMA_VERSION: Final = 1

# What a report is good for: 250 job errors of 64 KiB. More would cost the memory that a small runner has.
LARGEST: Final = 16 * 1024 * 1024  # bytes

# How a result is made smaller, step by step: so many entries of each list (the newest), so many characters
# of each text. After the last of them image versions are left out.
_REDUCTIONS: Final = ((256, 8000), (64, 2000), (16, 500), (4, 200), (1, 80))
# A matrix that needs more than this share of the room is left out first. GitHub's own limit is 256 jobs.
_MATRIX_SHARE: Final = 0.75

# A target never ends so, only a run that has none.
OF_RUNS: Final = (GateStatus.INVALID,)

_UNFIT: Final = re.compile("[\0\ud800-\udfff]")

_CLOSING: Final = "]}"  # of the image versions, which stand last, and of the whole

Json = dict[str, Any]


def as_dict(result: Result) -> Json:
    """Build the whole result from JSON's own types.

    Job times are Unix seconds of the API's clock, `at-seconds` counts from the start of the run. Every key is
    always there, and what is not known or was not given is null. U+FFFD stands for half a surrogate pair,
    which strict parsers refuse (RFC 7493, section 2.1), and for U+0000: a step does not start when it finds
    one in a variable.
    """
    decisive, target = result.decisive, result.target
    whole = {
        "schema-version": SCHEMA_VERSION,
        "cfgate-version": __version__,
        "truncated": False,
        "status": result.status.label,
        "ready": result.ready,
        "go": result.go,
        "exit-code": result.exit_code,
        "reason": result.reason,
        "remedy": result.remedy or None,
        "rehearsal": result.rehearsal,
        "started": utc(result.started).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "waited-seconds": round(result.waited, 3),
        "requests": sum(outcome.requests for outcome in result.outcomes),
        "retries": sum(len(outcome.retries) for outcome in result.outcomes),
        "id": target.id if target else None,
        "image-version-id": target.id if target else None,
        "name": (target.name or None) if target else None,
        "resource": target.resource.label if target else None,
        **_job(decisive.job if decisive else None),
        "warnings": list(result.warnings),
        "totals": _totals(result),
        "matrix": {"include": [_matrix_job(outcome, result) for outcome in result.outcomes]},
        "image-versions": [_image_version(outcome) for outcome in result.outcomes],
    }
    return {key: _mended(value) for key, value in whole.items()}


def as_json(result: Result, limit: int = LARGEST) -> str:
    """Write the whole result as one line of ASCII JSON, at most `limit` bytes (at least 8192).

    A larger one leaves out the oldest entries and the ends of long texts, and then image versions: those that
    are ready first, the one that decided last. It says so: `"truncated": true`. The matrix is whole or null:
    a job that takes it up would rather fail than run for some of the targets only.
    """
    whole = as_dict(result)
    versions: list[Json] = whole.pop("image-versions")
    if (text := _fitting(whole, map(_dumps, versions), limit)) is not None:
        return text
    if len(_dumps(whole["matrix"])) > limit * _MATRIX_SHARE:
        whole["matrix"] = None
    for keep in _REDUCTIONS:
        smaller = _reduced(whole, *keep)
        text = _fitting(smaller, (_dumps(_trimmed(version, *keep)) for version in versions), limit)
        if text is not None:
            return text
    decisive_first = sorted(
        range(len(versions)), key=lambda number: result.outcomes[number].status.precedence
    )
    return _as_many_as_fit(smaller, versions, decisive_first, limit)


def _fitting(head: Json, versions: Iterable[str], limit: int) -> str | None:
    """Put a result together from its parts; `None` as soon as it is too large."""
    opening = _opening(head)
    room, written = limit - len(opening) - len(_CLOSING), []
    for version in versions:
        room -= len(version) + 1  # a comma stands before all but the first
        if room < -1:
            return None
        written.append(version)
    return f"{opening}{','.join(written)}{_CLOSING}" if room >= 0 or written else None


def _as_many_as_fit(head: Json, versions: list[Json], order: list[int], limit: int) -> str:
    """Put a result together from the head and those versions for which there is room, tried in this order."""
    opening = _opening(head)
    room, kept = limit - len(opening) - len(_CLOSING), {}
    for number in order:
        version = _dumps(_trimmed(versions[number], *_REDUCTIONS[-1]))
        if len(version) + 1 > room:
            break
        kept[number] = version
        room -= len(version) + 1
    return f"{opening}{','.join(kept[number] for number in sorted(kept))}{_CLOSING}"


def _opening(head: Json) -> str:
    return f"{_dumps(head)[:-1]},{_dumps('image-versions')}:["


def _job(job: JobStatus | None) -> Json:
    """Describe a job by the names of the outputs; a known state by our names, not by one of two spellings."""
    state = job.state if job else None
    machines = job.machines if job else None
    return {
        "job-state-id": state.id if state else None,
        "job-state-name": state.title if state else None,
        "job-progress": job.progress if job else None,
        "job-failed": job.failures if job else None,
        "job-error": job.error if job else None,
        "job-created": job.created if job else None,
        "job-started": job.started if job else None,
        "job-updated": job.updated if job else None,
        "job-eta": job.eta if job else None,
        "machines-pending": machines.pending if machines else None,
        "machines-failed": machines.failed if machines else None,
        "machines-completed": machines.completed if machines else None,
    }


def _totals(result: Result) -> Json:
    """Count the targets by how they ended; what none of them did is 0."""
    labels = [outcome.status.label for outcome in result.outcomes]
    counts = {status.label: labels.count(status.label) for status in GateStatus if status not in OF_RUNS}
    return {"image-versions": len(labels), **counts}


def _matrix_job(outcome: Outcome, result: Result) -> Json:
    """Give what a job that goes on with a target needs, and nothing that came from the API."""
    target = outcome.target
    return {
        "name": target.name or target.label,
        "id": target.id,
        "image-version-id": target.id,
        "resource": target.resource.label,
        "status": outcome.status.label,
        "ready": outcome.status is GateStatus.READY,
        "go": outcome.status is GateStatus.READY and not result.rehearsal,
    }


def _image_version(outcome: Outcome) -> Json:
    return {
        "id": outcome.target.id,
        "image-version-id": outcome.target.id,
        "name": outcome.target.name or None,
        "resource": outcome.target.resource.label,
        "status": outcome.status.label,
        "reason": outcome.reason,
        "remedy": outcome.remedy or None,
        **_job(outcome.job),
        "waited-seconds": round(outcome.waited, 3),
        "requests": outcome.requests,
        "retries": len(outcome.retries),
        "warnings": list(outcome.warnings),
        "timeline": [_moment(moment) for moment in outcome.timeline],
        "retry-log": [_retry(retry) for retry in outcome.retries],
    }


def _moment(moment: Moment) -> Json:
    state = moment.job.state
    return {
        "at-seconds": round(moment.at, 3),
        "job-state-id": state.id if state else None,
        "job-state-name": state.title if state else None,
        "job-progress": moment.job.progress,
        "job-updated": moment.job.updated,
    }


def _retry(retry: Retry) -> Json:
    return {"at-seconds": round(retry.at, 3), "why": retry.why, "pause-seconds": round(retry.pause, 3)}


def _mended(value: Any) -> Any:
    """Replace in every text what is unfit for some reader."""
    if isinstance(value, str):
        return _UNFIT.sub("\ufffd", value)
    if isinstance(value, dict):
        return {key: _mended(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_mended(inner) for inner in value]
    return value


def _reduced(head: Json, entries: int, characters: int) -> Json:
    """Make all of a result smaller but the matrix, and say so."""
    return {**_trimmed(head, entries, characters), "matrix": head["matrix"], "truncated": True}


def _trimmed(value: Any, entries: int, characters: int) -> Any:
    """Keep the newest entries of a list, the start of a text."""
    if isinstance(value, str):
        return shorten(value, characters)
    if isinstance(value, dict):
        return {key: _trimmed(inner, entries, characters) for key, inner in value.items()}
    if isinstance(value, list):
        return [_trimmed(inner, entries, characters) for inner in value[-entries:]]
    return value


def _dumps(value: Any) -> str:
    r"""Write ASCII, so that no locale, terminal or byte limit gets in the way of it.

    `##` becomes `#\u0023`, the same text to a JSON parser: the GitHub runner obeys `##[…]` anywhere in a
    line of the log, and `result-file -` puts this line there. Likewise `$(` becomes `\u0024(`: the agent of
    Azure Pipelines puts the values of variables, secret ones too, in the place of `$(name)`.
    """
    text = json.dumps(value, separators=(",", ":"))
    return text.replace("##", "#\\u0023").replace("$(", "\\u0024(")
