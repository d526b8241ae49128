"""The release workflow: what its jobs may do, what comes before what, and what their scripts do."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
TEXTS = {path.name: path.read_text("utf-8") for path in WORKFLOWS}
# YAML 1.1 reads the key `on` as true.
JOBS: dict[str, dict[str, Any]] = {name: yaml.safe_load(text)["jobs"] for name, text in TEXTS.items()}
RELEASE = JOBS["release.yml"]
ONE, OTHER = (f"sha256:{digit * 64}" for digit in "12")


def before(job: str) -> set[str]:
    """Find the jobs that must have succeeded before a job of the release starts."""
    needs = RELEASE[job].get("needs", [])
    direct = {needs} if isinstance(needs, str) else set(needs)
    return direct.union(*(before(name) for name in direct))


def steps(name: str) -> list[dict[str, Any]]:
    """List all steps of a workflow."""
    return [step for job in JOBS[name].values() for step in job.get("steps", [])]


# What holds for every workflow


@pytest.mark.parametrize("name", TEXTS)
def test_what_others_wrote_is_pinned(name: str) -> None:
    """Each action of others is named by a full commit and, for people, by its version."""
    used = re.findall(r"^ *(?:- )?uses: (?!\./)(.*)$", TEXTS[name], re.MULTILINE)
    assert [use for use in used if not re.fullmatch(r"[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", use)] == []
    images = re.findall(r"=((?:moby|docker)/\S+)", TEXTS[name])
    assert [image for image in images if not re.fullmatch(r"[\w/-]+:[\w.]+@sha256:[0-9a-f]{64}", image)] == []


def test_one_action_has_one_commit() -> None:
    """All workflows use the same version of an action."""
    pins = set(re.findall(r"uses: ([\w-]+/[\w-]+)[\w/-]*@([0-9a-f]{40} # \S+)", "\n".join(TEXTS.values())))
    assert len(pins) == len({action for action, _ in pins}) > 5


@pytest.mark.parametrize("name", TEXTS)
def test_nothing_is_permitted_that_is_not_said(name: str) -> None:
    """No job has a permission by default, and each says which it has."""
    assert yaml.safe_load(TEXTS[name])["permissions"] == {}
    assert [job for job, about in JOBS[name].items() if "permissions" not in about] == []


@pytest.mark.parametrize("name", TEXTS)
def test_no_checkout_keeps_its_credentials(name: str) -> None:
    """No later step finds a token on the disk."""
    checkouts = [step for step in steps(name) if step.get("uses", "").startswith("actions/checkout@")]
    assert [step for step in checkouts if step["with"]["persist-credentials"] is not False] == []


@pytest.mark.parametrize("name", TEXTS)
def test_no_text_becomes_a_part_of_a_script(name: str) -> None:
    """What an expression stands for reaches a script in a variable."""
    assert [step["run"] for step in steps(name) if "${{" in step.get("run", "")] == []


# The release


def test_each_power_is_where_it_is_used() -> None:
    """Who signs cannot tag, who tags cannot push an image, and where the tests run nothing can be written."""
    powers = {
        job: {name for name, level in about["permissions"].items() if level == "write"}
        for job, about in RELEASE.items()
    }
    assert powers == {
        "check": set(),
        "tests": set(),
        "image": {"packages"},
        "sign": {"packages", "id-token", "attestations"},
        "try": set(),
        "release": {"contents"},
        "pypi": {"id-token"},
        "names": {"packages"},
        "series": {"contents"},
    }
    assert RELEASE["pypi"]["environment"] == "pypi"
    assert not any(
        "checkout" in step.get("uses", "") for job in ("sign", "pypi") for step in RELEASE[job]["steps"]
    )


def test_nothing_gets_a_name_before_it_was_tried() -> None:
    """Tests, signature and the trial of the pushed image come first; what moves comes last."""
    assert before("image") == {"check", "tests"}
    assert before("release") == {"check", "tests", "image", "sign", "try"}
    assert before("pypi") - before("release") == {"release"}
    assert before("names") - before("pypi") == {"pypi"}
    assert before("series") == RELEASE.keys() - {"series"}
    assert [job for job, about in RELEASE.items() if "if" in about] == []


def test_the_image_is_tried_on_both_architectures() -> None:
    """What is built for an architecture is tried on it."""
    built = {each["runner"] for each in RELEASE["image"]["strategy"]["matrix"]["include"]}
    assert set(RELEASE["try"]["strategy"]["matrix"]["runner"]) == built
    assert RELEASE["try"]["with"]["digest"] == "${{ needs.sign.outputs.digest }}"


# Its scripts, with real git, and stand-ins for `gh` and for the registry

FAKE_GH = """
import json, os, pathlib, sys
path = pathlib.Path(os.environ["STATE"], "release.json")
release = json.loads(path.read_text()) if path.exists() else {}
task = sys.argv[1:3]
if task[0] == "api":
    print(release.get("state", ""), end="")
