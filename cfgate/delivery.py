"""Hand a result over: to the host, and to the files that the user has named.

It is called twice. At the start with `conclusion.UNDECIDED`, so that a gate that is killed leaves no green
from itself or from an earlier run behind it; and at the end with the result, on every way out.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final, TextIO

from cfgate.errors import InvalidSettings
from cfgate.hosts import Level
from cfgate.model import GateStatus
from cfgate.report.annotations import job_annotations
from cfgate.report.dotenv import dotenv
from cfgate.report.markdown import markdown
from cfgate.report.outputs import outputs
from cfgate.report.result import as_json
from cfgate.system.pipes import descriptor_of, write_within

if TYPE_CHECKING:
    from cfgate.hosts import Host
    from cfgate.model import Result
    from cfgate.settings.values import Files

# Seconds for which a pipe may take nothing, what it may take in all, and how often it is tried.
_PATIENCE: Final = 1.0
_LONGEST: Final = 10.0
_GLANCE: Final = 0.01
_NOBODY: Final = (errno.ETIMEDOUT, "nobody reads it")
_RESERVE: Final = 32  # descriptors


def write_undecided(undecided: Result, host: Host, files: Files) -> None:
    """Write the fail-closed verdict everywhere. Raises InvalidSettings for what cannot be written."""
    problems = _deliver(undecided, host, files)
    if problems:
        raise InvalidSettings(problems)


def deliver(result: Result, host: Host, files: Files, stdout: TextIO | None) -> None:
    """Write the verdict everywhere; what cannot be written is told, and changes nothing."""
    problems = _deliver(result, host, files)
    if files.result == "-" and stdout is not None:
        try:
            # Whoever has cancelled the job will not wait.
            cancelled = result.status is GateStatus.INTERRUPTED
            _print(as_json(result) + "\n", stdout, _PATIENCE if cancelled else _LONGEST)
        except TimeoutError as error:
            problems.append(f"result-file '-' cannot be written: {error.strerror}")
        except (OSError, ValueError):
            pass  # whoever read it has gone, and wants it no more
    for problem in problems:
        host.annotate(Level.WARNING, "cfgate: a report is missing", problem)


def _deliver(result: Result, host: Host, files: Files) -> list[str]:
    pairs = outputs(result)
    page = markdown(result, files.details_url)
    host.output(pairs)
    host.summary(page)
    contents: list[tuple[str, str, Callable[[], str]]] = [
        ("result-file", files.result, lambda: as_json(result) + "\n"),
        ("junit-file", files.junit, lambda: _junit(result)),
        ("dotenv-file", files.dotenv, lambda: dotenv(pairs)),
        ("summary-file", files.summary, lambda: page),
        ("annotations-file", files.annotations, lambda: job_annotations(result, files.details_url)),
    ]
    problems = []
    for option, path, content in contents:
        if path in ("", "-"):
            continue
        try:
            _write(Path(path), content())
        except OSError as error:
            problems.append(f"{option} {path!r} cannot be written: {error.strerror or error}")
    return problems


def _junit(result: Result) -> str:
    from cfgate.report.junit import junit  # with an XML library, for those alone who want this report

    return junit(result)


def _write(path: Path, content: str) -> None:
    """Write a file whole or not at all; its folder is made where it is missing."""
    data = content.encode("utf-8", "backslashreplace")
    path.parent.mkdir(parents=True, exist_ok=True)
    if _is_stream(path):
        _pour(path, data)
        return
    with _replacing(Path(os.path.realpath(path))) as file:  # a link stays, and what it leads to is written
        file.write_bytes(data)


def _is_stream(path: Path) -> bool:
    """Whether a path is not one of a file that could be replaced: a pipe, a device, a descriptor of ours."""
    ours = os.path.abspath(path).startswith(("/dev/std", "/dev/fd/", "/proc/"))  # noqa: PTH100 - no link
    return ours or (path.exists() and not stat.S_ISREG(path.stat().st_mode))


def _print(text: str, stdout: TextIO, seconds: float) -> None:
    """Write to stdout, for some seconds at most where it is a pipe or a terminal."""
    descriptor = descriptor_of(stdout)
    if descriptor is None:
        stdout.write(text)
        stdout.flush()
    elif not write_within(descriptor, bytearray(text.encode(stdout.encoding, "backslashreplace")), seconds):
        raise TimeoutError(*_NOBODY)


def _pour(path: Path, data: bytes) -> None:
    """Write to a pipe or a device. Nobody may be there to read: the gate must not hang on that."""
    end = time.monotonic() + _PATIENCE
    while (descriptor := _opened(path)) is None:
        if time.monotonic() > end:
            raise TimeoutError(*_NOBODY)
        time.sleep(_GLANCE)
    left, before, end = bytearray(data), len(data), time.monotonic() + _LONGEST
    try:
        while not write_within(descriptor, left, _PATIENCE):
            if len(left) == before or time.monotonic() > end:
                raise TimeoutError(*_NOBODY)
            before = len(left)
    finally:
        os.close(descriptor)


def _opened(path: Path) -> int | None:
    """Open without waiting for a reader; `None` while there is none."""
    try:
        return os.open(path, os.O_WRONLY | os.O_NONBLOCK | os.O_APPEND)
    except OSError as error:
        if error.errno == errno.ENXIO:
            return None
        raise


@contextlib.contextmanager
def reserved() -> Iterator[None]:
    """Keep some descriptors back while the block runs.

    Many connections may use up all that the process may have; then no report could be opened after them, no
    module be loaded, and no thread be ended.
    """
    kept: list[int] = []
    with contextlib.suppress(OSError):  # so few that none are left: no connection will get any either
        kept += (os.open(os.devnull, os.O_RDONLY) for _ in range(_RESERVE))
    try:
        yield
    finally:
        for descriptor in kept:
            os.close(descriptor)


@contextlib.contextmanager
def _replacing(path: Path) -> Iterator[Path]:
    """Give a file beside `path` that takes its place once the block is done."""
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    os.close(descriptor)
    new = Path(name)
    try:
        yield new
        before = path.stat() if path.exists() else None
        new.chmod(before.st_mode if before else 0o644)
        if before and (before.st_uid, before.st_gid) != (new.stat().st_uid, new.stat().st_gid):
            with contextlib.suppress(OSError):  # only root may give a file away
                os.chown(new, before.st_uid, before.st_gid)
        new.replace(path)
    except BaseException:
        new.unlink(missing_ok=True)
        raise
