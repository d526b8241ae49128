"""GitLab's pipeline for a release: it copies the image that the commit names, and gives its name once."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.tools.repositories import ACTION, COMPONENT, Repository
from tools.release import pinned, pinned_component

ROOT = Path(__file__).parents[2]
PIPELINE: dict[str, Any] = yaml.safe_load((ROOT / ".gitlab-ci.yml").read_text("utf-8"))
ONE, OTHER = (f"sha256:{digit * 64}" for digit in "12")
TAG = "$CI_COMMIT_TAG =~ /^[0-9]+\\.[0-9]+\\.[0-9]+(-(alpha|beta|rc)\\.[0-9]+)?$/"
OWN = "registry.example.com/studio/cfgate"

# A registry in a directory: a name is a file with the digest of its manifest in it.
SKOPEO = """
import os, pathlib, sys
store = pathlib.Path(os.environ["STORE"])
def place(name):
    assert name.startswith("docker://")
    return store / name.removeprefix("docker://").replace("/", "_")
task, *words = sys.argv[1:]
if task == "login":
    assert sys.stdin.read() == "password\\n"
elif task == "inspect":
    if os.environ.get("BROKEN"):
        sys.exit("unauthorized")
    if not place(words[-1]).exists():
        sys.exit("reading manifest: manifest unknown")
    print(place(words[-1]).read_text())
elif task == "manifest-digest":
    print(pathlib.Path(words[0]).read_text().strip())
else:
    assert task == "copy" and {"--all", "--preserve-digests"} <= set(words)
    source, target = words[-2:]
    digest = source.partition("@")[2] or place(source).read_text()
    place(target).write_text(digest)
"""


class Registry:
    """A registry, and jobs that have it."""

    def __init__(self, directory: Path) -> None:
        self.store = directory / "store"
        self.store.mkdir()
        (directory / "skopeo").write_text(f"#!{sys.executable}\n{SKOPEO}")
        (directory / "skopeo").chmod(0o755)
        self._directory = directory

    def run(self, job: str, digest: str, **environ: str) -> bool:
        """Run the script of a job for version 1.2.3, and return whether it succeeds."""
        given = {
            "PATH": f"{self._directory}:{os.environ['PATH']}",
            "STORE": str(self.store),
            "RELEASED": f"ghcr.io/your-org/cfgate@{digest}",
            "CI_REGISTRY": "registry.example.com",
            "CI_REGISTRY_IMAGE": OWN,
            "CI_REGISTRY_USER": "user",
            "CI_REGISTRY_PASSWORD": "password",
            "CI_COMMIT_TAG": "1.2.3",
            "CI_COMMIT_SHA": "abc",
        }
        script = "\n".join(PIPELINE[job]["script"])
        command = ["sh", "-ec", script]
        return subprocess.run(command, cwd=self._directory, env=given | environ, check=False).returncode == 0

    def names(self) -> dict[str, str]:
        """List the names with their digests."""
        prefix = OWN.replace("/", "_")
        return {path.name.removeprefix(prefix): path.read_text() for path in self.store.iterdir()}


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    """Start a registry with nothing in it."""
    return Registry(tmp_path)


def test_the_image_is_copied_and_named(registry: Registry) -> None:
    """The signed digest is the one under the name of the version, and a second run changes nothing."""
    for _ in range(2):
        assert registry.run("copy-image", ONE)
        assert registry.run("publish", ONE)
        assert registry.names() == {":abc": ONE, ":1.2.3": ONE}


def test_a_version_is_never_replaced(registry: Registry) -> None:
    """Another image under the same version is refused, and so is an answer that is not clear."""
    assert registry.run("publish", ONE)
    assert not registry.run("publish", OTHER)
    assert registry.names() == {":1.2.3": ONE}
    (registry.store / f"{OWN.replace('/', '_')}:1.2.3").unlink()
    assert not registry.run("publish", ONE, BROKEN="1")
    assert registry.names() == {}


def test_nothing_is_built_for_a_release() -> None:
    """A tag copies what its commit names; everything else builds."""
    built, copied = PIPELINE["build-image"]["rules"], PIPELINE["copy-image"]["rules"]
    assert built == [{"if": TAG, "when": "never"}, {"when": "on_success"}]
    assert copied == [{"if": TAG}]
    for job in ("agree", "publish", "release"):
        assert PIPELINE[job]["rules"] == [{"if": TAG}]
    assert set(PIPELINE["publish"]["needs"]) >= {"agree", "copy-image", "expect-ready"}


@pytest.mark.parametrize(
    ("action", "component", "released"),
    [(ONE, ONE, True), (None, ONE, False), (ONE, None, False), (ONE, OTHER, False), (None, None, False)],
)
def test_a_commit_that_names_no_image_is_no_release(
    action: str | None, component: str | None, released: bool, tmp_path: Path
) -> None:
    """The first job for a tag stops unless action.yml and the component name one image by digest."""
    for name in ("tools/__init__.py", "tools/release.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text((ROOT / name).read_text("utf-8"))
    repository = Repository(tmp_path)  # for the files of its first commit
    image = "ghcr.io/your-org/cfgate@"
    texts = {
        "action.yml": pinned(ACTION, image + action) if action else ACTION,
        "templates/cfgate.yml": pinned_component(COMPONENT, image + component) if component else COMPONENT,
        "cfgate/__init__.py": '__version__ = "1.2.3"\n',
        "CHANGELOG.md": "## [Unreleased]\n\n## [1.2.3] - 2026-01-31\n\n- It.\n",
    }
    for name, text in texts.items():
        repository.write(f"../{name}", text)
    (tmp_path / "python").symlink_to(sys.executable)
    ended = subprocess.run(
        ["sh", "-ec", "\n".join(PIPELINE["agree"]["script"])],
        cwd=tmp_path,
        env={"PATH": f"{tmp_path}:{os.environ['PATH']}", "CI_COMMIT_TAG": "1.2.3"},
        check=False,
    )
    assert (ended.returncode == 0) is released
    assert (tmp_path / "released.env").exists() is released
    if released:
        assert (tmp_path / "released.env").read_text() == f"RELEASED={image}{ONE}\n"
        assert (tmp_path / "notes.md").read_text() == "- It.\n"
