"""The timeline: what happened to a quest, a spec or a mission, from the events that are kept."""

from __future__ import annotations

import contextlib
import sqlite3

import pytest

from tests.kit.queued import Queued
from tests.kit.specs import SpecWorld

pytestmark = pytest.mark.own_home
KEYS = {"at", "seq", "attempt", "what", "by", "text", "mission"}
FAILS_ONCE = 'test "$OVERMIND_ATTEMPT" -gt 1 || exit 3'


@pytest.fixture
def queue(om):
    return Queued(om, '[queue]\nbackoff = "10ms"\n')


def told(om, name, *options):
    return om.json("timeline", name, "--json", *options)


def whats(rows):
    return [row["what"] for row in rows]


def test_a_quest_is_told_line_by_line_and_attempt_by_attempt(om, queue):
    queue.add("login", FAILS_ONCE, check="true", retries=1)
    queue.ended("login")
    rows = told(om, "login")
    assert [set(row) for row in rows] == [KEYS] * len(rows)
    assert [(row["attempt"], row["what"], row["by"]) for row in rows if row["by"]] == [
        (None, "queued", "person"),
        (1, "working", "engine"),
        (1, "queued", "engine"),
        (2, "working", "engine"),
        (2, "checking", "engine"),
        (2, "completed", "engine"),
    ]
    titles, *lines = om.ok("timeline", "login").splitlines()
    assert titles.split() == ["TIME", "ATTEMPT", "WHAT", "BY", "TEXT"]
    assert len(lines) == len(rows)
    assert [line.split()[2] for line in lines if line.split()[2].isdigit()] == ["1", "2"]  # folded by attempt
    assert lines[3].endswith("queued     engine  attempt 1 has failed: its command failed")


def test_a_quest_that_waits_has_a_timeline_and_so_has_any_mission(om, queue):
    om.ok("queue", "pause")
    queue.add("waits")
    assert whats(told(om, "waits")) == ["queued"]
    om.ok("run", "--name", "plain", "--", "sh", "-c", "exit 4")
    om("wait", "plain")
    rows = told(om, "plain")
    assert whats(rows) == ["created", "started", "failed"]
    assert (rows[0]["by"], rows[-1]["text"]) == ("person", "exit code 4")


def test_who_asked_and_who_answered_is_told(om, queue):
    queue.add("stuck", "exit 1", retries=0)
    question = queue.asked("stuck")
    queue.answer(question, "deny")
    number = question["question"]
    asked = [row for row in told(om, "stuck") if row["what"] in {"asked", "answered"}]
    assert [(row["by"], row["text"]) for row in asked] == [
        ("engine", f"question {number} (stuck): {question['summary']}"),
        ("person", f"question {number}: deny"),
    ]


def test_a_spec_is_told_with_its_phases_and_its_quests(om):
    world = SpecWorld(om)
    om.ok("spec", "new", "Carts", "--brief", "Visitors want carts.", "--", *world.command, cwd=world.folder)
    world.run("carts", "--to", "explore", "--wait")
    rows = told(om, "carts")
    assert ("spec", "draft") in {(row["what"], row["text"].partition(":")[0]) for row in rows}
    assert any(row["what"] == "phase" and row["text"].startswith("explore passed") for row in rows)
    assert any(row["text"] == "carts/explore: attempt 1 begins" and row["attempt"] == 1 for row in rows)
    assert [row["seq"] for row in rows] == sorted(row["seq"] for row in rows)


def test_a_phase_that_somebody_has_cancelled_is_told_as_that(om):
    world = SpecWorld(om)
    world.new()
    om.ok("queue", "pause")
    world.run()
    om.ok("quest", "cancel", "carts/explore")
    world.until("failed")
    rows = [row for row in told(om, "carts") if "failed" in row["text"]]
    assert [(row["what"], row["text"]) for row in rows] == [
        ("phase", "explore failed: its quest was cancelled"),
        ("spec", "failed: explore: its quest was cancelled"),
    ]


def test_a_phase_whose_attempts_are_spent_is_told_with_their_class(om):
    world = SpecWorld(om)
    world.write(phases={"explore": []})
    world.new("Carts", "--retries", "0")
    world.run()
    world.until("failed")
    rows = [row["text"] for row in told(om, "carts") if row["what"] in {"phase", "spec"} and "failed" in row["text"]]
    assert rows == [
        "explore failed: its quest has failed: output_missing",
        "failed: explore: its quest has failed: output_missing",
    ]


def test_of_a_quest_and_a_spec_of_one_name_it_says_which_it_is_and_how_to_get_the_other(om):
    world = SpecWorld(om)
    world.new()
    om.ok("queue", "pause")
    quest = om.json("quest", "add", "--name", "carts", "--json", "x", "--", "true")["id"]
    spec = world.show()["id"]
    of_quest, of_spec = told(om, quest), told(om, spec)
    assert (whats(of_quest), whats(of_spec)) == (["queued"], ["spec"])
    above, *rows = told(om, "carts")
    assert (above["what"], above["at"], rows) == ("also", None, of_quest)
    assert above["text"] == f"This is the quest of this name. The spec: overmind timeline {spec}"
    assert om.ok("timeline", "carts").splitlines()[0] == above["text"]
    om.ok("quest", "cancel", "carts")
    above, *rows = told(om, "carts")
    assert rows == of_spec
    assert above["text"] == f"This is the spec of this name. The quest: overmind timeline {quest}"


def test_it_says_when_its_beginning_is_no_longer_kept(om, queue):
    queue.add("login")
    queue.ended("login")
    whole = told(om, "login")
    assert "earlier" not in whats(whole)
    om.ok("shutdown")
    with contextlib.closing(sqlite3.connect(om.path("state.db"))) as database, database:
        database.execute("DELETE FROM events WHERE seq <= ?", (whole[2]["seq"] - 1,))
    om.ok("start")
    queue.add("later")
    queue.ended("later")
    first, *rest = told(om, "login")
    assert first == {"at": None, "seq": rest[0]["seq"], "attempt": None, "what": "earlier", "by": None,
                     "text": "Earlier events are no longer kept.", "mission": None}  # fmt: skip
    assert whats(rest) == whats(whole)[2:]
    assert om.ok("timeline", "login").splitlines()[0] == "Earlier events are no longer kept."
    assert "earlier" not in whats(told(om, "later"))


def test_only_the_newest_are_shown_where_so_many_are_wanted(om, queue):
    queue.add("login")
    queue.ended("login")
    whole = told(om, "login")
    shown = told(om, "login", "--limit", "2")
    assert shown[1:] == whole[-2:]
    assert shown[0]["text"] == f"{len(whole) - 2} earlier entries are not shown."


def test_what_others_wrote_stands_there_literally(om, queue):
    with contextlib.suppress(AssertionError):
        queue.add("login", "exit 1", retries=0)
    queue.asked("stuck")
    om.ok("report", "idea", "[red]\x1b[2Jbold\u202e", "--title", "[b]x")
    assert "\x1b" not in om.ok("timeline", "login")


def test_a_name_that_nobody_has_and_no_name_are_refused(om, queue):
    om.refused("timeline", "nobody", code="not_found")
    om.refused("timeline", "", code="not_found")
    om.refused("timeline", code="invalid", exit_code=2)
    om.refused("timeline", "x", "--limit", "0", code="invalid", exit_code=2)


def test_inside_of_a_mission_one_may_look(om, queue):
    queue.add("login", "overmind timeline login", retries=0)
    assert queue.ended("login")["status"] == "completed"
    assert "attempt 1 begins" in om.ok("logs", "login")
