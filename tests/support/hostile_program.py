"""The whole program in this process, on every host, and an API that says what a test wants."""

from __future__ import annotations

import io
import json
import unicodedata
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping
from contextlib import chdir, contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import Any
from unittest.mock import patch

from requests import PreparedRequest
from requests.structures import CaseInsensitiveDict

from cfgate.cli import Program
from cfgate.client.channel import Reply
from cfgate.client.transport import Transport
from tests.support.canary import KEYS
from tests.support.fakes import ID, FakeClock
from tests.support.gfm import Page
from tests.support.parsers import (
    azure_log,
    buildkite_log,
    dotenv,
    file_commands,
    gitlab_log,
    teamcity_log,
    workflow_commands,
)
from tests.support.parsers.screen import Screen

HOSTS: dict[str, dict[str, str]] = {
    "GitHub": {"GITHUB_ACTIONS": "true", "RUNNER_DEBUG": "1"},
    "GitLab": {"GITLAB_CI": "true", "CI_DEBUG_TRACE": "true"},
    "Azure": {"TF_BUILD": "True", "SYSTEM_DEBUG": "true"},
    "TeamCity": {"TEAMCITY_VERSION": "2026.1"},
    "Buildkite": {"BUILDKITE": "true"},
    "a pipe": {},
    "a terminal": {},
}
LOUD = "text of the page that GitHub acts on"
REPORTS = {"result": "json", "junit": "xml", "dotenv": "env", "summary": "md", "annotations": "links"}


class Window(io.StringIO):
    """A terminal: what is written to it appears on a screen."""

    def __init__(self) -> None:
        super().__init__()
        self.screen = Screen(80, 24)

    def isatty(self) -> bool:
        """Say that it is one."""
        return True

    def write(self, text: str) -> int:
        """Show the text."""
        self.screen.feed(text)
        return super().write(text)


class Api:
    """Gives one answer after the other, the last one for ever."""

    def __init__(self, clock: FakeClock, answers: list[tuple[int, dict[str, str], bytes]]) -> None:
        self._clock = clock
        self._answers = answers
        self._asked = 0

    def send(self, request: PreparedRequest, *_: object) -> Reply:
        """Answer as the transport would, about the image version that was asked for."""
        status, headers, body = self._answers[min(self._asked, len(self._answers) - 1)]
        self._asked += 1
        now = self._clock.monotonic()
        asked_for = str(request.url).partition("/imageversion/")[2].partition("/")[0]
        body = body.replace(str(ID).encode(), asked_for.encode())
        return Reply(status, CaseInsensitiveDict(headers), body, now, now)


@dataclass(frozen=True)
class Left:
    """What a run has left: its code, its log, and its files by name, as they are."""

    code: int
    log: str
    files: Mapping[str, bytes]
    screen: Screen | None

    def file(self, name: str) -> str:
        """Read a file, which must be UTF-8."""
        return self.files[name].decode()

    @property
    def result(self) -> dict[str, Any]:
        """The whole result."""
        facts: dict[str, Any] = json.loads(self.file("json"))
        return facts


@contextmanager
def asked(api: Api) -> Iterator[None]:
    """Put an API in the place of the one behind the sockets."""
    with patch.object(Transport, "send", api.send):
        yield


