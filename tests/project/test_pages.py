"""What a team copies is what it runs: an example deploys behind `go` alone; .ci/act and .ci/pages run all."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.pages import BLOCKS, ROOT, SYSTEMS, Block, examples

# Pages with pipelines, each of which says the rule in one bold sentence.
RULE = "**Whatever changes the world runs only when "
WITH_PIPELINES = ("README.md", "docs/ci-systems.md", "docs/gitlab.md", "docs/pipeline.md", "docs/recipes.md")
# What cannot be run here, by page. A new one needs a reason above it, and to be counted.
NOT_RUN = {"gitlab.md": 1, "recipes.md": 1}
DEPLOYS = "./clanforge switch-profile"
STARTERS = (ROOT / "examples" / "github" / "release.yml", ROOT / "examples" / "gitlab" / ".gitlab-ci.yml")
_GO = re.compile(r"(steps|needs)\.[\w-]+\.outputs\.go == 'true'")


def test_the_examples_that_are_not_run_are_counted() -> None:
    """Every pipeline is run by .ci/act or .ci/pages, but for those whose page says why not."""
    assert Counter(block.page.name for block in BLOCKS if not block.run) == NOT_RUN
    for block in BLOCKS:
        assert not block.note or block.note.startswith(("not run: ", "no schema: ")), block.note


def test_every_system_has_an_example() -> None:
    """There is something to run for each system that the documents name."""
    assert all(examples(system) for system in (*SYSTEMS, "github", "gitlab"))


@pytest.mark.parametrize("page", WITH_PIPELINES)
def test_the_rule_stands_on_every_page_with_a_pipeline(page: str) -> None:
    """Whoever reads one page only reads the rule there."""
    assert (ROOT / page).read_text("utf-8").count(RULE) == 1
    assert {f"docs/{block.page.name}" for block in BLOCKS if DEPLOYS in block.text} <= {
        *WITH_PIPELINES,
        "docs/README.md",
    }


def workflows() -> list[Block]:
    """Find the workflows of GitHub, the starter among them."""
    starter = Block(STARTERS[0], 1, "", "yaml", STARTERS[0].read_text("utf-8"))
    return [*(block for block in BLOCKS if block.system == "github"), starter]


@pytest.mark.parametrize("block", workflows(), ids=str)
def test_a_workflow_deploys_behind_go_alone(block: Block) -> None:
    """Every step that deploys asks for the output go, itself or by its job, and none says `always`."""
    for job in block.content["jobs"].values():
        for step in job["steps"]:
            if "./clanforge" not in step.get("run", ""):
                continue
            condition = f"{job.get('if', '')} {step.get('if', '')}"
            begins = (
                step["run"].startswith("id=$(./clanforge update")
                and condition.strip() == "inputs.rehearse == ''"
            )
            assert begins or _GO.search(condition), condition
            assert not re.search(r"always|failure|cancelled|!=", condition)
            assert any("actions/checkout@" in other.get("uses", "") for other in job["steps"]), (
                "where is ./clanforge?"
            )


@pytest.mark.parametrize("block", workflows(), ids=str)
def test_credentials_are_where_they_are_needed(block: Block) -> None:
    """A secret is in the hands of the steps that call the API, never in the environment of a whole job."""
    content = block.content
    assert "secrets." not in str(content.get("env", ""))
    for job in content["jobs"].values():
        assert "secrets." not in str(job.get("env", ""))


@pytest.mark.parametrize("path", STARTERS, ids=lambda path: path.parent.name)
def test_the_gates_of_a_starter_fit_into_their_jobs(path: Path) -> None:
    """The time-outs of all gates of a job add up to less than that of the job."""
    content: dict[str, Any] = yaml.safe_load(path.read_text("utf-8"))
    if path is STARTERS[0]:
        (job,) = content["jobs"].values()
        gates = [step["with"]["timeout"] for step in job["steps"] if "cfgate" in step.get("uses", "")]
        assert len(gates) == 4
        assert sum(int(timeout.removesuffix("m")) for timeout in gates) + 20 <= job["timeout-minutes"] <= 360
    else:
        assert len(content["include"]) == 4
        for entry in content["include"]:
            inputs = entry["inputs"]
            assert int(inputs["timeout"][:-1]) < int(inputs["job-timeout"][:-1])
        assert len({entry["inputs"]["dotenv-prefix"] for entry in content["include"]}) == 4


def test_no_example_hides_a_call_that_failed() -> None:
    """An id never comes from inside of another command, whose success would hide that the call failed."""
    texts = [block.text for block in BLOCKS] + [path.read_text("utf-8") for path in STARTERS]
    assert not [text for text in texts if re.search(r"(echo|printf|export) .*\$\(\./", text)]
