"""The command line. Imported only when there is one: the action's container is started without."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from typing import Final

from cfgate.settings.commands import Arguments, Command
from cfgate.settings.layers import Given
from cfgate.settings.options import SECRETS, Option
from cfgate.text.wording import closest, meant, named

_COMMANDS: Final = {command.word: command for command in Command}
_IDS: Final = re.compile(r"[0-9, \t\r\n]+")


def parse(argv: Sequence[str]) -> Arguments:
    """Sort the words of a command line into command, flags and ids. Never raises.

    The last of a repeated flag counts, as with most programs; repeated ids add up.
    """
    if argv[:1] in (["help"], ["version"]):
        return _told_about(*argv)
    command = _COMMANDS.get(argv[0]) if argv else None
    arguments = Arguments(command=command or Command.WAIT, topic=command.word if command else "")
    words = _without_secrets(argv[1:] if command else argv, arguments)
    rest = _take_flags(words, arguments)
    ids = _ids_in(rest, arguments)
    if ids and arguments.command.takes_ids:
        _take_ids(ids, arguments)
    elif ids:
        arguments.mistaken = True
        arguments.problems.append(f"cfgate {arguments.command.word} takes no ids: omit {named(ids[0])}")
    return arguments


def _told_about(word: str, *rest: str) -> Arguments:
    """Read `cfgate help`, `cfgate help WORD` and `cfgate version`."""
    from cfgate.settings.manual import TOPICS

    arguments = Arguments(help=word == "help", version=word == "version")
    rest = tuple(word for word in rest if word not in ("-h", "--help"))
    subject = rest[0] if rest and word == "help" else ""
    known = [*_COMMANDS, *TOPICS]
    if subject in known:
        arguments.topic = subject
    elif subject:
        arguments.problems.append(f"there is no help on {named(subject)}: {meant(subject, known)}")
    for surplus in rest[bool(subject) :]:
        arguments.problems.append(f"cfgate {word} takes no further words: omit {named(surplus)}")
    return arguments


def _without_secrets(words: Sequence[str], arguments: Arguments) -> list[str]:
    """Refuse credentials and take them out before anything can repeat them."""
    kept: list[str] = []
    expected = False  # whether the next word is one
    for word in words:
        flag, equals, value = word.partition("=")
        option = next((option for option in SECRETS if word.startswith(option.flag)), None)
        if option:
            arguments.problems.append(
                f"flag {option.flag} is refused, for a command line can be read by others: "
                f"give it as {option.places}, and revoke it if it was a real one"
            )
            arguments.refused.add(value)
            expected = flag == option.flag and not equals
        elif expected:
            arguments.refused.add(word)
            expected = False
        else:
            kept.append(word)
    return kept


def _take_flags(words: Sequence[str], arguments: Arguments) -> list[str]:
    """Take the flags and their values; return what is left, in order."""
    options = [option for option in arguments.command.options if not option.secret]
    found = argparse.Namespace()
    rest: list[str] = []
    try:
        _, rest = _parser(options).parse_known_args([_with_value(word, options) for word in words], found)
    except argparse.ArgumentError as error:
        arguments.problems.append(f"flag {_long(error)} takes no value: omit the value")
    flags = vars(found)
    arguments.help, arguments.version = "help" in flags, "version" in flags
    for option in options:
        texts = [text.strip() for text in flags.get(option.name, ())]
        if "" in texts:
            advice = "give it one or omit it (is a variable empty?)"
            arguments.problems.append(f"flag {option.flag} has no value: {advice}")
        elif texts:
            text = ",".join(texts) if option.many else texts[-1]
            flag = option.opposite if option.boolean and text == "false" else option.flag
            arguments.layer[option.name] = Given(text, f"flag {flag}")
    return rest


def _long(error: argparse.ArgumentError) -> str:
    """Name the flag that is to blame by its long form."""
    return (error.argument_name or "").rpartition("/")[2]


def _with_value(word: str, options: Sequence[Option]) -> str:
    """Give the flags for yes and no a value, so that `--fail-fast=false` is one more way to say it."""
    for option in options:
        if option.boolean and word == option.flag:
            return f"{option.flag}=true"
        if option.boolean and word == option.opposite:
            return f"{option.flag}=false"
    return word


def _parser(options: Sequence[Option]) -> argparse.ArgumentParser:
    """Build a parser that collects every text of every flag, "" for one that is missing."""
    parser = argparse.ArgumentParser(
        add_help=False, allow_abbrev=False, exit_on_error=False, argument_default=argparse.SUPPRESS
    )
    parser.add_argument("-h", "--help", action="store_true")
    parser.add_argument("-V", "--version", action="store_true")
    for option in options:
        parser.add_argument(option.flag, action="append", nargs="?", const="", dest=option.name)
    return parser


def _ids_in(rest: Sequence[str], arguments: Arguments) -> list[str]:
    """Pick the ids among the words that belong to no flag.

    What follows an unknown flag may be its value, and that may be a secret with a misspelt name: unless it
    is plainly a flag or an id, it is passed over in silence.
    """
    ids = []
    after_unknown_flag = False
    for word in rest:
        flag, equals, _ = word.partition("=")
        if word == "--":
            continue
        if flag.startswith("--") or (flag.startswith("-") and not after_unknown_flag):
            arguments.problems.append(_unknown_flag(flag, arguments.command))
            arguments.mistaken = True
            after_unknown_flag = not equals
            continue
        if not after_unknown_flag or _IDS.fullmatch(word):
            ids.append(word.strip())
        after_unknown_flag = False
    return ids


def _unknown_flag(flag: str, command: Command) -> str:
    known = ["--help", "--version", "-h", "-V"]
    for option in command.options:
        if option.boolean and flag == option.opposite:
            return f"flag {flag} takes no value: omit the value"
        if not option.secret:
            known += [option.flag, option.opposite] if option.boolean else [option.flag]
    if flag in known:
        return f"flag {flag} stands behind `--`: write options before it"
    guess = closest(flag, known)
    advice = f"did you mean {guess}?" if guess else "see cfgate --help"
    # Behind one dash a value may follow at once, as in curl's -uname:password.
    name = named(flag if flag.startswith("--") else flag[:2])
    return f"flag {name} is unknown to cfgate {command.word}: {advice}"


def _take_ids(words: Sequence[str], arguments: Arguments) -> None:
    """Add the ids on the command line to those of the flag."""
    name = "image-version-id"
    ids = []
    for word in words:
        command = closest(word, [*_COMMANDS, "help", "version"]) if word.isalpha() else ""
        if not word:
            arguments.problems.append("an id on the command line is empty: is a variable empty?")
        elif command:
            arguments.mistaken = True
            arguments.problems.append(f"{named(word)} is not an id: did you mean `cfgate {command} …`?")
        else:
            arguments.mistaken |= word[0].isalpha()
            ids.append(word)
    if ids:
        flagged = [arguments.layer[name].text] if name in arguments.layer else []
        text = ",".join([*flagged, *ids])
        arguments.layer[name] = Given(text, "the command line")
