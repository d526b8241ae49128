"""From a text to a value, one function for each kind. Each raises `Wrong` and says what to write instead.

A parser is given trimmed text that is not empty. It never repeats the text: who calls it knows whether the
value may be shown.
"""

from __future__ import annotations

import re
import stat
import sys
from pathlib import Path
from typing import Final

from cfgate.model import Resource
from cfgate.text import durations
from cfgate.text.invisible import printable
from cfgate.text.wording import Wrong, meant

_LONGEST: Final = 7 * 24 * 3600.0  # seconds; no runner lives as long, and no job is worth the wait
_SPEED: Final = re.compile(r"[0-9]{1,9}(\.[0-9]{1,3})?")
_ID: Final = re.compile(r"[1-9][0-9]{0,17}")
MOST_TARGETS: Final = 500  # each is asked for on a thread of its own
LONGEST_NAME: Final = 40  # characters of the name of a target: it stands in every line of the log
_PREFIX: Final = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*")
_LONGEST_PREFIX: Final = 40  # characters: it stands in every line of a report of 5 KiB
# A gate or a host would take the outputs for its own settings (INPUT_RESULT, CI_JOB_STATUS …).
_RESERVED: Final = frozenset({"CI", "CLANFORGE", "GITHUB", "GITLAB", "INPUT", "RUNNER"})
_VISIBLE: Final = re.compile(r"[!-~]+")  # printable ASCII without the blank


def duration(text: str, *, least: float = 0.0) -> float:
    """Read a duration as seconds."""
    return durations.read(text, least=least, most=_LONGEST)


def interval(text: str) -> float:
    """Read the pause between two looks: a duration of a second or more."""
    return duration(text, least=1.0)


def auto_or_interval(text: str) -> float | None:
    """Read a fixed pause, or `auto` as `None`."""
    return None if text == "auto" else interval(text)


def off_or_duration(text: str) -> float | None:
    """Read a duration, or `off` or `0` as `None`."""
    return None if text == "off" else duration(text) or None


def request_timeout(text: str) -> float:
    """Read how long one request may take; in no time at all there is no answer."""
    return duration(text, least=0.1)


def number(text: str) -> int:
    """Read an id of Clanforge: a positive whole number in plain ASCII digits."""
    if text.isascii() and text.isdigit() and text.strip("0") and text.startswith("0"):
        raise Wrong("begins with a zero, which no id does: write it without, or check where it comes from")
    if not _ID.fullmatch(text):
        raise Wrong("is not an id: write a positive whole number in plain digits (18 at most), such as 9001")
    return int(text)


def numbers(text: str) -> tuple[int, ...]:
    """Read ids, by comma, blank or newline, in their order; the same one may come again."""
    ids = [word for word in re.split(r"[, \t\r\n]+", text) if word]
    if not ids:
        raise Wrong("names no id: write ids by comma, blank or newline, such as 9001,9002")
    if len(ids) > MOST_TARGETS:
        raise Wrong(f"names {len(ids)} ids: {MOST_TARGETS} at most", part="")
    return tuple(_number_in_list(word) for word in ids)


def only_number(text: str) -> tuple[int, ...]:
    """Read the id of a target that has a name, and with it no other."""
    return (number(text),)


def _number_in_list(word: str) -> int:
    try:
        return number(word)
    except Wrong as wrong:
        raise Wrong(str(wrong), part=word) from None


def resource(text: str) -> Resource:
    """Read what kind of thing the ids are of."""
    kinds = {kind.label: kind for kind in Resource}
    if text not in kinds:
        raise Wrong(f"is not a resource: {meant(text.replace('_', '-').replace(' ', '-'), kinds)}")
    return kinds[text]


def yes_or_no(text: str) -> bool:
    """Read a YAML 1.2 boolean, as GitHub's own toolkit does."""
    if text in ("true", "True", "TRUE"):
        return True
    if text in ("false", "False", "FALSE"):
        return False
    raise Wrong("is neither true nor false")


