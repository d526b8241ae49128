"""The single file on every Python of this machine, as nobody who may write anything."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

import pytest
import scenarios
from place import NOWHERE, Place, asking, make, serve
from pythons import Version, named, pythons

from cfgate.simulator import Scenario

PYTHONS: Final = pythons()
OLDEST: Final = (3, 11)
RECENT: Final = [version for version in PYTHONS if version >= OLDEST]
TOO_OLD: Final = [version for version in PYTHONS if version < OLDEST]
ENDS: Final[dict[str, tuple[Scenario, tuple[str, ...], int]]] = {
    "ready": (scenarios.READY, (), 0),
    "failed": (scenarios.FAILED, (), 1),
    "timeout": (scenarios.ENDLESS, ("--timeout", "2s"), 4),
    "not_found": (scenarios.UNKNOWN_ID, ("--not-found-grace", "0s"), 7),
    "pending": (scenarios.ENDLESS, ("--timeout", "0"), 10),
}


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """Make a place with the single file."""
    return make(tmp_path)


def test_nothing_can_be_written_there(place: Place) -> None:
    """The place is what it is said to be, or the other tests here would show nothing."""
    script = "for each do ! touch $each/x || echo $each; done"
    folders = [str(place.directory), str(place.temporary), "/tmp", "/var/tmp", "/root", NOWHERE, "."]  # noqa: S108
    ended = place.run("sh", "-c", script, "sh", *folders)
    assert ended.stdout.split() == [str(place.temporary)]
    assert place.run("sh", "-c", script, "sh", *folders, writable=False).stdout == ""
    assert [path.name for path in place.temporary.iterdir()] == []


@pytest.mark.parametrize("status", ENDS)
@pytest.mark.parametrize("version", RECENT, ids=named)
def test_it_gates(place: Place, version: Version, status: str) -> None:
    """Exit code, result and last line say how the job of a real API ended, and only `ready` is green."""
    scenario, words, exit_code = ENDS[status]
    with serve(scenario) as simulator:
        ended = place.run(
            *(PYTHONS[version], "-I", str(place.file), "9001", "--result-file", "-", *words),
            environ=asking(simulator),
        )
        asked = len(simulator.requests)
    assert ended.returncode == exit_code, ended.stdout + ended.stderr
    told = json.loads(ended.stdout)
    assert (told["status"], told["ready"], told["requests"]) == (status, status == "ready", asked)
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("version", RECENT, ids=named)
def test_without_a_temporary_folder_it_says_so(place: Place, version: Version) -> None:
    """Certificates are copied out of the file; where no folder can be written, that is what it says."""
    with serve(scenarios.READY) as simulator:
        command = (PYTHONS[version], "-I", str(place.file), "9001")
        ended = place.run(*command, writable=False, environ=asking(simulator))
        assert simulator.requests == ()
    assert ended.returncode == 2, ended.stdout + ended.stderr
    assert "no temporary folder can be written" in ended.stdout + ended.stderr
    assert "Traceback" not in ended.stdout + ended.stderr


@pytest.mark.parametrize("version", TOO_OLD, ids=named)
def test_a_python_that_is_too_old_is_told_so(place: Place, version: Version) -> None:
    """A sentence and exit code 2, whatever was asked for."""
    ended = place.run(PYTHONS[version], str(place.file), "9001", "--rehearse", "ready")
    assert (ended.returncode, ended.stdout) == (2, ""), ended.stderr
    is_old = f"is Python {version[0]}.{version[1]}. "
    assert ended.stderr.startswith("cfgate needs Python 3.11 or newer, and ")
    assert is_old in ended.stderr
    assert ended.stderr.count("\n") == 1
