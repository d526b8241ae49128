"""Measure the cadence in virtual time, beside those of other gates: `python benchmarks/cadence.py`.

Seeded and deterministic: the same figures on every machine. `--markdown` prints the table of
docs/cadence.md, `--plot FILE` draws latency against requests. What is measured stands in `measure`.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).parents[1]))  # run as a script, from anywhere

from benchmarks.measure import Measurement, measure
from benchmarks.peers import PEERS, SIMPLE_RULES
from benchmarks.plot import Point, scatter
from benchmarks.worlds import BY_NAME, NOTHING, WORLDS, World
from cfgate.schedule import Cadence

HEAD: Final = ("", "E", "bound", "requests", "latency: mean", "p95", "bound", "worst")
# The worlds that stand for what an API may tell, in the plot.
PLOTTED: Final = (
    "the estimate improves",
    "progress, steady",
    "progress, fast to 90 %, then slow",
    "one fixed estimate, 15 % off",
    "no estimate, no progress",
)


def ours(world: World, jobs: int, seed: int) -> Measurement:
    """Measure cfgate's cadence with its defaults."""
    return measure(world, lambda number: Cadence(seed=number), jobs, seed)


def optimum(world: World, samples: int = 40_000) -> float:
    """Return the least E that any cadence can reach which knows only how long such jobs take.

    The best rate of looking is proportional to the square root of the hazard rate h. With k * sqrt(h) looks a
    second, R = k * I and L = I / (2 * k), where I is the integral of S * sqrt(h) over time and S the share of
    jobs that have not ended; so E = I**2 / (2 * D), whatever k. It is 1/2 for ends without memory. The
    integral is taken over a histogram of simulated ends: S * sqrt(h) = sqrt(S * f), f being their density.
    """
    width = 10.0  # seconds; wide enough for hundreds of ends in a bin
    ends = [world.job(f"optimum/{number}").end for number in range(samples)]
    bins: dict[int, int] = {}
    for end in ends:
        bins[int(end / width)] = bins.get(int(end / width), 0) + 1
    left, integral = 1.0, 0.0
    for number in sorted(bins):
        share = bins[number] / samples
        integral += math.sqrt((left - share / 2) * share / width) * width
        left -= share
    return integral**2 / (2 * sum(ends) / samples)


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
    )


def rows(jobs: int, seed: int) -> Iterator[tuple[str, ...]]:
    """Measure everything: cfgate in every world, then the others, then what theory allows."""
    for world in WORLDS:
        yield row(f"cfgate: {world.name}", ours(world, jobs, seed), world)
    for peer in PEERS:  # blind, so one world speaks for all
        yield row(f"any world: {peer.name}", measure(NOTHING, peer.make, jobs, seed))
    for rule, name in zip(SIMPLE_RULES, ("the estimate improves", "progress, steady"), strict=True):
        yield row(f"{name}: {rule.name}", measure(BY_NAME[name], rule.make, jobs, seed))
    yield (f"{NOTHING.name}: theoretical optimum", f"{optimum(NOTHING):.3f}", "", "", "", "", "", "")


def table(lines: Sequence[Sequence[str]], *, markdown: bool) -> str:
    """Lay out a table, for Markdown or for a terminal."""
    widths = [max(len(line[column]) for line in (HEAD, *lines)) for column in range(len(HEAD))]

    def laid_out(line: Sequence[str]) -> str:
        first, *others = zip(line, widths, strict=True)
        cells = [first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in others)]
        return f"| {' | '.join(cells)} |" if markdown else "  ".join(cells)

    rule = ["-" * width for width in widths]
    return "\n".join(map(laid_out, (HEAD, rule, *lines)))


def points(jobs: int, seed: int) -> Iterator[Point]:
    """Make a point for every peer, and for cfgate by what the API tells."""
    for peer in PEERS:
        measured = measure(NOTHING, peer.make, jobs, seed)
        yield Point(peer.name, measured.requests, measured.latency, ours=False)
    for name in PLOTTED:
        measured = ours(BY_NAME[name], jobs, seed)
        yield Point(f"cfgate: {name}", measured.requests, measured.latency, ours=True)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print, or plot."""
    parser = argparse.ArgumentParser(description="Measure the cadence in virtual time.")
    parser.add_argument("--jobs", type=int, default=1000, help="jobs in each world (default: 1000)")
    parser.add_argument("--seed", type=int, default=1, help="another seed, other jobs (default: 1)")
    parser.add_argument("--markdown", action="store_true", help="print a Markdown table")
    parser.add_argument("--plot", type=Path, help="draw latency against requests into this SVG file")
    options = parser.parse_args(arguments)
    if options.plot:
        options.plot.write_text(scatter(list(points(options.jobs, options.seed))), "utf-8")
        return
    print(table(list(rows(options.jobs, options.seed)), markdown=options.markdown))


if __name__ == "__main__":
    main()
