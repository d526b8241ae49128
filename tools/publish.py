"""The release on GitHub: a draft that holds exactly what was built, and only then is published.

What somebody else has put there, a draft, a file or a text, is never published and never replaced: it is
refused, and named. The same call finds its own work and goes on where it broke off.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))  # run as a script, from anywhere

from tools.release import Refused, Version  # noqa: E402 - the path comes first

Call = Callable[..., Any]
_UPLOADS: Final = "https://uploads.github.com"


def call(method: str, path: str, *, body: Mapping[str, Any] | None = None, file: Path | None = None) -> Any:
    """Call the API through `gh` and return what it answers; the pages of a list as one."""
    command = ["gh", "api", "--method", method, path]
    if file:
        command += ["--header", "Content-Type: application/octet-stream", "--input", str(file)]
    elif body is not None:
        command += ["--input", "-"]
    else:
        command += ["--paginate", "--slurp"]
    given = json.dumps(body) if body is not None else None
    called = subprocess.run(command, input=given, capture_output=True, text=True, check=False)
    if called.returncode != 0:
        raise Refused(f"{method} {path}: {called.stderr.strip()}")
    answer = json.loads(called.stdout)
    if body is not None or file:
        return answer
    return [item for page in answer for item in page] if isinstance(answer[0], list) else answer[0]


@dataclass(frozen=True, slots=True)
class Release:
    """What is published under a version."""

    version: Version
    notes: str
    files: Mapping[str, Path]
    latest: bool

    def digests(self) -> dict[str, str]:
        """Return what the platform says of each file once it is uploaded."""
        return {
            name: f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"
            for name, path in self.files.items()
        }

    def differences(self, found: Mapping[str, Any], *, whole: bool) -> list[str]:
        """List in what a release there is not this one; some of the files may be missing unless `whole`."""
        expected = self.digests()
        files = {asset["name"]: asset.get("digest") for asset in found["assets"]}
        wrong = [f"the file {name}" for name in sorted(files) if files[name] != expected.get(name)]
        if whole:
            wrong += [f"no file {name}" for name in sorted(expected.keys() - files.keys())]
        if (found["tag_name"], found["name"]) != (self.version.tag, str(self.version)):
            wrong.append("its tag or name")
        if (found["body"] or "").replace("\r\n", "\n").strip() != self.notes.strip():
            wrong.append("its text")
        return wrong


def publish(repository: str, release: Release, call: Call = call) -> str:
    """Publish a release, or find that it is; return what was done. Raises Refused for anything else there."""
    place = f"repos/{repository}/releases"
    tag = release.version.tag
    there = [each for each in call("GET", f"{place}?per_page=100") if each["tag_name"] == tag]
    if len(there) > 1:
        raise Refused(f"there are {len(there)} releases or drafts for {tag}: delete those that are not ours")
    if not there:
        body = {"tag_name": tag, "name": str(release.version), "body": release.notes, "draft": True}
        there = [call("POST", place, body=body)]
    (found,) = there
    _same(release, found, whole=not found["draft"])
    if not found["draft"]:
        return f"{tag} is published already"
    uploads = f"{_UPLOADS}/repos/{repository}/releases/{found['id']}/assets"
    for name in sorted(release.files.keys() - {asset["name"] for asset in found["assets"]}):
        call("POST", f"{uploads}?name={name}", file=release.files[name])
    _same(release, call("GET", f"{place}/{found['id']}"), whole=True)
    body = {
        "draft": False,
        "prerelease": release.version.is_prerelease,
        "make_latest": str(release.latest).lower(),
    }
    call("PATCH", f"{place}/{found['id']}", body=body)
    done = call("GET", f"{place}/{found['id']}")
    _same(release, done, whole=True)
    if done["draft"] or done.get("immutable") is not True:
        raise Refused(f"{tag} is published, but can still be changed: turn immutable releases on")
    return f"{tag} is published"


def _same(release: Release, found: Mapping[str, Any], *, whole: bool) -> None:
    wrong = release.differences(found, whole=whole)
    if wrong:
        kind = "draft" if found["draft"] else "release"
        raise Refused(f"the {kind} for {release.version.tag} is not ours: it differs in {', '.join(wrong)}")


def main(argv: list[str]) -> None:
    """Do what the workflow asks for."""
    parser = argparse.ArgumentParser(prog="python -m tools.publish", description=__doc__)
    parser.add_argument("repository")
    parser.add_argument("version")
    parser.add_argument("notes", type=Path)
    parser.add_argument("files", type=Path)
    parser.add_argument("--latest", choices=["true", "false"], required=True)
    asked = parser.parse_args(argv)
    files = {path.name: path for path in asked.files.iterdir()}
    notes = asked.notes.read_text("utf-8")
    release = Release(Version.parse(asked.version), notes, files, asked.latest == "true")
    print(publish(asked.repository, release))


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except Refused as refused:
        sys.exit(f"refused: {refused}")
