"""Every kind of value: what is read, what is refused, and that nothing else can happen."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cfgate.settings import parsers
from cfgate.settings.address import api_url, page_url
from cfgate.settings.options import BY_NAME, OPTIONS, SIMULATE_OPTIONS
from cfgate.system.loopback import is_loopback
from cfgate.text.wording import Wrong
from tests.support import posix

WEEK = 7 * 24 * 3600


def refusal(parse: Callable[[str], Any], text: str) -> str:
    """Return what a parser says against a text."""
    with pytest.raises(Wrong) as caught:
        parse(text)
    return str(caught.value)


@pytest.mark.parametrize("text", ["7d1s", "168h1s", "999999999h"])
def test_a_duration_without_measure_is_refused(text: str) -> None:
    """A week is the longest wait."""
    assert refusal(parsers.duration, text) == "is too long: 7d at most"


@pytest.mark.parametrize("text", ["999m", "0.999s", "0"])
def test_an_interval_has_a_least(text: str) -> None:
    """A pause of less than a second is refused, and a longer one is read."""
    if text == "999m":
        assert parsers.interval(text) == 59940
    else:
        assert refusal(parsers.interval, text) == "is too short: 1s at least"


def test_a_request_needs_time() -> None:
    """A request time-out of 0 would leave no time for any answer."""
    assert "too short" in refusal(parsers.request_timeout, "0")
    assert parsers.request_timeout("0.1s") == 0.1


def test_auto_and_off_are_none() -> None:
    """`auto` for the pause, `off` and `0` for the stall time-out mean that there is no such number."""
    assert parsers.auto_or_interval("auto") is None
    assert parsers.auto_or_interval("10s") == 10
    assert parsers.off_or_duration("off") is None
    assert parsers.off_or_duration("0") is None
    assert parsers.off_or_duration("20m") == 1200


@pytest.mark.parametrize(
    "text", ["0", "+1", "-1", "1.0", "1e3", "9_001", "0x1", "١", "²", "1" * 19, "a", "1 2"]
)
def test_an_id_is_a_plain_number(text: str) -> None:
    """Signs, leading zeros, digits of other scripts and numbers beyond all ids are refused."""
    assert "is not an id" in refusal(parsers.number, text)


@settings(deadline=None)
@given(st.integers(1, 10**18 - 1))
def test_every_id_is_read(value: int) -> None:
    """A positive number of up to 18 digits is an id."""
    assert parsers.number(str(value)) == value


@settings(deadline=None)
@given(
    st.lists(st.integers(1, 10**18 - 1), min_size=1, max_size=500),
    st.sampled_from([",", " ", "\n", ", ", ",\r\n", " ,, \t"]),
)
def test_a_list_of_ids_keeps_its_order(ids: list[int], separator: str) -> None:
    """Ids are parted by comma, blank or newline, and more than one of them does no harm."""
    assert parsers.numbers(separator.join(map(str, ids)) + separator) == tuple(ids)


def test_the_wrong_id_in_a_list_is_named() -> None:
    """A list is refused for the one word in it that is no id."""
    with pytest.raises(Wrong) as caught:
        parsers.numbers("9001, x9, 9002")
    assert caught.value.part == "x9"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (" ,\n", "names no id: write ids by comma, blank or newline, such as 9001,9002"),
        ("1 " * 501, "names 501 ids: 500 at most"),
    ],
)
def test_a_list_of_ids_has_a_size(text: str, why: str) -> None:
    """A list of none and a list without measure are refused; one of 500 is the longest."""
    assert refusal(parsers.numbers, text) == why
    assert parsers.numbers("1 " * 500) == (1,) * 500


@pytest.mark.parametrize("text", ["image_update", "Image Update", "img_upd", "img upd", "imageupdate"])
def test_a_misspelt_resource_is_guessed(text: str) -> None:
    """What has capitals, underscores or blanks, or is short for one, is asked back and not taken."""
    assert refusal(parsers.resource, text) == "is not a resource: did you mean image-update?"


@pytest.mark.parametrize("text", ["true", "True", "TRUE", "false", "False", "FALSE"])
def test_booleans_are_those_of_the_toolkit(text: str) -> None:
    """GitHub's three spellings of each are read."""
    assert parsers.yes_or_no(text) is (text.lower() == "true")


