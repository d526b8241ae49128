"""From an HTTP answer to a verdict: the recorded shapes, and the rules one by one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from requests.structures import CaseInsensitiveDict

from cfgate.errors import Doubtful, GateError, NoAnswer, NotFound, Rejected
from cfgate.model import JobState, JobStatus, Machines, Resource, Verdict
from cfgate.rules import judge_job
from cfgate.rules.answer import MAX_BODY, retry_after
from cfgate.rules.answer import judge as judge_answer
from tests.support import posix
from tests.support.fakes import ID, NOON, payload

RECORDED = json.loads((Path(__file__).parents[1] / "data" / "clanforge.json").read_text())
HTML_PAGE = "an HTML page (a login page or a proxy?)"
ERRORS = {"no_answer": NoAnswer, "doubtful": Doubtful, "rejected": Rejected, "not_found": NotFound}


def judge(
    body: bytes | str | dict[str, Any],
    status: int = 200,
    headers: dict[str, str] | None = None,
    asked: int = ID,
    resource: Resource = Resource.IMAGE_VERSION,
) -> JobStatus:
    """Read an answer as the client would."""
    if isinstance(body, dict):
        body = json.dumps(body)
    raw = body.encode() if isinstance(body, str) else body
    return judge_answer(status, CaseInsensitiveDict(headers or {}), raw, asked, resource, now=NOON)


def verdict(*args: Any, **kwargs: Any) -> str:
    """Name the verdict on an answer in the words of the recorded cases."""
    try:
        job = judge(*args, **kwargs)
    except GateError as error:
        return next(name for name, kind in ERRORS.items() if type(error) is kind)
    return "ready_with_warning" if job.warnings else job.verdict.value


def nested(levels: int, opening: bytes = b'{"a":', closing: bytes = b"}") -> bytes:
    """Make an object with a number inside so many levels."""
    return b'{"a":' + opening * (levels - 1) + b"1" + closing * (levels - 1) + b"}"


@pytest.mark.parametrize("case", RECORDED["cases"], ids=lambda case: case["name"])
def test_recorded_answers_have_the_recorded_verdicts(case: dict[str, Any]) -> None:
    """Each recorded answer is judged as the record says."""
    verdicts = [
        verdict(answer["body"], answer["status"], answer["headers"], RECORDED["image_version_id"])
        for answer in case["answers"]
    ]
    assert verdicts == case["verdicts"], case["why"]


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 529, 599, 201, 204, 206])
def test_a_busy_or_broken_server_is_no_answer(status: int) -> None:
    """Rule 1: these statuses are asked again, whatever their body claims."""
    with pytest.raises(NoAnswer, match=f"HTTP {status}"):
        judge(payload("Completed"), status)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        *((status, Rejected) for status in (300, 301, 302, 308, 400, 401, 403, 405, 410, 418, 422, 451)),
        (404, NotFound),
    ],
)
def test_a_refusal_is_not_asked_again(status: int, kind: type[GateError]) -> None:
    """Rule 2: no 3xx or 4xx becomes an answer, even with a Completed job in its body."""
    with pytest.raises(kind):
        judge(payload("Completed"), status)


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (400, "the API refuses the request (HTTP 400 Bad Request)"),
        (401, "the API refuses these credentials (HTTP 401 Unauthorized)"),
        (403, "the API refuses these credentials (HTTP 403 Forbidden)"),
        (404, "HTTP 404 Not Found"),
        (499, "the API refuses the request (HTTP 499)"),
    ],
)
def test_a_refusal_quotes_what_the_api_said(status: int, said: str) -> None:
    """The API's own words are told in one line of 200 characters at most, from either of its fields."""
    quotes: list[tuple[Any, str]] = [
        ({"error_message": "no such\r\n  key"}, ": “no such key”"),
        ({"error_message": "x" * 200}, f": “{'x' * 200}”"),
        ({"error_message": "x" * 201}, f": “{'x' * 200}…”"),
        ({"error": "no such key"}, ": “no such key”"),
        ({"error": "other", "error_message": "first"}, ": “first”"),
        *((odd, "") for odd in ({"error": True}, {"error_message": ["x"]}, {"error_message": " "}, {})),
    ]
    for body, quoted in quotes:
        with pytest.raises((Rejected, NotFound)) as refused:
            judge(json.dumps(body), status)
        assert str(refused.value) == said + quoted
    with pytest.raises((Rejected, NotFound)) as refused:
        judge(b"", status)
    assert str(refused.value) == said


