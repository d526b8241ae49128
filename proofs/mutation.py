"""Break cfgate in some thousand small ways, and count how many of them no test notices.

    python -m proofs.mutation run [NAME ...]    mutate and test; `cfgate.gate.*` for a part
    python -m proofs.mutation show NAME         one mutant, as a diff
    python -m proofs.mutation table             the figures of the last run; fails under 90 % in any package

mutmut does the work (see [tool.mutmut] in pyproject.toml), with one addition: it leaves out functions with a
decorator, and so every property. `Result.ready`, which lets a pipeline go on, is one.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import signal
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

PATIENCE = 12.0  # seconds for one test, which takes five at most
LEAST = 90.0  # per cent, of every package
_MUTANTS = Path("mutants")
_TIMED_OUT = 36  # mutmut's exit code for it
_BROKEN = 35  # its code for what looks suspicious
_PROPERTY = "property"
_DETECTED = ("killed", "timeout", "segfault")


def _is_property(node: Any) -> bool:
    """Whether a node of the syntax tree is a function whose only decorator is `@property`."""
    decorators: Any = getattr(node, "decorators", ())
    return len(decorators) == 1 and getattr(decorators[0].decorator, "value", "") == _PROPERTY


def mutate_properties() -> None:
    """Have mutmut mutate properties too: `property` goes around the switch, and not around the copies."""
    generator: Any = import_module("mutmut.mutation.file_mutation")
    visitor, arrange = generator.MutationVisitor, generator.function_trampoline_arrangement
    skips, never = visitor._skip_node_and_children, generator.NEVER_MUTATE_FUNCTION_NAMES  # noqa: SLF001

    def skip(self: Any, node: Any) -> bool:
        if type(node).__name__ == "FunctionDef" and _is_property(node):
            return node.name.value in never
        return bool(skips(self, node))

    def arranged(function: Any, mutants: Any, class_name: str | None) -> Any:
        declarations, nodes, assignments, names = arrange(function, mutants, class_name)
        if _is_property(function):
            switch, *copies = nodes
            nodes = [switch, *(copy.with_changes(decorators=[]) for copy in copies)]
        return declarations, nodes, assignments, names

    visitor._skip_node_and_children = skip  # noqa: SLF001
    generator.function_trampoline_arrangement = arranged


def collect_once() -> None:
    """Have the tests collected once, before the forks, and not by every fork: half of the time goes there."""
    harness: Any = import_module("mutmut.runners.harness")
    isolation: Any = import_module("mutmut.workers.isolation")
    starts, runs = isolation.ForkRunner.startup, harness.PytestRunner.run_tests
    collected: list[Any] = []

    def startup(self: Any) -> None:
        os.environ["MUTANT_UNDER_TEST"] = ""
        with contextlib.chdir(_MUTANTS):
            collected.append(_session(self.test_runner))
        gc.collect()
        starts(self)
        _control(self)

    def run_tests(self: Any, *, mutant_name: str | None, tests: list[str]) -> int:
        if not collected:
            return int(runs(self, mutant_name=mutant_name, tests=_files(tests)))
        try:
            return _run(collected[0], tests)
        except BaseException:  # noqa: BLE001 - not noticed by a test
            return _BROKEN

    # `_control` does the same, in the way of a mutant.
    isolation.ForkRunner.run_clean_tests = lambda *_, **__: 0
    measures = harness.PytestRunner.run_stats
    isolation.ForkRunner.startup, harness.PytestRunner.run_tests = startup, run_tests
    harness.PytestRunner.run_stats = lambda self, *, tests: measures(self, tests=_files(tests))


def _control(runner: Any) -> None:
    """Run all tests on a mutant that does not exist: if one fails, what they say of mutants means nothing."""
    durations = import_module("mutmut.state").state().duration_by_test
    runner.submit("none.x_none__mutmut_1", list(durations), 3600, 600.0)
    code = runner.wait_for_result().exit_code
    if code:
        raise SystemExit(f"without a mutant the tests end with {code}")


def _run(session: Any, tests: list[str]) -> int:
    """Run some of the collected tests up to the first that fails; 1 if one does."""
    by_name = {item.nodeid: item for item in session.items}
    items = [by_name[name] for name in tests if name in by_name]
    os.chdir(_MUTANTS)
    # mutmut's: pytest puts its own there, and an open file that is lost is an error.
    streams = sys.stdout, sys.stderr
    for item, following in zip(items, [*items[1:], None], strict=True):
        item.ihook.pytest_runtest_protocol(item=item, nextitem=following)
        if session.testsfailed:
            return 1
    del streams
    return 0


def _forget() -> None:
    """Empty the caches of cfgate: with them a test might meet neither the code nor the mutant in it."""
    for name, module in list(sys.modules.items()):
        if name.startswith("cfgate"):
            for member in list(vars(module).values()):
                getattr(member, "cache_clear", bool)()


def _files(tests: Iterable[str]) -> list[str]:
    """Name whole files: pytest misreads the name of a test that holds odd parameters."""
    return sorted({test.split("::")[0] for test in tests})


def _session(runner: Any) -> Any:
    """Begin a session of pytest with all tests, and leave it before it runs any."""
    arguments = [*runner._pytest_add_cli_args, *runner._pytest_add_cli_args_test_selection]  # noqa: SLF001
    config = import_module("_pytest.config").get_config()
    config = config.pluginmanager.hook.pytest_cmdline_parse(
        pluginmanager=config.pluginmanager, args=["--rootdir=.", "--tb=no", "-q", *arguments]
    )
    config._do_configure()  # noqa: SLF001
    session = import_module("_pytest.main").Session.from_config(config)
    config.hook.pytest_sessionstart(session=session)
    config.hook.pytest_collection(session=session)
    config.pluginmanager.getplugin("capturemanager").suspend_global_capture(in_=True)
    return session


def pytest_runtest_setup() -> None:
    """Let no test hang for longer than our patience: this module is a plugin of pytest too."""
    _forget()
    signal.signal(signal.SIGALRM, lambda *_: os._exit(_TIMED_OUT))
    signal.setitimer(signal.ITIMER_REAL, PATIENCE)


def pytest_runtest_teardown() -> None:
    """Be patient again."""
    signal.setitimer(signal.ITIMER_REAL, 0)


def verdicts() -> Iterator[tuple[str, str, str]]:
    """Read the last run: module, mutant, and what became of it."""
    kinds = import_module("mutmut.stats").status_by_exit_code
    for file in sorted(_MUTANTS.glob("cfgate/**/*.py.meta")):
        module = str(file.relative_to(_MUTANTS)).removesuffix(".py.meta")
        for mutant, code in json.loads(file.read_text(encoding="utf-8"))["exit_code_by_key"].items():
            yield module, mutant, kinds[code]


def table() -> int:
    """Print what became of the mutants of every module; 1 if too many of a package lived."""
    modules: dict[str, Counter[str]] = defaultdict(Counter)
    packages: dict[str, Counter[str]] = defaultdict(Counter)
    for module, mutant, kind in verdicts():
        package = "/".join(module.split("/")[:2])
        modules[module][kind] += 1
        packages[package][kind] += 1
        if kind not in _DETECTED:
            print(f"{kind}: {mutant}")
    print("| module | mutants | killed | timed out | lived | detected |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    for name, kinds in sorted({**modules, **packages}.items()):
        title = f"`{name}`" if name in modules else f"**{name}**"
        killed, late = kinds["killed"] + kinds["segfault"], kinds["timeout"]
        lived = kinds.total() - killed - late
        print(f"| {title} | {kinds.total()} | {killed} | {late} | {lived} | {_share(kinds):.1f} % |")
    return int(any(_share(kinds) < LEAST for kinds in packages.values()) or not packages)


def _share(kinds: Counter[str]) -> float:
    return 100 * sum(kinds[kind] for kind in _DETECTED) / kinds.total()


def main() -> int:
    """Do what the command line says."""
    if sys.argv[1:] == ["table"]:
        return table()
    mutate_properties()
    collect_once()
    import_module("mutmut.__main__").cli()
    return 0


if __name__ == "__main__":
    sys.exit(main())
