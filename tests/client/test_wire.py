"""HTTP as servers and proxies really send it, byte by byte: what is read, and what is left over."""

from __future__ import annotations

import gzip
import io
import json
import socket
import time
import zlib
from functools import partial
from http.client import HTTPException
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfgate.client.transport import _SHORTEST_IDLE
from cfgate.client.wire import HttpAnswer
from cfgate.errors import GateError, NoAnswer, Rejected, Unsuited
from cfgate.model import Resource, Target, Verdict
from cfgate.rules.answer import MAX_BODY
from tests.support.wire import ASID, CA, ID, RUNNING, TARGET, Peer, Script, answering, client, http, serve

EARLY_HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
PROCESSING = b"HTTP/1.1 102 Processing\r\n\r\n"
BOTH = pytest.mark.parametrize("tls", ["", "good"], ids=["http", "https"])


def head(*lines: bytes, body: bytes = RUNNING) -> bytes:
    """Write an answer with these header lines."""
    return b"\r\n".join([b"HTTP/1.1 200 OK", *lines, b"", b""]) + body


CHUNKED = b"%x\r\n%b\r\n0\r\n\r\n" % (len(RUNNING), RUNNING)
LENGTH = b"Content-Length: %d" % len(RUNNING)


@pytest.mark.parametrize(
    "interim", [EARLY_HINTS, CONTINUE, PROCESSING, CONTINUE + PROCESSING + EARLY_HINTS * 50]
)
@BOTH
def test_interim_answers_are_skipped(interim: bytes, tls: str) -> None:
    """However many come, the final answer is the one that counts, and the connection stays in step."""
    with serve(answering(interim + http()), tls) as server, client(server.url, ca_bundle=CA) as api:
        assert [api.fetch(TARGET, ASID).job.progress for _ in range(3)] == [12, 12, 12]
        assert (server.connections, len(server.requests)) == (1, 3)


def test_an_interim_answer_long_before_the_final_one_is_waited_out() -> None:
    """What comes first is no answer to anything; the final one belongs to its own request."""

    def script(peer: Peer) -> None:
        while peer.request():
            peer.send(EARLY_HINTS)
            time.sleep(0.05)
            peer.send(http())

    with serve(script) as server, client(server.url) as api:
        assert [api.fetch(TARGET, ASID).job.progress for _ in range(3)] == [12, 12, 12]
        assert server.connections == 1


def test_a_switch_of_protocols_is_no_answer() -> None:
    """101 is final, and was not asked for."""
    switch = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n"
    with (
        serve(answering(switch + http())) as server,
        client(server.url) as api,
        pytest.raises(NoAnswer, match="switches to another protocol"),
    ):
        api.fetch(TARGET, ASID)


# A connection belongs to one target and one question at a time


def machines(pending: int) -> bytes:
    """Write a roll-out's answer, in which nothing says which image it is about."""
    counts = {"pending_machines": pending, "failed_machines": 0, "completed_machines": 20 - pending}
    return http(json.dumps(counts).encode())


@BOTH
def test_no_connection_passes_from_one_target_to_another(tls: str) -> None:
    """Each target has a connection of its own, which it keeps."""
    done, waiting = (Target(number, resource=Resource.ROLLOUT) for number in (1, 2))

    def script(peer: Peer) -> None:
        asked = set()
        while request := peer.request():
            asked.add(request.line.split("/image/")[1].split("/")[0])
            assert len(asked) == 1
            peer.send(machines(0 if "1" in asked else 20))

    with serve(script, tls) as server, client(server.url, ca_bundle=CA) as api:
        for _ in range(3):
            assert api.fetch(done, ASID).job.verdict is Verdict.READY
            assert api.fetch(waiting, ASID).job.verdict is Verdict.PENDING
        assert (server.connections, len(server.requests)) == (2, 6)


PADDED = RUNNING.ljust(8192 - len(http(RUNNING.ljust(8000))) + 8000)


def late_surplus(peer: Peer) -> None:
    """Send a whole answer, and another one when the first has been read."""
    peer.send(http())
    time.sleep(0.02)
    peer.send(http())


SURPLUS: dict[str, Script] = {
    "at once": lambda peer: peer.send(http() + http()),
    "at once, behind 8,192 bytes": lambda peer: peer.send(http(PADDED) + http()),
    "at once, behind a chunked body": lambda peer: peer.send(
        head(b"Transfer-Encoding: chunked", body=CHUNKED) + http()
    ),
    "a single byte": lambda peer: peer.send(http() + b"\0"),
    "a little later": late_surplus,
}


