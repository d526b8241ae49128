"""The composite action on a runner: from a checkout, and with the single file of a release beside it.

GitHub's runner sets no `INPUT_…` for the steps of a composite action; act does. The runner image takes those
with a hyphen off where a step begins, so inputs of several words arrive by `env:` of composite/action.yml
alone, and `test_without_its_mapping_nothing_arrives` shows that. Those of one word have the same name either
way: that each of them is handed over is held by tests/project/test_composite.py.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from act import Workflow, checkout, commit, run
from roads import ASID, ENDLESS, FAILED, READY, SECRETS, simulator

from cfgate.report.outputs import NAMES
from cfgate.simulator import Scenario
from tests.support.canary import found

FILE: Final = Path(os.environ["CFGATE_PROOF_FILE"])
# Where the action comes from, by the name of the job: what `uses:` says.
CHECKOUT, RELEASE, UNMAPPED = "checkout", "release", "unmapped"
USES: Final = {
    CHECKOUT: "./composite",
    RELEASE: "your-org/cfgate/composite@v0",
    UNMAPPED: "your-org/cfgate/composite@unmapped",
}


@dataclass(frozen=True)
class Gate:
    """A step that is a gate: what the API plays to it, and how it must end."""

    scenario: Scenario
    exit_code: int
    inputs: tuple[tuple[str, str], ...] = ()


GATES: Final = {
    "ready": Gate(READY, 0),
    "failed": Gate(FAILED, 1, (("python", "python3"),)),
    "timeout": Gate(ENDLESS, 4, (("timeout", "1s"),)),
}

# A later step reads everything that the gates before it have left, and says where the program ran.
READER: Final = """
for gate in READY FAILED TIMEOUT; do printf 'read %s\\n' "$(jq --compact-output . <<<"${!gate}")"; done
compgen -G "$RUNNER_TEMP/cfgate-python-*" >/dev/null && echo environment=yes || echo environment=no
"""


def job(uses: str, urls: Mapping[str, str]) -> dict[str, Any]:
    """Write a job with a step for each gate, and one that reads their outputs."""
    steps: list[dict[str, Any]] = [{"uses": "actions/checkout@v6"}] if uses.startswith("./") else []
    for name, gate in GATES.items():
        given = {
            "image-version-id": "9001", "account-service-id": str(ASID), "api-url": urls[name],
            "access-key": "${{ secrets.CLANFORGE_ACCESS_KEY }}",
            "secret-key": "${{ secrets.CLANFORGE_SECRET_KEY }}",
            "max-interval": "1s", **dict(gate.inputs),
        }  # fmt: skip
        steps.append({"id": name, "uses": uses, "continue-on-error": True, "with": given})
    told = {name.upper(): f"${{{{ toJSON(steps.{name}) }}}}" for name in GATES}
    steps.append({"shell": "bash", "env": told, "run": READER})
    return {"runs-on": "ubuntu-latest", "steps": steps}


@dataclass(frozen=True)
class Ended:
    """A job that has ended: the gates as a later step knew them, by name, and the job's log."""

    gates: Mapping[str, Any]
    log: str


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Ended]:
    """Run the jobs, once."""
    directory = tmp_path_factory.mktemp("composite")
    repository = checkout(directory / "repository")
    release = checkout(directory / "release")
    shutil.copy(FILE, release)
    unmapped = directory / "unmapped"
    shutil.copytree(release, unmapped)
    path = unmapped / "composite" / "action.yml"
    text = re.sub(r"^        INPUT_\w+: .*\n", "", path.read_text("utf-8"), flags=re.MULTILINE)
    path.write_text(text, "utf-8")
    with ExitStack() as stack:
        urls = {name: stack.enter_context(simulator(gate.scenario)).url for name, gate in GATES.items()}
        jobs = {name: job(uses, urls) for name, uses in USES.items()}
        workflow = repository / ".github" / "workflows" / "composite.yml"
        workflow.write_text(yaml.safe_dump({"name": "composite", "on": "push", "jobs": jobs}), "utf-8")
        for place in (repository, release, unmapped):
            commit(place, "your-org/cfgate")
        local = {"v0": release, "unmapped": unmapped}
        words = [
            word
            for name, place in local.items()
            for word in ("--local-repository", f"your-org/cfgate@{name}={place}")
        ]
        words += ["-W", ".github/workflows/composite.yml"]
        _, log = run(repository, directory / "home", "push", *words, secrets=SECRETS, variables={})
    assert found(log) == []
    assert len(Workflow(log).jobs) == len(USES), log
    return {name: _ended(log, name) for name in USES}


def _ended(log: str, name: str) -> Ended:
    lines = "\n".join(re.findall(rf"^\[composite/{name} *\] (.*)$", log, re.MULTILINE))
    told = [json.loads(text) for text in re.findall(r"\| read (.*)$", lines, re.MULTILINE)]
    assert len(told) == len(GATES), lines
    return Ended(dict(zip(GATES, told, strict=True)), lines)


@pytest.mark.parametrize("gate", GATES)
@pytest.mark.parametrize("place", [CHECKOUT, RELEASE])
def test_a_later_step_reads_how_the_gate_ended(ended: dict[str, Ended], place: str, gate: str) -> None:
    """Every output arrives, and the step is green only when the image version is ready."""
    told, log = ended[place].gates[gate], ended[place].log
    ready = gate == "ready"
    assert told["outcome"] == ("success" if ready else "failure"), log
    outputs = told["outputs"]
    assert outputs.keys() == set(NAMES)
    assert (outputs["status"], outputs["exit-code"]) == (gate, str(GATES[gate].exit_code)), log
    assert (outputs["ready"], outputs["go"], outputs["rehearsal"]) == (str(ready).lower(),) * 2 + ("false",)
    assert outputs["image-version-id"] == "9001"
    assert json.loads(outputs["result"])["status"] == gate
    assert int(outputs["requests"]) >= 1


def test_a_checkout_installs_and_a_release_does_not(ended: dict[str, Ended]) -> None:
    """From a checkout the locked requirements come into RUNNER_TEMP; the single file has them in it."""
    assert "| environment=yes" in ended[CHECKOUT].log
    assert "| environment=no" in ended[RELEASE].log


def test_without_its_mapping_nothing_arrives(ended: dict[str, Ended]) -> None:
    """An action that hands no input over knows no id: what act sets by itself plays no part."""
    for told in ended[UNMAPPED].gates.values():
        assert told["outcome"] == "failure"
        assert (told["outputs"]["status"], told["outputs"]["go"]) == ("invalid", "false")
        assert "image-version-id" in told["outputs"]["reason"]
