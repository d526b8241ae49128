"""Play the situations, many at a time, each on a machine of its own; print what was right and what wrong."""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import time
import traceback
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fronts import certificates
from fronts.lab import Lab
from fronts.situation import Situation, situations

NAMESPACES: Final = ("--mount", "--net", "--pid", "--ipc", "--fork", "--kill-child", "--mount-proc")
_GRACE: Final = 170.0  # seconds


@dataclass(frozen=True)
class Verdict:
    """How a situation went: what was wrong, and how long it took."""

    situation: Situation
    wrong: list[str]
    seconds: float


def main() -> int:
    """Play all that match; fail when one is wrong, or when none matches."""
    options = _options()
    if options.play:
        return _play(options.play, options.directory)
    chosen = [each for each in situations() if re.search(options.regex, f"{each.room}/{each.name}")]
    if not chosen:
        print(f"no situation matches {options.regex!r}")
        return 2
    _prepare(options.source, options.directory)
    started = time.monotonic()
    verdicts = _play_all(chosen, options.directory, options.jobs)
    _summarize(verdicts, options.directory, time.monotonic() - started)
    return any(verdict.wrong for verdict in verdicts)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="prove", description=__doc__)
    parser.add_argument("source", type=Path, help="a checkout of cfgate")
    parser.add_argument("regex", nargs="?", default="", help="only the situations whose room/name matches")
    parser.add_argument("--directory", type=Path, required=True, help="for logs; an empty one")
    parser.add_argument("--jobs", type=int, default=8 * (os.cpu_count() or 2), help="how many at a time")
    parser.add_argument(
        "--play", help=argparse.SUPPRESS
    )  # one, on the machine that this process has for itself
    return parser.parse_args()


def _prepare(source: Path, directory: Path) -> None:
    """Take the product as it is now, so that it may be worked on in the meantime, and make certificates."""
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(source / "cfgate", directory / "source" / "cfgate", ignore=ignored)
    certificates.make(directory / "tls")


def _play(name: str, directory: Path) -> int:
    """Play one here, and write what is wrong."""
    found = next(each for each in situations() if each.name == name)
    here = directory / "runs" / name
    lab = Lab(here, directory / "tls", directory / "source")
    try:
        found.play(lab)
    except Exception:  # noqa: BLE001 - the lab is broken, which is wrong too
        lab.wrong.append(f"the lab itself: {traceback.format_exc(limit=-3)}")
    (here / "wrong.json").write_text(json.dumps(lab.wrong))
    # The threads of servers may hang; with this process everything on the machine ends.
    os._exit(0)


def _play_all(chosen: list[Situation], directory: Path, jobs: int) -> list[Verdict]:
    """Play all, the longest first; print each as it ends."""
    width = max(len(f"{each.room}/{each.name}") for each in chosen)
    verdicts = []
    with ThreadPoolExecutor(jobs) as workers:
        longest_first = sorted(chosen, key=lambda each: -each.seconds)
        futures = [workers.submit(_play_apart, each, directory) for each in longest_first]
        for future in as_completed(futures):
            verdict = future.result()
            verdicts.append(verdict)
            name = f"{verdict.situation.room}/{verdict.situation.name}"
            word = "WRONG" if verdict.wrong else "right"
            first = verdict.wrong[0].splitlines()[-1][:160] if verdict.wrong else ""
            print(f"{word}  {name:<{width}}  {verdict.seconds:5.1f} s  {first}".rstrip(), flush=True)
    return verdicts


def _play_apart(each: Situation, directory: Path) -> Verdict:
    """Play one in namespaces of its own."""
    here = directory / "runs" / each.name
    here.mkdir(parents=True)
    words = (str(directory), "--play", each.name, "--directory", str(directory))
    argv = ("unshare", *NAMESPACES, sys.executable, "-m", "fronts", *words)
    started = time.monotonic()
    with (here / "lab.out").open("wb") as output, subprocess.Popen(argv, stdout=output, stderr=output) as lab:
        try:
            lab.wait(each.seconds + _GRACE)
        except subprocess.TimeoutExpired:
            lab.kill()
    seconds = time.monotonic() - started
    try:
        wrong = json.loads((here / "wrong.json").read_text())
    except FileNotFoundError:
        wrong = [f"the lab itself: it ended without a verdict: {(here / 'lab.out').read_text()[-800:]}"]
    return Verdict(each, wrong, seconds)


def _summarize(verdicts: list[Verdict], directory: Path, seconds: float) -> None:
    """Print the wrong ones in full, and how many are right."""
    wrong = [verdict for verdict in verdicts if verdict.wrong]
    order = [each.name for each in situations()]
    for verdict in sorted(wrong, key=lambda verdict: order.index(verdict.situation.name)):
        print(f"\n{verdict.situation.room}/{verdict.situation.name}: {verdict.situation.right}")
        for each in verdict.wrong:
            print(f"    {each}")
    logs = f"; logs in {directory}/runs" if wrong else ""
    right = len(verdicts) - len(wrong)
    print(
        f"\nfronts: {right} of {len(verdicts)} situations right, {len(wrong)} wrong, in {seconds:.0f} s{logs}"
    )


if __name__ == "__main__":
    raise SystemExit(main())
