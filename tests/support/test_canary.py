"""No credential leaves the program, whatever way it ends: all is looked at that its process leaves behind."""

from __future__ import annotations

import base64
import html
import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from cfgate.errors import GateError
from tests.support.canary import ACCESS_KEY, BASIC, KEYS, PAIR, SECRET_KEY, TOKEN, found
from tests.support.wire import ASID, CA, TARGET, Script, answering, client, http, once, serve

ROOT = Path(__file__).parents[2]
REPORTS = ("result", "junit", "dotenv", "summary", "annotations")
# What somebody may quote who has got them: each by itself, and in the forms of those who write them.
ECHO = " ".join(
    [
        *(ACCESS_KEY, SECRET_KEY, PAIR, BASIC, f"Authorization: Basic {BASIC}"),
        *(quote(PAIR) for quote in (urllib.parse.quote_plus, json.dumps, html.escape, repr)),
        urllib.parse.quote(urllib.parse.quote(PAIR)),
        json.dumps(json.dumps({"x": SECRET_KEY})),
        base64.urlsafe_b64encode(f"x{PAIR}y".encode()).decode(),
    ]
)
ADDRESS = "no access to s3://AKIAIOSFODNN7:wJalr/XUtn+FEMI@builds/9001.tgz"


def job(state: str, **fields: object) -> bytes:
    """Write an answer about image version 9001."""
    return http(json.dumps({"imageversionid": 9001, "jobstatename": state, **fields}).encode())


@dataclass
class Traces:
    """What a process has left: its code, streams and files, and the command lines seen meanwhile."""

    code: int
    files: dict[str, bytes]
    command_lines: set[bytes] = field(default_factory=set)

    @property
    def leaks(self) -> list[str]:
        """Name what stands in any of these."""
        told = {**self.files, "names": "\n".join(self.files).encode(), "argv": b"\n".join(self.command_lines)}
        masked = re.sub(rb"(?m)^::add-mask::.*$", b"", told["stdout"])
        return [
            f"{name} in {where}" for where, text in {**told, "stdout": masked}.items() for name in found(text)
        ]

    @property
    def everything(self) -> str:
        """All text."""
        return b"\n".join(self.files.values()).decode(errors="replace")


def run(
    folder: Path, environ: Mapping[str, str], *arguments: str, number: signal.Signals | None = None
) -> Traces:
    """Run the program in a step of a GitHub job, with all reports; signal `number` stops it when it gates."""
    step = {
        "PATH": os.environ["PATH"],
        "GITHUB_ACTIONS": "true",
        "GITHUB_OUTPUT": str(folder / "output"),
        "GITHUB_STEP_SUMMARY": str(folder / "page"),
        "RUNNER_DEBUG": "1",
        "INPUT_IMAGE-VERSION-ID": "9001",
        "INPUT_ACCOUNT-SERVICE-ID": str(ASID),
        "INPUT_DETAILS-URL": "https://example.com/{id}",
        **{f"INPUT_{name.upper()}-FILE": f"{name}.txt" for name in REPORTS},
        **KEYS,
    }
    with (folder / "stdout").open("wb") as stdout, (folder / "stderr").open("wb") as stderr:
        process = subprocess.Popen(
            [sys.executable, str(ROOT / "entrypoint.py"), *arguments],
            cwd=folder,
            env={**step, **environ},
            stdout=stdout,
            stderr=stderr,
        )
        command_lines: set[bytes] = set()
        end = time.monotonic() + 60
        while process.poll() is None:
            assert time.monotonic() < end, "it does not end"
            command_lines |= _command_lines(process.pid)
            if number is not None and b"Running" in (folder / "stdout").read_bytes():
                process.send_signal(number)
                number = None
            time.sleep(0.005)
    files = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    return Traces(process.returncode, files, command_lines)


