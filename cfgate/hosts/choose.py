"""Find out where cfgate runs. Once, at the start, from the environment that it is given."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, TextIO

from cfgate.hosts import Host
from cfgate.hosts.console import Console

if TYPE_CHECKING:
    from cfgate.hosts.keys import Keys


def choose(environ: Mapping[str, str], stream: TextIO | None) -> Host:
    """Return the host that these variables tell of; it prints to `stream` and nowhere else.

    | variable                                 | value  | host                                          |
    |------------------------------------------|--------|-----------------------------------------------|
    | `GITHUB_ACTIONS`                         | `true` | GitHub; Gitea and Forgejo set it too          |
    | `GITLAB_CI`                              | `true` | GitLab                                        |
    | `TF_BUILD`                               | `True` | Azure Pipelines                               |
    | `TEAMCITY_VERSION`                       | any    | TeamCity                                      |
    | `BUILDKITE`                              | `true` | Buildkite                                     |
    | `GITHUB_OUTPUT` or `GITHUB_STEP_SUMMARY` | a file | one like GitHub: some engines set no more     |
    | none of these                            |        | a terminal; live bars if `stream` can move    |
    """
    debugging = _debugging(environ)
    # Each host is loaded where it is used: a gate starts often, and in one place at a time.
    if _is_true(environ, "GITHUB_ACTIONS"):
        return _github(environ, stream, debugging=debugging)
    if _is_true(environ, "GITLAB_CI"):
        from cfgate.hosts.gitlab import GitLab

        return GitLab(Console(stream, colour=_colour(environ, shown=True)), debugging=debugging)
    if _is_true(environ, "TF_BUILD"):
        from cfgate.hosts.azure import Azure

        return Azure(Console(stream, colour=_colour(environ, shown=True)), debugging=debugging)
    if environ.get("TEAMCITY_VERSION"):
        from cfgate.hosts.teamcity import TeamCity

        return TeamCity(Console(stream, colour=_colour(environ, shown=True)), debugging=debugging)
    if _is_true(environ, "BUILDKITE"):
        from cfgate.hosts.buildkite import Buildkite

        return Buildkite(Console(stream, colour=_colour(environ, shown=True)), debugging=debugging)
    if environ.get("GITHUB_OUTPUT") or environ.get("GITHUB_STEP_SUMMARY"):
        return _github(environ, stream, debugging=debugging)
    return _terminal(environ, stream, debugging=debugging)


def _github(environ: Mapping[str, str], stream: TextIO | None, *, debugging: bool) -> Host:
    from cfgate.hosts.github import GitHub

    return GitHub(
        Console(stream, colour=_colour(environ, shown=True)),
        output_file=environ.get("GITHUB_OUTPUT", ""),
        summary_file=environ.get("GITHUB_STEP_SUMMARY", ""),
        debugging=debugging,
    )


def _terminal(environ: Mapping[str, str], stream: TextIO | None, *, debugging: bool) -> Host:
    from cfgate.hosts.terminal import Terminal

    moves = _is_terminal(stream) and environ.get("TERM") != "dumb"
    console = Console(stream, colour=_colour(environ, shown=moves))
    # Some CI hosts give their jobs a terminal: colours are welcome there, but their logs keep every frame.
    if not moves or environ.get("CI"):
        return Terminal(console, debugging=debugging)
    from cfgate.hosts.live import Display  # late, as every host

    display = Display(console, partial(_size, stream), _keys(stream))
    return Terminal(console, display=display, debugging=debugging)


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
    known = any(_is_true(environ, name) for name in ("GITHUB_ACTIONS", "GITLAB_CI", "TF_BUILD", "BUILDKITE"))
    return known or bool(environ.get("TEAMCITY_VERSION") or environ.get("CI"))


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


def _size(stream: TextIO | None) -> os.terminal_size:
    """Ask how large the terminal is now."""
    try:
        size = os.get_terminal_size(stream.fileno() if stream else -1)
    except (OSError, ValueError):
        size = os.terminal_size((0, 0))
    # A terminal that knows no size says 0.
    return os.terminal_size((size.columns or 80, size.lines or 24))
