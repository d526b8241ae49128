"""The client: what it sends, byte by byte, and what it makes of the answers. Real HTTP on loopback."""

from __future__ import annotations

import base64
import json
import re
import threading
from email.utils import formatdate
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import requests
import requests_mock
from hypothesis import given
from hypothesis import strategies as st

import cfgate
from cfgate.client.client import MAX_JOB_ERROR
from cfgate.errors import Doubtful, GateError, InvalidSettings, NoAnswer, NotFound, Rejected
from cfgate.model import Resource, Target, Verdict
from cfgate.rules.answer import moment
from tests.support import posix
from tests.support.canary import ACCESS_KEY, SECRET_KEY, found
from tests.support.fakes import NOON, FakeClock, payload
from tests.support.wire import (
    ASID,
    CA,
    ID,
    TARGET,
    Peer,
    answering,
    client,
    http,
    serve,
)

CASES = json.loads((Path(__file__).parents[1] / "data" / "clanforge.json").read_text(encoding="utf-8"))


def everything(error: BaseException | None) -> str:
    """Write down an exception with all that it was raised from."""
    if error is None:
        return ""
    return f"{error!r} {vars(error)} {everything(error.__cause__)} {everything(error.__context__)}"


# What is sent


def test_a_request_is_exactly_this() -> None:
    """One GET of the status address with these headers, and not a header more."""
    with serve(answering(http())) as server, client(server.url) as api:
        api.fetch(TARGET, ASID)
    (request,) = server.requests
    basic = base64.b64encode(f"{ACCESS_KEY}:{SECRET_KEY}".encode()).decode()
    assert request.line == f"GET /cfp/v1/imageversion/{ID}/status?accountserviceid={ASID} HTTP/1.1"
    assert sorted(request.headers) == [
        ("Accept", "application/json"),
        ("Accept-Encoding", "identity"),
        ("Authorization", f"Basic {basic}"),
        ("Content-Type", "application/x-www-form-urlencoded"),
        ("Host", f"127.0.0.1:{server.port}"),
        ("User-Agent", f"cfgate/{cfgate.__version__}"),
    ]


def test_a_token_goes_as_bearer_and_the_asid_may_be_left_out() -> None:
    """With a token there is no Basic header, and without an ASID no query."""
    with (
        serve(answering(http())) as server,
        client(server.url, access_key="", secret_key="", token="to.ken/+=") as api,
    ):
        api.fetch(TARGET, None)
    (request,) = server.requests
    assert request.line == f"GET /cfp/v1/imageversion/{ID}/status HTTP/1.1"
    assert request["Authorization"] == "Bearer to.ken/+="


def test_keys_in_any_script_are_sent_as_utf8() -> None:
    """Keys beyond ASCII, and bytes that are no text at all, arrive as the bytes that they were."""
    key = b"schl\xc3\xbcssel\xff".decode(errors="surrogateescape")
    with serve(answering(http())) as server, client(server.url, secret_key=key) as api:
        api.fetch(TARGET, ASID)
    sent = base64.b64decode(server.requests[0]["Authorization"].removeprefix("Basic "))
    assert sent == ACCESS_KEY.encode() + b":schl\xc3\xbcssel\xff"


@pytest.mark.parametrize("token", ["to ken", "token\r\nX-Evil: 1", "tokén", "token\x00"])
def test_a_token_that_cannot_be_a_header_is_refused_unseen(token: str) -> None:
    """A token with a line break (a pasted one, or an attack) is refused without being quoted."""
    with pytest.raises(InvalidSettings) as refused:
        client("https://localhost", token=token).__enter__()
    assert refused.value.problems == ("token holds a blank, a line break or a character that is not ASCII",)
    assert token not in everything(refused.value)


