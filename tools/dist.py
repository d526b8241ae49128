"""Make the wheel and the sdist of HEAD, and prove that anybody who makes them gets the same bytes.

`python -I -S tools/dist.py build DIRECTORY` writes them; `check` instead of `build` makes them again under
other circumstances, compares, and gates with the wheel as a user would install it. The interpreter is that of
an environment with `requirements/build.txt` and nothing else. What is not committed is not in them.

The bytes are the same for every umask, locale, time zone, path and clock, and for every zlib that compresses
alike: zlib-ng, for one, does not. `build` prints which one it had.
"""

from __future__ import annotations

import argparse
import io
import os
import subprocess
import sys
import tarfile
import tempfile
import tomllib
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))  # run as a script, from anywhere

from tools import source  # noqa: E402 - the path comes first

KINDS: Final = (".whl", ".tar.gz")
# Another user's machine: nothing of this may be seen in the files.
ELSEWHERE: Final = {"TZ": "Pacific/Kiritimati", "LC_ALL": "C", "LANG": "C", "PYTHONHASHSEED": "7"}
OTHER_UMASK: Final = 0o077
# Runs in a process of its own, with the standard library and the folder of the back end on its path, and
# without the module `site`: no .pth file, sitecustomize or variable comes between the source and the files.
_HOOKS: Final = """
import importlib, sys
folder, backend, out, *hooks = sys.argv[1:]
sys.path.append(folder)
for hook in hooks:
    getattr(importlib.import_module(backend), hook)(out)
"""


class Different(Exception):
    """Something that must be the same is not."""


def build(out: Path, backend: Path | None = None) -> None:
    """Build both from a clean copy of HEAD, by the back end that pyproject.toml names and `backend` holds."""
    out = out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    for old in contents(out, *KINDS):
        (out / old).unlink()
    with tempfile.TemporaryDirectory(prefix="checkout-") as directory:
        source.write(source.files(), Path(directory))
        call_hooks(Path(directory), out, "build_sdist", "build_wheel", backend=backend)
    print(f"made with zlib {zlib.ZLIB_RUNTIME_VERSION}")


def call_hooks(project: Path, out: Path, *hooks: str, backend: Path | None = None) -> None:
    """Call hooks of the build back end of a project, as pip does, but with the back end that is installed."""
    folder = backend or _packages()
    table = tomllib.loads((project / "pyproject.toml").read_text("utf-8"))["build-system"]
    subprocess.run(
        [sys.executable, "-I", "-S", "-B", "-c", _HOOKS, folder, table["build-backend"], out, *hooks],
        cwd=project,
        env=source.environment(),
        check=True,
    )


def _packages() -> Path:
    """Return the packages of the environment that runs this, which Python does not know without `site`."""
    environment = Path(sys.executable).parents[1]
    (folder,) = environment.glob(
        "[Ll]ib/**/site-packages" if os.name == "nt" else "lib/python3*/site-packages"
    )
    return folder


def check(out: Path) -> None:
    """Build again elsewhere, and the wheel from the sdist too; compare all, and use a copy of the wheel."""
    made = contents(out, *KINDS)
    (wheel,), (sdist,) = ([name for name in made if name.endswith(kind)] for kind in KINDS)
    with tempfile.TemporaryDirectory(prefix="elsewhere-") as directory:
        again, unpacked = Path(directory, "again"), Path(directory, "unpacked")
        subprocess.run(
            [sys.executable, "-I", "-S", __file__, "build", again],
            cwd=ROOT,
            env={**os.environ, **ELSEWHERE},
            umask=OTHER_UMASK,
            check=True,
        )
        compare(made, contents(again))
        (again / wheel).unlink()
        _unpack(made[sdist], unpacked)
        call_hooks(unpacked / sdist.removesuffix(".tar.gz"), again, "build_wheel")
        compare(made, contents(again))
        use(again / wheel, Path(directory, "venv"))  # last, for it runs what others wrote
    for name in sorted(made):
        print(f"{name}: the same bytes, with this zlib")


def compare(one: Mapping[str, bytes], other: Mapping[str, bytes]) -> None:
    """Raise Different unless both are the same files with the same bytes."""
    if one.keys() != other.keys():
        raise Different(f"other files: {sorted(one)} and {sorted(other)}")
    different = sorted(name for name in one if one[name] != other[name])
    if not different:
        return
    if all(_unpacked(name, one[name]) == _unpacked(name, other[name]) for name in different):
        raise Different(f"the same contents, compressed by another zlib: {different}")
    raise Different(f"the same files with other bytes: {different}")


def _unpacked(name: str, content: bytes) -> object:
    """Return what compression leaves alone; of a file that is no archive, its bytes."""
    try:
        if name.endswith(".whl"):
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                return [
                    (each.filename, each.date_time, each.external_attr, archive.read(each))
                    for each in archive.infolist()
                ]
        if name.endswith(".tar.gz"):
            return zlib.decompress(content, wbits=31)
    except (zipfile.BadZipFile, zlib.error):
        pass
    return content


def contents(directory: Path, *ends: str) -> dict[str, bytes]:
    """Read the files of a directory, or those whose names end so."""
    return {path.name: path.read_bytes() for path in directory.iterdir() if path.name.endswith(ends or "")}


def use(wheel: Path, venv: Path) -> None:
    """Install the wheel beside the locked packages, and gate with it, away from the source."""
    _run(sys.executable, "-m", "venv", venv)
    python = venv / "bin" / "python"
    install = (python, "-m", "pip", "install", "-qq", "--disable-pip-version-check")
    _run(*install, "--only-binary", ":all:", "--require-hashes", "-r", "requirements/runtime.txt")
    _run(*install, "--no-deps", "--no-index", wheel)
    program, version = venv / "bin" / "cfgate", source.version(source.files())
    if (told := _run(program, "--version", cwd=venv).strip()) != f"cfgate {version}":
        raise Different(f"{wheel.name} says that it is {told!r}, and HEAD that it is {version}")
    log = _run(program, "9001", "--rehearse", "ready", "--poll-interval", "1s", cwd=venv)
    print(log, end="")
    if not log.splitlines()[-1].startswith("ready (rehearsal"):
        raise Different("the gate of the wheel ends otherwise than `ready`")


def _unpack(archive: bytes, directory: Path) -> None:
    """Write the files of an sdist, with the permissions that are in it."""
    with tarfile.open(fileobj=io.BytesIO(archive)) as tree:
        tree.extractall(directory, filter="data")


def _run(*command: str | Path, cwd: Path = ROOT) -> str:
    return subprocess.run(command, cwd=cwd, stdout=subprocess.PIPE, text=True, check=True).stdout


def main() -> None:
    """Do what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -I -S tools/dist.py", description=__doc__)
    parser.add_argument("task", choices=["build", "check"])
    parser.add_argument("directory", type=Path)
    asked = parser.parse_args()
    (build if asked.task == "build" else check)(asked.directory)


if __name__ == "__main__":
    main()
