"""The summary page."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given, settings

from cfgate.model import GateStatus, JobState, JobStatus, Moment, Outcome, Resource, Result, Retry, Target
from cfgate.report.markdown import markdown
from cfgate.text.wording import pictured
from tests.support import hostile
from tests.support.factories import job, outcome, result, results
from tests.support.gfm import Page

OWN_TAGS = {
    "h2", "h3", "p", "strong", "code", "br", "pre", "blockquote", "details", "summary", "ul", "li",
    "table", "thead", "tbody", "tr", "th", "td",
}  # fmt: skip


def test_a_ready_result() -> None:
    """The page begins with the verdict, and has a row, a time line, and the API's times for a person."""
    page = Page(markdown(result()))
    lines = page.loud.split("\n")
    assert lines[0] == "✅ ready: image version 9001"
    assert page.quiet[0] == "image version 9001 ended ready"
    row = page.loud[page.loud.index("Reason") :].split()
    assert row[1:14] == [
        "image",
        "version",
        "9001",
        "✅",
        "ready",
        "Completed",
        "100",
        "%",
        "3m40s",
        "19",
        "1",
        "Time",
        "line",
    ]
    assert any(text.startswith("gantt\n") for text in page.quiet)
    assert "2026-11-23 11:59:00 UTC" in page.loud
    assert "exit code 0 · started 2026-11-23 12:00:00 UTC · took 3m40s" in page.loud
    assert "What to do" not in page.loud
    assert "rehearsal" not in page.loud


def test_a_failed_job() -> None:
    """The error of a job is shown in full, with what to do."""
    error = "disk full\n\n  on /dev/sda1\n" + "x" * 5000
    page = Page(markdown(result(outcome(GateStatus.FAILED, job=job(JobState.FAILED, error=error)))))
    assert page.loud.startswith("❌ failed: image version 9001")
    assert "What to do:" in page.loud
    assert error in page.quiet
    assert ("open", None) in page.attributes


def test_a_rehearsal() -> None:
    """A rehearsal says so at the top, where nobody can miss it."""
    text = markdown(result(rehearsal=True))
    assert text.split("\n\n")[1].startswith("> [!WARNING]\n> **This is a rehearsal.**")


def test_several_image_versions() -> None:
    """Each image version has its row, with its name if it has one."""
    failed = outcome(GateStatus.FAILED, id=9002, name="windows", reason="the job is Failed")
    page = Page(markdown(result(outcome(name="linux"), failed)))
    assert page.loud.startswith("❌ failed: 2 image versions")
    assert {"linux", "windows", "the job is Failed"} <= set(page.quiet)


def test_other_resources_are_called_what_they_are() -> None:
    """The page speaks of image updates where it is about them, and of targets where they are mixed."""
    update = outcome(id=7, resource=Resource.IMAGE_UPDATE)
    assert Page(markdown(result(update))).loud.startswith("✅ ready: image update 7\n")
    loud = Page(markdown(result(outcome(), update))).loud
    assert loud.startswith("✅ ready: 2 targets\n")
    assert "image update 7" in loud
    assert "image version 9001" in loud


@pytest.mark.parametrize("status", list(GateStatus))
def test_without_image_versions(status: GateStatus) -> None:
    """A run that asked nothing has a page too: the verdict, the reason, and nothing made up."""
    page = Page(markdown(result(outcomes=(), status=status, reason="why", remedy="do this")))
    assert status.label.replace("_", " ") in page.loud.split("\n")[0]
    assert page.quiet == ["why", "do this"]
    assert "table" not in page.tags


def test_links() -> None:
    """Each image version has a link to its page, when the user has said where that is."""
    url = "https://example.com/v/{id}?tab=jobs&x=%20#{id}"
    page = Page(markdown(result(outcome(), outcome(id=9002)), url))
    assert page.attributes.count(("href", "https://example.com/v/9001?tab=jobs&x=%20#9001")) == 1
    assert page.attributes.count(("href", "https://example.com/v/9002?tab=jobs&x=%20#9002")) == 1
    assert "Details: image version 9001, image version 9002" in page.loud
    assert "a" not in Page(markdown(result())).tags
    assert "a" not in Page(markdown(result(outcomes=(), status=GateStatus.ERROR), url)).tags


