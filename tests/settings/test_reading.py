"""The whole way from argv and environ to a request: precedence, what belongs together, what is never told."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cfgate import __version__
from cfgate.errors import InvalidSettings
from cfgate.model import Plan, Resource, Target
from cfgate.report.dotenv import variable
from cfgate.report.outputs import NAMES
from cfgate.settings.description import describe
from cfgate.settings.manual import page
from cfgate.settings.options import OPTIONS
from cfgate.settings.reading import read
from cfgate.settings.values import (
    Credentials,
    Files,
    InvalidRequest,
    Run,
    Settings,
    Show,
    Simulate,
)
from tests.support.canary import ACCESS_KEY, KEYS, SECRET_KEY, TOKEN, found

ACCOUNT = {
    **KEYS,
    "CFGATE_ACCOUNT_SERVICE_ID": "1234567",
}


def run(*argv: str, **environ: str) -> Run:
    """Read a request of somebody with an account and an id."""
    request = read(["wait", "9001", *argv], {**ACCOUNT, **environ})
    assert isinstance(request, Run)
    return request


def settings_of(*argv: str, **environ: str) -> Settings:
    """Read the settings of somebody with an account and an id."""
    return run(*argv, **environ).settings


def invalid(argv: Sequence[str], environ: Mapping[str, str]) -> InvalidRequest:
    """Read a request that cannot be read."""
    with pytest.raises(InvalidRequest) as caught:
        read(argv, environ)
    assert isinstance(caught.value, InvalidSettings)
    return caught.value


def problems(argv: Sequence[str], environ: Mapping[str, str]) -> tuple[str, ...]:
    """Read the problems of a request."""
    return invalid(argv, environ).problems


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a config file with a time-out and name the directory that it is in the current one."""
    monkeypatch.chdir(tmp_path)
    path = Path("gate.yml")
    path.write_text("timeout: 5m\n")
    return path


# Layers


LAYERS: dict[str, tuple[list[str], dict[str, str]]] = {
    "flag --timeout": (["--timeout", "1m"], {}),
    "input timeout": ([], {"INPUT_TIMEOUT": " 2m "}),
    "environment CFGATE_TIMEOUT": ([], {"CFGATE_TIMEOUT": "3m\n"}),
    "file gate.yml": (["--config", "gate.yml"], {}),
}
MINUTES = {
    "flag --timeout": 1,
    "input timeout": 2,
    "environment CFGATE_TIMEOUT": 3,
    "file gate.yml": 5,
    "default": 60,
}


@given(st.sets(st.sampled_from(list(LAYERS))))
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
def test_the_first_layer_that_has_a_value_wins(config: Path, layers: set[str]) -> None:
    """Flag, input, environment, file and default win in this order, whichever of them are there."""
    assert config.exists()
    argv = [word for layer in sorted(layers) for word in LAYERS[layer][0]]
    environ = {name: text for layer in layers for name, text in LAYERS[layer][1].items()}
    found = settings_of(*argv, **environ)
    winner = next(layer for layer in MINUTES if layer in layers or layer == "default")
    (plan,) = found.plans
    assert (plan.timeout, found.sources["timeout"]) == (MINUTES[winner] * 60, winner)


def test_an_input_is_read_by_either_name() -> None:
    """The runner's name keeps the hyphens and counts before the one with underscores."""
    environ = {**ACCOUNT, "INPUT_IMAGE_VERSION_ID": "9002"}
    for ids in ("9002", "9001"):
        request = read([], environ)
        assert isinstance(request, Run)
        assert [str(target.id) for target in request.settings.targets] == [ids]
        assert request.settings.sources["image-version-id"] == "input image-version-id"
        environ["INPUT_IMAGE-VERSION-ID"] = "9001"


@pytest.mark.parametrize("text", ["", " ", "\n"])
def test_an_empty_text_is_not_given(text: str) -> None:
    """The runner sets every declared input: an empty one leaves the next layer its say."""
    everything = {name: text for option in OPTIONS for name in option.input_variables}
    found = settings_of(**everything, CFGATE_MAX_INTERVAL="9s", CFGATE_FAIL_FAST=text)
    assert found.plans[0].max_interval == 9
    assert found.sources["max-interval"] == "environment CFGATE_MAX_INTERVAL"
    assert found.fail_fast


