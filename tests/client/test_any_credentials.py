"""Judge first, redact last: whatever the credentials are, the verdict is the one without credentials."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from requests.structures import CaseInsensitiveDict

from cfgate.client import client as client_module
from cfgate.errors import GateError, Rejected, Unusable
from cfgate.model import JobStatus, Resource, Target
from cfgate.rules.answer import judge
from cfgate.text.redaction import Redactor
from tests.support.wire import ASID, Peer, Server, client, http, serve

NOW = 1_795_435_200.0
NUMBER = 9001
IDS = {resource: resource.id_field or "id" for resource in Resource}
# The words of the protocol, any of which may be a key that somebody was given.
WORDS = [
    *IDS.values(), "error", "success", "true", "false", "null", "Completed", "completed", "Complete",
    "Running", "Failed", "Squashed", "9001", "5", "100", "0", "forbidden", "jobstateid", "jobstatename",
    "joberror", "jobprogress", "jobupdated", "jobcreated", "error_message", "pending_machines",
    "failed_machines", "completed_machines", "machines", "job", "HTTP", "html", "title", "Retry-After",
    "chunked", '"', "{", ":", ",", "\\u0043",
]  # fmt: skip
CREDENTIALS = st.sampled_from(WORDS) | st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1)
VALUES = (
    st.sampled_from([*WORDS, "", None, True, False, 0, 1, 4, 5, 6, 7, 20, 100, NUMBER, 1_795_430_000, 4.5])
    | CREDENTIALS.map(lambda word: f"disk full: {word}")
)  # fmt: skip
GOOD = b'{"imageversionid": 9001, "jobstateid": 5, "jobstatename": "Completed"}'
STATES = {"Running": 4, "Completed": 5, "Failed": 6, "Squashed": 7}


@st.composite
def bodies(draw: st.DrawFn, resource: Resource) -> bytes:
    """Make a good answer, with a few fields changed or added."""
    state = draw(st.sampled_from(list(STATES)))
    good: dict[str, Any] = {
        IDS[resource]: NUMBER,
        "jobstateid": STATES[state],
        "jobstatename": state,
        "jobcreated": 1_795_430_000,
        "jobupdated": 1_795_430_100,
        "jobprogress": 100,
        "joberror": "disk full" if state == "Failed" else "",
        "success": True,
    }
    if resource is Resource.ROLLOUT:
        good = {"pending_machines": 0, "failed_machines": 0, "completed_machines": 20}
    odd = draw(st.dictionaries(st.sampled_from([*good, *WORDS]), VALUES, max_size=3))
    plain = json.dumps(good | odd).encode()
    return draw(st.sampled_from([plain, plain, plain, plain[:-1], b"<html><title>forbidden</title>" + plain]))


def found(ask: Callable[[], JobStatus]) -> tuple[object, ...]:
    """Return everything that can decide about the end of a gate."""
    try:
        job = ask()
    except GateError as error:
        busy = (error.retry_after, error.busy) if isinstance(error, Unusable) else ()
        refused = error.credentials if isinstance(error, Rejected) else None
        return type(error), error.status, *busy, refused, error.remedy
    moments = job.created, job.started, job.updated, job.eta
    return job.verdict, job.why, job.state, job.progress, job.failures, moments, job.warnings, job.holds


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """Answer every request with `answer`."""

    def script(peer: Peer) -> None:
        while peer.request():
            peer.send(peer.server.answer)  # type: ignore[attr-defined] # set by the test

    with serve(script) as running:
        yield running


def verdicts(server: Server, keys: list[str], status: int, body: bytes, resource: Resource) -> list[Any]:
    """Judge an answer as it is sent, and as a client with these credentials has it."""
    server.answer = http(body, status, Retry_After="3")  # type: ignore[attr-defined] # read by the script
    headers = CaseInsensitiveDict({"Content-Type": "application/json", "Retry-After": "3"})
    redact = Redactor([*keys, ":".join(keys)])
    with client(server.url, access_key=keys[0], secret_key=keys[-1], redact=redact) as api:
        through = found(lambda: api.fetch(Target(NUMBER, "", resource), ASID).job)
    return [found(lambda: judge(status, headers, body, NUMBER, resource, now=NOW)), through]


@given(
    keys=st.lists(CREDENTIALS, min_size=2, max_size=2),
    status=st.sampled_from([200, 200, 200, 200, 204, 302, 401, 403, 404, 429, 503]),
    drawn=st.sampled_from(Resource).flatmap(lambda each: st.tuples(st.just(each), bodies(each))),
)
@example(["key", "error"], 200, (Resource.IMAGE_VERSION, GOOD[:-1] + b', "joberror": "x"}'))
@example(["key", "Completed"], 200, (Resource.IMAGE_VERSION, GOOD))
@example(["9001", "5"], 200, (Resource.IMAGE_VERSION, GOOD))
def test_no_credential_changes_a_verdict(
    server: Server, keys: list[str], status: int, drawn: tuple[Resource, bytes]
) -> None:
    """Words of the protocol and any others: an answer means what it means without credentials."""
    without, through = verdicts(server, keys, status, drawn[1], drawn[0])
    assert through == without


def test_a_client_that_redacts_first_is_found(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """The way it once was: a secret key `error` turns a bad Completed into a good one."""

    def redacting_first(status: int, headers: Any, body: bytes, *args: Any, **kwargs: Any) -> JobStatus:
        return judge(status, headers, body.replace(b"error", b"***"), *args, **kwargs)

    monkeypatch.setattr(client_module, "judge", redacting_first)
    bad = GOOD[:-1] + b', "joberror": "x"}'
    without, through = verdicts(server, ["key", "error"], 200, bad, Resource.IMAGE_VERSION)
    assert through != without
