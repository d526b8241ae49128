"""Check the gate as a state machine: every sequence of answers up to a length, whatever the deadline.

    python -m proofs.model_check [--length N]

Each script of answers is played to the gate. Where it asks for more, the script is extended by every letter
of the alphabet; where it ends, that ending and every pause before it must be those of `oracle`. So, for each
sequence, there is exactly one of the documented outcomes, success comes only after a trusted Completed, time
never goes back, and the last look is at the deadline. Scripts of the few answers that are believed only when
they are repeated may have three answers more.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Final

from cfgate.errors import (
    Doubtful,
    GateError,
    NoAnswer,
    NotFound,
    Rejected,
    Unresolved,
    Unsuited,
    Untrusted,
)
from cfgate.model import Answer, JobState, JobStatus, Target
from cfgate.schedule import FixedInterval
from proofs.gate_run import GateRun, Stopped, VirtualClock
from proofs.oracle import Heard, Look, Means, Rules

_EARLIER: Final = 100  # Unix seconds, for `jobupdated`
_LATER: Final = 200
_LATEST: Final = 300
_BORN: Final = 50  # Unix seconds, for `jobcreated`
_PAUSE: Final = 10.0  # seconds


@dataclass(frozen=True)
class Letter:
    """An answer: what the gate gets, what it means, and how many seconds it takes.

    With it may come the API's `Date`, and a jump of this machine's time of day, in seconds.
    """

    answer: JobStatus | GateError
    heard: Heard
    trip: float = 0.1
    dated: bool = False
    jump: float = 0.0


def job(state: JobState, updated: int, progress: int = 0, trip: float = 0.1, created: int = _BORN) -> Letter:
    """Make an answer that can be used."""
    status = JobStatus(
        state.verdict, "it says so", state=state, progress=progress, updated=updated, created=created
    )
    means = Means[{"COMPLETED": "READY"}.get(state.name, state.name)] if state.terminal else Means.PENDING
    return Letter(status, Heard(means, state.id, progress, updated, created), trip)


def fault(error: GateError, means: Means, retry_after: float | None = None, trip: float = 0.1) -> Letter:
    """Make an answer that cannot be used, or none at all."""
    return Letter(error, Heard(means, retry_after=retry_after), trip)


ALPHABET: Final[Mapping[str, Letter]] = {
    "Running": job(JobState.RUNNING, _LATER),
    "moved": job(JobState.RUNNING, _LATEST, progress=50),
    "Queued": job(JobState.QUEUED, _LATER),
    "Completed": job(JobState.COMPLETED, _LATER, progress=100),
    "Completed before": job(JobState.COMPLETED, _EARLIER, progress=100),
    "Completed, older job": job(JobState.COMPLETED, _EARLIER, progress=100, created=_BORN - 1),
    "Running, newer job": job(JobState.RUNNING, _LATER, created=_BORN + 1),
    "Failed": job(JobState.FAILED, _LATEST),
    "Failed before": job(JobState.FAILED, _EARLIER),
    "Squashed": job(JobState.SQUASHED, _LATEST),
    "503": fault(NoAnswer("503"), Means.NO_ANSWER),
    "time-out": fault(NoAnswer("time-out"), Means.NO_ANSWER, trip=12.0),
    "429 for 7 s": fault(NoAnswer("429", retry_after=7), Means.NO_ANSWER, 7),
    "429 for a day": fault(NoAnswer("429", retry_after=86_400), Means.NO_ANSWER, 86_400),
    "no address": fault(Unresolved("no address"), Means.NO_ADDRESS),
    "doubtful": fault(Doubtful("odd"), Means.DOUBTFUL),
    "404": fault(NotFound("404"), Means.NOT_FOUND),
    "403": fault(Rejected("403"), Means.REJECTED),
    "403, slowly": fault(Rejected("403"), Means.REJECTED, trip=5.0),
    "client certificate": fault(Unsuited("it wants a client certificate"), Means.UNSUITED),
    "bad certificate": fault(Untrusted("expired"), Means.UNTRUSTED),
}

# What is believed only when it is repeated: scripts of these are longer.
STUBBORN: Final = ("Running", "Completed before", "503", "time-out", "403, slowly")
_MORE: Final = 3

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
    Rules(timeout, 20.0, 15.0, stall, pauses=(_PAUSE, _PAUSE), asked_pause=_PAUSE)
    for timeout, stall in _LIMITS
)


def play(script: Sequence[Letter], rules: Rules, alarm: float = float("inf")) -> GateRun:
    """Play a script to a gate; it is stopped where it asks for more, or by a signal at the alarm."""
    clock = VirtualClock()
    clock.alarm = alarm
    letters = iter(script)
    looks: list[Look] = []

    def ask(count: Callable[[], None]) -> Answer:
        letter = next(letters, None)
        if letter is None:
            raise Stopped
        count()
        sent = clock.now
        clock.spend(letter.trip)
        clock.skew += letter.jump
        looks.append(Look(sent, clock.now, letter.heard))
        if isinstance(letter.answer, GateError):
            raise letter.answer
        date = float(int(clock.true_time())) if letter.dated else None
        return Answer(letter.answer, date, sent, clock.now)

    run = GateRun(Target(9001), rules, clock, FixedInterval(rules.pauses[0]), ask, looks)
    run.run()
    return run


def explore(
    rules: Rules, length: int, names: Collection[str] = tuple(ALPHABET)
) -> Iterator[tuple[tuple[str, ...], GateRun]]:
    """Play every script of up to so many of these answers; what has ended is not extended."""
    scripts: list[tuple[str, ...]] = [()]
    while scripts:
        script = scripts.pop()
        run = play([ALPHABET[name] for name in script], rules)
        if script:
            yield script, run
        if run.stopped and len(script) < length:
            scripts += [(*script, name) for name in names]


def check(length: int, worlds: Sequence[Rules] = WORLDS) -> tuple[Counter[str], list[str]]:
    """Explore all worlds. Return how often each ending came, and everything that was against the rules."""
    random.seed(0)  # for the back-off of tenacity
    endings: Counter[str] = Counter()
    problems: list[str] = []
    for rules in worlds:
        for script, run in chain(explore(rules, length), explore(rules, length + _MORE, STUBBORN)):
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
