"""From what came over HTTP to a `JobStatus`, top to bottom: rules 1 to 4 here, then 5 to 9 in `job`. Pure.

`judge` is the only way from bytes to a verdict. It returns a `JobStatus` that is never DOUBTFUL, or raises
one of `errors`, and nothing else. It sees the answer as it was sent: texts of the answer stand in `quote` and
in `JobStatus.error`, whole, for whoever takes the credentials out of them. See docs/verdicts.md for the rules
and where they come from.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlsplit

from cfgate.errors import Doubtful, NoAnswer, NotFound, Rejected, Unusable
from cfgate.model import JobStatus, Resource, Verdict
from cfgate.rules.fields import Literal, integer
from cfgate.rules.job import judge_job

MAX_BODY: Final = 1 << 20  # bytes; a real answer has some hundred
MAX_DEPTH: Final = 64  # levels of nesting; a real answer has one, a diff two
# Not of use now, perhaps later. 304: nobody asked for a difference. 421: this connection leads to another
# host.
_NOT_NOW: Final = frozenset({304, 408, 421, 425, 429})
_WRONG_PEOPLE: Final = frozenset({401, 403})


def judge(
    http_status: int,
    headers: Mapping[str, str],
    body: bytes,
    id: int,  # noqa: A002 - the name in the interface
    resource: Resource = Resource.IMAGE_VERSION,
    *,
    now: float,
) -> JobStatus:
    """Judge one whole HTTP answer to the question about `id`.

    `headers` must compare names without case; `body` is unpacked, and may have been cut after `MAX_BODY` + 1
    bytes; `now` is Unix time, for a `Retry-After` that is a date. Raises NoAnswer, Doubtful, NotFound or
    Rejected.
    """
    _check_status(http_status, headers, body, now)
    payload = _decoded(body, headers)
    _check_envelope(payload, resource)
    status = judge_job(payload, id, resource)
    if status.verdict is Verdict.DOUBTFUL:
        raise Doubtful(status.why, quote=status.quote)
    if status.verdict is Verdict.READY and not _is_utf8(body):
        raise Doubtful("the job is Completed, but the answer is not UTF-8")  # rule 3
    return status


# Rules 1 and 2: the HTTP status


def _check_status(http_status: int, headers: Mapping[str, str], body: bytes, now: float) -> None:
    if http_status == HTTPStatus.OK:
        return
    name = f"HTTP {http_status}{_phrase(http_status)}"
    if http_status in _NOT_NOW or http_status >= 500 or http_status < 300:
        raise NoAnswer(
            name,
            quote=_author(headers, body),
            retry_after=retry_after(headers.get("Retry-After"), now),
            busy=http_status == HTTPStatus.TOO_MANY_REQUESTS,
        )
    if http_status < 400:
        raise Rejected(
            f"{name}: a redirect, which is not followed",
            quote=headers.get("Location", "") or "nowhere",
            shorten=_without_query,
            remedy="Put the address that really serves the API into `api-url` (https, without a path).",
        )
    message = _message(body)
    if http_status == HTTPStatus.NOT_FOUND:
        raise NotFound(name, quote=message or _author(headers, body))
    credentials = http_status in _WRONG_PEOPLE
    if body.strip() and not _is_object(body):
        raise Rejected(
            f"{name} with {_kind(body, headers)}: perhaps a proxy or a firewall, not Clanforge",
            quote=_author(headers, body),
            remedy="Find out whose page it is. If it is Clanforge's, check the credentials and `api-url`.",
            credentials=credentials,
        )
    if credentials:
        raise Rejected(f"the API refuses these credentials ({name})", quote=message, credentials=True)
    raise Rejected(
        f"the API refuses the request ({name})",
        quote=message,
        remedy="Check `image-version-id`, `account-service-id` and `api-url`.",
    )


def _phrase(http_status: int) -> str:
    try:
        return f" {HTTPStatus(http_status).phrase}"
    except ValueError:
        return ""


def _without_query(location: str) -> str:
    """Return where a redirect points to, without what may carry secrets: query, user and password."""
    try:
        parts = urlsplit(location)
        if not parts.netloc:
            return parts.path or "nowhere"
        # `hostname` and `port` leave out user and password.
        place = f"{parts.scheme}://{parts.hostname}{f':{parts.port}' if parts.port else ''}"
    except ValueError:
        return "something that is no address"
    return f"{place}{parts.path}"


_SECONDS: Final = re.compile(r"[0-9]{1,10}(?:\.[0-9]{1,10})?")


def retry_after(value: str | None, now: float) -> float | None:
    """Read a `Retry-After` header, seconds or an HTTP date, as seconds from `now`; `None` if it says nothing.

    A fraction is rounded up; the same value twice is one. Never negative and never more than a year: the
    caller bounds it by the time that is left.
    """
    parts = [part.strip() for part in (value or "").split(",")]
    half = len(parts) // 2
    if half and parts[:half] == parts[half:]:  # a header that two machines have set
        parts = parts[:half]
    single = ", ".join(parts)
    if _SECONDS.fullmatch(single):
        seconds = float(math.ceil(float(single)))
    else:
        date = moment(single)
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
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


# Rule 3: the body


class _Clash(ValueError):
    """The same key twice, with different values."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Build a JSON object; the same key twice must say the same."""
    result: dict[str, Any] = {}
    for key, value in pairs:
        # The types too, since 1 == True.
        if key in result and (type(result[key]) is not type(value) or result[key] != value):
            raise _Clash(key)
        result[key] = value
    return result


