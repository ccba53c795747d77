"""Specs whose phases and tasks real homes of a swarm do: code and documents come from a bare remote."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from overmind_core.domain.specs.spec import PhaseName
from tests.engines.postgres.conftest import empty_database
from tests.engines.postgres.swarm.test_specs import PATIENT, World
from tests.kit.full_disk import full_disk
from tests.kit.killing import kill_supervisor
from tests.kit.specs import done, handed_in
from tests.kit.swarm_homes import SwarmHomes
from tests.kit.waiting import eventually

EACH = ["carts/TSK-001", "carts/TSK-002", "carts/design", "carts/explore", "carts/requirements", "carts/tasks"]


@pytest.fixture
def homes(make_home):
    """A swarm of this test."""
    with empty_database() as url:
        yield SwarmHomes(url, make_home)


@pytest.fixture
def world(homes, tmp_path):
    return World(homes, tmp_path)


def test_phases_and_tasks_are_done_by_hives_of_the_swarm_and_the_spec_lands_here(world, homes):
    world.hive("a", "--slots", "1")
    world.hive("b", "--slots", "1")
    assert world.begin() == "Spec carts: explore queued\n"
    spec = world.until("done", "stuck", "failed")
    assert (spec["state"], spec["on"]) == ("done", {})
    posts = homes.posts()
    assert sorted(posts) == EACH
    assert {row["state"] for row in posts.values()} == {"done"}
    assert {row["hive"] for row in posts.values()} <= {homes.name("a"), homes.name("b")}
    assert sorted(world.attempts()) == sorted(f"{name.removeprefix('carts/')} 1" for name in EACH)
    assert world.at_remote("show", "spec/carts:shop/TSK-002.txt") == "TSK-002"
    assert world.repository.git("show", "main:shop/TSK-001.txt") == "TSK-001"
    documents = world.at_remote("ls-tree", "-r", "--name-only", "overmind/spec/carts").split()
    assert {"spec/brief.md", "spec/requirements.md", "spec/tasks.md"} <= set(documents)
    assert not world.at_remote("ls-tree", "-r", "--name-only", "spec/carts", ".overmind")
    (row,) = world.om.json("-H", "swarm", "spec", "list", "--all", "--json")
    assert [row[name] for name in ("spec", "state", "phases", "tasks", "tasks_posted")] == ["carts", "done", 4, 2, 2]
    assert len(world.om.json("spec", "show", "carts", "-H", "swarm", "--json")["parts"]) == len(EACH)
    assert world.om.ok("-H", "swarm", "spec", "list") == ""
    log = world.om.logs(world.quest("carts/TSK-001")["id"])
    assert f"is done on {posts['carts/TSK-001']['hive']}" in log


def test_a_spec_needs_no_slot_here_and_its_work_is_shown_with_its_hive(world, homes):
    world.write(tasks={task: [*world.held(), *done(task)] for task in ("TSK-001", "TSK-002")})
    world.om.ok("queue", "slots", "1")
    world.om.ok("quest", "add", "Other", "--", "sleep", "100")
    world.om.wait_status("other", "running")
    world.hive("a")
    world.begin()
    world.wait_held()
    task = next(name for name, state in world.states().items() if state == "claimed")
    mission = world.quest(task)["id"]
    line = f"is on {homes.name('a')}: running"
    eventually(lambda: line in world.om.logs(mission), **PATIENT, what="the log says where it is")
    world.gate.touch()
    assert world.until("done", "stuck", "failed")["state"] == "done"


def test_a_supervisor_that_is_killed_meanwhile_posts_nothing_twice_and_loses_nothing(world):
    world.write(phases={"design": [*world.held(), *handed_in(PhaseName.DESIGN)]},
                tasks={"TSK-001": done("TSK-001")})  # fmt: skip
    world.hive("a")
    world.begin()
    world.wait_held()
    kill_supervisor(world.om)
    world.om.ok("start")
    world.gate.touch()
    assert world.until("done", "stuck", "failed")["state"] == "done"
    assert sorted(world.attempts()) == sorted(f"{name.removeprefix('carts/')} 1" for name in EACH)


def test_the_program_that_waits_is_begun_again_and_finds_its_post(world):
    world.write(phases={"design": [*world.held(), *handed_in(PhaseName.DESIGN)]})
    world.hive("a")
    world.begin()
    world.wait_held()
    quest = world.quest("carts/design")["id"]
    os.kill(world.om.pid(quest), signal.SIGSTOP)  # it hears of nothing any more, as after a loss of power
    world.gate.touch()
    world.homes.wait_state("carts/design", "done", timeout=60.0)
    os.kill(world.om.pid(quest), signal.SIGCONT)
    assert world.until("done", "stuck", "failed")["state"] == "done"
    assert world.attempts().count("design 1") == 1


def test_a_document_that_does_not_pass_is_made_again_with_what_was_wrong_with_it(world):
    seen = Path(world.om.environment["HOME"], "seen")
    world.write(phases={"design": [*world.held(), {"output": "design.json", "data": {"summary": "no"}}]})
    world.hive("a")
    world.begin()
    world.wait_held()
    look = {"call": f'cd "$OVERMIND_IN"; cat feedback.md partial/design.json spec/brief.md > {seen}'}
    world.write(phases={"design": [look, *handed_in(PhaseName.DESIGN)]})
    world.gate.touch()
    assert world.until("done", "stuck", "failed")["state"] == "done"
    assert world.quest("carts/design")["tries"] == 2
    rows = world.homes.desk.json("ps", "-H", "swarm", "--all", "--json")
    assert [row["state"] for row in rows if row["name"] == "carts/design"] == ["done", "done"]
    text = seen.read_text()
    assert "Attempt 1 failed: its result can't be taken over" in text
    assert '"summary": "no"' in text
    assert "# Carts" in text


@pytest.mark.parametrize("size", [(1 << 20) + 1, 5 << 20])
def test_a_document_that_is_too_large_is_made_again_and_the_agent_hears_why(world, size):
    seen = Path(world.om.environment["HOME"], "seen")
    large = {"call": f'head -c {size} /dev/zero | tr "\\0" x > "$OVERMIND_OUTPUT_DIR/design.json"'}
    world.write(phases={"design": [*world.held(), large]})
    world.hive("a")
    world.begin()
    world.wait_held()
    world.write(phases={"design": [{"call": f'cat "$OVERMIND_IN/feedback.md" > {seen}'}, *handed_in(PhaseName.DESIGN)]})
    world.gate.touch()
    assert world.until("done", "stuck", "failed")["state"] == "done"
    assert "design.json is larger than 1 MiB" in seen.read_text()


def test_a_document_for_which_there_is_no_room_here_is_waited_for_and_not_made_again(world):
    world.write(phases={"design": [*world.held(), *handed_in(PhaseName.DESIGN)]})
    world.hive("a")
    world.begin()
    world.wait_held()
    quest = world.quest("carts/design")["id"]
    line = "design.json can't be written: File too large. It is tried again."
    with full_disk(world.om.pid(quest), 100):
        world.gate.touch()
        eventually(lambda: line in world.om.logs(quest), **PATIENT, what="it says that there is no room")
        assert world.quest("carts/design")["tries"] == 1
    assert world.until("done", "stuck", "failed")["state"] == "done"
    assert world.attempts().count("design 1") == 1


HOSTILE = b"\x1b]0;mine\x07\x1b[2J\xff\xfe\x00\xc3" * 50
"""What no terminal may be given, and no document has."""


def test_a_document_of_hostile_bytes_is_refused_and_reaches_no_terminal(world):
    seen = Path(world.om.environment["HOME"], "seen")
    bytes_file = Path(world.om.environment["HOME"], "hostile")
    bytes_file.write_bytes(HOSTILE)
    copies = " ".join(f'cp {bytes_file} "$OVERMIND_OUTPUT_DIR/{name}";' for name in ("design.json", "design.md"))
    bad = {"call": f"cat {bytes_file}; {copies}"}
    world.write(phases={"design": [*world.held(), bad]})
    world.hive("a")
    world.begin()
    world.wait_held()
    quest = world.quest("carts/design")["id"]
    world.write(phases={"design": [{"call": f'cat "$OVERMIND_IN/feedback.md" > {seen}'}, *handed_in(PhaseName.DESIGN)]})
    world.gate.touch()
    assert world.until("done", "stuck", "failed")["state"] == "done"
    assert "output_invalid" in seen.read_text()
    shown = [
        world.om.ok(*words)
        for words in (
            ("logs", "carts/design"), ("logs", quest), ("logs", "swarm/carts/design"), ("spec", "show", "carts"),
            ("quest", "info", "carts/design"), ("quest", "why", "carts/design"), ("events",),
        )
    ]  # fmt: skip
    assert not any(one in text for text in (*shown, seen.read_text()) for one in ("\x1b", "\x00", "\x07"))


def test_a_cancelled_task_is_ended_where_it_runs(world):
    world.write(tasks={"TSK-001": [*world.held(), *done("TSK-001")]})
    world.hive("a")
    world.begin()
    world.wait_held()
    world.om.ok("quest", "cancel", "carts/TSK-001")
    world.homes.wait_state("carts/TSK-001", "cancelled", timeout=60.0)
    world.gate.touch()
    assert "TSK-001 1" not in world.attempts()


def test_a_task_that_fails_is_tried_again_by_its_hive_and_by_a_person(world):
    world.write(tasks={"TSK-001": [{"call": "echo broken; exit 3"}, {"exit": 3}]})
    world.hive("a")
    world.begin("--retries", "1")
    world.until("stuck")
    row = world.homes.posts()["carts/TSK-001"]
    assert (row["state"], row["attempt"]) == ("failed", 2)
    quest = world.quest("carts/TSK-001")
    assert (quest["status"], quest["tries"]) == ("failed", 1)
    assert "broken" in world.om.logs(quest["id"])
    world.write(tasks={"TSK-001": done("TSK-001")})
    world.om.ok("quest", "retry", "carts/TSK-001")
    assert world.until("done", "failed")["state"] == "done"
