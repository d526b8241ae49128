"""Records without secrets: what leaves the program goes through here, once everything has been judged."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import Callable

Value = TypeVar("Value")


def redacted(value: Value, redact: Callable[[str], str]) -> Value:
    """Take the secrets out of every text of a record, and of the records and tuples in it.

    An `Outcome`, a `Result`, an event, or a tuple of targets. What has no secret in it is returned itself;
    enumerations stay, for they are words of ours.
    """
    return cast("Value", _Redaction(redact).of(value))


class _Redaction:
    """Walks through records. A text that stands in many of them, as a job error may, is redacted once."""

    def __init__(self, redact: Callable[[str], str]) -> None:
        self._redact = redact
        self._texts: dict[str, str] = {}

    def of(self, value: object) -> object:
        if isinstance(value, Enum):
            return value
        if isinstance(value, str):
            if value not in self._texts:
                self._texts[value] = self._redact(value)
            return self._texts[value] if self._texts[value] != value else value
        if isinstance(value, tuple):
            parts = [self.of(each) for each in value]
            if all(after is before for after, before in zip(parts, value, strict=True)):
                return value
            return value._make(parts) if hasattr(value, "_make") else tuple(parts)
        if is_dataclass(value) and not isinstance(value, type):
            before = {each.name: getattr(value, each.name) for each in fields(value)}
            after = {name: self.of(each) for name, each in before.items()}
            changed = any(after[name] is not each for name, each in before.items())
            return replace(value, **after) if changed else value
        return value
