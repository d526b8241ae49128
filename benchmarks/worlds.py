"""Jobs as they may be: when they end, and what the API says about it until then. Seeded, in virtual time.

A `World` is a way in which jobs behave, and a `Job` is one of them: `answer(at)` is what the API would send
`at` seconds after the job was created. What a world leaves open (how an estimate is rounded, when
`jobupdated` moves, where progress stops) can be varied, so that nothing is tuned to one reading of it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from random import Random
from typing import Final, Literal

ID: Final = 9001
CREATED: Final = 1_795_435_200.0  # Unix seconds: 2026-11-23T12:00:00Z

Eta = Callable[[float], int | None]  # seconds since the job was created -> jobeta
Curve = Callable[[float], float]  # share of the time of a run -> share of the progress
Whole = Callable[[float], int]


@dataclass(frozen=True)
class Run:
    """A time of running, in seconds since the job was created; `full` is what it takes to the end."""

    begin: float
    end: float
    full: float


@dataclass(frozen=True)
class Life:
    """The course of one job: `created` in Unix seconds, and when it ran. In between, it waits."""

    created: float
    runs: tuple[Run, ...]

    @property
    def end(self) -> float:
        """Seconds from its creation to its end."""
        return self.runs[-1].end

    def run(self, at: float) -> Run | None:
        """Return the run that is on at this time."""
        return next((run for run in self.runs if run.begin <= at < run.end), None)


# What the API announces


def nothing(_: Random, __: Life) -> Eta:
    """Announce nothing."""
    return lambda _: None


@dataclass(frozen=True)
class Improving:
    """An estimate that is off by a share of what remains: `error` is the standard deviation of that share.

    A new error with every answer, or one for the whole job (`constant`), or one every `refresh` seconds.
    """

    error: float = 0.2
    whole: Whole = round
    shape: Literal["normal", "log-normal", "uniform"] = "normal"
    constant: bool = False
    refresh: float = 0.0

    def __call__(self, rng: Random, life: Life) -> Eta:
        """Make the estimate of one job."""
        bias = self._factor(rng)
        known: dict[float, int] = {}

        def eta(at: float) -> int:
            when = at if not self.refresh else max(at // self.refresh * self.refresh, life.runs[0].begin)
            if when not in known or not self.refresh:
                factor = bias if self.constant else self._factor(rng)
                known[when] = self.whole(life.created + when + (life.end - when) * factor)
            return known[when]

        return eta

    def _factor(self, rng: Random) -> float:
        if self.shape == "log-normal":
            return math.exp(rng.gauss(0, self.error))
        if self.shape == "uniform":
            return 1 + rng.uniform(-1, 1) * self.error * math.sqrt(3)
        return max(1 + rng.gauss(0, self.error), 0.1)


@dataclass(frozen=True)
class Once:
    """An estimate made when the job starts and never corrected; `factor` is the error it is made with."""

    factor: Callable[[Random], float]

    def __call__(self, rng: Random, life: Life) -> Eta:
        """Make the estimate of one job."""
        run = life.runs[-1]
        announced = round(life.created + run.begin + run.full * self.factor(rng))
        return lambda _: announced


@dataclass(frozen=True)
class Always:
    """The same time from now, whenever it is asked; negative for the past."""

    seconds: float

    def __call__(self, _: Random, life: Life) -> Eta:
        """Make the estimate of one job."""
        return lambda at: round(life.created + at + self.seconds)


def zero(_: Random, __: Life) -> Eta:
    """Announce the beginning of 1970."""
    return lambda _: 0


# How far the job says it is


def none(_: Random) -> Curve:
    """Stay at 0 until the end."""
    return lambda _: 0.0


def steady(_: Random) -> Curve:
    """Go on evenly."""
    return lambda share: share


def slow_tail(rng: Random) -> Curve:
    """Be fast up to 90 %, in half to seven tenths of the time, and then slow."""
    knee = rng.uniform(0.5, 0.7)
    return lambda share: 0.9 * share / knee if share < knee else 0.9 + 0.1 * (share - knee) / (1 - knee)


def slowing(rng: Random) -> Curve:
    """Slow down all the time, through 90 % in half to seven tenths of the time."""
    power = math.log(0.1) / math.log(1 - rng.uniform(0.5, 0.7))
    return lambda share: 1 - (1 - share) ** power


def quadratic(_: Random) -> Curve:
    """Slow down all the time, to a standstill at the end."""
    return lambda share: 1 - (1 - share) ** 2


def early(_: Random) -> Curve:
    """Be at 100 % when a fiftieth of the time is still to come."""
    return lambda share: min(share / 0.98, 1.0)


# Worlds


@dataclass(frozen=True)
class World:
    """A way in which jobs behave. Durations are log-normal: medians in seconds, `sigma` of their logarithms.

    `bound` is what a cadence must reach in requests x latency / duration, and `p95` in seconds of latency.
    """

    name: str
    bound: float
    p95: float = math.inf
    eta: Callable[[Random, Life], Eta] = nothing
    progress: Callable[[Random], Curve] = none
    step: int = 1  # per cents by which progress moves
    whole: Whole = math.floor  # how it becomes a whole number of steps
    most: int = 100  # per cents, while the job runs
    updated: Literal["answer", "step", "state"] = "answer"
    eta_while_queued: bool = False
    retried: bool = False
    queued: float = 30.0
    running: float = 420.0
    sigma: float = 0.5
    clock_error: float = 0.0  # seconds that the local clock is ahead of the API's

    def job(self, seed: str) -> Job:
        """Make the job that belongs to this seed."""
        rng = Random(seed)
        return Job(self, _life(self, rng), rng)


def _life(world: World, rng: Random) -> Life:
    def lasting(median: float) -> float:
        return median * math.exp(rng.gauss(0, world.sigma))

    created = CREATED + rng.random()
    begin, full = lasting(world.queued), lasting(world.running)
    runs = [Run(begin, begin + full, full)]
    if world.retried:  # the first attempt dies at 80 %
        died = begin + 0.8 * full
        again = died + lasting(world.queued)
        runs = [Run(begin, died, full), Run(again, again + full, full)]
    return Life(created, tuple(runs))


@dataclass
class Job:
    """One job of a world."""

    world: World
    life: Life
    rng: Random = field(repr=False)

    def __post_init__(self) -> None:
        self._eta = self.world.eta(self.rng, self.life)
        self._curve = self.world.progress(self.rng)

    @property
    def end(self) -> float:
        """Seconds from its creation to its end."""
        return self.life.end

    def progress(self, at: float) -> int:
        """Return `jobprogress` at this time."""
        if at >= self.end:
            return 100
        run = self.life.run(at)
        if run is None:
            return 0
        steps = 100 / self.world.step * self._curve((at - run.begin) / run.full)
        return min(self.world.whole(steps + 1e-9) * self.world.step, self.world.most)

    def answer(self, at: float) -> dict[str, object]:
        """Return what the API sends at this time."""
        run = self.life.run(at)
        name = "Completed" if at >= self.end else "Running" if run else "Queued" if at > 3 else "Created"
        announces = run is not None or (self.world.eta_while_queued and at < self.end)
        return {
            "imageversionid": ID,
            "jobcreated": int(self.life.created),
            "jobstart": str(int(self.life.created + run.begin)) if run else "",
            "jobupdated": int(self.life.created + self._updated(at)),
            "jobeta": self._eta(at) if announces else None,
            "jobprogress": self.progress(at),
            "jobfailed": 0,
            "joberror": "",
            "jobstatename": name,
            "success": True,
        }

    def _updated(self, at: float) -> float:
        """Return when the API last touched the job."""
        if self.world.updated == "answer":
            return at
        changes = [0.0, *(moment for run in self.life.runs for moment in (run.begin, run.end))]
        low, high = max(moment for moment in changes if moment <= at), at
        shown = self.progress(at)
        if self.world.updated == "state" or self.progress(low) == shown:
            return low
        while high - low > 1e-3:  # progress only rises within a run: close in on the moment of the last step
            middle = (low + high) / 2
            low, high = (low, middle) if self.progress(middle) == shown else (middle, high)
        return high


def _off_by_15_percent(rng: Random) -> float:
    return max(1 + rng.gauss(0, 0.15), 0.1)


IMPROVING: Final = World("the estimate improves", 0.05, 1.5, eta=Improving())
TEN_MINUTES: Final = 600.0

# The worlds of the specification, in its order.
WORLDS: Final = (
    IMPROVING,
    replace(IMPROVING, name="the estimate improves, with progress", progress=steady),
    World("progress, steady", 0.06, 2.0, progress=steady),
    World("progress, fast to 90 %, then slow", 0.20, 5.0, progress=slow_tail),
    World("progress in jumps of 10", 0.20, 5.0, progress=steady, step=10),
    World("progress, retried at 80 %", 0.10, 3.0, progress=steady, retried=True),
    World("one fixed estimate, 15 % off", 0.45, eta=Once(_off_by_15_percent)),
    World("no estimate, no progress", 0.55),
    World("a lie: always 30 s ahead", 0.60, eta=Always(30)),
    World("a lie: in the past", 0.60, eta=Always(-60)),
    World("a lie: 0", 0.60, eta=zero),
    World("a lie: ten times too far", 0.60, eta=Once(lambda _: 10.0)),
    replace(IMPROVING, name="improves, jobupdated only with the state", updated="state"),
    replace(IMPROVING, name="improves, local clock 10 min ahead", clock_error=TEN_MINUTES),
    replace(IMPROVING, name="improves, local clock 10 min behind", clock_error=-TEN_MINUTES),
)
BY_NAME: Final = {world.name: world for world in WORLDS}
NOTHING: Final = BY_NAME["no estimate, no progress"]
ONE_ESTIMATE: Final = BY_NAME["one fixed estimate, 15 % off"]

STEADY: Final = BY_NAME["progress, steady"]
RETRIED: Final = BY_NAME["progress, retried at 80 %"]

# The same worlds, read in other ways than above. The bounds are what the cadence holds in each of them.
READINGS: Final = (
    replace(IMPROVING, name="improves, cut to whole seconds", bound=0.055, eta=Improving(whole=math.floor)),
    replace(
        IMPROVING, name="improves, one error for the whole job", bound=0.055, eta=Improving(constant=True)
    ),
    replace(IMPROVING, name="improves, log-normal errors", bound=0.055, eta=Improving(shape="log-normal")),
    replace(IMPROVING, name="improves, a new estimate every 3 s", bound=0.06, eta=Improving(refresh=3.0)),
    replace(IMPROVING, name="improves, known while queued", bound=0.055, eta_while_queued=True),
    replace(IMPROVING, name="improves, with a slow tail", bound=0.055, progress=slow_tail),
    replace(IMPROVING, name="improves, jobs of an hour", running=3600.0),
    replace(STEADY, name="progress, rounded", whole=round),
    replace(STEADY, name="progress, never above 99 % before the end", most=99),
    replace(STEADY, name="progress, at 100 % too early", bound=0.07, progress=early),
    replace(STEADY, name="progress, jobupdated moves with it", bound=0.05, updated="step"),
    replace(STEADY, name="progress, jobs of an hour", running=3600.0),
    replace(STEADY, name="progress, beside a lie: always 30 s ahead", eta=Always(30)),
    replace(STEADY, name="progress, beside one fixed estimate", eta=Once(_off_by_15_percent)),
    World("progress, slower and slower", 0.25, 5.0, progress=slowing),
    World("progress, slower and slower, to a standstill", 0.20, 5.0, progress=quadratic),
    replace(RETRIED, name="retried, and the estimate improves", eta=Improving()),
    World("a lie: always 5 s ahead", 0.70, eta=Always(5)),
    World("a lie: a third of the time", 0.65, eta=Once(lambda _: 0.33)),
)
