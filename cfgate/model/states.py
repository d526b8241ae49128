"""How a gate can end, what an answer means for it, and what state a job is in: three vocabularies.

Sources: the image-version-status page of the Clanforge documentation, and its job-states page for Squashed
and for the spelling Complete.
"""

from __future__ import annotations

from enum import Enum
from typing import Self


class GateStatus(Enum):
    """How a gate can end: the `status` output, its exit code, the sentence that explains it, and what to do.

    The order is the order of precedence for several image versions: the first of these that any of them
    ended with is the status of the whole. Where an error or a resource has better advice, that counts.
    """

    ERROR = ("error", 70, "a bug in cfgate")
    INVALID = ("invalid", 2, "the configuration is wrong; nothing was sent")
    INTERRUPTED = (
        "interrupted",
        130,
        "stopped by a signal (128 + its number: 130 for SIGINT, 143 for SIGTERM, 149 for Ctrl-Break)",
    )
    FAILED = ("failed", 1, "a job ended Failed")
    SQUASHED = (
        "squashed",
        3,
        "a job was superseded by another one",
        "Another job took its place: find the newer one and wait for that.",
    )
    REJECTED = ("rejected", 6, "the API refuses: credentials, ASID, request or redirect")
    NOT_FOUND = ("not_found", 7, "nothing has this id (after the grace period)")
    INCONSISTENT = ("inconsistent", 9, "answers came, but none that can be trusted")
    UNAVAILABLE = ("unavailable", 8, "no usable answer, or TLS cannot be verified")
    STALLED = (
        "stalled",
        5,
        "the job did not move for stall-timeout, or not begin within queue-timeout",
        "Look at the job in the Clanforge dashboard; it may have to be retried there.",
    )
    TIMEOUT = (
        "timeout",
        4,
        "not finished in time",
        "The job may still finish: run the gate again, or give it more time with `timeout`.",
    )
    PENDING = (
        "pending",
        10,
        "not finished yet (only when looking once)",
        "Look again later, or let `cfgate wait` do it.",
    )
    READY = ("ready", 0, "everything that was asked for is Completed")

    def __init__(self, label: str, exit_code: int, meaning: str, remedy: str = "") -> None:
        self.label = label
        self.exit_code = exit_code
        self.meaning = meaning
        self.remedy = remedy

    @property
    def precedence(self) -> int:
        """The place in the order of precedence; lower decides."""
        return list(GateStatus).index(self)

    @property
    def by_job(self) -> bool:
        """Whether the job itself ended so; otherwise only the waiting for it ended."""
        return any(verdict.ending is self for verdict in Verdict)

    @property
    def failure(self) -> bool:
        """Whether a target ends so by its own fault: it is not ready, and nothing else ended the run."""
        return self not in (GateStatus.READY, GateStatus.PENDING, GateStatus.INTERRUPTED, GateStatus.ERROR)


class Verdict(Enum):
    """What one answer means for the gate, and how it ends the gate; `None`: it does not."""

    PENDING = ("pending",)
    READY = ("ready", GateStatus.READY)
    FAILED = ("failed", GateStatus.FAILED)
    SQUASHED = ("squashed", GateStatus.SQUASHED)
    DOUBTFUL = ("doubtful",)

    ending: GateStatus | None

    def __new__(cls, label: str, ending: GateStatus | None = None) -> Self:
        """Make a member whose value is the label alone."""
        member = object.__new__(cls)
        member._value_ = label
        member.ending = ending
        return member


class JobState(Enum):
    """A state of a Clanforge job: its id, its names, and what it means for the gate."""

    CREATED = (1, ("Created",), Verdict.PENDING)
    PENDING = (2, ("Pending",), Verdict.PENDING)
    QUEUED = (3, ("Queued",), Verdict.PENDING)
    RUNNING = (4, ("Running",), Verdict.PENDING)
    COMPLETED = (5, ("Completed", "Complete"), Verdict.READY)  # two pages, two spellings, one state
    FAILED = (6, ("Failed",), Verdict.FAILED)
    SQUASHED = (7, ("Squashed",), Verdict.SQUASHED)

    def __init__(self, state_id: int, names: tuple[str, ...], verdict: Verdict) -> None:
        self.id = state_id
        self.names = names
        self.verdict = verdict

    @property
    def title(self) -> str:
        """The name to print."""
        return self.names[0]

    @property
    def terminal(self) -> bool:
        """Whether the job stays in this state (unless somebody retries it)."""
        return self.verdict is not Verdict.PENDING
