"""The commands of cfgate, and a command line once it is read."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from cfgate.settings.layers import Findings
from cfgate.settings.options import DEMO_OPTIONS, OPTIONS, SIMULATE_OPTIONS, Option


class Command(Enum):
    """A command: its name, what it does, its options, and whether it takes ids."""

    WAIT = ("wait", "block until every image version is ready", OPTIONS, True)
    CHECK = ("check", "look once, report, never wait (a pending job exits 10)", OPTIONS, True)
    DEMO = ("demo", "gate on a simulator and show a whole life in about 15 s; needs no account", DEMO_OPTIONS)
    SIMULATE = ("simulate", "serve a simulated Clanforge on 127.0.0.1, to rehearse against", SIMULATE_OPTIONS)

    def __init__(self, word: str, help_: str, options: tuple[Option, ...], takes_ids: bool = False) -> None:  # noqa: FBT001, FBT002 - an Enum gives its values by position
        self.word = word
        self.help = help_
        self.options = options
        self.takes_ids = takes_ids


@dataclass(slots=True, eq=False, repr=False)
class Arguments(Findings):
    """A command line: the command and its flags.

    `topic` is what help is asked on, a command or a topic; empty for all. `mistaken`: a word or a flag is
    wrong, so that what seems to be missing may only follow from it.
    """

    command: Command = Command.WAIT
    help: bool = False
    topic: str = ""
    version: bool = False
    mistaken: bool = False