def test_everything_is_read(tmp_path: Path) -> None:
    """Each option reaches the settings, with the file in between."""
    (tmp_path / "ca.pem").touch()
    (tmp_path / "gate.yml").write_text(
        "image-version-id: [9001, 9002]\nresource: image-diff\n"
        "account-service-id: 7654321\nmax-interval: 20s\n"
        "request-timeout: 10s\nerror-tolerance: 0\nnot-found-grace: 0\nstall-timeout: 20m\n"
        "queue-timeout: 1h\nfail-fast: false\n"
    )
    argv = [
        "--config",
        f"{tmp_path}/gate.yml",
        "--poll-interval",
        "2s",
        "--timeout",
        "0",
        "--result-file",
        "-",
    ]
    environ = {
        "CLANFORGE_TOKEN": TOKEN,
        "CFGATE_API_URL": "https://api.example.com/",
        "INPUT_CA-BUNDLE": f"{tmp_path}/ca.pem",
        "INPUT_JUNIT-FILE": "junit.xml",
        "CFGATE_DOTENV_FILE": "gate.env",
        "CFGATE_DOTENV_PREFIX": "LINUX",
        "CFGATE_SUMMARY_FILE": "gate.md",
        "CFGATE_ANNOTATIONS_FILE": "gate-links.json",
        "CFGATE_DETAILS_URL": "https://example.com/versions/{id}",
        "CFGATE_VERBOSE": "true",
    }
    request = read(argv, environ)
    assert isinstance(request, Run)
    found = request.settings
    assert found.plans == tuple(
        Plan(
            Target(number, resource=Resource.IMAGE_DIFF),
            account_service_id=7654321,
            timeout=0,
            poll_interval=2,
            max_interval=20,
            error_tolerance=0,
            not_found_grace=0,
            stall_timeout=1200,
            queue_timeout=3600,
        )
        for number in (9001, 9002)
    )
    assert found.credentials == Credentials(token=TOKEN)
    assert (found.api_url, found.request_timeout) == ("https://api.example.com", 10)
    assert (found.fail_fast, found.verbose, found.ca_bundle) == (False, True, f"{tmp_path}/ca.pem")
    assert found.files == Files(
        result="-",
        junit="junit.xml",
        dotenv="gate.env",
        dotenv_prefix="LINUX",
        summary="gate.md",
        annotations="gate-links.json",
        details_url="https://example.com/versions/{id}",
    )
    assert found.config == f"{tmp_path}/gate.yml"
    given = {option.name for option in OPTIONS} - {"access-key", "secret-key", "rehearse"}
    assert {name for name, source in found.sources.items() if source != "default"} == given


def test_what_is_not_given_is_left_at_its_default() -> None:
    """Somebody with keys, an ASID and an id has the settings of the table, and the keys are theirs."""
    assert settings_of()._replace(sources={}) == Settings(
        plans=(Plan(Target(9001), account_service_id=1234567),),
        credentials=Credentials(access_key=ACCESS_KEY, secret_key=SECRET_KEY),
    )


# Problems


