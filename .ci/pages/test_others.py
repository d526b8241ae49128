"""The definitions for the other CI systems: their shell lines in real shells, and their schemas."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
from roads import ENDLESS, FAILED, QUICK, READY, SECRETS, deployments, hurried, simulator, write_stand_in

from cfgate.simulator import Scenario
from tests.support.pages import ROOT, Block, examples

TOOLS: Final = Path(os.environ["TOOLS"])
SCHEMAS: Final = {
    "azure": "vendor.azure-pipelines",
    "bitbucket": "vendor.bitbucket-pipelines",
    "buildkite": "vendor.buildkite",
    "circleci": "vendor.circle-ci",
}
GATE: Final = re.compile(r"\bcfgate\b(?!\.)")

# docker, as far as the gates use it: only what `--env` names reaches the program.
DOCKER: Final = f"""#!{sys.executable}
import os, sys
words, kept = sys.argv[1:], {{"PATH": os.environ["PATH"], "PYTHONPATH": {str(ROOT)!r}}}
for name in ("CFGATE_API_URL", "CFGATE_REHEARSE", "CFGATE_MAX_INTERVAL"):  # how the road is gone
    kept[name] = os.environ[name]
assert words.pop(0) == "run", words
while words and words[0].startswith("--"):
    flag = words.pop(0)
    if flag == "--env":
        name, _, value = words.pop(0).partition("=")
        kept |= {{name: value}} if value else {{name: os.environ[name]}} if name in os.environ else {{}}
    elif flag != "--rm":
        words.pop(0)
