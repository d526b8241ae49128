"""Every pipeline for GitLab on the pages, in gitlab-ci-local: ready deploys once, every other road never."""

from __future__ import annotations

import copy
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from roads import ENDLESS, FAILED, QUICK, READY, SECRETS, deployments, recorded, simulator, write_stand_in

from cfgate.simulator import Scenario
from tests.support.pages import ROOT, Block, examples

CLIENT: Final = os.environ["CFGATE_PROOF_CLIENT"]
PATIENCE: Final = 300.0
STARTER: Final = Block(
    ROOT / "examples" / "gitlab" / ".gitlab-ci.yml",
    1,
    "",
    "yaml",
    (ROOT / "examples/gitlab/.gitlab-ci.yml").read_text("utf-8"),
)
SWITCH: Final = "./clanforge switch-profile"
Configuration = dict[str, Any]


def whole(block: Block) -> Configuration:
    """Read a pipeline. What a page adds to the pipeline before it is merged with that, as GitLab does it."""
    content = block.content
    if "include" not in content and not any(
        "image" in job for job in content.values() if isinstance(job, dict)
    ):
        content = {
            **next(before for before in examples("gitlab") if "include" in before.content).content,
            **content,
        }
    content = copy.deepcopy(content)
    for job in content.values():
        if isinstance(job, dict) and "trigger" in job:  # gitlab-ci-local starts no other pipeline
            del job["trigger"]
            job["script"] = [f"{SWITCH} 77 8801"]
    return content


PIPELINES: Final = [*examples("gitlab"), STARTER]
DEPLOYING: Final = [block for block in PIPELINES if SWITCH in str(whole(block))]


def gates(pipeline: Configuration) -> list[str]:
    """Name the jobs that are gates."""
    included = [entry["inputs"].get("job-name", "cfgate") for entry in pipeline.get("include", [])]
    own = [
        name
        for name, job in pipeline.items()
        if isinstance(job, dict) and 'cfgate "$' in str(job.get("script"))
    ]
    return [*included, *own]


def deploying(pipeline: Configuration) -> list[Configuration]:
    """Find the jobs that change what players see."""
    return [job for job in pipeline.values() if isinstance(job, dict) and SWITCH in str(job.get("script"))]


def add(pipeline: Configuration, names: list[str], **keys: Any) -> None:
    """Add keys to jobs, which may be those of a component."""
    for name in names:
        pipeline[name] = {**pipeline.get(name, {}), **keys}


def nothing(pipeline: Configuration) -> None:
    """Change nothing."""


def rehearse(pipeline: Configuration) -> None:
    """Give every gate the input `rehearse`."""
    for entry in pipeline.get("include", []):
        entry["inputs"]["rehearse"] = "ready"


def rehearse_by_report(pipeline: Configuration) -> None:
    """Let an earlier job switch a rehearsal on, by its dotenv report."""
    pipeline["stages"] = ["first", *pipeline.get("stages", ["test"])]
    script = ["echo INPUT_REHEARSE=ready >first.env"]
    pipeline["first"] = {
        "stage": "first",
        "script": script,
        "artifacts": {"reports": {"dotenv": "first.env"}},
    }
    for name in gates(pipeline):
        needs = pipeline.get(name, {}).get("needs", [])
        add(pipeline, [name], needs=[*needs, "first"])


def allow(pipeline: Configuration) -> None:
    """Allow every gate to fail, whatever the reason."""
    add(pipeline, gates(pipeline), allow_failure=True)


def leave_out(pipeline: Configuration) -> None:
    """Leave every gate out by a rule, and let the deployment exist without it."""
    add(pipeline, gates(pipeline), rules=[{"when": "never"}])
    for job in pipeline.values():
        if isinstance(job, dict) and "needs" in job:
            job["needs"] = [
                {"job": need if isinstance(need, str) else need["job"], "optional": True}
                for need in job["needs"]
            ]