@pytest.mark.parametrize("text", ["yes", "no", "on", "1", "0", "tRUE", "t"])
def test_no_other_boolean_is_read(text: str) -> None:
    """What others take for a boolean is refused."""
    assert refusal(parsers.yes_or_no, text) == "is neither true nor false"


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("https://api.multiplay.co.uk", "https://api.multiplay.co.uk"),
        ("HTTPS://API.example.COM/", "https://api.example.com"),
        ("https://api.example.com:443", "https://api.example.com"),
        ("https://api.example.com:8443/", "https://api.example.com:8443"),
        ("https://[2001:DB8::1]:8443", "https://[2001:db8::1]:8443"),
        ("http://localhost:8080", "http://localhost:8080"),
        ("http://127.8.9.10:1", "http://127.8.9.10:1"),
        ("http://[::1]:8080", "http://[::1]:8080"),
        ("http://127.0.0.1:80/", "http://127.0.0.1"),
    ],
)
def test_an_address_is_read_in_its_shortest_form(text: str, url: str) -> None:
    """Scheme, host and port are kept, in lower case, without what goes without saying."""
    assert api_url(text) == url
    assert api_url(url) == url


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("http://api.example.com", "is not https"),
        ("http://127.0.0.1.example.com", "is not https"),
        ("http://localhost.example.com", "is not https"),
        ("http://127.1", "is not https"),
        ("http://2130706433", "is not https"),
        ("http://0.0.0.0", "is not https"),
        ("https://api.example.com/cfp/v1", "has a path"),
        ("https://api.example.com//", "has a path"),
        ("https://api.example.com?", "goes on after"),
        ("https://api.example.com/#top", "goes on after"),
        ("https://api.example.com:0", "has port 0"),
        ("https://api.example.com:99999", "is not an address"),
        ("https://api.example.com:+443", "is not an address"),
        ("https://[::1", "is not an address"),
        ("https://[::1%25lo]", "has no host name"),
        ("https://", "is not an address"),
        ("https://:443", "has no host name"),
        ("https:api.example.com", "is not an address"),
        ("api.example.com", "is not an address"),
        ("ftp://api.example.com", "is not an address"),
        ("file:///etc/passwd", "is not an address"),
        ("https://api.example.com\\.evil.example", "has characters"),
        ("https://api.exa\tmple.com", "has characters"),
        ("https://bücher.example", "has characters"),
        ("https://api%2eexample.com", "has no host name"),
        ("https://-api.example.com", "has no host name"),
    ],
)
def test_an_address_that_is_not_safe_is_refused(text: str, why: str) -> None:
    """Whatever could send the credentials in the open, elsewhere, or nowhere is refused."""
    assert refusal(api_url, text).startswith(why)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("https://user:hunter2@api.example.com", ""),
        ("https://api.example.com\\@evil.example", ""),
        ("https://api.example.com?token=hunter2", "https://api.example.com"),
        ("ftp://api.example.com/#hunter2", "ftp://api.example.com/"),
    ],
)
def test_an_address_is_shown_without_what_may_be_secret(text: str, part: str) -> None:
    """User name, password, query and fragment are not part of what a problem may show."""
    with pytest.raises(Wrong) as caught:
        api_url(text)
    assert caught.value.part == part
    assert "hunter2" not in str(caught.value)


@settings(deadline=None)
@given(st.text(min_size=1) | st.from_regex(r"https?://[ -~]{1,30}", fullmatch=True))
@example("http://[::ffff:127.0.0.1]")
@example("https://\u2488.example")
def test_an_address_is_read_or_refused(text: str) -> None:
    """Any text is refused, or becomes an address that is https or loopback, and reads back as itself."""
    try:
        url = api_url(text)
    except Wrong:
        return
    host = url.partition("://")[2]
    assert (
        url.startswith("https://")
        or is_loopback(host.rsplit(":", 1)[0].strip("[]"))
        or is_loopback(host.strip("[]"))
    )
    assert not set("@?#\\ ") & set(url)
    assert api_url(url) == url


