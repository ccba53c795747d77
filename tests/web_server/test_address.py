"""Which hosts, origins and paths are the server's own."""

from __future__ import annotations

import pytest

from overmind_web.server import address as addresses
from tests.kit.cases import tabled


@tabled(
    ("address", "host", "ours"),
    [
        (addresses.listening("127.0.0.1", 7600, secure=False), "127.0.0.1:7600", True),
        (addresses.listening("127.0.0.1", 7600, secure=False), "LocalHost:7600", True),
        (addresses.listening("127.0.0.1", 7600, secure=False), "[::1]:7600", True),
        (addresses.listening("127.0.0.1", 7600, secure=False), "127.0.0.1", False),
        (addresses.listening("127.0.0.1", 80, secure=False), "127.0.0.1", True),
        (addresses.listening("127.0.0.1", 80, secure=False), "127.0.0.1:80", False),
        (addresses.listening("box.example", 7600, secure=True), "box.example:7600", True),
        (addresses.listening("box.example", 7600, secure=True), "localhost:7600", False),
        (addresses.listening("fe80::1", 7600, secure=True), "[fe80::1]:7600", True),
        (addresses.forwarded(), "localhost:7600", True),
        (addresses.forwarded(), "127.0.0.1:1", True),
        (addresses.forwarded(), "localhost", True),
        (addresses.forwarded(), "evil.example:7600", False),
        (addresses.forwarded(), "localhost:7600.evil.example", False),
        (addresses.forwarded(), "localhost:", False),
        (addresses.forwarded(), "localhost:076", False),
        (addresses.public("https://box.example/om"), "box.example", True),
        (addresses.public("https://box.example/om"), "box.example:443", False),
        (addresses.public("https://box.example:443"), "box.example", True),
        (addresses.public("https://box.example:8443"), "box.example:8443", True),
        (addresses.public("https://box.example"), "127.0.0.1:7600", False),
        (addresses.public("https://BOX.example"), "box.example", True),
    ],
)
def test_a_host_is_ours_when_it_is_exactly_one_of_ours(address, host, ours):
    assert address.is_host(host) is ours


@tabled(
    ("address", "host", "origin", "ours"),
    [
        (addresses.listening("127.0.0.1", 7600, secure=False), "127.0.0.1:7600", "http://127.0.0.1:7600", True),
        (addresses.listening("127.0.0.1", 7600, secure=False), "localhost:7600", "http://127.0.0.1:7600", False),
        (addresses.listening("127.0.0.1", 7600, secure=True), "127.0.0.1:7600", "http://127.0.0.1:7600", False),
        (addresses.forwarded(), "localhost:9000", "http://localhost:9000", True),
        (addresses.forwarded(), "localhost:9000", "http://localhost:9001", False),
        (addresses.forwarded(), "localhost:9000", "http://127.0.0.1:9000", False),
        (addresses.public("https://box.example/om"), "box.example", "https://box.example", True),
        (addresses.public("https://box.example/om"), "box.example", "https://box.example/om", False),
        (addresses.public("https://box.example/om"), "box.example", "http://box.example", False),
    ],
)
def test_an_origin_is_ours_when_it_is_that_of_the_page_at_this_host(address, host, origin, ours):
    assert address.is_host(host)
    assert address.is_origin(origin, host) is ours


@tabled(
    ("path", "inner"),
    [("/om/ws", "/ws"), ("/om/", "/"), ("/om", None), ("/ws", "/ws"), ("/", "/"), ("/omx", "/omx"), ("/om//", "//")],
)
def test_the_path_of_a_proxy_is_taken_away_where_the_proxy_has_not(path, inner):
    assert addresses.public("https://box.example/om/").inner_path(path) == inner


@tabled(
    "url",
    [
        "", "box.example", "ftp://box.example", "https://", "https://box.example/?a", "https://box.example/#a",
        "https://a@box.example", "https://box.example/../x", "https://box.example/ x", "https://box.example:0",
        "https://box.example:99999", "javascript:alert(1)", "https://box_example", "https://[::1", "https://-x",
    ],
)  # fmt: skip
def test_what_is_no_public_url_is_refused(url):
    with pytest.raises(ValueError, match="write an address"):
        addresses.public(url)


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_a_server_on_every_address_has_none_of_its_own(host):
    with pytest.raises(ValueError, match="--public-url"):
        addresses.listening(host, 7600, secure=True)


@pytest.mark.parametrize(
    ("address", "host", "port"),
    [
        (addresses.listening("127.0.0.1", 7600, secure=False), "127.0.0.1:7600", 7600),
        (addresses.forwarded(), "localhost:9000", 9000),
        (addresses.forwarded(), "localhost", 80),
        (addresses.public("https://box.example"), "box.example", 443),
        (addresses.listening("::1", 7600, secure=False), "[::1]:7600", 7600),
    ],
)
def test_the_port_names_the_cookie_as_cookies_go_to_every_port_of_a_host(address, host, port):
    assert address.port(host) == port
