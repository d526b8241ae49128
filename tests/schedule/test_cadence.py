"""The cadence: the bounds that it must reach, measured in virtual time, and what no answer can make it do."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from benchmarks.cadence import broken
from benchmarks.endurance import LIMIT, endure
from benchmarks.measure import ROUND_TRIP, measure, wait
from benchmarks.worlds import BY_NAME, IMPROVING, JUMPS, NOTHING, STEADY
from cfgate import schedule
from cfgate.rules import judge_job
from cfgate.schedule import Cadence, FixedInterval, eta, progress
from tests.support.fakes import ID, NOON, job, payload

SEED = 20_261_123  # not that of the benchmark
# One world for every mechanism; `benchmarks/cadence.py --check` measures all of them.
QUICK = [
    IMPROVING.name,
    "the estimate improves, 50 % off",
    "improves once a minute",
    "progress, steady",
    "progress, fast to 90 %, then slow",
    "progress, from 100 % back to 0 at half time",
    "progress in jumps of 10, a gate at any time",
    "progress in jumps of 10, a gate in the last 30 s",
    "nothing known, a gate in the last 30 s",
    "one fixed estimate, 15 % off",
    NOTHING.name,
    "the estimate slips by 60 s",
]


@pytest.mark.parametrize("name", QUICK)
def test_it_reaches_the_bounds_of_a_world(name: str) -> None:
    """E, the latency and the requests of 400 jobs stay within their bounds."""
    assert broken(BY_NAME[name]) == []


def test_a_bound_that_is_broken_is_reported() -> None:
    """A world with bounds out of reach is reported with each of them."""
    world = replace(IMPROVING, name="out of reach", bound=0.01, p95=0.1, mean=0.1, requests=5, times=0.5)
    assert [fault.split(" ")[3] for fault in broken(world)] == ["E", "p95", "mean", "requests", "requests"]


@pytest.mark.parametrize("name", [IMPROVING.name, "progress, steady", NOTHING.name])
def test_a_gate_on_a_job_that_may_end_at_once_sends_two_more_requests_at_most(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The short pauses at the start of a gate cost at most two requests where the job goes on."""
    with_them = measure(BY_NAME[name], lambda number: Cadence(seed=number), 100, SEED)
    monkeypatch.setattr(schedule.cadence, "FIRST", 1000.0)
    monkeypatch.setattr(schedule.cadence, "OPENING", 0.0)
    without = measure(BY_NAME[name], lambda number: Cadence(seed=number), 100, SEED)
    assert without.requests + 0.5 < with_them.requests <= without.requests + 2


def test_an_answer_costs_no_more_after_ten_thousand_of_them() -> None:
    """Ten thousand answers leave the work for one of them bounded, be the job moving or at a standstill."""
    assert endure(JUMPS) <= LIMIT


@pytest.mark.parametrize("percent", [0, 1, 50, 99, 100])
def test_a_job_at_a_standstill_costs_no_more_and_leaves_no_more(percent: int) -> None:
    """Ten thousand answers with the same progress are one level, and their polygon has a few corners."""
    clue = progress.ProgressClue()
    for number in range(10_000):
        clue.update(job("Running", jobprogress=percent), NOON + 14.9 * number, NOON - 60.0)
    now = NOON + 149_000.0
    assert len(clue._levels) == 1
    assert len(clue._lines(NOON - 60.0, now)) <= 8


def test_a_progress_in_all_its_levels_keeps_to_one_corner_for_every_bound() -> None:
    """All 101 levels, at times that no line fits exactly, leave at most one corner for each bound."""
    clue = progress.ProgressClue()
    for percent in range(101):
        clue.update(job("Running", jobprogress=percent), NOON + 4.2 * percent + (percent % 7) / 10, NOON)
        assert len(clue._lines(float(NOON), NOON + 4.2 * percent + 1)) <= 4 + 2 * (percent + 2)
    assert len(clue._levels) == 101


