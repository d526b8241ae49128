"""The start: signals while the program is loaded, what is missing for that, and what is written first."""

from __future__ import annotations

import ast
import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from cfgate.simulator import Simulator, parse
from tests.support import posix
from tests.support.canary import KEYS
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
from tests.support import posix
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


def test_an_interrupt_before_signals_are_listened_for_is_no_traceback() -> None:
    """Ctrl-C while the first modules are being loaded ends the program as any program, and in silence."""
    ran = subprocess.run(
        [sys.executable, "-c", _INTERRUPTED_LOADING, "cfgate.system.signals", str(int(signal.SIGINT))],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ran.returncode, ran.stdout, ran.stderr) == (-signal.SIGINT, "", "")


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


def started(environ: dict[str, str], *arguments: str, code: str = "") -> subprocess.Popen[str]:
    """Start the program, or code that does, in an environment that has nothing else."""
    command = [sys.executable, *(["-c", code] if code else ["-m", "cfgate"]), *arguments]
    return subprocess.Popen(
        command,
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **environ},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.mark.parametrize("rehearse", ["stuck", ""])
def test_a_gate_that_was_killed_says_what_it_was_about(rehearse: str, tmp_path: Path) -> None:
    """What is written first has the id, and whether it was a rehearsal: nobody can add them later."""
    output, report = tmp_path / "output", tmp_path / "result.json"
    environ = {"GITHUB_OUTPUT": str(output), "CFGATE_RESULT_FILE": str(report)}
    stuck = parse("life: [{state: Running}]")
    with Simulator(stuck) as simulator:
        argv = ["9001", *(["--rehearse", rehearse] if rehearse else ["--api-url", simulator.url])]
        process = started({**environ, **KEYS, "CFGATE_ACCOUNT_SERVICE_ID": "1"}, *argv)
        while not report.exists() and process.poll() is None:
            time.sleep(0.01)
        process.kill()
        process.communicate()
    rehearsal = str(bool(rehearse)).lower()
    told = {"status": "error", "ready": "false", "image-version-id": "9001", "rehearsal": rehearsal}
    outputs = file_commands.parse(output.read_bytes()).values
    assert {name: outputs[name] for name in told} == told
    facts = json.loads(report.read_text())
    assert (facts["image-version-id"], facts["rehearsal"], facts["ready"]) == (9001, bool(rehearse), False)


def test_an_invalid_gate_says_what_it_was_about(tmp_path: Path) -> None:
    """So do the outputs of a gate whose settings are wrong."""
    output = tmp_path / "output"
    process = started({"GITHUB_OUTPUT": str(output)}, "9001", "--rehearse", "ready", "--timeout", "90")
    process.communicate(timeout=60)
    assert process.returncode == 2
    outputs = file_commands.parse(output.read_bytes()).values
    assert (outputs["status"], outputs["image-version-id"], outputs["rehearsal"]) == (
        "invalid",
        "9001",
        "true",
    )


ODD = {
    "TQDM_MININTERVAL": "abc",
    "TQDM_NCOLS": "wide",
    "TERM": "no-such-terminal",
    "COLUMNS": "many",
    "LINES": "-1",
    "PYTHONIOENCODING": "ascii:strict",
    "LC_ALL": "xx_XX.UTF-77",
    "NO_COLOR": "\x1b",
}


@pytest.mark.parametrize("variable", ODD)
def test_nothing_in_the_environment_comes_before_the_first_write(variable: str, tmp_path: Path) -> None:
    """In a terminal, where most of it matters, an earlier green is overwritten, and the gate works."""
    report = tmp_path / "result.json"
    report.write_text('{"ready":true}')
    ours, theirs = posix.open_terminal()
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "cfgate",
            "check",
            "9001",
            "--rehearse",
            "stuck",
            "--result-file",
            str(report),
        ],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "TERM": "xterm", variable: ODD[variable]},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    reading = threading.Thread(target=read_all, args=(ours,))
    reading.start()
    code = process.wait(timeout=60)
    reading.join()
    os.close(ours)
    assert code == 10
    assert json.loads(report.read_text())["status"] == "pending"


def read_all(terminal: int) -> None:
    """Watch a terminal until the last program has left it."""
    with contextlib.suppress(OSError):
        while os.read(terminal, 1 << 16):
            pass


