"""Start real processes against simulators with random scenarios, and read what they leave behind.

The part of the soak that needs real time: interpreter, signals, threads, sockets and files are real.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random
from threading import Timer
from typing import IO, Any, Final

from cfgate.simulator import Simulator, parse
from cfgate.simulator.server import Exchange
from proofs import documents
from proofs.program import ASID
from proofs.trials import REQUEST_TIMEOUT, How, Sabotage, Trial, make_up
from tests.support import canary
from tests.support.canary import ACCESS_KEY, KEYS, SECRET_KEY
from tests.support.parsers import file_commands

_PROGRAM: Final = [sys.executable, str(Path(__file__).parents[1] / "entrypoint.py")]
_WORKERS: Final = 8
_SLACK: Final = 2.0  # seconds that a run may take beyond time-out and request time-out
# Seconds for a process to start and to end. On a machine that is busy, so many times what the simplest run
# of the program, which prints its version, has taken just before.
_START_AND_END: Final = 6.0
_TIMES: Final = 10.0
_HUNG: Final = 120.0  # seconds after which there is no more waiting


@dataclass(frozen=True)
class Ended:
    """How a process ended.

    `after_signal` is `None` when it got no signal; `around` is what to allow for its start and its end.
    """

    code: int
    seconds: float
    after_signal: float | None
    around: float
    log: str
    requests: tuple[Exchange, ...]


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
        try:
            ended = _play(trial, folder)
        except subprocess.TimeoutExpired:
            return "hung", [f"hung for {_HUNG:g} s"]
        return _named(ended.code), list(problems(trial, ended, folder))


def _play(trial: Trial, folder: Path) -> Ended:
    with Simulator(
        parse(trial.scenario), access_key=ACCESS_KEY, secret_key=SECRET_KEY, account_service_id=ASID
    ) as simulator:
        around = max(_START_AND_END, _TIMES * _simplest())
        began = time.monotonic()
        process, reader = _start(trial, folder, simulator.url)
        sabotage = Timer(trial.sabotaged_after, _sabotage, (trial.sabotage, process, folder, reader))
        sabotage.start()
        try:
            signalled = _signal(trial, process)
            process.wait(_HUNG)
        finally:
            process.kill()  # nothing when it has ended
            now = time.monotonic()
            sabotage.cancel()
            sabotage.join()
            reader.close()
        after = None if signalled is None else now - signalled
        log = (folder / "log").read_text("utf-8", "replace")
        return Ended(process.returncode, now - began, after, around, log, simulator.requests)


def _simplest() -> float:
    """Time the simplest run of the program."""
    began = time.monotonic()
    subprocess.run([*_PROGRAM, "--version"], stdout=subprocess.DEVNULL, env={}, check=True)
    return time.monotonic() - began


def _start(trial: Trial, folder: Path, url: str) -> tuple[subprocess.Popen[bytes], IO[bytes]]:
    """Start the action. Return the process, and the reading end of a pipe that it may have for its log."""
    given = {"account-service-id": str(ASID), "api-url": url, **trial.inputs}
    given |= documents.report_files(folder)
    if trial.how is How.REHEARSE:
        (folder / "scenario.yml").write_text(trial.scenario)
        given["rehearse"] = str(folder / "scenario.yml")
    environ = {"PATH": os.environ["PATH"], **documents.step(folder), **KEYS}
    environ |= {f"INPUT_{name.upper()}": value for name, value in given.items()}
    for name in ("outputs", "page", "log"):
        (folder / name).touch()  # as the runner does
    command = [*_PROGRAM, *(["check"] if trial.how is How.CHECK else [])]
    reading, writing = os.pipe()
    full = trial.sabotage is Sabotage.LOG_IS_FULL
    with (Path("/dev/full") if full else folder / "log").open("wb") as file, open(writing, "wb") as pipe:  # noqa: PTH123
        log = pipe if trial.sabotage is Sabotage.READER_LEAVES else file
        process = subprocess.Popen(command, env=environ, stdout=log, stderr=subprocess.STDOUT)
    return process, open(reading, "rb")  # noqa: PTH123 - it is a descriptor, and closed by the sabotage


def _signal(trial: Trial, process: subprocess.Popen[bytes]) -> float | None:
    """Send the signals of the trial when it is time; tell when, or `None` when the process was faster."""
    if not trial.numbers:
        return None
    with suppress(subprocess.TimeoutExpired):
        process.wait(trial.after)
        return None
    for number in trial.numbers:
        process.send_signal(number)
        time.sleep(0.01)
    return time.monotonic()


def _sabotage(what: Sabotage, process: subprocess.Popen[bytes], folder: Path, reader: IO[bytes]) -> None:
    reader.close()
    if what is Sabotage.OUTPUTS_GONE and process.poll() is None:
        (folder / "outputs").unlink()


def _named(code: int) -> str:
    names = (name for name, codes in documents.CODES.items() if code in codes)
    return next(names, f"killed ({-code})" if code < 0 else f"exit code {code}")


def problems(trial: Trial, ended: Ended, folder: Path) -> Iterator[str]:
    """Tell what is wrong with what a process did, and with what it left behind."""
    if ended.code == 0 and not _truly_green(trial, ended):
        yield "FALSE GREEN"
    if ended.code < 0:
        # Before it listens, a signal ends it as it ends every program; SIGKILL does so at any time.
        if -ended.code not in trial.numbers:
            yield f"killed by signal {-ended.code}, which was never sent"
        yield from _left_by_a_kill(trial, ended, folder)
        return
    if ended.code in (130, 143) and ended.code - 128 not in trial.numbers:
        yield f"interrupted by a signal that was never sent: {ended.code}"
    yield from _in_time(trial, ended)
    if not (folder / "outputs").exists():
        if trial.sabotage is not Sabotage.OUTPUTS_GONE:
            yield "the outputs are gone"
        return  # they were deleted between the last write and the end
    yield from documents.problems(folder, ended.code, ended.log)
    yield from _cadence(trial, ended, json.loads((folder / "result").read_text("ascii")))
    written = [path for path in folder.iterdir() if path.is_file()]
    everything = ended.log + "".join(path.read_text("utf-8", "replace") for path in written)
    yield from (f"leaked the {name}" for name in canary.found(everything))


def _truly_green(trial: Trial, ended: Ended) -> bool:
    """Whether the last word about every job was a Completed that nobody has touched."""
    if trial.how is How.REHEARSE:
        return '"Completed"' in trial.scenario  # the simulator is the program's own
    last = {_job(request): request.answered for request in ended.requests}
    untouched = ("200 Completed", "200 Completed, cut after body", "200 Completed, reset after body")
    return set(last) == set(trial.ids) and all(answered in untouched for answered in last.values())


def _left_by_a_kill(trial: Trial, ended: Ended, folder: Path) -> Iterator[str]:
    if not (folder / "outputs").exists():
        return
    outputs = file_commands.parse((folder / "outputs").read_bytes())
    if outputs.error is not None:
        yield f"killed, and left {outputs.error}"
    if outputs.values.get("ready") == "true" and not _truly_green(trial, ended):
        yield f"killed, and left {outputs}"


def _in_time(trial: Trial, ended: Ended) -> Iterator[str]:
    if ended.seconds > trial.timeout + REQUEST_TIMEOUT + _SLACK + ended.around:
        yield f"took {ended.seconds:.1f} s with a time-out of {trial.timeout:g} s"
    if ended.after_signal is not None and ended.after_signal > ended.around:
        yield f"ended {ended.after_signal:.1f} s after a signal"


def _cadence(trial: Trial, ended: Ended, result: dict[str, Any]) -> Iterator[str]:
    """Hold the time that the run took, and the requests that the simulator has seen, against the rules."""
    waited = result["waited-seconds"]
    if waited > trial.timeout + REQUEST_TIMEOUT + _SLACK:
        yield f"waited {waited:.1f} s with a time-out of {trial.timeout:g} s"
    if trial.how is How.REHEARSE:
        if ended.requests:
            yield f"a rehearsal has sent {len(ended.requests)} requests"
        return
    seen = Counter(map(_job, ended.requests))
    for target in result["image-versions"]:
        job, told = target["image-version-id"], target["requests"]
        # The first look, two a second, and the last one at the deadline.
        if told > 2 * target["waited-seconds"] + 3:
            yield f"sent {told} requests about {job} in {target['waited-seconds']:.1f} s"
        # Some were sent twice, when a connection broke. The last one may have been under way at the end, and
        # a gate that was cut short may have sent one more before its process was gone.
        more = target["status"] in ("pending", "interrupted")
        if not told - 1 <= seen[job] <= told + trial.resent + more:
            yield f"told of {told} requests about {job}, and the simulator has seen {seen[job]}"


def _job(request: Exchange) -> int:
    return int(request.path.split("/")[4])
