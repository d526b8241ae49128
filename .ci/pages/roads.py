"""The ways in which a gate can end, and a stand-in for what deploys, which only records its calls."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cfgate.simulator import Scenario, Simulator, parse
from tests.support.canary import KEYS

ASID: Final = 1234567
RECORDED: Final = "recorded: clanforge "

# Calls that start something print an id; the last call of a road prints nothing.
STAND_IN: Final = f"""#!/usr/bin/env bash
echo "{RECORDED}$*" >&2
[ "$1" = switch-profile ] || echo 9001
"""

READY: Final = parse("life: [{state: Completed}]")
FAILED: Final = parse("life: [{state: Failed, joberror: disk full}]")
ENDLESS: Final = parse("life: [{state: Running, progress: 40}]")

# Options that make a gate as quick as its job, and the account. The keys are the secrets of each system.
QUICK: Final = {"CFGATE_MAX_INTERVAL": "1s", "CFGATE_ACCOUNT_SERVICE_ID": str(ASID)}
SECRETS: Final = dict(KEYS)


def simulator(scenario: Scenario) -> Simulator:
    """Make a simulator that lets in whoever has the secrets."""
    access_key, secret_key = SECRETS["CLANFORGE_ACCESS_KEY"], SECRETS["CLANFORGE_SECRET_KEY"]
    return Simulator(scenario, access_key=access_key, secret_key=secret_key)


@dataclass(frozen=True)
class Road:
    """One way to end. `allowed`: the failure of the gate does not stop the pipeline by itself."""

    name: str
    scenario: Scenario = READY
    rehearse: bool = False
    skipped: bool = False
    allowed: bool = False
    hurried: bool = False  # the gate has one second

    @property
    def deploys(self) -> bool:
        """Whether the pipeline deploys on this road."""
        return self.name == "ready"


ROADS: Final = (
    Road("ready"),
    Road("rehearsal", rehearse=True),
    Road("failed", FAILED),
    Road("failed-allowed", FAILED, allowed=True),
    Road("timeout-allowed", ENDLESS, allowed=True, hurried=True),
    Road("skipped", skipped=True),
)

_TIMEOUT: Final = re.compile(r"(?<![\w-])(timeout: |CFGATE_TIMEOUT: |--timeout )[0-9]+[hm]")


def hurried(text: str) -> str:
    """Give every gate one second."""
    return _TIMEOUT.sub(r"\g<1>1s", text)


def write_stand_in(directory: Path) -> None:
    """Put the stand-in where a pipeline looks for `./clanforge`."""
    path = directory / "clanforge"
    path.write_text(STAND_IN, "utf-8")
    path.chmod(0o755)


def recorded(log: str) -> list[str]:
    """Find what the stand-in was asked to do, in the log of a pipeline."""
    return re.findall(rf"{RECORDED}(.*?)(?:\x1b\[0m)?\s*$", log, re.MULTILINE)


def deployments(log: str) -> list[str]:
    """Find how often players would have noticed something."""
    return [call for call in recorded(log) if call.startswith("switch-profile")]
