"""Every workflow of the pages, on a real runner: ready deploys once, and every other road never."""

from __future__ import annotations

import re
from contextlib import ExitStack
from typing import Final

import pytest
import yaml
from act import PINNED, Workflow, run_all
from roads import ASID, QUICK, ROADS, SECRETS, STAND_IN, Road, deployments, hurried, recorded, simulator

from tests.support.pages import BLOCKS, ROOT, Block, examples

STARTER: Final = Block(
    ROOT / "examples" / "github" / "release.yml",
    1,
    "",
    "yaml",
    (ROOT / "examples/github/release.yml").read_text("utf-8"),
)
WORKFLOWS: Final = [*examples("github"), STARTER]
DEPLOYING: Final = [block for block in WORKFLOWS if "./clanforge switch-profile" in block.text]
# How often a workflow deploys on the one road where it does: once for each job of its matrix.
TIMES: Final = {"strategy:\n      matrix: ${{": 3, "strategy:\n      fail-fast: false\n      matrix:": 2}
# What a road of a whole starter calls before its end.
CALLS: Final = ["update 4242 7 ", "diff 4242 7", "version 9001", "switch-profile 77 8801"]
_GATE: Final = re.compile(
    r"^( +)uses: (?:your-org/cfgate@|docker://[a-z.]+/[a-z-]+/cfgate)\S+.*\n", re.MULTILINE
)


def name_of(block: Block, road: Road) -> str:
    """Name a workflow after the example and the road: act names containers after it."""
    return f"{block.page.stem}-{block.line}-{road.name}"


def workflow(block: Block, road: Road, api_url: str) -> str:
    """Write an example as a workflow that goes this road; what is added stands around it."""
    text = (
        re.sub(r"^name: .*\n", "", block.text, count=1, flags=re.MULTILINE)
        if block.content.get("name")
        else block.text
    )
    text = re.sub(r"^  schedule:\n(    .*\n)+", "  workflow_dispatch:\n", text, flags=re.MULTILINE)
    text = text.replace("uses: https://github.com/your-org/", "uses: your-org/")  # the form of Gitea
    head = f"name: {name_of(block, road)}\n"
    if "on" not in block.content:
        head += yaml.safe_dump(
            {"on": {"workflow_dispatch": {"inputs": {"image-version-id": {"required": True}}}}}
        ).replace("'on'", "on")
    environ = {**QUICK, "CFGATE_API_URL": api_url}
    if road.rehearse:
        environ["CFGATE_REHEARSE"] = "ready"
        text = text.replace("      rehearse:\n", "      rehearse:\n        default: ready\n")
    if road.hurried:
        environ["CFGATE_TIMEOUT"] = "1s"
        text = hurried(text)
    if road.allowed:
        text = with_key(text, "continue-on-error: true")
    if road.skipped:
        text = with_key(text, "if: ${{ false }}")
    return f"{head}{yaml.safe_dump({'env': environ})}{text}"


def with_key(text: str, line: str) -> str:
    """Add a key to every step that is a gate, unless it has one of that name."""

    def added(match: re.Match[str]) -> str:
        step = text[text.rindex("      - ", 0, match.start()) : match.start()]
        return match[0] if line.split(":")[0] + ":" in step else f"{match[0]}{match[1]}{line}\n"

    return _GATE.sub(added, text)


# Each job of each road is a container: the first workflow, a deployment in a job of its own and the
# starter go all roads, the others those on which nothing but `go` keeps them from deploying.
WHOLE: Final = {"On GitHub", "Environments", ""}
FEW: Final = {"ready", "rehearsal", "failed-allowed"}


def roads(block: Block) -> list[Road]:
    """Choose the roads of an example."""
    if block not in DEPLOYING:
        return [road for road in ROADS if road.name == "ready"]
    return [road for road in ROADS if block.heading in WHOLE or road.name in FEW]


CASES: Final = [(block, road) for block in WORKFLOWS for road in roads(block)]


@pytest.fixture(scope="session")
def ended(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Workflow]:
    """Run all workflows on all roads, once."""
    directory = tmp_path_factory.mktemp("github")
    files = {"clanforge": STAND_IN}
    for block in BLOCKS:
        if told := re.match(r"# (\S+\.yml)\n", block.text):
            files[told[1]] = block.text.replace("account-service-id: 100042", f"account-service-id: {ASID}")
    with ExitStack() as stack:
        urls = {}
        for road in ROADS:
            urls[road.name] = stack.enter_context(simulator(road.scenario)).url
        return run_all(
            directory,
            {name_of(block, road): workflow(block, road, urls[road.name]) for block, road in CASES},
            files,
            ("your-org/cfgate@v0", f"your-org/cfgate@{PINNED}"),
            inputs={"image-version-id": "9001"},
            secrets=SECRETS,
            variables={
                "CLANFORGE_ASID": str(ASID), "IMAGE_VERSION_ID": "9001", "TONIGHTS_IMAGE_VERSION_ID": "9001",
                "CLANFORGE_IMAGE": "4242", "CLANFORGE_MACHINE": "7",
                "CLANFORGE_FLEET": "77", "CLANFORGE_PROFILE": "8801",
                "PROFILE_linux": "1", "PROFILE_console": "2", "PROFILE_europe": "3",
            },
        )  # fmt: skip


@pytest.mark.parametrize(
    ("block", "road"), CASES, ids=lambda value: str(value) if isinstance(value, Block) else value.name
)
def test_a_workflow_deploys_when_the_gate_says_go(
    ended: dict[str, Workflow], block: Block, road: Road
) -> None:
    """An example that deploys does so once when the gate says go, and never else; the others end well."""
    found = ended[name_of(block, road)]
    assert found.jobs, "nothing ran"
    times = (
        next((times for mark, times in TIMES.items() if mark in block.text), 1) if block in DEPLOYING else 0
    )
    assert len(deployments(found.log)) == (times if road.deploys else 0), found.log
    if road.deploys:
        assert all(found.jobs), found.log
    elif road.name == "failed":
        assert not all(found.jobs), found.log


def test_the_starter_goes_the_whole_road(ended: dict[str, Workflow]) -> None:
    """The starter makes its four calls in their order, each after its gate; a rehearsal makes none."""
    ready, rehearsal, failed = (
        next(r for r in ROADS if r.name == name) for name in ("ready", "rehearsal", "failed")
    )
    assert [
        call + " " if call == "update 4242 7" else call
        for call in recorded(ended[name_of(STARTER, ready)].log)
    ] == CALLS
    assert recorded(ended[name_of(STARTER, rehearsal)].log) == []
    assert all(ended[name_of(STARTER, rehearsal)].jobs)
    assert len(recorded(ended[name_of(STARTER, failed)].log)) == 1


def test_every_gate_of_every_page_is_found() -> None:
    """What the roads do to a gate is done to each, whatever name of the action it uses."""
    for block in WORKFLOWS:
        assert (
            len(_GATE.findall(workflow(block, ROADS[0], "")))
            == len(re.findall(r"uses: .*cfgate", block.text))
            > 0
        )
