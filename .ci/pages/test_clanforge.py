"""examples/clanforge over real HTTP: the calls that cfgate never makes, and how each can go wrong."""

from __future__ import annotations

import base64
import http.server
import json
import os
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, urlsplit

import pytest

from tests.support.canary import ACCESS_KEY, BEARER, KEYS, SECRET_KEY, TOKEN, found
from tests.support.pages import ROOT

SCRIPT: Final = ROOT / "examples" / "clanforge"


@dataclass
class Api:
    """An API that gives one answer, and keeps what it was asked."""

    url: str = ""
    status: int = 200
    answer: str = '{"success": true, "updateid": 11, "diffid": 12, "imageversionid": 13}'
    asked: list[tuple[str, str, dict[str, str], str, str]] = field(default_factory=list)


@pytest.fixture
def api() -> Iterator[Api]:
    """Serve an API on loopback."""
    served = Api()

    class Handler(http.server.BaseHTTPRequestHandler):
        def answer(self) -> None:
            parts = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            query = dict(parse_qsl(parts.query))
            authorization = self.headers.get("Authorization", "")
            served.asked.append((self.command, parts.path, query, body, authorization))
            content = served.answer.encode()
            self.send_response(served.status)
            self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_PATCH = answer  # noqa: N815 - the names of the library

        def log_message(self, *_: object) -> None:
            """Print nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        served.url = f"http://127.0.0.1:{server.server_port}"
        yield served
        server.shutdown()


def call(api: Api, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run the script with the keys of the account; nothing that it prints holds one."""
    given = {"CFGATE_API_URL": api.url, "CFGATE_ACCOUNT_SERVICE_ID": "100042", **KEYS, **environ}
    command = ["bash", str(SCRIPT), *arguments]
    ended = subprocess.run(
        command,
        env={"PATH": os.environ["PATH"], "NO_PROXY": "*", **given},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert found(ended.stdout + ended.stderr) == []
    return ended


@pytest.mark.parametrize(
    ("arguments", "path", "query", "printed"),
    [
        (
            ["update", "4242", "7", "https://example.com/a b?c=1&d"],
            "/cfp/v1/imageupdate/create",
            {"imageid": "4242", "machineid": "7", "desc": "release", "url": "https://example.com/a b?c=1&d"},
            "11\n",
        ),
        (
            ["update", "4242", "7", ""],
            "/cfp/v1/imageupdate/create",
            {"imageid": "4242", "machineid": "7", "desc": "release"},
            "11\n",
        ),
        (["diff", "4242", "7"], "/cfp/v1/imagediff/create", {"imageid": "4242", "machineid": "7"}, "12\n"),
        (
            ["version", "12", "1.2.3"],
            "/cfp/v1/imageversion/create",
            {"diffid": "12", "restart": "0", "game_build": "1.2.3"},
            "13\n",
        ),
    ],
)
def test_a_job_is_created_once_and_its_id_printed(
    api: Api, arguments: list[str], path: str, query: dict[str, str], printed: str
) -> None:
    """Each call is one request with the documented parameters; what is printed is the id alone."""
    ended = call(api, *arguments)
    assert (ended.returncode, ended.stdout) == (0, printed), ended.stderr
    assert [asked[:3] for asked in api.asked] == [("GET", path, {**query, "accountserviceid": "100042"})]


def test_a_profile_is_switched(api: Api) -> None:
    """The switch is a PATCH with the documented body, and prints nothing."""
    ended = call(api, "switch-profile", "77", "8801")
    assert (ended.returncode, ended.stdout) == (0, ""), ended.stderr
    ((method, path, query, body, _),) = api.asked
    assert (method, path, query) == ("PATCH", "/cfp/v2/fleet/77/switchprofile", {})
    assert json.loads(body) == {"FleetID": 77, "ProfileID": 8801, "Timeout": "10m"}


def test_credentials_are_those_of_the_account(api: Api) -> None:
    """A key pair goes as Basic, whatever is in it, and a token as Bearer."""
    odd = 'q"uo\\te$'
    assert call(api, "diff", "1", "2").returncode == 0
    assert call(api, "diff", "1", "2", CLANFORGE_SECRET_KEY=odd).returncode == 0
    assert call(api, "diff", "1", "2", **BEARER).returncode == 0
    basic = [base64.b64encode(f"{ACCESS_KEY}:{secret}".encode()).decode() for secret in (SECRET_KEY, odd)]
    assert [asked[4] for asked in api.asked] == [*(f"Basic {text}" for text in basic), f"Bearer {TOKEN}"]


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        (500, "{}"),
        (403, '{"error": true}'),
        (302, "{}"),
        (200, "<html>"),
        (200, ""),
        (200, "[]"),
        (200, '{"success": false, "error": true, "error_message": "image locked by diffid: 218595"}'),
        (200, '{"success": true}'),
        (200, '{"diffid": "12; rm -rf /"}'),
        (200, '{"success": true, "diffid": 0}'),
        (200, '{"success": true, "error_message": "forbidden", "error": true, "diffid": 12}'),
    ],
)
def test_a_call_that_failed_prints_no_id(api: Api, status: int, answer: str) -> None:
    """Whatever is no success with an id fails, is asked once, and follows no redirect."""
    api.status, api.answer = status, answer
    ended = call(api, "diff", "4242", "7")
    assert ended.returncode != 0
    assert ended.stdout == ""
    assert ended.stderr.count("\nclanforge: ") + ended.stderr.startswith("clanforge: ") >= 1
    assert [asked[1] for asked in api.asked] == ["/cfp/v1/imagediff/create"]


