"""Hold every verdict against what was truly said about that target, whatever stands between.

    python -m proofs.truth [--small] [--seed N]

A witness on loopback answers for 1, 2, 8 and 60 targets of all four kinds, plain and over TLS, with every
mischief of `mischief` at every request, and writes down what it has said about whom on which connection. No
two answers about a target are the same, and a roll-out carries no id, so that an answer that gets to the
wrong request or target shows. Held against that are

    questions   what `Client.fetch` returns or raises, one by one
    runs        what the whole program reports about each target in the end
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, product
from pathlib import Path
from random import Random
from threading import Lock, Thread
from typing import Any, Final

from cfgate.client.client import Client
from cfgate.model import Resource, Target
from cfgate.system.clock import SystemClock
from proofs import program
from proofs.fuzz_targets import as_answered, told
from proofs.judge import judge
from proofs.mischief import MISCHIEF, Exchange, Mischief, Reads, Said, Then
from proofs.oracle import Heard, Means
from tests.support.canary import TOKEN
from tests.support.wire import CA, Peer, serve

_REQUESTS: Final = 4  # about each target, in the part that asks questions
_BOUND: Final = 4.0  # seconds for a request there; a busy machine gets everything done in them
_ASKED_AT_ONCE: Final = 8  # rounds
_LEAVES: Final = 5.0  # seconds within which a client must have left a server that has no end
_PAUSES: Final = (0.0, 0.7, 0.0, 0.7)  # seconds before the requests
_BORN: Final = 1_795_430_000  # Unix seconds
_ASID: Final = program.ASID
_SIZES: Final = (1, 2, 8, 60)
_HOLDS: Final = 10.0  # seconds for which a roll-out must be over
_FIRST: Final = 9001
_STATES: Final = {"Running": 4, "Completed": 5, "Failed": 6}

Life = Callable[[int], str]  # the state at the nth request


def targets(number: int) -> list[Target]:
    """Make so many targets of mixed kinds; every other one is a roll-out."""
    jobs = [resource for resource in Resource if resource is not Resource.ROLLOUT]
    kinds = [kind for job in jobs for kind in (Resource.ROLLOUT, job)]
    return [Target(_FIRST + at, f"t{at}", kinds[at % len(kinds)]) for at in range(number)]


def body(target: Target, state: str, serial: int) -> bytes:
    """Write what is true about a target: no two serial numbers in a row are the same."""
    if target.resource is Resource.ROLLOUT:
        done = 20 if state == "Completed" else serial % 19
        failed = int(state == "Failed")
        return json.dumps(
            {"pending_machines": 20 - done - failed, "failed_machines": failed, "completed_machines": done}
        ).encode()
    return json.dumps(
        {
            target.resource.id_field: target.id,
            "jobstateid": _STATES[state],
            "jobstatename": state,
            "jobcreated": _BORN,
            "jobupdated": _BORN + serial,
            "jobprogress": 100 if state == "Completed" else serial % 100,
            "jobfailed": 0,
            "success": True,
        }
    ).encode()


class Witness:
    """Answers requests about targets by their lives, with mischief, and writes down what it said."""

    def __init__(
        self,
        followed: Sequence[Target],
        life: Callable[[Target], Life],
        mischief: Callable[[int, int], Mischief],
        too_late: float,
    ) -> None:
        """`mischief` picks one by the place of the target and the number of the request, from 0 on."""
        self.said: dict[Target, list[Said]] = {target: [] for target in followed}
        self._by_path = {target.resource.address(target.id, _ASID): target for target in followed}
        self._places = {target: place for place, target in enumerate(followed)}
        self._life = {target: life(target) for target in followed}
        self._mischief = mischief
        self._too_late = too_late
        self._connections = 0
        self._lock = Lock()

    def script(self, peer: Peer) -> None:
        """Serve one connection."""
        with self._lock:
            self._connections += 1
            connection = self._connections
        while request := peer.request():
            target = self._by_path[request.line.split(" ")[1]]
            exchange = self._exchange(peer, target, connection)
            try:
                exchange.said.mischief.play(exchange)
            finally:
                exchange.said.played.set()

    def _exchange(self, peer: Peer, target: Target, connection: int) -> Exchange:
        with self._lock:
            said = self.said[target]
            serial = len(said)
            truth = body(target, self._life[target](serial), serial)
            one = Said(target.id, connection, truth, self._mischief(self._places[target], serial))
            said.append(one)
        strangers = [other for other in self._by_path.values() if other is not target]
        other = strangers[serial % len(strangers)] if strangers else Target(target.id + 1)
        lie = body(target, "Completed", serial + 50)
        return Exchange(peer, one, lie, body(other, "Completed", serial), self._too_late)


def meant(said: Said, target: Target) -> Heard:
    """Say what a client must make of an answer."""
    if said.mischief.reads is Reads.NOTHING:
        return Heard(Means.NO_ANSWER)
    return judge(said.status, {}, said.body, (target.resource.id_field, target.id), time.time())


def shared(witness: Witness) -> Iterator[str]:
    """Check that no connection was used for two targets."""
    users: dict[int, set[str]] = {}
    for target, said in witness.said.items():
        for one in said:
            users.setdefault(one.connection, set()).add(target.label)
    for connection, names in users.items():
        if len(names) > 1:
            yield f"connection {connection} was used for {len(names)} targets"


# Questions


@contextmanager
def client(url: str, bound: float) -> Iterator[Client]:
    """Make a client."""
    made = Client(
        api_url=url,
        token=TOKEN,
        request_timeout=bound,
        ca_bundle=CA if url.startswith("https") else "",
        environ={},
        clock=SystemClock(),
        redact=str,
    )
    try:
        yield made
    finally:
        made.close()


@dataclass(frozen=True)
class Round:
    """So many targets, and which mischief hits which request of which."""

    targets: int
    tls: bool
    shift: int
    mischief: tuple[Mischief, ...] = MISCHIEF

    def hits(self, place: int, request: int) -> Mischief:
        """Pick a mischief."""
        return self.mischief[(place + self.shift + 5 * request) % len(self.mischief)]


def rounds(sizes: Sequence[int] = _SIZES, mischief: tuple[Mischief, ...] = MISCHIEF) -> list[Round]:
    """List the rounds in which each mischief hits each request, for each number of targets."""
    return [
        Round(size, tls, shift, mischief)
        for size, tls in product(sizes, (False, True))
        for shift in range(0, len(mischief), size)
    ]


def ask(played: Round) -> tuple[int, list[str]]:
    """Ask about all targets of a round at once. Return how many questions that were, and what was wrong."""
    followed = targets(played.targets)
    # Running for ever: whoever believes that one is over has believed a lie, or somebody else.
    witness = Witness(followed, lambda _: lambda _: "Running", played.hits, _BOUND + 0.2)
    problems: list[str] = []
    with serve(witness.script, "good" if played.tls else "") as server, client(server.url, _BOUND) as asking:
        threads = [
            Thread(target=lambda each=each: problems.extend(_questions(asking, witness, each)))
            for each in followed
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    problems += shared(witness)
    where = f"{played.targets} targets{', TLS' if played.tls else ''}"
    return sum(map(len, witness.said.values())), [f"{where}: {problem}" for problem in problems]


def _questions(asking: Client, witness: Witness, target: Target) -> Iterator[str]:
    """Ask about one target, again and again."""
    said = witness.said[target]
    while len(said) < _REQUESTS:
        # As a gate does: a second lies between two looks, but for the one at the deadline.
        time.sleep(_PAUSES[len(said)])
        before = len(said)
        found, sent = _asked(asking, target)
        new = said[before:]
        if len(new) != sent or not new:
            yield f"{target.label}: {sent} requests were counted, and {len(new)} came"
            return
        yield from _against(target, found, before, new)
        if before:
            yield from _reuse(target, said[:before], new[0])


def _asked(asking: Client, target: Target) -> tuple[tuple[object, ...], int]:
    """Ask once. Return what the client made of it, and how many requests it says it has sent."""
    sent: list[Target] = []
    found = as_answered(lambda: asking.fetch(target, _ASID, lambda: sent.append(target)).job)
    return found, len(sent)


def _against(target: Target, found: tuple[object, ...], number: int, new: Sequence[Said]) -> Iterator[str]:
    """Hold what the client made of an answer against what was said."""
    last = new[-1]
    due = told(meant(last, target))
    if found != due:
        name = f"{target.resource.label}, {last.mischief.name}, request {number + 1}"
        yield f"{name}: {found}, where {due} was due"
    if not last.played.wait(_LEAVES):
        yield f"{last.mischief.name}: the client has not left a server that goes on and on"


def _reuse(target: Target, earlier: Sequence[Said], after: Said) -> Iterator[str]:
    """Check whether a request came on the connection of the one before, or on a new one."""
    before = earlier[-1]
    same = before.connection == after.connection
    name = f"{target.resource.label}, {before.mischief.name}, request {len(earlier)}"
    if same and before.mischief.then is Then.OVER:
        yield f"{name}: the connection was used again"
    # Who closes connections, or forgets them, may get a new one each time; so does who asks without a pause.
    trusted = all(said.mischief.reads is Reads.READ for said in earlier) and _PAUSES[len(earlier)]
    if not same and trusted and before.mischief.then is Then.KEPT:
        yield f"{name}: the connection was not used again"


# Runs


@dataclass(frozen=True)
class Fate:
    """What becomes of a target, how its gate must end, and whether mischief may cost an answer."""

    life: Life
    status: str
    costly: bool = True


_RUN: Final = 16.0  # seconds
_REQUEST_TIMEOUT: Final = 1.0  # seconds
_PENDING: Final = Fate(lambda _: "Running", "timeout")
_OVER: Final = Fate(lambda number: "Running" if number < 3 else "Completed", "ready")
_FAILED: Final = Fate(lambda number: "Running" if number < 3 else "Failed", "failed")
# An answer that cannot be used begins the wait of a roll-out anew: there is no time for many of them.
_ROLLED_OUT: Final = Fate(lambda number: "Running" if number < 1 else "Completed", "ready", costly=False)
_HARMLESS: Final = tuple(each for each in MISCHIEF if each.reads is Reads.READ and each.name not in (
    "somebody else's answer", "304 and a lie", "204 and a lie"))  # fmt: skip


def fate(target: Target) -> Fate:
    """Decide what becomes of a target."""
    place = target.id - _FIRST
    if target.resource is Resource.ROLLOUT:
        return _ROLLED_OUT if place % 5 == 2 else _PENDING
    return (_OVER, _OVER, _FAILED, _PENDING)[place % 4]


def run(
    number: int, seed: int, *, tls: bool, mischief: Sequence[Mischief] = MISCHIEF
) -> tuple[int, list[str]]:
    """Run the whole program on so many targets. Return how many requests came, and what was wrong."""
    randomness = Random(seed)
    followed = targets(number)
    harmless = [each for each in mischief if each in _HARMLESS]

    def hits(place: int, _: int) -> Mischief:
        usual = mischief if fate(followed[place]).costly else harmless
        return randomness.choice(usual) if randomness.random() < 0.7 else MISCHIEF[0]

    witness = Witness(followed, lambda target: fate(target).life, hits, _REQUEST_TIMEOUT + 0.3)
    with serve(witness.script, "good" if tls else "") as server, tempfile.TemporaryDirectory() as folder:
        result, code = _reported(server.url, followed, Path(folder), tls=tls)
    problems = [*_judged(witness, result), *shared(witness)]
    if (code == 0) != all(fate(target).status == "ready" for target in followed):
        problems.append(f"FALSE {'GREEN' if code == 0 else 'RED'}: exit code {code}")
    requests = sum(map(len, witness.said.values()))
    return requests, [f"{number} targets{', TLS' if tls else ''}, seed {seed}: {each}" for each in problems]


def _reported(url: str, followed: Sequence[Target], folder: Path, *, tls: bool) -> tuple[dict[str, Any], int]:
    named = {t.name: {"image-version-id": t.id, "resource": t.resource.label} for t in followed}
    (folder / "targets.yml").write_text(json.dumps({"targets": named}))
    inputs = {
        "image-version-id": "",
        "config": str(folder / "targets.yml"),
        "result-file": str(folder / "result.json"),
        "api-url": url,
        "timeout": f"{_RUN:g}s",
        "request-timeout": f"{_REQUEST_TIMEOUT:g}s",
        "max-interval": "1s",
        "fail-fast": "false",
    }
    ran = program.run(inputs, {"SSL_CERT_FILE": CA} if tls else {})
    result: dict[str, Any] = json.loads((folder / "result.json").read_text("ascii"))
    return result, ran.code


def _judged(witness: Witness, result: dict[str, Any]) -> Iterator[str]:
    """Hold what was reported about each target against what was said about it."""
    reports = {report["name"]: report for report in result["image-versions"]}
    for target, said in witness.said.items():
        report = reports[target.name]
        name = f"{target.resource.label} {target.id}"
        if report["status"] != fate(target).status:
            yield f"{name} ended {report['status']}, not {fate(target).status}: {report['reason']}"
        heard = [(one.at, meant(one, target)) for one in said]
        if report["requests"] != len(said):
            yield f"{name}: {report['requests']} requests were counted, and {len(said)} came"
        yield from (f"{name}: {problem}" for problem in _story(report, heard))


def _story(report: dict[str, Any], heard: Sequence[tuple[float, Heard]]) -> Iterator[str]:
    usable = [(at, each) for at, each in heard if each.state]
    said = [(each.state, each.progress, each.updated) for _, each in usable]
    last = (report["job-state-id"], report["job-progress"], report["job-updated"])
    if not said or last != said[-1]:
        yield f"reported {last}, where {said[-1:]} was said last"
    truth = iter(said)
    for moment in report["timeline"]:
        seen = (moment["job-state-id"], moment["job-progress"], moment["job-updated"])
        if seen not in truth:
            yield f"reported {seen}, which was never said, or not in this order"
    if report["status"] == "ready":
        began = [at for at, each in usable if each.means is Means.READY]
        holds = usable[-1][1].holds
        if not began or heard[-1][1].means is not Means.READY:
            yield "FALSE GREEN"
        elif began[-1] - began[0] < holds - 0.3:
            yield f"FALSE GREEN: it was over for {began[-1] - began[0]:.1f} s only"


# All of it


@dataclass(frozen=True)
class Total:
    """How many requests there were, and everything that was wrong."""

    questions: int
    requests: int
    problems: list[str]


def check(seed: int, *, small: bool) -> Total:
    """Play all rounds and runs; in the `small` form each mischief hits each request, but not in each size."""
    program.run({"rehearse": "ready", "timeout": "0"})  # load what is loaded late
    played = rounds((60,) if small else _SIZES) + (rounds((2, 8))[::5] if small else [])
    ran = [
        (size, tls)
        for size, tls in product(_SIZES, (False, True))
        if not small or tls == (size % 8 == 0) or size == 60
    ]
    with ThreadPoolExecutor(_ASKED_AT_ONCE) as asking, ThreadPoolExecutor(len(ran)) as running:
        runs = [running.submit(run, size, seed + at, tls=tls) for at, (size, tls) in enumerate(ran)]
        asked = list(asking.map(ask, played))
        done = [each.result() for each in runs]
    problems = list(chain.from_iterable(wrong for _, wrong in (*asked, *done)))
    return Total(sum(count for count, _ in asked), sum(count for count, _ in done), problems)


def main() -> int:
    """Print what was played; exit 1 when a verdict was not what was said."""
    parser = argparse.ArgumentParser(prog="truth", description="Hold every verdict against what was said.")
    parser.add_argument("--small", action="store_true", help="a part of it")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="of the runs; counts up")
    arguments = parser.parse_args()
    began = time.monotonic()
    total = check(arguments.seed, small=arguments.small)
    print(f"{len(MISCHIEF)} kinds of mischief, {time.monotonic() - began:.0f} s:")
    print(
        f"{total.questions} questions to the client, and runs of the program with {total.requests} requests"
    )
    print(*total.problems[:50] or ["Every verdict was what was said about that target."], sep="\n")
    return 1 if total.problems else 0


if __name__ == "__main__":
    sys.exit(main())