@pytest.mark.parametrize(
    ("argv", "environ", "problem"),
    [
        (["--timeout=90"], {}, "'90' from flag --timeout has no unit: 90s or 90m[?]"),
        ([], {"INPUT_TIMEOUT": "90"}, "'90' from input `timeout` has no unit: 90s or 90m[?]"),
        ([], {"CFGATE_TIMEOUT": "90"}, "'90' from environment CFGATE_TIMEOUT has no unit: 90s or 90m[?]"),
        ([], {"INPUT_FAIL-FAST": "yes"}, "'yes' from input `fail-fast` is neither true nor false"),
        (
            ["--api-url=http://api.example.com/?key=hunter3"],
            {},
            "'http://api.example.com/' from flag --api-url is not https: *",
        ),
        (
            ["--config=none.yml"],
            {},
            "'none.yml' from flag --config cannot be read: No such file or directory",
        ),
        (
            [],
            {"CLANFORGE_SECRET_KEY": "hunter2\nhunter2"},
            "the value from environment CLANFORGE_SECRET_KEY has blanks, line breaks or *: copy it again",
        ),
        (
            ["--junit-file=a\x1b[2J" + "x" * 99],
            {},
            r"'a\x1b?2Jxxx*x…' from flag --junit-file has characters *",
        ),
        (["--timeout=" + "x" * 60], {}, f"'{'x' * 60}' from flag --timeout is not a duration: *"),
        (["--timeout=" + "x" * 61], {}, f"'{'x' * 60}…' from flag --timeout is not a duration: *"),
        (
            ["demo1"],
            {},
            (
                "'demo1' from the command line is not an id: write a positive whole number in plain digits "
                "(18 at most), such as 9001"
            ),
        ),
        (["1," * 500], {}, "the value from the command line names 501 ids: 500 at most"),
        (
            [],
            {"INPUT_API-URL": "https://me:hunter2@api.example.com"},
            (
                "the value from input `api-url` has an `@`: omit user name and password, they are "
                "options of their own"
            ),
        ),
        (
            ["--api-url=https://bücher.example"],
            {},
            (
                "'https://bücher.example' from flag --api-url has characters that no address has (write a "
                "host name in its ASCII form, xn--…)"
            ),
        ),
        (
            ["--details-url=https://me:hunter2@example.com"],
            {},
            (
                "the value from flag --details-url is no link: write it like "
                "https://example.com/versions/{id}, without a user name, and with per cent signs for all but "
                "plain characters"
            ),
        ),
        (["--max-interval=0.5s"], {}, "'0.5s' from flag --max-interval is too short: 1s at least"),
        (
            ["--junit-file=x", "--summary-file=x"],
            {},
            "junit-file and summary-file name the same file: give each its own",
        ),
    ],
)
def test_a_problem_names_its_source(argv: list[str], environ: dict[str, str], problem: str) -> None:
    """A problem says which value, from where, what is wrong and what to do, in one printable line."""
    (found,) = problems(["9001", *argv], {**ACCOUNT, **environ})
    assert fnmatchcase(found, problem)
    assert found.isprintable()
    assert len(found) < 200


def test_a_problem_in_the_file_has_a_place(config: Path) -> None:
    """A value in the file is told with line and column."""
    config.write_text("# comment\ntimeout: 90\ntoken: hunter3\n")
    found = problems(["9001", "--config", str(config)], ACCOUNT)
    assert found[0].startswith("key token from file gate.yml, line 3, column 1 may not stand in a file: ")
    assert found[1] == "'90' from file gate.yml, line 2, column 10, key timeout has no unit: 90s or 90m?"


def test_all_problems_come_at_once(config: Path) -> None:
    """One run tells everything that has to be mended, of every layer, each once."""
    config.write_text("timeout: 90\ncolour: red\n")
    found = problems(
        ["--max-interval=0", "--config=gate.yml"],
        {"INPUT_API-URL": "ftp://x", "CFGATE_FAIL_FAST": "maybe", "CLANFORGE_ACCESS_KEY": ACCESS_KEY},
    )
    expected = [
        "colour",
        "line 1",
        "fail-fast",
        "--max-interval",
        "api-url",
        "image-version-id is missing",
    ]
    expected += ["secret-key is missing", "account-service-id, the ASID, is missing"]
    for words in expected:
        assert sum(words.lower() in text.lower().replace("fail_fast", "fail-fast") for text in found) >= 1, (
            words
        )
    assert len(found) == len(set(found)) == len(expected)


def test_a_value_that_is_overridden_is_not_judged() -> None:
    """What does not count cannot be a problem: it is what somebody overrides."""
    assert settings_of("--timeout=5m", CFGATE_TIMEOUT="soon").plans[0].timeout == 300


# Credentials


@pytest.mark.parametrize(
    ("environ", "problem"),
    [
        (
            {},
            (
                "credentials are missing: give access-key as input `access-key` or environment "
                "CLANFORGE_ACCESS_KEY, and secret-key as input `secret-key` or environment "
                "CLANFORGE_SECRET_KEY; or else token as input `token` or environment CLANFORGE_TOKEN "
                "(GitHub hands no secrets to pull requests from forks)"
            ),
        ),
        (
            {"INPUT_ACCESS-KEY": "AKIA"},
            (
                "secret-key is missing beside access-key (from input `access-key`): "
                "give it as input `secret-key` or environment CLANFORGE_SECRET_KEY"
            ),
        ),
        (
            {"CLANFORGE_SECRET_KEY": "hunter2"},
            (
                "access-key is missing beside secret-key (from environment CLANFORGE_SECRET_KEY): "
                "give it as input `access-key` or environment CLANFORGE_ACCESS_KEY"
            ),
        ),
        (
            {**ACCOUNT, "INPUT_TOKEN": "hunter2"},
            (
                "environment CLANFORGE_ACCESS_KEY, environment CLANFORGE_SECRET_KEY and input `token` are "
                "given: keep either the key pair or the token"
            ),
        ),
        (
            {"CLANFORGE_SECRET_KEY": "hunter2", "CLANFORGE_TOKEN": "hunter2"},
            (
                "environment CLANFORGE_SECRET_KEY and environment CLANFORGE_TOKEN are "
                "given: keep either the key pair or the token"
            ),
        ),
    ],
)
def test_there_is_one_kind_of_credentials(environ: dict[str, str], problem: str) -> None:
    """A whole key pair or a token: neither, half of one, and both are problems that name the sources."""
    assert problems(["9001"], {"CFGATE_ACCOUNT_SERVICE_ID": "1234567", **environ}) == (problem,)


