"""What a release is made of, and what is refused: versions, notes, the action.yml that names its image."""

from __future__ import annotations

import re
import string
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from tools.release import (
    COMPONENT,
    NAMED,
    PINNED,
    Refused,
    Version,
    agreed,
    image_by_digest,
    image_name,
    leads,
    notes,
    pinned,
    pinned_component,
    pinned_image,
    versions,
)

ROOT = Path(__file__).parents[2]
ACTION = (ROOT / "action.yml").read_text("utf-8")
BUILT = re.sub(
    r"^  image: .*$", "  image: Dockerfile", ACTION, flags=re.MULTILINE
)  # also on a release commit
DIGEST = f"sha256:{'0123456789abcdef' * 4}"
IMAGE = f"ghcr.io/your-org/cfgate@{DIGEST}"
TEMPLATE = re.sub(
    r"^      default: ghcr\.io/.*$",
    "      default: ghcr.io/your-org/cfgate:0.1.0",
    (ROOT / COMPONENT).read_text("utf-8"),
    flags=re.MULTILINE,
)
CHANGELOG = """# Changelog

## [Unreleased]

## [1.2.3] - 2026-01-31

### Added

- A thing.

## [1.2.2] - 2026-01-30

- Another thing.

[1.2.3]: https://github.com/your-org/cfgate/compare/v1.2.2...v1.2.3
"""

numbers = st.integers(0, 999_999_999)
any_version = st.builds(Version, numbers, numbers, numbers) | st.builds(
    Version, numbers, numbers, numbers, st.integers(0, 2), numbers
)


# Versions


@given(any_version)
def test_a_version_comes_back(version: Version) -> None:
    """What is written is read as the same version."""
    assert Version.parse(str(version)) == version


@given(st.text(alphabet="0123456789.-+v arclphbet\n٣", max_size=16) | st.text(max_size=12))
def test_any_text_is_a_version_or_refused(text: str) -> None:
    """Nothing is read as a version but what one is written as."""
    try:
        assert str(Version.parse(text)) == text
    except Refused:
        assert re.fullmatch(r"(0|[1-9]\d{0,8})(\.(0|[1-9]\d{0,8})){2}", text, re.ASCII) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1",
        "1.2",
        "v1.2.3",
        "01.2.3",
        "1.2.3.4",
        "1.2.3\n",
        " 1.2.3",
        "1.2.3-rc1",
        "1.2.3-rc.01",
        "1.2.3-dev.1",
        "1.2.3+build",
        "1.2.-3",
        "1.2.٣",
        "1.2.3-",
        "1.2.3-rc.1.2",
        "1.2.9999999999",
    ],
)
def test_a_version_that_is_not_clean_is_refused(text: str) -> None:
    """Other forms, of which semver allows some, are no versions here."""
    with pytest.raises(Refused, match="not a version"):
        Version.parse(text)


def test_versions_are_in_the_order_of_semver() -> None:
    """Numbers are compared as numbers, and a pre-release comes before its release."""
    texts = [
        "0.9.0",
        "1.2.3-alpha.2",
        "1.2.3-alpha.10",
        "1.2.3-beta.0",
        "1.2.3-rc.1",
        "1.2.3",
        "1.10.0",
        "2.0.0",
    ]
    assert [str(version) for version in sorted(map(Version.parse, reversed(texts)))] == texts


# What follows a version


def test_the_newest_of_a_series_leads_it() -> None:
    """A fix of an old series leads that, but not all; of tags only those of releases count."""
    tags = ["1.9.9", "v1", "v1.2.2", "v1.10.0-rc.1", "v2.0.0", "v01.11.0", "v1.2", "vv1.9.9", "nightly"]
    found = list(versions(tags))
    assert [str(version) for version in found] == ["1.2.2", "1.10.0-rc.1", "2.0.0"]
    assert leads(Version.parse("1.2.3"), found, in_series=True)
    assert not leads(Version.parse("1.2.3"), found, in_series=False)
    assert leads(Version.parse("2.0.1"), found, in_series=False)
    assert not leads(Version.parse("1.2.1"), found, in_series=True)


@given(any_version, st.lists(any_version))
def test_what_leads_is_not_behind_any_other(version: Version, others: list[Version]) -> None:
    """A pre-release never leads, and nothing leads that has a newer one in front of it."""
    assert list(versions(other.tag for other in others)) == others
    assert leads(version, others, in_series=True) == (
        not version.is_prerelease
        and all(other <= version or other.is_prerelease for other in others if other.series == version.series)
    )
    assert leads(version, others, in_series=False) <= leads(version, others, in_series=True)


