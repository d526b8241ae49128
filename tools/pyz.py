"""Make cfgate.pyz of HEAD: the whole program in one file, for machines without Docker.

`python -I -S tools/pyz.py build DIRECTORY` writes it and what it carries, as an SPDX document; `check` in the
place of `build` makes them again elsewhere, compares, and gates with the file. Its parts are the committed
package and the wheels of `requirements/runtime.txt`. They are stored, not compressed, so that no version of
zlib is seen in the bytes. What is not committed is not in it.
"""

from __future__ import annotations

import argparse
import datetime as dt
import hashlib
import io
import json
import os
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email.message import Message
from email.parser import HeaderParser
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))  # run as a script, from anywhere

from tools import source  # noqa: E402 - the path comes first
from tools.dist import ELSEWHERE, OTHER_UMASK, Different, compare, contents  # noqa: E402
from tools.release import Refused  # noqa: E402

NAME: Final = "cfgate.pyz"
SBOM: Final = f"{NAME}.spdx.json"
LARGEST: Final = 3_000_000  # bytes
# One set of wheels for all machines that make the file: those without compiled parts, and for packages that
# have none such, those of one platform, whose compiled parts are left out. (PyYAML's for Windows differs.)
PURE: Final = ("--platform", "any", "--abi", "none", "--implementation", "py", "--python-version", "3.11")
PLATFORM: Final = "manylinux2014_x86_64"
COMPILED: Final = {
    "pyyaml": (
        *("--platform", PLATFORM, "--abi", "cp313"),
        *("--implementation", "cp", "--python-version", "3.13"),
    )
}
# What Python reads of a package, its licence and its name; no compiled part, test or list of installed files.
_KEPT: Final = re.compile(
    r"(?!.*/tests/)(?:(?!.*\.dist-info/).*\.(?:py|pem|yml)|[^/]+\.dist-info/(?:METADATA|licenses/.+|LICEN[CS]E.*))",
    re.IGNORECASE,
)
_REQUIREMENT: Final = re.compile(
    r"^([a-z0-9-]+)==([^ ;\\]+)[^\\\n]*((?:\\\n +--hash=sha256:[0-9a-f]{64} ?)+)", re.M
)

# Read by whatever Python a machine has, so written for the oldest.
MAIN: Final = """\
import sys

if sys.version_info < (3, 11):
    sys.stderr.write(
        "cfgate needs Python 3.11 or newer, and %s is Python %d.%d. Run the file with a newer one, "
        "for example: python3.13 cfgate.pyz\\n" % ((sys.executable or "this",) + tuple(sys.version_info[:2]))
    )
    sys.exit(2)

import _signal

# What follows takes time to load; until cfgate listens, Ctrl-C ends it as any other signal does.
_signal.signal(_signal.SIGINT, _signal.SIG_DFL)

import runpy

runpy.run_module("cfgate", run_name="__main__", alter_sys=True)
"""


