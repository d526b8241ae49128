"""What must not get lost is written whole or not at all, and nothing is waited for without end."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Container, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfgate.system import files, waiting
from cfgate.system.files import extend, write_all
from cfgate.system.limits import why
from tests.support import posix

ROOT = posix.user() == 0
as_root = pytest.mark.skipif(not ROOT, reason="only root may give files away and mount")
SOMEBODY = 65534


def write(path: Path | str, data: bytes = b"new") -> str:
    """Write one file; return why it could not be written, "" when it was."""
    return write_all({str(path): data}).get(str(path), "")


def limited_size(size: int) -> contextlib.AbstractContextManager[None]:
    """Let no file grow beyond a size: to a program, a full disk."""
    return posix.limited("RLIMIT_FSIZE", size)


class Anything:
    """The words of Windows, in the language of whoever uses it: some, and no name of a file among them."""

    def __contains__(self, said: object) -> bool:
        return isinstance(said, str) and said != "" and "report" not in said


def told(*words: str) -> Container[str]:
    """Return what may be said: these words, where the system's own are always the same."""
    return words if sys.platform != "win32" else Anything()


@pytest.fixture
def mounted(tmp_path: Path) -> Iterator[Path]:
    """Give a single file that is mounted from elsewhere, as `docker run -v file:file` does."""
    source, path = tmp_path / "source", tmp_path / "mounted"
    source.write_bytes(b"before, and longer than what comes")
    path.touch()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(str(source).encode(), str(path).encode(), None, 4096, None):  # MS_BIND
        pytest.skip(f"mount is not allowed here: {os.strerror(ctypes.get_errno())}")
    yield path
    libc.umount2(str(path).encode(), 2)


@posix.only("Windows lets no file take the place of one that is open, which is then written in place")
def test_a_file_takes_the_place_of_the_one_before(tmp_path: Path) -> None:
    """Whoever has the old one open goes on reading that; nothing is left beside the new one."""
    path = tmp_path / "report"
    path.write_bytes(b"old")
    with path.open("rb") as before:
        assert write(path) == ""
        assert before.read() == b"old"
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]
    assert stat.S_IMODE((tmp_path / "report").stat().st_mode) == 0o644


def test_a_name_may_be_as_long_as_the_disk_allows(tmp_path: Path) -> None:
    """What is written beside a file first needs no room in its name."""
    assert write(tmp_path / ("x" * 255)) == ""
    assert write(tmp_path / ("x" * 256)) in told("File name too long")


@as_root
def test_what_root_makes_belongs_to_whoever_owns_the_folder_above(tmp_path: Path) -> None:
    """Else the next job of that user could not clean up; this holds for new folders and for new files."""
    posix.give(tmp_path, SOMEBODY)
    assert write_all({str(tmp_path / "a" / "b" / "report"): b"", str(tmp_path / "report"): b""}) == {}
    extend(str(tmp_path / "output"), lambda _: b"")
    for path in ("a", "a/b", "a/b/report", "report", "output"):
        assert ((tmp_path / path).stat().st_uid, (tmp_path / path).stat().st_gid) == (SOMEBODY, SOMEBODY), (
            path
        )


@as_root
def test_a_folder_that_was_there_keeps_its_owner(tmp_path: Path) -> None:
    """Only what is new is given away."""
    posix.give(tmp_path, SOMEBODY)
    (tmp_path / "mine").mkdir()
    assert write(tmp_path / "mine" / "report") == ""
    assert (tmp_path / "mine").stat().st_uid == 0
    assert (tmp_path / "mine" / "report").stat().st_uid == 0


@as_root
def test_a_file_that_is_mounted_is_written_in_place(mounted: Path) -> None:
    """Nothing can take the place of a mount; what it leads to gets the whole report."""
    assert write(mounted) == ""
    assert mounted.read_bytes() == (mounted.parent / "source").read_bytes() == b"new"


@as_root
def test_a_file_that_is_mounted_keeps_what_it_held_when_the_disk_is_full(mounted: Path) -> None:
    """Half a report is worse than the one before."""
    before = mounted.read_bytes()
    with limited_size(1000):
        assert write(mounted, b"x" * 2000) == "File too large"
    assert mounted.read_bytes() == before


@pytest.mark.process
def test_a_folder_that_takes_no_new_file_is_no_obstacle(tmp_path: Path) -> None:
    """A file that may be written is, also where none can be put beside it; as somebody who is not root."""
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "report").write_bytes(b"old")
    (folder / "report").chmod(0o666)
    folder.chmod(0o555)
    code = (
        "import os, sys; from cfgate.system.files import write_all\n"
        "if os.geteuid() == 0: os.setgid(65534); os.setuid(65534)\n"
        "print(write_all({path: b'new' for path in sys.argv[1:]}))"
    )
    paths = [str(folder / "report"), str(folder / "other")]
    open_to_all(tmp_path)
    ran = subprocess.run([sys.executable, "-c", code, *paths], capture_output=True, text=True, check=False)
    assert ran.stdout == f"{{{paths[1]!r}: 'Permission denied'}}\n", ran.stderr
    assert (folder / "report").read_bytes() == b"new"


def open_to_all(path: Path) -> None:
    """Let everybody into the folders above a path, which pytest makes for their owner alone."""
    for folder in (path, *path.parents):
        if folder.stat().st_uid == posix.user() and folder != Path("/"):
            folder.chmod(folder.stat().st_mode | 0o055)


HANGING: dict[str, Callable[[Path], object]] = {
    "a pipe without reader": lambda path: posix.mkfifo(path),
    "a pipe with a reader that has stopped": lambda path: stopped_reader(path),
}


