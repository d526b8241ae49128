"""A log goes into a pipe; its reader may be slow, stop, come back or be gone, and holds nothing up."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator

import pytest

from cfgate.hosts import pipe
from cfgate.hosts.console import Console
from cfgate.hosts.pipe import Pipe
from tests.support import posix

MUCH = 200_000  # bytes, more than a pipe holds


@pytest.fixture(autouse=True)
def no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for nobody: what has to happen in time is for the tests of whole programs."""
    monkeypatch.setattr(pipe, "_PATIENCE", 0.0)
    monkeypatch.setattr(pipe, "_LAST_PATIENCE", 0.0)


@pytest.fixture
def ends() -> Iterator[tuple[int, int]]:
    """Make a pipe: the end that reads, which does not wait, and the end that writes."""
    reader, writer = os.pipe()
    posix.let_wait(reader, False)
    yield reader, writer
    os.close(reader)
    os.close(writer)


def read(reader: int) -> bytes:
    """Read all that is there."""
    whole = b""
    while True:
        try:
            part = os.read(reader, 1 << 16)
        except BlockingIOError:
            return whole
        whole += part


def read_on(log: Pipe, reader: int) -> bytes:
    """Read all that is there and all that was kept."""
    got = read(reader)
    for _ in range(50):
        log.write(b"")
        got += read(reader)
    return got


def lines(first: int, end: int) -> bytes:
    """Make lines of a thousand bytes, each with its number."""
    return b"".join(b"%0999d\n" % number for number in range(first, end))


def test_what_is_read_at_once_is_written_at_once(ends: tuple[int, int]) -> None:
    """Nothing waits where nothing has to."""
    reader, writer = ends
    log = Pipe(writer)
    for text in (b"a\n", lines(0, 30), b"", b"b\n"):
        log.write(text)
        assert read(reader) == text


def test_what_is_read_late_is_all_there_and_in_order(ends: tuple[int, int]) -> None:
    """A reader that stops for a while finds every line, each once, as soon as something else is told."""
    reader, writer = ends
    log = Pipe(writer)
    for number in range(200):
        log.write(lines(number, number + 1))
    assert read_on(log, reader) == lines(0, 200)


