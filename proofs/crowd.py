"""Many gates at once that share a pacer, on real threads in virtual time, against an API that goes mad.

What each gate makes of its answers is checked by `soak`; here it is what they do to each other: that requests
are spread, that all are quiet when the API has asked one to be, that nobody asks after a refusal of the
credentials, that after an outage the first good answer wakes all, and that none waits beyond its time for the
sake of the others. In some crowds every gate has good and bad days of its own; in others they have an outage
or a limit of requests in common.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from random import Random
from typing import Final

from benchmarks.turns import TurnClock
from cfgate.gate.loop import Gate
from cfgate.gate.pacer import Pacer
from cfgate.model import GateStatus, Outcome, Target
from cfgate.model.events import Event
from cfgate.schedule import Cadence, FixedInterval, Pacing
from proofs import oracle
from proofs.chaos import Api, Weather
from proofs.gate_run import plan
from proofs.oracle import Look, Means, Rules

_SPACING: Final = 0.05  # seconds between two requests of a run, at most
_MOST_DELAY: Final = 0.5  # seconds that a request may come late for the sake of the others
_GLANCE: Final = 1.0  # seconds after which a gate knows that another one has had an answer
_TINY: Final = 1e-6


class SharedClock(TurnClock):
    """The clock of all threads, as `Api` wants one."""

    @property
    def now(self) -> float:
        """Seconds since the run began."""
        return self.monotonic()

    def spend(self, seconds: float) -> None:
        """Let time pass."""
        self.sleep(seconds)

    def true_time(self) -> float:
        """Unix time."""
        return self.time()


@dataclass(frozen=True)
class One:
    """A gate in the crowd: its settings, its API, and how it ended."""

    target: Target
    rules: Rules
    request_timeout: float
    looks: Sequence[Look]
    outcomes: list[Outcome]
    ended: list[float]

    @property
    def believable(self) -> list[Look]:
        """The looks, with those about an older job taken for doubtful."""
        return oracle.believable(self.looks)


def run(seed: int) -> tuple[list[GateStatus], list[str]]:
    """Run a crowd by a seed. Return how each gate ended, and everything that was wrong."""
    randomness = Random(seed)
    random.seed(seed)  # for the back-off of tenacity
    clock = SharedClock()
    number = randomness.choice((2, 3, 10, 40))
    longest = randomness.choice((1.0, 5.0, 15.0))
    request_timeout = randomness.choice((1.0, 5.0, 20.0))
    pacer = Pacer(clock, number, longest)
    weather = _weather(randomness)
    crowd, works = [], []
    for job in range(number):
        # An API of its own for each.
        api = Api(Random(randomness.random()), clock, Target(9001 + job), request_timeout, weather)
        one, work = _gate(Target(9001 + job), randomness, clock, api, request_timeout, longest, pacer)
        crowd.append(one)
        works.append(work)
    clock.run(works)
    endings = [one.outcomes[0].status for one in crowd if one.outcomes]
    together = _back_in_time(crowd) if weather is not None and weather.limit == float("inf") else ()
    return endings, [*_each(crowd), *_together(crowd), *together]


def _weather(randomness: Random) -> Weather | None:
    """Make up what the gates have in common, if anything."""
    begin = randomness.uniform(0.0, 200.0)
    outage = Weather(outage=(begin, begin + randomness.uniform(1.0, 300.0)))
    return randomness.choice((None, None, outage, Weather(limit=randomness.choice((0.1, 2.0, 20.0)))))


def _gate(
    target: Target,
    randomness: Random,
    clock: SharedClock,
    api: Api,
    request_timeout: float,
    longest: float,
    pacer: Pacer,
) -> tuple[One, Callable[[], None]]:
    """Make up a gate, and the work of its thread."""
    fixed = randomness.random() < 0.3
    rules = Rules(
        timeout=randomness.choice((0.0, 10.0, 600.0, 3600.0)),
        error_tolerance=randomness.choice((0.0, 30.0, 600.0)),
        not_found_grace=60.0,
        stall_timeout=None,
        pauses=(longest, longest) if fixed else (0.5, longest),
        asked_pause=longest if fixed else 0.0,
    )
    pacing: Pacing = FixedInterval(longest) if fixed else Cadence(max_interval=longest)
    gate = Gate(plan(target, rules), api.ask, pacing, _deaf, clock, pacer)
    one = One(target, rules, request_timeout, api.looks, [], [])
    return one, partial(_work, gate, one, clock)


def _deaf(event: Event) -> None:
    """Hear of an event, and do nothing about it."""


def _work(gate: Gate, one: One, clock: SharedClock) -> None:
    one.outcomes.append(gate.wait())
    one.ended.append(clock.now)


def _each(crowd: Sequence[One]) -> Iterator[str]:
    """Check what holds for every gate, however many there are."""
    for one in crowd:
        if not one.outcomes:
            yield f"{one.target.label} never ended"
            continue
        (outcome,), (ended,) = one.outcomes, one.ended
        if outcome.status is GateStatus.READY and one.looks[-1].heard.means is not Means.READY:
            yield f"FALSE GREEN of {one.target.label}"
        if outcome.requests != len(one.looks):
            yield f"{one.target.label} counted {outcome.requests} requests, not {len(one.looks)}"
        timeout = one.rules.timeout
        if timeout and ended > timeout + one.request_timeout + _MOST_DELAY + _TINY:
            yield f"{one.target.label} ended at {ended:.1f} s with a time-out of {timeout:g} s"
        if timeout and one.looks and one.looks[-1].sent > timeout + _MOST_DELAY + _TINY:
            yield f"{one.target.label} was asked about at {one.looks[-1].sent:.1f} s, after {timeout:g} s"
        yield from _gaps(one)


def _gaps(one: One) -> Iterator[str]:
    """Check that no pause is shorter than the rules have it; for the sake of the others it may be longer."""
    for number, (before, look) in enumerate(pairwise(one.looks), start=1):
        gap = look.sent - before.received
        least, _ = oracle.pause(one.looks[:number], one.rules)
        if gap < least - _TINY:
            yield f"{one.target.label} was asked about again after {gap:.3f} s, not {least:.3f} s"


def _together(crowd: Sequence[One]) -> Iterator[str]:
    """Check what all requests of the run are like."""
    sent = sorted((look.sent, one.rules.timeout) for one in crowd for look in one.looks)
    spacing = min(_SPACING, _MOST_DELAY / len(crowd))
    for (before, _), (after, _) in pairwise(sent):
        if after - before < spacing - _TINY:
            yield f"two requests were {after - before:.4f} s apart, at {after:.1f} s"
    for one in crowd:
        for look in one.looks:
            yield from _quiet(look, sent)
    yield from _refused(crowd)


def _quiet(look: Look, sent: Sequence[tuple[float, float]]) -> Iterator[str]:
    """Check that all obey an answer of too many requests; what was queued already may still be sent."""
    asked = look.heard.retry_after
    if asked is None or not look.heard.busy:
        return
    until = look.received + asked
    for at, timeout in sent:
        # At its deadline a gate looks once more, come what may.
        if look.received + _MOST_DELAY + _TINY < at < until - _TINY and at < timeout - _TINY:
            yield f"asked at {at:.1f} s, though at {look.received:.1f} s it was told to wait {asked:g} s"


def _refused(crowd: Sequence[One]) -> Iterator[str]:
    """Check that all end when the credentials are refused for good, and none does without a reason."""
    answered = [(look.received, one) for one in crowd for look in oracle.usable(one.believable)]
    first = min((at for at, _ in answered), default=float("inf"))

    def for_good(one: One) -> bool:
        return one.looks[-1].received <= first or oracle.confirmed(one.believable)

    def for_all(one: One) -> bool:
        row = oracle.refusals(one.looks)
        others = any(row[0].received < at <= row[-1].received for at, other in answered if other is not one)
        return one.looks[-1].heard.credentials and for_good(one) and not others

    refused = [one for one in crowd if one.looks and one.looks[-1].heard.means is Means.REJECTED]
    over = min((one.looks[-1].received for one in refused if for_all(one)), default=float("inf"))
    late = [look.sent for one in crowd for look in one.looks if look.sent > over + _TINY]
    if late:
        yield f"asked {len(late)} times after a refusal of the credentials"
    for one in crowd:
        rejected = bool(one.outcomes) and one.outcomes[0].status is GateStatus.REJECTED
        if rejected and not (one in refused and for_good(one)) and one.ended[0] < over:
            yield f"{one.target.label} was given up for a refusal that was not repeated"


def _back_in_time(crowd: Sequence[One]) -> Iterator[str]:
    """Check that nobody goes on waiting for an API that others have had an answer of."""
    answered = sorted(look.received for one in crowd for look in oracle.usable(one.looks))
    for one in crowd:
        for look, following in pairwise(one.looks):
            after = [at for at in answered if at > look.received]
            if look.heard.means is not Means.NO_ANSWER or not after:
                continue
            if following.sent > after[0] + _GLANCE + _MOST_DELAY + _TINY:
                back = f"the API was back at {after[0]:.1f} s"
                yield f"{one.target.label} slept on until {following.sent:.1f} s, {back}"
