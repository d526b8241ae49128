"""The simulator over real sockets: who may ask, what is recorded, and that it stops."""

from __future__ import annotations

import errno
import socket
import threading
import time
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from email.utils import parsedate_to_datetime

import pytest

from cfgate.simulator import Scenario, Simulator
from tests.support import posix
from tests.support.canary import ACCESS_KEY as KEY
from tests.support.canary import SECRET_KEY as SECRET
from tests.support.canary import TOKEN, found
from tests.support.simulation import (
    ID,
    NOON,
    PATH,
    HandClock,
    address,
    ask,
    connected,
    drained,
    raw,
    scenario,
    send,
)


def basic(key: str = KEY, secret: str = SECRET) -> str:
    """Make the header of HTTP Basic."""
    return "Basic " + b64encode(f"{key}:{secret}".encode()).decode()


@pytest.fixture
def working() -> Scenario:
    """Make a job that is queued for 10 s and then runs for 100 s."""
    return scenario("life: [{state: Queued, for: 10s}, {state: Running, for: 100s}, {state: Completed}]")


# Answers


def test_a_job_is_answered_over_http(working: Scenario) -> None:
    """The status call of the documentation is answered in JSON, with a `Date` of the server's clock."""
    clock = HandClock()
    with Simulator(working, clock=clock) as simulator:
        assert ask(simulator).job["jobstatename"] == "Queued"
        clock.now += 60
        got = ask(simulator, f"{PATH}?accountserviceid=100042")
    assert got.status == 200
    assert got.headers["Content-Type"] == "application/json"
    assert parsedate_to_datetime(got.headers["Date"]).timestamp() == NOON + 60
    assert (got.job["jobstatename"], got.job["jobprogress"]) == ("Running", 50)


def test_the_time_of_the_machine_is_the_usual_clock(working: Scenario) -> None:
    """Without a clock of its own the simulator goes by this machine's."""
    before = int(time.time())
    with Simulator(working) as simulator:
        created = ask(simulator).job["jobcreated"]
    assert before <= created <= time.time()


def test_a_connection_is_kept_alive(working: Scenario) -> None:
    """Several requests, refused ones among them, go over one connection."""
    with Simulator(working) as simulator, connected(simulator) as connection:
        assert send(connection).status == 200
        port = connection.sock.getsockname()
        assert [send(connection, "/elsewhere").status, send(connection).status] == [404, 200]
        assert connection.sock.getsockname() == port


@pytest.mark.parametrize(
    "path", ["/", "/cfp/v1/imageversion/x/status", f"{PATH}/", f"/x{PATH}", PATH[:-1], "//["]
)
def test_any_other_path_is_not_found(working: Scenario, path: str) -> None:
    """Only the status path of an image version is served."""
    with Simulator(working) as simulator:
        got = ask(simulator, path)
    assert got.status == 404
    assert got.job["error"] is True


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD"])
def test_any_other_method_is_refused(working: Scenario, method: str) -> None:
    """The simulator is read and never written, and says so on a connection that lives on."""
    with Simulator(working) as simulator, connected(simulator) as connection:
        connection.request(method, PATH, body=b"not to be taken for the next request")
        response = connection.getresponse()
        response.read()
        assert (response.status, response.headers["Allow"]) == (405, "GET")
        assert send(connection).status == 200


def test_a_request_with_a_body_of_unknown_length_ends_the_connection(working: Scenario) -> None:
    """What cannot be skipped cannot be mistaken for another request."""
    with Simulator(working) as simulator, socket.create_connection(address(simulator), timeout=10) as sock:
        sock.sendall(f"GET {PATH} HTTP/1.1\r\nContent-Length: many\r\n\r\n".encode())
        assert drained(sock).startswith(b"HTTP/1.1 200 OK\r\n")


