"""GitLab's dotenv report."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cfgate.model import Result
from cfgate.report.dotenv import dotenv, variable
from cfgate.report.outputs import NAMES, outputs
from tests.support import hostile
from tests.support.factories import outcome, result, results
from tests.support.parsers import dotenv as dotenv_file
from tests.support.parsers.dotenv import MAX_BYTES

OTHERS = {"CFGATE_RESULT", *(f"CFGATE_MACHINES_{kind}" for kind in ("PENDING", "FAILED", "COMPLETED"))}


def gitlab(text: str) -> dict[str, str]:
    """Read a report as GitLab does."""
    return dotenv_file.parse(text.encode())


def test_the_outputs_as_variables() -> None:
    """Every output but the JSON and the machines becomes a variable, empty ones too; twenty are allowed."""
    variables = gitlab(dotenv(outputs(result())))
    assert set(variables) == {variable(name) for name in NAMES} - OTHERS
    assert len(variables) <= 20
    assert variables["CFGATE_STATUS"] == "ready"
    assert variables["CFGATE_READY"] == "true"
    assert variables["CFGATE_JOB_STATE_NAME"] == "Completed"
    assert variables["CFGATE_REASON"] == "image version 9001 ended ready"
    assert variables["CFGATE_JOB_ERROR"] == ""


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("plain text, with (marks); and = too", "plain text, with (marks); and = too"),
        ("$HOME ${HOME} %PATH%", "_HOME _{HOME} _PATH_"),
        ("""a 'b' "c" `d` \\e “f” ‘g’""", "a _b_ _c_ _d_ _e _f_ _g_"),
        (" two\r\nlines\u2028and\x00more ", "two lines and more"),
        ("größer 日本 🎉", "größer 日本 🎉"),
        ("\ud800x", "x"),
        ("#no comment", "#no comment"),
    ],
)
def test_values_are_disarmed(text: str, value: str) -> None:
    """A value is one line that neither GitLab nor a shell expands, and otherwise as it was."""
    assert gitlab(dotenv({"job-error": text})) == {"CFGATE_JOB_ERROR": value}


@given(st.dictionaries(st.sampled_from(NAMES), hostile.texts | hostile.texts.map(lambda text: text * 500)))
def test_any_values_make_a_good_report(pairs: dict[str, str]) -> None:
    """Whatever the values are, GitLab takes the report, and nothing in it can be expanded or quoted."""
    variables = gitlab(dotenv(pairs))
    assert set(variables) == {variable(name) for name in pairs} - OTHERS
    for value in variables.values():
        assert not re.search("[$%\"'`\\\\\u2018-\u201f\x00-\x1f\x7f-\x9f]", value)


@given(results())
@settings(max_examples=50)
def test_any_result_makes_a_good_report(any_result: Result) -> None:
    """Every result there can be is told to later jobs, its verdict in full."""
    variables = gitlab(dotenv(outputs(any_result)))
    assert variables["CFGATE_STATUS"] == any_result.status.label
    assert variables["CFGATE_EXIT_CODE"] == str(any_result.exit_code)


def test_a_prefix_of_its_own() -> None:
    """Two gates with prefixes of their own share no variable, and each report is within GitLab's limits."""
    told = outputs(result()) | {"job-error": "x" * 9000}
    first, second = dotenv(told, "LINUX"), dotenv(told, "C" * 40)
    assert gitlab(first)["LINUX_GO"] == gitlab(second)[f"{'C' * 40}_GO"] == "true"
    assert gitlab(first).keys().isdisjoint(gitlab(second))


def test_no_more_lines_than_gitlab_takes() -> None:
    """GitLab refuses a report of more variables than its administrator allows, which are 20 by default."""
    assert len(gitlab(dotenv(outputs(result())))) <= 20


def test_the_longest_values_are_cut_first() -> None:
    """When there is too much, the long values lose their ends, visibly, and the short ones nothing."""
    told = outputs(result(outcome(reason="why"))) | {"job-error": "é" * 9000, "reason": "x" * 1000}
    text = dotenv(told)
    variables = gitlab(text)
    assert variables["CFGATE_REASON"] == "x" * 1000
    assert re.fullmatch(r"é+\.\.\.\[cut\]", variables["CFGATE_JOB_ERROR"])
    assert len(text.encode()) > MAX_BYTES - 8  # and no more than need be


def test_two_long_values_share_the_room() -> None:
    """Two values that are both too long are cut to the same length."""
    variables = gitlab(dotenv({"reason": "x" * 9000, "job-error": "y" * 8000, "status": "failed"}))
    assert variables["CFGATE_STATUS"] == "failed"
    assert len(variables["CFGATE_REASON"]) == len(variables["CFGATE_JOB_ERROR"]) > 2400
