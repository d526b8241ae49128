"""The action as CI tries it, on a runner that builds it from what was checked out."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import yaml
from act import Workflow, checkout, commit, run

TRY: Final = yaml.safe_load(Path(".github/workflows/try.yml").read_text("utf-8"))["jobs"]["try"]
SCENARIOS: Final = [entry["scenario"] for entry in TRY["strategy"]["matrix"]["include"]]


def test_the_action_that_ci_tries(tmp_path: Path) -> None:
    """The workflow that CI calls builds the action from what was checked out, and it ends as it must."""
    copy = checkout(tmp_path / "repository")
    dockerfile = copy / "Dockerfile"
    # The base may be a stand-in, which has no digest; nothing else is changed.
    dockerfile.write_text(re.sub("@sha256:[0-9a-f]{64}", "", dockerfile.read_text("utf-8")), "utf-8")
    commit(copy, "your-org/cfgate")
    # act builds for each job of the matrix, and of builds at the same time podman lets some fail: so one job
    # after the other.
    for scenario in SCENARIOS:
        words = ("-W", ".github/workflows/ci.yml", "-j", "action", "--matrix", f"scenario:{scenario}")
        code, log = run(copy, tmp_path / scenario, "push", *words, secrets={}, variables={})
        # A matrix that makes no job is green as well.
        assert (code, Workflow(log).jobs) == (0, [True]), log
    assert sorted(SCENARIOS) == ["failed", "ready", "stuck"]
