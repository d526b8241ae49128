"""The redactor: no form of a secret gets through, and nothing else is touched."""

from __future__ import annotations

import base64
import html
import json
import re
import urllib.parse
from collections.abc import Callable, Iterator

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cfgate.text import redaction
from cfgate.text.redaction import Redactor
from tests.support.canary import ACCESS_KEY, SECRET_KEY, TOKEN, found

SECRET = "wJal/Utn+F&K7=M >>>>????"  # its base64 holds + and / too
# Few characters, so that secrets meet each other, the mask and the syntax of addresses all the time.
DENSE = 'ab*@:/+=" \\é'
ANY_SECRET = (st.text(min_size=4, max_size=40) | st.text(alphabet=DENSE, min_size=4, max_size=8)).filter(
    lambda text: len(text.strip()) >= 4
)
ANY_TEXT = st.text() | st.text(alphabet=DENSE) | st.from_regex(r"(a+://[ab:]{0,3}@?)+", fullmatch=True)


def percent(text: str) -> str:
    """Escape as in a URL, every character that may be."""
    return urllib.parse.quote(text, safe="")


def small_percent(text: str) -> str:
    """Escape as in a URL, with small hexadecimal digits."""
    return re.sub("%..", lambda escape: escape[0].lower(), percent(text))


def b64(text: str) -> str:
    """Encode in base64."""
    return base64.b64encode(text.encode()).decode()


WAYS: dict[str, Callable[[str], str]] = {
    "raw": lambda s: s,
    "URL": percent,
    "URL, small hex digits": small_percent,
    "URL, with slashes": lambda s: urllib.parse.quote(s, safe="/"),
    "form": urllib.parse.quote_plus,
    "JSON": lambda s: json.dumps(s)[1:-1],
    "JSON, with escaped slashes": lambda s: json.dumps(s)[1:-1].replace("/", r"\/"),
    "JSON in JSON": lambda s: json.dumps(json.dumps(s))[3:-3],
    "URL in a URL": lambda s: percent(percent(s)),
    "XML": html.escape,
    "XML in XML": lambda s: html.escape(html.escape(s)),
    "XML, in numbers": lambda s: re.sub(r"\W", lambda m: f"&#{ord(m[0])};", s),
    "XML, in hexadecimal numbers": lambda s: re.sub(r"\W", lambda m: f"&#x{ord(m[0]):X};", s),
    "Python": lambda s: repr(s.encode())[2:-1],
    "Python, in ASCII": lambda s: ascii(s)[1:-1],
    "Python, in hexadecimal": lambda s: re.sub(r"\W", lambda m: f"\\x{ord(m[0]):02x}", s),
    "shell": lambda s: re.sub(r"(\W)", r"\\\1", s),
    "JSON, as Go writes it": lambda s: json.dumps(s)[1:-1].replace("&", r"\u0026"),
    "base64": b64,
    "base64 without padding": lambda s: b64(s).rstrip("="),
    "base64 for URLs": lambda s: b64(s).replace("+", "-").replace("/", "_"),
    "base64 in a URL": lambda s: percent(b64(s)),
    "base64 in JSON": lambda s: b64(s).replace("/", r"\/"),
}


@pytest.mark.parametrize("secret", [SECRET, f"{SECRET}x", f"{SECRET}xy", "né'1 😀 \t&"])
@pytest.mark.parametrize("way", WAYS)
def test_a_secret_is_masked_in_every_way_to_write_it(way: str, secret: str) -> None:
    """Whatever the API does to a secret before it sends it back, only the mask is seen."""
    assert Redactor([secret])(f"<{WAYS[way](secret)}>") == "<***>"


@pytest.mark.parametrize("way", ["raw", "URL", "JSON", "XML", "Python", "base64"])
@given(secret=ANY_SECRET, before=ANY_TEXT, after=ANY_TEXT)
def test_no_form_of_any_secret_survives(way: str, secret: str, before: str, after: str) -> None:
    """Any secret, in any text, written in any of the usual ways, is gone."""
    form = WAYS[way](secret)
    assert form not in Redactor([secret])(before + form + after)


