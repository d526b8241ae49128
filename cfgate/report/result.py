"""The whole result as JSON: the file `result-file`, and the output `result`.

The keys of the top level are the names of the outputs, so that both can be read by the same names; with
several targets `name`, `resource` and the `job-…` keys there describe the one that decided, `image-versions`
has all, whatever their resource, and `matrix` is all of them in the form of a GitHub job matrix.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from cfgate import __version__
from cfgate.model import GateStatus, JobStatus, Moment, Outcome, Result, Retry
from cfgate.text.wording import shorten

SCHEMA_VERSION: Final = 1

# How a result is made smaller, step by step: so many entries of each list (the newest), so many characters
# of each text. After the last of them image versions are left out, and at last the matrix.
_REDUCTIONS: Final = ((64, 2000), (16, 500), (4, 200), (1, 80))
# A matrix that needs more than this share of the room is left out first. GitHub's own limit is 256 jobs.
_MATRIX_SHARE: Final = 0.75

_HALF: Final = re.compile("[\ud800-\udfff]")

Json = dict[str, Any]


def as_dict(result: Result) -> Json:
    """Build the whole result from JSON's own types.

    Job times are Unix seconds of the API's clock, `at-seconds` counts from the start of the run, and what is
    not known is null. Half a surrogate pair becomes U+FFFD: strict parsers refuse it (RFC 7493, section 2.1).
    """
    decisive = result.decisive
    whole = {
        "schema-version": SCHEMA_VERSION,
        "cfgate-version": __version__,
        "truncated": False,
        "status": result.status.label,
        "ready": result.ready,
        "exit-code": result.exit_code,
        "reason": result.reason,
        "remedy": result.remedy,
        "rehearsal": result.rehearsal,
        "started": datetime.fromtimestamp(result.started, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "waited-seconds": round(result.waited, 3),
        "requests": sum(outcome.requests for outcome in result.outcomes),
        "retries": sum(len(outcome.retries) for outcome in result.outcomes),
        "image-version-id": decisive.target.id if decisive else None,
        "name": decisive.target.name if decisive else None,
        "resource": decisive.target.resource.label if decisive else None,
        **_job(decisive.job if decisive else None),
        "warnings": list(result.warnings),
        "totals": _totals(result),
        "matrix": {"include": [_matrix_job(outcome) for outcome in result.outcomes]},
        "image-versions": [_image_version(outcome) for outcome in result.outcomes],
    }
    return {key: _mended(value) for key, value in whole.items()}


def as_json(result: Result, limit: int | None = None) -> str:
    """Write the whole result as one line of ASCII JSON.

    With a `limit` (bytes, at least 8192) a larger one leaves out the oldest entries, the ends of long texts
    and at last image versions, and says so: `"truncated": true`. The matrix is whole or null: a job that
    takes it up would rather fail than run for some of the targets only.
    """
    whole = as_dict(result)
    text = _dumps(whole)
    if limit is None:
        return text
    room_for_matrix = len(_dumps(whole["matrix"])) <= limit * _MATRIX_SHARE
    for reduction in _reductions(len(result.outcomes), matrix=room_for_matrix):
        if len(text) <= limit:
            break
        text = _dumps(_reduced(whole, reduction))
    return text


class _Reduction(NamedTuple):
    """How much to keep: entries of a list, characters of a text, image versions, and whether the matrix."""

    entries: int
    characters: int
    versions: int
    matrix: bool


def _reductions(versions: int, *, matrix: bool) -> Iterator[_Reduction]:
    """Keep less each time."""
    for entries, characters in _REDUCTIONS:
        yield _Reduction(entries, characters, versions, matrix)
    while versions:
        versions //= 2
        yield _Reduction(*_REDUCTIONS[-1], versions, matrix)
    yield _Reduction(*_REDUCTIONS[-1], 0, matrix=False)


def _job(job: JobStatus | None) -> Json:
    """Describe a job by the names of the outputs; a known state by our names, not by one of two spellings."""
    state = job.state if job else None
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
    }


def _totals(result: Result) -> Json:
    """Count the targets by how they ended."""
    labels = [outcome.status.label for outcome in result.outcomes]
    return {"image-versions": len(labels), **{label: labels.count(label) for label in dict.fromkeys(labels)}}


def _matrix_job(outcome: Outcome) -> Json:
    """Give what a job that goes on with a target needs, and nothing that came from the API."""
    target = outcome.target
    return {
        "name": target.name or target.label,
        "image-version-id": target.id,
        "resource": target.resource.label,
        "status": outcome.status.label,
        "ready": outcome.status is GateStatus.READY,
    }


def _image_version(outcome: Outcome) -> Json:
    return {
        "image-version-id": outcome.target.id,
        "name": outcome.target.name,
        "resource": outcome.target.resource.label,
        "status": outcome.status.label,
        "reason": outcome.reason,
        "remedy": outcome.remedy,
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
    """Replace halves of surrogate pairs in every text."""
    if isinstance(value, str):
        return _HALF.sub("\ufffd", value)
    if isinstance(value, dict):
        return {key: _mended(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_mended(inner) for inner in value]
    return value


def _reduced(whole: Json, keep: _Reduction) -> Json:
    """Keep the first image versions, the newest entries of a list, the start of a text."""

    def trimmed(value: Any) -> Any:
        if isinstance(value, str):
            return shorten(value, keep.characters)
        if isinstance(value, dict):
            return {key: trimmed(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [trimmed(inner) for inner in value[-keep.entries :]]
        return value

    rest = {key: trimmed(value) for key, value in whole.items() if key not in ("matrix", "image-versions")}
    matrix = whole["matrix"] if keep.matrix else None
    kept = [trimmed(version) for version in whole["image-versions"][: keep.versions]]
    return {**rest, "matrix": matrix, "image-versions": kept, "truncated": True}


def _dumps(value: Json) -> str:
    r"""Write ASCII, so that no locale, terminal or byte limit gets in the way of it.

    `##` becomes `#\u0023`, the same text to a JSON parser: the GitHub runner obeys `##[…]` anywhere in a
    line of the log, and `result-file -` puts this line there.
    """
    return json.dumps(value, separators=(",", ":")).replace("##", "#\\u0023")
