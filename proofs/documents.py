"""Read what a run leaves behind with parsers that are not cfgate's, and tell what is wrong with it."""

from __future__ import annotations

import io
import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from cfgate.conclusion import UNDECIDED
from cfgate.delivery import deliver, write_undecided
from cfgate.hosts.choose import choose
from cfgate.log.ending import write_ending
from cfgate.model import Result
from cfgate.report.outputs import NAMES
from cfgate.settings.values import Files
from tests.support.parsers import file_commands, workflow_commands

# The exit code that belongs to each status, from docs/reference.md; a signal has two.
CODES: Final[Mapping[str, tuple[int, ...]]] = {
    "ready": (0,),
    "failed": (1,),
    "invalid": (2,),
    "squashed": (3,),
    "timeout": (4,),
    "stalled": (5,),
    "rejected": (6,),
    "not_found": (7,),
    "unavailable": (8,),
    "inconsistent": (9,),
    "pending": (10,),
    "error": (70,),
    "interrupted": (130, 143),
}
_COMMANDS: Final = {"notice", "warning", "error", "group", "endgroup", "debug"}
_MOST_BYTES: Final = {"result": 30 << 20, "junit": 30 << 20, "dotenv": 5119, "summary": 1 << 20}
_VALUE: Final = 64 << 10  # bytes of one output
_ALL_VALUES: Final = 1 << 20  # bytes of all outputs of a job


def step(folder: Path) -> dict[str, str]:
    """Make the environment of a step of a GitHub job whose files are in `folder`."""
    return {
        "GITHUB_ACTIONS": "true",
        "GITHUB_OUTPUT": str(folder / "outputs"),
        "GITHUB_STEP_SUMMARY": str(folder / "page"),
    }


def report_files(folder: Path) -> dict[str, str]:
    """Name the report files, by option, in `folder`."""
    return {f"{name}-file": str(folder / name) for name in _MOST_BYTES}


def delivered(result: Result, folder: Path) -> str:
    """Have cfgate deliver a result into `folder`, the fail-closed one first; return the log."""
    log = io.StringIO()
    host = choose(step(folder), log)
    named = {option.removesuffix("-file"): path for option, path in report_files(folder).items()}
    files = Files(**named)
    write_undecided(UNDECIDED, host, files)
    deliver(result, host, files, None)
    write_ending(host, result)
    host.close()
    return log.getvalue()


def problems(folder: Path, code: int, log: str) -> Iterator[str]:
    """Read what a run has left in `folder`, its exit code and its log; tell what is wrong, or contradicts."""
    outputs = file_commands.parse((folder / "outputs").read_bytes())
    if outputs.error is not None:
        yield f"GITHUB_OUTPUT: {outputs.error}"
    if set(outputs.values) != set(NAMES):
        yield f"outputs: {set(outputs.values) ^ set(NAMES)}"
        return
    yield from _sizes(folder, outputs.values)
    yield from _agreement(folder, outputs.values, code)
    yield from _dotenv((folder / "dotenv").read_bytes(), outputs.values)
    yield from _junit((folder / "junit").read_text("utf-8"), ready=code == 0)
    commands, _ = workflow_commands.parse(log)
    unmeant = {command.name for command in commands} - _COMMANDS
    if unmeant:
        yield f"the log holds the commands {unmeant}"


def _sizes(folder: Path, outputs: Mapping[str, str]) -> Iterator[str]:
    sizes = {name: len(value.encode("utf-8", "replace")) for name, value in outputs.items()}
    yield from (f"output {name} has {size} bytes" for name, size in sizes.items() if size > _VALUE)
    if sum(sizes.values()) > _ALL_VALUES:
        yield f"all outputs have {sum(sizes.values())} bytes"
    for name, most in _MOST_BYTES.items():
        size = (folder / name).stat().st_size
        if not 0 < size <= most:
            yield f"{name} has {size} bytes"


def _agreement(folder: Path, outputs: Mapping[str, str], code: int) -> Iterator[str]:
    """Compare the story that outputs, JSON and summary tell with the exit code."""
    if code not in CODES.get(outputs["status"], ()) or outputs["exit-code"] != str(code):
        yield f"status {outputs['status']}, output exit-code {outputs['exit-code']}, exit code {code}"
    if outputs["ready"] != ("true" if code == 0 else "false"):
        yield f"ready is {outputs['ready']}, the exit code {code}"
    if (outputs["go"] == "true") is not (code == 0 and outputs["rehearsal"] == "false"):
        yield f"go is {outputs['go']}, the exit code {code}, rehearsal {outputs['rehearsal']}"
    for name in ("result", "output"):
        text = (folder / "result").read_text("ascii") if name == "result" else outputs["result"]
        result: dict[str, Any] = json.loads(text)
        told = (result["status"], result["exit-code"], result["ready"], bool(result["reason"]))
        if told != (outputs["status"], code, code == 0, True):
            yield f"the JSON of the {name} says {told}"
    summary = (folder / "summary").read_text("utf-8")
    if outputs["status"].replace("_", " ") not in summary.lower():
        yield "the summary does not name the status"
    if (folder / "page").read_text("utf-8") != summary:
        yield "summary file and step summary differ"


def _dotenv(content: bytes, outputs: Mapping[str, str]) -> Iterator[str]:
    lines = content.decode("utf-8").split("\n")
    if lines.pop():
        yield "dotenv: the last line does not end"
    pairs = dict(line.split("=", 1) for line in lines if re.fullmatch(r"[A-Z0-9_]+=[^\r\0$%`\\]*", line))
    if len(pairs) != len(lines):
        yield "dotenv: a line that GitLab would refuse or expand"
    if pairs.get("CFGATE_READY") != outputs["ready"] or pairs.get("CFGATE_STATUS") != outputs["status"]:
        yield "dotenv: another verdict"


def _junit(text: str, *, ready: bool) -> Iterator[str]:
    suite = ET.fromstring(text).find("testsuite")  # noqa: S314 - ours, and bounded
    if suite is None:
        yield "junit: no suite"
        return
    bad = suite.findall("testcase/failure") + suite.findall("testcase/error")
    if ready == bool(bad):
        yield f"junit: {len(bad)} bad test cases, though ready is {ready}"
    counted = int(suite.get("failures", "0")) + int(suite.get("errors", "0"))
    if counted != len(bad) or int(suite.get("tests", "0")) != len(suite.findall("testcase")):
        yield "junit: the counts are wrong"
