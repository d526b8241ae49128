"""The only start there is: `python -m cfgate`, the command `cfgate` and the container's entry point.

Signals are listened for before anything is loaded that takes time. One that comes while the rest is being
loaded is found by the gate, which then writes everything down.
"""

from __future__ import annotations

from queue import SimpleQueue
from typing import TYPE_CHECKING

from cfgate.system.signals import listen

if TYPE_CHECKING:
    from cfgate.gate.watch import Inbox


def main() -> int:
    """Run cfgate with the arguments of the process, and return its exit code."""
    inbox: Inbox = SimpleQueue()
    listen(inbox.put)
    from cfgate import cli

    return cli.main(inbox=inbox)


if __name__ == "__main__":
    raise SystemExit(main())
