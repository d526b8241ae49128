"""However the gate ends in the image, everybody is told the same."""

from __future__ import annotations

import json

import pytest
import scenarios
from conftest import ID, MakeStep, Serve
from traces import read

from cfgate.simulator import Scenario

ENDS: dict[str, tuple[Scenario, dict[str, str], int]] = {
    "ready": (scenarios.READY, {}, 0),
    "failed": (scenarios.FAILED, {}, 1),
    "squashed": (scenarios.SQUASHED, {}, 3),
    "timeout": (scenarios.ENDLESS, {"timeout": "3s"}, 4),
    "stalled": (scenarios.MOTIONLESS, {"stall-timeout": "2s"}, 5),
    "not_found": (scenarios.UNKNOWN_ID, {"not-found-grace": "1s"}, 7),
    "unavailable": (scenarios.BROKEN, {"error-tolerance": "2s"}, 8),
    "inconsistent": (scenarios.OTHER_ID, {"error-tolerance": "2s"}, 9),
    "pending": (scenarios.ENDLESS, {"timeout": "0"}, 10),
}


@pytest.mark.parametrize("status", ENDS)
def test_answered(status: str, serve: Serve, make_step: MakeStep) -> None:
    """Exit code, outputs, summary and annotation agree, and only a completed job is ready."""
    scenario, inputs, exit_code = ENDS[status]
    simulator = serve(scenario)
    ended = make_step(simulator.url, inputs).run()
    traces = read(ended)
    assert (ended.exit_code, traces.outputs["status"]) == (exit_code, status), ended.log
    assert traces.outputs["exit-code"] == str(exit_code)
    assert traces.outputs["ready"] == ("true" if status == "ready" else "false")
    assert traces.outputs["go"] == traces.outputs["ready"]
    assert traces.outputs["reason"] != ""
    assert traces.outputs["rehearsal"] == "false"
    assert traces.outputs["requests"] == str(len(simulator.requests))
    assert json.loads(traces.outputs["result"])["status"] == status
    assert ID in ended.summary
    assert traces.annotations[-1].name == ("notice" if status in ("ready", "pending") else "error")


def test_flaky_api(serve: Serve, make_step: MakeStep) -> None:
    """A busy answer, an HTML page and half an answer are ridden out."""
    ended = make_step(serve(scenarios.FLAKY).url).run()
    outputs = read(ended).outputs
    assert (ended.exit_code, outputs["ready"], outputs["retries"]) == (0, "true", "3"), ended.log


def test_denied(serve: Serve, make_step: MakeStep) -> None:
    """Credentials that the API refuses end the gate at once, and are shown to nobody."""
    simulator = serve(scenarios.READY)
    ended = make_step(simulator.url, environ={"CLANFORGE_SECRET_KEY": "proof-wrong-key"}).run()
    traces = read(ended)
    assert (ended.exit_code, traces.outputs["status"]) == (6, "rejected"), ended.log
    assert len(simulator.requests) == 1
    assert "proof-wrong-key" not in "\n".join(traces.lines)


def test_invalid_settings(serve: Serve, make_step: MakeStep) -> None:
    """Every problem with the settings is told at once, and nothing is sent."""
    simulator = serve(scenarios.READY)
    ended = make_step(simulator.url, {"timeout": "90", "max-interval": "soon"}).run()
    outputs = read(ended).outputs
    assert (ended.exit_code, outputs["status"]) == (2, "invalid"), ended.log
    assert "input `timeout`" in outputs["reason"]
    assert "input `max-interval`" in outputs["reason"]
    assert simulator.requests == ()


def test_nobody_listens(make_step: MakeStep) -> None:
    """An API that cannot be reached lets nothing through."""
    ended = make_step("http://127.0.0.1:9", {"error-tolerance": "2s"}).run()
    assert (ended.exit_code, read(ended).outputs["status"]) == (8, "unavailable"), ended.log


def test_rehearsal(make_step: MakeStep) -> None:
    """A rehearsal needs no API, and is marked as one."""
    ended = make_step(
        "", {"rehearse": "failed"}, {"CLANFORGE_ACCESS_KEY": "", "CLANFORGE_SECRET_KEY": ""}
    ).run()
    outputs = read(ended).outputs
    assert (ended.exit_code, outputs["status"], outputs["rehearsal"]) == (1, "failed", "true"), ended.log
