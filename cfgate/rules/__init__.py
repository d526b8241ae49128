"""The road to green: from the bytes of an answer to a verdict, by the nine rules of docs/verdicts.md. Pure.

`answer` has rules 1 to 4 (HTTP, body, envelope), `job` rules 5 to 9 (the fields of a job), which `fields`
reads one by one.
"""

from cfgate.rules.job import judge_job

__all__ = ["judge_job"]
