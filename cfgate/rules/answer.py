"""From what came over HTTP to a `JobStatus`: rules 1 to 4, before the job's own fields are judged. Pure.

`read` is the only way from bytes to a verdict. It answers with a `JobStatus` that is never DOUBTFUL, or
raises one of `errors`. See docs/verdicts.md for the rules and where they come from.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlsplit

from cfgate.errors import Doubtful, NoAnswer, NotFound, Rejected, Unusable
from cfgate.model import JobStatus, Resource, Verdict
from cfgate.rules.job import judge_job

MAX_BODY: Final = 1 << 20  # bytes; a real answer has some hundred
MAX_DEPTH: Final = 64  # levels of nesting; a real answer has one, a diff two
_BUSY: Final = frozenset({408, 425, 429})
_WRONG_PEOPLE: Final = frozenset({401, 403})

Text = Callable[[str], str]


def read(
    http_status: int,
    headers: Mapping[str, str],
    body: bytes,
    id: int,  # noqa: A002 - the name in the interface
    resource: Resource = Resource.IMAGE_VERSION,
    *,
    now: float,
    redact: Text = str,
) -> JobStatus:
    """Judge one whole HTTP answer.

    `headers` must compare names without case; `body` is decoded (not compressed) and may have been cut after
    `MAX_BODY` + 1 bytes; `now` is Unix time, for a `Retry-After` that is a date; `redact` takes secrets out
    of every text of the answer before anybody sees it. Raises NoAnswer, Doubtful, NotFound or Rejected.
    """
    _check_status(http_status, headers, body, now, redact)
    payload = _decode(body, headers.get("Content-Type", ""), redact)
    _check_envelope(payload, resource)
    status = judge_job(payload, id, resource)
    if status.verdict is Verdict.DOUBTFUL:
        raise Doubtful(redact(status.why))
    if status.error and status.error != payload.get("joberror"):
        return replace(status, error=redact(status.error))  # it was no text, and became one just now
    return status


def _check_status(
    http_status: int, headers: Mapping[str, str], body: bytes, now: float, redact: Text
) -> None:
    """Rules 1 and 2."""
    if http_status == HTTPStatus.OK:
        return
    said = f"HTTP {http_status}{_phrase(http_status)}"
    if http_status in _BUSY or http_status >= 500 or http_status < 300:
        pause = retry_after(headers.get("Retry-After"), now)
        raise NoAnswer(said, retry_after=pause, busy=http_status == HTTPStatus.TOO_MANY_REQUESTS)
    if http_status < 400:
        # Once more at the end: urlsplit drops tabs, which may have parted a secret.
        target = redact(_without_query(redact(headers.get("Location", ""))))
        raise Rejected(
            f"{said}: redirected to {target}, which is not followed",
            remedy="Put the address that really serves the API into `api-url` (https, without a path).",
        )
    detail = _quoted(redact(_message(body)))
    if http_status == HTTPStatus.NOT_FOUND:
        raise NotFound(f"{said}{detail}")
    if http_status in _WRONG_PEOPLE:
        raise Rejected(f"the API refuses these credentials ({said}{detail})", credentials=True)
    raise Rejected(
        f"the API refuses the request ({said}{detail})",
        remedy="Check `image-version-id`, `account-service-id` and `api-url`.",
    )


def _phrase(http_status: int) -> str:
    try:
        return f" {HTTPStatus(http_status).phrase}"
    except ValueError:
        return ""


def _without_query(location: str) -> str:
    """Say where a redirect points to; its query string may carry anything."""
    try:
        parts = urlsplit(location)
        if not parts.netloc:
            return parts.path[:200] or "nowhere"
        # `hostname` and `port` leave out user and password.
        return f"{parts.scheme}://{parts.hostname}{f':{parts.port}' if parts.port else ''}{parts.path}"[:200]
    except ValueError:
        return "something that is no address"


def retry_after(value: str | None, now: float) -> float | None:
    """Read a `Retry-After` header, seconds or an HTTP date, as seconds from `now`; `None` if it says nothing.

    Never negative and never more than a year: the caller bounds it by the time that is left.
    """
    if value is None:
        return None
    value = value.strip()
    if re.fullmatch(r"[0-9]{1,10}", value):
        seconds = float(value)
    else:
        date = moment(value)
        if date is None:
            return None
        seconds = date - now
    return min(max(seconds, 0.0), 31_536_000.0)


def moment(date: str) -> float | None:
    """Read an HTTP date as Unix seconds; `None` if it is missing or no date."""
    try:
        read = parsedate_to_datetime(date)
        # A zone of -0000 makes it naive; HTTP dates are UTC whatever they say.
        return (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None


class _Clash(ValueError):
    """The same key twice, with different values."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Build a JSON object; the same key twice must say the same."""
    result: dict[str, Any] = {}
    for key, value in pairs:
        # The types too, since 1 == True, and the text of both, since NaN is nothing here.
        if key in result and (type(result[key]) is not type(value) or result[key] != value):
            raise _Clash(key)
        result[key] = value
    return result


