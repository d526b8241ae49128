"""The real program, run in this process as a step of a GitHub job, and everything that it leaves behind.

Settings, gate, client, sockets, host and files are the real ones. Only what no fault could change is handed
in: the environment, the streams and, on demand, the clock.
"""

from __future__ import annotations

import io
import json
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Final

from cfgate.cli import Program
from cfgate.system.clock import Clock, SystemClock
from tests.support import canary
from tests.support.canary import KEYS
from tests.support.parsers import file_commands

ID: Final = 9001
ASID: Final = 100042


@dataclass(frozen=True)
class Ran:
    """What a run left behind. `seconds` is how long it took."""

    code: int
    seconds: float
    log: str
    outputs: Mapping[str, str]
    summary: str

    @property
    def status(self) -> str:
        """The output `status`."""
        return self.outputs.get("status", "")

    @property
    def result(self) -> dict[str, Any]:
        """The output `result`."""
        whole: dict[str, Any] = json.loads(self.outputs["result"])
        return whole

    @property
    def requests(self) -> int:
        """How many requests the gate says it has sent."""
        return int(self.outputs["requests"])

    @property
    def leaks(self) -> list[str]:
        """The credentials of which something stands in anything that was written."""
        return canary.found("\n".join((self.log, self.summary, *self.outputs.values())))


class _Log(io.StringIO):
    """Both streams of the program; `hear` is told what is written, at once."""

    def __init__(self, hear: Callable[[str], None]) -> None:
        super().__init__()
        self._hear = hear

    def write(self, text: str) -> int:
        written = super().write(text)
        self._hear(text)
        return written


def deaf(text: str) -> None:
    """Hear nothing."""


def run(
    inputs: Mapping[str, str],
    environ: Mapping[str, str] | None = None,
    *,
    clock: Clock | None = None,
    hear: Callable[[str], None] = deaf,
) -> Ran:
    """Run the action with these inputs, in an environment that holds nothing else, and wait for its end."""
    log = _Log(hear)
    given = {"image-version-id": str(ID), "account-service-id": str(ASID), **inputs}
    with tempfile.TemporaryDirectory() as folder:
        output, summary = Path(folder, "output"), Path(folder, "summary")
        step = {
            "GITHUB_ACTIONS": "true",
            "GITHUB_OUTPUT": str(output),
            "GITHUB_STEP_SUMMARY": str(summary),
            **KEYS,
            **{f"INPUT_{name.upper()}": value for name, value in given.items()},
            **(environ or {}),
        }
        began = time.monotonic()
        code = Program(step, log, log, SimpleQueue(), clock or SystemClock()).run([])
        seconds = time.monotonic() - began
        outputs = file_commands.parse(output.read_bytes())
        if outputs.error is not None:
            raise AssertionError(outputs.error)
        return Ran(code, seconds, log.getvalue(), outputs.values, summary.read_text("utf-8"))
