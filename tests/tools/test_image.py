"""How the image of a release is built, as a stand-in for docker sees it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tools import image, source
from tools.release import Refused

ONE, OTHER = (f"sha256:{digit * 64}" for digit in "12")

FAKE_DOCKER = """
import json, os, pathlib, sys
log = pathlib.Path(os.environ["LOG"])
with log.open("a") as file:
    print(json.dumps(sys.argv[1:]), file=file)
for word in sys.argv:
    if word.startswith("--metadata-file="):
        answer = {"containerimage.digest": os.environ["DIGEST"]}
        pathlib.Path(word.partition("=")[2]).write_text(json.dumps(answer))
if "inspect" in sys.argv:
    print(os.environ["INDEX"])
if "build" in sys.argv:
    context = pathlib.Path(sys.argv[-1])
    files = {str(p.relative_to(context)): oct(p.stat().st_mode & 0o777) for p in context.rglob("*")}
    pathlib.Path(os.environ["LOG"] + ".files").write_text(json.dumps(files))
"""


class Docker:
    """A stand-in for docker that records what it is told."""

    def __init__(self, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.log = directory / "log"
        (directory / "docker").write_text(f"#!{sys.executable}\n{FAKE_DOCKER}")
        (directory / "docker").chmod(0o755)
        monkeypatch.setenv("LOG", str(self.log))
        monkeypatch.setenv("PATH", str(directory), prepend=":")
        monkeypatch.setenv("DIGEST", ONE)
        self._monkeypatch = monkeypatch
        self.index(OTHER)

    def index(self, *digests: str) -> None:
        """Say what a registry has under the digest that was pushed."""
        platform = {"os": "linux", "architecture": "arm64"}
        manifests = [{"digest": digest, "platform": platform} for digest in digests]
        about = {"digest": ONE, "platform": {"os": "unknown", "architecture": "unknown"}}
        self._monkeypatch.setenv("INDEX", json.dumps({"manifests": [*manifests, about]}))

    def calls(self) -> list[list[str]]:
        """List the calls."""
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def build(self) -> list[str]:
        """Return the options of the one build."""
        (found,) = (call for call in self.calls() if call[:2] == ["buildx", "build"])
        return found

    def files(self) -> dict[str, Any]:
        """Return the files that were given to the build, with their modes."""
        found: dict[str, Any] = json.loads(Path(f"{self.log}.files").read_text())
        return found


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Docker:
    """Put the stand-in in the place of docker."""
    return Docker(tmp_path, monkeypatch)


def decisive(options: list[str]) -> list[str]:
    """Keep what decides the bytes of the manifest."""
    kinds = ("--platform", "--build-arg", "--label")
    return [option for option in options if option.startswith(kinds)]


def test_a_release_and_a_rebuild_build_the_same(docker: Docker) -> None:
    """What decides the bytes is the same for whoever pushes and whoever compares."""
    assert image.digest("arm64", "Your-Org/cfgate") == ONE
    rebuilt = docker.build()
    docker.log.unlink()
    assert image.push("arm64", "Your-Org/cfgate") == {"arm64": ONE, "arm64-manifest": OTHER}
    pushed = docker.build()
    assert decisive(rebuilt) == decisive(pushed)
    assert {option.partition("=")[0] for option in decisive(pushed)} == {
        "--platform",
        "--build-arg",
        "--label",
    }
    assert f"--build-arg=SOURCE_DATE_EPOCH={source.epoch()}" in pushed
    for options in (rebuilt, pushed):
        (out,) = (option for option in options if option.startswith("--output="))
        assert {"rewrite-timestamp=true", "oci-mediatypes=true"} <= set(out.split(","))
        assert "--no-cache" in options
    assert "name=ghcr.io/your-org/cfgate,push-by-digest=true" in next(o for o in pushed if "--output" in o)


def test_the_builder_is_the_pinned_one(docker: Docker) -> None:
    """It is made for the build, and removed after it."""
    image.digest("amd64", "your-org/cfgate")
    create, build, remove = docker.calls()
    assert f"--driver-opt=image={image.pins()['buildkit']}" in create
    assert "@sha256:" in image.pins()["buildkit"]
    name = next(option for option in create if option.startswith("--name=")).partition("=")[2]
    assert f"--builder={name}" in build
    assert remove == ["buildx", "rm", name]


def test_what_is_built_is_what_is_committed(docker: Docker) -> None:
    """The build sees the committed files, with one set of modes, and nothing that lies about."""
    image.digest("amd64", "your-org/cfgate")
    files = docker.files()
    committed = source.files()
    places = {str(place) for name in committed for place in Path(name).parents} - {"."}
    assert files.keys() == committed.keys() | places
    assert {files[name] for name in committed if not committed[name].executable} == {"0o644"}
    assert {files[place] for place in places} == {"0o755"}


@pytest.mark.parametrize("digests", [(), (OTHER, ONE), ("sha256:short",)])
def test_what_was_pushed_holds_one_manifest(digests: tuple[str, ...], docker: Docker) -> None:
    """An index that is not as expected is not released."""
    docker.index(*digests)
    with pytest.raises(Refused, match="manifests for arm64, and not one"):
        image.push("arm64", "your-org/cfgate")


@pytest.mark.usefixtures("docker")
def test_a_builder_that_names_no_digest_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing but a digest goes on to the next job."""
    monkeypatch.setenv("DIGEST", "latest")
    with pytest.raises(Refused, match="names no digest"):
        image.digest("amd64", "your-org/cfgate")
