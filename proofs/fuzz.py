"""Fuzz everything that reads what comes from outside, guided by coverage (atheris, libFuzzer).

    python -m proofs.fuzz [TARGET ...] [--minutes N] [--keep]

Each target (see `fuzz_targets`) runs for so many minutes in a process of its own, from the inputs that are
kept in `proofs/corpus`. What it finds stays in `.cache/fuzz/TARGET`: new inputs, and one named `crash-…`,
`timeout-…` or `oom-…` where a promise was broken, an input took longer than ten seconds, or more than
2 GiB. `--keep` takes what covers something new into the corpus, as few and as short inputs as will do.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
_CORPUS: Final = ROOT / "proofs" / "corpus"
_FOUND: Final = ROOT / ".cache" / "fuzz"
_LONGEST: Final = 2048  # bytes of an input
_BOUNDS: Final = ("-timeout=10", "-rss_limit_mb=2048", f"-max_len={_LONGEST}")


@dataclass(frozen=True)
class Fuzzed:
    """What became of a target."""

    name: str
    executions: int
    findings: tuple[str, ...]
    log: str


def fuzz(name: str, seconds: int) -> Fuzzed:
    """Fuzz a target for so long."""
    found = _FOUND / name
    found.mkdir(parents=True, exist_ok=True)
    log = _libfuzzer(
        name,
        f"-max_total_time={seconds}",
        f"-artifact_prefix={found}/",
        "-print_final_stats=1",
        *_BOUNDS,
        str(found),
        str(_CORPUS / name),
    )
    executed = re.search(r"number_of_executed_units: ([0-9]+)", log)
    findings = [str(path) for path in sorted(found.iterdir()) if re.match("crash|timeout|oom", path.name)]
    return Fuzzed(name, int(executed[1]) if executed else 0, tuple(findings), log)


def keep(name: str) -> int:
    """Take into the corpus what was found, as little of it as covers the same; return how many inputs."""
    kept = _CORPUS / name
    with tempfile.TemporaryDirectory() as folder:
        _libfuzzer(name, "-merge=1", *_BOUNDS, folder, str(kept), str(_FOUND / name))
        least = {path.name: path.read_bytes() for path in Path(folder).iterdir()}
    if not least:
        raise RuntimeError(f"nothing was merged for {name}")
    for path in kept.iterdir():
        path.unlink()
    for file, content in least.items():
        (kept / file[:12]).write_bytes(content)
    return len(least)


def _libfuzzer(name: str, *options: str) -> str:
    """Run libFuzzer in a process of its own, for it never returns; give its log."""
    ran = subprocess.run(
        [sys.executable, "-m", "proofs.fuzz_guided", name, *options],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    return ran.stdout


def main(argv: Sequence[str] | None = None) -> int:
    """Print what became of each target; exit 1 where a promise was broken."""
    names = sorted(path.name for path in _CORPUS.iterdir())
    parser = argparse.ArgumentParser(prog="fuzz", description="Fuzz what reads what comes from outside.")
    parser.add_argument("targets", nargs="*", choices=[*names, []], metavar="TARGET", help=", ".join(names))
    parser.add_argument("--minutes", type=float, default=2.0, metavar="N", help="for each target")
    parser.add_argument("--keep", action="store_true", help="take what was found into the corpus")
    arguments = parser.parse_args(argv)
    failed = False
    for name in arguments.targets or names:
        fuzzed = fuzz(name, max(1, round(arguments.minutes * 60)))
        kept = f", {keep(name)} inputs kept" if arguments.keep else ""
        print(
            f"{name:<10} {fuzzed.executions:>9} executions, {len(fuzzed.findings)} findings{kept}", flush=True
        )
        if fuzzed.findings or not fuzzed.executions:
            failed = True
            print(*fuzzed.findings, fuzzed.log[-4000:], sep="\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