# The changelog


def test_the_notes_are_those_of_the_version() -> None:
    """Everything between the heading and the next one, or the links at the end."""
    assert notes(CHANGELOG, Version.parse("1.2.3")) == "### Added\n\n- A thing."
    assert notes(CHANGELOG, Version.parse("1.2.2")) == "- Another thing."


@pytest.mark.parametrize(
    ("changelog", "why"),
    [
        (CHANGELOG.replace("[1.2.3]", "[1.2.4]"), "0 headings"),
        (CHANGELOG + "\n## [1.2.3] - 2026-01-31\n\n- Again.\n", "2 headings"),
        (CHANGELOG.replace(" - 2026-01-31", ""), "no date"),
        (CHANGELOG.replace("2026-01-31", "2026-02-31"), "no date"),
        (CHANGELOG.replace("2026-01-31", "soon"), "no date"),
        (CHANGELOG.replace("### Added\n\n- A thing.\n", ""), "says nothing"),
        (CHANGELOG.replace("[Unreleased]\n", "[Unreleased]\n\n- Not noted.\n"), "under \\[Unreleased\\]"),
    ],
)
def test_a_changelog_that_does_not_agree_is_refused(changelog: str, why: str) -> None:
    """A version has one heading with a date and something below it, and nothing waits for the next one."""
    with pytest.raises(Refused, match=why):
        agreed("1.2.3", "1.2.3", changelog)


def test_tag_program_and_changelog_agree() -> None:
    """Only when all three say the same, it is a release."""
    assert agreed("1.2.3", "1.2.3", CHANGELOG) == Version(1, 2, 3)
    with pytest.raises(Refused, match=r"__version__ 1\.2\.4"):
        agreed("1.2.3", "1.2.4", CHANGELOG)
    with pytest.raises(Refused, match="not a version"):
        agreed("v1.2.3", "1.2.3", CHANGELOG)


def test_a_prerelease_may_leave_something_for_the_release() -> None:
    """What is still unreleased does not stop a pre-release."""
    changelog = CHANGELOG.replace("[Unreleased]\n", "[Unreleased]\n\n- More.\n").replace(
        "1.2.3", "1.2.3-rc.1"
    )
    assert agreed("1.2.3-rc.1", "1.2.3-rc.1", changelog).is_prerelease


@given(st.text(alphabet=string.printable, max_size=200), any_version)
def test_any_changelog_has_notes_or_is_refused(changelog: str, version: Version) -> None:
    """Nothing else comes of a changelog, and notes are never empty."""
    text = f"## [{version}] - 2026-01-31\n{changelog}"
    try:
        assert notes(text, version).strip() != ""
    except Refused:
        return


# The image, and the action that runs it


@pytest.mark.parametrize(
    ("repository", "image"),
    [
        ("your-org/cfgate", "ghcr.io/your-org/cfgate"),
        ("Your-Org/CFGate", "ghcr.io/your-org/cfgate"),
        ("someone_corp/my.gate_2", "ghcr.io/someone_corp/my.gate_2"),
    ],
)
def test_the_image_is_named_after_the_repository(repository: str, image: str) -> None:
    """A registry knows lower case alone."""
    assert image_name(repository) == image


@pytest.mark.parametrize(
    "repository",
    [
        "",
        "cfgate",
        "a/b/c",
        "a/",
        "/b",
        "a b/c",
        "a/b\n",
        "-a/b",
        "a-/b",
        "a/b@sha256",
        "a/b:1",
        "ghcr.io/a/b",
        "ä/b",
        "a/.b",
        "\u212a/b",
        f"{'a' * 40}/b",
        "a/b'",
        "a/b # c",
    ],
)
def test_a_repository_that_is_not_clean_is_refused(repository: str) -> None:
    """What a registry or a YAML file could read as something else names no image."""
    with pytest.raises(Refused, match="not a repository"):
        image_name(repository)


