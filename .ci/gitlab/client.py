"""A GitLab that runs pipelines on this machine: gitlab-ci-local, in a repository made for one test.

It reads a configuration as GitLab does, `include` and `spec:inputs` among it, runs jobs in containers, and
hands dotenv reports to later jobs. What differs: it takes inputs that are not declared, writes the section
markers of a log anew, and leaves JUnit and annotations reports alone. And after a job whose exit code is not
among those of `allow_failure` it goes on, although it says rightly that the job has failed.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import yaml
from runner import ENGINE, IMAGE, PATIENCE

CLIENT: Final = os.environ["CFGATE_PROOF_CLIENT"]
HELPER: Final = os.environ["CFGATE_PROOF_PROGRAMS"]
COMPONENT: Final = "$CI_SERVER_FQDN/$CI_PROJECT_PATH/cfgate@$CI_COMMIT_SHA"

_OPTIONS: Final = (
    f"--container-executable={ENGINE}",
    f"--helper-image={HELPER}",
    "--network=host",
    "--pull-policy=if-not-present",
    "--shell-isolation",
    "--no-artifacts-to-source",
    "--state-dir=.state",
    "--ignore-predefined-vars=GITLAB_CI,CI_REGISTRY_IMAGE",
)


def gate(include: str = COMPONENT, *, by: str = "component", **inputs: str) -> dict[str, Any]:
    """Write an entry of `include` that makes a gate in the stage `gate`; underscores are for hyphens."""
    given = {"stage": "gate", "image": IMAGE} | inputs
    return {by: include, "inputs": {name.replace("_", "-"): value for name, value in given.items()}}


@dataclass(frozen=True)
class Pipeline:
    """A pipeline that has ended: its exit code, and what the client printed."""

    directory: Path
    exit_code: int
    printed: str

    def log(self, job: str) -> list[str]:
        """Read the log of a job, without the commands in it; nothing when the job did not run."""
        path = self._state / "output" / f"{job}.log"
        lines = path.read_bytes().decode("utf-8").split("\n")[:-1] if path.exists() else []
        return [line for line in lines if not line.startswith("$ ")]

    def verdict(self, job: str) -> str:
        """Tell how a job ended: "" (well), "WARN" (may fail) or "FAIL", with its exit code."""
        found = re.search(rf"^{job} +finished in .*(WARN|FAIL) ([0-9]+)", self.printed, re.MULTILINE)
        return f"{found[1]} {found[2]}" if found else ""

    def artifact(self, job: str, name: str) -> Path:
        """Find a file that a job has left."""
        return self._state / "artifacts" / job / name

    def dotenv(self, job: str) -> dict[str, str]:
        """Read the dotenv report of a gate as GitLab does: lines, parted at the first equals sign."""
        report = self.artifact(job, ".gitlab-ci-reports/dotenv/cfgate.env").read_text("utf-8")
        assert len(report.encode()) < 5120
        assert report.endswith("\n")
        pairs = [line.partition("=") for line in report.removesuffix("\n").split("\n")]
        assert all(equals for _, equals, _ in pairs)
        return {key.strip(): value.strip() for key, _, value in pairs}

    @cached_property
    def everything(self) -> str:
        """All that anybody can see of the pipeline."""
        files = [path for folder in ("output", "artifacts") for path in (self._state / folder).rglob("*")]
        texts = [path.read_bytes().decode("utf-8", "replace") for path in files if path.is_file()]
        return "\n".join([self.printed, *texts])

    @property
    def _state(self) -> Path:
        return self.directory / ".state"


def commit(directory: Path, configuration: str) -> str:
    """Make a project with a pipeline, and the component in it; return the SHA of its one commit."""
    (directory / ".gitlab-ci.yml").write_text(configuration, "utf-8")
    template = directory / "templates" / "cfgate.yml"
    template.parent.mkdir()
    template.write_bytes(Path("templates/cfgate.yml").read_bytes())
    _git(directory, "init --quiet --initial-branch main")
    _git(directory, "remote add origin https://gitlab.example.com/your-org/game.git")
    _git(directory, "add --all")
    _git(directory, "-c user.name=proof -c user.email=proof@example.com commit --quiet --message pipeline")
    return _git(directory, "rev-parse HEAD")


def _git(directory: Path, arguments: str) -> str:
    command = ["git", *arguments.split()]
    return subprocess.run(command, cwd=directory, check=True, capture_output=True, text=True).stdout.strip()


def run(directory: Path, variables: Mapping[str, str], *jobs: str) -> Pipeline:
    """Run the pipeline of a project, or only these jobs of it.

    `variables` are those of the project's settings, credentials among them.
    """
    settings = {"GITLAB_CI": "true", **variables}  # the client says of itself that it is no GitLab
    # Not committed, for what is committed is copied into the jobs.
    (directory / ".gitlab-ci-local-variables.yml").write_text(yaml.safe_dump(settings), "utf-8")
    return _run([CLIENT, *_OPTIONS, *jobs], directory)


def _run(command: list[str], directory: Path) -> Pipeline:
    """Run the client in an environment that its jobs may have, for it hands its own on to some."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("CFGATE_")}
    with subprocess.Popen(
        command,
        cwd=directory,
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        start_new_session=True,
    ) as client:
        try:
            printed, _ = client.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            os.killpg(client.pid, signal.SIGKILL)
            raise
    return Pipeline(directory, client.returncode, printed)
