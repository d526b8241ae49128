"""The whole result as JSON."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cfgate import __version__
from cfgate.model import GateStatus, JobState, Outcome, Resource, Result, Retry, Target
from cfgate.report.outputs import MAX_RESULT, NAMES
from cfgate.report.result import as_dict, as_json
from tests.support import hostile
from tests.support.factories import ID, NOON, job, outcome, result, results

LIMIT = 8192
ENDINGS = [status.label for status in GateStatus if status is not GateStatus.INVALID]


def read(text: str) -> dict[str, Any]:
    """Parse JSON as the strictest of parsers would."""

    def refuse(name: str) -> None:
        raise AssertionError(name)

    value = json.loads(text, parse_constant=refuse)
    assert isinstance(value, dict)
    return value


def test_a_ready_result() -> None:
    """The top level tells how the run ended, in JSON's own types, under the names of the outputs."""
    facts = as_dict(result(outcome(warnings=("odd",)), warnings=("the clock is off",)))
    versions = facts.pop("image-versions")
    assert facts == {
        "schema-version": 1,
        "cfgate-version": __version__,
        "truncated": False,
        "status": "ready",
        "ready": True,
        "go": True,
        "exit-code": 0,
        "reason": "image version 9001 ended ready",
        "remedy": None,
        "rehearsal": False,
        "started": "2026-11-23T12:00:00Z",
        "waited-seconds": 220.4,
        "requests": 19,
        "retries": 1,
        "id": ID,
        "image-version-id": ID,
        "name": None,
        "resource": "image-version",
        "job-state-id": 5,
        "job-state-name": "Completed",
        "job-progress": 100,
        "job-failed": 0,
        "job-error": None,
        "job-created": NOON - 60,
        "job-started": None,
        "job-updated": NOON + 60,
        "job-eta": None,
        "machines-pending": None,
        "machines-failed": None,
        "machines-completed": None,
        "warnings": ["the clock is off"],
        "totals": {"image-versions": 1, **dict.fromkeys(ENDINGS, 0), "ready": 1},
        "matrix": {
            "include": [
                {
                    "name": "image version 9001",
                    "id": ID,
                    "image-version-id": ID,
                    "resource": "image-version",
                    "status": "ready",
                    "ready": True,
                    "go": True,
                }
            ]
        },
    }
    assert len(versions) == 1


def test_an_image_version() -> None:
    """Each image version has its verdict, its job, its time line and every retry."""
    (version,) = as_dict(result(outcome(name="linux", warnings=("odd",))))["image-versions"]
    assert version["image-version-id"] == ID
    assert version["name"] == "linux"
    assert version["resource"] == "image-version"
    assert version["status"] == "ready"
    assert version["job-state-name"] == "Completed"
    assert version["warnings"] == ["odd"]
    assert version["timeline"][2] == {
        "at-seconds": 72.0,
        "job-state-id": 4,
        "job-state-name": "Running",
        "job-progress": 41,
        "job-updated": NOON + 60,
    }
    assert version["retry-log"] == [
        {"at-seconds": 151.0, "why": "no answer (HTTP 503)", "pause-seconds": 1.4}
    ]


def test_a_matrix_takes_up_every_target() -> None:
    """A later job gets an entry for each target, by its name, with its verdict."""
    matrix = as_dict(
        result(outcome(name="linux"), outcome(GateStatus.FAILED, id=7, resource=Resource.IMAGE_UPDATE))
    )["matrix"]
    assert [tuple(entry.values()) for entry in matrix["include"]] == [
        ("linux", ID, ID, "image-version", "ready", True, True),
        ("image update 7", 7, 7, "image-update", "failed", False, False),
    ]


@pytest.mark.parametrize(("targets", "whole"), [(200, True), (600, False)])
def test_a_matrix_is_never_cut(targets: int, whole: bool) -> None:
    """Of a result that is too large the matrix is kept whole, or it is null, which no job can take up."""
    outcomes = [outcome(id=number, retries=(Retry(1.0, "x" * 500, 1.0),) * 9) for number in range(targets)]
    text = as_json(result(*outcomes), MAX_RESULT)
    facts = read(text)
    assert len(text) <= MAX_RESULT
    assert facts["truncated"] is True
    assert (len(facts["matrix"]["include"]) == targets) if whole else facts["matrix"] is None


def test_every_output_is_a_key() -> None:
    """Whoever knows the outputs finds the same names in the JSON."""
    assert set(NAMES) - {"result"} <= set(as_dict(result()))


def test_the_single_job_is_the_one_that_decided() -> None:
    """With several image versions the job at the top level is that of the decisive one; counts are sums."""
    facts = as_dict(
        result(
            outcome(),
            outcome(GateStatus.FAILED, id=9002, job=job(JobState.FAILED, error="disk full"), requests=3),
            outcome(GateStatus.READY, id=9003, retries=()),
        )
    )
    assert facts["image-version-id"] == 9002
    assert facts["job-state-name"] == "Failed"
    assert facts["job-error"] == "disk full"
    assert (facts["requests"], facts["retries"]) == (41, 2)
    assert facts["totals"] == {"image-versions": 3, **dict.fromkeys(ENDINGS, 0), "ready": 2, "failed": 1}


def test_a_state_has_one_name() -> None:
    """The spelling Complete becomes Completed, so that a later step need not know of both."""
    facts = as_dict(result(outcome(job=job())))
    assert (facts["job-state-id"], facts["job-state-name"]) == (5, "Completed")


def test_a_result_without_image_versions() -> None:
    """When nothing was asked there is still a whole result, with null for what is not known."""
    facts = as_dict(result(outcomes=(), status=GateStatus.INVALID))
    assert facts["status"] == "invalid"
    assert facts["image-version-id"] is None
    assert facts["job-state-name"] is None
    assert facts["image-versions"] == []