def _command_lines(pid: int) -> set[bytes]:
    """Read what everybody can read of a process, and of those that it has started."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return {Path(f"/proc/{number}/cmdline").read_bytes() for number in (pid, *children)}
    except OSError:  # it has just ended
        return set()


QUICK = {"INPUT_ERROR-TOLERANCE": "0s", "INPUT_NOT-FOUND-GRACE": "0s", "INPUT_MAX-INTERVAL": "1s"}
ANSWERS = {
    "ready": (0, job("Completed", note=ECHO)),
    "failed": (1, job("Failed", joberror=f"{ADDRESS} {ECHO}")),
    "failed, with an error that is no text": (
        1,
        job("Failed", joberror={"Authorization": f"Basic {BASIC}", "url": [ADDRESS, ECHO]}),
    ),
    "squashed": (3, job("Squashed", joberror=ECHO)),
    "an unknown state": (9, job(ECHO)),
    "an unknown state that is short": (9, job(SECRET_KEY)),
    "a key twice": (9, http(f'{{"{ACCESS_KEY}": 1, "{ACCESS_KEY}": 2}}'.encode())),
    "refused": (6, http(json.dumps({"error_message": f"who is {ECHO}?"}).encode(), status=403)),
    "refused in an envelope": (
        6,
        http(json.dumps({"error": 1, "error_message": f"Forbidden: {PAIR}"}).encode()),
    ),
    "not found": (7, http(json.dumps({"error_message": f"{SECRET_KEY} {ADDRESS}"}).encode(), status=404)),
    "an error": (8, http(json.dumps({"error_message": f"Oops: {SECRET_KEY} {ADDRESS}"}).encode())),
    "plain text": (8, http(ECHO.encode())),
    "HTML": (8, http(f"<html>{html.escape(ECHO)}".encode(), status=502)),
    "not HTTP": (8, ECHO.encode() + b"\r\n\r\n"),
    "a header that is none": (
        8,
        f"HTTP/1.1 200 OK\r\n##[error]{SECRET_KEY}\r\nContent-Length: 0\r\n\r\n".encode(),
    ),
    "headers that quote": (
        8,
        http(ECHO.encode(), Retry_After=SECRET_KEY, Content_Type=ECHO, Date=ECHO, Server=ECHO),
    ),
}


@pytest.mark.process
@pytest.mark.parametrize(("code", "answer"), ANSWERS.values(), ids=ANSWERS)
def test_an_answer_that_quotes_the_credentials_gives_none_away(
    code: int, answer: bytes, tmp_path: Path
) -> None:
    """However the API answers, and whatever it quotes, nobody but the API ever sees a credential."""
    with serve(answering(answer)) as api:
        ran = run(tmp_path, {"INPUT_API-URL": api.url, **QUICK})
    assert ran.code == code, ran.everything
    assert not ran.leaks
    assert ran.files["stderr"] == b""
    assert "wJalr" not in ran.everything
    assert "AKIAIOSFODNN7" not in ran.everything
    if ADDRESS.encode() in answer:
        assert "no access to s3://***@builds/9001.tgz" in ran.everything
    for request in api.requests:
        assert not found(request.line)
        assert [name for name, value in request.headers if found(value)] == ["Authorization"]


@pytest.mark.process
@pytest.mark.parametrize("location", ["/{}", "/?{}", "/#{}", "/\t{}"])
def test_the_target_of_a_redirect_gets_nothing(location: str, tmp_path: Path) -> None:
    """A redirect to another host is not followed, and its address is told without credentials."""
    parted = f"{SECRET_KEY[:14]}\t{SECRET_KEY[14:]}"
    with serve(answering(http())) as other:
        place = other.url.replace("//", f"//{urllib.parse.quote(ACCESS_KEY)}@")
        answer = http(status=302, Location=place + location.format(parted))
        with serve(answering(answer)) as api:
            ran = run(tmp_path, {"INPUT_API-URL": api.url, **QUICK})
        assert other.connections == 0
    assert ran.code == 6
    assert f"http://127.0.0.1:{other.port}" in ran.everything
    assert not ran.leaks


@pytest.mark.process
@pytest.mark.parametrize("status", [200, 407, 403, 502])
def test_a_proxy_gets_its_own_password_and_nothing_else(status: int, tmp_path: Path) -> None:
    """The proxy sees the name of the API's host and its own credentials, which stand nowhere either."""
    answer = f"HTTP/1.1 {status} {ECHO} {TOKEN}\r\nVia: {TOKEN}\r\n\r\n{TOKEN}".encode()
    with serve(once(lambda peer: peer.send(answer))) as proxy:
        password = urllib.parse.quote(TOKEN, safe="")
        environ = {
            "HTTPS_PROXY": f"http://somebody:{password}@127.0.0.1:{proxy.port}",
            "INPUT_API-URL": "https://api.cfgate.test",
            "SSL_CERT_FILE": CA,
        }
        ran = run(tmp_path, {**environ, **QUICK})
        heads = [(request.line, request.headers) for request in proxy.requests]
    assert ran.code == (6 if status in (407, 403) else 8), ran.everything
    assert not ran.leaks
    assert heads
    for line, headers in heads:
        assert line == "CONNECT api.cfgate.test:443 HTTP/1.1" or line.startswith(
            "CONNECT api.cfgate.test:443 "
        )
        assert {name: found(value) for name, value in headers if found(value)} == {
            "Proxy-Authorization": ["token"]
        }


