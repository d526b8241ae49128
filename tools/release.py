"""What a release is made of: its version, its notes, its image, and the files that name the image by digest.

The workflow .github/workflows/release.yml calls these functions; none of them asks the network. Whatever is
not exactly as it must be is refused, since what is published under a version is never taken back.
"""

from __future__ import annotations

import argparse
import datetime as dt
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

ROOT: Final = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))  # run as a script, from anywhere

from cfgate import __version__  # noqa: E402 - the path comes first

REGISTRY: Final = "ghcr.io"
_NUMBER: Final = "(0|[1-9][0-9]{0,8})"
_VERSION: Final = re.compile(rf"{_NUMBER}\.{_NUMBER}\.{_NUMBER}(?:-(alpha|beta|rc)\.{_NUMBER})?")
_STAGES: Final = ("alpha", "beta", "rc", "")  # in the order of their precedence; "" is the release itself
# What both GitHub and a registry take, once it is in lower case.
_OWNER: Final = r"[a-z0-9]+(?:(?:_|-+)[a-z0-9]+)*"
_NAME: Final = r"[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*"
_REPOSITORY: Final = re.compile(rf"(?=[^/]{{1,39}}/.{{1,100}}\Z){_OWNER}/{_NAME}")
_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}")
_RUNS: Final = "\nruns:\n  using: docker\n"
_IMAGE: Final = re.compile(rf"{re.escape(REGISTRY)}/{_OWNER}/{_NAME}@{_DIGEST.pattern}")
BUILT: Final = "  image: Dockerfile"
PINNED: Final = re.compile(rf"  image: docker://(?P<image>{_IMAGE.pattern})")
COMPONENT: Final = "templates/cfgate.yml"
NAMED: Final = re.compile(
    rf"^      default: {re.escape(REGISTRY)}/{_OWNER}/{_NAME}:{_VERSION.pattern}$", re.MULTILINE
)


class Refused(Exception):
    """Something is not exactly as a release must have it."""