@pytest.mark.parametrize(
    ("status", "remedy"),
    [
        (302, "Put the address that really serves the API into `api-url` (https, without a path)."),
        (400, "Check `image-version-id`, `account-service-id` and `api-url`."),
        (401, Rejected.remedy),
    ],
)
def test_a_refusal_says_what_to_do(status: int, remedy: str) -> None:
    """A redirect, a refused request and refused credentials each have a remedy of their own."""
    with pytest.raises(Rejected) as refused:
        judge("", status)
    assert refused.value.remedy == remedy


def test_a_redirect_tells_its_target_without_secrets() -> None:
    """The place a redirect points to is told without user, password, query or fragment."""
    location = "http://user:hunter2@elsewhere.example:8080/cfp/v1/x?token=hunter2#hunter2"
    with pytest.raises(Rejected) as caught:
        judge("", 302, {"location": location})
    target = "http://elsewhere.example:8080/cfp/v1/x"
    assert str(caught.value) == f"HTTP 302 Found: a redirect, which is not followed: “{target}”"


@pytest.mark.parametrize(
    ("location", "told"),
    [
        ("", "nowhere"),
        ("//", "nowhere"),
        ("/login?next=/", "/login"),
        ("https://elsewhere.example/login", "https://elsewhere.example/login"),
        ("https://x/" + "y" * 300, "https://x/" + "y" * 190 + "…"),
        ("/" + "y" * 300, "/" + "y" * 199 + "…"),
        ("http://[::1", "something that is no address"),
        ("http://x:99999999/", "something that is no address"),
        ("\x00", "nowhere"),
    ],
)
def test_an_odd_redirect_is_rejected_all_the_same(location: str, told: str) -> None:
    """No `Location` makes the reader stumble, and a long one is cut."""
    with pytest.raises(Rejected) as caught:
        judge("", 301, {"Location": location})
    message = f"HTTP 301 Moved Permanently: a redirect, which is not followed: “{told}”"
    assert str(caught.value) == message


def test_a_redirect_to_nowhere_is_rejected() -> None:
    """A redirect without a `Location` is told as one."""
    with pytest.raises(Rejected, match="not followed: “nowhere”"):
        judge("", 301)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "the answer has an empty body"),
        (b" \r\n", "the answer has an empty body"),
        (b"<!DOCTYPE html><title>Sign in</title>", f"the answer is {HTML_PAGE}, not JSON: “Sign in”"),
        (b" \r\n<HTML>", f"the answer is {HTML_PAGE}, not JSON"),
        (b"<?xml version='1.0'?><a/>", "the answer is XML, not JSON"),
        (b'{"imageversionid": 90', "the answer is broken or cut off, not JSON"),
        (b"[1, 2", "the answer is broken or cut off, not JSON"),
        (b"\xff\xfe\x00", "the answer is text in UTF-16 or UTF-32, not JSON"),
        (b"\x89PNG\xff", "the answer is binary data, not JSON"),
        (b"upstream gone", "the answer is plain text, not JSON"),
        (b"[1]", "the answer is a JSON array, not an object"),
        (b'"Completed"', "the answer is a JSON string, not an object"),
        (b"5", "the answer is a JSON number, not an object"),
        (b"0.5", "the answer is a JSON number, not an object"),
        (b"true", "the answer is a JSON boolean, not an object"),
        (b"null", "the answer is a JSON null, not an object"),
        (b"[" * 100_000, "the answer is nested too deeply"),
        (nested(65), "the answer is nested too deeply"),
        (nested(65, b"[", b"]"), "the answer is nested too deeply"),
        (b'{"jobprogress": NaN}', "the answer is broken or cut off, not JSON"),
        (b" " * (MAX_BODY + 1), "the answer is larger than 1 MiB"),
        (b'{"a": "' + b"x" * MAX_BODY + b'"}', "the answer is larger than 1 MiB"),
        ('{"jobstatename": "ä"}'.encode("utf-16"), "the answer is text in UTF-16 or UTF-32, not JSON"),
    ],
)
def test_a_body_that_is_no_json_object_is_told_for_what_it_is(body: bytes, said: str) -> None:
    """Rule 3: nothing but a JSON object in UTF-8 is an answer, and the message names what came."""
    with pytest.raises(NoAnswer) as told:
        judge(body)
    assert str(told.value) == said


def test_a_page_is_known_by_its_type_as_well() -> None:
    """What calls itself HTML is told as a page, however it begins."""
    with pytest.raises(NoAnswer) as told:
        judge("Sign in", headers={"content-type": "Text/HTML; charset=utf-8"})
    assert str(told.value) == f"the answer is {HTML_PAGE}, not JSON"


def test_the_bounds_of_an_answer_are_where_they_are_said_to_be() -> None:
    """An answer of exactly 1 MiB, and one of 64 levels, is read like any other."""
    whole = json.dumps(payload("Completed")).encode()
    assert judge(whole.ljust(MAX_BODY)).verdict is Verdict.READY
    for deep in (nested(64), nested(64, b"[", b"]")):
        assert judge(whole[:-1] + b', "more": ' + deep[5:-1] + b"}").verdict is Verdict.READY


