"""What sessions ask, with the real program: a person or a rule answers, once, also after the supervisor's death."""

from __future__ import annotations

import json
import os
import re

import pytest

from tests.kit.killing import kill_supervisor

pytestmark = [pytest.mark.claude, pytest.mark.linux]

TOUCH = "!bash touch made"
MANUAL = ("--permission-mode", "manual")
QUESTION = {
    "question": "Which color?",
    "header": "Color",
    "multiSelect": False,
    "options": [{"label": "Red", "description": "warm"}, {"label": "Blue", "description": "cold"}],
}
CHOICE = f"!tool AskUserQuestion {json.dumps({'questions': [QUESTION]})}"


def ask(agents, text=TOUCH, *options):
    """A session that asks; its id, its question, its message."""
    mission = agents.session(*(options or MANUAL))
    message = agents.post(mission, text)
    (asked,) = agents.asked(mission)
    return mission, asked, message


def made(agents, name="made"):
    return os.path.exists(os.path.join(agents.work, name))


def by(agents, mission):
    return [(one["by"], one["behaviour"]) for one in agents.events(mission, "answered")]


ANSWERS = [
    pytest.param(("allow",), "tool said: (Bash completed with no output)", True, id="yes"),
    pytest.param(("deny", "--message", "use make"), "tool said: error: use make", False, id="no, and why"),
]


@pytest.mark.proves("questions")
@pytest.mark.parametrize(("words", "said", "done"), ANSWERS)
def test_a_permission(agents, words, said, done):
    mission, asked, message = ask(agents)
    assert {key: asked[key] for key in ("id", "need", "tool", "summary", "rule", "attach_only")} == {
        "id": mission, "need": "permission", "tool": "Bash", "summary": "Bash: touch made",
        "rule": "Bash(touch made)", "attach_only": False,
    }  # fmt: skip
    info = agents.om.info(mission)
    assert (info["activity"], info["need"], info["now"]) == ("waiting", "permission", "Bash: touch made")
    assert not made(agents)
    agents.om.ok("answer", str(asked["question"]), *words)
    assert agents.answer(message)["text"] == said
    assert made(agents) is done
    assert by(agents, mission) == [("a person", words[0])]
    refusal = agents.om.refused("answer", str(asked["question"]), "deny", code="not_found")
    assert re.search(r"already answered by a person \d+s ago\.\n$", refusal)


@pytest.mark.proves("rules")
def test_always_answers_the_same_from_now_on_and_nothing_else(agents):
    mission, asked, message = ask(agents, TOUCH, *MANUAL, "--restart", "always", "--backoff", "1ms")
    agents.om.ok("answer", str(asked["question"]), "always")
    agents.answer(message)
    agents.say(mission, TOUCH)
    agents.kill(mission)
    agents.say(mission, TOUCH)
    agents.post(mission, "!bash touch other")
    (other,) = agents.asked(mission)
    assert other["summary"] == "Bash: touch other"
    assert {one for one, _ in by(agents, mission)} == {"a person", "rule Bash(touch made)"}


RULES = [
    pytest.param(("--allow", "Bash(touch:*)"), "allow", "Bash(touch:*)", id="allowed"),
    pytest.param(("--allow", "Bash", "--deny", "Bash(touch:*)"), "deny", "Bash(touch:*)", id="a denial wins"),
]


@pytest.mark.parametrize(("options", "behaviour", "rule"), RULES)
def test_a_rule_answers_by_itself(agents, options, behaviour, rule):
    mission = agents.session(*MANUAL, *options)
    said = agents.say(mission, TOUCH)
    assert made(agents) is (behaviour == "allow")
    assert ("denies it" in said) is (behaviour == "deny")
    assert by(agents, mission) == [(f"rule {rule}", behaviour)]
    agents.post(mission, "!bash mkdir x; touch made")
    (asked,) = agents.asked(mission) if behaviour == "allow" else ({"tool": "Bash"},)
    assert asked["tool"] == "Bash"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("allow", "--option", "Blue"), '"Which color?"="Blue"'),
        (("allow", "--message", "neither, green"), "neither, green"),
        (("deny", "--message", "ask later"), "error: ask later"),
    ],
    ids=["an option", "own words", "no"],
)
def test_a_choice(agents, words, said):
    mission, asked, message = ask(agents, CHOICE)
    assert (asked["need"], asked["options"]) == ("question", ["Red", "Blue"])
    agents.om.refused("answer", mission, "allow", code="invalid")
    agents.om.ok("answer", mission, *words)
    assert said in agents.answer(message)["text"]


@pytest.mark.parametrize(("behaviour", "said"), [("allow", "User has approved"), ("deny", "shorter, please")])
def test_a_plan(agents, behaviour, said):
    mission, asked, message = ask(agents, "!tool ExitPlanMode {}", "--permission-mode", "plan")
    assert asked["need"] == "plan"
    agents.om.ok("answer", mission, behaviour, "--message", "shorter, please")
    assert said in agents.answer(message)["text"]


@pytest.mark.parametrize("text", [TOUCH, CHOICE], ids=["permission", "choice"])
def test_an_open_question_outlives_the_supervisor(agents, text):
    mission, asked, message = ask(agents, text)
    pid = agents.om.pid(mission)
    kill_supervisor(agents.om)
    assert agents.asked(mission) == [asked]
    agents.om.ok("answer", str(asked["question"]), "allow", *(("--option", "Red") if text == CHOICE else ()))
    assert agents.answer(message)["state"] == "answered"
    assert made(agents) is (text == TOUCH)
    assert agents.om.pid(mission) == pid
    assert [one["why"] for one in agents.events(mission, "notification")] == ["blocked"]


def test_an_agent_killed_while_it_asks_asks_again(agents):
    mission, asked, message = ask(agents, TOUCH, *MANUAL, "--restart", "always", "--backoff", "1ms")
    agents.kill(mission)
    agents.again(mission)
    (again,) = agents.asked(mission)
    assert again["question"] > asked["question"]
    agents.om.refused("answer", str(asked["question"]), "allow", code="not_found")
    agents.om.ok("answer", mission, "allow")
    assert agents.answer(message)["state"] == "answered"
    assert made(agents)
