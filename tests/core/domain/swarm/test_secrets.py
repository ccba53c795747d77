"""What may be a secret, and what stands in a sealed copy."""

from __future__ import annotations

import pytest

from overmind_core.domain.swarm.secrets import (
    LARGEST,
    SecretError,
    check_secret,
    fingerprint,
    is_secret_name,
    packed,
    unpacked,
)


@pytest.mark.parametrize(
    ("name", "fits"),
    [("NPM_TOKEN", True), ("_x", True), ("a1", True), ("A" * 128, True), ("A" * 129, False), ("", False), ("1A", False),
     ("A B", False), ("A=B", False), ("A\n", False), ("OVERMIND_HOME", False), ("OVERMIND", True), ("Ä", False)],
)  # fmt: skip
def test_a_secret_is_called_as_a_variable_may_be(name, fits):
    assert is_secret_name(name) is fits


@pytest.mark.parametrize(
    ("value", "says"),
    [(b"", "is empty"), (b"sec\0ret", "NUL"), (b"secret" * LARGEST, f"more than {LARGEST} bytes")],
    ids=["empty", "with NUL", "too large"],
)
def test_what_no_program_can_be_given_is_refused_without_quoting_it(value, says):
    with pytest.raises(SecretError, match=says) as refused:
        check_secret("TOKEN", value)
    assert "sec" not in str(refused.value)


@pytest.mark.parametrize("value", [b"x", b"=", b"a=b\nc", bytes(range(1, 256))])
def test_a_copy_is_of_its_own_name_alone(value):
    check_secret("TOKEN", value)
    assert unpacked("TOKEN", packed("TOKEN", value)) == value
    with pytest.raises(SecretError, match="another name"):
        unpacked("TOKENS", packed("TOKEN", value))
    with pytest.raises(SecretError):
        unpacked("TOKEN", b"TOKEN")


def test_a_fingerprint_has_eight_groups_and_is_of_one_key():
    groups = fingerprint("ab" * 32).split()
    assert [len(group) for group in groups] == [4] * 8
    assert fingerprint("ab" * 32) != fingerprint("ab" * 31 + "ac")
