"""GitLab's annotations report."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hypothesis import given, settings

from cfgate.delivery import deliver
from cfgate.hosts.console import Console
from cfgate.hosts.terminal import Terminal
from cfgate.model import GateStatus, Resource, Result
from cfgate.report.annotations import job_annotations
from cfgate.settings.address import page_url
from cfgate.settings.values import Files
from tests.support.factories import outcome, result, results

URL = "https://example.com/versions/{id}"


def read(text: str) -> list[dict[str, str]]:
    """Read a report as GitLab does: sections of links, each of a label and a URL."""
    assert len(text.encode()) < 81_920
    sections: dict[str, list[dict[str, Any]]] = json.loads(text)
    assert set(sections) <= {"cfgate"}
    entries = sections.get("cfgate", [])
    assert all(entry.keys() == {"external_link"} for entry in entries)
    links: list[dict[str, str]] = [entry["external_link"] for entry in entries]
    assert all(link.keys() == {"label", "url"} for link in links)
    return links


def test_every_image_version_has_a_link() -> None:
    """Ready or not, each image version has a link to its own page."""
    text = job_annotations(result(outcome(), outcome(GateStatus.FAILED, id=9002)), URL)
    assert read(text) == [
        {"label": "image version 9001", "url": "https://example.com/versions/9001"},
        {"label": "image version 9002", "url": "https://example.com/versions/9002"},
    ]


def test_the_links_are_delivered(tmp_path: Path) -> None:
    """The report and the summary are written with the page that the user has named."""
    files = Files(
        annotations=str(tmp_path / "links.json"), summary=str(tmp_path / "page.md"), details_url=URL
    )
    deliver(result(), Terminal(Console(None, colour=False)), files, None)
    assert [link["url"] for link in read((tmp_path / "links.json").read_text("utf-8"))] == [
        "https://example.com/versions/9001"
    ]
    assert "(https://example.com/versions/9001)" in (tmp_path / "page.md").read_text("utf-8")


def test_nothing_is_made_up() -> None:
    """There is no link when no page is known, when nothing was asked, and when Clanforge was not asked."""
    assert read(job_annotations(result(), "")) == []
    assert read(job_annotations(result(outcomes=(), status=GateStatus.INVALID), URL)) == []
    assert read(job_annotations(result(rehearsal=True), URL)) == []


def test_the_report_stays_within_the_limit() -> None:
    """Many image versions and the longest address that can be given make no report that GitLab refuses."""
    url = page_url(f"https://example.com/{{id}}/{'x' * 475}")
    many = [outcome(id=10**17 + number) for number in range(2000)]
    assert len(read(job_annotations(result(*many), url))) == 100


@given(results())
@settings(max_examples=40)
def test_links_lead_where_the_user_said(any_result: Result) -> None:
    """Whatever an API says, a label is in words of ours, and a link is the user's with an id in it."""
    for link in read(job_annotations(any_result, URL)):
        number = link["url"].removeprefix("https://example.com/versions/")
        assert number.isdecimal()
        assert link["label"] in {f"{resource.noun} {number}" for resource in Resource}
