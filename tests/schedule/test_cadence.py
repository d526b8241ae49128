"""The cadence: the bounds that it must reach, measured in virtual time, and what no answer can make it do."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from benchmarks.measure import ROUND_TRIP, measure, wait
from benchmarks.worlds import BY_NAME, IMPROVING, NOTHING, READINGS, WORLDS, World
from cfgate.rules import judge_job
from cfgate.schedule import Cadence, FixedInterval
from tests.support.fakes import ID, NOON, job, payload

SEED = 20_261_123  # not that of the benchmark
ALL = [pytest.param(world, id=world.name) for world in (*WORLDS, *READINGS)]


@pytest.mark.parametrize("world", ALL)
def test_it_reaches_the_bounds_in_every_world(world: World) -> None:
    """Requests x latency / duration and the 95th percentile of the latency stay within their bounds."""
    measured = measure(world, lambda number: Cadence(seed=number), 400 if world in WORLDS else 60, SEED)
    assert measured.efficiency <= world.bound
    assert measured.p95 <= world.p95
    assert measured.worst <= 15 + ROUND_TRIP + 1e-6


@pytest.mark.parametrize("longest", [5.0, 60.0])
@pytest.mark.parametrize("name", [IMPROVING.name, "progress, steady", NOTHING.name])
def test_another_longest_pause_bounds_the_latency_as_well(name: str, longest: float) -> None:
    """Whatever `max-interval` is, no end is learned later than that and a round trip."""
    world = BY_NAME[name]
    measured = measure(world, lambda number: Cadence(longest, seed=number), 100, SEED)
    assert measured.worst <= longest + ROUND_TRIP + 1e-6


def test_the_clock_of_this_machine_does_not_matter() -> None:
    """A local clock ten minutes off leaves every look where it was: the API's clock is what counts."""
    base = [wait(IMPROVING.job(str(n)), Cadence(seed=n)) for n in range(50)]
    for name in ("improves, local clock 10 min ahead", "improves, local clock 10 min behind"):
        off = [wait(BY_NAME[name].job(str(n)), Cadence(seed=n)) for n in range(50)]
        assert [each.requests for each in off] == [each.requests for each in base]


def test_the_same_seed_gives_the_same_pauses_and_another_one_others() -> None:
    """The jitter is the only chance there is, and a seed fixes it; no gate pauses longer than it may."""
    pauses = [Cadence(seed=seed).next_pause(job("Queued"), NOON) for seed in range(50)]
    assert pauses == [Cadence(seed=seed).next_pause(job("Queued"), NOON) for seed in range(50)]
    assert len(set(pauses)) == 50
    assert all(0.97 * 15 < pause < 15 for pause in pauses)


def test_experience_beats_every_fixed_interval() -> None:
    """Where a job tells nothing, experience of such jobs saves a tenth of the cost and more."""
    ours = measure(NOTHING, lambda number: Cadence(seed=number), 200, SEED)
    for interval in (7.5, 15.0):
        fixed = measure(NOTHING, lambda _, interval=interval: FixedInterval(interval), 200, SEED)  # type: ignore[misc]
        assert ours.efficiency < 0.9 * fixed.efficiency


def test_a_silent_job_is_asked_most_often_when_such_jobs_end() -> None:
    """Pauses are the longest in the queue and at the start, short after ten minutes, and long after hours."""

    def pause(minutes: float, state: str = "Running") -> float:
        cadence = Cadence(seed=1)
        cadence.next_pause(job("Queued"), NOON)
        cadence.next_pause(job("Running"), NOON)
        return cadence.next_pause(job(state), NOON + 60 * minutes)

    longest = pause(10, "Queued")
    assert pause(0.5) == longest
    assert pause(4) < longest
    assert pause(10) < 0.6 * longest
    assert pause(30) > 1.3 * pause(10)
    assert pause(120) == longest


