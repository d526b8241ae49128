"""The published schemas of results and scenarios: real ones are valid, and wrong ones are not."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from jsonschema import Draft7Validator

from cfgate.model import GateStatus, JobState, Machines, Result
from cfgate.report.outputs import NAMES
from cfgate.report.result import as_dict, as_json
from cfgate.simulator import ScenarioError, names, parse
from tests.support.factories import job, outcome, result, results
from tools import result_schema, scenario_schema

SCENARIOS = Path(__file__).parents[2] / "cfgate" / "simulator" / "scenarios"
KEYS: list[str] = json.loads(result_schema.PATH.read_text("utf-8"))["required"]
RESULT = Draft7Validator(json.loads(result_schema.PATH.read_text("utf-8")))
SCENARIO = Draft7Validator(json.loads(scenario_schema.PATH.read_text("utf-8")))


def test_the_schemas_are_schemas() -> None:
    """They fit the schema of schemas."""
    for validator in (RESULT, SCENARIO):
        Draft7Validator.check_schema(validator.schema)


ROLLED = outcome(job=job(JobState.COMPLETED, machines=Machines(0, 2, 18)))
REAL = [
    result(),
    result(ROLLED),
    result(outcome(GateStatus.FAILED, name="linux"), outcome(GateStatus.TIMEOUT, job=None, timeline=())),
    *(result(outcomes=(), status=status) for status in GateStatus),
]


@pytest.mark.parametrize("real", REAL, ids=lambda real: real.status.label)
def test_a_result_fits(real: Result) -> None:
    """Every result, whole or cut, has all keys of the schema, in its forms."""
    RESULT.validate(as_dict(real))
    RESULT.validate(json.loads(as_json(real, 8192)))


@settings(max_examples=20)
@given(results())
def test_any_result_fits(any_result: Result) -> None:
    """Whatever the API said."""
    RESULT.validate(as_dict(any_result))


def test_every_output_is_a_key_of_the_schema() -> None:
    """The names of the outputs are those of the keys, and they are described by the same words."""
    assert set(NAMES) - {"result"} <= set(KEYS)
    assert set(as_dict(result())) == set(KEYS)


def _without(value: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: inner for name, inner in value.items() if name != key}


def test_what_is_missing_or_of_another_kind_does_not_fit() -> None:
    """A key less, on any level, or a value of another kind is found."""
    whole = as_dict(result())
    for key in whole:
        assert not RESULT.is_valid(_without(whole, key)), key
    for key in whole["image-versions"][0]:
        wrong = copy.deepcopy(whole)
        del wrong["image-versions"][0][key]
        assert not RESULT.is_valid(wrong), key
    for key, value in {
        "status": "fine",
        "ready": "true",
        "requests": -1,
        "name": 1,
        "started": "now",
    }.items():
        assert not RESULT.is_valid({**whole, key: value}), key


def test_totals_have_zeros_and_absent_values_are_null() -> None:
    """Who counts failures need not ask whether there are any; who asks for a name gets null, not nothing."""
    whole = as_dict(result())
    assert whole["totals"] == {"image-versions": 1, "ready": 1} | {
        status.label: 0 for status in GateStatus if status not in (GateStatus.READY, GateStatus.INVALID)
    }
    assert (
        whole["name"]
        is whole["image-versions"][0]["name"]
        is whole["machines-failed"]
        is whole["remedy"]
        is None
    )
    assert whole["id"] == whole["image-version-id"] == whole["image-versions"][0]["id"] == 9001
    rolled = as_dict(result(ROLLED))
    assert [rolled[f"machines-{kind}"] for kind in ("pending", "failed", "completed")] == [0, 2, 18]


@pytest.mark.parametrize("name", names())
def test_a_built_in_scenario_fits(name: str) -> None:
    """An editor marks nothing in the scenarios that come with cfgate."""
    SCENARIO.validate(yaml.safe_load((SCENARIOS / f"{name}.yml").read_text("utf-8")))


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "life: []",
        "life: [{for: 2s}]",
        "life: [{state: Packing}]",
        "life: [{state: Queued, for: 2}]",
        "life: [{state: Running, progress: 101}]",
        "life: [{state: Running, eta: soon}]",
        "{life: [{state: Running}], faults: [{requests: 3}]}",
        "{life: [{state: Running}], faults: [{status: 99}]}",
        "{life: [{state: Running}], faults: [{connection: reset}]}",
        "{life: [{state: Running}], unset: gone}",
        "{life: [{state: Running}], lief: 1}",
    ],
)
def test_what_the_simulator_refuses_does_not_fit(text: str) -> None:
    """An editor marks what the simulator would refuse."""
    assert not SCENARIO.is_valid(yaml.safe_load(text))
    with pytest.raises(ScenarioError):
        parse(text)
