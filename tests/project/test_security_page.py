"""SECURITY.md promises nothing that is not shown."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / ".github" / "SECURITY.md").read_text("utf-8")
WORKFLOW_STEPS = re.findall(r"`(\w+\.yml)::([^`]+)`", PAGE)
REFERENCES = re.findall(r"`([\w./]*test_\w+\.py)::(test_\w+)`", PAGE)


@pytest.mark.parametrize(("file", "test"), REFERENCES)
def test_what_is_said_to_show_a_promise_is_there(file: str, test: str) -> None:
    """Every test that the page names exists."""
    assert f"\ndef {test}(" in (ROOT / file).read_text("utf-8")


@pytest.mark.parametrize(("workflow", "step"), [pair for pair in WORKFLOW_STEPS if pair[1] != "step"])
def test_what_a_workflow_is_said_to_do_it_does(workflow: str, step: str) -> None:
    """Every step of a workflow that the page names exists."""
    jobs = yaml.safe_load((ROOT / ".github" / "workflows" / workflow).read_text("utf-8"))["jobs"]
    assert step in {each.get("name") for job in jobs.values() for each in job.get("steps", [])}


def test_the_page_names_tests() -> None:
    """Wherever the page names something in a file, it was recognised."""
    assert len(REFERENCES) == PAGE.count("::test_") > 0
    assert len(REFERENCES) + len(WORKFLOW_STEPS) == PAGE.count("::")
