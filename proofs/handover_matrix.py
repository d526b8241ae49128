"""Break every place that a result goes to, at every moment of a run, and look at what becomes of the result.

    python -m proofs.handover_matrix [--markdown] [--only WORD] [--workers N]

Each run is a real process, which asks a simulator and is asked for everything that it can write: outputs and
summary of a step, and all reports. One of these places is

    file, link, bind mount   somewhere that can be written: a file, a link, a single file that is mounted
    missing folder           in a folder that is not there (any more); a report makes it
    FIFO without reader, FIFO with a stopped reader, folder, /dev/full, full disk, read-only
                             somewhere that takes nothing
    no descriptor left       anywhere: the process may open no file at all

either from the start, or once the first verdict has been written: then the job is completed (end), or the run
is cancelled (signal). A report that cannot be written at the start ends the gate as invalid, before anything
is sent. In every other case the exit code is right, the other places have the verdict, and the log has an
annotation that names the place. What could not be written holds the verdict of before, whole, which is not
green. And none of it takes long.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Final

from cfgate.simulator import Simulator, parse
from tests.support.canary import KEYS, found
from tests.support.parsers import file_commands, workflow_commands

PYTHON: Final = sys.executable
_WORKERS: Final = 12  # runs at once
_LATEST: Final = 6.0  # seconds from the signal to the end; a runner waits for ten, this machine may be busy
_LIMIT: Final = 60.0  # seconds for a whole run
_DISK: Final = 256  # KiB


class Place(Enum):
    """Where a result goes to: what names the place, and how to read a status there."""

    OUTPUTS = ("GITHUB_OUTPUT", lambda content: file_commands.parse(content).values.get("status", ""))
    SUMMARY = ("GITHUB_STEP_SUMMARY", lambda content: _heading(content))
    RESULT = ("result-file", lambda content: str(json.loads(content)["status"]))
    JUNIT = ("junit-file", lambda content: _found(rb'name="status" value="(\w+)"', content))
    DOTENV = ("dotenv-file", lambda content: _found(rb"(?m)^CFGATE_STATUS=(\w+)$", content))
    PAGE = ("summary-file", lambda content: _heading(content))
    LINKS = ("annotations-file", lambda content: "links" if json.loads(content) else "no links")

    def __init__(self, label: str, status: Callable[[bytes], str]) -> None:
        self.label = label
        self.status = status

    @property
    def of_host(self) -> bool:
        """Whether the host names it, and not the user."""
        return self.label.startswith("GITHUB")

    def expected(self, status: str) -> str:
        """Say what is read there when the gate has ended so."""
        if self is Place.LINKS:
            return "links" if status in ("ready", "interrupted") else "no links"
        return status

    @property
    def variable(self) -> str:
        """Name the variable that names the place."""
        return self.label if self.of_host else f"INPUT_{self.label.upper()}"


def _found(pattern: bytes, content: bytes) -> str:
    match = re.search(pattern, content)
    return match[1].decode() if match else ""


def _heading(content: bytes) -> str:
    """Read the status in the last heading of the first rank: there may be pages in front of ours."""
    headings: list[str] = re.findall(r"(?m)^## \S+ ([a-z_]+)", content.decode())
    return headings[-1] if headings else ""


class When(Enum):
    """From when on a place is broken, how the gate ends if that does not matter, and with which code."""

    START = ("start", "ready", 0)
    END = ("end", "ready", 0)
    SIGNAL = ("signal", "interrupted", 143)

    def __init__(self, label: str, status: str, code: int) -> None:
        self.label = label
        self.status = status
        self.code = code


@dataclass
class Stage:
    """One run: the place, what must be undone afterwards, the process once it runs."""

    path: Path
    undo: contextlib.ExitStack
    process: subprocess.Popen[str] | None = None
    names: str = ""  # what the place is called, if not by its path

    @property
    def name(self) -> str:
        """What the program is given for the place."""
        return self.names or str(self.path)

    def elsewhere(self, name: str) -> Path:
        """Make a folder apart from that of the place, and name a file in it."""
        folder = self.path.parent.parent / "elsewhere"
        folder.mkdir(exist_ok=True)
        return folder / name

    def mount(self, *arguments: str, on: Path) -> None:
        """Mount something, for the time of this run."""
        _mount(*arguments, str(on))
        self.undo.callback(_unmount, on)

    def take_away(self) -> None:
        """Remove what is in the place, if anything is."""
        self.path.unlink(missing_ok=True)


def _mount(*arguments: str) -> None:
    subprocess.run([shutil.which("mount") or "mount", *arguments], check=True, capture_output=True)


def _unmount(folder: Path) -> None:
    subprocess.run([shutil.which("umount") or "umount", "--lazy", folder], check=False, capture_output=True)


def _file(stage: Stage) -> None:
    """Leave it as it is."""


def _missing_folder(stage: Stage) -> None:
    shutil.rmtree(stage.path.parent)


def _link(stage: Stage) -> None:
    stage.take_away()
    stage.path.symlink_to(stage.elsewhere("target"))


def _bind_mount(stage: Stage) -> None:
    source = stage.elsewhere("source")
    source.touch()
    stage.path.touch()
    stage.mount("--bind", str(source), on=stage.path)


def _pipe(stage: Stage) -> None:
    stage.take_away()
    os.mkfifo(stage.path)


def _stopped_pipe(stage: Stage) -> None:
    _pipe(stage)
    descriptor = os.open(stage.path, os.O_RDWR | os.O_NONBLOCK)
    stage.undo.callback(os.close, descriptor)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(descriptor, bytes(4096))


def _folder(stage: Stage) -> None:
    stage.take_away()
    stage.path.mkdir()


def _dev_full(stage: Stage) -> None:
    stage.take_away()
    stage.path.symlink_to("/dev/full")
    if stage.process is None:
        stage.names = "/dev/full"


def _own_disk(stage: Stage) -> None:
    """Give the place a disk of its own, before the run begins."""
    stage.mount("-t", "tmpfs", "-o", f"size={_DISK}k", "tmpfs", on=stage.path.parent)


def _full_disk(stage: Stage) -> None:
    with contextlib.suppress(OSError), (stage.path.parent / "ballast").open("wb", buffering=0) as ballast:
        while True:
            ballast.write(bytes(1024))


def _read_only(stage: Stage) -> None:
    _mount("-o", "remount,ro", str(stage.path.parent))


def _no_descriptor(stage: Stage) -> None:
    if stage.process is not None:
        resource.prlimit(stage.process.pid, resource.RLIMIT_NOFILE, (3, 3))


class Kind(Enum):
    """What a place is, how it becomes that, what must be prepared; whether it takes what is written."""

    FILE = ("file", _file, None, True)
    LINK = ("link", _link, None, True)
    BIND_MOUNT = ("bind mount", _bind_mount, None, True)
    MISSING_FOLDER = ("missing folder", _missing_folder, None, True)
    PIPE = ("FIFO without reader", _pipe, None, False)
    STOPPED_PIPE = ("FIFO with a stopped reader", _stopped_pipe, None, False)
    FOLDER = ("folder", _folder, None, False)
    DEV_FULL = ("/dev/full", _dev_full, None, False)
    FULL_DISK = ("full disk", _full_disk, _own_disk, False)
    READ_ONLY = ("read-only", _read_only, _own_disk, False)
    NO_DESCRIPTOR = ("no descriptor left", _no_descriptor, None, False)

    def __init__(
        self,
        label: str,
        happens: Callable[[Stage], None],
        prepared: Callable[[Stage], None] | None,
        takes: bool,  # noqa: FBT001 - an Enum gives its values by position
    ) -> None:
        self.label = label
        self.happens = happens
        self.prepared = prepared
        self.takes = takes

    @property
    def mounts(self) -> bool:
        """Whether only who may mount can play it."""
        return self is Kind.BIND_MOUNT or self.prepared is not None

    @property
    def leaves(self) -> bool:
        """Whether the verdict of before is still there to be read."""
        return self in (Kind.FULL_DISK, Kind.READ_ONLY, Kind.NO_DESCRIPTOR)

    def takes_at(self, place: Place) -> bool:
        """Whether what is written there arrives: folders are made for reports, not for files of the host."""
        return self.takes and not (self is Kind.MISSING_FOLDER and place.of_host)


@dataclass(frozen=True)
class Cell:
    """One run, and what is wrong with it."""

    kind: Kind
    place: Place
    when: When
    code: int
    seconds: float  # from the moment at which the run could end
    problems: tuple[str, ...]

    def __str__(self) -> str:
        return f"{'✗ ' if self.problems else ''}{self.code}, {self.seconds:.1f} s"


# Everything that is loaded late, so that a process that may open nothing can go on.
_LOADED: Final = """
import cfgate.cli, cfgate.session, cfgate.settings.reading, cfgate.hosts.github, cfgate.report.junit
import cfgate.client.client, encodings.idna, resource
resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))
raise SystemExit(cfgate.cli.main([]))
"""
_LIVES: Final = {
    When.START: "life: [{state: Completed}]",
    When.END: "life: [{state: Running, for: 2500ms}, {state: Completed}]",
    When.SIGNAL: "life: [{state: Running}]",
}


def play(kind: Kind, place: Place, when: When) -> Cell:
    """Run the program once."""
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as undo:
        stage = Stage(Path(folder, "place", "file"), undo)
        stage.path.parent.mkdir()
        if kind.prepared:
            kind.prepared(stage)
        if place.of_host:
            stage.path.touch()
        if when is When.START:
            kind.happens(stage)
        simulator = undo.enter_context(Simulator(parse(_LIVES[when])))
        paths = {each: stage.name if each is place else f"{folder}/{each.label}" for each in Place}
        without = kind is Kind.NO_DESCRIPTOR and when is When.START
        stage.process = subprocess.Popen(
            [PYTHON, *(["-c", _LOADED] if without else ["-m", "cfgate"])],
            env=_environment(simulator.url, paths),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        undo.callback(stage.process.kill)
        began = time.monotonic()
        if when is not When.START:
            # By the second request all is loaded that is loaded late.
            _until(lambda: len(simulator.requests) >= 2)
            kind.happens(stage)
            began = time.monotonic()
            if when is When.SIGNAL:
                stage.process.send_signal(signal.SIGTERM)
        try:
            log, _ = stage.process.communicate(timeout=_LIMIT)
        except subprocess.TimeoutExpired:
            stage.process.kill()
            log, _ = stage.process.communicate()
            log += f"(killed after {_LIMIT:g} s)"
        seconds, code = time.monotonic() - began, stage.process.returncode
        contents = {each: _content(Path(path)) for each, path in paths.items()}
        ran = _Ran(kind, place, when, code, log, contents, len(simulator.requests), seconds)
        return Cell(kind, place, when, code, seconds, tuple(_problems(ran)))


def _environment(url: str, paths: dict[Place, str]) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "GITHUB_ACTIONS": "true",
        "INPUT_IMAGE-VERSION-ID": "9001",
        "INPUT_ACCOUNT-SERVICE-ID": "100042",
        "INPUT_API-URL": url,
        "INPUT_MAX-INTERVAL": "1s",
        "INPUT_ERROR-TOLERANCE": "2s",
        "INPUT_DETAILS-URL": "https://example.com/{id}",
        **KEYS,
        **{place.variable: path for place, path in paths.items()},
    }


def _until(arrived: Callable[[], object]) -> None:
    end = time.monotonic() + _LIMIT
    while not arrived():
        if time.monotonic() > end:
            raise TimeoutError("the run has not begun")
        time.sleep(0.005)


def _content(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


@dataclass(frozen=True)
class _Ran:
    """What a run has left."""

    kind: Kind
    place: Place
    when: When
    code: int
    log: str
    contents: dict[Place, bytes | None]
    requests: int
    seconds: float

    @property
    def takes(self) -> bool:
        """Whether the place takes what is written."""
        return self.kind.takes_at(self.place)

    @property
    def blind(self) -> bool:
        """Whether the process could open no file, wherever."""
        return self.kind is Kind.NO_DESCRIPTOR

    @property
    def refused(self) -> bool:
        """Whether a report could not be written at the start."""
        return self.when is When.START and not self.takes and (not self.place.of_host or self.blind)

    @property
    def status(self) -> str:
        """How it must end."""
        return "invalid" if self.refused else self.when.status

    def read(self, place: Place) -> str:
        """Tell what is to be read in a place."""
        content = self.contents[place]
        if content is None:
            return "nothing"
        try:
            return place.status(content)
        except ValueError:
            return f"what is broken: {content[:200]!r}"


def _problems(ran: _Ran) -> Iterator[str]:
    code = 2 if ran.refused else ran.when.code
    if ran.code != code:
        yield f"ended with {ran.code} and not {code}: {ran.log[-500:]}"
    if ran.refused and ran.requests:
        yield f"sent {ran.requests} requests, though it could not write"
    if ran.when is When.SIGNAL and ran.seconds > _LATEST:
        yield f"took {ran.seconds:.1f} s to stop"
    if "a bug in cfgate" in ran.log:
        yield "says that it is a bug"
    if leaks := found(ran.log):
        yield f"leaked {', '.join(leaks)}"
    for each in [] if ran.blind else Place:
        if each is not ran.place and ran.read(each) != each.expected(ran.status):
            yield f"{each.label} says {ran.read(each)}"
    yield from _problems_of_place(ran)


def _problems_of_place(ran: _Ran) -> Iterator[str]:
    read = ran.read(ran.place)
    # On a disk that is full a page may have room where the one before stood.
    reused = (ran.kind, ran.place) == (Kind.FULL_DISK, Place.SUMMARY) and read == ran.status
    if ran.takes or reused:
        if read != ran.place.expected(ran.status):
            yield f"the place says {read}"
        return
    if ran.place.label not in _annotations(ran.log):
        yield f"no annotation names {ran.place.label}"
    if ran.kind.leaves and ran.when is not When.START and read != ran.place.expected("error"):
        yield f"the place says {read}, and not what it said before"


def _annotations(log: str) -> str:
    commands, _ = workflow_commands.parse(log)
    return " ".join(command.data for command in commands if command.name in ("warning", "error"))


def may_mount() -> bool:
    """Whether mounts can be made here."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            _mount("-t", "tmpfs", "tmpfs", folder)
        except (OSError, subprocess.CalledProcessError):
            return False
        _unmount(Path(folder))
        return True