@pytest.mark.parametrize(
    "text",
    [
        "https://example.com",
        "https://example.com:8443/versions/{id}?tab=jobs&x=%20#{id}",
        "https://{id}.example.com",
        "https://example.com/" + "x" * 480,
    ],
)
def test_the_address_of_a_page_is_kept_as_it_is(text: str) -> None:
    """A page may be anywhere that https leads to."""
    assert page_url(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "http://example.com/{id}",
        "javascript:alert(1)",
        "//example.com/{id}",
        "https:///{id}",
        "https://user:hunter2@example.com/",
        "https://example.com@evil.example/",
        "https://example.com/{asid}",
        "https://example.com/a b",
        "https://example.com/)",
        "https://example.com/<b>",
        "https://example.com/\u202e",
        "https://example.com/\n",
        "https://example.com:{id}/",
        "https://example.com/" + "x" * 481,
    ],
)
def test_what_could_deceive_is_no_link(text: str) -> None:
    """A link has no user name, and nothing in it that a document would have to escape."""
    assert "hunter2" not in refusal(page_url, text)


@pytest.mark.parametrize("text", ["two words", "line\nbreak", "Bearer abc", "nul\0", "kéy"])
def test_a_credential_is_one_word(text: str) -> None:
    """A credential that would break a header is refused, and not repeated."""
    assert text not in refusal(parsers.credential, text)


def test_an_access_key_has_no_colon() -> None:
    """HTTP Basic ends the user name at the first colon, so both halves in one are refused."""
    assert refusal(parsers.access_key, "key:secret") == (
        "has a colon: give the access key here and the secret key as `secret-key`"
    )
    assert parsers.credential("sec:ret") == "sec:ret"


@pytest.mark.parametrize("text", ["CFGATE", "LINUX", "CFGATE_PC", "A", "GATE_2_B", "A" * 40])
def test_a_prefix_makes_names_of_variables(text: str) -> None:
    """Capitals, digits and single underscores make names that GitLab and every shell take."""
    assert parsers.prefix(text) == text


@pytest.mark.parametrize("text", ["linux", "A-B", "_A", "A_", "A__B", "1A", "Ä", "A B", "A=", "A\n"])
def test_what_begins_no_name_is_no_prefix(text: str) -> None:
    """What cannot begin the name of a variable is refused, and so is what would fill the report."""
    assert refusal(parsers.prefix, text).startswith("is not a prefix for variables: ")
    assert refusal(parsers.prefix, "A" * 41) == "is too long: 40 characters at most"


@pytest.mark.parametrize("text", ["INPUT", "CI_JOB", "GITLAB", "CLANFORGE", "GITHUB_X", "RUNNER"])
def test_a_prefix_takes_no_names_of_others(text: str) -> None:
    """Names that a later gate or the host would read as settings are refused."""
    assert refusal(parsers.prefix, text).startswith("is reserved: ")


