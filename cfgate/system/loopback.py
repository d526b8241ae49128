"""Which hosts are this very machine: to them plain HTTP is allowed, and no proxy is asked."""

from __future__ import annotations

import ipaddress


def is_loopback(host: str) -> bool:
    """Whether a host is this machine by its very name: localhost, 127.0.0.0/8 or ::1, written in full.

    An IPv4 address inside an IPv6 one (`::ffff:127.0.0.1`) counts as that, whatever the Python says of it.
    """
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost"
    inner = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (inner or address).is_loopback
