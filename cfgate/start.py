"""Where the program begins: signals are listened for before anything is loaded that takes time.

A signal that comes while the rest is being loaded is found by the gate, which then writes everything down.
"""

from __future__ import annotations

from queue import SimpleQueue
from typing import TYPE_CHECKING

from cfgate.signals import listen

if TYPE_CHECKING:
    from cfgate.gate.watch import Inbox


def main() -> int:
    """Run cfgate with the arguments of the process, and return its exit code."""
    inbox: Inbox = SimpleQueue()
    listen(inbox.put)
    from cfgate import cli

    return cli.main(inbox=inbox)
