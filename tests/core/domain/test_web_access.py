"""Names, browsers and addresses of the web, in tables."""

from __future__ import annotations

import pytest

from overmind_core.domain.web_access import browser_of, digest_of, encode_secret, free_name, is_name, link_address
from overmind_core.domain.web_address import is_host, is_loopback, is_public_url
from tests.kit.cases import tabled

NAMES = [
    ("phone", True), ("a", True), ("7", True), ("browser-2", True), ("a" * 32, True), ("a-", True),
    ("", False), ("a" * 33, False), ("-a", False), ("Phone", False), ("a b", False), ("a_b", False), ("ä", False),
    ("a\n", False), ("a\0", False), ("../a", False), ("web:a", False), ("\u0661", False),
]  # fmt: skip


@tabled(("text", "is_one"), NAMES)
def test_a_name_is_of_small_letters_digits_and_hyphens(text, is_one):
    assert is_name(text) is is_one


@pytest.mark.parametrize("wanted", [None, "phone", "p" * 32])
def test_a_free_name_is_a_name_and_is_free_however_many_are_taken(wanted):
    taken: set[str] = set()
    for _ in range(200):
        found = free_name(wanted, taken)
        assert is_name(found)
        assert found not in taken
        taken.add(found)


BROWSERS = [
    ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux"),
    ("Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Mobile Safari/537.36",
     "Chrome on Android"),
    (("Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5"
     " Mobile/15E148 Safari/604.1"), "Safari on iPhone"),
    (("Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/138.0"
     " Mobile/15E148 Safari/604.1"), "Chrome on iPhone"),
    (("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5"
     " Safari/605.1.15"), "Safari on macOS"),
    (("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36"
     " Edg/138.0.0.0"), "Edge on Windows"),
    ("curl/8.5.0", "curl"),
    ("my\x1b[2Jscript\u202e", "my\\x1b[2Jscript\\u202e"),
    ("", ""),
]  # fmt: skip


@tabled(("user_agent", "shown"), BROWSERS)
def test_a_browser_is_shown_by_its_name(user_agent, shown):
    assert browser_of(user_agent) == shown


def test_an_endless_user_agent_is_cut():
    assert len(browser_of("x" * 100_000)) <= 60


def test_a_secret_needs_no_quoting_and_is_as_long_as_its_bytes_deserve():
    secrets = {encode_secret(bytes([number]) * 32) for number in range(256)}
    assert {len(secret) for secret in secrets} == {43}
    assert len({digest_of(secret) for secret in secrets}) == 256
    assert all(secret.replace("-", "").replace("_", "").isalnum() for secret in secrets)


@pytest.mark.parametrize("address", ["https://box.example/om", "https://box.example/om/"])
def test_the_secret_of_a_link_stands_where_no_browser_sends_it(address):
    assert link_address(address, "abc") == "https://box.example/om/#link=abc"


HOSTS = [
    ("127.0.0.1", True, True), ("127.9.9.9", True, True), ("::1", True, True), ("localhost", True, True),
    ("LOCALHOST.", True, True), ("0.0.0.0", True, False), ("::", True, False), ("192.168.1.7", True, False),
    ("box.example", True, False), ("localhost.example", True, False), ("127.0.0.1.example", True, False),
    ("", False, False), ("a b", False, False), ("a:7600", False, False), ("[::1]", False, False),
    ("fe80::1%eth0", False, False), ("-a", False, False), ("a" * 254, False, False), ("a\n", False, False),
    ("ä.example", False, False), ("1::2::3", False, False), ("127.0.0.1:7600", False, False), ("/x", False, False),
]  # fmt: skip


@tabled(("host", "is_one", "loopback"), HOSTS)
def test_a_host_is_one_to_listen_on_and_known_to_be_this_machine_s_alone(host, is_one, loopback):
    assert (is_host(host), is_loopback(host)) == (is_one, loopback)


URLS = [
    ("https://box.example", True), ("http://box.example:8080", True), ("https://box.example/om/", True),
    ("https://[::1]:8443/a/b-c_d.e~f", True), ("https://10.0.0.1", True),
    ("", False), ("box.example", False), ("ftp://box.example", False), ("https://", False), ("https:///om", False),
    ("https://me@box.example", False), ("https://me:pw@box.example", False), ("https://box.example?x", False),
    ("https://box.example/#x", False), ("https://box.example/a/../b", False), ("https://box.example/./b", False),
    ("https://box.example//b", False), ("https://box.example:0", False), ("https://box.example:65536", False),
    ("https://box.example/%2e", False), ("https://box.example/a b", False), ("https://box.example/\n", False),
    ("https://[1::2::3]", False), ("https://box.example\\@evil", False), ("javascript:alert(1)", False),
]  # fmt: skip


@tabled(("url", "is_one"), URLS)
def test_a_public_address_is_scheme_host_port_and_path_and_nothing_else(url, is_one):
    assert is_public_url(url) is is_one