def always(pipeline: Configuration) -> None:
    """Deploy whatever has happened before."""
    for job in deploying(pipeline):
        job["when"] = "always"


def forge(pipeline: Configuration) -> None:
    """Let another job write that the gate says go, in a pipeline whose gate does not."""
    allow(pipeline)
    stages = pipeline.get("stages", ["test", "deploy"])
    pipeline["stages"] = ["forged", *stages]
    prefixes = [entry["inputs"].get("dotenv-prefix", "CFGATE") for entry in pipeline.get("include", [])] or [
        "CFGATE"
    ]
    script = [f"echo {prefix}_GO=true >>forged.env" for prefix in prefixes]
    pipeline["forged"] = {
        "stage": "forged",
        "script": script,
        "artifacts": {"reports": {"dotenv": "forged.env"}},
    }


def hurry(pipeline: Configuration) -> None:
    """Give every gate one second."""
    for entry in pipeline.get("include", []):
        entry["inputs"]["timeout"] = "1s"
    for name in gates(pipeline):
        if variables := pipeline.get(name, {}).get("variables"):
            variables["CFGATE_TIMEOUT"] = "1s"


@dataclass(frozen=True)
class Road:
    """What happens to a pipeline: the jobs that its gates see, the change in it, variables of the project."""

    name: str
    scenario: Scenario = READY
    change: Callable[[Configuration], None] = nothing
    variables: tuple[tuple[str, str], ...] = ()
    late: bool = False


ROADS: Final = (
    Road("ready"),
    Road("rehearsal by an input", change=rehearse),
    Road("rehearsal by a variable", variables=(("CFGATE_REHEARSE", "ready"),)),
    Road("rehearsal by a report", change=rehearse_by_report),
    Road("failed", FAILED),
    Road("failed and allowed", FAILED, allow),
    Road("time-out and allowed", ENDLESS, allow, late=True),
    Road("left out", change=leave_out),
    Road("deployed always", FAILED, always),
    Road("forged", FAILED, forge),
)


