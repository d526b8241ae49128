"""Connecting to a name with several addresses: one that leads nowhere does not cost the time of the others.

As RFC 8305 ("happy eyeballs") has it, and curl does: the families take turns, and the next address is tried
as soon as the one before has failed, or has been silent for a quarter of a second. The first connection that
stands is taken. urllib3 tries one address after the other, each for the whole time-out (axios#4535).
"""

from __future__ import annotations

import errno
import os
import selectors
import socket
import time
from itertools import chain, zip_longest
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_HEAD_START: Final = 0.25  # seconds, by RFC 8305, section 5

_UNDER_WAY: Final = (0, errno.EINPROGRESS, errno.EWOULDBLOCK, getattr(errno, "WSAEWOULDBLOCK", 0))

Address = tuple[int, Any]  # the family, and what `connect` takes


def look_up(host: str, port: int) -> list[Address]:
    """Return the addresses of a name, the families in turn. Raises socket.gaierror."""
    families: dict[int, list[Address]] = {}
    for family, _, _, _, place in socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM):
        families.setdefault(family, []).append((family, place))
    return [each for each in chain.from_iterable(zip_longest(*families.values())) if each is not None]


def connect(
    addresses: Sequence[Address],
    seconds: float,
    made: Callable[[socket.socket], None] = lambda _: None,
) -> socket.socket:
    """Connect to the first of these addresses that answers, within some seconds.

    `made` is called with the socket that is connected, and before that with each that is being. Raises
    OSError, that of the address that failed first.
    """
    end = time.monotonic() + seconds
    waiting, errors = list(addresses), list[OSError]()
    with selectors.DefaultSelector() as racing:
        try:
            while waiting or racing.get_map():
                if waiting:
                    _start(waiting.pop(0), racing, errors, made)
                left = end - time.monotonic()
                if left <= 0:
                    break
                if winner := _first(racing, min(left, _HEAD_START) if waiting else left, errors):
                    made(winner)
                    return winner
        finally:
            for key in list(racing.get_map().values()):
                key.data.close()
    raise errors[0] if errors else TimeoutError(errno.ETIMEDOUT, "no address answers")


def _start(
    address: Address,
    racing: selectors.BaseSelector,
    errors: list[OSError],
    made: Callable[[socket.socket], None],
) -> None:
    """Begin to connect to an address."""
    family, place = address
    sock = None
    try:
        sock = socket.socket(family, socket.SOCK_STREAM)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        made(sock)
        sock.settimeout(0)
        code = sock.connect_ex(place)
    except OSError as error:
        if sock:
            sock.close()
        errors.append(error)
        return
    if code not in _UNDER_WAY:
        sock.close()
        errors.append(OSError(code, os.strerror(code)))
        return
    racing.register(sock, selectors.EVENT_WRITE, sock)


def _first(racing: selectors.BaseSelector, pause: float, errors: list[OSError]) -> socket.socket | None:
    """Return the first socket that is connected within the pause; one that fails ends the pause."""
    for key, _ in racing.select(pause) if racing.get_map() else ():
        sock: socket.socket = key.data
        racing.unregister(sock)
        code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if not code:
            return sock
        sock.close()
        errors.append(OSError(code, os.strerror(code)))
    return None
