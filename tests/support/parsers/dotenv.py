"""Read a dotenv report as GitLab does: `Ci::ParseDotenvArtifactService`, and refuse what it refuses."""

from __future__ import annotations

import re

MAX_BYTES = 5 * 1024
MAX_VARIABLES = 20  # the default of a self-managed GitLab
_RUBY_SPACE = "\0\t\n\v\f\r "


def parse(raw: bytes) -> dict[str, str]:
    """Return the variables that later jobs get.

    The file is smaller than 5 KiB; every line has a `=`; both sides are stripped as Ruby does; a key is of
    ASCII letters, digits and underscores; there are at most so many variables.
    """
    assert len(raw) < MAX_BYTES, "Dotenv Artifact Too Big"
    variables = {}
    for line in re.findall("[^\n]*\n|[^\n]+", raw.decode()):
        key, equals, value = line.removesuffix("\n").partition("=")
        assert equals, "Invalid Format"
        key, value = key.strip(_RUBY_SPACE), value.strip(_RUBY_SPACE)
        assert re.fullmatch("[a-zA-Z0-9_]+", key), "Key can contain only letters, digits and '_'."
        variables[key] = value
    assert len(variables) <= MAX_VARIABLES, "Dotenv files cannot have more than 20 variables"
    return variables


def expanded(value: str) -> set[str]:
    """Find what a later job would put something else in the place of: `$NAME`, `${NAME}`, `%NAME%`."""
    return set(re.findall(r"\$\w+|\$\{[^}]*\}|\$\(|%[^%\s]+%", value))