assert "cfgate" in words.pop(0)
os.execve({sys.executable!r}, [{sys.executable!r}, "-m", "cfgate", *words], kept)
"""
CFGATE: Final = f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -m cfgate "$@"\n'
# An agent that keeps artifacts of the step `gate` beside the checkout.
AGENT: Final = '#!/bin/sh\n[ "$1 $2 $5 $6" = "artifact download --step gate" ] && cp ../kept/"$3" "$4"\n'


@dataclass(frozen=True)
class Scripts:
    """The two scripts of an example, as its system gives them to a shell, and what is set for them."""

    gate: str
    deploy: str
    environ: tuple[tuple[str, str], ...] = ()


def scripts_of(block: Block) -> Scripts:
    """Find the script of the gate and that of the deployment."""
    found = list(_scripts(block))
    environ: dict[str, str] = {}
    if block.system == "circleci":
        jobs = block.content["jobs"]
        environ = {
            name: str(value)
            for name, value in jobs["wait-for-image"]["environment"].items()
            if "<<" not in str(value)
        }
    (gate,) = [script for script in found if GATE.search(script) and "./clanforge" not in script]
    (deploy,) = [script for script in found if "./clanforge" in script]
    return Scripts(gate, deploy, tuple(environ.items()))


def _scripts(block: Block) -> Iterator[str]:
    if block.system == "teamcity":
        yield from (other.text for other in examples("teamcity"))
        return
    if block.system == "jenkins":
        yield from re.findall(r"'''\n(.*?)'''", block.text, re.DOTALL)
        return
    content: Any = block.content
    if block.system == "bitbucket":
        yield from ("\n".join(entry["step"]["script"]) for entry in content["pipelines"]["default"])
    elif block.system == "buildkite":
        for step in content["steps"]:
            lines = step["command"] if isinstance(step["command"], list) else [step["command"]]
            yield "\n".join(lines).replace("$$", "$")
    elif block.system == "circleci":
        for job in content["jobs"].values():
            yield "\n".join(_circleci(step) for step in job["steps"])
    elif block.system == "codebuild":
        yield from ("\n".join(phase["commands"]) for phase in content["phases"].values())


def _circleci(step: Any) -> str:
    """Write a step of CircleCI as a line of a shell; the workspace lies beside the checkout."""
    if "attach_workspace" in step:
        return "cp ../kept/cfgate.env . || true"
    run = step.get("run", "") if isinstance(step, dict) else ""
    return run if isinstance(run, str) else str(run["command"])


@dataclass(frozen=True)
class Road:
    """How the gate ends; `gate` is whether it runs at all."""

    name: str
    scenario: Scenario = READY
    rehearse: str = ""
    gate: bool = True
    late: bool = False


ROADS: Final = (
    Road("ready"),
    Road("rehearsal", rehearse="ready"),
    Road("failed", FAILED),
    Road("time-out", ENDLESS, late=True),
    Road("not run", gate=False),
)
SHELL: Final = [
    next(iter(examples(system)))
    for system in ("bitbucket", "buildkite", "circleci", "codebuild", "jenkins", "teamcity")
]


@pytest.mark.parametrize("shell", ["bash", "dash"])
@pytest.mark.parametrize("road", ROADS, ids=lambda road: road.name)
@pytest.mark.parametrize("block", SHELL, ids=lambda block: block.system)
def test_a_deployment_stops_itself(tmp_path: Path, block: Block, road: Road, shell: str) -> None:
    """Run whatever the system would: the deployment deploys once when the gate says go, and never else."""
    scripts = scripts_of(block)
    place, kept, programs = (tmp_path / name for name in ("checkout", "kept", "bin"))
    for directory in (place, kept, programs):
        directory.mkdir()
    write_stand_in(place)
    for name, text in {"docker": DOCKER, "cfgate": CFGATE, "buildkite-agent": AGENT}.items():
        (programs / name).write_text(text, "utf-8")
        (programs / name).chmod(0o755)
    if road.gate:
        (place / "cfgate.env").write_text(
            "CFGATE_GO=true\n", "utf-8"
        )  # left by an earlier build on this agent
    with simulator(road.scenario) as api:
        environ = {
            **SECRETS, **QUICK, **dict(scripts.environ), "PATH": f"{programs}:{os.environ['PATH']}",
            "CFGATE_API_URL": api.url, "CFGATE_REHEARSE": road.rehearse, "IMAGE_VERSION_ID": "9001",
            "BITBUCKET_CLONE_DIR": str(place), "CI": "true", "TEAMCITY_VERSION": "",
        }  # fmt: skip
        if road.late:
            environ = {
                name: hurried(f"{name}: {value}").removeprefix(f"{name}: ") for name, value in environ.items()
            }
        gate = hurried(scripts.gate) if road.late else scripts.gate
        if road.gate:
            ended = _shell(shell, gate, place, environ)
            assert (ended.returncode == 0) is (road.name in ("ready", "rehearsal")), ended.stdout
    _hand_over(block.system, place, kept)
    # A rehearsal is known by the report alone here: the deployment may run where nobody set the variable.
    ended = _shell(shell, scripts.deploy, place, {**environ, "CFGATE_REHEARSE": ""})
    assert len(deployments(ended.stdout)) == (road.name == "ready"), ended.stdout
    assert (ended.returncode == 0) is (road.name == "ready"), ended.stdout


def _shell(shell: str, script: str, place: Path, environ: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [shell, "-e", "-c", script], cwd=place, env=environ, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=240, check=False,
    )  # fmt: skip


def _hand_over(system: str, place: Path, kept: Path) -> None:
    """Do what the system does between the two jobs: Buildkite keeps artifacts, CircleCI a workspace."""
    report = place / {"buildkite": "cfgate.env", "circleci": "gate/cfgate.env"}.get(system, "")
    if report.is_file():
        shutil.copy(report, kept)


def test_azure_deploys_under_a_condition() -> None:
    """Azure evaluates conditions: each step that deploys stands behind one that asks for the output go."""
    (block,) = examples("azure")
    jobs = block.content["jobs"]
    for job in jobs:
        for step in job["steps"]:
            if "./clanforge" in str(step.get("bash")):
                assert (
                    job["condition"]
                    == "and(succeeded(), eq(dependencies.wait_for_image.outputs['gate.go'], 'true'))"
                )
                assert job["dependsOn"] == "wait_for_image"
    assert "bash: ./clanforge" in block.text
    assert "`and(succeeded(), eq(variables['gate.go'], 'true'))`" in block.page.read_text("utf-8")


@pytest.mark.parametrize("system", SCHEMAS)
def test_a_definition_fits_the_schema_of_its_system(tmp_path: Path, system: str) -> None:
    """The definition has the shape that the system publishes."""
    for block in examples(system):
        path = tmp_path / f"{block.page.stem}-{block.line}.yml"
        path.write_text(block.text, "utf-8")
        command = [str(TOOLS / "check-jsonschema"), "--builtin-schema", SCHEMAS[system], str(path)]
        checked = subprocess.run(command, capture_output=True, text=True, check=False)
        assert checked.returncode == 0, checked.stdout + checked.stderr
