"""Which hosts are this machine: one answer, whatever the Python."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfgate.system.loopback import is_loopback


@pytest.mark.parametrize(
    ("host", "this_machine"),
    [
        ("localhost", True),
        ("127.0.0.1", True),
        ("127.8.9.10", True),
        ("::1", True),
        ("0:0:0:0:0:0:0:1", True),
        ("::ffff:127.0.0.1", True),
        ("::ffff:7f00:1", True),
        ("::ffff:10.0.0.1", False),
        ("::127.0.0.1", False),
        ("::", False),
        ("10.0.0.1", False),
        ("127.1", False),
        ("localhost.", False),
        ("localhost.example.com", False),
        ("127.0.0.1.example.com", False),
        ("", False),
    ],
)
def test_only_a_name_of_this_machine_is_one(host: str, this_machine: bool) -> None:
    """Names are compared as they stand, addresses by what they are; nothing is resolved."""
    assert is_loopback(host) is this_machine


@given(st.ip_addresses(v=4))
def test_an_address_inside_another_counts_as_itself(address: ipaddress.IPv4Address) -> None:
    """An IPv4 address is this machine or not, however it is written; some Pythons see it in one form only."""
    assert is_loopback(f"::ffff:{address}") is is_loopback(str(address)) is (address.packed[0] == 127)
