"""What the documents show is what the program takes and says: workflows, command lines, logs, the JSON."""

from __future__ import annotations

import io
import json
import re
import shlex
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import pytest
import yaml

from cfgate import __version__
from cfgate.cli import Program
from cfgate.gate.watch import Inbox
from cfgate.model import GateStatus, JobState, Resource
from cfgate.report.outputs import NAMES
from cfgate.report.result import as_dict
from cfgate.schedule import FixedInterval
from cfgate.settings.options import BY_NAME, TARGETS
from cfgate.settings.reading import read
from cfgate.settings.values import InvalidRequest, Run, Show, Simulate
from cfgate.simulator import Simulator, parse
from tests.support.canary import BEARER, KEYS
from tests.support.factories import result
from tests.support.fakes import FakeClock
from tests.support.pages import BLOCKS, ROOT, Block

DOCS = ROOT / "docs"
# Their definitions are those of other CI systems.
OF_OTHERS = {"gitlab.md", "ci-systems.md"}
DOCUMENTS = [
    ROOT / "README.md",
    *(path for path in sorted(DOCS.glob("*.md")) if path.name not in OF_OTHERS),
]
ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
ACCOUNT = {
    **KEYS,
    "CFGATE_ACCOUNT_SERVICE_ID": "100042",
}


def blocks(language: str) -> list[Block]:
    """Find the blocks of these documents that are fenced with this language."""
    return [block for block in BLOCKS if block.language == language and block.page in DOCUMENTS]


def kind(block: Block) -> str:
    """Tell what a YAML block is an example of."""
    content = yaml.safe_load(block.text)
    if "jobs" in content:
        return "workflow"
    if "life" in content:
        return "scenario"
    if "include" in content:
        return "pipeline of GitLab"
    return "config" if content.keys() <= {*BY_NAME, TARGETS} else "unknown"


YAML = blocks("yaml")
WORKFLOWS, SCENARIOS, CONFIGS = (
    [block for block in YAML if kind(block) == name] for name in ("workflow", "scenario", "config")
)


def test_there_is_something_to_test() -> None:
    """The documents show workflows, scenarios and a config file, and no other YAML."""
    assert len(WORKFLOWS) > 10
    assert len(SCENARIOS) > 2
    assert CONFIGS
    assert [str(block) for block in YAML if kind(block) == "unknown"] == []


# Workflows

_CFGATE = re.compile(r"(your-org/cfgate@(v0|[0-9a-f]{40})|docker://[a-z.]+/[a-z-]+/cfgate:[0-9.]+)")
# What expressions stand for, by the input that they are given to. Nobody asks for a rehearsal here.
_SAMPLES = {
    "image-version-id": "9001",
    "account-service-id": "100042",
    "access-key": "AK0123456789",
    "secret-key": "SK0123456789",
    "token": "abc.def",
    "rehearse": "",
}


def gates(job: dict[str, Any]) -> list[dict[str, Any]]:
    """Find the steps of a job that run cfgate."""
    return [step for step in job["steps"] if _CFGATE.fullmatch(step.get("uses", ""))]


def variables(given: dict[str, Any]) -> dict[str, str]:
    """Return what an `env` says to cfgate, expressions put in."""
    names = {option.variable: name for name, option in BY_NAME.items()}
    return {name: sample(names[name], value) for name, value in given.items() if name in names}


def sample(option: str, value: object) -> str:
    """Put a value in the place of an expression, and write any other as the runner does."""
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return _SAMPLES[option] if "${{" in text else text


def config_name(block: Block) -> str:
    """Return the name of a config file, which its first line may tell."""
    told = re.match(r"# (\S+\.yml)\n", block.text)
    return told[1] if told else f"line-{block.line}.yml"


@pytest.fixture
def _workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work where the files are that the examples name: the config files that are shown, scenarios, a CA."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "studio-ca.pem").write_text("a certificate")
    for name in ("away.yml", "bad-day.yml"):
        (tmp_path / name).write_text("life: [{state: Running}]")
    for block in CONFIGS:
        (tmp_path / config_name(block)).write_text(block.text)


