"""What the image does when its step is cancelled. Python is PID 1 there, which ignores signals by default."""

from __future__ import annotations

import time
from collections.abc import Callable
from signal import Signals

import pytest
import scenarios
from conftest import MakeStep, Serve
from runner import wait_until
from traces import read


@pytest.mark.parametrize(("signal", "exit_code"), [(Signals.SIGINT, 130), (Signals.SIGTERM, 143)])
def test_cancelled(
    signal: Signals, exit_code: int, serve: Serve, make_step: MakeStep, measured: Callable[[str], None]
) -> None:
    """A signal in the middle of a stalled request ends the gate in good order, with everything written."""
    simulator = serve(scenarios.STALLED_REQUEST)
    with make_step(simulator.url).start() as running:
        wait_until(lambda: len(simulator.requests) >= 2)
        began = time.monotonic()
        running.cancel(signal)
        ended = running.wait()
        took = time.monotonic() - began
    traces = read(ended)
    assert (ended.exit_code, traces.outputs["exit-code"]) == (exit_code, str(exit_code)), ended.log
    assert (traces.outputs["status"], traces.outputs["ready"]) == ("interrupted", "false")
    assert "interrupted" in ended.summary.lower()
    # It did not wait for the request to time out, after which it asks again.
    assert len(simulator.requests) == 2
    measured(f"from {signal.name} to the end of the container: {took:.2f} s")


def test_killed(serve: Serve, make_step: MakeStep) -> None:
    """A gate that is killed leaves outputs that hold the pipeline."""
    simulator = serve(scenarios.ENDLESS)
    with make_step(simulator.url).start() as running:
        wait_until(lambda: len(simulator.requests) >= 1)
        running.kill()
        ended = running.wait()
    outputs = read(ended).outputs
    assert ended.exit_code == 137
    assert (outputs["ready"], outputs["status"]) == ("false", "error")
