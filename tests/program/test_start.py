"""Signals that come at the worst moment: while the program is still being loaded."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.parsers import file_commands

ROOT = Path(__file__).parents[2]

# Starts the program as `python -m cfgate` does, and sends a signal when it begins to load a module.
_INTERRUPTED_LOADING = """
import importlib.abc, os, sys

module, number = sys.argv[1], int(sys.argv[2])
del sys.argv[1:]

class Interrupting(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name == module:
            sys.meta_path.remove(self)
            os.kill(os.getpid(), number)

sys.meta_path.insert(0, Interrupting())
from cfgate.__main__ import main
sys.exit(main())
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("module", ["cfgate.cli", "cfgate.settings.reading", "cfgate.simulator", "tenacity"])
def test_a_signal_while_the_program_is_loaded_ends_it_in_order(
    module: str, number: signal.Signals, tmp_path: Path
) -> None:
    """The gate is interrupted as at any other time: outputs, reason and exit code, and no traceback."""
    output = tmp_path / "output"
    output.touch()
    ran = subprocess.run(
        [sys.executable, "-c", _INTERRUPTED_LOADING, module, str(int(number))],
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "GITHUB_ACTIONS": "true",
            "GITHUB_OUTPUT": str(output),
            "GITHUB_STEP_SUMMARY": str(tmp_path / "summary"),
            "INPUT_IMAGE-VERSION-ID": "9001",
            "INPUT_REHEARSE": "stuck",
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 128 + number, ran.stdout + ran.stderr
    assert ran.stderr == ""
    outputs = file_commands.parse(output.read_bytes()).values
    assert (outputs["status"], outputs["ready"]) == ("interrupted", "false")
    assert number.name in outputs["reason"]
