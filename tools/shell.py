"""Completions for bash, zsh and fish, and the man page, from the option table.

They are made when the reference is written and lie in data/share, from where the wheel installs them: they
cost nothing at start.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import shtab

from cfgate import __version__
from cfgate.model import GateStatus, Resource
from cfgate.settings.commands import Command
from cfgate.settings.manual import EXAMPLES, TOPICS
from cfgate.settings.options import OPTIONS, SECTIONS, SIMULATE_OPTIONS, Option
from cfgate.simulator import names

SHARE: Final = Path(__file__).parents[1] / "data" / "share"
PLACES: Final = {
    "bash": SHARE / "bash-completion" / "completions" / "cfgate",
    "zsh": SHARE / "zsh" / "site-functions" / "_cfgate",
    "fish": SHARE / "fish" / "vendor_completions.d" / "cfgate.fish",
}
MAN: Final = SHARE / "man" / "man1" / "cfgate.1"
# What a value may be, for options whose values are known.
_CHOICES: Final = {
    "resource": [kind.label for kind in Resource],
    "rehearse": list(names()),
    "scenario": list(names()),
}


def completion(shell: str) -> str:
    """Write the completion script of a shell."""
    return f"{shtab.complete(_parser(), shell).rstrip()}\n"


def _parser() -> argparse.ArgumentParser:
    """Build a parser that is only looked at: `cfgate.settings.arguments` has the one that reads."""
    parser = argparse.ArgumentParser("cfgate", add_help=False)
    _add(parser, Command.WAIT.options)
    parser.add_argument("-V", "--version", action="store_true", help="the version")
    commands = parser.add_subparsers()
    for command in Command:
        sub = commands.add_parser(command.word, help=command.help, add_help=False)
        _add(sub, command.options)
    topics = [*(command.word for command in Command), *TOPICS]
    helping = commands.add_parser("help", help="help on a command or a topic", add_help=False)
    helping.add_argument("topic", nargs="?", choices=topics)
    commands.add_parser("version", help="the version", add_help=False)
    return parser


def _add(parser: argparse.ArgumentParser, options: Iterable[Option]) -> None:
    parser.add_argument("-h", "--help", action="store_true", help="help on this")
    for option in options:
        if option.secret:
            continue
        text = option.help.replace("%", "%%")
        if option.boolean:
            parser.add_argument(option.flag, action="store_true", help=text)
            parser.add_argument(option.opposite, action="store_true", help=text)
            continue
        added = parser.add_argument(option.flag, help=text, choices=_CHOICES.get(option.name))
        if option.metavar == "FILE":
            added.complete = shtab.FILE  # type: ignore[attr-defined] # how shtab wants to be told


def man() -> str:
    """Write the man page, in the macros of roff."""
    lines = [f'.TH CFGATE 1 "" "cfgate {__version__}" "User Commands"', ".SH NAME"]
    lines.append(r"cfgate \- block a pipeline until a Clanforge game image version is ready")
    lines.append(".SH SYNOPSIS")
    for command in Command:
        word = f"[{command.word}]" if command is Command.WAIT else command.word
        ids = r" [\fIID\fR ...]" if command.takes_ids else ""
        lines += [f".B cfgate {_roff(word)}", rf"[\fIOPTION\fR ...]{ids}", ".br"]
    lines += [".SH COMMANDS"]
    for command in Command:
        lines += _entry(_bold(command.word), command.help)
    for section in SECTIONS:
        lines += [f'.SH "{_roff(section.upper())}"']
        lines += _options(option for option in OPTIONS if option.section == section)
    lines += ['.SH "OPTIONS OF SIMULATE"', *_options(SIMULATE_OPTIONS), '.SH "EXIT STATUS"']
    for status in sorted(GateStatus, key=lambda status: status.exit_code):
        lines += _entry(_bold(str(status.exit_code)), f"{status.label}: {status.meaning}")
    lines += [".SH EXAMPLES"]
    for line, what in EXAMPLES:
        lines += _entry(_bold(line), what)
    lines += [".SH ENVIRONMENT", _roff("Each option is also a variable: --timeout is CFGATE_TIMEOUT.")]
    return "\n".join(lines) + "\n"


def _options(options: Iterable[Option]) -> list[str]:
    lines = []
    for option in options:
        name = _bold(option.variable if option.secret else option.flag)
        value = f", {_bold(option.opposite)}" if option.boolean else rf" \fI{_roff(option.metavar)}\fR"
        default = f" (default: {option.default})" if option.default else ""
        lines += _entry(name if option.secret else f"{name}{value}", f"{option.help}{default}")
    return lines


def _entry(name: str, text: str) -> list[str]:
    return [".TP", name, _roff(text)]


def _bold(text: str) -> str:
    return rf"\fB{_roff(text)}\fR"


def _roff(text: str) -> str:
    """Write text that roff takes for nothing else: hyphens to copy, and no line that begins with a dot."""
    escaped = text.replace("\\", r"\e").replace("-", r"\-").replace("…", "...")
    return rf"\&{escaped}" if escaped.startswith((".", "'")) else escaped


def files() -> dict[Path, str]:
    """List every file, and what must be in it."""
    return {path: completion(shell) for shell, path in PLACES.items()} | {MAN: man()}
