"""One connection to the API, for the requests of one target, one at a time, that another thread can cut.

Of requests only the adapter is used, never a Session. That is the part that follows redirects (and reads the
whole body of one even when told not to follow), keeps cookies, and reads .netrc and the environment.

A channel is over when anything but a whole answer to its own request has come: whoever holds it asks `usable`
before the next request, and makes a new one when it is not.
"""

from __future__ import annotations

import base64
import logging
import socket
import ssl
from contextlib import suppress
from enum import Enum
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import unquote, urlsplit

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError
from urllib3.util.wait import wait_for_read

from cfgate.client.addresses import connect, look_up
from cfgate.client.wire import HttpAnswer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from requests import PreparedRequest

    from cfgate.system.clock import Clock

# urllib3 logs headers that it cannot read, as they came. Nobody who listens to logs may read that.
logging.getLogger("urllib3").setLevel(logging.CRITICAL + 1)

# Seconds that a socket waits beyond the bound of its request, so that the channel is always cut before.
_GRACE: Final = 1.0


class Phase(Enum):
    """How far a request has come."""

    LOOK_UP = "look-up"
    CONNECT = "connect"
    PROXY = "proxy"
    HANDSHAKE = "handshake"
    HEADERS = "headers"
    BODY = "body"


class Reply(NamedTuple):
    """A whole HTTP answer. `body` is decoded, and cut after `MAX_BODY` + 1 bytes.

    `sent` and `received` (when its headers were there) are seconds of the monotonic clock.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    sent: float
    received: float


class Channel:
    """One connection, made by the first exchange."""

    def __init__(self, tls: ssl.SSLContext | None, proxy: str, clock: Clock) -> None:
        """Prepare; nothing is connected."""
        self.phase = Phase.LOOK_UP
        self.used = False  # whether an answer has come over this connection
        self.keep_alive = ""  # the Keep-Alive header of the last answer
        self._adapter = _Adapter(tls, self)
        self._proxies = {"https": proxy} if proxy else {}
        self._clock = clock
        self._sending: Callable[[], None] = lambda: None
        self._socket: socket.socket | None = None
        self._answer: HttpAnswer | None = None
        self._cut = False
        self._clean = False
        self._bound = 0.0
        self._ended = 0.0

    def exchange(
        self, request: PreparedRequest, bound: float, sending: Callable[[], None] = lambda: None
    ) -> Reply:
        """Send a request and read the answer to its end.

        `bound` is the seconds after which the channel will be cut; `sending` is called when the request goes
        out. Raises whatever requests, urllib3, http.client and zlib raise.
        """
        self._clean, self._bound, self._answer, self._sending = False, bound, None, sending
        sent = self._clock.monotonic()
        response = self._adapter.send(request, stream=True, timeout=bound + _GRACE, proxies=self._proxies)
        received = self._clock.monotonic()
        answer: Any = response.raw._original_response  # noqa: SLF001 - urllib3 has no other way to it
        self.phase = Phase.BODY
        try:
            body = answer.body()
            self.keep_alive = response.headers.get("Keep-Alive", "")
            self._clean = self._socket is not None and answer.reusable(self._socket)
        finally:
            answer.close()
            if not self._clean:
                response.raw.close()
            response.raw.release_conn()
        self.used, self._ended = True, self._clock.monotonic()
        return Reply(response.status_code, response.headers, body, sent, received)

    def usable(self, longest_idle: float) -> bool:
        """Whether one more request may go out: nothing is owed or left over, nothing has come since."""
        if not self._clean or self._socket is None or self.idle > longest_idle:
            return False
        sock = _innermost(self._socket)
        with suppress(OSError, ValueError):  # closed in the meantime
            return not (isinstance(sock, ssl.SSLSocket) and sock.pending()) and not wait_for_read(sock, 0)
        return False

    @property
    def idle(self) -> float:
        """Seconds since the last answer was complete."""
        return self._clock.monotonic() - self._ended

    @property
    def unanswered(self) -> bool:
        """Whether not one byte of an answer has come to the request under way."""
        return self._answer is None or not self._answer.meter.taken

    def cut(self) -> None:
        """End the exchange that is under way on another thread, whatever it waits for."""
        # The other way round than in `waiting_on`, so that one of the two sees what the other did.
        self._cut = True
        if self._socket is not None:
            with suppress(OSError):  # it is closed already, or in the middle of a TLS handshake
                _innermost(self._socket).shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close the connection."""
        self._clean = False
        self._adapter.close()

    # What the connection calls

    def waiting_on(self, sock: socket.socket) -> None:
        """Take note of the socket that is waited for; stop it if nobody wants the answer any more."""
        self._socket = sock
        if self._cut:
            sock.close()
            raise TimeoutError
        # For proxy and TLS handshake. No handshake lasts longer than this, however it drips, for ssl counts
        # it as one wait.
        sock.settimeout(self._bound + _GRACE)

    def asking(self) -> None:
        """Count a request that goes out."""
        self.phase = Phase.HEADERS
        self._sending()

    def answered_by(self, answer: HttpAnswer) -> None:
        """Take note of the answer that begins."""
        self._answer = answer

    def opened(self, host: str, port: int) -> socket.socket:
        """Connect."""
        self.phase = Phase.LOOK_UP
        addresses = look_up(host, port)
        self.phase = Phase.CONNECT
        return connect(addresses, self._bound + _GRACE, self.waiting_on)


