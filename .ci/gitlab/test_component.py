"""The component in pipelines: what its gates let through, what they hold up, and what they leave behind."""

from __future__ import annotations

import http.server
import json
import os
import re
import subprocess
import threading
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final

import pytest
import scenarios
import yaml
from client import HELPER, Pipeline, commit, gate, run
from runner import ENGINE, IMAGE

from cfgate.report.dotenv import LEFT_OUT, variable
from cfgate.report.outputs import NAMES
from cfgate.simulator import Scenario, Simulator
from tests.support.canary import ACCESS_KEY, KEYS, SECRET_KEY, found
from tests.support.parsers import gitlab_log

ASID: Final = 1234567
DOTENV: Final = {variable(name) for name in NAMES if name not in LEFT_OUT}

# A job that comes after a gate and says what it knows of it.
DEPLOY: Final = {"stage": "deploy", "script": ["env | grep ^CFGATE_"]}
# Reports are kept as files, where a test can read them.
KEPT: Final = {
    "artifacts": {
        "paths": [
            "$CI_JOB_NAME_SLUG.json",
            "$CI_JOB_NAME_SLUG.md",
            "cfgate.xml",
            "cfgate-links.json",
            "owned*",
        ]
    }
}


@pytest.fixture
def simulators() -> Iterator[ExitStack]:
    """Serve simulators until the test is over."""
    with ExitStack() as stack:
        yield stack


def serve(simulators: ExitStack, scenario: Scenario) -> Simulator:
    """Serve a scenario to whoever has the credentials of the project."""
    simulator = Simulator(scenario, access_key=ACCESS_KEY, secret_key=SECRET_KEY, account_service_id=ASID)
    return simulators.enter_context(simulator)


def asking(simulator: Simulator, **inputs: str) -> dict[str, str]:
    """Give the inputs of a gate that asks a simulator, about image version 9001 if nothing else is said."""
    asked = {"api_url": simulator.url, "account_service_id": str(ASID), "max_interval": "1s"}
    return {"image_version_id": "9001", **asked, **inputs}


def pipeline(tmp_path: Path, include: list[dict[str, Any]], **jobs: dict[str, Any]) -> Pipeline:
    """Run a pipeline of gates and jobs; nothing that anybody can see of it holds a credential."""
    stages = ["build", "gate", "later gate", "deploy"]
    commit(tmp_path, yaml.safe_dump({"stages": stages, "include": include, **jobs}))
    ended = run(tmp_path, KEYS)
    assert found(ended.everything) == []
    return ended


def told(ended: Pipeline, job: str) -> dict[str, str]:
    """Read what a job after a gate has found in its environment."""
    return dict(line.split("=", 1) for line in ended.log(job))


def result(ended: Pipeline, job: str) -> dict[str, Any]:
    """Read the result of a gate."""
    read: dict[str, Any] = json.loads(ended.artifact(job, f"{job.replace('_', '-')}.json").read_text("utf-8"))
    return read


def case_of(ended: Pipeline, job: str) -> ET.Element:
    """Read the one test case of a JUnit report, which must fit the schema."""
    report = ended.artifact(job, "cfgate.xml").read_text("utf-8")
    schema = Path(".ci/gitlab/junit-10.xsd").read_text("utf-8")
    command = [ENGINE, "run", "--rm", "--interactive", HELPER, "bash", "-euc"]
    script = 'xmllint --noout --schema <(printf %s "$0") -'
    subprocess.run([*command, script, schema], input=report, text=True, check=True, capture_output=True)
    (case,) = ET.fromstring(report).iter("testcase")  # noqa: S314 - our own report
    return case


