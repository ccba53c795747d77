"""What the engine does by itself: each event of it says so, and why; the table of it in docs names real events."""

from __future__ import annotations

import pytest

from tests.contract.test_by_itself import TOLD
from tests.kit.specs import SpecWorld
from tests.kit.waiting import eventually

pytestmark = pytest.mark.own_home
FAILS_ONCE = 'test "$OVERMIND_ATTEMPT" -gt 1 || { echo "AssertionError: total"; exit 1; }; echo 1 > total.txt'


def test_each_event_of_the_engine_says_so_and_why(om):
    world = SpecWorld(om, settings='[health]\nbeat = "100ms"\n')
    world.write(
        tasks={"TSK-002": [{"call": "overmind report idea 'cache the index'"}, {"write": "shop/b", "text": "1"}]}
    )
    quest = {"title": "total", "command": FAILS_ONCE, "into": "main", "retries": 1}
    om.api("quest_add", quests=[quest], cwd=world.folder, env=om.environment)
    world.new("Carts", "--gates", "none", "--allow", "Bash(true)")
    world.run()
    world.until("done")
    silent = om.mission("sleep 600", "--activity-timeout", "1h")
    eventually(lambda: om.events("health", mission=silent), what="it is quiet")
    eventually(lambda: om.events("note"), what="a lesson")
    told = om.events(*TOLD)
    assert {event["type"] for event in told} >= {"quest", "spec", "report", "health", "note", "landed"}
    for event in told:
        assert event.get("by"), event
        assert event["by"] != "engine" or event["why"], event
        assert event["by"] in {"engine", "person"} or event["type"] == "report", event
    by_itself = {event["type"] for event in told if event["by"] == "engine"}
    assert by_itself >= {"quest", "spec", "health", "note", "landed"}


def test_pausing_the_queue_and_setting_its_slots_are_events_with_who_has_done_it(om):
    om.ok("start")
    om.ok("queue", "pause")
    om.ok("queue", "slots", "5")
    assert [(one["paused"], one["slots"], one["by"]) for one in om.events("queue")] == [
        (True, 3, "person"),
        (True, 5, "person"),
    ]
