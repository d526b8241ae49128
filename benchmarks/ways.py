"""Measure what a job spends before the first request, for each way to run the program.

    python -m benchmarks.ways [--times N] [--engine podman --image TAG]

`make pyz` first. The container is measured only where an image is named, which the engine must have already:
to pull it, and to fetch packages, is the network's time.

    first request   seconds from the start of the process until the API has the request
    all             seconds from the start of the process to its end, for a version that is ready
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from benchmarks.gate import DONE, ROOT, TOKEN, table
from cfgate.simulator import Simulator, parse

SINGLE_FILE: Final = ROOT / "dist" / "cfgate.pyz"
# What the composite action needs of a checkout, without the single file.
CHECKED_OUT: Final = ("composite", "cfgate", "requirements", "entrypoint.py")


@dataclass
class Way:
    """A way to run the program, and the seconds that it took, each time."""

    name: str
    command: tuple[str | Path, ...]
    environ: dict[str, str] = field(default_factory=dict)
    first: list[float] = field(default_factory=list)
    whole: list[float] = field(default_factory=list)

    def run(self, simulator: Simulator) -> None:
        """Look once at a version that is ready."""
        asked = len(simulator.requests)
        settings = {
            "CLANFORGE_TOKEN": TOKEN,
            "CFGATE_API_URL": simulator.url,
            "CFGATE_IMAGE_VERSION_ID": "9001",
            "CFGATE_TIMEOUT": "0",
        }
        began, began_by_the_clock = time.perf_counter(), time.time()
        subprocess.run(
            self.command,
            env={"PATH": os.environ["PATH"], "HOME": os.environ["HOME"], **settings, **self.environ},
            stdout=subprocess.DEVNULL,
            check=True,
        )
        self.whole.append(time.perf_counter() - began)
        self.first.append(simulator.requests[asked].at - began_by_the_clock)

    def row(self) -> tuple[str, ...]:
        """Make a line of the table."""
        cells = [f"{pick(taken):.2f} s" for taken in (self.first, self.whole) for pick in _PICKED]
        return (self.name, *cells)


_PICKED: Final = (min, statistics.median)


def lay_out(folder: Path, *, single_file: bool) -> Path:
    """Lay the composite action out as in a release commit, or as on `main`; return its script."""
    for name in CHECKED_OUT:
        source = ROOT / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, folder / name)
    if single_file:
        shutil.copy(SINGLE_FILE, folder)
    return folder / "composite" / "run.sh"


def container(engine: str, image: str) -> Way:
    """Run the image as a runner does, with the settings in the environment."""
    names = ("CLANFORGE_TOKEN", "CFGATE_API_URL", "CFGATE_IMAGE_VERSION_ID", "CFGATE_TIMEOUT")
    options = [word for name in names for word in ("--env", name)]
    of_engine = {key: text for key, text in os.environ.items() if key.startswith(("CONTAINERS_", "DOCKER_"))}
    command = (engine, "run", "--rm", "--network", "host", *options, image)
    return Way(f"the image, by {engine} run", command, of_engine)


def measure(times: int, engine: str, image: str) -> list[tuple[str, ...]]:
    """Run all of them by turns."""
    with tempfile.TemporaryDirectory() as name, Simulator(parse(DONE), token=TOKEN) as simulator:
        temporary = Path(name)
        released = lay_out(temporary / "released", single_file=True)
        main = lay_out(temporary / "main", single_file=False)
        kept = {"RUNNER_TEMP": str(temporary), "PYTHON": sys.executable}
        first = Way("the composite action from `main`, first step", ("bash", main), kept)
        again = [
            Way("installed", (sys.executable, "-m", "cfgate")),
            Way("the single file", (sys.executable, SINGLE_FILE)),
            Way("the composite action, with the single file", ("bash", released), kept),
            Way("the composite action from `main`, later steps", ("bash", main), kept),
            *([container(engine, image)] if image else []),
        ]
        first.run(simulator)
        for _ in range(times):
            for way in again:
                way.run(simulator)
    return [way.row() for way in (*again, first)]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Measure how soon each way to run cfgate asks.")
    parser.add_argument("--times", type=int, default=10, help="how often to start each (default: 10)")
    parser.add_argument("--engine", default="docker", help="docker (default) or podman")
    parser.add_argument("--image", default="", help="an image of cfgate that the engine has")
    options = parser.parse_args()
    if not SINGLE_FILE.is_file():
        raise SystemExit(f"{SINGLE_FILE.relative_to(ROOT)} is not there: `make pyz` makes it")
    head = ("", "first request: fastest", "median", "all: fastest", "median")
    print(table(head, measure(options.times, options.engine, options.image)))


if __name__ == "__main__":
    main()