WRONG_PLACES: dict[str, tuple[tuple[str, ...], dict[str, str]]] = {
    "a flag for it": ((f"--secret-key={SECRET_KEY}",), {}),
    "an unknown flag": ((f"--{ACCESS_KEY}",), {}),
    "a word": ((SECRET_KEY,), {}),
    "another option": (("--timeout", SECRET_KEY), {}),
    "a scenario": (("--rehearse", ACCESS_KEY), {}),
    "a report": ((), {"INPUT_JUNIT-FILE": f"reports-{ACCESS_KEY.replace('/', '-')}/{ACCESS_KEY}"}),
    "a report that cannot be written": ((), {"INPUT_JUNIT-FILE": f"/proc/{SECRET_KEY}"}),
    "a link": (
        (),
        {"INPUT_DETAILS-URL": f"https://example.com/{TOKEN.partition('<')[0]}", "INPUT_TOKEN": TOKEN},
    ),
    "authorities": ((), {"INPUT_CA-BUNDLE": ACCESS_KEY}),
    "authorities of OpenSSL": ((), {"SSL_CERT_FILE": SECRET_KEY, "INPUT_API-URL": "https://api.cfgate.test"}),
    "an address": ((), {"INPUT_API-URL": f"https://{SECRET_KEY}@example.com"}),
    "the query of an address": ((), {"INPUT_API-URL": f"https://example.com/?key={SECRET_KEY}"}),
    "a config file": ((), {"INPUT_CONFIG": ACCESS_KEY}),
    "a simulator": (("simulate", "--scenario", ACCESS_KEY), {}),
}


@pytest.mark.process
@pytest.mark.handles_canaries("the user puts them where they do not belong")
@pytest.mark.parametrize(("arguments", "environ"), WRONG_PLACES.values(), ids=WRONG_PLACES)
def test_a_credential_in_a_wrong_place_is_not_repeated(
    arguments: tuple[str, ...], environ: dict[str, str], tmp_path: Path
) -> None:
    """Who swaps two settings is told so, nothing is sent, and no output, file or name of a file shows it."""
    ran = run(tmp_path, environ, *arguments)
    ran.command_lines.clear()  # in some of these the user himself has put it there
    assert ran.code == 2, ran.everything
    assert not ran.leaks
    assert b"Traceback" not in ran.files["stderr"]


@pytest.mark.process
@pytest.mark.parametrize(
    "place", ["{name}: {{image-version-id: 1}}", "a: {{image-version-id: 1, token: {name}}}"]
)
@pytest.mark.handles_canaries("the user puts them where they do not belong")
def test_a_credential_in_a_config_file_is_not_repeated(place: str, tmp_path: Path) -> None:
    """A target that is called like a credential, or given one, is refused without its name."""
    folder = tmp_path / "step"
    folder.mkdir()
    config = tmp_path / "gate.yml"
    config.write_text("targets: {" + place.format(name=json.dumps(ACCESS_KEY)) + "}")
    ran = run(folder, {"INPUT_CONFIG": str(config), "INPUT_IMAGE-VERSION-ID": ""})
    assert ran.code == 2, ran.everything
    assert not ran.leaks


