"""A part of the hand-over matrix, with real processes; and that the matrix finds what is wrong."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from proofs import handover_matrix
from proofs.handover_matrix import Kind, Place, When, play, table

SAMPLE = [
    (Kind.FILE, Place.RESULT, When.END),
    (Kind.LINK, Place.OUTPUTS, When.START),
    (Kind.MISSING_FOLDER, Place.JUNIT, When.END),
    (Kind.PIPE, Place.OUTPUTS, When.START),
    (Kind.STOPPED_PIPE, Place.DOTENV, When.SIGNAL),
    (Kind.FOLDER, Place.PAGE, When.START),
    (Kind.DEV_FULL, Place.SUMMARY, When.END),
    (Kind.NO_DESCRIPTOR, Place.LINKS, When.END),
]


@pytest.mark.parametrize(("kind", "place", "when"), SAMPLE)
def test_a_place_that_breaks_loses_nothing_else(kind: Kind, place: Place, when: When) -> None:
    """The exit code is right, the other places have the verdict, and what is missing is annotated."""
    assert play(kind, place, when).problems == ()


def test_every_cell_has_its_place_in_the_table() -> None:
    """A row for each kind and moment, a column for each place."""
    cells = [
        handover_matrix.Cell(kind, place, when, 0, 1.0, ())
        for kind in Kind
        for when in When
        for place in Place
    ]
    assert len(list(table(cells, markdown=False))) == 1 + len(Kind) * len(When)
    assert len(list(table(cells, markdown=True))) == 2 + len(Kind) * len(When)


# A program that is started in the place of the real one, and does one thing wrong.
PLANTED = {
    "says nothing of it": (
        "import cfgate.hosts.github as g; g.GitHub.annotate = lambda *_: None",
        "no annotation names",
    ),
    "loses the other reports": (
        "import cfgate.delivery as d; d.write_all = lambda contents: {}",
        "says nothing",
    ),
    "calls it a bug": ("print('a bug in cfgate')", "says that it is a bug"),
}


@pytest.mark.parametrize("defect", PLANTED)
def test_the_matrix_finds_a_planted_defect(
    defect: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is reported in its own words."""
    code, words = PLANTED[defect]
    started = tmp_path / "python"
    started.write_text(
        f'#!/bin/sh\nexec {sys.executable} -c "{code}\n'
        'import cfgate.cli; raise SystemExit(cfgate.cli.main([]))"\n'
    )
    started.chmod(0o755)
    monkeypatch.setattr(handover_matrix, "PYTHON", str(started))
    assert words in "; ".join(play(Kind.FOLDER, Place.OUTPUTS, When.START).problems)
