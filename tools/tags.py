"""The commit and the tags of a release, in the repository that this directory is a checkout of.

The release commit follows the tested one and differs from it in what `Remote.release` writes: two lines that
name the image by digest, and the single file. The same image and file make the same commit, so that a step
which is run again finds its own work; anything else that is found is never overwritten. Only what is such a
commit of `main` counts as a release, whatever tags there are.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))  # run as a script, from anywhere

from tools.release import (  # noqa: E402 - the path comes first
    COMPONENT,
    Refused,
    Version,
    leads,
    pinned,
    pinned_component,
    pinned_image,
    versions,
)

# The user that GitHub's own commits of a workflow belong to.
ROBOT: Final = ("github-actions[bot]", "41898282+github-actions[bot]@users.noreply.github.com")
ACTION: Final = "action.yml"
FILE: Final = "cfgate.pyz"
SIGNERS: Final = ".github/release-signers"
_VERSION_LINE: Final = re.compile(r'^__version__ = "([^"\n]+)"$', re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Tag:
    """What a tag is at one moment: its own object, and the commit that it leads to."""

    tip: str
    commit: str


class Remote:
    """The tags of a repository elsewhere; `checkout` is a directory whose `origin` it is."""

    def __init__(self, checkout: Path) -> None:
        self._checkout = checkout

    def tags(self) -> dict[str, Tag]:
        """List the tags there, and fetch what they lead to."""
        found: dict[str, Tag] = {}
        for line in self._git("ls-remote", "--tags", "origin").splitlines():
            commit, _, name = line.partition("\trefs/tags/")
            name = name.removesuffix("^{}")  # the line with ^{} is the later one of an annotated tag
            found[name] = Tag(found[name].tip if name in found else commit, commit)
        self._git("fetch", "--quiet", "--no-tags", "origin", "+refs/heads/main:refs/remotes/origin/main")
        if found:
            self._git("fetch", "--quiet", "--no-tags", "--prune", "origin", "+refs/tags/v*:refs/found/v*")
        return found

    def released(self, tags: Mapping[str, Tag]) -> dict[Version, str]:
        """Find the releases among tags, each with its commit; say of others why they are none."""
        main = self._main()
        found: dict[Version, str] = {}
        for version in versions(tags):
            why = self._foreign(version, tags[version.tag].commit, main)
            if why:
                print(f"{version.tag} is no release: {why}", file=sys.stderr)
            else:
                found[version] = tags[version.tag].commit
        return found

    def tested(self, commit: str) -> None:
        """Raise Refused unless a commit is one that `main` itself has been at, and has no single file."""
        self._git("fetch", "--quiet", "--no-tags", "origin", "+refs/heads/main:refs/remotes/origin/main")
        if commit not in self._main():
            raise Refused(f"{commit} is not a commit that main has been at (the branch of a merge is none)")
        if self._blob(commit, FILE):
            raise Refused(f"{FILE} is committed; it is made for each release and must not be on main")

    def requested(self, version: Version, commit: str) -> None:
        """Raise Refused unless a maintainer has signed that this commit becomes this version.

        The request is a signed tag object under refs/requests/, where nobody takes it for a version.
        """
        request = f"refs/requests/{version}"
        signers = self._show(commit, SIGNERS)
        if not any(line.strip() and not line.startswith("#") for line in signers.splitlines()):
            raise Refused(f"{SIGNERS} names nobody who may ask for a release")
        if not self._git("ls-remote", "origin", request):
            raise Refused(f"there is no {request}: sign a tag of this commit, and push it there")
        self._git("fetch", "--quiet", "--no-tags", "origin", f"+{request}:{request}")
        head, _, rest = self._git("cat-file", "tag", request).partition("\n\n")
        asked = dict(line.split(" ", 1) for line in head.splitlines())
        if (asked["object"], asked["type"], asked["tag"]) != (commit, "commit", str(version)):
            raise Refused(f"{request} asks for {asked['tag']} at {asked['object']}, and not at {commit}")
        if "\n-----BEGIN SSH SIGNATURE-----\n" not in f"\n{rest}":
            raise Refused(f"{request} has no SSH signature")
        with tempfile.TemporaryDirectory() as directory:
            allowed = Path(directory, "signers")
            allowed.write_text(signers, "utf-8")
            if not self._does("-c", f"gpg.ssh.allowedSignersFile={allowed}", "verify-tag", request):
                raise Refused(f"{request} is not signed by anybody whom {SIGNERS} names")

    def release(self, version: Version, tested: str, image: str, file: bytes) -> str:
        """Make the release commit of a version and its tag there, and return the commit.

        `tested` is the commit that was tested, `image` the image by digest and `file` the single file that
        were made of it. A tag that leads elsewhere is left as it is, and Refused raised.
        """
        self.tested(tested)
        commit = self._commit(version, tested, image, file)
        found = self.tags().get(version.tag)
        if found is None:
            self._push(commit, version.tag, "")
        elif found != Tag(commit, commit):
            raise Refused(f"{version.tag} is {found.commit} already, and not {commit}")
        return commit

    def move(self, version: Version, commit: str) -> bool:
        """Let the tag of the series follow a version, unless a newer one is there; tell whether it does.

        What was looked at is what is overwritten: a tag that moves meanwhile is not.
        """
        tags = self.tags()
        found = tags.get(version.tag)
        if found is None or found.commit != commit:
            raise Refused(f"{version.tag} is {found.commit if found else 'not there'}, and not {commit}")
        released = self.released(tags)
        if version not in released:
            raise Refused(f"{version.tag} is no release, and {version.series} cannot follow it")
        if not leads(version, released, in_series=True):
            return False
        old = tags.get(version.series)
        if old and old.commit not in {at for each, at in released.items() if each.series == version.series}:
            raise Refused(f"{version.series} is {old.commit}, which is no release: find out who moved it")
        if old != Tag(commit, commit):
            self._push(commit, version.series, old.tip if old else "")
        return True

    def newest(self) -> dict[str, str]:
        """Describe the newest release that is no pre-release: what it is, and what it is made of."""
        released = self.released(self.tags())
        version = max((each for each in released if not each.is_prerelease), default=None)
        if version is None:
            raise Refused("nothing is released yet")
        commit = released[version]
        file = self._raw("cat-file", "blob", self._blob(commit, FILE))
        return {
            "version": str(version),
            "commit": commit,
            "tested": self._parents(commit)[0],
            "image": str(pinned_image(self._show(commit, ACTION))),
            "pyz": hashlib.sha256(file).hexdigest(),
        }

    def _main(self) -> set[str]:
        return set(self._git("rev-list", "--first-parent", "refs/remotes/origin/main").split())

    def _parents(self, commit: str) -> list[str]:
        if self._git("cat-file", "-t", commit).strip() != "commit":
            return []
        return self._git("show", "--no-patch", "--format=%P", commit).split()

    def _foreign(self, version: Version, commit: str, main: set[str]) -> str:
        """Say why a commit is not the release commit of a version, or nothing."""
        parents = self._parents(commit)
        if len(parents) != 1 or parents[0] not in main:
            return "it does not follow a commit of main"
        (tested,) = parents
        if _VERSION_LINE.findall(self._show(tested, "cfgate/__init__.py")) != [str(version)]:
            return "the program is another version"
        image = pinned_image(self._show(commit, ACTION))
        file = self._blob(commit, FILE)
        if image is None or not file:
            return "it pins no image, or has no single file"
        try:
            expected = self._commit(version, tested, image, self._raw("cat-file", "blob", file))
        except Refused as refused:
            return str(refused)
        return "" if expected == commit else "it is not made as a release commit is"

    def _commit(self, version: Version, tested: str, image: str, file: bytes) -> str:
        """Write the release commit, and nothing else; the same arguments make the same commit."""
        contents = {
            ACTION: pinned(self._show(tested, ACTION), image).encode(),
            COMPONENT: pinned_component(self._show(tested, COMPONENT), image).encode(),
        }
        modes = {name: self._mode(tested, name) for name in contents}
        contents[FILE], modes[FILE] = file, "100755"
        date = self._git("show", "--no-patch", "--format=%ct +0000", tested).strip()
        with tempfile.TemporaryDirectory() as directory:
            environ = {"GIT_INDEX_FILE": str(Path(directory, "index"))}
            for role in ("AUTHOR", "COMMITTER"):
                environ |= dict(zip((f"GIT_{role}_NAME", f"GIT_{role}_EMAIL"), ROBOT, strict=True))
                environ[f"GIT_{role}_DATE"] = f"@{date}"
            self._git("read-tree", tested, environ=environ)
            for name, content in contents.items():
                blob = self._git("hash-object", "-w", "--stdin", given=content).strip()
                entry = f"{modes[name]},{blob},{name}"
                self._git("update-index", "--add", "--cacheinfo", entry, environ=environ)
            tree = self._git("write-tree", environ=environ).strip()
            message = (
                f"Release {version}\n\nThe image and the single file were made from the commit before.\n"
            )
            command = ("-c", "commit.gpgSign=false", "commit-tree", tree, "-p", tested)
            return self._git(*command, given=message.encode(), environ=environ).strip()

    def _show(self, commit: str, name: str) -> str:
        """Return the text of a file in a commit, or nothing where there is none."""
        blob = self._blob(commit, name)
        return self._raw("cat-file", "blob", blob).decode("utf-8", "replace") if blob else ""

    def _blob(self, commit: str, name: str) -> str:
        """Return the object of a file in a commit, or nothing where there is none."""
        return self._git("ls-tree", "--format=%(objectname)", commit, name).strip()

    def _mode(self, commit: str, name: str) -> str:
        return self._git("ls-tree", "--format=%(objectmode)", commit, name).strip()

    def _push(self, commit: str, tag: str, expected: str) -> None:
        """Push a commit to a tag that is `expected` there; to one that is not there, for an empty word."""
        name = f"refs/tags/{tag}"
        self._git("push", "--quiet", f"--force-with-lease={name}:{expected}", "origin", f"{commit}:{name}")

    def _git(self, *command: str, given: bytes = b"", environ: dict[str, str] | None = None) -> str:
        return self._raw(*command, given=given, environ=environ).decode()

    def _raw(self, *command: str, given: bytes = b"", environ: dict[str, str] | None = None) -> bytes:
        return subprocess.run(
            ["git", *command],
            cwd=self._checkout,
            env={**os.environ, **(environ or {})},
            input=given,
            stdout=subprocess.PIPE,
            check=True,
        ).stdout

    def _does(self, *command: str) -> bool:
        return subprocess.run(["git", *command], cwd=self._checkout, check=False).returncode == 0


def read_file(path: Path, digest: str) -> bytes:
    """Read the single file; raise Refused unless it has the SHA-256 that it had when it was made."""
    content = path.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != digest:
        raise Refused(f"{path.name} is {found}, and {digest} was made")
    return content


def main(argv: list[str]) -> None:
    """Do what the workflow asks for; print lines for GITHUB_OUTPUT."""
    parser = argparse.ArgumentParser(prog="python -m tools.tags", description=__doc__)
    tasks = parser.add_subparsers(dest="task", required=True)
    for task, names in {
        "request": ("version", "tested"),
        "release": ("version", "tested", "image", "file", "sha256"),
        "move": ("version", "commit"),
        "newest": (),
    }.items():
        described = tasks.add_parser(task)
        for name in names:
            described.add_argument(name)
    asked = parser.parse_args(argv)
    remote = Remote(Path.cwd())
    if asked.task == "newest":
        for name, value in remote.newest().items():
            print(f"{name}={value}")
        return
    version = Version.parse(asked.version)
    if asked.task == "request":
        remote.tested(asked.tested)
        if version.tag in remote.tags():
            raise Refused(f"{version.tag} is released already; re-run the failed jobs of its own run instead")
        remote.requested(version, asked.tested)
    elif asked.task == "release":
        file = read_file(Path(asked.file), asked.sha256)
        print(f"commit={remote.release(version, asked.tested, asked.image, file)}")
        released = remote.released(remote.tags())
        for name, in_series in {"series": True, "latest": False}.items():
            print(f"{name}={str(leads(version, released, in_series=in_series)).lower()}")
    else:
        follows = remote.move(version, asked.commit)
        print(f"{version.series} {'follows' if follows else 'does not follow'} {version}")


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except Refused as refused:
        sys.exit(f"refused: {refused}")
