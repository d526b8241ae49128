"""What is fuzzed: for each target a function that takes any bytes, and raises where a promise is broken.

What comes from outside and is parsed is here: answers, headers, the config file, options, arguments,
scenarios, and the bytes of the connection itself. The inputs are text where they can be, so that the corpus
can be read: a line that says how, then what. `fuzz` plays them.
"""

from __future__ import annotations

import math
import os
import re
import tempfile
from collections.abc import Callable, Mapping
from email.utils import formatdate
from pathlib import Path
from typing import Any, Final

from requests.structures import CaseInsensitiveDict

from cfgate.errors import Doubtful, NoAnswer, NotFound, Rejected, Unusable
from cfgate.model import JobStatus, Resource, Verdict
from cfgate.rules.answer import judge as judge_answer
from cfgate.rules.answer import moment, retry_after
from cfgate.settings import address, parsers
from cfgate.settings.reading import read as read_settings
from cfgate.settings.values import InvalidRequest, Run
from cfgate.simulator import ScenarioError, parse
from cfgate.simulator.api import Access, Api
from cfgate.text import durations
from cfgate.text.wording import Wrong
from proofs.fuzz_wire import wire
from proofs.judge import judge
from proofs.oracle import Heard, Means
from tests.support.canary import KEYS

ID: Final = 9001
NOW: Final = 1_795_435_200.0  # Unix seconds
_YEAR: Final = 31_536_000.0  # seconds
_WEEK: Final = 7 * 86_400.0  # seconds
_MEANS: Final[Mapping[type[Unusable], Means]] = {
    NoAnswer: Means.NO_ANSWER,
    Doubtful: Means.DOUBTFUL,
    NotFound: Means.NOT_FOUND,
}


class BrokenPromise(Exception):
    """What the code under test did and must not do."""


def promise(kept: bool, what: object) -> None:  # noqa: FBT001 - it stands where `assert` would
    """Raise when a promise is not kept; an assert would be gone under `-O`."""
    if not kept:
        raise BrokenPromise(str(what))


def answer(data: bytes) -> None:
    """Judge an answer as the gate and as the oracle does. `RESOURCE STATUS RETRY-AFTER`, a line; the body."""
    head, _, body = data.partition(b"\n")
    which, status, *rest = (*head.decode("latin-1").split(" ", 2), "", "")
    resource = list(Resource)[int(which) % 4 if re.fullmatch("[0-9]", which) else 0]
    code = int(status) if re.fullmatch("[1-5][0-9]{2}", status) else 200
    sent = {"retry-after": rest[0].strip()} if rest[0].strip() else {}
    heard = judge(code, sent, body, (resource.id_field, ID), NOW)

    def judged() -> JobStatus:
        return judge_answer(code, CaseInsensitiveDict(sent), body, ID, resource, now=NOW)

    found = as_answered(judged)
    promise(found == told(heard), f"{found}, where {heard} was due")


def as_answered(ask: Callable[[], JobStatus]) -> tuple[object, ...]:
    """Say what cfgate makes of an answer."""
    try:
        job = ask()
    except Unusable as error:
        return _MEANS[_kind(error)], error.retry_after, error.busy
    except Rejected as error:
        return Means.REJECTED, error.credentials
    promise(job.verdict is not Verdict.DOUBTFUL, "a doubtful answer came as a usable one")
    _check_texts(job)
    state = job.state.id if job.state else 0
    return (
        Means(job.verdict.ending.label) if job.verdict.ending else Means.PENDING,
        state,
        job.progress,
        job.updated,
        job.created,
        job.holds,
    )


def _kind(error: Unusable) -> type[Unusable]:
    return next(kind for kind in _MEANS if isinstance(error, kind))


def told(heard: Heard) -> tuple[object, ...]:
    """Say in the same way what the oracle makes of it."""
    if heard.means in _MEANS.values():
        return heard.means, heard.retry_after, heard.busy
    if heard.means is Means.REJECTED:
        return heard.means, heard.credentials
    return heard.means, heard.state, heard.progress, heard.updated, heard.created, heard.holds


def _check_texts(job: JobStatus) -> None:
    promise(bool(job.why), "no reason")
    if job.verdict is Verdict.READY:
        promise(not job.error, "ready with a job error")


def header(data: bytes) -> None:
    """Read a `Retry-After` and a `Date`."""
    value = data.decode("latin-1")
    pause = retry_after(value, NOW)
    promise(pause is None or 0.0 <= pause <= _YEAR, pause)
    if re.fullmatch("[0-9]{1,7}", value):
        promise(pause == int(value), pause)
    date = moment(value)
    promise(date is None or math.isfinite(date), date)
    if date is not None and 0 <= date < 4_000_000_000:
        promise(moment(formatdate(date, usegmt=True)) == float(int(date)), date)


def config(data: bytes) -> None:
    """Read a config file: settings come out, or problems that name it."""
    with tempfile.NamedTemporaryFile(dir=_fast(), suffix=".yml") as file:
        file.write(data)
        file.flush()
        try:
            request = read_settings(
                ["wait", "--config", file.name], {"CFGATE_ACCOUNT_SERVICE_ID": "1", **KEYS}
            )
        except InvalidRequest as error:
            promise(bool(error.problems), "refused without a word")
            text = "\n".join(error.problems)
            promise(len(text) < 100_000, f"{len(text)} characters of problems")
            promise(not any(key in text for key in KEYS.values()), "a problem holds a credential")
            return
    promise(isinstance(request, Run), request)
    if isinstance(request, Run):
        _check_settings(request)


