"""Find out where cfgate runs. Once, at the start, from the environment that it is given."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Final, TextIO

from cfgate.hosts import Host
from cfgate.hosts.console import Console

if TYPE_CHECKING:
    from cfgate.hosts.keys import Keys


_Make = Callable[[Mapping[str, str], TextIO | None], Host]


def _github(environ: Mapping[str, str], stream: TextIO | None) -> Host:
    from cfgate.hosts.github import GitHub

    return GitHub(
        _log(environ, stream),
        output_file=environ.get("GITHUB_OUTPUT", ""),
        summary_file=environ.get("GITHUB_STEP_SUMMARY", ""),
        debugging=_debugging(environ),
    )


def _gitlab(environ: Mapping[str, str], stream: TextIO | None) -> Host:
    from cfgate.hosts.gitlab import GitLab

    return GitLab(_log(environ, stream), debugging=_debugging(environ))


def _azure(environ: Mapping[str, str], stream: TextIO | None) -> Host:
    from cfgate.hosts.azure import Azure

    return Azure(_log(environ, stream), debugging=_debugging(environ))


def _teamcity(environ: Mapping[str, str], stream: TextIO | None) -> Host:
    from cfgate.hosts.teamcity import TeamCity

    return TeamCity(_log(environ, stream), debugging=_debugging(environ))


def _buildkite(environ: Mapping[str, str], stream: TextIO | None) -> Host:
    from cfgate.hosts.buildkite import Buildkite

    return Buildkite(_log(environ, stream), debugging=_debugging(environ))


def _terminal(environ: Mapping[str, str], stream: TextIO | None) -> Host:
    from cfgate.hosts.terminal import Terminal

    debugging = _debugging(environ)
    moves = environ.get("TERM") != "dumb" and _shows_escapes(stream)
    console = Console(stream, colour=_colour(environ, shown=moves))
    # Some CI hosts give their jobs a terminal: colours are welcome there, but their logs keep every frame.
    if not moves or environ.get("CI"):
        return Terminal(console, debugging=debugging)
    from cfgate.hosts.live import Display  # late, as every host

    display = Display(console, partial(_size, stream), _keys(stream))
    return Terminal(console, display=display, debugging=debugging)


# The CI hosts: the variable that their jobs have, what it holds ("": anything), and what makes the host. Each
# is loaded where it is used: a gate starts often, and in one place at a time.
_HOSTS: Final[tuple[tuple[str, str, _Make], ...]] = (
    ("GITHUB_ACTIONS", "true", _github),  # Gitea and Forgejo set it too
    ("GITLAB_CI", "true", _gitlab),
    ("TF_BUILD", "true", _azure),  # Azure writes `True`
    ("TEAMCITY_VERSION", "", _teamcity),
    ("BUILDKITE", "true", _buildkite),
)


def choose(environ: Mapping[str, str], stream: TextIO | None) -> Host:
    """Return the host that these variables tell of; it prints to `stream` and nowhere else.

    Where none of the known ones does, a file for outputs or a summary is one like GitHub, for some engines
    set no more; anything else is a terminal, with live bars if `stream` can move.
    """
    like_github = environ.get("GITHUB_OUTPUT") or environ.get("GITHUB_STEP_SUMMARY")
    make = next(_makers(environ), _github if like_github else _terminal)
    return make(environ, stream)


def _makers(environ: Mapping[str, str]) -> Iterator[_Make]:
    for variable, value, make in _HOSTS:
        given = environ.get(variable, "")
        if given and value in ("", given.lower()):
            yield make


def _log(environ: Mapping[str, str], stream: TextIO | None) -> Console:
    """Open the log of a CI host, which shows colours."""
    return Console(stream, colour=_colour(environ, shown=True))


def _keys(stream: TextIO | None) -> Keys | None:
    """Find the keyboard of a terminal; Windows has no such thing to turn off."""
    if stream is not None and sys.platform != "win32":
        from cfgate.hosts.keys import Keys
        from cfgate.hosts.live import ERASE

        with contextlib.suppress(OSError, ValueError):  # ValueError: closed, or not in the main thread
            return Keys(stream.fileno(), ERASE)
    return None


def on_ci(environ: Mapping[str, str]) -> bool:
    """Whether a CI host runs this, which reads one stream as its log."""
    return any(_makers(environ)) or bool(environ.get("CI"))


def is_interactive(environ: Mapping[str, str], stream: TextIO | None) -> bool:
    """Whether somebody sits at a terminal."""
    return _is_terminal(stream) and not on_ci(environ)


def columns(environ: Mapping[str, str], stream: TextIO | None) -> int:
    """Return how wide a page may be: as `COLUMNS` says, or the terminal; 80 where there is none."""
    asked = environ.get("COLUMNS", "")
    return int(asked) if asked.isascii() and asked.isdigit() and int(asked[:6]) > 0 else _size(stream).columns


def _is_true(environ: Mapping[str, str], name: str) -> bool:
    return environ.get(name, "").lower() == "true"


def _debugging(environ: Mapping[str, str]) -> bool:
    """Whether the user has asked for debug output, the way that GitHub, GitLab or Azure have for it."""
    on_github = environ.get("RUNNER_DEBUG") == "1"
    return on_github or _is_true(environ, "CI_DEBUG_TRACE") or _is_true(environ, "SYSTEM_DEBUG")


def _colour(environ: Mapping[str, str], *, shown: bool) -> bool:
    """Whether to colour: as no-color.org and force-color.org say, and if not, where colours are shown."""
    if environ.get("NO_COLOR"):
        return False
    return bool(environ.get("FORCE_COLOR")) or shown


def _is_terminal(stream: TextIO | None) -> bool:
    try:
        return stream is not None and stream.isatty()
    except ValueError:  # closed
        return False


def _shows_escapes(stream: TextIO | None) -> bool:
    if sys.platform == "win32" and stream is not None and _is_terminal(stream):
        from cfgate.system.windows import shows_escapes

        return shows_escapes(stream)
    return _is_terminal(stream)


def _size(stream: TextIO | None) -> os.terminal_size:
    """Ask how large the terminal is now."""
    try:
        size = os.get_terminal_size(stream.fileno() if stream else -1)
    except (OSError, ValueError):
        size = os.terminal_size((0, 0))
    # A terminal that knows no size says 0.
    return os.terminal_size((size.columns or 80, size.lines or 24))