def _no_constant(name: str) -> Any:
    raise ValueError(name)  # NaN and Infinity are not JSON


def _loaded(body: bytes) -> Any:
    """Decode JSON. Raises ValueError, and RecursionError for what is nested past `MAX_DEPTH`.

    Bytes that are not UTF-8 become U+FFFD, and every number is what was written.
    """
    value = json.loads(
        body.decode("utf-8-sig", "replace"),
        object_pairs_hook=_object,
        parse_int=integer,
        parse_float=Literal,
        parse_constant=_no_constant,
    )
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        level = [
            inner
            for each in level
            if isinstance(each, dict | list)
            for inner in (each.values() if isinstance(each, dict) else each)
        ]
    if level:
        raise RecursionError
    return value


def _decoded(body: bytes, headers: Mapping[str, str]) -> dict[str, Any]:
    """Decode the body, which is one JSON object of at most `MAX_BODY` bytes."""
    if len(body) > MAX_BODY:
        raise NoAnswer("the answer is larger than 1 MiB")
    if not body.strip():
        raise NoAnswer("the answer has an empty body")
    trouble: Unusable
    try:
        payload = _loaded(body)
    except _Clash as clash:
        trouble = Doubtful("the answer has the same key twice, with different values", quote=str(clash))
    except RecursionError:
        trouble = NoAnswer("the answer is nested too deeply")
    except ValueError:
        kind = _kind(body, headers)
        trouble = NoAnswer(f"the answer is {kind}, not JSON", quote=_author(headers, body))
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
    Literal: "number",
    bool: "boolean",
    type(None): "null",
}


def _is_utf8(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


def codings(header: str) -> tuple[str, ...]:
    """Read a `Content-Encoding` header: what is to be undone, outermost last; `identity` is nothing."""
    return tuple(part for part in header.lower().replace(" ", "").split(",") if part not in ("", "identity"))


_UNPACKED: Final = frozenset({(), ("gzip",), ("x-gzip",), ("deflate",)})
_CODING: Final = re.compile(r"[a-z0-9-]{1,20}")


def _kind(body: bytes, headers: Mapping[str, str]) -> str:
    """Name what came instead of JSON, in the words of somebody who has to find out why."""
    coding = codings(headers.get("Content-Encoding", ""))
    if coding not in _UNPACKED:
        named = ", ".join(coding) if all(map(_CODING.fullmatch, coding)) else "something unknown"
        return f"compressed with {named}, which was not asked for"
    head = body[:512].lstrip().lower()
    if head.startswith((b"<!doctype html", b"<html")) or "html" in headers.get("Content-Type", "").lower():
        return "an HTML page (a login page or a proxy?)"
    if head.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in head[:4]:
        return "text in UTF-16 or UTF-32"
    if head.startswith(b"<"):
        return "XML"
    if head.startswith((b"{", b"[")):
        return "broken or cut off"
    return "plain text" if _is_utf8(body) else "binary data"


_TITLE: Final = re.compile(rb"<title[^>]{0,200}>([^<]{1,1000})", re.IGNORECASE)


def _author(headers: Mapping[str, str], body: bytes) -> str:
    """Return what a page says of who made it: its title and its `Server` header; "" for JSON."""
    if _is_object(body):
        return ""
    title = _TITLE.search(body[: 1 << 16])
    words = [title[1].decode("utf-8", "replace")] if title else []
    server = headers.get("Server", "")
    return ", ".join(" ".join(part.split()) for part in (*words, server) if part.strip())


# Rule 4: an error instead of a job


def _check_envelope(payload: dict[str, Any], resource: Resource) -> None:
    if resource.shape.told_in(payload):
        return
    message = payload.get("error_message")
    if not (payload.get("error") or message or payload.get("success") is False):
        return
    quote = message if isinstance(message, str) and message else "no message"
    if "forbidden" in quote.lower():
        raise Rejected("the API refuses these credentials", quote=quote, credentials=True)
    raise NoAnswer("the API reports an error", quote=quote)


def _is_object(body: bytes) -> bool:
    return isinstance(_parsed(body), dict)


def _message(body: bytes) -> str:
    """Find the `error_message` in the body of an error answer, if it has one."""
    payload = _parsed(body)
    message = payload.get("error_message") or payload.get("error") if isinstance(payload, dict) else None
    return message if isinstance(message, str) else ""


def _parsed(body: bytes) -> Any:
    """Decode what may be JSON; `None` when it is none, or too large."""
    try:
        return _loaded(body) if len(body) <= MAX_BODY else None
    except (ValueError, RecursionError):
        return None
