"""Several targets: the names and own options that the config file gives them, and what comes before it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cfgate.model import Plan, Resource, Target
from cfgate.settings.description import describe
from cfgate.settings.reading import read
from cfgate.settings.values import Files, InvalidRequest, Run
from cfgate.text.invisible import printable
from tests.support.canary import BEARER, TOKEN

STUDIO = """\
account-service-id: 1234
timeout: 45m
targets:
  linux: {image-version-id: 9001}
  console:
    image-version-id: 9002
    timeout: 90m
    max-interval: 5s
"""

Read = Callable[..., Run]
Refuse = Callable[..., tuple[str, ...]]


@pytest.fixture
def gate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Read:
    """Return a function that reads a request of somebody with a token and this config file."""
    monkeypatch.chdir(tmp_path)

    def _read(content: str, *argv: str, **environ: str) -> Run:
        Path("gate.yml").write_text(content, "utf-8")
        request = read(["wait", "--config", "gate.yml", *argv], {**BEARER, **environ})
        assert isinstance(request, Run)
        return request

    return _read


@pytest.fixture
def refuse(gate: Read) -> Refuse:
    """Return a function that reads the problems of such a request."""

    def _refuse(content: str, *argv: str, **environ: str) -> tuple[str, ...]:
        with pytest.raises(InvalidRequest) as caught:
            gate(content, *argv, **environ)
        assert all(problem.isprintable() for problem in caught.value.problems)
        return caught.value.problems

    return _refuse


# Layers


def test_targets_have_names_and_their_own_options(gate: Read) -> None:
    """What stands in a target counts for it, and what stands at the top of the file for all the others."""
    assert gate(STUDIO).settings.plans == (
        Plan(Target(9001, "linux"), account_service_id=1234, timeout=2700),
        Plan(Target(9002, "console"), account_service_id=1234, timeout=5400, max_interval=5),
    )


@pytest.mark.parametrize(
    ("argv", "environ"),
    [(["--timeout", "1m"], {}), ([], {"INPUT_TIMEOUT": "1m"}), ([], {"CFGATE_TIMEOUT": "1m"})],
)
def test_what_comes_before_the_file_comes_before_its_targets(
    gate: Read, argv: list[str], environ: dict[str, str]
) -> None:
    """A flag, an input or a variable counts for every target, whatever the file says."""
    found = gate(STUDIO, *argv, **environ).settings
    assert [plan.timeout for plan in found.plans] == [60, 60]
    assert [plan.max_interval for plan in found.plans] == [15, 5]
    assert found.sources["timeout"] == found.source("timeout", Target(9002, "console")) != "file gate.yml"


@given(
    st.sets(st.sampled_from(["flag", "environment", "target", "top"])),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_the_first_of_the_places_wins(gate: Read, places: set[str]) -> None:
    """Flag, environment, target, top of the file and default win in this order."""
    content = "stall-timeout: 4m\n" * ("top" in places) + "targets: {a: {image-version-id: 1"
    content += ", stall-timeout: 3m}}" if "target" in places else "}}"
    argv = ["--stall-timeout=1m"] if "flag" in places else []
    environ = {"CFGATE_STALL_TIMEOUT": "2m"} if "environment" in places else {}
    (plan,) = gate(content, *argv, **environ).settings.plans
    order = {"flag": 60, "environment": 120, "target": 180, "top": 240}
    assert plan.stall_timeout == next((order[place] for place in order if place in places), None)


def test_ids_from_elsewhere_take_the_place_of_the_targets(gate: Read) -> None:
    """An id on the command line asks for that one alone, without a name, and this is told."""
    request = gate(STUDIO, "9002")
    assert request.settings.plans == (Plan(Target(9002), account_service_id=1234, timeout=2700),)
    assert request.warnings == (
        (
            "image-version-id from the command line takes the place of the 2 targets in the config file: "
            "these are not waited for"
        ),
    )


def test_a_file_may_hold_five_hundred_targets(gate: Read) -> None:
    """So many may have names, of up to 40 characters."""
    names = [f"target {n:>33}" for n in range(1, 501)]
    content = "targets:\n" + "".join(f"  {name}: {{image-version-id: {name[-3:]}}}\n" for name in names)
    assert [target.name for target in gate(content).settings.targets] == names


def test_check_looks_once_at_every_target(gate: Read) -> None:
    """`check` overrules the time-out of a target too."""
    gate(STUDIO)
    request = read(["check", "--config", "gate.yml"], BEARER)
    assert isinstance(request, Run)
    assert [plan.timeout for plan in request.settings.plans] == [0, 0]


def test_one_id_may_be_there_as_different_things(gate: Read) -> None:
    """An image version and an image update may have the same number."""
    content = "targets: {a: {image-version-id: 7}, b: {image-version-id: 7, resource: image-update}}"
    assert gate(content).settings.targets == (Target(7, "a"), Target(7, "b", Resource.IMAGE_UPDATE))


def test_a_resource_for_all(gate: Read) -> None:
    """The resource may be said once for all targets, or in a flag."""
    content = "resource: image-diff\ntargets: {a: {image-version-id: 7}}"
    assert gate(content).settings.targets == (Target(7, "a", Resource.IMAGE_DIFF),)
    assert gate(content, "--resource=image-update").settings.targets == (
        Target(7, "a", Resource.IMAGE_UPDATE),
    )


def test_aliases_are_one_more_way_to_write_targets(gate: Read) -> None:
    """An anchor may hold the options of a target."""
    content = "targets:\n  a: &a {image-version-id: 1}\n  b: {image-version-id: 2, timeout: &t 5m}\n"
    content += "  c: {image-version-id: 3, timeout: *t}\n"
    assert [plan.timeout for plan in gate(content).settings.plans] == [3600, 300, 300]


@pytest.mark.parametrize("content", ["image-version-id: 7\ntargets:\n", "image-version-id: 7\ntargets: ~\n"])
def test_no_targets_are_no_problem(gate: Read, content: str) -> None:
    """An empty key counts as not given."""
    assert gate(content).settings.targets == (Target(7),)


def test_what_was_understood_is_shown_for_each_target(gate: Read) -> None:
    """What all share is listed once, and what a target has for itself under its path."""
    rows = {name: (text, source) for name, text, source in describe(gate(STUDIO).settings)}
    assert rows["timeout"] == ("45m", "file gate.yml")
    assert rows["targets.console.timeout"] == ("1h30m", "file gate.yml")
    assert rows["targets.linux.image-version-id"] == ("9001", "file gate.yml")
    assert rows["targets.console.image-version-id"] == ("9002", "file gate.yml")
    assert rows["max-interval"] == ("15s", "default")
    assert rows["targets.console.max-interval"] == ("5s", "file gate.yml")
    assert rows["resource"] == ("image-version", "default")
    assert "image-version-id" not in rows
    assert "targets.linux.timeout" not in rows


def test_what_a_flag_overrules_is_not_shown(gate: Read) -> None:
    """The value of a target that does not count is not listed."""
    rows = {name: (text, source) for name, text, source in describe(gate(STUDIO, "--timeout=1m").settings)}
    assert rows["timeout"] == ("1m", "flag --timeout")
    assert "targets.console.timeout" not in rows


# Problems


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (
            "a: {image-version-id: 1, timeout: 90}",
            "'90' from file gate.yml, line 2, column 37, key targets.a.timeout has no unit: 90s or 90m?",
        ),
        (
            "a: {image-version-id: 1, timout: 90s}",
            "key targets.a.timout from file gate.yml, line 2, column 28 is unknown: did you mean timeout?",
        ),
        (
            "a: {image-version-id: 1, resource: image_update}",
            (
                "'image_update' from file gate.yml, line 2, column 38, key targets.a.resource "
                "is not a resource: did you mean image-update?"
            ),
        ),
        (
            "a: {image-version-id: 1, resource: pizza}",
            (
                "'pizza' from file gate.yml, line 2, column 38, key targets.a.resource is not a resource: "
                "write image-version, image-update, image-diff or rollout"
            ),
        ),
        (
            "a: {image-version-id: 1, fail-fast: false}",
            (
                "key targets.a.fail-fast from file gate.yml, line 2, column 28 is for all targets together: "
                "write it at the top of the file"
            ),
        ),
        (
            "a: {image-version-id: '1,2'}",
            (
                "'1,2' from file gate.yml, line 2, column 25, key targets.a.image-version-id is not an id: "
                "write a positive whole number in plain digits (18 at most), such as 9001"
            ),
        ),
        (
            "a: {image-version-id: [1]}",
            (
                "the value from file gate.yml, line 2, column 25, key targets.a.image-version-id "
                "cannot be used: write one plain value"
            ),
        ),
        ("a: {timeout: 5m}", "key targets.a from file gate.yml, line 2, column 3 has no image-version-id"),
        (
            "a: 9001",
            (
                "the value from file gate.yml, line 2, column 6, key targets.a cannot be used: "
                "write `{image-version-id: 9001}` and the options that differ"
            ),
        ),
        (
            "a: {image-version-id: 1, timeout: 5m, timeout: 6m}",
            (
                "key targets.a.timeout from file gate.yml, line 2, column 41 was there before, in line 2: "
                "keep one of the two"
            ),
        ),
    ],
)
def test_a_problem_has_its_place_and_its_path(refuse: Refuse, line: str, problem: str) -> None:
    """A problem with a target names file, line, column and path, and guesses what was meant."""
    found = refuse(f"targets:\n  {line}\n  b: {{image-version-id: 8}}\n")
    assert found == (problem,)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        *(
            (
                f"targets: {value}",
                (
                    "the value from file gate.yml, line 1, column 10, key targets cannot be used: "
                    "write `name: {image-version-id: 9001}` lines under it"
                ),
            )
            for value in ("[9001]", "9001")
        ),
        (
            "targets:\n  a: {image-version-id: 1}\n  a: {image-version-id: 2}",
            (
                "key targets.a from file gate.yml, line 3, column 3 was there before, in line 2: "
                "keep one of the two"
            ),
        ),
        (
            "targets:\n  a: {image-version-id: 1}\n  b: {image-version-id: 1}",
            "targets a and b are both image version 1: keep one of the two",
        ),
        (
            "image-version-id: 5\ntargets: {a: {image-version-id: 1}}",
            (
                "the value from file gate.yml, line 1, column 19, key image-version-id "
                "stands beside targets: keep one of the two"
            ),
        ),
        (
            "targets: {" + ", ".join(f"t{n}: {{image-version-id: {n}}}" for n in range(1, 502)) + "}",
            "key targets from file gate.yml, line 1, column 1 has more than 500 targets",
        ),
    ],
)
def test_targets_that_cannot_be_told_apart_or_read_are_refused(
    refuse: Refuse, content: str, problem: str
) -> None:
    """Targets are a mapping, each has its own name and its own id, and there are no loose ids beside them."""
    assert refuse(content)[0] == problem


@pytest.mark.parametrize(
    "name", ["''", "' '", "x" * 41, f"'{' ' * 40}x'", r'"a\nb"', r'"\e[31m"', "? [a]\n  "]
)
def test_a_name_is_short_and_can_be_printed(refuse: Refuse, name: str) -> None:
    """A name stands in every line of the log."""
    problem, *_ = refuse(f"targets:\n  {name}: {{image-version-id: 1}}\n")
    assert problem.endswith("is no name for a target: write 1 to 40 printable characters")
    assert "line 2, column " in problem


def test_credentials_in_a_target_are_refused_and_hidden(refuse: Refuse, gate: Read) -> None:
    """A credential in a target is refused, known for hiding, and not repeated by any problem."""
    content = "targets: {a: {image-version-id: 1, secret-key: hunter3-hunter3, timeout: hunter3-hunter3}"
    content += ", b: {image-version-id: 2, token: hunter4, secret-key: hunter5}}\naccess-key: hunter6"
    found = refuse(content)
    assert (
        "key targets.a.secret-key from file gate.yml, line 1, column 36 may not stand in a file" in found[0]
    )
    assert not any("hunter" in problem for problem in found)
    with pytest.raises(InvalidRequest) as caught:
        gate(content)
    assert caught.value.secrets == {"hunter3-hunter3", "hunter4", "hunter5", "hunter6", TOKEN}


def test_a_rollout_needs_the_asid(refuse: Refuse, gate: Read) -> None:
    """The address of a roll-out holds the ASID, so that a token does not replace it; others go without."""
    content = "targets:\n  a: {image-version-id: 1}\n"
    content += (
        "  b: {image-version-id: 2, resource: rollout}\n  c: {image-version-id: 3, resource: rollout}\n"
    )
    (problem,) = refuse(content)
    assert problem.startswith(
        "account-service-id, the ASID, is missing for b and c (a rollout needs it in any case)"
    )
    assert refuse(content, "--rehearse=ready") == (problem,)
    plans = gate(content, CFGATE_ACCOUNT_SERVICE_ID="5").settings.plans
    assert [plan.account_service_id for plan in plans] == [5, 5, 5]


def test_the_asid_may_be_missing_for_some(refuse: Refuse) -> None:
    """Without a token every target needs an ASID, of its own or for all; the ones without are named."""
    keys = {"CLANFORGE_TOKEN": "", "CLANFORGE_ACCESS_KEY": "a", "CLANFORGE_SECRET_KEY": "b"}
    content = "targets: {a: {image-version-id: 1}, b: {image-version-id: 2, account-service-id: 3}}"
    (problem,) = refuse(content, **keys)
    assert problem.startswith("account-service-id, the ASID, is missing for a (only a token can do without)")


def test_the_name_of_a_target_holds_no_credential(refuse: Refuse) -> None:
    """A name stands everywhere, so that one with a credential in it is refused, unseen."""
    content = "targets: {a: {image-version-id: 1}, my hunter3-hunter3: {image-version-id: 2}}"
    assert refuse(content, CLANFORGE_TOKEN="hunter3-hunter3") == (
        "the name of a target from flag --config contains a credential: are two values swapped?",
    )


def test_reports_of_targets_that_are_the_same_can_be_written(gate: Read) -> None:
    """The pipeline learns of such a mistake by its reports too."""
    content = "targets: {a: {image-version-id: 1}, b: {image-version-id: 1}}"
    with pytest.raises(InvalidRequest) as caught:
        gate(content, "--junit-file=junit.xml")
    assert caught.value.files == Files(junit="junit.xml")


@pytest.mark.parametrize(("keys", "problems"), [(100, 100), (101, 1)])
def test_a_target_has_a_hundred_keys_at_most(refuse: Refuse, keys: int, problems: int) -> None:
    """Whatever has more is no target, and its keys are not judged one by one."""
    entries = ", ".join(f"k{n}: 1" for n in range(keys))
    assert len(refuse(f"targets: {{a: {{{entries}}}, b: {{image-version-id: 8}}}}")) == problems


def test_what_is_odd_about_a_target_is_a_warning(gate: Read) -> None:
    """A stall time-out that is too short names its target; GitLab's limit is held against the longest."""
    content = STUDIO + "    stall-timeout: 5s\n"
    stall, late = gate(content, CI_JOB_TIMEOUT="3600").warnings
    assert stall.startswith("stall-timeout of console (5s) is no longer than the longest pause")
    assert "1h30m20s" in late


