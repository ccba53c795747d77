"""Addresses as people write them."""

from __future__ import annotations

import pytest

from overmind_core.domain.text.address import Address, parse_address
from tests.kit.cases import tabled

WRITTEN = [
    ("5432", Address("localhost", 5432), "localhost:5432"),
    (":80", Address("localhost", 80), "localhost:80"),
    ("db.internal:1", Address("db.internal", 1), "db.internal:1"),
    ("127.0.0.1:65535", Address("127.0.0.1", 65535), "127.0.0.1:65535"),
    ("[::1]:8080", Address("::1", 8080), "[::1]:8080"),
    ("[fe80::1%eth0]:22", Address("fe80::1%eth0", 22), "[fe80::1%eth0]:22"),
]


@tabled(("text", "address", "shown"), WRITTEN)
def test_an_address_is_a_port_and_perhaps_a_host(text, address, shown):
    assert parse_address(text) == address
    assert str(address) == shown


@tabled("text", ["", "db", "db:", "::1:80", "[::1]", "a b:80", "0", "65536", "123456", "http://x:80", "٣"])
def test_what_is_no_address_is_refused(text):
    with pytest.raises(ValueError, match=r"is not an? (address|port)"):
        parse_address(text)
