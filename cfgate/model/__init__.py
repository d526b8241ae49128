"""The words of the gate: what a job can be, what an answer means, how a gate can end. Frozen, no I/O.

`states` has the vocabularies, `resource` and `target` what can be waited for, `plan` how, `job` one judged
answer, `outcome` and `events` what a gate reports.
"""

from cfgate.model.job import JobStatus, Machines, had_failed, standing, state_of, times
from cfgate.model.outcome import Answer, Moment, Outcome, Result, Retry
from cfgate.model.plan import Plan
from cfgate.model.resource import Resource, Shape
from cfgate.model.states import GateStatus, JobState, Verdict
from cfgate.model.target import Target, counted, kinds

__all__ = [
    "Answer",
    "GateStatus",
    "JobState",
    "JobStatus",
    "Machines",
    "Moment",
    "Outcome",
    "Plan",
    "Resource",
    "Result",
    "Retry",
    "Shape",
    "Target",
    "Verdict",
    "counted",
    "had_failed",
    "kinds",
    "standing",
    "state_of",
    "times",
]
