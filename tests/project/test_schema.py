"""The JSON Schema of the config file, which lies in the repository for editors: it says what cfgate says."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfgate.settings.options import OPTIONS, TARGET_OPTIONS, Option
from cfgate.text.wording import Wrong
from tools import schema

SCHEMA: dict[str, Any] = json.loads(schema.PATH.read_text("utf-8"))
TARGET: dict[str, Any] = SCHEMA["properties"]["targets"]["additionalProperties"]
IN_FILE = [option for option in OPTIONS if not option.not_in_file]
VALUES = [(SCHEMA, option) for option in IN_FILE] + [(TARGET, option) for option in TARGET_OPTIONS]


def accepts(form: dict[str, Any], value: object) -> bool:
    """Judge a plain value or a list by the keywords that the schema uses (JSON Schema, draft 7)."""
    types = {"integer": int, "string": str, "array": list, "boolean": bool}
    known = {"description", "examples", "anyOf", "const", "enum", "type"}
    assert set(form) <= known | {"pattern", "minimum", "maximum", "items", "minItems", "maxItems"}
    if "anyOf" in form and not any(accepts(each, value) for each in form["anyOf"]):
        return False
    if value != form.get("const", value) or value not in form.get("enum", [value]):
        return False
    names = form.get("type", list(types))
    wanted = {types[name] for name in ([names] if isinstance(names, str) else names)}
    if type(value) not in wanted:
        return False
    if isinstance(value, str):
        return re.search(form.get("pattern", ""), value) is not None
    if isinstance(value, list):
        fits = form.get("minItems", 0) <= len(value) <= form.get("maxItems", len(value))
        return fits and all(accepts(form["items"], each) for each in value)
    assert isinstance(value, int)
    return bool(form.get("minimum", value) <= value <= form.get("maximum", value))


def test_it_has_the_keys_of_the_option_table() -> None:
    """An editor completes what may stand in the file and in a target, and marks everything else."""
    assert list(SCHEMA["properties"]) == [*(option.name for option in IN_FILE), "targets"]
    assert list(TARGET["properties"]) == [option.name for option in TARGET_OPTIONS]
    assert SCHEMA["additionalProperties"] is TARGET["additionalProperties"] is False
    assert TARGET["required"] == ["image-version-id"]
    assert SCHEMA["not"] == {"required": ["image-version-id", "targets"]}


@pytest.mark.parametrize(("mapping", "option"), VALUES, ids=lambda value: getattr(value, "name", ""))
def test_every_value_tells_what_the_help_tells(mapping: dict[str, Any], option: Option) -> None:
    """An editor shows the sentence and the default of the option table; the default is a value."""
    told = mapping["properties"][option.name]
    assert told["description"].startswith(f"{option.help}.")
    if option.default:
        assert option.default in told["description"]
        assert accepts(told, json.loads(option.default) if option.boolean else option.default)


EXAMPLES = [
    (
        "image-version-id",
        [9001, "9001", [9001, 9002], "9001, 9002\n9003\n"],
        [0, "x", [], [[1]], True, "1;2"],
    ),
    ("resource", ["image-version", "rollout"], ["image_version", 1, ""]),
    ("account-service-id", [1234567, "1234567"], [0, -1, "0", "12 34", 10**18, [1]]),
    ("timeout", [0, "45m", "1h30m", "1.5h", "90s"], [90, "90", "", "-5m", "5m1h", "1:30", "5 m"]),
    ("request-timeout", ["10s"], [0, "10"]),
    ("poll-interval", ["auto", "10s"], ["off", 0, 10]),
    ("max-interval", ["30s"], ["auto", 30]),
    ("stall-timeout", ["off", 0, "20m"], ["auto", 20]),
    ("fail-fast", [True, False], ["yes", 1]),
]


@pytest.mark.parametrize(("name", "good", "bad"), EXAMPLES)
def test_it_says_of_values_what_the_reader_says(name: str, good: list[object], bad: list[object]) -> None:
    """What the schema lets through the reader takes, and what the reader refuses the schema marks."""
    option = next(option for option in IN_FILE if option.name == name)
    form = SCHEMA["properties"][name]
    for value in good:
        assert accepts(form, value), value
        option.parse(written(value))
    for value in bad:
        assert not accepts(form, value), value


def written(value: object) -> str:
    """Write a value as the reader of the file hands it on."""
    if isinstance(value, list):
        return ",".join(map(str, value))
    return str(value).strip()


PATTERNS = {
    (option.parse, form["pattern"]): option
    for mapping, option in VALUES
    for form in [mapping["properties"][option.name], *mapping["properties"][option.name].get("anyOf", [])]
    if "pattern" in form
}


@pytest.mark.parametrize(("pattern", "option"), [(key[1], option) for key, option in PATTERNS.items()])
@given(st.data())
def test_a_text_that_fits_is_read(pattern: str, option: Option, data: st.DataObject) -> None:
    """Every text that the schema lets through is a value, or at most one too long or too short."""
    looser = pattern.replace("(?=.)", "").replace("$", r"\Z")  # what looks ahead is slow to draw from
    text = data.draw(st.from_regex(looser, fullmatch=True).filter(bool)).strip()
    why = ""
    try:
        option.parse(text)
    except Wrong as wrong:
        why = str(wrong)
    assert re.match(r"is too (long|short): |names [0-9]+ ids: |$", why), text


def test_names_of_targets_are_bounded_as_the_reader_bounds_them() -> None:
    """An editor marks a name that is empty or too long."""
    names = SCHEMA["properties"]["targets"]["propertyNames"]
    assert names == {"minLength": 1, "maxLength": 40}