@dataclass(frozen=True, slots=True)
class Wheel:
    """A wheel as it was published."""

    name: str
    content: bytes

    @property
    def digest(self) -> str:
        """Its SHA-256, in hexadecimal."""
        return hashlib.sha256(self.content).hexdigest()

    def files(self) -> dict[str, bytes]:
        """Read what belongs into the single file, by path."""
        with zipfile.ZipFile(io.BytesIO(self.content)) as archive:
            return {name: archive.read(name) for name in archive.namelist() if _KEPT.fullmatch(name)}

    def metadata(self) -> Message:
        """Read its name, version and licence."""
        with zipfile.ZipFile(io.BytesIO(self.content)) as archive:
            (path,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
            return HeaderParser().parsestr(archive.read(path).decode())


def locked(lock: str) -> dict[str, str]:
    """Return the requirements of a lock file by name, each with its hashes and for every system."""
    found = {name: f"{name}=={version} {hashes}" for name, version, hashes in _REQUIREMENT.findall(lock)}
    if len(found) != len(re.findall(r"^[a-zA-Z0-9]", lock, re.MULTILINE)):
        raise Refused("the lock file has a requirement that is not understood")
    return {name: re.sub(r"\\\n *", "", line).strip() for name, line in found.items()}


def fetch(lock: str) -> list[Wheel]:
    """Fetch the one set of wheels, each by its hash; the system that this runs on plays no part."""
    requirements = locked(lock)
    if missing := COMPILED.keys() - requirements.keys():
        raise Refused(f"not locked: {', '.join(sorted(missing))}")
    with tempfile.TemporaryDirectory(prefix="wheels-") as directory:
        for name, line in requirements.items():
            Path(directory, f"{name}.txt").write_text(f"{line}\n", "utf-8")
        pure = [f"--requirement={name}.txt" for name in requirements if name not in COMPILED]
        _download(directory, *PURE, *pure)
        for name, options in COMPILED.items():
            _download(directory, *options, f"--requirement={name}.txt")
        wheels = [Wheel(path.name, path.read_bytes()) for path in sorted(Path(directory).glob("*.whl"))]
    if len(wheels) != len(requirements):
        raise Refused(f"{len(requirements)} wheels are locked, and {len(wheels)} came")
    if foreign := [wheel.name for wheel in wheels if f"--hash=sha256:{wheel.digest}" not in lock]:
        raise Refused(f"wheels that are not locked: {foreign}")  # whatever pip made of them
    return wheels


def _download(directory: str, *options: str) -> None:
    pip = (sys.executable, "-I", "-m", "pip", "download", "-qq", "--disable-pip-version-check", "--no-input")
    locked_only = ("--no-deps", "--only-binary", ":all:", "--require-hashes", "--no-cache-dir")
    subprocess.run([*pip, *locked_only, *options], cwd=directory, check=True)


def entries(tree: Mapping[str, source.File], wheels: list[Wheel]) -> dict[str, bytes]:
    """Return what the file holds, by path; raise Refused where two parts want the same path."""
    found = {"__main__.py": MAIN.encode(), "LICENSE": tree["LICENSE"].content}
    package = {name: file.content for name, file in tree.items() if name.startswith("cfgate/")}
    for part in (package, *(wheel.files() for wheel in wheels)):
        if twice := found.keys() & part.keys():
            raise Refused(f"two parts have {sorted(twice)}")
        found |= part
    return found


def pack(files: Mapping[str, bytes]) -> bytes:
    """Write a zip file that Python runs: in one order, at one time, with one mode, uncompressed."""
    packed = io.BytesIO()
    packed.write(b"#!/usr/bin/env python3\n")
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.create_system = 3  # Unix, also when made on Windows
            entry.external_attr = 0o100644 << 16
            archive.writestr(entry, files[name])
    if packed.tell() > LARGEST:
        raise Refused(f"{NAME} has {packed.tell():,} bytes, and {LARGEST:,} are the most")
    return packed.getvalue()


def sbom(version: str, epoch: int, packed: bytes, wheels: list[Wheel]) -> bytes:
    """Write what the file carries, as an SPDX 2.3 document in JSON."""
    digest = hashlib.sha256(packed).hexdigest()
    packages = [_package("cfgate", version, "MIT", NAME, digest), *map(_carried, wheels)]
    about = {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": f"{NAME}-{version}",
        "documentNamespace": f"urn:sha256:{digest}",
        "creationInfo": {"created": _time(epoch), "creators": ["Tool: cfgate-tools.pyz"]},
        "packages": packages,
        "relationships": list(_relations(packages)),
    }
    return json.dumps(about, indent=2).encode() + b"\n"


def _carried(wheel: Wheel) -> dict[str, Any]:
    about = wheel.metadata()
    licence = about.get("License-Expression") or "NOASSERTION"
    return _package(about["Name"], about["Version"], licence, wheel.name, wheel.digest)


def _package(name: str, version: str, licence: str, file: str, digest: str) -> dict[str, Any]:
    normal = re.sub(r"[-_.]+", "-", name).lower()
    return {
        "SPDXID": f"SPDXRef-{normal}",
        "name": normal,
        "versionInfo": version,
        "packageFileName": file,
        "downloadLocation": "NOASSERTION",
        "filesAnalyzed": False,
        "licenseConcluded": "NOASSERTION",
        "licenseDeclared": licence,
        "copyrightText": "NOASSERTION",
        "checksums": [{"algorithm": "SHA256", "checksumValue": digest}],
        "externalRefs": [
            {
                "referenceCategory": "PACKAGE-MANAGER",
                "referenceType": "purl",
                "referenceLocator": f"pkg:pypi/{normal}@{version}",
            }
        ],
    }


def _relations(packages: list[dict[str, Any]]) -> Iterator[dict[str, str]]:
    program, *carried = (package["SPDXID"] for package in packages)
    yield _relation("SPDXRef-DOCUMENT", "DESCRIBES", program)
    for identity in carried:
        yield _relation(program, "CONTAINS", identity)


def _relation(one: str, kind: str, other: str) -> dict[str, str]:
    return {"spdxElementId": one, "relationshipType": kind, "relatedSpdxElement": other}


def _time(epoch: int) -> str:
    return dt.datetime.fromtimestamp(epoch, dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def build(out: Path) -> None:
    """Make the file and its SBOM from HEAD."""
    tree = source.files()
    wheels = fetch(tree["requirements/runtime.txt"].content.decode())
    packed = pack(entries(tree, wheels))
    out.mkdir(parents=True, exist_ok=True)
    (out / NAME).write_bytes(packed)
    (out / NAME).chmod(0o755)
    (out / SBOM).write_bytes(sbom(source.version(tree), int(source.epoch()), packed, wheels))
    print(f"{hashlib.sha256(packed).hexdigest()}  {NAME}  ({len(packed):,} bytes)")


def check(out: Path) -> None:
    """Make them again elsewhere and compare; then gate with the file, away from the source."""
    made = contents(out, NAME, SBOM)
    with tempfile.TemporaryDirectory(prefix="elsewhere-") as directory:
        again = Path(directory, "again")
        subprocess.run(
            [sys.executable, "-I", "-S", __file__, "build", again],
            cwd=ROOT,
            env={**os.environ, **ELSEWHERE},
            umask=OTHER_UMASK,
            check=True,
        )
        compare(made, contents(again))
        ended = subprocess.run(
            [sys.executable, "-I", again / NAME, "9001", "--rehearse", "ready", "--poll-interval", "1s"],
            cwd=directory,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
    print(ended.stdout, end="")
    if not ended.stdout.splitlines()[-1].startswith("ready (rehearsal"):
        raise Different(f"the gate of {NAME} ends otherwise than `ready`")
    print(f"{NAME}: the same bytes wherever it is made")


def main() -> None:
    """Do what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -I -S tools/pyz.py", description=__doc__)
    parser.add_argument("task", choices=["build", "check"])
    parser.add_argument("directory", type=Path)
    asked = parser.parse_args()
    (build if asked.task == "build" else check)(asked.directory)


if __name__ == "__main__":
    try:
        main()
    except (Refused, Different) as refused:
        sys.exit(f"refused: {refused}")
