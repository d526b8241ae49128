"""What an answer means, what state a job is in, and how a gate can end: three vocabularies.

Sources: the image-version-status page of the Clanforge documentation, and its job-states page for Squashed
and for the spelling Complete.
"""

from __future__ import annotations

from enum import Enum


class Verdict(Enum):
    """What one answer means for the gate."""

    PENDING = "pending"
    READY = "ready"
    FAILED = "failed"
    SQUASHED = "squashed"
    DOUBTFUL = "doubtful"
    NO_ANSWER = "no_answer"
    REJECTED = "rejected"
    NOT_FOUND = "not_found"


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


class GateStatus(Enum):
    """How a gate can end: the `status` output, its exit code, and the sentence that explains it.

    The order is the order of precedence for several image versions: the first of these that any of them
    ended with is the status of the whole.
    """

    ERROR = ("error", 70, "a bug in cfgate")
    INVALID = ("invalid", 2, "the configuration is wrong; nothing was sent")
    INTERRUPTED = ("interrupted", 130, "stopped by a signal (130 for SIGINT, 143 for SIGTERM)")
    FAILED = ("failed", 1, "a job ended Failed")
    SQUASHED = ("squashed", 3, "a job was superseded by another one")
    REJECTED = ("rejected", 6, "the API refuses: credentials, ASID, request or redirect")
    NOT_FOUND = ("not_found", 7, "nothing has this id (after the grace period)")
    INCONSISTENT = ("inconsistent", 9, "answers came, but none that can be trusted")
    UNAVAILABLE = ("unavailable", 8, "no usable answer, or TLS cannot be verified")
    STALLED = ("stalled", 5, "the running job did not move for the stall time-out")
    TIMEOUT = ("timeout", 4, "not finished in time")
    PENDING = ("pending", 10, "not finished yet (only when looking once)")
    READY = ("ready", 0, "everything that was asked for is Completed")

    def __init__(self, label: str, exit_code: int, meaning: str) -> None:
        self.label = label
        self.exit_code = exit_code
        self.meaning = meaning

    @property
    def precedence(self) -> int:
        """The place in the order of precedence; lower decides."""
        return list(GateStatus).index(self)
