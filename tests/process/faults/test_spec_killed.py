"""Specs while supervisors are killed and disks are full: each document is made once, each task becomes one quest."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import time

import pytest

from overmind_core.domain.specs.markdown import render
from overmind_core.domain.specs.reading import read
from overmind_core.domain.specs.spec import PhaseName
from tests.kit import torture
from tests.kit.full_disk import full_disk
from tests.kit.killing import kill, without_waiting
from tests.kit.raw_socket import RawSocket
from tests.kit.specs import SpecWorld, changed, handed_in
from tests.kit.waiting import eventually
from tests.process.faults.test_full_disk import _small_disk as small_disk

pytestmark = [pytest.mark.torture, pytest.mark.own_home]
MERGES = [
    "Merge spec/carts into main",
    "Merge overmind/carts-TSK-002 into spec/carts",
    "Merge overmind/carts-TSK-001 into spec/carts",
]
TASKS = 60
ONCE = ["explore 1", "requirements 1", "design 1", "tasks 1"]


@pytest.fixture
def world(om):
    return SpecWorld(om)


def held(om, phase, *steps):
    """An agent that says that it has come, and hands in its document once it may."""
    return [{"touch": om.path("at")}, {"until": om.path("go")}, *(steps or handed_in(phase))]


def has_come(om):
    eventually(lambda: os.path.exists(om.path("at")), timeout=60, what="it has come")


def go(om):
    with open(om.path("go"), "w"):
        pass


def restarted(om):
    kill(om.supervisor_pid())
    om.ok("start")


def stopped_while(om, look, what):
    """Stop the supervisor, let the agent go on, wait until that has ended, and kill the supervisor."""
    pid = om.supervisor_pid()
    os.kill(pid, signal.SIGSTOP)
    go(om)
    eventually(look, timeout=60, what=what)
    os.kill(pid, signal.SIGKILL)
    om.ok("start")


def test_a_spec_goes_on_in_design_where_the_daemon_was_killed(om, world):
    """Acceptance 28."""
    world.write(phases={"design": held(om, PhaseName.DESIGN)})
    world.new()
    world.run()
    has_come(om)
    pid = om.pid("carts/design")
    kill(om.supervisor_pid())
    assert om.ok("spec", "run", "carts") == "Spec carts: design is running\n"
    assert om.pid("carts/design") == pid
    go(om)
    world.asked("phase")
    assert world.attempts() == ONCE
    assert [one["run"] for one in world.quest("carts/design")["attempt_list"]] == [1]


def test_a_document_that_was_handed_in_and_not_judged_is_judged_by_the_next_daemon(om, world):
    """Kill table: document handed in, not judged."""
    world.write(phases={"design": [*held(om, PhaseName.DESIGN), {"touch": om.path("handed")}]})
    world.new()
    world.run()
    has_come(om)
    stopped_while(om, lambda: os.path.exists(om.path("handed")), "it was handed in")
    world.asked("phase")
    assert world.attempts() == ONCE
    assert world.phase("design")["attempts"] == 1


def test_a_document_that_was_written_and_not_saved_is_saved_without_a_second_agent(om, world):
    """Kill table: written, not saved."""
    world.write(phases={"design": held(om, PhaseName.DESIGN)})
    world.new()
    world.run()
    has_come(om)
    with full_disk(om.supervisor_pid()):
        go(om)
        eventually(lambda: os.path.exists(world.path("design.md")), timeout=60, what="it was written")
        kill(om.supervisor_pid())
    text = world.document("design.md")
    om.ok("start")
    world.asked("phase")
    assert (world.attempts(), world.document("design.md")) == (ONCE, text)
    assert not os.path.exists(world.path("design.new.md"))
    assert world.phase("design")["state"] == "passed"


def test_a_new_document_over_an_old_one_that_was_not_saved_is_no_edit_of_a_person(om, world):
    """Kill table: written, not saved; there was a document before."""
    world.new()
    world.run("carts", "--to", "design")
    world.until("draft")
    new = changed(PhaseName.DESIGN, errors="Other words.")
    world.write(phases={"design": held(om, PhaseName.DESIGN, *handed_in(PhaseName.DESIGN, new))})
    world.run("carts", "--from", "design", "--to", "design")
    has_come(om)
    with full_disk(om.supervisor_pid()):
        go(om)
        eventually(lambda: "Other words." in world.document("design.md"), timeout=60, what="it was written")
        kill(om.supervisor_pid())
    om.ok("start")
    world.until("draft")
    assert (world.phase("design")["state"], world.attempts()[3:]) == ("passed", ["design 1"])
    assert not os.path.exists(world.path("design.new.md"))
    assert om.api("inbox") == []


def test_an_open_gate_has_the_same_number_after_a_kill_and_an_answer_acts_once(om, world):
    """Kill table: any question open; answered, not acted on."""
    world.new()
    world.run()
    question = world.asked("phase")["question"]
    restarted(om)
    assert [one["question"] for one in om.api("inbox")] == [question]
    world.answer("allow")
    restarted(om)
    merge = world.asked("merge")["question"]
    restarted(om)
    assert [one["question"] for one in om.api("inbox")] == [merge]
    world.answer("allow")
    restarted(om)
    world.until("done")
    assert world.attempts() == [*ONCE, "TSK-001 1", "TSK-002 1"]
    assert sorted(one["name"] for one in om.api("quests") if "TSK" in one["name"]) == ["carts/TSK-001", "carts/TSK-002"]
    assert world.repository.git("log", "--format=%s", "--merges", "main").splitlines() == MERGES


def test_a_sync_is_whole_or_not_at_all(om, world, moments):
    """Kill table: while it is synced: all of it, or nothing."""
    om.ok("queue", "pause")
    tasks = changed(PhaseName.TASKS)
    tasks["tasks"] = [
        {**tasks["tasks"][0], "id": f"TSK-{number:03}", "creates": [f"shop/{number}.py"], "check": "true",
         "requirements": ["REQ-CART-001", "REQ-CART-002"]}
        for number in range(1, TASKS + 1)
    ]  # fmt: skip
    for number in range(torture.portion(8)):
        slug = world.new(f"Carts {number}", "--gates", "none", "--allow", "Bash(true)")
        for phase in ("explore", "requirements", "design"):
            _write(world, slug, phase, changed(PhaseName(phase)))
        _write(world, slug, "tasks", tasks)
        with RawSocket.connect(om.home) as api:
            api.send("spec_sync", id=slug)
            time.sleep(moments.random() * 0.4)  # the moment itself is the experiment
            kill(om.supervisor_pid())
        om.ok("start")
        made = [one for one in om.api("quests", limit=10_000) if one["name"].startswith(f"{slug}/TSK")]
        assert len(made) in {0, TASKS}
        counts = om.ok("spec", "sync", slug).split(": ")[1]
        assert counts == (
            f"0 created, 0 updated, {TASKS} skipped, 0 conflicts, 0 cancelled\n"
            if made
            else f"{TASKS} created, 0 updated, 0 skipped, 0 conflicts, 0 cancelled\n"
        )
        assert world.repository.git("branch", "--list", f"spec/{slug}*").split() == [f"spec/{slug}"]


def _write(world, slug, phase, value):
    with open(world.path(f"{phase}.md", slug), "w", encoding="utf-8") as file:
        file.write(render(read(PhaseName(phase), value, title="Carts").document))


def test_a_full_disk_in_the_middle_of_a_sync_records_nothing_and_it_is_done_once_there_is_room(om, world):
    om.ok("queue", "pause")
    slug = world.new("Carts", "--gates", "none", "--allow", "Bash(true)")
    for phase in ("explore", "requirements", "design", "tasks"):
        value = changed(PhaseName(phase))
        _write(world, slug, phase, value)
    assert world.states()["tasks"] == "passed"
    with full_disk(om.supervisor_pid()):
        assert om.refused("spec", "sync", "carts", code="disk_full")
        assert om.api("quests") == []
        assert world.show()["tasks"] == {}
    kill(om.supervisor_pid())
    om.ok("start")
    assert om.api("quests") == []
    assert om.ok("spec", "sync", "carts") == "Synced carts: 2 created, 0 updated, 0 skipped, 0 conflicts, 0 cancelled\n"
    assert world.repository.git("branch", "--list", "spec/*").split() == ["spec/carts"]
    om.ok("queue", "resume")
    world.until("done")
    assert sorted(world.attempts()) == ["TSK-001 1", "TSK-002 1"]


@pytest.mark.linux
@pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts")
def test_a_repository_without_room_is_named_and_nothing_is_queued_until_there_is_some(om):
    with small_disk(om.environment["HOME"]):
        om.ok("queue", "pause")
        world = SpecWorld(om)
        slug = world.new("Carts", "--gates", "none", "--allow", "Bash(true)")
        for phase in ("explore", "requirements", "design", "tasks"):
            _write(world, slug, phase, changed(PhaseName(phase)))
        filler = os.path.join(om.environment["HOME"], "filler")
        with contextlib.suppress(OSError), open(filler, "wb", buffering=0) as file:
            while True:
                file.write(bytes(4096))
        finished = om("spec", "sync", "carts")
        assert finished.returncode == 1
        assert re.match("Error: (disk_full|git_failed): .*spec/carts", finished.stderr, re.DOTALL)
        assert without_waiting(om("spec", "new", "Carts", "--", "true", cwd=world.folder).stderr).startswith(
            "Error: disk_full: "
        )
        assert (om.api("quests"), [one["slug"] for one in om.api("specs")]) == ([], ["carts"])
        os.unlink(filler)
        assert om.ok("spec", "sync", "carts").startswith("Synced carts: 2 created, ")
        om.ok("shutdown", "-y")


FILLS = """#!/bin/sh
# Once the branch of the spec is made, nothing else can be written.
while read -r _ _ ref; do
  if [ "$1 $ref" = "committed refs/heads/spec/carts" ]; then cat /dev/zero > "$HOME/filler" 2> /dev/null; fi
