"""Hand a result over: to the host, and to the files that the user has named.

It is called twice. At the start with `UNDECIDED`, so that a gate that is killed leaves no green from itself
or from an earlier run behind it; and at the end with the result, on every way out.
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
from cfgate.hosts.pipe import descriptor_of_pipe, pour
from cfgate.model import GateStatus, Result
from cfgate.report.annotations import job_annotations
from cfgate.report.dotenv import dotenv
from cfgate.report.markdown import markdown
from cfgate.report.outputs import outputs
from cfgate.report.result import as_json

if TYPE_CHECKING:
    from cfgate.hosts import Host
    from cfgate.settings.values import Files

# Seconds for which a pipe may take nothing, stdout too, and how long to wait before it is tried again.
_PATIENCE: Final = 1.0
_PATIENCE_WITH_STDOUT: Final = 10.0
_GLANCE: Final = 0.01
_NOBODY: Final = (errno.ETIMEDOUT, "nobody reads it")
_RESERVE: Final = 32  # descriptors

UNDECIDED: Final = Result(
    GateStatus.ERROR,
    GateStatus.ERROR.exit_code,
    "cfgate was stopped before it could decide",
    "Look at how this job ended: cfgate was killed, or its machine went away. Then run this step again.",
)


def promise(undecided: Result, host: Host, files: Files) -> None:
    """Write the fail-closed verdict everywhere. Raises InvalidSettings for what cannot be written."""
    problems = _deliver(undecided, host, files)
    if problems:
        raise InvalidSettings(problems)


def deliver(result: Result, host: Host, files: Files, stdout: TextIO | None) -> None:
    """Write the verdict everywhere; what cannot be written is told, and changes nothing."""
    problems = _deliver(result, host, files)
    if files.result == "-" and stdout is not None:
        try:
            _print(as_json(result) + "\n", stdout)
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
    if path.exists() and not stat.S_ISREG(path.stat().st_mode):
        _pour(path, data)  # a pipe or a device cannot be replaced
        return
    with _replacing(path) as file:
        file.write_bytes(data)


def _print(text: str, stdout: TextIO) -> None:
    """Write to stdout, which may be a pipe, whole or for as long as somebody reads."""
    descriptor = descriptor_of_pipe(stdout)
    if descriptor is None:
        stdout.write(text)
        stdout.flush()
    else:
        _hand_over(descriptor, text.encode(stdout.encoding, "backslashreplace"), _PATIENCE_WITH_STDOUT)


def _pour(path: Path, data: bytes) -> None:
    """Write to a pipe or a device. Nobody may be there to read: the gate must not hang on that."""
    end = time.monotonic() + _PATIENCE
    while (descriptor := _opened(path)) is None:
        if time.monotonic() > end:
            raise TimeoutError(*_NOBODY)
        time.sleep(_GLANCE)
    try:
        _hand_over(descriptor, data, _PATIENCE)
    finally:
        os.close(descriptor)


def _hand_over(descriptor: int, data: bytes, patience: float) -> None:
    """Write for as long as some of it is taken every so many seconds."""
    left, before = bytearray(data), len(data)
    while not pour(descriptor, left, patience):
        if len(left) == before:
            raise TimeoutError(*_NOBODY)
        before = len(left)


def _opened(path: Path) -> int | None:
    """Open without waiting for a reader; `None` while there is none."""
    try:
        return os.open(path, os.O_WRONLY | os.O_NONBLOCK)
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
        new.chmod(path.stat().st_mode if path.exists() else 0o644)
        new.replace(path)
    except BaseException:
        new.unlink(missing_ok=True)
        raise
