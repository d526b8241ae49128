"""The watch over several gates: their ends, signals, bugs."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from queue import SimpleQueue

import pytest

from cfgate.errors import Rejected
from cfgate.gate.loop import Fetch, Gate
from cfgate.gate.pacer import Pacer
from cfgate.gate.watch import Inbox, Watched, watch
from cfgate.model import Answer, GateStatus, Plan, Target
from cfgate.model.events import Ended, Event
from cfgate.schedule import FixedInterval
from cfgate.system.clock import SystemClock
from cfgate.system.signals import listen
from tests.support.fakes import job

FIRST, SECOND = Target(1), Target(2)


def answering(state: str) -> Fetch:
    """Make a fetch that always brings this state."""
    return lambda _: Answer(job(state), None, 0.0, 0.0)


class Stalled:
    """A fetch that hangs until it is let go."""

    def __init__(self) -> None:
        self.entered = threading.Event()
        self._let_go = threading.Event()

    def __call__(self, count: Callable[[], None]) -> Answer:
        count()
        self.entered.set()
        self._let_go.wait(60)
        return Answer(job("Completed"), None, 0.0, 0.0)

    def let_go(self) -> None:
        self._let_go.set()


@pytest.fixture
def stalled() -> Iterator[Stalled]:
    """Give a fetch that hangs for as long as the test runs."""
    fetch = Stalled()
    yield fetch
    fetch.let_go()


class Run:
    """A watch over some fetches."""

    def __init__(self) -> None:
        self.inbox: Inbox = SimpleQueue()
        self.told: list[Event] = []

    def watch(
        self,
        fetches: dict[Target, Fetch],
        *,
        fail_fast: bool = True,
        tick: Callable[[], None] = lambda: None,
        timeout: float = 60.0,
    ) -> Watched:
        clock = SystemClock()
        pacer = Pacer(clock, len(fetches), max_interval=0.01)
        gates = [
            Gate(Plan(target, timeout=timeout), fetch, FixedInterval(0.01), self.inbox.put, clock, pacer)
            for target, fetch in fetches.items()
        ]
        return watch(gates, self.inbox, fail_fast=fail_fast, tell=self.told.append, tick=tick)


def test_it_waits_for_all_gates() -> None:
    """The watch ends when every gate has ended, with the outcomes in the order of the gates."""
    run = Run()
    watched = run.watch({SECOND: answering("Completed"), FIRST: answering("Completed")})
    assert [outcome.target for outcome in watched.outcomes] == [SECOND, FIRST]
    assert {outcome.status for outcome in watched.outcomes} == {GateStatus.READY}
    assert sum(isinstance(event, Ended) for event in run.told) == 2


def test_fail_fast_stops_at_the_first_failure(stalled: Stalled) -> None:
    """One target that cannot become ready ends the watch over all; the others are told as not followed."""
    watched = Run().watch({FIRST: stalled, SECOND: answering("Failed")})
    assert [outcome.status for outcome in watched.outcomes] == [GateStatus.PENDING, GateStatus.FAILED]
    assert watched.outcomes[0].reason == "image version 1: not followed any further after the first failure"
    assert watched.outcomes[1].reason == "image version 2 is Failed"


def test_without_fail_fast_every_gate_is_followed_to_its_end() -> None:
    """A failure does not keep the others from their own ends."""
    fetches = {FIRST: answering("Failed"), SECOND: answering("Running"), Target(3): answering("Completed")}
    watched = Run().watch(fetches, fail_fast=False, timeout=0.2)
    assert [outcome.status for outcome in watched.outcomes] == [
        GateStatus.FAILED,
        GateStatus.TIMEOUT,
        GateStatus.READY,
    ]


@pytest.mark.parametrize("fail_fast", [True, False])
def test_a_refusal_of_the_credentials_stops_all(stalled: Stalled, *, fail_fast: bool) -> None:
    """The credentials are the same for all, so nobody goes on, with or without fail-fast."""

    def refused(_: object) -> Answer:
        assert stalled.entered.wait(30)
        raise Rejected("HTTP 401", credentials=True)

    watched = Run().watch({FIRST: stalled, SECOND: refused}, fail_fast=fail_fast)
    assert [outcome.status for outcome in watched.outcomes] == [GateStatus.PENDING, GateStatus.REJECTED]
    assert watched.outcomes[0].reason == (
        "image version 1: not followed any further, since the API refuses the credentials"
    )


def test_another_refusal_stops_one_only() -> None:
    """A request that is refused for what it asks says nothing about the others."""

    def refused(_: object) -> Answer:
        raise Rejected("HTTP 400")

    watched = Run().watch({FIRST: refused, SECOND: answering("Completed")}, fail_fast=False)
    assert [outcome.status for outcome in watched.outcomes] == [GateStatus.REJECTED, GateStatus.READY]


@pytest.fixture
def handlers() -> Iterator[None]:
    """Put the handlers of the test process back afterwards."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("handlers")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_watch_in_the_middle_of_a_stalled_request(
    number: signal.Signals, stalled: Stalled
) -> None:
    """SIGINT and SIGTERM end the watch while a request hangs; nobody waits for the request."""
    run = Run()
    listen(run.inbox.put)

    def send_once_it_hangs() -> None:
        assert stalled.entered.wait(30)
        signal.raise_signal(number)

    threading.Thread(target=send_once_it_hangs, daemon=True).start()
    watched = run.watch({FIRST: stalled})
    assert watched.signalled == number
    assert [outcome.status for outcome in watched.outcomes] == [GateStatus.INTERRUPTED]
    assert watched.outcomes[0].reason == f"image version 1: stopped by {number.name}"
    assert watched.outcomes[0].requests == 1


