"""The human forms that all reports share."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfgate.model import JobState, Resource, Target, counted, kinds, state_of
from cfgate.text.wording import about, cap_utf8, duration, elapsed, moment, pictured, plural, shorten
from tests.support import hostile
from tests.support.factories import job


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (-0.0, "0s"),
        (-3, "0s"),
        (0.04, "0s"),
        (0.06, "0.1s"),
        (1.4, "1.4s"),
        (2.0, "2s"),
        (9.94, "9.9s"),
        (9.96, "10s"),
        (59.4, "59s"),
        (59.6, "1m"),
        (220.4, "3m40s"),
        (3599.7, "1h"),
        (3600, "1h"),
        (3605, "1h5s"),
        (3720, "1h2m"),
        (172_800, "48h"),
    ],
)
def test_duration(seconds: float, text: str) -> None:
    """A duration is written in hours, minutes and seconds, with tenths only where they matter."""
    assert duration(seconds) == text


@given(st.floats(-10, 10**7))
def test_duration_says_what_it_was_given(seconds: float) -> None:
    """A duration read back is the number it was made from, rounded, and no part of it overflows."""
    found = re.fullmatch(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d)?)s)?", duration(seconds))
    assert found
    hours, minutes, whole = (float(part or 0) for part in found.groups())
    assert minutes < 60
    assert whole < 60
    assert hours * 3600 + minutes * 60 + whole == pytest.approx(max(seconds, 0), abs=0.51)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0:00"), (-1, "0:00"), (8.9, "0:08"), (751, "12:31"), (3599.9, "59:59"), (3751, "1:02:31")],
)
def test_elapsed(seconds: float, text: str) -> None:
    """A stopwatch shows whole seconds that have passed, and hours only when there are any."""
    assert elapsed(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "a moment"),
        (2, "a moment"),
        (3, "about 5s"),
        (58, "about 1m"),
        (83, "about 1m20s"),
        (750, "about 12m"),
        (3590, "about 1h"),
        (4000, "about 1h5m"),
        (16_000, "about 4h30m"),
    ],
)
def test_about(seconds: float, text: str) -> None:
    """An estimate is rounded the more coarsely the further away it is."""
    assert about(seconds) == text


@pytest.mark.parametrize(
    ("unix", "text"),
    [(1_795_453_934, "2026-11-23 17:12:14 UTC"), (1.9, "1970-01-01 00:00:01 UTC")],
)
def test_moment(unix: float, text: str) -> None:
    """A moment is written in UTC, and says so."""
    assert moment(unix) == text


def test_moment_can_write_the_last_moment_that_the_model_lets_through() -> None:
    """The latest time stamp of the API that counts as one is written too."""
    assert moment(253_402_300_799) == "9999-12-31 23:59:59 UTC"


def test_plural() -> None:
    """One is one, and everything else is many."""
    assert [plural(count, "request") for count in (0, 1, 2)] == ["0 requests", "1 request", "2 requests"]
    assert plural(2, "retry", "retries") == "2 retries"


def test_state_of() -> None:
    """A state has the name that the documentation gives it, whatever the answer called it."""
    assert state_of(job(JobState.COMPLETED)) == "Completed"
    assert state_of(None) == "unknown"


def test_shorten_tells_what_is_missing() -> None:
    """A text that is cut says how much of it is missing; one that fits is left alone."""
    assert shorten("12345", 5) == "12345"
    assert shorten("123456789", 5) == "12345… (4 more characters)"


def test_visible_shows_controls() -> None:
    """Controls become their pictures, every line end a line feed, and tabs stay."""
    assert pictured("a\x1b[31m\tb\r\nc\rd\x00\x7f") == "a␛[31m\tb\nc\nd␀␡"
    assert pictured("\x85\u202e\ud800\ufffe\u200b\xad\U000e0041") == "\ufffd" * 7


@given(hostile.texts)
def test_visible_leaves_nothing_unseen(text: str) -> None:
    """What comes out can be encoded, can be seen but for tabs and line ends, and is stable."""
    seen = pictured(text)
    seen.encode()
    rest = re.sub("[\t\n]", "", seen)
    assert not [char for char in rest if unicodedata.category(char) in {"Cc", "Cs", "Zl", "Zp"}]
    assert not [char for char in rest if unicodedata.bidirectional(char) in {"RLO", "LRI", "PDF", "BN"}]
    assert pictured(seen) == seen


@given(
    st.text(
        # The four letters among them that are drawn as nothing at all.
        st.characters(categories=("L", "N", "P", "Sm", "Zs"), exclude_characters="\u115f\u1160\u3164\uffa0")
    )
)
def test_visible_leaves_text_alone(text: str) -> None:
    """Letters, digits, punctuation and blanks of any script are not touched."""
    assert pictured(text) == text


UPDATE = Target(7, "art", Resource.IMAGE_UPDATE)


def test_a_full_name_means_one_thing_only() -> None:
    """A target is called by its name, if it has one, and by what it is."""
    assert Target(9001).full_name == "image version 9001"
    assert UPDATE.full_name == "art (image update 7)"


def test_targets_are_counted_as_what_they_are() -> None:
    """Targets of one kind are called by it, a mixture is just targets."""
    assert counted([Target(1)]) == "1 image version"
    assert counted([UPDATE, UPDATE]) == "2 image updates"
    assert counted([Target(1), UPDATE]) == "2 targets"
    assert kinds([UPDATE]) == "image updates"


@given(st.text(min_size=20), st.integers(min_value=100, max_value=140))
def test_a_cap_in_utf8_keeps_the_limit(told: str, limit: int) -> None:
    """The result keeps the number of bytes, is a beginning of the text, and tells the whole size."""
    told = told * 5
    capped = cap_utf8(told, limit)
    assert len(capped.encode()) <= limit
    if capped != told:
        kept, _, marker = capped.rpartition(" … [")
        assert told.startswith(kept)
        assert marker == f"cut by cfgate: {len(told.encode())} bytes in all]"


def test_a_text_of_exactly_the_limit_is_not_cut() -> None:
    """The last byte that there is room for is used."""
    assert cap_utf8("é" * 60, 120) == "é" * 60
