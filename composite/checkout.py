"""Run cfgate from a checkout, with the locked requirements in a virtual environment.

`run.sh` and `run.ps1` start it by `python -I` where no single file lies beside the action: nothing is
imported from the folder that the step runs in, which may be anybody's pull request. The environment is made
once for a job, in RUNNER_TEMP. What makes it gets no setting and no credential, and ends with this process.
"""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
LOCKED: Final = ROOT / "requirements" / "runtime.txt"
PROGRAM: Final = ROOT / "entrypoint.py"
PATIENCE: Final = 300.0  # seconds for each program that makes the environment
GLANCE: Final = 0.1  # seconds between two looks at whether a signal has come
SETTINGS: Final = ("INPUT_", "CFGATE_", "CLANFORGE_")  # how the names of variables with settings begin
INSTALL: Final = (
    *("-m", "pip", "install", "-qq", "--disable-pip-version-check", "--no-input"),
    *("--only-binary", ":all:", "--require-hashes", "-r", str(LOCKED)),
)

_signals: Final[list[int]] = []


class Refused(Exception):
    """The environment cannot be made. The text is a clause of ours."""


class Stopped(Exception):
    """A signal has come."""


def main() -> int:
    """Make the environment, and let the program take the place of this process; return its exit code."""
    numbers = [getattr(signal, name, None) for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGBREAK")]
    listened = [number for number in numbers if number is not None]
    for number in listened:
        signal.signal(number, lambda number, frame: _signals.append(number))  # noqa: ARG005 - its shape
    told("error", 70, "cfgate was stopped before it could decide")
    try:
        python = environment()
    except Stopped:
        return interrupted()
    except (Refused, OSError) as error:
        # The text of an OSError may hold anything that a path does.
        why = str(error) if isinstance(error, Refused) else "this machine does not let files be written there"
        reason = f"no virtual environment with the locked requirements can be made: {why}"
        say(f"::error title=cfgate: invalid::{reason}")
        told("invalid", 2, reason)
        return 2
    command = [str(python), "-X", "utf8", "-E", "-s", str(PROGRAM)]
    if sys.platform == "win32":  # nothing takes another's place there; the program hears signals itself
        return subprocess.run(command, check=False).returncode
    else:  # noqa: RET505 - by this mypy knows what is left out on which system
        for number in listened:
            signal.signal(number, signal.SIG_DFL)
        if _signals:
            return interrupted()
        return os.execv(command[0], command)  # noqa: S606 - without a shell is the point


def environment() -> Path:
    """Make the environment unless it is there and works; return its Python. Raises Refused and Stopped."""
    place = place_of_environment()
    python = place / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    whole = place / "cfgate-whole"
    if whole.is_file() and runs(python):
        return python
    run("this Python may lack the module venv", sys.executable, "-I", "-m", "venv", "--clear", str(place))
    run("pip says above why", str(python), "-I", *INSTALL)
    whole.touch()
    return python


def place_of_environment() -> Path:
    """Name a folder for these requirements and this Python; without RUNNER_TEMP, one that nobody foresees."""
    temporary = os.environ.get("RUNNER_TEMP")
    if not temporary:
        return Path(tempfile.mkdtemp(prefix="cfgate-python-"))
    about = f"{sys.version} {sys.executable} {LOCKED.read_text('utf-8')}"
    return Path(temporary) / f"cfgate-python-{hashlib.sha256(about.encode()).hexdigest()[:16]}"


def runs(python: Path) -> bool:
    """Whether a Python is there and works: the one that it leads to may be gone."""
    try:
        asked = subprocess.run([python, "-I", "-c", "print('runs')"], capture_output=True, check=False)
    except OSError:
        return False
    return asked.stdout.split() == [b"runs"]


def run(why: str, *command: str) -> None:
    """Run a program to its end. Raises Refused with `why` when it fails, and Stopped."""
    kept_back = (*SETTINGS, "PYTHON")
    environ = {name: value for name, value in os.environ.items() if not name.upper().startswith(kept_back)}
    process = start(command, environ)
    end = time.monotonic() + PATIENCE
    while not _signals and time.monotonic() < end:
        with suppress(subprocess.TimeoutExpired):
            if process.wait(GLANCE) == 0:
                return
            if not _signals:
                raise Refused(why)
    stop(process)
    if _signals:
        raise Stopped
    raise Refused(f"it takes longer than {PATIENCE:.0f} s")


def start(command: Sequence[str], environ: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """Start a program in a group of its own, which can be ended whole, and which no Ctrl-C reaches."""
    flags, apart = 0, True
    if sys.platform == "win32":
        flags, apart = subprocess.CREATE_NEW_PROCESS_GROUP, False
    return subprocess.Popen(
        command, env=environ, stdin=subprocess.DEVNULL, creationflags=flags, start_new_session=apart
    )


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a program, and on POSIX what it has started."""
    if sys.platform == "win32":
        process.kill()
    else:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def interrupted() -> int:
    """Say that a signal has come; return the exit code for it."""
    name = signal.Signals(_signals[0]).name
    reason = f"stopped by {name} while the locked requirements were being installed"
    say(f"interrupted: {reason}")
    told("interrupted", 128 + _signals[0], reason)
    return 128 + _signals[0]


def say(line: str) -> None:
    """Print a line, if anybody takes it."""
    with suppress(OSError, ValueError):
        print(line, flush=True)


def told(status: str, code: int, reason: str) -> None:
    """Write the outputs that a later step must not miss; the gate overrides them."""
    if path := os.environ.get("GITHUB_OUTPUT"):
        pairs = {"ready": "false", "go": "false", "status": status, "exit-code": code, "reason": reason}
        with suppress(OSError), Path(path).open("a", encoding="utf-8", newline="\n") as file:
            file.write("".join(f"{name}={value}\n" for name, value in pairs.items()))


if __name__ == "__main__":
    sys.exit(main())
