"""The machine that a situation is played on: network, mounts and processes of its own, which end with it.

Loopback is the only interface, so nothing leaves it. Addresses and names that are reserved for documentation
and tests (RFC 5737, RFC 3849, RFC 6761) stand for those of a real network:

    192.0.2.1    api.lab.test     the server in front of the API, 2001:db8::1 too
    192.0.2.3    proxy.lab.test   the proxy
    192.0.2.53                    the resolver
    192.0.2.66   192.0.2.67       lead nowhere: packets vanish; 2001:db8::66 too
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from fronts.api import Api
from tests.support.canary import KEYS, found

FRONT: Final = "192.0.2.1"
FRONT_V6: Final = "2001:db8::1"
PROXY: Final = "192.0.2.3"
RESOLVER: Final = "192.0.2.53"
DEAD: Final = ("192.0.2.66", "192.0.2.67")
DEAD_V6: Final = "2001:db8::66"
URL: Final = "https://api.lab.test"
_HOSTS: Final = {"localhost": ["127.0.0.1"], "api.lab.test": [FRONT], "proxy.lab.test": [PROXY]}
_FIREWALL: Final = """flush ruleset
table inet lab {
chain arrivals {
type filter hook input priority 0;
%s
}
}
"""
_VANISH: Final = f"ip daddr {{ {', '.join(DEAD)} }} drop\nip6 daddr {DEAD_V6} drop"

FIRST_ID: Final = 9001
_LONGEST_START: Final = 30.0  # seconds until a server listens
_LONGEST_GATE: Final = 150.0  # seconds


@dataclass(frozen=True)
class Run:
    """A gate that has ended."""

    targets: tuple[int, ...]
    code: int
    log: str
    result: Mapping[str, Any]
    started: float  # by the monotonic clock, as `ended`
    ended: float

    @property
    def seconds(self) -> float:
        """How long it took, with the start of the program."""
        return self.ended - self.started

    @property
    def said(self) -> str:
        """What it says to a person at the end: the reason, and what to do."""
        return f"{self.result.get('reason', '')} {self.result.get('remedy', '')}".strip()


class Lab:
    """The machine, and what has been found wrong on it so far."""

    def __init__(self, directory: Path, tls: Path, source: Path) -> None:
        """`source` is the folder that holds the package cfgate; `tls` what `certificates` has made."""
        self.directory = directory
        self.tls = tls
        self.wrong: list[str] = []
        self._source = source
        self._prepare()

    # The network

    def hosts(self, names: Mapping[str, Sequence[str]]) -> None:
        """Set /etc/hosts: the addresses of each name."""
        lines = (f"{address} {name}\n" for name, addresses in names.items() for address in addresses)
        (self.directory / "hosts").write_text("".join(lines))

    def firewall(self, *rules: str) -> None:
        """Set what happens to packets that arrive, beside those that vanish in any case.

        Not to those on their way out: the kernel tells the sender of UDP that a packet was dropped there.
        """
        script = _FIREWALL % "\n".join((_VANISH, *rules))
        self.run("nft", "-f", self.write("firewall", script))

    def _prepare(self) -> None:
        self.directory.chmod(0o777)  # the servers run as several users
        for folder in ("/run", "/dev/shm"):  # noqa: S108 - of this machine alone
            self.run("mount", "-t", "tmpfs", "-o", "mode=1777", "lab", folder)
        self.hosts(_HOSTS)
        self.write("resolv.conf", f"nameserver {RESOLVER}\noptions timeout:1 attempts:1\n")
        self.write("nsswitch.conf", "hosts: files dns\npasswd: files\ngroup: files\n")
        for name in ("hosts", "resolv.conf", "nsswitch.conf"):
            self.run("mount", "--bind", self.directory / name, Path("/etc", name).resolve())
        self.run("ip", "link", "set", "lo", "up")
        for each in (FRONT, PROXY, RESOLVER, *DEAD):
            self.run("ip", "address", "add", f"{each}/32", "dev", "lo")
        for each in (FRONT_V6, DEAD_V6):
            self.run("ip", "address", "add", f"{each}/128", "dev", "lo", "nodad")
        self.firewall()

    # Files and processes

    def write(self, name: str, text: str) -> Path:
        """Write a file for a server, in place."""
        path = self.directory / name
        path.write_text(text)
        return path

    def copy(self, certificate: str) -> None:
        """Put a certificate where a server reads it: live.pem, live.key."""
        for kind in ("pem", "key"):
            shutil.copy(self.tls / f"{certificate}.{kind}", self.directory / f"live.{kind}")

    def read(self, name: str) -> str:
        """Read what a server has written; "" when there is no such file."""
        path = self.directory / name
        return path.read_text(errors="replace") if path.exists() else ""

    def run(self, *argv: object) -> str:
        """Run a program to its end; return what it prints. Raises RuntimeError when it fails."""
        done = subprocess.run([str(each) for each in argv], capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{argv[0]}: {done.stderr.strip() or done.stdout.strip()}")
        return done.stdout

    def start(
        self,
        *argv: object,
        at: tuple[str, int] | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> subprocess.Popen[bytes]:
        """Start a server, and wait until it listens there."""
        name = Path(str(argv[0])).name
        with (self.directory / f"{name}.out").open("ab") as output:
            process = subprocess.Popen(
                [str(each) for each in argv],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=self.directory,
                env={**os.environ, **(environ or {})},
                start_new_session=True,
            )
        end = time.monotonic() + _LONGEST_START
        while at and not _listens(at):
            if process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"{name} does not start: {self.read(f'{name}.out')[-500:]}")
            time.sleep(0.05)
        return process

    def stop(self, process: subprocess.Popen[bytes], how: signal.Signals = signal.SIGKILL) -> None:
        """End a server and its children, and wait until it is gone."""
        with suppress(ProcessLookupError):
            os.killpg(process.pid, how)
        process.wait()

    def freeze(self, process: subprocess.Popen[bytes]) -> None:
        """Let a server fall silent: it listens, and does nothing."""
        os.killpg(process.pid, signal.SIGSTOP)

    def wake(self, process: subprocess.Popen[bytes]) -> None:
        """Let it go on."""
        os.killpg(process.pid, signal.SIGCONT)

    def flag(self, name: str) -> Path:
        """Name a file that a server looks for, which is there after `touch` and not after `unlink`."""
        return self.directory / f"flag-{name}"

    def later(self, seconds: float, action: Callable[[], object]) -> None:
        """Do something after some seconds."""
        timer = threading.Timer(seconds, action)
        timer.daemon = True
        timer.start()

    # The gate

    def gate(
        self,
        *words: str,
        url: str = URL,
        targets: int = 1,
        resource: str = "image-version",
        ca: str = "ca",
        timeout: str = "30s",
        pace: Sequence[str] = ("--poll-interval", "1s"),
        environ: Mapping[str, str] | None = None,
    ) -> Run:
        """Run cfgate to its end. Whatever the situation, it must not crash, hang or show a credential."""
        ids = tuple(range(FIRST_ID, FIRST_ID + targets))
        result = self.directory / "result.json"
        result.unlink(missing_ok=True)
        # fmt: off
        argv = [
            sys.executable, "-m", "cfgate", "wait", ",".join(map(str, ids)), "--account-service-id", "7",
            "--api-url", url, "--resource", resource, "--ca-bundle", str(self.tls / f"{ca}.pem"),
            "--timeout", timeout, "--result-file", str(result), *pace, *words,
        ]
        # fmt: on
        env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(self._source), **KEYS, **(environ or {})}
        started = time.monotonic()
        try:
            done = subprocess.run(
                argv, env=env, cwd=self.directory, capture_output=True, stdin=subprocess.DEVNULL,
                timeout=_LONGEST_GATE, check=False,
            )  # fmt: skip
            code, log = done.returncode, (done.stdout + done.stderr).decode(errors="replace")
        except subprocess.TimeoutExpired as error:
            code, log = -1, (error.stdout or b"").decode(errors="replace")
            self.wrong.append(f"the gate hangs: it had not ended after {_LONGEST_GATE:.0f} s")
        ended = time.monotonic()
        with (self.directory / "gate.log").open("a") as file:
            file.write(log)
        text = self.read("result.json")
        run = Run(ids, code, log, json.loads(text) if text else {}, started, ended)
        self._always(run)
        return run

    def _always(self, run: Run) -> None:
        """Check what must never happen."""
        for name in found(run.log) + found(self.read("result.json")):
            self.wrong.append(f"the {name} stands in the log or the result")
        if "Traceback" in run.log or run.code == 70:
            self.wrong.append(f"a bug shows: {_last(run.log)}")

    # What is right

    def expect(self, right: bool, otherwise: str) -> None:  # noqa: FBT001 - a comparison is meant
        """Note what is wrong unless it is right."""
        if not right:
            self.wrong.append(otherwise)

    def equal(self, what: str, value: object, right: object) -> None:
        """Expect a value."""
        self.expect(value == right, f"{what}: {value!r} instead of {right!r}")

    def exits(self, run: Run, code: int) -> None:
        """Expect an exit code."""
        why = run.said or _last(run.log)
        self.expect(run.code == code, f"exit code {run.code} instead of {code} ({why})")

    def ready(self, run: Run, api: Api, retries: int | None = None) -> None:
        """Expect success, and that the API has really told the end of every target; and so many retries."""
        self.exits(run, 0)
        if missing := sorted(set(run.targets) - api.ended):
            self.wrong.append(f"the API has never told that these are ready: {missing}")
        if retries is not None:
            self.equal("retries", run.result.get("retries"), retries)

    def within(self, what: str, seconds: float, bound: float) -> None:
        """Expect a time that is no longer than its bound."""
        self.expect(seconds <= bound, f"{what}: {seconds:.1f} s, more than {bound:g} s")

    def says(self, run: Run, *patterns: str) -> None:
        """Expect that reason and remedy match each of these patterns, whatever the case of the letters."""
        for pattern in patterns:
            right = re.search(pattern, run.said, re.IGNORECASE) is not None
            self.expect(right, f"does not say {pattern!r}, but {run.said!r}")

    def never_says(self, run: Run, *patterns: str) -> None:
        """Expect that reason and remedy match none of these patterns."""
        for pattern in patterns:
            right = re.search(pattern, run.said, re.IGNORECASE) is None
            self.expect(right, f"says {pattern!r}: {run.said!r}")

    def logs(self, run: Run, *patterns: str) -> None:
        """Expect that the log matches each of these patterns."""
        for pattern in patterns:
            right = re.search(pattern, run.log, re.IGNORECASE) is not None
            self.expect(right, f"the log never says {pattern!r}: {_troubles(run.log)}")


def _listens(at: tuple[str, int]) -> bool:
    """Whether somebody listens there."""
    with suppress(OSError):
        socket.create_connection(at, 1).close()
        return True
    return False


def _last(log: str) -> str:
    return " | ".join(log.strip().splitlines()[-2:])


def _troubles(log: str) -> str:
    """Quote what a log says of answers that could not be used."""
    lines = [line.strip() for line in log.splitlines() if "no answer" in line or "doubtful" in line]
    return " | ".join(lines[:2]) or _last(log)