def stopped_reader(path: Path) -> int:
    """Make a named pipe that is full, and that somebody has open."""
    posix.mkfifo(path)
    descriptor = posix.open_at_once(path, os.O_RDWR)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(descriptor, bytes(4096))
    return descriptor


@pytest.mark.parametrize("kind", HANGING)
def test_nobody_is_waited_for_without_end(kind: str, tmp_path: Path) -> None:
    """A report, outputs and a summary are given up after a second, all reports together."""
    paths = [tmp_path / f"pipe-{number}" for number in range(5)]
    kept = [HANGING[kind](path) for path in paths]
    began = time.monotonic()
    whole = tmp_path / "file"
    failures = write_all({str(whole): b"new", **{str(path): b"new" for path in paths}})
    assert failures == {str(path): "nobody reads it" for path in paths}
    with pytest.raises(TimeoutError, match="nobody reads it"):
        extend(str(paths[0]), lambda _: b"new")
    assert time.monotonic() - began < 5
    assert whole.read_bytes() == b"new"
    del kept


def test_what_was_given_up_is_not_written_later(tmp_path: Path) -> None:
    """A reader that comes too late finds nothing of an old verdict in front of the new one."""
    pipe = tmp_path / "pipe"
    posix.mkfifo(pipe)
    assert write(pipe, b"old") == "nobody reads it"
    got: list[bytes] = []
    reading = threading.Thread(target=lambda: got.append(pipe.read_bytes()))
    reading.start()
    while not got:
        write(pipe, b"new")
    reading.join()
    assert b"old" not in got[0]


@posix.only("Windows has no /dev/full")
def test_a_device_that_is_full_says_so() -> None:
    """Neither a report nor outputs go there."""
    assert write("/dev/full") == "No space left on device"
    with pytest.raises(OSError, match="No space left on device"):
        extend("/dev/full", lambda _: b"new")
    assert write("/dev/null") == ""


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    """Nor is what can be no name."""
    assert write(tmp_path) in told("Is a directory")
    with pytest.raises(posix.NO_FILE):
        extend(str(tmp_path), lambda _: b"new")
    assert write("a\0b") == "it is no name of a file"


def test_a_file_in_the_place_of_a_folder_is_an_error(tmp_path: Path) -> None:
    """The name of the file is not in the words for it."""
    (tmp_path / "file").touch()
    for path in ("file/report", "file/more/report"):
        assert write(tmp_path / path) in told("Not a directory", "File exists")


@given(before=st.binary(max_size=20), pages=st.lists(st.binary(max_size=20), max_size=4))
def test_what_stands_in_front_ends_before_anything_follows(
    before: bytes, pages: list[bytes], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Whatever was there stays, a line feed ends it, and of our own pages the last one is there."""
    path = tmp_path_factory.getbasetemp() / "extended"
    path.write_bytes(before)
    own = range(0)
    ended = before if before.endswith(b"\n") or not before else before + b"\n"
    for page in pages:

        def content(begin: int, page: bytes = page) -> bytes:
            assert begin == len(ended)
            return page

        own = extend(str(path), content, own)
        assert path.read_bytes() == ended + page
        assert own.stop == len(ended + page)
    if not pages:
        assert path.read_bytes() == before


def test_a_full_disk_puts_back_what_was_there(tmp_path: Path) -> None:
    """Of a page that does not fit nothing is left, and the one before stays, whole."""
    path = tmp_path / "page"
    path.write_bytes(b"theirs")
    own = extend(str(path), lambda _: b"ours, before\n")
    with limited_size(1000), pytest.raises(OSError, match="File too large"):
        extend(str(path), lambda _: b"x" * 2000, own)
    assert path.read_bytes() == b"theirs\nours, before\n"


def test_a_file_that_may_not_be_read_is_written_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether it ends with a line feed cannot be known then: one more does no harm."""
    path = tmp_path / "output"
    path.write_bytes(b"a=1\n")
    monkeypatch.setattr(os, "access", lambda _, mode: mode != os.R_OK)
    extend(str(path), lambda _: b"b=2\n")
    assert path.read_bytes() == b"a=1\n\nb=2\n"


@pytest.fixture
def no_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the operating system refuse every thread."""

    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)


@pytest.mark.usefixtures("no_threads")
def test_files_are_written_without_threads_too(tmp_path: Path) -> None:
    """What cannot hang needs none; what can is refused, and the limit is named."""
    posix.mkfifo(tmp_path / "pipe")
    assert write(tmp_path / "file") == ""
    assert write(tmp_path / "pipe") == "no more threads"
    assert extend(str(tmp_path / "output"), lambda _: b"a=1\n") == range(4)
    with pytest.raises(waiting.NoThread):
        extend(str(tmp_path / "pipe"), lambda _: b"a=1\n")


def test_a_disk_that_does_not_answer_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A network that has gone takes the report with it, and nothing else."""
    monkeypatch.setattr(files, "_PATIENCE", 0.05)
    gone = threading.Event()
    monkeypatch.setattr(files, "_replace", lambda *_: gone.wait(10))
    assert write(tmp_path / "report") == "it does not answer"
    gone.set()


def test_a_file_without_numbers_of_errors_has_words() -> None:
    """An error of the operating system that says nothing is no reason to show its text."""
    assert why(OSError("/secret/name")) == "it cannot be used"
    assert why(OSError(errno.EROFS, os.strerror(errno.EROFS), "/secret")) == "Read-only file system"
