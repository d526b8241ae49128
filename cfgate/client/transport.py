"""Whole requests within a hard bound on their time.

The time-outs of requests are for one receive: a server that sends a byte a second, in its headers or its
body, holds a request for ever, and nothing bounds a look-up of the host name. So every request runs on a
daemon thread of its own. Whoever waits for it stops waiting at the bound and cuts the channel, which ends the
thread too; only a look-up that hangs lasts until the resolver gives up.
"""

from __future__ import annotations

import threading
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from cfgate.client.channel import Channel, Reply
from cfgate.client.faults import explained
from cfgate.client.network import host_and_port
from cfgate.errors import NoAnswer

if TYPE_CHECKING:
    import ssl

    from requests import PreparedRequest

    from cfgate.system.clock import Clock


class Transport:
    """The way to one API. Any number of threads may send at once; each gets a channel for itself."""

    def __init__(self, api_url: str, tls: ssl.SSLContext | None, proxy: str, clock: Clock) -> None:
        """`tls` is needed for https only; `proxy` is an address, empty: none."""
        self._hosts = host_and_port(api_url), host_and_port(proxy)
        self._tls = tls
        self._proxy = proxy
        self._clock = clock
        self._idle: list[Channel] = []
        self._closed = False
        self._lock = threading.Lock()

    def send(self, request: PreparedRequest, bound: float) -> Reply:
        """Send a request and wait for the whole answer, `bound` seconds at most.

        Raises an error of `cfgate.errors` for whatever goes wrong on the wire.
        """
        channel = self._take()
        outcomes: SimpleQueue[Reply | Exception] = SimpleQueue()
        threading.Thread(
            target=_work, args=(channel, request, bound, outcomes), name="cfgate-request", daemon=True
        ).start()
        try:
            outcome = outcomes.get(timeout=bound)
        except Empty:
            channel.cut()
            raise NoAnswer(f"time-out after {bound:.3g}s") from None
        if isinstance(outcome, Exception):
            raise explained(outcome, *self._hosts) from None
        self._put_back(channel)
        return outcome

    def close(self) -> None:
        """Close the connections that are kept alive, and keep none from now on."""
        with self._lock:
            self._closed = True
            for channel in self._idle:
                channel.close()
            self._idle.clear()

    def _take(self) -> Channel:
        """Take the channel that was used last, whose connection is the likeliest to live; or make one."""
        with self._lock:
            return self._idle.pop() if self._idle else Channel(self._tls, self._proxy, self._clock)

    def _put_back(self, channel: Channel) -> None:
        """Keep a channel for later. One that was cut, or has failed, never comes here."""
        with self._lock:
            if self._closed:
                channel.close()
            else:
                self._idle.append(channel)


def _work(
    channel: Channel, request: PreparedRequest, bound: float, outcomes: SimpleQueue[Reply | Exception]
) -> None:
    """Run one request on a thread of its own."""
    try:
        outcomes.put(channel.exchange(request, bound))
    except Exception as error:  # noqa: BLE001 - raised again by the thread that waits
        channel.close()
        outcomes.put(error)
