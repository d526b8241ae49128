"""Promises that stand in several places: action.yml, the README and the tables in the code agree."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from cfgate.model import GateStatus
from cfgate.report.outputs import NAMES
from cfgate.settings.options import OPTIONS
from tools import reference
from tools.release import BUILT, PINNED

ROOT = Path(__file__).parents[2]
ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))


def test_the_reference_in_the_documents_is_what_the_code_says() -> None:
    """Options, outputs and exit codes in the documents are written from the tables in the code."""
    assert reference.stale() == {}


def test_a_stale_document_is_noticed() -> None:
    """A changed line between the marks is written anew, and nothing outside of them is touched."""
    text = "before\n<!-- reference: exit-codes -->\nold\n<!-- reference: end -->\nafter\n"
    renewed = reference.renewed(text)
    assert renewed != text
    assert "| 130, 143 | `interrupted` |" in renewed
    assert renewed.startswith("before\n")
    assert renewed.endswith("after\n")
    assert reference.renewed(renewed) == renewed


def test_the_action_declares_every_option_and_no_default() -> None:
    """Each option is an input without a default, which the runner would hand over as if it were given."""
    assert list(ACTION["inputs"]) == [option.name for option in OPTIONS]
    for name, declared in ACTION["inputs"].items():
        assert "default" not in declared, name
        assert declared["description"], name


def test_the_action_declares_every_output() -> None:
    """Each output is declared: an undeclared one of a docker action cannot be relied on."""
    assert list(ACTION["outputs"]) == list(NAMES)


def test_the_action_hands_nothing_over_as_an_argument() -> None:
    """Inputs reach the program through the environment alone."""
    assert ACTION["runs"].keys() == {"using", "image"}
    assert ACTION["runs"]["using"] == "docker"


def test_the_action_builds_its_image_or_pins_it() -> None:
    """On main the image is built from what lies there; a release names the one that was, by its digest."""
    line = f"  image: {ACTION['runs']['image']}"
    assert line == BUILT or PINNED.fullmatch(line)
    assert f"\n{line}\n" in (ROOT / "action.yml").read_text("utf-8")


def test_exit_codes_are_unique_and_out_of_the_way() -> None:
    """Every ending has a code of its own, outside of what shells and docker use for themselves."""
    codes = [status.exit_code for status in GateStatus]
    assert len(set(codes)) == len(codes)
    assert not set(codes) & {125, 126, 127}
    assert [status for status in GateStatus if status.exit_code == 0] == [GateStatus.READY]


@pytest.mark.parametrize(
    "document", sorted(ROOT.glob("*.md")) + sorted((ROOT / "docs").glob("*.md")), ids=str
)
def test_links_between_documents_lead_somewhere(document: Path) -> None:
    """Every relative link in a document leads to a file of the repository."""
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", document.read_text("utf-8")):
        assert (document.parent / target).exists(), target


def test_the_version_is_told_once() -> None:
    """The log in the README shows the version that this is."""
    from cfgate import __version__

    assert f"cfgate {__version__} ·" in (ROOT / "README.md").read_text("utf-8")
