"""The pace of many gates: spread, quiet when the API asks for it, over when it refuses."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.scale import in_virtual_time
from benchmarks.turns import TurnClock
from cfgate.errors import GateError, NoAnswer, Rejected
from cfgate.gate.loop import Gate
from cfgate.gate.pacer import Pacer
from cfgate.model import Answer, GateStatus, JobStatus, Outcome, Plan, Target
from cfgate.schedule import FixedInterval
from tests.support.fakes import FakeClock, job


class Fleet:
    """Gates that run on one clock, each with a script of its own, and every request that they sent."""

    def __init__(
        self,
        scripts: Iterable[Callable[[float], JobStatus | GateError]],
        *,
        pause: float = 15.0,
        **plan: Any,
    ) -> None:
        self.clock = TurnClock()
        self.asked: list[tuple[float, int]] = []
        self.outcomes: dict[int, Outcome] = {}
        scripts = list(scripts)
        pacer = Pacer(self.clock, len(scripts), pause)
        gates = [
            Gate(
                Plan(Target(number), **plan),
                partial(self._fetch, number, script),
                FixedInterval(pause),
                lambda _: None,
                self.clock,
                pacer,
            )
            for number, script in enumerate(scripts, 1)
        ]
        self.clock.run(partial(self._follow, gate) for gate in gates)

    def moments(self, number: int | None = None) -> list[float]:
        return [at for at, who in self.asked if number in (None, who)]

    def _follow(self, gate: Gate) -> None:
        self.outcomes[gate.target.id] = gate.wait()

    def _fetch(self, number: int, script: Callable[[float], JobStatus | GateError], _: object) -> Answer:
        now = self.clock.monotonic()
        self.asked.append((now, number))
        step = script(now)
        if isinstance(step, GateError):
            raise step
        return Answer(step, None, now, now)


def running_until(end: float) -> Callable[[float], JobStatus | GateError]:
    """Make a script of a job that is over at a moment."""
    return lambda now: job("Running") if now < end else job("Completed")


def test_a_gate_that_is_alone_feels_nothing() -> None:
    """One target is asked at once, and as often as its cadence says."""
    fleet = Fleet([running_until(100)], pause=1)
    assert fleet.moments() == [float(second) for second in range(101)]
    clock = FakeClock()
    pacer = Pacer(clock)
    pacer.begin(60)
    for _ in range(100):
        assert pacer.turn(60) == 0
    assert clock.slept == []


def test_the_first_looks_are_spread() -> None:
    """Few targets begin within a tenth of a second, two hundred within a third of the longest pause."""
    assert Fleet([running_until(0)] * 2).moments() == pytest.approx([0, 0.05])
    assert Fleet([running_until(0)] * 3).moments() == pytest.approx([0, 0.05, 0.1])
    many = Fleet([running_until(0)] * 200).moments()
    assert many == pytest.approx([number * 0.025 for number in range(200)])


def test_looks_at_the_same_moment_are_spread() -> None:
    """Gates that all come at once, at their common deadline, keep a distance, and are hardly late."""
    fleet = Fleet([running_until(10**6)] * 100, timeout=100)
    last = [at for at in fleet.moments() if at >= 100]
    assert len(last) == 100
    assert all(later - earlier > 0.0049 for earlier, later in pairwise(last))
    assert last[-1] <= 100.5


def test_two_gates_keep_a_distance_as_well() -> None:
    """The fewest that can meet are spread too."""
    first, second = [at for at in Fleet([running_until(10**6)] * 2, timeout=100).moments() if at >= 100]
    assert second - first == pytest.approx(0.05)


def test_looking_once_is_spread_as_well() -> None:
    """A time-out of 0 sends no burst either."""
    fleet = Fleet([running_until(0)] * 200, timeout=0)
    assert len(fleet.moments()) == 200
    assert all(later - earlier > 0.02 for earlier, later in pairwise(fleet.moments()))


def test_a_first_look_is_not_put_off_beyond_the_deadline() -> None:
    """However many there are, each is asked about before its time is up, but for the spacing."""
    for timeout in (1, 2):
        fleet = Fleet([running_until(10**6)] * 200, timeout=timeout)
        assert {who for _, who in fleet.asked} == set(range(1, 201))
        assert fleet.moments()[-1] <= timeout + 0.5


def test_the_pause_that_a_429_asks_for_is_kept_by_all() -> None:
    """Until the time that one was told nobody asks, and then all come back one after the other."""
    busy = NoAnswer("HTTP 429", retry_after=60, busy=True)

    def told(now: float) -> JobStatus | GateError:
        return busy if 30 <= now < 31 else running_until(200)(now)

    fleet = Fleet([told, *[running_until(200)] * 19], pause=5)
    (since,) = [at for at in fleet.moments(1) if 30 <= at < 31]
    assert not [at for at in fleet.moments() if since < at < since + 60]
    back = [at for at in fleet.moments() if since + 60 <= at < since + 62]
    assert back == pytest.approx([since + 60 + 0.05 * place for place in range(20)])
    assert {outcome.status for outcome in fleet.outcomes.values()} == {GateStatus.READY}


def test_the_pause_that_a_503_asks_for_is_kept_by_one() -> None:
    """A `Retry-After` beside anything but a 429 is about that one answer; the others are asked as before."""

    def told(now: float) -> JobStatus | GateError:
        return NoAnswer("HTTP 503", retry_after=60) if 30 <= now < 31 else running_until(200)(now)

    fleet = Fleet([told, *[running_until(200)] * 19], pause=5)
    (since,) = [at for at in fleet.moments(1) if 30 <= at < 31]
    assert not [at for at in fleet.moments(1) if since < at < since + 60]
    assert len([at for at in fleet.moments(2) if since < at < since + 60]) >= 11


def test_too_many_requests_slow_the_run_down_to_what_is_let_through() -> None:
    """Behind a limit of 20 requests a second, 200 gates end in little more time than it takes."""
    window: list[float] = []

    def limited(now: float) -> JobStatus | GateError:
        window[:] = [at for at in window if at > now - 1.0]
        if len(window) >= 20:
            return NoAnswer("HTTP 429", busy=True)
        window.append(now)
        return job("Running") if now < 60 else job("Completed")

    fleet = Fleet([limited] * 200, pause=15)
    assert {outcome.status for outcome in fleet.outcomes.values()} == {GateStatus.READY}
    assert fleet.moments()[-1] < 60 + 25
    refused = sum(len(outcome.retries) for outcome in fleet.outcomes.values())
    assert refused < len(fleet.asked) / 2


def test_a_good_answer_for_one_wakes_the_others() -> None:
    """After an outage nobody sleeps on when another gate has had an answer."""

    def script(end: float) -> Callable[[float], JobStatus | GateError]:
        def told(now: float) -> JobStatus | GateError:
            if 30 <= now < 90:
                return NoAnswer("HTTP 502")
            return job("Running") if now < end else job("Completed")

        return told

    fleet = Fleet([script(90)] * 20, pause=15)
    back = [at for at in fleet.moments() if at >= 90]
    assert {outcome.status for outcome in fleet.outcomes.values()} == {GateStatus.READY}
    assert back[-1] - back[0] < 3.0


def test_a_quiet_time_is_not_held_against_those_who_heard_of_it() -> None:
    """A gate in the middle of a bad patch is not out of patience because another was told to wait."""

    def told(now: float) -> JobStatus | GateError:
        return NoAnswer("HTTP 429", retry_after=100, busy=True) if 30 <= now < 31 else running_until(200)(now)

    def flaky(now: float) -> JobStatus | GateError:
        return NoAnswer("HTTP 503") if 24 <= now < 131 else running_until(200)(now)

    fleet = Fleet([told, flaky], pause=5, error_tolerance=60)
    assert fleet.outcomes[2].status is GateStatus.READY


def test_a_quiet_time_beyond_the_deadline_leads_to_a_look_at_the_deadline() -> None:
    """Whoever runs out of time in a quiet time looks once more when time is up, as a single gate does."""

    def told(now: float) -> JobStatus | GateError:
        return NoAnswer("HTTP 429", retry_after=3600, busy=True) if now >= 30 else job("Running")

    fleet = Fleet([told, running_until(50)], pause=5, timeout=60)
    assert fleet.moments(2)[-1] == pytest.approx(60, abs=0.6)
    assert fleet.outcomes[2].status is GateStatus.READY


def test_nobody_asks_after_a_refusal() -> None:
    """Once a refusal of the credentials is confirmed nobody asks, and every gate ends with the same words."""

    def refused(now: float) -> JobStatus | GateError:
        return Rejected("HTTP 401", remedy="Fix it.", credentials=True) if now >= 30 else job("Running")

    fleet = Fleet([refused] * 20, pause=5)
    assert fleet.moments()[-1] < 30 + 5 + 10 + 16
    (ending,) = {(one.status, one.reason, one.remedy) for one in fleet.outcomes.values()}
    assert ending[0] is GateStatus.REJECTED
    assert ending[1].startswith("HTTP 401 (for 1")
    assert ending[2] == "Fix it."


def test_the_refusal_of_one_does_not_end_the_others_that_are_answered() -> None:
    """Credentials that work for the others are not at fault."""

    def refused(now: float) -> JobStatus | GateError:
        return Rejected("HTTP 401", credentials=True) if now >= 30 else job("Running")

    fleet = Fleet([refused, *[running_until(200)] * 19], pause=5)
    assert [fleet.outcomes[number].status for number in (1, 2)] == [GateStatus.REJECTED, GateStatus.READY]


def test_a_refusal_is_told_as_it_was() -> None:
    """Whoever hears of it second-hand hears that it was about the credentials, and what to do."""
    pacer = Pacer(FakeClock(), 2)
    pacer.refuse(Rejected("HTTP 401", remedy="Mend it.", credentials=True))
    with pytest.raises(Rejected, match=r"^HTTP 401$") as told:
        pacer.turn(60)
    assert (told.value.remedy, told.value.credentials) == ("Mend it.", True)


@given(
    targets=st.integers(2, 3000),
    eager=st.lists(st.floats(0, 1), min_size=2, max_size=60),
    interval=st.floats(1, 60),
)
def test_the_spacing_never_delays_by_more_than_half_a_second(
    targets: int, eager: list[float], interval: float
) -> None:
    """However the looks fall, no more of them than there are targets wait less than half a second each."""
    clock = FakeClock()
    pacer = Pacer(clock, max(targets, len(eager)), interval)
    for pause in eager:
        clock.now += pause
        before = clock.now
        pacer.turn(60)
        assert clock.now - before <= 0.5 + 1e-9


def test_two_hundred_targets_are_detected_in_time(capsys: pytest.CaptureFixture[str]) -> None:
    """The benchmark in virtual time keeps its bounds, and says so."""
    assert in_virtual_time(200, 1.0, "within 20%")
    assert "detected     200 of 200" in capsys.readouterr().out


def too_many_until(end: float, retry_after: float | None = None) -> Callable[[float], JobStatus | GateError]:
    """Make a script of an API that has too many requests, and then a job that is over."""
    return lambda now: NoAnswer("429", busy=True, retry_after=retry_after) if now < end else job("Completed")


@pytest.mark.parametrize("targets", [60, 200])
def test_the_slowest_pace_makes_nobody_late(targets: int) -> None:
    """However many wait for their turn at an API that lets nothing through, each ends when its time is up."""
    fleet = Fleet([too_many_until(10**6)] * targets, timeout=60)
    assert {outcome.status for outcome in fleet.outcomes.values()} == {GateStatus.UNAVAILABLE}
    assert max(outcome.waited for outcome in fleet.outcomes.values()) <= 60.6


def test_those_who_wait_for_their_turn_are_quiet_as_well() -> None:
    """A pause that the API asks for while many are waiting is kept by all of them."""

    def script(now: float) -> JobStatus | GateError:
        return NoAnswer("429", busy=True, retry_after=50 if now > 20 else None)

    moments = Fleet([script] * 60, timeout=60).moments()
    told = next(at for at in moments if at > 20)
    assert [at for at in moments if told < at < 60] == []


def test_a_pace_that_was_slow_is_soon_forgotten() -> None:
    """Once requests are let through again, nobody waits for a turn that was far away."""
    fleet = Fleet([too_many_until(60)] * 200, timeout=600, max_interval=15.0)
    assert {outcome.status for outcome in fleet.outcomes.values()} == {GateStatus.READY}
    assert max(outcome.waited for outcome in fleet.outcomes.values()) < 60 + 120
