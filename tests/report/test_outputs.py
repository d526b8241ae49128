"""The outputs for the next step of a pipeline."""

from __future__ import annotations

import json
import re

from hypothesis import given, settings

from cfgate.model import GateStatus, JobState, Result
from cfgate.report.outputs import DESCRIPTIONS, MAX_RESULT, NAMES, outputs
from tests.support.factories import NOON, job, outcome, result, results


def test_the_names_are_the_public_contract() -> None:
    """These names, in this order, are what users read; none may go."""
    assert NAMES == (
        "status", "ready", "go", "exit-code", "reason", "image-version-id", "job-state-id", "job-state-name",
        "job-progress", "job-failed", "job-error", "job-created", "job-started", "job-updated", "job-eta",
        "machines-pending", "machines-failed", "machines-completed", "waited-seconds", "requests",
        "retries", "rehearsal", "result",
    )  # fmt: skip


def test_every_description_is_a_sentence() -> None:
    """Each output is described by one sentence without markup that YAML or a table would trip over."""
    for name, description in DESCRIPTIONS.items():
        assert re.fullmatch(r"[A-Z][^\n|]+\.", description), name
        assert ": " not in description, name
    for status in GateStatus:
        assert status.label in DESCRIPTIONS["status"]


def test_a_ready_job() -> None:
    """A ready result is told in the plainest text: true, whole numbers, Unix seconds, nothing for unknown."""
    told = outputs(result(outcome(job=job(started=NOON - 30))))
    facts = json.loads(told.pop("result"))
    assert facts["image-versions"][0]["status"] == "ready"
    assert told == {
        "status": "ready",
        "ready": "true",
        "go": "true",
        "exit-code": "0",
        "reason": "image version 9001 ended ready",
        "image-version-id": "9001",
        "job-state-id": "5",
        "job-state-name": "Completed",
        "job-progress": "100",
        "job-failed": "0",
        "job-error": "",
        "job-created": str(NOON - 60),
        "job-started": str(NOON - 30),
        "job-updated": str(NOON + 60),
        "job-eta": "",
        "machines-pending": "",
        "machines-failed": "",
        "machines-completed": "",
        "waited-seconds": "220",
        "requests": "19",
        "retries": "1",
        "rehearsal": "false",
    }


def test_several_image_versions() -> None:
    """The single-job outputs are those of the image version that decided, wherever it stands in the list."""
    failed = outcome(GateStatus.FAILED, id=9002, job=job(JobState.FAILED, error="disk full"))
    told = outputs(result(outcome(), failed, outcome(id=9003)))
    assert told["ready"] == "false"
    assert told["exit-code"] == "1"
    assert told["image-version-id"] == "9002"
    assert told["job-error"] == "disk full"


def test_nothing_was_asked() -> None:
    """Without an image version every output is there all the same, and what is not known is empty."""
    told = outputs(result(outcomes=(), status=GateStatus.INVALID))
    assert told["status"] == "invalid"
    assert told["image-version-id"] == told["job-state-name"] == told["job-progress"] == ""


def test_ready_means_exit_code_0() -> None:
    """A run that was interrupted after the job was ready is not ready."""
    told = outputs(result(outcome(), status=GateStatus.INTERRUPTED, exit_code=143))
    assert told["ready"] == "false"
    assert told["exit-code"] == "143"


@given(results())
@settings(max_examples=50)
def test_every_output_is_always_there(any_result: Result) -> None:
    """Any result gives every name, in UTF-8, with JSON that no host needs to cut."""
    told = outputs(any_result)
    assert tuple(told) == NAMES
    for value in told.values():
        value.encode()
    assert len(told["result"]) <= MAX_RESULT
    assert json.loads(told["result"])["ready"] is (told["ready"] == "true")
    assert (told["ready"] == "true") is any_result.ready
    assert (told["go"] == "true") is (any_result.ready and not any_result.rehearsal)


def test_a_rehearsal_never_goes() -> None:
    """A rehearsal can be ready, but nothing may be deployed because of it, nor because of its matrix."""
    told = outputs(result(rehearsal=True))
    facts = json.loads(told["result"])
    assert (told["ready"], told["go"]) == ("true", "false")
    assert (facts["go"], facts["matrix"]["include"][0]["go"]) == (False, False)


def test_a_large_result_is_cut_before_a_host_would_cut_it() -> None:
    """The JSON stays below what a host lets through, and stays JSON."""
    told = outputs(result(outcome(GateStatus.FAILED, job=job(JobState.FAILED, error="x" * 100_000))))
    assert len(told["result"]) <= MAX_RESULT
    assert json.loads(told["result"])["truncated"] is True


def test_no_output_holds_what_no_environment_can() -> None:
    """A step whose `env` takes an output with U+0000 would not start: U+FFFD stands there."""
    told = outputs(
        result(outcome(GateStatus.FAILED, reason="a\0b", job=job(JobState.FAILED, error="c\0d\0")))
    )
    assert told["reason"] == "a\ufffdb"
    assert told["job-error"] == "c\ufffdd\ufffd"
    assert json.loads(told["result"])["job-error"] == "c\ufffdd\ufffd"


def test_the_result_is_built_to_the_limit_of_the_host() -> None:
    """A host with less room gets a smaller result, and never half of one."""
    many = result(*(outcome(id=number) for number in range(300)))
    assert len(outputs(many, 32_000)["result"]) <= 32_000 < len(outputs(many)["result"]) <= MAX_RESULT
    json.loads(outputs(many, 32_000)["result"])