@pytest.mark.parametrize(
    "before", ["Authorization: ", "Authorization: Bearer ", "s3://", "s3://key:", "://", ""]
)
@pytest.mark.parametrize("after", ["", "@bucket", '"', "/x@y"])
@pytest.mark.parametrize("secret", [ACCESS_KEY, SECRET_KEY, TOKEN, "Canary7d1f9A;,Key5b1c4Q"])
def test_no_part_of_a_secret_survives(before: str, after: str, secret: str) -> None:
    """What looks like credentials around a secret takes it as a whole."""
    assert not found(Redactor([secret])(f"a {before}{secret}{after} b"))


@given(secret=ANY_SECRET, before=st.binary(max_size=8), after=st.binary(max_size=8))
def test_no_secret_survives_inside_base64(secret: str, before: bytes, after: bytes) -> None:
    """From a base64 text that holds a secret among other things, the secret cannot be decoded any more."""
    text = base64.b64encode(before + secret.encode() + after).decode()
    left = Redactor([secret])(text)
    assert left != text
    for part in left.rstrip("=").split("***"):
        for start in range(4):
            end = len(part) - (len(part) - start) % 4
            assert secret.encode() not in base64.b64decode(part[start:end])


@pytest.mark.parametrize("before", range(4))
@pytest.mark.parametrize("after", range(4))
@pytest.mark.parametrize("secret", [SECRET, f"{SECRET}x", f"{SECRET}xy"])
def test_of_base64_with_a_secret_only_what_tells_of_its_neighbours_is_left(
    before: int, after: int, secret: str
) -> None:
    """Each character that is left holds bits of what stands before the secret or behind it."""
    whole = base64.b64encode(b"<" * before + secret.encode() + b"\xff" * after).decode().rstrip("=")
    first, end = -(-before * 8 // 6), (before + len(secret)) * 8 // 6
    if before in (0, 3) and not after:
        end = len(whole)  # nothing stands behind it
    assert Redactor([secret])(whole) == f"{whole[:first]}***{whole[end:]}"


@given(secrets=st.lists(ANY_SECRET, max_size=4), text=ANY_TEXT)
@example(secrets=["****"], text="*****")
@example(secrets=["a***b", "cccc"], text="accccb")
@example(secrets=["a://", "***@"], text="a://b@")
def test_nothing_is_left_to_mask(secrets: list[str], text: str) -> None:
    """What comes out holds no secret, not even one that the masks themselves have made, and is stable."""
    redact = Redactor(secrets)
    once = redact(text)
    assert redact(once) == once
    assert not any(secret in once for secret in secrets)


@given(text=st.text(alphabet=st.characters(exclude_characters=":=*")))
def test_text_without_secrets_is_left_as_it_is(text: str) -> None:
    """Where there is neither a secret nor something that looks like one, nothing changes."""
    assert Redactor([SECRET, "***:***"])(text) == text


@pytest.mark.parametrize("short", ["", "a", "key", "   ", "      "])
def test_what_is_too_short_to_be_a_secret_is_left_alone(short: str) -> None:
    """A missing or tiny secret does not shred the text."""
    text = "a key to      many: things"
    assert Redactor([short])(text) == text


def test_the_longest_secret_is_masked_first() -> None:
    """Of a secret that begins like another one, no rest stays behind."""
    assert Redactor(["abcdef", "abcdefghij"])("abcdefghij abcdef") == "*** ***"


def test_a_basic_header_shows_neither_half() -> None:
    """With the pair as a secret too, the value of a Basic header goes as a whole."""
    pair = "AKEY1234:SECRET/5678"
    redact = Redactor(["AKEY1234", "SECRET/5678", pair])
    assert redact(f"got {b64(pair)} from you") == "got *** from you"
    assert redact(f"got {pair} from you") == "got *** from you"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("no access to s3://AKIA:se/cr+et@bucket/path", "no access to s3://***@bucket/path"),
        ("https://user:p%40ss@host:8080/x?y=a@b", "https://***@host:8080/x?y=a@b"),
        ("https://user:p@ss@host/", "https://***@host/"),
        ("git clone https://token@host/x.git", "git clone https://***@host/x.git"),
        ('{"a":"ftp://u:p@h","b":"u@h"}', '{"a":"ftp://***@h","b":"u@h"}'),
        ("https://host:8080/path/name@example.com", "https://host:8080/path/name@example.com"),
        ("https://host/path:x/name@example.com", "https://host/path:x/name@example.com"),
        ("mail to name@example.com: done", "mail to name@example.com: done"),
        ("see https://host: somebody@host said so", "see https://host: somebody@host said so"),
        (r'{"u":"s3:\/\/AKIA:se\/cret@bucket"}', r'{"u":"s3:\/\/***@bucket"}'),
        (r'"{\"u\":\"s3:\\\/\\\/AKIA:secret@b\"}"', r'"{\"u\":\"s3:\\\/\\\/***@b\"}"'),
        ("?u=https%3A%2F%2Fu%3Ap%2Fq%40host%2Fx", "?u=https%3A%2F%2F***%40host%2Fx"),
        ("?u=https%253a%252f%252fu%2540v%253ap%2540h", "?u=https%253a%252f%252f***%2540h"),
        ("?u=https%3A%2F%2Fhost%3A8080%2Fx%40y", "?u=https%3A%2F%2Fhost%3A8080%2Fx%40y"),
        ("?u=https%3A%2F%2Fhost%2Fx%3Ay%40z", "?u=https%3A%2F%2Fhost%2Fx%3Ay%40z"),
        ("http://[::1]:8080/x@y", "http://[::1]:8080/x@y"),
        ("redis://:pass@[::1]:6379/0", "redis://***@[::1]:6379/0"),
        ("mongodb://u:p@h1,u:q@h2/db", "mongodb://***@h2/db"),
    ],
)
def test_user_and_password_of_an_address_are_masked(text: str, expected: str) -> None:
    """Credentials of anybody in an address are masked; ports, paths and mail addresses are not."""
    assert Redactor([])(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Authorization: Basic YWJjOmRlZg==\nHost: x", "Authorization: ***\nHost: x"),
        ("authorization:Bearer abc.def was refused", "authorization:*** was refused"),
        ("Proxy-Authorization: opaque", "Proxy-Authorization: ***"),
        ('{"Authorization": "Basic YWJj", "a": 1}', '{"Authorization": "***", "a": 1}'),
        ("{'Authorization': 'YWJj'}", "{'Authorization': '***'}"),
        ("curl -H 'Authorization: Bearer abc' url", "curl -H 'Authorization: ***' url"),
        (r'"{\"Authorization\": \"Basic YWJj\"}"', r'"{\"Authorization\": \"***\"}"'),
        ('Authorization: Digest username="a", response="b"\nHost: x', "Authorization: ***\nHost: x"),
        ("Authorization failed for image 7", "Authorization failed for image 7"),
    ],
)
def test_the_value_of_an_authorization_header_is_masked(text: str, expected: str) -> None:
    """A header that somebody quotes loses its value, also when it is not one of ours."""
    assert Redactor([])(text) == expected


