"""The whole program, as a user starts it: a process of its own, against a simulator over real HTTP."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue

import pytest

from cfgate import __version__, cli
from cfgate.model import GateStatus
from cfgate.simulator import Simulator, load
from cfgate.simulator import parse as scenario
from tests.support import canary, posix
from tests.support.canary import KEYS
from tests.support.parsers import file_commands

ROOT = Path(__file__).parents[1]
pytestmark = pytest.mark.process
ASID = 100042
# On Windows `kill` ends a process with an exit code of its own.
KILLED = -posix.KILL if sys.platform != "win32" else 1


@dataclass(frozen=True)
class Ran:
    """What a process left behind."""

    code: int
    stdout: str
    stderr: str
    outputs: dict[str, str]
    summary: str

    @property
    def lines(self) -> list[str]:
        return self.stdout.splitlines()


class Github:
    """A stand-in for the step of a GitHub job: its environment, and the files that it reads afterwards."""

    def __init__(self, folder: Path) -> None:
        self._output = folder / "output"
        self._summary = folder / "summary"
        self._output.touch()
        self._summary.touch()
        self.environ = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "GITHUB_ACTIONS": "true",
            "CI": "true",
            "GITHUB_OUTPUT": str(self._output),
            "GITHUB_STEP_SUMMARY": str(self._summary),
        }

    def start(self, simulator: Simulator | None = None, **inputs: str) -> subprocess.Popen[str]:
        """Start the action with these inputs, by the names that the runner gives them."""
        given = {"image-version-id": "9001", "account-service-id": str(ASID), "max-interval": "1s"}
        given |= {name.replace("_", "-"): value for name, value in inputs.items()}
        if simulator is not None:
            given["api-url"] = simulator.url
        environ = self.environ | KEYS | {f"INPUT_{name.upper()}": value for name, value in given.items()}
        return subprocess.Popen(
            [sys.executable, str(ROOT / "entrypoint.py")],
            env=environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def begun(self) -> bool:
        """Tell whether the action has come so far that its first outputs are written."""
        return self._output.stat().st_size > 0

    def run(self, simulator: Simulator | None = None, **inputs: str) -> Ran:
        """Run the action to its end."""
        return self.finish(self.start(simulator, **inputs))

    def finish(self, process: subprocess.Popen[str]) -> Ran:
        """Wait for a started action."""
        stdout, stderr = process.communicate(timeout=60)
        outputs = file_commands.parse(self._output.read_bytes())
        assert outputs.error is None
        return Ran(process.returncode, stdout, stderr, outputs.values, self._summary.read_text())

    @property
    def outputs(self) -> dict[str, str]:
        """The outputs as they stand."""
        return file_commands.parse(self._output.read_bytes()).values


@pytest.fixture
def github(tmp_path: Path) -> Github:
    """Give a step of a GitHub job."""
    return Github(tmp_path)


def playing(name: str, speed: float = 10.0) -> Simulator:
    """Make a simulator that lets only our canary credentials in."""
    return Simulator(
        load(name),
        access_key=KEYS["CLANFORGE_ACCESS_KEY"],
        secret_key=KEYS["CLANFORGE_SECRET_KEY"],
        account_service_id=ASID,
        speed=speed,
    )


ENDINGS = [
    ("ready", {}, GateStatus.READY, "ready: image version 9001 after"),
    ("retried", {}, GateStatus.READY, "ready: image version 9001 after"),
    ("failed", {}, GateStatus.FAILED, "create a new image version"),
    ("hostile", {}, GateStatus.FAILED, "create a new image version"),
    ("squashed", {}, GateStatus.SQUASHED, "wait for that."),
    ("stuck", {"timeout": "2s"}, GateStatus.TIMEOUT, "more time with `timeout`"),
    ("stuck", {"stall_timeout": "2s"}, GateStatus.STALLED, "retried there"),
    ("stuck", {"timeout": "0"}, GateStatus.PENDING, "Look again later"),
    ("denied", {}, GateStatus.REJECTED, "Check the credentials"),
    ("missing", {"not_found_grace": "0"}, GateStatus.NOT_FOUND, "is the id of what `resource` says"),
    ("doubtful", {"error_tolerance": "1s"}, GateStatus.INCONSISTENT, "do not deploy"),
]


@pytest.mark.parametrize(("name", "inputs", "status", "advice"), ENDINGS, ids=lambda value: str(value)[:20])
def test_every_ending_has_its_code_its_outputs_its_summary_and_its_last_lines(
    name: str, inputs: Mapping[str, str], status: GateStatus, advice: str, github: Github
) -> None:
    """Whatever becomes of a job, code, outputs, summary and the last three lines agree on it."""
    with playing(name) as simulator:
        ran = github.run(simulator, **inputs)
    assert ran.code == status.exit_code, ran.stdout
    assert ran.outputs["status"] == status.label
    assert ran.outputs["ready"] == ("true" if status is GateStatus.READY else "false")
    assert ran.outputs["exit-code"] == str(status.exit_code)
    assert ran.outputs["image-version-id"] == "9001"
    assert json.loads(ran.outputs["result"])["status"] == status.label
    assert ran.outputs["reason"]
    assert status.label.replace("_", " ") in ran.summary.lower().replace("_", " ")
    assert advice in "\n".join(ran.lines[-3:])
    assert ran.stderr == ""
    assert "Traceback" not in ran.stdout


def test_credentials_that_are_inputs_are_masked_and_shown_nowhere_else(github: Github) -> None:
    """As an action, cfgate asks the runner to mask its credentials before it prints anything else of them."""
    with playing("failed") as simulator:
        keys = {"access_key": KEYS["CLANFORGE_ACCESS_KEY"], "secret_key": KEYS["CLANFORGE_SECRET_KEY"]}
        ran = github.run(simulator, **keys)
    assert ran.code == 1
    masks = [f"::add-mask::{secret}" for secret in KEYS.values()]
    assert [line for line in ran.lines if line.startswith("::add-mask::")] == masks
    everything = "\n".join(line for line in ran.lines if line not in masks) + ran.stderr + ran.summary
    assert not canary.found(everything + "".join(ran.outputs.values()))


def test_a_flaky_api_is_ridden_out(github: Github) -> None:
    """A 502, three 503, a 429, a reset, an HTML page and a 404 cost time, and two lines a bad patch."""
    with playing("flaky") as simulator:
        ran = github.run(simulator, poll_interval="1s")
    assert ran.code == 0, ran.stdout
    assert ran.outputs["status"] == "ready"
    assert int(ran.outputs["retries"]) >= 8
    assert 0 < ran.stdout.count("asking again in") <= int(ran.outputs["retries"])
    assert ran.stdout.count("answers come again after") == ran.stdout.count("asking again in")


def test_wrong_credentials_are_told_at_once(github: Github) -> None:
    """A refusal ends the gate with the first answer."""
    with Simulator(load("ready"), access_key="other", secret_key="other") as simulator:
        ran = github.run(simulator)
        assert len(simulator.requests) == 1
    assert ran.code == 6
    assert "credentials" in ran.lines[-1]


def test_a_server_that_is_gone_is_told(github: Github) -> None:
    """When nobody listens at the address, the gate says so after its patience."""
    with playing("ready") as simulator:
        gone = simulator.url
    ran = github.run(None, api_url=gone, error_tolerance="1s")
    assert ran.code == 8
    assert "refused" in ran.outputs["reason"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("name", ["stuck", "stalled"])
def test_a_signal_leaves_everything_written(name: str, number: signal.Signals, github: Github) -> None:
    """A cancelled gate writes outputs, summary and reason at once, even during a stalled request."""
    stalled = scenario("life: [{state: Running}]\nfaults: [{requests: 1, connection: stall in headers}]")
    with Simulator(stalled) if name == "stalled" else playing("stuck") as simulator:
        process = github.start(simulator, request_timeout="50s")
        _until(lambda: bool(simulator.requests))
        time.sleep(0.5)  # into the pause, or into the stalled answer
        process.send_signal(number)
        before = time.monotonic()
        ran = github.finish(process)
    assert ran.code == 128 + number
    # Not a measure of speed: the runner gives 7.5 s, the stalled request alone would take 50.
    assert time.monotonic() - before < 7
    assert ran.outputs["status"] == "interrupted"
    assert ran.outputs["ready"] == "false"
    assert number.name in ran.outputs["reason"]
    assert "interrupted" in ran.summary.lower()
    assert "Run the gate again" in ran.lines[-1]


def test_a_killed_gate_leaves_no_green_behind(github: Github) -> None:
    """SIGKILL leaves the fail-closed verdict that was written first."""
    with playing("stuck") as simulator:
        process = github.start(simulator)
        _until(lambda: bool(simulator.requests))
        process.kill()
        ran = github.finish(process)
    assert ran.code == KILLED
    assert (ran.outputs["ready"], ran.outputs["status"]) == ("false", "error")


def test_a_wrong_configuration_sends_nothing_and_tells_every_problem(github: Github) -> None:
    """All problems are told at once, each with its source; no request is sent; everything is written."""
    with playing("ready") as simulator:
        ran = github.run(simulator, timeout="45", fail_fast="yes", image_version_id="nine")
        assert simulator.requests == ()
    assert ran.code == 2
    assert ran.outputs["status"] == "invalid"
    for name in ("timeout", "fail-fast", "image-version-id"):
        assert f"input `{name}`" in ran.outputs["reason"]
        assert f"input `{name}`" in ran.stdout
    assert "invalid" in ran.summary.lower()


def test_a_report_that_cannot_be_written_is_told_before_anything_is_sent(
    github: Github, tmp_path: Path
) -> None:
    """A named file that cannot be written is a wrong setting, not a surprise after an hour."""
    (tmp_path / "file").touch()
    with playing("ready") as simulator:
        ran = github.run(simulator, junit_file=str(tmp_path / "file" / "junit.xml"))
        assert simulator.requests == ()
    assert ran.code == 2
    assert "junit-file" in ran.outputs["reason"]


def test_all_report_files_are_written(github: Github, tmp_path: Path) -> None:
    """JSON, JUnit, dotenv and Markdown come out side by side, into folders that are made."""
    files = {name: tmp_path / "reports" / name for name in ("result", "junit", "dotenv", "summary")}
    with playing("ready") as simulator:
        ran = github.run(simulator, **{f"{name}_file": str(path) for name, path in files.items()})
    assert ran.code == 0
    assert json.loads(files["result"].read_text())["ready"] is True
    assert "<testcase" in files["junit"].read_text()
    assert "CFGATE_READY=true\n" in files["dotenv"].read_text()
    assert files["summary"].read_text() == ran.summary
    assert sorted(path.name for path in (tmp_path / "reports").iterdir()) == sorted(files)


def asking(simulator: Simulator, *words: str) -> list[str]:
    """Make a command line that asks this simulator."""
    place = ("--account-service-id", str(ASID), "--api-url", simulator.url, "--max-interval", "1s")
    return [*words, *place]


def command(*words: str, environ: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run cfgate on a command line, outside of any CI."""
    clean = {"PATH": os.environ["PATH"], **(environ or {})}
    return subprocess.run(
        [sys.executable, "-m", "cfgate", *words],
        cwd=ROOT,
        env=clean,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_json_has_stdout_for_itself() -> None:
    """With `result-file -` stdout is one JSON document, and the log is on stderr."""
    with playing("ready") as simulator:
        ran = command(*asking(simulator, "9001", "--result-file", "-"), environ=KEYS)
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout)["status"] == "ready"
    assert "ready: image version 9001" in ran.stderr