def test_the_asid_is_needed_without_a_token() -> None:
    """With a token the ASID may be left out; with keys it may not."""
    request = read(["9001"], {"CLANFORGE_TOKEN": "abc"})
    assert isinstance(request, Run)
    assert request.settings.plans[0].account_service_id is None
    assert problems(["9001"], {**ACCOUNT, "CFGATE_ACCOUNT_SERVICE_ID": ""}) == (
        (
            "account-service-id, the ASID, is missing (only a token can do without): give it as flag "
            "--account-service-id, input `account-service-id`, environment CFGATE_ACCOUNT_SERVICE_ID or key "
            "account-service-id in the config file"
        ),
    )


def test_a_rehearsal_needs_nothing_but_an_id() -> None:
    """Nobody's credentials are needed for a rehearsal, or even looked at."""
    for environ in ({}, ACCOUNT, {"CLANFORGE_TOKEN": "two words"}):
        request = read(["9001", "--rehearse", "ready"], environ)
        assert isinstance(request, Run)
        assert request.settings.rehearse == "ready"
        assert request.settings.credentials == Credentials()
    assert [text.split(":")[0] for text in problems([], {"INPUT_REHEARSE": "ready"})] == [
        "image-version-id is missing"
    ]


# Secrets


def test_every_secret_is_known() -> None:
    """All credentials are handed over for hiding, in use or not, on success and on failure."""
    environ = {
        **ACCOUNT,
        "INPUT_SECRET-KEY": "in-the-input",
        "CFGATE_API_URL": "https://user:in-the-url@example.com",
        "CFGATE_JUNIT_FILE": "me@home.xml",  # no address
    }
    secrets = {ACCESS_KEY, SECRET_KEY, "in-the-input", "user:in-the-url", "user", "in-the-url"}
    assert run("--api-url=https://api.example.com", **environ).secrets == secrets
    failed = invalid(["--token", "in-the-flag"], environ)
    assert failed.secrets == secrets | {"in-the-flag"}


@pytest.mark.parametrize(
    "variable",
    [
        "http_proxy",
        "HTTP_PROXY",
        "https_proxy",
        "HTTPS_PROXY",
        "all_proxy",
        "ALL_PROXY",
        "ftp_proxy",
        "Https_Proxy",
    ],
)
def test_user_and_password_of_every_proxy_are_secrets(variable: str) -> None:
    """As they are written and as they are sent, in use or not, on success and on failure."""
    hidden = {
        "corp%2Fjoe:p%40ss/w#rd",
        "corp/joe:p@ss/w#rd",
        "corp%2Fjoe",
        "corp/joe",
        "p%40ss/w#rd",
        "p@ss/w#rd",
    }
    for proxy in ("http://corp%2Fjoe:p%40ss/w#rd@proxy.example.com:3128", "corp%2Fjoe:p%40ss/w#rd@proxy"):
        environ = {variable: proxy, "NO_PROXY": "me:and-you@example.com"}
        assert run(**environ).secrets - {ACCESS_KEY, SECRET_KEY} == hidden
        assert hidden < invalid(["9001", "--timeout=x"], {**ACCOUNT, **environ}).secrets


def test_the_name_of_a_user_of_the_proxy_may_stand_in_the_name_of_a_file() -> None:
    """It is masked where it is shown, but it is no credential of Clanforge in a wrong place."""
    request = run("--result-file=reports/jenkins-ci.json", HTTPS_PROXY="http://jenkins-ci:pw12@proxy:3128")
    assert request.settings.files.result == "reports/jenkins-ci.json"