done
exit 0
"""


@pytest.mark.linux
@pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts")
@pytest.mark.parametrize("killed", [False, True])
def test_a_disk_that_is_full_once_the_branch_of_a_spec_is_made_leaves_it_to_the_next_sync(om, killed):
    with small_disk(om.environment["HOME"]):
        om.ok("queue", "pause")
        world = SpecWorld(om)
        slug = world.new("Carts", "--gates", "none", "--allow", "Bash(true)")
        for phase in ("explore", "requirements", "design", "tasks"):
            _write(world, slug, phase, changed(PhaseName(phase)))
        hook = world.repository.path(".git", "hooks", "reference-transaction")
        with open(hook, "w", encoding="utf-8") as file:
            file.write(FILLS)
        os.chmod(hook, 0o755)
        assert "No space left on device" in om.refused("spec", "sync", "carts", code="disk_full")
        assert world.repository.git("branch", "--list", "spec/*").split() == ["spec/carts"]
        assert (om.api("quests"), os.path.exists(world.path("sync.md"))) == ([], False)
        assert [name for name in os.listdir(world.path("")) if name.endswith(".part")] == []
        if killed:
            restarted(om)
        os.unlink(os.path.join(om.environment["HOME"], "filler"))
        assert om.ok("spec", "sync", "carts").startswith("Synced carts: 2 created, ")
        assert world.repository.git("branch", "--list", "spec/*").split() == ["spec/carts"], "it is the same one"
        assert (world.show()["branch"], world.states()["sync"]) == ("spec/carts", "passed")
        om.ok("shutdown", "-y")


def test_a_spec_that_meets_a_full_disk_on_its_way_goes_on_by_itself_once_there_is_room(om, world):
    world.write(phases={"tasks": held(om, PhaseName.TASKS)})
    world.new("Carts", "--gates", "none", "--allow", "Bash(true)")
    world.run()
    has_come(om)
    with full_disk(om.supervisor_pid()):
        go(om)
        eventually(lambda: os.path.exists(world.path("tasks.md")), timeout=60, what="its document is there")
        assert [one for one in om.api("quests") if "TSK" in one["name"]] == []
    world.until("done")
    assert world.attempts() == [*ONCE, "TSK-001 1", "TSK-002 1"], om.events()
