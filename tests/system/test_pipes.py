"""Pipes and terminals at whose other end nobody may be are read and written without hanging on them."""

from __future__ import annotations

import io
import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from cfgate.system import pipes
from tests.support import posix

only_posix_pours = posix.only("nothing on Windows can be asked whether it has room")
only_posix_names = posix.only("Windows has no /dev")


@pytest.fixture
def fifo(tmp_path: Path) -> Path:
    """Make a named pipe."""
    path = tmp_path / "pipe"
    posix.mkfifo(path)
    return path


@pytest.fixture
def terminal() -> Iterator[tuple[int, int]]:
    """Make a terminal: the end of whoever watches it, and the end of the program."""
    watcher, program = posix.open_terminal(raw=True)
    yield watcher, program
    os.close(watcher)
    os.close(program)


@only_posix_pours
def test_only_what_may_keep_us_waiting_is_poured_into(tmp_path: Path) -> None:
    """A pipe and a socket are; a file takes everything, and what is closed or in memory has no descriptor."""
    with (tmp_path / "log").open("w") as file:
        assert pipes.descriptor_of(file) is None
    assert pipes.descriptor_of(file) is None
    assert pipes.descriptor_of(io.StringIO()) is None
    assert pipes.descriptor_of(None) is None
    reader, writer = os.pipe()
    with os.fdopen(writer, "w") as stream, os.fdopen(reader):
        assert pipes.descriptor_of(stream) == writer
    here, there = socket.socketpair()
    with here, there, here.makefile("w") as stream:
        assert pipes.descriptor_of(stream) == stream.fileno()


def test_a_terminal_that_nobody_watches_is_not_waited_for(terminal: tuple[int, int]) -> None:
    """It takes what it has room for, and the rest when somebody watches again; others still wait for it."""
    watcher, program = terminal
    with open(program, "w", closefd=False) as stream:
        descriptor = pipes.descriptor_of(stream)
    assert descriptor is not None
    whole = b"".join(b"%06d\n" % number for number in range(50_000))
    text = bytearray(whole)
    assert not pipes.write_within(descriptor, text, 0.05)
    got = bytearray()
    while len(got) < len(whole):
        got += os.read(watcher, 1 << 16)
        pipes.write_within(descriptor, text, 0.0)
    assert got == whole
    assert posix.waits(program)
    assert not posix.waits(descriptor)
    os.close(descriptor)


@only_posix_pours
def test_pouring_tells_what_is_left() -> None:
    """What was written is taken away, to the byte; nobody at the other end is an error."""
    reader, writer = os.pipe()
    data = bytearray(bytes(range(256)) * 1000)
    whole = bytes(data)
    assert not pipes.write_within(writer, data, 0.0)
    written = len(whole) - len(data)
    assert os.read(reader, len(whole)) == whole[:written]
    assert data == whole[written:]
    assert pipes.write_within(writer, bytearray(), 0.0)
    os.close(reader)
    with pytest.raises(BrokenPipeError):
        pipes.write_within(writer, data, 0.0)
    os.close(writer)


@only_posix_pours
def test_a_race_for_the_room_in_a_pipe_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where others write too, the room may be gone at the moment of writing."""
    reader, writer = os.pipe()
    write, times = os.write, iter([True, False])

    def too_late(descriptor: int, data: bytes) -> int:
        if next(times):
            raise BlockingIOError
        return write(descriptor, data)

    monkeypatch.setattr(os, "write", too_late)
    assert pipes.write_within(writer, bytearray(b"a"), 5.0)
    assert os.read(reader, 9) == b"a"
    times = iter([True, True])
    assert not pipes.write_within(writer, bytearray(b"a"), 0.0)
    os.close(reader)
    os.close(writer)


def test_a_file_is_read_up_to_a_byte_too_much(tmp_path: Path) -> None:
    """So whoever reads it knows that it is too long, and no more of it is in memory."""
    path = tmp_path / "file"
    path.write_bytes(b"12345")
    assert pipes.read(str(path), 5) == b"12345"
    assert pipes.read(str(path), 4) == b"12345"
    assert pipes.read(str(path), 3) == b"1234"
    path.write_bytes(b"")
    assert pipes.read(str(path), 3) == b""


@pytest.mark.parametrize(
    ("path", "error"), [("missing", FileNotFoundError), (".", posix.NO_FILE), ("a\0b", ValueError)]
)
def test_what_cannot_be_read_is_an_error(
    path: str, error: type[Exception], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing there, a directory, and what can be no name are told apart."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(error):
        pipes.read(path, 5)


def test_a_pipe_is_read_to_its_end(fifo: Path) -> None:
    """Whoever writes may come late, and write bit by bit."""

    def write() -> None:
        with fifo.open("wb", buffering=0) as file:
            for _ in range(3):
                file.write(b"x" * 100_000)

    writer = threading.Timer(0.05, write)
    writer.start()
    assert pipes.read(str(fifo), 1 << 20, 30.0) == b"x" * 300_000
    writer.join()


@only_posix_names
def test_a_pipe_is_read_up_to_a_byte_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    """However its content comes in pieces, and though somebody else may be faster."""
    reader, writer = os.pipe()
    take, sizes = os.read, iter([2, 0, 2, 1, 9, 9])

    def in_pieces(descriptor: int, size: int) -> bytes:
        piece = next(sizes)
        if not piece:
            raise BlockingIOError
        return take(descriptor, min(piece, size))

    os.write(writer, b"1234567890")
    monkeypatch.setattr(os, "read", in_pieces)
    assert pipes.read(f"/dev/fd/{reader}", 5) == b"123456"
    sizes = iter([2, 9])
    assert pipes.read(f"/dev/fd/{reader}", 2) == b"789"
    os.close(reader)
    os.close(writer)


def test_a_pipe_into_which_nobody_writes_is_not_waited_for_long(fifo: Path) -> None:
    """Neither if nobody has ever opened it, nor if somebody has and is silent, at the start or later."""
    with pytest.raises(TimeoutError) as silence:
        pipes.read(str(fifo), 5, 0.01)
    assert silence.value.strerror == "nobody writes into it"
    reader = posix.open_at_once(fifo, os.O_RDONLY)
    with fifo.open("wb", buffering=0) as silent:
        with pytest.raises(TimeoutError, match="nobody writes into it"):
            pipes.read(str(fifo), 5, 0.01)
        silent.write(b"abc")
        with pytest.raises(TimeoutError, match="nobody writes into it"):
            pipes.read(str(fifo), 5, 0.01)
    os.close(reader)


@only_posix_names
def test_a_pipe_that_pours_for_ever_is_read_up_to_a_byte_too_much() -> None:
    """A device without an end is too large, and no more."""
    assert pipes.read("/dev/zero", 5) == bytes(6)
