"""The option table, and that the help page and `Settings` agree with it."""

from __future__ import annotations

import re

import pytest

from cfgate import __version__
from cfgate.model import GateStatus, Plan, Target
from cfgate.settings.commands import Command
from cfgate.settings.description import describe
from cfgate.settings.manual import TOPICS, everything, page
from cfgate.settings.options import BY_NAME, OPTIONS, SECTIONS, SIMULATE_OPTIONS, TARGET_OPTIONS, WHAT, Option
from cfgate.settings.values import Settings
from cfgate.simulator import load, names

# The public contract: which options there are, and which of them may stand in the config file.
IN_FILE = {
    "image-version-id",
    "resource",
    "account-service-id",
    "timeout",
    "poll-interval",
    "max-interval",
    "request-timeout",
    "error-tolerance",
    "not-found-grace",
    "stall-timeout",
    "queue-timeout",
    "fail-fast",
}
NOT_IN_FILE = {
    "access-key",
    "secret-key",
    "token",
    "api-url",
    "config",
    "ca-bundle",
    "rehearse",
    "result-file",
    "junit-file",
    "dotenv-file",
    "dotenv-prefix",
    "summary-file",
    "annotations-file",
    "details-url",
    "verbose",
}


def test_the_table_holds_the_public_options() -> None:
    """No option appears, disappears or moves into the config file by accident."""
    assert {option.name for option in OPTIONS if not option.not_in_file} == IN_FILE
    assert {option.name for option in OPTIONS if option.not_in_file} == NOT_IN_FILE
    assert len(BY_NAME) == len(OPTIONS)


def test_credentials_are_secret_and_have_clanforge_variables() -> None:
    """The three credentials, and nothing else, are secret and named after what they open."""
    variables = {option.variable for option in OPTIONS if option.secret}
    assert variables == {"CLANFORGE_ACCESS_KEY", "CLANFORGE_SECRET_KEY", "CLANFORGE_TOKEN"}
    assert all(option.variable.startswith("CFGATE_") for option in OPTIONS if not option.secret)


def test_an_input_has_the_name_that_the_runner_makes_of_it() -> None:
    """The runner writes names in upper case and keeps hyphens; others cannot."""
    option = BY_NAME["image-version-id"]
    assert option.input_variables == ("INPUT_IMAGE-VERSION-ID", "INPUT_IMAGE_VERSION_ID")


@pytest.mark.parametrize("option", [*OPTIONS, *SIMULATE_OPTIONS], ids=lambda option: option.name)
def test_help_is_one_sentence(option: Option) -> None:
    """The help stands in tables and lists, so it is one line, without a full stop or a pipe."""
    assert re.fullmatch(r"[A-Z][^\n|]*[^.\n|]", option.help)


def test_places_name_every_way_and_no_other() -> None:
    """What a problem advises is what is read."""
    assert BY_NAME["token"].places == "input `token` or environment CLANFORGE_TOKEN"
    assert BY_NAME["api-url"].places == "flag --api-url, input `api-url` or environment CFGATE_API_URL"
    assert BY_NAME["timeout"].places == (
        "flag --timeout, input `timeout`, environment CFGATE_TIMEOUT or key timeout in the config file"
    )


def test_settings_have_the_defaults_of_the_table() -> None:
    """`Settings` made by hand, as tests of other rooms do, are those of a user who gave nothing."""
    shown = {name: text for name, text, _ in describe(Settings(plans=(Plan(Target(9001)),)))}
    for option in OPTIONS:
        if option.default:
            assert option.parse(shown[option.name]) == option.parse(option.default)


def test_a_target_may_differ_in_everything_about_it() -> None:
    """What a target of the config file may hold is the contract, and one id is all that it takes."""
    assert {option.name for option in TARGET_OPTIONS} == {
        "image-version-id",
        "resource",
        "account-service-id",
        "timeout",
        "poll-interval",
        "max-interval",
        "error-tolerance",
        "not-found-grace",
        "stall-timeout",
        "queue-timeout",
    }
    assert not any(option.many or option.not_in_file for option in TARGET_OPTIONS)


def test_the_help_page_tells_everything() -> None:
    """Every option, default, exit code and command is on the page, which fits into 100 columns."""
    text = everything()
    for option in (*OPTIONS, *SIMULATE_OPTIONS):
        assert re.search(rf"{option.flag}[ ,]", text) if not option.secret else option.variable in text
        assert not option.secret or option.flag not in text
        assert not option.default or re.search(rf"\(default:\s+{re.escape(option.default)}\)", text)
    for status in GateStatus:
        assert re.search(rf"^ +{status.exit_code}  {status.label} ", text, re.MULTILINE)
    for command in ("[wait] [ID ...]", "check [ID ...]", "demo", "simulate"):
        assert f"  cfgate {command} " in text
    assert max(map(len, text.splitlines())) <= 100
    assert all(line == line.rstrip() for line in text.splitlines())


