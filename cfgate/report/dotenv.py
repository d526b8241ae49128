"""GitLab's dotenv report: variables for later jobs.

GitLab takes the file whole or not at all, and a job whose report is refused turns red. It splits at LF and at
the first `=`, strips both sides, and keeps quotes and backslashes as they are; later jobs expand `$NAME` and
`%NAME%` in values. Source: `Ci::ParseDotenvArtifactService` of GitLab, and its page on dotenv reports.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from cfgate.text.invisible import INVISIBLE

MAX_FILE: Final = 5119  # bytes: the file must be smaller than 5 KiB
PREFIX: Final = "CFGATE"
_CUT: Final = "...[cut]"

# JSON without quotes is no JSON, and 5 KiB would not hold it: take `result-file` as an artifact instead.
# GitLab's own limit on a self-managed server is 20 variables, so what only a roll-out has stays out too.
LEFT_OUT: Final = frozenset({"result", "machines-pending", "machines-failed", "machines-completed"})

# Expanded by GitLab, or quotes and escapes to one of the shells that a job may run in: PowerShell takes
# typographic quotes for quotes.
_ARMED: Final = re.compile("[$%\\\\\"'`\u2018-\u201f]")


def dotenv(pairs: Mapping[str, str], prefix: str = PREFIX) -> str:
    """Write outputs as a dotenv file of at most `MAX_FILE` bytes; the longest values are cut first.

    The variables of a report replace those of the same names from other reports, in no defined order: gates
    of one pipeline need prefixes of their own.
    """
    kept = {name: value for name, value in pairs.items() if name not in LEFT_OUT}
    lines = {variable(name, prefix): _disarmed(value) for name, value in kept.items()}
    room = MAX_FILE - sum(len(key) + len("=\n") for key in lines)
    longest = _longest([len(value.encode()) for value in lines.values()], room)
    return "".join(f"{key}={_cut(value, longest)}\n" for key, value in lines.items())


def variable(name: str, prefix: str = PREFIX) -> str:
    """Name the variable of an output: `job-state-id` is `CFGATE_JOB_STATE_ID`."""
    return f"{prefix}_" + re.sub("[^A-Z0-9_]", "_", name.upper())


def _disarmed(value: str) -> str:
    """Make one line of a value, with `_` for what a shell or GitLab would act on."""
    return _ARMED.sub("_", " ".join(INVISIBLE.sub(" ", value).split()))


def _longest(sizes: list[int], room: int) -> int:
    """Find the size that every value may have if all must fit into `room` and short ones are left whole."""
    for position, size in enumerate(sorted(sizes)):
        share = room // (len(sizes) - position)
        if size > share:
            return share
        room -= size
    return max(sizes, default=0)


def _cut(value: str, size: int) -> str:
    """Cut a value to `size` bytes, visibly."""
    encoded = value.encode()
    if len(encoded) <= size:
        return value
    return encoded[: size - len(_CUT)].decode(errors="ignore").rstrip() + _CUT
