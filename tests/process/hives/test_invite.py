"""`overmind hive invite`: the line for authorized_keys, and what a mission may not do with hives."""

from __future__ import annotations

import pytest

from overmind_core.cli.hives.invitation import public_key
from tests.hives.test_invite import KEY
from tests.house.test_docs import read


def test_the_line_gives_a_gate_and_nothing_else(om):
    done = om("hive", "invite", "alice", "--role", "operator", "--key", KEY, env={"OVERMIND_HOME": ""})
    assert done.stdout == f'restrict,command="overmind gate --as alice --role operator" {KEY}\n'
    assert done.stderr.startswith("Add this line to ~/.ssh/authorized_keys of this account. alice can then look, run,")
    assert done.stderr + done.stdout in read("docs/hives.md")


def test_nobody_is_more_than_a_viewer_unless_it_is_said_and_another_home_is_named(om):
    line = om.json("hive", "invite", "bob", "--json")["line"]
    assert line == f'restrict,command="overmind --home {om.home} gate --as bob --role viewer" <the public key of bob>'


@pytest.mark.parametrize("who", ['al"ice', "al ice", "", "Alice", "a\nb", "x" * 40, "-x", "../a"])
def test_a_name_that_could_be_more_than_a_name_is_refused(om, who):
    code, status = ("invalid", 2) if who == "-x" else ("invalid", 1)
    om.refused("hive", "invite", who, code=code, exit_code=status)


@pytest.mark.parametrize("key", ["", "AAAA", 'command="sh" ' + KEY, KEY + "\nssh-rsa AAAA", "ssh-rsa A\0", "ssh-rsa"])
def test_a_key_that_could_be_more_than_a_key_is_refused(om, key):
    with pytest.raises(ValueError, match="public key"):
        public_key(key)


WORDS = [
    ["ps", "-H", "eu1"], ["-H", "all", "ps"], ["logs", "eu1/x"], ["hive", "list"], ["hive", "info", "eu1"],
    ["hive", "add", "eu2", "--gate", "false"], ["hive", "rm", "eu1"], ["hive", "drain", "eu1"], ["hive", "invite", "a"],
]  # fmt: skip


@pytest.mark.parametrize("words", WORDS)
def test_a_mission_reaches_no_other_machine(hives, words):
    hives.add("eu1")
    done = hives.om(*words, env={"OVERMIND_MISSION_ID": "12345678"})
    assert done.stderr == ("Error: forbidden: A process inside a mission (12345678) may not reach other machines.\n")
