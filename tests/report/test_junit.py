"""The JUnit XML report."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given, settings

from cfgate.model import GateStatus, JobState, Resource, Result, Retry
from cfgate.report.junit import junit
from cfgate.text.wording import pictured
from tests.support import hostile
from tests.support.factories import job, outcome, result, results

# Jenkins' junit-10.xsd, as far as it goes: for each element the attributes that it must and may have, and
# its children.
SCHEMA: dict[str, tuple[set[str], set[str], set[str]]] = {
    "testsuites": (set(), {"name", "time", "tests", "failures", "errors"}, {"testsuite"}),
    "testsuite": (
        {"name", "tests", "failures", "errors"},
        {"time", "skipped", "timestamp", "hostname", "id", "package"},
        {"testsuite", "properties", "testcase", "system-out", "system-err"},
    ),
    "properties": (set(), set(), {"property"}),
    "property": ({"name", "value"}, set(), set()),
    "testcase": (
        {"name"},
        {"time", "classname"},
        {"skipped", "error", "failure", "system-out", "system-err"},
    ),
    "failure": (set(), {"type", "message"}, set()),
    "error": (set(), {"type", "message"}, set()),
    "system-out": (set(), set(), set()),
}


def read(text: str) -> ET.Element:
    """Parse a report, check it against the schema, and answer its one test suite."""
    assert len(text.encode()) < 30_000_000
    root = ET.fromstring(text.encode())  # noqa: S314 - our own report
    assert root.tag == "testsuites"
    for element in root.iter():
        must, may, children = SCHEMA[element.tag]
        assert must <= set(element.attrib) <= must | may
        assert {child.tag for child in element} <= children
    (suite,) = root
    assert int(suite.get("tests", "")) == len(suite.findall("testcase"))
    assert int(suite.get("failures", "")) == len(suite.findall("testcase/failure"))
    assert int(suite.get("errors", "")) == len(suite.findall("testcase/error"))
    for timed in [suite, *suite.iter("testcase")]:
        assert re.fullmatch(r"[0-9]+\.[0-9]{3}", timed.get("time", ""))
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", suite.get("timestamp", ""))
    return suite


def test_a_ready_image_version() -> None:
    """A ready image version is a test case that passed, with its life as its output."""
    suite = read(junit(result(outcome(warnings=("odd",)))))
    (case,) = suite.iter("testcase")
    assert suite.get("name") == "cfgate"
    assert case.attrib == {"classname": "cfgate", "name": "image version 9001", "time": "220.400"}
    assert [child.tag for child in case] == ["system-out"]
    assert case.findtext("system-out") == (
        "0:00 Created\n"
        "0:08 Queued\n"
        "1:12 Running\n"
        "2:31 no answer (HTTP 503); asked again in 1.4s\n"
        "3:40 Completed\n"
        "warning: odd"
    )


@pytest.mark.parametrize("status", [status for status in GateStatus if status is not GateStatus.READY])
def test_whose_fault(status: GateStatus) -> None:
    """What the job did is a failure; whatever kept the gate from knowing is an error."""
    (case,) = read(junit(result(outcome(status)))).iter("testcase")
    problem = case.find("failure" if status in {GateStatus.FAILED, GateStatus.SQUASHED} else "error")
    assert problem is not None
    assert problem.get("type") == status.label
    assert problem.get("message") == f"image version 9001 ended {status.label}"
    assert problem.text == f"image version 9001 ended {status.label}\n\nLook at the log."


def test_the_job_error_is_in_the_content() -> None:
    """The error of the job stands in the content, where GitLab shows it; the message stays short."""
    failed = outcome(GateStatus.FAILED, job=job(JobState.FAILED, error="line 1\nline 2"), reason="why " * 100)
    (case,) = read(junit(result(failed))).iter("testcase")
    problem = case.find("failure")
    assert problem is not None
    assert (problem.text or "").endswith("\n\nline 1\nline 2")
    assert len(problem.get("message", "")) < 240


@pytest.mark.parametrize("status", [GateStatus.INVALID, GateStatus.ERROR, GateStatus.INTERRUPTED])
def test_nothing_was_asked(status: GateStatus) -> None:
    """A run that never asked is one test case that errors: no report ever looks green or empty."""
    (case,) = read(junit(result(outcomes=(), status=status, reason="why"))).iter("testcase")
    assert case.get("name") == "run"
    assert case.findtext("error") == "why"


def test_a_run_that_was_interrupted_when_all_was_ready() -> None:
    """When the run is not ready though every image version is, a test case more says why."""
    suite = read(junit(result(outcome(), status=GateStatus.INTERRUPTED, reason="stopped by SIGTERM")))
    assert [case.get("name") for case in suite.iter("testcase")] == ["image version 9001", "run"]
    assert suite.findtext("testcase/error", "").startswith("stopped by SIGTERM")


def test_names_are_unique() -> None:
    """Two image versions of one name are two test cases: GitLab tells them apart by their names."""
    suite = read(junit(result(outcome(id=1, name="linux"), outcome(id=2, name="linux"))))
    names = [case.get("name") for case in suite.iter("testcase")]
    assert names == ["linux (image version 1)", "linux (image version 2)"]


def test_other_resources_are_called_what_they_are() -> None:
    """An image update is no image version."""
    (case,) = read(junit(result(outcome(id=7, resource=Resource.IMAGE_UPDATE)))).iter("testcase")
    assert case.get("name") == "image update 7"


def test_a_rehearsal() -> None:
    """A rehearsal says so in the name of the suite, in a property and in the output of each case."""
    suite = read(junit(result(rehearsal=True)))
    assert suite.get("name") == "cfgate rehearsal"
    assert suite.find("properties/property[@name='rehearsal'][@value='true']") is not None
    assert suite.findtext("testcase/system-out", "").startswith("rehearsal: ")


def test_no_file_is_attached_by_a_text() -> None:
    """Text from outside cannot make GitLab or Jenkins show a file as an attachment."""
    text = "[[ATTACHMENT|../../secret]]"
    retry = Retry(1.0, text, 1.0)
    report = junit(
        result(outcome(GateStatus.FAILED, name=text, reason=text, retries=(retry,), job=job(error=text)))
    )
    assert "[[ATTACHMENT|" not in report
    assert "[ [ATTACHMENT|../../secret]]" in report


def test_a_long_text_is_cut() -> None:
    """An error too long for a report is cut, and says how much is missing."""
    failed = outcome(GateStatus.FAILED, job=job(JobState.FAILED, error="x" * 1_000_000))
    assert "… (980000 more characters)" in read(junit(result(failed))).findtext("testcase/failure", "")


@given(hostile.texts)
def test_any_text_comes_back(text: str) -> None:
    """Any text is there again when the report is read, but for what XML forbids."""
    failed = outcome(GateStatus.FAILED, reason="why", remedy="", job=job(JobState.FAILED, error=text))
    expected = pictured(text).replace("[[ATTACHMENT|", "[ [ATTACHMENT|")
    content = read(junit(result(failed))).findtext("testcase/failure", "")
    assert content == (f"why\n\n{expected}" if text else "why")


@given(results())
@settings(max_examples=50)
def test_any_result_is_a_good_report(any_result: Result) -> None:
    """Any result is a report by the schema, green if and only if it is ready."""
    suite = read(junit(any_result))
    bad = suite.findall("testcase/failure") + suite.findall("testcase/error")
    if not any_result.ready:
        assert bad
    elif all(one.status is GateStatus.READY for one in any_result.outcomes):
        assert not bad
