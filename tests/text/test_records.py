"""What leaves the program has no text with a secret in it, wherever that stands."""

from __future__ import annotations

import types
import typing
from dataclasses import fields
from enum import Enum
from typing import Any

import pytest

from cfgate.model import GateStatus, JobStatus, Outcome, Result, Target
from cfgate.model.events import Event
from cfgate.text.records import redacted
from cfgate.text.redaction import Redactor
from tests.support.canary import SECRET_KEY, TOKEN, found
from tests.support.factories import job, outcome, result

REDACT = Redactor([SECRET_KEY, TOKEN])


def full_of(secret: str, kind: Any) -> Any:
    """Make a value of a type, with the secret in every text of it."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if kind is str:
        return f"a {secret} b"
    if origin is tuple:
        return (full_of(secret, arguments[0]),) * 2
    if origin in (typing.Union, types.UnionType):
        return full_of(secret, arguments[0])
    if isinstance(kind, type) and issubclass(kind, Enum):
        return next(iter(kind))
    if hints := typing.get_type_hints(kind):
        names = getattr(kind, "_fields", None) or [each.name for each in fields(kind)]
        return kind(**{name: full_of(secret, hints[name]) for name in names})
    assert kind in (int, float, bool), f"what does {kind} hold?"
    return kind(1)


@pytest.mark.parametrize("kind", [Result, Outcome, JobStatus, Target, *typing.get_args(Event)])
def test_no_text_of_a_record_is_missed(kind: Any) -> None:
    """Every text of every record that reaches a log or a report is redacted, however deep it stands."""
    whole = full_of(SECRET_KEY, kind)
    assert found(repr(whole))
    assert redacted(whole, REDACT) == full_of("***", kind)


def test_a_record_without_secrets_is_the_same_one() -> None:
    """Nothing is copied for nothing, and what was redacted once is left alone."""
    whole = result(outcome(), outcome(GateStatus.FAILED))
    assert redacted(whole, REDACT) is whole
    once = redacted(full_of(TOKEN, Result), REDACT)
    assert redacted(once, REDACT) is once


def test_a_verdict_does_not_depend_on_what_is_secret() -> None:
    """A secret that is a word of ours takes the word out of texts, and changes no status."""
    whole = result(outcome(GateStatus.READY, job=job(why="the job is Completed")))
    masked = redacted(whole, Redactor(["Completed", "ready"]))
    assert masked.ready
    assert masked.outcomes[0].job is not None
    assert masked.outcomes[0].job.why == "the job is ***"


def test_a_text_that_many_have_is_redacted_once() -> None:
    """The same job error stands in the outcome and in the time line of many targets."""
    seen: list[str] = []

    def redact(text: str) -> str:
        seen.append(text)
        return text

    redacted(result(*(outcome(job=job(error="x" * 1000), id=number) for number in range(50))), redact)
    assert seen.count("x" * 1000) == 1
