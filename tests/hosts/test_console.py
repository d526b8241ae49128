"""Whatever stdout is, writing to it stops nothing."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path
from typing import TextIO

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cfgate.hosts import Style
from cfgate.hosts.console import Console
from tests.support import hostile


class Stubborn(io.StringIO):
    """A stream that fails the first time."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self._errors = [error]

    def write(self, text: str) -> int:
        """Fail, and then work."""
        if self._errors:
            raise self._errors.pop()
        return super().write(text)


class Elsewhere(Stubborn):
    """A stream whose descriptor nobody can have."""

    def fileno(self) -> int:
        """Name it."""
        return -1


@settings(deadline=None)
@given(hostile.texts, st.sampled_from(["ascii", "latin-1", "cp1252", "utf-8"]))
@example(hostile.WORST, "ascii")
def test_every_encoding_takes_every_text(text: str, encoding: str) -> None:
    """What an encoding lacks is written as an escape, and nothing is raised."""
    binary = io.BytesIO()
    stream = io.TextIOWrapper(binary, encoding=encoding, newline="")
    Console(stream).lines([text])
    assert binary.getvalue() == f"{text}\n".encode(encoding, "backslashreplace")


def test_an_empty_line_has_no_colour() -> None:
    """Nothing is painted where there is nothing to see."""
    stream = io.StringIO()
    Console(stream, colour=True).lines(["", "a"], Style.BAD)
    assert stream.getvalue() == "\n\x1b[31ma\x1b[0m\n"


def test_every_line_is_flushed() -> None:
    """A line is on its way before the next one is made."""
    binary = io.BytesIO()
    stream = io.TextIOWrapper(binary, encoding="utf-8", newline="\n")
    Console(stream).lines(["a"])
    assert binary.getvalue() == b"a\n"


@pytest.mark.parametrize(
    "error", [BrokenPipeError(), OSError(28, "No space left on device"), ValueError("x")]
)
def test_a_broken_stream_is_left_alone(error: Exception) -> None:
    """After a failure nothing is written any more, and nothing is raised."""
    stream = Stubborn(error)
    console = Console(stream)
    console.write("a")
    console.write("b")
    assert stream.getvalue() == ""


def test_a_slow_reader_costs_no_more_than_its_lines() -> None:
    """A non-blocking pipe that is full loses what did not fit; later lines are written."""
    stream = Stubborn(BlockingIOError())
    console = Console(stream)
    console.write("a")
    console.write("b")
    assert stream.getvalue() == "b"


def test_a_missing_or_closed_stream_is_no_error() -> None:
    """Python has no stdout when its descriptor is closed; a stream may be closed later as well."""
    closed = io.StringIO()
    closed.close()
    streams: list[TextIO | None] = [None, closed]
    for stream in streams:
        Console(stream).lines(["a"])


@pytest.mark.process
def test_a_reader_that_goes_away_does_not_change_the_exit_code() -> None:
    """With a broken pipe Python would exit with 120 when it flushes stdout at its end."""
    program = (
        "import sys\n"
        "from cfgate.hosts.console import Console\n"
        "console = Console(sys.stdout)\n"
        "console.lines(['first'])\n"
        "sys.stdin.read()\n"
        "console.lines(['second'])\n"
        "sys.stdout.write('third')\n"
        "sys.exit(7)\n"
    )
    run = subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert run.stdin
    assert run.stdout
    assert run.stderr
    assert run.stdout.readline() == "first\n"
    run.stdout.close()
    run.stdin.close()
    assert run.wait(timeout=30) == 7
    assert run.stderr.read() == ""
    run.stderr.close()


@pytest.mark.parametrize(
    ("style", "shown"),
    [
        (Style.PLAIN, "a\n"),
        (Style.DIM, "\x1b[2ma\x1b[0m\n"),
        (Style.GOOD, "\x1b[32ma\x1b[0m\n"),
        (Style.BAD, "\x1b[31ma\x1b[0m\n"),
        (Style.ODD, "\x1b[33ma\x1b[0m\n"),
    ],
)
def test_colours_are_sgr_escapes(style: Style, shown: str) -> None:
    """A style is a colour where colours are wanted, and nothing elsewhere."""
    for colour, expected in ((True, shown), (False, "a\n")):
        stream = io.StringIO()
        Console(stream, colour=colour).lines(["a"], style)
        assert stream.getvalue() == expected


def test_a_broken_stream_without_a_descriptor_stops_nothing() -> None:
    """What is closed, or was never a file, is given up as quietly as a broken pipe."""
    detached = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    detached.close()
    with Path(os.devnull).open("w") as closed:
        pass
    for stream in (detached, closed, Stubborn(OSError()), Elsewhere(OSError())):
        console = Console(stream)
        console.write("a")
        console.write("b")