def test_ready(tmp_path: Path, simulators: ExitStack) -> None:
    """The id comes from an earlier job; when that version is ready, a later job runs and knows all of it."""
    simulator = serve(simulators, scenarios.READY)
    inputs = asking(
        simulator, image_version_id="$IMAGE_VERSION_ID", details_url="https://example.com/versions/{id}"
    )
    build = {
        "stage": "build",
        "script": ["echo IMAGE_VERSION_ID=9001 >build.env"],
        "artifacts": {"reports": {"dotenv": "build.env"}},
    }
    ended = pipeline(tmp_path, [gate(**inputs)], build=build, cfgate=KEPT, deploy=DEPLOY)
    assert ended.exit_code == 0, ended.printed
    assert told(ended, "deploy") == ended.dotenv("cfgate")
    assert ended.dotenv("cfgate").keys() == DOTENV
    known = {name: ended.dotenv("cfgate")[f"CFGATE_{name}"] for name in ("READY", "STATUS", "REHEARSAL")}
    assert known == {"READY": "true", "STATUS": "ready", "REHEARSAL": "false"}
    assert ended.dotenv("cfgate")["CFGATE_IMAGE_VERSION_ID"] == "9001"
    assert ended.dotenv("cfgate")["CFGATE_REQUESTS"] == str(len(simulator.requests))
    case = case_of(ended, "cfgate")
    assert (case.get("name"), case.find("failure"), case.find("error")) == ("image version 9001", None, None)
    link = {"label": "image version 9001", "url": "https://example.com/versions/9001"}
    links = json.loads(ended.artifact("cfgate", "cfgate-links.json").read_text("utf-8"))
    assert links == {"cfgate": [{"external_link": link}]}
    assert "(https://example.com/versions/9001)" in ended.artifact("cfgate", "cfgate.md").read_text("utf-8")


def test_failed(tmp_path: Path, simulators: ExitStack) -> None:
    """A failed job stops the pipeline, and its reports say why."""
    inputs = asking(serve(simulators, scenarios.FAILED))
    component = gate("/templates/cfgate.yml", by="local", **inputs)
    ended = pipeline(tmp_path, [component], cfgate=KEPT, deploy=DEPLOY)
    assert (ended.exit_code, ended.verdict("cfgate")) == (1, "FAIL 1"), ended.printed
    assert ended.log("deploy") == []
    assert ended.dotenv("cfgate")["CFGATE_READY"] == "false"
    failure = case_of(ended, "cfgate").find("failure")
    assert failure is not None
    assert "disk full" in (failure.text or "")
    assert "what to do: Read the job error" in ended.log("cfgate")[-1]


def test_allowed_by_exit_code(tmp_path: Path, simulators: ExitStack) -> None:
    """With `allow_failure` for its exit code a time-out, and no failure, lets the pipeline go on."""
    allowed = {**KEPT, "allow_failure": {"exit_codes": [4, 10]}}
    failed = asking(serve(simulators, scenarios.FAILED))
    late = asking(serve(simulators, scenarios.ENDLESS), timeout="2s")
    with published(Path("templates")) as address:
        gates = [
            gate(f"{address}/cfgate.yml", by="remote", **late),
            gate(f"{address}/cfgate.yml", by="remote", job_name="failed", **failed),
        ]
        deploy = {**DEPLOY, "needs": ["cfgate"]}
        ended = pipeline(tmp_path, gates, cfgate=allowed, failed=allowed, deploy=deploy)
    assert (ended.verdict("cfgate"), ended.verdict("failed")) == ("WARN 4", "FAIL 1"), ended.printed
    found = told(ended, "deploy")
    assert (found["CFGATE_STATUS"], found["CFGATE_READY"]) == ("timeout", "false")
    assert found["CFGATE_EXIT_CODE"] == "4"
    case = case_of(ended, "cfgate")
    assert (case.find("failure"), case.find("error") is not None) == (None, True)


@contextmanager
def published(directory: Path) -> Iterator[str]:
    """Serve the files of a directory, as a forge does raw files."""
    handler = partial(http.server.SimpleHTTPRequestHandler, directory=str(directory.resolve()))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_two_gates(tmp_path: Path, simulators: ExitStack) -> None:
    """What the first gate leaves behind never stands in for the id of a later one, missing or not."""
    simulator = serve(simulators, scenarios.UNKNOWN_ID)  # which knows version 1 only
    later = {"stage": "later gate", "not_found_grace": "1s"}
    gates = [
        gate(**asking(simulator, image_version_id="1")),
        gate(**asking(simulator, image_version_id="9002", job_name="second", **later)),
        gate(**asking(simulator, image_version_id="$NEVER_SET", job_name="unset", **later)),
    ]
    ended = pipeline(tmp_path, gates, cfgate=KEPT, second=KEPT, unset=KEPT, deploy=DEPLOY)
    assert ended.exit_code != 0
    assert ended.log("deploy") == []
    assert ended.dotenv("cfgate")["CFGATE_IMAGE_VERSION_ID"] == "1"
    assert [result(ended, job)["exit-code"] for job in ("cfgate", "second", "unset")] == [0, 7, 2]
    assert "flag --image-version-id has no value" in ended.dotenv("unset")["CFGATE_REASON"]
    asked = [request.path.split("/")[4] for request in simulator.requests]
    assert asked[0] == "1"
    assert set(asked[1:]) == {"9002"}


