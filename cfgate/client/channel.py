"""One connection to the API, for one request at a time, that another thread can cut.

Of requests only the adapter is used, never a Session. That is the part that follows redirects (and reads the
whole body of one even when told not to follow), keeps cookies, and reads .netrc and the environment.
"""

from __future__ import annotations

import logging
import socket
import threading
import zlib
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from typing import TYPE_CHECKING, Any, Final

from requests import ConnectionError as NotConnected
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from cfgate.rules.answer import MAX_BODY

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping

    from requests import PreparedRequest, Response

    from cfgate.system.clock import Clock

# urllib3 logs headers that it cannot read, as they came. Nobody who listens to logs may hear that.
logging.getLogger("urllib3").setLevel(logging.CRITICAL + 1)

_CHUNK: Final = 1 << 16  # bytes
# Seconds that a socket waits beyond the bound of its request, so that the channel is always cut before.
_GRACE: Final = 1.0


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole HTTP answer. `body` is decoded, and cut after `MAX_BODY` + 1 bytes.

    `sent` and `received` (when its headers were there) are seconds of the monotonic clock.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    sent: float
    received: float


class Channel:
    """A way to the API, with one connection at most, which is kept alive between requests."""

    def __init__(self, tls: ssl.SSLContext | None, proxy: str, clock: Clock) -> None:
        self._adapter = _Adapter(tls)
        self._proxies = {"https": proxy} if proxy else {}
        self._clock = clock
        self._socket: socket.socket | None = None
        self._cut = False
        self._kept = False  # whether the request under way uses the connection of an earlier one
        self._bound = 0.0

    def exchange(self, request: PreparedRequest, bound: float) -> Reply:
        """Send a request and read the answer to its end.

        `bound` is the seconds after which the channel will be cut. Raises whatever requests, urllib3 and zlib
        raise.
        """
        _this_thread.channel = self
        self._bound = bound
        sent, response = self._ask(request)
        received = self._clock.monotonic()
        with response:
            return Reply(response.status_code, response.headers, _body(response), sent, received)

    def cut(self) -> None:
        """End the exchange that is under way on another thread, whatever it waits for."""
        # The other way round than in `waiting_on`, so that one of the two sees what the other did.
        self._cut = True
        if self._socket is not None:
            with suppress(OSError):  # it is closed already, or in the middle of a TLS handshake
                self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close the connection that is kept."""
        self._adapter.close()

    def _ask(self, request: PreparedRequest) -> tuple[float, Response]:
        """Send a request; once more if it met a kept connection that the server was just closing."""
        self._kept = True
        try:
            return self._send(request)
        except NotConnected:
            if self._cut or not self._kept:
                raise
        return self._send(request)

    def _send(self, request: PreparedRequest) -> tuple[float, Response]:
        # Half of the time for an address leaves a second one its chance: IPv6 leads nowhere, then IPv4.
        timeout = (self._bound / 2, self._bound + _GRACE)
        sent = self._clock.monotonic()
        return sent, self._adapter.send(request, timeout=timeout, proxies=self._proxies)

    def connecting(self) -> None:
        """Hear from the connection that it is made anew."""
        self._kept = False

    def waiting_on(self, sock: socket.socket) -> None:
        """Hear from the connection what it will wait on; stop it if nobody wants the answer any more."""
        # TLS inside TLS (an https proxy) is an object around the socket.
        self._socket = getattr(sock, "socket", sock)
        if self._cut:
            sock.close()
            raise TimeoutError
        # For proxy and TLS handshake: urllib3 would give them no more than an address gets. No handshake
        # lasts longer than this, however it drips, for ssl counts it as one wait.
        sock.settimeout(self._bound + _GRACE)


def _body(response: Response) -> bytes:
    """Read a body, `MAX_BODY` + 1 bytes of it at most, and unpack it on the way, so that no bomb goes off."""
    zipped = response.headers.get("Content-Encoding", "").strip().lower() in ("gzip", "x-gzip")
    unzip = zlib.decompressobj(16 + zlib.MAX_WBITS) if zipped else None
    body = bytearray()
    for chunk in response.raw.stream(_CHUNK, decode_content=False):
        room = MAX_BODY + 1 - len(body)
        body += unzip.decompress(chunk, room) if unzip else chunk[:room]
        if len(body) > MAX_BODY:
            return bytes(body)
    if unzip and body and not unzip.eof:
        raise zlib.error
    return bytes(body)


class _Adapter(HTTPAdapter):
    """The adapter of requests, for a single connection, with the trust that it is given."""

    def __init__(self, tls: ssl.SSLContext | None) -> None:
        self._tls = tls
        super().__init__(pool_connections=1, pool_maxsize=1)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, ssl_context=self._tls, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(
            proxy, ssl_context=self._tls, proxy_ssl_context=self._tls, **kwargs
        )
        manager.pool_classes_by_scheme = _POOLS
        return manager

    def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
        """Leave the pool as it is: requests would add its default authorities to those of the context."""


class _ThisThread(threading.local):
    """The channel that this thread works for. urllib3 makes the connections: it has no place to pass one."""

    channel: Channel


_this_thread: Final = _ThisThread()


class _Answer(HTTPResponse):
    """An answer as it comes off the wire."""

    def _safe_read(self, amt: int) -> bytes:
        """Refuse a chunk of negative size: neither library does, and -1 means all there is."""
        if amt < 0:
            raise HTTPException("a chunk of negative size")
        data: bytes = super()._safe_read(amt)  # type: ignore[misc] # urllib3 calls it as well
        return data


class _Connection(HTTPConnection):
    """A connection that tells its channel what it is about to wait for."""

    response_class = _Answer

    def _new_conn(self) -> socket.socket:
        _this_thread.channel.connecting()
        sock = super()._new_conn()
        _this_thread.channel.waiting_on(sock)
        return sock

    def getresponse(self) -> Any:
        _this_thread.channel.waiting_on(self.sock)
        return super().getresponse()


class _TlsConnection(_Connection, HTTPSConnection):
    """Likewise, with TLS."""


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


_POOLS: Final = {"http": _Pool, "https": _TlsPool}