elif task == ["release", "create"]:
    assert not release and {"--draft", "--verify-tag"} <= set(sys.argv)
    release = {"state": "draft", "tag": sys.argv[3], "notes": open(sys.argv[-1]).read()}
elif task == ["release", "upload"]:
    assert release["state"] == "draft"
    if os.environ.get("BROKEN"):
        sys.exit("HTTP 502")
    release["files"] = sorted(pathlib.Path(name).name for name in sys.argv[5:])
elif task == ["release", "edit"]:
    release |= {"state": "published", "options": sys.argv[4:]}
path.write_text(json.dumps(release))
"""
FAKE_DOCKER = """
import json, os, pathlib, sys
path = pathlib.Path(os.environ["STATE"], "registry.json")
tags = json.loads(path.read_text()) if path.exists() else {}
assert sys.argv[1:3] == ["buildx", "imagetools"]
if sys.argv[3] == "create":
    tags[sys.argv[5]] = sys.argv[6].partition("@")[2]
    path.write_text(json.dumps(tags))
elif os.environ.get("BROKEN"):
    sys.exit("ERROR: unexpected status 503")
elif sys.argv[-1] in tags:
    print(tags[sys.argv[-1]])
else:
    sys.exit(f"ERROR: {sys.argv[-1]}: not found")
