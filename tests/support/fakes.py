"""Doubles for the gate: a clock that jumps instead of waiting, and an API that answers from a list."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from cfgate.errors import GateError
from cfgate.model import Answer, JobStatus, Verdict
from cfgate.rules import judge_job

ID = 9001
NOON = 1_795_435_200  # Unix seconds at which every test's day begins


class FakeClock:
    """A clock on which sleeping takes no time; `now` is the seconds since the test began."""

    def __init__(self, skew: float = 0.0) -> None:
        self.now = 0.0
        self.skew = skew  # how far the local wall clock is ahead
        self.slept: list[float] = []

    def monotonic(self) -> float:
        """Seconds since the test began."""
        return self.now

    def time(self) -> float:
        """Unix time as the local machine believes it."""
        return NOON + self.now + self.skew

    def sleep(self, seconds: float) -> None:
        """Jump ahead. Time moves even where a float has no room for so few seconds, as it does in life."""
        assert seconds >= 0
        self.slept.append(seconds)
        self.now = max(self.now + seconds, math.nextafter(self.now, math.inf) if seconds else self.now)


def payload(state: str = "Running", **fields: Any) -> dict[str, Any]:
    """Make the body of an answer about image version 9001, as Clanforge would."""
    ids = {"Created": 1, "Pending": 2, "Queued": 3, "Running": 4, "Completed": 5, "Failed": 6, "Squashed": 7}
    body: dict[str, Any] = {
        "imageversionid": ID,
        "jobstateid": ids.get(state),
        "jobstatename": state,
        "jobcreated": NOON,
        "jobupdated": NOON,
        "jobprogress": 100 if state == "Completed" else 0,
        "jobfailed": 0,
        "success": True,
    }
    return body | fields


def job(state: str = "Running", **fields: Any) -> JobStatus:
    """Make a usable `JobStatus`."""
    status = judge_job(payload(state, **fields), ID)
    assert status.verdict is not Verdict.DOUBTFUL, status.why
    return status


Step = JobStatus | GateError | Callable[[], JobStatus]


class FakeApi:
    """Answers with one step after the other, the last one for ever; a request takes `round_trip` seconds."""

    def __init__(
        self, clock: FakeClock, steps: Iterable[Step], *, round_trip: float = 0.0, dated: bool = True
    ) -> None:
        self._clock = clock
        self._steps: Iterator[Step] = iter(steps)
        self._step: Step | None = None
        self._round_trip = round_trip
        self._dated = dated
        self.asked: list[float] = []

    def __call__(self, count: Callable[[], None]) -> Answer:
        """Send one request."""
        count()
        sent = self._clock.now
        self.asked.append(sent)
        self._clock.now += self._round_trip
        self._step = next(self._steps, self._step)
        step = self._step
        assert step is not None
        if isinstance(step, GateError):
            raise step
        status = step if isinstance(step, JobStatus) else step()
        date = float(int(NOON + self._clock.now)) if self._dated else None
        return Answer(status, date, sent, self._clock.now)