def test_a_netrc_file_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials in a .netrc for the very same host neither replace the header nor show up anywhere."""
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login other password word\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    with serve(answering(http())) as server, client(server.url) as api:
        api.fetch(TARGET, ASID)
    assert base64.b64decode(server.requests[0]["Authorization"][6:]).decode() == f"{ACCESS_KEY}:{SECRET_KEY}"


def test_cookies_are_not_kept() -> None:
    """What a server sets with one answer is not sent with the next request."""
    with serve(answering(http(Set_Cookie="a=b; Path=/"))) as server, client(server.url) as api:
        api.fetch(TARGET, ASID)
        api.fetch(TARGET, ASID)
    assert [name for name, _ in server.requests[1].headers if name == "Cookie"] == []


@pytest.mark.parametrize("url", ["http://api.your-org.test", "http://10.0.0.1:8080", "ftp://localhost"])
def test_credentials_are_not_sent_in_the_clear(url: str) -> None:
    """Whatever the settings have let through: without TLS only loopback is asked."""
    with pytest.raises(InvalidSettings, match=r"^api-url is not https: the credentials could be read"):
        client(url).__enter__()


@pytest.mark.parametrize("url", ["http://localhost:1", "http://127.9.9.9:1", "http://[::1]:1"])
def test_loopback_may_do_without_tls(url: str) -> None:
    """A simulator on this machine needs no certificate, and no authorities to verify one."""
    with client(url, environ={"SSL_CERT_FILE": "/nowhere"}):
        pass


def test_a_slash_at_the_end_of_the_address_does_no_harm() -> None:
    """The path begins with one slash."""
    with serve(answering(http())) as server:
        for base in ("", "/X"):
            with client(f"{server.url}{base}/") as api:
                api.fetch(TARGET, ASID)
            assert server.requests[-1].line.startswith(f"GET {base}/cfp/v1/imageversion/")


def test_nothing_secret_shows_in_a_repr() -> None:
    """Neither the client nor what it is made of tells the credentials."""
    with client("http://127.0.0.1:1") as api:
        shown = repr(api) + repr(api._authorization) + repr(api._get(TARGET, ASID))
        assert SECRET_KEY not in shown
        assert base64.b64encode(f"{ACCESS_KEY}:{SECRET_KEY}".encode()).decode() not in shown
        assert SECRET_KEY not in str(api._get(TARGET, ASID).url)


ADDRESSES = {
    Resource.IMAGE_VERSION: f"/cfp/v1/imageversion/{ID}/status?accountserviceid={ASID}",
    Resource.IMAGE_UPDATE: f"/cfp/v1/imageupdate/{ID}/status?accountserviceid={ASID}",
    Resource.IMAGE_DIFF: f"/cfp/v1/imagediff/{ID}/status?accountserviceid={ASID}",
    Resource.ROLLOUT: f"/cfp/v2/project/{ASID}/image/{ID}/status",
}


@pytest.mark.parametrize("resource", Resource)
def test_each_resource_is_asked_for_at_its_own_address(resource: Resource) -> None:
    """The kinds of targets differ in their paths, and in where the account stands in them."""
    with serve(answering(http(b"{}"))) as server, client(server.url) as api, pytest.raises(Doubtful):
        api.fetch(Target(ID, resource=resource), ASID)
    assert server.requests[0].line == f"GET {ADDRESSES[resource]} HTTP/1.1"


def test_each_resource_has_answers_of_its_own() -> None:
    """Counts of machines mean something for a roll-out only."""
    counts = http(b'{"pending_machines": 0, "failed_machines": 1, "completed_machines": 7}')
    with serve(answering(counts, counts)) as server, client(server.url) as api:
        assert api.fetch(Target(ID, resource=Resource.ROLLOUT), ASID).job.verdict is Verdict.FAILED
        with pytest.raises(Doubtful):
            api.fetch(Target(ID), ASID)


def test_a_roll_out_cannot_be_asked_for_without_an_account() -> None:
    """Where the account is a part of the path, nothing is sent without one."""
    with client("http://127.0.0.1:1") as api, pytest.raises(InvalidSettings, match="account-service-id"):
        api.fetch(Target(ID, resource=Resource.ROLLOUT), None)


READ_ONLY = re.compile(
    r"http://127\.0\.0\.1:1/cfp/"
    r"(v1/image(version|update|diff)/-?\d+/status(\?accountserviceid=-?\d+)?|v2/project/-?\d+/image/-?\d+/status)"
)


@given(st.sampled_from(Resource), st.integers(), st.integers())
def test_whatever_is_asked_the_address_is_that_of_a_status(
    resource: Resource, number: int, account: int
) -> None:
    """No resource, id or account leads to an address other than those that only read."""
    with client("http://127.0.0.1:1") as api:  # TLS takes longer to set up than all the rest
        request = api._get(Target(number, resource=resource), account)
    assert request.method == "GET"
    assert READ_ONLY.fullmatch(request.url or "")


@pytest.mark.parametrize("odd", ["1/retry?", "../1", "1", 1.0, None])
def test_an_id_that_is_no_number_makes_no_address(odd: Any) -> None:
    """Even if text got as far as the client, it could not become a part of an address."""
    for resource in Resource:
        with client("https://api.example.invalid") as api, pytest.raises((ValueError, TypeError)):
            api._get(Target(odd, resource=resource), ASID)


def test_there_is_one_place_where_requests_are_built() -> None:
    """The client has a single `Request`, so the tests above speak of everything that it can send."""
    sources = Path(cfgate.__file__).parent.joinpath("client").rglob("*.py")
    assert sum(len(re.findall(r"\bRequest\(", source.read_text("utf-8"))) for source in sources) == 1


# What comes back


@pytest.mark.parametrize("case", CASES["cases"], ids=lambda case: case["name"])
def test_the_recorded_answers_get_their_verdicts(case: dict[str, Any]) -> None:
    """Played over HTTP, every recorded answer ends as the list says."""
    unusable = {"doubtful": Doubtful, "no_answer": NoAnswer, "rejected": Rejected, "not_found": NotFound}
    answers = [
        http(
            answer["body"].encode(),
            answer["status"],
            **{name.replace("-", "_"): value for name, value in answer["headers"].items()},
        )
        for answer in case["answers"]
    ]
    asid, version = CASES["account_service_id"], CASES["image_version_id"]
    with serve(answering(*answers)) as server, client(server.url) as api:
        for verdict in case["verdicts"]:
            if verdict in unusable:
                with pytest.raises(unusable[verdict]):
                    api.fetch(Target(version), asid)
            else:
                job = api.fetch(Target(version), asid).job
                assert job.verdict is Verdict(verdict.removesuffix("_with_warning"))
                assert bool(job.warnings) == verdict.endswith("_with_warning")


def test_an_answer_tells_when_it_was_made() -> None:
    """The `Date` header is read as Unix seconds, and lies between sending and receiving on this clock."""
    date = "Sun, 23 Nov 2026 12:00:00 GMT"
    with serve(answering(http(Date=date))) as server, client(server.url) as api:
        first, second = api.fetch(TARGET, ASID), api.fetch(TARGET, ASID)
    assert first.date == 1795435200.0
    assert first.sent <= first.received <= second.sent <= second.received


@pytest.mark.parametrize(
    ("date", "seconds"),
    [
        ("Thu, 01 Jan 1970 00:00:10 GMT", 10.0),
        ("Thu, 01 Jan 1970 01:00:10 +0100", 10.0),
        ("Thu, 01 Jan 1970 00:00:10 -0000", 10.0),  # "in UTC, the place is not told"
        ("", None),
        ("tomorrow", None),
        ("Thu, 99 Jan 1970 00:00:10 GMT", None),
        ("Fri, 31 Dec 9999 23:59:59 -9999", None),
    ],
)
def test_a_date_header_is_read_or_ignored(
    date: str, seconds: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A date is a moment wherever this machine is; what is no date is none."""
    with posix.in_tokyo(monkeypatch):
        assert moment(date) == seconds