def test_a_byte_order_mark_is_no_obstacle() -> None:
    """A UTF-8 byte order mark in front of the object is read over."""
    assert judge(b"\xef\xbb\xbf" + json.dumps(payload("Completed")).encode()).verdict is Verdict.READY


@pytest.mark.parametrize(
    ("envelope", "kind", "said"),
    [
        (
            {"success": False, "error": True, "error_message": "Forbidden"},
            Rejected,
            "the API refuses these credentials: “Forbidden”",
        ),
        (
            {"success": False, "error_message": "image locked"},
            NoAnswer,
            "the API reports an error: “image locked”",
        ),
        ({"error": True}, NoAnswer, "the API reports an error: “no message”"),
        ({"success": False}, NoAnswer, "the API reports an error: “no message”"),
        ({"success": False, "error_message": ""}, NoAnswer, "the API reports an error: “no message”"),
        ({"error_message": "x"}, NoAnswer, "the API reports an error: “x”"),
        ({"error_message": ["x"], "error": 1}, NoAnswer, "the API reports an error: “no message”"),
        ({}, Doubtful, "the answer names no image version"),
        ({"success": True}, Doubtful, "the answer names no image version"),
        ({"success": None}, Doubtful, "the answer names no image version"),
    ],
)
def test_an_error_instead_of_a_job(envelope: dict[str, Any], kind: type[GateError], said: str) -> None:
    """Rule 4: the error envelope is no answer, unless it says that the credentials are wrong."""
    with pytest.raises(kind) as told:
        judge(envelope)
    assert str(told.value) == said
    assert getattr(told.value, "credentials", True)


DOUBTS: list[tuple[dict[str, Any], str]] = [
    ({"imageversionid": ID + 1}, "the answer is about image version 9002, not 9001"),
    ({"imageversionid": None}, "the answer names no image version"),
    ({"imageversionid": ""}, "the answer names no image version"),
    ({"imageversionid": True}, "imageversionid is true, where a number belongs"),
    ({"imageversionid": "9001x"}, "imageversionid is not a number"),
    ({"jobstateid": True}, "jobstateid is true, where a number belongs"),
    ({"jobprogress": False}, "jobprogress is false, where a number belongs"),
    ({"jobcreated": True}, "jobcreated is true, where a number belongs"),
    ({"jobstart": True}, "jobstart is true, where a number belongs"),
    ({"jobeta": True}, "jobeta is true, where a number belongs"),
    ({"jobfailed": True}, "jobfailed is true, where a number belongs"),
    ({"jobupdated": True}, "jobupdated is true, where a number belongs"),
    ({"jobstateid": 8}, "unknown job state id 8"),
    ({"jobstateid": -5}, "unknown job state id -5"),
    ({"jobstateid": 0}, "unknown job state id 0"),
    ({"jobstateid": 0, "jobstatename": None}, "unknown job state id 0"),
    ({"jobstateid": 1, "jobstatename": "Pending"}, "job state id 1 is Created, but its name says Pending"),
    ({"jobstateid": "five"}, "jobstateid is not a number"),
    ({"jobstateid": 5.5}, "jobstateid is not a number"),
    ({"jobstateid": [5]}, "jobstateid is not a number"),
    ({"jobstateid": 4}, "job state id 4 is Running, but its name says Completed"),
    ({"jobstatename": "Running"}, "job state id 5 is Completed, but its name says Running"),
    ({"jobstatename": "Finished"}, "unknown job state: “Finished”"),
    ({"jobstatename": "CompletedX"}, "unknown job state: “CompletedX”"),
    ({"jobstatename": "\u00a0Completed"}, "unknown job state: “'\\xa0Completed'”"),
    ({"jobstatename": "x" * 201}, f"unknown job state: “{'x' * 200}…”"),
    ({"jobstatename": 5}, "jobstatename is not a text"),
    ({"jobstateid": None, "jobstatename": None}, "the answer names no job state"),
    ({"jobstateid": "", "jobstatename": ""}, "the answer names no job state"),
    *(
        ({"success": odd}, "the job is Completed, but the answer does not say success")
        for odd in (False, None, "true", 1)
    ),
    *(({"error": odd}, "the job is Completed, but the answer carries an error") for odd in (True, "false")),
    *(
        ({"joberror": odd}, "the job is Completed, but it has a job error")
        for odd in ("disk full", " ", {"code": 1})
    ),
]


