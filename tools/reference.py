"""Write the reference into the documents: options, outputs and exit codes, from the tables in the code.

A document has a part between two marks, `reference: NAME` and `reference: end`, each in a comment of its own
kind; whatever stands between them is written anew. The schemas, completions and man page are written whole.
`python tools/reference.py` writes, and `python tools/reference.py --check` only tells which documents are
stale (exit code 1).
"""

from __future__ import annotations

import re
import sys
import textwrap
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))  # run as a script, from anywhere

from cfgate import __version__  # noqa: E402 - the path comes first
from cfgate.model import GateStatus  # noqa: E402
from cfgate.report.dotenv import LEFT_OUT, variable  # noqa: E402
from cfgate.report.outputs import DESCRIPTIONS  # noqa: E402
from cfgate.settings.options import OPTIONS, SECTIONS, TARGETS, Option  # noqa: E402
from cfgate.simulator import load, names  # noqa: E402
from tools import image, result_schema, scenario_schema, schema, shell  # noqa: E402
from tools.release import pinned_image  # noqa: E402

DOCUMENTS: Final = (
    ROOT / "action.yml",
    ROOT / "composite" / "action.yml",
    ROOT / "templates" / "cfgate.yml",
    ROOT / ".gitlab-ci.yml",
    ROOT / "README.md",
    ROOT / "docs" / "recipes.md",
    ROOT / "docs" / "reference.md",
    ROOT / "docs" / "simulator.md",
)
_PART: Final = re.compile(
    r"(?P<begin>^[ ]*(?:#|<!--) reference: (?P<name>[a-z-]+)(?: -->)?\n)"
    r".*?"
    r"(?P<end>^[ ]*(?:#|<!--) reference: end(?: -->)?$)",
    re.DOTALL | re.MULTILINE,
)


def _sentence(option: Option) -> str:
    default = f" Default: {option.default}." if option.default else ""
    return f"{option.help}.{default}"


def action_inputs() -> Iterator[str]:
    """Declare the inputs for action.yml.

    None has a `default`: the runner would hand it over as if the user had given it, and it would overrule the
    environment and the config file.
    """
    for option in OPTIONS:
        yield f"  {option.name}:"
        yield f"    description: {_quoted(_sentence(option))}"
        yield "    required: false"


def action_outputs() -> Iterator[str]:
    """Declare the outputs for action.yml."""
    for name, description in DESCRIPTIONS.items():
        yield f"  {name}:"
        yield f"    description: {_quoted(description)}"


def composite_outputs() -> Iterator[str]:
    """Declare the outputs of the composite action: those of whichever step has run."""
    for name, description in DESCRIPTIONS.items():
        yield f"  {name}:"
        yield f"    description: {_quoted(description)}"
        yield f"    value: ${{{{ steps.posix.outputs.{name} || steps.windows.outputs.{name} }}}}"


def composite_environment() -> Iterator[str]:
    """Hand the inputs of the composite action over, as the runner does for a docker action alone."""
    for option in OPTIONS:
        _, variable = option.input_variables
        yield f"        {variable}: ${{{{ inputs.{option.name} }}}}"


def component_image() -> Iterator[str]:
    """Name the image for the GitLab component: of a release, the one that its action.yml names by digest."""
    released = pinned_image((ROOT / "action.yml").read_text("utf-8"))
    yield f"      default: {released or f'ghcr.io/your-org/cfgate:{__version__}'}"


def foreign_image(name: str) -> Iterator[str]:
    """Name the image of somebody else that a job of GitLab's pipeline runs in."""
    yield f"  image: {image.pins()[name]}"


def python_images() -> Iterator[str]:
    """List the images of all Pythons that the tests run on."""
    for name, pin in image.pins().items():
        if name.startswith("python-"):
            yield f"            - {pin}"


def component_inputs() -> Iterator[str]:
    """Declare the inputs for the GitLab component.

    The default of nearly all is nothing, so that the environment and the config file can still give a value.
    """
    for option in _component_options():
        yield f"    {option.name}:"
        yield f"      description: {_quoted(_sentence(option))}"
        yield "      type: string"
        if option.boolean:
            yield '      options: ["", "true", "false"]'
        if option.name != "image-version-id":
            yield '      default: ""'


def component_variables() -> Iterator[str]:
    """Hand the inputs of the GitLab component over as variables of its job.

    GitLab expands `$NAME` and `%NAME%` in them, so that an input may refer to a variable. Where nobody would
    mean that, it is turned off.
    """
    for option in _component_options():
        _, variable = option.input_variables
        value = f"$[[ inputs.{option.name} ]]"
        if option.name in _LITERAL:
            yield f"    {variable}:"
            yield f"      value: {value}"
            yield "      expand: false"
        else:
            yield f"    {variable}: {value}"


_LITERAL: Final = frozenset({"details-url", "rehearse"})


def _component_options() -> list[Option]:
    """Leave out what is no input of the component: credentials, and the reports, which its job has wired."""
    return [option for option in OPTIONS if not option.secret and not option.name.endswith("-file")]