def test_user_and_password_of_a_details_url_are_secrets() -> None:
    """The address is refused, and neither is repeated."""
    failed = invalid(["9001", "--details-url=https://joe:hunter2@example.com/{id}"], ACCOUNT)
    assert {"joe:hunter2", "joe", "hunter2"} < failed.secrets


@pytest.mark.parametrize(
    ("url", "hidden"),
    [
        ("https://example.com", set()),
        ("https://me@example.com", {"me"}),
        ("https://me:pass:word@example.com", {"me", "me:pass:word", "pass:word"}),
        ("https://me:p@ssword@example.com", {"me", "me:p@ssword", "p@ssword"}),
        ("https://me:pass//word@example.com", {"me", "me:pass//word", "pass//word"}),
        ("https://me:pass\nword@example.com", {"me", "me:pass\nword", "pass\nword"}),
        ("https://me:p%40ss@example.com", {"me", "me:p%40ss", "me:p@ss", "p%40ss", "p@ss"}),
        ("//me:password@example.com", {"me", "me:password", "password"}),
        ("me:pass//word@example.com", {"me", "me:pass//word", "pass//word"}),
    ],
)
def test_the_password_in_an_address_is_known_whole(url: str, hidden: set[str]) -> None:
    """It may hold what parts an address elsewhere, and the address may be none."""
    request = run("--api-url=https://api.example.com", CFGATE_API_URL=url)
    assert request.secrets - {ACCESS_KEY, SECRET_KEY} == hidden


def test_a_flag_that_is_refused_twice_is_hidden_twice() -> None:
    """Each credential on the command line is known, and not shown where it stands once more."""
    argv = ["--token=hunter2-hunter2", "--token", "hunter3-hunter3", "--timeout=hunter2-hunter2"]
    assert problems(["9001", *argv], ACCOUNT)[1:] == (
        "the value from flag --timeout contains a credential: are two values swapped?",
    )


@pytest.mark.parametrize(
    ("key", "what", "why"),
    [
        (SECRET_KEY, "the value", "contains a credential: are two values swapped[?]"),
        ("test", "the value", "contains a credential: are two values swapped[?]"),
        ("abc", "'abc'", "is not an id: *"),
    ],
)
def test_swapped_values_are_not_shown(key: str, what: str, why: str) -> None:
    """A credential in the wrong place is not repeated, and the mistake is named; too short a one is none."""
    environ = {**ACCOUNT, "CLANFORGE_SECRET_KEY": key, "CFGATE_ACCOUNT_SERVICE_ID": key}
    (found,) = problems(["9001"], environ)
    assert fnmatchcase(found, f"{what} from environment CFGATE_ACCOUNT_SERVICE_ID {why}")


def test_no_repr_shows_a_secret() -> None:
    """A request, its settings and an error can be printed by mistake."""
    request = run()
    failed = invalid([], {**ACCOUNT, "CFGATE_TIMEOUT": "90"})
    for text in (
        repr(request),
        repr(request.settings),
        repr(failed),
        str(failed),
        repr(vars(failed)["problems"]),
    ):
        assert "hunter2" not in text
        assert not found(text)


@pytest.mark.parametrize(
    "option", ["CFGATE_JUNIT_FILE", "CFGATE_DETAILS_URL", "CFGATE_REHEARSE", "CFGATE_CONFIG"]
)
def test_a_value_that_holds_a_credential_is_refused(option: str) -> None:
    """What is good enough for an option, but holds a credential, would be shown: it is refused, unseen."""
    key = "AKIA1234"
    environ = {**ACCOUNT, "CLANFORGE_ACCESS_KEY": key, option: f"https://example.com/{key}"}
    failed = invalid(["9001"], environ)
    assert (
        f"the value from environment {option} contains a credential: are two values swapped?"
        in failed.problems
    )
    assert (failed.files.junit, failed.files.details_url) == ("", "")


@pytest.mark.parametrize("key", ["results", "multiplay"])
def test_a_made_up_credential_may_stand_in_other_values(key: str) -> None:
    """A word that is too short to be a credential, and the defaults, are no reason to refuse anything."""
    request = run("9001", CLANFORGE_ACCESS_KEY=key, CFGATE_JUNIT_FILE="results.xml")
    assert request.settings.files.junit == "results.xml"


# Commands


