"""What was understood: the options in force, for the log."""

from __future__ import annotations

from cfgate.settings.options import OPTIONS, REPORTS, Option
from cfgate.settings.parsers import spelled
from cfgate.settings.values import Settings


def describe(settings: Settings) -> list[tuple[str, str, str]]:
    """List every option that has a value: its name, the value to show, and its source.

    Secrets show as `***`. The source of what nobody gave is "default".
    """
    texts = {option.name: _text(option, settings) for option in OPTIONS}
    return [(name, text, settings.sources.get(name, "default")) for name, text in texts.items() if text]


def _text(option: Option, settings: Settings) -> str:
    """Write a value as a user would."""
    value = _value(option, settings)
    if option.secret:
        return "***" if value else ""
    if value is None:  # for `auto` and `off`, which are defaults
        return option.default
    if isinstance(value, bool):
        return str(value).lower()
    return spelled(value) if isinstance(value, float) else str(value)


def _value(option: Option, settings: Settings) -> object:
    """Find the value of an option."""
    if option.name == "image-version-id":
        return ", ".join(str(target.image_version_id) for target in settings.targets)
    if option.secret:
        return getattr(settings.credentials, option.field)
    if option.section == REPORTS:
        return getattr(settings.files, option.field.removesuffix("_file"))
    return getattr(settings, option.field)
