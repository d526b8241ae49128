"""What only Windows has. Here against stand-ins for its libraries, there against these too."""

from __future__ import annotations

import ctypes
import io
import sys
import threading
import time
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cfgate.system import windows

ON_WINDOWS = sys.platform == "win32"


class Kernel:
    """A stand-in for kernel32: a console with a mode, or none, and the handlers that it was given."""

    def __init__(self, mode: int | None = None, *, knows_escapes: bool = True) -> None:
        self.mode = mode
        self.knows_escapes = knows_escapes
        self.handlers: list[Callable[[int], bool]] = []

    def SetConsoleCtrlHandler(self, handler: Callable[[int], bool], add: int) -> int:  # noqa: N802
        """Keep a handler."""
        assert add == 1
        self.handlers.append(handler)
        return 1

    def GetConsoleMode(self, handle: object, mode: Any) -> int:  # noqa: ARG002, N802
        """Tell the mode, or that this is no console."""
        if self.mode is None:
            return 0
        mode.value = self.mode
        return 1

    def SetConsoleMode(self, handle: object, mode: int) -> int:  # noqa: ARG002, N802
        """Take a mode, unless there is something in it that this console does not know."""
        if not self.knows_escapes:
            return 0
        self.mode = mode
        return 1


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> Kernel:
    """Make this Windows, as far as this module looks."""
    made = Kernel()
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(ctypes, "WinDLL", {"kernel32": made}.__getitem__, raising=False)
    monkeypatch.setattr(ctypes, "WINFUNCTYPE", lambda *_: lambda function: function, raising=False)
    monkeypatch.setattr(ctypes, "byref", lambda value: value)
    monkeypatch.setitem(
        sys.modules, "msvcrt", types.SimpleNamespace(get_osfhandle=lambda descriptor: descriptor)
    )
    return made


def test_a_console_that_is_closed_is_told_and_the_process_goes_on(
    kernel: Kernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The handler of a closing, a log-off and a shut-down tells, and keeps Windows waiting."""
    told: list[str] = []
    monkeypatch.setattr(time, "sleep", lambda seconds: told.append(f"stays {seconds:g}"))
    windows.on_closing(lambda: told.append("closing"))
    (handler,) = kernel.handlers
    for event in (2, 5, 6):
        assert handler(event)
    assert told == ["closing", "stays 60"] * 3


@pytest.mark.parametrize("event", [0, 1])
def test_ctrl_c_and_ctrl_break_are_left_to_python(kernel: Kernel, event: int) -> None:
    """They are signals: the next handler has them."""
    windows.on_closing(lambda: pytest.fail("it is no closing"))
    assert not kernel.handlers[0](event)


@pytest.mark.parametrize(
    ("mode", "knows", "shown"), [(3, True, True), (7, False, True), (3, False, False), (None, True, False)]
)
def test_a_console_is_asked_for_escape_sequences(
    kernel: Kernel, tmp_path: Path, mode: int | None, knows: bool, shown: bool
) -> None:
    """One that knows them is switched to them, one that obeys already stays; an old one and NUL have none."""
    kernel.mode, kernel.knows_escapes = mode, knows
    with (tmp_path / "stream").open("w") as stream:
        assert windows.shows_escapes(stream) is shown
    assert kernel.mode == (7 if shown else mode)
    assert not windows.shows_escapes(stream)  # closed by now


def test_without_ctypes_nothing_is_heard_and_nothing_is_coloured(
    kernel: Kernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A Python that was built without it runs the gate all the same."""
    monkeypatch.setitem(sys.modules, "ctypes", None)
    windows.on_closing(lambda: None)
    assert not windows.shows_escapes(io.StringIO())
    assert kernel.handlers == []


def test_a_pipe_gets_utf8_whatever_the_code_page() -> None:
    """And what UTF-8 does not have, as an escape."""
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="cp1252", newline="\n")
    windows.speak_utf8(stream, {"PYTHONIOENCODING": ""})
    print("größer · → \udc80", file=stream, flush=True)
    assert raw.getvalue() == "größer · → \\udc80\n".encode()


def test_whoever_names_an_encoding_gets_it() -> None:
    """`PYTHONIOENCODING` is Python's own way to ask for one. A stream that knows no encodings stays."""
    stream = io.TextIOWrapper(io.BytesIO(), encoding="cp1252")
    windows.speak_utf8(stream, {"PYTHONIOENCODING": "cp1252"})
    assert stream.encoding == "cp1252"
    windows.speak_utf8(None, {})
    windows.speak_utf8(io.StringIO(), {})


@pytest.mark.parametrize(
    "path",
    [
        "NUL", "nul", "con", "Con.json", "aux.tar.gz", "PRN ", "com1", "LPT9.txt", "COM\xb2", "CONIN$",
        "conout$", r"C:\reports\NUL", "reports/con", "C:nul", r"\\server\share\aux.xml", r"\\.\pipe\gate",
        r"\\.\C:", "//./pipe/gate", r"\\?\pipe\gate", r"\\?\GLOBALROOT\Device\Null", r"\\?\C:", "/dev/stdout",
        r"\dev\null", "/proc/self/fd/1", "nul:",
    ],
)  # fmt: skip
def test_what_is_no_file_on_windows_is_known(path: str) -> None:
    """Devices in any folder and with any ending, pipes, whole drives, and the streams of other systems."""
    assert windows.is_no_file(path)


@pytest.mark.parametrize(
    "path",
    [
        "result.json", r"C:\reports\result.json", r"D:result.json", r"\\server\share\a folder\r.json",
        "console.json", r"\\?\C:\reports\result.json", r"\\?\UNC\server\share\r.json", "//?/C:/r.json",
        "com10", "COM", "nulls", "null", "auxiliary.xml", r"dev\result.json", "C:/dev/result.json",
        r"a folder\con fig.yml", "my-con",
    ],
)  # fmt: skip
def test_what_only_looks_like_it_is_a_file(path: str) -> None:
    """Drives, blanks, shares and the long forms of paths are files like others."""
    assert not windows.is_no_file(path)


@pytest.mark.skipif(not ON_WINDOWS, reason="Windows only: it asks the real kernel32")
def test_windows_takes_the_handler() -> None:
    """The real library registers it, and calling it through the real type tells and waits."""
    before, told = len(windows._KEPT), threading.Event()
    windows.on_closing(told.set)
    assert len(windows._KEPT) == before + 1
    handler: Any = windows._KEPT[-1]
    threading.Thread(target=handler, args=(2,), daemon=True).start()
    assert told.wait(30)
    assert handler(0) == 0