NAMES = st.text(max_size=45) | st.sampled_from(["linux", "'", "<<", "targets"])
VALUES = st.sampled_from(["1", "9001", "5m", "{}", "[1]", "~", "&a 1", "*a", TOKEN, "off"])
OPTIONS = st.sampled_from(
    ["image-version-id", "timeout", "resource", "token", "fail-fast", "timout", "targets"]
)


@given(st.lists(st.tuples(NAMES, st.lists(st.tuples(OPTIONS, VALUES), max_size=3)), max_size=3))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=150)
@pytest.mark.handles_canaries("it writes a token into the config file, where none belongs")
def test_any_targets_are_read_or_refused(
    gate: Read, targets: list[tuple[str, list[tuple[str, str]]]]
) -> None:
    """Whatever stands under `targets` becomes plans or problems, which hold no secret and can be printed."""
    lines = [f"{name}: {{{', '.join(f'{key}: {text}' for key, text in own)}}}" for name, own in targets]
    texts: tuple[str, ...] = ()
    try:
        found = gate("targets:\n" + "".join(f"  {line}\n" for line in lines).encode(errors="ignore").decode())
        assert found.settings.plans
    except InvalidRequest as error:
        texts = (*error.problems, *error.warnings)
        assert texts
    assert all(printable(text) and TOKEN not in text for text in texts)
