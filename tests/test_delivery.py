"""Where a result cannot go: pipes that nobody reads, a disk that is full, too few descriptors."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest

from cfgate import delivery
from cfgate.conclusion import UNDECIDED
from cfgate.delivery import deliver, write_undecided
from cfgate.errors import InvalidSettings
from cfgate.hosts.console import Console
from cfgate.hosts.github import GitHub
from cfgate.hosts.plain import Plain
from cfgate.settings.values import Files
from cfgate.simulator import Simulator, parse
from cfgate.system.files import write_all
from cfgate.system.reserve import reserved
from tests.support import posix
from tests.support.canary import KEYS
from tests.support.parsers import file_commands

HOST = Plain(Console(None))


@pytest.fixture
def fifo(tmp_path: Path) -> Path:
    """Make a named pipe."""
    path = tmp_path / "result"
    posix.mkfifo(path)
    return path


def test_a_pipe_that_nobody_reads_is_refused_before_anything_is_sent(fifo: Path) -> None:
    """The gate neither hangs on it nor goes on without it."""
    with pytest.raises(InvalidSettings, match=r"result-file .* cannot be written: nobody reads it"):
        write_undecided(UNDECIDED, HOST, Files(result=str(fifo)))


def test_a_reader_may_come_a_little_late(fifo: Path) -> None:
    """Whoever starts both at once need not start the reader first."""
    got: list[bytes] = []
    late = threading.Timer(0.2, lambda: got.append(fifo.read_bytes()))
    late.start()
    write_undecided(UNDECIDED, HOST, Files(result=str(fifo)))
    late.join()
    assert got[0].startswith(b'{"schema-version"')


def test_a_reader_that_does_not_read_stops_nothing(fifo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A pipe that is full is told as a report that is missing."""
    reader = posix.open_at_once(fifo, os.O_RDONLY)
    filler = posix.open_at_once(fifo, os.O_WRONLY)
    try:
        fill(filler)
        with pytest.raises(InvalidSettings, match="nobody reads it"):
            write_undecided(UNDECIDED, HOST, Files(result=str(fifo)))
        deliver(UNDECIDED, HOST, Files(result=str(fifo)), None)
    finally:
        os.close(reader)
        os.close(filler)
    assert capsys.readouterr() == ("", "")


def test_a_long_report_reaches_a_slow_reader_whole(fifo: Path) -> None:
    """More than a pipe holds is written bit by bit, as it is read."""
    page = "x" * 500_000
    got: list[bytes] = []
    reading = threading.Thread(target=lambda: got.append(fifo.read_bytes()))
    reading.start()
    assert write_all({str(fifo): page.encode()}) == {}
    reading.join()
    assert got == [page.encode()]


LONG = UNDECIDED._replace(remedy="x" * 500_000)


def test_a_long_result_reaches_whoever_reads_stdout_whole(capfd: pytest.CaptureFixture[str]) -> None:
    """More than a pipe holds is written as it is read, and is what a file would hold."""
    reader, writer = os.pipe()
    got: list[bytes] = []
    with os.fdopen(reader, "rb") as results:
        reading = threading.Thread(target=lambda: got.append(results.read()))
        reading.start()
        with os.fdopen(writer, "w", encoding="utf-8") as stdout:
            deliver(LONG, HOST, Files(result="-"), stdout)
        reading.join()
    assert json.loads(got[0])["remedy"] == LONG.remedy
    assert got[0].endswith(b"}\n")
    assert capfd.readouterr() == ("", "")


