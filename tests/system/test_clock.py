"""Deadlines, and the API's clock as the `Date` headers tell it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfgate.system.clock import ApiClock, Deadline, SystemClock
from tests.support.fakes import NOON, FakeClock


def test_a_deadline_runs_down_and_passes() -> None:
    """What is left of a deadline shrinks with the monotonic clock; at 0 it has passed."""
    clock = FakeClock()
    deadline = Deadline(clock, 10)
    clock.sleep(7.5)
    assert (deadline.left(), deadline.passed) == (2.5, False)
    clock.sleep(2.5)
    assert (deadline.left(), deadline.passed) == (0, True)
    clock.sleep(1)
    assert (deadline.left(), deadline.passed) == (-1, True)


def test_the_system_clock_passes_over_what_lies_in_the_past() -> None:
    """Sleeping for a negative time returns at once, and the clocks go forward."""
    clock = SystemClock()
    before = clock.monotonic()
    clock.sleep(-5)
    clock.sleep(0.001)
    assert clock.monotonic() > before
    assert clock.time() > NOON - 10**9


def test_before_the_first_date_the_local_clock_must_do() -> None:
    """Without a `Date` the API's time is what this machine believes, and no skew is known."""
    clock = FakeClock(skew=600)
    api = ApiClock(clock)
    assert api.now() == pytest.approx(NOON + 600)
    assert api.skew() == 0


@given(
    skew=st.floats(-1e6, 1e6),
    offsets=st.lists(st.tuples(st.floats(0, 20), st.floats(0.01, 3)), min_size=1, max_size=30),
)
def test_the_true_time_is_always_within_what_the_dates_allow(
    skew: float, offsets: list[tuple[float, float]]
) -> None:
    """After any row of answers the estimate is off by half a second and half a round trip at most."""
    clock = FakeClock(skew)
    api = ApiClock(clock)
    trips = []
    for pause, trip in offsets:
        clock.sleep(pause)
        sent = clock.monotonic()
        clock.sleep(trip / 2)
        date = float(int(NOON + clock.now))
        clock.sleep(trip / 2)
        api.hear(date, sent, clock.monotonic())
        trips.append(trip)
    assert abs(api.now() - (NOON + clock.now)) <= 0.5 + min(trips) / 2 + 1e-6
    assert api.skew() == pytest.approx(skew, abs=0.5 + min(trips) / 2 + 1e-3)


def test_many_dates_make_the_estimate_sharper_than_one() -> None:
    """Answers at different parts of a second narrow the offset down to a few hundredths."""
    clock = FakeClock(skew=-600)
    api = ApiClock(clock)
    for _ in range(40):
        clock.sleep(3.27)
        api.hear(float(int(NOON + clock.now)), clock.now, clock.now)
    assert abs(api.now() - (NOON + clock.now)) < 0.05


def test_an_api_clock_that_is_set_is_followed() -> None:
    """When the API's clock jumps, the next `Date` counts and the old ones do not."""
    clock = FakeClock()
    api = ApiClock(clock)
    api.hear(NOON, 0, 0)
    clock.sleep(10)
    api.hear(NOON + 3610, 10, 10)
    assert api.now() == pytest.approx(NOON + 3610, abs=0.6)
