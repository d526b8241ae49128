"""The only start there is: `python -m cfgate`, the command `cfgate` and the container's entry point.

Signals are listened for before anything is loaded that takes time. One that comes while the rest is being
loaded is found by the gate, which then writes everything down. An older Python can read this file, so that it
can say what is missing.
"""

import _signal  # type: ignore[import-not-found] # the part of `signal` that takes no time to load
import gc
import sys

if sys.version_info < (3, 11):  # noqa: UP036 - pip would refuse, but a clone needs no pip
    sys.stderr.write("cfgate needs Python 3.11 or newer; this is {}.{}\n".format(*sys.version_info))
    raise SystemExit(2)


def main() -> int:
    """Run cfgate with the arguments of the process, and return its exit code."""
    # Until the next lines are through, Ctrl-C ends the program as any other signal does: with no traceback.
    _signal.signal(_signal.SIGINT, _signal.SIG_DFL)
    from queue import SimpleQueue
    from typing import Any

    from cfgate.system.signals import listen

    inbox: SimpleQueue[Any] = SimpleQueue()
    listen(inbox.put)
    # To load modules makes objects that stay: to look through them 60 times for garbage took 8 % of a start.
    gc.set_threshold(50_000)
    try:
        from cfgate import cli
    except ModuleNotFoundError as error:
        from cfgate.errors import NotInstalled

        missing = NotInstalled(error)
        sys.stderr.write(f"{missing.status.label}: {missing}. {missing.remedy}\n")
        return missing.status.exit_code
    return _ended(cli.main(inbox=inbox))


def _ended(code: int) -> int:
    """Return an exit code, or end with it at once where a thread is still under way.

    To tidy up, Python ends such threads by a library that is loaded only then. Where no descriptor is free
    for that, glibc aborts the process, and its exit code is lost.
    """
    import os
    import threading
    from contextlib import suppress

    if threading.active_count() > 1:
        for stream in (sys.stdout, sys.stderr):
            with suppress(Exception):  # closed, or full: that has been told, where it could be
                stream.flush()
        os._exit(code)
    return code


if __name__ == "__main__":
    raise SystemExit(main())