@given(results())
@settings(max_examples=50)
def test_any_result_survives_json(any_result: Result) -> None:
    """Whatever the texts are, the JSON is one line of ASCII that reads back as what was put in."""
    text = as_json(any_result)
    assert re.fullmatch("[ -~]+", text)
    assert read(text) == as_dict(any_result)
    small = as_json(any_result, LIMIT)
    assert len(small) <= LIMIT
    assert read(small).keys() == as_dict(any_result).keys()


@given(hostile.texts)
def test_a_text_comes_back_as_it_was(text: str) -> None:
    """Texts are unharmed, but for halves of surrogate pairs, which strict parsers refuse, and U+0000."""
    expected = re.sub("[\0\ud800-\udfff]", "\ufffd", text)
    assert read(as_json(result(outcome(job=job(error=text)))))["job-error"] == expected


@given(st.text("#[]:\n\\ x$()"))
def test_the_json_is_no_command_to_a_ci_host(text: str) -> None:
    """Printed alone on stdout, the line holds nothing that the GitHub runner would obey."""
    line = as_json(result(outcome(reason=text, job=job(error=f"##[set-output name=ready]{text}"))))
    assert "##" not in line
    assert "$(" not in line
    assert line.startswith("{")
    assert read(line)["image-versions"][0]["reason"] == text


def test_small_enough_is_left_whole() -> None:
    """A result that fits is not touched by the limit."""
    assert as_json(result(), LIMIT) == as_json(result())


@pytest.mark.parametrize(
    "large",
    [
        outcome(retries=tuple(Retry(float(at), "HTTP 503 " * 20, 1.0) for at in range(5000))),
        outcome(GateStatus.FAILED, job=job(JobState.FAILED, error="é" * 500_000)),
        outcome(reason="x" * 100_000, remedy="🎉" * 100_000, name="y" * 100_000, warnings=("z" * 9000,) * 99),
    ],
)
def test_a_large_result_is_cut_visibly(large: Outcome) -> None:
    """What is too large for an output is still JSON, says that it was cut, and keeps the verdict."""
    text = as_json(result(large), LIMIT)
    facts = read(text)
    assert len(text) <= LIMIT
    assert facts["truncated"] is True
    assert facts["status"] == large.status.label
    assert len(facts["image-versions"]) == 1


def test_the_newest_retries_stay() -> None:
    """Of too many retries the oldest are left out; their number is still told."""
    retries = tuple(Retry(float(at), "HTTP 503", 1.0) for at in range(5000))
    (version,) = read(as_json(result(outcome(retries=retries)), LIMIT))["image-versions"]
    assert version["retries"] == 5000
    assert version["retry-log"][-1]["at-seconds"] == 4999.0


def test_very_many_image_versions() -> None:
    """When even the shortest form of all image versions is too long, as many as there is room for stay."""
    outcomes = tuple(outcome(id=number) for number in range(1, 1000))
    text = as_json(result(*outcomes), LIMIT)
    facts = read(text)
    assert facts["totals"]["image-versions"] == 999
    ids = [version["image-version-id"] for version in facts["image-versions"]]
    assert ids == list(range(1, len(ids) + 1))
    assert LIMIT - 1000 < len(text) <= LIMIT


def test_what_is_not_ready_stays_to_the_last() -> None:
    """Of too many image versions those that are ready go first; the others keep their order."""
    others = {95: GateStatus.FAILED, 7: GateStatus.TIMEOUT, 50: GateStatus.PENDING}
    outcomes = tuple(
        outcome(others.get(number, GateStatus.READY), id=number, remedy="x" * 500) for number in range(100)
    )
    versions = read(as_json(result(*outcomes), 20_000))["image-versions"]
    assert 3 < len(versions) < 100
    not_ready = [version["image-version-id"] for version in versions if version["status"] != "ready"]
    assert not_ready == [7, 50, 95]
    ids = [version["image-version-id"] for version in versions]
    assert ids == sorted(ids)


def test_of_what_is_not_ready_the_one_that_decided_stays_longest() -> None:
    """When there is no room for all that is not ready, the first to go are those that decide the least."""
    outcomes = (
        *(outcome(GateStatus.TIMEOUT, id=number) for number in range(500)),
        outcome(GateStatus.FAILED, id=999),
    )
    versions = read(as_json(result(*outcomes), LIMIT))["image-versions"]
    assert versions[-1]["image-version-id"] == 999


@given(results(), st.integers(8192, 12_000))
@settings(max_examples=50)
def test_a_limit_is_kept_to_the_byte(any_result: Result, limit: int) -> None:
    """The result is whole when it fits, and says that it is not in every other case."""
    whole = as_json(any_result)
    for just in (len(whole), len(whole) - 1):
        if just >= LIMIT:
            assert (as_json(any_result, just) == whole) is (just == len(whole))
    small = as_json(any_result, limit)
    assert len(small) <= limit
    assert read(small)["truncated"] is (len(whole) > limit)


def test_what_was_asked_for_is_named_though_nothing_came_of_it() -> None:
    """A run that ended before it began names its target, if it had but one."""
    early = result(outcomes=(), status=GateStatus.ERROR, asked=(Target(7, "art", Resource.IMAGE_UPDATE),))
    facts = as_dict(early)
    assert (facts["image-version-id"], facts["name"], facts["resource"]) == (7, "art", "image-update")
    two = result(outcomes=(), status=GateStatus.ERROR, asked=(Target(7), Target(8)))
    assert as_dict(two)["image-version-id"] is None
