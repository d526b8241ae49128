"""A bare repository, a maintainer's clone, and fresh checkouts of a workflow: for tests of releases."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from tools.release import Version
from tools.tags import Remote

ACTION = "name: cfgate\n\nruns:\n  using: docker\n  image: Dockerfile\n"
COMPONENT = """spec:
  inputs:
    image:
      type: string
      # reference: component-image
      default: ghcr.io/your-org/cfgate:0.1.0
      # reference: end
---
job:
  image: $[[ inputs.image ]]
"""
ONE, OTHER = (f"ghcr.io/your-org/cfgate@sha256:{digit * 64}" for digit in "12")
FILE = b"#!/usr/bin/env python3\nPK..."


class Repository:
    """A repository on a platform, with nobody's own git settings in play."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.bare = directory / "origin.git"
        self.maintainer = directory / "maintainer"
        self.key = directory / "key"
        self.git(directory, "init", "-q", "--bare", "-b", "main", str(self.bare))
        self.git(directory, "clone", "-q", str(self.bare), str(self.maintainer))
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(self.key)]
        subprocess.run(command, check=True)
        public = self.key.with_suffix(".pub").read_text()
        self.write("action.yml", ACTION)
        self.write("templates/cfgate.yml", COMPONENT)
        self.write(".github/release-signers", f"# who may ask for a release\nmaintainer@example.com {public}")
        self.write("run", "#!/bin/sh\n")
        (self.maintainer / "run").chmod(0o755)

    @property
    def environ(self) -> dict[str, str]:
        """The environment of git: nothing of the user who runs the tests."""
        who = {f"GIT_{role}_{what}": "a@b" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
        return {**os.environ, **who, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}

    def git(self, where: Path, *command: str) -> str:
        """Run git and return what it writes."""
        return subprocess.run(
            ["git", *command], cwd=where, env=self.environ, check=True, capture_output=True, text=True
        ).stdout.strip()

    def write(self, name: str, text: str) -> None:
        """Write a file of the maintainer's clone."""
        (self.maintainer / name).parent.mkdir(parents=True, exist_ok=True)
        (self.maintainer / name).write_text(text)

    def commit(self, version: str, branch: str = "main") -> str:
        """Commit the program of a version and push it; return the commit."""
        self.write("cfgate/__init__.py", f'__version__ = "{version}"\n')
        self.git(self.maintainer, "add", ".")
        self.git(self.maintainer, "commit", "-q", "--allow-empty", "-m", version)
        self.git(self.maintainer, "push", "-q", "origin", f"HEAD:refs/heads/{branch}")
        return self.git(self.maintainer, "rev-parse", "HEAD")

    def request(self, version: str, commit: str, *, signed: bool = True, key: Path | None = None) -> None:
        """Ask for a release as the page for maintainers says."""
        ssh = ["-c", "gpg.format=ssh", "-c", f"user.signingKey={key or self.key}"] if signed else []
        kind = "--sign" if signed else "--annotate"
        self.git(self.maintainer, *ssh, "tag", "--force", kind, "--message", version, version, commit)
        self.git(
            self.maintainer, "push", "-q", "--force", "origin", f"refs/tags/{version}:refs/requests/{version}"
        )
        self.git(self.maintainer, "tag", "--delete", version)

    def push(self, what: str, ref: str) -> None:
        """Push something to a ref, as anybody can who may write and whom no rule stops."""
        self.git(self.maintainer, "push", "-q", "--force", "origin", f"{what}:{ref}")

    def there(self, name: str) -> str:
        """Find out what a name leads to."""
        return self.git(self.bare, "rev-parse", name)

    def checkout(self) -> Remote:
        """Start a workflow anew."""
        where = self.directory / f"checkout-{len(list(self.directory.iterdir()))}"
        self.git(self.directory, "clone", "-q", str(self.bare), str(where))
        return Remote(where)

    def release(self, version: str, image: str = ONE, file: bytes = FILE) -> str:
        """Release a version from the tip of main, in a fresh checkout."""
        return self.checkout().release(Version.parse(version), self.there("main"), image, file)

    def move(self, version: str, commit: str | None = None) -> bool:
        """Let the series follow a version, in a fresh checkout."""
        return self.checkout().move(Version.parse(version), commit or self.there(f"v{version}"))