def test_check_looks_once() -> None:
    """`cfgate check` sends one request and tells a pending job by its exit code."""
    with playing("stuck") as simulator:
        ran = command(*asking(simulator, "check", "9001"), environ=KEYS)
        assert len(simulator.requests) == 1
    assert ran.returncode == 10
    assert ran.stdout.splitlines()[-2].startswith("pending after")


def test_several_versions_are_followed_at_once() -> None:
    """Every line says which version it is about, and one exit code speaks for all."""
    with playing("ready") as simulator:
        ran = command(*asking(simulator, "wait", "9001", "9002"), environ=KEYS)
    assert ran.returncode == 0
    assert ran.stdout.splitlines()[-1].startswith("ready: all 2 image versions after")
    assert re.search(r"0:\d\d  image version 9002  Completed", ran.stdout)


def test_targets_of_a_file_have_names_and_their_own_limits(tmp_path: Path) -> None:
    """Each target is waited for as its own options say; the log, its table and the matrix call it by name."""
    gate = tmp_path / "gate.yml"
    gate.write_text(
        f"account-service-id: {ASID}\nfail-fast: false\ntimeout: 1s\n"
        "targets: {linux: {image-version-id: 9001}, console: {image-version-id: 9002, timeout: 3s}}\n"
    )
    with playing("stuck") as simulator:
        words = ("--config", str(gate), "--api-url", simulator.url, "--result-file", "-")
        ran = command(*words, environ=KEYS)
    assert ran.returncode == 4
    facts = json.loads(ran.stdout)
    waited = {version["name"]: version["waited-seconds"] for version in facts["image-versions"]}
    assert 1 <= waited["linux"] < 3 <= waited["console"]
    assert [(job["name"], job["status"]) for job in facts["matrix"]["include"]] == [
        ("linux", "timeout"),
        ("console", "timeout"),
    ]
    lines = ran.stderr.splitlines()
    assert "2 image versions linux, console · waits up to 3s (file " in lines[0]
    assert re.search(r"0:\d\d  console  timeout", ran.stderr)
    assert [line.split()[:3] for line in lines[-5:-2]] == [
        ["target", "id", "status"],
        ["linux", "9001", "timeout"],
        ["console", "9002", "timeout"],
    ]


