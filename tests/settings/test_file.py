"""The config file: what it gives, and that whatever is wrong with it is a problem with a place."""

from __future__ import annotations

import os
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from cfgate.settings.file import read_file
from cfgate.settings.layers import FileFindings
from cfgate.text.wording import Wrong
from tests.support import posix

Write = Callable[[str | bytes], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Return a function that writes a config file."""

    def _write(content: str | bytes) -> Path:
        path = tmp_path / "gate.yml"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return _write


@pytest.fixture
def read(write: Write, monkeypatch: pytest.MonkeyPatch) -> Callable[[str | bytes], FileFindings]:
    """Return a function that reads a config file of this content, by a name without a directory."""

    def _read(content: str | bytes) -> FileFindings:
        monkeypatch.chdir(write(content).parent)
        return read_file("gate.yml")

    return _read


Read = Callable[[str | bytes], FileFindings]


def nothing(found: FileFindings) -> bool:
    """Whether a file has given nothing at all, and there is nothing wrong with it."""
    return not (found.layer or found.targets or found.refused or found.problems)


def test_values_are_taken_as_they_are_written(read: Read) -> None:
    """YAML 1.1's own ideas of `1:30`, `yes`, `010` and dates do not reach the parsers."""
    texts = {"timeout": "1:30", "fail-fast": "yes", "account-service-id": "010", "max-interval": "2026-01-01"}
    findings = read("".join(f"{key}: {text}\n" for key, text in texts.items()))
    assert {name: given.text for name, given in findings.layer.items()} == texts
    assert findings.problems == []


def test_a_value_knows_its_place(read: Read) -> None:
    """The log learns the file, and a problem the line, the column and the key of a value."""
    given = read("# a comment\n\ntimeout:   90\n").layer["timeout"]
    assert given.source == "file gate.yml"
    assert given.where == "file gate.yml, line 3, column 12, key timeout"


@pytest.mark.parametrize(
    "text", ["[9001, 9002]", "\n- 9001\n- '9002'\n-\n", "9001,9002", "&ids [9001, 9002]", '"9001,9002"']
)
def test_ids_may_be_a_list(read: Read, text: str) -> None:
    """Ids are a list or a text, and an empty entry counts as nothing."""
    assert read(f"image-version-id: {text}").layer["image-version-id"].text == "9001,9002"


@pytest.mark.parametrize(
    "content", ["", "# nothing\n", "---\n", "timeout:\n", "timeout: ~\n", "timeout: ' '\n"]
)
def test_nothing_is_not_given(read: Read, content: str) -> None:
    """An empty file, an empty value and null give nothing, and are no problem."""
    assert nothing(read(content))


def test_a_file_of_windows_is_read(read: Read) -> None:
    """A byte order mark and CRLF do no harm."""
    assert read(b"\xef\xbb\xbftimeout: 45m\r\n").layer["timeout"].text == "45m"


def test_an_alias_is_one_more_way_to_write_a_value(read: Read) -> None:
    """Anchors work for plain values."""
    assert read("max-interval: &t 20s\nrequest-timeout: *t\n").layer["request-timeout"].text == "20s"


@pytest.mark.parametrize(
    ("key", "advice"),
    [
        ("timout", "did you mean timeout?"),
        ("image_version_id", "did you mean image-version-id?"),
        ("max_int", "did you mean max-interval?"),
        ("Fail-Fast", "did you mean fail-fast?"),
        ("colour", "there are image-version-id, resource, account-service-id, timeout, "),
        ("target", "did you mean targets?"),
        ("<<", "there are "),
        ("''", "there are "),
        ("x" * 60, "there are "),
    ],
)
def test_an_unknown_key_is_a_problem(read: Read, key: str, advice: str) -> None:
    """A misspelt key is named with its place and the key that was meant, or else all there are."""
    (problem,) = read(f"max-interval: 9s\n{key}: 1").problems
    assert problem.startswith(f"key {key} from file gate.yml, line 2, column 1 is unknown: ")
    assert advice in problem


def test_a_key_given_twice_is_a_problem(read: Read) -> None:
    """The second is refused, for nobody can know which of the two is meant."""
    findings = read("timeout: 5m\nfail-fast: true\ntimeout: 9m\n")
    assert findings.problems == [
        "key timeout from file gate.yml, line 3, column 1 was there before, in line 1: keep one of the two"
    ]
    assert findings.layer["timeout"].text == "5m"


@pytest.mark.parametrize(
    ("key", "value", "why", "secrets"),
    [
        ("token", "hunter2", "is a credential", {"hunter2"}),
        ("token", "[hunter2]", "is a credential", set()),
        ("access-key", "hunter2", "is a credential", {"hunter2"}),
        ("secret-key", "hunter2", "is a credential", {"hunter2"}),
        ("api-url", "https://me:hunter2@h", "could send them away", {"me:hunter2", "me", "hunter2"}),
        ("rehearse", "hunter2", "a pull request could do so", set()),
        ("ca-bundle", "hunter2", "a pull request could add its own", set()),
        ("result-file", "hunter2", "could overwrite files", set()),
        ("config", "hunter2", "one does not lead to another", set()),
    ],
)
def test_what_a_pull_request_must_not_change_is_refused(
    read: Read, key: str, value: str, why: str, secrets: set[str]
) -> None:
    """What guards the gate and its credentials is refused with the reason and the right places."""
    findings = read(f"{key}: {value}\n")
    (problem,) = findings.problems
    assert why in problem
    assert f"input `{key}`" in problem
    assert "hunter2" not in problem
    assert findings.layer == {}
    assert findings.refused - {""} == secrets  # so that they can be hidden


@pytest.mark.parametrize(
    "value", ["[5m]", "{a: 5m}", "!!binary aGk=", "!!python/name:os.system ''", "!custom 5m", "!!set {a}"]
)
def test_only_a_plain_value_is_a_value(read: Read, value: str) -> None:
    """Lists, mappings and tagged values are refused where one value belongs, and never built."""
    findings = read(f"timeout: {value}\n")
    assert findings.problems == [
        "the value from file gate.yml, line 1, column 10, key timeout cannot be used: write one plain value"
    ]
    assert findings.layer == {}


@pytest.mark.parametrize("value", ["[[1]]", "[{a: 1}]", "{a: 1}", "&a [*a]"])
def test_a_list_of_ids_is_flat(read: Read, value: str) -> None:
    """Ids in lists within lists are refused, even in one that holds itself."""
    (problem,) = read(f"image-version-id: {value}\n").problems
    assert problem.endswith("write one plain value, or a list of them")


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("just words", "has no options"),
        ("- timeout: 5m", "has no options"),
        ("a: b: c", "is not YAML, line 1, column 5: a `:` where none can stand"),
        ("timeout: 5m\n---\ntimeout: 6m\n", "is not YAML, line 2, column 1: a second document begins"),
        ("timeout: *gone", "is not YAML, line 1, column 10: an alias (`*`) that is defined"),
        ("timeout: '\x01'", "is not YAML: it has characters that cannot be printed"),
        (r'timeout: "\U7fffffff"', "is not YAML: it has a number that means nothing"),
        (b"\xff\xfet\0", "is not UTF-8, at byte 1"),
        ("[" * 20_000, "is nested too deeply"),
        ("[" * 102 + "]" * 102, "is nested too deeply"),
        ("#" * 131_073, "is larger than 128 KiB"),
        ("".join(f"k{n}: 1\n" for n in range(101)), "has more than 100 keys"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused(write: Write, content: str | bytes, why: str) -> None:
    """What is no YAML, no mapping, too large or too deep is refused as a whole."""
    with pytest.raises(Wrong) as caught:
        read_file(str(write(content)))
    assert str(caught.value).startswith(why)


QUOTED = "theSecretOfSomebody93"


@pytest.mark.parametrize(
    "line",
    [
        "*Q", "&Q a\nb: &Q c", "!Q!x a", "@Q", "`Q", "%Q", "a: Q: b",
        "'Q", '"Q\\q"', "[Q", "{Q", "|Q", ">Q",
        "\tQ\n\t- Q", "!<Q", "x\n Q: Q", "- Q", '"\\xQ"', "x\n...\nQ", "&Q@ x", "!Q\x01",
        "[a]Q", "? Q", '"a"Q',
    ],
)  # fmt: skip
def test_no_text_of_a_file_that_is_no_yaml_is_quoted(write: Write, line: str) -> None:
    """The library quotes what it chokes on, which may be a secret: the words are ours, the place is told."""
    with pytest.raises(Wrong, match=r"^is not YAML(, line [0-9]+, column [0-9]+)?: ") as caught:
        read_file(str(write(f"secret-key: {line.replace('Q', QUOTED)}\n")))
    assert QUOTED not in str(caught.value)


def test_a_file_may_be_as_large_as_its_limits(read: Read) -> None:
    """A file of 128 KiB, of 100 keys or of brackets in 100 others is read: only its values are judged."""
    assert nothing(read("#" * 131_072))
    assert len(read("".join(f"k{n}: 1\n" for n in range(100))).problems) == 100
    (problem,) = read(f"timeout: {'[' * 101}{']' * 101}").problems
    assert problem.endswith("cannot be used: write one plain value")


def test_a_file_without_measure_is_not_read_to_its_end(tmp_path: Path) -> None:
    """A device or a disk image that somebody names by mistake does not fill the memory."""
    path = tmp_path / "disk.img"
    with path.open("wb") as file:
        file.truncate(32 << 20)
    tracemalloc.start()
    try:
        with pytest.raises(Wrong, match="is larger than 128 KiB"):
            read_file(str(path))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 1 << 20


@pytest.mark.parametrize(
    ("path", "why"),
    [
        (".", f"cannot be read: {os.strerror(posix.NO_FILE_NUMBER)}"),
        ("none.yml", "cannot be read: No such file or directory"),
        pytest.param("x" * 300, "cannot be read: File name too long", marks=posix.only("it has other words")),
        ("a\0b", "has characters that cannot be printed"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path, path: str, why: str) -> None:
    """The system's own words say why."""
    with pytest.raises(Wrong) as caught:
        read_file(f"{tmp_path}/{path}")
    assert str(caught.value) == why


def test_a_bomb_does_not_go_off(read: Read) -> None:
    """Aliases of aliases are never multiplied out."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 40)]
    findings = read("\n".join([*lines, "image-version-id: *a39"]))
    assert len(findings.problems) == 41
    assert findings.layer == {}


KEYS = st.sampled_from(
    ["timeout", "image-version-id", "token", "timout", "targets", "<<", "? [a]", '"\\ud800"', "*a", "'"]
)
VALUES = st.sampled_from(
    [
        "{a: {timeout: 5m, token: x}, '': 1}",
        "5m",
        "[1, 2]",
        "{a: b}",
        "&a x",
        "*a",
        "|\n  text",
        "!!int 1",
        '"\\x00"',
        "",
        "~",
        "'",
    ]
)


@given(
    st.binary()
    | st.text()
    | st.lists(st.tuples(KEYS, VALUES)).map(lambda p: "\n".join(f"{k}: {v}" for k, v in p))
)
@example(b"%YAML 1." + b"9" * 5000 + b"\n--- a")
@example('"\\ud800": 1')
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_file_is_read_or_refused(write: Write, content: str | bytes) -> None:
    """Whatever a file holds, it becomes findings or a refusal, in words that can be printed."""
    if isinstance(content, str):
        content = content.encode("utf-8", "surrogatepass")
    try:
        problems = read_file(str(write(content))).problems
    except Wrong as wrong:
        problems = [str(wrong)]
    assert all(problem.isprintable() for problem in problems)