"""


class Workflow:
    """A repository with a released program, and runs of the jobs' scripts in fresh checkouts of it."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._runs = 0
        self.state = directory / "state"
        programs = directory / "bin"
        for made in (self.state, programs, directory / "dist"):
            made.mkdir()
        for name, program in {"gh": FAKE_GH, "docker": FAKE_DOCKER}.items():
            (programs / name).write_text(f"#!{sys.executable}\n{program}")
            (programs / name).chmod(0o755)
        (programs / "python3").symlink_to(sys.executable)
        (directory / "dist" / "cfgate.whl").write_bytes(b"wheel")
        self._environ = {
            "PATH": f"{programs}:{os.environ['PATH']}",
            "HOME": str(directory),
            "STATE": str(self.state),
            "GITHUB_REPOSITORY": "Your-Org/cfgate",
            "IMAGE": "ghcr.io/your-org/cfgate",
            "RUNNER_TEMP": str(directory),
            "GIT_CONFIG_NOSYSTEM": "1",
            **{f"GIT_{role}_{what}": "a@b" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
        }
        self._git("init", "-q", "--bare", "-b", "main", "origin.git")
        self._git("clone", "-q", "origin.git", "maintainer")

    def _git(self, *command: str, where: str = ".") -> str:
        ran = subprocess.run(
            ["git", *command],
            cwd=self._directory / where,
            env=self._environ,
            check=True,
            capture_output=True,
            text=True,
        )
        return ran.stdout.strip()

    def tag(self, version: str) -> None:
        """Do what a maintainer does: commit the program of a version and its changelog, and push the tag."""
        work = self._directory / "maintainer"
        for name in ("__init__", "release", "tags"):
            (work / "tools").mkdir(exist_ok=True)
            shutil.copy(ROOT / "tools" / f"{name}.py", work / "tools")
        (work / "cfgate").mkdir(exist_ok=True)
        (work / "cfgate" / "__init__.py").write_text(f'__version__ = "{version}"\n')
        (work / "CHANGELOG.md").write_text(
            f"## [Unreleased]\n\n## [{version}] - 2026-01-31\n\n- Of {version}.\n"
        )
        (work / "action.yml").write_text("name: cfgate\nruns:\n  using: docker\n  image: Dockerfile\n")
        self._git("add", ".", where="maintainer")
        self._git("commit", "-q", "-m", version, where="maintainer")
        self._git("tag", version, where="maintainer")
        self._git("push", "-q", "origin", "HEAD:main", version, where="maintainer")

    def there(self, name: str) -> str:
        """Find out which commit a name leads to."""
        return self._git("rev-parse", name, where="origin.git")

    def saved(self, name: str) -> Any:
        """Read what a stand-in has been told."""
        return json.loads((self.state / f"{name}.json").read_text())

    def run(self, job: str, version: str, digest: str = ONE, **environ: str) -> dict[str, str]:
        """Run the scripts of a job in a fresh checkout; return its outputs, or raise CalledProcessError."""
        self._runs += 1
        checkout = self._directory / f"run-{self._runs}"
        self._git("clone", "-q", "origin.git", checkout.name)
        self._git("checkout", "-q", version, where=checkout.name)
        shutil.copytree(self._directory / "dist", checkout / "dist")
        outputs = self._directory / f"outputs-{self._runs}"
        outputs.touch()
        values: dict[str, str] = {}
        for step in RELEASE[job]["steps"]:
            if "run" not in step:
                continue
            given = {"VERSION": version, "TAG": version, "DIGEST": digest, "PRERELEASE": "false"}
            given |= {"COMMIT": values.get("commit", ""), "LATEST": values.get("latest", "")}
            subprocess.run(
                ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
                cwd=checkout,
                env={**self._environ, **given, "GITHUB_OUTPUT": str(outputs), **environ},
                check=True,
            )
            values = dict(line.split("=", 1) for line in outputs.read_text().splitlines())
        return values

    def publish(self, version: str, digest: str = ONE) -> None:
        """Run all jobs that give names."""
        for job in ("release", "names", "series"):
            self.run(job, version, digest)
        (self.state / "release.json").unlink()


@pytest.fixture
def workflow(tmp_path: Path) -> Workflow:
    """Start a repository."""
    return Workflow(tmp_path)


def test_a_whole_release(workflow: Workflow) -> None:
    """Commit, tag, release, names of the image and series are there at the end, and lead to one image."""
    workflow.tag("1.2.3")
    checked = workflow.run("check", "1.2.3")
    assert checked == {"version": "1.2.3", "prerelease": "false", "image": "ghcr.io/your-org/cfgate"}
    released = workflow.run("release", "1.2.3")
    workflow.run("names", "1.2.3")
    workflow.run("series", "1.2.3")
    assert workflow.there("v1.2.3") == workflow.there("v1") == released["commit"]
    assert workflow.there("v1^") == workflow.there("1.2.3")
    assert workflow.saved("registry") == {
        f"ghcr.io/your-org/cfgate:{name}": ONE for name in ("1.2.3", "1", "latest")
    }
    release = workflow.saved("release")
    assert (release["tag"], release["state"], release["files"]) == ("v1.2.3", "published", ["cfgate.whl"])
    assert release["notes"].startswith("- Of 1.2.3.\n")
    assert f"Your-Org/cfgate@{released['commit']} # v1.2.3" in release["notes"]
    assert f"ghcr.io/your-org/cfgate@{ONE}" in release["notes"]
    assert release["options"] == ["--draft=false", "--prerelease=false", "--latest=true"]


def test_a_release_that_broke_off_is_finished_by_running_it_again(workflow: Workflow) -> None:
    """After an upload that failed, the same job makes no second commit, tag or draft."""
    workflow.tag("1.2.3")
    with pytest.raises(subprocess.CalledProcessError):
        workflow.run("release", "1.2.3", BROKEN="1")
    commit = workflow.there("v1.2.3")
    assert workflow.saved("release")["state"] == "draft"
    for _ in range(2):
        assert workflow.run("release", "1.2.3")["commit"] == commit
        assert workflow.saved("release")["state"] == "published"
    for _ in range(2):
        workflow.run("names", "1.2.3")
        workflow.run("series", "1.2.3")
    assert workflow.there("v1") == commit


def test_a_second_image_of_the_same_version_is_refused_everywhere(workflow: Workflow) -> None:
    """Neither the tag nor the name of the image is given to another one, and a whole new run stops."""
    workflow.tag("1.2.3")
    workflow.publish("1.2.3")
    commit, names = workflow.there("v1.2.3"), workflow.saved("registry")
    for job in ("check", "release", "names"):
        with pytest.raises(subprocess.CalledProcessError):
            workflow.run(job, "1.2.3", OTHER)
    assert workflow.there("v1.2.3") == commit
    assert workflow.saved("registry") == names


def test_an_unclear_answer_of_the_registry_gives_no_name(workflow: Workflow) -> None:
    """Only a name that is known to be free, or to be ours, is given."""
    workflow.tag("1.2.3")
    workflow.run("release", "1.2.3")
    with pytest.raises(subprocess.CalledProcessError, match="bash"):
        workflow.run("names", "1.2.3", BROKEN="1")
    assert not (workflow.state / "registry.json").exists()


def test_a_fix_of_an_old_series_and_a_prerelease_move_nothing_back(workflow: Workflow) -> None:
    """What moves stays with the newest version."""
    for number, version in enumerate(["1.2.3", "2.0.0", "1.2.4", "3.0.0-rc.1"]):
        workflow.tag(version)
        workflow.publish(version, f"sha256:{str(number) * 64}")
    names = {name.partition(":")[2]: digest[-1] for name, digest in workflow.saved("registry").items()}
    assert names == {
        "1.2.3": "0",
        "2.0.0": "1",
        "1.2.4": "2",
        "3.0.0-rc.1": "3",
        "1": "2",
        "2": "1",
        "latest": "1",
    }
    assert workflow.there("v1") == workflow.there("v1.2.4")
    assert workflow.there("v2") == workflow.there("v2.0.0")


def test_only_a_commit_of_main_is_released(workflow: Workflow) -> None:
    """A tag on anything else goes no further than the first job."""
    workflow.tag("1.2.3")
    workflow._git("checkout", "-q", "--orphan", "elsewhere", where="maintainer")
    workflow._git("commit", "-q", "-m", "not reviewed", where="maintainer")
    workflow._git("tag", "--force", "1.2.3", where="maintainer")
    workflow._git("push", "-q", "--force", "origin", "1.2.3", where="maintainer")
    with pytest.raises(subprocess.CalledProcessError):
        workflow.run("check", "1.2.3")
