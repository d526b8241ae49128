"""What the fuzzer has kept is read again, and a little of it changed by chance: every promise still holds."""

from __future__ import annotations

import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cfgate.model import Verdict
from cfgate.rules.job import _verdict
from proofs.fuzz_targets import CORPUS, TARGETS, BrokenPromise, corpus

INPUTS = [(name, path) for name in TARGETS for path in corpus(name)]
FEW = {"wire": 20}  # each takes a connection


def test_every_target_has_a_corpus_and_the_corpus_is_small() -> None:
    """Every folder is replayed, and the repository does not grow by it."""
    assert {path.name for path in CORPUS.iterdir()} == set(TARGETS)
    assert min(len(corpus(name)) for name in TARGETS) > 5
    assert sum(path.stat().st_size for _, path in INPUTS) < 300_000


@pytest.mark.parametrize("name", TARGETS)
def test_what_was_kept_breaks_no_promise(name: str) -> None:
    """Each input of the corpus is read again."""
    for path in corpus(name):
        TARGETS[name](path.read_bytes())


@pytest.mark.parametrize("name", TARGETS)
def test_what_was_kept_breaks_no_promise_when_it_is_changed(name: str) -> None:
    """Pieces of one input in the place of pieces of another, and bytes that were in none."""
    kept = [path.read_bytes() for path in corpus(name)]

    @settings(max_examples=FEW.get(name, 60), database=None)
    @given(st.sampled_from(kept), st.sampled_from(kept), st.binary(max_size=8), st.data())
    def changed(one: bytes, other: bytes, new: bytes, data: st.DataObject) -> None:
        begin, end = sorted(data.draw(st.tuples(*[st.integers(0, len(one))] * 2)))
        first, last = sorted(data.draw(st.tuples(*[st.integers(0, len(other))] * 2)))
        TARGETS[name](one[:begin] + new + other[first:last] + one[end:])

    changed()


BOMBS = {
    "laughs": b"k0: &a0 [x, x]\n" + b"".join(
        b"k%d: &a%d [*a%d, *a%d]\n" % (n, n, n - 1, n - 1) for n in range(1, 40)
    ),
    "deep": b"[" * 130_000,
    "deep both": b"[{" * 60_000,
    "deep mapping": b"{a: " * 30_000,
    "number": b"timeout: " + b"9" * 100_000,
    "key": b"? " * 20_000 + b"a",
    "merges": b"a: &a {b: 1}\nc:\n" + b"  <<: *a\n" * 1000,
    "keys": b"".join(b"k%d: 1\n" % n for n in range(1000)),
}  # fmt: skip


@pytest.mark.parametrize("bomb", BOMBS)
@pytest.mark.parametrize("target", ["config", "scenario"])
def test_no_yaml_bomb_goes_off(target: str, bomb: str) -> None:
    """What unpacks to more than all memory, or nests deeper than any stack, is refused in little memory."""
    tracemalloc.start()
    try:
        TARGETS[target](BOMBS[bomb])
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 64 << 20


def test_a_difference_between_gate_and_oracle_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A gate that believes a Completed without success is caught by what is kept for answers."""

    def trusting(payload: dict[str, object], state: object) -> tuple[Verdict, str]:
        return _verdict({**payload, "success": True}, state)  # type: ignore[arg-type]

    monkeypatch.setattr("cfgate.rules.job._verdict", trusting)
    with pytest.raises(BrokenPromise, match=r"where .* was due"):
        test_what_was_kept_breaks_no_promise("answer")


def test_a_promise_that_is_broken_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A duration beyond the longest is found when somebody moves the bound."""
    monkeypatch.setattr("cfgate.settings.parsers._LONGEST", 1e12)
    with pytest.raises(BrokenPromise):
        TARGETS["option"](b"a99999999h")
