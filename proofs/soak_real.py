"""Start real processes against simulators with random scenarios, and read what they leave behind.

The part of the soak that needs real time: interpreter, signals, threads, sockets and files are real.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, Final

from cfgate.simulator import Simulator, parse
from proofs import documents
from proofs.faults import FAULTS, Answered
from proofs.program import ASID
from tests import canary
from tests.canary import ACCESS_KEY, KEYS, SECRET_KEY
from tests.parsers import file_commands

_ROOT: Final = Path(__file__).parents[1]
_WORKERS: Final = 8
_REQUEST_TIMEOUT: Final = 1.0  # seconds
# Seconds for an interpreter to start and to end on a machine that is busy with the other processes.
_START_AND_END: Final = 4.0
_AFTER_SIGNAL: Final = 5.0  # seconds; GitHub's runner waits for 7.5 s before it becomes rude
_PASSING: Final = [
    dict(fault.played.fault) for fault in FAULTS if isinstance(fault.played, Answered) and not fault.end
]
_GRAVE: Final = [
    dict(fault.played.fault) for fault in FAULTS if isinstance(fault.played, Answered) and fault.end
]


@dataclass(frozen=True)
class Trial:
    """What is played to a process, how it is started, and which signal it gets when (seconds), if any."""

    seed: int
    scenario: str
    inputs: dict[str, str]
    timeout: float
    number: signal.Signals | None
    after: float


@dataclass(frozen=True)
class Ended:
    """How a process ended."""

    code: int
    seconds: float
    after_signal: float
    log: str
    green_is_true: bool


def soak(seed: int, seconds: float) -> tuple[Counter[str], list[str]]:
    """Start processes for so many seconds. Return how they ended, and everything that was wrong."""
    endings: Counter[str] = Counter()
    problems: list[str] = []
    end = time.monotonic() + seconds
    with ThreadPoolExecutor(_WORKERS) as pool:
        while time.monotonic() < end:
            seeds = range(seed, seed + 2 * _WORKERS)
            for number, (ending, found) in zip(seeds, pool.map(run, seeds), strict=True):
                endings[ending] += 1
                problems += [f"real seed {number}: {problem}" for problem in found]
            seed = seeds.stop
    return endings, problems


def run(seed: int) -> tuple[str, list[str]]:
    """Run one process by a seed. Return how it ended, and what was wrong."""
    trial = make_up(Random(seed))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ended = _play(trial, folder)
        return _named(ended.code), list(_problems(trial, ended, folder))


def make_up(random: Random) -> Trial:
    """Make up a scenario, settings and a signal."""
    ending = random.choice(("Completed", "Completed", "Completed", "Failed", "Squashed", "Running"))
    life: list[dict[str, Any]] = [
        {"state": random.choice(("Created", "Queued")), "for": f"{random.randint(1, 30)}00ms"},
        {"state": "Running", "for": f"{random.randint(1, 40)}00ms", "eta": "within 20%"},
        {"state": ending, **({"joberror": "::error::no\n##[error]space"} if ending == "Failed" else {})},
    ]
    rate = random.choice((0, 1, 3, 8))
    chosen = [random.choice(_PASSING) for _ in range(rate)]
    if random.random() < 0.05:
        chosen.append(random.choice(_GRAVE))
    faults = [{"requests": random.randint(1, 8), **fault} for fault in chosen]
    timeout = random.choice((0.0, 2.0, 6.0, 12.0))
    inputs = {
        "image-version-id": random.choice(("9001", "9001", "9001,9002,9003")),
        "timeout": f"{timeout:g}s",
        "request-timeout": f"{_REQUEST_TIMEOUT:g}s",
        "max-interval": random.choice(("1s", "2s", "15s")),
        "error-tolerance": random.choice(("2s", "8s")),
        "not-found-grace": random.choice(("0", "5s")),
        "stall-timeout": random.choice(("off", "off", "3s")),
        "fail-fast": random.choice(("true", "false")),
    }
    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)
    number = random.choice(signals) if random.random() < 0.4 else None
    scenario = json.dumps(
        {"life": life, "faults": faults, "date-offset": random.choice(("0s", "10m", "-1h"))}
    )
    return Trial(random.randint(1, 1 << 30), scenario, inputs, timeout, number, random.uniform(0.0, 5.0))


def _play(trial: Trial, folder: Path) -> Ended:
    scenario = parse(trial.scenario.replace("{trap}", "1"))
    with Simulator(
        scenario, access_key=ACCESS_KEY, secret_key=SECRET_KEY, account_service_id=ASID
    ) as simulator:
        given = {"account-service-id": str(ASID), "api-url": simulator.url, **trial.inputs}
        given |= documents.report_files(folder)
        environ = {"PATH": os.environ["PATH"], **documents.step(folder), **KEYS}
        environ |= {f"INPUT_{name.upper()}": value for name, value in given.items()}
        for name in ("outputs", "page"):
            (folder / name).touch()  # as the runner does
        began = time.monotonic()
        process = subprocess.Popen(
            [sys.executable, _ROOT / "entrypoint.py"],
            env=environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        signalled = time.monotonic()
        if trial.number is not None:
            try:
                process.wait(trial.after)
            except subprocess.TimeoutExpired:
                process.send_signal(trial.number)
            signalled = time.monotonic()
        log, _ = process.communicate(timeout=120)
        now = time.monotonic()
        return Ended(process.returncode, now - began, now - signalled, log, _completed(simulator))


def _completed(simulator: Simulator) -> bool:
    """Whether the last word about every job was a Completed that nobody has touched."""
    last = {request.path.split("/")[4]: request.answered for request in simulator.requests}
    untouched = ("200 Completed", "200 Completed, cut after body", "200 Completed, reset after body")
    return bool(last) and all(answered in untouched for answered in last.values())


def _named(code: int) -> str:
    names = (name for name, codes in documents.CODES.items() if code in codes)
    return next(names, f"killed ({-code})" if code < 0 else f"exit code {code}")


def _problems(trial: Trial, ended: Ended, folder: Path) -> Iterator[str]:
    if ended.code < 0:
        outputs = file_commands.parse((folder / "outputs").read_bytes())
        if outputs.error is not None or (outputs.values.get("ready") == "true" and not ended.green_is_true):
            yield f"killed, and left {outputs}"
        return
    if ended.code == 0 and not ended.green_is_true:
        yield "FALSE GREEN"
    if ended.code in (130, 143) and trial.number != ended.code - 128:
        yield f"interrupted by a signal that was never sent: {ended.code}"
    if ended.seconds > trial.timeout + _REQUEST_TIMEOUT + _START_AND_END:
        yield f"took {ended.seconds:.1f} s with a time-out of {trial.timeout:g} s"
    if trial.number is not None and ended.seconds > trial.after and ended.after_signal > _AFTER_SIGNAL:
        yield f"ended {ended.after_signal:.1f} s after {trial.number.name}"
    yield from documents.problems(folder, ended.code, ended.log)
    written = [path for path in folder.iterdir() if path.is_file()]
    everything = ended.log + "".join(path.read_text("utf-8", "replace") for path in written)
    yield from (f"leaked the {name}" for name in canary.found(everything))
