"""Measure the cadence in virtual time, beside those of other gates: `python benchmarks/cadence.py`.

Seeded and deterministic: the same figures on every machine. `--markdown` prints the table of docs/cadence.md,
`--plot FILE` draws latency against requests. What is measured stands in `measure`.

`--check` measures other jobs than the table does, in every world and every reading of one, and exits with 1
when a bound is broken, or when an answer costs more than it may after ten thousand of them.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).parents[1]))  # run as a script, from anywhere

from benchmarks.endurance import LIMIT, endure
from benchmarks.measure import ROUND_TRIP, Measurement, measure
from benchmarks.optimum import NAMES, optimum
from benchmarks.peers import PEERS, SIMPLE_RULES, Blind
from benchmarks.plot import Point, scatter
from benchmarks.worlds import BY_NAME, IMPROVING, NOTHING, ONE_ESTIMATE, READINGS, STEADY, WORLDS, World
from cfgate.schedule import Cadence

OURS: Final = "cfgate"
OPTIMUM: Final = "optimum"
HEAD: Final = ("", "E", "bound", "J", "requests", "latency: mean", "p95", "bound", "max", "of the optimum")
# What each simple rule is measured in: a world that it was made for, and one that it was not.
TRIED_IN: Final = {
    SIMPLE_RULES[0].name: (IMPROVING.name, ONE_ESTIMATE.name),
    SIMPLE_RULES[1].name: (STEADY.name, "progress in jumps of 10"),
}
# What the picture shows: these peers, and cfgate in these worlds.
PLOTTED_PEERS: Final = ("every 1 s", "every 5 s", "every 10 s", "every 15 s", "every 30 s", PEERS[-1].name)
PLOTTED: Final = {
    IMPROVING.name: "",
    STEADY.name: "cfgate, estimate or progress",
    ONE_ESTIMATE.name: "cfgate, one rough estimate",
    NOTHING.name: "cfgate, nothing known",
}
# The check: other jobs than those of the table, and enough of them for a mean that is true to some per cents.
CHECK_JOBS: Final = 400
CHECK_SEED: Final = 20_261_123


@dataclass(frozen=True)
class Task:
    """A cadence and a world, by their names: what one process measures at a time."""

    cadence: str
    world: str
    jobs: int
    seed: int

    def run(self) -> Measurement:
        """Measure it, with the defaults of the cadence."""
        if self.cadence == OPTIMUM:
            return optimum(self.world, self.jobs, self.seed)
        makers = {peer.name: peer.make for peer in (*PEERS, *SIMPLE_RULES)}
        makers[OURS] = lambda number: Cadence(seed=number)
        return measure(BY_NAME[self.world], makers[self.cadence], self.jobs, self.seed)


Figures = Mapping[Task, Measurement]


def figures(jobs: int, seed: int) -> Figures:
    """Measure everything: the optimum, cfgate in every world, and the others, the blind in one world."""
    pairs = [(OPTIMUM, world) for world in NAMES]
    pairs += [(OURS, world.name) for world in WORLDS]
    pairs += [(peer.name, NOTHING.name) for peer in PEERS]
    pairs += [(rule, world) for rule, worlds in TRIED_IN.items() for world in worlds]
    tasks = [Task(cadence, world, jobs, seed) for cadence, world in pairs]
    with ProcessPoolExecutor() as pool:
        return dict(zip(tasks, pool.map(Task.run, tasks), strict=True))


def row(
    name: str, measured: Measurement, bounds: World | None = None, best: float = math.nan
) -> tuple[str, ...]:
    """Format one line of a table; `best` is the least E that can be reached, NaN where nobody knows."""
    bounds = bounds or World("")
    return (
        name,
        f"{measured.efficiency:.3f}",
        f"{bounds.bound:g}" if bounds.bound < math.inf else "",
        f"{measured.cost:.2f} s",
        f"{measured.requests:.1f}",
        f"{measured.latency:.2f} s",
        f"{measured.p95:.2f} s",
        f"{bounds.p95:g} s" if bounds.p95 < math.inf else "",
        f"{measured.worst:.2f} s",
        "" if math.isnan(best) else f"{best / measured.efficiency:.0%}",
    )


def rows(measured: Figures) -> Iterator[tuple[str, ...]]:
    """Format a line for everything that was measured, the optimum last."""
    blind = {peer.name for peer in PEERS}
    best = {task.world: each.efficiency for task, each in measured.items() if task.cadence == OPTIMUM}
    for task, figure in measured.items():
        if task.cadence == OURS:
            yield row(f"cfgate: {task.world}", figure, BY_NAME[task.world], best.get(task.world, math.nan))
        elif task.cadence != OPTIMUM:
            yield row(f"{'any world' if task.cadence in blind else task.world}: {task.cadence}", figure)
    for task, figure in measured.items():
        if task.cadence == OPTIMUM:
            yield row(f"optimum: {task.world}", figure)


def table(lines: Sequence[Sequence[str]], *, markdown: bool) -> str:
    """Lay out a table, for Markdown or for a terminal."""
    widths = [max(len(line[column]) for line in (HEAD, *lines)) for column in range(len(HEAD))]

    def laid_out(line: Sequence[str]) -> str:
        first, *others = zip(line, widths, strict=True)
        cells = [first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in others)]
        return f"| {' | '.join(cells)} |" if markdown else "  ".join(cells).rstrip()

    rule = ["-" * width for width in widths]
    return "\n".join(map(laid_out, (HEAD, rule, *lines)))


def points(measured: Figures) -> Iterator[Point]:
    """Make a point for every peer in the picture, and for cfgate by what the API tells."""
    for task, figure in measured.items():
        if task.cadence in PLOTTED_PEERS:
            yield Point(task.cadence, figure.requests, figure.latency, ours=False)
        elif task.cadence == OURS and task.world in PLOTTED:
            yield Point(PLOTTED[task.world], figure.requests, figure.latency, ours=True)


def broken(world: World) -> list[str]:
    """Return the bounds of a world that the cadence breaks, each with its figure."""
    measured = measure(world, lambda number: Cadence(seed=number), CHECK_JOBS, CHECK_SEED)
    limits = [
        ("E", measured.efficiency, world.bound),
        ("p95", measured.p95, world.p95),
        ("mean", measured.latency, world.mean),
        ("requests", measured.requests, world.requests),
        ("max", measured.worst, 15 + ROUND_TRIP + 1e-6),
    ]
    if world.times < math.inf:
        fixed = measure(world, lambda _: Blind(then=15.0), CHECK_JOBS, CHECK_SEED)
        limits.append(("requests", measured.requests, world.times * fixed.requests))
    return [f"{world.name}: {name} {value:.4g} > {limit:g}" for name, value, limit in limits if value > limit]


def worn(world: World) -> list[str]:
    """Return what has grown beyond its limit in a world, after ten thousand answers."""
    work = endure(world)
    return [f"{world.name}: {work} corners for one answer > {LIMIT}"] if work > LIMIT else []


def _check(task: tuple[bool, int]) -> list[str]:
    bounds, index = task
    return broken((*WORLDS, *READINGS)[index]) if bounds else worn(WORLDS[index])


def check() -> int:
    """Print every bound that is broken; return how many."""
    tasks = [(True, index) for index in range(len(WORLDS) + len(READINGS))]
    tasks += [(False, index) for index in range(len(WORLDS))]
    with ProcessPoolExecutor() as pool:
        faults = [fault for found in pool.map(_check, tasks) for fault in found]
    print("\n".join([*faults, f"{len(tasks)} measurements, {len(faults)} bounds broken"]))
    return len(faults)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print, plot when asked to; return an exit code."""
    parser = argparse.ArgumentParser(description="Measure the cadence in virtual time.")
    parser.add_argument("--jobs", type=int, default=1000, help="jobs in each world (default: 1000)")
    parser.add_argument("--seed", type=int, default=1, help="another seed, other jobs (default: 1)")
    parser.add_argument("--markdown", action="store_true", help="print a Markdown table")
    parser.add_argument("--plot", type=Path, help="draw latency against requests into this SVG file")
    parser.add_argument("--check", action="store_true", help="fail when a bound is broken; about a minute")
    options = parser.parse_args(arguments)
    if options.check:
        return min(check(), 1)
    measured = figures(options.jobs, options.seed)
    print(table(list(rows(measured)), markdown=options.markdown))
    if options.plot:
        duration = next(each.duration for task, each in measured.items() if task.world == NOTHING.name)
        options.plot.write_text(scatter(list(points(measured)), duration), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
