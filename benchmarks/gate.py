"""Measure the installed program over real HTTP: what it costs to wait, and what it costs to start.

`python -m benchmarks.gate` plays one scripted job of a minute on a simulator, and lets cfgate and two shell
loops (curl and jq, every second and every ten) wait for it side by side. Then it starts `cfgate check` on a
finished version again and again, beside a Python that imports requests and tenacity and sends one request.

    requests   to the end of the job
    latency    seconds from the end of the job to the exit of the process
    CPU        user and system seconds, of all processes of a contender
    memory     the largest resident set of any of them
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cfgate.simulator import Simulator, parse

ROOT: Final = Path(__file__).parents[1]
TOKEN: Final = "benchmark-token-0001"

# A job as the documentation has it: it waits a little, then runs with an estimate that gets better.
JOB: Final = """
life:
  - {{state: Queued, for: {queued}s}}
  - {{state: Running, for: {running}s, progress: 0 to 100, eta: within 20%}}
  - {{state: Completed}}
"""
DONE: Final = "life: [{state: Completed}]"

LOOP: Final = """
while :; do
  state=$(curl -s --max-time 20 -H "Authorization: Bearer $CLANFORGE_TOKEN" "$URL" | jq -r .jobstatename)
  case $state in Completed) exit 0 ;; Failed) exit 1 ;; esac
  sleep "$PAUSE"
done
"""
BASELINE: Final = """
import os, requests, tenacity
answer = requests.get(os.environ["URL"], headers={"Authorization": "Bearer " + os.environ["CLANFORGE_TOKEN"]})
assert answer.json()["jobstatename"] == "Completed"
"""


@dataclass(frozen=True)
class Contender:
    """A way to wait, for an image version of its own."""

    name: str
    image_version_id: int
    command: tuple[str, ...]
    environ: dict[str, str]


@dataclass(frozen=True)
class Measured:
    """What a process took."""

    ended: float  # Unix seconds
    cpu: float  # seconds
    memory: float  # MiB


def cfgate(*words: str) -> tuple[str, ...]:
    """Make the command line of the program."""
    return (sys.executable, "-m", "cfgate", *words)


def contenders(url: str) -> list[Contender]:
    """List who waits."""

    def loop(pause: int, image_version_id: int) -> Contender:
        environ = {"URL": address(url, image_version_id), "PAUSE": str(pause)}
        return Contender(f"curl + jq, every {pause} s", image_version_id, ("bash", "-c", LOOP), environ)

    ours = Contender("cfgate", 9001, cfgate("wait", "9001", "--api-url", url), {})
    return [ours, loop(1, 9002), loop(10, 9003)]


def address(url: str, image_version_id: int) -> str:
    """Name the one address that there is to ask."""
    return f"{url}/cfp/v1/imageversion/{image_version_id}/status"


def start(command: Sequence[str], environ: dict[str, str]) -> subprocess.Popen[bytes]:
    """Start a process whose output nobody needs."""
    clean = {"PATH": os.environ["PATH"], "CLANFORGE_TOKEN": TOKEN, **environ}
    return subprocess.Popen(command, cwd=ROOT, env=clean, stdout=subprocess.DEVNULL)


def reap(process: subprocess.Popen[bytes]) -> Measured:
    """Wait for a process; its children count as well, for it has waited for them."""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise SystemExit(f"{process.args!r} failed with {process.returncode}")
    return Measured(time.time(), usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def waiting(seconds: float) -> list[tuple[str, ...]]:
    """Let everybody wait for a job of this length, side by side, and table what it took."""
    script = JOB.format(queued=seconds / 10, running=seconds * 9 / 10)
    rows = []
    with Simulator(parse(script), token=TOKEN) as simulator:
        running = [(each, start(each.command, each.environ)) for each in contenders(simulator.url)]
        # The ones that end first are reaped first only by luck: ask each in turn, often.
        left = dict(enumerate(running))
        while left:
            for key, (each, process) in list(left.items()):
                if os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
                    continue
                measured = reap(process)
                asked = [r for r in simulator.requests if f"/{each.image_version_id}/" in r.path]
                latency = measured.ended - (asked[0].at + seconds)
                rows.append(
                    (
                        each.name,
                        f"{len(asked)}",
                        f"{latency:.2f} s",
                        f"{measured.cpu:.2f} s",
                        f"{measured.memory:.0f} MiB",
                    )
                )
                del left[key]
            time.sleep(0.005)
    return sorted(rows, reverse=True)


def starting(times: int) -> list[tuple[str, ...]]:
    """Start both programs by turns, and table how long they took."""
    with Simulator(parse(DONE), token=TOKEN) as simulator:
        url = {"URL": address(simulator.url, 9001)}
        commands = {
            "python -c 'import requests, tenacity' + one request": ((sys.executable, "-c", BASELINE), url),
            "cfgate check, by flags": (cfgate("check", "9001", "--api-url", simulator.url), {}),
            "cfgate, by environment as in the action": (
                (sys.executable, str(ROOT / "entrypoint.py")),
                {"CFGATE_API_URL": simulator.url, "CFGATE_IMAGE_VERSION_ID": "9001", "CFGATE_TIMEOUT": "0"},
            ),
        }
        taken: dict[str, list[float]] = {name: [] for name in commands}
        for _ in range(times):
            for name, (command, environ) in commands.items():
                began = time.perf_counter()
                reap(start(command, environ))
                taken[name].append(time.perf_counter() - began)
    baseline = min(next(iter(taken.values())))
    return [
        (
            name,
            f"{min(each) * 1e3:.0f} ms",
            f"{statistics.median(each) * 1e3:.0f} ms",
            f"{min(each) / baseline:.2f}",
        )
        for name, each in taken.items()
    ]


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Write a Markdown table, which reads well as plain text too."""
    lines = [head, ["---"] * len(head), *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    return "\n".join(
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |"
        for line in lines
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Measure cfgate over real HTTP on loopback.")
    parser.add_argument("--seconds", type=float, default=60, help="how long the job takes (default: 60)")
    parser.add_argument("--starts", type=int, default=20, help="how often to start each (default: 20)")
    options = parser.parse_args()
    print(f"One job of {options.seconds:g} s on loopback, all waiting side by side:\n")
    print(table(("", "requests", "latency", "CPU", "memory"), waiting(options.seconds)))
    print(f"\nThe cost of starting, {options.starts} times by turns:\n")
    print(table(("", "fastest", "median", "ratio of the fastest"), starting(options.starts)))


if __name__ == "__main__":
    main()
