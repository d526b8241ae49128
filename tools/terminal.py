"""Draw docs/images/terminal.svg, a real rehearsal in a terminal: `python -m tools.terminal`."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Final

PICTURE: Final = Path(__file__).parents[1] / "docs" / "images" / "terminal.svg"
REHEARSAL: Final = ("9001", "--rehearse", "retried", "--max-interval", "1s")

_WIDTH, _LINE, _MARGIN, _CHARACTER = 980, 21, 20, 8.43  # pixels
_COLOURS: Final = {
    "31": "#ff7b72",
    "32": "#7ee787",
    "33": "#e3b341",
    "36": "#79c0ff",
    "2": "#8b949e",
    "1": "#ffffff",
}
_FONTS: Final = "ui-monospace,SFMono-Regular,Menlo,Consolas,monospace"
_PLAIN: Final = "#e6edf3"
_SGR: Final = re.compile("\x1b\\[([0-9;]*)m")


def terminal() -> str:
    """Draw what a rehearsal prints, in its colours."""
    command = [sys.executable, "-m", "cfgate", *REHEARSAL]
    # Nothing of this machine's settings, and no host but a terminal, which shows colours.
    environ = {"PATH": os.environ["PATH"], "FORCE_COLOR": "1"}
    ended = subprocess.run(
        command, env=environ, cwd=PICTURE.parents[2], capture_output=True, text=True, check=True
    )
    return drawn(f"$ cfgate {' '.join(REHEARSAL)}\n{ended.stdout}")


def drawn(text: str) -> str:
    """Draw a text with colours (SGR) as an SVG; no other escape may be in it."""
    lines = text.rstrip("\n").split("\n")
    height = 2 * _MARGIN + _LINE * len(lines)
    width = max(_WIDTH, round(2 * _MARGIN + _CHARACTER * max(len(_SGR.sub("", line)) for line in lines)))
    rows = [
        f'<text x="{_MARGIN}" y="{_MARGIN + _LINE * (number + 0.75):g}" xml:space="preserve">'
        f"{''.join(_spans(line))}</text>"
        for number, line in enumerate(lines)
    ]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">',
            "<title>cfgate in a terminal: a rehearsal of a job that is retried</title>",
            f'<rect width="{width}" height="{height}" rx="8" fill="#0d1117"/>',
            f'<g font-family="{_FONTS}" font-size="14" fill="{_PLAIN}">',
            *rows,
            "</g>",
            "</svg>",
            "",
        ]
    )


def _spans(line: str) -> Iterator[str]:
    """Part a line where its colour changes."""
    colour = _PLAIN
    parts = _SGR.split(line)
    for text, code in zip(parts[::2], [*parts[1::2], ""], strict=True):
        if text:
            yield escape(text) if colour == _PLAIN else f'<tspan fill="{colour}">{escape(text)}</tspan>'
        colour = _COLOURS.get(code.split(";")[-1], _PLAIN)


def main() -> int:
    """Draw the picture."""
    PICTURE.write_text(terminal(), "utf-8")
    print(f"wrote docs/images/{PICTURE.name}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
