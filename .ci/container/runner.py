"""A GitHub runner, as far as a docker action can tell: its options, mounts, environment, files and signals.

Sources: `ContainerActionHandler.cs` and `DockerCommandManager.cs` of actions/runner. Two things differ: the
network is the host's, where the simulator listens, and no docker socket is mounted.
"""

from __future__ import annotations

import itertools
import os
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from signal import Signals
from types import TracebackType
from typing import Final, Self

import yaml

ENGINE: Final = os.environ["CFGATE_PROOF_ENGINE"]
IMAGE: Final = os.environ["CFGATE_PROOF_IMAGE"]
ACTION: Final = yaml.safe_load(Path("action.yml").read_text("utf-8"))
RUNNER: Final = 1001  # the user id on GitHub's machines
PATIENCE: Final = 240.0  # seconds; everything here takes a few, but the machine may be busy

_MOUNTS: Final = {
    "home": "/github/home",
    "workflow": "/github/workflow",
    "file_commands": "/github/file_commands",
    "workspace": "/github/workspace",
}
_numbers = itertools.count()


@dataclass(frozen=True)
class Ended:
    """What a step left behind: `log` is stdout and stderr as they came, `output` the file of the outputs."""

    exit_code: int
    log: str
    output: bytes
    summary: str


@dataclass
class Step:
    """A step that uses the action, with a directory of its own.

    `inputs` stand under `with:` and `environ` under `env:`; `options` go to the engine. The files for outputs
    and summary belong to the user `owner`.
    """

    directory: Path
    inputs: Mapping[str, str]
    environ: Mapping[str, str] = field(default_factory=dict)
    options: Sequence[str] = ()
    owner: int = RUNNER

    def run(self) -> Ended:
        """Run the step to its end."""
        with self.start() as running:
            return running.wait()

    def start(self) -> Running:
        """Start the step."""
        for name in _MOUNTS:
            (self.directory / name).mkdir(exist_ok=True)
        for name in ("output", "summary"):
            self._file_command(name)
        return Running(self.directory, self._environ(), self.options)

    def _file_command(self, name: str) -> None:
        path = self.directory / "file_commands" / name
        path.touch(0o644)
        if os.geteuid() == 0:  # on a real runner we are that user
            os.chown(path, self.owner, self.owner)

    def _environ(self) -> dict[str, str]:
        """Make the variables that the runner sets: every declared input, with its default or empty."""
        declared = {name: str(about.get("default", "")) for name, about in ACTION["inputs"].items()}
        assert self.inputs.keys() <= declared.keys()
        inputs = {**declared, **self.inputs}
        return {
            **{f"INPUT_{name.replace(' ', '_').upper()}": value for name, value in inputs.items()},
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_OUTPUT": "/github/file_commands/output",
            "GITHUB_STEP_SUMMARY": "/github/file_commands/summary",
            "GITHUB_WORKSPACE": "/github/workspace",
            **self.environ,
        }


class Running:
    """A container that runs a step. It does not outlive its context."""

    def __init__(self, directory: Path, environ: Mapping[str, str], options: Sequence[str]) -> None:
        self._name = f"cfgate-proof-{os.getpid()}-{next(_numbers)}"
        self._files = directory / "file_commands"
        self._log = directory / "log"
        mounts = [f"{directory / here}:{there}" for here, there in _MOUNTS.items()]
        # Values reach the engine by its environment, as the runner does it: no command line shows one.
        command = [ENGINE, "run", "--rm", "--name", self._name, "--network", "host"]
        command += ["--workdir", "/github/workspace", "-e", "HOME=/github/home"]
        command += [word for name in environ for word in ("-e", name)]
        command += [word for mount in mounts for word in ("-v", mount)]
        with self._log.open("wb") as log:
            self._client = subprocess.Popen(
                [*command, *options, IMAGE],
                env={**os.environ, **environ},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._client.poll() is None:
            self.kill()
            self._client.wait(PATIENCE)

    def cancel(self, signal: Signals) -> None:
        """Send a signal as the runner does: to the engine's client, which passes it on to PID 1 inside."""
        self._client.send_signal(signal)

    def kill(self) -> None:
        """End the container at once, as the runner does when a cancelled one outlives its time."""
        subprocess.run([ENGINE, "kill", "--signal", "KILL", self._name], check=True, capture_output=True)

    def wait(self) -> Ended:
        """Wait for the end of the step."""
        exit_code = self._client.wait(PATIENCE)
        log = self._log.read_bytes().decode("utf-8")
        summary = (self._files / "summary").read_text("utf-8")
        return Ended(exit_code, log, (self._files / "output").read_bytes(), summary)


def run_image(
    *arguments: str,
    options: Sequence[str] = (),
    environ: Mapping[str, str] | None = None,
    keep: bool = False,
) -> subprocess.CompletedProcess[str]:
    """Run the image without any runner, as a person or another CI host does; perhaps keep the container."""
    named = [word for name in environ or {} for word in ("-e", name)]
    return subprocess.run(
        [
            ENGINE,
            "run",
            *([] if keep else ["--rm"]),
            "--network",
            "host",
            *named,
            *options,
            IMAGE,
            *arguments,
        ],
        env={**os.environ, **(environ or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def wait_until(happened: Callable[[], bool]) -> None:
    """Wait for something to happen."""
    deadline = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.02)
