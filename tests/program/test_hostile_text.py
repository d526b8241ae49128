"""Whatever an answer or a setting says, on whatever host: it is text, and a person can read it."""

from __future__ import annotations

import html
import io
import json
import re
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cfgate.client.client import MAX_JOB_ERROR
from cfgate.hosts.console import Console
from cfgate.hosts.gitlab import GitLab
from cfgate.log.ending import write_ending
from cfgate.model import GateStatus, JobState
from cfgate.settings.options import OPTIONS, Option
from cfgate.settings.parsers import one_line
from cfgate.text.redaction import Redactor
from cfgate.text.wording import cap_utf8
from tests.support import hostile
from tests.support.canary import ACCESS_KEY, SECRET_KEY
from tests.support.factories import job, outcome, result
from tests.support.fakes import payload
from tests.support.gfm import Page
from tests.support.hostile_program import HOSTS, LOUD, Left, meant, run
from tests.support.parsers import (
    azure_log,
    buildkite_log,
    dotenv,
    file_commands,
    gitlab_log,
    teamcity_log,
    workflow_commands,
)

Answer = tuple[int, dict[str, str], bytes]


def told(status: int, body: object, **headers: str) -> Answer:
    """Make an answer with a JSON body."""
    return status, {name.replace("_", "-"): text for name, text in headers.items()}, json.dumps(body).encode()


def trouble(text: str) -> list[Answer]:
    """Make answers that cannot be used and say the text wherever they can."""
    headers = {"Retry_After": text, "Content_Type": text, "Date": text, "Server": text, "Location": text}
    twice = f"{{{json.dumps(text)}: 1, {json.dumps(text)}: 2}}".encode()
    return [
        told(503, {"error_message": text}, **headers),
        told(404, {"error_message": text}, **headers),
        told(200, {"error": True, "error_message": text}, **headers),
        told(200, payload(text, jobstateid=4), **headers),
        (200, {"Content-Type": text}, twice),
        (200, {"Content-Type": text}, text.encode(errors="replace")),
    ]


def everywhere(state: str, text: str, **fields: object) -> Answer:
    """Answer about a job in this state, with the text in all fields that may hold any, unknown ones too."""
    unknown = {text: text, "jobtype": text, "message": [text, {text: text}], "error_message": text}
    return told(200, payload(state, **unknown, **fields), Server=text, Date=text)


RUNNING = told(200, payload("Running"))
ENDINGS: dict[str, Callable[[str], list[Answer]]] = {
    "ready": lambda text: [
        RUNNING,
        *trouble(text),
        everywhere("Completed", text, jobfailed=2, jobprogress=7),
    ],
    "failed": lambda text: [RUNNING, *trouble(text), everywhere("Failed", text, joberror=text)],
    "failed, oddly": lambda text: [everywhere("Failed", text, joberror={text: [text, 1]})],
    "squashed": lambda text: [everywhere("Running", text), everywhere("Squashed", text, joberror=text)],
    "timeout": lambda text: [everywhere("Running", text, joberror=text), *trouble(text)],
    "inconsistent": lambda text: [told(200, payload(text))],
    "unavailable": lambda text: [told(200, {"error_message": text})],
    "rejected": lambda text: [told(403, {"error_message": text})],
    "refused": lambda text: [told(400, {"error": text})],
    "redirected": lambda text: [told(302, {}, Location=text)],
    "gone elsewhere": lambda text: [told(301, {}, Location=f"{text[:3]}://{text}/{text}?{text}#{text}")],
    "not found": lambda text: [told(404, {"error_message": text})],
}
# In these the error of the job is told in full.
IN_FULL = {"failed", "squashed"}
ALL = [pytest.param(host, ending, id=f"{host}, {ending}") for host in HOSTS for ending in ENDINGS]
# Somebody who looks at a page must find these.
HEAD, TAIL = "Disk7 is full ", " since Tail9"
REDACT = Redactor([ACCESS_KEY, SECRET_KEY])

TEXTS = st.builds("{}{}{}".format, st.just(HEAD), hostile.texts, st.just(TAIL))
MARKUP = (
    "%%{init: {'theme':'x'}}%%\nclick a href \"https://example.com\"\nsection x\n```\n~~~\n"
    "| a | b |\n<!-- x --> --> ]]> &lt; &#64; <b onclick=x> </code></pre></details> [[ATTACHMENT|../x]]\n"
    "@somebody #1 GH-1 :tada: www.example.com http://example.com foo@example.com mailto:a@b.cc xmpp:a@b.c/x\n"
    "$HOME ${HOME} $(id) %PATH% `id` ready=true\nready<<EOF\n"
    "ghadelimiter_00000000-0000-4000-8000-000000000000\nready=true\n"
    "\x00\x07\x08\x1b]0;x\x07\x1b[2J\x1b]8;;https://example.com\x1b\\x\x9b31m\r\x85::error::x\u2028::error::x"
    "\u202e\u2066\ud800\udfff\ufffe\U000e0041\ufeff"
)


