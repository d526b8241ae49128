"""Run thousands of gates against an API that goes mad, and hold every run against the rules.

    python -m proofs.soak [--gates N] [--seed N] [--real MINUTES]

In virtual time every run has its own seed: random lives, faults, `Retry-After`, clocks, settings and signals.
The real gate and the real reports make of it what they make; `oracle` says what was due. With every 20th run
comes a crowd of gates that share a pacer (see `crowd`). With `--real`, processes of the real program are
started against simulators for so many minutes as well (see `soak_real`). To see one run again: `--gates 1
--seed` with the number that is printed with its problem.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from signal import SIGTERM

from cfgate.conclusion import conclude
from cfgate.gate.watch import Watched
from cfgate.model import Resource, Target
from cfgate.schedule import Cadence, FixedInterval, Pacing
from proofs import crowd, documents, soak_real
from proofs.chaos import Api
from proofs.gate_run import GateRun, VirtualClock
from proofs.oracle import Rules

_CROWDED = 20  # a crowd comes with every so many runs


@dataclass(frozen=True)
class Soaked:
    """How a run of one or more gates ended, how many requests it took, and what was wrong with it."""

    status: str
    requests: int
    problems: tuple[str, ...]


def soak(seed: int) -> Soaked:
    """Run one to three gates by a seed, deliver their result, and check all of it."""
    randomness = Random(seed)
    random.seed(seed)  # for the back-off of tenacity
    runs = [_gate(randomness, 9001 + number) for number in range(randomness.choice((1, 1, 1, 1, 2, 3)))]
    outcomes = tuple(run.run() for run in runs)
    stopped = any(run.stopped for run in runs)
    result = conclude(Watched(outcomes, SIGTERM if stopped else None))
    result = result._replace(started=1_795_435_200.0, waited=max(run.clock.now for run in runs))
    problems = [f"gate {number}: {it}" for number, run in enumerate(runs, 1) for it in run.problems()]
    problems += _false_green(runs, ready=result.ready)
    with tempfile.TemporaryDirectory() as folder:
        log = documents.delivered(result, Path(folder))
        problems += documents.problems(Path(folder), result.exit_code, log)
    return Soaked(result.status.label, sum(outcome.requests for outcome in outcomes), tuple(problems))


def _gate(randomness: Random, number: int) -> GateRun:
    """Make up a gate: its settings, its clock, its API, and perhaps a signal."""
    clock = VirtualClock(skew=randomness.choice((0.0, 0.0, 0.4, -600.0, 600.0, 86_400.0)))
    request_timeout = randomness.choice((0.1, 1.0, 5.0, 20.0))
    pacing, pauses, asked = _pacing(randomness)
    rules = Rules(
        timeout=randomness.choice((0.0, 0.3, 60.0, 600.0, 1800.0, 3600.0, 3600.0, 3600.0)),
        error_tolerance=randomness.choice((0.0, 30.0, 600.0, 600.0)),
        not_found_grace=randomness.choice((0.0, 5.0, 60.0, 60.0)),
        stall_timeout=randomness.choice((None, None, None, 0.5, 20.0, 120.0)),
        pauses=pauses,
        asked_pause=asked,
    )
    if randomness.random() < 0.15:
        clock.alarm = randomness.expovariate(1 / 120)
    resource = randomness.choice((Resource.IMAGE_VERSION, *Resource))
    target = Target(number, randomness.choice(("", "", "server")), resource)
    api = Api(randomness, clock, target, request_timeout)
    return GateRun(target, rules, clock, pacing, api.ask, api.looks, request_timeout)


def _pacing(randomness: Random) -> tuple[Pacing, tuple[float, float], float]:
    """Make up a cadence: itself, its shortest and longest pause, and the one that the user has asked for."""
    if randomness.random() < 0.3:
        interval = randomness.choice((1.0, 7.0, 60.0))
        return FixedInterval(interval), (interval, interval), interval
    longest = randomness.choice((1.0, 15.0, 60.0))
    return Cadence(max_interval=longest), (0.5, longest), 0.0


def _false_green(runs: list[GateRun], *, ready: bool) -> Iterator[str]:
    """Say it once more, without the rules: green is only what ended with a Completed for every job."""
    completed = [bool(run.looks) and run.looks[-1].heard.state == 5 and not run.stopped for run in runs]
    if ready and not all(completed):
        yield "FALSE GREEN"


@dataclass
class Total:
    """What came of many runs."""

    endings: Counter[str]
    requests: int
    problems: list[str]


def virtual(gates: int, seed: int) -> Total:
    """Run so many gates (or twos and threes) in virtual time, and a crowd with every 20th."""
    total = Total(Counter(), 0, [])
    for number in range(seed, seed + gates):
        soaked = soak(number)
        total.endings[soaked.status] += 1
        total.requests += soaked.requests
        problems = list(soaked.problems)
        if number % _CROWDED == 0:
            statuses, wrong = crowd.run(number)
            total.endings.update(f"{status.label} in a crowd" for status in statuses)
            problems += wrong
        total.problems += [f"seed {number}: {problem}" for problem in problems]
    return total


def main() -> int:
    """Print how the runs ended; exit 1 when anything was wrong."""
    parser = argparse.ArgumentParser(prog="soak", description="Run gates against an API that goes mad.")
    parser.add_argument("--gates", type=int, default=2000, metavar="N", help="runs in virtual time")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="of the first run; counts up")
    parser.add_argument("--real", type=float, default=0.0, metavar="MINUTES", help="and real processes")
    arguments = parser.parse_args()
    began = time.monotonic()
    total = virtual(arguments.gates, arguments.seed)
    _show(total.endings)
    last = arguments.seed + arguments.gates - 1
    print(f"{total.endings.total()} gates in {arguments.gates} runs (seeds {arguments.seed} to {last}), "
          f"{total.requests} requests, {time.monotonic() - began:.0f} s")  # fmt: skip
    if arguments.real:
        real, found = soak_real.soak(arguments.seed, arguments.real * 60)
        total.problems += found
        _show(real)
        print(f"{real.total()} real processes (seeds from {arguments.seed} on), {arguments.real:g} min")
    print(*total.problems[:50] or ["Every ending, pause and report was as it must be."], sep="\n")
    return 1 if total.problems else 0


def _show(endings: Counter[str]) -> None:
    for ending, number in endings.most_common():
        print(f"{number:>7}  {ending}")


if __name__ == "__main__":
    sys.exit(main())