@pytest.mark.parametrize(("fields", "said"), DOUBTS)
def test_a_completed_job_with_a_flaw_is_doubtful(fields: dict[str, Any], said: str) -> None:
    """Rules 5, 6 and 8: whatever contradicts a Completed keeps it from being green."""
    with pytest.raises(Doubtful) as doubt:
        judge(payload("Completed") | fields)
    assert str(doubt.value) == said


@pytest.mark.parametrize(
    "fields",
    [
        {"jobstatename": "complete"},
        {"jobstatename": "COMPLETED"},
        {"jobstatename": " Completed\n"},
        {"jobstateid": "5"},
        {"jobstateid": 5.0},
        {"jobstateid": None},
        {"jobstateid": ""},
        {"jobstatename": None},
        {"jobstatename": ""},
        {"imageversionid": "9001"},
        {"joberror": ""},
        {"joberror": None},
        {"error": False},
        {"error": None},
        {"jobeta": "soon", "jobstart": [], "jobupdated": {}},
        {"jobeta": 10**18},
    ],
)
def test_a_completed_job_in_another_spelling_is_ready(fields: dict[str, Any]) -> None:
    """What the documentation allows, and garbage in fields that decide nothing, leaves a Completed green."""
    assert verdict(payload("Completed") | fields) == "ready"


@pytest.mark.parametrize("state", ["Created", "Pending", "Queued", "Running"])
@pytest.mark.parametrize("fields", [{"success": False}, {"error": True}, {"success": False, "error": True}])
def test_a_pending_job_of_a_failed_request_is_doubtful(state: str, fields: dict[str, Any]) -> None:
    """Rule 7: a job that still runs in an answer that says it failed cannot be believed."""
    with pytest.raises(Doubtful) as doubt:
        judge(payload(state) | fields)
    assert str(doubt.value) == f"the job is {state}, but the answer says that the request failed"


@pytest.mark.parametrize("state", ["Failed", "Squashed"])
def test_a_job_that_ended_badly_needs_no_success(state: str) -> None:
    """Rule 7: Failed and Squashed stand, whatever `success` says."""
    for success in (True, False, None):
        assert verdict(payload(state, success=success)) == state.lower()


@pytest.mark.parametrize("name", ["Created", "pending", "Queued", "running"])
def test_an_unset_id_leaves_the_decision_to_the_name(name: str) -> None:
    """Before a job starts its id may be 0; then the name decides."""
    assert verdict(payload(name, jobstateid=0)) == "pending"


@pytest.mark.parametrize(
    ("fields", "warnings"),
    [
        ({"jobfailed": "1"}, ["the job had failed once before it was completed"]),
        ({"jobfailed": 2}, ["the job had failed 2 times before it was completed"]),
        ({"jobprogress": 99}, ["the job is Completed, but its progress reads 99 %"]),
        ({"jobprogress": 101}, ["the job is Completed, but its progress reads 101 %"]),
        (
            {"jobfailed": 2, "jobprogress": 0},
            [
                "the job had failed 2 times before it was completed",
                "the job is Completed, but its progress reads 0 %",
            ],
        ),
        ({"jobfailed": None, "jobprogress": None}, []),
    ],
)
def test_an_odd_completed_job_is_ready_with_a_warning(fields: dict[str, Any], warnings: list[str]) -> None:
    """Rule 9: an earlier failure or a progress short of 100 is worth a word and no more."""
    job = judge(payload("Completed") | fields)
    assert job.verdict is Verdict.READY
    assert list(job.warnings) == warnings


def test_only_a_ready_job_has_warnings() -> None:
    """What is odd about a job that is not over is no news yet."""
    assert judge(payload("Running", jobfailed=2, jobprogress=99)).warnings == ()


def test_every_field_of_an_answer_is_told() -> None:
    """The status of a job holds what was sent, and each of its moments by the name that it has there."""
    sent = payload(
        "Running",
        jobstatename="RUNNING",
        jobprogress="41",
        jobfailed=3,
        joberror="disk full",
        jobcreated=11,
        jobstart=12,
        jobupdated=13,
        jobeta=14,
    )
    assert judge(sent) == JobStatus(
        Verdict.PENDING,
        "the job is Running",
        state=JobState.RUNNING,
        progress=41,
        failures=3,
        error="disk full",
        created=11,
        started=12,
        updated=13,
        eta=14,
    )