def test_unknown_ids_are_not_found_where_the_scenario_knows_its_own() -> None:
    """With `image-version-id` every other id is answered as Clanforge does."""
    life = "life: [{state: Completed}]"
    with Simulator(scenario(f"image-version-id: [{ID}, 7]\n{life}")) as simulator:
        found = [ask(simulator, f"/cfp/v1/imageversion/{one}/status").status for one in (ID, 7, 8)]
        message = ask(simulator, "/cfp/v1/imageversion/8/status").job["error_message"]
    assert found == [200, 200, 404]
    assert message == "no rows in result set"


def test_only_this_machine_can_reach_it(working: Scenario) -> None:
    """The simulator listens on 127.0.0.1, on a port that the system chose."""
    with Simulator(working) as simulator:
        host, port = address(simulator)
    assert host == "127.0.0.1"
    assert port > 0


# Who may ask


def test_without_credentials_everybody_may_ask(working: Scenario) -> None:
    """A rehearsal needs no account: any credentials will do, and none as well."""
    with Simulator(working) as simulator:
        assert {ask(simulator, authorization=one).status for one in ("", "Bearer x", basic("a", "b"))} == {
            200
        }


@pytest.mark.parametrize(
    ("authorization", "status"),
    [
        (basic(), 200),
        (basic().replace("Basic", "basic"), 200),
        (f"Bearer {TOKEN}", 200),
        ("", 401),
        (basic(secret="wrong"), 401),
        (basic(key="wrong"), 401),
        (f"Basic {TOKEN}", 401),
        (f"Bearer {TOKEN}x", 401),
        ("Bearer", 401),
        ("Digest x", 401),
        ("Basic \xff", 401),
    ],
)
def test_credentials_are_checked(working: Scenario, authorization: str, status: int) -> None:
    """With a key pair and a token either opens the door, and nothing else does."""
    with Simulator(working, access_key=KEY, secret_key=SECRET, token=TOKEN) as simulator:
        got = ask(simulator, authorization=authorization)
    assert got.status == status
    if status == 401:
        assert got.headers["WWW-Authenticate"].startswith("Basic")
        assert got.job == {"error": "unauthorized"}


def test_only_what_was_given_opens_the_door(working: Scenario) -> None:
    """A simulator with a token only refuses key pairs, empty ones too, and the other way round."""
    with Simulator(working, token=TOKEN) as simulator:
        assert {ask(simulator, authorization=one).status for one in (basic(), basic("", ""), "Basic ")} == {
            401
        }
    with Simulator(working, access_key=KEY, secret_key=SECRET) as simulator:
        assert {ask(simulator, authorization=one).status for one in (f"Bearer {TOKEN}", "Bearer ")} == {401}


def test_a_wrong_account_service_is_forbidden(working: Scenario) -> None:
    """The ASID must be the right one; only with a bearer token may it be missing."""
    with Simulator(
        working, access_key=KEY, secret_key=SECRET, token=TOKEN, account_service_id=100042
    ) as simulator:

        def status(query: str, authorization: str) -> int:
            return ask(simulator, PATH + query, authorization=authorization).status

        assert [status("?accountserviceid=100042", one) for one in (basic(), f"Bearer {TOKEN}")] == [200, 200]
        assert [status("?accountserviceid=1", one) for one in (basic(), f"Bearer {TOKEN}")] == [403, 403]
        assert [status("", one) for one in (basic(), f"Bearer {TOKEN}")] == [403, 200]
        envelope = ask(simulator, authorization=basic()).job
    assert (envelope["success"], envelope["error_message"]) == (False, "forbidden")


def test_the_account_in_a_path_is_checked_as_well() -> None:
    """A roll-out is asked for below its account, which cannot be left out."""
    life = scenario("life: [{state: Completed}]")
    with Simulator(life, token=TOKEN, account_service_id=100042) as simulator:
        status = [
            ask(
                simulator, f"/cfp/v2/project/{account}/image/7/status", authorization=f"Bearer {TOKEN}"
            ).status
            for account in (100042, 1)
        ]
    assert status == [200, 403]


