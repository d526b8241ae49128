"""The transport: hard bounds, broken connections and hostile bodies, played by real sockets on loopback."""

from __future__ import annotations

import gc
import gzip
import socket
import threading
import time
import tracemalloc
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from cfgate.client.client import Client
from cfgate.errors import GateError, NoAnswer, Rejected
from cfgate.rules.answer import MAX_BODY
from tests.support.wire import (
    ASID,
    CA,
    RUNNING,
    TARGET,
    Peer,
    Script,
    answering,
    client,
    http,
    once,
    serve,
    tunnel,
    under_way,
)

BOUND = 0.2  # seconds, for requests that cannot end otherwise
PATIENCE = 10.0  # seconds, by which everything must be over that is bound to be over at once


@contextmanager
def promptly() -> Iterator[None]:
    """Fail when something takes far longer than its bound."""
    began = time.monotonic()
    yield
    assert time.monotonic() - began < PATIENCE


def refused(api: Client, match: str | None = None) -> GateError:
    """Ask, and get an error with these words."""
    with pytest.raises(GateError, match=match) as raised:
        api.fetch(TARGET, ASID)
    return raised.value


# The bound


def drip_headers(peer: Peer) -> None:
    """Send headers without end, one byte after the other."""
    peer.drip(b"HTTP/1.1 200 OK\r\n" + b"X-Filler: " + b"x" * 10_000)


def drip_body(peer: Peer) -> None:
    """Send the headers at once, and the body one byte after the other."""
    peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n")
    peer.drip(b" " * 10_000)


def drip_body_without_length(peer: Peer) -> None:
    """As HTTP/1.0 does it: the body ends with the connection."""
    peer.send(b"HTTP/1.0 200 OK\r\n\r\n")
    peer.drip(b" " * 10_000)


def drip_chunks(peer: Peer) -> None:
    """Send a chunked body one byte after the other."""
    peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    peer.drip(b"1\r\nx\r\n" * 2_000)


def drip_early_hints(peer: Peer) -> None:
    """Send one interim answer after the other."""
    peer.drip(b"HTTP/1.1 100 Continue\r\n\r\n" * 1_000, pause=0.001)


SLOW: list[Script] = [
    Peer.stall,
    drip_headers,
    drip_body,
    drip_body_without_length,
    drip_chunks,
    drip_early_hints,
]


@pytest.mark.parametrize("play", SLOW, ids=lambda play: play.__name__)
@pytest.mark.parametrize("tls", ["", "good"], ids=["http", "https"])
def test_a_slow_answer_is_given_up_at_the_bound(play: Script, tls: str) -> None:
    """However the server spins its answer out, the request ends at its bound, and its thread soon after."""
    bound = 4 * BOUND if tls else BOUND  # a busy machine takes its time for the handshake
    options = {"request_timeout": bound, "ca_bundle": CA}
    with serve(once(play), tls) as server, client(server.url, **options) as api, promptly():
        words = rf"^time-out after {bound:g}s (while waiting for|in the middle of) the answer of"
        assert isinstance(refused(api, words), NoAnswer)


