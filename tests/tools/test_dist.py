"""Wheel and sdist: nothing but the committed source and the locked back end is seen in them."""

from __future__ import annotations

import gzip
import io
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tools import source
from tools.dist import Different, compare, contents

ROOT = Path(__file__).parents[2]
BUILT = {"cfgate-1.2.3.tar.gz": b"source", "cfgate-1.2.3-py3-none-any.whl": b"wheel"}


def wheel(content: bytes, level: int) -> bytes:
    """Make a wheel with one file, compressed more or less."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=level) as archive:
        archive.writestr(zipfile.ZipInfo("cfgate.py"), content, zipfile.ZIP_DEFLATED, level)
    return packed.getvalue()


def test_the_same_files_with_the_same_bytes_are_the_same(tmp_path: Path) -> None:
    """What lies in a directory is compared by name and by content."""
    for name, content in BUILT.items():
        (tmp_path / name).write_bytes(content)
    compare(BUILT, contents(tmp_path))
    assert contents(tmp_path, ".whl").keys() == {"cfgate-1.2.3-py3-none-any.whl"}


@pytest.mark.parametrize(
    ("again", "why"),
    [
        ({**BUILT, "cfgate-1.2.3.tar.gz": b"sourcf"}, r"with other bytes: \['cfgate-1\.2\.3\.tar\.gz'\]"),
        ({**BUILT, "cfgate-1.2.3-py3-none-any.whl": b""}, "with other bytes"),
        ({"cfgate-1.2.3.tar.gz": b"source"}, "other files"),
        ({**BUILT, "cfgate-1.2.4.tar.gz": b"source"}, "other files"),
        ({}, "other files"),
    ],
)
def test_any_difference_is_told(again: dict[str, bytes], why: str) -> None:
    """Another byte, a file too few or one too many: none of them passes."""
    with pytest.raises(Different, match=why):
        compare(BUILT, again)


def test_another_zlib_is_told_from_another_source() -> None:
    """Whoever builds with a zlib that compresses otherwise learns that it is only that."""
    text = b"import this, and this, and this\n" * 99
    one = {"a.whl": wheel(text, 1), "a.tar.gz": gzip.compress(text, 1, mtime=0)}
    with pytest.raises(Different, match=r"the same contents, compressed by another zlib: .*tar\.gz.*whl"):
        compare(one, {"a.whl": wheel(text, 9), "a.tar.gz": gzip.compress(text, 9, mtime=0)})
    with pytest.raises(Different, match="with other bytes"):
        compare(one, {"a.whl": wheel(text + b"#", 9), "a.tar.gz": gzip.compress(text, 9, mtime=0)})


BACK_END = """
import os, pathlib, sys
TEXT = "clean"
def write(out, name):
    pathlib.Path(out, name).write_text(f"{TEXT} {sorted(p for p in sys.path if 'spy' in p)}")
def build_sdist(out): write(out, "a.tar.gz")
def build_wheel(out): write(out, "a.whl")
"""


@pytest.mark.parametrize("way", [".pth", "sitecustomize", "PYTHONPATH", "working directory"])
def test_nothing_comes_between_the_source_and_what_is_built(way: str, tmp_path: Path) -> None:
    """A package beside the back end, with a .pth file or otherwise, changes nothing in what is built."""
    environment, spy = tmp_path / "environment", tmp_path / "spy"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
    (folder,) = environment.glob("lib/python3*/site-packages")
    (folder / "flit_core").mkdir()
    (folder / "flit_core" / "__init__.py").touch()
    (folder / "flit_core" / "buildapi.py").write_text(BACK_END)
    spy.mkdir()
    poison = (
        "import flit_core.buildapi, subprocess; flit_core.buildapi.TEXT = 'poisoned'; subprocess.run = None"
    )
    if way == ".pth":
        (folder / "evil.pth").write_text(f"{poison}\n")
    elif way == "sitecustomize":
        (folder / "sitecustomize.py").write_text(poison)
    else:
        for name in ("sitecustomize", "argparse", "tomllib"):
            (spy / f"{name}.py").write_text(f"import sys; sys.path.append({str(folder)!r}); {poison}")
    makefile = (ROOT / "Makefile").read_text("utf-8")
    (alone,) = re.findall(r"^ALONE := \$\(BUILD\)/bin/python (.*)$", makefile, re.MULTILINE)
    assert re.findall(r"^\t@(.*) build dist$", makefile, re.MULTILINE) == [
        "$(ALONE) tools/dist.py",
        "$(ALONE) tools/pyz.py",
    ]
    subprocess.run(
        [
            environment / "bin" / "python",
            *alone.split(),
            ROOT / "tools" / "dist.py",
            "build",
            tmp_path / "out",
        ],
        cwd=spy if way == "working directory" else tmp_path,
        env={**os.environ, **({"PYTHONPATH": str(spy)} if way == "PYTHONPATH" else {})},
        check=True,
    )
    assert contents(tmp_path / "out") == {"a.tar.gz": b"clean []", "a.whl": b"clean []"}


def clone(tmp_path: Path, umask: int, *settings: str) -> Path:
    """Clone a small repository as somebody with settings of their own."""
    origin = tmp_path / "origin"
    origin.mkdir()

    def git(*command: str, where: Path = origin) -> None:
        who = ["-c", "user.name=a", "-c", "user.email=a@b"]
        environ = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
        subprocess.run(["git", *who, *command], cwd=where, env=environ, umask=umask, check=True)

    git("init", "-q")
    (origin / "text.py").write_bytes(b"one\ntwo\n")
    (origin / "data").write_bytes(b"one\r\ntwo\n")
    (origin / "run").write_bytes(b"#!/bin/sh\n")
    (origin / "run").chmod(0o755)
    git("add", ".")
    git("commit", "-q", "-m", "x")
    config = [f"--config={setting}" for setting in settings]
    git("clone", "-q", *config, str(origin), "clone", where=tmp_path)
    return tmp_path / "clone"


@pytest.mark.parametrize("settings", [(), ("core.autocrlf=true",), ("core.eol=crlf", "core.autocrlf=input")])
@pytest.mark.parametrize("umask", [0o022, 0o077])
def test_the_source_is_the_committed_one(tmp_path: Path, umask: int, settings: tuple[str, ...]) -> None:
    """Neither line ends as on Windows, nor a umask, nor a lost executable bit change what is built from."""
    tree = source.files(cwd=clone(tmp_path, umask, *settings))
    assert {name: (file.content, file.executable) for name, file in tree.items()} == {
        "text.py": (b"one\ntwo\n", False),
        "data": (b"one\r\ntwo\n", False),
        "run": (b"#!/bin/sh\n", True),
    }
    out = tmp_path / "out"
    out.mkdir()
    former = os.umask(umask)
    try:
        source.write(tree, out)
    finally:
        os.umask(former)
    assert {path.name: path.stat().st_mode & 0o777 for path in out.iterdir()} == {
        "text.py": 0o644,
        "data": 0o644,
        "run": 0o755,
    }


def test_no_clone_changes_a_line_end() -> None:
    """Files are hashed, built and run as they are committed, whatever core.autocrlf says."""
    command = ["git", "check-attr", "text", "cfgate/cli.py", "tests/a.bin", "new.txt"]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert told.splitlines() == [f"{name}: text: unset" for name in command[3:]]


def test_the_version_is_read_and_not_run() -> None:
    """The version of a tree is found without importing it."""
    text = b'raise SystemExit\n__version__ = "1.2.3"\n'
    assert source.version({"cfgate/__init__.py": source.File(text, executable=False)}) == "1.2.3"
