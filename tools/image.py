"""Build the image as a release does, and find its digest: the same for everybody who builds the same commit.

`digest` prints that of the manifest for one architecture; `push` pushes it too, by digest alone, with an
SBOM and its provenance. Both print lines for GITHUB_OUTPUT, and build the committed files with the builder
that `.ci/images/Dockerfile` pins, at the time of the commit. What the builder adds to describe its own run is
apart from the manifest, and differs.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))  # run as a script, from anywhere

from tools import source  # noqa: E402 - the path comes first
from tools.release import Refused, image_name  # noqa: E402

PINS: Final = ROOT / ".ci" / "images" / "Dockerfile"
_PIN: Final = re.compile(r"^FROM (\S+@sha256:[0-9a-f]{64}) AS (\S+)$", re.MULTILINE)
_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}")
BUILDER: Final = "cfgate-release"


def pins() -> dict[str, str]:
    """Return the images of others by the names that they are given in `.ci/images/Dockerfile`."""
    return {name: image for image, name in _PIN.findall(PINS.read_text("utf-8"))}


def arguments(architecture: str, repository: str) -> list[str]:
    """Return what decides the bytes of the manifest, so the same for everybody who builds."""
    tree = source.files()
    labels = {
        "version": source.version(tree),
        "revision": source.git("rev-parse", "HEAD").decode().strip(),
        "source": f"https://github.com/{repository}",
    }
    given = [f"--label=org.opencontainers.image.{name}={value}" for name, value in labels.items()]
    return [f"--platform=linux/{architecture}", f"--build-arg=SOURCE_DATE_EPOCH={source.epoch()}", *given]


def digest(architecture: str, repository: str) -> str:
    """Build and return the digest of the manifest; nothing is pushed."""
    with tempfile.TemporaryDirectory(prefix="image-") as directory:
        out = f"--output=type=oci,dest={directory}/image.tar,rewrite-timestamp=true,oci-mediatypes=true"
        return _build(
            directory, *arguments(architecture, repository), "--provenance=false", "--sbom=false", out
        )


def push(architecture: str, repository: str) -> dict[str, str]:
    """Build and push by digest; return the digest of what was pushed, and of the manifest in it."""
    name = image_name(repository)
    with tempfile.TemporaryDirectory(prefix="image-") as directory:
        out = f"--output=type=image,name={name},push-by-digest=true,name-canonical=true,push=true"
        out += ",rewrite-timestamp=true,oci-mediatypes=true"
        described = ["--provenance=mode=max", f"--sbom=generator={pins()['scanner']}"]
        pushed = _build(directory, *arguments(architecture, repository), *described, out)
    index = json.loads(_run("docker", "buildx", "imagetools", "inspect", "--raw", f"{name}@{pushed}"))
    wanted = {"os": "linux", "architecture": architecture}
    found = [each["digest"] for each in index["manifests"] if wanted.items() <= each["platform"].items()]
    if len(found) != 1 or _DIGEST.fullmatch(found[0]) is None:
        raise Refused(f"{name}@{pushed} has {len(found)} manifests for {architecture}, and not one")
    return {architecture: pushed, f"{architecture}-manifest": found[0]}


def _build(directory: str, *options: str) -> str:
    """Build the committed files by the pinned builder; return the digest that it names."""
    context, told = Path(directory, "context"), Path(directory, "metadata.json")
    context.mkdir()
    source.write(source.files(), context)
    with _builder() as builder:
        _run("docker", "buildx", "build", f"--builder={builder}", f"--metadata-file={told}",
             "--no-cache", "--pull", "--progress=plain", *options, str(context))  # fmt: skip
    found = json.loads(told.read_text("utf-8"))["containerimage.digest"]
    if _DIGEST.fullmatch(found) is None:
        raise Refused(f"the builder names no digest: {found!r}")
    return str(found)


@contextmanager
def _builder() -> Iterator[str]:
    option = f"--driver-opt=image={pins()['buildkit']}"
    _run("docker", "buildx", "create", f"--name={BUILDER}", "--driver=docker-container", option)
    try:
        yield BUILDER
    finally:
        _run("docker", "buildx", "rm", BUILDER)


def _run(*command: str) -> str:
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def main(argv: list[str]) -> None:
    """Do what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m tools.image", description=__doc__)
    parser.add_argument("task", choices=["digest", "push"])
    parser.add_argument("architecture", choices=["amd64", "arm64"])
    parser.add_argument("--repository", required=True)
    asked = parser.parse_args(argv)
    if asked.task == "digest":
        print(f"{asked.architecture}={digest(asked.architecture, asked.repository)}")
        return
    for name, value in push(asked.architecture, asked.repository).items():
        print(f"{name}={value}")


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except Refused as refused:
        sys.exit(f"refused: {refused}")