@cache
def harmless(host: str, ending: str) -> dict[str, object]:
    """Run with a text that nobody could mistake, for comparison."""
    with tempfile.TemporaryDirectory() as folder:
        return meant(host, run(host, Path(folder), ENDINGS[ending](f"{HEAD}word{TAIL}"), {}))


def check(host: str, ending: str, text: str) -> None:
    """Run with a hostile text: everything means what it means with a harmless one, and the text is there."""
    with tempfile.TemporaryDirectory() as folder:
        left = run(host, Path(folder), ENDINGS[ending](text), {})
    assert meant(host, left) == harmless(host, ending)
    if ending in IN_FULL:
        check_read(host, left, REDACT(json.loads(json.dumps(text))))  # two halves of a pair have met


def check_read(host: str, left: Left, text: str) -> None:
    """Look for a job error where a person looks for it, and where a program does."""
    page = "".join(Page(left.file("md")).quiet)
    for shown in (visible_log(host, left), page, html.unescape(left.file("xml"))):
        assert hostile.survives(text, shown)
    expected = re.sub("[\0\ud800-\udfff]", "\ufffd", text)
    assert left.result["job-error"] == expected
    if host == "GitHub":
        outputs = file_commands.parse(left.files["output"]).values
        assert outputs["job-error"] == expected
        assert json.loads(outputs["result"])["job-error"] == expected


def visible_log(host: str, left: Left) -> str:
    """Give the lines of the log that a person sees."""
    if host == "GitHub":
        return "\n".join(workflow_commands.parse(left.log)[1])
    if host == "GitLab":
        return "\n".join(gitlab_log.parse(left.log).lines)
    if host == "Azure":
        return "\n".join(azure_log.parse(left.log).lines)
    if host == "TeamCity":
        return "\n".join(teamcity_log.parse(left.log).lines)
    if host == "Buildkite":
        return "\n".join(buildkite_log.parse(left.log).lines)
    if left.screen is not None:
        return "".join(left.screen.lines)  # long lines are wrapped
    return left.log


@pytest.mark.parametrize(("host", "ending"), ALL)
def test_the_worst_answers_are_text(host: str, ending: str) -> None:
    """No command, output, section, element, link or variable comes of what is meant to be one."""
    check(host, ending, f"{HEAD}{hostile.WORST}{MARKUP}{TAIL}")


@given(host=st.sampled_from(list(HOSTS)), ending=st.sampled_from(list(ENDINGS)), text=TEXTS)
@settings(max_examples=60)
def test_any_answer_is_text(host: str, ending: str, text: str) -> None:
    """Whatever an API says in whatever place, every reader obeys what it would obey anyway."""
    check(host, ending, text)


# Settings


def prose(found: dict[str, object]) -> dict[str, object]:
    """Check the sentences of the page about a wrong setting, and leave the rest to compare.

    What is wrong with a value depends on the value, so that the words are not the same, nor how many of them
    are code. None is one of the value's, and none is anything but a word to GitHub.
    """
    words = found[LOUD]
    assert isinstance(words, list)
    assert "Disk7" not in words
    assert "Tail9" not in words
    assert not [word for word in words if re.search(r"[@#*<>&$\\]|www\.|^GH-", word)]
    elements = found["elements of the page"]
    assert isinstance(elements, list)
    assert set(elements) <= {"h2", "h3", "blockquote", "p", "strong", "ul", "li", "code"}
    return {key: each for key, each in found.items() if key not in (LOUD, "elements of the page")}


NAMES = [
    "::error::x", "##[add-mask]x", "##vso[task.complete]x", "www.example.com", "@somebody #1 :tada:",
    "a|b`c`", "<b>x</b>", "]]>", "click x href", "%%{init}%%", "$HOME %PATH%", "[x](y) ![z](w)", "<!--",
    "-->", "a: b; c", "[[ATTACHMENT|../x]]", "漢字 é", "~~x~~ *y* _z_", "\\| \\", "{label} %s", "=ready=true",
]  # fmt: skip


@cache
def configured(host: str, name: str, other: str) -> tuple[dict[str, object], Left]:
    """Run with two targets of these names, from a file that is called like one of them."""
    answers = [everywhere("Failed", "x", joberror="disk full")]  # at once: two gates share the fake clock
    with tempfile.TemporaryDirectory() as base:
        folder = Path(base, "left")
        folder.mkdir()
        config = Path(base, f"{name.replace('/', '-')}.yml")
        targets = {name: {"image-version-id": 9001}, other: {"image-version-id": 9002, "timeout": "1m"}}
        config.write_text(json.dumps({"fail-fast": False, "targets": targets}, ensure_ascii=False), "utf-8")
        environ = {
            "CFGATE_CONFIG": str(config),
            "CFGATE_IMAGE_VERSION_ID": "",
            "CFGATE_ERROR_TOLERANCE": "0s",
        }
        left = run(host, folder, answers, environ)
    return meant(host, left), left


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("name", NAMES)
def test_names_of_targets_are_text(host: str, name: str) -> None:
    """What a config file calls its targets, and what it is called itself, means nothing to any reader."""
    found, left = configured(host, name, f"{name}2")
    plain = dict(configured(host, "Plain1", "Plain2")[0])
    charts = [found.pop("charts"), plain.pop("charts")]
    for each in (found, plain):  # which of the two waited for its turn, and for how long, may differ
        each[LOUD] = re.sub("[0-9.]+", "#", str(each[LOUD]))
    assert found == plain
    assert len({str(chart).count(" :") for chart in charts}) == 1
    assert {entry["name"] for entry in left.result["matrix"]["include"]} == {name, f"{name}2"}
    assert hostile.survives(name, visible_log(host, left))


