"""What was measured, printed at the end of a run."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest


@pytest.fixture
def measured(record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """Have a line printed at the end of the run."""
    return partial(record_property, "measured")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what was measured, whichever process has run the test."""
    terminalreporter.section("measured, beside other tests")
    for report in terminalreporter.getreports("passed"):
        for _, line in report.user_properties:
            terminalreporter.write_line(str(line))
