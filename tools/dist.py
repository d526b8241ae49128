"""Make the wheel and the sdist of HEAD, and prove that anybody who makes them gets the same bytes.

`python -m tools.dist build DIRECTORY` writes them; `python -m tools.dist check DIRECTORY` makes them again
under other circumstances, compares, and gates with the wheel as a user would install it. The interpreter must
have `requirements/build.txt`. What is not committed is not in them.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import io
import os
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from cfgate import __version__

ROOT: Final = Path(__file__).parents[1]
# Another user's machine: nothing of this may be seen in the files.
ELSEWHERE: Final = {"TZ": "Pacific/Kiritimati", "LC_ALL": "C", "LANG": "C", "PYTHONHASHSEED": "7"}
OTHER_UMASK: Final = 0o077


class Different(Exception):
    """Something that must be the same is not."""


def build(out: Path) -> None:
    """Build both from a clean checkout of HEAD, by the back end that pyproject.toml names."""
    out = out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    for old in out.iterdir():
        old.unlink()
    archive = subprocess.run(["git", "archive", "HEAD"], cwd=ROOT, check=True, capture_output=True).stdout
    with tempfile.TemporaryDirectory(prefix="checkout-") as directory:
        _unpack(archive, Path(directory))
        call_hooks(Path(directory), out, "build_sdist", "build_wheel")


def call_hooks(source: Path, out: Path, *hooks: str) -> None:
    """Call hooks of the build back end of a project, as pip does, but with the back end that is installed."""
    os.environ["SOURCE_DATE_EPOCH"] = _run("git", "log", "-1", "--format=%ct", "HEAD").strip()
    with contextlib.chdir(source):
        table = tomllib.loads(Path("pyproject.toml").read_text("utf-8"))["build-system"]
        backend: Any = importlib.import_module(table["build-backend"])
        for hook in hooks:
            getattr(backend, hook)(str(out))


def check(out: Path) -> None:
    """Build again elsewhere, and the wheel from the sdist too; compare all, and use the wheel."""
    (wheel,), (sdist,) = (list(out.glob(pattern)) for pattern in ("*.whl", "*.tar.gz"))
    with tempfile.TemporaryDirectory(prefix="elsewhere-") as directory:
        again, unpacked = Path(directory, "again"), Path(directory, "unpacked")
        subprocess.run(
            [sys.executable, "-m", "tools.dist", "build", again],
            cwd=ROOT,
            env={**os.environ, **ELSEWHERE},
            umask=OTHER_UMASK,
            check=True,
        )
        compare(contents(out), contents(again))
        (again / wheel.name).unlink()
        _unpack(sdist.read_bytes(), unpacked)
        call_hooks(unpacked / sdist.name.removesuffix(".tar.gz"), again, "build_wheel")
        compare(contents(out), contents(again))
        use(wheel.resolve(), Path(directory, "venv"))
    for name in sorted(contents(out)):
        print(f"{name}: the same bytes wherever it is built")


def compare(one: Mapping[str, bytes], other: Mapping[str, bytes]) -> None:
    """Raise Different unless both are the same files with the same bytes."""
    if one.keys() != other.keys():
        raise Different(f"other files: {sorted(one)} and {sorted(other)}")
    different = sorted(name for name in one if one[name] != other[name])
    if different:
        raise Different(f"the same files with other bytes: {different}")


def contents(directory: Path) -> dict[str, bytes]:
    """Read the files of a directory."""
    return {path.name: path.read_bytes() for path in directory.iterdir()}


def use(wheel: Path, venv: Path) -> None:
    """Install the wheel beside the locked packages, and gate with it, away from the source."""
    _run(sys.executable, "-m", "venv", venv)
    python = venv / "bin" / "python"
    install = (python, "-m", "pip", "install", "-qq", "--disable-pip-version-check")
    _run(*install, "--only-binary", ":all:", "--require-hashes", "-r", "requirements/runtime.txt")
    _run(*install, "--no-deps", "--no-index", wheel)
    program = venv / "bin" / "cfgate"
    if (told := _run(program, "--version", cwd=venv).strip()) != f"cfgate {__version__}":
        raise Different(f"{wheel.name} says that it is {told!r}, and HEAD that it is {__version__}")
    log = _run(program, "9001", "--rehearse", "ready", "--poll-interval", "1s", cwd=venv)
    print(log, end="")
    if not log.splitlines()[-1].startswith("ready (rehearsal"):
        raise Different("the gate of the wheel ends otherwise than `ready`")


def _unpack(archive: bytes, directory: Path) -> None:
    """Write the files of an archive with the permissions that this user's umask gives."""
    with tarfile.open(fileobj=io.BytesIO(archive)) as tree:
        for member in tree:
            content = tree.extractfile(member) if member.isfile() else None
            if content is not None:
                (directory / member.name).parent.mkdir(parents=True, exist_ok=True)
                (directory / member.name).write_bytes(content.read())


def _run(*command: str | Path, cwd: Path = ROOT) -> str:
    return subprocess.run(command, cwd=cwd, stdout=subprocess.PIPE, text=True, check=True).stdout


def main() -> None:
    """Do what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m tools.dist", description=__doc__)
    parser.add_argument("task", choices=["build", "check"])
    parser.add_argument("directory", type=Path)
    asked = parser.parse_args()
    (build if asked.task == "build" else check)(asked.directory)


if __name__ == "__main__":
    main()
