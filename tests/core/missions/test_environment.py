"""The environment of a mission's processes."""

from __future__ import annotations

from overmind_core.domain.missions.environment import renewed_variables
from overmind_core.missions.environment import Identity, compose
from tests.kit.cases import tabled

IDENTITY = Identity("a1b2c3d4", "api", "/home/me/.overmind", None, "/src")
OURS = [
    # variable, whether it is kept when it was chosen for the mission, and when it was inherited
    ("PLAIN", True, True),
    ("OVERMIND_CLAUDE_BIN", True, True),
    ("OVERMIND_CODEX_BIN", True, True),
    ("OVERMIND_OUTPUT_DIR", True, False),
    ("OVERMIND_REF_1", True, False),
    ("OVERMIND_IN", True, False),
    ("OVERMIND_QUEST", True, False),
    ("OVERMIND_ATTEMPT", True, False),
    ("OVERMIND_SPEC", True, False),
    ("OVERMIND_PHASE", True, False),
    ("OVERMIND_TASK", True, False),
    ("OVERMIND_TASKS", False, False),
    ("OVERMIND_PARENT_ID", False, False),
    ("OVERMIND_HOOK_TOKEN", False, False),
    ("OVERMIND_NOTES", False, False),
]


def composed(inherited, chosen):
    return compose(inherited, chosen, IDENTITY, tty=False, unattended=False, tools=None)


@tabled(("name", "chosen", "inherited"), OURS)
def test_of_our_own_variables_those_of_plans_and_of_attempts_are_kept_where_they_are_given(name, chosen, inherited):
    assert (name in composed({}, {name: "x"})) is chosen
    assert (name in composed({name: "x"}, {})) is inherited


RENEWED = [
    # inherited, the session of who restarts, what the next run inherits
    ({"SSH_AUTH_SOCK": "/old", "A": "1"}, {"SSH_AUTH_SOCK": "/new"}, {"SSH_AUTH_SOCK": "/new", "A": "1"}),
    ({"A": "1"}, {"DISPLAY": ":1", "KRB5CCNAME": "k"}, {"A": "1", "DISPLAY": ":1", "KRB5CCNAME": "k"}),
    ({"SSH_AUTH_SOCK": "/old", "A": "1"}, {"WAYLAND_DISPLAY": ""}, {"SSH_AUTH_SOCK": "/old", "A": "1"}),
    ({"A": "1"}, {"A": "2", "PATH": "/evil", "LD_PRELOAD": "x"}, {"A": "1"}),
    ({"PATH": "/bin", "LC_ALL": "C"}, {"DISPLAY": ":1"}, {"PATH": "/bin", "LC_ALL": "C"}),
    ({}, {"DISPLAY": ":1"}, {}),
]


@tabled(("inherited", "session", "renewed"), RENEWED)
def test_a_restart_brings_what_serves_the_session_of_who_asks(inherited, session, renewed):
    assert renewed_variables(inherited, session) == renewed