def one_line(text: str) -> str:
    """Read a name."""
    if not printable(text):
        raise Wrong("has characters that cannot be printed")
    return text


def file_name(text: str) -> str:
    """Read the path of a file; what Windows takes for something else is none, wherever it stands."""
    if sys.platform == "win32":
        from cfgate.system.windows import is_no_file

        if is_no_file(text):
            raise Wrong("is no file on Windows: name one; only `result-file` can go to stdout, as `-`")
    return one_line(text)


def report_path(text: str) -> str:
    """Read where to write a report."""
    if text == "-":
        raise Wrong("is no file: only `result-file` can be `-`, for stdout")
    return result_path(text)


def result_path(text: str) -> str:
    """Read where to write the result: a file, or `-` for stdout."""
    try:
        mode = Path(file_name(text)).stat().st_mode
    except FileNotFoundError:
        return text  # it will be made
    except OSError as error:  # a name too long, a directory that nobody may look into
        raise Wrong(f"cannot be written: {error.strerror}") from None
    if stat.S_ISDIR(mode):
        raise Wrong("is a directory: name a file in it")
    return text


def prefix(text: str) -> str:
    """Read what the names of variables begin with: GitLab and shells take these characters."""
    if not _PREFIX.fullmatch(text):
        raise Wrong(
            "is not a prefix for variables: write capitals, digits and single underscores, a letter first, "
            "such as LINUX"
        )
    if len(text) > _LONGEST_PREFIX:
        raise Wrong(f"is too long: {_LONGEST_PREFIX} characters at most")
    if text.partition("_")[0] in _RESERVED:
        raise Wrong(f"is reserved: names that begin with {text.partition('_')[0]}_ are read by others")
    return text


def readable_file(text: str) -> str:
    """Read the name of a file that can be read now."""
    try:
        path = Path(file_name(text))
        if not path.is_fifo():  # what is read from a pipe is gone
            path.open("rb").close()
    except OSError as error:
        raise Wrong(f"cannot be read: {error.strerror}") from None
    return text


def scenario(text: str) -> str:
    """Read which scenario to play. It is loaded, so that its problems are reported with the others."""
    from cfgate.simulator import ScenarioError, load  # late: a gate that is no rehearsal never needs it

    try:
        load(file_name(text))
    except ScenarioError as error:
        raise Wrong(f"cannot be played: {'; '.join(error.problems)}") from None
    return text


def credential(text: str) -> str:
    """Read a secret that will stand in a header: printable ASCII without blanks."""
    if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
        # docker's env files and some CI systems keep the quotes that a shell would take off.
        raise Wrong("stands in quotes, which are part of the value here: write it without them")
    if not _VISIBLE.fullmatch(text):
        raise Wrong("has blanks, line breaks or other characters that no credential has: copy it again")
    return text


def access_key(text: str) -> str:
    """Read the user half of HTTP Basic, which ends at the first colon (RFC 7617)."""
    if ":" in text:
        raise Wrong("has a colon: give the access key here and the secret key as `secret-key`")
    return credential(text)


def token(text: str) -> str:
    """Read a bearer token, without the word that stands before it in the header."""
    if text.lower().startswith("bearer "):
        raise Wrong("begins with `Bearer `, which is added to it anyway: write the token alone")
    return credential(text)


def port(text: str) -> int:
    """Read a TCP port; 0 stands for any that is free."""
    if not re.fullmatch(r"[0-9]{1,5}", text) or int(text) > 65535:
        raise Wrong("is not a port: write a whole number from 0 (any free one) to 65535")
    return int(text)


def speed(text: str) -> float:
    """Read how many times faster than life."""
    if not _SPEED.fullmatch(text) or not 0 < float(text) <= 1000:
        raise Wrong("is not a speed: write a number above 0, 1000 at most, such as 1, 0.5 or 20")
    return float(text)
