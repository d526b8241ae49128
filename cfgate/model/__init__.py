"""The words of the gate: what a job can be, what an answer means, how a gate can end. Frozen, no I/O.

`states` holds the vocabularies, `resource` what can be waited for, `outcome` what is told of a wait. `job`
turns the fields of an answer into a verdict, and `fields` reads them one by one.
"""

from cfgate.model.job import JobStatus
from cfgate.model.outcome import Answer, Moment, Outcome, Result, Retry, Target
from cfgate.model.resource import Resource, Shape
from cfgate.model.states import GateStatus, JobState, Verdict

__all__ = [
    "Answer",
    "GateStatus",
    "JobState",
    "JobStatus",
    "Moment",
    "Outcome",
    "Resource",
    "Result",
    "Retry",
    "Shape",
    "Target",
    "Verdict",
]
