"""How long something takes: one grammar, read and written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfgate.text import durations
from cfgate.text.wording import Wrong

WEEK = 7 * 24 * 3600


def read(text: str) -> float:
    """Read a duration of a week at most."""
    return durations.read(text, most=WEEK)


def refusal(text: str) -> str:
    """Return what is said against a text."""
    with pytest.raises(Wrong) as caught:
        read(text)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90s", 90),
        ("45m", 2700),
        ("1h30m", 5400),
        ("1.5h", 5400),
        ("1h0m1s", 3601),
        ("90m", 5400),
        ("0.25s", 0.25),
        ("0", 0),
        ("0s", 0),
        ("168h", WEEK),
        ("7d", WEEK),
        ("500ms", 0.5),
        ("1d2h3m4s5ms", 93_784.005),
    ],
)
def test_a_duration_is_read_as_seconds(text: str, seconds: float) -> None:
    """Days, hours, minutes, seconds and milliseconds add up, with or without a fraction."""
    assert read(text) == seconds


@pytest.mark.parametrize("text", ["1", "90", "3600", "1.5"])
def test_a_bare_number_is_asked_back(text: str) -> None:
    """A number without a unit is refused with the question that its writer has to answer."""
    assert refusal(text) == f"has no unit: {text}s or {text}m?"


@pytest.mark.parametrize(
    "text",
    [
        "1m2m",
        "5ms1s",
        "5min",
        "1:30",
        "30m1h",
        "1h 30m",
        "45M",
        "1e3s",
        "nan",
        "inf",
        "s",
        ".5h",
        "1.h",
        "٣s",
        "1,5h",
    ],
)
def test_what_is_no_duration_is_refused(text: str) -> None:
    """Other units, orders, digits and spellings are refused with examples of what is read."""
    assert "90s, 45m, 1h30m or 1.5h" in refusal(text)


def test_a_negative_duration_is_refused() -> None:
    """Less than no time cannot be waited for."""
    assert refusal("-5m") == "is negative: a duration is 0 or more"


@given(st.integers(0, WEEK * 1000))
def test_a_spelled_duration_reads_back(milliseconds: int) -> None:
    """What `written` writes, `read` reads, to the millisecond."""
    seconds = milliseconds / 1000
    assert read(durations.written(seconds)) == pytest.approx(seconds, abs=1e-9)


@given(st.text(alphabet="0123456789.hmsd-+e ", min_size=1) | st.text(min_size=1))
def test_a_duration_is_read_or_refused(text: str) -> None:
    """Any text is either a finite duration within bounds, or refused."""
    try:
        seconds = read(text)
    except Wrong:
        return
    assert 0 <= seconds <= WEEK
