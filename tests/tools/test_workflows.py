"""The workflows: what their jobs may do, what comes before what, and what the scripts of a release do."""

from __future__ import annotations

import hashlib
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

from tests.tools.repositories import COMPONENT, Repository

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
TEXTS = {path.name: path.read_text("utf-8") for path in WORKFLOWS}
# YAML 1.1 reads the key `on` as true.
PARSED: dict[str, dict[Any, Any]] = {name: yaml.safe_load(text) for name, text in TEXTS.items()}
JOBS: dict[str, dict[str, Any]] = {name: parsed["jobs"] for name, parsed in PARSED.items()}
RELEASE = JOBS["release.yml"]
ONE, OTHER = (f"sha256:{digit * 64}" for digit in "12")
IMAGE = "ghcr.io/your-org/cfgate"


def before(job: str) -> set[str]:
    """Find the jobs that must have succeeded before a job of the release starts."""
    needs = RELEASE[job].get("needs", [])
    direct = {needs} if isinstance(needs, str) else set(needs)
    return direct.union(*(before(name) for name in direct))


def steps(name: str) -> list[dict[str, Any]]:
    """List all steps of a workflow."""
    return [step for job in JOBS[name].values() for step in job.get("steps", [])]


def writes(job: dict[str, Any]) -> set[str]:
    """List what the token of a job can write, and what a token that it makes can."""
    made = (step.get("with", {}) for step in job.get("steps", []) if "app-token" in step.get("uses", ""))
    asked = [pair for each in made for pair in each.items() if pair[0].startswith("permission-")]
    given = {name.replace("permission-", "app "): level for name, level in asked}
    return {name for name, level in {**job["permissions"], **given}.items() if level == "write"}


# What holds for every workflow


@pytest.mark.parametrize("name", TEXTS)
def test_nothing_is_permitted_that_is_not_said(name: str) -> None:
    """No job has a permission by default, and each says which it has."""
    assert PARSED[name]["permissions"] == {}
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


def test_all_green_waits_for_every_job() -> None:
    """The one check that a rule requires leaves none out."""
    ci = JOBS["ci.yml"]
    assert set(ci["all-green"]["needs"]) == ci.keys() - {"all-green"}


@pytest.mark.parametrize(
    ("results", "green"),
    [
        ({"test": "success", "dependencies": "skipped"}, True),
        ({"test": "success", "dependencies": "success"}, True),
        ({"test": "skipped", "dependencies": "success"}, False),
        ({"test": "success", "dependencies": "failure"}, False),
        ({"test": "cancelled", "dependencies": "skipped"}, False),
    ],
)
@pytest.mark.skipif(not shutil.which("jq"), reason="jq is a program of the runner's")
def test_all_green_is_green_only_when_all_are(results: dict[str, str], green: bool) -> None:
    """A job that was skipped is no success, but for the review of a pull request where there is none."""
    (step,) = JOBS["ci.yml"]["all-green"]["steps"]
    needs = json.dumps({name: {"result": result} for name, result in results.items()})
    ended = subprocess.run(["bash", "-ec", step["run"]], env={**os.environ, "NEEDS": needs}, check=False)
    assert (ended.returncode == 0) is green


# The release


def test_a_release_is_dispatched_on_main() -> None:
    """No push of a tag starts it, whose commit would say what runs; and none is dropped from the queue."""
    release = PARSED["release.yml"]
    assert release[True].keys() == {"workflow_dispatch"}
    assert release["concurrency"] == {"group": "release", "cancel-in-progress": False, "queue": "max"}


def test_each_power_is_where_it_is_used() -> None:
    """Who signs cannot tag, who tags cannot push an image, and where tests run nothing can be written."""
    assert {job: writes(about) for job, about in RELEASE.items()} == {
        "check": set(),
        "tests": set(),
        "files": set(),
        "image": {"packages"},
        "second": set(),
        "agree": set(),
        "approve": {"app administration"},
        "sign": {"packages", "id-token", "attestations"},
        "try": set(),
        "publish": {"app contents", "app workflows"},
        "names": {"packages"},
        "pypi": {"id-token"},
    }
    assert all(writes(job) == set() for job in JOBS["rebuild.yml"].values())
    runs_ours = [job for job, about in RELEASE.items() if "checkout" in json.dumps(about.get("steps", []))]
    assert set(runs_ours) == {"check", "files", "image", "approve", "publish"}


