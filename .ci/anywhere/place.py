"""A machine of somebody else: everything is read-only for whoever runs there, and there is no home."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cfgate.simulator import Scenario, Simulator
from tests.support.canary import ACCESS_KEY, KEYS, SECRET_KEY, found

ASID: Final = 1234567
PATIENCE: Final = 240.0  # seconds; everything here takes a few, but the machine may be busy
NOWHERE: Final = "/nonexistent"

# In a mount namespace of its own, which is gone with its last process; `$0` alone can be written there.
_READ_ONLY: Final = """
awk '{print $2}' /proc/self/mounts | while read -r mount; do
  case $mount in
    /dev | /dev/* | /proc | /proc/* | /sys | /sys/*) ;;
    *) mount -o remount,bind,ro "$mount" ;;
  esac
done
[ -z "$0" ] || mount -t tmpfs none "$0"
exec "$@"
"""


def serve(scenario: Scenario) -> Simulator:
    """Make a simulator that lets in whoever has the credentials."""
    return Simulator(scenario, access_key=ACCESS_KEY, secret_key=SECRET_KEY, account_service_id=ASID)


def asking(simulator: Simulator) -> dict[str, str]:
    """Set what a gate is told by the environment: the API, the account and how often to look."""
    return {
        **KEYS,
        "CFGATE_API_URL": simulator.url,
        "CFGATE_ACCOUNT_SERVICE_ID": str(ASID),
        "CFGATE_MAX_INTERVAL": "1s",
    }


@dataclass(frozen=True)
class Place:
    """A folder with the single file in it, and one below it that can be written."""

    directory: Path

    @property
    def file(self) -> Path:
        """The single file."""
        return self.directory / "cfgate.pyz"

    @property
    def temporary(self) -> Path:
        """The one folder that can be written."""
        return self.directory / "temporary"

    def run(
        self, *command: str, writable: bool = True, environ: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a command there, perhaps with nothing to write to; it prints no credential."""
        given = {
            "PATH": os.environ["PATH"],
            "HOME": NOWHERE,
            "TMPDIR": str(self.temporary),
            **(environ or {}),
        }
        apart = ["unshare", "--mount", "--propagation", "private", "sh", "-euc", _READ_ONLY]
        ended = subprocess.run(
            [*apart, str(self.temporary) if writable else "", *command],
            cwd=self.directory,
            env=given,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert found(ended.stdout + ended.stderr) == []
        return ended


def make(directory: Path) -> Place:
    """Make such a place of a directory."""
    place = Place(directory)
    place.temporary.mkdir()
    shutil.copy(os.environ["CFGATE_PROOF_FILE"], place.file)
    return place