@pytest.mark.parametrize(
    "digest",
    [
        "",
        DIGEST[:-1],
        f"{DIGEST}0",
        DIGEST.upper(),
        DIGEST.removeprefix("sha256:"),
        f"{DIGEST}\n",
        "sha256:latest",
        DIGEST.replace("sha256", "sha512"),
        DIGEST.replace("0", "٠", 1),
    ],
)
def test_a_digest_that_is_not_clean_is_refused(digest: str) -> None:
    """A digest is sha256: and 64 digits, and there is nothing around it."""
    with pytest.raises(Refused, match="not a digest"):
        image_by_digest("your-org/cfgate", digest)
    for pin, text in ((pinned, BUILT), (pinned_component, TEMPLATE)):
        with pytest.raises(Refused, match="not an image by digest"):
            pin(text, f"ghcr.io/your-org/cfgate@{digest}")


def test_only_the_line_of_the_image_changes() -> None:
    """The action of a release says all that the one it was made of says, but for the image."""
    after = pinned(BUILT, image_by_digest("Your-Org/cfgate", DIGEST))
    changed = [
        pair for pair in zip(BUILT.splitlines(), after.splitlines(), strict=True) if len(set(pair)) > 1
    ]
    image = f"  image: docker://ghcr.io/your-org/cfgate@{DIGEST}"
    assert changed == [("  image: Dockerfile", image)]
    assert PINNED.fullmatch(image)
    before = yaml.safe_load(BUILT)
    before["runs"]["image"] = f"docker://ghcr.io/your-org/cfgate@{DIGEST}"
    assert yaml.safe_load(after) == before
    assert len(after) - len(BUILT) == len(image) - len("  image: Dockerfile")


@pytest.mark.parametrize(
    "action",
    [
        "",
        BUILT.replace("image: Dockerfile", "image: ./Dockerfile"),
        BUILT.replace("image: Dockerfile", 'image: "Dockerfile"'),
        BUILT.replace("image: Dockerfile", "image: Dockerfile # built"),
        BUILT.replace("  image: Dockerfile", '  "image": Dockerfile'),
        BUILT.replace("  image: Dockerfile", "    image: Dockerfile"),
        BUILT.replace("using: docker", "using: composite"),
        BUILT.replace("runs:", "runs: # what"),
        BUILT.replace("\n", "\r\n"),
        BUILT + "  image: Dockerfile\n",
        BUILT + "  pre-image: x\n  image : y\n",
        BUILT.rstrip("\n"),
        pinned(BUILT, IMAGE),
    ],
)
def test_an_action_that_is_not_as_expected_is_refused(action: str) -> None:
    """Where the line of the image is missing, written otherwise or there twice, nothing is rewritten."""
    with pytest.raises(Refused, match=r"action\.yml has not"):
        pinned(action, IMAGE)


def test_the_component_of_a_release_names_the_image_by_digest() -> None:
    """One line of the GitLab component changes, and it is the default of the input `image`."""
    after = pinned_component(TEMPLATE, IMAGE)
    changed = [
        pair for pair in zip(TEMPLATE.splitlines(), after.splitlines(), strict=True) if len(set(pair)) > 1
    ]
    assert changed == [("      default: ghcr.io/your-org/cfgate:0.1.0", f"      default: {IMAGE}")]
    header = next(yaml.safe_load_all(after))
    assert header["spec"]["inputs"]["image"]["default"] == IMAGE


@pytest.mark.parametrize(
    "template",
    [
        "",
        NAMED.sub("      default: somewhere/cfgate:0.1.0", TEMPLATE),
        NAMED.sub("      default: ghcr.io/your-org/cfgate:latest", TEMPLATE),
        NAMED.sub('      default: "ghcr.io/your-org/cfgate:0.1.0"', TEMPLATE),
        TEMPLATE.replace("\n", "\r\n"),
        TEMPLATE + "      default: ghcr.io/your-org/cfgate:0.1.0\n",
        NAMED.sub("", TEMPLATE) + "      default: ghcr.io/your-org/cfgate:0.1.0\n",
        pinned_component(TEMPLATE, IMAGE),
    ],
)
def test_a_component_that_is_not_as_expected_is_refused(template: str) -> None:
    """Where the default of the image is missing, written otherwise or there twice, nothing is rewritten."""
    with pytest.raises(Refused, match=r"cfgate\.yml does not name the image"):
        pinned_component(template, IMAGE)


def test_the_image_of_a_release_is_read_back() -> None:
    """What was pinned is found again; an action that is built has none."""
    assert pinned_image(pinned(BUILT, IMAGE)) == IMAGE
    assert pinned_image(BUILT) is None