def test_the_identity_that_pushes_tags_is_that_of_the_environment() -> None:
    """Only jobs that a reviewer has let go on hold the key of the app."""
    key = "secrets.RELEASE_APP_KEY"
    holds = {job for job, about in RELEASE.items() if key in json.dumps(about)}
    assert holds == {"approve", "publish"}
    assert {RELEASE[job]["environment"] for job in holds} == {"release"}
    assert [name for name, text in TEXTS.items() if key in text] == ["release.yml"]
    assert RELEASE["pypi"]["environment"] == "pypi"


def test_nothing_is_done_for_good_before_it_is_approved() -> None:
    """The rules are asked for, and a reviewer lets it go on, before anything is signed or named."""
    for job in ("sign", "publish", "names", "pypi"):
        assert "approve" in before(job)
    assert before("approve") == {"check", "tests", "files", "image", "second", "agree"}


def test_nothing_gets_a_name_before_it_was_tried() -> None:
    """Tests, a second builder, signature and the trial of the pushed image come first; PyPI comes last."""
    assert before("image") == {"check", "tests"}
    assert before("publish") == {*before("approve"), "approve", "sign", "try"}
    assert before("names") - before("publish") == {"publish"}
    assert before("pypi") == RELEASE.keys() - {"pypi"}
    assert [job for job, about in RELEASE.items() if "if" in about] == ["pypi"]


def test_what_is_shipped_is_built_first_and_alone() -> None:
    """No test, tool or package of others has run on the machine that makes the files."""
    assert before("files") == {"check"}
    used = [step.get("uses", step.get("run", "")).partition("@")[0] for step in RELEASE["files"]["steps"]]
    assert [use for use in used if not use.startswith(("actions/checkout", "actions/upload-artifact"))] == [
        RELEASE["files"]["steps"][1]["run"]
    ]
    assert re.findall(r"\bmake .*", RELEASE["files"]["steps"][1]["run"]) == ["make dist pyz"]


def test_what_goes_from_job_to_job_is_compared_before_it_is_used() -> None:
    """Files are fetched by the number of the artifact, and are those whose digests are an output."""
    for job, about in RELEASE.items():
        listed = about.get("steps", [])
        for number, step in enumerate(listed):
            if "download-artifact" in step.get("uses", ""):
                assert step["with"]["artifact-ids"] == "${{ needs.files.outputs.artifact }}", job
                after = listed[number + 1]
                assert after["env"] == {"SUMS": "${{ needs.files.outputs.sums }}"}, job
                assert 'diff <(LC_ALL=C sha256sum -- *) - <<<"$SUMS"' in after["run"], job


def test_the_image_is_tried_on_both_architectures() -> None:
    """What is built for an architecture is tried on it."""
    built = {each["runner"] for each in RELEASE["image"]["strategy"]["matrix"]["include"]}
    assert set(RELEASE["try"]["strategy"]["matrix"]["runner"]) == built
    assert RELEASE["try"]["with"]["digest"] == "${{ needs.sign.outputs.digest }}"


# Its scripts, with real git, and stand-ins for `gh` and for the registry

