"""A mission that waits for the answer to what it has reported waits, as everybody sees, also where it is no agent."""

from __future__ import annotations

from tests.kit.killing import kill_supervisor
from tests.kit.waiting import eventually

WAITS = "overmind report question 'Which port?' --wait; sleep 300"


def row(om, mission):
    (found,) = (one for one in om.api("ps", ids=[mission], wide=True))
    return found


def test_a_plain_command_that_waits_for_an_answer_is_shown_as_waiting(om):
    mission = om.mission(WAITS, "--name", "asker")
    waiting = eventually(lambda: (found := row(om, mission))["activity"] and found, what="it waits")
    assert (waiting["activity"], waiting["need"], waiting["mode"]) == ("waiting", "report", None)
    assert "Which port?" in waiting["now"]
    assert "waiting:report" in om.ok("ps", "--wide")
    assert [event["need"] for event in om.events("activity", mission=mission)] == ["report"]
    (asked,) = om.api("inbox")
    assert asked["about"] == {"kind": "mission", "id": mission, "name": "asker"}
    assert om.ok("answer", "asker", "allow", "-m", "8080") == "Answered question 1 of asker (report): allow\n"
    eventually(lambda: row(om, mission)["activity"] is None, what="it goes on")
    assert "8080" in om.logs(mission)
    assert [event["doing"] for event in om.events("activity", mission=mission)] == ["waiting", "unknown"]


def test_it_waits_no_longer_once_nobody_of_it_does_and_its_question_stays(om):
    mission = om.mission("timeout -s KILL 3 overmind report question 'Which port?' --wait; sleep 300")
    eventually(lambda: row(om, mission)["activity"] == "waiting", what="it waits")
    eventually(lambda: row(om, mission)["activity"] is None, what="it goes on")
    assert len(om.api("inbox")) == 1


def test_a_new_daemon_sees_it_wait_as_soon_as_it_asks_again(om):
    mission = om.mission(WAITS)
    eventually(lambda: row(om, mission)["activity"] == "waiting", what="it waits")
    kill_supervisor(om)
    eventually(lambda: row(om, mission)["activity"] == "waiting", what="it waits again")
    om.ok("answer", "1", "allow", "-m", "8080")
    eventually(lambda: "8080" in om.logs(mission), what="the answer")
