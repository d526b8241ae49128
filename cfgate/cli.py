"""The composition root: argv, environment, streams and signals in; an exit code out.

Nothing else in cfgate reads the arguments, the environment or the streams of the process. On every way out,
a bug included, the outputs, the summary and the reason are written, and no traceback reaches the user.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from queue import SimpleQueue
from typing import TYPE_CHECKING, TextIO

from cfgate.delivery import UNDECIDED, deliver, reserved, write_undecided
from cfgate.errors import GateError
from cfgate.hosts import Level
from cfgate.hosts.choose import choose
from cfgate.hosts.console import Console
from cfgate.log.ending import conclude
from cfgate.log.progress import introduce
from cfgate.model import Result
from cfgate.session import bug, ended_by, run
from cfgate.settings.reading import read
from cfgate.settings.values import Demo, Files, InvalidRequest, Run, Settings, Show, Simulate
from cfgate.system.clock import Clock, SystemClock
from cfgate.system.signals import listen
from cfgate.text.redaction import Redactor

if TYPE_CHECKING:
    from cfgate.gate.watch import Inbox
    from cfgate.hosts import Host


def main(argv: Sequence[str] | None = None, inbox: Inbox | None = None) -> int:
    """Run cfgate and return its exit code.

    Without `argv`, with the arguments of the process. `inbox` is where signals go that are listened for
    already; without it they are from here on.
    """
    if inbox is None:
        inbox = SimpleQueue()
        listen(inbox.put)
    program = Program(os.environ, sys.stdout, sys.stderr, inbox, SystemClock())
    return program.run(sys.argv[1:] if argv is None else argv)


@dataclass(frozen=True, slots=True)
class Program:
    """One run of the program, with everything that it touches handed in."""

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
            broken = bug(error)  # its text is left out, for it may hold anything
            print(f"{broken.status.label}: {broken}. {broken.remedy}", file=self.stderr)
            return broken.status.exit_code

    def _run(self, argv: Sequence[str]) -> int:
        try:
            request = read(argv, self.environ)
        except InvalidRequest as error:
            host = self._host(error.files)
            for warning in error.warnings:
                host.annotate(Level.WARNING, "cfgate: settings", warning)
            return self._finish(host, error.files, ended_by(error, self._undecided()), error.problems)
        match request:
            case Show(text):
                console = Console(self.stdout)
                console.write(f"{text}\n")
                console.close()
                return 0
            case Simulate():
                from cfgate.rehearsal import serve

                return serve(request, self.environ, self.stdout, self.inbox)
            case Demo(speed):
                from cfgate.rehearsal import DEMO

                return self._gate(Run(DEMO), speed)
            case Run():
                return self._gate(request)

    def _gate(self, request: Run, speed: float = 1.0) -> int:
        """Run `wait`, `check` or `demo`; whatever happens, deliver a result."""
        settings, files = request.settings, request.settings.files
        keys = settings.credentials
        pair = f"{keys.access_key}:{keys.secret_key}"  # as a Basic header holds it
        host, redact = self._host(files), Redactor({*request.secrets, pair})
        undecided = replace(self._undecided(), rehearsal=bool(settings.rehearse))
        problems: Sequence[str] = ()
        try:
            for secret in _inputs(settings):
                host.mask(secret)
            introduce(host, settings, request.warnings)
            write_undecided(undecided, host, files)
            with reserved():
                result = run(settings, host, self.inbox, self.clock, self.environ, redact, speed)
        except GateError as error:
            problems = [redact(problem) for problem in getattr(error, "problems", ())]
            result = ended_by(error, undecided, redact)
        except Exception as error:  # noqa: BLE001 - a bug must not take the outputs with it
            host.debug(redact("".join(traceback.format_exception(error))))
            result = ended_by(bug(error, redact), undecided)
        return self._finish(host, files, replace(result, warnings=request.warnings), problems)

    def _undecided(self) -> Result:
        return replace(UNDECIDED, started=self.clock.time())

    def _host(self, files: Files) -> Host:
        """Choose the host; where the JSON has stdout for itself, the log goes to stderr."""
        return choose(self.environ, self.stderr if files.result == "-" else self.stdout)

    def _finish(self, host: Host, files: Files, result: Result, problems: Sequence[str]) -> int:
        # The reports first: whoever reads the log may be slow, or gone.
        deliver(result, host, files, self.stdout)
        conclude(host, result, problems)
        host.close()
        return result.exit_code


def _inputs(settings: Settings) -> list[str]:
    """List the credentials that came as inputs of an action: there the runner reads what masks them.

    Those from the environment are left alone: a step that pipes the log into a file would find them there.
    """
    credentials = {
        "access-key": settings.credentials.access_key,
        "secret-key": settings.credentials.secret_key,
        "token": settings.credentials.token,
    }
    given = (name for name, source in settings.sources.items() if source == f"input {name}")
    return [credentials[name] for name in given if credentials.get(name)]