def run(
    host: str,
    folder: Path,
    answers: list[tuple[int, dict[str, str], bytes]],
    environ: Mapping[str, str],
    *arguments: str,
) -> Left:
    """Run the program on a host; its reports go to `folder`, which must be empty."""
    clock = FakeClock()
    stream = Window() if host == "a terminal" else io.StringIO()
    settings = {
        **{f"CFGATE_{name.upper()}_FILE": str(folder / suffix) for name, suffix in REPORTS.items()},
        "CFGATE_IMAGE_VERSION_ID": str(ID),
        "CFGATE_ACCOUNT_SERVICE_ID": "1",
        "CFGATE_TIMEOUT": "20m",
        "CFGATE_POLL_INTERVAL": "5s",
        "CFGATE_ERROR_TOLERANCE": "5m",
        "CFGATE_DETAILS_URL": "https://example.com/{id}",
    }
    if host == "GitHub":
        settings |= {"GITHUB_OUTPUT": str(folder / "output"), "GITHUB_STEP_SUMMARY": str(folder / "page")}
    # Without the jitter of the pauses, so that there are as many each time.
    # What belongs to the agent of Buildkite lies in the working directory.
    with chdir(folder), asked(Api(clock, answers)), patch("random.uniform", max):
        given = {**settings, **HOSTS[host], **KEYS, **environ}
        code = Program(given, stream, stream, SimpleQueue(), clock).run(arguments)
    files = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    return Left(code, stream.getvalue(), files, getattr(stream, "screen", None))


# What a run means: all that the readers of what it left obey, and nothing of the texts in it.


def meant(host: str, left: Left) -> dict[str, object]:
    """Tell everything in it that is more than text."""
    page = Page(left.file("md"))
    report = ET.fromstring(left.files["xml"])  # noqa: S314 - our own report
    return {
        "code": left.code,
        "log": _LOGS[host](left),
        "elements of the page": [tag for tag in page.tags if tag != "br"],
        "attributes of the page": page.attributes,
        LOUD: page.loud.split(),
        "charts": [text for text in page.quiet if text.startswith("gantt\n")],
        "elements of the report": [
            (each.tag, sorted(each.attrib), each.get("type")) for each in report.iter()
        ],
        "variables": {
            name: dotenv.expanded(value) for name, value in dotenv.parse(left.files["env"]).items()
        },
        "links": left.file("links"),
        "keys": _keys(left.result),
    }


_UNSEEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}


def _github(left: Left) -> object:
    outputs = file_commands.parse(left.files["output"])
    assert outputs.error is None
    assert json.loads(outputs.values["result"]).keys() == left.result.keys()
    assert left.files["page"] == left.files["md"]
    commands, lines = workflow_commands.parse(left.log)
    told = [(each.name, sorted(each.properties)) for each in commands if each.name != "debug"]
    # The viewer of the log formats further lines of that form, which are no commands.
    return sorted(outputs.values), told, [line for line in lines if "##[" in line]


def _gitlab(left: Left) -> object:
    log = gitlab_log.parse(left.log)
    assert all(section.closed for section in log.sections)
    # A faint line now and then tells that it waits, when time passes on the fake clock.
    return [section.options for section in log.sections], set(log.colours) - {"2"}


def _azure(left: Left) -> object:
    log = azure_log.parse(left.log)
    return [(each.name, each.properties) for each in log.commands], log.formats


def _teamcity(left: Left) -> object:
    log = teamcity_log.parse(left.log)
    parameters = [each for each in log.messages if each.name == "setParameter"]
    assert not any(teamcity_log.references(each.attributes["value"]) for each in parameters)
    return [
        (each.name, sorted(each.attributes), each.attributes.get("name" if each in parameters else "status"))
        for each in log.messages
    ]


def _buildkite(left: Left) -> object:
    log = buildkite_log.parse(left.log)
    return [group.kind for group in log.groups], log.sequences


def _pipe(left: Left) -> object:
    return [char for char in left.log if char != "\n" and unicodedata.category(char) in _UNSEEN]


def _terminal(left: Left) -> object:
    assert left.screen is not None  # it has refused every other sequence already
    return left.screen.cursor[1]


_LOGS = {
    "GitHub": _github,
    "GitLab": _gitlab,
    "Azure": _azure,
    "TeamCity": _teamcity,
    "Buildkite": _buildkite,
    "a pipe": _pipe,
    "a terminal": _terminal,
}


def _keys(value: Any) -> object:
    if isinstance(value, dict):
        return {key: _keys(inner) for key, inner in value.items()}
    return [_keys(inner) for inner in value] if isinstance(value, list) else None
