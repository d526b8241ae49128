"""What GitHub, and whoever looks at a run, makes of the traces of a step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from runner import ACTION, Ended

from tests.support.canary import found
from tests.support.parsers import file_commands, workflow_commands

_ANNOTATIONS: Final = {"notice", "warning", "error"}


@dataclass(frozen=True)
class Traces:
    """The outputs that the next step gets, the annotations, and the lines of the log that a person sees."""

    outputs: Mapping[str, str]
    annotations: list[workflow_commands.Command]
    lines: list[str]


def read(ended: Ended) -> Traces:
    """Read them with the parsers of the hosts' own grammar; fail on what must never be there."""
    outputs = file_commands.parse(ended.output)
    assert outputs.error is None, ended.output
    assert outputs.values.keys() == ACTION["outputs"].keys(), ended.log
    commands, lines = workflow_commands.parse(ended.log)
    visible = [command for command in commands if command.name != "add-mask"]
    assert {command.name for command in visible} <= {*_ANNOTATIONS, "group", "endgroup", "debug"}
    readable = "\n".join((ended.output.decode(), ended.summary, *lines, *map(str, visible)))
    assert found(readable) == []
    return Traces(outputs.values, [command for command in visible if command.name in _ANNOTATIONS], lines)
