"""The program in a real terminal, under a real shell with job control: what a person sees on the screen."""

from __future__ import annotations

import os
import select
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support import posix
from tests.support.parsers.screen import Screen

pytestmark = pytest.mark.process

ROOT = Path(__file__).parents[2]
PATIENCE = 30.0  # seconds

STUCK = """\
life:
  - state: Running
    progress: 41
faults:
  - status: 503
    after: 2s
    until: 5s
  - status: 503
    after: 8s
"""


class Session:
    """A terminal with a shell in it."""

    def __init__(self, descriptor: int, columns: int, rows: int) -> None:
        self.descriptor = descriptor
        self.screen = Screen(columns, rows)

    def type(self, keys: str) -> None:
        """Press keys."""
        os.write(self.descriptor, keys.encode())

    def command(self, text: str) -> None:
        """Wait for the shell's prompt, and type a command."""
        end = time.monotonic() + PATIENCE
        while self.screen.lines[-1:] != ["%"] and time.monotonic() < end:
            self.wait_for("%")
        self.type(f"{text}\n")

    def wait_for(self, *texts: str, gone: str = "") -> list[str]:
        """Wait until all texts are on the screen and another is not; return the lines that are seen then."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if select.select([self.descriptor], [], [], 0.1)[0]:
                self.screen.feed(os.read(self.descriptor, 1 << 16).decode())
            seen = "\n".join(self.screen.lines)
            if all(text in seen for text in texts) and not (gone and gone in seen):
                return self.screen.lines
        raise AssertionError("\n".join([f"waited in vain for {texts}; the screen:", *self.screen.lines]))


@contextmanager
def shell(columns: int, rows: int = 24) -> Iterator[Session]:
    """Open a terminal with a shell that has job control and no line editor."""
    child, descriptor = posix.fork_into_terminal()
    if child == 0:
        environ = {"PATH": os.environ["PATH"], "PS1": "% ", "TERM": "xterm", "LANG": "C.UTF-8"}
        os.execve("/bin/bash", ["bash", "--norc", "--noediting", "-i"], environ)  # noqa: S606 - the point
    try:
        posix.resize(descriptor, rows, columns)
        session = Session(descriptor, columns, rows)
        session.wait_for("% ".strip())
        yield session
    finally:
        os.close(descriptor)
        os.kill(child, posix.KILL)
        os.waitpid(child, 0)


def start(session: Session, folder: Path) -> None:
    """Start a gate on a job that goes on for ever."""
    scenario = folder / "stuck.yml"
    scenario.write_text(STUCK)
    script = folder / "gate"
    gate = f"{sys.executable} {ROOT}/entrypoint.py 9001 --rehearse {scenario} --max-interval 1s"
    script.write_text(f"#!/bin/sh\nexec {gate}\n")
    script.chmod(0o755)
    session.command(str(script))


def row_of(lines: list[str]) -> list[str]:
    """Find the rows of the live display."""
    return [line for line in lines if line.startswith(("image version 9001 ", "9001 "))]


def test_keys_leave_nothing_among_the_rows(tmp_path: Path) -> None:
    """Enter and letters are not shown while the display is there, and there is one row all the time."""
    with shell(100) as session:
        start(session, tmp_path)
        before = session.wait_for("41 % Running")
        session.type("\n\nabc\n")
        after = session.wait_for("no answer for")
        assert [line for line in after if "abc" in line] == []
        assert len(after) == len(before)
        assert len(row_of(before)) == len(row_of(after)) == 1
        lines = session.wait_for("answers come again after", "\nimage version 9001 ")
        assert len(row_of(lines)) == 1
        session.type("\x03")
        session.wait_for("interrupted (rehearsal", gone="\nimage version 9001 ")


def test_a_stopped_gate_gives_the_terminal_back(tmp_path: Path) -> None:
    """Ctrl-Z takes the rows away and lets the shell echo; with `fg` they are there again."""
    with shell(100) as session:
        start(session, tmp_path)
        session.wait_for("41 % Running")
        session.type("\x1a")
        assert row_of(session.wait_for("Stopped")) == []
        session.command("echo he''re")
        lines = session.wait_for("\nhere")
        assert "% echo he''re" in lines
        session.command("fg")
        assert len(row_of(session.wait_for("% fg", "\nimage version 9001 "))) == 1
        session.type("\x1a")
        session.wait_for("% fg", gone="\nimage version 9001 ")
        session.command("bg")
        session.type("echo b''ehind\n")
        assert row_of(session.wait_for("behind")) == []
        session.type("kill %1\n")
        session.wait_for("interrupted")


def test_quit_ends_in_order(tmp_path: Path) -> None:
    r"""Ctrl-\ takes the rows away, says how things stand, and leaves a terminal that echoes."""
    with shell(100) as session:
        start(session, tmp_path)
        session.wait_for("41 % Running")
        session.type("\x1c")
        lines = session.wait_for("stopped by SIGQUIT", "\n%")
        assert row_of(lines) == []
        session.command("echo co''de $?")
        assert "% echo co''de $?" in session.wait_for("code 131")


def test_in_forty_columns_the_id_and_the_trouble_are_seen(tmp_path: Path) -> None:
    """One row says how long there has been no answer, and when the gate gives up."""
    with shell(40) as session:
        start(session, tmp_path)
        lines = session.wait_for("9001 no answer for ", "gives up in ")
        assert len(row_of(lines)) == 1


def test_a_window_may_change_its_size(tmp_path: Path) -> None:
    """The next frame is one for the new width, in the place of the one before."""
    with shell(100) as session:
        start(session, tmp_path)
        session.wait_for("\nimage version 9001 ")
        posix.resize(session.descriptor, 24, 40)
        (row,) = row_of(session.wait_for("\n9001 ", gone="\nimage version 9001 "))
        assert len(row) < 40