@given(st.text() | st.from_regex(r"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d (GMT|[+-]\d{4})"))
def test_no_date_header_makes_trouble(date: str) -> None:
    """Whatever stands in the header, it is a number or nothing."""
    assert moment(date) is None or isinstance(moment(date), float)


def test_a_retry_after_reaches_the_gate() -> None:
    """An answer that asks for a pause ends as an error that knows how long."""
    script = answering(http(b"", 429, Retry_After="20"))
    with serve(script) as server, client(server.url) as api, pytest.raises(NoAnswer) as busy:
        api.fetch(TARGET, ASID)
    assert busy.value.retry_after == 20.0


def test_a_redirect_is_told_and_not_followed() -> None:
    """The other host hears nothing, and neither credentials nor query of the address are shown."""
    with serve(answering(http())) as other:
        location = f"http://user:pass@127.0.0.1:{other.port}/login?token=abc"
        script = answering(http(b"", 302, Location=location))
        with serve(script) as server, client(server.url) as api, pytest.raises(Rejected) as told:
            api.fetch(TARGET, ASID)
        assert other.connections == 0
    assert f"a redirect, which is not followed: “http://127.0.0.1:{other.port}/login”" in str(told.value)
    assert not any(word in everything(told.value) for word in ("user", "pass", "token", "abc"))