@dataclass(frozen=True, order=True)
class Version:
    """A semantic version: numbers without leading zeros, and perhaps alpha, beta or rc and a number."""

    major: int
    minor: int
    patch: int
    stage: int = len(_STAGES) - 1  # a place in _STAGES
    serial: int = 0

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a version, or raise Refused."""
        match = _VERSION.fullmatch(text)
        if match is None:
            raise Refused(f"not a version as 1.2.3 or 1.2.3-rc.1: {text!r}")
        major, minor, patch, stage, serial = match.groups()
        return cls(int(major), int(minor), int(patch), _STAGES.index(stage or ""), int(serial or 0))

    def __str__(self) -> str:
        """Write it as it was read."""
        suffix = f"-{_STAGES[self.stage]}.{self.serial}" if self.is_prerelease else ""
        return f"{self.major}.{self.minor}.{self.patch}{suffix}"

    @property
    def is_prerelease(self) -> bool:
        """Whether nothing that moves may follow it."""
        return _STAGES[self.stage] != ""

    @property
    def tag(self) -> str:
        """The tag of its release commit, which never moves."""
        return f"v{self}"

    @property
    def series(self) -> str:
        """The tag that moves along with the newest version of its kind."""
        return f"v{self.major}"


def agreed(tag: str, version: str, changelog: str) -> Version:
    """Return the version of a tag; raise Refused unless program and changelog say the same."""
    tagged = Version.parse(tag)
    if str(tagged) != version:
        raise Refused(f"the tag says {tagged}, and cfgate.__version__ {version}")
    notes(changelog, tagged)
    if not tagged.is_prerelease and _section(changelog, "[Unreleased]"):
        raise Refused("CHANGELOG.md still has something under [Unreleased]")
    return tagged


def notes(changelog: str, version: Version) -> str:
    """Return what the changelog says of a version, below the heading `## [1.2.3] - 2026-01-31`."""
    headings = re.findall(rf"^## \[{re.escape(str(version))}\](.*)$", changelog, re.MULTILINE)
    if len(headings) != 1:
        raise Refused(f"CHANGELOG.md has {len(headings)} headings for {version}, and not one")
    date = re.fullmatch(r" - ([0-9]{4}-[0-9]{2}-[0-9]{2})", headings[0])
    try:
        dt.date.fromisoformat(date[1] if date else "")
    except ValueError:
        raise Refused(f"the heading of {version} in CHANGELOG.md has no date as ` - 2026-01-31`") from None
    text = _section(changelog, f"[{version}]{headings[0]}")
    if not text:
        raise Refused(f"CHANGELOG.md says nothing of {version}")
    return text


def _section(changelog: str, heading: str) -> str:
    """Return what stands below a heading, without the links at the end of the document."""
    _, _, rest = f"\n{changelog}".partition(f"\n## {heading}\n")
    text = re.split(r"^## ", rest, maxsplit=1, flags=re.MULTILINE)[0]
    return re.sub(r"^\[[^]]+\]: .*$", "", text, flags=re.MULTILINE).strip()


def image_name(repository: str) -> str:
    """Name the image of a repository `owner/name`, as a registry writes it."""
    name = repository.lower()
    if not repository.isascii() or _REPOSITORY.fullmatch(name) is None:
        raise Refused(f"not a repository as owner/name: {repository!r}")
    return f"{REGISTRY}/{name}"


def image_by_digest(repository: str, digest: str) -> str:
    """Name one image of a repository, which no tag can change."""
    if _DIGEST.fullmatch(digest) is None:
        raise Refused(f"not a digest as sha256:…: {digest!r}")
    return f"{image_name(repository)}@{digest}"


def pinned(action: str, image: str) -> str:
    """Return an action.yml in which the line of the image, and nothing else, names the image by digest."""
    lines = re.findall(r"^.*\bimage\b[\"']?\s*:.*$", action, re.MULTILINE)
    if lines != [BUILT] or action.count(_RUNS + BUILT + "\n") != 1:
        raise Refused(f"action.yml has not, once, the line {BUILT!r} below `using: docker`: {lines}")
    return action.replace(_RUNS + BUILT + "\n", f"{_RUNS}  image: docker://{_by_digest(image)}\n")


def pinned_component(template: str, image: str) -> str:
    """Return a GitLab component in which only the default of the image changes: it is named by digest."""
    lines = [match[0] for match in NAMED.finditer(template)]
    if len(lines) != 1 or lines[0] not in template.split("---\n")[0]:
        raise Refused(f"{COMPONENT} does not name the image, once, by its version: {lines}")
    return template.replace(f"{lines[0]}\n", f"      default: {_by_digest(image)}\n")


def _by_digest(image: str) -> str:
    if _IMAGE.fullmatch(image) is None:
        raise Refused(f"not an image by digest: {image!r}")
    return image


def pinned_image(action: str) -> str | None:
    """Return the image that an action.yml pins by digest, or None where it is built."""
    images = [match["image"] for match in map(PINNED.fullmatch, action.splitlines()) if match]
    return images[0] if len(images) == 1 else None


def leads(version: Version, released: Iterable[Version], *, in_series: bool) -> bool:
    """Tell whether a version is the newest of all that are released, or of those of its series."""
    others = (other for other in released if not in_series or other.series == version.series)
    return not version.is_prerelease and all(version >= other for other in others if not other.is_prerelease)


def versions(tags: Iterable[str]) -> Iterator[Version]:
    """Find the versions among tags: `v1.2.3`. Others are none."""
    for tag in tags:
        if tag.startswith("v") and _VERSION.fullmatch(tag.removeprefix("v")):
            yield Version.parse(tag.removeprefix("v"))


def main(argv: list[str]) -> None:
    """Do what the workflow asks for; print lines for GITHUB_OUTPUT, or the notes."""
    parser = argparse.ArgumentParser(prog="python -m tools.release", description=__doc__)
    tasks = parser.add_subparsers(dest="task", required=True)
    names = ("check", "notes", "pin", "image", "rules")
    check, told, pin, _, setup = (tasks.add_parser(name) for name in names)
    check.add_argument("version")
    check.add_argument("repository", nargs="?", help="on GitHub, whose images are named after it")
    told.add_argument("version")
    pin.add_argument("repository")
    pin.add_argument("digest")
    setup.add_argument("repository")
    setup.add_argument("app", type=int, help="the id of the GitHub App that pushes tags")
    asked = parser.parse_args(argv)
    action, component = ROOT / "action.yml", ROOT / COMPONENT
    changelog = (ROOT / "CHANGELOG.md").read_text("utf-8")
    if asked.task == "check":
        version = agreed(asked.version, __version__, changelog)
        print(f"version={version}\nprerelease={str(version.is_prerelease).lower()}")
        if asked.repository:
            print(f"image={image_name(asked.repository)}")
    elif asked.task == "notes":
        print(notes(changelog, Version.parse(asked.version)))
    elif asked.task == "image":
        image = pinned_image(action.read_text("utf-8"))
        if image is None or f"      default: {image}\n" not in component.read_text("utf-8"):
            raise Refused(f"action.yml and {COMPONENT} do not pin one image by digest: this is no release")
        print(image)
    elif asked.task == "rules":
        from tools import rules  # asks the platform, which nothing else here does

        rules.check(asked.repository, asked.app)
    else:
        for path, pin_in in ((action, pinned), (component, pinned_component)):
            text = path.read_bytes().decode()
            path.write_bytes(pin_in(text, image_by_digest(asked.repository, asked.digest)).encode())


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except Refused as refused:
        sys.exit(f"refused: {refused}")