# Keeps releases as the platform does, behind the calls that tools/publish.py makes.
FAKE_GH = """
import hashlib, json, os, pathlib, sys
path = pathlib.Path(os.environ["STATE"], "releases.json")
releases = json.loads(path.read_text()) if path.exists() else []
assert sys.argv[1:3] == ["api", "--method"], sys.argv
method, place, *rest = sys.argv[3:]
given = rest[rest.index("--input") + 1] if "--input" in rest else None
if place.endswith("?per_page=100"):
    answer = [releases]
elif place.endswith("/releases"):
    answer = json.load(sys.stdin) | {"id": len(releases) + 1, "assets": []}
    releases.append(answer)
else:
    number = int(place.partition("/releases/")[2].partition("/")[0])
    (found,) = [each for each in releases if each["id"] == number]
    if "?name=" in place:
        if os.environ.get("BROKEN"):
            sys.exit("HTTP 502")
        digest = hashlib.sha256(pathlib.Path(given).read_bytes()).hexdigest()
        found["assets"].append({"name": place.partition("?name=")[2], "digest": "sha256:" + digest})
    elif method == "PATCH":
        found |= json.load(sys.stdin) | {"immutable": True}
    answer = found if given else [found]
path.write_text(json.dumps(releases))
print(json.dumps(answer))
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
    """A repository with a program to release, and runs of the jobs' scripts in fresh checkouts of it."""

    def __init__(self, directory: Path) -> None:
        self.repository = Repository(directory)
        self.state = directory / "state"
        self.files = directory / "files"
        self._runs = 0
        self._directory = directory
        programs = directory / "bin"
        for made in (self.state, self.files, programs):
            made.mkdir()
        for name, program in {"gh": FAKE_GH, "docker": FAKE_DOCKER}.items():
            (programs / name).write_text(f"#!{sys.executable}\n{program}")
            (programs / name).chmod(0o755)
        (programs / "python3").symlink_to(sys.executable)
        for name, content in {"cfgate.whl": b"wheel", "cfgate.pyz": b"file"}.items():
            (self.files / name).write_bytes(content)
        self.environ = {
            **{name: value for name, value in os.environ.items() if not name.startswith("GIT")},
            "PATH": f"{programs}:{os.environ['PATH']}",
            "HOME": str(directory),
            "STATE": str(self.state),
            "GITHUB_REPOSITORY": "Your-Org/cfgate",
            "GITHUB_REF": "refs/heads/main",
            "IMAGE": IMAGE,
            "RUNNER_TEMP": str(directory),
            "GIT_CONFIG_NOSYSTEM": "1",
        }

    def prepare(self, version: str, *, request: bool = True) -> str:
        """Do what a maintainer does: commit a version and its changelog, and sign a request."""
        for name in ("__init__", "release", "tags", "publish"):
            self.repository.write(f"tools/{name}.py", (ROOT / "tools" / f"{name}.py").read_text("utf-8"))
        changelog = f"## [Unreleased]\n\n## [{version}] - 2026-01-31\n\n- Of {version}.\n"
        self.repository.write("CHANGELOG.md", changelog)
        commit = self.repository.commit(version)
        if request:
            self.repository.request(version, commit)
        return commit

    def saved(self, name: str) -> Any:
        """Read what a stand-in has been told."""
        return json.loads((self.state / f"{name}.json").read_text())

    def names(self) -> dict[str, str]:
        """Read the tags of the image, without its name."""
        return {name.partition(":")[2]: digest for name, digest in self.saved("registry").items()}

    def sums(self) -> str:
        """Return what the job that made the files says of them."""
        lines = (
            f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}" for path in self.files.iterdir()
        )
        return "\n".join(sorted(lines, key=lambda line: line.partition("  ")[2]))

    def run(
        self, job: str, version: str, digest: str = ONE, outputs: dict[str, str] | None = None, **environ: str
    ) -> dict[str, str]:
        """Run the scripts of a job in a fresh checkout; return its outputs, or raise CalledProcessError."""
        self._runs += 1
        checkout = self._directory / f"run-{self._runs}"
        self.repository.git(self._directory, "clone", "-q", str(self.repository.bare), checkout.name)
        shutil.copytree(self.files, checkout / "files")
        written = self._directory / f"outputs-{self._runs}"
        written.touch()
        values = dict(outputs or {})
        for step in RELEASE[job]["steps"]:
            if "run" not in step:
                continue
            given = {"VERSION": version, "DIGEST": digest, "SUMS": self.sums(), "AMD64": ONE, "ARM64": OTHER}
            given |= {"PYZ": hashlib.sha256((self.files / "cfgate.pyz").read_bytes()).hexdigest()}
            given |= {name.upper(): values.get(name, "") for name in ("commit", "latest", "series")}
            given |= {"GITHUB_SHA": self.repository.there("main"), "GITHUB_OUTPUT": str(written)}
            subprocess.run(
                ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
                cwd=checkout,
                env={**self.environ, **given, **environ},
                check=True,
            )
            values |= dict(line.split("=", 1) for line in written.read_text().splitlines())
        return values

    def publish(self, version: str, digest: str = ONE) -> dict[str, str]:
        """Run all jobs that give names."""
        released = self.run("publish", version, digest)
        self.run("names", version, digest, released)
        return released


@pytest.fixture
def workflow(tmp_path: Path) -> Workflow:
    """Start a repository."""
    return Workflow(tmp_path)


def refused(workflow: Workflow, job: str, version: str, digest: str = ONE, **environ: str) -> None:
    """Run a job that must fail."""
    with pytest.raises(subprocess.CalledProcessError):
        workflow.run(job, version, digest, None, **environ)


