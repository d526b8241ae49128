"""The JUnit XML report: a test case for each target.

The schema is that of Jenkins' xunit plugin (junit-10.xsd), which Surefire's and GitLab's reports follow too.
GitLab shows the content of `failure` and `error`, others the attribute `message`: both are filled.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from typing import Final

from cfgate import __version__
from cfgate.model import GateStatus, Outcome, Result, state_of
from cfgate.text.wording import duration, elapsed, pictured, shorten, utc

_MAX_MESSAGE: Final = 200
# Characters of one text, and of all such texts together. A target has two of them, and each character may
# need five bytes (`&amp;`): less than the 30 MB that GitLab takes.
_MAX_TEXT: Final = 20_000
_ROOM: Final = 1_500_000


def junit(result: Result) -> str:
    """Write the report; whenever the result is not ready, at least one test case is not either."""
    suites = ET.Element("testsuites")
    suite = ET.SubElement(suites, "testsuite", name="cfgate rehearsal" if result.rehearsal else "cfgate")
    _add_properties(suite, result)
    limit = min(_MAX_TEXT, _ROOM // max(len(result.outcomes), 1))
    for outcome in result.outcomes:
        _add_target(suite, outcome, limit, rehearsal=result.rehearsal)
    if not result.ready and suite.find("testcase/failure") is None and suite.find("testcase/error") is None:
        _add_run(suite, result)
    suite.set("tests", str(len(suite.findall("testcase"))))
    suite.set("failures", str(len(suite.findall("testcase/failure"))))
    suite.set("errors", str(len(suite.findall("testcase/error"))))
    suite.set("skipped", "0")
    suite.set("time", _seconds(result.waited))
    suite.set("timestamp", utc(result.started).strftime("%Y-%m-%dT%H:%M:%S"))
    ET.indent(suites)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(suites, encoding="unicode")}\n'


def _add_properties(suite: ET.Element, result: Result) -> None:
    properties = ET.SubElement(suite, "properties")
    facts = {
        "version": __version__,
        "status": result.status.label,
        "exit-code": str(result.exit_code),
        "rehearsal": str(result.rehearsal).lower(),
    }
    for name, value in facts.items():
        ET.SubElement(properties, "property", name=name, value=value)


def _add_target(suite: ET.Element, outcome: Outcome, limit: int, *, rehearsal: bool) -> None:
    case = _add_case(suite, outcome.target.full_name, outcome.waited)
    if outcome.status is not GateStatus.READY:
        error = outcome.job.error if outcome.job else None
        _add_problem(case, outcome.status, (outcome.reason, outcome.remedy, error or ""), limit)
    lines = ["rehearsal: a simulator was asked instead of Clanforge"] if rehearsal else []
    lines += _life(outcome)
    if lines:
        ET.SubElement(case, "system-out").text = _text("\n".join(lines), limit)


def _add_run(suite: ET.Element, result: Result) -> None:
    """Add a test case for a run that went wrong as a whole, before or after the targets."""
    case = _add_case(suite, "run", result.waited)
    _add_problem(case, result.status, (result.reason, result.remedy), _MAX_TEXT)


def _add_case(suite: ET.Element, name: str, waited: float) -> ET.Element:
    name = _text(shorten(name, _MAX_MESSAGE))
    return ET.SubElement(suite, "testcase", classname="cfgate", name=name, time=_seconds(waited))


def _add_problem(case: ET.Element, status: GateStatus, texts: tuple[str, ...], limit: int) -> None:
    """Add what went wrong: the reason, what to do, the error of the job."""
    # A job that failed is a failure; where only the waiting ended, the test could not be carried out.
    problem = ET.SubElement(case, "failure" if status.by_job else "error")
    problem.set("type", status.label)
    problem.set("message", _text(" ".join(shorten(texts[0], _MAX_MESSAGE).split())))
    problem.text = "\n\n".join(_text(part, limit) for part in texts if part)


def _life(outcome: Outcome) -> Iterator[str]:
    """Tell what happened to one target, in order."""
    states = [(moment.at, state_of(moment.job)) for moment in outcome.timeline]
    retries = [
        (retry.at, f"{retry.why}; asked again in {duration(retry.pause)}") for retry in outcome.retries
    ]
    for at, line in sorted(states + retries, key=lambda entry: entry[0]):
        yield f"{elapsed(at)} {line}"
    for warning in outcome.warnings:
        yield f"warning: {warning}"


def _text(text: str, limit: int = _MAX_TEXT) -> str:
    """Bound a text, and make it one that XML 1.0 allows.

    GitLab and Jenkins take `[[ATTACHMENT|path]]` for the path of a file to show: no text from outside may.
    """
    return pictured(shorten(text, limit)).replace("[[ATTACHMENT|", "[ [ATTACHMENT|")


def _seconds(seconds: float) -> str:
    return f"{max(seconds, 0.0):.3f}"
