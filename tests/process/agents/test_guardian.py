"""The guardian over a scripted agent behind the stand-in: what it does is judged, and a person is asked."""

from __future__ import annotations

import os

import pytest

from tests.kit import scripted
from tests.kit.repositories import Repository
from tests.kit.waiting import eventually

ERROR = "ImportError: no module named 'carts'"
LOST = [{"tool": "Bash", "command": f"pytest -q # {number}", "error": ERROR} for number in range(3)]
ASTRAY = [{"tool": "Edit", "file": "web/index.js"}]
STAY = [{"until": "let-go"}]


OFTEN = """
[queue]
backoff = "10ms"
[health]
beat = "200ms"
[guardian]
every = "100ms"
pause = "1h"
"""


def configure(om, more=""):
    with open(om.path("config.toml"), "w") as config:
        config.write(OFTEN + more)


@pytest.fixture
def shop(agents, tmp_path):
    """A home whose guardian looks often, and a repository in which its agents work."""
    om = agents.om
    configure(om)
    shop = Repository(os.path.join(om.environment["HOME"], "shop"))
    shop.commit("first", {"api/carts.py": "x = 1\n", "web/index.js": "1\n"})
    agents.work = shop.folder
    return shop


def play(agents, folder, script):
    scripted.behind(agents.om, scripted.write(folder, script))


def health(om, name):
    return om.json("health", name, "--json")[0]


def holding(row):
    return {term["term"]: term["evidence"] for term in row["terms"] if term["holds"]}


def steers(om):
    return [(event["rung"], event["terms"], event["outcome"]) for event in om.events("steer")]


def test_the_same_error_three_times_is_a_loop_and_an_edit_outside_of_what_it_owns_makes_it_steer(
    agents, shop, tmp_path
):
    """Acceptance 46: a quest's agent takes no messages, so its next attempt reads what it would have been told."""
    om = agents.om
    first = [*LOST, {"until": "astray"}, *ASTRAY, *STAY]
    second = [{"read": "feedback.md"}]
    play(agents, str(tmp_path), {"quests": {"login": {"1": first, "2": second}}})
    om.ok("quest", "add", "--name", "login", "--provider", "claude", "--owns", "api/**", "--cwd", shop.folder, "Carts")
    row = eventually(lambda: (found := health(om, "login"))["alignment"] == 0.65 and found, timeout=30.0)
    assert holding(row) == {"loop": f"3 times: {ERROR}"}
    assert om.json("inbox", "--json") == []
    shop.write({"astray": ""})
    (asked,) = eventually(lambda: om.json("inbox", "--json"), timeout=30.0)
    row = health(om, "login")
    assert (row["alignment"], holding(row)["drift"], row["steers"]) == (0.4, "web/index.js", 0)
    assert (asked["need"], asked["name"], asked["about"]["kind"]) == ("steer", "login", "quest")
    assert "allow  send the message, end this attempt; -m TEXT: the message instead\n" in om.ok("inbox")
    om.ok("answer", "login", "allow", "-m", "carts.py is in api")
    assert om.json("quest", "wait", "login", "--json")["status"] == "completed"
    info = om.json("quest", "info", "login")
    assert [one["class"] for one in info["attempt_list"]] == ["steered", None]
    assert info["feedback"].startswith("Attempt 1 failed: it was ended for another way to its goal.\n")
    assert "carts.py is in api" in info["feedback"]
    assert "--- steered: carts.py is in api ---" in om.ok("quest", "logs", "login")
    assert steers(om) == [("end", ["loop", "drift"], None)]
    assert om.json("inbox", "--json") == []
    assert [one.get("by") for one in om.events("stopping")] == [None]
    ended = [(one["by"], one["text"]) for one in om.json("timeline", "login", "--json") if one["what"] == "stopping"]
    assert ended == [("engine", "steered: carts.py is in api")]


def test_a_session_is_sent_the_message_once_and_left_alone_then(agents, shop, tmp_path):
    """Acceptance 46: none within five minutes."""
    om = agents.om
    thrash = [{"tool": "Edit", "file": "api/carts.py"}] * 5
    story = [*thrash, *LOST, {"until": "told"}, {"listen": True}, *LOST, *STAY]
    play(agents, str(tmp_path), {"quests": {"login": story}})
    mission = agents.session("--name", "login", prompt="begin")
    (asked,) = eventually(lambda: om.json("inbox", "--json"), timeout=30.0)
    assert asked["about"] == {"kind": "mission", "id": mission, "name": "login"}
    om.ok("answer", "login", "allow")
    shop.write({"told": ""})
    eventually(lambda: ["message", "unchanged"] in [[rung, outcome] for rung, _, outcome in steers(om)], timeout=30.0)
    texts = [message["text"] for message in agents.messages(mission)]
    assert [f"> 3 times: {ERROR}" in text for text in texts] == [False, True]
    assert om.json("inbox", "--json") == []
    assert [rung for rung, _, outcome in steers(om) if outcome is None] == ["message"]
    assert health(om, "login")["steers"] == 1


def levels(om, mission):
    return [event["level"] for event in om.events("health", mission=mission)]


def test_one_that_asks_is_neither_quiet_nor_stalled_nor_hung(agents, shop, tmp_path):
    """Acceptance 45."""
    om = agents.om
    play(agents, str(tmp_path), [{"ask": "Bash", "command": "rm -r web"}, *STAY])
    mission = agents.session("--name", "login", prompt="begin")
    (asked,) = eventually(lambda: om.json("inbox", "--json"), timeout=30.0)
    assert asked["need"] == "permission"
    silent = om.mission("exec sleep 1000", "--name", "silent", "--activity-timeout", "1h")
    eventually(lambda: levels(om, silent) == ["quiet", "stalled", "hung"], timeout=30.0)
    assert levels(om, mission) == []
    assert (health(om, "login")["level"], health(om, "silent")["level"]) == (None, "hung")
    assert [one["about"]["name"] for one in om.json("inbox", "--json")] == ["login"]


def test_an_attempt_that_hangs_ends_by_itself_where_that_is_wanted_and_the_next_one_begins(agents, shop):
    om = agents.om
    configure(om, 'steer = "auto"\n')
    work = "[ -e again ] && exit 0; touch again; exec sleep 1000"
    om.ok("quest", "add", "--name", "build", "--cwd", shop.folder, "Build it", "--", work)
    assert om.json("quest", "wait", "build", "--json")["status"] == "completed"
    info = om.json("quest", "info", "build")
    assert [one["class"] for one in info["attempt_list"]] == ["stalled", None]
    assert levels(om, info["id"])[:3] == ["quiet", "stalled", "hung"]
    assert "--- killed: no sign of life for " in om.ok("quest", "logs", "build")
    assert om.json("inbox", "--json") == []