@pytest.mark.parametrize("play", SURPLUS.values(), ids=SURPLUS.keys())
@BOTH
def test_a_connection_with_anything_left_over_is_not_used_again(play: Script, tls: str) -> None:
    """Whatever follows an answer, in the socket or in the TLS layer, is never read as the next one."""

    def script(peer: Peer) -> None:
        while peer.request():
            play(peer)

    with serve(script, tls) as server, client(server.url, ca_bundle=CA) as api:
        for look in range(1, 4):
            assert api.fetch(TARGET, ASID).job.progress == 12
            time.sleep(0.05)
            assert server.connections == look


def test_what_is_still_on_its_way_behind_an_answer_is_never_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """A surplus that the server's TCP holds back until the next request is not read as the answer to that."""
    monkeypatch.setattr("cfgate.client.transport._SHORTEST_IDLE", _SHORTEST_IDLE)
    surplus = http(RUNNING.replace(b'"jobprogress": 12', b'"jobprogress": 99'))

    def script(peer: Peer) -> None:
        while peer.request():
            peer.send(http())
            # Nothing acknowledges the answer sooner than the next request does, and so this waits for that.
            peer.socket.recv(1, socket.MSG_PEEK)
            peer.send(surplus)

    with serve(script) as server, client(server.url) as api:
        for look in range(1, 6):
            assert api.fetch(TARGET, ASID).job.progress == 12
            assert server.connections == look