@posix.only("nothing on Windows can be asked whether it has room")
def test_a_result_that_nobody_reads_from_stdout_is_told_as_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader that has stopped, or has gone, loses the JSON and nothing else, and the log says so."""
    monkeypatch.setattr(delivery, "_PATIENCE", 0.0)
    log = io.StringIO()
    reader, writer = os.pipe()
    with os.fdopen(writer, "w") as stdout:
        deliver(LONG, Plain(Console(log)), Files(result="-"), stdout)
        told = "warning: cfgate: a report is missing: result-file '-' cannot be written: nobody reads it\n"
        assert log.getvalue() == told
        os.close(reader)
        deliver(LONG, Plain(Console(log)), Files(result="-"), stdout)
    assert log.getvalue() == told * 2


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
def test_a_full_disk_behind_stdout_costs_the_json_and_nothing_else() -> None:
    """The exit code stays that of the verdict, and the interpreter has nothing left to complain about."""
    log = io.StringIO()
    with Path("/dev/full").open("w", encoding="utf-8") as stdout:
        deliver(LONG, Plain(Console(log)), Files(result="-"), stdout)
    deliver(LONG, Plain(Console(log)), Files(result="-"), None)
    missing = "warning: cfgate: a report is missing: result-file '-' cannot be written: "
    assert [line.removeprefix(missing) for line in log.getvalue().splitlines()] == [
        "No space left on device",
        "stdout is closed",
    ]


def test_a_result_goes_into_a_file_that_is_stdout(tmp_path: Path) -> None:
    """Where stdout is no pipe, it takes everything at once."""
    with (tmp_path / "result").open("w") as stdout:
        deliver(LONG, HOST, Files(result="-"), stdout)
    deliver(LONG, HOST, Files(result="-"), stdout)  # closed by now
    assert json.loads((tmp_path / "result").read_text())["remedy"] == LONG.remedy


# To a program, files that must not grow are a disk that is full.


def test_a_full_disk_leaves_no_half_of_an_output(tmp_path: Path) -> None:
    """The runner fails a step for a value without an end; what was there before stays, whole."""
    output, stream = tmp_path / "output", io.StringIO()
    host = GitHub(Console(stream), output_file=str(output), summary_file="")
    host.output({"ready": "false"})
    with posix.limited("RLIMIT_FSIZE", output.stat().st_size + 20_000):
        host.output({"ready": "true", "result": "x" * 30_000})
    assert file_commands.parse(output.read_bytes()) == file_commands.Outputs({"ready": "false"})
    assert "could not be written to GITHUB_OUTPUT" in stream.getvalue()


def test_a_full_disk_leaves_no_half_of_a_summary(tmp_path: Path) -> None:
    """Half a table or half a fence would take what other programs write along with it."""
    page = tmp_path / "page"
    page.write_text("of another program\n")
    host = GitHub(Console(io.StringIO()), output_file="", summary_file=str(page))
    with posix.limited("RLIMIT_FSIZE", 20_000):
        host.summary("x" * 30_000)
    assert page.read_text() == "of another program\n"


def test_a_link_stays_and_what_it_leads_to_is_written(tmp_path: Path) -> None:
    """Whoever has put a link in the place of a report wants it elsewhere, also where nothing is yet."""
    (tmp_path / "elsewhere").mkdir()
    for there in (tmp_path / "elsewhere" / "old", tmp_path / "elsewhere" / "new"):
        link = tmp_path / f"link-{there.name}"
        link.symlink_to(there)
        if there.name == "old":
            there.write_text("old")
        deliver(UNDECIDED, HOST, Files(result=str(link)), None)
        assert link.is_symlink()
        assert json.loads(there.read_text())["status"] == "error"


def test_a_report_keeps_its_owner_and_mode(tmp_path: Path) -> None:
    """Whoever could read the file before can read it now; as root, for nobody else may give files away."""
    report = tmp_path / "result.json"
    report.write_text("old")
    report.chmod(0o640)
    if posix.user() == 0:
        posix.give(report, 65534)
    before = report.stat()
    deliver(UNDECIDED, HOST, Files(result=str(report)), None)
    after = report.stat()
    assert report.read_text() != "old"
    assert (after.st_uid, after.st_gid, after.st_mode) == (before.st_uid, before.st_gid, before.st_mode)


@posix.only("Windows has no /dev/fd")
def test_a_descriptor_of_ours_is_written_to_and_never_replaced(tmp_path: Path) -> None:
    """`/dev/stdout` may lead to a file: it is appended to, behind what stands there."""
    log = tmp_path / "log"
    with log.open("w") as file:
        file.write("before\n")
        file.flush()
        deliver(UNDECIDED, HOST, Files(result=f"/dev/fd/{file.fileno()}"), None)
        assert log.samefile(f"/dev/fd/{file.fileno()}")
    before, result = log.read_text().split("\n", 1)
    assert before == "before"
    assert json.loads(result)["status"] == "error"


def test_a_full_disk_leaves_the_report_of_before(tmp_path: Path) -> None:
    """A report file is replaced whole or not at all, and nothing is left beside it."""
    report = tmp_path / "result.json"
    write_undecided(UNDECIDED, HOST, Files(result=str(report)))
    before = report.read_bytes()
    with posix.limited("RLIMIT_FSIZE", 100):
        deliver(UNDECIDED, HOST, Files(result=str(report)), None)
    assert report.read_bytes() == before
    assert list(tmp_path.iterdir()) == [report]


def take_all(taken: list[int]) -> None:
    """Open files until there are no more descriptors."""
    with suppress(OSError):
        while True:
            taken.append(os.open(os.devnull, os.O_RDONLY))


def fill(pipe: int) -> None:
    """Write to a pipe until it takes no more."""
    with suppress(BlockingIOError):
        while True:
            os.write(pipe, bytes(4096))


def test_what_was_kept_back_can_be_opened_afterwards() -> None:
    """When connections have taken every descriptor, reports still find some."""
    taken: list[int] = []
    try:
        with posix.limited("RLIMIT_NOFILE", 128):
            with reserved():
                take_all(taken)
            taken += [os.open(os.devnull, os.O_RDONLY) for _ in range(16)]
    finally:
        for descriptor in taken:
            os.close(descriptor)
    assert len(taken) > 16


def test_too_few_descriptors_to_keep_any_back_is_no_failure() -> None:
    """A process that has none left runs on, and fails where it needs one."""
    taken: list[int] = []
    with posix.limited("RLIMIT_NOFILE", 64):
        try:
            take_all(taken)
            with reserved():
                pass
        finally:
            for descriptor in taken:
                os.close(descriptor)


@pytest.mark.process
def test_stalled_requests_that_have_taken_every_descriptor_lose_no_output(tmp_path: Path) -> None:
    """A gate on many targets that is stopped while none is answered writes everything, and ends in order."""
    stalled = parse("life: [{state: Running}]\nfaults: [{requests: 1-, connection: stall before headers}]")
    output, report = tmp_path / "output", tmp_path / "result.json"
    output.touch()
    with Simulator(stalled) as simulator:
        inputs = {
            "image-version-id": ",".join(str(9001 + number) for number in range(100)),
            "account-service-id": "1",
            "api-url": simulator.url,
            "result-file": str(report),
        }
        process = subprocess.Popen(
            [sys.executable, "-c", _FEW_DESCRIPTORS],
            env={
                "GITHUB_ACTIONS": "true",
                "GITHUB_OUTPUT": str(output),
                "GITHUB_STEP_SUMMARY": str(tmp_path / "page"),
                **KEYS,
                **{f"INPUT_{name.upper()}": value for name, value in inputs.items()},
            },
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        for line in process.stdout:
            if "too many open files" in line:
                break
        process.send_signal(signal.SIGTERM)
        log, _ = process.communicate(timeout=60)
    assert process.returncode == 143, log
    assert file_commands.parse(output.read_bytes()).values["status"] == "interrupted"
    assert json.loads(report.read_text())["status"] == "interrupted"


@pytest.mark.process
@pytest.mark.parametrize(
    ("ending", "code", "kind"),
    [
        ("ready", 0, "pipe"),
        ("timeout", 4, "pipe"),
        ("interrupted", 143, "pipe"),
        ("interrupted", 143, "terminal"),
    ],
)
def test_a_log_that_nobody_reads_any_more_stops_nothing(
    tmp_path: Path, ending: str, code: int, kind: str
) -> None:
    """A runner that has stopped reading neither holds up the verdict nor a time-out nor a signal."""
    life = "life: [{state: Running, for: 1s}, {state: Completed}]" if not code else "life: [{state: Running}]"
    output = tmp_path / "output"
    output.touch()
    reader, writer = os.pipe() if kind == "pipe" else posix.open_terminal()
    posix.let_wait(writer, False)
    fill(writer)
    posix.let_wait(writer, True)
    with Simulator(parse(life)) as simulator, os.fdopen(writer, "w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "cfgate", "wait", "9001", "--api-url", simulator.url],
            env={
                "GITHUB_ACTIONS": "true",
                "GITHUB_OUTPUT": str(output),
                "GITHUB_STEP_SUMMARY": str(tmp_path / "page"),
                "CFGATE_ACCOUNT_SERVICE_ID": "1",
                "CFGATE_MAX_INTERVAL": "1s",
                "CFGATE_TIMEOUT": "2s" if ending == "timeout" else "60s",
                **KEYS,
            },
            stdout=log,
        )
        if ending == "interrupted":
            while not simulator.requests and process.poll() is None:
                time.sleep(0.01)
            process.send_signal(signal.SIGTERM)
        try:
            assert process.wait(timeout=30) == code
        finally:
            process.kill()
    os.close(reader)
    assert file_commands.parse(output.read_bytes()).values["status"] == ending


_FEW_DESCRIPTORS = """
import resource
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
from cfgate.cli import main
from tests.support import posix
raise SystemExit(main([]))
"""


def test_a_report_that_cannot_be_made_costs_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bug in one encoder is named, and so is a limit; what else was asked for is written."""
    errors = iter([KeyError("theSecret"), OSError(24, "Too many open files", "theSecret")])

    def broken(_: object) -> str:
        raise next(errors)

    monkeypatch.setattr(delivery, "_junit", broken)
    files = Files(result=str(tmp_path / "result"), junit=str(tmp_path / "junit"))
    for reason in ("a bug in cfgate (KeyError)", "too many open files"):
        log = io.StringIO()
        deliver(UNDECIDED, Plain(Console(log)), files, None)
        assert log.getvalue().endswith(f"junit-file '{tmp_path / 'junit'}' cannot be written: {reason}\n")
        assert json.loads((tmp_path / "result").read_text())["status"] == "error"