def test_a_secret_that_is_no_utf8_is_masked() -> None:
    """A secret with bytes that the environment could not decode makes no trouble."""
    secret = b"k\xffey-in-latin1".decode(errors="surrogateescape")
    assert Redactor([secret])(f"<{secret}>") == "<***>"


HOST = st.from_regex(r"[a-z]{1,8}(\.[a-z]{1,5})?(:[0-9]{1,5})?", fullmatch=True)
PASSWORD = st.text(
    st.characters(codec="ascii", categories=["L", "N", "P", "S"], exclude_characters='<>@"#?/\\')
)


@given(
    scheme=st.from_regex("[a-z][a-z0-9+]{0,5}", fullmatch=True), user=PASSWORD, password=PASSWORD, host=HOST
)
def test_any_user_and_password_go_whole(scheme: str, user: str, password: str, host: str) -> None:
    """Whatever stands before the host of an address of whatever scheme, nothing is left of it."""
    text = f"see {scheme}://{user}:{password}@{host}/a/b, please"
    assert Redactor([])(text) == f"see {scheme}://***@{host}/a/b, please"
    quoted = urllib.parse.quote(f"{scheme}://{user}:{password}@{host}/a", safe="")
    assert Redactor([])(f"?x={quoted}&y=1") == f"?x={percent(scheme)}%3A%2F%2F***%40{percent(host)}%2Fa&y=1"