def test_a_whole_release(workflow: Workflow) -> None:
    """Commit, one tag, release, series and names of the image are there at the end, and lead to one image."""
    tested = workflow.prepare("1.2.3")
    checked = workflow.run("check", "1.2.3")
    assert checked == {"version": "1.2.3", "prerelease": "false", "image": IMAGE}
    released = workflow.publish("1.2.3")
    there = workflow.repository.there
    assert there("v1.2.3") == there("v1") == released["commit"]
    assert there("v1^") == tested
    assert workflow.repository.git(workflow.repository.bare, "tag").split() == ["v1", "v1.2.3"]
    assert workflow.names() == {"1.2.3": ONE, "1": ONE, "latest": ONE}
    (release,) = workflow.saved("releases")
    assert (release["tag_name"], release["draft"], release["make_latest"]) == ("v1.2.3", False, "true")
    assert [asset["name"] for asset in release["assets"]] == ["cfgate.pyz", "cfgate.whl"]
    assert release["body"].startswith("- Of 1.2.3.\n")
    said = (
        f"Your-Org/cfgate@{released['commit']} # v1.2.3",
        f"{IMAGE}@{ONE}",
        OTHER,
        tested,
        workflow.sums()[:64],
    )
    assert [text for text in said if text not in release["body"]] == []


def test_the_release_has_two_lines_and_a_file_more_than_what_was_tested(workflow: Workflow) -> None:
    """`git diff --stat` shows what the page for maintainers names."""
    tested = workflow.prepare("1.2.3")
    commit = workflow.publish("1.2.3")["commit"]
    stat = workflow.repository.git(workflow.repository.bare, "diff", "--numstat", tested, commit)
    assert stat.splitlines() == ["1\t1\taction.yml", "1\t0\tcfgate.pyz", "1\t1\ttemplates/cfgate.yml"]
    assert workflow.repository.git(workflow.repository.bare, "show", f"{commit}:cfgate.pyz") == "file"
    page = (ROOT / "docs" / "releasing.md").read_text("utf-8")
    assert [name for name in ("action.yml", "cfgate.pyz", "templates/cfgate.yml") if name not in page] == []
    assert COMPONENT.count("reference: component-image") == 1


def test_a_release_that_broke_off_is_finished_by_running_it_again(workflow: Workflow) -> None:
    """After an upload that failed, the same job makes no second commit, tag or draft."""
    workflow.prepare("1.2.3")
    refused(workflow, "publish", "1.2.3", BROKEN="1")
    commit = workflow.repository.there("v1.2.3")
    assert workflow.saved("releases")[0]["draft"]
    for _ in range(2):
        assert workflow.publish("1.2.3")["commit"] == commit
    (release,) = workflow.saved("releases")
    assert not release["draft"]
    assert workflow.repository.there("v1") == commit


def test_a_second_image_of_the_same_version_is_refused_everywhere(workflow: Workflow) -> None:
    """Neither the tag nor the name of the image is given to another one, and a whole new run stops."""
    workflow.prepare("1.2.3")
    workflow.publish("1.2.3")
    commit, names = workflow.repository.there("v1.2.3"), workflow.names()
    for job in ("check", "publish", "names"):
        refused(workflow, job, "1.2.3", OTHER)
    assert workflow.repository.there("v1.2.3") == commit
    assert workflow.names() == names


def test_files_that_somebody_has_changed_are_not_published(workflow: Workflow) -> None:
    """What was made is known by its digest: another byte, a file more or one less stops the job."""
    workflow.prepare("1.2.3")
    made = workflow.sums()
    for files in (
        {"cfgate.whl": b"poisoned", "cfgate.pyz": b"file"},
        {"cfgate.whl": b"wheel", "cfgate.pyz": b"file", "more.whl": b"wheel"},
        {"cfgate.pyz": b"file"},
        {"cfgate.whl": b"file", "cfgate.pyz": b"wheel"},
    ):
        shutil.rmtree(workflow.files)
        workflow.files.mkdir()
        for name, content in files.items():
            (workflow.files / name).write_bytes(content)
        refused(workflow, "publish", "1.2.3", SUMS=made)
    assert not (workflow.state / "releases.json").exists()
    assert workflow.repository.git(workflow.repository.bare, "tag") == ""


def test_an_unclear_answer_of_the_registry_gives_no_name(workflow: Workflow) -> None:
    """Only a name that is known to be free, or to be ours, is given."""
    workflow.prepare("1.2.3")
    workflow.run("publish", "1.2.3")
    refused(workflow, "names", "1.2.3", BROKEN="1")
    assert not (workflow.state / "registry.json").exists()


