"""Who must review what: everything that runs with a token that can write, and everything that is shipped."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from tools import source

ROOT = Path(__file__).parents[2]
OWNERS = (ROOT / ".github" / "CODEOWNERS").read_text("utf-8")
RELEASE = yaml.safe_load((ROOT / ".github" / "workflows" / "release.yml").read_text("utf-8"))["jobs"]
# What nobody runs and no release is made of.
PROSE = re.compile(r"docs/.*|benchmarks/.*|[A-Z]+(\.md)?|\.gitignore")


def owned(names: list[str], tmp_path: Path) -> set[str]:
    """Find the files that the patterns name, which are those of .gitignore."""
    lines = [line.split() for line in OWNERS.splitlines() if line and not line.startswith("#")]
    assert [line for line in lines if len(line) < 2 or not line[1].startswith("@")] == []
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    (tmp_path / ".gitignore").write_text("".join(f"{line[0]}\n" for line in lines))
    found = subprocess.run(
        ["git", "check-ignore", "--no-index", "--stdin"],
        cwd=tmp_path,
        input="\n".join(names),
        capture_output=True,
        text=True,
        check=False,
    )
    return set(found.stdout.splitlines())


def test_what_is_shipped_has_owners(tmp_path: Path) -> None:
    """Nothing gets into a release that an owner has not seen."""
    names = [name for name in source.files() if not PROSE.fullmatch(name)]
    assert {"cfgate/cli.py", "tools/tags.py", "Dockerfile", ".github/CODEOWNERS"} <= set(names)
    assert sorted(set(names) - owned(names, tmp_path)) == []


def test_what_a_job_with_power_runs_has_owners(tmp_path: Path) -> None:
    """The programs of this repository that release jobs call, and what these read, are owned."""
    called = set(re.findall(r"-m (tools\.\w+)", json.dumps(RELEASE)))
    names = [f"{name.replace('.', '/')}.py" for name in called] + [".ci/images/Dockerfile", "Makefile"]
    assert "tools/publish.py" in names
    assert set(names) == owned(names, tmp_path)


@pytest.mark.parametrize("name", ["docs/README.md", "README.md", "tests/test_cli.py"])
def test_what_does_no_harm_needs_no_owner(name: str, tmp_path: Path) -> None:
    """The patterns are no pattern for everything, which would hide a mistake of this test."""
    assert owned([name], tmp_path) == set()
