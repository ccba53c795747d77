"""The environment of a mission's processes."""

from __future__ import annotations

import pytest

from overmind_core.missions.environment import Identity, compose

IDENTITY = Identity("a1b2c3d4", "api", "/home/me/.overmind", None, "/src")
OURS = [
    # variable, whether it is kept when it was chosen for the mission, and when it was inherited
    ("PLAIN", True, True),
    ("OVERMIND_CLAUDE_BIN", True, True),
    ("OVERMIND_OUTPUT_DIR", True, False),
    ("OVERMIND_REF_1", True, False),
    ("OVERMIND_PARENT_ID", False, False),
    ("OVERMIND_HOOK_TOKEN", False, False),
]


def composed(inherited, chosen):
    return compose(inherited, chosen, IDENTITY, tty=False, unattended=False, tools=None)


@pytest.mark.parametrize(("name", "chosen", "inherited"), OURS)
def test_of_our_own_variables_a_plans_are_kept_where_the_plan_gives_them(name, chosen, inherited):
    assert (name in composed({}, {name: "x"})) is chosen
    assert (name in composed({name: "x"}, {})) is inherited