def test_check_looks_once() -> None:
    """`check` is a wait of no time, whatever the other layers say, and will not be told to wait."""
    request = read(["check", "9001"], {**ACCOUNT, "CFGATE_TIMEOUT": "45m"})
    assert isinstance(request, Run)
    assert request.settings.plans[0].timeout == 0
    assert request.settings.sources["timeout"] == "command check"
    assert problems(["check", "9001", "--timeout", "5m"], ACCOUNT) == (
        "flag --timeout does not go with check, which never waits: omit it or use wait",
    )


def test_the_simulator_reads_its_flags_alone() -> None:
    """`demo` and `simulate` work in any environment, however wrong."""
    environ = {"CFGATE_TIMEOUT": "90", "CFGATE_PORT": "x", "INPUT_SPEED": "x"}
    assert read(["simulate"], environ) == Simulate(scenario="ready", port=0, speed=1)
    argv = ["simulate", "--scenario", "stuck", "--port", "8080", "--speed", "20"]
    assert read(argv, environ) == Simulate(scenario="stuck", port=8080, speed=20)
    demo = read(["demo", "--speed=3"], environ)
    assert isinstance(demo, Run)
    assert (demo.settings.rehearse, demo.settings.speed) == ("demo", 3)
    assert demo.settings.credentials == Credentials()
    failed = invalid(["simulate", "--port=http"], {"CFGATE_JUNIT_FILE": "junit.xml"})
    assert failed.problems == (
        "'http' from flag --port is not a port: write a whole number from 0 (any free one) to 65535",
    )
    assert failed.files == Files()


@pytest.mark.parametrize(
    ("argv", "environ"),
    [
        (["--token=hunter2"], {}),
        ([], {"INPUT_TOKEN": "hunter2"}),
        ([], {"CLANFORGE_TOKEN": "hunter2"}),
    ],
)
def test_the_simulator_shows_no_credential(argv: list[str], environ: dict[str, str]) -> None:
    """It has no use for one, but one that is in the wrong place is not repeated."""
    found = problems(["simulate", "--port=hunter2", *argv], environ)
    assert found[-1] == "the value from flag --port contains a credential: are two values swapped?"


def shown(argv: list[str], environ: Mapping[str, str] | None = None, *, interactive: bool = False) -> str:
    """Return the page that is shown."""
    request = read(argv, environ or {}, interactive=interactive)
    assert isinstance(request, Show)
    return request.page(100)


@pytest.mark.parametrize("argv", [["--version"], ["-V"], ["version"], ["wait", "-V"]])
def test_the_version_needs_nothing(argv: list[str]) -> None:
    """It is told whatever else is missing."""
    assert shown(argv) == f"cfgate {__version__}"


@pytest.mark.parametrize(
    ("argv", "topic"),
    [
        (["--help"], ""),
        (["-h"], ""),
        (["help"], ""),
        (["9001", "-h"], ""),
        (["wait", "--bogus", "-h"], "wait"),
        (["check", "--help"], "check"),
        (["help", "simulate"], "simulate"),
        (["help", "exit-codes"], "exit-codes"),
        (["help", "all"], "all"),
        (["help", "--help"], ""),
    ],
)
def test_help_needs_nothing(argv: list[str], topic: str) -> None:
    """It is about the command or the topic that is named, whatever else is wrong."""
    assert shown(argv, {"CFGATE_TIMEOUT": "90"}) == page(topic)


def test_help_on_what_there_is_not() -> None:
    """A word that is misspelt is told, with the one that was meant."""
    assert problems(["help", "tming"], {}) == ("there is no help on tming: did you mean timing?",)
    assert problems(["help", "wait", "now"], {}) == ("cfgate help takes no further words: omit now",)
    assert problems(["version", "now"], {}) == ("cfgate version takes no further words: omit now",)


def test_nothing_to_wait_for_shows_the_help_to_a_person() -> None:
    """In a terminal; a script, or somebody who has named anything, is told what is missing."""
    assert shown([], interactive=True) == page()
    missing = "image-version-id is missing"
    assert any(problem.startswith(missing) for problem in problems([], {}))
    with pytest.raises(InvalidRequest):
        read(["wait"], {}, interactive=True)
    with pytest.raises(InvalidRequest):
        read([], {"CFGATE_CONFIG": "none.yml"}, interactive=True)


