"""The script of the composite action, with the single file of a release beside it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest
import scenarios
import yaml
from place import ASID, PATIENCE, serve

from cfgate.simulator import Scenario, Simulator
from tests.support.canary import ACCESS_KEY, SECRET_KEY, found
from tests.support.parsers import file_commands

STEPS: Final = yaml.safe_load(Path("composite/action.yml").read_text("utf-8"))["runs"]["steps"]


@pytest.fixture
def release(tmp_path: Path) -> Path:
    """Lay the action and the single file out as a release commit does, in a folder whose name has a blank."""
    root = tmp_path / "a release"
    shutil.copytree("composite", root / "composite")
    shutil.copy(os.environ["CFGATE_PROOF_FILE"], root)
    return root


def start(release: Path, simulator: Simulator) -> subprocess.Popen[str]:
    """Start the step as the runner does: its line in a file, by bash, with the inputs in its environment."""
    (step,) = [step for step in STEPS if step["id"] == "posix"]
    line = release / "step.sh"
    line.write_text(step["run"])
    inputs = dict.fromkeys(step["env"], "") | {
        "INPUT_IMAGE_VERSION_ID": "9001", "INPUT_ACCOUNT_SERVICE_ID": str(ASID),
        "INPUT_API_URL": simulator.url, "INPUT_MAX_INTERVAL": "1s",
        "INPUT_ACCESS_KEY": ACCESS_KEY, "INPUT_SECRET_KEY": SECRET_KEY,
    }  # fmt: skip
    assert inputs.keys() == step["env"].keys()
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(line)]
    return subprocess.Popen(
        command,
        env={
            "PATH": os.environ["PATH"],
            "GITHUB_ACTIONS": "true",
            "GITHUB_ACTION_PATH": str(release / "composite"),
            "GITHUB_OUTPUT": str(release / "output"),
            "RUNNER_TEMP": str(release / "temporary"),
            **inputs,
        },
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def outputs(release: Path) -> dict[str, str]:
    """Read the outputs as GitHub does."""
    read = file_commands.parse((release / "output").read_bytes())
    assert read.error is None
    return dict(read.values)


@pytest.mark.parametrize(
    ("scenario", "status", "exit_code"), [(scenarios.READY, "ready", 0), (scenarios.FAILED, "failed", 1)]
)
def test_it_ends_as_its_gate_does(release: Path, scenario: Scenario, status: str, exit_code: int) -> None:
    """The exit code of the step is that of the gate, and nothing is installed."""
    with serve(scenario) as simulator:
        step = start(release, simulator)
        log, _ = step.communicate(timeout=PATIENCE)
    assert (step.returncode, outputs(release)["status"]) == (exit_code, status), log
    assert found(outputs(release)["result"]) == []
    assert not (release / "temporary").exists()


@pytest.mark.parametrize(("number", "exit_code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_cancelled(
    release: Path, number: signal.Signals, exit_code: int, measured: Callable[[str], None]
) -> None:
    """A signal to the process that the runner has started ends a stalled request, with everything written."""
    with serve(scenarios.STALLED_REQUEST) as simulator:
        step = start(release, simulator)
        deadline = time.monotonic() + PATIENCE
        while len(simulator.requests) < 2:
            assert step.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.02)
        began = time.monotonic()
        step.send_signal(number)
        log, _ = step.communicate(timeout=PATIENCE)
        took = time.monotonic() - began
    assert step.returncode == exit_code, log
    assert (outputs(release)["status"], outputs(release)["go"]) == ("interrupted", "false")
    assert outputs(release)["exit-code"] == str(exit_code)
    # It did not wait for the request to time out, after which it asks again.
    assert len(simulator.requests) == 2
    measured(f"from {number.name} to the end of the step: {took:.2f} s")
