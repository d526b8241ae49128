"""One run of `wait`, `check` or `demo`: settings in, a `Result` out.

Here the parts meet: a client, a gate for each target, a narrator; and, for a rehearsal, a simulator in the
place of Clanforge.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

from cfgate.errors import Broken
from cfgate.gate import Gate
from cfgate.model import GateStatus, Outcome, Result
from cfgate.narrator import Narrator
from cfgate.patience import Limits
from cfgate.schedule import Cadence, FixedInterval
from cfgate.settings.values import Credentials, Settings
from cfgate.watch import Watched, watch

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cfgate.client import Client
    from cfgate.clock import Clock
    from cfgate.hosts import Host
    from cfgate.schedule import Pacing
    from cfgate.watch import Inbox

_INTERRUPTED: Final = "The job goes on at Clanforge. Run this step again to wait for it."


def run(
    settings: Settings,
    host: Host,
    inbox: Inbox,
    clock: Clock,
    environ: Mapping[str, str],
    redact: Callable[[str], str],
) -> Result:
    """Gate on every target of `settings`, telling `host` about it, and say how it ended."""
    began, started = clock.monotonic(), clock.time()
    rehearsal = bool(settings.rehearse)
    with ExitStack() as stack:
        if rehearsal:
            settings = _rehearse(settings, stack)
        client = _client(settings, clock, environ, redact, stack)
        limits = Limits(
            settings.timeout, settings.error_tolerance, settings.not_found_grace, settings.stall_timeout
        )
        gates = [
            Gate(
                target,
                partial(client.fetch, target.image_version_id),
                _pacing(settings),
                limits,
                inbox.put,
                clock,
            )
            for target in settings.targets
        ]
        narrator = Narrator(host, settings.targets, clock)
        # Looking once means looking at all of them.
        fail_fast = settings.fail_fast and settings.timeout > 0
        watched = watch(gates, inbox, fail_fast=fail_fast, tell=narrator.tell, tick=narrator.tick)
    return replace(
        conclude(watched, redact), rehearsal=rehearsal, started=started, waited=clock.monotonic() - began
    )


def _rehearse(settings: Settings, stack: ExitStack) -> Settings:
    """Start a simulator, and point the settings at it; the real credentials never leave this process."""
    from cfgate.simulator import Simulator, load

    made_up = Credentials(access_key="rehearsal", secret_key="rehearsal")  # noqa: S106 - for loopback only
    simulator = Simulator(
        load(settings.rehearse),
        access_key=made_up.access_key,
        secret_key=made_up.secret_key,
        account_service_id=settings.account_service_id,
    )
    stack.enter_context(simulator)
    return replace(settings, api_url=simulator.url, credentials=made_up)


def _client(
    settings: Settings,
    clock: Clock,
    environ: Mapping[str, str],
    redact: Callable[[str], str],
    stack: ExitStack,
) -> Client:
    # Late, because requests costs more than everything else here: a wrong setting is told without it.
    from cfgate.client import Client

    client = Client(
        api_url=settings.api_url,
        access_key=settings.credentials.access_key,
        secret_key=settings.credentials.secret_key,
        token=settings.credentials.token,
        account_service_id=settings.account_service_id,
        request_timeout=settings.request_timeout,
        ca_bundle=settings.ca_bundle,
        environ=environ,
        clock=clock,
        redact=redact,
    )
    stack.callback(client.close)
    return client


def _pacing(settings: Settings) -> Pacing:
    if settings.poll_interval is None:
        return Cadence(max_interval=settings.max_interval)
    return FixedInterval(settings.poll_interval)


def conclude(watched: Watched, redact: Callable[[str], str] = str) -> Result:
    """Make one result of the outcomes: the one that comes first in the order of `GateStatus` decides."""
    outcomes = watched.outcomes
    decisive = min(outcomes, key=lambda outcome: outcome.status.precedence)
    if watched.crashed:
        error = bug(watched.crashed.error, redact)
        return Result(error.status, error.status.exit_code, str(error), error.remedy, outcomes)
    if watched.signalled:
        reason = f"stopped by {watched.signalled.name} while {_standing(outcomes)}"
        return Result(GateStatus.INTERRUPTED, watched.signalled.exit_code, reason, _INTERRUPTED, outcomes)
    reason = decisive.reason
    if len(outcomes) > 1:
        ready = sum(outcome.status is GateStatus.READY for outcome in outcomes)
        reason = f"{ready} of {len(outcomes)} image versions are ready"
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
    return f"{waiting} of {len(outcomes)} image versions were not ready"


def bug(error: BaseException, redact: Callable[[str], str]) -> Broken:
    """Describe an unexpected exception by its kind, its place and its text."""
    place, trace = "", error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        if "cfgate" in code.co_filename:
            place = f" in {code.co_name}, line {trace.tb_lineno}"
        trace = trace.tb_next
    return Broken(redact(f"{type(error).__name__}{place}: {error}"))