@pytest.mark.parametrize(
    ("argv", "told"),
    [
        (["--tiemout", "5"], "flag --tiemout is unknown to cfgate wait: did you mean --timeout?"),
        (["waiit", "9001"], "waiit is not an id: did you mean `cfgate wait …`?"),
        (["halp"], "halp is not an id: did you mean `cfgate help …`?"),
        (["demo", "9001"], "cfgate demo takes no ids: omit 9001"),
    ],
)
def test_a_wrong_word_or_flag_is_told_alone(argv: list[str], told: str) -> None:
    """What seems to be missing may only follow from it; a value that is wrong by itself is told too."""
    assert problems(argv, {}) == (told,)
    if argv[0] != "demo":
        assert len(problems([*argv, "--max-interval=soon"], {})) == 2


@pytest.mark.process
def test_what_is_rarely_needed_is_not_imported() -> None:
    """The container, which is started without arguments, pays for neither argparse nor YAML."""
    environ = {**os.environ, **ACCOUNT, "CFGATE_IMAGE_VERSION_ID": "9001"}
    code = (
        "import os, sys; from cfgate.settings.reading import read; "
        "read([], os.environ); print({'argparse', 'yaml', 'requests', 'difflib'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environ
    )
    assert done.stdout == "set()\n"


# What a caller gets besides


def test_reports_can_be_written_on_failure() -> None:
    """The files that could be read are known even when other settings are wrong."""
    failed = invalid(
        ["--result-file", "out.json", "--junit-file", ".", "--bogus"], {"CFGATE_DOTENV_FILE": "g.env"}
    )
    assert failed.files == Files(result="out.json", dotenv="g.env")
    assert invalid(["--bogus"], {}).files == Files()


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("CFGATE_TIMOUT", "CFGATE_TIMEOUT"),
        ("CFGATE_IMAGE_VERSION_IDS", "CFGATE_IMAGE_VERSION_ID"),
        ("CFGATE_TOKEN", "CLANFORGE_TOKEN"),
        ("CFGATE_ACCESSKEY", "CLANFORGE_ACCESS_KEY"),
    ],
)
def test_a_misspelt_variable_is_a_warning(name: str, meant: str) -> None:
    """A variable that is almost one of ours is told, with success and with failure, without its value."""
    warning = f"environment {name} is not read: did you mean {meant}?"
    assert run(**{name: "hunter2"}).warnings == (warning,)
    assert invalid([], {name: "hunter2"}).warnings == (warning,)


def test_outputs_of_an_earlier_gate_are_no_warning() -> None:
    """GitLab hands the dotenv outputs of one gate to the jobs behind it."""
    outputs = {variable(name): "1" for name in NAMES if name != "image-version-id"}
    assert run(**outputs).warnings == ()


def test_the_outputs_of_another_prefix_are_no_misspelt_options() -> None:
    """What an earlier gate left under a prefix of its own is not taken for a misspelt option."""
    left = {"CFGATE_PC_STATUS": "ready", "CFGATE_PC_IMAGE_VERSION_ID": "8000"}
    request = read(["9001"], {**ACCOUNT, **left})
    assert isinstance(request, Run)
    assert request.warnings == ()


def test_the_id_of_an_earlier_gate_is_refused() -> None:
    """An id that is an output of an earlier gate would be green at once for the wrong version."""
    environ = {**ACCOUNT, "CFGATE_IMAGE_VERSION_ID": "9001", "CFGATE_STATUS": "ready"}
    assert problems([], environ) == (
        (
            "image-version-id comes from environment CFGATE_IMAGE_VERSION_ID, and CFGATE_STATUS says that an "
            "earlier gate has left both behind: give the id as an argument, a flag or an input"
        ),
    )
    assert isinstance(read([], {**environ, "INPUT_IMAGE_VERSION_ID": "9002"}), Run)


def test_what_is_odd_is_a_warning() -> None:
    """An id named twice is waited for once; a stall between two looks is nothing that can be seen."""
    request = run("9002", "9001", "--stall-timeout=15s")
    assert [target.id for target in request.settings.targets] == [9001, 9002]
    twice, stall = request.warnings
    assert twice == "image-version-id names 9001 more than once; each is waited for once"
    assert stall.startswith("stall-timeout (15s) is no longer than the longest pause between two looks (15s)")
    assert run("--stall-timeout=15s", "--poll-interval=5s").warnings == ()
    once = read(["check", "9001", "--stall-timeout=15s"], ACCOUNT)
    assert isinstance(once, Run)
    assert once.warnings == ()