def option_places() -> Iterator[str]:
    """Table, section by section, every way to give an option."""
    for section in SECTIONS:
        if section != SECTIONS[0]:
            yield ""
        yield f"### {section}"
        yield ""
        yield from _head("input", "flag", "variable", "in the file", "value", "default", "what it does")
        for option in (option for option in OPTIONS if option.section == section):
            yield _row(
                f"`{option.name}`",
                _flags(option),
                f"`{option.variable}`",
                "–" if option.not_in_file else "yes",
                _value(option),
                f"`{option.default}`" if option.default else "–",
                f"{option.help}.",
            )


def _flags(option: Option) -> str:
    if option.secret:
        return "–"
    return f"`{option.flag}`, `{option.opposite}`" if option.boolean else f"`{option.flag}`"


def _value(option: Option) -> str:
    return "`true` or `false`" if option.boolean else option.metavar


def file_keys() -> Iterator[str]:
    """Table the keys of the config file."""
    yield from _head("key", "value", "default", "in a target too")
    for option in (option for option in OPTIONS if not option.not_in_file):
        value = f"{_value(option)}, or a list of them" if option.many else _value(option)
        default = f"`{option.default}`" if option.default else "–"
        own = "one ID" if option.many else "yes"
        yield _row(f"`{option.name}`", value, default, own if option.each else "–")
    yield _row(f"`{TARGETS}`", "names, and the options of each", "–", "–")


def not_in_file() -> Iterator[str]:
    """Table what may not stand in the config file, and why: options with the same reason in one row."""
    yield from _head("not in the file", "because it")
    refused = [option for option in OPTIONS if option.not_in_file]
    for reason in dict.fromkeys(option.not_in_file for option in refused):
        options = (f"`{option.name}`" for option in refused if option.not_in_file == reason)
        yield _row(", ".join(options), f"{reason}.")


def scenarios() -> Iterator[str]:
    """Table the built-in scenarios."""
    yield from _head("scenario", "what it plays")
    for name in names():
        yield _row(f"`{name}`", load(name).description)


def output_table() -> Iterator[str]:
    """Table the outputs for people."""
    yield from _head("output", "dotenv", "what it holds")
    for name, description in DESCRIPTIONS.items():
        dotenv = f"`{variable(name)}`" if name not in LEFT_OUT else "–"
        yield _row(f"`{name}`", dotenv, description)


def exit_codes() -> Iterator[str]:
    """Table the exit codes for people, and say which of them counts when targets end differently."""
    of_runs = (GateStatus.ERROR, GateStatus.INVALID, GateStatus.INTERRUPTED)
    order = ", ".join(status.label for status in GateStatus if status not in of_runs)
    yield from textwrap.wrap(f"With several ids the code is that of the first of: {order}.", 120)
    yield ""
    yield from _head("code", "`status`", "when")
    for status in sorted(GateStatus, key=lambda status: status.exit_code):
        code = "130, 143" if status is GateStatus.INTERRUPTED else str(status.exit_code)
        yield _row(code, f"`{status.label}`", f"{status.meaning}.")


def _head(*names: str) -> Iterator[str]:
    yield _row(*names)
    yield _row(*("---" for _ in names))


def _row(*cells: str) -> str:
    return f"| {' | '.join(cell.replace('|', '&#124;') for cell in cells)} |"


def _quoted(text: str) -> str:
    """Write a YAML string in double quotes."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


PARTS: Final[dict[str, Callable[[], Iterable[str]]]] = {
    "action-inputs": action_inputs,
    "action-outputs": action_outputs,
    "composite-outputs": composite_outputs,
    "composite-environment": composite_environment,
    "component-image": component_image,
    "component-inputs": component_inputs,
    "image-python": partial(foreign_image, "python-3.13"),
    "image-buildah": partial(foreign_image, "buildah"),
    "image-skopeo": partial(foreign_image, "skopeo"),
    "image-glab": partial(foreign_image, "glab"),
    "images-python": python_images,
    "component-variables": component_variables,
    "option-places": option_places,
    "file-keys": file_keys,
    "not-in-file": not_in_file,
    "scenarios": scenarios,
    "outputs": output_table,
    "exit-codes": exit_codes,
}


def renewed(text: str) -> str:
    """Write every part of a document anew."""

    def part(match: re.Match[str]) -> str:
        lines = "".join(f"{line}\n" for line in PARTS[match["name"]]())
        # Markdown wants a blank line between a comment and a table.
        gap = "\n" if "<!--" in match["begin"] else ""
        return f"{match['begin']}{gap}{lines}{gap}{match['end']}"

    return _PART.sub(part, text)


def stale() -> dict[Path, str]:
    """Tell which documents are not what the code says, and what they should be."""
    wanted = {path: renewed(path.read_text("utf-8")) for path in DOCUMENTS}
    wanted |= {made.PATH: made.text() for made in (schema, result_schema, scenario_schema)} | shell.files()
    return {
        path: text for path, text in wanted.items() if not path.exists() or path.read_text("utf-8") != text
    }


def main(arguments: list[str]) -> int:
    """Write the documents, or check them."""
    documents = stale()
    for path, text in documents.items():
        if "--check" in arguments:
            print(f"{path.name} is stale: run `make reference`", file=sys.stderr)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
            print(f"wrote {path.name}")
    return 1 if documents and "--check" in arguments else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
