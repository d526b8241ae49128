"""What must be set on GitHub so that nobody can bend a release: read there, compared, and refused.

`python -m tools.release rules OWNER/NAME APP-ID` asks through `gh`, whose token must be allowed to read the
administration of the repository, and to see who may bypass a ruleset. What cannot be read is not set.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from typing import Any, Final

from tools.release import Refused

ENVIRONMENT: Final = "release"
MAIN: Final = ("refs/heads/main", "~DEFAULT_BRANCH")
TAGS: Final = "refs/tags/v*"
CHECK: Final = "All green"

Ask = Callable[[str], Any]


def ask(path: str) -> Any:
    """Return what the API answers, with the pages of a list as one; raise Refused where it does not."""
    command = ["gh", "api", "--paginate", "--slurp", path]
    asked = subprocess.run(command, capture_output=True, text=True, check=False)
    if asked.returncode != 0:
        raise Refused(f"{path} cannot be read: {asked.stderr.strip()}")
    pages = json.loads(asked.stdout)
    return [item for page in pages for item in page] if isinstance(pages[0], list) else pages[0]


def check(repository: str, app: int, ask: Ask = ask) -> None:
    """Print what is set as it must be; raise Refused with everything that is not."""
    wrong = list(problems(f"repos/{repository}", app, ask))
    if wrong:
        raise Refused("\n  ".join(["the repository is not set up for releases (docs/releasing.md):", *wrong]))
    print(f"{repository} is set up for releases")


def problems(path: str, app: int, ask: Ask) -> Iterator[str]:
    """List everything that is not set as a release needs it."""
    for part in (_environment, _tags, _main, _releases, _actions):
        try:
            yield from part(path, app, ask)
        except Refused as refused:
            yield str(refused)
        except (AttributeError, KeyError, TypeError) as error:
            yield f"an answer of the platform has another form ({part.__name__[1:]}: {error!r})"


def _environment(path: str, _: int, ask: Ask) -> Iterator[str]:
    place = f"{path}/environments/{ENVIRONMENT}"
    about = ask(place)
    kinds = {rule["type"]: rule for rule in about["protection_rules"]}
    if not kinds.get("required_reviewers", {}).get("reviewers"):
        yield f"environment {ENVIRONMENT}: no reviewer is required"
    if about.get("can_admins_bypass") is not False:
        yield f"environment {ENVIRONMENT}: administrators can bypass its rules"
    if about["deployment_branch_policy"] != {"protected_branches": False, "custom_branch_policies": True}:
        yield f"environment {ENVIRONMENT}: it is not for selected branches alone"
        return
    policies = ask(f"{place}/deployment-branch-policies")["branch_policies"]
    if [(policy["name"], policy.get("type", "branch")) for policy in policies] != [("main", "branch")]:
        names = [policy["name"] for policy in policies]
        yield f"environment {ENVIRONMENT}: it is for {names}, and not for main alone"


def _tags(path: str, app: int, ask: Ask) -> Iterator[str]:
    sets = [each for each in _rulesets(path, ask, "tag") if _covers(each, TAGS)]
    if len(sets) != 1:
        yield f"rulesets: {len(sets)} active ones for tags {TAGS}, and not one"
        return
    (about,) = sets
    missing = {"creation", "update", "deletion"} - {rule["type"] for rule in about["rules"]}
    if missing:
        yield f"ruleset {about['name']}: it does not restrict {', '.join(sorted(missing))}"
    identity = {"actor_type": "Integration", "actor_id": app, "bypass_mode": "always"}
    yield from _bypass(about, [identity])


def _main(path: str, _: int, ask: Ask) -> Iterator[str]:
    sets = [each for each in _rulesets(path, ask, "branch") if any(_covers(each, name) for name in MAIN)]
    rules = {rule["type"]: rule.get("parameters", {}) for each in sets for rule in each["rules"]}
    missing = {"deletion", "non_fast_forward", "pull_request", "required_status_checks"} - rules.keys()
    if missing:
        yield f"rulesets of main: there is no rule {', '.join(sorted(missing))}"
    review = rules.get("pull_request", {})
    if review.get("required_approving_review_count", 0) < 1 or not review.get("require_code_owner_review"):
        yield "rulesets of main: no review by a code owner is required"
    checks = rules.get("required_status_checks", {}).get("required_status_checks", [])
    if CHECK not in [check["context"] for check in checks]:
        yield f"rulesets of main: the check {CHECK} is not required"
    for each in sets:
        yield from _bypass(each, [])


def _releases(path: str, _: int, ask: Ask) -> Iterator[str]:
    if ask(f"{path}/immutable-releases")["enabled"] is not True:
        yield "releases: they are not immutable"


def _actions(path: str, _: int, ask: Ask) -> Iterator[str]:
    default = ask(f"{path}/actions/permissions/workflow")
    if default["default_workflow_permissions"] != "read":
        yield "actions: the token of a workflow can write by default"
    if default["can_approve_pull_request_reviews"] is not False:
        yield "actions: a workflow can approve pull requests"
    if ask(f"{path}/actions/permissions").get("sha_pinning_required") is not True:
        yield "actions: actions that are not pinned by a full commit are allowed"


def _rulesets(path: str, ask: Ask, target: str) -> Iterator[dict[str, Any]]:
    for each in ask(f"{path}/rulesets?includes_parents=true&per_page=100"):
        if each["target"] == target and each["enforcement"] == "active":
            yield ask(f"{path}/rulesets/{each['id']}?includes_parents=true")


def _covers(ruleset: dict[str, Any], name: str) -> bool:
    names = ruleset["conditions"]["ref_name"]
    return not names["exclude"] and (name in names["include"] or "~ALL" in names["include"])


def _bypass(ruleset: dict[str, Any], allowed: list[dict[str, Any]]) -> Iterator[str]:
    if "bypass_actors" not in ruleset:
        yield f"ruleset {ruleset['name']}: this token may not see who can bypass it"
    elif ruleset["bypass_actors"] != allowed:
        found = ruleset["bypass_actors"]
        yield f"ruleset {ruleset['name']}: {found} can bypass it, and not {allowed or 'nobody'}"
