"""The commit and the tags of a release, in real repositories: nothing is overwritten, nobody is trusted."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

import pytest

from tests.tools.repositories import FILE, ONE, OTHER, Repository
from tools.release import Refused, Version, leads
from tools.tags import Remote, Tag, read_file

V = Version.parse


@pytest.fixture(autouse=True)
def own_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the git settings of whoever runs the tests out of the code under test."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", "/dev/null")
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """Start a repository."""
    return Repository(tmp_path)


# The release commit


def test_the_release_commit_follows_the_tested_one_and_names_the_image(repository: Repository) -> None:
    """Its parent is what was tested, and nothing differs but two lines, and the single file."""
    tested = repository.commit("1.2.3")
    commit = repository.release("1.2.3")
    assert repository.there("v1.2.3^{commit}") == commit
    assert repository.there("v1.2.3^@") == tested
    assert repository.there("main") == tested
    changes = repository.git(repository.bare, "diff", "--unified=0", "--text", tested, commit).splitlines()
    assert [line for line in changes if line[0] in "+-n"] == [
        "--- a/action.yml",
        "+++ b/action.yml",
        "-  image: Dockerfile",
        f"+  image: docker://{ONE}",
        "new file mode 100755",
        "--- /dev/null",
        "+++ b/cfgate.pyz",
        "+#!/usr/bin/env python3",
        "+PK...",
        "--- a/templates/cfgate.yml",
        "+++ b/templates/cfgate.yml",
        "-      default: ghcr.io/your-org/cfgate:0.1.0",
        f"+      default: {ONE}",
    ]


def test_one_version_has_one_tag(repository: Repository) -> None:
    """Updaters drop the `v` and take the first of equals, so there is no plain tag beside it."""
    commit = repository.commit("1.2.3")
    repository.request("1.2.3", commit)
    repository.release("1.2.3")
    repository.move("1.2.3")
    assert repository.git(repository.bare, "tag").split() == ["v1", "v1.2.3"]


def test_modes_are_kept(repository: Repository) -> None:
    """A file that was executable when it was tested is so in the release."""
    (repository.maintainer / "action.yml").chmod(0o755)
    repository.commit("1.2.3")
    commit = repository.release("1.2.3")
    modes = repository.git(repository.bare, "ls-tree", "--format=%(objectmode) %(path)", commit).splitlines()
    assert {"100755 action.yml", "100755 run", "100755 cfgate.pyz"} <= set(modes)


def test_no_setting_of_git_is_seen_in_the_commit(repository: Repository, tmp_path: Path) -> None:
    """Line ends as on Windows, or a signing key of the runner's, make no other commit."""
    repository.commit("1.2.3")
    commit = repository.release("1.2.3")
    repository.git(repository.bare, "update-ref", "-d", "refs/tags/v1.2.3")
    where = tmp_path / "windows"
    repository.git(tmp_path, "clone", "-q", str(repository.bare), str(where))
    for setting in ("core.autocrlf=true", "commit.gpgSign=true", "core.fileMode=false"):
        repository.git(where, "config", *setting.split("="))
    assert Remote(where).release(V("1.2.3"), repository.there("main"), ONE, FILE) == commit


def test_what_was_tested_is_released_whatever_main_is_now(repository: Repository) -> None:
    """A commit that came later is not in the release."""
    tested = repository.commit("1.2.3")
    repository.commit("1.2.4")
    commit = repository.checkout().release(V("1.2.3"), tested, ONE, FILE)
    assert repository.there(f"{commit}^") == tested


def test_only_what_main_has_been_at_is_released(repository: Repository) -> None:
    """Neither a commit of another branch nor one inside a merged branch was reviewed as what it is."""
    repository.commit("1.2.2")
    repository.git(repository.maintainer, "checkout", "-q", "-b", "topic")
    inside = repository.commit("1.2.3", "topic")
    for _ in range(2):
        with pytest.raises(Refused, match="not a commit that main has been at"):
            repository.checkout().release(V("1.2.3"), inside, ONE, FILE)
        repository.git(repository.maintainer, "checkout", "-q", "-B", "main", "origin/main")
        repository.git(repository.maintainer, "merge", "-q", "--no-ff", "-m", "merge", "topic")
        repository.push("HEAD", "refs/heads/main")
    assert repository.release("1.2.3")


def test_the_single_file_is_never_on_main(repository: Repository) -> None:
    """A commit that brings a file of its own is refused, and not overwritten silently."""
    repository.write("cfgate.pyz", "print('mine')")
    repository.commit("1.2.3")
    with pytest.raises(Refused, match="must not be on main"):
        repository.release("1.2.3")


def test_the_single_file_is_the_one_that_was_made(tmp_path: Path) -> None:
    """Between the jobs goes a digest, and a file with another one is refused."""
    path = tmp_path / "cfgate.pyz"
    path.write_bytes(FILE)
    assert read_file(path, hashlib.sha256(FILE).hexdigest()) == FILE
    with pytest.raises(Refused, match="was made"):
        read_file(path, hashlib.sha256(b"another").hexdigest())


