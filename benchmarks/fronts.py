"""Measure what real servers cost: `make bench-fronts`, as root on Debian.

cfgate, a loop with `curl --retry` and a loop with requests wait for the same jobs, each behind a server of
its own with the same settings, all at the same time, in namespaces of their own as `.ci/fronts` makes them.
Each does so several times; the end of the jobs moves on from one to the next, so that no pace is lucky.

    lost       seconds from the moment when a gate could have known the end to the exit of the process
    worst      the longest of them
    requests   that the server saw, on average
    CPU        user and system seconds of all processes of a contender, on average
"""

from __future__ import annotations

import argparse
import json
import math
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean
from typing import Final

ROOT: Final = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / ".ci"))

from fronts import certificates, servers  # noqa: E402 - it is not installed
from fronts.__main__ import NAMESPACES  # noqa: E402
from fronts.api import Api  # noqa: E402
from fronts.lab import FIRST_ID, URL, Lab  # noqa: E402

from tests.support.canary import TOKEN  # noqa: E402

_LONGEST: Final = 150.0  # seconds that a contender may take
_STEP: Final = 1.7  # seconds by which the end moves on from one time to the next
_PAUSE: Final = 5  # seconds between the looks of the loops, as many pollers have it

CURL: Final = """
wait_for() {
  while :; do
    state=$(curl -sS --fail --max-time 20 --retry 8 --retry-all-errors --cacert "$CA" \
      -H "Authorization: Bearer $CLANFORGE_TOKEN" "$URL/cfp/v1/imageversion/$1/status" 2>/dev/null |
      jq -r .jobstatename)
    case $state in Completed) return 0 ;; Failed) return 1 ;; esac
    sleep "$PAUSE"
  done
}
for id in "$@"; do wait_for "$id" & done
wait
"""
REQUESTS: Final = """
import os, sys, threading, time
import requests
def wait_for(session, id):
    url = f"{os.environ['URL']}/cfp/v1/imageversion/{id}/status"
    while True:
        try:
            answer = session.get(url, timeout=20)
            answer.raise_for_status()
            if answer.json()["jobstatename"] == "Completed":
                return
        except (requests.RequestException, ValueError):
            pass
        time.sleep(float(os.environ["PAUSE"]))
session = requests.Session()
session.verify = os.environ["CA"]
session.headers["Authorization"] = "Bearer " + os.environ["CLANFORGE_TOKEN"]
threads = [threading.Thread(target=wait_for, args=(session, id)) for id in sys.argv[1:]]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
"""


@dataclass(frozen=True)
class Front:
    """A server in front of the API: how it is started, for how many targets, when their end can be known."""

    name: str
    start: Callable[[Lab, float], Api]  # the second is when the end can be known, as below
    targets: int
    known: float  # seconds from the first question


def _outage(lab: Lab, known: float) -> Api:
    api = Api(6)
    servers.nginx(lab)
    api.away(2, known)
    return api


def _limit(lab: Lab, known: float) -> Api:
    api = Api(known)
    zone = "limit_req_zone $binary_remote_addr zone=z:1m rate=10r/s; limit_req_status 429;"
    servers.nginx(lab, http=zone, location="limit_req zone=z burst=5 nodelay;")
    return api


def _closed(lab: Lab, known: float) -> Api:
    api = Api(known)
    servers.nginx(lab, http="keepalive_timeout 1s;")
    return api


def _slow(lab: Lab, known: float) -> Api:
    api = Api(known, slow=3)
    servers.nginx(lab)
    return api


FRONTS: Final = (
    Front("502 for 20 s, 3 targets", _outage, 3, 22),
    Front("10 requests a second (429), 60 targets", _limit, 60, 5),
    Front("kept connections closed after 1 s, 10 targets", _closed, 10, 20),
    Front("answers take 3 s, 3 targets", _slow, 3, 20),
)
CONTENDERS: Final[dict[str, Callable[[list[str], Path], list[str]]]] = {
    "cfgate": lambda ids, ca: [
        *(sys.executable, "-m", "cfgate", ",".join(ids), "--api-url", URL, "--account-service-id", "7"),
        *("--ca-bundle", str(ca)),
    ],
    "curl --retry": lambda ids, _: ["bash", "-c", CURL, "curl", *ids],
    "requests": lambda ids, _: [sys.executable, "-c", REQUESTS, *ids],
}


