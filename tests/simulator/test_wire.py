"""Trouble on the wire, as the socket of a client sees it."""

from __future__ import annotations

import json
import socket
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import IncompleteRead

import pytest

from cfgate.simulator import Simulator
from tests.support.simulation import HandClock, ask, connected, drained, raw, scenario, send

LIFE = "life: [{state: Completed}]\nfaults:\n"
PLACES = ["before headers", "in headers", "in body", "after body"]


@contextmanager
def troubled(connection: str, *, speed: float = 1.0) -> Iterator[tuple[Simulator, bytes]]:
    """Serve trouble on every request but the first; hand over the simulator, and what a whole answer is."""
    text = f"{LIFE}  - {{requests: 2-, connection: {connection}}}"
    # The clock stands still, so that every answer is the same to the last byte.
    with Simulator(scenario(text), clock=HandClock(), speed=speed) as simulator:
        with raw(simulator) as sock:
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                head += sock.recv(1)
            length = next(line for line in head.split(b"\r\n") if line.startswith(b"Content-Length"))
            whole = head + exactly(sock, int(length.split()[1]))
        yield simulator, whole


def exactly(sock: socket.socket, size: int) -> bytes:
    """Read this many bytes."""
    received = b""
    while len(received) < size:
        part = sock.recv(size - len(received))
        assert part, "the connection ended too early"
        received += part
    return received


def part_before(place: str, whole: bytes) -> bytes:
    """Return what comes through before trouble begins."""
    head = whole.index(b"\r\n\r\n") + 4
    sizes = (0, head // 2, head + (len(whole) - head) // 2, len(whole))
    return whole[: sizes[PLACES.index(place)]]


@pytest.mark.parametrize("place", PLACES)
def test_a_connection_can_be_reset(place: str) -> None:
    """The client gets what was sent before, and then an RST."""
    with troubled(f"reset {place}") as (simulator, whole), raw(simulator) as sock:
        begin = part_before(place, whole)
        assert exactly(sock, len(begin)) == begin
        with pytest.raises(ConnectionResetError):
            sock.recv(1)


@pytest.mark.parametrize("place", PLACES)
def test_a_connection_can_be_cut(place: str) -> None:
    """The client gets what was sent before, and then an end in good order: fewer bytes than promised."""
    with troubled(f"cut {place}") as (simulator, whole), raw(simulator) as sock:
        assert drained(sock) == part_before(place, whole)


@pytest.mark.parametrize("place", PLACES)
def test_an_answer_can_stall(place: str) -> None:
    """The client gets what was sent before, and then silence on an open connection."""
    with troubled(f"stall {place}") as (simulator, whole), raw(simulator) as sock:
        begin = part_before(place, whole)
        assert exactly(sock, len(begin)) == begin
        sock.settimeout(0.1)
        with pytest.raises(TimeoutError):
            sock.recv(1)


@pytest.mark.parametrize("place", PLACES[:3])
def test_an_answer_can_drip(place: str) -> None:
    """From some place on the bytes come one by one; in the end they are all there."""
    with troubled(f"drip {place}", speed=2000) as (simulator, whole), raw(simulator) as sock:
        assert drained(sock) == whole


def test_a_drip_is_one_byte_a_second() -> None:
    """At twice the speed, there is one byte after half a second, and no second one."""
    with troubled("drip in body", speed=2) as (simulator, whole), raw(simulator) as sock:
        exactly(sock, len(part_before("in body", whole)))
        assert len(sock.recv(100)) == 1


def test_a_truncated_body_is_shorter_than_promised() -> None:
    """An HTTP client notices that the body ends before its `Content-Length`."""
    with troubled("cut in body") as (simulator, _), pytest.raises(IncompleteRead):
        ask(simulator)


def test_a_kept_connection_can_be_gone_without_a_word() -> None:
    """After a whole answer the connection ends, though the client was told nothing of it."""
    with troubled("cut after body") as (simulator, _), connected(simulator) as connection:
        got = send(connection)
        assert got.status == 200
        assert "Connection" not in got.headers
        assert connection.sock.recv(1) == b""


def test_a_connection_that_is_announced_to_close_is_closed() -> None:
    """A `Connection: close` from the scenario is kept."""
    text = f"{LIFE}  - headers: {{Connection: close}}"
    with Simulator(scenario(text)) as simulator, raw(simulator) as sock:
        assert b"\r\nConnection: close\r\n" in drained(sock)


@pytest.mark.parametrize("status", [204, 304])
def test_a_status_without_a_body_has_none(status: int) -> None:
    """What HTTP forbids to have a body has none, so that the next answer begins where it should."""
    text = f"{LIFE}  - {{requests: 1, status: {status}, body: much}}"
    with Simulator(scenario(text)) as simulator, connected(simulator) as connection:
        first, second = send(connection), send(connection)
    assert (first.status, first.body, second.status) == (status, b"", 200)


def test_a_redirect_says_where_to() -> None:
    """A redirect is a status and a header."""
    text = f"{LIFE}  - {{status: 301, headers: {{Location: 'https://api.example.invalid/$id?a=b'}}}}"
    with Simulator(scenario(text)) as simulator:
        got = ask(simulator)
    assert (got.status, got.headers["Location"]) == (301, "https://api.example.invalid/9001?a=b")


def test_the_pages_of_a_proxy_are_html() -> None:
    """A login page comes with status 200, a gateway's error with its own; both say that they are HTML."""
    text = f"{LIFE}  - {{requests: 1, instead: html}}\n  - {{status: 502}}"
    with Simulator(scenario(text)) as simulator:
        login, gateway = ask(simulator), ask(simulator)
    assert (login.status, gateway.status) == (200, 502)
    assert login.headers["Content-Type"] == gateway.headers["Content-Type"] == "text/html; charset=utf-8"
    assert b"<title>Sign in</title>" in login.body


def test_a_compressed_body_can_be_a_bomb() -> None:
    """Some kilobytes on the wire are megabytes when unpacked; the job within is whole."""
    with Simulator(scenario(f"{LIFE}  - instead: gzip-bomb 8MiB")) as simulator:
        got = ask(simulator)
    assert got.headers["Content-Encoding"] == "gzip"
    assert len(got.body) < 100_000
    unpacked = zlib.decompress(got.body, wbits=31)
    assert len(unpacked) == 8 << 20
    assert json.loads(unpacked)["jobstatename"] == "Completed"


@pytest.mark.parametrize(("junk", "size"), [("empty", 0), ("deep", 200_000), ("huge", 2 << 20)])
def test_junk_arrives_whole(junk: str, size: int) -> None:
    """However odd a body is, every byte of it arrives, and the connection lives on."""
    with (
        Simulator(scenario(f"{LIFE}  - {{requests: 1, instead: {junk}}}")) as simulator,
        connected(simulator) as connection,
    ):
        assert len(send(connection).body) == size
        assert send(connection).status == 200


def test_bytes_that_are_no_text_arrive_as_they_are() -> None:
    """A body that is not UTF-8 is sent as such."""
    with Simulator(scenario(f"{LIFE}  - instead: not-utf8")) as simulator:
        body = ask(simulator).body
    with pytest.raises(UnicodeDecodeError):
        body.decode()