def test_a_refused_request_begins_no_life(working: Scenario) -> None:
    """A job is created by the first request that was allowed to see it."""
    clock = HandClock()
    with Simulator(working, token=TOKEN, clock=clock) as simulator:
        assert ask(simulator).status == 401
        clock.now += 1000
        assert ask(simulator, authorization=f"Bearer {TOKEN}").job["jobstatename"] == "Queued"


# The record and the log


def test_every_request_is_recorded(working: Scenario) -> None:
    """The record has time, method, path, headers and what was answered, in order."""
    clock = HandClock()
    with Simulator(working, clock=clock) as simulator:
        ask(simulator, f"{PATH}?accountserviceid=1", authorization="Bearer x")
        clock.now += 60
        ask(simulator)
        ask(simulator, "/", method="POST")
        first, second, third = simulator.requests
    assert (first.at, first.method, first.path) == (NOON, "GET", f"{PATH}?accountserviceid=1")
    assert first.headers["Authorization"] == "Bearer x"
    assert [(one.status, one.answered) for one in (first, second, third)] == [
        (200, "200 Queued"),
        (200, "200 Running 50 %"),
        (404, "404 no such endpoint"),
    ]


def test_an_answer_is_recorded_as_it_was_told() -> None:
    """Faults, altered fields and trouble on the wire are in the record."""
    text = """
        life: [{state: Running, for: 10s, progress: 5 to 50}]
        faults:
          - {requests: 1, fields: {jobprogress: 99}}
          - {requests: 2, instead: html}
          - {requests: 3, status: 503}
          - {connection: cut in body}
    """
    with Simulator(scenario(text), clock=HandClock()) as simulator:
        for _ in range(3):
            ask(simulator)
        with raw(simulator) as sock:
            drained(sock)
        told = [request.answered for request in simulator.requests]
    assert told == [
        "200 Running 99 %, altered",
        "200 html",
        "503 Service Unavailable",
        "200 Running 5 %, cut in body",
    ]


def test_the_log_gets_a_line_for_each_request_without_secrets(working: Scenario) -> None:
    """The log has method, path and answer on one printable line, and never a credential."""
    lines: list[str] = []
    with Simulator(working, access_key=KEY, secret_key=SECRET, log=lines.append) as simulator:
        ask(simulator, authorization=basic())
        ask(simulator, authorization=basic(secret="wrong"))
        with raw(simulator, "/\x1b[2J\x7f") as sock:
            sock.recv(1)
        shown = repr(simulator.requests) + repr(simulator) + "".join(map(str, simulator.requests))
    assert lines == [
        f"GET {PATH} → 200 Queued",
        f"GET {PATH} → 401 wrong credentials",
        "GET /?[2J? → 404 no such endpoint",
    ]
    assert not found(shown)


def test_it_is_silent_by_default(working: Scenario, capfd: pytest.CaptureFixture[str]) -> None:
    """Nothing is printed, not even about broken requests and clients that leave."""
    with Simulator(working) as simulator:
        ask(simulator)
        ask(simulator, method="DELETE")
        with socket.create_connection(address(simulator), timeout=10) as sock:
            sock.sendall(b"what?\r\n\r\n")
            assert b" 400 " in drained(sock)
        with raw(simulator):
            pass
    assert capfd.readouterr() == ("", "")


def test_a_bug_is_not_swallowed(working: Scenario, capfd: pytest.CaptureFixture[str]) -> None:
    """What is not a client's doing is told on stderr, and its request is in the record."""

    def broken(line: str) -> None:
        raise LookupError(line)

    with Simulator(working, log=broken) as simulator:
        with raw(simulator) as sock:
            assert drained(sock) == b""
        assert len(simulator.requests) == 1
    assert "LookupError" in capfd.readouterr().err


# Speed