def test_secrets_in_an_answer_are_masked() -> None:
    """A job error that quotes the secret key, raw or encoded, comes without it."""
    basic = base64.b64encode(f"{ACCESS_KEY}:{SECRET_KEY}".encode()).decode()
    body = {"imageversionid": ID, "jobstatename": "Failed", "joberror": f"{SECRET_KEY} or {basic}"}
    with serve(answering(http(json.dumps(body).encode()))) as server, client(server.url) as api:
        error = api.fetch(TARGET, ASID).job.error
    assert error is not None
    assert "***" in error
    assert SECRET_KEY not in error
    assert basic[:12] not in error


# Connections


def test_a_connection_is_kept_between_requests() -> None:
    """Twenty questions cost one connection."""
    with serve(answering(http())) as server, client(server.url) as api:
        for _ in range(20):
            api.fetch(TARGET, ASID)
    assert (server.connections, len(server.requests)) == (1, 20)


@pytest.mark.parametrize("status", [200, 404, 503])
def test_a_connection_is_kept_over_errors(status: int) -> None:
    """An error answer is read to its end, so that the connection can be used again."""
    with serve(answering(http(status=status), http())) as server, client(server.url) as api:
        if status == 200:
            api.fetch(TARGET, ASID)
        else:
            with pytest.raises((NoAnswer, NotFound)):
                api.fetch(TARGET, ASID)
        api.fetch(TARGET, ASID)
    assert server.connections == 1


def test_many_threads_share_a_client() -> None:
    """Forty gates at once get their own answers, over no more connections than there are gates."""

    def script(peer: Peer) -> None:
        while request := peer.request():
            body = {"imageversionid": request.line.split("/")[4], "jobstatename": "Queued"}
            peer.send(http(json.dumps(body).encode()))

    def gate(number: int) -> None:
        # An answer about another image version would raise Doubtful.
        verdicts.extend(api.fetch(Target(number), ASID).job.verdict for _ in range(5))

    verdicts: list[Verdict] = []
    with serve(script) as server, client(server.url) as api:
        gates = [threading.Thread(target=gate, args=(number,)) for number in range(40)]
        for each in gates:
            each.start()
        for each in gates:
            each.join(30)
    assert verdicts == [Verdict.PENDING] * 200
    assert server.connections <= 40


def test_closing_a_client_closes_its_connections() -> None:
    """The server sees the end of a kept connection."""
    ended = threading.Event()

    def script(peer: Peer) -> None:
        while peer.request():
            peer.send(http())
        ended.set()

    with serve(script) as server, client(server.url) as api:
        api.fetch(TARGET, ASID)
        assert not ended.is_set()
        api.close()
        assert ended.wait(10)


def test_a_closed_client_keeps_no_connection() -> None:
    """What is still asked after closing is answered, on a connection that is closed at once."""
    with serve(answering(http())) as server, client(server.url, ca_bundle=CA) as api:
        api.fetch(TARGET, ASID)
        api.close()
        api.fetch(TARGET, ASID)
        api.fetch(TARGET, ASID)
    assert server.connections == 3


# What it decides, without a wire


@pytest.fixture
def adapter(monkeypatch: pytest.MonkeyPatch) -> requests_mock.Adapter:
    """Put an adapter of requests-mock in the place of the one that connects."""
    adapter = requests_mock.Adapter()
    monkeypatch.setattr("cfgate.client.channel._Adapter", lambda _tls, _channel: _OffTheWire(adapter))
    return adapter


