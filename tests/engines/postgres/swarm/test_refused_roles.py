"""What a login may not do is said in words: what it is, and which role may."""

from __future__ import annotations

import pytest

from overmind_core.errors import OvermindError
from overmind_core.swarm import connection


@pytest.mark.parametrize(
    ("role", "asks", "deed", "needed"),
    [
        ("viewer", lambda swarm: swarm.cancel("x"), "cancel posts", "an operator"),
        ("worker", lambda swarm: swarm.put_secret("T", "eu1", b"x"), "set secrets", "an operator"),
        ("operator", lambda swarm: swarm.remove_hive("eu1"), "remove hives", "an owner"),
        ("viewer", lambda swarm: swarm.claims_of("x"), "take part in the swarm's work", "a worker"),
    ],
)
def test_a_refusal_names_what_is_not_allowed_and_the_role_that_is_needed(swarm, role, asks, deed, needed):
    member = swarm.member("somebody", role)
    with pytest.raises(OvermindError) as refused:
        asks(member)
    assert refused.value.code == "forbidden"
    role = needed.split()[1]
    assert refused.value.message == (
        f"This login may not {deed}: that takes the role {role}. An owner can make it {needed}: overmind swarm invite"
        f" NAME --role {role}"
    )


def test_each_function_that_takes_a_role_has_words_of_its_own(swarm):
    granted = {
        name: role.removeprefix("overmind_")
        for name, role in swarm.sql(
            "select p.proname, a.grantee::regrole::text from pg_proc p, aclexplode(p.proacl) a"
            " where p.pronamespace = 'overmind'::regnamespace and a.grantee::regrole::text like 'overmind_%'"
        )
    }
    above = {name: role for name, role in granted.items() if role in {"operator", "owner"}}
    assert above
    for name, role in above.items():
        assert connection._DEEDS[name][1] == role, name
