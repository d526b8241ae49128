"""The summary page."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cfgate.model import (
    GateStatus,
    JobState,
    JobStatus,
    Machines,
    Moment,
    Outcome,
    Resource,
    Result,
    Retry,
    Target,
)
from cfgate.report.gfm import prose
from cfgate.report.markdown import ICONS, markdown
from tests.support import hostile
from tests.support.factories import NOON, job, outcome, result, results
from tests.support.gfm import Page

OWN_TAGS = {
    "h2", "h3", "p", "strong", "code", "br", "pre", "blockquote", "details", "summary", "ul", "li",
    "table", "thead", "tbody", "tr", "th", "td",
}  # fmt: skip


def test_a_ready_result() -> None:
    """The page begins with the verdict, and has a line of facts, a time line, and the API's times."""
    page = Page(markdown(result()))
    lines = [line for line in page.loud.split("\n") if line]
    assert lines[:4] == [
        "✅ ready: image version 9001",
        "Image version 9001 ended ready.",
        "Waited 3m40s · 19 requests · 1 retry · last seen Completed",
        "Time line (UTC)",
    ]
    assert any(text.startswith("gantt\n") for text in page.quiet)
    assert "By the API's clock (2026-11-23 UTC)\nCreated\nEnded\n11:59:00\n12:01:00" in "\n".join(lines)
    assert page.loud.endswith("exit code 0 · started 2026-11-23 12:00:00 UTC\n")
    assert "What to do" not in page.loud
    assert "rehearsal" not in page.loud


def test_every_ending_has_an_icon_of_its_own() -> None:
    """At a glance a time-out is no failure, and a failure no refusal."""
    assert len(set(ICONS.values())) == len(ICONS) == len(GateStatus)


def test_the_job_error_comes_first_and_once() -> None:
    """Its first line, which the log has in the reason, is left out there; the same of several jobs is one."""
    failed = outcome(
        GateStatus.FAILED,
        reason="image version 9001 is Failed: disk full",
        job=job(JobState.FAILED, error="disk full\non /dev/sda1"),
    )
    text = markdown(result(failed))
    places = [text.index(part) for part in ("Image version 9001 is Failed.", "What to do", "<pre>", "Waited")]
    assert places == sorted(places)
    assert text.count("disk full") == 1
    several = markdown(result(failed, failed, outcome(id=9003)))
    assert several.count("disk full") == 1
    assert "Job error of image version 9001 and 1 more" in several


def test_several_problems_are_a_list() -> None:
    """Each problem of an invalid configuration has a line, with what the user wrote as code."""
    problems = ("'45' from flag --timeout has no unit: 45s or 45m?", "image-version-id is missing")
    page = Page(
        markdown(
            result(outcomes=(), status=GateStatus.INVALID, reason="; ".join(problems), problems=problems)
        )
    )
    assert page.loud.startswith("✏️ invalid: the configuration")
    assert page.tags.count("li") == 2
    assert page.quiet == ["'45'"]
    assert "from flag --timeout has no unit: 45s or 45m?\nImage-version-id is missing." in page.loud


def test_several_targets_have_their_own_advice() -> None:
    """What to do is a list where the targets need different things."""
    failed = outcome(GateStatus.FAILED, remedy="Read `this`.")
    late = [outcome(GateStatus.TIMEOUT, id=number, remedy="Wait.") for number in (2, 3)]
    page = Page(markdown(result(failed, *late)))
    assert "image version 9001: Read \nimage version 2 and 1 more: Wait." in page.loud.replace(".\n", "\n", 1)
    assert "this" in page.quiet
    assert "0 of 3 image versions ready" in page.loud


def test_a_roll_out_has_machines_and_no_dashes() -> None:
    """It has no job, and so neither stamps nor a table of them."""
    rolled = job(JobState.COMPLETED, created=None, updated=None, failures=None, machines=Machines(0, 0, 20))
    text = markdown(result(outcome(id=42, resource=Resource.ROLLOUT, job=rolled)))
    assert "last seen Completed (20 of 20 machines)" in text
    assert "API's clock" not in text
    assert "–" not in text


def test_stamps_of_several_days_have_their_date() -> None:
    """Of one day it stands in the heading."""
    over = job(JobState.COMPLETED, created=NOON - 86_400, started=NOON - 3600, updated=NOON)
    loud = Page(markdown(result(outcome(job=over)))).loud
    assert "By the API's clock (UTC)" in loud
    assert "2026-11-22 12:00:00\n2026-11-23 11:00:00\n2026-11-23 12:00:00\n23h\n1h" in re.sub(
        "\n+", "\n", loud
    )


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
    assert page.loud.startswith("❌ failed: 1 of 2 image versions ready")
    assert {"linux", "windows"} <= set(page.quiet)
    assert "The job is Failed" in page.loud


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
    assert page.quiet == []
    assert "Why." in page.loud
    assert "do this" in page.loud
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
    assert re.findall("HTTP 50.", page.loud) == ["HTTP 502", "HTTP 503"]
    assert {"Odd clock.", "image version 9001: odd job"} <= set(re.split("⚠️ |\n", page.loud))
    assert "1:10" in page.loud


def test_retries_of_one_kind_are_one_row() -> None:
    """A row begins anew with another kind of answer, and after a usable one."""
    retries = (
        Retry(10.0, "no answer (HTTP 503)", 5.0, 1),
        Retry(15.0, "no answer (HTTP 503)", 5.0, 2),
        Retry(20.0, "no answer (reset)", 5.0, 3),
        Retry(60.0, "no answer (reset)", 5.0, 1),
    )
    loud = Page(markdown(result(outcome(retries=retries)))).loud
    cells = re.sub("\n+", "\n", loud[loud.rindex("4 retries") :]).split("\n")
    assert cells[1:5] == ["From", "To", "What came", "Retries"]
    rows = [cells[5:][at : at + 4] for at in range(0, 12, 4)]
    assert [(begin, end, count) for begin, end, _, count in rows] == [
        ("0:10", "0:20", "2"),
        ("0:20", "0:25", "1"),
        ("1:00", "1:05", "1"),
    ]


def test_unknown_values_are_dashes() -> None:
    """What the API did not say of one of several is a dash, never None or 1970."""
    unknown = outcome(job=job(progress=None, created=None, updated=None, failures=None))
    page = Page(markdown(result(unknown, outcome(id=9002))))
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
    assert page.loud.startswith(ICONS[any_result.status])


@given(hostile.texts, st.lists(hostile.texts, max_size=2), st.booleans())
@settings(max_examples=200)
@example("error::", [], False)
@example("x:: y", [], True)
def test_only_plain_words_are_prose(text: str, names: list[str], ours: bool) -> None:
    """Whatever a sentence holds, outside of code there are words alone, which no host takes for more."""
    page = Page(f"x {prose(text, names, ours=ours)}")
    assert set(page.tags) <= {"p", "code", "br"}
    assert not re.search(r"[@#/_*<>&$\\]|[^ ]:[^ \n]|www\.|(^| )GH-", page.loud, re.IGNORECASE)


@given(hostile.texts)
@settings(max_examples=40)
def test_text_from_outside_stays_where_github_leaves_it_alone(text: str) -> None:
    """No text from outside stands where GitHub would look for mentions, issue numbers or emoji codes."""
    page = Page(markdown(told_with(text or "x")))
    assert not re.search(r"[@#_*<>&$\\]|www\.|(^| )GH-", page.loud, re.IGNORECASE)


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