@pytest.fixture(scope="session")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Put this program on the path of the jobs."""
    directory = tmp_path_factory.mktemp("bin")
    path = directory / "cfgate"
    path.write_text(f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -m cfgate "$@"\n', "utf-8")
    path.chmod(0o755)
    return directory


def run(
    directory: Path, program: Path, pipeline: Configuration, variables: dict[str, str]
) -> tuple[int, str]:
    """Run a pipeline in a project of its own, on this machine; return the exit code and what was printed."""
    text = yaml.safe_dump(pipeline, sort_keys=False).replace("/cfgate@0.1.0", "/cfgate@$CI_COMMIT_SHA")
    (directory / ".gitlab-ci.yml").write_text(text, "utf-8")
    (directory / "templates").mkdir()
    (directory / "templates" / "cfgate.yml").write_bytes((ROOT / "templates" / "cfgate.yml").read_bytes())
    write_stand_in(directory)
    author = "-c user.name=proof -c user.email=proof@example.com"
    for command in (
        "init --quiet --initial-branch main",
        "remote add origin https://gitlab.example.com/your-org/cfgate.git",
        "add --all",
        f"{author} commit --quiet --message pipeline",
        "update-ref refs/remotes/origin/main HEAD",
        "symbolic-ref refs/remotes/origin/HEAD refs/remotes/origin/main",
    ):
        words = ["git", *command.split()]
        subprocess.run(words, cwd=directory, check=True, capture_output=True)
    (directory / ".gitlab-ci-local-variables.yml").write_text(yaml.safe_dump(variables), "utf-8")
    environ = {
        name: value for name, value in os.environ.items() if not name.startswith(("CFGATE_", "CLANFORGE_"))
    }
    ended = subprocess.run(
        [
            CLIENT, "--force-shell-executor", "--shell-isolation", "--no-artifacts-to-source",
            "--state-dir=.state", "--ignore-predefined-vars=GITLAB_CI,CI_COMMIT_REF_PROTECTED",
        ],
        cwd=directory,
        env={**environ, "PATH": f"{program}:{environ['PATH']}"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        timeout=PATIENCE,
        check=False,
    )  # fmt: skip
    return ended.returncode, ended.stdout


def gone(tmp_path: Path, program: Path, block: Block, road: Road) -> tuple[int, str]:
    """Go a road with a pipeline."""
    pipeline = whole(block)
    road.change(pipeline)
    if road.late:
        hurry(pipeline)
    with simulator(road.scenario) as api:
        project = {
            "GITLAB_CI": "true", "CI_COMMIT_REF_PROTECTED": "true", "CFGATE_API_URL": api.url,
            "DIFF_ID": "9001", "IMAGE": "4242", "MACHINE": "7", "FLEET": "77", "PROFILE": "8801",
        }  # fmt: skip
        if not any("build" in name for name in pipeline):
            project["IMAGE_VERSION_ID"] = "9001"
        return run(tmp_path, program, pipeline, {**QUICK, **SECRETS, **project, **dict(road.variables)})


# The starter takes long, since a roll-out takes 10 s: it goes the roads on which a later call could be made.
LONG: Final = {"failed and allowed", "deployed always", "rehearsal by an input"}
CASES: Final = [
    (block, road) for block in DEPLOYING for road in ROADS if block is not STARTER or road.name in LONG
]


@pytest.mark.parametrize(
    ("block", "road"), CASES, ids=lambda value: getattr(value, "name", None) or str(value)
)
def test_a_pipeline_deploys_when_the_gate_says_go(
    tmp_path: Path, program: Path, block: Block, road: Road
) -> None:
    """A pipeline deploys once when all its gates say go, and on no other road."""
    if road.change is rehearse and not block.content.get("include") and "include" not in whole(block):
        road = Road(road.name, variables=(("INPUT_REHEARSE", "ready"),))  # a job of one's own has no inputs
    code, printed = gone(tmp_path, program, block, road)
    assert re.search(r"pipeline finished in", printed), printed
    assert len(deployments(printed)) == (road.name == "ready"), printed
    assert code == 0 or road.name != "ready", printed


@pytest.mark.parametrize("block", [block for block in PIPELINES if block not in DEPLOYING], ids=str)
def test_a_pipeline_that_deploys_nothing(tmp_path: Path, program: Path, block: Block) -> None:
    """The other pipelines run as the page says: the one that shows a failure fails."""
    code, printed = gone(tmp_path, program, block, ROADS[0])
    assert (code == 0) is ("rehearse: failed" not in block.text), printed


def test_the_starter_goes_the_whole_road(tmp_path: Path, program: Path) -> None:
    """The starter makes its four calls in their order, each after the gate before it."""
    code, printed = gone(tmp_path, program, STARTER, ROADS[0])
    assert code == 0, printed
    assert recorded(printed) == ["update 4242 7", "diff 4242 7", "version 9001", "switch-profile 77 8801"]


def test_a_rehearsal_of_the_starter_calls_nothing(tmp_path: Path, program: Path) -> None:
    """A rehearsal goes the whole road, ends well, and makes no call at all."""
    code, printed = gone(
        tmp_path, program, STARTER, Road("rehearsal", variables=(("CFGATE_REHEARSE", "rollout"),))
    )
    assert (code, recorded(printed)) == (0, []), printed


def test_two_includes_with_one_name_deploy_nothing(tmp_path: Path, program: Path) -> None:
    """Two gates by one name are one job, of which a deployment that names both never hears."""
    block = next(block for block in DEPLOYING if "CONSOLE" in block.text)
    changed = Block(
        block.page,
        block.line,
        block.heading,
        "yaml",
        block.text.replace("job-name: console-ready", "job-name: linux-ready"),
    )
    code, printed = gone(tmp_path, program, changed, ROADS[0])
    assert code != 0, printed
    assert deployments(printed) == []
