"""What shows only when options are looked at side by side: what is missing, excludes another, or is odd."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from cfgate.settings.layers import Given
from cfgate.settings.options import BY_NAME
from cfgate.settings.parsers import spelled
from cfgate.settings.values import Files, Settings
from cfgate.settings.wording import listed

_PAIR: Final = ("access-key", "secret-key")


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


def missing_or_too_much(given: Mapping[str, Given]) -> Iterator[str]:
    """Tell which options are missing, and which do not go together."""
    if "image-version-id" not in given:
        yield f"image-version-id is missing: give it as a word or {BY_NAME['image-version-id'].places}"
    if "rehearse" in given:
        return  # a rehearsal needs no account
    yield from _credentials(given)
    if "account-service-id" not in given and "token" not in given:
        yield (
            "account-service-id, the ASID, is missing (only a token can do without): "
            f"give it as {BY_NAME['account-service-id'].places}"
        )


def _credentials(given: Mapping[str, Given]) -> Iterator[str]:
    """Demand a key pair or a token, whole and alone."""
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


def clashing_files(files: Files) -> Iterator[str]:
    """Tell which reports would overwrite each other."""
    writers: dict[str, str] = {}
    for name in ("result-file", "junit-file", "dotenv-file", "summary-file", "annotations-file"):
        path = getattr(files, name.removesuffix("-file"))
        if path and path in writers:
            yield f"{writers[path]} and {name} name the same file: give each its own"
        writers.setdefault(path, name)


def oddities(settings: Settings, ids: tuple[int, ...], environ: Mapping[str, str]) -> Iterator[str]:
    """Tell what is allowed, but hardly meant."""
    twice = sorted({str(i) for i in ids if ids.count(i) > 1})
    if twice:
        yield f"image-version-id names {listed(twice)} more than once; each is waited for once"
    pause = settings.poll_interval or settings.max_interval
    if settings.stall_timeout is not None and settings.stall_timeout <= pause:
        yield (
            f"stall-timeout ({spelled(settings.stall_timeout)}) is no longer than the longest pause between "
            f"two looks ({spelled(pause)}): a job that moves may seem to stall"
        )
    yield from _outlived(settings, environ.get("CI_JOB_TIMEOUT", ""))


def _outlived(settings: Settings, job_timeout: str) -> Iterator[str]:
    """Tell when GitLab would end its job, which it does after so many seconds, before the gate has ended."""
    if not re.fullmatch("[0-9]{1,9}", job_timeout):
        return
    needed = settings.timeout + settings.request_timeout
    if int(job_timeout) <= needed:
        yield (
            f"GitLab ends this job after {spelled(float(job_timeout))} (CI_JOB_TIMEOUT), but timeout and a "
            f"last look (request-timeout) may take {spelled(needed)}: give the job more time or the gate less"
        )
