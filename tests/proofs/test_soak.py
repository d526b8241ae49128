"""A small soak, and that each promise which it checks can be found broken."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from cfgate import delivery
from cfgate.gate.pacer import Pacer
from cfgate.model import GateStatus, Verdict
from cfgate.report.outputs import outputs
from cfgate.schedule import Cadence, FixedInterval
from cfgate.simulator.server import Exchange
from cfgate.system.clock import Deadline
from proofs import crowd, soak, soak_real
from proofs.soak_real import Ended
from proofs.trials import Trial, make_up
from tests.support.canary import ACCESS_KEY

GATES = 60
REAL = range(1, 9)


def test_gates_in_virtual_time_keep_every_promise() -> None:
    """Never a false green, a lost output, a run too long, or a request too many; whatever comes."""
    total = soak.virtual(GATES, seed=1)
    assert total.problems == []
    assert total.requests > GATES
    assert {"ready", "failed", "timeout", "unavailable", "interrupted"} <= set(total.endings)
    assert total.endings["ready in a crowd"] > 0


def test_real_processes_keep_every_promise() -> None:
    """The same with signals, sockets, threads and files that are real, some of them sabotaged."""
    with ThreadPoolExecutor(len(REAL)) as pool:
        runs = list(pool.map(soak_real.run, REAL))
    assert [problem for _, problems in runs for problem in problems] == []


# What is planted must be found.


def calls_squashed_ready(patch: pytest.MonkeyPatch) -> None:
    """End green on a job that another one has replaced."""
    patch.setattr(Verdict.SQUASHED, "ending", GateStatus.READY)


def loses_an_output(patch: pytest.MonkeyPatch) -> None:
    """Leave one out."""
    patch.setattr(
        delivery, "outputs", lambda *given: {k: v for k, v in outputs(*given).items() if k != "reason"}
    )


def is_in_a_hurry(patch: pytest.MonkeyPatch) -> None:
    """Ask five times a second."""
    for pacing in (Cadence, FixedInterval):
        patch.setattr(pacing, "next_pause", lambda *_: 0.2)


def forgets_to_stop(patch: pytest.MonkeyPatch) -> None:
    """Go on for a while when time is up."""
    patch.setattr(Deadline, "passed", property(lambda deadline: deadline.left() <= -5.0))


def is_never_quiet(patch: pytest.MonkeyPatch) -> None:
    """Let one gate ask when the API wants all to be quiet."""
    patch.setattr(Pacer, "too_many", lambda *_: None)


PLANTED: list[tuple[Callable[[pytest.MonkeyPatch], None], str]] = [
    (calls_squashed_ready, "where squashed was due"),
    (calls_squashed_ready, "FALSE GREEN"),
    (loses_an_output, "outputs: {'reason'}"),
    (is_in_a_hurry, "paused 0.2"),
    (forgets_to_stop, "where timeout was due"),
]


def sleeps_on(patch: pytest.MonkeyPatch) -> None:
    """Let nobody know that another one has had an answer."""
    patch.setattr(Pacer, "answered_since", lambda *_: False)


def is_in_step(patch: pytest.MonkeyPatch) -> None:
    """Send all requests at once."""
    patch.setattr(Pacer, "turn", lambda *_: 0.0)


def forgets_that_it_worked(patch: pytest.MonkeyPatch) -> None:
    """Believe the first refusal, although others of the run have had answers."""
    patch.setattr(Pacer, "worked", property(lambda _: False))


PLANTED_IN_CROWDS: list[tuple[Callable[[pytest.MonkeyPatch], None], str]] = [
    (is_never_quiet, "it was told to wait"),
    (sleeps_on, "slept on until"),
    (is_in_step, "apart, at"),
    (forgets_that_it_worked, "a refusal that was not repeated"),
]


@pytest.mark.parametrize(("plant", "words"), PLANTED_IN_CROWDS)
def test_the_crowds_find_a_planted_defect(
    plant: Callable[[pytest.MonkeyPatch], None], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What gates do to each other is reported, one crowd after the other until one shows it."""
    with monkeypatch.context() as patch:
        plant(patch)
        assert any(words in "; ".join(crowd.run(seed)[1]) for seed in range(1, 100))


@pytest.mark.parametrize(("plant", "words"), PLANTED)
def test_the_soak_finds_a_planted_defect(
    plant: Callable[[pytest.MonkeyPatch], None], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each promise that is broken is reported, in its own words."""
    with monkeypatch.context() as patch:
        plant(patch)
        assert words in "; ".join(soak.virtual(40, seed=1).problems)


def a_green_run(folder: Path) -> tuple[Trial, Ended]:
    """Run a process that ends green, by the first seed that makes one."""
    calm = (trial for seed in range(1000) if _calm(trial := make_up(Random(seed))))  # noqa: S311 - not for secrets
    trial = replace(next(calm), timeout=30.0)
    trial.inputs.update({"timeout": "30s", "max-interval": "1s"})
    return trial, soak_real._play(trial, folder)


def _calm(trial: Trial) -> bool:
    good = '"Completed"' in trial.scenario and trial.resent == 0 and not trial.numbers
    return good and (trial.how.value, trial.sabotage.value, len(trial.ids)) == ("wait", "nothing", 1)


def test_the_real_soak_finds_what_is_wrong() -> None:
    """A green that is none, a request too many, a run too long, a lost output and a leak are reported."""

    def told(**changes: object) -> str:
        return "; ".join(soak_real.problems(trial, replace(ended, **changes), folder))  # type: ignore[arg-type]

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        trial, ended = a_green_run(folder)
        assert ended.code == 0
        assert told() == ""
        running = [replace(request, answered="200 Running") for request in ended.requests]
        assert "FALSE GREEN" in told(requests=tuple(running))
        assert "FALSE GREEN" in told(requests=())
        more: tuple[Exchange, ...] = ended.requests * 2
        assert "the simulator has seen" in told(requests=more)
        assert "took 99.0 s" in told(seconds=99.0, around=6.0)
        assert "9.0 s after a signal" in told(after_signal=9.0, around=6.0)
        assert "never sent" in told(code=143)
        assert "exit code 1" in told(code=1)
        assert "leaked the access key" in told(log=ACCESS_KEY)
        (folder / "result").write_text("{}")
        with pytest.raises(KeyError):
            told()
        (folder / "outputs").unlink()
        assert "the outputs are gone" in told()
