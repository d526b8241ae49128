"""The GitLab component: its inputs are the options, and they reach the program unharmed."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from cfgate import __version__
from cfgate.report.dotenv import variable
from cfgate.report.outputs import NAMES
from cfgate.settings.description import describe
from cfgate.settings.options import OPTIONS, SECRETS, Option
from cfgate.settings.reading import read
from cfgate.settings.values import InvalidRequest, Run, Settings
from tests.support.canary import BEARER as ACCOUNT
from tools.release import pinned_image

ROOT = Path(__file__).parents[2]
YAML_BLOCK = re.compile(r"^```yaml\n(.*?)^```$", re.DOTALL | re.MULTILINE)

HEADER, BODY = yaml.safe_load_all((ROOT / "templates" / "cfgate.yml").read_text("utf-8"))
INPUTS: dict[str, dict[str, Any]] = HEADER["spec"]["inputs"]
OF_THE_JOB = {"job-name", "stage", "image", "job-timeout", "git-strategy"}

REPORTS = [option for option in OPTIONS if option.name.endswith("-file")]
GIVEN = [option for option in OPTIONS if option not in (*SECRETS, *REPORTS)]

# What an earlier gate of the same pipeline leaves behind, and GitLab puts in the place of job variables.
EARLIER_GATE = {"CFGATE_STATUS": "ready", "CFGATE_READY": "true", "CFGATE_IMAGE_VERSION_ID": "8000"}


def interpolated(node: Any, values: dict[str, Any]) -> Any:
    """Put inputs into a part of the configuration as GitLab does: into strings and keys, once each."""
    if isinstance(node, dict):
        return {interpolated(key, values): interpolated(value, values) for key, value in node.items()}
    if isinstance(node, list):
        return [interpolated(item, values) for item in node]
    if isinstance(node, str):
        return re.sub(r"\$\[\[ inputs\.([a-z-]+) \]\]", lambda match: values[match[1]], node)
    return node


def job(**given: str) -> dict[str, Any]:
    """Make the job of a pipeline that includes the component; underscores are for hyphens."""
    values = {name: declared.get("default") for name, declared in INPUTS.items()}
    values |= {name.replace("_", "-"): value for name, value in given.items()}
    assert values.keys() == INPUTS.keys()
    (made,) = interpolated(BODY, values).values()
    assert isinstance(made, dict)
    return made


def variables(made: dict[str, Any]) -> dict[str, str]:
    """Return the variables of a job as its environment has them, none of which is expanded here."""
    return {
        name: value["value"] if isinstance(value, dict) else value
        for name, value in made["variables"].items()
    }


def started(tmp_path: Path, made: dict[str, Any]) -> tuple[list[str], dict[str, str]]:
    """Run the script of a job in a real shell; return the arguments and the environment of the program."""
    program = tmp_path / "bin" / "cfgate"
    program.parent.mkdir()
    program.write_text('#!/bin/sh\nprintf "%s\\0" "$@" --; env -0\n')
    program.chmod(0o755)
    ended = subprocess.run(
        ["sh", "-ec", "\n".join(made["script"])],
        env={**EARLIER_GATE, **variables(made), "PATH": f"{program.parent}:{os.environ['PATH']}"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    words = ended.stdout.rstrip("\0").split("\0")
    end = words.index("--")
    argv, environ = words[:end], dict(word.split("=", 1) for word in words[end + 1 :])
    assert [path.name for path in tmp_path.iterdir()] == ["bin"]
    return argv, {**ACCOUNT, **environ}  # those of the project, which the job only hands on


def settings(tmp_path: Path, **given: str) -> Settings:
    """Read the settings that the program has in a job."""
    request = read(*started(tmp_path, job(**given)))
    assert isinstance(request, Run)
    return request.settings


def test_the_inputs_are_the_options() -> None:
    """Each option is a described input, but for credentials, and for reports, which the job has wired."""
    assert INPUTS.keys() == {option.name for option in GIVEN} | OF_THE_JOB
    for name, declared in INPUTS.items():
        assert declared["description"], name
        assert declared["type"] == "string", name
    assert {name for name, declared in INPUTS.items() if "default" not in declared} == {"image-version-id"}


def test_an_input_that_is_not_given_overrules_nothing() -> None:
    """No option has a default here: it would come before the environment and the config file."""
    assert {INPUTS[option.name].get("default", "") for option in GIVEN} == {""}


def test_credentials_are_no_inputs() -> None:
    """Neither the inputs nor the job name a credential: it comes from a masked variable."""
    told = json.dumps([INPUTS, BODY])
    assert [option.name for option in SECRETS if option.name in INPUTS or option.variable in told] == []


def test_every_input_is_used_and_none_in_a_script() -> None:
    """Inputs become variables and keywords of the job; the script is the same whatever they are."""
    (made,) = BODY.values()
    assert set(re.findall(r"inputs\.([a-z-]+)", json.dumps(BODY))) == INPUTS.keys()
    assert "$[[" not in json.dumps([made["script"], made["artifacts"]])
    assert job(image_version_id="1", timeout="2")["script"] == made["script"]


def test_variables_have_the_names_of_inputs() -> None:
    """Each option is given under the name that comes before the environment, which earlier jobs can set."""
    names = {option.input_variables[1] for option in (*GIVEN, *REPORTS)}
    assert BODY["$[[ inputs.job-name ]]"]["variables"].keys() == {*names, "GIT_STRATEGY"}
    assert names.isdisjoint(variable(name) for name in NAMES)


SAMPLES = {
    "account-service-id": "1234567",
    "timeout": "45m",
    "request-timeout": "5s",
    "error-tolerance": "1m",
    "not-found-grace": "0",
    "stall-timeout": "20m",
    "queue-timeout": "1h",
    "fail-fast": "false",
    "poll-interval": "2s",
    "max-interval": "20s",
    "dotenv-prefix": "LINUX",
    "details-url": "https://example.com/{id}",
    "api-url": "http://127.0.0.1:8080",
    "ca-bundle": __file__,
    "verbose": "true",
    "rehearse": "ready",
    "config": os.devnull,
    "resource": "image-update",
}


@pytest.mark.process
@pytest.mark.parametrize(
    "option", [option for option in GIVEN if option.name != "image-version-id"], ids=lambda o: o.name
)
def test_an_input_reaches_the_program(tmp_path: Path, option: Option) -> None:
    """What is given arrives, and the log says that it was an input."""
    found = settings(tmp_path, image_version_id="9001", **{option.name: SAMPLES[option.name]})
    (told,) = ((text, source) for name, text, source in describe(found) if name == option.name)
    assert (option.parse(told[0]), told[1]) == (option.parse(SAMPLES[option.name]), f"input {option.name}")


@pytest.mark.process
def test_the_id_of_this_gate_comes_before_that_of_an_earlier_one(tmp_path: Path) -> None:
    """A second gate waits for its own image versions, whatever the first has left in the environment."""
    found = settings(tmp_path, image_version_id="9001, 9002")
    assert [target.id for target in found.targets] == [9001, 9002]


@pytest.mark.process
def test_an_id_that_is_empty_is_refused(tmp_path: Path) -> None:
    """A variable without a value does not make a second gate ask about the image version of the first."""
    with pytest.raises(InvalidRequest, match="flag --image-version-id has no value"):
        settings(tmp_path, image_version_id="")


@pytest.mark.process
@pytest.mark.parametrize(
    "text",
    [
        "$(touch owned)",
        "`touch owned`",
        "9001; touch owned",
        '9001" && touch owned "',
        "'",
        "$HOME",
        "--help",
    ],
)
@pytest.mark.parametrize("name", ["image_version_id", "timeout", "rehearse"])
def test_hostile_text_is_only_text(tmp_path: Path, name: str, text: str) -> None:
    """What a shell would act on arrives as it is, and is refused for what it is: no value of the option."""
    argv, environ = started(tmp_path, job(**{"image_version_id": "9001", name: text}))
    assert text in (argv[0].removeprefix("--image-version-id="), environ[f"INPUT_{name.upper()}"])
    if name != "rehearse":  # the simulator's scenarios are looked up later
        with pytest.raises(InvalidRequest, match=re.escape(text[:5])):
            read(argv, environ)


@pytest.mark.process
def test_the_reports_are_wired(tmp_path: Path) -> None:
    """Whatever the program writes is kept, is in the place where GitLab looks for it, and is not old."""
    made = job(image_version_id="9001")
    written = {option.name: variables(made)[option.input_variables[1]] for option in REPORTS}
    artifacts = made["artifacts"]
    assert artifacts["when"] == "always"
    assert artifacts["paths"] == [written["result-file"], written["summary-file"]]
    assert artifacts["reports"] == {
        name: written[f"{name}-file"] for name in ("junit", "dotenv", "annotations")
    }
    for name in written.values():
        (tmp_path / name).write_text("of an earlier pipeline")
    started(tmp_path, made)


@pytest.mark.process
def test_the_job_outlives_its_gate(tmp_path: Path) -> None:
    """With the defaults, GitLab does not end the job before the gate has reported."""
    (minutes,) = re.findall(r"^(\d+)m$", INPUTS["job-timeout"]["default"])
    argv, environ = started(tmp_path, job(image_version_id="9001"))
    request = read(argv, {**environ, "CI_JOB_TIMEOUT": str(int(minutes) * 60)})
    assert isinstance(request, Run)
    assert request.warnings == ()


def test_the_image_is_that_of_this_version() -> None:
    """The component and the program in its image are released together; a release names it by digest."""
    released = pinned_image((ROOT / "action.yml").read_text("utf-8"))
    assert INPUTS["image"]["default"] == (released or f"ghcr.io/your-org/cfgate:{__version__}")
    assert job(image_version_id="9001")["image"]["entrypoint"] == [""]


@pytest.mark.parametrize("document", ["gitlab.md", "ci-systems.md"])
def test_the_examples_are_yaml_and_name_this_version(document: str) -> None:
    """What is shown can be pasted: it is well-formed, and what it pulls is there."""
    text = (ROOT / "docs" / document).read_text("utf-8")
    assert set(re.findall(r"cfgate[:@]([0-9][^\s`\"]*)", text)) == {__version__}
    assert all(yaml.safe_load(example) for example in YAML_BLOCK.findall(text))


def test_the_examples_use_inputs_that_exist() -> None:
    """Every example that includes the component gives it strings, and an id among them."""
    examples = YAML_BLOCK.findall((ROOT / "docs" / "gitlab.md").read_text("utf-8"))
    includes = [entry for example in examples for entry in yaml.safe_load(example).get("include", [])]
    assert includes
    for entry in includes:
        assert {"image-version-id"} <= entry["inputs"].keys() <= INPUTS.keys()
        assert {type(value) for value in entry["inputs"].values()} == {str}
