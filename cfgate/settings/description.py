"""What was understood: the options in force, for the log."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from cfgate.model import Plan, Resource
from cfgate.settings.options import OPTIONS, REPORTS, Option
from cfgate.settings.values import Settings, own_key
from cfgate.text.durations import written

_OF_TARGETS: Final = {"image-version-id": "id", "resource": "resource"}


def describe(settings: Settings) -> list[tuple[str, str, str]]:
    """List every option that has a value: its name, the value to show, and its source.

    What a target of the config file has for itself is listed under its path there. Secrets show as `***`. The
    source of what nobody gave is "default".
    """
    rows = [row for option in OPTIONS for row in _rows(option, settings)]
    return [(key, text, settings.sources.get(key, "default")) for key, text in rows if text]


def _rows(option: Option, settings: Settings) -> Iterator[tuple[str, str]]:
    """Yield key and value of an option, and for one that may differ the same for each target that does."""
    if not option.each:
        yield option.name, _text(option, _common(option, settings))
        return
    keys = {plan: own_key(plan.target.name, option.name) for plan in settings.plans}
    shared = [_text(option, _own(option, plan)) for plan, key in keys.items() if key not in settings.sources]
    yield option.name, ", ".join(dict.fromkeys(shared))
    for plan, key in keys.items():
        if key in settings.sources:
            yield key, _text(option, _own(option, plan))


def _text(option: Option, value: object) -> str:
    """Write a value as a user would."""
    if option.secret:
        return "***" if value else ""
    if value is None:  # for `auto` and `off`, which are defaults
        return option.default
    if isinstance(value, Resource):
        return value.label
    if isinstance(value, bool):
        return str(value).lower()
    return written(value) if isinstance(value, float) else str(value)


def _own(option: Option, plan: Plan) -> object:
    """Find the value that an option has for one target."""
    if option.name in _OF_TARGETS:
        return getattr(plan.target, _OF_TARGETS[option.name])
    return getattr(plan, option.field)


def _common(option: Option, settings: Settings) -> object:
    """Find the value of an option that all targets share."""
    if option.secret:
        return getattr(settings.credentials, option.field)
    if option.section == REPORTS:
        return getattr(settings.files, option.field)
    return getattr(settings, option.field)