def test_a_refusal_of_the_credentials_stops_all(tmp_path: Path) -> None:
    """Even without fail-fast nobody goes on asking with credentials that the API has refused."""
    gate = tmp_path / "gate.yml"
    targets = ", ".join(f"t{number}: {{image-version-id: {number}}}" for number in range(1, 41))
    gate.write_text(f"account-service-id: 1\nfail-fast: false\ntargets: {{{targets}}}\n")
    with Simulator(load("ready"), access_key="other", secret_key="other") as simulator:
        ran = command("--config", str(gate), "--api-url", simulator.url, environ=KEYS)
        assert len(simulator.requests) < 40
    assert ran.returncode == 6
    assert "refuses these credentials" in ran.stdout


def test_an_image_update_is_waited_for_like_an_image_version() -> None:
    """`--resource` asks for another kind of job, and everything calls it by its name."""
    with playing("ready") as simulator:
        ran = command(*asking(simulator, "7", "--resource", "image-update"), environ=KEYS)
    assert ran.returncode == 0, ran.stdout
    assert ran.stdout.splitlines()[-1].startswith("ready: image update 7 after")


def test_a_rehearsal_needs_no_account_and_says_what_it_is(tmp_path: Path) -> None:
    """`--rehearse` plays a scenario without credentials, and every verdict says so."""
    done = tmp_path / "done.yml"
    done.write_text("life: [{state: Completed}]", "utf-8")
    ran = command("9001", "--rehearse", str(done), "--result-file", "-")
    assert ran.returncode == 0
    assert json.loads(ran.stdout)["rehearsal"] is True
    assert "rehearsal" in ran.stderr.splitlines()[-1]


