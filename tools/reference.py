"""Write the reference into the documents: options, outputs and exit codes, from the tables in the code.

A document has a part between two marks, `reference: NAME` and `reference: end`, each in a comment of its own
kind; whatever stands between them is written anew. The schema of the config file is written whole.
`python tools/reference.py` writes, and `python tools/reference.py --check` only tells which documents are
stale (exit code 1).
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))  # run as a script, from anywhere

from cfgate.model import GateStatus  # noqa: E402 - the path comes first
from cfgate.report.dotenv import variable  # noqa: E402
from cfgate.report.outputs import DESCRIPTIONS  # noqa: E402
from cfgate.settings.options import OPTIONS, SECTIONS, Option  # noqa: E402
from tools import schema  # noqa: E402

DOCUMENTS: Final = (ROOT / "action.yml", ROOT / "README.md")
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


def option_table() -> Iterator[str]:
    """Table the options for people."""
    yield from _head("option", "default", "what it does")
    for section in SECTIONS:
        for option in (option for option in OPTIONS if option.section == section):
            mark = "" if option.not_in_file else " ᶠ"
            name = f"`{option.name}`{' 🔑' if option.secret else mark}"
            yield _row(name, f"`{option.default}`" if option.default else "–", f"{option.help}.")


def output_table() -> Iterator[str]:
    """Table the outputs for people."""
    yield from _head("output", "dotenv", "what it holds")
    for name, description in DESCRIPTIONS.items():
        dotenv = "–" if name == "result" else f"`{variable(name)}`"
        yield _row(f"`{name}`", dotenv, description)


def exit_codes() -> Iterator[str]:
    """Table the exit codes for people."""
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
    "options": option_table,
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
    wanted = {path: renewed(path.read_text("utf-8")) for path in DOCUMENTS} | {schema.PATH: schema.text()}
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
            path.write_text(text, "utf-8")
            print(f"wrote {path.name}")
    return 1 if documents and "--check" in arguments else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