@pytest.mark.parametrize("name", ["jobcreated", "jobstart", "jobupdated", "jobeta"])
@pytest.mark.parametrize(
    ("sent", "told"),
    [(1, 1), (253_402_300_799, 253_402_300_799), (0, None), (-1, None), (253_402_300_800, None), ("", None)],
)
def test_a_moment_is_in_the_life_of_a_job_or_none(name: str, sent: Any, told: int | None) -> None:
    """Unix seconds are told from 1 to the last that a date can show; anything else says nothing."""
    job = judge(payload("Running") | {name: sent})
    field = {"jobcreated": job.created, "jobstart": job.started, "jobupdated": job.updated, "jobeta": job.eta}
    assert field[name] == told


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        (0, 0),
        (100, 100),
        (" 7 ", 7),
        ("+7", 7),
        (7.0, 7),
        (-1, None),
        (101, None),
        (7.5, 7),
        ("10.9", 10),
        ("7\n", None),
        ("X7", None),
    ],
)
def test_progress_is_a_per_cent_rounded_down_or_nothing(sent: Any, told: int | None) -> None:
    """A progress outside 0 to 100 says nothing."""
    assert judge(payload("Running", jobprogress=sent)).progress == told


def test_a_doubt_keeps_the_job_error() -> None:
    """The error of a doubtful answer is kept, where it is a text that says something."""
    for error, kept in (("disk full", "disk full"), (["x"], None), ("", None)):
        job = judge_job(payload(joberror=error, jobstateid=True), ID)
        assert (job.verdict, job.state, job.error) == (Verdict.DOUBTFUL, None, kept)


def test_a_job_error_that_is_no_text_is_told_all_the_same() -> None:
    """Whatever stands in the place of the job error is shown to who has to mend the job."""
    assert judge(payload("Failed", joberror={"code": 7})).error == "code: 7"
    assert judge(payload("Failed", joberror="")).error is None


def test_the_same_key_twice_must_say_the_same() -> None:
    """A repeated key is harmless when both say the same, and doubtful when they differ, in value or type."""
    body = json.dumps(payload("Completed"))
    assert verdict(body[:-1] + ', "jobstateid": 5}') == "ready"
    assert verdict(body[:-1] + ', "jobstateid": 4}') == "doubtful"
    assert verdict(body[:-1] + ', "success": 1}') == "doubtful"
    with pytest.raises(Doubtful) as doubt:
        judge(f'{{"{"k" * 90}": 1, "{"k" * 90}": 2}}')
    said = "the answer has the same key twice, with different values"
    assert str(doubt.value) == f"{said}: “{'k' * 90}”"