@pytest.mark.usefixtures("_workspace")
@pytest.mark.parametrize("block", WORKFLOWS, ids=str)
def test_a_workflow_gives_the_action_what_it_takes(block: Block) -> None:
    """Every `with` names inputs that exist, and together with the environment they are valid settings."""
    jobs = yaml.safe_load(block.text)["jobs"].values()
    steps = [(job, step) for job in jobs for step in gates(job)]
    assert steps
    for job, step in steps:
        given = step.get("with", {})
        assert given.keys() <= ACTION["inputs"].keys()
        inputs = {f"INPUT_{name.upper()}": sample(name, value) for name, value in given.items()}
        environ = variables(job.get("env", {})) | variables(step.get("env", {})) | inputs
        request = read([], environ)
        assert isinstance(request, Run)
        assert request.warnings == ()


@pytest.mark.parametrize("block", WORKFLOWS, ids=str)
def test_a_workflow_reads_outputs_that_exist(block: Block) -> None:
    """An output is one of the action's, or one that the job before declares."""
    jobs = yaml.safe_load(block.text)["jobs"]
    for job in jobs.values():
        text = str(job)
        ids = {step["id"] for step in job["steps"] if "id" in step}
        of_gates = {step["id"] for step in gates(job) if "id" in step}
        for step, output in re.findall(r"steps\.([\w-]+)\.outputs\.([\w-]+)", text):
            assert step in ids
            assert step not in of_gates or output in ACTION["outputs"]
        for needed, output in re.findall(r"needs\.([\w-]+)\.outputs\.([\w-]+)", text):
            assert output in jobs[needed]["outputs"]


@pytest.mark.parametrize("block", WORKFLOWS, ids=str)
def test_a_workflow_lets_no_text_into_a_script(block: Block) -> None:
    """What comes from elsewhere reaches a script in a variable, and never as a part of the program."""
    steps = [step for job in yaml.safe_load(block.text)["jobs"].values() for step in job["steps"]]
    assert [step["run"] for step in steps if "${{" in step.get("run", "")] == []


# Config files and command lines


@pytest.mark.usefixtures("_workspace")
@pytest.mark.parametrize("block", CONFIGS, ids=str)
def test_a_config_file_is_understood(block: Block) -> None:
    """Every config file that is shown gives valid settings, by the name in its first line."""
    name, content = config_name(block), yaml.safe_load(block.text)
    request = read(
        [] if TARGETS in content else ["9001"], {"CFGATE_CONFIG": name, "CFGATE_REHEARSE": "ready"}
    )
    assert isinstance(request, Run)
    assert [plan.target.name for plan in request.settings.plans] == list(content.pop(TARGETS, [""]))
    assert {request.settings.sources[key] for key in content} == {f"file {name}"}


def command_lines(text: str) -> Iterator[tuple[list[str], dict[str, str]]]:
    """Find the calls of cfgate in a shell script: their arguments, and the variables set for them alone."""
    without_redirections = re.sub(r"\d?>\S+", "", text.replace("\\\n", " "))
    for line in without_redirections.splitlines():
        lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
        lexer.whitespace_split = True
        calls: list[list[str]] = [[]]
        for word in lexer:
            if set(word) <= set("();<>|&"):
                calls.append([])
            else:
                calls[-1].append(word)
        for words in calls:
            at = next((at for at, word in enumerate(words) if re.fullmatch(_PROGRAM, word)), None)
            if at is not None and "install" not in words[:at]:  # which names the package
                yield words[at + 1 :], dict(word.split("=", 1) for word in words[:at] if _IS_SET.match(word))


_PROGRAM = r"cfgate|ghcr\.io/your-org/cfgate(:[0-9.]+)?"
_IS_SET = re.compile(r"[A-Z_]+=")
COMMAND_LINES = [
    pytest.param(argv, given, id=f"{block} {shlex.join(argv)}")
    for block in blocks("sh")
    for argv, given in command_lines(block.text)
]