def test_estimates_leave_a_bounded_record() -> None:
    """Of ten thousand different estimates, the newest thirty are kept."""
    clue = eta.EtaClue()
    for number in range(10_000):
        clue.update(job("Running", jobeta=NOON + 30 + 15 * number), NOON + 15.0 * number, float(NOON))
    assert len(clue._announced) == eta.COUNTED


def test_an_estimate_that_slips_is_dropped_after_the_first_slip() -> None:
    """An end that was reached and put off is no end to wait for: the pause is that of a job without one."""
    told, silent = Cadence(seed=1), Cadence(seed=1)
    for now in (0, 40, 50, 56, 59):
        told.next_pause(job("Running", jobeta=NOON + 60), NOON + now)
        silent.next_pause(job("Running"), NOON + now)
    assert told.next_pause(job("Running", jobeta=NOON + 62), NOON + 60.0) < 3  # put off by little: believed
    for cadence, fields in ((told, {"jobeta": NOON + 362}), (silent, {})):
        cadence.next_pause(job("Running", **fields), NOON + 62.0)
    assert told.time_left(NOON + 62.0) is None
    assert told.next_pause(job("Running", jobeta=NOON + 362), NOON + 66.0) == silent.next_pause(
        job("Running"), NOON + 66.0
    )


def test_an_only_estimate_far_beyond_experience_is_doubted_for_a_while() -> None:
    """An end in an hour, announced once, is no reason to look less; a second value, or time, makes it one."""

    def pause(after: int, *ends: int) -> float:
        cadence = Cadence(seed=1)
        for number, end in enumerate((ends[0], *ends)):
            status = job("Running", jobstart=str(NOON), jobeta=NOON + end)
            pause = cadence.next_pause(status, NOON + after * number / len(ends))
        return pause

    silent = Cadence(seed=1)
    for now in (0, 600):
        without = silent.next_pause(job("Running", jobstart=str(NOON)), NOON + now)
    assert pause(600, 4200) == pytest.approx(without)
    assert pause(600, 4200, 4100) > 2 * without
    assert pause(780, 4200) > 2 * without
    assert pause(600, 1000) > 2 * without  # not beyond experience


def test_jobupdated_changes_nothing() -> None:
    """What `jobupdated` means nobody knows, so a heartbeat in it moves no look."""
    heartbeat = replace(STEADY, updated="heartbeat")
    for number in range(20):
        seed = str(number)
        assert wait(STEADY.job(seed), Cadence(seed=1)) == wait(heartbeat.job(seed), Cadence(seed=1))


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

    def pause(seed: int) -> float:
        cadence = Cadence(seed=seed)
        cadence.next_pause(job("Queued"), NOON)
        return cadence.next_pause(job("Queued"), NOON + 60)

    pauses = [pause(seed) for seed in range(50)]
    assert pauses == [pause(seed) for seed in range(50)]
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
    assert pause(120) > 0.9 * longest
    assert pause(180) == longest


def test_a_gate_that_comes_late_knows_when_the_job_was_started() -> None:
    """`jobstart` is the age of a job that was running before; what an answer contradicts is left aside."""

    def pause(started: int, first: str = "Running") -> float:
        cadence = Cadence(seed=1)
        for after in (0, 35):  # the second pause: the first one is short whatever is known
            state = first if after == 0 else "Running"
            pause = cadence.next_pause(job(state, jobstart=str(started)), NOON + after)
        return pause

    fresh = pause(0)  # none
    assert pause(NOON - 600) < 0.6 * fresh
    assert pause(NOON + 600) == fresh
    assert pause(NOON - 600, first="Queued") == fresh


def test_a_gate_that_comes_late_knows_the_rate_soon() -> None:
    """Progress since `jobstart` is a rate: one answer is enough for a pause, and two for an end to show."""
    cadence, near = Cadence(seed=1), Cadence(seed=1)
    for now, percent in ((NOON - 12, 47), (NOON, 50)):
        cadence.next_pause(job("Running", jobstart=str(NOON - 200), jobprogress=percent), now)
    assert cadence.time_left(NOON) == pytest.approx(200, abs=10)
    assert near.next_pause(job("Running", jobstart=str(NOON - 200), jobprogress=98), NOON) < 3


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