def table(cells: Sequence[Cell], *, markdown: bool) -> Iterator[str]:
    """Lay the cells out: a row for each kind and moment, a column for each place."""
    rows = [["the place is", "from", *(place.label for place in Place)]]
    for start in range(0, len(cells), len(Place)):
        row = cells[start : start + len(Place)]
        rows.append([row[0].kind.label, row[0].when.label, *map(str, row)])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    if markdown:
        rows.insert(1, ["-" * width for width in widths])
    for cells_of_row in rows:
        padded = [f"{text:<{width}}" for text, width in zip(cells_of_row, widths, strict=True)]
        yield f"| {' | '.join(padded)} |" if markdown else "  ".join(padded).rstrip()


def main() -> int:
    """Print the table; exit 1 when anything in it is wrong."""
    parser = argparse.ArgumentParser(prog="handover_matrix", description="Break every place of a result.")
    parser.add_argument("--markdown", action="store_true", help="print a table for a document")
    parser.add_argument("--only", default="", metavar="WORD", help="only places that are so")
    parser.add_argument("--workers", type=int, default=_WORKERS, metavar="N", help="runs at once")
    arguments = parser.parse_args()
    kinds = [kind for kind in Kind if arguments.only in kind.label]
    left_out = [] if may_mount() else [kind for kind in kinds if kind.mounts]
    began = time.monotonic()
    with ThreadPoolExecutor(arguments.workers) as pool:
        played = [
            pool.submit(play, kind, place, when)
            for kind in kinds
            if kind not in left_out
            for when in When
            for place in Place
        ]
        cells = [future.result() for future in played]
    print(*table(cells, markdown=arguments.markdown), sep="\n")
    problems = [
        f"{cell.place.label}, {cell.kind.label}, {cell.when.label}: {problem}"
        for cell in cells
        for problem in cell.problems
    ]
    print(
        f"\n{len(cells)} runs in {time.monotonic() - began:.0f} s; each: its exit code, and how long it took."
    )
    if left_out:
        print(f"NOT PLAYED, for nothing can be mounted here: {', '.join(kind.label for kind in left_out)}")
    print(*problems or ["All as it must be."], sep="\n")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