def test_a_server_that_never_accepts_is_given_up_at_the_bound() -> None:
    """A connection that only the kernel has taken gets no answer."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with client(f"http://127.0.0.1:{port}", request_timeout=BOUND) as api, promptly():
            refused(api, "^time-out after .* while (connecting to|waiting for the answer of)")


def test_a_stalled_tls_handshake_is_given_up_at_the_bound() -> None:
    """A server that accepts and then says nothing does not hold a request."""
    with serve(Peer.stall) as server:
        url = f"https://localhost:{server.port}"
        with client(url, request_timeout=BOUND) as api, promptly():
            refused(api, "^time-out after .* in the TLS handshake with")


def test_a_dripping_tls_handshake_is_given_up_at_the_bound() -> None:
    """Nor does one that sends its part of the handshake byte by byte."""
    with serve(lambda peer: peer.drip(b"\x16\x03\x03\x40\x00" + bytes(10_000))) as server:
        url = f"https://localhost:{server.port}"
        with client(url, request_timeout=BOUND) as api, promptly():
            refused(api, "^time-out after .* in the TLS handshake with")


@pytest.mark.parametrize("play", [Peer.stall, drip_headers], ids=lambda play: play.__name__)
def test_a_slow_proxy_is_given_up_at_the_bound(play: Script) -> None:
    """A proxy that spins its answer to CONNECT out does not hold a request."""
    with serve(once(play)) as proxy:
        environ = {"HTTPS_PROXY": f"http://127.0.0.1:{proxy.port}"}
        with client("https://api.cfgate.test", request_timeout=BOUND, environ=environ) as api, promptly():
            refused(api, "^time-out after .* while waiting for the proxy")


def test_a_slow_answer_behind_an_https_proxy_is_given_up_at_the_bound() -> None:
    """TLS inside TLS is cut as well."""
    with serve(once(drip_body), "good") as server, serve(tunnel(server.port), "good") as proxy:
        options = {"ca_bundle": CA, "environ": {"HTTPS_PROXY": proxy.url}, "request_timeout": 5 * BOUND}
        with client("https://api.cfgate.test", **options) as api, promptly():
            refused(api, "^time-out after .* in the middle of the answer of .* through the proxy")


def test_a_stalled_name_look_up_is_given_up_at_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """A resolver that hangs does not hold a request; and what it finds at last is not asked any more."""
    released = threading.Event()
    real = socket.getaddrinfo

    def hang(*args: object, **kwargs: object) -> object:
        released.wait(PATIENCE)
        return real(*args, **kwargs)  # type: ignore[arg-type]  # whatever it was called with

    with serve(answering(http())) as server, client(server.url, request_timeout=BOUND) as api:
        monkeypatch.setattr(socket, "getaddrinfo", hang)
        with promptly():
            refused(api, "^time-out after .* while the resolver looked for")
        # It must not keep the process from ending either.
        assert [thread.daemon for thread in under_way()] == [True]
        released.set()
        for thread in under_way():
            thread.join(PATIENCE)
        assert not under_way()
    assert server.requests == []


def test_threads_do_not_pile_up() -> None:
    """After many time-outs, and with nothing closed, no thread of a request is left."""
    with serve(once(drip_headers)) as server, client(server.url, request_timeout=0.05) as api:
        for _ in range(20):
            refused(api, "^time-out")
        for thread in under_way():
            thread.join(PATIENCE)
        assert not under_way()


def test_a_request_that_was_given_up_is_not_used_again() -> None:
    """The next request goes over a new connection, and gets its own answer and not the late one."""
    late = threading.Event()

    def script(peer: Peer) -> None:
        peer.request()
        if peer.server.connections == 1:
            late.wait(PATIENCE)
            peer.send(http(b"{}"))
        else:
            peer.send(http())
            peer.stall()

    with serve(script) as server, client(server.url, request_timeout=1) as api:
        refused(api, "^time-out")
        late.set()
        assert api.fetch(TARGET, ASID).job.progress == 12
    assert server.connections == 2


# Broken connections


def test_a_refused_connection_is_told() -> None:
    """Nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with client(f"http://127.0.0.1:{port}") as api:
        refused(api, f"^no connection to 127.0.0.1:{port}: connection refused$")


def reset_within(data: bytes) -> Script:
    """Script: send this much of an answer, and break off when the client has seen it."""

    def play(peer: Peer) -> None:
        peer.send(data)
        time.sleep(0.05)  # a reset takes what has not been read yet with it, which would hide the phase
        peer.reset()

    return play


def close_after(data: bytes) -> Script:
    """Script: send this much of an answer, and close the connection."""
    return lambda peer: peer.send(data)


