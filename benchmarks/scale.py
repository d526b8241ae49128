"""Follow many targets at once: see whether all are detected in time, and what it costs.

`python -m benchmarks.scale` follows 200 targets of one minute over real HTTP, and 2,000 of ten minutes in
virtual time; with `--minutes 10` those over HTTP take ten minutes as well.

The first part runs `cfgate wait` as a process of its own against the simulator in this one, and asks the
operating system what it has cost. The second part runs the same gates, pacer and cadence against the same
simulator without sockets, on a clock that jumps. All jobs end in the same moment, which is the worst that can
happen to a pacer. Detection is measured at the server: from that moment until the answer that tells of it.
Exits with 1 where a bound is missed.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from email.message import Message
from functools import partial
from pathlib import Path
from random import Random
from typing import Final

from benchmarks.turns import TurnClock
from cfgate.gate.loop import Gate
from cfgate.gate.pacer import Pacer
from cfgate.model import Answer, GateStatus, Plan, Target
from cfgate.rules.answer import judge
from cfgate.schedule import Cadence
from cfgate.simulator import Scenario, Simulator, parse
from cfgate.simulator.api import Access, Api

ROOT: Final = Path(__file__).parents[1]
MAX_INTERVAL: Final = 15.0  # seconds; the default of the option
LATE: Final = MAX_INTERVAL + 1.0
MEMORY: Final = 150.0  # MiB
CPU: Final = 0.10  # of one core
ROUND_TRIP: Final = 0.15  # seconds, in virtual time
ENDS: Final = ("none", "within 20%")  # what the API says about the end: the worst case and the usual one
STATUS: Final = re.compile(r"/cfp/v1/imageversion/(\d+)/status")


@dataclass(frozen=True)
class Seen:
    """A request as the server saw it: when, about which job, and whether the answer told of the end."""

    at: float
    job: int
    over: bool


@dataclass(frozen=True)
class Measured:
    """What a part has shown: latencies in seconds, and requests by the second and by the tenth of one."""

    latencies: list[float]
    requests: int
    span: float
    busiest_second: int
    busiest_tenth: int


def life(minutes: float, eta: str) -> Scenario:
    """Make a job that is queued for a tenth of its time; without an estimate there is no progress either."""
    queued, running = minutes * 6, minutes * 54
    progress = "0" if eta == "none" else "0 to 100"
    return parse(
        "{begins: at start, life: ["
        f"{{state: Queued, for: {queued:.3f}s}},"
        f"{{state: Running, for: {running:.3f}s, progress: {progress}, eta: {eta}}},"
        "{state: Completed}]}"
    )


def measured(seen: Iterable[Seen], end: float) -> Measured:
    """Count what was seen of jobs that all ended in one moment."""
    told: dict[int, float] = {}
    moments = []
    for one in seen:
        moments.append(one.at)
        if one.over:
            told.setdefault(one.job, one.at)
    first = min(moments)
    return Measured(
        latencies=sorted(at - end for at in told.values()),
        requests=len(moments),
        span=max(moments) - first,
        busiest_second=max(Counter(int(at - first) for at in moments).values()),
        busiest_tenth=max(Counter(int((at - first) * 10) for at in moments).values()),
    )


def show(what: str, found: Measured, targets: int) -> bool:
    """Print what was found; say whether all were detected in time."""
    worst = found.latencies[-1] if found.latencies else float("inf")
    middle = found.latencies[len(found.latencies) // 2] if found.latencies else float("inf")
    detected = len(found.latencies)
    print(what)
    print(f"  detected     {detected} of {targets}, median {middle:.2f} s, worst {worst:.2f} s (≤ {LATE:g})")
    print(f"  requests     {found.requests}, {found.requests / found.span:.1f} a second on average")
    print(f"  busiest      {found.busiest_second} in a second, {found.busiest_tenth} in a tenth of one")
    return detected == targets and worst <= LATE


def over_http(targets: int, minutes: float, eta: str) -> bool:
    """Run the program against the simulator."""
    scenario = life(minutes, eta)
    keys = {"CLANFORGE_ACCESS_KEY": "benchmark", "CLANFORGE_SECRET_KEY": "benchmark"}
    simulator = Simulator(scenario, access_key="benchmark", secret_key="benchmark", account_service_id=1)  # noqa: S106 - opens nothing
    ids = [str(9000 + number) for number in range(targets)]
    with simulator:
        end = time.time() + minutes * 60
        options = ["--account-service-id", "1", "--api-url", simulator.url, "--timeout", "2h"]
        command = [sys.executable, "-m", "cfgate", "wait", *options, *ids]
        began = time.monotonic()
        code, cpu, memory = measure(command, keys)
        took = time.monotonic() - began
        seen = [
            Seen(one.at, int(match[1]), one.answered == "200 Completed")
            for one in simulator.requests
            if (match := STATUS.match(one.path))
        ]
    title = f"{targets} targets of {minutes:g} min over HTTP, jobeta {eta}"
    in_time = show(title, measured(seen, end), targets)
    print(f"  exit code    {code} after {took:.1f} s")
    print(f"  memory       {memory:.1f} MiB at most (< {MEMORY:g})")
    print(f"  CPU          {cpu:.1f} s, {cpu / took:.1%} of one core on average (< {CPU:.0%})")
    return in_time and code == 0 and memory < MEMORY and cpu / took < CPU


def measure(command: list[str], environ: Mapping[str, str]) -> tuple[int, float, float]:
    """Run a process; return its exit code, its seconds of CPU, and its largest resident set in MiB."""
    quiet = os.open(os.devnull, os.O_WRONLY)
    actions = [(os.POSIX_SPAWN_DUP2, quiet, 1)]
    path = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    process = os.posix_spawn(command[0], command, path | dict(environ), file_actions=actions)
    _, status, usage = os.wait4(process, 0)
    os.close(quiet)
    unit = 1 << 20 if sys.platform == "darwin" else 1 << 10  # of ru_maxrss, in a MiB
    return os.waitstatus_to_exitcode(status), usage.ru_utime + usage.ru_stime, usage.ru_maxrss / unit


class Wire:
    """The simulator without sockets: one GET takes a round trip of virtual time."""

    def __init__(self, scenario: Scenario, clock: TurnClock) -> None:
        self._clock = clock
        self._api = Api(scenario, Access(), 1.0, clock.time)
        self._random = Random(20)
        self.seen: list[Seen] = []

    def fetch(self, target: Target, _: object) -> Answer:
        """Ask about a target."""
        sent = self._clock.monotonic()
        self._clock.sleep(ROUND_TRIP / 2)
        reply = self._api.answer("GET", target.resource.address(target.id, 1), "")
        self.seen.append(Seen(self._clock.monotonic(), target.id, reply.summary == "Completed"))
        headers = Message()
        for name, value in reply.headers.items():
            headers[name] = value
        self._clock.sleep(ROUND_TRIP * self._random.uniform(0.4, 0.6))
        job = judge(
            reply.status,
            dict(headers),
            reply.body,
            target.id,
            target.resource,
            now=self._clock.time(),
        )
        return Answer(job, float(int(self._clock.time() - ROUND_TRIP / 2)), sent, self._clock.monotonic())


def in_virtual_time(targets: int, minutes: float, eta: str) -> bool:
    """Run the gates on a clock that jumps."""
    clock = TurnClock()
    wire = Wire(life(minutes, eta), clock)
    pacer = Pacer(clock, targets, MAX_INTERVAL)
    endings: list[GateStatus] = []

    def follow(target: Target) -> None:
        gate = Gate(
            Plan(target, timeout=7200.0),
            partial(wire.fetch, target),
            Cadence(max_interval=MAX_INTERVAL),
            lambda _: None,
            clock,
            pacer,
        )
        endings.append(gate.wait().status)

    began = time.monotonic()
    clock.run(partial(follow, Target(number + 1)) for number in range(targets))
    took = time.monotonic() - began
    title = f"{targets} targets of {minutes:g} min in virtual time ({took:.0f} s of real time), jobeta {eta}"
    in_time = show(title, measured(wire.seen, minutes * 60), targets)
    return in_time and endings == [GateStatus.READY] * targets


def main() -> int:
    """Run both parts."""
    parser = argparse.ArgumentParser(description="Measure many targets at once.")
    parser.add_argument("--minutes", type=float, default=1.0, help="how long a job takes over HTTP")
    parser.add_argument("--targets", type=int, default=200, help="how many there are over HTTP")
    parser.add_argument("--virtual", type=int, default=2000, help="how many there are in virtual time")
    given = parser.parse_args()
    good = [in_virtual_time(given.virtual, 10.0, eta) for eta in ENDS if given.virtual]
    good += [over_http(given.targets, given.minutes, ENDS[-1])] if given.targets else []
    print("every bound is kept" if all(good) else "a bound is missed")
    return 0 if all(good) else 1


if __name__ == "__main__":
    raise SystemExit(main())