@pytest.mark.parametrize("host", HOSTS)
def test_wrong_settings_are_text(host: str) -> None:
    """Every option with a hostile value is refused in words that mean nothing to any reader."""

    def refused(text: str) -> tuple[dict[str, object], Left]:
        reports = {"result-file", "junit-file", "dotenv-file", "summary-file", "annotations-file"}
        wrong = [option for option in OPTIONS if option.name not in reports and not option.secret]
        # What stands before an @ in an address is taken for a password, and not shown.
        environ = {option.variable: text.replace("@", "at") for option in wrong}
        with tempfile.TemporaryDirectory() as folder:
            left = run(host, Path(folder), [told(500, {})], {**environ, f"CFGATE_{text[:20]}": "1"}, text)
        return meant(host, left), left

    text = f"{HEAD}{hostile.WORST}{MARKUP}{TAIL}".replace("\0", "")
    found, left = refused(text)
    assert found["code"] == 2
    assert prose(found) == prose(refused("Disk7")[0])
    assert "Disk7" in visible_log(host, left)


@pytest.mark.parametrize("host", ["GitHub", "a terminal"])
@pytest.mark.parametrize("name", NAMES)
def test_names_of_scenarios_are_text(host: str, name: str) -> None:
    """A rehearsal of something that does not exist says so, and its name means nothing to any reader."""
    assert prose(rehearsed(host, name)) == prose(rehearsed(host, "Plain1"))


@cache
def rehearsed(host: str, scenario: str) -> dict[str, object]:
    """Run a rehearsal."""
    with tempfile.TemporaryDirectory() as folder:
        return meant(host, run(host, Path(folder), [], {"CFGATE_REHEARSE": scenario}))


# A line of text is good enough for these, so that it is judged later, and then each in its own way.
JUDGED = [option for option in OPTIONS if option.parse is not one_line and not option.name.endswith("-file")]


@given(text=TEXTS, option=st.sampled_from(JUDGED))
@settings(max_examples=30)
def test_any_wrong_setting_is_text(text: str, option: Option) -> None:
    """A single hostile value on GitHub, where the most can go wrong, is told and nothing more."""

    def refused(value: str) -> dict[str, object]:
        with tempfile.TemporaryDirectory() as folder:
            return meant("GitHub", run("GitHub", Path(folder), [told(500, {})], {option.variable: value}))

    assert prose(refused(text.replace("\0", ""))) == prose(refused("Disk7 is full"))


# Sizes

FILLERS = ["x", "\n", "é", "🎉", "\x7f", "#", "\U000e0041", "<&|`", "\r\n::error::x", "]]>", "\ud800"]


@pytest.mark.parametrize("filler", FILLERS)
def test_a_text_of_a_megabyte_fits_everywhere(filler: str, tmp_path: Path) -> None:
    """The log, page, outputs and variables keep the limits of their hosts, and each says that it was cut."""
    text = f"{HEAD}{filler * (900_000 // len(json.dumps(filler)[1:-1]))}{TAIL}"
    left = run("GitHub", tmp_path, [told(200, payload("Squashed", joberror=text))], {})
    assert len(left.log.encode()) < 2 << 20
    assert len(left.files["md"]) <= 1_048_576
    assert len(left.files["xml"]) < 30_000_000
    outputs = file_commands.parse(left.files["output"])
    assert outputs.error is None
    assert max(len(value.encode()) for value in outputs.values.values()) <= 65_536
    assert json.loads(outputs.values["result"])["truncated"] is True
    assert left.result["job-error"] == cap_utf8(text, MAX_JOB_ERROR)
    assert dotenv.parse(left.files["env"])["CFGATE_STATUS"] == "squashed"
    assert "Disk7" in left.log
    assert "more characters)" in left.log or "[cut by cfgate" in left.log
    assert "what to do:" in left.log.splitlines()[-1]


@pytest.mark.parametrize("filler", ["x", "\n", "\x7f", "\U000e0041"])
def test_the_errors_of_many_jobs_leave_room_for_the_verdict(filler: str) -> None:
    """GitLab closes a log at 4 MiB: the errors of as many targets as there can be do not fill it."""
    failed = job(JobState.FAILED, error=f"Disk7{filler * 100_000}!")
    outcomes = [
        outcome(GateStatus.FAILED, id=number, job=failed, reason="why " * 60) for number in range(1, 501)
    ]
    stream = io.StringIO()
    write_ending(GitLab(Console(stream, colour=True)), result(*outcomes))
    assert len(stream.getvalue().encode()) < 4 << 20
    assert stream.getvalue().count("Disk7") == 500
    assert "what to do:" in stream.getvalue().splitlines()[-1]