def test_texts_of_the_answer_stay_whole_until_they_are_redacted() -> None:
    """A secret that reaches over the length of a quote is masked: redaction comes before the cut."""
    secret = "hunter2" * 8

    def redact(text: str) -> str:
        return text.replace(secret, "***")

    job = judge(payload("Failed", joberror=f"s3 said {secret}"))
    assert job.error == f"s3 said {secret}"
    assert job.redacted(redact).error == "s3 said ***"
    envelope = {"error": True, "error_message": "x" * 190 + secret}
    for status in (200, 400, 401, 404):
        with pytest.raises(GateError) as caught:
            judge(envelope, status)
        caught.value.redact(redact)
        assert "hunter2" not in str(caught.value)
        assert str(caught.value).endswith("x***”")


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("1.5", 2.0),
        ("2.0", 2.0),
        ("3, 3", 3.0),
        ("3, 4", None),
        ("٣", None),
        ("0", 0.0),
        (" 20 ", 20.0),
        ("9999999999", 31_536_000.0),
        ("99999999999999999999", None),
        ("Mon, 23 Nov 2026 12:01:00 GMT", 60.0),
        ("Mon, 23 Nov 2026 11:00:00 GMT", 0.0),
        ("Mon, 23 Nov 2026 12:01:00 -0000", 60.0),
        ("Mon, 23 Nov 2026 13:01:00 +0100", 60.0),
        ("Monday, 23-Nov-26 12:01:00 GMT", 60.0),
        ("Mon, 23 Nov 2028 12:01:00 GMT", 31_536_000.0),
        ("Mon, 99 Nov 2026 12:01:00 GMT", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(
    header: str | None, seconds: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A `Retry-After` is read as seconds or as an HTTP date, wherever this machine is, or passed over."""
    with posix.in_tokyo(monkeypatch):
        assert retry_after(header, NOON) == seconds


@given(st.text())
def test_no_retry_after_makes_the_reader_stumble(header: str) -> None:
    """Any text gives a number of seconds between 0 and a year, or nothing."""
    seconds = retry_after(header, NOON)
    assert seconds is None or 0 <= seconds <= 31_536_000


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
FIELDS = st.sampled_from([*payload(), "jobstart", "jobeta", "joberror", "error", "error_message"])


@given(
    state=st.sampled_from([*JobState]),
    changes=st.dictionaries(FIELDS, JSON, max_size=4),
    dropped=st.sets(FIELDS, max_size=3),
)
def test_green_comes_only_from_a_whole_completed(
    state: JobState, changes: dict[str, Any], dropped: set[str]
) -> None:
    """Whatever is changed or left out in an answer, ready means what rules 5 to 8 say, by another reading."""
    body = {k: v for k, v in (payload(state.title) | changes).items() if k not in dropped}
    if verdict(body) not in ("ready", "ready_with_warning"):
        return
    assert str(body["imageversionid"]).removesuffix(".0").strip().lstrip("+0") == str(ID)
    identified = body.get("jobstateid") in (5, "5", "+5", "05") or "5" in str(body.get("jobstateid"))
    named = str(body.get("jobstatename")).strip().lower() in ("complete", "completed")
    assert identified or named
    assert body.get("success", True) is True
    assert not body.get("error")
    assert not body.get("joberror")


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode), st.integers(100, 599))
def test_no_body_makes_the_reader_stumble(body: bytes, status: int) -> None:
    """Any bytes with any status give a verdict or one of our errors."""
    assert verdict(body, status) in {*ERRORS, "ready", "pending", "failed", "squashed", "ready_with_warning"}


@given(JSON.filter(lambda value: isinstance(value, dict)) | st.dictionaries(FIELDS, JSON))
def test_no_payload_makes_the_judge_stumble(body: dict[str, Any]) -> None:
    """`from_payload` answers for every decoded object, with a reason."""
    assert judge_job(body, ID).why


# The siblings

SIBLINGS = [each for each in Resource if each not in (Resource.IMAGE_VERSION, Resource.ROLLOUT)]


def sibling(resource: Resource, state: str, **fields: Any) -> dict[str, Any]:
    """Make the body of an answer about a sibling job with the usual id."""
    body = payload(state, **fields)
    return {resource.id_field: body.pop("imageversionid"), **body}


@pytest.mark.parametrize("resource", SIBLINGS)
@pytest.mark.parametrize("state", JobState)
def test_a_sibling_job_is_judged_as_an_image_version_is(resource: Resource, state: JobState) -> None:
    """Updates and diffs differ from versions in the name of their id, and in maps that say nothing."""
    maps = {"added": {"a": True}, "modified": {"b": [1]}, "removed": {}}
    job = judge(sibling(resource, state.title) | maps, resource=resource)
    assert (job.verdict, job.state) == (state.verdict, state)


@pytest.mark.parametrize("resource", SIBLINGS)
@pytest.mark.parametrize(
    ("fields", "said"), [pair for pair in DOUBTS if "imageversionid" not in pair[0]], ids=str
)
def test_a_sibling_job_with_a_flaw_is_doubtful(resource: Resource, fields: dict[str, Any], said: str) -> None:
    """Whatever keeps a version from being green keeps its siblings as well."""
    with pytest.raises(Doubtful) as doubt:
        judge(sibling(resource, "Completed") | fields, resource=resource)
    assert str(doubt.value) == said


@pytest.mark.parametrize("resource", SIBLINGS)
def test_the_answer_of_one_kind_is_none_for_another(resource: Resource) -> None:
    """A job that names itself in the way of another kind, or is another one, is not the one asked about."""
    with pytest.raises(Doubtful, match=f"names no {resource.noun}"):
        judge(payload("Completed"), resource=resource)
    with pytest.raises(Doubtful, match=f"about {resource.noun} 9002, not 9001"):
        judge(sibling(resource, "Completed") | {resource.id_field: 9002}, resource=resource)
    with pytest.raises(Doubtful, match=r"no image version"):
        judge(sibling(resource, "Completed"))


# The roll-out


def machines(pending: Any, failed: Any, completed: Any, **fields: Any) -> dict[str, Any]:
    """Make the body of an answer about a roll-out."""
    counts = {"pending_machines": pending, "failed_machines": failed, "completed_machines": completed}
    return counts | fields


@pytest.mark.parametrize(
    ("counts", "state", "progress"),
    [
        ((0, 0, 0), JobState.QUEUED, 0),
        ((8, 0, 0), JobState.RUNNING, 0),
        ((1, 0, 199), JobState.RUNNING, 99),
        ((0, 0, 200), JobState.COMPLETED, 100),
        ((0, 1, 0), JobState.FAILED, 0),
        ((3, 1, 4), JobState.FAILED, 50),
        (("0", "0", "2"), JobState.COMPLETED, 100),
        ((0.0, 0, 2), JobState.COMPLETED, 100),
    ],
)
def test_a_roll_out_is_read_from_its_counts(
    counts: tuple[Any, Any, Any], state: JobState, progress: int
) -> None:
    """Any failed machine is a failure, any pending one is waited for, and none at all is no roll-out yet."""
    job = judge(machines(*counts), resource=Resource.ROLLOUT)
    assert (job.verdict, job.state, job.progress) == (state.verdict, state, progress)


def test_a_roll_out_tells_its_state_and_nothing_of_a_job() -> None:
    """The counts of machines stand for state, progress and error; a job has nothing else to say."""
    assert judge(machines(1, 0, 3, success=True, error=False), resource=Resource.ROLLOUT) == JobStatus(
        Verdict.PENDING,
        "the roll-out is Running",
        state=JobState.RUNNING,
        progress=75,
        machines=Machines(1, 0, 3),
    )


def test_a_finished_roll_out_has_to_hold() -> None:
    """Ready is believed after ten seconds, a failure at once; the failure tells the counts."""
    assert judge(machines(0, 0, 2), resource=Resource.ROLLOUT).holds == 10
    failed = judge(machines(1, 2, 3), resource=Resource.ROLLOUT)
    assert failed.holds == 0
    assert failed.error == "2 of 6 machines failed (3 completed, 1 pending)"
    assert judge(payload("Completed")).holds == 0


REQUEST_FAILED = "the answer counts machines, but says that the request failed"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (machines(0, 0, 2, success=False), REQUEST_FAILED),
        (machines(0, 0, 2, success=1), REQUEST_FAILED),
        (machines(0, 0, 2, error=True), REQUEST_FAILED),
        (machines(0, 2, 2, error_message="x"), REQUEST_FAILED),
        (machines(0, 0, True), "completed_machines is true, where a number belongs"),
        (machines(False, 0, 2), "pending_machines is false, where a number belongs"),
        (machines(0, -1, 2), "failed_machines is -1"),
        (machines(0, None, 2), "the answer has no failed_machines"),
        (machines("", 0, 2), "the answer has no pending_machines"),
        (machines(0, 0, "two"), "completed_machines is not a number"),
        (machines(0, 0.5, 2), "failed_machines is not a number"),
        ({"pending_machines": 0, "completed_machines": 2}, "the answer has no failed_machines"),
        ({"pending_machines": 0, "failed_machines": 0}, "the answer has no completed_machines"),
        ({"completed_machines": 2}, "the answer has no pending_machines"),
        (payload("Completed"), "the answer has no pending_machines"),
        ({}, "the answer has no pending_machines"),
    ],
)
def test_a_roll_out_with_a_flaw_is_doubtful(body: dict[str, Any], said: str) -> None:
    """An error besides the counts, and counts that are missing, negative or no numbers, decide nothing."""
    with pytest.raises(Doubtful) as doubt:
        judge(body, resource=Resource.ROLLOUT)
    assert str(doubt.value) == said


def test_an_error_instead_of_a_roll_out() -> None:
    """Rule 4 holds without counts: the envelope is no answer, or a refusal."""
    envelope = {"success": False, "error": True, "error_message": "image locked"}
    with pytest.raises(NoAnswer, match="image locked"):
        judge(envelope, resource=Resource.ROLLOUT)
    with pytest.raises(Rejected) as refused:
        judge(envelope | {"error_message": "forbidden"}, resource=Resource.ROLLOUT)
    assert refused.value.credentials


@given(st.dictionaries(st.sampled_from([*machines(0, 0, 0), "success", "error", "error_message"]), JSON))
def test_a_roll_out_is_green_only_when_all_machines_are(body: dict[str, Any]) -> None:
    """Whatever the counts are, ready means: some completed, none pending, none failed, and no error."""
    job = judge_job(body, ID, Resource.ROLLOUT)
    assert job.why
    if job.verdict is Verdict.READY:
        assert float(body["completed_machines"]) > 0
        assert float(body["pending_machines"]) == float(body["failed_machines"]) == 0
        assert body.get("success", True) is True
        assert not body.get("error")
        assert not body.get("error_message")


@pytest.mark.parametrize(("status", "credentials"), [(401, True), (403, True), (400, False), (302, False)])
def test_a_refusal_says_whether_it_is_about_who_asks(status: int, credentials: bool) -> None:
    """Only 401 and 403 would be said to any other target as well."""
    with pytest.raises(Rejected) as refused:
        judge("", status)
    assert refused.value.credentials is credentials


@pytest.mark.parametrize("status", [429, 503])
def test_only_too_many_requests_concern_all(status: int) -> None:
    """A 429 concerns everybody who shares the API; any other bad answer only who got it."""
    with pytest.raises(NoAnswer) as busy:
        judge("", status, {"Retry-After": "7"})
    assert busy.value.retry_after == 7.0
    assert busy.value.busy is (status == 429)


@pytest.mark.parametrize("status", [400, 401, 403, 451])
def test_a_refusal_that_is_no_json_blames_nobody_yet(status: int) -> None:
    """Rule 2: a page in the place of an answer is named, with what it says of itself."""
    page = "<html><head><title>Web  Filter</title>"
    with pytest.raises(Rejected) as refused:
        judge(page, status, {"Content-Type": "text/html", "Server": "squid/5.7"})
    assert "perhaps a proxy or a firewall, not Clanforge: “Web Filter, squid/5.7”" in str(refused.value)


@pytest.mark.parametrize(
    "more",
    [{"jobstateid": 6}, {"joberror": "disk full"}, {"imageid": 9002}, {"imageid": True}, {"imageid": "x"}],
)
def test_a_roll_out_that_is_about_something_else_too_is_doubtful(more: dict[str, Any]) -> None:
    """Rule 5: counts of machines beside the fields of a job, or beside another image's id, are nobody's."""
    counts = {"pending_machines": 0, "failed_machines": 0, "completed_machines": 3}
    assert verdict(counts | {"imageid": ID}, resource=Resource.ROLLOUT) == "ready"
    assert verdict(counts | more, resource=Resource.ROLLOUT) == "doubtful"


@pytest.mark.parametrize("status", [304, 408, 421, 425, 429, 500])
def test_what_may_pass_is_no_answer(status: int) -> None:
    """Rule 1: these say nothing about the job and nothing about who asks."""
    assert verdict("", status) == "no_answer"


@pytest.mark.parametrize("coding", ["br", "zstd", "gzip, br", "a/b"])
def test_a_compression_that_was_not_asked_for_is_named(coding: str) -> None:
    """Rule 3: what cannot be unpacked is named by its coding, as far as that is a name."""
    with pytest.raises(NoAnswer, match=r"compressed with (br|zstd|gzip, br|something unknown), which"):
        judge(b"\x1b\x7f", 200, {"Content-Encoding": coding})


@pytest.mark.parametrize(
    ("state", "expected"), [("Failed", "failed"), ("Running", "pending"), ("Completed", "doubtful")]
)
def test_bytes_that_are_not_utf8_never_hide_a_failure_and_never_end_well(state: str, expected: str) -> None:
    """Rule 3: they become U+FFFD, and a Completed that holds any is doubtful."""
    body = json.dumps(payload(state) | {"note": "Ä"}, ensure_ascii=False).encode("latin-1")
    assert verdict(body) == expected


@pytest.mark.parametrize(
    "fields",
    [
        {"imageversionid": "9007199254740993.5"},
        {"imageversionid": float(ID) + 0.5},
        {"jobstateid": "4.9999999999999999999"},
        {"error_message": "forbidden"},
    ],
)
def test_what_is_nearly_right_is_doubtful(fields: dict[str, Any]) -> None:
    """Rules 5, 6 and 8: a number is what is written, and an error message alone is an error."""
    assert verdict(payload("Completed") | fields) == "doubtful"


def test_numbers_are_read_as_they_are_written() -> None:
    """An id beyond what a binary float can tell apart belongs to nobody but itself."""
    body = json.dumps(payload("Completed")).replace(str(ID), "9007199254740993.0", 1)
    assert verdict(body, asked=9007199254740993) == "ready"
    assert verdict(body, asked=9007199254740992) == "doubtful"
    body = json.dumps(payload("Completed")).replace('"jobstateid": 5', '"jobstateid": 4.9999999999999999999')
    assert verdict(body) == "doubtful"


@pytest.mark.parametrize(
    "digits", ["9" * 19, "9" * 4300, "1" + "0" * 20000, "9" * 5000 + ".0", "1e400", "-1e999999"]
)
@pytest.mark.parametrize(
    "name", ["imageversionid", "jobstateid", "jobprogress", "jobcreated", "jobeta", "error"]
)
def test_no_number_is_too_large_to_be_judged(digits: str, name: str) -> None:
    """Whatever its size, a number is read or says nothing: nothing in the rules raises anything else."""
    body = json.dumps(payload("Completed") | {name: "@"}).replace('"@"', digits)
    assert verdict(body) in ("ready", "doubtful")
    machines = {"pending_machines": "@", "failed_machines": 0, "completed_machines": 3}
    rollout = json.dumps(machines).replace('"@"', digits)
    assert verdict(rollout, resource=Resource.ROLLOUT) == "doubtful"


def test_the_table_of_resources_leads_to_status_addresses_only() -> None:
    """Labels, id fields and paths are unique, and every path ends in /status."""
    assert len({resource.label for resource in Resource}) == len(Resource)
    assert len({resource.path for resource in Resource}) == len(Resource)
    assert all(resource.path.endswith("/{id}/status") for resource in Resource)
    assert [resource.label for resource in Resource if resource.needs_account] == ["rollout"]
    with pytest.raises(ValueError, match=r"^a rollout needs the account service id$"):
        Resource.ROLLOUT.address(1, None)