def _innermost(sock: Any) -> socket.socket:
    """Return the socket below TLS inside TLS (an https proxy), which is an object around it."""
    inner: socket.socket = getattr(sock, "socket", sock)
    return inner


class _Adapter(HTTPAdapter):
    """The adapter of requests, for a single connection, with the trust that it is given."""

    def __init__(self, tls: ssl.SSLContext | None, channel: Channel) -> None:
        self._tls = tls
        self._channel = channel
        super().__init__(pool_connections=1, pool_maxsize=1)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, ssl_context=self._tls, **kwargs)

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        return super().proxy_manager_for(proxy, ssl_context=self._tls, proxy_ssl_context=self._tls, **kwargs)

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
        pool: Any = super().get_connection_with_tls_context(*args, **kwargs)
        kind = _TlsConnection if pool.scheme == "https" else _Connection
        pool.ConnectionCls = partial(kind, self._channel)
        return pool

    def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
        """Leave the pool as it is: requests would add its default authorities to those of the context."""

    def proxy_headers(self, proxy: str) -> dict[str, str]:
        """Write user and password of a proxy in UTF-8; requests knows Latin-1 only (psf/requests#3662)."""
        parts = urlsplit(proxy)
        if parts.username is None:
            return {}
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        return {"Proxy-Authorization": f"Basic {base64.b64encode(pair.encode()).decode('ascii')}"}


class _Connection(HTTPConnection):
    """A connection that reports to its channel what it does."""

    def __init__(self, channel: Channel, *args: Any, **kwargs: Any) -> None:
        self._channel = channel
        super().__init__(*args, **kwargs)

    def response_class(self, *args: Any, **kwargs: Any) -> HttpAnswer:  # type: ignore[override] # it is only called
        answer = HttpAnswer(*args, **kwargs)
        self._channel.answered_by(answer)
        return answer

    def _new_conn(self) -> socket.socket:
        try:
            sock = self._channel.opened(self._dns_host, self.port)
        except socket.gaierror as error:
            raise NameResolutionError(self.host, self, error) from error
        except TimeoutError as error:
            raise ConnectTimeoutError(self, "no address answers") from error
        except OSError as error:
            raise NewConnectionError(self, "not connected") from error
        self._channel.phase = Phase.PROXY if self.proxy else Phase.HANDSHAKE
        return sock

    def _tunnel(self) -> None:
        super()._tunnel()  # urllib3 calls it as well
        self._channel.phase = Phase.HANDSHAKE

    def request(self, *args: Any, **kwargs: Any) -> None:
        if self.sock is None:
            self.connect()
        self._channel.asking()
        super().request(*args, **kwargs)

    def getresponse(self) -> Any:
        self._channel.waiting_on(self.sock)
        return super().getresponse()


class _TlsConnection(_Connection, HTTPSConnection):
    """Likewise, with TLS."""
