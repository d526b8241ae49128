"""The release on the platform: what is published is what was built, whatever somebody else has put there."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tools import publish
from tools.publish import Release
from tools.release import Refused, Version

NOTES = "- A thing.\n"


class Platform:
    """The part of the platform's API that keeps releases."""

    def __init__(self) -> None:
        self.releases: list[dict[str, Any]] = []
        self.calls: list[str] = []
        self.immutable = True
        self.broken: Callable[[], None] = lambda: None  # called at each upload

    def draft(self, **about: Any) -> dict[str, Any]:
        """Keep a draft, as anybody may make one who may write."""
        made = {"id": len(self.releases) + 1, "draft": True, "assets": [], "body": "", "name": ""} | about
        self.releases.append(made)
        return made

    def __call__(
        self, method: str, path: str, *, body: dict[str, Any] | None = None, file: Path | None = None
    ) -> Any:
        self.calls.append(f"{method} {path}")
        if path.endswith("/releases?per_page=100"):
            return self.releases
        if path == "repos/your-org/cfgate/releases":
            assert body
            return self.draft(**body)
        number = int(path.partition("/releases/")[2].partition("/")[0])
        (found,) = (each for each in self.releases if each["id"] == number)
        if file:
            assert path.startswith("https://uploads.github.com/repos/your-org/cfgate/releases/")
            self.broken()
            digest = hashlib.sha256(file.read_bytes()).hexdigest()
            found["assets"].append({"name": path.partition("?name=")[2], "digest": f"sha256:{digest}"})
        elif method == "PATCH":
            assert body
            found |= body
            found["immutable"] = self.immutable
        return found


@pytest.fixture
def release(tmp_path: Path) -> Release:
    """Make what is to be published."""
    for name, content in {"cfgate.whl": b"wheel", "cfgate.pyz": b"file"}.items():
        (tmp_path / name).write_bytes(content)
    files = {path.name: path for path in tmp_path.iterdir()}
    return Release(Version.parse("1.2.3"), NOTES, files, latest=True)


def test_a_release_holds_what_was_built(release: Release) -> None:
    """It is a draft until all files are there, and then published for good."""
    platform = Platform()
    assert publish.publish("your-org/cfgate", release, platform) == "v1.2.3 is published"
    (found,) = platform.releases
    assert {asset["name"]: asset["digest"] for asset in found["assets"]} == release.digests()
    assert (found["draft"], found["prerelease"], found["make_latest"]) == (False, False, "true")
    assert [call.partition(" ")[0] for call in platform.calls] == [
        "GET",
        "POST",
        "POST",
        "POST",
        "GET",
        "PATCH",
        "GET",
    ]


def test_one_that_is_published_already_is_left_alone(release: Release) -> None:
    """The same call finds its own work done."""
    platform = Platform()
    publish.publish("your-org/cfgate", release, platform)
    platform.calls.clear()
    assert publish.publish("your-org/cfgate", release, platform) == "v1.2.3 is published already"
    assert len(platform.calls) == 1


def test_one_that_broke_off_is_finished(release: Release) -> None:
    """After an upload that failed, the same draft gets the files that it lacks."""
    platform = Platform()

    def breaks() -> None:
        if platform.releases[0]["assets"]:
            raise Refused("HTTP 502")

    platform.broken = breaks
    with pytest.raises(Refused, match="502"):
        publish.publish("your-org/cfgate", release, platform)
    assert platform.releases[0]["draft"]
    platform.broken = lambda: None
    assert publish.publish("your-org/cfgate", release, platform) == "v1.2.3 is published"
    assert len(platform.releases[0]["assets"]) == 2


OURS = {"tag_name": "v1.2.3", "name": "1.2.3", "body": NOTES}
EVIL = {"name": "cfgate.whl", "digest": f"sha256:{'0' * 64}"}


@pytest.mark.parametrize(
    ("foreign", "why"),
    [
        (OURS | {"assets": [EVIL]}, "the file cfgate.whl"),
        (OURS | {"assets": [{"name": "cfgate.whl"}]}, "the file cfgate.whl"),
        (OURS | {"assets": [EVIL | {"name": "install.sh"}]}, "the file install.sh"),
        (OURS | {"body": "Read http://example.com"}, "its text"),
        (OURS | {"body": None}, "its text"),
        (OURS | {"name": "1.2.3 (fixed)"}, "its tag or name"),
        (OURS | {"draft": False}, "no file cfgate.pyz"),
    ],
)
def test_what_somebody_else_has_put_there_is_not_published_as_ours(
    foreign: dict[str, Any], why: str, release: Release
) -> None:
    """A draft or release that differs is refused, and stays as it is."""
    platform = Platform()
    platform.draft(**foreign)
    with pytest.raises(Refused, match=f"is not ours.*{why}"):
        publish.publish("your-org/cfgate", release, platform)
    assert platform.calls == ["GET repos/your-org/cfgate/releases?per_page=100"]


def test_a_second_draft_is_refused(release: Release) -> None:
    """Where two claim to be the version, a person has to look."""
    platform = Platform()
    for _ in range(2):
        platform.draft(**OURS)
    with pytest.raises(Refused, match="there are 2"):
        publish.publish("your-org/cfgate", release, platform)


def test_a_file_that_is_added_meanwhile_is_not_published(release: Release) -> None:
    """The draft is looked at again when all files are there."""
    platform = Platform()
    platform.broken = lambda: platform.releases[0]["assets"].append(EVIL | {"name": "install.sh"})
    with pytest.raises(Refused, match=r"install\.sh"):
        publish.publish("your-org/cfgate", release, platform)
    assert platform.releases[0]["draft"]


def test_a_release_that_can_still_be_changed_is_an_error(release: Release) -> None:
    """It is published then, and the job is red: somebody has turned immutable releases off."""
    platform = Platform()
    platform.immutable = False
    with pytest.raises(Refused, match="can still be changed"):
        publish.publish("your-org/cfgate", release, platform)
