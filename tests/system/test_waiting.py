"""To wait for what may never end."""

from __future__ import annotations

import threading
import time

import pytest

from cfgate.system.limits import limit_met
from cfgate.system.waiting import Attempt, NoThread, Pulse, start, within


def test_what_ends_in_time_is_returned() -> None:
    """The value comes back, and so does an error."""
    assert within(5.0, lambda: 42) == 42
    with pytest.raises(ZeroDivisionError):
        within(5.0, lambda: 1 // 0)


def test_what_does_not_end_is_given_up() -> None:
    """After so many seconds, and not long after."""
    gone, began = threading.Event(), time.monotonic()
    with pytest.raises(TimeoutError, match="it does not answer"):
        within(0.05, lambda: gone.wait(30))
    assert time.monotonic() - began < 10
    gone.set()


def test_what_moves_is_waited_for() -> None:
    """Every beat begins the patience anew, up to the longest that there is."""

    def work(pulse: Pulse) -> int:
        for _ in range(5):
            time.sleep(0.03)
            pulse.beat()
        return 5

    assert Attempt(work, patience=5.0, longest=30.0).result() == 5
    with pytest.raises(TimeoutError):
        Attempt(work, patience=5.0, longest=0.05).result()


def test_what_is_given_up_stops_at_its_next_beat() -> None:
    """Nothing goes on behind the back of whoever has given it up."""
    go_on, stopped = threading.Event(), threading.Event()

    def work(pulse: Pulse) -> None:
        go_on.wait(30)
        try:
            pulse.beat()
        except TimeoutError:
            stopped.set()
            raise

    with pytest.raises(TimeoutError):
        Attempt(work, patience=0.01, longest=30.0).result()
    go_on.set()
    assert stopped.wait(30)


def test_a_refused_thread_has_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is a limit of the machine, no bug."""

    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    with pytest.raises(NoThread) as caught:
        start(threading.Thread())
    assert limit_met(caught.value) == limit_met(RuntimeError("can't start new thread"))
