"""Names with several addresses: real sockets on loopback, and a resolver that says what it is told to."""

from __future__ import annotations

import errno
import socket
import time
from collections.abc import Iterator

import pytest

from cfgate.client.addresses import connect, look_up


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """Listen on a free port of 127.0.0.1."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening


@pytest.fixture
def silent() -> Iterator[tuple[int, object]]:
    """Give an address that takes no connection and refuses none: its queue is full."""
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(full.getsockname())
        yield socket.AF_INET, full.getsockname()
        for filler in fillers:
            filler.close()


def refusing() -> tuple[int, object]:
    """Find a port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        return socket.AF_INET, closed.getsockname()


def test_dead_addresses_cost_little(listener: socket.socket, silent: tuple[int, object]) -> None:
    """Two that are silent and one that refuses do not keep the one that answers waiting."""
    good = (socket.AF_INET, listener.getsockname())
    began = time.monotonic()
    with connect([silent, silent, refusing(), good], 30.0) as sock:
        assert sock.getpeername() == listener.getsockname()
    assert time.monotonic() - began < 10.0


def test_the_first_error_is_told_when_all_fail() -> None:
    """There is no other way to know what was wrong."""
    with pytest.raises(ConnectionRefusedError):
        connect([refusing(), refusing()], 5.0)


def test_silence_ends_at_the_bound(silent: tuple[int, object]) -> None:
    """However many addresses are silent."""
    with pytest.raises(TimeoutError):
        connect([silent] * 3, 0.3)


def test_no_address_is_an_error() -> None:
    """A resolver may answer with nothing."""
    with pytest.raises(OSError, match="no address answers") as raised:
        connect([], 5.0)
    assert raised.value.errno == errno.ETIMEDOUT


def test_whoever_makes_the_sockets_sees_each(listener: socket.socket) -> None:
    """So that the attempt can be ended from outside; the last one is the connection."""
    made: list[socket.socket] = []
    good = (socket.AF_INET, listener.getsockname())
    with connect([refusing(), good], 5.0, made.append) as sock:
        assert made[-1] is sock
        assert len({id(each) for each in made}) == 2


def test_what_was_made_is_closed_when_it_is_not_wanted(listener: socket.socket) -> None:
    """An error of who is told about the connection leaves no socket open."""

    def unwanted(sock: socket.socket) -> None:
        sock.close()
        raise TimeoutError

    with pytest.raises(TimeoutError):
        connect([(socket.AF_INET, listener.getsockname())], 5.0, unwanted)


def test_the_families_take_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    """IPv6 that leads nowhere keeps IPv4 waiting for one attempt only."""
    six = [(socket.AF_INET6, 1, 6, "", (f"2001:db8::{n}", 443, 0, 0)) for n in (1, 2, 3)]
    four = [(socket.AF_INET, 1, 6, "", (f"192.0.2.{n}", 443)) for n in (1, 2)]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_: six + four)
    places = [place[0] for _, place in look_up("api.example.com", 443)]
    assert places == ["2001:db8::1", "192.0.2.1", "2001:db8::2", "192.0.2.2", "2001:db8::3"]