def test_an_unknown_rehearsal_is_a_wrong_setting() -> None:
    """A scenario that does not exist is told like any other wrong setting, with a guess."""
    ran = command("9001", "--rehearse", "redy")
    assert ran.returncode == 2
    assert ran.stdout == ""
    assert "ready" in ran.stderr
    assert "flag --rehearse" in ran.stderr


def test_the_demo_shows_a_whole_life() -> None:
    """`cfgate demo` passes through every state to Completed and is green."""
    ran = command("demo", "--speed", "5")
    assert ran.returncode == 0, ran.stdout
    assert ran.stdout.splitlines()[-1].startswith("ready (rehearsal")
    states = re.findall(r"^ *[0-9:]+  (\w+)", ran.stdout, re.MULTILINE)
    assert states[0] == "Created"
    assert states[-2:] == ["Running", "Completed"]


def test_simulate_serves_until_it_is_stopped(github: Github) -> None:
    """`cfgate simulate` prints its address, answers a gate, logs no credentials, ends on a signal."""
    process = subprocess.Popen(
        [sys.executable, "-m", "cfgate", "simulate", "--scenario", "ready", "--speed", "10"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **KEYS},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    url = process.stdout.readline().split()[0]
    ran = github.run(None, api_url=url)
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=30)
    assert ran.code == 0
    assert process.returncode == 130
    assert "/cfp/v1/imageversion/9001/status" in stdout
    assert stderr == ""
    assert not canary.found(stdout)


