"""One run of `wait`, `check` or `demo`: settings in, a `Result` out.

Here the parts meet: a client, a gate for each target, the log, and the watch over them.
"""

from __future__ import annotations

import errno
import traceback
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cfgate.errors import Broken, GateError
from cfgate.gate.loop import Gate
from cfgate.gate.pacer import Pacer
from cfgate.gate.patience import Limits
from cfgate.gate.watch import Watched, watch
from cfgate.log.progress import ProgressLog
from cfgate.model import GateStatus, Outcome, Result, counted
from cfgate.schedule import Cadence, FixedInterval
from cfgate.system.signals import exit_code

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cfgate.client.client import Client
    from cfgate.gate.watch import Inbox
    from cfgate.hosts import Host
    from cfgate.schedule import Pacing
    from cfgate.settings.values import Plan, Settings
    from cfgate.system.clock import Clock

_INTERRUPTED: Final = "The job goes on at Clanforge. Run this step again to wait for it."


def run(
    settings: Settings,
    host: Host,
    inbox: Inbox,
    clock: Clock,
    environ: Mapping[str, str],
    redact: Callable[[str], str],
    speed: float = 1.0,
) -> Result:
    """Gate on every target of `settings`, telling `host` about it, and say how it ended.

    A rehearsal plays `speed` times as fast as its scenario says.
    """
    rehearsal = bool(settings.rehearse)
    with ExitStack() as stack:
        if rehearsal:
            from cfgate.rehearsal import rehearse

            settings = stack.enter_context(rehearse(settings, speed))
        client = _client(settings, clock, environ, redact, stack)
        began, started = clock.monotonic(), clock.time()
        pacer = Pacer(clock, len(settings.plans), min(map(_longest_pause, settings.plans)))
        gates = [_gate(plan, client, inbox, clock, pacer) for plan in settings.plans]
        progress = ProgressLog(host, settings.targets, clock)
        # Looking once means looking at all of them.
        fail_fast = settings.fail_fast and any(plan.timeout > 0 for plan in settings.plans)
        watched = watch(gates, inbox, fail_fast=fail_fast, tell=progress.tell, tick=progress.tick)
    return replace(
        conclude(watched, redact), rehearsal=rehearsal, started=started, waited=clock.monotonic() - began
    )


def _no_text(text: str) -> str:  # noqa: ARG001 - the shape of a redactor
    return ""


def _client(
    settings: Settings,
    clock: Clock,
    environ: Mapping[str, str],
    redact: Callable[[str], str],
    stack: ExitStack,
) -> Client:
    # Late, because requests costs more than everything else here: a wrong setting is told without it.
    from cfgate.client.client import Client

    client = Client(
        api_url=settings.api_url,
        access_key=settings.credentials.access_key,
        secret_key=settings.credentials.secret_key,
        token=settings.credentials.token,
        request_timeout=settings.request_timeout,
        ca_bundle=settings.ca_bundle,
        environ=environ,
        clock=clock,
        redact=redact,
    )
    stack.callback(client.close)
    return client


def _gate(plan: Plan, client: Client, inbox: Inbox, clock: Clock, pacer: Pacer) -> Gate:
    limits = Limits(
        plan.timeout,
        plan.error_tolerance,
        plan.not_found_grace,
        plan.stall_timeout,
        shortest_pause=plan.poll_interval or 0.0,
        longest_pause=_longest_pause(plan),
    )
    fetch = partial(client.fetch, plan.target, plan.account_service_id)
    return Gate(plan.target, fetch, _pacing(plan), limits, inbox.put, clock, pacer)


def _pacing(plan: Plan) -> Pacing:
    if plan.poll_interval is None:
        return Cadence(max_interval=plan.max_interval)
    return FixedInterval(plan.poll_interval)


def _longest_pause(plan: Plan) -> float:
    return plan.poll_interval or plan.max_interval


def conclude(watched: Watched, redact: Callable[[str], str] = str) -> Result:
    """Make one result of the outcomes: the one that comes first in the order of `GateStatus` decides."""
    outcomes = watched.outcomes
    decisive = min(outcomes, key=lambda outcome: outcome.status.precedence)
    if watched.crashed:
        error = bug(watched.crashed.error, redact)
        return Result(error.status, error.status.exit_code, str(error), error.remedy, outcomes)
    if watched.signalled:
        reason = f"stopped by {watched.signalled.name} while {_standing(outcomes)}"
        return Result(GateStatus.INTERRUPTED, exit_code(watched.signalled), reason, _INTERRUPTED, outcomes)
    reason = decisive.reason
    if len(outcomes) > 1:
        ready = sum(outcome.status is GateStatus.READY for outcome in outcomes)
        reason = f"{ready} of {_counted(outcomes)} are ready"
        if ready < len(outcomes):
            reason += f"; {decisive.reason}"
    return Result(decisive.status, decisive.status.exit_code, reason, decisive.remedy, outcomes)


def _standing(outcomes: tuple[Outcome, ...]) -> str:
    """Say how things stood: the state of the one target, or how many were not ready."""
    if len(outcomes) == 1:
        (outcome,) = outcomes
        state = outcome.job.state.title if outcome.job and outcome.job.state else "not heard of yet"
        return f"{outcome.target.label} was {state}"
    waiting = sum(outcome.status is not GateStatus.READY for outcome in outcomes)
    return f"{waiting} of {_counted(outcomes)} were not ready"


def _counted(outcomes: tuple[Outcome, ...]) -> str:
    return counted([outcome.target for outcome in outcomes])


def ended_by(error: GateError, undecided: Result, redact: Callable[[str], str] = str) -> Result:
    """Make the result of a run that an error ended before any gate could."""
    status = error.status
    return replace(
        undecided, status=status, exit_code=status.exit_code, reason=redact(str(error)), remedy=error.remedy
    )


def bug(error: BaseException, redact: Callable[[str], str] = _no_text) -> Broken:
    """Describe an unexpected exception: its kind, its place in cfgate, its text as `redact` leaves it."""
    place = ""
    for frame in traceback.extract_tb(error.__traceback__):
        if Path(__file__).parent in Path(frame.filename).parents:
            place = f" in {Path(frame.filename).name}, line {frame.lineno}"
    text = redact(str(error))
    if isinstance(error, OSError) and error.errno in (errno.EMFILE, errno.ENFILE):
        remedy = "Let this job have more files open (`ulimit -n`), or gate on fewer targets in one step."
        return Broken("too many open files", remedy=remedy)
    return Broken(f"{type(error).__name__}{place}{f': {text}' if text else ''}")
