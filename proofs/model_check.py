"""Check the gate as a state machine: every sequence of answers up to a length, whatever the deadline.

    python -m proofs.model_check [--length N]

Each script of answers is played to the gate. Where it asks for more, the script is extended by every letter
of the alphabet; where it ends, that ending and every pause before it must be those of `oracle`. So, for each
sequence, there is exactly one of the documented outcomes, success comes only after a trusted Completed, time
never goes back, and the last look is at the deadline.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from cfgate.errors import Doubtful, GateError, NoAnswer, NotFound, Rejected, Unresolved, Untrusted
from cfgate.model import Answer, JobState, JobStatus, Target
from cfgate.schedule import FixedInterval
from proofs.gate_run import GateRun, Stopped, VirtualClock
from proofs.oracle import Heard, Look, Means, Rules

_EARLIER: Final = 100  # Unix seconds, for `jobupdated`
_LATER: Final = 200
_LATEST: Final = 300
_PAUSE: Final = 10.0  # seconds


@dataclass(frozen=True)
class Letter:
    """An answer: what the gate gets, what it means, and how many seconds it takes."""

    answer: JobStatus | GateError
    heard: Heard
    trip: float = 0.1


def _job(state: JobState, updated: int, progress: int = 0) -> Letter:
    job = JobStatus(state.verdict, "it says so", state=state, progress=progress, updated=updated)
    means = Means[{"COMPLETED": "READY"}.get(state.name, state.name)] if state.terminal else Means.PENDING
    return Letter(job, Heard(means, state.id, progress, updated))


def _error(error: GateError, means: Means, retry_after: float | None = None, trip: float = 0.1) -> Letter:
    return Letter(error, Heard(means, retry_after=retry_after), trip)


ALPHABET: Final[Mapping[str, Letter]] = {
    "Running": _job(JobState.RUNNING, _LATER),
    "moved": _job(JobState.RUNNING, _LATEST, progress=50),
    "Queued": _job(JobState.QUEUED, _LATER),
    "Completed": _job(JobState.COMPLETED, _LATER, progress=100),
    "Completed before": _job(JobState.COMPLETED, _EARLIER, progress=100),
    "Failed": _job(JobState.FAILED, _LATEST),
    "Failed before": _job(JobState.FAILED, _EARLIER),
    "Squashed": _job(JobState.SQUASHED, _LATEST),
    "503": _error(NoAnswer("503"), Means.NO_ANSWER),
    "time-out": _error(NoAnswer("time-out"), Means.NO_ANSWER, trip=12.0),
    "429 for 7 s": _error(NoAnswer("429", retry_after=7), Means.NO_ANSWER, 7),
    "429 for a day": _error(NoAnswer("429", retry_after=86_400), Means.NO_ANSWER, 86_400),
    "no address": _error(Unresolved("no address"), Means.NO_ADDRESS),
    "doubtful": _error(Doubtful("odd"), Means.DOUBTFUL),
    "404": _error(NotFound("404"), Means.NOT_FOUND),
    "403": _error(Rejected("403"), Means.REJECTED),
    "bad certificate": _error(Untrusted("expired"), Means.UNTRUSTED),
}

# Time-out and stall time-out: the deadline falls before, between and after the looks of a script, or is never
# in the way; the stall time-out is long, absent or absurdly short.
_LIMITS: Final = (
    (0.0, None),
    (5.0, None),
    (12.0, 15.0),
    (25.0, 15.0),
    (45.0, None),
    (3600.0, 15.0),
    (3600.0, 0.1),
)
WORLDS: Final = tuple(
    Rules(timeout, error_tolerance=20.0, not_found_grace=15.0, stall_timeout=stall, pauses=(_PAUSE, _PAUSE))
    for timeout, stall in _LIMITS
)


def play(script: Sequence[str], rules: Rules) -> GateRun:
    """Play a script to a gate; it is stopped where it asks for more."""
    clock = VirtualClock()
    letters = iter(script)
    looks: list[Look] = []

    def ask() -> Answer:
        name = next(letters, None)
        if name is None:
            raise Stopped
        letter = ALPHABET[name]
        sent = clock.now
        clock.spend(letter.trip)
        looks.append(Look(sent, clock.now, letter.heard))
        if isinstance(letter.answer, GateError):
            raise letter.answer
        return Answer(letter.answer, None, sent, clock.now)

    run = GateRun(Target(9001), rules, clock, FixedInterval(_PAUSE), ask, looks)
    run.run()
    return run


def explore(rules: Rules, length: int) -> Iterator[tuple[tuple[str, ...], GateRun]]:
    """Play every script of up to so many answers; what has ended is not extended."""
    scripts: list[tuple[str, ...]] = [()]
    while scripts:
        script = scripts.pop()
        run = play(script, rules)
        if script:
            yield script, run
        if run.stopped and len(script) < length:
            scripts += [(*script, name) for name in ALPHABET]


def check(length: int, worlds: Sequence[Rules] = WORLDS) -> tuple[Counter[str], list[str]]:
    """Explore all worlds. Return how often each ending came, and everything that was against the rules."""
    random.seed(0)  # for the back-off of tenacity
    endings: Counter[str] = Counter()
    problems: list[str] = []
    for rules in worlds:
        for script, run in explore(rules, length):
            problems += [f"{', '.join(script)} (time-out {rules.timeout:g} s): {it}" for it in run.problems()]
            if run.outcome is not None and not run.stopped:
                endings[run.outcome.status.label] += 1
    return endings, problems


def main() -> int:
    """Print how often each ending came; exit 1 when anything was against the rules."""
    parser = argparse.ArgumentParser(prog="model_check", description="Check the gate as a state machine.")
    parser.add_argument("--length", type=int, default=4, metavar="N", help="of the longest scripts")
    length = parser.parse_args().length
    began = time.monotonic()
    endings, problems = check(length)
    for ending, count in endings.most_common():
        print(f"{count:>9}  {ending}")
    took = f"in {time.monotonic() - began:.0f} s"
    print(f"\n{endings.total()} scripts of up to {length} answers have come to an end, {took}.")
    print(*problems[:50] or ["Every ending and every pause was by the rules."], sep="\n")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
