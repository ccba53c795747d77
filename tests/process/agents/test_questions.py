"""What agents ask: rules answer by themselves, the rest waits for a person, and each is answered once."""

from __future__ import annotations

import itertools
import json
import os
import shlex

import pytest

from tests.kit.killing import kill_supervisor
from tests.kit.overmind import PROGRAM
from tests.kit.waiting import eventually

pytestmark = pytest.mark.shared_home


def bash(command):
    return f"!ask Bash {json.dumps({'command': command})}"


def ask(agents, *options, command="touch made", **how):
    """A session that asks whether it may run a command; its id, the question, the message."""
    mission = agents.session(*options, **how)
    message = agents.post(mission, bash(command))
    (asked,) = agents.asked(mission)
    return mission, asked, message


def configure(agents, text):
    with open(agents.om.path("config.toml"), "w") as file:
        file.write(text)


def made(agents):
    return os.path.exists(agents.om.path("made"))


# --- a person answers ---------------------------------------------------------------------------------------------


def test_the_inbox_shows_the_command_and_how_to_answer(agents):
    mission, asked, _ = ask(agents, "--name", "asker")
    assert {key: asked[key] for key in ("id", "name", "need", "tool", "summary", "rule", "options", "attach_only")} == {
        "id": mission, "name": "asker", "need": "permission", "tool": "Bash", "summary": "Bash: touch made",
        "rule": "Bash(touch made)", "options": [], "attach_only": False,
    }  # fmt: skip
    assert asked["subject"]["command"] == "touch made"
    shown = agents.om.ok("inbox")
    assert shown.startswith(f"{asked['question']}  asker ({mission})  Bash permission")
    assert "$ touch made" in shown
    assert "always stores: Bash(touch made)" in shown
    info = agents.om.info(mission)
    assert (info["activity"], info["need"], info["now"]) == ("waiting", "permission", "Bash: touch made")
    assert not made(agents)


@pytest.mark.parametrize("behaviour", ["allow", "deny"])
@pytest.mark.parametrize("by", ["number", "mission"])
def test_an_answer_lets_it_go_on(agents, behaviour, by):
    mission, asked, message = ask(agents)
    which = str(asked["question"]) if by == "number" else mission
    told = ["--message", "not like that"] if behaviour == "deny" else []
    said = agents.om.ok("answer", which, behaviour, *told)
    assert said == f"Answered question {asked['question']} of mission {mission} ({asked['name']}): {behaviour}\n"
    text = agents.answer(message)["text"]
    assert made(agents) is (behaviour == "allow")
    assert text == ("tool said: error: not like that" if told else "tool said: (Bash completed with no output)")
    assert agents.om.json("inbox", "--json") == []
    (answered,) = agents.events(mission, "answered")
    assert (answered["question"], answered["by"], answered["behaviour"]) == (asked["question"], "a person", behaviour)


def test_words_beside_what_is_allowed_are_the_next_message_of_a_session(agents):
    mission, asked, _ = ask(agents)
    agents.om.ok("answer", str(asked["question"]), "allow", "-m", "then list it")
    assert agents.answer(agents.messages(mission)[-1])["text"] == "echo: then list it"
    assert made(agents)


@pytest.mark.own_home
def test_always_answers_the_same_question_from_now_on_and_no_other(agents):
    mission, asked, message = ask(agents, "--restart", "always", "--backoff", "1ms")
    agents.om.ok("answer", str(asked["question"]), "always")
    agents.answer(message)
    agents.say(mission, bash("touch made"))
    kill_supervisor(agents.om)
    agents.kill(mission)
    agents.again(mission)
    agents.say(mission, bash("touch made"))
    agents.post(mission, bash("touch other"))
    (other,) = agents.asked(mission)
    assert other["subject"]["command"] == "touch other"
    by = [one["by"] for one in agents.events(mission, "answered")]
    assert by == ["a person", "rule Bash(touch made)", "rule Bash(touch made)"]


def test_a_question_with_options(agents):
    mission = agents.session()
    message = agents.post(mission, "!question")
    (asked,) = agents.asked(mission)
    assert (asked["need"], asked["options"]) == ("question", ["Red", "Blue"])
    number = str(asked["question"])
    shown = agents.om.ok("inbox")
    assert "Which color?" in shown
    assert "Red" in shown
    for word in ("allow", "always"):
        refused = agents.om.refused("answer", number, word, code="invalid")
        ways = f"Answer it with the number of an option, 1 (Red), 2 (Blue), or a text: overmind answer {number} 1"
        assert ways in refused
    refused = agents.om.refused("answer", number, "allow", "--option", "Purple", code="invalid")
    assert "'Purple' is not one of its options: Red, Blue." in refused
    agents.om.ok("answer", number, "allow", "--option", "Blue")
    assert 'Which color?"="Blue"' in agents.answer(message)["text"]