@given(
    st.lists(
        HOST.map(lambda host: f"https://{host}/a/b.html?x=1&y=me@{host}#z")
        | HOST.map(lambda host: f"me@{host}")
        | st.sampled_from(
            ["12:31:07", "C:\\build\\out", "/var/log/x@2.log", "a::b", "git@host:me/x.git", "100%"]
        )
    ).map(" ".join)
)
def test_ordinary_addresses_are_left_as_they_are(text: str) -> None:
    """Links, mail addresses, times and paths are no credentials."""
    assert Redactor([SECRET])(text) == text


BAITS = [
    "://x:",
    "://x@",
    "://",
    "%3A%2F%2F",
    "%3a%2f%2fx%3a",
    "authorization: basic ",
    "wJal/",
    "***",
    "\\",
    "&amp;",
]


@pytest.mark.parametrize("bait", BAITS)
def test_a_hostile_text_does_not_hang_the_search(bait: str) -> None:
    """A large text full of beginnings that never end is gone through, and what comes behind it is found."""
    text = bait * ((1 << 18) // len(bait))
    assert Redactor([SECRET])(f"{text}\n s3://me:it@x {SECRET}").endswith(" s3://***@x ***")


@pytest.mark.parametrize("end", ["@", "%40", "@" * 1000, "%2540"])
@pytest.mark.parametrize("bait", [*BAITS, "://a:", "://x", "%3a%2f%2fa%3a", "%253A%252F%252Fa", "://a:b/"])
def test_masks_do_not_make_their_way_through_a_text(bait: str, end: str) -> None:
    """What stands before an address that is masked is no user name of it, not even a piece in each pass."""
    redact = Redactor([SECRET])
    redact._forms = passes = Counted(redact._forms)
    redact(bait * 5000 + end)
    assert passes.rounds <= 3


def test_a_text_that_can_always_be_masked_once_more_is_masked_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is a bound to the passes, whatever somebody may think of, and nothing comes out unmasked."""
    monkeypatch.setattr(redaction, "_PASSES", 1)
    assert Redactor([SECRET])(f"a {SECRET} b") == "***"
    assert Redactor([SECRET])("a b") == "a b"


class Counted(list[tuple[str, str]]):
    """A list that counts how often somebody goes through it."""

    rounds = 0

    def __iter__(self) -> Iterator[tuple[str, str]]:
        self.rounds += 1
        return super().__iter__()


@given(
    st.lists(
        st.sampled_from([*BAITS, "@", "a", ":", "/", '"', SECRET, "x" * 90, "authorization:"]), max_size=30
    )
)
@example(["://a:authorization:", "x" * 90, "/", "x" * 90, "@"])
def test_masks_do_not_go_on_making_more_to_mask(pieces: list[str]) -> None:
    """However a text is made, it is gone through a few times, not once for each of its parts."""
    redact = Redactor([SECRET])
    redact._forms = passes = Counted(redact._forms)
    redact("".join(pieces))
    assert passes.rounds <= 5


def test_half_a_pair_of_surrogates_is_a_secret_like_any_other() -> None:
    """A YAML file may hold what no environment does: it is masked, and no bug."""
    secret = "swap\ud800ped-key"
    assert Redactor([secret])(f"<{secret}>") == "<***>"