def test_hostile_inputs(tmp_path: Path) -> None:
    """What a shell would act on reaches the program as it is, and is refused there."""
    inputs = {
        "image_version_id": "9001;`>owned1`",
        "timeout": '$(>owned2)"; >owned3 #',
        "rehearse": '$CI_JOB_NAME";`>owned4`',
    }
    sound = {"image_version_id": "9001", "rehearse": "ready"}
    gates = [gate(**{**sound, name: text, "job_name": name}) for name, text in inputs.items()]
    refused = {**KEPT, "allow_failure": {"exit_codes": [2]}}
    ended = pipeline(tmp_path, gates, **dict.fromkeys(inputs, refused))
    for name, text in inputs.items():
        assert ended.verdict(name) == "WARN 2", ended.printed
        assert text in result(ended, name)["reason"]
        assert list(ended.artifact(name, "").glob("owned*")) == []


def test_hostile_job_error(tmp_path: Path, simulators: ExitStack) -> None:
    """A job error that gives orders adds no section, no colour and no variable, and erases no line."""
    inputs = asking(serve(simulators, scenarios.HOSTILE))
    ended = pipeline(tmp_path, [gate(**inputs)], cfgate=KEPT)
    assert ended.dotenv("cfgate").keys() == DOTENV
    assert ended.dotenv("cfgate")["CFGATE_READY"] == "false"
    assert "ready=true" in (case_of(ended, "cfgate").findtext("failure") or "")
    log = "\n".join(ended.log("cfgate"))
    assert "ready=true" in log
    # The client writes a marker anew as the name of its section, and "_started".
    assert len(re.findall(r"^(?!cfgate_[0-9a-f]{32}_).*_started$", log, re.MULTILINE)) == 0
    assert set(re.findall("\x1b[^m]*m", log)) <= {"\x1b[31m", "\x1b[0m"}
    assert not re.search("[\x00-\x08\x0b-\x1a\x1c-\x1f\x7f-\x9f]", log)


def test_the_log_as_gitlab_shows_it(simulators: ExitStack) -> None:
    """Every line of the log is shown, in the two sections that are meant, whatever the job error says."""
    environ = {
        **KEYS,
        "GITLAB_CI": "true",
        "CFGATE_API_URL": serve(simulators, scenarios.HOSTILE).url,
        "CFGATE_ACCOUNT_SERVICE_ID": str(ASID),
    }
    named = [word for name in environ for word in ("--env", name)]
    command = [ENGINE, "run", "--rm", "--network", "host", *named, IMAGE, "9001"]
    ended = subprocess.run(command, env={**os.environ, **environ}, capture_output=True, check=False)
    log = gitlab_log.parse(ended.stdout.decode("utf-8"))
    assert ended.returncode == 1, ended.stderr
    assert [section.lines[0] for section in log.sections] == ["settings", "job error of image version 9001"]
    assert all(section.closed for section in log.sections)
    shown = "\n".join(log.sections[1].lines).replace("# ", "#")
    for line in re.split("[\r\n]+", scenarios.HOSTILE_TEXT):
        for text in re.split("[\x00-\x1f]+", line):
            assert text.replace("# ", "#") in shown


def test_the_pipeline_of_cfgate_itself(tmp_path: Path) -> None:
    """The jobs of .gitlab-ci.yml that gate on rehearsals end as they must, and the jobs after them see it."""
    sha = commit(tmp_path, Path(".gitlab-ci.yml").read_text("utf-8"))
    name = "localhost/cfgate-own-pipeline"
    subprocess.run([ENGINE, "tag", IMAGE, f"{name}:{sha}"], check=True)
    ends = {"ready": "", "failed": "WARN 1", "timeout": "WARN 4"}
    try:
        jobs = [f"{kind}-{end}" for kind in ("gate", "expect") for end in ends]
        ended = run(tmp_path, {"CI_REGISTRY_IMAGE": name}, *jobs)
    finally:
        subprocess.run([ENGINE, "rmi", f"{name}:{sha}"], check=True, capture_output=True)
    assert ended.exit_code == 0, ended.printed
    assert {end: ended.verdict(f"gate-{end}") for end in ends} == ends
    assert all(f"PASS  expect-{end}" in ended.printed for end in ends)
