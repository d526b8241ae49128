"""Signals that ask the process to stop become messages."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """\
import os, signal, sys
from cfgate.system.signals import exit_code, listen
heard = []
{before}
listen(heard.append)
os.kill(os.getpid(), signal.{name})
print([(number.name, exit_code(number)) for number in heard])
"""


def run(name: str, before: str = "") -> str:
    """Send one signal to a process of its own."""
    program = PROGRAM.format(name=name, before=before)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.mark.process
@pytest.mark.parametrize(
    ("name", "code"), [("SIGINT", 130), ("SIGTERM", 143), ("SIGQUIT", 131), ("SIGHUP", 129)]
)
def test_every_signal_that_asks_for_the_end_is_a_message(name: str, code: int) -> None:
    """Ctrl-C, a runner, Ctrl-Backslash and a terminal that is closed all let the gate write its result."""
    assert run(name) == f"[('{name}', {code})]"


@pytest.mark.process
def test_a_program_that_was_started_by_nohup_goes_on() -> None:
    """A hang-up that is ignored stays ignored."""
    assert run("SIGHUP", "signal.signal(signal.SIGHUP, signal.SIG_IGN)") == "[]"
