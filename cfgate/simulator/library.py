"""Find scenarios: the built-in ones by name, others by path."""

from __future__ import annotations

import os
from importlib.resources import files
from pathlib import Path
from typing import Final

from cfgate.simulator.scenario import Scenario, ScenarioError
from cfgate.system import pipes
from cfgate.text.wording import listed, meant, shown

_BUILT_IN: Final = files(__package__) / "scenarios"  # which may lie in a zip file
_LARGEST: Final = 1 << 20  # characters; what a person writes by hand is far smaller


def names() -> tuple[str, ...]:
    """List the built-in scenarios."""
    names = (entry.name for entry in _BUILT_IN.iterdir())
    return tuple(sorted(name.removesuffix(".yml") for name in names if name.endswith(".yml")))


def load(name_or_path: str) -> Scenario:
    """Load a built-in scenario by its name or another one from a YAML file; raise ScenarioError."""
    if name_or_path in names():
        text = (_BUILT_IN / f"{name_or_path}.yml").read_text("utf-8")
        return parse(text, name=name_or_path, source=f"scenario {name_or_path}")
    if not _looks_like_path(name_or_path):
        raise ScenarioError(f"scenario {shown(name_or_path)}", [_unknown(name_or_path)])
    return parse(_text(name_or_path), name=Path(name_or_path).stem, source=name_or_path)


def parse(text: str, *, name: str = "scenario", source: str = "scenario") -> Scenario:
    """Read a scenario from the text of a YAML file; `source` is what a ScenarioError calls it."""
    from cfgate.simulator.reader import read

    return read(text, name, source)


def _looks_like_path(name: str) -> bool:
    return "/" in name or os.sep in name or name.endswith((".yml", ".yaml"))


def _text(path: str) -> str:
    try:
        text = pipes.read(path, 4 * _LARGEST).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ScenarioError(path, ["it is not UTF-8: save it as UTF-8"]) from None
    except FileNotFoundError:
        missing = "there is no such file: a path begins in the working directory, or is absolute"
        raise ScenarioError(path, [missing]) from None
    except (OSError, ValueError) as error:
        raise ScenarioError(path, [f"it cannot be read ({error})"]) from None
    if len(text) > _LARGEST:
        raise ScenarioError(path, ["it is larger than 1 MiB, and so no scenario"])
    return text


def _unknown(name: str) -> str:
    hint = meant(name, names())
    more = f" (built in: {listed(names())})" if hint.startswith("did") else ""
    return f"there is no such scenario: {hint}{more}; or name the path of a YAML file"
