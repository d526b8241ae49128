"""A server whose clock is off, over real HTTP; the gate and the server go by one clock, which jumps."""

from __future__ import annotations

import io
from functools import partial
from queue import SimpleQueue

import pytest

from cfgate import session
from cfgate.cli import Program
from cfgate.schedule import Cadence
from cfgate.simulator import Simulator, parse
from tests.support.canary import KEYS
from tests.support.fakes import FakeClock

ENDS = 450  # seconds after the first request
SCENARIO = """
date-offset: {offset}
life:
  - {{state: Queued, for: 30s}}
  - {{state: Running, for: 420s, eta: {eta}, progress: {progress}}}
  - state: Completed
"""


def wait(offset: str, eta: str, progress: str) -> tuple[int, float]:
    """Gate on a job; return the requests, and the seconds from its end until the gate knew."""
    clock, stream = FakeClock(), io.StringIO()
    script = SCENARIO.format(offset=offset, eta=eta, progress=progress)
    with Simulator(parse(script), clock=clock.time) as simulator:
        program = Program(
            {**KEYS, "CFGATE_ACCOUNT_SERVICE_ID": "100042"}, stream, stream, SimpleQueue(), clock
        )
        code = program.run(["9001", "--api-url", simulator.url])
        assert code == 0, stream.getvalue()
        return len(simulator.requests), clock.now - ENDS


@pytest.mark.parametrize("offset", ["10m", "-10m"])
@pytest.mark.parametrize(("eta", "progress"), [("exact", "0"), ("none", "0 to 100")])
def test_a_server_with_another_clock_costs_what_one_with_ours_does(
    offset: str, eta: str, progress: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten minutes between the clocks cost no delay beyond a second, and at most three requests."""
    # Else chance takes up to 1.5 % off the longest pause of each, which moves all the looks that follow.
    monkeypatch.setattr(session, "Cadence", partial(Cadence, seed=1))
    requests, delay = wait("0s", eta, progress)
    requests_off, delay_off = wait(offset, eta, progress)
    assert delay < 1
    assert delay_off < 1
    assert abs(requests_off - requests) <= 3
