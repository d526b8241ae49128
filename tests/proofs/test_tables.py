"""The proofs have vocabularies of their own, written apart from those of cfgate: no word is missing there."""

from __future__ import annotations

import json

import pytest

from cfgate.model import GateStatus, JobState
from proofs import chaos, documents, judge, model_check, oracle
from proofs.oracle import Means

OVER = {state.title for state in JobState if state.terminal}


def test_every_ending_has_its_exit_code() -> None:
    """The codes that the proofs expect are those of all endings, with what a signal adds."""
    codes = {status.label: (status.exit_code,) for status in GateStatus}
    assert {**codes, "interrupted": (130, 143)} == documents.CODES


@pytest.mark.parametrize("state", JobState)
def test_every_state_is_judged(state: JobState) -> None:
    """The second opinion and the oracle know what each state means, by its number and by its name."""
    body = json.dumps({"imageversionid": 1, "jobstateid": state.id, "jobstatename": state.title})
    heard = judge.judge(200, {}, body.encode(), ("imageversionid", 1), 0.0)
    ending = state.verdict.ending
    assert (heard.state, heard.means) == (state.id, Means(ending.label) if ending else Means.PENDING)
    assert heard.means in oracle.USABLE


def test_every_state_is_played() -> None:
    """Chaos and the model check let jobs end in every way that there is."""
    assert list(chaos.STATES) == [state.title for state in JobState]
    assert {states[-1] for states in chaos.LIVES.values()} >= OVER
    assert model_check.ALPHABET.keys() >= OVER
