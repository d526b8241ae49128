"""Which files the reports would destroy: each other, what is read, what the host reads, and the log.

One file can be spelled in many ways: through links and `..`, by another hard link, in other letters where the
file system does not mind them, as a descriptor. So not names are compared but what they lead to.
"""

from __future__ import annotations

import os
import stat
import unicodedata
from collections.abc import Hashable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from cfgate.settings.options import FILES
from cfgate.settings.values import Files

_REPORTS: Final = {option.name: option.field for option in FILES if option.metavar == "FILE"}
_READ: Final = ("config", "ca-bundle", "rehearse")
# Files of the host's own, and the authorities that `ca-bundle` adds to.
_OF_OTHERS: Final = (
    "GITHUB_OUTPUT",
    "GITHUB_STEP_SUMMARY",
    "GITHUB_ENV",
    "GITHUB_PATH",
    "GITHUB_STATE",
    "GITHUB_EVENT_PATH",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "SSL_CERT_FILE",
)
_STDOUT: Final = 1
_STREAMS: Final = (_STDOUT, 2)  # where the log may go


def clashes(files: Files, given: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, str]:
    """Tell for each report that must not be written where it was asked for what it would destroy.

    `given` are the options as they were given, by their names.
    """
    taken: dict[Hashable, str] = {}
    for variable in _OF_OTHERS:
        _take(taken, environ.get(variable, ""), f"environment {variable}")
    for option in _READ:
        _take(taken, given.get(option, ""), option)
    if files.result != "-":  # with it stdout has the result and no log
        for stream in _STREAMS:
            taken |= dict.fromkeys(_regular_file(stream), "the log")
    found = {}
    for option, field in _REPORTS.items():
        other = _take(taken, getattr(files, field), option)
        if other in _REPORTS:
            found[option] = f"{other} and {option} name the same file: give each its own"
        elif other:
            found[option] = f"{option} names the file of {other}, which it would destroy: give it its own"
    return found


def _take(taken: dict[Hashable, str], path: str, name: str) -> str:
    """Note who uses a file; return who does already, "" when nobody does."""
    place = _place(path) if path else None
    if place is None:
        return ""
    first = taken.setdefault(place, name)
    return "" if first == name else first


def _place(path: str) -> Hashable | None:
    """Find out what a path leads to, the same for every spelling; `None` where several may write at once."""
    try:
        found = os.fstat(_STDOUT) if path == "-" else Path(path).stat()
    except FileNotFoundError:
        return _new_place(path)
    except (OSError, ValueError):  # it cannot be used, and whoever tries to will tell why
        return None
    if stat.S_ISCHR(found.st_mode):  # a terminal, /dev/null
        return None
    # A file system without numbers has 0 for all.
    return (found.st_dev, found.st_ino) if found.st_ino else os.path.realpath(path)


def _regular_file(stream: int) -> Iterator[Hashable]:
    """Find the file that a stream goes to, if that is one: `/dev/stdout` begins to write at its start."""
    with suppress(OSError):  # closed
        found = os.fstat(stream)
        if stat.S_ISREG(found.st_mode) and found.st_ino:
            yield found.st_dev, found.st_ino


def _new_place(path: str) -> Hashable | None:
    """Find out where a file would come to be: the folder that is there already, and the way from it."""
    real = Path(os.path.realpath(path))
    for folder in real.parents:
        try:
            found = folder.stat()
        except FileNotFoundError:
            continue
        except OSError:
            return None
        way = real.relative_to(folder).as_posix()
        if _minds_no_letters(folder):
            way = unicodedata.normalize("NFC", way).casefold()
        return found.st_dev, found.st_ino or folder, way
    return None


def _minds_no_letters(folder: Path) -> bool:
    """Whether small and capital letters are the same to the file system of a folder."""
    other = folder.with_name(folder.name.swapcase()) if folder.name else folder
    if other == folder:
        return folder != folder.parent and _minds_no_letters(folder.parent)
    try:
        return folder.samefile(other)
    except OSError:
        return False
