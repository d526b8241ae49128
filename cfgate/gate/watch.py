"""Run the gates, each on a thread of its own, and listen for what they tell and for signals.

The main thread only waits on one queue. So a signal has nobody to wake and nothing to interrupt: whatever the
gates are in the middle of, a name look-up or a stalled handshake, the main thread is free to write everything
down and leave. The gates' threads are daemons and end with the process.
"""

from __future__ import annotations

import threading
from queue import Empty, SimpleQueue
from signal import Signals
from typing import TYPE_CHECKING, Final, NamedTuple

from cfgate.model import GateStatus, Outcome, Target
from cfgate.model.events import Ended, Event

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cfgate.gate.loop import Gate

# How often the live display is drawn and the heartbeat looked at while nothing happens, in seconds.
TICK: Final = 0.5


class Crashed(NamedTuple):
    """A bug came up in the thread of a gate."""

    target: Target
    error: BaseException


Inbox = SimpleQueue[Event | Signals | Crashed]


class Watched(NamedTuple):
    """How the watch ended: an outcome for every gate, in order, and what cut it short, if anything did."""

    outcomes: tuple[Outcome, ...]
    signalled: Signals | None = None
    crashed: Crashed | None = None


def watch(
    gates: Sequence[Gate],
    inbox: Inbox,
    *,
    fail_fast: bool,
    tell: Callable[[Event], None],
    tick: Callable[[], None],
) -> Watched:
    """Run the gates to their ends; stop early at a signal, a bug, or (`fail_fast`) the first failure.

    A refusal of the credentials stops all in any case, since they are the same for all.

    `tell` is called with every event, `tick` at least every `TICK` seconds; both on this thread.
    """
    for gate in gates:
        threading.Thread(target=_run, args=(gate, inbox), name=str(gate.target.id), daemon=True).start()
    ended: dict[Target, Outcome] = {}
    while len(ended) < len(gates):
        tick()
        try:
            message = inbox.get(timeout=TICK)
        except Empty:
            continue
        if isinstance(message, Signals):
            return Watched(_stop(gates, ended, GateStatus.INTERRUPTED, f"stopped by {message.name}"), message)
        if isinstance(message, Crashed):
            return Watched(_stop(gates, ended, GateStatus.ERROR, "stopped by a bug in cfgate"), None, message)
        tell(message)
        if isinstance(message, Ended):
            ended[message.target] = message.outcome
            if message.outcome.status is GateStatus.REJECTED and gates[0].refused:
                refused = "not followed any further, since the API refuses the credentials"
                return Watched(_stop(gates, ended, GateStatus.PENDING, refused))
            if fail_fast and message.outcome.status not in (GateStatus.READY, GateStatus.PENDING):
                break
    return Watched(
        _stop(gates, ended, GateStatus.PENDING, "not followed any further after the first failure")
    )


def _run(gate: Gate, inbox: Inbox) -> None:
    try:
        gate.wait()
    except BaseException as error:  # noqa: BLE001 - a bug on this thread must end the process, and be told
        inbox.put(Crashed(gate.target, error))


def _stop(
    gates: Sequence[Gate], ended: dict[Target, Outcome], status: GateStatus, reason: str
) -> tuple[Outcome, ...]:
    """Give every gate its outcome; those still under way get one as they stand."""
    return tuple(
        ended.get(gate.target) or gate.so_far(status, f"{gate.target.label}: {reason}") for gate in gates
    )
