"""`overmind hive invite`: the line for authorized_keys, and what a mission may not do with hives."""

from __future__ import annotations

import pytest

from overmind_core.cli.hives.invitation import authorized_line, public_key

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIG alice@laptop"


@pytest.mark.parametrize(
    ("home", "written"),
    [("/srv/a b", r"""--home '/srv/a b'"""), ('/q"', r"""--home '/q\"'"""), ("/b\\", r"""--home '/b\\'""")],
)
def test_a_home_with_odd_characters_stays_inside_of_the_quotes(home, written):
    assert authorized_line("a", "viewer", KEY, home) == (
        f'restrict,command="overmind {written} gate --as a --role viewer" {KEY}'
    )


@pytest.mark.parametrize("key", [KEY, "sk-ssh-ed25519@openssh.com AAAA", "ecdsa-sha2-nistp256 AAAA== x y"])
def test_a_key_is_taken(key):
    assert public_key(f"{key}\n") == key
