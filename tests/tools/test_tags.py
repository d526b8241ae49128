"""The commit and the tags of a release, in real repositories: what is there is never overwritten."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tools.release import Refused, Version
from tools.tags import Remote

ACTION = "name: cfgate\n\nruns:\n  using: docker\n  image: Dockerfile\n"
ONE, OTHER = (f"sha256:{digit * 64}" for digit in "12")
REPOSITORY = "Your-Org/cfgate"


class Repository:
    """A bare repository, a maintainer's clone, and the fresh checkout of a workflow."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.bare = directory / "origin.git"
        self.maintainer = directory / "maintainer"
        self.git(directory, "init", "-q", "--bare", "-b", "main", str(self.bare))
        self.git(directory, "clone", "-q", str(self.bare), str(self.maintainer))
        (self.maintainer / "action.yml").write_text(ACTION)
        (self.maintainer / "run").write_text("#!/bin/sh\n")
        (self.maintainer / "run").chmod(0o755)

    def git(self, where: Path, *command: str) -> str:
        """Run git as somebody whose own settings play no part."""
        who = {f"GIT_{role}_{what}": "a@b" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
        environ = {**os.environ, **who, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
        return subprocess.run(
            ["git", *command], cwd=where, env=environ, check=True, capture_output=True, text=True
        ).stdout.strip()

    def tag(self, version: str, *, annotated: bool = False) -> str:
        """Commit something, tag it with a version, and push both; return the commit."""
        (self.maintainer / "program").write_text(version)
        self.git(self.maintainer, "add", ".")
        self.git(self.maintainer, "commit", "-q", "-m", version)
        self.git(self.maintainer, "tag", *(["-a", "-m", version] if annotated else []), version)
        self.git(self.maintainer, "push", "-q", "origin", "HEAD:main", version)
        return self.there(f"{version}^{{commit}}")

    def there(self, name: str) -> str:
        """Find out which commit a name leads to."""
        return self.git(self.bare, "rev-parse", name)

    def checkout(self) -> Remote:
        """Start a workflow anew."""
        where = self._directory / f"checkout-{len(list(self._directory.iterdir()))}"
        self.git(self._directory, "clone", "-q", str(self.bare), str(where))
        return Remote(where)

    def release(self, version: str, digest: str = ONE) -> str:
        """Release a version, in a fresh checkout."""
        return self.checkout().release(Version.parse(version), REPOSITORY, digest)

    def move(self, version: str) -> bool:
        """Let the series follow a version, in a fresh checkout."""
        return self.checkout().move(Version.parse(version))


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """Start a repository."""
    return Repository(tmp_path)


@pytest.mark.parametrize("annotated", [False, True])
def test_the_release_commit_follows_the_tagged_one_and_names_the_image(
    repository: Repository, annotated: bool
) -> None:
    """Its parent is what was tested, and nothing differs but the line of the image."""
    tagged = repository.tag("1.2.3", annotated=annotated)
    commit = repository.release("1.2.3")
    assert repository.there("v1.2.3^{commit}") == commit
    assert repository.there("v1.2.3^@") == tagged
    assert repository.there("main") == tagged
    changes = repository.git(repository.bare, "diff", "--unified=0", tagged, commit).splitlines()
    assert [line for line in changes if line[0] in "+-"] == [
        "--- a/action.yml",
        "+++ b/action.yml",
        "-  image: Dockerfile",
        f"+  image: docker://ghcr.io/your-org/cfgate@{ONE}",
    ]


def test_a_step_that_is_run_again_finds_its_work_done(repository: Repository) -> None:
    """The same image gives the same commit, whoever makes it and whenever."""
    repository.tag("1.2.3")
    assert repository.release("1.2.3") == repository.release("1.2.3")
    assert repository.move("1.2.3")
    assert repository.move("1.2.3")


def test_a_release_is_never_overwritten(repository: Repository) -> None:
    """Another image under the same version is refused, and the tag stays where it is."""
    repository.tag("1.2.3")
    commit = repository.release("1.2.3")
    with pytest.raises(Refused, match=r"v1\.2\.3 is [0-9a-f]{40} already"):
        repository.release("1.2.3", OTHER)
    assert repository.there("v1.2.3") == commit


def test_two_that_release_at_once_do_not_overwrite_each_other(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A tag that appears after the look at what is there is not overwritten either."""
    repository.tag("1.2.3")
    late = repository.checkout()
    commit = repository.release("1.2.3")
    monkeypatch.setattr(Remote, "tags", lambda _: {})
    with pytest.raises(subprocess.CalledProcessError):
        late.release(Version.parse("1.2.3"), REPOSITORY, OTHER)
    assert repository.there("v1.2.3") == commit


def test_the_series_follows_the_newest_version_and_never_goes_back(repository: Repository) -> None:
    """A fix of an older version leaves the tags of newer ones alone, and another series too."""
    commits = {}
    for version, follows in {
        "1.2.3": True,
        "1.10.0": True,
        "1.2.4": False,
        "2.0.0": True,
        "1.10.1": True,
    }.items():
        repository.tag(version)
        commits[version] = repository.release(version)
        assert repository.move(version) == follows
    assert repository.there("v1") == commits["1.10.1"]
    assert repository.there("v2") == commits["2.0.0"]
    assert not repository.move("1.10.0")
    assert repository.there("v1") == commits["1.10.1"]


def test_a_prerelease_moves_nothing(repository: Repository) -> None:
    """Nobody who follows a series gets a release candidate."""
    repository.tag("2.0.0-rc.1")
    repository.release("2.0.0-rc.1")
    assert not repository.move("2.0.0-rc.1")
    assert "v2" not in repository.checkout().tags()


def test_a_series_that_was_an_annotated_tag_moves_too(repository: Repository) -> None:
    """What a maintainer once tagged by hand is moved like any other."""
    repository.tag("1.0.0")
    repository.release("1.0.0")
    repository.git(repository.maintainer, "tag", "-a", "-m", "by hand", "v1")
    repository.git(repository.maintainer, "push", "-q", "origin", "v1")
    assert repository.move("1.0.0")
    assert repository.there("v1^{commit}") == repository.there("v1.0.0")


def test_a_series_follows_only_what_is_released(repository: Repository) -> None:
    """Without the tag of the version there is nothing to follow."""
    repository.tag("1.2.3")
    with pytest.raises(Refused, match=r"v1\.2\.3 is not there"):
        repository.move("1.2.3")
