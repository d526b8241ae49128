"""Where values come from: a layer is what one place gave. `reading` puts the layers in their order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from cfgate.settings.options import OPTIONS, Option
from cfgate.text.wording import closest, named


@dataclass(frozen=True, slots=True)
class Given:
    """One value as somebody gave it: the trimmed text, and where it stands, for the log ("input timeout")."""

    text: str = field(repr=False)
    source: str
    place: str = ""

    @property
    def where(self) -> str:
        """Where it stands, for whoever has to fix it ("input `timeout`", or line and column of a file)."""
        return self.place or self.source


Layer = dict[str, Given]  # by the name of the option


@dataclass(slots=True, eq=False, repr=False)  # what was refused is never shown
class Findings:
    """What was found in one place: its layer, and every problem with it.

    `refused` are the secrets in what may not come from there: never used, and never to be shown.
    """

    layer: Layer = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)
    problems: list[str] = field(default_factory=list)


@dataclass(slots=True, eq=False, repr=False)
class FileFindings(Findings):
    """What was found in a config file: besides the options for all, those of each target, by its name.

    What is refused in a target, and the problems with it, are among those of the file.
    """

    targets: dict[str, Findings] = field(default_factory=dict)


def inputs(environ: Mapping[str, str]) -> Layer:
    """Read the inputs of a GitHub action. Every declared one is there, "" when it was not given.

    The runner keeps hyphens in the names. A name with underscores comes from elsewhere, say from the `env:`
    of a workflow or from another CI, so the runner's own counts when there are both.
    """
    layer = {}
    for option in OPTIONS:
        text = _first(environ, option.input_variables)
        if text:
            layer[option.name] = Given(text, f"input {option.name}", f"input `{option.name}`")
    return layer


def environment(environ: Mapping[str, str]) -> Layer:
    """Read the `CFGATE_` variables, and the `CLANFORGE_` ones that hold credentials. "" is not given."""
    layer = {}
    for option in OPTIONS:
        text = _first(environ, (option.variable,))
        if text:
            layer[option.name] = Given(text, f"environment {option.variable}")
    return layer


def _first(environ: Mapping[str, str], names: Iterable[str]) -> str:
    return next((text for name in names if (text := environ.get(name, "").strip())), "")


def defaults(options: Iterable[Option]) -> Layer:
    """Read the defaults, which the table writes as a user would."""
    return {option.name: Given(option.default, "default") for option in options if option.default}


def misspelt(environ: Mapping[str, str]) -> list[str]:
    """Warn of `CFGATE_` variables that are almost the name of an option.

    Others are not ours to judge: an earlier gate may have left its outputs (CFGATE_STATUS and so on). The
    likeness keeps CFGATE_REHEARSAL, an output, apart from CFGATE_REHEARSE, an option.
    """
    known = {option.variable.partition("_")[2]: option.variable for option in OPTIONS}
    warnings = []
    for name in sorted(environ):
        word = name.removeprefix("CFGATE_")
        if word == name or name in known.values() or not environ[name].strip():
            continue
        if f"{name.removesuffix('_IMAGE_VERSION_ID')}_STATUS" in environ:
            continue  # an output of a gate with another dotenv-prefix
        guess = closest(word, known, likeness=0.85)
        if guess:
            warnings.append(f"environment {named(name)} is not read: did you mean {known[guess]}?")
    return warnings
