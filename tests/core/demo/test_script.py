"""Which part of a script somebody plays, and what a script may hold."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from overmind_core.demo import script, script_player
from overmind_core.demo.script import InvalidScript, Role, parse, role, steps_for
from tests.kit.cases import tabled


def say(*texts: str) -> list[dict[str, str]]:
    return [{"say": text} for text in texts]


SECTIONS = {
    "quests": {"login/TSK-009": say("named")},
    "tasks": {"TSK-002.2": say("task 2, attempt 2"), "TSK-002": say("task 2"), "*.3": say("any task, attempt 3")},
    "phases": {"design": {"1": say("design, attempt 1")}, "*": say("any phase")},
    "review": say("review"),
    "*.5": say("attempt 5"),
    "*": say("anybody"),
}

CHOICES = [
    (Role(task="TSK-002"), "task 2"),
    (Role(task="TSK-002", attempt=2), "task 2, attempt 2"),
    (Role(task="TSK-002", attempt=3), "task 2"),
    (Role(task="TSK-003", attempt=3), "any task, attempt 3"),
    (Role(task="TSK-003"), "anybody"),
    (Role(task="TSK-003", attempt=5), "attempt 5"),
    (Role(phase="design"), "design, attempt 1"),
    (Role(phase="design", attempt=2), "any phase"),
    (Role(), "anybody"),
    (Role(mission="login/TSK-009", task="TSK-002"), "named"),
    (Role(quest="login/TSK-009", task="TSK-002"), "named"),
    (Role(mission="login/TSK-002/review", task="TSK-002"), "review"),
    (Role(mission="login/TSK-002/check", task="TSK-002"), "anybody"),
]


@tabled(("player", "said"), CHOICES)
def test_the_nearest_section_is_played(player, said):
    found = steps_for(parse(SECTIONS), player)
    assert found is not None
    assert [step.subject for step in found] == [said]


def test_a_script_may_have_nothing_for_somebody():
    assert steps_for(parse({"tasks.TSK-001": say("x")}), Role(task="TSK-002")) is None


def test_tables_in_tables_are_sections_as_dots_are():
    steps = say("x")
    written = ({"tasks": {"A": {"2": steps}}}, {"tasks": {"A.2": steps}}, {"tasks.A.2": steps})
    assert parse(written[0]) == parse(written[1]) == parse(written[2])


def test_a_list_is_for_anybody():
    assert steps_for(parse(say("x")), Role(phase="design", attempt=7)) == parse(say("x"))["*"]


@pytest.mark.parametrize(("value", "attempt"), [("2", 2), ("", 1), ("x", 1), ("-1", 1)])
def test_who_plays_is_in_the_environment(value, attempt):
    environment = {
        "OVERMIND_QUEST": "q", "OVERMIND_MISSION_NAME": "m", "OVERMIND_PHASE": "p", "OVERMIND_TASK": "t",
        "OVERMIND_ATTEMPT": value,
    }  # fmt: skip
    assert role(environment) == Role("q", "m", "p", "t", attempt)


def test_a_step_is_played_as_often_as_it_says():
    steps = parse([{"tool": "Edit", "error": "no", "times": 3}, {"say": "x", "times": 0}])["*"]
    assert [step.name for step in steps] == ["tool"] * 3
    assert "times" not in steps[0].options


def test_a_report_has_a_text_and_a_write_takes_one_too():
    steps = parse([{"report": "bug", "text": "t"}, {"write": "a", "text": "t"}])["*"]
    assert [(step.name, step.subject) for step in steps] == [("report", "bug"), ("write", "a")]


WRONG = [
    (7, "a script is"),
    ({"*": "x"}, "*: a section is a list"),
    ([7], "step 1: a step is a table"),
    ([{}], "not none"),
    ([{"sya": "x"}], "not sya"),
    ([{"say": "x"}, {"say": 1}], "step 2: say: 1 is not str"),
    ([{"exit": True}], "exit: True is not int"),
    ([{"say": "x", "touch": "y"}], "not say, touch"),
    ([{"say": "x", "cut": True}], "say knows no cut"),
    ([{"say": "x", "times": "2"}], "no number of times"),
]


@tabled(("document", "why"), WRONG)
def test_what_is_no_script_is_refused_with_its_place(document, why):
    with pytest.raises(InvalidScript, match=why.replace("*", r"\*")):
        parse(document)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from([*script.STEPS, "*", "times"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*script.STEPS, "*", "times"]), inner, max_size=3)
    ),
    max_leaves=12,
)


@given(JSON)
def test_any_document_is_a_script_or_is_refused(document):
    try:
        found = parse(document)
    except InvalidScript:
        return
    assert all(step.name in script.STEPS for steps in found.values() for step in steps)


def test_every_step_can_be_played():
    assert {*script_player.PLAY, script.LISTEN} == {*script.STEPS}


def test_a_file_that_a_step_takes_is_beside_the_script(tmp_path):
    (tmp_path / "s.json").write_text(json.dumps([{"write": "a", "from": "b"}]))
    step = script.load(str(tmp_path / "s.json"))["*"][0]
    assert step.options["from"] == str(tmp_path / "b")


def test_a_script_may_be_toml(tmp_path):
    (tmp_path / "s.toml").write_text('[[tasks.TSK-001]]\nsay = "one"\n[[tasks.TSK-001]]\nexit = 3\n')
    steps = script.part(str(tmp_path / "s.toml"), {"OVERMIND_TASK": "TSK-001"})
    assert [(step.name, step.subject) for step in steps] == [("say", "one"), ("exit", 3)]


@pytest.mark.parametrize("data", [b"[", b"\xff\xfe", b'{"a": 1}'])
def test_a_file_that_is_no_script_is_named(tmp_path, data):
    (tmp_path / "bad.json").write_bytes(data)
    with pytest.raises(InvalidScript, match=r"^bad\.json: "):
        script.load(str(tmp_path / "bad.json"))
