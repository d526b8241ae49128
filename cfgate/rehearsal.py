"""Playing instead of asking: `rehearse`, `cfgate demo` and `cfgate simulate`.

In a rehearsal the simulator stands in the place of Clanforge, on loopback and with made-up credentials; the
real ones never leave the process.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from queue import Empty
from signal import Signals
from typing import TYPE_CHECKING, Final, TextIO

from cfgate.errors import InvalidSettings
from cfgate.gate.watch import TICK
from cfgate.hosts.console import Console
from cfgate.hosts.text import log_lines
from cfgate.settings.values import Credentials
from cfgate.simulator import ScenarioError, Simulator, load
from cfgate.system.signals import exit_code

if TYPE_CHECKING:
    from cfgate.gate.watch import Inbox
    from cfgate.settings.values import Settings, Simulate

_MADE_UP: Final = Credentials(access_key="rehearsal", secret_key="rehearsal")  # noqa: S106 - opens nothing


@contextmanager
def rehearse(settings: Settings) -> Iterator[Settings]:
    """Run the scenario of `settings.rehearse`; yield settings that lead to it. Raises InvalidSettings."""
    try:
        scenario = load(settings.rehearse)
    except ScenarioError as error:
        source = settings.sources.get("rehearse", "rehearse")
        raise InvalidSettings([f"{error} (from {source})"]) from None
    simulator = Simulator(
        scenario,
        access_key=_MADE_UP.access_key,
        secret_key=_MADE_UP.secret_key,
        speed=settings.speed,
    )
    with simulator:
        yield settings._replace(api_url=simulator.url, credentials=_MADE_UP, ca_bundle="")


def serve(request: Simulate, environ: Mapping[str, str], stdout: TextIO, stderr: TextIO, inbox: Inbox) -> int:
    """Serve a simulated Clanforge until a signal comes; return the exit code. A wrong call goes to stderr.

    Where the environment has Clanforge credentials, only these are let in; otherwise everybody is.
    """
    console = Console(stdout)

    def write(text: str) -> None:
        console.lines(log_lines(text))

    try:
        scenario = load(request.scenario)
        simulator = Simulator(
            scenario,
            access_key=environ.get("CLANFORGE_ACCESS_KEY", ""),
            secret_key=environ.get("CLANFORGE_SECRET_KEY", ""),
            token=environ.get("CLANFORGE_TOKEN", ""),
            port=request.port,
            speed=request.speed,
            log=lambda line: write(f"{time.strftime('%H:%M:%S')}  {line}"),
        )
        simulator.start()
    except (ScenarioError, OSError) as error:
        problem = str(error)
        if isinstance(error, OSError):
            advice = "name another --port, or 0 for any"
            problem = f"port {request.port} is not available ({error.strerror}): {advice}"
        invalid = InvalidSettings([problem])
        Console(stderr).lines(log_lines(f"{invalid.status.label}: {problem}"))
        return invalid.status.exit_code
    try:
        about = f": {scenario.description}" if scenario.description else ""
        write(f"{simulator.url}  plays {request.scenario}{about}")
        write("gate on it with: --api-url " + simulator.url + "   (Ctrl-C stops it)")
        return exit_code(_signalled(inbox))
    finally:
        simulator.stop()
        console.close()


def _signalled(inbox: Inbox) -> Signals:
    """Wait for a signal, bit by bit: on Windows nothing interrupts a wait that has no end."""
    while True:
        with suppress(Empty):
            message = inbox.get(timeout=TICK)
            if isinstance(message, Signals):  # nothing else is ever posted here
                return message
