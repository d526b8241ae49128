"""One run of `wait`, `check` or `demo`: settings in, a `Result` out.

Here the parts meet: a client, a gate for each target, the log, and the watch over them.
"""

from __future__ import annotations

import errno
import traceback
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from cfgate.conclusion import UNDECIDED, conclude
from cfgate.delivery import write_undecided
from cfgate.errors import GateError, NotUnpacked
from cfgate.gate.loop import Gate
from cfgate.gate.pacer import Pacer
from cfgate.gate.watch import watch
from cfgate.log.progress import ProgressLog, introduce
from cfgate.schedule import Cadence, FixedInterval
from cfgate.system.reserve import reserved
from cfgate.text.records import redacted
from cfgate.text.redaction import Redactor

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cfgate.client.client import Client
    from cfgate.gate.watch import Inbox, Watched
    from cfgate.hosts import Host
    from cfgate.model import Plan, Result
    from cfgate.model.events import Event
    from cfgate.schedule import Pacing
    from cfgate.settings.values import Run, Settings
    from cfgate.system.clock import Clock


def run(request: Run, host: Host, inbox: Inbox, clock: Clock, environ: Mapping[str, str]) -> Result:
    """Wait for every target, log it to `host`, and return how the run ended. No error leaves it."""
    settings = request.settings
    keys = settings.credentials
    pair = f"{keys.access_key}:{keys.secret_key}"  # as a Basic header contains it
    redact = Redactor({*request.secrets, pair})
    before = UNDECIDED._replace(
        started=clock.time(),
        rehearsal=bool(settings.rehearse),
        warnings=request.warnings,
        asked=settings.targets,
    )
    # A secret is taken out of texts only: what they are about has been judged when they leave.
    before = redacted(before, redact)
    try:
        # Before anything that can go wrong: an earlier run may have left a green.
        write_undecided(before, host, settings.files)
        for secret in settings.secret_inputs:
            host.mask(secret)
        introduce(host, redacted(settings, redact), before.warnings)
        with reserved():
            began, watched = _watch(settings, host, inbox, clock, environ, redact)
        result = conclude(watched, before, redact)._replace(waited=clock.monotonic() - began)
    except Exception as error:  # noqa: BLE001 - a bug must not take the outputs with it
        if not isinstance(error, GateError):
            host.debug(redact("".join(traceback.format_exception(error))))
        result = conclude(error, before, redact)
    return redacted(result, redact)


def _watch(
    settings: Settings, host: Host, inbox: Inbox, clock: Clock, environ: Mapping[str, str], redact: Redactor
) -> tuple[float, Watched]:
    """Run a gate for each target; return when they began (monotonic seconds) and how they ended."""
    with ExitStack() as stack:
        if settings.rehearse:
            from cfgate.rehearsal import rehearse

            settings = stack.enter_context(rehearse(settings))
        client = _client(settings, clock, environ, redact)
        stack.callback(client.close)
        began = clock.monotonic()
        pacer = Pacer(clock, len(settings.plans), min(plan.longest_pause for plan in settings.plans))
        gates = [_gate(plan, client, inbox, clock, pacer) for plan in settings.plans]
        shown = settings._replace(plans=redacted(settings.plans, redact))
        progress = ProgressLog(host, shown, clock)
        # Looking once means looking at all of them.
        fail_fast = settings.fail_fast and any(plan.timeout > 0 for plan in settings.plans)

        def tell(event: Event) -> None:
            progress.tell(redacted(event, redact))

        return began, watch(gates, inbox, fail_fast=fail_fast, tell=tell, tick=progress.tick)


def _client(settings: Settings, clock: Clock, environ: Mapping[str, str], redact: Redactor) -> Client:
    # Late, because requests costs more than everything else here: a wrong setting is reported without it.
    try:
        from cfgate.client.client import Client
    except OSError as error:
        if Path(__file__).is_file() or error.errno in (errno.EMFILE, errno.ENFILE):
            raise
        raise NotUnpacked(error) from error  # cfgate runs from a zip file

    return Client(
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


def _gate(plan: Plan, client: Client, inbox: Inbox, clock: Clock, pacer: Pacer) -> Gate:
    fetch = partial(client.fetch, plan.target, plan.account_service_id)
    return Gate(plan, fetch, _pacing(plan), inbox.put, clock, pacer)


def _pacing(plan: Plan) -> Pacing:
    if plan.poll_interval is None:
        return Cadence(max_interval=plan.max_interval)
    return FixedInterval(plan.poll_interval)