# Again, and against others


def test_a_step_that_is_run_again_finds_its_work_done(repository: Repository) -> None:
    """The same image and file give the same commit, whoever makes it and whenever."""
    repository.commit("1.2.3")
    assert repository.release("1.2.3") == repository.release("1.2.3")
    assert repository.move("1.2.3")
    assert repository.move("1.2.3")


@pytest.mark.parametrize(("image", "file"), [(OTHER, FILE), (ONE, b"another")])
def test_a_release_is_never_overwritten(repository: Repository, image: str, file: bytes) -> None:
    """Another image or file under the same version is refused, and the tag stays where it is."""
    repository.commit("1.2.3")
    commit = repository.release("1.2.3")
    with pytest.raises(Refused, match=r"v1\.2\.3 is [0-9a-f]{40} already"):
        repository.release("1.2.3", image, file)
    assert repository.there("v1.2.3") == commit


def test_two_that_release_at_once_do_not_overwrite_each_other(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A tag that appears after the look at what is there is not overwritten either."""
    repository.commit("1.2.3")
    late = repository.checkout()
    commit = repository.release("1.2.3")
    monkeypatch.setattr(Remote, "tags", lambda _: {})
    with pytest.raises(subprocess.CalledProcessError):
        late.release(V("1.2.3"), repository.there("main"), OTHER, FILE)
    assert repository.there("v1.2.3") == commit


def test_a_tag_that_somebody_moved_to_another_commit_is_not_followed(repository: Repository) -> None:
    """The series follows the commit that was released, and not whatever its tag is now."""
    tested = repository.commit("1.2.3")
    commit = repository.release("1.2.3")
    repository.push(tested, "refs/tags/v1.2.3")
    with pytest.raises(Refused, match=rf"v1\.2\.3 is {tested}, and not {commit}"):
        repository.move("1.2.3", commit)
    assert "v1" not in repository.checkout().tags()


def test_a_series_that_somebody_moved_is_not_overwritten_in_silence(repository: Repository) -> None:
    """A tag that leads to no release is a trace of somebody, and stops the next release."""
    repository.commit("1.2.3")
    repository.release("1.2.3")
    repository.move("1.2.3")
    foreign = repository.commit("1.2.4")
    repository.push(foreign, "refs/tags/v1")
    repository.release("1.2.4")
    with pytest.raises(Refused, match=r"v1 is .*, which is no release"):
        repository.move("1.2.4")
    assert repository.there("v1") == foreign


def test_a_series_that_moves_while_it_is_looked_at_is_not_overwritten(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is overwritten is what was looked at: between the two, somebody else may have come."""
    commits = {}
    for version in ("1.2.3", "1.2.4"):
        repository.commit(version)
        commits[version] = repository.release(version)
        if version == "1.2.3":
            repository.move(version)
    checkout = repository.checkout()
    looked = checkout.tags()
    assert looked["v1"] == Tag(commits["1.2.3"], commits["1.2.3"])
    foreign = repository.commit("1.2.5")
    repository.push(foreign, "refs/tags/v1")
    monkeypatch.setattr(Remote, "tags", lambda _: looked)
    with pytest.raises(subprocess.CalledProcessError):
        checkout.move(V("1.2.4"), commits["1.2.4"])
    assert repository.there("v1") == foreign


def _forged(repository: Repository, kind: str) -> str:
    """Push what looks like a release of 1.9.0, the version that main has and that is not released."""
    tip = repository.commit("1.9.0")
    git = repository.git
    if kind == "the commit of main":
        return tip
    if kind == "a blob that names a commit of main":
        (repository.maintainer / "sha").write_text(tip)
        return git(repository.maintainer, "hash-object", "-w", "sha")
    if kind == "a commit of another branch":
        git(repository.maintainer, "checkout", "-q", "-b", "other", f"{tip}^")
        repository.write("evil", "evil")
        unseen = repository.commit("1.9.0", "other")
        return Remote(repository.maintainer)._commit(V("1.9.0"), unseen, ONE, FILE)
    released = repository.checkout().release if kind == "a release with a file more" else None
    if released:
        commit = released(V("1.9.0"), tip, ONE, FILE)
        git(repository.maintainer, "fetch", "-q", "origin", commit)
        git(repository.maintainer, "checkout", "-q", "--detach", commit)
        git(repository.bare, "update-ref", "-d", "refs/tags/v1.9.0")
        repository.write("setup.py", "evil")
        git(repository.maintainer, "add", "setup.py")
        git(repository.maintainer, "commit", "-q", "--amend", "--no-edit")
    else:
        repository.write("action.yml", f"runs:\n  using: docker\n  image: docker://{OTHER}\n")
        repository.write("cfgate.pyz", "evil")
        git(repository.maintainer, "add", ".")
        git(repository.maintainer, "commit", "-q", "-m", "Release 1.9.0")
    return git(repository.maintainer, "rev-parse", "HEAD")


@pytest.mark.parametrize(
    "kind",
    [
        "the commit of main",
        "a blob that names a commit of main",
        "a commit of another branch",
        "a commit with another image",
        "a release with a file more",
    ],
)
def test_a_foreign_tag_stops_nothing(
    repository: Repository, kind: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """A version tag from whoever may write leads nothing, unless it is a release commit of main."""
    repository.commit("1.2.3")
    commit = repository.release("1.2.3")
    repository.push(_forged(repository, kind), "refs/tags/v1.9.0")
    assert repository.move("1.2.3", commit)
    assert repository.there("v1") == commit
    checkout = repository.checkout()
    assert list(checkout.released(checkout.tags())) == [V("1.2.3")]
    assert "v1.9.0 is no release" in capfd.readouterr().err


# What follows the newest


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
        repository.commit(version)
        commits[version] = repository.release(version)
        assert repository.move(version) == follows
    assert repository.there("v1") == commits["1.10.1"]
    assert repository.there("v2") == commits["2.0.0"]
    assert not repository.move("1.10.0")
    assert repository.there("v1") == commits["1.10.1"]
    assert repository.checkout().newest() == {
        "version": "2.0.0",
        "commit": commits["2.0.0"],
        "tested": repository.there(f"{commits['2.0.0']}^"),
        "image": ONE,
        "pyz": hashlib.sha256(FILE).hexdigest(),
    }


def test_a_prerelease_moves_nothing(repository: Repository) -> None:
    """Nobody who follows a series gets a release candidate."""
    repository.commit("2.0.0-rc.1")
    repository.release("2.0.0-rc.1")
    assert not repository.move("2.0.0-rc.1")
    assert "v2" not in repository.checkout().tags()
    with pytest.raises(Refused, match="nothing is released yet"):
        repository.checkout().newest()


def test_a_renamed_repository_keeps_its_releases(repository: Repository) -> None:
    """Releases whose image has the name of earlier days still stop what is older than they."""
    repository.commit("1.10.0")
    repository.release("1.10.0", OTHER.replace("your-org", "former-org"))
    checkout = repository.checkout()
    assert not leads(V("1.2.3"), checkout.released(checkout.tags()), in_series=True)


def test_a_series_that_was_an_annotated_tag_moves_too(repository: Repository) -> None:
    """What a maintainer once tagged by hand, on a release, is moved like any other."""
    repository.commit("1.0.0")
    repository.release("1.0.0")
    repository.git(repository.maintainer, "fetch", "-q", "origin", "tag", "v1.0.0")
    repository.git(repository.maintainer, "tag", "-a", "-m", "by hand", "v1", "v1.0.0")
    repository.push("v1", "refs/tags/v1")
    assert repository.move("1.0.0")
    assert repository.there("v1") == repository.there("v1.0.0")


def test_a_series_follows_only_what_is_released(repository: Repository) -> None:
    """Without the tag of the version there is nothing to follow."""
    commit = repository.commit("1.2.3")
    with pytest.raises(Refused, match=r"v1\.2\.3 is not there"):
        repository.move("1.2.3", commit)


# Who asked for it


def test_a_release_is_asked_for_by_a_signed_tag(repository: Repository) -> None:
    """A maintainer whom main names has signed that this commit becomes this version."""
    commit = repository.commit("1.2.3")
    repository.request("1.2.3", commit)
    repository.checkout().requested(V("1.2.3"), commit)


def test_without_a_signature_of_a_maintainer_nothing_is_released(repository: Repository) -> None:
    """No request, one without a signature, and one by somebody else are refused."""
    commit = repository.commit("1.2.3")
    with pytest.raises(Refused, match="there is no refs/requests"):
        repository.checkout().requested(V("1.2.3"), commit)
    repository.request("1.2.3", commit, signed=False)
    with pytest.raises(Refused, match="no SSH signature"):
        repository.checkout().requested(V("1.2.3"), commit)
    stranger = repository.directory / "stranger"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(stranger)], check=True)
    repository.request("1.2.3", commit, key=stranger)
    with pytest.raises(Refused, match="not signed by anybody whom"):
        repository.checkout().requested(V("1.2.3"), commit)


def test_a_signature_is_for_one_commit_and_one_version(repository: Repository) -> None:
    """A request for something else cannot be put in its place."""
    earlier = repository.commit("1.2.2")
    commit = repository.commit("1.2.3")
    repository.request("1.2.3", earlier)
    with pytest.raises(Refused, match="asks for"):
        repository.checkout().requested(V("1.2.3"), commit)
    repository.request("1.2.2", commit)
    repository.git(repository.bare, "update-ref", "refs/requests/1.2.3", "refs/requests/1.2.2")
    with pytest.raises(Refused, match=r"asks for 1\.2\.2"):
        repository.checkout().requested(V("1.2.3"), commit)


def test_a_repository_that_names_no_maintainer_releases_nothing(repository: Repository) -> None:
    """The list as it comes, with nothing but comments, lets nobody release."""
    repository.write(".github/release-signers", "# nobody\n\n")
    commit = repository.commit("1.2.3")
    repository.request("1.2.3", commit)
    with pytest.raises(Refused, match="names nobody"):
        repository.checkout().requested(V("1.2.3"), commit)
