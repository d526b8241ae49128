"""The committed source: what everything that is shipped is built from, the same in every clone."""

from __future__ import annotations

import io
import os
import re
import subprocess
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
# Settings of a user that would change the bytes: line ends as on Windows.
_AS_COMMITTED: Final = ("-c", "core.autocrlf=false", "-c", "core.eol=lf")
# Nothing that is shipped is made of these.
_NOT_SHIPPED: Final = (":(exclude)tests", ":(exclude)proofs", ":(exclude).ci")


@dataclass(frozen=True, slots=True)
class File:
    """A committed file."""

    content: bytes
    executable: bool


def git(*command: str, cwd: Path = ROOT) -> bytes:
    """Run git and return what it writes."""
    return subprocess.run(["git", *command], cwd=cwd, check=True, stdout=subprocess.PIPE).stdout


def files(commit: str = "HEAD", cwd: Path = ROOT) -> dict[str, File]:
    """Read by path what is shipped of a commit, whatever the clone's umask and settings are."""
    archive = git(*_AS_COMMITTED, "archive", commit, ".", *_NOT_SHIPPED, cwd=cwd)
    found: dict[str, File] = {}
    with tarfile.open(fileobj=io.BytesIO(archive)) as tree:
        for member in tree:
            content = tree.extractfile(member) if member.isfile() else None
            if content is not None:
                found[member.name] = File(content.read(), bool(member.mode & 0o100))
    return found


def write(tree: Mapping[str, File], directory: Path) -> None:
    """Write files below a directory, with the same permissions for every umask."""
    for name, file in tree.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file.content)
        path.chmod(0o755 if file.executable else 0o644)
    for path in (directory, *directory.rglob("*")):
        if path.is_dir():
            path.chmod(0o755)


def epoch(commit: str = "HEAD", cwd: Path = ROOT) -> str:
    """Return the time of a commit, in Unix seconds: the only time that may be seen in what is built."""
    return git("log", "-1", "--format=%ct", commit, cwd=cwd).decode().strip()


def environment(commit: str = "HEAD", cwd: Path = ROOT) -> dict[str, str]:
    """Return the environment of a build."""
    return {**os.environ, "SOURCE_DATE_EPOCH": epoch(commit, cwd)}


def version(tree: Mapping[str, File]) -> str:
    """Return the version that the program of a tree says it has, without running it."""
    text = tree["cfgate/__init__.py"].content.decode()
    (found,) = re.findall(r'^__version__ = "([^"]+)"$', text, re.MULTILINE)
    return str(found)
