"""The composite action: what it declares, what it hands over, and its script, run as a runner runs it."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from cfgate.report.outputs import NAMES
from cfgate.settings.options import OPTIONS
from cfgate.settings.reading import read
from cfgate.settings.values import Run
from tests.support import posix
from tests.support.parsers import file_commands

ROOT = Path(__file__).parents[2]
ACTION: dict[str, Any] = yaml.safe_load((ROOT / "composite" / "action.yml").read_text("utf-8"))
DOCKER: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
STEPS: dict[str, dict[str, Any]] = {step["id"]: step for step in ACTION["runs"]["steps"]}
# A stand-in for cfgate.pyz: what it was started with.
SPY = """
import json, os, signal, sys, time
facts = {"pid": os.getpid(), "utf8": sys.flags.utf8_mode, "argv": sys.argv[1:], "environ": dict(os.environ),
         "no user site": sys.flags.no_user_site, "ignores": sys.flags.ignore_environment,
         "exe": sys.executable}
print(json.dumps(facts), flush=True)
if "SPY_WAITS" in os.environ:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    print("listening", flush=True)
    time.sleep(60)
sys.exit(7)
"""


def test_it_declares_what_the_docker_action_does() -> None:
    """The same inputs, but for the Python, and the same outputs, each from whichever step has run."""
    assert ACTION["inputs"].keys() - {"python"} == DOCKER["inputs"].keys()
    assert {name: ACTION["inputs"][name] for name in DOCKER["inputs"]} == DOCKER["inputs"]
    assert list(ACTION["outputs"]) == list(NAMES)
    for name, output in ACTION["outputs"].items():
        assert output["value"] == f"${{{{ steps.posix.outputs.{name} || steps.windows.outputs.{name} }}}}"
        assert output["description"] == DOCKER["outputs"][name]["description"]


@pytest.mark.parametrize("step", STEPS)
def test_every_input_is_handed_over_under_the_name_that_is_read(step: str) -> None:
    """The runner sets no `INPUT_…` in a composite action: each is written out, and read as that option."""
    environ = STEPS[step]["env"]
    expected = {option.input_variables[1]: f"${{{{ inputs.{option.name} }}}}" for option in OPTIONS}
    assert environ == {"PYTHON": "${{ inputs.python }}", **expected}
    rehearsal = {"INPUT_IMAGE_VERSION_ID": "9001", "INPUT_REHEARSE": "ready", "INPUT_TIMEOUT": "7m"}
    assert rehearsal.keys() <= environ.keys()
    request = read([], dict.fromkeys(environ, "") | rehearsal)
    assert isinstance(request, Run)
    assert [plan.timeout for plan in request.settings.plans] == [420.0]


def test_no_expression_is_in_a_script() -> None:
    """What an input says reaches a script as a variable, never as a part of it."""
    assert {name: step["shell"] for name, step in STEPS.items()} == {"posix": "bash", "windows": "powershell"}
    assert all("${{" not in step["run"] for step in STEPS.values())
    for script in ("run.sh", "run.ps1"):
        text = (ROOT / "composite" / script).read_text(
            "ascii"
        )  # Windows PowerShell reads no UTF-8 without a BOM
        assert "${{" not in text
        assert "INPUT_" not in text


def test_both_scripts_say_the_same() -> None:
    """Each refusal of one is one of the other, and both start the program the same way."""
    shell, powershell = ((ROOT / "composite" / name).read_text() for name in ("run.sh", "run.ps1"))
    refusals = [
        [
            text.partition(" (a stub")[0].partition(":")[0].replace(", and neither", " and neither")[:60]
            for text in found
        ]
        for found in (
            re.findall(r"refuse\s+'([^']+)'", shell),
            re.findall(r"Stop-Invalid '([^']+)'", powershell),
        )
    ]
    assert refusals[0] == refusals[1]
    assert len(refusals[0]) == 4
    for script in (shell, powershell):
        assert "-X utf8 -E -s" in script
        assert "--only-binary :all:" in script
        assert "--require-hashes" in script


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Make a repository with the action and a single file, in a folder whose name has a blank."""
    root = tmp_path / "a place"
    (root / "composite").mkdir(parents=True)
    shutil.copy(ROOT / "composite" / "run.sh", root / "composite")
    (root / "cfgate.pyz").write_text(SPY)
    return root


