"""A scenario: how to write one, and what it says of a job's life (`faults` has the rest). Frozen, no I/O.

A scenario is a YAML file. This one uses most of what there is; only `life` is required:

    description: A job that is retried, behind a proxy with a bad day.
    date-offset: 10m            # the server's clock is ahead of this machine's; -10m: behind
    begins: first request       # of each job (the default), or: at start (of the simulator)
    image-version-id: 9001      # one id or a list: any other is answered 404; left out: every id is known
    unset: null                 # optional fields before their time: null, missing, empty ("") or zero
    updated: with progress      # when jobupdated moves: with progress, with state, or always

    life:                       # one state after the other; the last one stays
      - state: Queued
        for: 3s
      - state: Running
        for: 10s
        progress: 0 to 80
        eta: within 20%
      - state: Queued
        for: 2s
        jobfailed: 1            # from here on
      - state: Running
        for: 6s
        progress: 0 to 100 uneven
      - state: Completed
        fields: {jobprogress: 99}

    faults:                     # the first one that fits a request is played on it
      - requests: 1             # when …
        status: 503             # … and what
        headers: {Retry-After: 2}
      - requests: 3-5, every 10
        connection: reset in headers
      - during: Queued
        delay: 2s

A state of `life` has

    state       a name of `cfgate.model.JobState`
    for         how long: 500ms, 10s, 1m30s; in the last state it only times the progress
    progress    40, or 0 to 100, or 0 to 100 uneven (fast to nine tenths), or 0 to 100 in jumps of 10
    eta         what jobeta says about the moment at which the job leaves Running:
                none (the default), zero, exact,
                within 20% (of what remains, so it gets better), fixed +15% or fixed -15% (of the whole
                time in Running), ahead 30s or past 30s (of now, always)
    jobfailed   how often the job has failed, from here on
    joberror    the error text, while in this state
    fields      fields of the answer to replace or to add; `$missing` leaves one out

Every kind of status that Clanforge has is played: the jobs of an image version, update or diff, and the
roll-out of an image to twenty machines, of which none is counted before Running; then they are completed as
`progress` has it, and with Failed those that are left have failed.

A fault has some of these to say when (all must fit; none: always)

    requests    by number, for each job: 3, or 2-4, or 10-, or every 5, or several by comma
    after       from so long into the life on: 10s
    until       up to so long into the life: 20s
    during      the name of a state

and at least one of these to say what

    delay       wait before answering
    status      another HTTP status; the body is then the usual one of an error
    headers     headers to replace or to add; `$missing` leaves one out
    fields      as above (this, `body` and `instead` exclude each other)
    body        the text of the whole body
    instead     another kind of body: html, empty, not-utf8, deep (100,000 brackets), huge or huge 5MiB
                (the true answer, padded), gzip-bomb or gzip-bomb 50MiB (the same, compressed)
    connection  reset, stall, drip (a byte a second) or cut, and where it begins: before headers,
                in headers, in body or after body. `cut in body` sends less than Content-Length promised,
                `cut after body` ends a connection that the client thinks is kept alive

In the text of `fields`, `headers` and `body`, `$id` is the id asked for, `$now` the server's Unix time and
`$date` the same as an HTTP date; `$now-60` is a minute ago, `$date+5` in five seconds. Plus and minus work
for `$id` too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, Final

from cfgate.simulator.faults import Fault

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cfgate.model import JobState


class ScenarioError(ValueError):
    """A scenario cannot be played: every problem found, each with its key path and what to do."""

    def __init__(self, source: str, problems: Sequence[str]) -> None:
        self.source = source
        self.problems = tuple(problems)
        if len(self.problems) == 1:
            text = f"{source}: {self.problems[0]}"
        else:
            text = "\n".join((f"{source} has {len(self.problems)} problems:", *map("  {}".format, problems)))
        super().__init__(text)


@dataclass(frozen=True, slots=True)
class Progress:
    """How `jobprogress` moves while a stage lasts: from `first` to `last` per cent, in steps of `step`."""

    first: int
    last: int
    step: int = 1
    uneven: bool = False  # nine tenths of the way in the first half of the time


class Guess(Enum):
    """The ways in which an estimate is made."""

    NONE = "none"
    ZERO = "zero"
    EXACT = "exact"
    WITHIN = "within"
    FIXED = "fixed"
    AHEAD = "ahead"
    PAST = "past"


@dataclass(frozen=True, slots=True)
class Eta:
    """What `jobeta` says. `amount` is a share (WITHIN, FIXED) or seconds (AHEAD, PAST)."""

    guess: Guess = Guess.NONE
    amount: float = 0.0


@dataclass(frozen=True, slots=True)
class Stage:
    """One state of a life. `duration` is seconds, `None` in a last stage that has none."""

    state: JobState
    name: str  # as the scenario spells it
    duration: float | None
    progress: Progress
    eta: Eta
    failures: int
    error: str
    fields: Mapping[str, Any]


class Begins(Enum):
    """When a life begins."""

    FIRST_REQUEST = "first request"
    AT_START = "at start"


class Unset(Enum):
    """How an optional field looks before its time."""

    NULL = "null"
    MISSING = "missing"
    EMPTY = "empty"
    ZERO = "zero"


class Updated(Enum):
    """When `jobupdated` moves."""

    WITH_PROGRESS = "with progress"
    WITH_STATE = "with state"
    ALWAYS = "always"


_NO_FAULT: Final = Fault()


@dataclass(frozen=True, slots=True)
class Scenario:
    """What the simulator plays. `date_offset` is seconds; no `known` ids: every id is known."""

    name: str
    life: tuple[Stage, ...]
    description: str = ""
    faults: tuple[Fault, ...] = ()
    date_offset: float = 0.0
    begins: Begins = Begins.FIRST_REQUEST
    known: frozenset[int] = frozenset()
    unset: Unset = Unset.NULL
    updated: Updated = Updated.WITH_PROGRESS

    def fault(self, number: int, elapsed: float, state: JobState) -> Fault:
        """Find the first fault that fits; one that does nothing when none does."""
        return next((fault for fault in self.faults if fault.hits(number, elapsed, state)), _NO_FAULT)