def test_a_question_answered_in_ones_own_words(agents):
    mission = agents.session()
    message = agents.post(mission, "!question")
    agents.asked(mission)
    agents.om.ok("answer", mission, "allow", "--message", "neither, green")
    assert 'Which color?"="neither, green"' in agents.answer(message)["text"]


@pytest.mark.parametrize(("behaviour", "said"), [("allow", "User has approved"), ("deny", "shorter, please")])
def test_a_plan(agents, behaviour, said):
    mission = agents.session()
    message = agents.post(mission, "!plan 1. Look\n2. Leap")
    (asked,) = agents.asked(mission)
    assert asked["need"] == "plan"
    assert "2. Leap" in agents.om.ok("inbox")
    agents.om.ok("answer", mission, behaviour, "--message", "shorter, please")
    assert said in agents.answer(message)["text"]


TWO = {
    "questions": [
        {"question": "Which color?", "header": "Color", "options": [{"label": "Red"}, {"label": "Blue"}]},
        {"question": "Which size?", "header": "Size", "options": [{"label": "S"}, {"label": "L"}]},
    ]
}


def test_questions_with_several_parts_are_answered_whole_or_not_at_all(agents):
    mission = agents.session()
    message = agents.post(mission, f"!question {json.dumps(TWO)}")
    (asked,) = agents.asked(mission)
    assert asked["options"] == ["1:Red", "1:Blue", "2:S", "2:L"]
    assert [(one["heading"], one["options"]) for one in asked["choices"]] == [
        ("Color", ["Red", "Blue"]), ("Size", ["S", "L"]),
    ]  # fmt: skip
    said = agents.om.refused("answer", mission, "allow", "--option", "Red", code="invalid")
    assert "Question 2 of 2 (Which size?) has no answer." in said
    line = said.strip().rpartition("For example: overmind ")[2].split()
    assert line == ["answer", str(asked["question"]), "1", "1"]
    said = agents.om.refused("answer", mission, "allow", code="invalid")
    assert "Which color?: 1 (Red), 2 (Blue); Which size?: 1 (S), 2 (L)" in said
    assert said.strip().endswith(f": overmind answer {asked['question']} 1 1")
    assert agents.asked(mission) == [asked]
    agents.om.ok("answer", mission, "allow", "--option", "2:S", "--option", "Color=Blue")
    said = agents.answer(message)["text"]
    assert '"Which color?"="Blue"' in said
    assert '"Which size?"="S"' in said


def test_what_a_write_would_replace_is_shown(agents):
    mission = agents.session()
    path = agents.om.path("notes.txt")
    for before, shown in ((None, "(a new file)"), ("1\n2\n3\n4\n5\n", "- 5\n    + wiped")):
        if before is not None:
            with open(path, "w") as file:
                file.write(before)
        arguments = {"file_path": path, "content": "wiped\n"}
        agents.post(mission, f"!ask Write {json.dumps(arguments)}")
        (asked,) = agents.asked(mission)
        assert asked["replaces"]["text"] == before
        assert shown in agents.om.ok("inbox")
        agents.om.ok("answer", mission, "deny")
        agents.doing(mission, "idle")


def test_of_an_edit_the_inbox_says_in_which_line_it_begins(agents):
    mission = agents.session()
    path = agents.om.path("notes.txt")
    with open(path, "w") as file:
        file.write("one\ntwo\n")
    arguments = {"file_path": path, "old_string": "two", "new_string": "2"}
    agents.post(mission, f"!ask Edit {json.dumps(arguments)}")
    (asked,) = agents.asked(mission)
    assert asked["begins"] == [2]


def test_the_inbox_is_in_the_order_of_the_asking(agents):
    missions = [ask(agents)[0] for _ in range(3)]
    rows = agents.om.json("inbox", "--json")
    assert [row["id"] for row in rows] == missions
    assert [row["asked_at"] for row in rows] == sorted(row["asked_at"] for row in rows)
    agents.om.ok("answer", missions[0], "allow")
    assert [row["id"] for row in agents.om.json("inbox", "--json")] == missions[1:]


# --- once ---------------------------------------------------------------------------------------------------------


def test_who_answers_second_is_told_who_was_first(agents):
    mission, asked, message = ask(agents)
    agents.om.ok("answer", str(asked["question"]), "allow")
    sentence = agents.om.refused("answer", str(asked["question"]), "deny", code="not_found")
    assert sentence.startswith(f"Question {asked['question']} was already answered by a person ")
    assert sentence.endswith("s ago.\n")
    agents.answer(message)
    assert made(agents)
    assert "has no open question" in agents.om.refused("answer", mission, "allow", code="not_found")
    agents.om.refused("answer", "999", "allow", code="not_found")


def test_of_two_answers_at_once_one_counts(agents):
    mission, asked, message = ask(agents)
    clients = [agents.om.popen("answer", str(asked["question"]), way) for way in ("allow", "deny")]
    assert sorted(client.wait(timeout=20) for client in clients) == [0, 1]
    agents.answer(message)
    assert len(agents.events(mission, "answered")) == 1
    assert made(agents) is (clients[0].returncode == 0)


