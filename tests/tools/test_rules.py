"""What must be set on the platform: each thing that is not set is found, and named."""

from __future__ import annotations

import copy
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tools import rules
from tools.release import Refused

APP = 4711
REPO = "repos/your-org/cfgate"
ENVIRONMENT = f"{REPO}/environments/release"
POLICIES = f"{ENVIRONMENT}/deployment-branch-policies"
RULESETS = f"{REPO}/rulesets?includes_parents=true&per_page=100"
TAGS, MAIN = (f"{REPO}/rulesets/{number}?includes_parents=true" for number in (1, 2))
WORKFLOW = f"{REPO}/actions/permissions/workflow"

# What the platform answers, in the form of its documentation, where all is set as docs/releasing.md says.
SET: dict[str, Any] = {
    ENVIRONMENT: {
        "name": "release",
        "can_admins_bypass": False,
        "protection_rules": [
            {"type": "required_reviewers", "reviewers": [{"type": "Team", "reviewer": {"slug": "releases"}}]},
            {"type": "branch_policy"},
        ],
        "deployment_branch_policy": {"protected_branches": False, "custom_branch_policies": True},
    },
    POLICIES: {"total_count": 1, "branch_policies": [{"name": "main", "type": "branch"}]},
    RULESETS: [
        {"id": 1, "target": "tag", "enforcement": "active"},
        {"id": 2, "target": "branch", "enforcement": "active"},
        {"id": 3, "target": "tag", "enforcement": "disabled"},
    ],
    TAGS: {
        "name": "versions",
        "conditions": {"ref_name": {"include": ["refs/tags/v*"], "exclude": []}},
        "rules": [{"type": "creation"}, {"type": "update"}, {"type": "deletion"}],
        "bypass_actors": [{"actor_type": "Integration", "actor_id": APP, "bypass_mode": "always"}],
    },
    MAIN: {
        "name": "main",
        "conditions": {"ref_name": {"include": ["~DEFAULT_BRANCH"], "exclude": []}},
        "rules": [
            {"type": "deletion"},
            {"type": "non_fast_forward"},
            {
                "type": "pull_request",
                "parameters": {"required_approving_review_count": 1, "require_code_owner_review": True},
            },
            {
                "type": "required_status_checks",
                "parameters": {"required_status_checks": [{"context": "All green"}]},
            },
        ],
        "bypass_actors": [],
    },
    f"{REPO}/immutable-releases": {"enabled": True, "enforced_by_owner": False},
    WORKFLOW: {"default_workflow_permissions": "read", "can_approve_pull_request_reviews": False},
    f"{REPO}/actions/permissions": {"enabled": True, "sha_pinning_required": True},
}


def platform(change: Callable[[dict[str, Any]], object]) -> rules.Ask:
    """Answer as a platform on which one thing is set otherwise; what it has not, it refuses."""
    answers = copy.deepcopy(SET)
    change(answers)

    def ask(path: str) -> Any:
        if path not in answers:
            raise Refused(f"{path} cannot be read: HTTP 404")
        return answers[path]

    return ask


def test_a_repository_that_is_set_up_may_release(capsys: pytest.CaptureFixture[str]) -> None:
    """Where everything is set, the check says so and ends."""
    rules.check("your-org/cfgate", APP, platform(lambda _: None))
    assert capsys.readouterr().out == "your-org/cfgate is set up for releases\n"