def _check_settings(run: Run) -> None:
    settings = run.settings
    promise(settings.api_url == "https://api.multiplay.co.uk", "a file has moved the API")
    promise(not settings.rehearse, "a file has asked for a rehearsal")
    promise(settings.credentials.access_key == KEYS["CLANFORGE_ACCESS_KEY"], "a file has changed the keys")
    promise(1 <= len(settings.plans) <= parsers.MOST_TARGETS, f"{len(settings.plans)} targets")
    promise(0.1 <= settings.request_timeout <= _WEEK, settings.request_timeout)
    for plan in settings.plans:
        promise(plan.target.id > 0, plan.target)
        stalls = (plan.stall_timeout or 0.0, plan.queue_timeout or 0.0)
        times = (plan.timeout, plan.error_tolerance, plan.not_found_grace, *stalls)
        promise(all(0.0 <= seconds <= _WEEK for seconds in times), times)
        promise(1.0 <= plan.max_interval <= _WEEK, plan.max_interval)


def arguments(data: bytes) -> None:
    """Read a command line, a word in each line; nothing is started by it."""
    words = data.decode("utf-8", "surrogateescape").split("\n")
    # A file that it names is read, and must not be one of this machine's.
    words = [word.replace("/", "_") for word in words]
    try:
        request = read_settings(words, {**KEYS, "CFGATE_ACCOUNT_SERVICE_ID": "1"})
    except InvalidRequest as error:
        text = "\n".join(error.problems)
        promise(bool(text), "refused without a word")
        promise(not any(key in text for key in KEYS.values()), "a problem holds a credential")
        return
    if isinstance(request, Run):
        url = request.settings.api_url
        promise(url.startswith(("https://", "http://")), url)


def _duration(text: str) -> None:
    seconds = parsers.duration(text)
    promise(0.0 <= seconds <= _WEEK, seconds)
    promise(parsers.duration(durations.written(seconds)) == seconds, durations.written(seconds))


def _numbers(text: str) -> None:
    numbers = parsers.numbers(text)
    promise(0 < len(numbers) <= parsers.MOST_TARGETS and min(numbers) > 0, numbers)
    promise(parsers.numbers(",".join(map(str, numbers))) == numbers, numbers)


def _api_url(text: str) -> None:
    url = address.api_url(text)
    promise(address.api_url(url) == url, url)
    secure = re.fullmatch(r"https://[a-z0-9_.:\[\]-]+", url)
    promise(
        bool(secure or re.fullmatch(r"http://(localhost\.?|127[0-9.]+|\[[0-9a-f:.]+\])(:[0-9]+)?", url)), url
    )


def _page_url(text: str) -> None:
    promise(not set(address.page_url(text)) & set(" \"'<>`\\@\n"), text)


_OPTIONS: Final[tuple[Callable[[str], Any], ...]] = (
    _duration,
    _numbers,
    _api_url,
    _page_url,
    parsers.auto_or_interval,
    parsers.off_or_duration,
    parsers.request_timeout,
    parsers.number,
    parsers.resource,
    parsers.yes_or_no,
    parsers.one_line,
    parsers.credential,
    parsers.access_key,
)


def option(data: bytes) -> None:
    """Read the value of an option. A letter says which; then comes the value."""
    which = (data[0] - ord("a")) % len(_OPTIONS) if data else 0
    text = data[1:].decode("utf-8", "surrogateescape").strip()
    try:
        if text:
            _OPTIONS[which](text)
    except Wrong as wrong:
        promise(bool(str(wrong)), "wrong without a word")


def scenario(data: bytes) -> None:
    """Read a scenario; what is one can be played, and answers whenever it is asked."""
    try:
        played = parse(data.decode("utf-8", "replace"))
    except ScenarioError as error:
        promise(0 < len(str(error)) < 100_000, f"{len(str(error))} characters of problems")
        return
    bombs = any(fault.instead is not None and fault.instead.size > 1 << 16 for fault in played.faults)
    if bombs:
        return  # they take too long to build
    now = NOW
    api = Api(played, Access(), 1.0, lambda: now)
    for seconds in (0.0, 0.5, 10.0, 3600.0, 10_000_000.0):
        now = NOW + seconds
        for resource in Resource:
            path = resource.address(ID, 1)
            reply = api.answer("GET", path, "")
            promise(200 <= reply.status <= 599, reply.status)


def _fast() -> str | None:
    """Name a folder in memory, where there is one."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108 - a name of its own, made safely


TARGETS: Final[Mapping[str, Callable[[bytes], object]]] = {
    "answer": answer,
    "header": header,
    "config": config,
    "option": option,
    "arguments": arguments,
    "scenario": scenario,
    "wire": wire,
}
CORPUS: Final = Path(__file__).parent / "corpus"


def corpus(name: str) -> list[Path]:
    """List the inputs that are kept for a target."""
    return sorted(path for path in (CORPUS / name).iterdir() if path.is_file())