def test_the_end_of_the_log_waits_for_a_reader_that_reads(
    ends: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is left is handed over at the end, to somebody who begins to take it a little late."""
    monkeypatch.setattr(pipe, "_LAST_PATIENCE", 30.0)
    reader, writer = ends
    posix.let_wait(reader, True)
    got: list[bytes] = []

    def read_all() -> None:
        while sum(map(len, got)) < MUCH:
            got.append(os.read(reader, 5000))

    with open(writer, "w", closefd=False) as stream:
        console = Console(stream)
        console.write(lines(0, 200).decode())
        late = threading.Timer(0.1, read_all)
        late.start()
        console.close()
    late.join()
    assert b"".join(got) == lines(0, 200)


@pytest.mark.parametrize(("much", "tries"), [(200, 3), (400, 5)])
def test_the_end_of_the_log_goes_on_while_some_of_it_is_taken(
    ends: tuple[int, int], much: int, tries: int
) -> None:
    """A slow reader has a few chances, each of some time, and not all the time in the world."""
    reader, writer = ends
    got: list[bytes] = []

    class Slow(Pipe):
        def _pour(self, seconds: float) -> bool:
            done = super()._pour(seconds)
            got.append(read(reader))
            return done

    log = Slow(writer)
    log.write(lines(0, much))
    log.close()
    assert len(got) == 1 + tries
    assert lines(0, much).startswith(b"".join(got))
    assert (b"".join(got) == lines(0, much)) == (much == 200)


def test_the_end_of_the_log_waits_for_nobody_who_does_not_read(ends: tuple[int, int]) -> None:
    """It ends with a full pipe, and what did not fit is lost."""
    reader, writer = ends
    log = Pipe(writer)
    log.write(lines(0, 200))
    log.close()
    assert lines(0, 200).startswith(read(reader))


def test_a_reader_is_waited_for_again_once_it_has_caught_up(
    ends: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reader that was waited for in vain costs no further time before it has read everything."""
    waited: list[float] = []

    class Watched(Pipe):
        def _pour(self, seconds: float) -> bool:
            waited.append(seconds)
            return super()._pour(seconds)

    monkeypatch.setattr(pipe, "_PATIENCE", 0.001)
    reader, writer = ends
    log = Watched(writer)
    log.write(lines(0, 200))
    log.write(b"")
    while read(reader):
        log.write(b"")
    log.write(b"")
    assert waited[:2] == [0.001, 0.0]
    assert waited[1:] == sorted(waited[1:])
    assert waited[-1] == 0.001


def test_of_too_much_the_oldest_is_left_out_by_the_line(ends: tuple[int, int]) -> None:
    """The memory is bounded; the latest lines are kept whole, and the log tells how much is missing."""
    reader, writer = ends
    log = Pipe(writer)
    log.write(lines(0, 1100))
    got = read_on(log, reader)
    told = "\n… [576000 bytes of this log are missing: nobody read them]\n"
    assert got == told.encode() + lines(576, 1100)


def test_what_is_left_out_again_and_again_is_told_once(ends: tuple[int, int]) -> None:
    """A log that goes on for long without a reader begins where it was left, and ends with the latest."""
    reader, writer = ends
    log = Pipe(writer)
    whole = lines(0, 3000)
    for start in range(0, len(whole), 10_000):
        log.write(whole[start : start + 10_000])
        assert len(log._waiting) <= 1 << 20
    begin, end = read_on(log, reader).split("\n… [".encode())
    missing, end = end.split(b" bytes of this log are missing: nobody read them]\n")
    assert whole.startswith(begin)
    assert whole.endswith(b"\n" + end)
    assert len(begin) + int(missing) + len(end) == len(whole)


def test_a_mib_may_wait(ends: tuple[int, int]) -> None:
    """Nothing is left out before there is a byte too much."""
    reader, writer = ends
    log = Pipe(writer)
    log.write(b"x" * (1 << 20))
    assert read_on(log, reader) == b"x" * (1 << 20)


def test_a_line_without_an_end_is_left_out_as_well(ends: tuple[int, int]) -> None:
    """The memory is bounded whatever is written."""
    _, writer = ends
    log = Pipe(writer)
    for _ in range(5):
        log.write(b"x" * (1 << 20))
    assert len(log._waiting) <= 1 << 20


def test_a_reader_that_has_gone_is_found_out_at_the_next_line(ends: tuple[int, int]) -> None:
    """What waits for it is given up, quietly, and so is everything after it."""
    reader, writer = os.pipe()
    with os.fdopen(writer, "w") as stream:
        console = Console(stream)
        console.write("x" * MUCH)
        os.close(reader)
        console.close()
        console.write("a")
        console.close()
        os.dup2(ends[1], stream.fileno())
        console.write("b")
    assert read(ends[0]) == b""


def test_an_encoding_with_a_mark_at_its_beginning_has_one_mark(ends: tuple[int, int]) -> None:
    """UTF-16 is written by the stream itself, which knows what it has written."""
    with open(ends[1], "w", closefd=False, encoding="utf-16") as stream:
        console = Console(stream)
        console.lines(["a"])
        console.lines(["b"])
        console.close()
    assert read(ends[0]).decode("utf-16") == "a\nb\n"


def test_a_console_writes_its_encoding_into_a_pipe(ends: tuple[int, int]) -> None:
    """What the encoding of the stream lacks is written as an escape, to a pipe too."""
    with open(ends[1], "w", closefd=False, encoding="latin-1") as stream:
        console = Console(stream)
        console.lines(["é→"])
        console.close()
    assert read(ends[0]) == b"\xe9\\u2192\n"
