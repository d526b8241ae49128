"""Completions and the man page: shells and man take them, and they know every command and flag."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest

from cfgate.settings.commands import Command
from cfgate.settings.options import OPTIONS
from cfgate.simulator import names
from tools import shell

FLAGS = [flag for o in OPTIONS if not o.secret for flag in ([o.flag, o.opposite] if o.boolean else [o.flag])]


def test_every_file_is_what_the_table_says() -> None:
    """`make reference` writes them."""
    for path, text in shell.files().items():
        assert path.read_text("utf-8") == text, path


@pytest.mark.parametrize("name", ["bash", "zsh", "fish"])
def test_a_completion_knows_commands_and_flags(name: str) -> None:
    """What can be typed is offered; credentials are no flags."""
    text = shell.completion(name)
    missing = [flag for flag in FLAGS if flag not in text and flag.removeprefix("--") not in text]
    assert missing == []
    assert all(command.word in text for command in Command)
    assert all(name in text for name in names())
    assert "secret-key" not in text
    assert shell.__file__ not in text


@pytest.mark.process
@pytest.mark.parametrize("name", ["bash", "zsh", "fish"])
def test_a_shell_reads_its_completion(name: str) -> None:
    """The script has no syntax error, where that shell is there to say so."""
    program = shutil.which(name)
    if program is None:
        pytest.skip(f"there is no {name} here")
    subprocess.run([program, "-n", str(shell.PLACES[name])], check=True)


COMPLETE = """\
source {path}
COMP_WORDS=({words}); COMP_CWORD={place}
complete -p cfgate >/dev/null
{function}
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


def completed(*words: str) -> set[str]:
    """Ask bash what it would offer for the last word."""
    path = shell.PLACES["bash"]
    found = re.search(r"complete .*-F (\w+) cfgate", path.read_text("utf-8"))
    assert found
    quoted = " ".join(f"'{word}'" for word in words)
    script = COMPLETE.format(path=path, words=quoted, place=len(words) - 1, function=found[1])
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True)
    return {line.strip() for line in done.stdout.splitlines()}


@pytest.mark.process
def test_bash_completes_commands_flags_and_values() -> None:
    """In bash: a command, a flag of that command, and a value that is known."""
    assert {"wait", "check", "simulate", "help"} <= completed("cfgate", "")
    assert {"--timeout", "--queue-timeout", "--verbose", "--no-verbose"} <= completed("cfgate", "wait", "--")
    assert {"--port"} <= completed("cfgate", "simulate", "--p")
    assert completed("cfgate", "simulate", "--scenario", "fla") == {"flaky"}


def test_the_man_page_has_everything() -> None:
    """Every option, command and exit code; no line that roff would take for an order."""
    text = shell.man()
    plain = text.replace(r"\-", "-")
    assert all(rf"\fB{flag}\fR" in plain for flag in FLAGS)
    assert all(option.variable in plain for option in OPTIONS if option.secret)
    orders = {line.split()[0] for line in text.splitlines() if line.startswith((".", "'"))}
    assert orders == {".TH", ".SH", ".TP", ".B", ".br"}


@pytest.mark.process
def test_man_reads_the_man_page() -> None:
    """There is nothing that groff complains of, where it is installed."""
    groff = shutil.which("groff")
    if groff is None:
        pytest.skip("there is no groff here")
    done = subprocess.run(
        [groff, "-man", "-Tutf8", "-ww", "-z", str(shell.MAN)], capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