@pytest.mark.parametrize("end", ["interrupt", "kill", "stop"])
def test_a_question_is_withdrawn_by_the_end_of_its_turn(agents, end):
    mission, asked, _ = ask(agents)
    agents.om.ok(end, mission)
    eventually(lambda: agents.om.json("inbox", "--json") == [])
    sentence = agents.om.refused("answer", str(asked["question"]), "allow", code="not_found")
    assert "is closed: it was withdrawn" in sentence
    assert not made(agents)


def test_an_agent_that_died_asks_again_under_another_number(agents):
    mission, asked, message = ask(agents, "--restart", "always", "--backoff", "1ms")
    agents.kill(mission)
    agents.again(mission)
    (again,) = agents.asked(mission)
    assert again["question"] > asked["question"]
    agents.om.refused("answer", str(asked["question"]), "allow", code="not_found")
    agents.om.ok("answer", mission, "allow")
    assert agents.answer(message)["state"] == "answered"
    assert made(agents)


@pytest.mark.own_home
def test_a_question_outlives_the_supervisor(agents):
    mission, asked, message = ask(agents)
    kill_supervisor(agents.om)
    (same,) = agents.asked(mission)
    assert same == asked
    agents.om.ok("answer", str(asked["question"]), "allow")
    assert agents.answer(message)["state"] == "answered"
    assert made(agents)


@pytest.mark.own_home
def test_only_the_first_asking_calls_somebody(agents):
    mission, _, message = ask(agents)
    kill_supervisor(agents.om)
    agents.asked(mission)
    agents.om.ok("answer", mission, "allow")
    agents.answer(message)
    assert [one["why"] for one in agents.events(mission, "notification")] == ["blocked"]


def test_a_process_inside_a_mission_can_not_answer(agents):
    mission, asked, _ = ask(agents)
    command = [*PROGRAM, "answer", str(asked["question"]), "allow"]
    inside = agents.om.finished(shlex.join(command))
    assert inside["exit_code"] == 1
    assert "Error: forbidden: " in agents.om.logs(inside["id"])
    assert agents.asked(mission) == [asked]


# --- rules answer -------------------------------------------------------------------------------------------------

RULES = [
    # options of the run, configuration, which rule answers, whether it may
    pytest.param(("--allow", "Bash(touch:*)"), "", "Bash(touch:*)", True, id="allowed by the run"),
    pytest.param(("--deny", "Bash"), "", "Bash", False, id="denied by the run"),
    pytest.param(("--allow", "Bash", "--deny", "Bash(touch:*)"), "", "Bash(touch:*)", False, id="a denial wins"),
    pytest.param((), '[permissions]\nallow = ["Bash(touch made)"]\n', "Bash(touch made)", True,
                 id="allowed by the configuration", marks=pytest.mark.own_home),
    pytest.param(("--allow", "Bash"), '[permissions]\ndeny = ["Bash(touch:*)"]\n', "Bash(touch:*)", False,
                 id="the configuration's denial wins", marks=pytest.mark.own_home),
]  # fmt: skip


@pytest.mark.parametrize(("options", "config", "rule", "may"), RULES)
def test_a_rule_answers_by_itself(agents, options, config, rule, may):
    if config:
        configure(agents, config)
    mission = agents.session(*options)
    answer = agents.say(mission, bash("touch made"))
    assert made(agents) is may
    assert (f"The rule {rule} denies it." in answer) is not may
    (event,) = agents.events(mission, "answered")
    assert (event["by"], event["behaviour"]) == (f"rule {rule}", "allow" if may else "deny")
    assert agents.events(mission, "asked", "notification") == []


@pytest.mark.parametrize("command", ["rm -r /", "touch made; rm -r /", "touch made && curl x | sh", "touch $(rm x)"])
def test_what_no_rule_covers_reaches_the_inbox(agents, command):
    ask(agents, "--allow", "Bash(touch:*)", command=command)


def test_a_rule_never_answers_a_question_for_a_person(agents):
    mission = agents.session("--allow", "AskUserQuestion", "--allow", "ExitPlanMode", "--allow", "Bash")
    agents.post(mission, "!question")
    assert agents.asked(mission)[0]["need"] == "question"


def test_a_rule_that_is_none_starts_nothing(agents, cases):
    agents.om.ok("start")
    for option, rule in itertools.product(("--allow", "--deny"), ("", "Bash(", "Bash()", "(x)", "Bash(a:*b)", "a b")):
        with cases(f"{option} {rule}"):
            words = ("claude", "run", option, rule, "hello")
            assert option in agents.om.refused(*words, code="invalid", exit_code=2)
            assert agents.om.ps("--all") == []


@pytest.mark.own_home
def test_an_unreadable_rule_in_the_configuration_is_named(agents):
    configure(agents, '[permissions]\nallow = ["Bash("]\n')
    assert "permissions.allow" in agents.om.refused("start", code="invalid_config")
