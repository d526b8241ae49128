"""Signals that ask the process to stop become messages."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from types import SimpleNamespace

import pytest

from cfgate.system import signals, windows
from tests.support import posix

PROGRAM = """\
import signal
from cfgate.system.signals import exit_code, listen
heard = []
signal.signal(signal.{name}, signal.SIG_DFL)  # whoever runs the tests, as `nohup` does, may have it ignored
{before}
listen(heard.append)
signal.raise_signal(signal.{name})
print([(number.name, exit_code(number)) for number in heard])
"""


def run(name: str, before: str = "") -> str:
    """Send one signal to a process of its own."""
    program = PROGRAM.format(name=name, before=before)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return done.stdout.strip()


only_posix = posix.only("Windows has no such signal")


@pytest.mark.process
@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("SIGINT", 130),
        ("SIGTERM", 143),
        pytest.param("SIGQUIT", 131, marks=only_posix),
        pytest.param("SIGHUP", 129, marks=only_posix),
        pytest.param(
            "SIGBREAK", 149, marks=pytest.mark.skipif(sys.platform != "win32", reason="only Windows has it")
        ),
    ],
)
def test_every_signal_that_asks_for_the_end_is_a_message(name: str, code: int) -> None:
    """Ctrl-C, a runner, Ctrl-Backslash, Ctrl-Break, a closed terminal: all let the gate write its result."""
    assert run(name) == f"[('{name}', {code})]"


def test_a_console_that_is_closed_is_a_message(monkeypatch: pytest.MonkeyPatch) -> None:
    """On Windows it comes as SIGBREAK, which is what its C library takes it for."""
    tell: list[Callable[[], None]] = []
    heard: list[signal.Signals] = []
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr(sys, "platform", "win32")
        elsewhere.setattr(signal, "signal", lambda *_: None)
        elsewhere.setattr(signals, "Signals", SimpleNamespace(SIGBREAK=signal.SIGINT))
        elsewhere.setattr(windows, "on_closing", tell.append)
        signals.listen(heard.append)
        tell[0]()
    assert heard == [signal.SIGINT]


@only_posix
@pytest.mark.process
def test_a_program_that_was_started_by_nohup_goes_on() -> None:
    """A hang-up that is ignored stays ignored."""
    assert run("SIGHUP", "signal.signal(signal.SIGHUP, signal.SIG_IGN)") == "[]"