def test_a_fix_of_an_old_series_and_a_prerelease_move_nothing_back(workflow: Workflow) -> None:
    """What moves stays with the newest version."""
    for number, version in enumerate(["1.2.3", "2.0.0", "1.2.4", "3.0.0-rc.1"]):
        workflow.prepare(version)
        workflow.publish(version, f"sha256:{str(number) * 64}")
    assert {name: digest[-1] for name, digest in workflow.names().items()} == {
        "1.2.3": "0",
        "2.0.0": "1",
        "1.2.4": "2",
        "3.0.0-rc.1": "3",
        "1": "2",
        "2": "1",
        "latest": "1",
    }
    there = workflow.repository.there
    assert there("v1") == there("v1.2.4")
    assert there("v2") == there("v2.0.0")


def test_only_what_a_maintainer_has_signed_on_main_goes_further(workflow: Workflow) -> None:
    """The first job stops a run on another branch, one that nobody asked for, and one of another commit."""
    workflow.prepare("1.2.3", request=False)
    refused(workflow, "check", "1.2.3")
    workflow.repository.request("1.2.3", workflow.repository.there("main"))
    refused(workflow, "check", "1.2.3", GITHUB_REF="refs/heads/topic")
    refused(workflow, "check", "1.2.4")
    assert workflow.run("check", "1.2.3")["version"] == "1.2.3"
    workflow.repository.commit("1.2.3")
    refused(workflow, "check", "1.2.3")


AGREED = (
    f"{'a' * 64}  cfgate.pyz\n{'b' * 64}  cfgate.pyz.spdx.json\n{'c' * 64}  a.whl\n{'d' * 64}  b.tar.gz\n"
)


@pytest.mark.parametrize(
    ("one", "other", "agree"),
    [
        (f"{AGREED}{ONE}\n{OTHER}\n", f"{AGREED}{ONE}\n{OTHER}\n", True),
        (f"{AGREED}{ONE}\n{OTHER}\n", f"{AGREED}{ONE}\n{ONE}\n", False),
        (f"{AGREED}{ONE}\n{OTHER}\n", f"{AGREED.replace('a', 'e', 1)}{ONE}\n{OTHER}\n", False),
        ("\n\n\n", "\n\n\n", False),
        (f"{AGREED}\n\n", f"{AGREED}\n\n", False),
        (f"\n{ONE}\n{OTHER}\n", f"\n{ONE}\n{OTHER}\n", False),
    ],
)
def test_a_second_builder_must_agree(one: str, other: str, agree: bool) -> None:
    """Every digest is there and the same from both; two that say nothing agree in nothing."""
    (step,) = RELEASE["agree"]["steps"]
    ended = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
        env={**os.environ, "ONE": one, "OTHER": other},
        check=False,
        capture_output=True,
    )
    assert (ended.returncode == 0) is agree


@pytest.mark.parametrize(
    ("found", "same"),
    [
        ({"1.2.3": ONE, "1": ONE, "latest": ONE}, True),
        ({"1.2.3": OTHER, "1": ONE, "latest": ONE}, False),
        ({"1.2.3": ONE, "1": ONE, "latest": OTHER}, False),
        ({"1.2.3": ONE, "1": ONE}, False),
    ],
)
def test_a_name_that_somebody_pushed_over_is_found(
    found: dict[str, str], same: bool, workflow: Workflow
) -> None:
    """Once a week, every name of the newest image must lead to what its release commit names."""
    (workflow.state / "registry.json").write_text(
        json.dumps({f"{IMAGE}:{name}": digest for name, digest in found.items()})
    )
    (step,) = (each for each in steps("weekly.yml") if each.get("name") == "Compare the names of the image")
    ended = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
        env={**workflow.environ, "VERSION": "1.2.3", "IMAGE": f"{IMAGE}@{ONE}"},
        check=False,
    )
    assert (ended.returncode == 0) is same


def test_the_page_says_what_the_workflows_do() -> None:
    """Each workflow that the platform runs by itself is named on the page for maintainers or for security."""
    pages = [(ROOT / place).read_text("utf-8") for place in ("docs/releasing.md", ".github/SECURITY.md")]
    assert [name for name in TEXTS if not any(name in page for page in pages) and name != "codeql.yml"] == []