def test_a_connection_is_used_again_after_a_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two looks are a second apart: by then all has come that there is, and the connection is kept."""
    monkeypatch.setattr("cfgate.client.transport._SHORTEST_IDLE", _SHORTEST_IDLE)
    with serve(answering(http())) as server, client(server.url) as api:
        for _ in range(2):
            api.fetch(TARGET, ASID)
            time.sleep(0.55)
        assert server.connections == 1


def test_a_late_answer_is_never_read() -> None:
    """What comes after its request was given up belongs to nobody."""

    def script(peer: Peer) -> None:
        peer.request()
        time.sleep(0.3)
        peer.send(http(RUNNING.replace(b'"jobprogress": 12', b'"jobprogress": 99')))
        if peer.request():
            peer.send(http())

    with serve(script) as server, client(server.url, request_timeout=0.1) as api:
        for _ in range(3):
            with pytest.raises(NoAnswer, match=r"^time-out after 0\.1s while waiting for the answer"):
                api.fetch(TARGET, ASID)
        assert server.connections == 3


def test_what_is_sent_is_counted() -> None:
    """A request that met a closed connection counts too; after that, none is kept for so long."""

    def script(peer: Peer) -> None:
        peer.request()
        peer.send(http())
        peer.request()  # and never answers

    sent: list[None] = []
    with serve(script) as server, client(server.url) as api:
        for pause in (0.05, 0.6, 0.6, 0.0):
            assert api.fetch(TARGET, ASID, lambda: sent.append(None)).job.progress == 12
            time.sleep(pause)
        assert len(server.requests) == len(sent) == 5
        assert server.connections == 4


def test_each_question_counts_its_own_requests() -> None:
    """Who asks over a connection that was kept is told of the request, and nobody else."""
    with serve(answering(http())) as server, client(server.url) as api:
        for _ in range(3):
            sent: list[None] = []
            api.fetch(TARGET, ASID, partial(sent.append, None))
            assert len(sent) == 1
        assert server.connections == 1


@pytest.mark.parametrize("header", ["timeout=1", "max=99, timeout=1", "timeout=0"])
def test_a_connection_is_not_kept_for_longer_than_the_server_says(header: str) -> None:
    """`Keep-Alive: timeout=` is obeyed, a little early."""
    with serve(answering(http(Keep_Alive=header))) as server, client(server.url) as api:
        for _ in range(2):
            api.fetch(TARGET, ASID)
            time.sleep(0.85)
        assert server.connections == 2


def test_a_misdirected_request_gets_a_new_connection() -> None:
    """HTTP 421 says that this connection leads to the wrong host."""
    with serve(answering(http(b"", 421), http())) as server, client(server.url) as api:
        with pytest.raises(NoAnswer, match="HTTP 421"):
            api.fetch(TARGET, ASID)
        assert api.fetch(TARGET, ASID).job.progress == 12
        assert server.connections == 2


# The head


@pytest.mark.parametrize(
    "answer",
    [
        head(b"X-Frame-Options : DENY", LENGTH),
        head(b"X-Frame-Options : DENY", b"Transfer-Encoding: chunked", body=CHUNKED),
        head(b"Content-Length : %d" % len(RUNNING)),
        head(*[b"X-Header-%d: x" % number for number in range(150)], LENGTH),
        head(b"no colon at all", LENGTH),
        head(b"X-Folded: one", b"\ttwo", LENGTH),
        head(LENGTH, LENGTH),
        head(b"Content-Length: %d, %d" % (len(RUNNING), len(RUNNING))),
        head(LENGTH, b"Set-Cookie2: a=b; expires=Thu, 99-Foo-0000"),
        head(LENGTH).replace(b"\r\n", b"\n", 2),
        head(b"Transfer-Encoding: identity", LENGTH),
        head(b"Content-Length: %d," % len(RUNNING)),
        head(b"Content-Length: 000%d" % len(RUNNING)),
        head(LENGTH).replace(b"200 OK", b"200\tOK"),
    ],
)  # fmt: skip
def test_a_head_is_read_as_curl_reads_it(answer: bytes) -> None:
    """Lines that the standard library stumbles over do not hide where the body ends."""
    with serve(answering(answer)) as server, client(server.url, request_timeout=5) as api:
        assert api.fetch(TARGET, ASID).job.progress == 12


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (head(b"Content-Length: 7", LENGTH), "the answer does not say clearly how long it is"),
        (head(b"Content-Length: +7"), "the answer does not say clearly how long it is"),
        (head(b"Content-Length: 1_0"), "the answer does not say clearly how long it is"),
        (head(b"Transfer-Encoding: gzip, chunked"), "a Transfer-Encoding that was not asked for"),
        (head(b"Transfer-Encoding: chunked", body=b"0x2\r\n{}\r\n0\r\n\r\n"), "a chunk without a size"),
        (head(b"Transfer-Encoding: chunked", body=b"1_0\r\n{}\r\n0\r\n\r\n"), "a chunk without a size"),
        (b"HTTP/2 200\r\n\r\n", "what came is not HTTP"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: %s\r\n" % bytes(99) * 5_000 + b"\r\n", "larger than 256 KiB"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 11_000 + b"\r\n", "more than 10,000 header lines"),
        (
            head(b"Transfer-Encoding: chunked", body=b"0\r\n" + b"X: y\r\n" * 11_000 + b"\r\n"),
            "more than 10,000 pieces",
        ),
    ],
)
def test_a_head_that_may_mean_two_things_is_refused(answer: bytes, words: str) -> None:
    """Where an answer ends must not depend on who reads it."""

    def script(peer: Peer) -> None:
        peer.request()
        peer.send(answer)

    with serve(script) as server, client(server.url) as api, pytest.raises(NoAnswer, match=words):
        api.fetch(TARGET, ASID)


@pytest.mark.parametrize("frame", [4, 7])
def test_a_server_that_speaks_http2_only_ends_the_gate_at_once(frame: int) -> None:
    """Its settings, or its good-bye, are no answer that could become one."""

    def script(peer: Peer) -> None:
        peer.request()
        peer.send(b"\x00\x00\x12" + bytes([frame]) + b"\x00\x00\x00\x00\x00" + b"x" * 20)

    with serve(script) as server, client(server.url) as api, pytest.raises(Unsuited, match="HTTP/2 only"):
        api.fetch(TARGET, ASID)


def test_a_kept_connection_that_is_misdirected_is_replaced_at_once() -> None:
    """HTTP 421 on a connection that had worked is about the connection, not about the request."""

    def script(peer: Peer) -> None:
        peer.request()
        peer.send(http())
        while peer.request():
            peer.send(http(b"", 421))

    with serve(script) as server, client(server.url) as api:
        assert [api.fetch(TARGET, ASID).job.progress for _ in range(3)] == [12, 12, 12]
        assert (server.connections, len(server.requests)) == (3, 5)


CHUNKS = b"%x\r\n%b\r\n" % (len(RUNNING), RUNNING)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"%x\r\n%b\r\n0\r\n\r\n" % (len(RUNNING) - 2, RUNNING), "a chunk that is longer than it says"),
        (b"%x\r\n%b0\r\n\r\n" % (len(RUNNING), RUNNING), "a chunk that is longer than it says"),
        (CHUNKS + b"0\r\n", "the answer was cut off"),
        (CHUNKS + b"0\r\nX-Checksum: ab", "the answer was cut off"),
        (CHUNKS, "the answer was cut off"),
    ],
)
def test_chunks_that_are_not_whole_are_no_answer(body: bytes, words: str) -> None:
    """No byte of an answer is dropped, and its end is there."""

    def script(peer: Peer) -> None:
        peer.request()
        peer.send(head(b"Transfer-Encoding: chunked", body=body))

    with serve(script) as server, client(server.url) as api, pytest.raises(NoAnswer, match=words):
        api.fetch(TARGET, ASID)


def test_chunks_are_read_as_curl_reads_them() -> None:
    """With extensions, a trailer, in several pieces, and with bare line feeds."""
    half = len(RUNNING) // 2
    pieces = b"%x;a=b\r\n%b\r\n%x\n%b\n0\r\nX: y\r\n\r\n"
    body = pieces % (half, RUNNING[:half], len(RUNNING) - half, RUNNING[half:])
    answer = head(b"Transfer-Encoding: chunked", body=body)
    with serve(answering(answer)) as server, client(server.url) as api:
        assert [api.fetch(TARGET, ASID).job.progress for _ in range(2)] == [12, 12]
        assert server.connections == 1


def test_both_length_and_chunks_end_the_connection() -> None:
    """Chunks win, as the standard says; the connection is not used again, since others see it differently."""
    answer = head(b"Content-Length: 3", b"Transfer-Encoding: chunked", body=CHUNKED)
    with serve(answering(answer)) as server, client(server.url) as api:
        assert [api.fetch(TARGET, ASID).job.progress for _ in range(2)] == [12, 12]
        assert server.connections == 2


def test_interim_answers_without_end_are_bounded_by_their_bytes() -> None:
    """A flood of them ends the request, not the memory."""

    def flood(peer: Peer) -> None:
        peer.request()
        for _ in range(100):
            peer.send(EARLY_HINTS * 2000)

    with (
        serve(flood) as server,
        client(server.url) as api,
        pytest.raises(NoAnswer, match="the head of the answer is larger than 256 KiB"),
    ):
        api.fetch(TARGET, ASID)


# The body


def raw_deflate(data: bytes) -> bytes:
    """Compress without a zlib header, as some servers do for deflate."""
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


PACKED = {
    "gzip": ("gzip", gzip.compress(RUNNING)),
    "x-gzip": ("x-gzip", gzip.compress(RUNNING)),
    "gzip beside nothing": ("gzip, identity", gzip.compress(RUNNING)),
    "several members": ("gzip", gzip.compress(RUNNING[:40]) + gzip.compress(RUNNING[40:])),
    "deflate": ("deflate", zlib.compress(RUNNING)),
    "bare deflate": ("deflate", raw_deflate(RUNNING)),
}


@pytest.mark.parametrize(("coding", "body"), PACKED.values(), ids=PACKED.keys())
def test_a_packed_body_is_unpacked(coding: str, body: bytes) -> None:
    """Although nobody asked for it; and the connection is kept."""
    with serve(answering(http(body, Content_Encoding=coding))) as server, client(server.url) as api:
        assert [api.fetch(TARGET, ASID).job.progress for _ in range(2)] == [12, 12]
        assert server.connections == 1


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
@pytest.mark.parametrize("rest", [b"\0", b"\0" * (1 << 20), b"garbage", gzip.compress(b"")[:1]])
def test_what_follows_a_packed_body_is_not_read(coding: str, rest: bytes) -> None:
    """The answer is what stands before it, and the connection is not used again."""
    packed = gzip.compress(RUNNING) if coding == "gzip" else zlib.compress(RUNNING)

    def script(peer: Peer) -> None:
        peer.request()
        peer.send(http(packed + rest, Content_Encoding=coding))
        peer.request()

    broken = coding == "gzip" and rest == gzip.compress(b"")[:1]  # the beginning of one more member
    with serve(script) as server, client(server.url) as api:
        for look in range(1, 3):
            if broken:
                with pytest.raises(NoAnswer, match="compression"):
                    api.fetch(TARGET, ASID)
            else:
                assert api.fetch(TARGET, ASID).job.progress == 12
            assert server.connections == look


def test_a_packed_body_that_is_cut_off_is_no_answer() -> None:
    """Whatever it holds so far."""
    cut = gzip.compress(RUNNING)[:-1]
    with (
        serve(answering(http(cut, Content_Encoding="gzip"))) as server,
        client(server.url) as api,
        pytest.raises(NoAnswer, match=r"^the compression of the answer is broken$"),
    ):
        api.fetch(TARGET, ASID)


class Canned:
    """A socket that has received these bytes, in pieces of this size."""

    def __init__(self, data: bytes) -> None:
        self._stream = io.BytesIO(data)

    def makefile(self, *_: Any) -> io.BufferedReader:
        return io.BufferedReader(self._stream)

    def settimeout(self, _: float) -> None:
        """Wait for nothing: all is there."""


LINES = st.sampled_from(
    [
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.0 200\r\n",
        b"HTTP/1.1 103 Early Hints\r\n",
        b"Content-Length: 2\r\n",
        b"Content-Length: 2, 3\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"Content-Encoding: gzip\r\n",
        b"Keep-Alive : x\r\n",
        b" folded\r\n",
        b"\r\n",
        b"2\r\n{}\r\n",
        b"0\r\n",
        b"{}",
        gzip.compress(b"{}"),
        b"\xff\x00",
    ]
)


@given(st.lists(LINES | st.binary(max_size=9), max_size=12).map(b"".join))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    """Only exceptions of the wire come out, and an answer is reusable only if nothing follows it."""
    answer = HttpAnswer(Canned(data))  # type: ignore[arg-type] # all that is used of one
    try:
        answer.begin()
        body = answer.body()
    except (HTTPException, OSError, zlib.error):
        answer.close()
        return
    assert len(body) <= MAX_BODY + 1
    if answer.reusable(Canned(b"")):  # type: ignore[arg-type] # likewise
        assert not answer._clean or data.endswith((body, b"\n")) or b"gzip" in data
    answer.close()


@pytest.mark.parametrize("status", [400, 404, 503])
def test_the_page_of_a_front_is_named(status: int) -> None:
    """Whatever stands between says who it is, by its title and its Server header."""
    page = b"<html><head><title>Blocked by policy</title></head></html>"
    answer = http(page, status, Content_Type="text/html", Server="nginx")
    with (
        serve(answering(answer)) as server,
        client(server.url) as api,
        pytest.raises(GateError, match=r"“Blocked by policy, nginx”"),
    ):
        api.fetch(TARGET, ASID)


def test_a_credential_that_is_a_word_of_the_protocol_changes_no_verdict() -> None:
    """Judge first, redact last: a secret `error` cannot rename the key that makes a Completed doubtful."""
    completed = {"imageversionid": ID, "jobstateid": 5, "jobstatename": "Completed", "success": True}
    for secret in ("error", "joberror", "success", "Completed", "jobstateid", str(ID)):
        keys = {
            "access_key": secret,
            "secret_key": secret,
            "redact": lambda text, s=secret: text.replace(s, "***"),
        }
        flawed = http(json.dumps(completed | {"joberror": "disk full"}).encode())
        with (
            serve(answering(flawed, http(json.dumps(completed).encode()))) as server,
            client(server.url, **keys) as api,
        ):
            with pytest.raises(GateError, match=r"^the job is "):
                api.fetch(TARGET, ASID)
            assert api.fetch(TARGET, ASID).job.verdict is Verdict.READY


def test_a_redirect_is_refused_without_what_it_points_to_being_asked() -> None:
    """Not over any connection."""
    with serve(answering(http())) as other:
        location = f"http://127.0.0.1:{other.port}/x?token=secret"
        answer = http(b"", 302, Location=location)
        with (
            serve(answering(answer)) as server,
            client(server.url) as api,
            pytest.raises(Rejected, match=rf"“http://127.0.0.1:{other.port}/x”$"),
        ):
            api.fetch(TARGET, ASID)
    assert other.requests == []


@pytest.mark.parametrize("chunks", [9_000, 11_000])
def test_a_body_in_many_chunks_is_read_up_to_a_bound(chunks: int) -> None:
    """A chunk for each byte is understood; a body that is nothing but chunks does not keep the gate busy."""
    body = b"".join(b"1\r\n%c\r\n" % byte for byte in RUNNING.ljust(chunks)) + b"0\r\n\r\n"
    whole = head(b"Transfer-Encoding: chunked", body=body)
    with serve(answering(whole)) as server, client(server.url) as api:
        if chunks < 10_000:
            assert api.fetch(TARGET, ASID).job.progress == 12
        else:
            with pytest.raises(NoAnswer, match="more than 10,000 pieces"):
                api.fetch(TARGET, ASID)