def start(place: Path, **environ: str) -> subprocess.Popen[str]:
    """Start the step as the runner does: its line in a file, by bash."""
    line = place / "step.sh"
    line.write_text(STEPS["posix"]["run"])
    return subprocess.Popen(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", line],
        env={
            "PATH": os.environ["PATH"],
            "GITHUB_ACTION_PATH": str(place / "composite"),
            "GITHUB_OUTPUT": str(place / "output"),
            "RUNNER_TEMP": str(place / "temp"),
            **environ,
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def run(place: Path, **environ: str) -> tuple[int, str]:
    """Run the step to its end; return its exit code and what it printed."""
    process = start(place, **environ)
    printed, _ = process.communicate(timeout=60)
    return process.returncode, printed


def fake(place: Path, name: str, script: str) -> None:
    """Put a command in front of all others."""
    (place / "bin").mkdir(exist_ok=True)
    path = place / "bin" / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


only_posix = posix.only("it runs bash")


@only_posix
@pytest.mark.process
def test_the_program_takes_the_place_of_the_shell(place: Path) -> None:
    """Its exit code is the step's, its process too; it is in UTF-8 mode, and sees no packages of others."""
    process = start(place, PYTHONPATH="/nowhere", LC_ALL="C", INPUT_DETAILS_URL='"; exit 0 #$(id)`id`')
    printed, _ = process.communicate(timeout=60)
    facts = json.loads(printed)
    assert process.returncode == 7
    assert (facts["pid"], facts["argv"]) == (process.pid, [])
    assert (facts["utf8"], facts["no user site"], facts["ignores"]) == (1, 1, 1)
    assert facts["environ"]["INPUT_DETAILS_URL"] == '"; exit 0 #$(id)`id`'


@only_posix
@pytest.mark.process
def test_a_signal_reaches_the_program(place: Path) -> None:
    """The runner knows only the process that it has started."""
    process = start(place, SPY_WAITS="1")
    assert process.stdout is not None
    while process.stdout.readline() != "listening\n":
        assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=10)
    assert process.returncode == 143


@only_posix
@pytest.mark.process
def test_a_python_that_is_none_is_passed_over(place: Path) -> None:
    """A stub that only gives advice, as that of a store, is no Python; an old one is not new enough."""
    fake(place, "python3", "echo 'Python was not found; run without arguments to install' >&2; exit 49")
    fake(place, "python", f'exec {sys.executable} "$@"')
    code, printed = run(place, PATH=f"{place}/bin:{os.environ['PATH']}")
    assert code == 7
    assert Path(json.loads(printed)["exe"]).resolve() == Path(sys.executable).resolve()


@only_posix
@pytest.mark.process
@pytest.mark.parametrize("named", ["", "/nowhere/python", "python3"])
def test_without_a_python_the_step_is_refused(place: Path, named: str) -> None:
    """With a sentence and outputs that are not green, whatever a step before has left there."""
    for name in ("python3", "python"):
        fake(place, name, "exit 1")
    (place / "output").write_text("ready=true\n")
    code, printed = run(place, PATH=f"{place}/bin:{os.environ['PATH']}", PYTHON=named)
    assert code == 2
    assert printed.startswith("::error title=cfgate: invalid::")
    assert "Python 3.11 or newer" in printed
    outputs = file_commands.parse((place / "output").read_bytes())
    assert outputs == file_commands.Outputs(
        {"ready": "false", "go": "false", "status": "invalid", "exit-code": "2"}
    )


@only_posix
@pytest.mark.process
def test_a_python_can_be_named(place: Path) -> None:
    """By its path, with blanks in it, whatever else is there."""
    fake(place, "my python", f'exec {sys.executable} "$@"')
    for name in ("python3", "python"):
        fake(place, name, "exit 1")
    code, _ = run(place, PATH=f"{place}/bin:{os.environ['PATH']}", PYTHON=f"{place}/bin/my python")
    assert code == 7


@only_posix
@pytest.mark.process
def test_without_a_single_file_the_locked_requirements_are_installed_once(place: Path) -> None:
    """From a checkout: into RUNNER_TEMP, by their hashes; a second gate of the job finds them there."""
    (place / "cfgate.pyz").rename(place / "entrypoint.py")
    (place / "requirements").mkdir()
    (place / "requirements" / "runtime.txt").write_text("# none\n")
    code, printed = run(place)
    environment = place / "temp" / "cfgate-python"
    assert code == 7, printed
    assert json.loads(printed.splitlines()[-1])["exe"] == str(environment / "bin" / "python")
    before = (environment / "pyvenv.cfg").stat().st_mtime_ns
    assert run(place)[0] == 7
    assert (environment / "pyvenv.cfg").stat().st_mtime_ns == before
    (place / "requirements" / "runtime.txt").write_text("requests==2.32.4 --hash=sha256:" + "0" * 64 + "\n")
    code, printed = run(place, PIP_NO_INDEX="1")
    assert code == 2
    assert "the locked requirements could not be installed" in printed
