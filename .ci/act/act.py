"""A GitHub runner: nektos/act, an independent implementation, which runs many workflows at once."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import tarfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ACT: Final = os.environ["CFGATE_ACT"]
IMAGE: Final = os.environ["CFGATE_PROOF_IMAGE"]
RUNNER: Final = os.environ["CFGATE_PROOF_PROGRAMS"]
PATIENCE: Final = 900.0

# Names under which the examples know the action, its image and a runner.
PINNED: Final = "0123456789abcdef0123456789abcdef01234567"
_LABELS: Final = ("ubuntu-latest", "self-hosted", "linux", "studio-k8s")
_LINE: Final = re.compile(r"^\[([^/\]]+)/([^\]]*?) *\] (.*)$", re.MULTILINE)


@dataclass(frozen=True)
class Workflow:
    """A workflow that has ended: its log, and how each job ended."""

    log: str

    @property
    def jobs(self) -> list[bool]:
        """Whether each job that ran ended well."""
        return [end == "succeeded" for end in re.findall(r"🏁 +Job (succeeded|failed)", self.log)]


def git(directory: Path, *arguments: str) -> None:
    """Run git quietly."""
    command = ["git", *arguments]
    subprocess.run(command, cwd=directory, check=True, capture_output=True)


def commit(directory: Path, origin: str) -> None:
    """Make a repository of a directory: act reads a commit and an origin."""
    git(directory, "init", "--quiet", "--initial-branch", "main")
    git(directory, "remote", "add", "origin", f"https://github.com/{origin}.git")
    git(directory, "add", "--all")
    author = ("-c", "user.name=proof", "-c", "user.email=proof@example.com")
    git(directory, *author, "commit", "--quiet", "--message", "workflows")


def checkout(directory: Path) -> Path:
    """Make a repository of what is committed, as a clone has it."""
    directory.mkdir()
    command = ["git", "archive", "HEAD"]
    archive = subprocess.run(command, check=True, capture_output=True).stdout
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        tar.extractall(directory, filter="data")
    return directory


def action(directory: Path) -> Path:
    """Make the repository of a release: its action.yml names an image that was built before."""
    directory.mkdir()
    text = Path("action.yml").read_text("utf-8")
    assert "  image: Dockerfile\n" in text
    (directory / "action.yml").write_text(
        text.replace("image: Dockerfile", f"image: docker://{IMAGE}"), "utf-8"
    )
    commit(directory, "your-org/cfgate")
    return directory


def run(
    repository: Path,
    home: Path,
    event: str,
    *arguments: str,
    secrets: Mapping[str, str],
    variables: Mapping[str, str],
) -> tuple[int, str]:
    """Run workflows; return the exit code of act and its log."""
    home.mkdir(exist_ok=True)
    for name, pairs in (("secrets", secrets), ("vars", variables)):
        (home / name).write_text("".join(f"{key}={value}\n" for key, value in pairs.items()), "utf-8")
    command = [
        ACT,
        event,
        *arguments,
        "--secret-file",
        str(home / "secrets"),
        "--var-file",
        str(home / "vars"),
    ]
    # act sends no signal when it is cancelled, and containers of failed jobs stay without --rm.
    command += [
        "--pull=false",
        "--no-cache-server",
        "--rm",
        "--concurrent-jobs",
        str(2 * (os.cpu_count() or 1)),
    ]
    command += [word for label in _LABELS for word in ("-P", f"{label}={RUNNER}")]
    settings = {
        "XDG_CACHE_HOME": str(home / "cache"),
        "XDG_CONFIG_HOME": str(home / "config"),
        "HOME": str(home),
    }
    environ = {
        key: value for key, value in os.environ.items() if not key.startswith(("CFGATE_", "CLANFORGE_"))
    }
    log = home / "log"
    with log.open("wb") as file:
        ended = subprocess.run(
            command,
            cwd=repository,
            env={
                **environ,
                **settings,
                "ACT_DISABLE_VERSION_CHECK": "1",
            },  # else it looks its maker's host up
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            timeout=PATIENCE,
            check=False,
        )
    return ended.returncode, log.read_text("utf-8", "replace")


def run_all(
    directory: Path,
    workflows: Mapping[str, str],
    files: Mapping[str, str],
    local: Iterable[str],
    *,
    inputs: Mapping[str, str],
    secrets: Mapping[str, str],
    variables: Mapping[str, str],
) -> dict[str, Workflow]:
    """Run many workflows in one repository, each under its own name; `local` are names of the action."""
    repository = directory / "repository"
    place = repository / ".github" / "workflows"
    place.mkdir(parents=True)
    for name, text in workflows.items():
        (place / f"{name}.yml").write_text(text, "utf-8")
    for name, text in files.items():
        (repository / name).write_text(text, "utf-8")
        (repository / name).chmod(0o755)
    commit(repository, "your-org/game")
    released = action(directory / "action")
    event = directory / "event.json"
    event.write_text(json.dumps({"inputs": dict(inputs)}), "utf-8")
    words = [word for name in local for word in ("--local-repository", f"{name}={released}")]
    _, log = run(
        repository,
        directory / "home",
        "workflow_dispatch",
        "--eventpath",
        str(event),
        *words,
        secrets=secrets,
        variables=variables,
    )
    logs: dict[str, list[str]] = {name: [] for name in workflows}
    for name, _, line in _LINE.findall(log):
        logs.setdefault(name, []).append(line)
    return {name: Workflow("\n".join(lines)) for name, lines in logs.items()}
