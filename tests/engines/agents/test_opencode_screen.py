"""The real `opencode` on a terminal of its own: how it stands, what it asks in the inbox and there, and who answers."""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.request

import pytest

from tests.kit.agents import LEAVE
from tests.kit.attached import Attached
from tests.kit.killing import kill_supervisor
from tests.kit.model_api import OUTPUT
from tests.kit.overmind import FINAL
from tests.kit.processes import alive, with_variable
from tests.kit.waiting import eventually

pytestmark = [pytest.mark.linux, pytest.mark.parametrize("provider", ["opencode"])]

TOUCH = "%bash touch made"
ASKS = "Permission required"
CHOICE = {
    "question": "Which database?",
    "header": "db",
    "options": [{"label": "PostgreSQL", "description": "a server"}, {"label": "SQLite", "description": "a file"}],
}
CHOOSE = "%tool question " + json.dumps({"questions": [CHOICE]})


def made(agents, name="made"):
    return os.path.exists(os.path.join(agents.work, name))


def is_empty(agents):
    return agents.om.json("inbox", "--json") == []


def test_a_question_is_in_the_inbox_and_on_the_screen_and_the_inbox_answers_it(agents):
    mission = agents.session("--interactive", prompt=TOUCH)
    (asked,) = agents.asked(mission)
    assert (asked["need"], asked["tool"], asked["summary"]) == ("permission", "Bash", "Bash: touch made")
    assert asked["subject"]["command"] == "touch made"
    with Attached(agents.om, mission) as person:
        person.shows(ASKS)
        agents.om.ok("answer", str(asked["question"]), "allow")
        person.shows("tool said:")
        assert ASKS not in person.text()
        assert "tool said:" in agents.answer(1)["text"]
        assert made(agents)
        person.type(LEAVE)
        assert person.end() == 0
    info = agents.doing(mission, "idle")
    assert (info["activity_source"], info["activity_guess"]) == ("stream", None)
