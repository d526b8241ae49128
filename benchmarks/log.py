"""What a person reads of a job of 37 minutes that is not answered for six of them, in virtual time.

`python -m benchmarks.log` prints the log and counts its lines; with a number of seconds it stops there.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cfgate.errors import NoAnswer
from cfgate.gate.loop import Gate
from cfgate.gate.watch import TICK
from cfgate.hosts.console import Console
from cfgate.hosts.plain import Plain
from cfgate.log.progress import ProgressLog
from cfgate.log.wording import headline
from cfgate.model import Answer, Plan, Target
from cfgate.rules import judge_job
from cfgate.schedule import Cadence
from cfgate.settings.values import Settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from cfgate.hosts import Host

NOON = 1_795_435_200.0
QUEUED, RUNNING, AWAY, BACK, END = 10.0, 120.0, 900.0, 1260.0, 2220.0  # seconds


@dataclass
class Life:
    """A clock on which sleeping costs nothing but a tick of the log, and the API at that time."""

    tick: Callable[[], None]
    now: float = 0.0

    def monotonic(self) -> float:
        """Seconds since the start."""
        return self.now

    def time(self) -> float:
        """Unix time."""
        return NOON + self.now

    def sleep(self, seconds: float) -> None:
        """Let time pass, and the log notice it."""
        end = self.now + seconds
        while self.now + TICK < end:
            self.now += TICK
            self.tick()
        self.now = end

    def fetch(self, sends: Callable[[], None]) -> Answer:
        """Answer as the API would now."""
        sends()
        sent = self.now
        self.now += 0.15
        if AWAY <= sent < BACK:
            raise NoAnswer("HTTP 503 Service Unavailable")
        state = 1 if sent < QUEUED else 3 if sent < RUNNING else 4 if sent < END else 5
        share = min(max((sent - RUNNING) / (END - RUNNING), 0.0), 1.0)
        body = {
            "imageversionid": 9001,
            "jobstateid": state,
            "jobstatename": ("Created", "", "Queued", "Running", "Completed")[state - 1],
            "jobcreated": int(NOON),
            "jobupdated": int(NOON + sent),
            "jobprogress": int(100 * share),
            "jobeta": int(NOON + END + 0.1 * (END - sent)) if state == 4 else 0,
            "jobfailed": 0,
            "success": True,
        }
        return Answer(judge_job(body, 9001), NOON + int(sent), sent, self.now)


def play(host: Host, until: float = float("inf")) -> None:
    """Follow the job to its end, or until a moment, on a host."""
    target = Target(9001)
    settings = Settings((Plan(target),))

    class Enough(Exception):
        pass

    def tick() -> None:
        progress.tick()
        if life.now >= until:
            raise Enough

    life = Life(tick)
    progress = ProgressLog(host, settings, life)
    host.log(headline(settings))
    gate = Gate(settings.plans[0], life.fetch, Cadence(seed=1), progress.tell, life)
    try:
        gate.wait()
    except Enough:
        return


def main() -> None:
    """Print the log and count it."""
    stream = io.StringIO()
    play(Plain(Console(stream)))
    lines = stream.getvalue().splitlines()
    print("\n".join(lines))
    print(f"\n{len(lines)} lines")


if __name__ == "__main__":
    main()
