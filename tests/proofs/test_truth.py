"""Every verdict is what was said about that target; and the proof finds the defects that cfgate once had."""

from __future__ import annotations

import socket
from collections.abc import Callable
from http.client import BadStatusLine
from typing import Any

import pytest

from cfgate.client import wire
from cfgate.client.channel import Channel, _Connection
from cfgate.client.client import Client
from cfgate.client.transport import Transport
from cfgate.client.wire import HttpAnswer
from cfgate.model import Target
from proofs import truth
from proofs.mischief import MISCHIEF, Mischief, Reads
from proofs.oracle import Heard, Means
from proofs.truth import Round, ask, rounds, run

BY_NAME = {each.name: each for each in MISCHIEF}
# Those that make a client wait for its time-out.
SLOW = {"too late", "103, too late", "103, a late lie", "one half, the other too late"}
QUICK = tuple(each for each in MISCHIEF if each.name not in SLOW)


def test_every_mischief_has_a_name_of_its_own() -> None:
    """A problem names one mischief."""
    assert len(BY_NAME) == len(MISCHIEF)
    assert set(BY_NAME) > SLOW


def test_the_rounds_bring_every_mischief_to_every_request() -> None:
    """For 1, 2, 8 and 60 targets, plain and over TLS."""
    for size in (1, 2, 8, 60):
        for tls in (False, True):
            played = [each for each in rounds() if (each.targets, each.tls) == (size, tls)]
            hits = {
                (each.hits(place, at).name, at) for each in played for place in range(size) for at in range(4)
            }
            assert len(hits) == 4 * len(MISCHIEF)


@pytest.mark.parametrize("tls", [False, True], ids=["http", "https"])
def test_each_question_gets_the_answer_to_it(tls: bool) -> None:
    """Sixty targets, half of which are not named by their answers, each with a mischief of its own."""
    asked, problems = ask(Round(60, tls, 0, QUICK))
    assert problems == []
    assert asked >= 4 * 60


def test_late_answers_are_never_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """What comes after the time-out of its request is lost, whoever asks next."""
    monkeypatch.setattr(truth, "_BOUND", 1.0)
    late = tuple(each for each in MISCHIEF if each.name in SLOW or each.name in ("103", "no mischief"))
    _, problems = ask(Round(6, tls=False, shift=0, mischief=late))
    assert problems == []


@pytest.mark.process
@pytest.mark.parametrize(("size", "tls"), [(2, True), (8, False)])
def test_a_run_reports_what_was_said(size: int, tls: bool) -> None:
    """State, progress, time line and count of requests of each target are those of its own answers."""
    requests, problems = run(size, 1, tls=tls)
    assert problems == []
    assert requests > 5 * size


# What the connections of cfgate did once: each is planted again, alone, and then all of them.


class Pool(Transport):
    """Keeps any number of connections, for whoever asks next."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._free: list[Channel] = []

    def _take(self) -> Channel:
        while self._free:
            kept = self._free.pop()
            if kept.usable(self._longest_idle):
                return kept
        return self._new()

    def _keep(self, channel: Channel) -> None:
        if channel.usable(self._longest_idle):
            self._free.append(channel)


def shares_connections(patch: pytest.MonkeyPatch) -> None:
    """Let all targets use the same connections."""

    def transport(client: Any, _: Target) -> Transport:
        with client._lock:
            made = Pool(client._api_url, client._tls, client._proxy, client._clock, client._hint)
            pool: Transport = client._transports.setdefault(Target(0), made)
            return pool

    patch.setattr(Client, "_transport", transport)


def takes_interim_answers(patch: pytest.MonkeyPatch) -> None:
    """Skip 100 only, as http.client does, and take any other interim answer for the final one."""

    def final_head(stream: Any) -> tuple[int, bytes, Any]:
        while True:
            line = wire._line(stream, first=True)
            match = wire._STATUS_LINE.fullmatch(line.rstrip())
            if match is None:
                raise BadStatusLine("no status line")
            fields = wire._fields(stream)
            if int(match[1]) != 100:
                return int(match[1]), line[:8], fields

    patch.setattr(wire, "_final_head", final_head)


def keeps_what_is_left_over(patch: pytest.MonkeyPatch) -> None:
    """Use a connection again, whatever stands or comes behind the answer."""

    def reusable(answer: Any, _: socket.socket) -> bool:
        stream, answer._ended = answer._ended, None
        return stream is not None and not answer.will_close

    patch.setattr(HttpAnswer, "reusable", reusable)
    patch.setattr(Channel, "usable", lambda channel, _: channel._clean)
    patch.setattr(_Connection, "is_connected", True)


def is_the_old_channel(patch: pytest.MonkeyPatch) -> None:
    """Do all of it."""
    for plant in (shares_connections, takes_interim_answers, keeps_what_is_left_over):
        plant(patch)


def some(*names: str) -> tuple[Mischief, ...]:
    """Pick mischief."""
    return tuple(BY_NAME[name] for name in names)


PLANTED: list[tuple[Callable[[pytest.MonkeyPatch], None], str, tuple[Mischief, ...]]] = [
    (shares_connections, "was used for", some("no mischief")),
    (takes_interim_answers, "'no answer'>, None, False), where", some("102", "103", "103, early")),
    (keeps_what_is_left_over, "the connection was used again", some("a lie behind it")),
    (keeps_what_is_left_over, "(<Means.READY: 'ready'>", some("a lie a moment later")),
    (is_the_old_channel, "was used for", some("103, early", "no mischief")),
]


@pytest.mark.parametrize(("plant", "words", "mischief"), PLANTED)
def test_the_questions_find_a_planted_defect(
    plant: Callable[[pytest.MonkeyPatch], None],
    words: str,
    mischief: tuple[Mischief, ...],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An answer that gets to another request, or target, is reported."""
    monkeypatch.setattr(truth, "_BOUND", 1.0)
    with monkeypatch.context() as patch:
        plant(patch)
        found = [problem for size in (1, 8) for problem in ask(Round(size, False, 0, mischief))[1]]
    assert any(words in problem for problem in found), found


def test_the_runs_find_the_old_channel(monkeypatch: pytest.MonkeyPatch) -> None:
    """Roll-outs with pending machines are Completed by the answers about others, and that is reported."""
    monkeypatch.setattr(truth, "_RUN", 8.0)
    with monkeypatch.context() as patch:
        is_the_old_channel(patch)
        _, problems = run(8, 1, tls=False, mischief=some("103, early", "a lie a moment later"))
    assert any("reported (5, 100, None), which was never said" in problem for problem in problems), problems
    assert any("was used for" in problem for problem in problems)


def test_what_was_not_said_is_found() -> None:
    """A state that was never answered, and a roll-out that was over too briefly, are reported."""
    over = Heard(Means.READY, 5, 100, None, holds=10.0)
    report = {
        "status": "ready",
        "job-state-id": 5,
        "job-progress": 100,
        "job-updated": None,
        "timeline": [{"job-state-id": 4, "job-progress": 1, "job-updated": None}],
    }
    assert list(truth._story(report, [(0.0, over), (9.0, over)])) == [
        "reported (4, 1, None), which was never said, or not in this order",
        "FALSE GREEN: it was over for 9.0 s only",
    ]
    running = Heard(Means.PENDING, 4, 1)
    assert "FALSE GREEN" in list(truth._story(report, [(0.0, over), (11.0, running)]))
    assert {each.reads for each in MISCHIEF} == set(Reads)
