"""Which room may use which: the shape of the package, held by a test."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "cfgate"

# room: (the rooms that it may use, the third-party packages that it may use)
ROOMS: dict[str, tuple[set[str], set[str]]] = {
    "system": (set(), set()),
    "text": (set(), {"yaml"}),
    "model": (set(), set()),
    "errors": ({"model"}, set()),
    "rules": ({"errors", "model"}, set()),
    "schedule": ({"model"}, set()),
    "settings": ({"errors", "model", "simulator", "system", "text"}, set()),
    "client": ({"errors", "model", "rules", "system", "text"}, {"requests", "urllib3"}),
    "gate": ({"errors", "model", "rules", "schedule", "system", "text"}, {"tenacity"}),
    "report": ({"model", "text"}, set()),
    "hosts": ({"system", "text"}, set()),
    "log": ({"hosts", "model", "settings", "system", "text"}, set()),
    "simulator": ({"model", "system", "text"}, set()),
    "conclusion": ({"errors", "gate", "model", "system"}, set()),
    "delivery": ({"errors", "hosts", "model", "report", "settings", "system"}, set()),
    "rehearsal": ({"errors", "gate", "hosts", "settings", "simulator", "system"}, set()),
}
ROOTS = {"__init__", "__main__", "cli", "session"}  # these put the rooms together, and use no package
STDLIB = sys.stdlib_module_names
MODULES = sorted(PACKAGE.rglob("*.py"))


def room_of(path: Path) -> str:
    """Name the room that a file belongs to."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(path: Path) -> Iterator[tuple[str, str]]:
    """List what a file imports anywhere in it: the package, and the room of cfgate."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            module = node.module or ""
            names = [f"{module}.{alias.name}" for alias in node.names] if module == "cfgate" else [module]
        for name in names:
            package, _, rest = name.partition(".")
            yield package, rest.partition(".")[0]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_room_uses_only_what_it_may(path: Path) -> None:
    """Every import is of the standard library, of the room itself, or in the table above."""
    room = room_of(path)
    rooms, packages = (set(ROOMS) | ROOTS, set()) if room in ROOTS else ROOMS[room]
    for package, other in imported(path):
        if package == "cfgate":
            assert other in {*rooms, room, "__version__"}, f"{room} uses {other}"
        elif package not in STDLIB:
            assert package in packages, f"{room} uses {package}"


def test_the_table_names_the_rooms_that_there_are() -> None:
    """No room is missing from the table, and none stands in it that is gone."""
    assert set(ROOMS) | ROOTS == {room_of(path) for path in MODULES}


def test_the_house_is_drawn_as_it_is() -> None:
    """Every path in `docs/architecture.md` and `tests/README.md` exists, and every room has a row."""
    page = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    readme = (ROOT / "tests" / "README.md").read_text("utf-8")
    named = re.findall(r"`((?:cfgate|tests|docs|proofs|tools)/[^`\s]*)`", page + readme)
    assert [path for path in named if not (ROOT / path).exists()] == []
    rows = " ".join(re.findall(r"^\| (`cfgate/.*?) \|", page, re.MULTILINE))
    rooms = {
        name.strip("/").removesuffix(".py") for name in re.findall(r"`cfgate/([a-z_]+(?:/|\.py))`", rows)
    }
    assert rooms | ROOTS == ROOMS.keys() | ROOTS
    folders = {path.parent.relative_to(ROOT) for path in (ROOT / "tests").rglob("test_*.py")}
    named_there = [folder for folder in folders if f"`{folder.as_posix()}/`" in readme]
    assert folders - {Path("tests")} == set(named_there)


ENVIRONMENT = {("os", "environ"), ("os", "getenv"), ("sys", "argv"), ("sys", "stdout"), ("sys", "stderr")}


def test_only_the_composition_root_touches_the_process() -> None:
    """Environment, arguments and streams are read in `cli` and passed on."""
    for path in MODULES:
        if room_of(path) in ("cli", "__main__"):  # the latter says on stderr that nothing can be loaded
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                assert (node.value.id, node.attr) not in ENVIRONMENT, f"{path.name}:{node.lineno}"


def loaded_by(code: str) -> set[str]:
    """Name the modules that are loaded in a fresh process once `code` has run."""
    ran = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys; print(*sys.modules)"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"]},  # without what measures coverage, which loads a lot
        capture_output=True,
        text=True,
        check=True,
    )
    return set(ran.stdout.split())


@pytest.mark.process
def test_what_is_rarely_used_is_loaded_late() -> None:
    """Starting the program loads no YAML, XML, argparse, progress bar, HTTP client or server."""
    loaded = loaded_by("import cfgate.cli")
    late = {"yaml", "xml", "argparse", "cfgate.hosts.live", "http.server", "requests", "cfgate.simulator"}
    assert not loaded & late


@pytest.mark.process
def test_the_pure_rooms_load_nothing_but_themselves() -> None:
    """Anybody can measure the cadence or judge an answer without an HTTP client in the process."""
    loaded = loaded_by("import cfgate.schedule, cfgate.rules.answer")
    assert not loaded & {"requests", "tenacity", "yaml", "cfgate.client", "cfgate.gate"}