def test_the_reason_is_told_and_harmless(api: Api) -> None:
    """The API's message is shown without what a log would take for a command."""
    api.answer = '{"success": false, "error_message": "locked\\n::error::x ##[y] \\u001b[31m"}'
    ended = call(api, "diff", "4242", "7")
    assert "refused: locked" in ended.stderr
    assert not set(ended.stderr) & set("#[\x1b")
    assert "\n::" not in ended.stderr


@pytest.mark.parametrize("name", ["CFGATE_REHEARSE", "INPUT_REHEARSE", "CFGATE_REHEARSAL"])
def test_a_rehearsal_sends_nothing(api: Api, name: str) -> None:
    """In a rehearsal no call is made, whichever variable says so."""
    value = "true" if name == "CFGATE_REHEARSAL" else "ready"
    assert call(api, "switch-profile", "77", "8801", **{name: value}).returncode == 1
    assert api.asked == []


@pytest.mark.parametrize(
    ("arguments", "environ"),
    [
        (["diff", "", "7"], {}),
        (["diff", "4242"], {}),
        (["diff", "4242", "7&x=1"], {}),
        (["version", "0"], {}),
        (["switch-profile", "77", ""], {}),
        (["switch-profile", "../1", "2"], {}),
        (["drop"], {}),
        ([], {}),
        (["diff", "4242", "7"], {"CFGATE_ACCOUNT_SERVICE_ID": ""}),
        (["diff", "4242", "7"], {"CLANFORGE_SECRET_KEY": ""}),
        (["diff", "4242", "7"], {"CLANFORGE_SECRET_KEY": 'x"\noutput = "y'}),
        (["diff", "4242", "7"], {"CFGATE_API_URL": "http://example.com"}),
    ],
)
def test_what_is_wrong_sends_nothing(api: Api, arguments: list[str], environ: dict[str, str]) -> None:
    """An id that is none, a missing account, and an address without TLS end the script before any request."""
    ended = call(api, *arguments, **environ)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert api.asked == []


def test_no_command_line_holds_a_secret(api: Api, tmp_path: Path) -> None:
    """What curl is started with, which everybody on the machine can read, holds no credential."""
    curl = tmp_path / "curl"
    record = f'printf "%s\\n" "$@" >>"{tmp_path}/argv"'
    curl.write_text(f'#!/bin/sh\n{record}\nPATH=/usr/bin:/bin exec curl "$@"\n')
    curl.chmod(0o755)
    ended = call(api, "diff", "4242", "7", PATH=f"{tmp_path}:{os.environ['PATH']}")
    assert ended.returncode == 0, ended.stderr
    assert found((tmp_path / "argv").read_text()) == []
    assert "--config" in (tmp_path / "argv").read_text()