class _OffTheWire:
    """An adapter whose answers are read as if they had come over a connection."""

    def __init__(self, adapter: requests_mock.Adapter) -> None:
        self._adapter = adapter

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        response = self._adapter.send(request, **options)
        answer = SimpleNamespace(
            body=lambda: response.content,
            close=lambda: None,
            isclosed=lambda: True,
            reusable=lambda _: False,
        )
        response.raw._original_response = answer
        return response

    def close(self) -> None:
        """Close nothing."""


STATUS = "https://api.example.invalid/cfp/v1/imageversion/481516/status"


@pytest.mark.parametrize("case", CASES["cases"], ids=lambda case: case["name"])
def test_recorded_answers_are_judged_as_recorded(
    case: dict[str, Any], adapter: requests_mock.Adapter
) -> None:
    """One request brings one verdict, whatever the answer: the client never asks again by itself."""
    answers = [
        {"status_code": answer["status"], "headers": answer["headers"], "text": answer["body"]}
        for answer in case["answers"]
    ]
    adapter.register_uri("GET", STATUS, answers)
    named = {NoAnswer: "no_answer", Doubtful: "doubtful", Rejected: "rejected", NotFound: "not_found"}
    verdicts = []
    with client("https://api.example.invalid") as api:
        for _ in answers:
            try:
                job = api.fetch(Target(CASES["image_version_id"]), CASES["account_service_id"]).job
                verdicts.append("ready_with_warning" if job.warnings else job.verdict.value)
            except GateError as error:
                verdicts.append(named[type(error)])
    assert verdicts == case["verdicts"]
    assert adapter.call_count == len(answers)
    assert adapter.last_request is not None
    assert adapter.last_request.qs == {"accountserviceid": [str(CASES["account_service_id"])]}


def test_a_redirect_is_not_followed_even_to_an_address_that_would_answer(
    adapter: requests_mock.Adapter,
) -> None:
    """The place that a redirect points to is never asked."""
    elsewhere = adapter.register_uri("GET", "https://elsewhere.invalid/", json={})
    adapter.register_uri("GET", STATUS, status_code=307, headers={"Location": "https://elsewhere.invalid/"})
    with client("https://api.example.invalid") as api, pytest.raises(Rejected, match="not followed"):
        api.fetch(TARGET, ASID)
    assert not elsewhere.called


def test_a_date_in_retry_after_is_read_by_the_clock_of_the_api(adapter: requests_mock.Adapter) -> None:
    """However wrong the local clock is, the pause is the one that the API meant."""
    headers = {"Date": "Mon, 23 Nov 2026 12:00:00 GMT", "Retry-After": "Mon, 23 Nov 2026 12:00:20 GMT"}
    adapter.register_uri("GET", requests_mock.ANY, status_code=429, headers=headers)
    with client("https://api.example.invalid") as api, pytest.raises(NoAnswer) as caught:
        api.fetch(Target(ID), ASID)
    assert caught.value.retry_after == 20


def test_without_a_date_the_local_clock_reads_a_retry_after(adapter: requests_mock.Adapter) -> None:
    """Where the API does not say what time it is, the date in `Retry-After` is compared with ours."""
    adapter.register_uri(
        "GET",
        requests_mock.ANY,
        status_code=429,
        headers={"Retry-After": formatdate(NOON + 20, usegmt=True)},
    )
    with client("https://api.example.invalid", clock=FakeClock()) as api, pytest.raises(NoAnswer) as caught:
        api.fetch(Target(ID), ASID)
    assert caught.value.retry_after == 20


@pytest.mark.parametrize("where", [0, 70, 97])
def test_of_a_job_error_64_kib_are_kept(where: int) -> None:
    """A longer one is cut, visibly, and the cut falls into no secret: what is left of one would be shown."""
    filler = "x" * (MAX_JOB_ERROR - where)
    body = payload("Failed", imageversionid=ID, joberror=f"{filler}{SECRET_KEY}{'y' * 900_000}")
    with serve(answering(http(json.dumps(body).encode()))) as server, client(server.url) as api:
        error = api.fetch(TARGET, ASID).job.error
    assert error is not None
    assert MAX_JOB_ERROR - 8 < len(error.encode()) <= MAX_JOB_ERROR
    assert error.endswith(" bytes in all]")
    assert not found(error)
    assert SECRET_KEY[:6] not in error
