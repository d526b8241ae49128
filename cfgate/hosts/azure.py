"""Azure Pipelines.

Source: learn.microsoft.com, "Logging commands"; `taskcommand.ts` of azure-pipelines-task-lib.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from cfgate.hosts import Level
from cfgate.hosts.plain import Plain
from cfgate.hosts.text import LOG_LIMIT, maskable, paragraph, single_line
from cfgate.text.wording import cap_utf8

# An output becomes an environment variable of later tasks: 32,767 characters are all that Windows takes.
OUTPUT_LIMIT: Final = 32_000

_ESCAPES: Final = str.maketrans({"%": "%AZP25", "\r": "%0D", "\n": "%0A"})  # properties here need none


class Azure(Plain):
    """Logging commands for what Azure Pipelines knows; lines for the rest."""

    folds = annotates = True
    value_limit = OUTPUT_LIMIT

    def group(self, title: str, lines: Iterable[str]) -> None:
        """Print lines that are folded away."""
        self._between(f"##[group]{single_line(title)}", lines, "##[endgroup]")

    def annotate(self, level: Level, title: str, message: str) -> None:
        """Log an issue, which shows on the page of the run; Azure has none that is good news."""
        if level is Level.NOTICE:
            super().annotate(level, title, message)
        else:
            told = cap_utf8(paragraph(f"{title}: {message}"), LOG_LIMIT)
            self._command("task.logissue", told, type=level.value)

    def output(self, pairs: Mapping[str, str]) -> None:
        """Set output variables, named `job_state_name`: a hyphen is no part of a variable's name here.

        The agent expands `$(name)` in the values that it has stored before each later step: nothing that a
        stranger has written may ask for a variable, of which some are secret.
        """
        for name, value in pairs.items():
            told = cap_utf8(value.replace("$(", "$ ("), OUTPUT_LIMIT)
            self._command("task.setvariable", told, variable=name.replace("-", "_"), isOutput="true")

    def mask(self, secret: str) -> None:
        """Mask the lines of `secret` that are safe to mask."""
        for line in maskable(secret):
            self._command("task.setsecret", line)

    def _command(self, name: str, data: str, **properties: str) -> None:
        told = ";".join(f"{key}={value}" for key, value in properties.items())
        self._console.lines([f"##vso[{name}{' ' if told else ''}{told}]{data.translate(_ESCAPES)}"])