BROKEN: dict[str, tuple[Script, str]] = {
    "reset before the request": (Peer.reset, "the connection was (reset|closed without an answer)$"),
    "reset before the answer": (once(Peer.reset), "^the connection was reset$"),
    "reset in the headers": (once(reset_within(b"HTTP/1.1 200 OK\r\nX: ")), "^the connection was reset$"),
    "reset in the body": (once(reset_within(http()[:-10])), "^the connection was reset$"),
    "close before the answer": (once(close_after(b"")), "^the connection was closed without an answer$"),
    "close in the body": (once(close_after(http()[:-10])), "^the answer was cut off$"),
    "close in a chunk": (
        once(close_after(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n20\r\nabc")),
        "^the answer was cut off$",
    ),
    "close between chunks": (
        once(close_after(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")),
        "^the answer was cut off$",
    ),
    "no chunk length": (
        once(close_after(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n")),
        "^the answer has a chunk without a size$",
    ),
    "a chunk of negative size": (
        once(close_after(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\n{}\r\n0\r\n\r\n")),
        "^the answer has a chunk without a size$",
    ),
    "two lengths": (
        once(close_after(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}")),
        "^the answer does not say clearly how long it is$",
    ),
    "not HTTP": (once(close_after(b"SSH-2.0-OpenSSH_9.9\r\n")), "^what came is not HTTP$"),
    "endless status line": (
        once(close_after(b"HTTP/1.1 200 " + b"x" * 100_000)),
        "^the answer has a line longer than 64 KiB$",
    ),
    "endless headers": (
        once(close_after(b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 1_000)),
        "^the answer was cut off$",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_answer_is_no_answer(name: str) -> None:
    """Wherever the connection breaks, the request ends as NoAnswer, in plain words, after one try."""
    script, words = BROKEN[name]
    with serve(script) as server, client(server.url) as api, promptly():
        assert type(refused(api, words)) is NoAnswer
    assert server.connections == 1


@pytest.mark.parametrize("name", BROKEN)
def test_an_answer_that_is_broken_inside_tls_is_no_answer(name: str) -> None:
    """So it is with TLS; the words are not the same, since before 3.13 Python takes a reset for an end."""
    script, _ = BROKEN[name]
    with serve(script, "good") as server, client(server.url, ca_bundle=CA) as api, promptly():
        assert type(refused(api)) is NoAnswer
    assert server.connections == 1


def test_nothing_of_the_libraries_shows(capfd: pytest.CaptureFixture[str]) -> None:
    """Neither the error nor the output holds a word of requests or urllib3, nor what the server wrote."""
    answer = b"HTTP/1.1 200 OK\r\n: nonsense ::error::gotcha\r\n\xff\r\n\r\n"
    with serve(once(close_after(answer))) as server, client(server.url) as api:
        assert "Pool" not in str(refused(api))
    assert capfd.readouterr() == ("", "")


# Kept connections


def test_a_connection_that_was_closed_meanwhile_costs_nothing() -> None:
    """A server that closes an idle connection is asked on a new one, without an error."""
    closed = threading.Event()

    def script(peer: Peer) -> None:
        peer.request()
        peer.send(http())
        peer.socket.shutdown(socket.SHUT_RDWR)
        closed.set()

    with serve(script) as server, client(server.url) as api:
        api.fetch(TARGET, ASID)
        assert closed.wait(PATIENCE)
        api.fetch(TARGET, ASID)
    assert server.connections == 2


@pytest.mark.parametrize("end", [lambda _peer: None, Peer.reset], ids=["closed", "reset"])
@pytest.mark.parametrize("tls", ["", "good"], ids=["http", "https"])
def test_a_request_that_meets_a_closing_connection_is_sent_again(end: Script, tls: str) -> None:
    """When the server gives up a kept connection just as a request comes, a new connection is tried, once."""

    def script(peer: Peer) -> None:
        peer.request()
        peer.send(http())
        peer.request()
        end(peer)

    with serve(script, tls) as server, client(server.url, ca_bundle=CA) as api:
        api.fetch(TARGET, ASID)
        assert api.fetch(TARGET, ASID).job.progress == 12
    assert (server.connections, len(server.requests)) == (2, 3)


def test_a_server_that_always_hangs_up_is_not_asked_for_ever() -> None:
    """The second try is the last one: it is on a new connection."""

    def script(peer: Peer) -> None:
        peer.request()
        if peer.server.connections == 1:
            peer.send(http())
            peer.request()

    with serve(script) as server, client(server.url) as api:
        api.fetch(TARGET, ASID)
        refused(api, "closed without an answer")
    assert (server.connections, len(server.requests)) == (2, 3)


def test_an_old_server_is_understood() -> None:
    """HTTP/1.0 without a length: the body ends with the connection, and the next request makes a new one."""
    with serve(once(close_after(b"HTTP/1.0 200 OK\r\n\r\n" + RUNNING))) as server, client(server.url) as api:
        assert api.fetch(TARGET, ASID).job.progress == 12
        assert api.fetch(TARGET, ASID).job.progress == 12
    assert server.connections == 2


def test_a_chunked_answer_keeps_the_connection() -> None:
    """A chunked body is put together, and read to its very end."""
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunks = b"".join(b"%x\r\n%b\r\n" % (1, RUNNING[i : i + 1]) for i in range(len(RUNNING)))
    with serve(answering(head + chunks + b"0\r\nX-Trailer: 1\r\n\r\n")) as server, client(server.url) as api:
        assert [api.fetch(TARGET, ASID).job.progress for _ in range(3)] == [12, 12, 12]
    assert server.connections == 1


# Bodies


@pytest.mark.parametrize("status", [200, 302, 404, 503])
def test_an_endless_body_is_not_read(status: int) -> None:
    """Of a body of 100 MB only what is needed to see that it is too large is taken, whatever the status."""
    sent = 0

    def flood(peer: Peer) -> None:
        nonlocal sent
        peer.send(http(b"", status, Content_Length=str(100 << 20), Location="/"))
        for _ in range(100):
            peer.send(bytes(1 << 20))
            sent += 1

    with serve(once(flood)) as server, client(server.url) as api, promptly():
        error = refused(api, "larger than 1 MiB" if status == 200 else f"HTTP {status}")
        assert isinstance(error, Rejected) == (status == 302)
    assert sent < 50  # the buffers on the way hold some MB


def test_a_chunk_of_size_minus_one_is_not_read() -> None:
    """What means "all there is" to a file means nothing here: nothing of it is taken into memory."""
    sent = 0

    def flood(peer: Peer) -> None:
        nonlocal sent
        peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n")
        for _ in range(100):
            peer.send(bytes(1 << 20))
            sent += 1

    with serve(once(flood)) as server, client(server.url) as api, promptly():
        refused(api, "^the answer has a chunk without a size$")
    assert sent < 50  # the buffers on the way hold some MB


@pytest.mark.parametrize("status", [200, 302])
def test_a_bomb_does_not_go_off(status: int) -> None:
    """A hundred kilobytes that unpack to a hundred megabytes are never unpacked."""
    bomb = gzip.compress(bytes(100 << 20), compresslevel=9)
    script = answering(http(bomb, status, Content_Encoding="gzip", Location="/"))
    with serve(script) as server, client(server.url) as api:
        tracemalloc.start()
        try:
            refused(api, "larger than 1 MiB" if status == 200 else "a redirect")
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert peak < 20 << 20


@pytest.mark.parametrize("encoding", ["gzip", "x-gzip", " GZIP"])
def test_a_zipped_answer_is_understood(encoding: str) -> None:
    """A cache that zips everything, asked or not, is no obstacle."""
    script = answering(http(gzip.compress(RUNNING), Content_Encoding=encoding))
    with serve(script) as server, client(server.url) as api:
        assert [api.fetch(TARGET, ASID).job.progress for _ in range(2)] == [12, 12]
    assert server.connections == 1


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (gzip.compress(RUNNING)[:-20], "compression of the answer is broken"),
        (RUNNING, "compression of the answer is broken"),
        (zlib.compress(RUNNING), "compression of the answer is broken"),
        (b"", "empty body"),
    ],
    ids=["cut off", "plain", "deflate", "empty"],
)
def test_a_badly_zipped_answer_is_no_answer(body: bytes, words: str) -> None:
    """What says gzip and is not ends as NoAnswer."""
    with serve(answering(http(body, Content_Encoding="gzip"))) as server, client(server.url) as api:
        assert isinstance(refused(api, words), NoAnswer)


# Addresses


def test_an_address_that_leads_nowhere_leaves_time_for_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    """When the first address of a host swallows everything (broken IPv6, mostly), the second one is asked."""
    with (
        serve(answering(http())) as server,
        black_hole() as hole,
        client(server.url, request_timeout=3) as api,
    ):
        addresses = [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port)) for port in (hole, server.port)
        ]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_kwargs: addresses)
        assert api.fetch(TARGET, ASID).job.progress == 12


def test_a_host_that_swallows_everything_is_told() -> None:
    """No address takes a connection."""
    with black_hole() as hole, client(f"http://127.0.0.1:{hole}", request_timeout=BOUND) as api, promptly():
        refused(api, f"^time-out after 0.2s while connecting to 127.0.0.1:{hole}$")


@contextmanager
def black_hole() -> Iterator[int]:
    """Give a port that does not answer a connection, since its queue is full."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]
        for filler in fillers:
            filler.close()


def test_no_socket_is_left_open() -> None:
    """Whatever went wrong, the garbage collector finds no socket that nobody has closed."""
    for play in (drip_headers, drip_body, Peer.stall, reset_within(b"HTTP/1.1 200")):
        with serve(once(play)) as server, client(server.url, request_timeout=0.1) as api:
            refused(api)
    gc.collect()  # a ResourceWarning is an error in this suite


@pytest.mark.parametrize("zipped", [False, True])
def test_a_body_is_cut_one_byte_beyond_the_largest_that_is_read(zipped: bool) -> None:
    """Of more than 1 MiB so much is kept that it can be told from what fits, packed or not."""
    body = b" " * (3 * MAX_BODY)
    answer = http(gzip.compress(body), Content_Encoding="gzip") if zipped else http(body)
    with serve(answering(answer)) as server, client(server.url) as api:
        reply = api._transport(TARGET).send(api._get(TARGET, ASID), 10)
    assert len(reply.body) == MAX_BODY + 1