WRONG: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "no environment": (lambda a: a.pop(ENVIRONMENT), "environments/release cannot be read"),
    "no reviewer": (lambda a: a[ENVIRONMENT]["protection_rules"].pop(0), "no reviewer"),
    "nobody reviews": (lambda a: a[ENVIRONMENT]["protection_rules"][0].update(reviewers=[]), "no reviewer"),
    "admins": (lambda a: a[ENVIRONMENT].update(can_admins_bypass=True), "administrators can bypass"),
    "any branch": (
        lambda a: a[ENVIRONMENT].update(deployment_branch_policy=None),
        "not for selected branches",
    ),
    "tags too": (
        lambda a: a[POLICIES]["branch_policies"].append({"name": "v*", "type": "tag"}),
        "and not for main alone",
    ),
    "a tag named main": (
        lambda a: a[POLICIES].update(branch_policies=[{"name": "main", "type": "tag"}]),
        "and not for main alone",
    ),
    "no ruleset": (lambda a: a[RULESETS].pop(0), "0 active ones for tags"),
    "not active": (lambda a: a[RULESETS][0].update(enforcement="evaluate"), "0 active ones for tags"),
    "some tags": (
        lambda a: a[TAGS]["conditions"]["ref_name"].update(include=["refs/tags/v*.*.*"]),
        "0 active ones for tags",
    ),
    "but not one": (
        lambda a: a[TAGS]["conditions"]["ref_name"].update(exclude=["refs/tags/v0"]),
        "0 active ones for tags",
    ),
    "creation": (lambda a: a[TAGS]["rules"].pop(0), "does not restrict creation"),
    "update": (lambda a: a[TAGS]["rules"].pop(1), "does not restrict update"),
    "one more": (
        lambda a: a[TAGS]["bypass_actors"].append({"actor_type": "RepositoryRole", "actor_id": 5}),
        "RepositoryRole",
    ),
    "another app": (lambda a: a[TAGS]["bypass_actors"][0].update(actor_id=1), "can bypass it"),
    "nobody": (lambda a: a[TAGS].update(bypass_actors=[]), "can bypass it"),
    "unseen": (lambda a: a[TAGS].pop("bypass_actors"), "may not see who can bypass"),
    "main unseen": (lambda a: a[MAIN].pop("bypass_actors"), "ruleset main: this token may not see"),
    "main bypassed": (lambda a: a[MAIN]["bypass_actors"].append({"actor_type": "Team"}), "and not nobody"),
    "main deleted": (lambda a: a[MAIN]["rules"].pop(0), "no rule deletion"),
    "no review": (
        lambda a: a[MAIN]["rules"][2]["parameters"].update(required_approving_review_count=0),
        "no review by a code owner",
    ),
    "anybody's review": (
        lambda a: a[MAIN]["rules"][2]["parameters"].update(require_code_owner_review=False),
        "no review by a code owner",
    ),
    "no check": (lambda a: a[MAIN]["rules"].pop(3), "check All green is not required"),
    "mutable": (lambda a: a[f"{REPO}/immutable-releases"].update(enabled=False), "not immutable"),
    "immutable unseen": (lambda a: a.pop(f"{REPO}/immutable-releases"), "immutable-releases cannot be read"),
    "write token": (
        lambda a: a[WORKFLOW].update(default_workflow_permissions="write"),
        "can write by default",
    ),
    "approves": (lambda a: a[WORKFLOW].update(can_approve_pull_request_reviews=True), "can approve"),
    "tags of actions": (
        lambda a: a[f"{REPO}/actions/permissions"].pop("sha_pinning_required"),
        "not pinned by a full commit",
    ),
    "another form": (lambda a: a[WORKFLOW].clear(), "has another form (actions"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_not_set_is_refused(name: str) -> None:
    """One thing that is set otherwise, or cannot be seen, stops a release, and it alone is named."""
    change, why = WRONG[name]
    with pytest.raises(Refused) as refused:
        rules.check("your-org/cfgate", APP, platform(change))
    heading, *problems = str(refused.value).splitlines()
    assert "docs/releasing.md" in heading
    assert any(why in problem for problem in problems), problems


def test_everything_is_named_at_once() -> None:
    """A new repository learns all that it lacks from one run."""
    with pytest.raises(Refused) as refused:
        rules.check("your-org/cfgate", APP, platform(lambda answers: answers.clear()))
    assert len(str(refused.value).splitlines()) == 6


@pytest.mark.parametrize(
    ("program", "answer"),
    [
        ('print(\'[[{"id": 1}], [{"id": 2}]]\')', [{"id": 1}, {"id": 2}]),
        ("print('[{\"enabled\": true}]')", {"enabled": True}),
        ("sys.exit('HTTP 403')", None),
    ],
)
def test_the_platform_is_asked_through_its_client(
    program: str, answer: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pages are joined, and a refusal is one here too."""
    client = tmp_path / "gh"
    log = tmp_path / "log"
    client.write_text(
        f"#!{sys.executable}\nimport json, sys\njson.dump(sys.argv[1:], open({str(log)!r}, 'w'))\n{program}\n"
    )
    client.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    if answer is None:
        with pytest.raises(Refused, match="x/y cannot be read: HTTP 403"):
            rules.ask("x/y")
    else:
        assert rules.ask("x/y") == answer
    assert json.loads(log.read_text()) == ["api", "--paginate", "--slurp", "x/y"]
