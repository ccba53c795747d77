"""An agent of a quest uses its folders unasked, and nothing that a link in them leads to."""

from __future__ import annotations

import json
import os
from dataclasses import replace

import pytest

from overmind_core.agents.rules import Rules
from overmind_core.domain.agents.agent import Agent, AgentFolders, AgentNeed
from overmind_core.domain.agents.agent_events import Asked, Behaviour
from overmind_core.domain.agents.own_folders import rules as own_rules
from overmind_core.domain.text.bytestrings import to_wire
from overmind_core.kernel.config import Settings
from overmind_core.missions.spec import Environment
from overmind_core.system.paths import Home
from tests.kit import in_process
from tests.kit.in_process import ScriptedKeeper, supervising, until, world


class Quest:
    """An agent's folders, and what is answered to it."""

    def __init__(self, top):
        self.top = top
        for name in ("in/needs", "out/a", "secret"):
            (top / name).mkdir(parents=True)
        (top / "in" / "brief.md").write_text("brief")
        (top / "secret" / "key").write_text("key")
        self.folders = AgentFolders(to_wire(str(top / "in")), to_wire(str(top / "out")))

    def decide(self, tool, path, *, settings=None, need=AgentNeed.PERMISSION, **fields):
        rules = Rules(
            settings or Settings(), lambda _: Environment({}, {}), has_memory=lambda _: False, unattended=False
        )
        subject = {"file_path": to_wire(str(self.top / path))}
        asked = Asked("r1", need, tool, f"{tool}: x", subject, ())
        found = rules.decide(Agent(folders=self.folders, **fields), asked, "a1b2c3d4", "/work")
        return None if found is None else (found[0].behaviour, found[1])


@pytest.fixture
def quest(tmp_path):
    return Quest(tmp_path)


def test_it_reads_one_and_writes_the_other(quest):
    reading, writing = own_rules(quest.folders)
    assert quest.decide("Read", "in/brief.md") == (Behaviour.ALLOW, reading)
    assert quest.decide("Write", "out/design.json") == (Behaviour.ALLOW, writing)
    assert quest.decide("Edit", "out/new/deep/file") == (Behaviour.ALLOW, writing)
    assert quest.decide("Write", "in/brief.md") is None
    assert quest.decide("Read", "secret/key") is None


def test_a_denial_wins(quest):
    assert quest.decide("Read", "in/brief.md", deny=("Read",)) == (Behaviour.DENY, "Read")
    assert quest.decide("Write", "out/x", settings=Settings(deny=("Edit",))) == (Behaviour.DENY, "Edit")


def test_a_question_to_a_person_stays_one(quest):
    assert quest.decide("Read", "in/brief.md", need=AgentNeed.QUESTION) is None


LINKS = ["out/link/key", "out/a/link/key", "out/link", "out/file", "out/hard", "out/loop/x", "out/pipe"]


@pytest.mark.parametrize("path", LINKS)
def test_nothing_is_written_through_a_link_or_into_what_is_no_file(quest, path):
    secret, out = quest.top / "secret", quest.top / "out"
    (out / "link").symlink_to(secret)
    (out / "a" / "link").symlink_to(secret)
    (out / "file").symlink_to(secret / "key")
    (out / "loop").symlink_to("loop")
    (out / "hard").hardlink_to(secret / "key")
    os.mkfifo(out / "pipe")
    assert quest.decide("Write", "out/plain") is not None
    assert quest.decide("Write", path) is None


def test_a_folder_that_is_a_link_itself_is_asked_about(quest):
    (quest.top / "out" / "a").rmdir()
    (quest.top / "out").rmdir()
    assert quest.decide("Write", "out/x") is None
    (quest.top / "out").symlink_to(quest.top / "secret")
    assert quest.decide("Write", "out/x") is None


def test_a_path_that_no_disk_can_have_is_asked_about(quest):
    assert quest.decide("Write", "out/" + "x" * 5000) is None
    assert quest.decide("Write", "out/a\ud800") is None


def test_an_agent_without_folders_has_no_rules_of_ours(quest):
    quest.folders = None
    assert quest.decide("Read", "in/brief.md") is None


def session_of(inside, mission):
    return inside.app.agents.of(mission)


def agent_of(inside, mission):
    return inside.app.agents.agent(mission)


def test_its_own_rules_are_shown_and_outlive_the_supervisor(quest):
    home = Home(str(quest.top / "home"))
    environment = world(str(quest.top / "bin"), "claude")
    reading, writing = own_rules(quest.folders)

    async def story():
        keeper = ScriptedKeeper(home)
        async with supervising(home, keeper) as inside:
            mission = await inside.run("", env=environment, provider="claude", type="session")
            agent = replace(agent_of(inside, mission), folders=quest.folders)
            inside.app.agents.redefine(mission, agent)
            plain = await inside.run("sleep 9")
            told = [(await inside.ask("info", id=one))["own_rules"] for one in (mission, plain)]
        async with supervising(home, keeper) as inside:
            await until(lambda: session_of(inside, mission).state.running)
            for number, (tool, name) in enumerate((("Write", "out/design.json"), ("Write", "secret/key")), 1):
                subject = {"file_path": str(quest.top / name), "content": "x"}
                request = {"subtype": "can_use_tool", "tool_name": tool, "input": subject, "tool_use_id": f"t{number}"}
                line = {"type": "control_request", "request_id": f"r{number}", "request": request}
                keeper.write(f"{mission}.1", json.dumps(line).encode() + b"\n")
            await until(lambda: session_of(inside, mission).state.open)
            inbox = await inside.ask("inbox")
            answered = [event for event in inside.events(mission) if event["type"] == "answered"]
            told.append((await inside.ask("info", id=mission))["own_rules"])
        keeper.close()
        return told, [event["by"] for event in answered], [one["summary"] for one in inbox]

    told, by, left = in_process.run(story())
    assert told == [[reading, writing], [], [reading, writing]]
    assert by == [f"rule {writing}"]
    assert left == [f"Write: {quest.top}/secret/key"]
