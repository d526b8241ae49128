"""The commit and the tags of a release, in the repository that this directory is a checkout of.

The release commit follows the tagged one and differs from it in action.yml alone. The same image makes the
same commit, so that a step which is run again finds its own work; anything else that is found is never
overwritten.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))  # run as a script, from anywhere

from tools.release import Refused, Version, leads, pinned  # noqa: E402 - the path comes first

# The user that GitHub's own commits of a workflow belong to.
ROBOT: Final = ("github-actions[bot]", "41898282+github-actions[bot]@users.noreply.github.com")


class Remote:
    """The tags of a repository elsewhere; `checkout` is a directory whose `origin` it is."""

    def __init__(self, checkout: Path) -> None:
        self._checkout = checkout

    def tags(self) -> dict[str, str]:
        """List the tags there, each with the commit that it leads to."""
        found: dict[str, str] = {}
        for line in self._git("ls-remote", "--tags", "origin").splitlines():
            commit, _, name = line.partition("\trefs/tags/")
            found[name.removesuffix("^{}")] = commit  # the line with ^{} is the later one of an annotated tag
        return found

    def release(self, version: Version, repository: str, digest: str) -> str:
        """Make the release commit of a version and its tag there, and return the commit.

        A tag that leads elsewhere is left as it is, and Refused raised.
        """
        commit = self._commit(version, repository, digest)
        found = self.tags().get(version.tag)
        if found is None:
            self._git("push", "--quiet", "origin", f"{commit}:refs/tags/{version.tag}")
        elif found != commit:
            raise Refused(f"{version.tag} is {found} already, and not {commit}")
        return commit

    def move(self, version: Version) -> bool:
        """Let the tag of the series follow a version, unless a newer one is there; tell whether it does."""
        tags = self.tags()
        if version.tag not in tags:
            raise Refused(f"{version.tag} is not there, and {version.series} cannot follow it")
        if not leads(version, tags, in_series=True):
            return False
        commit, old = tags[version.tag], tags.get(version.series, "")
        if commit != old:
            name = f"refs/tags/{version.series}"
            tip = self._git("ls-remote", "origin", name).partition("\t")[
                0
            ]  # of an annotated tag, not its commit
            self._git("push", "--quiet", f"--force-with-lease={name}:{tip}", "origin", f"{commit}:{name}")
        return True

    def _commit(self, version: Version, repository: str, digest: str) -> str:
        tagged = self._git("rev-parse", "--verify", f"refs/tags/{version}^{{commit}}").strip()
        action = self._git("cat-file", "blob", f"{tagged}:action.yml")
        blob = self._git("hash-object", "-w", "--stdin", text=pinned(action, repository, digest)).strip()
        date = self._git("show", "--no-patch", "--format=%ct +0000", tagged).strip()
        with tempfile.TemporaryDirectory() as directory:
            environ = {"GIT_INDEX_FILE": str(Path(directory, "index"))}
            for role in ("AUTHOR", "COMMITTER"):
                environ |= dict(zip((f"GIT_{role}_NAME", f"GIT_{role}_EMAIL"), ROBOT, strict=True))
                environ[f"GIT_{role}_DATE"] = f"@{date}"
            self._git("read-tree", tagged, environ=environ)
            self._git("update-index", "--cacheinfo", f"100644,{blob},action.yml", environ=environ)
            tree = self._git("write-tree", environ=environ).strip()
            message = (
                f"Release {version}\n\nThe action runs the image that was built from the commit before.\n"
            )
            return self._git("commit-tree", tree, "-p", tagged, text=message, environ=environ).strip()

    def _git(self, *command: str, text: str = "", environ: dict[str, str] | None = None) -> str:
        ran = subprocess.run(
            ["git", *command],
            cwd=self._checkout,
            env={**os.environ, **(environ or {})},
            input=text.encode(),
            stdout=subprocess.PIPE,
            check=True,
        )
        return ran.stdout.decode()


def main(argv: list[str]) -> None:
    """Do what the workflow asks for; print lines for GITHUB_OUTPUT."""
    parser = argparse.ArgumentParser(prog="python -m tools.tags", description=__doc__)
    tasks = parser.add_subparsers(dest="task", required=True)
    for task, names in {
        "absent": ("version",),
        "release": ("version", "repository", "digest"),
        "leads": ("version",),
        "move": ("version",),
    }.items():
        described = tasks.add_parser(task)
        for name in names:
            described.add_argument(name)
    asked = parser.parse_args(argv)
    remote, version = Remote(Path.cwd()), Version.parse(asked.version)
    if asked.task == "absent":
        if version.tag in remote.tags():
            raise Refused(f"{version.tag} is released already; re-run the failed jobs of its own run instead")
    elif asked.task == "release":
        print(f"commit={remote.release(version, asked.repository, asked.digest)}")
    elif asked.task == "leads":
        for name, in_series in {"series": True, "latest": False}.items():
            print(f"{name}={str(leads(version, remote.tags(), in_series=in_series)).lower()}")
    else:
        print(f"{version.series} {'follows' if remote.move(version) else 'does not follow'} {version}")


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except Refused as refused:
        sys.exit(f"refused: {refused}")