def test_a_bug_in_the_reading_of_settings_leaves_outputs(tmp_path: Path) -> None:
    """Nobody knows yet where reports go, but the host's own files say that nothing is ready."""
    output = tmp_path / "output"
    code = (
        "import cfgate.cli\n"
        "def read(*_, **__): raise KeyError('theSecret')\n"
        "cfgate.cli.read = read\nraise SystemExit(cfgate.cli.main([]))"
    )
    process = started({"GITHUB_OUTPUT": str(output)}, code=code)
    log, _ = process.communicate(timeout=60)
    assert process.returncode == 70
    outputs = file_commands.parse(output.read_bytes()).values
    assert (outputs["status"], outputs["ready"]) == ("error", "false")
    assert outputs["reason"].startswith("KeyError in cli.py, line ")
    assert "theSecret" not in log + outputs["reason"]


# Threads that wake up all the time, as one whose connection has just been cut, and no descriptor left.
_NO_DESCRIPTOR = """
import os, resource, threading, time
import cfgate.cli, cfgate.settings.arguments, cfgate.hosts.github
from cfgate.__main__ import main

def wake():
    while True:
        time.sleep(0.0005)

for _ in range(8):
    threading.Thread(target=wake, daemon=True).start()
free = os.open(os.devnull, os.O_RDONLY)
os.close(free)
resource.setrlimit(resource.RLIMIT_NOFILE, (free, free))
raise SystemExit(main())
"""


@posix.only("Windows has no such limit")
def test_threads_that_are_left_over_do_not_take_the_exit_code_away() -> None:
    """Python is not left to end them: glibc would load a library for that, and abort where it cannot."""
    process = started({}, "9001", code=_NO_DESCRIPTOR)
    log, _ = process.communicate(timeout=60)
    assert (process.returncode, log.splitlines()) == (70, [log.strip()])
    assert log.startswith("error: too many open files.")


# As nobody, for root has all the threads that it wants; what only root may read is loaded before.
_NO_THREADS = """
import os, resource
import cfgate.cli, cfgate.session, cfgate.settings.arguments, cfgate.hosts.github, cfgate.rehearsal
import cfgate.client.client, encodings.idna
if os.geteuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
raise SystemExit(cfgate.cli.main(["9001"]))
"""


def test_too_few_threads_are_no_bug(tmp_path: Path) -> None:
    """The limit has its name, and the outputs are written without threads."""
    output = tmp_path / "output"
    output.touch()
    for path in (output, tmp_path, *tmp_path.parents):
        if path != Path("/") and path.stat().st_uid == posix.user():
            path.chmod(path.stat().st_mode | (0o066 if path == output else 0o055))
    environ = {"GITHUB_OUTPUT": str(output), **KEYS, "CFGATE_ACCOUNT_SERVICE_ID": "1"}
    process = started({**environ, "CFGATE_API_URL": "http://127.0.0.1:9"}, code=_NO_THREADS)
    log, _ = process.communicate(timeout=60)
    outputs = file_commands.parse(output.read_bytes()).values
    assert outputs["reason"] == "this machine lets the job have no more threads", log
    assert process.returncode == 70
    assert "bug" not in log


def test_the_password_of_a_proxy_is_masked_wherever_it_is_quoted(tmp_path: Path) -> None:
    """An API behind whatever proxy may quote it, as it was written or as it was sent."""
    quoted = "corp-joe, p%40ss+w0rd and p@ss+w0rd"
    script = "life: [{state: Failed, joberror: '" + quoted + "'}]"
    reports = {
        f"CFGATE_{name.upper()}_FILE": str(tmp_path / name)
        for name in ("result", "junit", "dotenv", "summary", "annotations")
    }
    host = {"GITHUB_OUTPUT": str(tmp_path / "output"), "GITHUB_STEP_SUMMARY": str(tmp_path / "page")}
    with Simulator(parse(script)) as simulator:
        process = started(
            {
                **KEYS,
                **reports,
                **host,
                "CFGATE_ACCOUNT_SERVICE_ID": "1",
                "CFGATE_API_URL": simulator.url,
                "all_proxy": "http://corp-joe:p%40ss+w0rd@proxy.example.com:3128",
            },
            "9001",
        )
        log, _ = process.communicate(timeout=60)
    assert process.returncode == 1, log
    for name, text in {"log": log, **{path.name: path.read_text() for path in tmp_path.iterdir()}}.items():
        assert not [word for word in ("corp-joe", "p%40ss", "p@ss", "w0rd") if word in text], name