def test_a_gate_that_comes_late_knows_when_the_job_was_started() -> None:
    """`jobstart` tells the age of a job that was running before; a future one is left aside."""
    late = Cadence(seed=1).next_pause(job("Running", jobstart=str(NOON - 600)), NOON)
    fresh = Cadence(seed=1).next_pause(job("Running"), NOON)
    assert late < 0.6 * fresh
    assert Cadence(seed=1).next_pause(job("Running", jobstart=str(NOON + 600)), NOON) == fresh
    assert Cadence(seed=1).next_pause(job("Running", jobstart="0"), NOON) == fresh


def test_a_fixed_interval_is_fixed() -> None:
    """`poll-interval: 10s` pauses for 10 s after every answer, and estimates what `auto` would."""
    pacing, auto = FixedInterval(10), Cadence()
    assert pacing.time_left(NOON) is None
    for number in range(5):
        status = job("Running", jobprogress=number, jobeta=NOON + 30)
        assert pacing.next_pause(status, NOON + number) == 10
        auto.next_pause(status, NOON + number)
        assert pacing.time_left(NOON + number) == auto.time_left(NOON + number)
    assert pacing.time_left(NOON + 4)


def test_the_later_of_two_ends_is_told() -> None:
    """Where the announced end and the progress disagree, a person reads the later one."""
    pacing = Cadence()
    for second in range(0, 200, 5):
        status = job("Running", jobprogress=second // 10, jobeta=NOON + 300 - second // 50)
        pacing.next_pause(status, NOON + second)
    assert pacing.time_left(NOON + 195) == pytest.approx(805, abs=40)


def test_time_left_is_told_once_the_estimate_has_proved_itself() -> None:
    """An estimate that keeps its word for a while is told to people; the first one alone is not."""
    cadence = Cadence(seed=1)
    end = NOON + 300
    told = []
    for now in range(NOON, NOON + 200, 12):
        cadence.next_pause(job("Running", jobeta=end, jobprogress=(now - NOON) // 3), now)
        told.append(cadence.time_left(now))
    assert told[0] is None
    assert told[-1] == pytest.approx(end - (NOON + 192), abs=15)


def test_nothing_is_told_about_a_job_that_tells_nothing() -> None:
    """Without estimate and progress there is no time left to tell."""
    cadence = Cadence(seed=1)
    for now in range(NOON, NOON + 300, 15):
        cadence.next_pause(job("Running", jobprogress=None), now)
        assert cadence.time_left(now) is None


NUMBERS = (
    st.none()
    | st.integers(-(10**20), 10**20)
    | st.integers(NOON - 1000, NOON + 1000)
    | st.sampled_from(["", "NaN", "inf", "-1", "0", "99", str(10**18), "soon", str(NOON + 60), 1e308, 0.5])
)
ANSWERS = st.fixed_dictionaries(
    {},
    optional={
        "jobeta": NUMBERS,
        "jobprogress": NUMBERS | st.integers(0, 100),
        "jobupdated": NUMBERS,
        "jobstart": NUMBERS,
        "jobfailed": NUMBERS,
    },
)


@example(answers=[("Running", {}, 0.0), ("Running", {}, -1e6)], bounds=(1.0, 14.0))
@given(
    answers=st.lists(
        st.tuples(
            st.sampled_from(["Created", "Pending", "Queued", "Running"]),
            ANSWERS,
            st.floats(-1e6, 1e6) | st.sampled_from([0.0, 1.0, 15.0]),
        ),
        max_size=30,
    ),
    bounds=st.tuples(st.floats(0.1, 30), st.floats(0, 600)),
)
def test_no_answers_drive_the_pause_out_of_its_bounds(
    answers: list[tuple[str, dict[str, Any], float]], bounds: tuple[float, float]
) -> None:
    """Garbage, leaps of time in either direction and absurd estimates leave the pause within its bounds."""
    shortest, longest = bounds[0], bounds[0] + bounds[1]
    cadence = Cadence(longest, shortest, seed=7)
    now = float(NOON)
    for state, fields, step in answers:
        now += step
        pause = cadence.next_pause(judge_job(payload(state) | fields, ID), now)
        assert shortest <= pause <= longest
        left = cadence.time_left(now)
        assert left is None or (left > 0 and math.isfinite(left))
