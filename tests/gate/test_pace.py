"""The pace of a run under a limit of requests: what is let through is found, and found again."""

from __future__ import annotations

import pytest

from cfgate.gate.pace import Pace


def play(limit: float, seconds: float, narrowest: float = 0.0025) -> list[bool]:
    """Ask as often as the pace allows an API that lets so many a second through; return which were."""
    pace, now, free, passed = Pace(narrowest, 0.0), 0.0, 0.0, []
    while now < seconds:
        passed.append(now >= free)
        if passed[-1]:
            free = now + 1 / limit
            pace.answered(now)
        else:
            pace.too_many(now)
        now += pace.spacing
    return passed


@pytest.mark.parametrize("limit", [2.0, 5.0, 20.0, 100.0])
def test_what_is_let_through_is_found(limit: float) -> None:
    """Most of what the limit allows is used, and few requests are refused, from the first half minute on."""
    passed = play(limit, 60)
    assert sum(passed) > 0.7 * limit * 60
    assert passed.count(False) < 0.6 * len(passed)


def test_without_a_refusal_nothing_changes() -> None:
    """A run that is not limited keeps its own spacing."""
    pace = Pace(0.01, 0.0)
    for second in range(100):
        pace.answered(float(second))
    assert pace.spacing == 0.01


def test_after_a_limit_is_gone_the_run_is_as_fast_as_before() -> None:
    """The rate grows with every answer until it is the run's own again."""
    pace = Pace(0.01, 0.0)
    pace.too_many(1.0)
    slowest = pace.spacing
    for answer in range(2000):
        pace.answered(1.0 + answer / 100)
    assert slowest > 0.01 == pace.spacing


def test_a_burst_of_refusals_counts_once() -> None:
    """Those that were under way when the first one came say nothing new."""
    once, often = Pace(0.01, 0.0), Pace(0.01, 0.0)
    once.too_many(1.0)
    for _ in range(50):
        often.too_many(1.0)
    assert once.spacing == often.spacing


def test_an_api_that_lets_nothing_through_is_asked_now_and_then() -> None:
    """The pace has a floor: it must notice when requests are let through again."""
    pace = Pace(0.01, 0.0)
    for second in range(100):
        pace.too_many(float(second))
    assert pace.spacing == 2.0