def laid_out(block: str) -> dict[str, str]:
    """Read a block of the help page back: names, and the explanations beside and below them."""
    found: dict[str, str] = {}
    name = ""
    for line in block.splitlines()[1:]:
        name = line[:32].strip() or name
        assert not line[32:33].isspace()
        found[name] = f"{found.get(name, '')} {line[32:]}".strip()
    return found


PAGES = ["", *TOPICS, *(command.word for command in Command)]


@pytest.mark.parametrize("columns", [40, 69, 70, 80, 100, 200])
@pytest.mark.parametrize("topic", PAGES)
def test_a_page_obeys_the_width(topic: str, columns: int) -> None:
    """No line is longer than the window, but for a word or an example that is; none has blanks at its end."""
    for line in page(topic, columns).splitlines():
        assert line == line.rstrip()
        assert (
            len(line) <= min(columns, 100) or " cfgate " in line or line.strip().startswith(("-", "*", "cf"))
        ), line


def test_a_page_uses_its_width() -> None:
    """A wider window has fewer lines, up to 100 columns."""
    heights = [len(page("wait", columns).splitlines()) for columns in (40, 70, 100, 200)]
    assert heights[0] > heights[1] > heights[2] == heights[3]


def test_the_overview_is_short() -> None:
    """It fits on one screen, has every command, and leads to every topic."""
    text = page()
    assert len(text.splitlines()) <= 40
    assert all(f" {topic}" in " ".join(text.split()) for topic in PAGES if topic)


@pytest.mark.parametrize("command", list(Command))
def test_the_page_of_a_command_is_about_that_command(command: Command) -> None:
    """It has the options that the command takes, and no other."""
    text = page(command.word)
    flags = set(re.findall(r"^[* ] (--[a-z-]+)", text, re.MULTILINE))
    assert flags == {option.flag for option in command.options if not option.secret}


def test_the_page_of_the_simulator_lists_the_scenarios() -> None:
    """Whoever asks what to play need not look elsewhere."""
    text = " ".join(page("simulate").split())
    assert all(f"{name} {load(name).description}" in text for name in names())


def test_the_topics_tell_everything_together() -> None:
    """Every option is on the page of a topic."""
    text = "".join(page(topic) for topic in TOPICS if topic != "all")
    assert all(
        (option.variable if option.secret else option.flag) in text
        for option in OPTIONS
        if option.section != WHAT
    )


def test_the_help_page_is_laid_out_by_sections() -> None:
    """Each section lists its options with their values in one column, and what they do in another."""
    intro, usage, *blocks, _, _, _, codes, examples = everything().split("\n\n")
    assert intro.startswith(f"cfgate {__version__}: ")
    assert usage.splitlines()[0] == "Usage"
    assert {name: text for name, text in laid_out(usage).items() if text} == {
        "cfgate [wait] [ID ...]": Command.WAIT.help,
        "cfgate check [ID ...]": Command.CHECK.help,
        "cfgate demo": Command.DEMO.help,
        "cfgate simulate": Command.SIMULATE.help,
    }
    titles = [*SECTIONS, "For cfgate simulate; cfgate demo takes --speed alone"]
    assert [block.splitlines()[0] for block in blocks] == titles
    listed = [[option for option in OPTIONS if option.section == title] for title in SECTIONS]
    for block, options in zip(blocks, [*listed, SIMULATE_OPTIONS], strict=True):
        texts = {
            option: f"{option.help} (default: {option.default})" if option.default else option.help
            for option in options
        }
        assert laid_out(block) == {
            f"{'' if option.secret or option.not_in_file else '* '}{spelled(option)}": text
            for option, text in texts.items()
        }
    assert codes.splitlines()[0] == "Exit codes"
    found = [int(code) for code in re.findall(r"^ +([0-9]+)  ", codes, re.MULTILINE)]
    assert found == sorted(status.exit_code for status in GateStatus)
    assert examples.splitlines()[0] == "Examples"
    assert len(re.findall(r"^  cfgate ", examples, re.MULTILINE)) >= 5


def spelled(option: Option) -> str:
    """Write an option as the help page does."""
    if option.secret:
        return option.variable
    return f"{option.flag}, --no-{option.name}" if option.boolean else f"{option.flag} {option.metavar}"


def test_the_help_page_marks_what_may_stand_in_the_file() -> None:
    """A star stands before exactly those flags that are keys of the config file too."""
    assert set(re.findall(r"^\* --([a-z-]+)", everything(), re.MULTILINE)) == IN_FILE


def test_every_option_has_a_section() -> None:
    """No option is lost between the sections of the help page, and no section is empty."""
    assert {option.section for option in OPTIONS} == set(SECTIONS)
