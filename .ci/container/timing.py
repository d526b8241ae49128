"""What was measured, printed at the end of a run, and the time that a cancelled step has."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

import pytest

# Seconds: GitHub sends SIGTERM so long after SIGINT, and kills 2.5 s later.
BEFORE_SIGTERM: Final = 7.5


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
