"""Names of hives, how config.toml says that they are reached, and what each role may ask."""

from __future__ import annotations

import pytest

from overmind_core.domain.hives import (
    GATE_COMMAND,
    OPERATOR,
    OWNER,
    SSH_OPTIONS,
    VIEWER,
    gate_of,
    name_fault,
    names_in,
    refusal,
)
from overmind_core.domain.operation import Danger
from overmind_core.domain.operations import OPERATIONS

CHANGES_AND_MORE = [name for name, one in OPERATIONS.items() if one.request and one.danger is not Danger.NONE]


@pytest.mark.parametrize("name", ["a", "eu1", "my-box", "x" * 32, "alla", "locals", "a-"])
def test_a_name_is_taken(name):
    assert name_fault(name) == ""


@pytest.mark.parametrize(
    ("name", "why"),
    [
        *((name, "means something else") for name in ("all", "local", "swarm")),
        *((name, "begins with a letter") for name in ("", "1a", "-a", "A", "aB", "a_b", "a.b", "a/b", "a,b", "a b")),
        *((name, "at most 32 characters") for name in ("x" * 33, "a\n", "a\0", "é", "\uff41", "a\x1b[31m")),
    ],
)
def test_a_name_is_refused_with_why(name, why):
    assert why in name_fault(name)


@pytest.mark.parametrize(
    ("entry", "argv"),
    [
        ({"ssh": "eu1"}, ["ssh", *SSH_OPTIONS, "--", "eu1", *GATE_COMMAND]),
        ({"ssh": "ada@eu1.example.com"}, ["ssh", *SSH_OPTIONS, "--", "ada@eu1.example.com", *GATE_COMMAND]),
        (
            {"gate": ["docker", "exec", "-i", "x", "overmind", "gate"]},
            ["docker", "exec", "-i", "x", "overmind", "gate"],
        ),
        ({"gate": ["-x"]}, ["-x"]),
    ],
)
def test_a_hive_is_reached_by(entry, argv):
    assert gate_of("eu1", entry) == argv


@pytest.mark.parametrize(
    "entry",
    [
        None, 3, "eu1", [], {}, {"ssh": "a", "gate": ["b"]}, {"port": 22}, {"ssh": "a", "port": 22},
        {"ssh": ""}, {"ssh": 3}, {"ssh": ["a"]}, {"ssh": "-oProxyCommand=id"}, {"ssh": "a\n"}, {"ssh": "a\0b"},
        {"ssh": "a\x1b[2J"}, {"gate": "overmind gate"}, {"gate": []}, {"gate": [""]}, {"gate": ["a", 3]},
    ],
)  # fmt: skip
def test_a_hive_that_makes_no_sense_is_named_by_its_key(entry):
    with pytest.raises(ValueError, match=r"^hives\.eu1"):
        gate_of("eu1", entry)


def test_nobody_is_ever_asked_and_a_silent_link_ends():
    assert {"BatchMode=yes", "ClearAllForwardings=yes", "ServerAliveInterval=1"} <= set(SSH_OPTIONS)
    assert gate_of("eu1", {"ssh": "eu1"}).index("--") < gate_of("eu1", {"ssh": "eu1"}).index("eu1")


@pytest.mark.parametrize(
    ("words", "names"),
    [(["a"], ["a"]), (["a,b", "c"], ["a", "b", "c"]), (["a, b", "a"], ["a", "b"]), (["all"], ["all"]), ([], [])],
)
def test_names_behind_the_option(words, names):
    assert names_in(words) == names


@pytest.mark.parametrize("words", [[""], ["a,"], [",a"], ["a,,b"], ["a", " "]])
def test_an_empty_name_behind_the_option_is_refused(words):
    with pytest.raises(ValueError, match="needs a hive"):
        names_in(words)


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_owner_may_ask_everything(name):
    assert refusal(OPERATIONS[name], {}, OWNER) == ""


@pytest.mark.parametrize("name", CHANGES_AND_MORE)
def test_a_viewer_changes_nothing(name):
    operation = OPERATIONS[name]
    words = refusal(operation, {}, VIEWER)
    assert name in words
    assert words.startswith(f"A gate for viewers takes no {name}: ")


@pytest.mark.parametrize("name", ["ps", "logs", "events", "inbox", "top", "cost", "status", "queue", "quests", "info"])
def test_a_viewer_looks(name):
    assert refusal(OPERATIONS[name], {}, VIEWER) == ""


@pytest.mark.parametrize(
    ("name", "arguments"),
    [("info", {"reveal": True}), ("environment", {}), ("info", {"reveal": 1}), ("info", {"reveal": "no"})],
)
def test_a_viewer_sees_no_secret(name, arguments):
    assert "secrets" in refusal(OPERATIONS[name], arguments, VIEWER)


@pytest.mark.parametrize("name", ["run", "stop", "kill", "send", "answer", "attach", "quest_add", "restart"])
def test_an_operator_works(name):
    assert refusal(OPERATIONS[name], {}, OPERATOR) == ""


@pytest.mark.parametrize("role", [VIEWER, OPERATOR])
@pytest.mark.parametrize("name", ["shutdown", "trust", "web_link", "web_token", "prune", "memory_connect"])
def test_only_an_owner_lets_others_in_or_removes_what_all_have_made(name, role):
    assert "owner" in refusal(OPERATIONS[name], {}, role)


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("arguments", [{"id": None}, {"ids": [[]]}, {"reveal": []}, {1: {}}, {"cwd": "\udcff"}])
def test_arguments_of_any_kind_are_judged(name, arguments):
    assert isinstance(refusal(OPERATIONS[name], arguments, VIEWER), str)


def test_an_argument_that_makes_a_change_of_a_reading_makes_it_one_for_a_viewer():
    acting = [(one, name) for one in OPERATIONS.values() if one.danger is Danger.NONE for name in one.acts_with]
    assert acting
    for operation, argument in acting:
        assert refusal(operation, {argument: True}, VIEWER), (operation.name, argument)
