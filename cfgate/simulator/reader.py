"""From the text of a scenario to a `Scenario`, with every problem at once, each with its line and column."""

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
from cfgate.text.strict_yaml import Entry, MappingNode, SequenceNode, compose, entries, text_of, value_of
from cfgate.text.wording import Wrong, meant, problem

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    Readers = Mapping[str, Callable[[object], Any]]

STAGE: Final[Readers] = {
    "state": values.state,
    "for": values.some_time,
    "progress": values.progress,
    "eta": values.eta,
    "jobfailed": values.whole(0, 10**9),
    "joberror": values.text,
    "fields": values.fields,
}
WHEN: Final[Readers] = {
    "requests": values.numbers,
    "after": values.duration,
    "until": values.duration,
    "during": lambda value: values.state(value)[0],
}
WHAT: Final[Readers] = {
    "delay": values.duration,
    "status": values.whole(200, 599),
    "headers": values.headers,
    "fields": values.fields,
    "body": values.body,
    "instead": values.instead,
    "connection": values.connection,
}
SCENARIO: Final[Readers] = {
    "description": values.line,
    "begins": values.choice(Begins),
    "date-offset": values.offset,
    "unset": values.choice(Unset),
    "updated": values.choice(Updated),
    "image-version-id": values.image_version_ids,
}
_ROWS: Final = ("life", "faults")
MOST_ROWS: Final = 1000
_MOST_PROBLEMS: Final = 100  # more are of no use to anybody


def read(text: str, name: str, source: str) -> Scenario:
    """Build the scenario `name` from the text of the file `source`; raise ScenarioError."""
    try:
        root = compose(text, aliases=False)
    except Wrong as wrong:
        raise ScenarioError(source, [f"it {wrong}"]) from None
    if not isinstance(root, MappingNode):
        raise ScenarioError(source, ["it has no scenario: begin with `life:` and a list of states"])
    reader = _Reader()
    whole = Entry("", "", root, root)
    parts = reader.parts(whole, (*SCENARIO, *_ROWS))
    facts = reader.values(parts, SCENARIO)
    life = reader.rows(parts, "life", least=1)
    stages = [reader.stage(row, last=row is life[-1]) for row in life]
    faults = [reader.fault(row) for row in reader.rows(parts, "faults")]
    if reader.problems:
        raise ScenarioError(source, reader.problems[:_MOST_PROBLEMS])
    return Scenario(
        name=name,
        life=_settled(stages),
        faults=tuple(Fault(**fault) for fault in faults),
        description=facts.get("description", ""),
        date_offset=facts.get("date-offset", 0.0),
        begins=facts.get("begins", Begins.FIRST_REQUEST),
        known=facts.get("image-version-id", frozenset()),
        unset=facts.get("unset", Unset.NULL),
        updated=facts.get("updated", Updated.WITH_PROGRESS),
    )


class _Reader:
    """Reads the parts of a document and collects what is wrong with them."""

    def __init__(self) -> None:
        self.problems: list[str] = []

    def parts(self, whole: Entry, known: Collection[str]) -> dict[str, Entry]:
        """List the entries of a mapping that has the `known` keys."""
        if not isinstance(whole.node, MappingNode):
            self._wrong(whole, "is not a mapping: write `key: value`")
            return {}
        above = f"{whole.path}." if whole.path else ""
        parts = {}
        for entry in entries(whole.node, above, self.problems):
            if entry.name in known:
                parts[entry.name] = entry
            elif len(self.problems) < _MOST_PROBLEMS:  # to look for the names that were meant takes time
                self.problems.append(f"{entry.key_place} is unknown: {meant(entry.name, known)}")
        return parts

    def values(self, parts: Mapping[str, Entry], readers: Readers) -> dict[str, Any]:
        """Read the values of those parts that have a reader; omit what cannot be read."""
        found = {}
        for name, entry in parts.items():
            try:
                if name in readers:
                    found[name] = readers[name](value_of(entry.node))
            except Wrong as wrong:
                self.problems.append(problem(wrong, text_of(entry.node) or "", entry.place))
        return found

    def rows(self, parts: Mapping[str, Entry], key: str, *, least: int = 0) -> list[Entry]:
        """List the rows of a list, numbered from 0."""
        if key not in parts:
            if least:
                self.problems.append(f"key {key} is missing: write a list of {least} to {MOST_ROWS} items")
            return []
        node = parts[key].node
        if not isinstance(node, SequenceNode) or not least <= len(node.value) <= MOST_ROWS:
            advice = f"write a list of {least} to {MOST_ROWS} items, each behind a dash"
            self._wrong(parts[key], f"cannot be used: {advice}")
            return []
        return [Entry(f"{key}[{at}]", "", row, row) for at, row in enumerate(node.value)]

    def stage(self, row: Entry, *, last: bool) -> dict[str, Any]:
        """Read a state of the life; check that it ends if it has to."""
        parts = self.parts(row, STAGE)
        stage = self.values(parts, STAGE)
        if isinstance(row.node, MappingNode):
            if "state" not in parts:
                self._wrong(row, "names no `state`")
            if "for" not in parts and not last:
                self._wrong(row, "has no end: say how long it lasts, as in `for: 10s`")
            elif "for" not in parts and (needy := _needs_duration(stage)):
                self._wrong(parts[needy], "needs a `for` that says how fast it goes")
        return stage

    def fault(self, row: Entry) -> dict[str, Any]:
        """Read a fault."""
        parts = self.parts(row, (*WHEN, *WHAT))
        if isinstance(row.node, MappingNode):
            if not parts.keys() & WHAT.keys():
                self._wrong(row, f"says when, but not what: add one of {', '.join(WHAT)}")
            bodies = [key for key in ("fields", "body", "instead") if key in parts]
            if len(bodies) > 1:
                self._wrong(row, f"has {' and '.join(bodies)}, which exclude each other: keep one")
        return self.values(parts, {**WHEN, **WHAT})

    def _wrong(self, entry: Entry, what: str) -> None:
        self.problems.append(problem(Wrong(what, part=""), "", entry.place))


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
    """Return how `jobprogress` moves by default; `percent` is how far the state before came."""
    if state is JobState.RUNNING:
        return Progress(0, 100) if timed else Progress(0, 0)
    if state is JobState.COMPLETED:
        return Progress(100, 100)
    return Progress(percent, percent) if state.terminal else Progress(0, 0)
