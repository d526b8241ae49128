"""Measure the cadence in virtual time, beside those of other gates: `python benchmarks/cadence.py`.

Seeded and deterministic: the same figures on every machine. `--markdown` prints the table of
docs/cadence.md, `--plot FILE` draws latency against requests. What is measured stands in `measure`.
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

from benchmarks.measure import Measurement, measure
from benchmarks.optimum import best_blind, best_estimate
from benchmarks.peers import PEERS, SIMPLE_RULES
from benchmarks.plot import Point, scatter
from benchmarks.worlds import BY_NAME, IMPROVING, NOTHING, ONE_ESTIMATE, WORLDS, World
from cfgate.schedule import Cadence

OURS: Final = "cfgate"
HEAD: Final = ("", "E", "bound", "requests", "latency: mean", "p95", "bound", "worst", "mean of E")
# What each simple rule is measured in: a world that it was made for, and one that it was not.
TRIED_IN: Final = {
    SIMPLE_RULES[0].name: (IMPROVING.name, ONE_ESTIMATE.name),
    SIMPLE_RULES[1].name: ("progress, steady", "progress in jumps of 10"),
}
# The worlds that stand for what an API may tell, in the plot.
PLOTTED: Final = (
    IMPROVING.name,
    "progress, steady",
    "progress, fast to 90 %, then slow",
    ONE_ESTIMATE.name,
    NOTHING.name,
)


@dataclass(frozen=True)
class Task:
    """A cadence and a world, by their names: what one process measures at a time."""

    cadence: str
    world: str
    jobs: int
    seed: int

    def run(self) -> Measurement:
        """Measure it, with the defaults of the cadence."""
        makers = {peer.name: peer.make for peer in (*PEERS, *SIMPLE_RULES)}
        makers[OURS] = lambda number: Cadence(seed=number)
        return measure(BY_NAME[self.world], makers[self.cadence], self.jobs, self.seed)


Figures = Mapping[Task, Measurement]


def figures(jobs: int, seed: int) -> Figures:
    """Measure everything: cfgate in every world, then the others; the blind ones cost the same in any."""
    pairs = [(OURS, world.name) for world in WORLDS]
    pairs += [(peer.name, NOTHING.name) for peer in PEERS]
    pairs += [(rule, world) for rule, worlds in TRIED_IN.items() for world in worlds]
    tasks = [Task(cadence, world, jobs, seed) for cadence, world in pairs]
    with ProcessPoolExecutor() as pool:
        return dict(zip(tasks, pool.map(Task.run, tasks), strict=True))


def row(name: str, measured: Measurement, world: World | None = None) -> tuple[str, ...]:
    """Write one line of a table; without a world there is no bound."""
    p95 = f"{world.p95:g} s" if world and world.p95 < math.inf else ""
    return (
        name,
        f"{measured.efficiency:.3f}",
        f"{world.bound:.2f}" if world else "",
        f"{measured.requests:.1f}",
        f"{measured.latency:.2f} s",
        f"{measured.p95:.2f} s",
        p95,
        f"{measured.worst:.2f} s",
        f"{measured.mean_efficiency:.3f}",
    )


def rows(measured: Figures) -> Iterator[tuple[str, ...]]:
    """Write a line for everything that was measured, and then what theory allows."""
    blind = {peer.name for peer in PEERS}
    for task, figure in measured.items():
        world = "any world" if task.cadence in blind else task.world
        if task.cadence == OURS:
            yield row(f"cfgate: {world}", figure, BY_NAME[world])
        else:
            yield row(f"{world}: {task.cadence}", figure)
    for world_of, least in ((NOTHING, best_blind(NOTHING)), (ONE_ESTIMATE, best_estimate(ONE_ESTIMATE))):
        yield (f"{world_of.name}: theoretical optimum", f"{least:.3f}", *[""] * (len(HEAD) - 2))


def table(lines: Sequence[Sequence[str]], *, markdown: bool) -> str:
    """Lay out a table, for Markdown or for a terminal."""
    widths = [max(len(line[column]) for line in (HEAD, *lines)) for column in range(len(HEAD))]

    def laid_out(line: Sequence[str]) -> str:
        first, *others = zip(line, widths, strict=True)
        cells = [first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in others)]
        return f"| {' | '.join(cells)} |" if markdown else "  ".join(cells)

    rule = ["-" * width for width in widths]
    return "\n".join(map(laid_out, (HEAD, rule, *lines)))


def points(measured: Figures) -> Iterator[Point]:
    """Make a point for every peer, and for cfgate by what the API tells."""
    for peer in PEERS:
        figure = next(each for task, each in measured.items() if task.cadence == peer.name)
        yield Point(peer.name, figure.requests, figure.latency, ours=False)
    for name in PLOTTED:
        figure = next(each for task, each in measured.items() if (task.cadence, task.world) == (OURS, name))
        yield Point(f"cfgate: {name}", figure.requests, figure.latency, ours=True)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print, and plot when asked to."""
    parser = argparse.ArgumentParser(description="Measure the cadence in virtual time.")
    parser.add_argument("--jobs", type=int, default=1000, help="jobs in each world (default: 1000)")
    parser.add_argument("--seed", type=int, default=1, help="another seed, other jobs (default: 1)")
    parser.add_argument("--markdown", action="store_true", help="print a Markdown table")
    parser.add_argument("--plot", type=Path, help="draw latency against requests into this SVG file")
    options = parser.parse_args(arguments)
    measured = figures(options.jobs, options.seed)
    print(table(list(rows(measured)), markdown=options.markdown))
    if options.plot:
        duration = next(each.duration for task, each in measured.items() if task.world == NOTHING.name)
        options.plot.write_text(scatter(list(points(measured)), duration), "utf-8")


if __name__ == "__main__":
    main()
