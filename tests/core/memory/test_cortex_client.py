"""The address of a Cortex, and what somebody gives instead of one."""

from __future__ import annotations

import pytest

from overmind_core.errors import OvermindError
from overmind_core.memory.cortex_client import CortexClient, check_url
from tests.kit.cases import tabled

ADDRESSES = [
    ("https://Cortex.Example.org", "https://cortex.example.org"),
    ("https://cortex.example.org:7337/team/", "https://cortex.example.org:7337/team"),
    ("http://127.0.0.1:1", "http://127.0.0.1:1"),
    ("https://[::1]:2", "https://[::1]:2"),
    ("https://b\u00fccher.example", "https://b\u00fccher.example"),
]
NONE = [
    "", "x", "https://", "ftp://x", "https://x?a=b", "https://x#a", "https://[::1", "https://x:99999", "https://x:a",
    f"https://{'a' * 300}", "https://a..b", "https://u:p@x", "https://u@x", "http://cortex.example.org",
]  # fmt: skip


@pytest.mark.parametrize(("url", "kept"), ADDRESSES)
def test_an_address_is_kept_in_one_form(url, kept):
    assert check_url(url) == kept


@tabled("url", NONE)
def test_what_is_no_address_or_would_show_a_secret_is_invalid(url):
    with pytest.raises(OvermindError) as refused:
        check_url(url)
    assert refused.value.code == "invalid"


@pytest.mark.parametrize("ca", ["burn", "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n"])
def test_what_holds_no_certificate_is_invalid(ca):
    with pytest.raises(OvermindError) as refused:
        CortexClient("https://127.0.0.1:1", "token", ca=ca).hello()
    assert refused.value.code == "invalid"
