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
HEARTBEAT: Final = 30.0  # seconds
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
    """The course of one job: `created` in Unix seconds, when it ran, and when its gate starts.

    In between the runs it waits. All but `created` in seconds since then.
    """

    created: float
    runs: tuple[Run, ...]
    gate: float = 0.0

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


@dataclass(frozen=True)
class Slips:
    """An end that is put off by so many seconds whenever it is reached."""

    seconds: float

    def __call__(self, _: Random, life: Life) -> Eta:
        """Make the estimate of one job."""
        begin = life.created + life.runs[-1].begin

        def eta(at: float) -> int:
            reached = max((life.created + at - begin) // self.seconds, 0.0)
            return round(begin + (reached + 1) * self.seconds)

        return eta


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


@dataclass(frozen=True)
class TwoPhases:
    """Go on evenly to `top` of the progress in a share `fall` of the time, and then from 0 to the end."""

    fall: float
    top: float = 1.0

    def __call__(self, _: Random) -> Curve:
        """Make the curve of one job."""
        return lambda share: (
            self.top * share / self.fall if share < self.fall else (share - self.fall) / (1 - self.fall)
        )


# When the gate starts


def at_once(_: Random, __: Life) -> float:
    """Start when the job is created."""
    return 0.0


def anywhere(rng: Random, life: Life) -> float:
    """Start at any time in the life of the job."""
    return rng.uniform(0.0, life.end)


def late(rng: Random, life: Life) -> float:
    """Start within the last 30 s."""
    return max(life.end - rng.uniform(0.0, 30.0), 0.0)


# Worlds


@dataclass(frozen=True)
class World:
    """A way in which jobs behave. Durations are log-normal: medians in seconds, `sigma` of their logarithms.

    What a cadence must reach: `bound` in requests x latency / duration, `p95` and `mean` in seconds of
    latency, `requests`, and those as a multiple (`times`) of what a fixed 15 s sends for the same jobs.
    """

    name: str
    bound: float = math.inf
    p95: float = math.inf
    mean: float = math.inf
    requests: float = math.inf
    times: float = math.inf
    eta: Callable[[Random, Life], Eta] = nothing
    progress: Callable[[Random], Curve] = none
    step: int = 1  # per cents by which progress moves
    whole: Whole = math.floor  # how it becomes a whole number of steps
    most: int = 100  # per cents, while the job runs
    updated: Literal["answer", "step", "state", "heartbeat"] = "answer"
    eta_while_queued: bool = False
    retried: bool = False
    queued: float = 30.0
    running: float = 420.0
    sigma: float = 0.5
    gate: Callable[[Random, Life], float] = at_once
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
    life = Life(created, tuple(runs))
    return replace(life, gate=world.gate(rng, life))


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
        if self.world.updated == "heartbeat":
            return at // HEARTBEAT * HEARTBEAT
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


IMPROVING: Final = World("the estimate improves", 0.034, 0.9, eta=Improving())
STEADY: Final = World("progress, steady", 0.032, 0.9, progress=steady)
JUMPS: Final = replace(STEADY, name="progress in jumps of 10", bound=0.048, p95=1.4, step=10)
RETRIED: Final = replace(STEADY, name="progress, retried at 80 %", bound=0.033, retried=True)
TWO_PHASES: Final = replace(STEADY, bound=0.085, p95=1.5)
ONE_ESTIMATE: Final = World("one fixed estimate, 15 % off", 0.215, 3.6, eta=Once(_off_by_15_percent))
NOTHING: Final = World("no estimate, no progress", 0.44, 8.5, 3.8, 75)
LIE: Final = World("a lie", 0.45, 8.5)
FACTOR: Final = World("a lie", 0.56)
SLIPS: Final = World("slips", 0.58, 9.0)
TWO_HOURS: Final = World("no estimate, no progress, 2 hours", 0.72, times=1.7, running=7200.0)
TEN_MINUTES: Final = 600.0

# The worlds of the specification, in its order.
WORLDS: Final = (
    IMPROVING,
    replace(IMPROVING, name="the estimate improves, with progress", bound=0.032, progress=steady),
    replace(IMPROVING, name="the estimate improves, 50 % off", bound=0.085, p95=2.5, eta=Improving(0.5)),
    STEADY,
    replace(STEADY, name="progress, fast to 90 %, then slow", bound=0.050, p95=1.1, progress=slow_tail),
    JUMPS,
    RETRIED,
    replace(TWO_PHASES, name="progress, from 100 % back to 0 at half time", progress=TwoPhases(0.5)),
    replace(TWO_PHASES, name="progress, from 100 % back to 0 at 80 % of the time", progress=TwoPhases(0.8)),
    replace(TWO_PHASES, name="progress, from 50 % back to 0", progress=TwoPhases(0.5 / 1.5, 0.5)),
    replace(TWO_PHASES, name="progress, from 80 % back to 0", progress=TwoPhases(0.8 / 1.8, 0.8)),
    replace(STEADY, name="progress, jobupdated every 30 s", bound=0.045, p95=1.3, updated="heartbeat"),
    replace(IMPROVING, name="improves once a minute", bound=0.078, p95=1.6, eta=Improving(refresh=60.0)),
    replace(IMPROVING, name="improves every 30 s", bound=0.078, p95=1.6, eta=Improving(refresh=30.0)),
    replace(STEADY, name="progress, a gate at any time", bound=0.065, p95=1.4, gate=anywhere),
    replace(JUMPS, name="progress in jumps of 10, a gate at any time", bound=0.095, p95=1.8, gate=anywhere),
    ONE_ESTIMATE,
    NOTHING,
    replace(LIE, name="a lie: always 30 s ahead", eta=Always(30)),
    replace(LIE, name="a lie: in the past", eta=Always(-60)),
    replace(LIE, name="a lie: 0", eta=zero),
    replace(FACTOR, name="a lie: ten times too far", eta=Once(lambda _: 10.0)),
    replace(FACTOR, name="a lie: a third of it", eta=Once(lambda _: 1 / 3)),
    replace(SLIPS, name="the estimate slips by 20 s", eta=Slips(20.0)),
    replace(SLIPS, name="the estimate slips by 60 s", eta=Slips(60.0)),
    replace(SLIPS, name="the estimate slips by 300 s", eta=Slips(300.0)),
    TWO_HOURS,
    World("progress, a gate in the last 30 s", p95=1.6, progress=steady, gate=late),
    World("progress in jumps of 10, a gate in the last 30 s", p95=2.5, progress=steady, step=10, gate=late),
    World("nothing known, a gate in the last 30 s", p95=5.5, mean=2.8, gate=late),
    replace(IMPROVING, name="improves, local clock 10 min ahead", clock_error=TEN_MINUTES),
    replace(IMPROVING, name="improves, local clock 10 min behind", clock_error=-TEN_MINUTES),
)
BY_NAME: Final = {world.name: world for world in WORLDS}

# The same worlds, read in other ways than above. The bounds are what the cadence holds in each of them.
READINGS: Final = (
    replace(IMPROVING, name="improves, cut to whole seconds", eta=Improving(whole=math.floor)),
    replace(
        IMPROVING, name="improves, one error for the whole job", bound=0.037, eta=Improving(constant=True)
    ),
    replace(IMPROVING, name="improves, log-normal errors", eta=Improving(shape="log-normal")),
    replace(IMPROVING, name="improves, a new estimate every 3 s", eta=Improving(refresh=3.0)),
    replace(IMPROVING, name="improves, known while queued", eta_while_queued=True),
    replace(IMPROVING, name="improves, with a slow tail", progress=slow_tail),
    replace(IMPROVING, name="improves, jobs of an hour", running=3600.0),
    replace(IMPROVING, name="improves, jobupdated only with the state", updated="state"),
    replace(STEADY, name="progress, rounded", bound=0.036, whole=round),
    replace(STEADY, name="progress, never above 99 % before the end", most=99),
    replace(STEADY, name="progress, at 100 % too early", bound=0.045, progress=early),
    replace(STEADY, name="progress, jobupdated moves with it", updated="step"),
    replace(STEADY, name="progress, jobs of an hour", running=3600.0),
    replace(STEADY, name="progress, beside a lie: always 30 s ahead", eta=Always(30)),
    replace(STEADY, name="progress, beside one fixed estimate", eta=Once(_off_by_15_percent)),
    World("progress, a job of seconds", p95=1.6, progress=steady, queued=3.0, running=12.0),
    World(
        "progress in jumps of 10, a job of seconds",
        p95=2.5,
        progress=steady,
        step=10,
        queued=3.0,
        running=12.0,
    ),
    World("nothing known, a job of seconds", p95=5.5, queued=3.0, running=12.0),
    World("progress, slower and slower", 0.33, 4.5, progress=slowing),
    World("progress, slower and slower, to a standstill", 0.23, 3.5, progress=quadratic),
    replace(RETRIED, name="retried, and the estimate improves", eta=Improving()),
    World("a lie: always 5 s ahead", 0.48, 8.5, eta=Always(5)),
    replace(
        STEADY,
        name="two phases, and the estimate improves",
        bound=0.034,
        progress=TwoPhases(0.5),
        eta=Improving(),
    ),
    replace(STEADY, name="progress, beside an end that slips by 60 s", eta=Slips(60.0)),
)
