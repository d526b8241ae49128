"""Draw the pictures of docs/images: the summary as GitHub shows it, and a terminal in an outage.

Every picture is of a real run: the program plays a scenario on a clock that jumps, and its summary is
rendered by GitHub's own Markdown library, its style sheet and mermaid, in a headless Chromium. The command
`make pictures` gets the last two into .cache/pictures; `python -m tools.pictures FOLDER` draws every ending.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from queue import SimpleQueue
from signal import SIGINT
from typing import TYPE_CHECKING, Any, Final

import cmarkgfm  # type: ignore[import-untyped]  # it has no types
from cmarkgfm.cmark import Options  # type: ignore[import-untyped]  # it has no types

from cfgate.cli import Program
from cfgate.simulator import Simulator, parse

if TYPE_CHECKING:
    from cfgate.gate.watch import Inbox

ROOT: Final = Path(__file__).parents[1]
IMAGES: Final = ROOT / "docs" / "images"
LIBRARIES: Final = ROOT / ".cache" / "pictures" / "node_modules"
NOON: Final = 1_795_435_200.0
WIDE: Final = 980  # pixels, the page of a job on GitHub
NARROW: Final = 500  # half a screen, and about twice a phone

OUTAGE: Final = """
life:
  - {state: Created, for: 20s}
  - {state: Queued, for: 100s}
  - {state: Running, for: 35m, progress: 0 to 100, eta: within 10%}
  - {state: Completed}
faults:
  - {status: 503, after: 15m, until: 21m}
"""
FAILED: Final = r"""
life:
  - {state: Queued, for: 40s}
  - {state: Running, for: 4m, progress: 0 to 63}
  - state: Failed
    joberror: "packaging stopped: no space left\n  level_07.pak: 12.4 GiB needed, 3.1 GiB free"
