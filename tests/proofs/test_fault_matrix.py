"""A part of the fault matrix, over real sockets; and that the matrix finds what is planted for it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from cfgate import session
from cfgate.hosts import Host
from cfgate.log import progress
from cfgate.model import Verdict
from cfgate.rules import answer
from cfgate.rules.job import _verdict
from cfgate.system.clock import Deadline
from proofs.fault_matrix import Matrix, Place, play, table
from proofs.faults import FAULTS, Fault
from proofs.stage import resolving
from tests.support.canary import SECRET_KEY

# One of each kind that is played: an answer, a front, a closed door, a certificate, a resolver, a proxy.
SAMPLE = (
    "HTTP 502",
    "an HTML page with 200",
    "a reset in body",
    "a chunk of negative size",
    "a connection refused",
    "Completed without success",
    "a redirect to another host",
    "a certificate that has expired",
    "a resolver that fails",
    "a proxy that answers 403",
)
BY_NAME = {fault.name: fault for fault in FAULTS}


def test_every_fault_has_a_name_of_its_own() -> None:
    """A row of the table is one fault."""
    assert len(BY_NAME) == len(FAULTS)


def test_single_faults_are_survived_and_none_turns_green() -> None:
    """At the first request, in the middle, at the answer that says Completed, and at the deadline."""
    cells, problems = play([BY_NAME[name] for name in SAMPLE])
    assert problems + [f"{cell.fault.name}: {each}" for cell in cells for each in cell.problems] == []
    assert len(cells) == 4 * len(SAMPLE)
    assert len(list(table(cells, tuple(Place), markdown=True))) == len(SAMPLE) + 2


def found(fault: Fault, place: Place) -> str:
    """Play one fault at one place, and tell what the matrix has against it."""
    with resolving() as resolver:
        return "; ".join(Matrix(resolver, trap=1).cell(fault, place, undisturbed=0.0).problems)


def believes_without_success(patch: pytest.MonkeyPatch) -> None:
    """Take a Completed for ready whatever else the answer says."""

    def trusting(payload: dict[str, object], state: object) -> tuple[Verdict, str]:
        return _verdict({**payload, "success": True}, state)  # type: ignore[arg-type]

    patch.setattr("cfgate.rules.job._verdict", trusting)


def shows_a_key(patch: pytest.MonkeyPatch) -> None:
    """Print a credential at the start."""
    introduce = progress.introduce

    def telling(host: Host, settings: object, warnings: object) -> None:
        host.log(SECRET_KEY)  # the settings have none by now
        introduce(host, settings, warnings)  # type: ignore[arg-type]

    patch.setattr(session, "introduce", telling)


def looks_once_more(patch: pytest.MonkeyPatch) -> None:
    """Go on for a while when time is up."""
    patch.setattr(Deadline, "passed", property(lambda deadline: deadline.left() <= -1.5))


def asks_after_a_refusal(patch: pytest.MonkeyPatch) -> None:
    """Take a 401 for an API that is busy."""
    patch.setattr(answer, "_NOT_NOW", frozenset({401, 429}))


PLANTED = [
    (believes_without_success, "Completed without success", Place.DEADLINE, "ended ready"),
    (believes_without_success, "Completed without success", Place.FIRST, "cost 0 retries and not 1"),
    pytest.param(
        *(shows_a_key, "HTTP 401", Place.FIRST, "leaked secret key"),
        marks=pytest.mark.handles_canaries("it plants a leak"),
    ),
    (looks_once_more, "HTTP 502", Place.DEADLINE, "ended ready"),
    (asks_after_a_refusal, "HTTP 401", Place.FIRST, "though it ends the gate"),
]


@pytest.mark.parametrize(("plant", "fault", "place", "words"), PLANTED)
def test_the_matrix_finds_a_planted_defect(
    plant: Callable[[pytest.MonkeyPatch], None],
    fault: str,
    place: Place,
    words: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A false green, a leak and a look too many are reported, each in its own words."""
    with monkeypatch.context() as patch:
        plant(patch)
        assert words in found(BY_NAME[fault], place)
