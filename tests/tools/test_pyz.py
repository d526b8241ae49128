"""The single file: what is in it, that its bytes are always the same, and how it starts."""

from __future__ import annotations

import ast
import hashlib
import io
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools import source
from tools.pyz import LARGEST, MAIN, Wheel, entries, locked, pack, sbom
from tools.release import Refused

ROOT = Path(__file__).parents[2]
HASH = "0" * 64
OF_A_HOST = ("CFGATE", "INPUT", "GITHUB")
METADATA = b"Name: A.Thing\nVersion: 1.2\nLicense-Expression: MIT\n\nText\n"


def wheel(files: Mapping[str, bytes]) -> Wheel:
    """Make the wheel of a package called thing."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("thing-1.2.dist-info/METADATA", METADATA)
        for path, content in files.items():
            archive.writestr(path, content)
    return Wheel("thing-1.2-py3-none-any.whl", packed.getvalue())


TREE = {
    "LICENSE": source.File(b"MIT", executable=False),
    "cfgate/__init__.py": source.File(b'__version__ = "1.2.3"\n', executable=False),
    "cfgate/simulator/scenarios/ready.yml": source.File(b"a: 1\n", executable=False),
    "entrypoint.py": source.File(b"", executable=False),
}


def test_it_holds_the_program_and_what_is_read_of_the_wheels() -> None:
    """Code, data and licences are there; compiled parts, tests and lists of installed files are not."""
    one = wheel(
        {
            "thing/a.py": b"1",
            "thing/data.pem": b"2",
            "thing/_yaml.cpython.so": b"3",
            "thing/tests/test.py": b"4",
            "thing-1.2.dist-info/licenses/LICENSE": b"5",
            "thing-1.2.dist-info/RECORD": b"6",
        }
    )
    assert sorted(entries(TREE, [one])) == [
        "LICENSE",
        "__main__.py",
        "cfgate/__init__.py",
        "cfgate/simulator/scenarios/ready.yml",
        "thing-1.2.dist-info/METADATA",
        "thing-1.2.dist-info/licenses/LICENSE",
        "thing/a.py",
        "thing/data.pem",
    ]


def test_no_wheel_can_take_the_place_of_another_part() -> None:
    """A package that brings a module of ours, or the start of the program, is refused."""
    for path in ("cfgate/__init__.py", "__main__.py"):
        with pytest.raises(Refused, match="two parts have"):
            entries(TREE, [wheel({path: b"evil"})])


@given(st.dictionaries(st.from_regex(r"[a-z]{1,8}(/[a-zé]{1,8}){0,2}\.py", fullmatch=True), st.binary()))
def test_the_same_files_make_the_same_bytes(files: dict[str, bytes]) -> None:
    """The order in which they come plays no part, and everything comes back as it was."""
    packed = pack(files)
    assert packed == pack(dict(reversed(files.items())))
    assert packed.startswith(b"#!/usr/bin/env python3\n")
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == files
        for entry in archive.infolist():
            assert (entry.compress_type, entry.date_time) == (zipfile.ZIP_STORED, (1980, 1, 1, 0, 0, 0))
            assert (entry.external_attr >> 16, entry.create_system, entry.extra) == (0o100644, 3, b"")


@pytest.mark.parametrize("system", ["linux", "win32", "darwin"])
def test_its_bytes_are_those_of_all_pythons_and_systems(system: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Python or a system that writes another zip file would make another file: this one is known."""
    monkeypatch.setattr(sys, "platform", system)
    digest = hashlib.sha256(pack({"__main__.py": b"print(1)\n", "a/b.py": b""})).hexdigest()
    assert digest == "f8bba2a5a6f4a7b7725bf0ad8a66546e627ab8672c33bdb0d6e2c5c0ba3d8a9e"


def test_it_has_a_largest_size() -> None:
    """A file that grows beyond it is not made."""
    assert len(pack({"a.py": b"x" * (LARGEST - 1000)})) <= LARGEST
    with pytest.raises(Refused, match="are the most"):
        pack({"a.py": b"x" * LARGEST})


def test_every_system_takes_the_same_wheels() -> None:
    """What a lock file asks for on one system alone is asked for everywhere."""
    lock = (ROOT / "requirements" / "runtime.txt").read_text("utf-8")
    found = locked(lock)
    assert {"requests", "tenacity", "pyyaml", "certifi"} <= found.keys()
    assert all(";" not in line and "--hash=sha256:" in line for line in found.values())
    hashes = f"\\\n    --hash=sha256:{HASH} \\\n    --hash=sha256:{HASH}\n"
    text = f"thing==1.0 ; sys_platform == 'win32' {hashes}    # via requests\n"
    assert locked(text) == {"thing": f"thing==1.0 --hash=sha256:{HASH} --hash=sha256:{HASH}"}


