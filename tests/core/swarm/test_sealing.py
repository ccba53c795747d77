"""Sealed copies: the key that they are for opens them, and nothing else does."""

from __future__ import annotations

import pytest

from overmind_core.domain.swarm.secrets import SecretError
from overmind_core.swarm.sealing import new_private_key, open_sealed, public_key_of, seal


def test_a_copy_is_opened_by_its_key_under_its_name():
    private = new_private_key()
    copy = seal(public_key_of(private), "TOKEN", b"value\xff")
    assert b"value" not in copy
    assert open_sealed(private, "TOKEN", copy) == b"value\xff"
    assert seal(public_key_of(private), "TOKEN", b"value\xff") != copy


def test_another_key_another_name_and_a_damaged_copy_open_nothing():
    private = new_private_key()
    copy = seal(public_key_of(private), "TOKEN", b"value")
    with pytest.raises(SecretError, match="another key"):
        open_sealed(new_private_key(), "TOKEN", copy)
    with pytest.raises(SecretError, match="another name"):
        open_sealed(private, "OTHER", copy)
    for damaged in (copy[:-1], copy[:40], b"", copy[:-1] + bytes([copy[-1] ^ 1])):
        with pytest.raises(SecretError, match="another key"):
            open_sealed(private, "TOKEN", damaged)


@pytest.mark.parametrize("key", ["", "zz", "ab" * 31, "ab" * 33])
def test_a_text_that_can_be_no_key_is_refused(key):
    with pytest.raises(SecretError, match="not a public key"):
        seal(key, "TOKEN", b"value")
