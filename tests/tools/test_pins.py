"""What others wrote is pinned, wherever something runs it: by commit, digest or hash."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from cfgate import __version__
from tools import image

ROOT = Path(__file__).parents[2]
# What runs something: no page, and no test, whose texts stand for others' repositories.
RUNS = re.compile(
    r"\.github/workflows/.*|\.ci/.*|\.gitlab-ci\.yml|templates/.*|action\.yml|(.*/)?Dockerfile|Makefile|tools/.*|cfgate/.*"
)
NOT_TEXT = (".xsd", ".json")
LISTED = subprocess.run(
    ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
).stdout.splitlines()
FILES = {name: (ROOT / name).read_text("utf-8") for name in LISTED if RUNS.fullmatch(name)}
YAML = [name for name in FILES if name.endswith(".yml") and not name.startswith("cfgate/")]

COMMIT = re.compile(r"[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")
DIGEST = re.compile(r"\S+@sha256:[0-9a-f]{64}")
# Names that are ours: what was just built of this commit, and what the release commit replaces by a digest.
OURS = {
    "$CI_REGISTRY_IMAGE:$CI_COMMIT_SHA",
    "$[[ inputs.image ]]",
    "Dockerfile",
    f"ghcr.io/your-org/cfgate:{__version__}",
}
HOSTS = (
    r"(?:ghcr\.io|quay\.io|docker\.io|gcr\.io|mcr\.microsoft\.com|registry\.gitlab\.com|moby|anchore|aquasec)"
)


def nodes(tree: Any) -> Iterator[tuple[str, Any]]:
    """List all keys of a YAML document with their values."""
    if isinstance(tree, dict):
        for key, value in tree.items():
            yield str(key), value
            yield from nodes(value)
    elif isinstance(tree, list):
        for item in tree:
            yield from nodes(item)


def images(name: str) -> Iterator[str]:
    """List the images that a YAML file runs, with variables of a matrix looked up."""
    pairs = [pair for tree in yaml.safe_load_all(FILES[name]) for pair in nodes(tree)]
    values = {f"${key}": value for key, value in pairs if isinstance(value, list)}
    for key, value in pairs:
        if key in {"image", "container"}:
            is_job = isinstance(value, dict) and "runs-on" in value
            found = value.get("name") if isinstance(value, dict) and not is_job else value
            if isinstance(found, str) and not found.startswith("${{"):  # an output of a job
                yield from values.get(found, [found])


def test_the_files_that_run_something_are_found() -> None:
    """The test looks where something could stand."""
    expected = {"Makefile", "Dockerfile", ".ci/images/Dockerfile", ".gitlab-ci.yml", ".ci/container/prove"}
    assert expected <= FILES.keys()
    assert [
        path.name
        for path in (ROOT / ".github" / "workflows").iterdir()
        if f".github/workflows/{path.name}" not in FILES
    ] == []


@pytest.mark.parametrize("name", YAML)
def test_each_action_is_named_by_a_commit(name: str) -> None:
    """Each action of others is named by a full commit and, for people, by its version."""
    used = re.findall(r"^ *(?:- )?uses: (?!\./)(.*)$", FILES[name], re.MULTILINE)
    assert [use for use in used if not COMMIT.fullmatch(use)] == []


def test_one_action_has_one_commit() -> None:
    """All workflows use the same version of an action."""
    pins = set(re.findall(r"uses: ([\w-]+/[\w-]+)[\w/-]*@([0-9a-f]{40} # \S+)", "\n".join(FILES.values())))
    assert len(pins) == len({action for action, _ in pins}) > 8


@pytest.mark.parametrize("name", YAML)
def test_each_image_that_a_job_runs_in_is_named_by_its_digest(name: str) -> None:
    """A job holds a token, so what it runs in is no tag that somebody can move."""
    assert [each for each in images(name) if each not in OURS and not DIGEST.fullmatch(each)] == []


@pytest.mark.parametrize("name", [name for name in FILES if name.endswith("Dockerfile")])
def test_each_base_is_named_by_its_digest(name: str) -> None:
    """A Dockerfile begins with images by digest, or with its own stages."""
    stages = set(re.findall(r"^FROM .* AS (\S+)$", FILES[name], re.MULTILINE))
    bases = re.findall(r"^FROM (\S+)", FILES[name], re.MULTILINE)
    assert bases
    assert [base for base in bases if base not in stages and not DIGEST.fullmatch(base)] == []


@pytest.mark.parametrize("name", [name for name in FILES if not name.endswith(NOT_TEXT)])
def test_no_image_is_named_by_a_tag_anywhere(name: str) -> None:
    """Scripts, options and comments name images of others by digest too."""
    named = re.findall(rf"(?<![\w./-]){HOSTS}/[\w./-]+:[\w.-]+(?:@sha256:[0-9a-f]{{64}})?", FILES[name])
    assert [each for each in named if each not in OURS and not DIGEST.fullmatch(each)] == []


# The program installs nothing: it says to people what they can.
@pytest.mark.parametrize("name", [name for name in FILES if not name.startswith("cfgate/")])
def test_nothing_is_installed_without_a_hash(name: str) -> None:
    """Every pip has hashes to compare, and every npm its lock file."""
    joined = FILES[name].replace("\\\n", " ")
    lines = [" ".join(joined.split())] if name.endswith(".py") else joined.splitlines()
    installs = [line for line in lines if re.search(r"\bpip3?\b.*\b(install|download)\b", line)]
    assert [line for line in installs if not re.search(r"--require-hashes|--no-index|^ *#", line)] == []
    assert re.findall(r"\bnpm (?:install|i|update|exec)\b|\bnpx\b|\bpipx\b|\buvx\b", joined) == []
    assert re.findall(r"curl [^|\n]*\|\s*(?:ba)?sh", joined) == []


@pytest.mark.parametrize("path", sorted((ROOT / "requirements").glob("*.txt")), ids=lambda path: path.name)
def test_each_requirement_has_a_hash(path: Path) -> None:
    """A lock file has a version and hashes for each package."""
    lines = re.sub(r"\\\n", " ", path.read_text("utf-8")).splitlines()
    required = [line for line in lines if line and not line.lstrip().startswith("#")]
    assert required
    assert [
        line for line in required if not re.match(r"[\w.-]+==\S+ .*--hash=sha256:[0-9a-f]{64}", line)
    ] == []


@pytest.mark.parametrize("path", [name for name in LISTED if name.endswith("package-lock.json")])
def test_each_npm_package_has_a_hash(path: str) -> None:
    """A lock file of npm has a hash for each package but the one that it is for."""
    packages = json.loads((ROOT / path).read_text("utf-8"))["packages"]
    assert [name for name, about in packages.items() if name and "integrity" not in about] == []


def test_what_dependabot_moves_is_where_it_looks() -> None:
    """Each file with pins stands in a directory of an ecosystem that Dependabot reads."""
    updates = yaml.safe_load((ROOT / ".github" / "dependabot.yml").read_text("utf-8"))["updates"]
    seen = {
        (update["package-ecosystem"], place)
        for update in updates
        for place in update.get("directories", [update.get("directory")])
    }
    pinned = {
        ("docker", f"/{Path(name).parent}".rstrip(".")) for name in FILES if name.endswith("Dockerfile")
    }
    pinned |= {("npm", f"/{Path(name).parent}") for name in LISTED if name.endswith("package-lock.json")}
    assert seen == pinned | {("github-actions", "/"), ("pip", "/requirements")}


def test_each_image_of_others_is_pinned_once() -> None:
    """Every pin of CI and the release stands in `.ci/images/Dockerfile`, and each there is used."""
    used = set(re.findall(r"\S+@sha256:[0-9a-f]{64}", FILES[".gitlab-ci.yml"]))
    code = FILES["tools/image.py"]
    for name, pin in image.pins().items():
        assert (pin in used) != (f'pins()["{name}"]' in code or f"pins()['{name}']" in code), name
    assert used <= set(image.pins().values())
