"""A scatter plot as SVG, with both axes logarithmic, readable on light and dark pages.

Every point has its name beside it: those of others to the right, cfgate's to the left.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

WIDTH: Final = 920
HEIGHT: Final = 500
LEFT, RIGHT, TOP, BOTTOM = 80, 90, 40, 60
REQUESTS: Final = (5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0)
SECONDS: Final = (0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 100.0, 300.0)


@dataclass(frozen=True)
class Point:
    """One cadence: how many requests a job costs, and how many seconds late its end is seen.

    A point without a name shares that of its neighbour.
    """

    name: str
    requests: float
    latency: float
    ours: bool


def _x(requests: float) -> float:
    low, high = math.log(REQUESTS[0]), math.log(REQUESTS[-1])
    return LEFT + (math.log(requests) - low) / (high - low) * (WIDTH - LEFT - RIGHT)


def _y(latency: float) -> float:
    low, high = math.log(SECONDS[0]), math.log(SECONDS[-1])
    return HEIGHT - BOTTOM - (math.log(latency) - low) / (high - low) * (HEIGHT - TOP - BOTTOM)


def _grid() -> list[str]:
    lines = []
    for requests in REQUESTS:
        x = _x(requests)
        lines.append(f'<path d="M{x:.1f} {TOP}V{HEIGHT - BOTTOM}" class="grid"/>')
        lines.append(f'<text x="{x:.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{requests:g}</text>')
    for seconds in SECONDS:
        y = _y(seconds)
        lines.append(f'<path d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}" class="grid"/>')
        lines.append(f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{seconds:g} s</text>')
    middle = (LEFT + WIDTH - RIGHT) / 2
    lines.append(f'<text x="{middle}" y="{HEIGHT - 16}" text-anchor="middle">requests for one job</text>')
    title = "from the end of the job until it is known (lower and further left is better)"
    lines.append(f'<text x="{LEFT}" y="18">{title}</text>')
    return lines


def _equal(efficiency: float, duration: float, note: str) -> list[str]:
    """Draw the line on which requests x latency / duration is the same."""
    product = efficiency * duration
    first = max(REQUESTS[0], product / SECONDS[-1])
    last = min(REQUESTS[-1], product / SECONDS[0])
    x, y = _x(first), _y(product / first)
    return [
        f'<path d="M{x:.1f} {y:.1f}L{_x(last):.1f} {_y(product / last):.1f}" class="equal"/>',
        f'<text x="{x + 14:.1f}" y="{y - 2:.1f}">E = {efficiency:g}{note}</text>',
    ]


def scatter(points: Sequence[Point], duration: float) -> str:
    """Draw the points with their names; `duration` is the mean of the jobs, in seconds."""
    body = _grid() + _equal(0.5, duration, ": what every fixed interval costs") + _equal(0.03, duration, "")
    for point in points:
        kind, anchor, aside = ("ours", "end", -14) if point.ours else ("peer", "start", 12)
        x, y = _x(point.requests), _y(point.latency)
        style = f'text-anchor="{anchor}" class="name {kind}"'
        body += [
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{8 if point.ours else 6}" class="{kind}"/>',
            f'<text x="{x + aside:.1f}" y="{y + 5:.1f}" {style}>{escape(point.name)}</text>',
        ]
    rules = (
        "text{font:12px sans-serif;fill:#777}.grid{stroke:#999;stroke-opacity:.3}"
        ".equal{fill:none;stroke:#999;stroke-dasharray:6 4}"
        ".name{font-size:14px}.peer{fill:#8a8f98}.ours{fill:#1a9c45}.name.ours{font-weight:bold}"
    )
    inner = "\n".join(body)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">\n'
        f"<title>Latency against requests: cfgate and the cadences of other gates</title>\n"
        f"<style>{rules}</style>\n{inner}\n</svg>\n"
    )
