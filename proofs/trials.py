"""What is played to a real process in the soak: made up by a seed."""

from __future__ import annotations

import json
import signal
from dataclasses import dataclass
from enum import Enum
from random import Random
from typing import Any, Final

from proofs.faults import FAULTS, Answered

REQUEST_TIMEOUT: Final = 1.0  # seconds
_ANSWERED: Final = [fault for fault in FAULTS if isinstance(fault.played, Answered)]
_PASSING: Final = [fault for fault in _ANSWERED if not fault.end]
_GRAVE: Final = [fault for fault in _ANSWERED if fault.end]


class Sabotage(Enum):
    """What is done to the surroundings of a process while it runs."""

    NONE = "nothing"
    READER_LEAVES = "whoever reads the log leaves"
    LOG_IS_FULL = "the log is a disk that is full"
    OUTPUTS_GONE = "the file of the outputs is deleted"


class How(Enum):
    """How cfgate is started."""

    WAIT = "wait"
    CHECK = "check"
    REHEARSE = "rehearse"


@dataclass(frozen=True)
class Trial:
    """What is played to a process, how it is started, and what happens to it meanwhile.

    `numbers` are the signals that it gets, one right after the other, after so many seconds (`after`); the
    sabotage happens at a second of its own. `resent` tells how many requests may meet a connection that
    breaks and be sent twice, for each target.
    """

    scenario: str
    how: How
    ids: tuple[int, ...]
    inputs: dict[str, str]
    timeout: float
    numbers: tuple[signal.Signals, ...]
    after: float
    sabotage: Sabotage
    sabotaged_after: float
    resent: int


def make_up(random: Random) -> Trial:
    """Make up a scenario, settings, signals and a sabotage."""
    chosen = [random.choice(_PASSING) for _ in range(random.choice((0, 1, 3, 8)))]
    if random.random() < 0.05:
        chosen.append(random.choice(_GRAVE))
    faults = [{"requests": random.randint(1, 8), **_played(fault.played)} for fault in chosen]
    how = random.choice((How.WAIT, How.WAIT, How.WAIT, How.WAIT, How.CHECK, How.REHEARSE))
    timeout = 0.0 if how is How.CHECK else random.choice((0.0, 2.0, 6.0, 12.0))
    ids = random.choice(((9001,), (9001,), (9001, 9002, 9003), tuple(range(9001, 9021))))
    offset = random.choice(("0s", "10m", "-1h"))
    scenario = {"life": _life(random), "faults": faults, "date-offset": offset}
    return Trial(
        scenario=json.dumps(scenario).replace("{trap}", "1"),
        how=how,
        ids=ids,
        inputs={
            "image-version-id": ",".join(map(str, ids)),
            **({} if how is How.CHECK else {"timeout": f"{timeout:g}s"}),
            "request-timeout": f"{REQUEST_TIMEOUT:g}s",
            "max-interval": random.choice(("1s", "2s", "15s")),
            "error-tolerance": random.choice(("2s", "8s")),
            "not-found-grace": random.choice(("0", "5s")),
            "stall-timeout": random.choice(("off", "off", "3s")),
            "fail-fast": random.choice(("true", "false")),
        },
        timeout=timeout,
        numbers=_signals(random),
        after=random.uniform(0.0, 5.0),
        sabotage=random.choice((*[Sabotage.NONE] * 4, *Sabotage)),
        sabotaged_after=random.uniform(0.3, 3.0),
        resent=len(chosen),
    )


def _life(random: Random) -> list[dict[str, Any]]:
    ending = random.choice(("Completed", "Completed", "Completed", "Failed", "Squashed", "Running"))
    return [
        {"state": random.choice(("Created", "Queued")), "for": f"{random.randint(1, 30)}00ms"},
        {"state": "Running", "for": f"{random.randint(1, 40)}00ms", "eta": "within 20%"},
        {"state": ending, **({"joberror": "::error::no\n##[error]space"} if ending == "Failed" else {})},
    ]


def _played(played: object) -> dict[str, Any]:
    return dict(played.fault) if isinstance(played, Answered) else {}


def _signals(random: Random) -> tuple[signal.Signals, ...]:
    """Make up which signals come; a person at a terminal may be impatient, and so is a runner."""
    if random.random() < 0.6:
        return ()
    first = random.choice((signal.SIGINT, signal.SIGTERM, signal.SIGKILL))
    again = random.choice((0, 0, 1, 3)) if first is not signal.SIGKILL else 0
    return (first, *(random.choice((signal.SIGINT, signal.SIGTERM)) for _ in range(again)))