@dataclass(frozen=True)
class Measured:
    """What one contender took behind one front; `lost` is infinite when it had not ended."""

    lost: float
    requests: int
    cpu: float


def play(front: Front, contender: str, number: int, lab: Lab) -> Measured:
    """Let a contender wait, on the machine that this process has for itself."""
    known = front.known + number * _STEP
    api = front.start(lab, known)
    ca = lab.tls / "ca.pem"
    ids = [str(FIRST_ID + each) for each in range(front.targets)]
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "CLANFORGE_TOKEN": TOKEN}
    environ |= {"URL": URL, "CA": str(ca), "PAUSE": str(_PAUSE)}
    before = _cpu()
    command = CONTENDERS[contender](ids, ca)
    output = (lab.directory / "contender.out").open("wb")
    with (
        output,
        subprocess.Popen(command, env=environ, cwd=lab.directory, stdout=output, stderr=output) as run,
    ):
        try:
            ended = math.inf if run.wait(_LONGEST) else time.monotonic()
        except subprocess.TimeoutExpired:
            run.kill()
            ended = math.inf
    seen = lab.read("access.log").count("/status")
    return Measured(ended - api.asked[0][0] - known, seen, _cpu() - before)


def _cpu() -> float:
    """Return the CPU seconds of all processes that have ended: the servers here never do."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


@dataclass(frozen=True)
class Task:
    """A contender behind a front (by its number there), for the so-many-th time."""

    front: int
    contender: str
    number: int

    def play_apart(self, directory: Path) -> Measured:
        """Play it in namespaces of its own."""
        here = directory / "runs" / f"{self.front}-{self.contender.split()[0]}-{self.number}"
        here.mkdir(parents=True)
        words = ("--directory", str(directory), "--play", json.dumps(asdict(self)), str(here))
        argv = ("unshare", *NAMESPACES, sys.executable, "-m", "benchmarks.fronts", *words)
        subprocess.run(argv, cwd=ROOT, check=True, timeout=_LONGEST + 60)
        return Measured(**json.loads((here / "measured.json").read_text()))

    def play_here(self, directory: Path, here: Path) -> None:
        """Play it here, and write down what it took."""
        measured = play(FRONTS[self.front], self.contender, self.number, Lab(here, directory / "tls", ROOT))
        (here / "measured.json").write_text(json.dumps(asdict(measured)))


def table(rows: Sequence[Sequence[str]]) -> str:
    """Write rows, the first of them the head, as a table of Markdown."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["| " + " | ".join(map(str.ljust, row, widths)) + " |" for row in rows]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


def row(front: Front, contender: str, times: Sequence[Measured]) -> tuple[str, ...]:
    """Write what a contender took behind a front."""
    lost = [measured.lost for measured in times]
    requests, cpu = fmean(each.requests for each in times), fmean(each.cpu for each in times)
    ended = [f"{fmean(lost):.1f} s", f"{max(lost):.1f} s"] if max(lost) < math.inf else ["never", "never"]
    return (front.name, contender, *ended, f"{requests:.0f}", f"{cpu:.1f} s")


def measure(directory: Path, times: int) -> str:
    """Measure everything at the same time; return the table."""
    certificates.make(directory / "tls")
    numbers = range(times)
    tasks = [Task(front, each, n) for n in numbers for front in range(len(FRONTS)) for each in CONTENDERS]
    with ThreadPoolExecutor(len(tasks)) as workers:
        found = dict(zip(tasks, workers.map(lambda task: task.play_apart(directory), tasks), strict=True))
    rows: list[tuple[str, ...]] = [("behind nginx", "", "lost", "worst", "requests", "CPU")]
    for index, front in enumerate(FRONTS):
        rows += [row(front, each, [found[Task(index, each, n)] for n in numbers]) for each in CONTENDERS]
    return table(rows)


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--directory", type=Path, help="for logs, kept; an empty one")
    parser.add_argument("--play", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.play:
        Task(**json.loads(options.play[0])).play_here(options.directory, Path(options.play[1]))
        os._exit(0)  # with this process everything on the machine ends
    directory = options.directory or Path(tempfile.mkdtemp())
    directory.mkdir(exist_ok=True)
    directory.chmod(0o755)  # the servers run as several users
    print(measure(directory, options.times))
    if not options.directory:
        shutil.rmtree(directory)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