@pytest.mark.parametrize(
    "lock",
    [
        "thing==1.0\n",
        f"thing>=1.0 \\\n    --hash=sha256:{HASH}\n",
        "thing @ file:///thing.whl\n",
        "-e .\nthing\n",
    ],
)
def test_a_lock_file_that_is_not_understood_is_refused(lock: str) -> None:
    """A requirement without a version or without a hash is not fetched."""
    with pytest.raises(Refused, match="not understood"):
        locked(lock)


def test_it_says_what_it_carries() -> None:
    """The SBOM names the program and each wheel with its digest, and is the same each time."""
    one = wheel({})
    text = sbom("1.2.3", 1_767_225_600, b"packed", [one])
    assert text == sbom("1.2.3", 1_767_225_600, b"packed", [one])
    about = json.loads(text)
    assert about["creationInfo"]["created"] == "2026-01-01T00:00:00Z"
    packages = {package["name"]: package for package in about["packages"]}
    assert packages["cfgate"]["checksums"][0]["checksumValue"] == hashlib.sha256(b"packed").hexdigest()
    assert packages["a-thing"]["checksums"][0]["checksumValue"] == one.digest
    assert (packages["a-thing"]["versionInfo"], packages["a-thing"]["licenseDeclared"]) == ("1.2", "MIT")
    assert {
        "spdxElementId": "SPDXRef-cfgate",
        "relationshipType": "CONTAINS",
        "relatedSpdxElement": "SPDXRef-a-thing",
    } in about["relationships"]


# How it starts


def test_an_old_python_ends_with_a_sentence() -> None:
    """It is read by any Python, and one that is too old says so, with exit code 2."""
    ast.parse(MAIN, feature_version=(3, 4))
    assert not any(isinstance(node, ast.JoinedStr) for node in ast.walk(ast.parse(MAIN)))
    before = "import sys; sys.version_info = (3, 9, 2, 'final', 0); sys.executable = '/usr/bin/python3'\n"
    ended = subprocess.run([sys.executable, "-c", before + MAIN], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr == (
        "cfgate needs Python 3.11 or newer, and /usr/bin/python3 is Python 3.9. "
        "Run the file with a newer one, for example: python3.13 cfgate.pyz\n"
    )


@pytest.fixture(scope="session")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pack the program as it lies here, with the packages that are installed."""
    from importlib import metadata

    tree = {
        path.relative_to(ROOT).as_posix(): path.read_bytes()
        for path in (ROOT / "cfgate").rglob("*")
        if path.suffix in {".py", ".yml"}
    }
    files = {"__main__.py": MAIN.encode(), **tree}
    for name in locked((ROOT / "requirements" / "runtime.txt").read_text("utf-8")):
        try:
            parts = metadata.distribution(name).files or []
        except metadata.PackageNotFoundError:
            continue  # of another system
        for part in parts:
            if part.suffix in {".py", ".pem"} and ".." not in part.parts:
                files[str(part)] = Path(str(part.locate())).read_bytes()
    path = tmp_path_factory.mktemp("pyz") / "cfgate.pyz"
    path.write_bytes(pack(files))
    return path


def start(program: Path, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run the file away from the source, with no package of the interpreter's."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(OF_A_HOST)}
    return subprocess.run(
        [sys.executable, "-I", "-S", str(program), *arguments],
        cwd=program.parent,
        env={**clean, **environ},
        capture_output=True,
        text=True,
        check=False,
    )


def test_it_gates(program: Path) -> None:
    """A whole rehearsal, over real HTTP, with scenarios and certificates read from the file."""
    ended = start(program, "9001", "--rehearse", "ready", "--poll-interval", "1s")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.splitlines()[-1].startswith("ready (rehearsal")


def test_it_knows_its_scenarios(program: Path) -> None:
    """What is read from the package is found in the file."""
    ended = start(program, "9001", "--rehearse", "nothing-like-it")
    assert ended.returncode == 2
    assert "flaky" in ended.stderr + ended.stdout


def test_without_a_temporary_folder_it_says_so(program: Path, tmp_path: Path) -> None:
    """Certificates are copied out of the file; where they cannot be, it says so, in the outputs too."""
    outputs = tmp_path / "outputs"
    outputs.touch()
    broken = (
        "import tempfile, runpy, sys\n"
        "def none(*_): raise FileNotFoundError(2, 'No usable temporary directory found')\n"
        "tempfile._get_default_tempdir = none; tempfile.tempdir = None\n"
        "sys.argv = ['cfgate', '9001', '--rehearse', 'ready']\n"
        f"runpy.run_path({str(program)!r}, run_name='__main__')\n"
    )
    ended = subprocess.run(
        [sys.executable, "-I", "-S", "-c", broken],
        env={**os.environ, "GITHUB_OUTPUT": str(outputs), "GITHUB_ACTIONS": "true"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 2
    assert "no temporary folder can be written" in ended.stdout + ended.stderr
    assert "TMPDIR" in ended.stdout + ended.stderr
    assert "Traceback" not in ended.stdout + ended.stderr
    written = outputs.read_text("utf-8")
    assert "invalid" in written
