"""From the plain values of a YAML document to a `Scenario`, with every problem at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from cfgate.model import JobState
from cfgate.simulator import values
from cfgate.simulator.faults import Fault
from cfgate.simulator.scenario import (
    Begins,
    Eta,
    Guess,
    Progress,
    Scenario,
    ScenarioError,
    Stage,
    Unset,
    Updated,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Readers = Mapping[str, Callable[[object], Any]]

_STAGE: Final[Readers] = {
    "state": values.state,
    "for": values.some_time,
    "progress": values.progress,
    "eta": values.eta,
    "jobfailed": values.whole(0, 10**9),
    "joberror": values.text,
    "fields": values.fields,
}
_WHEN: Final[Readers] = {
    "requests": values.numbers,
    "after": values.duration,
    "until": values.duration,
    "during": lambda value: values.state(value)[0],
}
_WHAT: Final[Readers] = {
    "delay": values.duration,
    "status": values.whole(200, 599),
    "headers": values.headers,
    "fields": values.fields,
    "body": values.body,
    "instead": values.instead,
    "connection": values.connection,
}
_SCENARIO: Final[Readers] = {
    "description": values.line,
    "begins": values.choice(Begins),
    "date-offset": values.offset,
    "unset": values.choice(Unset),
    "updated": values.choice(Updated),
    "image-version-id": values.image_version_ids,
}
_ROWS: Final = ("life", "faults")
_MOST_ROWS: Final = 1000
_MOST_PROBLEMS: Final = 100  # more are of no use to anybody


def read(document: object, name: str, source: str) -> Scenario:
    """Build the scenario `name` from what the file `source` holds; raise ScenarioError."""
    if not isinstance(document, dict):
        raise ScenarioError(source, ["it holds no scenario; begin with `life:` and a list of states"])
    reader = _Reader()
    whole = reader.table(document, "", _SCENARIO, also=_ROWS)
    stages = [reader.stage(row, f"life[{at}]") for at, row in reader.rows(document, "life", least=1)]
    faults = [reader.fault(row, f"faults[{at}]") for at, row in reader.rows(document, "faults")]
    reader.check_ends(stages)
    if reader.problems:
        raise ScenarioError(source, reader.problems)
    return Scenario(
        name=name,
        life=_settled(stages),
        faults=tuple(Fault(**fault) for fault in faults),
        description=whole.get("description", ""),
        date_offset=whole.get("date-offset", 0.0),
        begins=whole.get("begins", Begins.FIRST_REQUEST),
        known=whole.get("image-version-id", frozenset()),
        unset=whole.get("unset", Unset.NULL),
        updated=whole.get("updated", Updated.WITH_PROGRESS),
    )


class _Reader:
    """Reads the parts of a document and gathers what is wrong with them."""

    def __init__(self) -> None:
        self.problems: list[str] = []

    def table(
        self, value: object, where: str, readers: Readers, *, also: tuple[str, ...] = ()
    ) -> dict[str, Any]:
        """Read a mapping with these keys (`also` are left to others); return what can be read."""
        if not isinstance(value, dict):
            self._problem(where, f"{values.shown(value)} is not a mapping; write `key: value`")
            return {}
        result = {}
        for key, one in value.items():
            if len(self.problems) >= _MOST_PROBLEMS:
                break  # to look for the names that were meant takes time
            word = str(key) if str(key).isprintable() else repr(key)
            path = f"{where}.{word[:80]}" if where else word[:80]
            if key in readers:
                try:
                    result[key] = readers[key](one)
                except values.Mistake as mistake:
                    self._problem(path, str(mistake))
            elif key not in also:
                self._problem(path, f"there is no such key; {values.nearest(word, (*readers, *also))}")
        return result

    def rows(self, document: dict[Any, Any], key: str, *, least: int = 0) -> list[tuple[int, object]]:
        """Get the rows of a list, numbered from 0."""
        value = document.get(key, [])
        if not isinstance(value, list) or not least <= len(value) <= _MOST_ROWS:
            self._problem(key, f"write a list of {least} to {_MOST_ROWS} items, each behind a dash")
            return []
        return list(enumerate(value))

    def stage(self, value: object, where: str) -> dict[str, Any]:
        """Read a state of the life; a `for` that cannot be read is `None`."""
        stage = self.table(value, where, _STAGE)
        if isinstance(value, dict):
            if "state" not in value:
                self._problem(where, "it names no `state`")
            if "for" in value:
                stage.setdefault("for", None)
        return stage

    def fault(self, value: object, where: str) -> dict[str, Any]:
        """Read a fault."""
        fault = self.table(value, where, {**_WHEN, **_WHAT})
        if isinstance(value, dict):
            if not value.keys() & _WHAT.keys():
                self._problem(where, f"it says when, but not what: add one of {', '.join(_WHAT)}")
            bodies = [key for key in ("fields", "body", "instead") if key in value]
            if len(bodies) > 1:
                self._problem(where, f"{' and '.join(bodies)} exclude each other; keep one")
        return fault

    def check_ends(self, stages: list[dict[str, Any]]) -> None:
        """Check that each state ends that has to."""
        for at, stage in enumerate(stages):
            if "for" in stage:
                continue
            if at < len(stages) - 1:
                self._problem(f"life[{at}]", "it has no end; say how long it lasts, as in `for: 10s`")
            elif needy := _needs_duration(stage):
                self._problem(f"life[{at}].{needy}", "it needs a `for` that says how fast it goes")

    def _problem(self, where: str, what: str) -> None:
        self.problems.append(f"{where}: {what}")


def _needs_duration(stage: dict[str, Any]) -> str:
    """Name the key of a last state that means nothing without a duration."""
    progress, eta = stage.get("progress"), stage.get("eta")
    if progress is not None and progress.first < progress.last:
        return "progress"
    running = stage.get("state", (None,))[0] is JobState.RUNNING
    timed = eta is not None and eta.guess in (Guess.EXACT, Guess.WITHIN, Guess.FIXED)
    return "eta" if running and timed else ""


def _settled(stages: list[dict[str, Any]]) -> tuple[Stage, ...]:
    """Fill in what the states of a life take from those before them."""
    settled: list[Stage] = []
    failures, percent = 0, 0
    for stage in stages:
        state, name = stage["state"]
        failures = stage.get("jobfailed", failures)
        progress = stage.get("progress") or _usual_progress(state, percent, timed="for" in stage)
        percent = progress.last
        settled.append(
            Stage(
                state=state,
                name=name,
                duration=stage.get("for"),
                progress=progress,
                eta=stage.get("eta", Eta(Guess.NONE)),
                failures=failures,
                error=stage.get("joberror", ""),
                fields=stage.get("fields", {}),
            )
        )
    return tuple(settled)


def _usual_progress(state: JobState, percent: int, *, timed: bool) -> Progress:
    """Say how `jobprogress` moves where the scenario does not; `percent` is how far the state before came."""
    if state is JobState.RUNNING:
        return Progress(0, 100) if timed else Progress(0, 0)
    if state is JobState.COMPLETED:
        return Progress(100, 100)
    return Progress(percent, percent) if state.terminal else Progress(0, 0)
