"""The composite action: what it declares, what it hands over, and its script, run as a runner runs it."""

from __future__ import annotations

import json
import os
import re
import runpy
import shutil
import signal
import socket
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
PREFIX = "::error title=cfgate: invalid::"
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
    assert len(refusals[0]) == 2
    for script in (shell, powershell):
        assert "-X utf8 -E -s" in script
        assert "-I -X utf8" in script
        assert "-I -c" in script


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Make a repository with the action and a single file, in a folder whose name has a blank."""
    root = tmp_path / "a place"
    (root / "composite").mkdir(parents=True)
    for name in ("run.sh", "checkout.py"):
        shutil.copy(ROOT / "composite" / name, root / "composite")
    (root / "cfgate.pyz").write_text(SPY)
    return root


def start(place: Path, workspace: Path | None = None, **environ: str) -> subprocess.Popen[str]:
    """Start the step as the runner does: its line in a file, by bash, in the workspace."""
    line = place / "step.sh"
    line.write_text(STEPS["posix"]["run"])
    return subprocess.Popen(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", line],
        cwd=workspace,
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


def run(place: Path, workspace: Path | None = None, **environ: str) -> tuple[int, str]:
    """Run the step to its end; return its exit code and what it printed."""
    process = start(place, workspace, **environ)
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
@pytest.mark.parametrize("named", ["", "/nowhere/python", "python3", "true", "cat"])
def test_without_a_python_the_step_is_refused(place: Path, named: str) -> None:
    """With a sentence and outputs that are not green, whatever a step before has left there."""
    for name in ("python3", "python"):
        fake(place, name, "exit 1")
    (place / "output").write_text("ready=true\n")
    code, printed = run(place, PATH=f"{place}/bin:{os.environ['PATH']}", PYTHON=named)
    assert code == 2
    assert printed.startswith(PREFIX)
    assert "Python 3.11 or newer" in printed
    outputs = file_commands.parse((place / "output").read_bytes())
    told = {"ready": "false", "go": "false", "status": "invalid", "exit-code": "2"}
    assert outputs == file_commands.Outputs({**told, "reason": printed.strip().removeprefix(PREFIX)})


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
@pytest.mark.parametrize("variable", ["PYTHONHOME", "PYTHONINSPECT", "PYTHONPATH"])
def test_the_variables_of_others_decide_nothing(place: Path, variable: str) -> None:
    """A Python is found whatever they say, and nothing that they lead to is run."""
    poison = place / "poison"
    poison.mkdir()
    (poison / "sitecustomize.py").write_text("print('poisoned')\n")
    code, printed = run(place, None, **{variable: str(poison)})
    assert code == 7
    assert "poisoned" not in printed


@only_posix
@pytest.mark.process
@pytest.mark.parametrize("place_of_outputs", ["/dev/full", "/nowhere/output", "/"])
def test_outputs_that_cannot_be_written_change_no_exit_code(place: Path, place_of_outputs: str) -> None:
    """A step that is refused ends with 2, and not as one whose job has failed."""
    code, printed = run(place, PYTHON="/nowhere/python", GITHUB_OUTPUT=place_of_outputs)
    assert (code, printed.count("\n")) == (2, 1)


@pytest.fixture
def checkout(place: Path) -> Path:
    """Make a repository without a single file, and with requirements that are none."""
    (place / "cfgate.pyz").rename(place / "entrypoint.py")
    (place / "requirements").mkdir()
    (place / "requirements" / "runtime.txt").write_text("# none\n")
    return place


def environments(place: Path) -> list[Path]:
    """List the virtual environments that were made."""
    return list((place / "temp").glob("cfgate-python-*"))


@only_posix
@pytest.mark.process
def test_without_a_single_file_the_locked_requirements_are_installed_once(checkout: Path) -> None:
    """From a checkout: into RUNNER_TEMP, by their hashes; a second gate of the job finds them there."""
    code, printed = run(checkout)
    assert code == 7, printed
    (environment,) = environments(checkout)
    assert json.loads(printed.splitlines()[-1])["exe"] == str(environment / "bin" / "python")
    before = (environment / "pyvenv.cfg").stat().st_mtime_ns
    assert run(checkout)[0] == 7
    assert (environment / "pyvenv.cfg").stat().st_mtime_ns == before
    (environment / "bin" / "python").unlink()
    (environment / "bin" / "python").symlink_to("/nowhere/python")
    assert run(checkout)[0] == 7
    (checkout / "requirements" / "runtime.txt").write_text(f"requests==2.32.4 --hash=sha256:{'0' * 64}\n")
    code, printed = run(checkout, PIP_NO_INDEX="1")
    assert code == 2
    assert f"{PREFIX}no virtual environment with the locked requirements can be made: pip says" in printed


@only_posix
@pytest.mark.process
def test_nothing_of_the_workspace_is_run(checkout: Path) -> None:
    """Where the step runs lies what anybody has proposed: nothing of it is imported."""
    workspace = checkout / "workspace"
    (workspace / "venv").mkdir(parents=True)
    spy = "import os; open({!r}, 'a').write(__file__ + ' ' + os.environ.get('INPUT_SECRET_KEY', '-'))"
    modules = ("venv/__init__", "venv/__main__", "tempfile", "types", "logging", "sitecustomize")
    for module in modules:
        (workspace / f"{module}.py").write_text(spy.format(str(checkout / "stolen")))
    code, printed = run(checkout, workspace, INPUT_SECRET_KEY="known", PYTHONPATH=str(workspace))
    assert code == 7, printed
    assert not (checkout / "stolen").exists()


@pytest.mark.process
def test_what_installs_knows_no_setting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The programs that make the environment are handed no variable with a setting, and none for Python."""
    for name in ("INPUT_SECRET_KEY", "CLANFORGE_TOKEN", "CFGATE_TOKEN", "PYTHONSTARTUP"):
        monkeypatch.setenv(name, "known")
    monkeypatch.setenv("PIP_CERT", "wanted")
    ran = runpy.run_path(str(ROOT / "composite" / "checkout.py"))
    seen = tmp_path / "seen"
    code = f"import os; open({str(seen)!r}, 'w').write(' '.join(os.environ.values()))"
    ran["run"]("it failed", sys.executable, "-I", "-c", code)
    assert "wanted" in seen.read_text().split()
    assert "known" not in seen.read_text().split()


@only_posix
@pytest.mark.process
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_while_it_installs_leaves_outputs_and_no_process(
    checkout: Path, number: signal.Signals
) -> None:
    """The step ends at once, says so, and ends pip, which waits for an index that never answers."""
    (checkout / "requirements" / "runtime.txt").write_text(f"requests==2.32.4 --hash=sha256:{'0' * 64}\n")
    with socket.create_server(("127.0.0.1", 0)) as index:
        url = f"http://127.0.0.1:{index.getsockname()[1]}/simple"
        process = start(checkout, PIP_INDEX_URL=url, PIP_RETRIES="0", NO_PROXY="*")
        index.settimeout(60)
        connection, _ = index.accept()
        with connection:
            assert connection.recv(1)
            process.send_signal(number)
            printed, _ = process.communicate(timeout=60)
            connection.settimeout(60)
            while connection.recv(1 << 16):
                pass  # until pip is gone
    assert process.returncode == 128 + number, printed
    outputs = file_commands.parse((checkout / "output").read_bytes()).values
    assert (outputs["status"], outputs["go"]) == ("interrupted", "false")
    assert outputs["exit-code"] == str(128 + number)
    assert f"stopped by {number.name}" in outputs["reason"]