@pytest.mark.usefixtures("_workspace")
@pytest.mark.parametrize(("argv", "given"), COMMAND_LINES)
def test_a_command_line_is_understood(argv: list[str], given: dict[str, str]) -> None:
    """Every call of cfgate in a shell script is one that it takes, with an account in the environment."""
    environ = dict(ACCOUNT)
    if "CLANFORGE_TOKEN" in given:
        environ = dict(BEARER)
    assert isinstance(read(argv, environ), (Run, Simulate, Show))


def test_command_lines_are_found() -> None:
    """Calls are found behind variables, in a pipeline, over several lines, and in a container."""
    script = (
        'A=b cfgate 1 2>&1 | cfgate 2 && x=0 || y\ndocker run \\\n  ghcr.io/your-org/cfgate "3" # cfgate 4\n'
    )
    assert list(command_lines(script)) == [(["1"], {"A": "b"}), (["2"], {}), (["3"], {})]
    assert len(COMMAND_LINES) > 15


def rows(document: str, first: str) -> list[list[str]]:
    """Read the table of a document whose first column has this title: its cells, without the ticks."""
    lines = (DOCS / document).read_text("utf-8").splitlines()
    start = next(at for at, line in enumerate(lines) if line.startswith(f"| {first} |"))
    end = next((at for at in range(start, len(lines)) if not lines[at].startswith("|")), len(lines))
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[start + 2 : end]]


@pytest.mark.usefixtures("_workspace")
@pytest.mark.parametrize("row", rows("simulator.md", "status"), ids=lambda row: row[0])
def test_the_commands_for_every_ending_are_understood(row: list[str]) -> None:
    """The table of endings has their codes, and command lines that are valid where they are meant to be."""
    label, code, command = row[0].split("`")[1], int(row[1]), row[2].split("`")[1]
    assert {status.label: status.exit_code for status in GateStatus}[label] == code
    argv = shlex.split(command)[1:]
    if label == "invalid":
        with pytest.raises(InvalidRequest):
            read(argv, {})
    else:
        assert isinstance(read(argv, {}), Run)


# Scenarios and logs, played in no time: the gate and the simulator go by one clock, which jumps.


def play(scenario: str, *argv: str, clock: FakeClock, inbox: Inbox | None = None) -> tuple[int, str]:
    """Gate on a scenario; return the exit code and the log."""
    stream = io.StringIO()
    with Simulator(parse(scenario), clock=clock.time) as simulator:
        program = Program(ACCOUNT, stream, stream, inbox or SimpleQueue(), clock)
        code = program.run([*argv, "--api-url", simulator.url])
    return code, stream.getvalue()


@pytest.mark.parametrize(
    ("block", "status"),
    list(zip(SCENARIOS, (GateStatus.UNAVAILABLE, GateStatus.READY, GateStatus.FAILED), strict=True)),
    ids=str,
)
def test_a_scenario_is_played(block: Block, status: GateStatus) -> None:
    """Every scenario that is shown can be played, and ends as the text around it says."""
    code, log = play(block.text, "9001", clock=FakeClock())
    assert code == status.exit_code, log


