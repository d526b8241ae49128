"""The grammar of GitHub's workflow commands, `::name key=value,key=value::data`. Pure.

Source: docs.github.com, "Workflow commands for GitHub Actions"; `ActionCommand.cs` of actions/runner.
"""

from __future__ import annotations


def command(name: str, data: str = "", **properties: str) -> str:
    """Encode one command as one line. A property with an empty value is left out, as the runner would."""
    told = ",".join(f"{key}={_property(value)}" for key, value in properties.items() if value)
    return f"::{name}{' ' if told else ''}{told}::{_data(data)}"


def _data(value: str) -> str:
    return value.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(value: str) -> str:
    return _data(value).replace(":", "%3A").replace(",", "%2C")