@pytest.mark.usefixtures("handlers")
def test_a_signal_from_before_the_watch_is_not_lost() -> None:
    """A signal that came while the settings were read ends the watch as soon as it begins."""
    run = Run()
    listen(run.inbox.put)
    signal.raise_signal(signal.SIGTERM)
    assert run.watch({FIRST: answering("Running")}).signalled == signal.SIGTERM


def test_a_bug_in_a_gate_ends_the_watch_and_is_told() -> None:
    """An exception that nobody expected does not leave the watch waiting for a dead thread."""

    def broken(_: object) -> Answer:
        raise ZeroDivisionError("oops")

    watched = Run().watch({FIRST: broken})
    assert watched.crashed is not None
    assert isinstance(watched.crashed.error, ZeroDivisionError)
    assert watched.crashed.target == FIRST
    assert [outcome.status for outcome in watched.outcomes] == [GateStatus.ERROR]
    assert watched.outcomes[0].reason == "image version 1: stopped by a bug in cfgate"


def test_no_gate_keeps_the_process_from_ending(stalled: Stalled) -> None:
    """The threads of the gates are daemons, and each is named after its target."""
    run = Run()
    run.inbox.put(signal.SIGTERM)
    run.watch({Target(4711): stalled})
    (thread,) = [thread for thread in threading.enumerate() if thread.name == "4711"]
    assert thread.daemon


def test_a_single_gate_that_is_refused_ends_the_watch() -> None:
    """There need be no other gate to stop."""

    def refused(_: object) -> Answer:
        raise Rejected("HTTP 401", credentials=True)

    watched = Run().watch({FIRST: refused})
    assert [outcome.status for outcome in watched.outcomes] == [GateStatus.REJECTED]
    assert watched.outcomes[0].reason == "HTTP 401"


def test_it_ticks_while_nothing_happens(stalled: Stalled) -> None:
    """The live display and the heartbeat get their turn while a request hangs."""
    ticks = []

    def tick() -> None:
        ticks.append(1)
        if len(ticks) == 3:
            stalled.let_go()

    Run().watch({FIRST: stalled}, tick=tick)
    assert len(ticks) >= 3