@pytest.mark.parametrize(
    ("job_timeout", "flag", "told"),
    [
        ("3600", "--timeout=60m", ["1h"]),
        ("3600", "--timeout=59m45s", ["1h"]),  # no time for the last look
        ("3620", "--timeout=60m", ["1h20s"]),
        ("3621", "--timeout=60m", []),
        ("3600", "--timeout=59m", []),
        ("7200", "--timeout=60m", []),
        ("60", "--timeout=0", []),
        ("10", "--timeout=0", ["10s"]),
        ("", "--timeout=60m", []),
        ("1h", "--timeout=60m", []),
    ],
)
def test_a_job_that_ends_before_its_gate_is_a_warning(job_timeout: str, flag: str, told: list[str]) -> None:
    """When GitLab would end the job before the gate has given up and had its last look, it is told."""
    warnings = run(flag, CI_JOB_TIMEOUT=job_timeout).warnings
    assert [warning.split(" (CI_JOB_TIMEOUT)")[0] for warning in warnings] == [
        f"GitLab ends this job after {duration}" for duration in told
    ]


def test_what_was_understood_can_be_shown() -> None:
    """Every value in force is listed as a user would write it, with its source, and secrets are hidden."""
    flags = ["--timeout=90m", "--details-url=https://example.com/{id}"]
    rows = {name: (text, source) for name, text, source in describe(settings_of("9002", *flags))}
    assert rows["image-version-id"] == ("9001, 9002", "the command line")
    assert rows["timeout"] == ("1h30m", "flag --timeout")
    assert rows["poll-interval"] == ("auto", "default")
    assert rows["stall-timeout"] == ("off", "default")
    assert rows["fail-fast"] == ("true", "default")
    assert rows["account-service-id"] == ("1234567", "environment CFGATE_ACCOUNT_SERVICE_ID")
    assert rows["secret-key"] == ("***", "environment CLANFORGE_SECRET_KEY")
    assert rows["api-url"] == ("https://api.multiplay.co.uk", "default")
    assert rows["details-url"] == ("https://example.com/{id}", "flag --details-url")
    assert not {"token", "config", "ca-bundle", "result-file", "rehearse"} & set(rows)


def test_settings_without_sources_can_be_shown() -> None:
    """Settings that nobody gave, such as those of the demo, are all defaults."""
    rows = describe(Settings(plans=(Plan(Target(9001)),), files=Files(junit="junit.xml")))
    assert rows[0] == ("image-version-id", "9001", "default")
    assert ("junit-file", "junit.xml", "default") in rows


# Anything at all


SECRET = TOKEN
TEXTS = st.sampled_from(
    ["5m", "90", "0", "9001", "true", "auto", "off", "", "-", "https://a.example", "gate.yml"]
)
TEXTS |= st.text(max_size=6) | st.sampled_from(
    [SECRET, f"https://u:{SECRET}@h", f"x {SECRET} " * 9, f"?{SECRET}"]
)
VARIABLES = [name for option in OPTIONS for name in (option.variable, *option.input_variables)]
FLAGS = [option.flag for option in OPTIONS] + ["--fail-fast", "--tokn", "-x", "check", "9001"]
FILE_KEYS = [option.name for option in OPTIONS] + ["timout"]


@given(
    argv=st.lists(st.sampled_from(FLAGS) | st.builds("{}={}".format, st.sampled_from(FLAGS), TEXTS) | TEXTS),
    environ=st.dictionaries(st.sampled_from([*VARIABLES, "CFGATE_TIMOUT"]), TEXTS),
    file=st.lists(st.tuples(st.sampled_from(FILE_KEYS), TEXTS), max_size=4),
)
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@pytest.mark.handles_canaries("it writes a token into the config file, where none belongs")
def test_anything_is_read_or_refused(
    config: Path, argv: list[str], environ: dict[str, str], file: list[tuple[str, str]]
) -> None:
    """Any argv, environment and file make a request or problems, which hold no secret and can be printed."""
    config.write_bytes("\n".join(f"{key}: {text}" for key, text in file).encode("utf-8", "surrogatepass"))
    texts: tuple[str, ...] = ()
    try:
        request = read(argv, {**environ, "CLANFORGE_TOKEN": SECRET})
    except InvalidRequest as error:
        texts = (str(error), *error.problems, *error.warnings)
        request = None
    assert request or texts[0]
    assert all(SECRET not in text and text.isprintable() for text in texts)
