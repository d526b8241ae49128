"""The start: signals while the program is being loaded, and what is missing to load it."""

from __future__ import annotations

import ast
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


def test_without_its_packages_it_says_what_to_install() -> None:
    """A bare clone ends with one line that names a package and the way to get it, and exit code 2."""
    ran = subprocess.run(
        [sys.executable, "-S", "-m", "cfgate", "check", "9001"],  # -S: nothing that is installed
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ran.returncode, ran.stdout) == (2, "")
    (line,) = ran.stderr.splitlines()
    assert line.startswith("invalid: the Python package ")
    assert "pip install -r requirements/runtime.txt" in line


_OLD_PYTHON = (
    "import runpy, sys; sys.version_info = (3, 10, 9); runpy.run_module('cfgate', run_name='__main__')"
)


def test_an_older_python_is_told_so() -> None:
    """It ends with one line that names the version it needs, and exit code 2."""
    ran = subprocess.run(
        [sys.executable, "-c", _OLD_PYTHON], cwd=ROOT, capture_output=True, text=True, check=False
    )
    told = "cfgate needs Python 3.11 or newer; this is 3.10\n"
    assert (ran.returncode, ran.stdout, ran.stderr) == (2, "", told)


@pytest.mark.parametrize("name", ["__init__.py", "__main__.py"])
def test_an_older_python_can_read_what_tells_it(name: str) -> None:
    """The files that are read first have no syntax that Python 3.6 does not know."""
    ast.parse((ROOT / "cfgate" / name).read_text("utf-8"), feature_version=(3, 6))
