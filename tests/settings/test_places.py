"""No report destroys another one, or what somebody else reads."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from cfgate.settings import places
from cfgate.settings.places import clashes
from cfgate.settings.reading import read
from cfgate.settings.values import Files, InvalidRequest
from tests.support import posix
from tests.support.canary import KEYS

ACCOUNT = {**KEYS, "CFGATE_ACCOUNT_SERVICE_ID": "1234567"}


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def link(path: str, to: str) -> str:
    """Make a symbolic link."""
    Path(path).symlink_to(to)
    return path


def hard_link(path: str, to: str) -> str:
    """Make a second name of a file."""
    Path(path).hardlink_to(to)
    return path


def folder(path: str) -> str:
    """Make a folder."""
    Path(path).mkdir()
    return path


SPELLINGS: dict[str, Callable[[], str]] = {
    "the same": lambda: "report",
    "a dot": lambda: "./report",
    "absolute": lambda: str(Path.cwd() / "report"),
    "up and down": lambda: f"{folder('sub')}/../report",
    "a link": lambda: link("other", "report"),
    "a link in a folder that is a link": lambda: f"{link('there', '.')}/report",
    "up from a folder that is a link": lambda: f"{link('way', folder('deep'))}/../report",
}


@pytest.mark.parametrize("there", [True, False])
@pytest.mark.parametrize("spelling", SPELLINGS)
def test_two_reports_on_one_file_are_found_however_it_is_spelled(spelling: str, there: bool) -> None:
    """Whether the file is there already or not."""
    if there:
        Path("report").touch()
    found = clashes(Files(result="report", junit=SPELLINGS[spelling]()), {}, {})
    assert found == {"junit-file": "result-file and junit-file name the same file: give each its own"}


def test_hard_links_lead_to_one_file() -> None:
    """Several names of a file are one place."""
    Path("report").touch()
    other = hard_link("second", "report")
    assert set(clashes(Files(result="report", summary=other), {}, {})) == {"summary-file"}


@posix.only("Windows has no /dev/fd")
def test_a_descriptor_leads_to_its_file() -> None:
    """So does each way to name it. macOS has no /proc."""
    with Path("report").open("w") as file:
        for folder in ("/dev/fd", "/proc/self/fd") if sys.platform == "linux" else ("/dev/fd",):
            other = f"{folder}/{file.fileno()}"
            assert set(clashes(Files(result="report", summary=other), {}, {})) == {"summary-file"}


def test_a_file_system_may_mind_no_letters(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where Report and REPORT are one file, they are one also before it is there."""
    files = Files(result="Report", junit="REPORT", dotenv="r\u00e9port", summary="re\u0301port")
    assert clashes(files, {}, {}) == {}
    monkeypatch.setattr(places, "_minds_no_letters", lambda _: True)
    assert set(clashes(files, {}, {})) == {"junit-file", "summary-file"}


@posix.only("there letters count for nothing, and it is macOS or Linux that may have it either way")
def test_whether_letters_count_is_tried_on_a_folder_that_is_there(tmp_path: Path) -> None:
    """A folder that can be found by its name in other letters lies on such a file system."""
    (tmp_path / "folder" / "1").mkdir(parents=True)
    assert not places._minds_no_letters(tmp_path / "folder" / "1")
    (tmp_path / "FOLDER").symlink_to("folder")
    assert places._minds_no_letters(tmp_path / "folder" / "1")
    assert not places._minds_no_letters(Path("/"))


def test_different_places_do_not_clash() -> None:
    """Files of other names or in other folders, and devices, clash with nothing."""
    folder("a")
    files = Files(result="a/x", junit="b/x", dotenv="x", summary=os.devnull, annotations=os.devnull)
    assert clashes(files, {"config": "gate.yml"}, {"GITHUB_OUTPUT": "", "GITHUB_ENV": os.devnull}) == {}
    assert clashes(Files(), {}, {}) == {}
    assert clashes(Files(result="a\0b", junit="a\0b"), {}, {}) == {}


def test_a_pipe_cannot_have_two_reports(tmp_path: Path) -> None:
    """Whoever reads it could not tell them apart."""
    posix.mkfifo("pipe")
    assert set(clashes(Files(result="pipe", junit=str(tmp_path / "pipe")), {}, {})) == {"junit-file"}


@posix.only("Windows has no /dev/fd")
def test_the_json_on_stdout_is_alone_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """No other report goes to where stdout leads."""
    reader, writer = os.pipe()
    monkeypatch.setattr(places, "_STDOUT", writer)
    assert set(clashes(Files(result="-", summary=f"/dev/fd/{writer}"), {}, {})) == {"summary-file"}
    os.close(reader)
    os.close(writer)


@posix.only("Windows has no descriptors in /dev")
def test_a_log_that_goes_to_a_file_is_not_overwritten(monkeypatch: pytest.MonkeyPatch) -> None:
    """`/dev/stdout` is opened anew, at its start; a pipe or a terminal has none, and `-` is no log."""
    with Path("log").open("w") as log:
        monkeypatch.setattr(places, "_STREAMS", (log.fileno(),))
        found = clashes(Files(summary=f"/dev/fd/{log.fileno()}", junit="log"), {}, {})
        assert found.keys() == {"summary-file", "junit-file"}
        assert found["junit-file"].startswith("junit-file names the file of the log")
        assert clashes(Files(result="-", junit="log"), {}, {}) == {}
        reader, writer = os.pipe()
        monkeypatch.setattr(places, "_STREAMS", (writer,))
        assert clashes(Files(summary=f"/dev/fd/{writer}"), {}, {}) == {}
        os.close(reader)
        os.close(writer)


@pytest.mark.parametrize("option", ["config", "ca-bundle", "rehearse"])
def test_what_is_read_is_not_overwritten(option: str) -> None:
    """A report in the place of a file that another option names would destroy it."""
    found = clashes(Files(dotenv="./file"), {option: "file"}, {})
    assert found == {
        "dotenv-file": f"dotenv-file names the file of {option}, which it would destroy: give it its own"
    }


@pytest.mark.parametrize("variable", ["GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "GITHUB_ENV", "SSL_CERT_FILE"])
def test_what_the_host_reads_is_not_overwritten(variable: str) -> None:
    """A report in the place of the outputs would destroy those of the whole step."""
    found = clashes(Files(summary="file"), {}, {variable: str(Path.cwd() / "file")})
    assert list(found.values()) == [
        f"summary-file names the file of environment {variable}, which it would destroy: give it its own"
    ]


def test_a_report_that_clashes_is_written_nowhere() -> None:
    """The request is refused, and what says so goes to the reports that harm nobody."""
    Path("gate.yml").write_text("timeout: 5m\n")
    argv = ["9001", "--config=gate.yml", "--result-file=./gate.yml", "--junit-file=a", "--dotenv-file=./a"]
    with pytest.raises(InvalidRequest) as caught:
        read(argv, ACCOUNT)
    assert caught.value.files == Files(junit="a")
    assert len(caught.value.problems) == 2


def test_what_is_known_of_an_invalid_request_is_handed_on() -> None:
    """The ids, and whether it was to be a rehearsal, so that the outputs can say so."""
    with pytest.raises(InvalidRequest) as caught:
        read(["9001", "9002", "--timeout=x", "--rehearse=ready"], ACCOUNT)
    assert [target.id for target in caught.value.asked] == [9001, 9002]
    assert caught.value.rehearsal
    with pytest.raises(InvalidRequest) as caught:
        read(["--timeout=x"], ACCOUNT)
    assert caught.value.asked == ()
    assert not caught.value.rehearsal
