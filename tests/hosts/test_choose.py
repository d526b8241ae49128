"""The environment tells which host it is, and whether to colour and to move."""

from __future__ import annotations

import importlib
import io
import os
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest

import cfgate.hosts
from cfgate.hosts import Bar, Host, Style
from cfgate.hosts.azure import Azure
from cfgate.hosts.buildkite import Buildkite
from cfgate.hosts.choose import choose, on_ci
from cfgate.hosts.github import GitHub
from cfgate.hosts.gitlab import GitLab
from cfgate.hosts.plain import Plain
from cfgate.hosts.teamcity import TeamCity
from cfgate.hosts.terminal import Terminal
from cfgate.system import windows
from tests.support import posix
from tests.support.hostile_program import HOSTS
from tests.support.parsers import file_commands, workflow_commands


class Tty(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """Say so."""
        return True


@pytest.fixture(autouse=True)
def consoles(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let what says that it is a terminal be one on Windows too."""
    monkeypatch.setattr(windows, "shows_escapes", lambda stream: stream.isatty())


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"GITHUB_ACTIONS": "true", "CI": "true"}, GitHub),
        ({"GITHUB_ACTIONS": "true", "GITEA_ACTIONS": "true"}, GitHub),
        ({"GITLAB_CI": "true", "CI": "true"}, GitLab),
        ({"TF_BUILD": "True"}, Azure),
        ({"GITHUB_OUTPUT": "/file"}, GitHub),
        ({"GITHUB_STEP_SUMMARY": "/file"}, GitHub),
        ({"GITHUB_OUTPUT": "", "GITHUB_STEP_SUMMARY": ""}, Terminal),
        ({"GITHUB_OUTPUT": "/file", "GITLAB_CI": "true"}, GitLab),
        ({"GITHUB_OUTPUT": "/file", "TF_BUILD": "True"}, Azure),
        ({"TEAMCITY_VERSION": "2026.1 (build 1)"}, TeamCity),
        ({"TEAMCITY_VERSION": ""}, Terminal),
        ({"BUILDKITE": "true", "CI": "true"}, Buildkite),
        ({"GITHUB_OUTPUT": "/file", "BUILDKITE": "true"}, Buildkite),
        ({"CI": "true"}, Terminal),
        ({"GITHUB_ACTIONS": "false", "GITLAB_CI": "", "TF_BUILD": "no"}, Terminal),
        ({}, Terminal),
    ],
)
def test_the_environment_names_the_host(environ: dict[str, str], expected: type) -> None:
    """One variable for each host, or a file that only such a host has; without any it is a terminal."""
    assert type(choose(environ, io.StringIO())) is expected


@pytest.mark.parametrize(
    "variable", ["GITHUB_ACTIONS", "GITLAB_CI", "TF_BUILD", "TEAMCITY_VERSION", "BUILDKITE", "CI"]
)
def test_every_ci_host_reads_one_stream(variable: str) -> None:
    """A problem in the settings is printed where the host looks for it."""
    assert on_ci({variable: "true"})
    assert not on_ci({variable: ""})


@pytest.mark.parametrize(
    ("variable", "folds"),
    [
        ("GITHUB_ACTIONS", True),
        ("GITLAB_CI", True),
        ("TF_BUILD", True),
        ("TEAMCITY_VERSION", True),
        ("BUILDKITE", True),
        ("NOTHING", False),
    ],
)
def test_ci_hosts_fold_groups(variable: str, folds: bool) -> None:
    """Whoever prints a group can ask first whether it costs the reader anything."""
    assert choose({variable: "true"}, io.StringIO()).folds == folds


def test_github_is_given_its_files(tmp_path: Path) -> None:
    """Outputs and summary go to the files that the runner names; stderr does for the log."""
    environ = {
        "GITHUB_ACTIONS": "true",
        "GITHUB_OUTPUT": str(tmp_path / "output"),
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary"),
    }
    stderr = io.StringIO()
    host = choose(environ, stderr)
    host.output({"ready": "true"})
    host.summary("# ready\n")
    assert file_commands.parse((tmp_path / "output").read_bytes()).values == {"ready": "true"}
    assert (tmp_path / "summary").read_text() == "# ready\n"
    assert stderr.getvalue() == ""


@pytest.mark.parametrize(
    ("environ", "coloured"),
    [
        ({"GITHUB_ACTIONS": "true"}, True),
        ({"GITHUB_ACTIONS": "true", "NO_COLOR": "1"}, False),
        ({"GITHUB_ACTIONS": "true", "NO_COLOR": ""}, True),
        ({"GITLAB_CI": "true"}, True),
        ({"GITLAB_CI": "true", "NO_COLOR": "1"}, False),
        ({"TF_BUILD": "True"}, True),
        ({}, False),
        ({"FORCE_COLOR": "1"}, True),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
    ],
)
def test_colours_are_for_those_who_see_them(environ: dict[str, str], coloured: bool) -> None:
    """CI hosts show colours, a pipe or a file does not; `NO_COLOR` and `FORCE_COLOR` overrule."""
    stream = io.StringIO()
    choose(environ, stream).log("a", Style.BAD)
    assert ("\x1b[31m" in stream.getvalue()) == coloured


@pytest.mark.parametrize(
    ("environ", "live", "coloured"),
    [
        ({"TERM": "xterm-256color"}, True, True),
        ({}, True, True),
        ({"NO_COLOR": "1"}, True, False),
        ({"TERM": "dumb"}, False, False),
        ({"TERM": "dumb", "FORCE_COLOR": "1"}, False, True),
        ({"CI": "true"}, False, True),
        ({"GITHUB_ACTIONS": "true"}, False, True),
        ({"GITLAB_CI": "true"}, False, True),
    ],
)
def test_only_a_terminal_is_live(environ: dict[str, str], live: bool, coloured: bool) -> None:
    """Bars need a terminal that can move its cursor, and no log that keeps every frame."""
    stream = Tty()
    host = choose(environ, stream)
    host.log("a", Style.BAD)
    assert host.live == live
    assert ("\x1b[31m" in stream.getvalue()) == coloured


@pytest.mark.parametrize(
    ("environ", "printed"),
    [
        ({"GITHUB_ACTIONS": "true"}, ""),
        ({"GITHUB_ACTIONS": "true", "RUNNER_DEBUG": "1"}, "::debug::a\n"),
        ({"GITLAB_CI": "true", "CI_DEBUG_TRACE": "true", "NO_COLOR": "1"}, "debug: a\n"),
        ({"GITLAB_CI": "true", "CI_DEBUG_TRACE": "false"}, ""),
        ({"TF_BUILD": "True", "SYSTEM_DEBUG": "True", "NO_COLOR": "1"}, "debug: a\n"),
        ({"RUNNER_DEBUG": "1"}, "debug: a\n"),
        ({}, ""),
    ],
)
def test_debug_output_is_asked_for(environ: dict[str, str], printed: str) -> None:
    """Each host has its own variable for it."""
    stream = io.StringIO()
    choose(environ, stream).debug("a")
    assert stream.getvalue() == printed


def every_verb(host: Host) -> None:
    """Use all that a host can do."""
    host.log("· …")
    host.progress([Bar("漢字", 1, ("…",))])
    host.group("a", ["b"])
    host.output({"ready": "true"})
    host.summary("c")
    host.mask("9f86d081884c7d659a2feaa0c55ad015")
    host.close()


def test_every_host_is_chosen_somewhere_and_given_hostile_texts() -> None:
    """Each host of this package is what some environment stands for that the test of hostile texts knows."""
    for module in pkgutil.iter_modules(cfgate.hosts.__path__, "cfgate.hosts."):
        if module.name != "cfgate.hosts.keys" or sys.platform != "win32":
            importlib.import_module(module.name)
    hosts = {each for each in Plain.__subclasses__() if each.__module__.startswith("cfgate.")}
    assert hosts == {type(choose(environ, io.StringIO())) for environ in HOSTS.values()}


@pytest.mark.parametrize("name", HOSTS)
def test_no_stdout_is_no_error(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A closed descriptor, which Python calls None, or a closed stream stops no host."""
    monkeypatch.chdir(tmp_path)
    closed = io.StringIO()
    closed.close()
    every_verb(choose(HOSTS[name], None))
    every_verb(choose(HOSTS[name], closed))


@pytest.mark.parametrize("name", HOSTS)
@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_a_narrow_encoding_is_no_error(
    name: str, encoding: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Under `LANG=C` a host writes escapes for what the encoding lacks."""
    monkeypatch.chdir(tmp_path)
    binary = io.BytesIO()
    stream = io.TextIOWrapper(binary, encoding=encoding)
    every_verb(choose(HOSTS[name], stream))
    assert rb"\u2026" in binary.getvalue()


def test_a_real_terminal_is_asked_for_its_size() -> None:
    """On a pseudo-terminal bars are drawn as wide as its window is, or as wide as usual if it has no size."""
    master, slave = posix.open_terminal()
    with os.fdopen(slave, "w", encoding="utf-8") as stream:
        host = choose({"TERM": "xterm"}, stream)
        host.progress([Bar("version", 50, ("Running",))])
        posix.resize(slave, 24, 40)
        host.progress([Bar("version", 50, ("Running",))])
        # The kernel hands over what is there, which may be a part.
        seen = b""
        while seen.count(b"Running") < 2:
            seen += os.read(master, 65536)
        host.close()
    os.close(master)
    usual, narrow = re.findall("version .*?Running", seen.decode())
    assert host.live
    assert usual == "version ━━━━━━╸──────  50 % Running"
    assert narrow == "version ━━━───  50 % Running"


def test_a_terminal_that_tells_no_size_has_the_usual_one() -> None:
    """What is no real terminal, but says so, gets rows of 80 columns."""
    stream = Tty()
    choose({}, stream).progress([Bar("version", 50, ("x" * 100,))])
    assert re.findall("version[^\x1b]*", stream.getvalue()) == [
        "version " + "━" * 6 + "╸" + "─" * 6 + "  50 % " + "x" * 51
    ]


@pytest.mark.process
def test_the_display_is_loaded_for_a_terminal_only() -> None:
    """In a pipeline nobody pays for a progress bar."""
    program = (
        "import sys\n"
        "from cfgate.hosts.choose import choose\n"
        "choose({'GITHUB_ACTIONS': 'true'}, sys.stdout).log('a')\n"
        "choose({}, sys.stdout).log('b')\n"
        "print('cfgate.hosts.live' in sys.modules)\n"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout == "a\nb\nFalse\n"


def test_every_host_is_armed_against_a_first_line() -> None:
    """The fallback disarms for all hosts, since it may run where nobody has told it that it does."""
    stream = io.StringIO()
    choose({}, stream).log("::error::x\n##[error]y")
    assert workflow_commands.parse(stream.getvalue())[0] == []


@pytest.mark.parametrize(
    ("variable", "annotates"),
    [("GITHUB_ACTIONS", True), ("GITLAB_CI", False), ("TF_BUILD", True), ("NOTHING", False)],
)
def test_some_hosts_have_a_place_for_annotations(variable: str, annotates: bool) -> None:
    """Whoever annotates can ask first whether it is seen anywhere but in the log."""
    assert choose({variable: "true"}, io.StringIO()).annotates == annotates


def test_github_without_its_files_writes_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the runner names no files, a warning for each is all that comes of them."""
    monkeypatch.chdir(tmp_path)
    stream = io.StringIO()
    host = choose({"GITHUB_ACTIONS": "true"}, stream)
    host.output({"ready": "true"})
    host.summary("# ready")
    assert list(tmp_path.iterdir()) == []
    assert stream.getvalue().count("it is not set") == 2


def test_a_live_display_can_be_debugged() -> None:
    """Debug lines are printed above the bars as well."""
    stream = Tty()
    choose({"RUNNER_DEBUG": "1"}, stream).debug("a")
    assert "debug: a" in stream.getvalue()
    quiet = Tty()
    choose({}, quiet).debug("a")
    assert quiet.getvalue() == ""


def test_a_closed_stream_is_no_terminal() -> None:
    """Nothing is drawn where nothing can be written."""
    stream = io.TextIOWrapper(io.BytesIO())
    stream.close()
    assert not choose({}, stream).live


def test_a_terminal_without_a_size_is_24_lines_high() -> None:
    """Where the height is not told, 22 rows are drawn, and the log keeps two lines."""
    stream = Tty()
    choose({}, stream).progress([Bar(f"version {number}", 50, ("Running",)) for number in range(30)])
    assert "and 9 more" in stream.getvalue()
    assert "version 20" in stream.getvalue()
    assert "version 21" not in stream.getvalue()


@pytest.mark.process
@pytest.mark.parametrize("variable", ["TQDM_MININTERVAL", "TQDM_NCOLS", "TQDM_POSITION", "COLUMNS", "LINES"])
def test_no_variable_of_a_library_is_in_the_way_of_a_host(variable: str) -> None:
    """What a progress bar cannot make sense of costs the bar at most, in a process of its own."""
    code = (
        "import io, os; from cfgate.hosts.choose import choose\n"
        "class Tty(io.StringIO):\n"
        "    def isatty(self): return True\n"
        "host = choose(os.environ, Tty())\n"
        "host.progress([]); host.log('x'); host.close(); print(type(host).__name__)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code],
        env={"PATH": os.environ["PATH"], "TERM": "xterm", variable: "abc"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.stdout == "Terminal\n", ran.stderr


@pytest.mark.parametrize("shows", [True, False])
def test_a_console_of_windows_is_asked_first(shows: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that shows no escape sequences gets plain lines: neither colours nor a live display."""
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(windows, "shows_escapes", lambda stream: shows and stream.isatty())
    stream = Tty()
    host = choose({}, stream)
    assert isinstance(host, Terminal)
    host.log("a", Style.BAD)
    assert (host.live, "\x1b" in stream.getvalue()) == (shows, shows)
