"""The composition root: argv, environment, streams and signals in; an exit code out.

Nothing else in cfgate reads the arguments, the environment or the streams of the process. On every way out,
a bug included, the outputs, the summary and the reason are written, and no traceback reaches the user.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from queue import SimpleQueue
from typing import TYPE_CHECKING, NamedTuple, TextIO

from cfgate import session
from cfgate.conclusion import UNDECIDED, bug, conclude
from cfgate.delivery import deliver
from cfgate.hosts import Level
from cfgate.hosts.choose import choose, columns, is_interactive, on_ci
from cfgate.hosts.console import Console
from cfgate.log.ending import write_ending
from cfgate.settings.reading import read
from cfgate.settings.values import Files, InvalidRequest, Run, Show, Simulate
from cfgate.system.clock import Clock, SystemClock
from cfgate.system.signals import listen
from cfgate.text.redaction import Redactor

if TYPE_CHECKING:
    from cfgate.gate.watch import Inbox
    from cfgate.hosts import Host
    from cfgate.model import Result


def main(argv: Sequence[str] | None = None, inbox: Inbox | None = None) -> int:
    """Run cfgate and return its exit code.

    Without `argv`, with the arguments of the process. `inbox` receives signals that are listened for already;
    without it they are from here on.
    """
    if inbox is None:
        inbox = SimpleQueue()
        listen(inbox.put)
    if sys.platform == "win32":
        from cfgate.system.windows import speak_utf8

        for stream in (sys.stdout, sys.stderr):
            speak_utf8(stream, os.environ)
    program = Program(os.environ, sys.stdout, sys.stderr, inbox, SystemClock())
    return program.run(sys.argv[1:] if argv is None else argv)


class Program(NamedTuple):
    """One run of the program, with everything that it touches passed in."""

    environ: Mapping[str, str]
    stdout: TextIO
    stderr: TextIO
    inbox: Inbox
    clock: Clock

    def run(self, argv: Sequence[str]) -> int:
        """Do what is asked for and return the exit code. Never raises."""
        try:
            return self._run(argv)
        except Exception as error:  # noqa: BLE001 - the last boundary: not even the reports could be written
            broken = bug(error)  # its text is left out, for it may contain anything
            print(f"{broken.status.label}: {broken}. {broken.remedy}", file=self.stderr)
            return broken.status.exit_code

    def _run(self, argv: Sequence[str]) -> int:
        try:
            request = read(argv, self.environ, interactive=is_interactive(self.environ, self.stdout))
        except InvalidRequest as error:
            return self._refuse(error)
        except Exception as error:  # noqa: BLE001 - a bug before it is known where reports go: the host has files
            undecided = UNDECIDED._replace(started=self.clock.time())
            return self._finish(self._host(Files()), Files(), conclude(bug(error), undecided), ())
        match request:
            case Show(page):
                console = Console(self.stdout)
                console.write(f"{page(columns(self.environ, self.stdout))}\n")
                console.close()
                return 0
            case Simulate():
                from cfgate.rehearsal import serve

                return serve(request, self.environ, self.stdout, self.stderr, self.inbox)
            case Run():
                host = self._host(request.settings.files)
                result = session.run(request, host, self.inbox, self.clock, self.environ)
                return self._finish(host, request.settings.files, result, request.secrets)

    def _refuse(self, error: InvalidRequest) -> int:
        """Report an invalid call: where a CI host reads along to its log, else to stderr, as programs do."""
        host = self._host(error.files) if on_ci(self.environ) else choose(self.environ, self.stderr)
        for warning in error.warnings:
            host.annotate(Level.WARNING, "cfgate: settings", warning)
        before = UNDECIDED._replace(
            started=self.clock.time(),
            warnings=error.warnings,
            asked=error.asked,
            rehearsal=error.rehearsal,
        )
        return self._finish(host, error.files, conclude(error, before), error.secrets)

    def _host(self, files: Files) -> Host:
        """Choose the host; where the JSON goes to stdout, the log goes to stderr."""
        try:
            return choose(self.environ, self.stderr if files.result == "-" else self.stdout)
        except Exception:  # noqa: BLE001 - whatever is odd about a stream, the outputs do not depend on it
            return choose(self.environ, None)

    def _finish(self, host: Host, files: Files, result: Result, secrets: Iterable[str]) -> int:
        # The reports first: whoever reads the log may be slow, or gone.
        deliver(result, host, files, self.stdout, Redactor(secrets))
        write_ending(host, result)
        host.close()
        return result.exit_code