@pytest.mark.process
def test_a_bug_gives_nothing_away(tmp_path: Path) -> None:
    """An exception from the middle of it all, with credentials in its texts and notes, shows none of them."""
    (tmp_path / "sitecustomize.py").write_text(
        "import cfgate.session, os\n"
        "def oops(*a, **k):\n"
        "    key, secret = os.environ['CLANFORGE_ACCESS_KEY'], os.environ['CLANFORGE_SECRET_KEY']\n"
        "    try:\n"
        "        raise KeyError(secret, f'{key}:{secret}')\n"
        "    except KeyError as error:\n"
        "        error.add_note(f'Authorization: {secret}')\n"
        "        raise ZeroDivisionError(secret.encode()) from error\n"
        "cfgate.session.Gate = oops\n"
    )
    ran = run(tmp_path, {"PYTHONPATH": f"{tmp_path}:{ROOT}", "INPUT_API-URL": "http://127.0.0.1:9"})
    assert ran.code == 70, ran.everything
    assert b"::debug::" in ran.files["stdout"]
    assert "ZeroDivisionError" in ran.everything
    assert not ran.leaks


@pytest.mark.process
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_gives_nothing_away(number: signal.Signals, tmp_path: Path) -> None:
    """Stopped in the middle, with a request under way, it leaves no credential behind."""

    def script(peer: Any) -> None:
        while peer.request():
            peer.send(job("Running", joberror=ECHO, jobprogress=3))

    with serve(script) as api:
        ran = run(tmp_path, {"INPUT_API-URL": api.url, **QUICK}, number=number)
    assert ran.code == 128 + number, ran.everything
    assert not ran.leaks


# What the client raises

CUT = BASIC.encode()[: len(BASIC) // 2]
BODIES: dict[str, Script] = {
    **{name: answering(answer) for name, (_, answer) in ANSWERS.items()},
    "not UTF-8": answering(http(ECHO.encode() + b"\xff")),
    "broken JSON": answering(http(b'{"a": "' + ECHO.encode())),
    "a number that is too long": answering(http(b'{"a": ' + b"9" * 5000 + b', "b": "' + ECHO.encode())),
    "too deep": answering(http(b'{"a": ' + b"[" * 99 + json.dumps(ECHO).encode() + b"]" * 99 + b"}")),
    "cut off": once(lambda peer: peer.send(http(ECHO.encode(), Content_Length="99999"))),
    "a bad length": answering(http(b"", Content_Length=SECRET_KEY)),
    "a bad chunk": answering(http(SECRET_KEY.encode() + b"\r\n", Transfer_Encoding="chunked")),
    "bad compression": answering(http(ECHO.encode(), Content_Encoding="gzip")),
    "a redirect": answering(http(status=301, Location=f"https://{PAIR}@{SECRET_KEY[:12]}/{SECRET_KEY}")),
    "a status line": once(lambda peer: peer.send(f"HTTP/1.1 999 {ECHO}\r\n\r\n".encode())),
    "a status that is none": once(lambda peer: peer.send(f"HTTP/1.1 {SECRET_KEY}\r\n\r\n".encode())),
    "a header that is none": once(
        lambda peer: peer.send(f"HTTP/1.1 200 OK\r\n{SECRET_KEY}\r\n\r\n".encode())
    ),
    "reset": once(lambda peer: peer.reset()),
}


def told_by(error: BaseException | None) -> list[str]:
    """Write down all that an exception says, and all that its causes and contexts say."""
    if error is None:
        return []
    notes = getattr(error, "__notes__", [])
    own = [str(error), repr(error), repr(error.args), repr(vars(error)), *notes]
    return own + told_by(error.__cause__) + told_by(error.__context__)


@pytest.mark.parametrize("script", BODIES.values(), ids=BODIES)
def test_nothing_that_the_client_gives_or_raises_holds_a_credential(script: Script) -> None:
    """An answer, or an exception with all its causes and contexts, says nothing of the credentials."""
    with serve(script) as api, client(api.url) as asks:
        try:
            told = [repr(asks.fetch(TARGET, ASID))]
        except GateError as error:
            told = told_by(error)
    assert told
    assert not [name for text in told for name in found(text)], told