def _no_constant(name: str) -> Any:
    raise ValueError(name)  # NaN and Infinity are not JSON


def _decode(body: bytes, content_type: str, redact: Text) -> dict[str, Any]:
    """Rule 3: the body is one JSON object, in UTF-8, of at most `MAX_BODY` bytes. Answer without secrets."""
    if len(body) > MAX_BODY:
        raise NoAnswer("the answer is larger than 1 MiB")
    if not body.strip():
        raise NoAnswer("the answer has an empty body")
    trouble: Unusable
    try:
        payload = json.loads(body.decode("utf-8-sig"), object_pairs_hook=_object, parse_constant=_no_constant)
        payload = _redacted(payload, redact)
    except _Clash as clash:
        key = redact(str(clash))[:80]
        trouble = Doubtful(f"the answer gives {key!r} twice, with different values")
    except RecursionError:
        trouble = NoAnswer("the answer is nested too deeply")
    except ValueError:
        trouble = NoAnswer(f"the answer is {_kind(body, content_type)}, not JSON")
    else:
        if isinstance(payload, dict):
            return payload
        trouble = NoAnswer(f"the answer is a JSON {_JSON_KINDS[type(payload)]}, not an object")
    # Out here, where no other exception is its context: those above hold the answer with all its secrets.
    raise trouble


_JSON_KINDS: Final = {
    list: "array",
    str: "string",
    int: "number",
    float: "number",
    bool: "boolean",
    type(None): "null",
}


def _kind(body: bytes, content_type: str) -> str:
    """Name what came instead of JSON, in the words of somebody who has to find out why."""
    head = body[:512].lstrip().lower()
    if head.startswith((b"<!doctype html", b"<html")) or "html" in content_type.lower():
        return "an HTML page (a login page or a proxy?)"
    if head.startswith(b"<"):
        return "XML"
    if head.startswith((b"{", b"[")):
        return "broken or cut off"
    try:
        body.decode()
    except UnicodeDecodeError:
        return "binary data"
    return "plain text"


def _redacted(value: Any, redact: Text, depth: int = 0) -> Any:
    """Take secrets out of every text in a decoded JSON value, keys included.

    Raises RecursionError past `MAX_DEPTH`.
    """
    if depth > MAX_DEPTH:
        raise RecursionError
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, dict):
        return {redact(key): _redacted(inner, redact, depth + 1) for key, inner in value.items()}
    if isinstance(value, list):
        return [_redacted(inner, redact, depth + 1) for inner in value]
    return value


def _check_envelope(payload: dict[str, Any], resource: Resource) -> None:
    """Rule 4: an error instead of a job."""
    if resource.shape.told_in(payload):
        return
    message = payload.get("error_message")
    if not (payload.get("error") or message or payload.get("success") is False):
        return
    said = message if isinstance(message, str) and message else "no message"
    if "forbidden" in said.lower():
        raise Rejected(f"the API refuses these credentials{_quoted(said)}", credentials=True)
    raise NoAnswer(f"the API reports an error{_quoted(said)}")


def _message(body: bytes) -> str:
    """Find the `error_message` in the body of an error answer, if it has one."""
    try:
        payload = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    message = payload.get("error_message") or payload.get("error") if isinstance(payload, dict) else None
    return message if isinstance(message, str) else ""


def _quoted(message: str) -> str:
    """Put the API's own words behind ours: one line, not too long."""
    line = " ".join(message.split())
    return f": “{line[:200]}{'…' if len(line) > 200 else ''}”" if line else ""
