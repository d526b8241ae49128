"""What shows only when options are looked at side by side: what is missing, excludes another, or is odd."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from cfgate.model import Plan, Resource
from cfgate.settings.layers import FileFindings, Given, Layer
from cfgate.settings.options import BY_NAME
from cfgate.settings.planning import Entry, replaced
from cfgate.settings.values import Settings
from cfgate.text.durations import written
from cfgate.text.wording import listed, named

_PAIR: Final = ("access-key", "secret-key")
_ID: Final = "image-version-id"
_ASID: Final = "account-service-id"


def left_over(given: Mapping[str, Given], environ: Mapping[str, str]) -> Iterator[str]:
    """Refuse an id that is the output of an earlier gate: it would wait for what is long ready, and be green.

    GitLab puts the dotenv report of an earlier job in the place of a later job's own variables.
    """
    ids = given.get("image-version-id")
    if ids and ids.source == "environment CFGATE_IMAGE_VERSION_ID" and "CFGATE_STATUS" in environ:
        yield (
            "image-version-id comes from environment CFGATE_IMAGE_VERSION_ID, and CFGATE_STATUS says that an "
            "earlier gate has left both behind: give the id as an argument, a flag or an input"
        )


def credentials(given: Mapping[str, Given]) -> Iterator[str]:
    """Demand a key pair or a token, whole and alone."""
    if "rehearse" in given:
        return  # nobody's credentials are needed
    keys = [name for name in _PAIR if name in given]
    if keys and "token" in given:
        sources = listed([*(given[name].where for name in keys), given["token"].where])
        yield f"{sources} are given: keep either the key pair or the token"
    elif len(keys) == 1:
        there, gone = keys[0], next(name for name in _PAIR if name not in given)
        yield (
            f"{gone} is missing beside {there} (from {given[there].where}): give it as {BY_NAME[gone].places}"
        )
    elif not keys and "token" not in given:
        yield (
            f"credentials are missing: give access-key as {BY_NAME['access-key'].places}, "
            f"and secret-key as {BY_NAME['secret-key'].places}; or else token as {BY_NAME['token'].places} "
            "(GitHub hands no secrets to pull requests from forks)"
        )


def missing_somewhere(asked: Sequence[Entry], values: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """List what is missing for all targets, or for some. The file itself reports a target without an id."""
    without_asid: dict[str, list[str]] = {}
    for entry, own in zip(asked, values, strict=True):
        if _ID not in entry.given and not entry.name:
            yield f"{_ID} is missing: give it as a word or {BY_NAME[_ID].places}"
        if _ASID not in entry.given and (why := _asid_needed(entry.given, own.get("resource"))):
            without_asid.setdefault(why, []).append(entry.name)
    for why, names in without_asid.items():
        whose = f" for {listed(map(named, names))}" if names[0] else ""
        yield f"{_ASID}, the ASID, is missing{whose} ({why}): give it as {BY_NAME[_ASID].places}"


def _asid_needed(given: Mapping[str, Given], resource: Resource | None) -> str:
    """Return why the ASID is needed; "" when it is not."""
    if resource and resource.needs_account:
        return f"a {resource.label} needs it in any case"
    return "" if "rehearse" in given or "token" in given else "only a token can do without"


def same_twice(plans: Iterable[Plan]) -> Iterator[str]:
    """List which targets of the config file are one and the same: a copy in which the id was forgotten."""
    names: dict[object, str] = {}
    for plan in plans:
        target = plan.target
        first = names.setdefault((target.resource, target.id, plan.account_service_id), target.name)
        if first != target.name:
            what = f"{target.resource.noun} {target.id}"
            yield f"targets {named(first)} and {named(target.name)} are both {what}: keep one of the two"


def not_followed(outside: Sequence[Layer], file: FileFindings) -> Iterator[str]:
    """Warn when the targets of the config file are not waited for."""
    given = replaced(outside, file)
    if given:
        yield (
            f"{_ID} from {given.source} takes the place of the {len(file.targets)} targets in the config "
            "file: these are not waited for"
        )


def said_twice(values: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Warn of ids that were given more than once."""
    for own in values:
        twice = [str(number) for number, times in sorted(Counter(own[_ID]).items()) if times > 1]
        if twice:
            yield f"{_ID} names {listed(twice)} more than once; each is waited for once"


def oddities(settings: Settings, environ: Mapping[str, str]) -> Iterator[str]:
    """Warn of what is allowed, but hardly meant."""
    yield from dict.fromkeys(warning for plan in settings.plans for warning in _restless(plan))
    yield from _outlived(settings, environ.get("CI_JOB_TIMEOUT", ""))


def _restless(plan: Plan) -> Iterator[str]:
    """Warn when a job would have to move faster than it is looked at."""
    pause = plan.longest_pause
    if plan.timeout > 0 and plan.stall_timeout is not None and plan.stall_timeout <= pause:
        whose = f" of {named(plan.target.name)}" if plan.target.name else ""
        yield (
            f"stall-timeout{whose} ({written(plan.stall_timeout)}) is no longer than the longest pause "
            f"between two looks ({written(pause)}): a job that moves may seem to stall"
        )


def _outlived(settings: Settings, job_timeout: str) -> Iterator[str]:
    """Warn when GitLab would end its job, which it does after so many seconds, before the gate has ended."""
    if not re.fullmatch("[0-9]{1,9}", job_timeout):
        return
    needed = max(plan.timeout for plan in settings.plans) + settings.request_timeout
    if int(job_timeout) <= needed:
        yield (
            f"GitLab ends this job after {written(float(job_timeout))} (CI_JOB_TIMEOUT), but timeout and a "
            f"last look (request-timeout) may take {written(needed)}: give the job more time or the gate less"
        )