INTERRUPTED = """\
import _thread, io, sys, threading
from queue import SimpleQueue
from cfgate import cli
from cfgate.system.clock import SystemClock
from cfgate.system.signals import listen

class Stream(io.StringIO):
    def write(self, text):
        if "Ctrl-C" in text:
            threading.Timer(0.1, _thread.interrupt_main).start()

inbox = SimpleQueue()
listen(inbox.put)
print(cli.Program({}, Stream(), sys.stderr, inbox, SystemClock()).run(["simulate"]))
"""


def test_simulate_looks_for_signals_by_itself() -> None:
    """On Windows a signal interrupts no wait; as here, where no system call learns of it."""
    ran = subprocess.run(
        [sys.executable, "-c", INTERRUPTED], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert (ran.stdout, ran.stderr) == ("130\n", "")


def test_on_windows_the_streams_speak_utf8(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of the process, whatever its code page is."""
    raw = [io.BytesIO(), io.BytesIO()]
    out, err = (io.TextIOWrapper(one, encoding="cp437", newline="\n") for one in raw)
    monkeypatch.delenv("PYTHONIOENCODING", raising=False)
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr(sys, "stdout", out)
        elsewhere.setattr(sys, "stderr", err)
        elsewhere.setattr(sys, "platform", "win32")
        assert cli.main(["check", "9001", "--rehearse", "no-such"], SimpleQueue()) == 2
        assert (out.encoding, err.encoding) == ("utf-8", "utf-8")


def test_a_job_that_may_open_too_few_files_is_told_so() -> None:
    """A limit of the machine is no bug in cfgate, and there is something to do about it."""
    limited = f"ulimit -n 12; exec {sys.executable} -m cfgate check 9001 --rehearse ready"
    ran = subprocess.run(
        ["/bin/sh", "-c", limited], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert ran.returncode == 70
    assert "too many open files" in ran.stdout
    assert "`ulimit -n`" in ran.stdout
    assert "a bug" not in ran.stdout


def test_a_pipe_into_which_nobody_writes_is_no_config_file(tmp_path: Path) -> None:
    """Whoever names a silent pipe is told so in time, and nothing is sent."""
    posix.mkfifo(tmp_path / "gate.yml")
    ran = command("check", "9001", "--rehearse", "ready", "--config", str(tmp_path / "gate.yml"))
    assert ran.returncode == 2
    assert "from flag --config cannot be read: nobody writes into it" in ran.stderr


def test_simulate_tells_a_wrong_scenario() -> None:
    """A scenario that does not exist, or a port that is taken, ends `simulate` with one clear line."""
    with playing("ready") as simulator:
        port = simulator.url.rpartition(":")[2]
        taken = command("simulate", "--port", port)
    wrong = command("simulate", "--scenario", "redy")
    assert "ready" in wrong.stderr
    assert taken.stderr.startswith(
        f"invalid: port {port} is not available (Address already in use): name another"
    )
    for ran in (wrong, taken):
        assert ran.returncode == 2
        assert ran.stdout == ""


def test_help_and_version() -> None:
    """`--help` shows every command and what is needed first, `--version` the version."""
    page = command("--help")
    assert page.returncode == 0
    for word in ("wait", "check", "demo", "simulate", "--timeout", "CLANFORGE_SECRET_KEY", "exit-codes"):
        assert word in page.stdout
    assert command("--version").stdout.strip() == f"cfgate {__version__}"


def test_a_bug_ends_with_a_request_to_report_it_and_no_traceback(github: Github, tmp_path: Path) -> None:
    """An unexpected exception becomes status error, exit code 70 and a sentence; outputs are written."""
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "sitecustomize.py").write_text(
        "import cfgate.session, os\n"
        "def oops(*a, **k): raise ZeroDivisionError(os.environ['CLANFORGE_SECRET_KEY'])\n"
        "cfgate.session.Gate = oops\n"
    )
    github.environ |= {"PYTHONPATH": f"{broken}:{ROOT}"}
    with playing("ready") as simulator:
        ran = github.run(simulator)
    assert ran.code == 70, ran.stdout
    assert ran.outputs["status"] == "error"
    assert "ZeroDivisionError" in ran.outputs["reason"]
    assert "report" in ran.lines[-1]
    assert "Traceback" not in ran.stdout + ran.stderr
    assert not canary.found(ran.outputs["reason"] + ran.summary)


def _until(condition: object, seconds: float = 30.0) -> None:
    """Wait until `condition()` holds."""
    assert callable(condition)
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never came to that"
        time.sleep(0.02)
