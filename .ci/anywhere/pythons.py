"""The CPythons of this machine: `python pythons.py` prints a line for each, "3.11.2 PATH"."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

HOME: Final = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
NAMES: Final = ("python[23].[0-9]", "python3.[0-9][0-9]")
PLACES: Final = (Path("/usr/bin"), Path("/usr/local/bin"), *sorted(HOME.glob("versions/*/bin")))
# Read by the oldest of them. What is no final release, or not CPython, says nothing.
ASKED: Final = """
import platform, sys
if sys.version_info[3] == "final" and platform.python_implementation() == "CPython":
    print("%d.%d.%d" % tuple(sys.version_info[:3]))
"""

Version = tuple[int, ...]


def pythons() -> dict[Version, str]:
    """Find one interpreter of each version, the oldest first."""
    found: dict[Version, str] = {}
    there = (str(path) for place in PLACES for name in NAMES for path in sorted(place.glob(name)))
    for path in (sys.executable, *there):
        try:
            asked = subprocess.run([path, "-c", ASKED], capture_output=True, text=True, check=False)
        except OSError:
            continue
        if asked.returncode == 0 and asked.stdout:
            found.setdefault(tuple(map(int, asked.stdout.split("."))), path)
    return dict(sorted(found.items()))


def named(version: Version) -> str:
    """Write a version as people do."""
    return ".".join(map(str, version))


if __name__ == "__main__":
    sys.stdout.writelines(f"{named(version)} {path}\n" for version, path in pythons().items())