@pytest.mark.parametrize("path", ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1", r"\dev\stdout", "/dev/null"])
def test_windows_has_no_streams_among_its_files(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """There it would be a file in a folder that nobody looks into, made without a word."""
    monkeypatch.setattr(sys, "platform", "win32")
    for parse in (parsers.report_path, parsers.result_path):
        assert refusal(parse, path).startswith("is no file on Windows: name one;")
    assert parsers.report_path(r"C:\dev\report.json") == r"C:\dev\report.json"


def test_a_report_goes_to_a_file(tmp_path: Path) -> None:
    """A directory, an impossible name and, but for the result, stdout are refused before the wait."""
    assert refusal(parsers.report_path, str(tmp_path)) == "is a directory: name a file in it"
    assert refusal(parsers.report_path, "-") == "is no file: only `result-file` can be `-`, for stdout"
    assert refusal(parsers.report_path, "a\0b") == "has characters that cannot be printed"
    assert parsers.result_path("-") == "-"
    for name in ("report.xml", "new.xml", "reports/new.xml"):
        assert parsers.report_path(f"{tmp_path}/{name}") == f"{tmp_path}/{name}"


@posix.only("Windows says of both that there is no such file, which it says again when it is written")
def test_a_path_that_leads_nowhere_is_refused(tmp_path: Path) -> None:
    """Neither a name that is too long nor a file in the place of a folder is found out only at the end."""
    assert refusal(parsers.report_path, "x" * 300) == "cannot be written: File name too long"
    (tmp_path / "report.xml").touch()
    inside = f"{tmp_path}/report.xml/report.xml"
    assert refusal(parsers.report_path, inside) == "cannot be written: Not a directory"


def test_a_ca_bundle_can_be_read(tmp_path: Path) -> None:
    """A CA file that is not there, or is a directory, is refused with the system's own words."""
    assert (
        refusal(parsers.readable_file, f"{tmp_path}/none.pem") == "cannot be read: No such file or directory"
    )
    folder = os.strerror(posix.NO_FILE_NUMBER)
    assert refusal(parsers.readable_file, str(tmp_path)) == f"cannot be read: {folder}"
    (tmp_path / "ca.pem").write_text("-----BEGIN CERTIFICATE-----\n")
    assert parsers.readable_file(f"{tmp_path}/ca.pem") == f"{tmp_path}/ca.pem"


@posix.only("Windows has no /dev/fd")
def test_a_ca_bundle_may_be_a_pipe() -> None:
    """What a shell makes of `<(…)` can be read once, and that is left to TLS."""
    reader, writer = os.pipe()
    try:
        os.write(writer, b"-----BEGIN CERTIFICATE-----\n")
        assert parsers.readable_file(f"/dev/fd/{reader}") == f"/dev/fd/{reader}"
        assert os.read(reader, 100) == b"-----BEGIN CERTIFICATE-----\n"
    finally:
        os.close(reader)
        os.close(writer)


def test_a_scenario_is_one_that_can_be_played(tmp_path: Path) -> None:
    """Every problem of a scenario is found when the settings are read; a good one keeps its name."""
    assert parsers.scenario("flaky") == "flaky"
    assert refusal(parsers.scenario, "redy").startswith(
        "cannot be played: there is no such scenario: did you"
    )
    written = tmp_path / "mine.yml"
    written.write_text("lif: []\nspeed: 1\n", "utf-8")
    assert refusal(parsers.scenario, str(written)).startswith(
        "cannot be played: key lif from line 1, column 1 is unknown: did you mean life?; key speed "
    )


def test_ports_and_speeds_have_bounds() -> None:
    """The simulator listens on a port that exists, and its time neither stands still nor flies."""
    assert [parsers.port("0"), parsers.port("65535")] == [0, 65535]
    assert [parsers.speed(text) for text in ("0.001", "0.5", "1000")] == [0.001, 0.5, 1000]
    for text in ("65536", "-1", "8o8o", "٨"):
        assert refusal(parsers.port, text) == (
            "is not a port: write a whole number from 0 (any free one) to 65535"
        )
    for text in ("0", "0.0", "1000.001", "-1", "nan", "fast"):
        assert refusal(parsers.speed, text) == (
            "is not a speed: write a number above 0, 1000 at most, such as 1, 0.5 or 20"
        )


@pytest.mark.parametrize("name", [option.name for option in (*OPTIONS, *SIMULATE_OPTIONS)])
@settings(deadline=None, max_examples=50)
@given(text=st.text(min_size=1).map(str.strip).filter(bool))
def test_every_parser_reads_or_refuses(name: str, text: str) -> None:
    """No parser of the table raises anything but `Wrong`, whatever it is given."""
    option = next(option for option in (*OPTIONS, *SIMULATE_OPTIONS) if option.name == name)
    with suppress(Wrong):
        option.parse(text)


def test_every_default_is_read() -> None:
    """What the table gives as a default, its own parser reads."""
    for option in (*OPTIONS, *SIMULATE_OPTIONS):
        if option.default:
            option.parse(option.default)
    assert BY_NAME["timeout"].parse(BY_NAME["timeout"].default) == 3600


@pytest.mark.parametrize("text", ['"k3y-5ecret"', "'k3y-5ecret'"])
@pytest.mark.parametrize("parse", [parsers.credential, parsers.access_key, parsers.token])
def test_a_credential_in_quotes_is_refused_with_the_reason(parse: Callable[[str], str], text: str) -> None:
    """An env file of docker keeps them, and the API would refuse the keys."""
    with pytest.raises(Wrong, match="stands in quotes, which are part of the value"):
        parse(text)


@pytest.mark.parametrize("text", ["Bearer k3y", "bearer k3y"])
def test_a_token_with_its_scheme_is_refused_with_the_reason(text: str) -> None:
    """Copied from a header, as it often is."""
    with pytest.raises(Wrong, match="begins with `Bearer `"):
        parsers.token(text)


@pytest.mark.parametrize("text", ["00042", "09001"])
def test_an_id_that_begins_with_a_zero_is_refused_with_the_reason(text: str) -> None:
    """Some tool has padded it, and it may be another one's."""
    with pytest.raises(Wrong, match="begins with a zero"):
        parsers.number(text)
