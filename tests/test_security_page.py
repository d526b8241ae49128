"""SECURITY.md promises nothing that is not shown."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / ".github" / "SECURITY.md").read_text("utf-8")
REFERENCES = re.findall(r"`([\w./]*test_\w+\.py)::(test_\w+)`", PAGE)


@pytest.mark.parametrize(("file", "test"), REFERENCES)
def test_what_is_said_to_show_a_promise_is_there(file: str, test: str) -> None:
    """Every test that the page names exists."""
    path = ROOT / file if "/" in file else ROOT / "tests" / file
    assert f"\ndef {test}(" in path.read_text("utf-8")


def test_the_page_names_tests() -> None:
    """Where the page says `::test_`, a name was recognised."""
    assert len(REFERENCES) == PAGE.count("::test_") > 0
