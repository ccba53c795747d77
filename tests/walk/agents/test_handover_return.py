"""A handed-over session whose program ends goes on headless, and whoever was attached is told."""

from __future__ import annotations

import pytest

from tests.kit import claude
from tests.kit.agents import LEAVE
from tests.kit.attached import Attached

pytestmark = pytest.mark.shared_home


@pytest.fixture
def mission(agents):
    """A session that has answered once."""
    mission = agents.session(prompt="by pipe")
    agents.answer(1)
    return mission


def goes_on(agents, mission):
    """It is headless and idle, with its conversation, and nobody called that a restart."""
    there = ("headless", "running", "idle", 0)
    info = agents.until(
        mission, lambda info: (info["mode"], info["status"], info["activity"], info["attached"]) == there and info
    )
    assert (info["restart_count"], info["handover"]) == (0, None)
    assert "by pipe" in agents.say(mission, "!history")


def told(person):
    """The client leaves by itself, and says why."""
    assert person.end() == 0
    assert b"continues without a terminal" in person.seen


def test_who_ends_the_program_is_told_that_the_session_goes_on(agents, mission):
    claude.settle(agents.om, agents.om.home)
    with Attached(agents.om, mission) as person:
        person.shows("echo: by pipe")
        person.type(b"/exit\r")
        told(person)
    goes_on(agents, mission)
    ends = [event["run"] for event in agents.events(mission, "exited")]
    assert ends == [1, 2], "each end is told of the run that ended"


def test_a_program_that_can_not_start_on_a_terminal_costs_no_session(agents, mission):
    """It was never set up, and finds no network."""
    with Attached(agents.om, mission) as person:
        assert person.end() == 1
    last = bytes(person.seen).decode().rstrip().splitlines()[-1]
    assert last.endswith("could not start in a terminal: can't connect to Anthropic; it continues without one]")
    assert "--- could not start in a terminal: can't connect to Anthropic ---" in agents.om.logs(mission)
    goes_on(agents, mission)


def test_who_does_not_trust_the_folder_loses_no_session(agents, mission):
    claude.settle(agents.om)
    with Attached(agents.om, mission) as person:
        person.shows("No, exit")
        person.type(b"\x1b")
        assert person.end() == 1
    assert b"could not start in a terminal: " in person.seen
    goes_on(agents, mission)


def test_one_that_was_killed_in_a_terminal_is_started_again_without_it(agents, mission):
    claude.settle(agents.om, agents.om.home)
    with Attached(agents.om, mission) as person:
        person.shows("echo: by pipe")
        agents.kill(mission)
        assert person.end() == 137
    agents.om.ok("restart", mission)
    agents.until(mission, lambda info: (info["mode"], info["activity"]) == ("headless", "idle"))
    assert "by pipe" in agents.say(mission, "!history")


def test_a_draft_keeps_the_session_on_its_terminal_until_it_is_sent_or_deleted(agents, mission):
    claude.settle(agents.om, agents.om.home)
    with Attached(agents.om, mission) as person:
        person.shows("echo: by pipe")
        person.type(b"half a line")
        person.shows("half a line")
        person.type(LEAVE)
        assert person.end() == 0
    (asked,) = agents.asked(mission)
    assert (asked["need"], asked["attach_only"], asked["subject"]["text"]) == ("draft", True, "half a line")
    assert "waiting:draft" in agents.om.ok("ps", "--wide")
    assert "a draft is in the prompt" in agents.om.info(mission)["now"]
    refused = agents.om("send", mission, "hello").stderr
    assert "has a draft in its prompt. Send or delete it in: overmind attach" in refused
    assert "A person is using" not in refused, "nobody is attached"
    with Attached(agents.om, mission) as person:
        person.shows("half a line")
        person.type(b" more\r")
        person.shows("echo: half a line more")
        person.type(LEAVE)
        assert person.end() == 0
    goes_on(agents, mission)
    assert "half a line more" in agents.heard(mission)