def test_speed_shortens_delays() -> None:
    """A delay of a minute at 300 times the speed is a fifth of a second, and not less."""
    text = "life: [{state: Created}]\nfaults: [{delay: 1m}]"
    with Simulator(scenario(text), speed=300) as simulator:
        begin = time.monotonic()
        assert ask(simulator).status == 200
        assert time.monotonic() - begin >= 0.2


def test_a_whole_life_passes_in_real_time() -> None:
    """Played fast on the real clock, a job gets from Created to Completed."""
    text = "life: [{state: Created, for: 10s}, {state: Running, for: 10s}, {state: Completed}]"
    seen = []
    with Simulator(scenario(text), speed=100) as simulator, connected(simulator) as connection:
        for _ in range(1000):
            seen.append(send(connection).job["jobstatename"])
            if seen[-1] == "Completed":
                break
            time.sleep(0.01)
    assert list(dict.fromkeys(seen)) == ["Created", "Running", "Completed"]


# Beginning and end


@posix.only("it is not sure that Windows wakes who reads from a socket that is shut down")
def test_nothing_is_left_when_it_stops() -> None:
    """No thread, no connection and no port outlives the simulator, whatever was going on."""
    text = """
        life: [{state: Created}]
        faults:
          - {requests: 2, delay: 1h}
          - {requests: 3, connection: stall in body}
          - {requests: 4, connection: drip before headers}
    """
    before = set(threading.enumerate())
    simulator = Simulator(scenario(text)).start()
    where = address(simulator)
    with connected(simulator) as idle:
        send(idle)
        with raw(simulator) as delayed, raw(simulator) as stalled, raw(simulator) as dripping:
            while len(simulator.requests) < 4:
                time.sleep(0.01)
            simulator.stop()
            assert set(threading.enumerate()) == before
            for connection in (delayed, stalled, dripping):
                drained(connection)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(where, timeout=10)


def test_it_can_be_stopped_twice_and_started_again(working: Scenario) -> None:
    """A second stop does nothing; a second start plays from the beginning, and remembers the requests."""
    clock = HandClock()
    simulator = Simulator(working, clock=clock)
    with simulator:
        ask(simulator)
        clock.now += 1000
        assert ask(simulator).job["jobstatename"] == "Completed"
    simulator.stop()
    with simulator:
        assert ask(simulator).job["jobstatename"] == "Queued"
    assert len(simulator.requests) == 3


def test_it_has_an_address_only_while_it_runs(working: Scenario) -> None:
    """Asking for the address before or after is a mistake, and so is starting twice."""
    simulator = Simulator(working)
    with pytest.raises(RuntimeError, match="not started"):
        _ = simulator.url
    with simulator, pytest.raises(RuntimeError, match="started already"):
        simulator.start()
    with pytest.raises(RuntimeError, match="not started"):
        _ = simulator.url


def test_a_port_can_be_chosen_and_taken(working: Scenario) -> None:
    """A port that is taken is an OSError; one that was just given up can be had again."""
    with Simulator(working) as first:
        port = address(first)[1]
        ask(first)
        with pytest.raises(OSError) as taken:  # noqa: PT011 - the words are the system's
            Simulator(working, port=port).start()
        assert taken.value.errno == errno.EADDRINUSE
    with Simulator(working, port=port) as second:
        assert address(second)[1] == port
        assert ask(second).status == 200


def test_two_hundred_clients_can_ask_at_once(working: Scenario) -> None:
    """Every one of many clients that knock at the same moment is answered, and counted."""
    clients = 200
    barrier = threading.Barrier(clients)

    def knock(number: int) -> int:
        with connected(simulator) as connection:
            barrier.wait(timeout=60)
            path = PATH.replace(str(ID), str(1 + number % 3))
            return sum(send(connection, path).status == 200 for _ in range(3))

    with Simulator(working) as simulator, ThreadPoolExecutor(clients) as pool:
        assert sum(pool.map(knock, range(clients))) == 3 * clients
        assert len(simulator.requests) == 3 * clients
