"""Watch every test for the credentials of `canary`: a pytest plugin, which the conftest loads.

A test fails when anything of them stands in what it prints, logs or reports (a warning fails here in any
case); in a file that it writes; in the text of an error of cfgate; in the arguments or the output of a
process that it starts; or in what it sends anywhere but in the Authorization header to its own API. What only
the runner of a CI job sees, the commands that register masks, is let through.

A test that must do such a thing says so, and why: `@pytest.mark.handles_canaries("reason")`.
"""

from __future__ import annotations

import logging
import os
import re
import socket
import ssl
import subprocess
import sys
from collections.abc import Callable, Generator, Iterable
from contextlib import suppress
from functools import wraps
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit
from weakref import WeakSet

import pytest

from cfgate.client.transport import Transport
from cfgate.errors import GateError
from cfgate.hosts.console import Console
from cfgate.simulator import Simulator
from tests.support.canary import found

_MASK: Final = re.compile(r"^(::add-mask::|##vso\[task\.setsecret\]).*$", re.MULTILINE)
_AUTHORIZATION: Final = re.compile(rb"\r\nAuthorization: (?i:Basic|Bearer) [!-~]+(?=\r\n)")
_LARGEST: Final = 1 << 23  # bytes of a file


class Watch:
    """What the test under way has done so far."""

    def __init__(self) -> None:
        self.begin(handled=False)
        self._connected: WeakSet[socket.socket] = WeakSet()

    def begin(self, *, handled: bool) -> None:
        """Forget everything. With `handled`, look away."""
        self._handled = handled
        self.leaks: list[str] = []
        self.apis: set[str] = set()
        self._written: set[str] = set()

    def look(self, where: str, *texts: object) -> None:
        """Take note when any of these texts, or lists of texts, holds something of a credential."""
        for text in texts:
            if isinstance(text, (list, tuple)):
                self.look(where, *text)
            elif isinstance(text, (str, bytes)) and (names := found(text)):
                self._leak(where, names)

    def printed(self, where: str, text: object) -> None:
        """Look at what was printed, but for the commands that only a CI runner sees."""
        text = text.decode(errors="replace") if isinstance(text, bytes) else text
        self.look(where, _MASK.sub("", text) if isinstance(text, str) else text)

    def wrote(self, path: object) -> None:
        """Hear that a file may be written."""
        if isinstance(path, (str, bytes, os.PathLike)):
            self._written.add(os.path.abspath(os.fsdecode(path)))  # noqa: PTH100 - the file may be gone soon

    def files(self, below: str = "") -> None:
        """Look into the files that were written, and are still there."""
        written = tuple(self._written)  # other threads write on
        for path in [path for path in written if path.startswith(below)]:
            self._written.discard(path)
            with suppress(OSError):
                if Path(path).is_file() and Path(path).stat().st_size <= _LARGEST:
                    self.look(f"the file {Path(path).name}", Path(path).read_bytes())

    def sent(self, sock: socket.socket, data: bytes) -> None:
        """Look at what goes out on a connection. What a server of the test's own answers is its affair."""
        if not (names := found(data)):
            return
        if isinstance(sock, ssl.SSLSocket):
            place, ours = str(sock.server_hostname), not sock.server_side
            known = {urlsplit(api).hostname for api in self.apis}
        else:
            host, port = sock.getpeername()[:2]
            place, ours = f"http://{host}:{port}", sock in self._connected
            known = {api.replace("localhost", host) for api in self.apis}
        if ours and (place not in known or found(_AUTHORIZATION.sub(b"", data, count=1))):
            self._leak(f"a request to {place}", names)

    def audit(self, event: str, args: tuple[Any, ...]) -> None:
        """Hear what the interpreter does."""
        if event == "open":
            if args[2] & (os.O_WRONLY | os.O_RDWR):
                self.wrote(args[0])
        elif event == "os.rename":
            self.wrote(args[1])
        elif event in ("os.remove", "shutil.rmtree") and not isinstance(args[0], int):
            self.files(below=os.path.abspath(os.fsdecode(args[0])))  # noqa: PTH100 - as above
        elif event == "socket.connect":
            self._connected.add(args[0])
        elif event in ("subprocess.Popen", "os.exec", "os.posix_spawn", "os.system"):
            self.look("the arguments of a process", *args[:2])

    def _leak(self, where: str, names: list[str]) -> None:
        if not self._handled:
            self.leaks.append(f"{' and '.join(names)} in {where}")


_watch: Final = Watch()


def _before(owner: type, name: str, look: Callable[..., None]) -> None:
    """Have `look` see the arguments of a method before it runs."""
    method = getattr(owner, name)

    @wraps(method)
    def looked_at(*args: Any, **kwargs: Any) -> Any:
        look(*args, **kwargs)
        return method(*args, **kwargs)

    setattr(owner, name, looked_at)


def _after(owner: type, name: str, look: Callable[..., None]) -> None:
    """Have `look` see what a method returns, and its object."""
    method = getattr(owner, name)

    @wraps(method)
    def looked_at(self: Any, *args: Any, **kwargs: Any) -> Any:
        returned = method(self, *args, **kwargs)
        look(self, returned)
        return returned

    setattr(owner, name, looked_at)


def _raised(error: GateError, message: str, *, remedy: str | None = None, **_: object) -> None:
    _watch.look(f"the text of {type(error).__name__}", message, remedy)


def _communicating(process: subprocess.Popen[Any], *_: object, **__: object) -> None:
    with suppress(OSError):
        _watch.look("the list of processes", Path(f"/proc/{process.pid}/cmdline").read_bytes())


def _ended(_: object, streams: Iterable[object]) -> None:
    for text in streams:
        _watch.printed("the output", text)


class _Logged(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        _watch.look("a log record", self.format(record))


def pytest_configure(config: pytest.Config) -> None:
    """Begin to watch: for the whole process, as an audit hook stays."""
    config.addinivalue_line("markers", "handles_canaries(reason): lets a test show the canary credentials")
    if sys.gettrace() is None:  # where coverage traces, a hook lets the threads get into each other's way
        sys.addaudithook(_watch.audit)
    logging.getLogger().addHandler(_Logged())
    _before(GateError, "__init__", _raised)
    _before(Console, "write", lambda _, text: _watch.printed("the log", text))
    _before(Transport, "__init__", lambda _, api_url, *__: _watch.apis.add(api_url))
    _after(Simulator, "start", lambda simulator, _: _watch.apis.add(simulator.url))
    for owner, name in ((socket.socket, "send"), (socket.socket, "sendall"), (ssl.SSLSocket, "send")):
        _before(owner, name, lambda sock, data, *_: _watch.sent(sock, bytes(data)))
    _before(subprocess.Popen, "communicate", _communicating)
    _after(subprocess.Popen, "communicate", _ended)
    _after(pytest.CaptureFixture, "readouterr", _ended)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Begin anew with each test."""
    marker = item.get_closest_marker("handles_canaries")
    if marker is not None and not (marker.args and marker.args[0]):
        raise pytest.UsageError(f"{item.nodeid}: handles_canaries needs a reason")
    _watch.begin(handled=marker is not None)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Fail a test that has leaked something."""
    report = yield
    for title, text in report.sections:
        _watch.printed(title, text)
    _watch.look("the report of a failure", report.longreprtext)
    _watch.files()
    if _watch.leaks and report.passed:
        report.outcome = "failed"
        report.longrepr = "A credential has leaked:\n" + "\n".join(dict.fromkeys(_watch.leaks))
    _watch.leaks = []
    return report
