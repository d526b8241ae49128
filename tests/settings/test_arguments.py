"""The command line: commands, flags and ids in any order, every mistake at once, no secret repeated."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cfgate.settings.arguments import parse
from cfgate.settings.commands import Command
from cfgate.settings.options import DEMO_OPTIONS, OPTIONS, SIMULATE_OPTIONS


def texts(*argv: str) -> dict[str, str]:
    """Return what a command line without a mistake gives."""
    arguments = parse(argv)
    assert arguments.problems == []
    return {name: given.text for name, given in arguments.layer.items()}


@pytest.mark.parametrize(
    ("argv", "command"),
    [
        ([], Command.WAIT),
        (["9001"], Command.WAIT),
        (["--timeout", "5m", "9001"], Command.WAIT),
        (["wait", "9001"], Command.WAIT),
        (["check"], Command.CHECK),
        (["demo"], Command.DEMO),
        (["simulate"], Command.SIMULATE),
    ],
)
def test_the_command_stands_first_or_is_wait(argv: list[str], command: Command) -> None:
    """A first word that is a command is one; without it, cfgate waits."""
    assert parse(argv).command is command


@pytest.mark.parametrize(
    "argv",
    [
        ["9001", "--timeout", "5m", "9002"],
        ["wait", "--timeout=5m", "9001,9002"],
        ["--image-version-id", "9001", "--timeout", "5m", "9002"],
        ["--image-version-id=9001", "--image-version-id=9002", "--timeout=5m"],
        ["--timeout", "5m", "--", "9001", "9002"],
    ],
)
def test_flags_and_ids_come_in_any_order(argv: list[str]) -> None:
    """Ids are words or flags, before, between or after the others, and add up."""
    assert texts(*argv) == {"timeout": "5m", "image-version-id": "9001,9002"}


def test_the_last_of_a_repeated_flag_counts() -> None:
    """A wrapper can override what stands before, as with most programs."""
    assert texts("--timeout", "5m", "--timeout=9m") == {"timeout": "9m"}
    assert texts("--fail-fast", "--no-fail-fast") == {"fail-fast": "false"}


@pytest.mark.parametrize(
    ("word", "text", "source"),
    [
        ("--fail-fast", "true", "flag --fail-fast"),
        ("--no-fail-fast", "false", "flag --no-fail-fast"),
        ("--fail-fast=false", "false", "flag --no-fail-fast"),
        ("--fail-fast=maybe", "maybe", "flag --fail-fast"),
    ],
)
def test_yes_and_no_are_two_flags(word: str, text: str, source: str) -> None:
    """A boolean takes no word behind it, and may be written with `=`, as other programs have it."""
    given = parse([word, "9001"]).layer["fail-fast"]
    assert (given.text, given.source) == (text, source)


def test_every_option_but_the_secrets_is_a_flag() -> None:
    """Each command knows the flags of its own table, and no others."""
    for command, options in [("wait", OPTIONS), ("demo", DEMO_OPTIONS), ("simulate", SIMULATE_OPTIONS)]:
        flags = [option for option in options if not option.secret]
        words = [f"{option.flag}=7" for option in flags]
        assert texts(command, *words) == {option.name: "7" for option in flags}
    assert len(parse(["demo", "--timeout=7", "--port=7"]).problems) == 2


@pytest.mark.parametrize(
    "argv", [["--help"], ["check", "-h"], ["--bogus", "--help"], ["--timeout", "--help"]]
)
def test_help_is_heard_anywhere(argv: list[str]) -> None:
    """Whoever asks for help gets it, whatever else is wrong."""
    assert parse(argv).help


@pytest.mark.parametrize(
    "argv", [["--timeout"], ["--timeout="], ["--timeout", ""], ["--timeout", "--fail-fast"]]
)
def test_a_flag_without_a_value_is_a_problem(argv: list[str]) -> None:
    """An empty value is most often an empty variable, and must not fall through to another layer."""
    assert parse(argv).problems == [
        "flag --timeout has no value: give it one or omit it (is a variable empty?)"
    ]


def test_an_empty_id_is_a_problem() -> None:
    """`cfgate wait "$ID"` with an empty ID does not wait for what another layer names."""
    assert parse(["wait", ""]).problems == ["an id on the command line is empty: is a variable empty?"]


@pytest.mark.parametrize(
    ("argv", "problem"),
    [
        (["--timout=5m"], "flag --timout is unknown to cfgate wait: did you mean --timeout?"),
        (["--time", "5m"], "flag --time is unknown to cfgate wait: did you mean --timeout?"),
        (["--", "--timeout", "5m"], "flag --timeout stands behind `--`: write options before it"),
        (["--hepl"], "flag --hepl is unknown to cfgate wait: did you mean --help?"),
        (["--verison"], "flag --verison is unknown to cfgate wait: did you mean --version?"),
        (["--no-timeout"], "flag --no-timeout is unknown to cfgate wait: did you mean --timeout?"),
        (["--no-failfast"], "flag --no-failfast is unknown to cfgate wait: did you mean --no-fail-fast?"),
        (["check", "-q"], "flag -q is unknown to cfgate check: see cfgate --help"),
        (["-uhunter2"], "flag -u is unknown to cfgate wait: see cfgate --help"),
        (["simulate", "--timeout=5m"], "flag --timeout is unknown to cfgate simulate: see cfgate --help"),
        (["--no-fail-fast=yes"], "flag --no-fail-fast takes no value: omit the value"),
        (["--version=2"], "flag --version takes no value: omit the value"),
        (["wiat", "9001"], "wiat is not an id: did you mean `cfgate wait …`?"),
        (["--timeout=5m", "check", "9001"], "check is not an id: did you mean `cfgate check …`?"),
        (["demo", "9001"], "cfgate demo takes no ids: omit 9001"),
        (["--" + "x" * 58], f"flag --{'x' * 58} is unknown to cfgate wait: see cfgate --help"),
        (["--" + "x" * 59], f"flag '--{'x' * 58}…' is unknown to cfgate wait: see cfgate --help"),
        (["--\x1b[2J\n"], r"flag '--\x1b[2J\n' is unknown to cfgate wait: see cfgate --help"),
    ],
)
def test_a_mistake_is_a_problem_and_not_an_exit(argv: list[str], problem: str) -> None:
    """A misspelt flag or command is told with what was meant, and never by abbreviation."""
    assert parse(argv).problems == [problem]


@pytest.mark.parametrize(
    ("argv", "unknown", "ids"),
    [
        (["--bogus", "-5", "9001"], ["--bogus"], "9001"),
        (["--bogus=1", "-5", "9001"], ["--bogus", "-5"], "9001"),
        (["--bogus", "x", "-5"], ["--bogus", "-5"], None),
        (["--bogus", "--sped", "-5"], ["--bogus", "--sped"], None),
        (["-5", "--", "x"], ["-5"], None),
        (["--bogus=1", "x"], ["--bogus"], "x"),
    ],
)
def test_what_follows_an_unknown_flag_may_be_its_value(
    argv: list[str], unknown: list[str], ids: str | None
) -> None:
    """One word is passed over in silence, unless it is plainly a flag or an id."""
    arguments = parse(argv)
    assert [problem.split()[1] for problem in arguments.problems] == unknown
    given = arguments.layer.get("image-version-id")
    assert (given and given.text) == ids


def test_every_mistake_is_told() -> None:
    """A mistake does not hide those behind it, nor what is right."""
    arguments = parse(["--timeout", "--bogus", "--junit-file", "--result-file", "-", "9001", "--sped=3"])
    assert len(arguments.problems) == 4
    assert {name: given.text for name, given in arguments.layer.items()} == {
        "result-file": "-",
        "image-version-id": "9001",
    }


@pytest.mark.parametrize(
    ("argv", "refused"),
    [
        (["--token", "hunter2"], {"hunter2"}),
        (["--token=hunter2", "9001"], {"hunter2"}),
        (["--token", "-hunter2", "9001"], {"-hunter2"}),
        (["--token=hunter2", "--token", "hunter2-2"], {"hunter2", "hunter2-2"}),
        (["--access-key", "--secret-key", "hunter2"], {"hunter2"}),
        (["demo", "--secret-key=a=hunter2"], {"a=hunter2"}),
        (["--token:hunter2"], set()),
        (["--tokenhunter2"], set()),
        (["--tokn", "hunter2"], set()),
        (["--acess-key=hunter2"], set()),
        (["-token", "-hunter2"], set()),
        (["-hunter2"], set()),
        (["-uhunter2"], set()),
    ],
)
def test_a_secret_in_a_flag_is_refused_and_not_repeated(argv: list[str], refused: set[str]) -> None:
    """Credentials as flags are refused with the right places; what may be one is never shown."""
    arguments = parse(argv)
    assert arguments.refused - {""} == refused
    assert arguments.problems
    assert "hunter2" not in " ".join(arguments.problems)
    if argv[0].startswith(("--token", "--access-key")):
        assert "environment CLANFORGE_" in arguments.problems[0]


FLAGS = ["--timeout", "--timeout=5m", "--fail-fast", "--no-fail-fast", "--token", "--port", "-h", "--help=x"]
OTHERS = [
    "9001",
    "check",
    "demo",
    "simulate",
    "--",
    "-",
    "-hx",
    "-5",
    "--fail-fast=x",
    "@file",
    "--=",
    "=",
    "",
    "-x y",
]


@settings(deadline=None)
@given(st.lists(st.sampled_from(FLAGS + OTHERS) | st.text(max_size=8)))
def test_any_command_line_is_read(argv: list[str]) -> None:
    """Whatever stands on a command line, it is sorted without an exit, and its problems can be printed."""
    arguments = parse(argv)
    assert all(problem.isprintable() for problem in arguments.problems)
    assert all(given.text for given in arguments.layer.values())