def section(document: str, heading: str) -> str:
    """Return the text below a heading, up to the next one."""
    text = (DOCS / document).read_text("utf-8")
    match = re.search(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", text, re.DOTALL | re.MULTILINE)
    assert match, heading
    return match[1]


def headings_of_endings() -> dict[str, str]:
    """Find the headings in troubleshooting that are about a status: the heading for each label."""
    text = (DOCS / "troubleshooting.md").read_text("utf-8")
    found = re.findall(r"^## ((\w+) \([0-9, ]+\))$", text, re.MULTILINE)
    return {label: heading for heading, label in found}


def test_troubleshooting_has_every_ending() -> None:
    """There is a section for every status, in the order of exit codes, and for nothing else."""
    in_order = sorted(GateStatus, key=lambda status: status.exit_code)
    codes = {status: str(status.exit_code) for status in GateStatus} | {GateStatus.INTERRUPTED: "130, 143"}
    expected = [(status.label, f"{status.label} ({codes[status]})") for status in in_order]
    assert list(headings_of_endings().items()) == expected


FAILED = """
life:
  - state: Failed
    joberror: "image build failed: could not write the file system of the image"
"""
UNKNOWN_STATE = """
life:
  - state: Running
    for: 30s
  - state: Completed
    fields: {jobstateid: 8, jobstatename: Mirroring}
"""
RUNNING = "life: [{state: Running, progress: 37}]"
LOGS: list[tuple[GateStatus, str, list[str]]] = [
    (GateStatus.READY, "life: [{state: Completed, jobfailed: 1}]", ["9001"]),
    (GateStatus.FAILED, FAILED, ["9001"]),
    (GateStatus.INVALID, RUNNING, ["--timeout", "45"]),
    (GateStatus.SQUASHED, "life: [{state: Squashed}]", ["9001"]),
    (GateStatus.TIMEOUT, RUNNING, ["9001", "--timeout", "2m"]),
    (GateStatus.STALLED, RUNNING, ["9001", "--stall-timeout", "1m"]),
    (GateStatus.REJECTED, "{life: [{state: Running}], faults: [{status: 403}]}", ["9001"]),
    (GateStatus.NOT_FOUND, "{life: [{state: Running}], faults: [{status: 404}]}", ["9001"]),
    (GateStatus.UNAVAILABLE, "{life: [{state: Running}], faults: [{requests: 2-, status: 503}]}", ["9001"]),
    (GateStatus.INCONSISTENT, UNKNOWN_STATE, ["9001"]),
    (GateStatus.PENDING, "life: [{state: Queued}]", ["check", "9001"]),
]


@pytest.mark.parametrize(("status", "scenario", "argv"), LOGS, ids=lambda value: getattr(value, "label", ""))
def test_a_log_is_shown_as_it_is(status: GateStatus, scenario: str, argv: list[str]) -> None:
    """The last lines of the log in each section are what cfgate prints, but for the numbers."""
    code, log = play(scenario, *argv, clock=FakeClock())
    assert code == status.exit_code, log
    assert last_lines(log, status) == shown(status)


def test_the_log_of_a_cancelled_gate_is_shown_as_it_is() -> None:
    """The same, for a signal that comes while the job is running."""
    inbox: Inbox = SimpleQueue()

    class Cancelled(FakeClock):
        """A clock on which somebody cancels the gate in its third pause, which then never ends."""

        def sleep(self, seconds: float) -> None:
            super().sleep(seconds)
            if len(self.slept) == 3:
                inbox.put(signal.SIGINT)
                threading.Event().wait()

    _, log = play(RUNNING, "9001", clock=Cancelled(), inbox=inbox)
    assert last_lines(log, GateStatus.INTERRUPTED) == shown(GateStatus.INTERRUPTED)


def test_the_log_of_a_bug_is_shown_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same, for a bug: a cadence that gives a text for a pause."""
    monkeypatch.setattr("cfgate.session._pacing", lambda _: FixedInterval("soon"))  # type: ignore[arg-type] # the bug
    _, log = play(RUNNING, "9001", clock=FakeClock())
    assert last_lines(log, GateStatus.ERROR) == shown(GateStatus.ERROR)


def last_lines(log: str, status: GateStatus) -> list[str]:
    """Return the line that names the ending and those after it, with letters in the place of numbers."""
    label = status.label.replace("_", " ")
    lines = log.splitlines()
    start = max(at for at, line in enumerate(lines) if re.match(rf"{label}( after|:)", line))
    return [_without_numbers(line) for line in lines[start:]]


def _without_numbers(line: str) -> str:
    without_durations = re.sub(r"\b([0-9.]+[hms])+\b", "T", line)
    return re.sub("[0-9]+", "N", without_durations).replace("N request)", "N requests)")


def shown(status: GateStatus) -> list[str]:
    """Return the last lines of the log that troubleshooting shows."""
    (log,) = re.findall(
        r"^```text\n(.*?)^```$",
        section("troubleshooting.md", headings_of_endings()[status.label]),
        re.DOTALL | re.MULTILINE,
    )
    return last_lines(log, status)


# The reference, and the documents as a whole


def keys(value: object, path: str = "") -> set[str]:
    """List the keys of a JSON value, each with its path."""
    if isinstance(value, dict):
        return {f"{path}/{key}" for key in value}.union(
            *(keys(inner, f"{path}/{key}") for key, inner in value.items())
        )
    return set().union(*(keys(inner, path) for inner in value)) if isinstance(value, list) else set()


def first_cells(document: str, heading: str) -> list[str]:
    """List what stands in backquotes at the start of each row of the tables below a heading."""
    return re.findall(r"^\| (?:[0-9, ]+ \| )?`([^`]+)`", section(document, heading), re.MULTILINE)


@pytest.mark.parametrize(
    ("document", "heading"),
    [("gitlab.md", "What each exit code lets you do"), ("simulator.md", "See every ending")],
)
def test_a_table_of_endings_has_all_of_them(document: str, heading: str) -> None:
    """Each ending has a row, but perhaps for a bug, which nobody can see at will."""
    missing = {status.label for status in GateStatus} - set(first_cells(document, heading))
    assert missing <= {GateStatus.ERROR.label}


def test_every_job_state_is_explained() -> None:
    """The page about scenarios has the name of each, the rules have the number of each that ends a job."""
    (row,) = re.findall(r"^\| `state` \| (.*) \|$", (DOCS / "simulator.md").read_text("utf-8"), re.MULTILINE)
    assert set(re.findall(r"`(\w+)`", row)) == {name for state in JobState for name in state.names}
    rules = (DOCS / "verdicts.md").read_text("utf-8")
    assert [state for state in JobState if state.terminal and f"state {state.id}" not in rules] == []


@pytest.mark.parametrize(
    ("document", "heading"),
    [("recipes.md", "Updates, diffs and roll-outs"), ("verdicts.md", "The other resources")],
)
def test_a_table_of_resources_has_all_of_them(document: str, heading: str) -> None:
    """Each kind of target has a row; nothing else has."""
    assert first_cells(document, heading)[0] == "resource"
    assert set(first_cells(document, heading)[1:]) == {resource.label for resource in Resource}


def test_every_ending_of_a_job_is_shown() -> None:
    """The logs below cover every ending but a signal and a bug, which have tests of their own."""
    shown = {status for status, _, _ in LOGS}
    assert shown == set(GateStatus) - {GateStatus.INTERRUPTED, GateStatus.ERROR}


def test_the_json_is_shown_as_it_is() -> None:
    """The example has the keys that cfgate writes, all of them, at their places."""
    (block,) = (block for block in blocks("json") if block.page.name == "reference.md")
    assert keys(json.loads(block.text)) == keys(as_dict(result()))


def test_every_key_of_the_json_is_explained() -> None:
    """What is no output has a row in the table of keys."""
    whole = as_dict(result())
    written = {path.rpartition("/")[2] for path in keys({**whole, "totals": {}})}
    explained = {row[0].strip("`") for row in rows("reference.md", "key")}
    assert explained == written - set(NAMES)


def test_the_index_has_every_page() -> None:
    """The index leads to every other page."""
    index = (DOCS / "README.md").read_text("utf-8")
    assert {path.name for path in DOCS.glob("*.md")} - {"README.md"} <= set(
        re.findall(r"\]\((\S+?)\)", index)
    )


def slug(heading: str) -> str:
    """Make the anchor that GitHub gives a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_to_headings_lead_somewhere(document: Path) -> None:
    """Every link with an anchor leads to a heading."""
    for target, anchor in re.findall(r"\]\(((?!https?:)[^)#]*)#([^)]+)\)", document.read_text("utf-8")):
        text = (document.parent / target if target else document).read_text("utf-8")
        assert anchor in {slug(heading) for heading in re.findall(r"^#+ (.*)$", text, re.MULTILINE)}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_the_version_is_this_one(document: Path) -> None:
    """Logs and images in the documents are those of this version."""
    versions = set(
        re.findall(r"cfgate(?:[: ]|-version\": \")([0-9]+\.[0-9.]+[0-9])", document.read_text("utf-8"))
    )
    assert versions <= {__version__}