def test_retries_and_warnings() -> None:
    """Retries are in a table that is folded away, in the order of time; warnings are in a list."""
    first = outcome(id=9001, retries=(Retry(70.0, "HTTP 503", 1.4),), warnings=("odd job",))
    second = outcome(id=9002, retries=(Retry(9.0, "HTTP 502", 1.0),))
    page = Page(markdown(result(first, second, warnings=("odd clock",))))
    assert "2 retries" in page.loud
    assert [text for text in page.quiet if text.startswith("HTTP")] == ["HTTP 502", "HTTP 503"]
    assert {"odd job", "odd clock"} <= set(page.quiet)
    assert "1:10" in page.loud


def test_unknown_values_are_dashes() -> None:
    """What the API did not say is a dash, never None or 1970."""
    page = Page(markdown(result(outcome(job=job(progress=None, created=None, updated=None, failures=None)))))
    assert "None" not in page.loud
    assert "1970" not in page.loud
    assert "–" in page.loud


@given(results())
@settings(max_examples=40)
def test_any_result_is_a_well_made_page(any_result: Result) -> None:
    """Whatever the texts are, the page has our elements only, and its tables keep their shape."""
    text = markdown(any_result)
    page = Page(text)
    assert set(page.tags) <= OWN_TAGS
    assert {name for name, _ in page.attributes} <= {"align", "lang", "open"}
    assert page.tags.count("td") == expected_cells(any_result)
    assert page.quiet.count(pictured(any_result.reason)) >= bool(any_result.reason)


def expected_cells(any_result: Result) -> int:
    """Count the cells: eight for each image version, six for its job's times, four for each retry."""
    outcomes = any_result.outcomes
    jobs = [one.job for one in outcomes if one.job]
    return 8 * len(outcomes) + 6 * len(jobs) + 4 * sum(len(one.retries) for one in outcomes)


@given(hostile.texts)
@settings(max_examples=40)
def test_text_from_outside_stays_where_github_leaves_it_alone(text: str) -> None:
    """No text from outside stands where GitHub would look for mentions, issue numbers or emoji codes."""
    plain = Page(markdown(told_with("x")))
    hostile = Page(markdown(told_with(text or "x")))
    assert hostile.loud.split() == plain.loud.split()


def told_with(text: str) -> Result:
    """Make a result that holds the same text wherever one can come from outside."""
    told = job(JobState.FAILED, error=text)
    one = outcome(
        GateStatus.FAILED,
        name=text,
        reason=text,
        remedy=text,
        job=told,
        timeline=(Moment(0.0, told),),
        retries=(Retry(1.0, text, 1.0),),
        warnings=(text,),
    )
    return result(one, reason=text, remedy=text, warnings=(text,))


def large(field: str) -> Result:
    """Make a result that is far too large in one way."""
    huge = "&é🎉\n" * 100_000
    many = 2000
    fields: dict[str, dict[str, Any]] = {
        "reason": {"reason": huge, "remedy": huge},
        "name": {"target": Target(1, huge)},
        "error": {"job": job(JobState.FAILED, error=huge)},
        "warnings": {"warnings": (huge[:1000],) * many},
        "retries": {"retries": (Retry(1.0, huge[:1000], 1.0),) * many},
        "timeline": {"timeline": (Moment(1.0, JobStatus(job().verdict, "", error=huge)),) * many},
    }
    if field == "outcomes":
        return result(*[outcome(id=number, name=huge[:1000], reason=huge[:1000]) for number in range(many)])
    if field == "errors":
        failed = job(JobState.FAILED, error=huge[:9000])
        return result(*[outcome(id=number, job=failed) for number in range(many)])
    if field == "everything":
        worst: Outcome = outcome(**{name: value for each in fields.values() for name, value in each.items()})
        return result(*[worst] * 8, warnings=(huge[:1000],) * many)
    return result(outcome(**fields[field]))


@pytest.mark.parametrize(
    "field",
    ["reason", "name", "error", "warnings", "retries", "timeline", "outcomes", "errors", "everything"],
)
def test_the_page_is_never_too_large(field: str) -> None:
    """Whatever is too much is cut, the page says so, and its markup is whole."""
    text = markdown(large(field))
    assert len(text.encode()) <= 1_000_000
    page = Page(text)
    assert set(page.tags) <= OWN_TAGS
    assert re.search(r"more characters\)|and \d+ more|last 40 states", page.loud + "".join(page.quiet))
    assert "cfgate" in page.loud.splitlines()[-1]