"""
RUNNING: Final = "life: [{state: Queued, for: 1m}, {state: Running, progress: 37}]"


@dataclass(frozen=True)
class Run:
    """One run to draw: what Clanforge does, and what cfgate is asked for."""

    scenario: str
    argv: tuple[str, ...] = ("9001",)
    signal_after: float = float("inf")


RUNS: Final = {
    "ready": Run(OUTAGE),
    "failed": Run(FAILED),
    "squashed": Run("life: [{state: Queued, for: 30s}, {state: Squashed}]"),
    "timeout": Run(RUNNING, ("9001", "--timeout", "20m")),
    "stalled": Run(RUNNING, ("9001", "--stall-timeout", "10m")),
    "rejected": Run("{life: [{state: Running}], faults: [{status: 403}]}"),
    "not-found": Run("{life: [{state: Running}], faults: [{status: 404}]}"),
    "unavailable": Run("{life: [{state: Running, progress: 37}], faults: [{after: 3m, status: 503}]}"),
    "inconsistent": Run("{life: [{state: Running, fields: {jobstateid: 9, jobstatename: Packing}}]}"),
    "pending": Run("life: [{state: Running, progress: 37, eta: ahead 240s}]", ("check", "9001")),
    "interrupted": Run(RUNNING, signal_after=300.0),
    "invalid": Run(RUNNING, ("9001", "--timeout", "45", "--max-interval", "soon")),
    "retried": Run(
        "life: [{state: Running, for: 3m, progress: 0 to 80}, {state: Queued, for: 1m, jobfailed: 1},"
        " {state: Running, for: 4m}, {state: Completed}]"
    ),
    "several": Run(
        OUTAGE.replace("Completed", "Failed, joberror: disk full"), ("9001,9002,9003", "--no-fail-fast")
    ),
    "rollout": Run(
        "life: [{state: Queued, for: 20s}, {state: Running, for: 6m}, {state: Completed}]",
        ("42", "--resource", "rollout"),
    ),
    "rollout-failed": Run(
        "life: [{state: Running, for: 6m, progress: 0 to 90}, {state: Failed}]",
        ("42", "--resource", "rollout"),
    ),
}
KEPT: Final = {
    "summary-ready": ("ready", WIDE, "light"),
    "summary-failed-dark": ("failed", WIDE, "dark"),
    "summary-timeout-narrow": ("timeout", NARROW, "light"),
}


class JumpingClock:
    """A clock on which sleeping takes no time; a signal comes when its moment has come."""

    def __init__(self, inbox: Inbox, signal_after: float) -> None:
        self._now = 0.0
        self._inbox = inbox
        self._signal_after = signal_after

    def monotonic(self) -> float:
        """Seconds since the start."""
        return self._now

    def time(self) -> float:
        """Unix time."""
        return NOON + self._now

    def sleep(self, seconds: float) -> None:
        """Jump ahead."""
        self._now += seconds
        if self._now >= self._signal_after:
            self._inbox.put(SIGINT)
            SimpleQueue[None]().get()  # the gate's thread ends with the process


def play(run: Run) -> str:
    """Run cfgate in virtual time, and return its summary."""
    inbox: Inbox = SimpleQueue()
    clock = JumpingClock(inbox, run.signal_after)
    with (
        tempfile.TemporaryDirectory() as folder,
        Simulator(parse(run.scenario), clock=clock.time) as simulator,
    ):
        summary = Path(folder) / "summary.md"
        environ = {"CLANFORGE_TOKEN": "-", "CFGATE_ACCOUNT_SERVICE_ID": "1234567"}
        program = Program(environ, StringIO(), StringIO(), inbox, clock)
        program.run([*run.argv, "--api-url", simulator.url, "--summary-file", str(summary)])
        return summary.read_text("utf-8")


def page(markdown: str, theme: str, libraries: Path) -> str:
    """Make the page that GitHub would show of a summary."""
    body = cmarkgfm.github_flavored_markdown_to_html(markdown, Options.CMARK_OPT_UNSAFE)
    body = re.sub(
        r'<pre lang="mermaid"><code>(.*?)</code></pre>',
        lambda match: f'<div class="mermaid">{match[1]}</div>',
        body,
        flags=re.DOTALL,
    )
    body = re.sub(
        r"<blockquote>\s*<p>\[!(\w+)\]",
        lambda match: (
            f'<blockquote class="markdown-alert markdown-alert-{match[1].lower()}">'
            f'<p class="markdown-alert-title">{match[1].title()}</p><p>'
        ),
        body,
    )
    style = (libraries / "github-markdown-css" / f"github-markdown-{theme}.css").read_text("utf-8")
    ground = {"light": "#ffffff", "dark": "#0d1117"}[theme]
    settings = json.dumps({"startOnLoad": True, "theme": "dark" if theme == "dark" else "default"})
    return (
        f'<!doctype html><meta charset="utf-8"><style>{style}'
        f"body{{margin:0;padding:24px;background:{ground}}}</style>"
        f'<article class="markdown-body">{body}</article>'
        f'<script src="{libraries}/mermaid/dist/mermaid.min.js"></script>'
        f"<script>mermaid.initialize({settings})</script>"
    )


SHOOT: Final = """
const puppeteer = require('puppeteer-core');
(async () => {
  const browser = await puppeteer.launch({executablePath: process.argv[2], args: ['--no-sandbox']});
  for (const {file, image, width} of JSON.parse(process.argv[3])) {
    const page = await browser.newPage();
    await page.setViewport({width, height: 200, deviceScaleFactor: 1});
    await page.goto('file://' + file, {waitUntil: 'load'});
    await page.waitForFunction(
      () => [...document.querySelectorAll('.mermaid')].every(chart => chart.querySelector('svg')));
    await page.screenshot({path: image, fullPage: true});
    await page.close();
  }
  await browser.close();
})();
"""


def shoot(pages: dict[Path, tuple[str, int]], libraries: Path) -> None:
    """Draw pages: for each image the page and its width in pixels."""
    browser = shutil.which("chromium") or shutil.which("google-chrome") or "chromium"
    with tempfile.TemporaryDirectory() as folder:
        jobs: list[dict[str, Any]] = []
        for number, (image, (text, width)) in enumerate(pages.items()):
            file = Path(folder) / f"{number}.html"
            file.write_text(text, "utf-8")
            jobs.append({"file": str(file), "image": str(image), "width": width})
        script = libraries.parent / "shoot.cjs"
        script.write_text(SHOOT, "utf-8")
        subprocess.run(["node", str(script), browser, json.dumps(jobs)], check=True)


def main(arguments: list[str]) -> int:
    """Draw the pictures that are kept, or all of them into a folder."""
    libraries = LIBRARIES
    if arguments:
        folder = Path(arguments[0])
        wanted = {
            f"{name}-{width}-{theme}": (name, width, theme)
            for name in RUNS
            for width, theme in ((WIDE, "light"), (NARROW, "dark"))
        }
    else:
        folder, wanted = IMAGES, KEPT
    folder.mkdir(parents=True, exist_ok=True)
    played = {name: play(RUNS[name]) for name in dict.fromkeys(name for name, _, _ in wanted.values())}
    if arguments:
        for name, text in played.items():
            (folder / f"{name}.md").write_text(text, "utf-8")
    shoot(
        {
            folder / f"{image}.png": (page(played[name], theme, libraries), width)
            for image, (name, width, theme) in wanted.items()
        },
        libraries,
    )
    print("\n".join(f"drew {folder / image}.png" for image in wanted))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
