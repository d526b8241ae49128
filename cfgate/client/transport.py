"""Whole requests about one target within a hard bound on their time.

The time-outs of requests are for one receive: a server that sends a byte a second, in its headers or its
body, holds a request for ever, and nothing bounds a look-up of the host name. So every request runs on a
daemon thread of its own. Whoever waits for it stops waiting at the bound and cuts the channel, which ends the
thread too; only a look-up that hangs lasts until the resolver gives up.
"""

from __future__ import annotations

import re
import threading
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from cfgate.client.channel import Channel, Phase, Reply
from cfgate.client.faults import explained, timed_out
from cfgate.client.network import host_and_port
from cfgate.errors import NoAnswer
from cfgate.system.waiting import NoThread, within

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    from requests import PreparedRequest

    from cfgate.system.clock import Clock

# A connection that has been idle for longer may have been forgotten by a NAT or a firewall on the way,
# without a word (urllib3#3184); a new one costs less than a time-out.
_LONGEST_IDLE: Final = 30.0  # seconds
# One that has just answered may have something behind the answer that is still on its way: a sender waits for
# the acknowledgement of what it has sent (RFC 896), which may take half a second (RFC 1122, 4.2.3.2).
_SHORTEST_IDLE: Final = 0.5  # seconds
_KEEP_ALIVE: Final = re.compile(r"(?:^|[,;\s])timeout=([0-9]{1,6})")
_MORE_THREADS: Final = "Let this job have more threads (`ulimit -u`, or the pids limit of its container)."


class Transport:
    """The way to the API for one target: one request at a time, over a connection that nobody else uses."""

    def __init__(
        self, api_url: str, tls: ssl.SSLContext | None, proxy: str, clock: Clock, hint: str = ""
    ) -> None:
        """Prepare; nothing is connected.

        `tls` is needed for https only; `proxy` is an address, empty: none. `hint` is a sentence that may
        explain why nothing can be reached.
        """
        self._hosts = host_and_port(api_url), host_and_port(proxy)
        self._hint = hint
        self._tls = tls
        self._proxy = proxy
        self._clock = clock
        self._kept: Channel | None = None
        self._longest_idle = _LONGEST_IDLE
        self._closed = False
        self._lock = threading.Lock()

    def send(
        self, request: PreparedRequest, bound: float, sending: Callable[[], None] = lambda: None
    ) -> Reply:
        """Send a request and wait for the whole answer, `bound` seconds at most.

        `sending` is called for each request that goes out: a second one when the first met a kept connection
        that the server had closed. Raises an error of `cfgate.errors` for whatever goes wrong on the wire.
        """
        end = self._clock.monotonic() + bound
        channel = self._take()
        idle = channel.idle
        kept, outcome = channel.used, self._run(channel, request, bound, sending)
        if kept and channel.unanswered and not isinstance(outcome, Reply):
            # Kept too long: whoever forgets or closes connections gets a new one each time from now on.
            self._longest_idle = min(self._longest_idle, idle / 2)
        left = end - self._clock.monotonic()
        if kept and left > 0 and _of_the_connection(channel, outcome):
            channel.close()
            channel = self._new()
            outcome = self._run(channel, request, left, sending)
        if outcome is None:
            raise self._hinted(timed_out(channel.phase, bound, *self._hosts), channel.phase)
        if isinstance(outcome, Exception):
            raise self._hinted(explained(outcome, channel.phase, *self._hosts), channel.phase) from None
        if _of_the_connection(channel, outcome):
            channel.close()
        else:
            self._keep(channel)
        return outcome

    def _hinted(self, error: Exception, phase: Phase) -> Exception:
        """Put the hint in front of the remedy of an error that came before there was a connection."""
        if self._hint and isinstance(error, NoAnswer) and phase in (Phase.LOOK_UP, Phase.CONNECT):
            error.remedy = f"{self._hint} {error.remedy}"
        return error

    def close(self) -> None:
        """Close the connection that is kept alive, and keep none from now on."""
        with self._lock:
            self._closed = True
            if self._kept:
                self._kept.close()
                self._kept = None

    def _take(self) -> Channel:
        """Take the channel that is kept, if it can be used; or make one."""
        with self._lock:
            kept, self._kept = self._kept, None
        if kept and kept.idle >= _SHORTEST_IDLE and kept.usable(self._longest_idle):
            return kept
        if kept:
            kept.close()
        return self._new()

    def _new(self) -> Channel:
        return Channel(self._tls, self._proxy, self._clock)

    def _keep(self, channel: Channel) -> None:
        """Keep a channel for the next request. One that was cut, or has failed, never comes here."""
        if found := _KEEP_ALIVE.search(channel.keep_alive):
            # A fifth less, for the time that an answer and the next request are on their way.
            self._longest_idle = min(self._longest_idle, 0.8 * int(found[1]))
        with self._lock:
            if not self._closed and channel.usable(self._longest_idle):
                self._kept = channel
                return
        channel.close()

    def _run(
        self, channel: Channel, request: PreparedRequest, bound: float, sending: Callable[[], None]
    ) -> Reply | Exception | None:
        """Run one request on a thread of its own; return what came of it, `None` at the bound."""

        def exchange() -> Reply | Exception:
            try:
                return channel.exchange(request, bound, sending)
            except Exception as error:  # noqa: BLE001 - told apart by the thread that waits
                channel.close()
                return error

        try:
            return within(bound, exchange, "cfgate-request")
        except NoThread:
            channel.close()
            return NoAnswer("this machine starts no more threads", remedy=_MORE_THREADS)
        except TimeoutError:
            channel.cut()
            return None


def _of_the_connection(channel: Channel, outcome: Reply | Exception | None) -> bool:
    """Whether it is the connection that is at fault: it was closed, or leads to another host (HTTP 421)."""
    if isinstance(outcome, Reply):
        return outcome.status == HTTPStatus.MISDIRECTED_REQUEST
    return isinstance(outcome, Exception) and channel.unanswered
