"""The pages of `--help` and `cfgate help`: an overview, one for each command, and one for each topic.

Imported only for that. Every page is written for the width of the window that it is read in.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable
from typing import Final

from cfgate import __version__
from cfgate.model import GateStatus
from cfgate.settings.commands import Command
from cfgate.settings.options import (
    BY_NAME,
    CONNECTION,
    CREDENTIALS,
    HOW_LONG,
    HOW_OFTEN,
    OPTIONS,
    REHEARSAL,
    REPORTS,
    SECTIONS,
    Option,
)

WIDEST: Final = 100
_NARROWEST: Final = 40
_COLUMN: Final = 32  # where explanations begin, in a window that has the room

_HEAD: Final = "block a pipeline until a Clanforge game image version is ready"
_OFTEN_USED: Final = ("account-service-id", "timeout", "config", "result-file", "verbose")
_PLACES: Final = """\
Every option is also an input of the action (timeout) and an environment variable (CFGATE_TIMEOUT); those
marked * may stand in the config file too (timeout: 45m), and most of them in a target there (targets: {linux:
{image-version-id: 9001, timeout: 90m}}).

A flag comes before an input, then environment, target, file and default; an empty input or variable counts
as not given. Credentials are never flags.

A duration is written like 90s, 45m, 1h30m or 1.5h. The usual REQUESTS_CA_BUNDLE, SSL_CERT_FILE, HTTPS_PROXY
and NO_PROXY work too, and NO_COLOR is obeyed."""
EXAMPLES: Final = (
    ("cfgate 9001 --account-service-id 1234567", "wait; the keys are in the environment"),
    ("cfgate check 9001,9002 --config gate.yml", "look once at two"),
    ("cfgate 9001 --rehearse ready", "try the pipeline without an account"),
    ("cfgate 9001 --timeout 2h --stall-timeout 20m", "be patient, but not with a job that is stuck"),
    ("cfgate --config gate.yml --no-fail-fast", "follow all targets of the file to their ends"),
    ("cfgate 7 --resource image-update", "wait for another kind of job"),
)
_OF_COMMANDS: Final = {
    Command.WAIT: EXAMPLES[:1] + EXAMPLES[2:],
    Command.CHECK: EXAMPLES[1:2],
    Command.DEMO: (("cfgate demo --speed 3", "in a third of the time"),),
    Command.SIMULATE: (("cfgate simulate --scenario flaky --port 8080", "a network with a bad day"),),
}


class Page:
    """A page under way, for so many columns."""

    def __init__(self, columns: int) -> None:
        self._columns = max(min(columns, WIDEST), _NARROWEST)
        self._column = _COLUMN if self._columns >= 70 else 6  # below it each explanation has lines of its own
        self._blocks: list[str] = []

    def __str__(self) -> str:
        return "\n\n".join(self._blocks)

    def text(self, *paragraphs: str) -> None:
        """Add paragraphs of prose."""
        self._blocks += [self._filled(paragraph) for paragraph in paragraphs]

    def entries(self, title: str, entries: Iterable[tuple[str, str]]) -> None:
        """Add a list of names, each with its explanation beside or below it."""
        lines = [self._entry(name, what) for name, what in entries]
        self._blocks.append("\n".join([*([title] if title else []), *lines]))

    def options(self, title: str, options: Iterable[Option]) -> None:
        """Add a list of options."""
        self.entries(title, [(_spelling(option), _explanation(option)) for option in options])

    def _filled(self, text: str, first: str = "", rest: str = "") -> str:
        return textwrap.fill(
            text,
            self._columns,
            initial_indent=first,
            subsequent_indent=rest,
            break_on_hyphens=False,
            break_long_words=False,
        )

    def _entry(self, name: str, what: str) -> str:
        rest = " " * self._column
        if len(name) < self._column and self._column == _COLUMN:
            return self._filled(what, name.ljust(self._column - 1) + " ", rest)
        return f"{name}\n{self._filled(what, rest, rest)}"


def page(topic: str = "", columns: int = WIDEST) -> str:
    """Write the page on a command or a topic, or the overview."""
    if topic in TOPICS:
        return TOPICS[topic](columns)
    command = next((command for command in Command if command.word == topic), None)
    return of_command(command, columns) if command else overview(columns)


def overview(columns: int = WIDEST) -> str:
    """Write what fits on a screen: the commands, what is needed most, and where there is more."""
    page = Page(columns)
    page.text(f"cfgate {__version__}: {_HEAD}")
    page.entries("Usage", [_usage(command) for command in Command])
    page.options("Used most (each also as CFGATE_…)", [BY_NAME[name] for name in _OFTEN_USED])
    page.entries("Credentials", [(f"  {BY_NAME[name].variable}", BY_NAME[name].help) for name in _KEYS])
    page.entries("Examples", [(f"  {line}", what) for line, what in EXAMPLES[:3]])
    page.text(
        "Help on a command: cfgate COMMAND --help. "
        f"Help on a topic: cfgate help TOPIC, of {', '.join(TOPICS)}."
    )
    return str(page)


_KEYS: Final = ("access-key", "secret-key", "token")


def of_command(command: Command, columns: int = WIDEST) -> str:
    """Write what a command does, takes and returns."""
    page = Page(columns)
    page.entries("", [_usage(command, indent="")])
    for title in SECTIONS:
        options = [option for option in command.options if option.section == title]
        if options:
            page.options(title, options)
    if command is Command.SIMULATE:
        page.entries("Scenarios", _scenarios())
    page.entries("Examples", [(f"  {line}", what) for line, what in _OF_COMMANDS[command]])
    if command.takes_ids:
        page.text("Where else an option may stand: cfgate help config. How it ends: cfgate help exit-codes.")
    return str(page)


def everything(columns: int = WIDEST) -> str:
    """Write one long page of all of it, as the documents have it."""
    page = Page(columns)
    page.text(f"cfgate {__version__}: {_HEAD}")
    page.entries("Usage", [_usage(command) for command in Command])
    for title in SECTIONS:
        page.options(title, [option for option in OPTIONS if option.section == title])
    page.options("For cfgate simulate; cfgate demo takes --speed alone", Command.SIMULATE.options)
    page.text(*_PLACES.split("\n\n"))
    page.entries("Exit codes", _exit_codes())
    page.entries("Examples", [(f"  {line}", what) for line, what in EXAMPLES])
    return str(page)


def _of_sections(*titles: str) -> Callable[[int], str]:
    def write(columns: int) -> str:
        page = Page(columns)
        for title in titles:
            page.options(title, [option for option in OPTIONS if option.section == title])
        return str(page)

    return write


def _config(columns: int) -> str:
    page = Page(columns)
    page.text(*_PLACES.split("\n\n"))
    return str(page)


def _codes(columns: int) -> str:
    page = Page(columns)
    page.entries("Exit codes", _exit_codes())
    return str(page)


TOPICS: Final[dict[str, Callable[[int], str]]] = {
    "config": _config,
    "credentials": _of_sections(CREDENTIALS),
    "timing": _of_sections(HOW_LONG, HOW_OFTEN),
    "reports": _of_sections(REPORTS),
    "connection": _of_sections(CONNECTION),
    "rehearsal": _of_sections(REHEARSAL),
    "exit-codes": _codes,
    "all": everything,
}


def _usage(command: Command, indent: str = "  ") -> tuple[str, str]:
    word = f"[{command.word}]" if command is Command.WAIT else command.word
    ids = " [ID ...]" if command.takes_ids else ""
    return f"{indent}cfgate {word}{ids}", command.help


def _spelling(option: Option) -> str:
    if option.secret:
        return f"  {option.variable}"
    value = f", {option.opposite}" if option.boolean else f" {option.metavar}"
    marker = "  " if option.not_in_file else "* "
    return f"{marker}{option.flag}{value}"


def _explanation(option: Option) -> str:
    return f"{option.help} (default: {option.default})" if option.default else option.help


def _scenarios() -> list[tuple[str, str]]:
    from cfgate.simulator import load, names

    return [(f"  {name}", load(name).description) for name in names()]


def _exit_codes() -> list[tuple[str, str]]:
    statuses = sorted(GateStatus, key=lambda status: status.exit_code)
    return [(f"  {status.exit_code:>3}  {status.label}", status.meaning) for status in statuses]
