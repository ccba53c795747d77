"""Tasks of specs as quests: brought to what the document says, all or nothing, and nothing that has begun is lost."""

from __future__ import annotations

import os
from contextlib import contextmanager

import pytest

from overmind_core.domain.specs.markdown import render
from overmind_core.domain.specs.reading import read
from overmind_core.domain.specs.spec import PhaseName
from tests.kit.spec_documents import checked
from tests.kit.specs import SpecWorld, done
from tests.kit.waiting import eventually

pytestmark = pytest.mark.own_home
COUNTED = ("created", "updated", "skipped", "conflicts", "cancelled")


@pytest.fixture
def world(om):
    return SpecWorld(om)


def line(*counts, word="Synced"):
    words = (
        "conflict" if (count, what) == (1, "conflicts") else what for count, what in zip(counts, COUNTED, strict=True)
    )
    said = ", ".join(f"{count} {what}" for count, what in zip(counts, words, strict=True))
    return f"{word} carts: {said}"


def write_tasks(world, value):
    """Have a person write the document of tasks."""
    with open(world.path("tasks.md"), "w", encoding="utf-8") as file:
        file.write(render(read(PhaseName.TASKS, value, title="Carts").document))


def three():
    """Three tasks that need nothing of each other."""
    value = checked("true")
    first, second = value["tasks"]
    third = {**first, "id": "TSK-003", "title": "Write about carts", "creates": ["docs/carts.md"]}
    second.pop("needs")
    second.pop("modifies")
    value["tasks"] = [first, second, third]
    return value


@contextmanager
def nothing_happens(om):
    """No row and no event."""

    def recorded():
        rows = [(one["id"], one["name"], one["status"]) for one in om.api("quests")]
        return rows, om.events(), om.api("inbox")

    before = recorded()
    yield
    assert recorded() == before


def synced(world, value):
    """A spec whose tasks are queued, and which are held."""
    world.om.ok("queue", "slots", "1")
    world.write(
        phases={"tasks": [{"output": "tasks.json", "data": value}]},
        tasks={f"TSK-00{number}": [{"touch": world.om.path(f"at-{number}")}, {"until": world.om.path(f"go-{number}")},
                                   *done(f"TSK-00{number}")] for number in (1, 2, 3)},
    )  # fmt: skip
    world.new()
    world.run("carts", "--to", "tasks")
    world.asked("phase")
    world.answer("allow")
    eventually(lambda: world.states()["tasks"] == "passed", what="tasks have passed")


def go(om, *numbers):
    for number in numbers:
        with open(om.path(f"go-{number}"), "w"):
            pass


def test_sync_creates_then_skips_then_updates_and_a_dry_run_says_the_same_and_does_nothing(om, world):
    """Acceptance 31."""
    synced(world, three())
    with nothing_happens(om):
        assert om.ok("spec", "sync", "carts", "--dry-run") == f"{line(3, 0, 0, 0, 0, word='Would sync')}\n"
        assert not os.path.exists(world.path("sync.md"))
    assert om.ok("spec", "sync", "carts") == f"{line(3, 0, 0, 0, 0)}\n"
    eventually(lambda: os.path.exists(om.path("at-1")), what="the first runs")
    assert sorted(one["name"] for one in om.api("quests") if "TSK" in one["name"]) == [
        "carts/TSK-001", "carts/TSK-002", "carts/TSK-003",
    ]  # fmt: skip
    for words in (("--dry-run",), ()):
        with nothing_happens(om):
            assert (
                om.ok("spec", "sync", "carts", *words).split(": ")[1]
                == "0 created, 0 updated, 3 skipped, 0 conflicts, 0 cancelled\n"
            )
    changed = three()
    for task in changed["tasks"][:2]:
        task["title"] += " anew"
    del changed["tasks"][2]
    write_tasks(world, changed)
    assert om.refused("spec", "sync", "carts", code="invalid").startswith("tasks.md of spec carts is in review.")
    world.run("carts", "--to", "tasks")
    world.asked("phase")
    world.answer("allow")
    conflict = "conflict: carts/TSK-001 has begun, and stays as it is"
    with nothing_happens(om):
        planned = om.ok("spec", "sync", "carts", "--dry-run").splitlines()
    assert planned == [line(0, 1, 0, 1, 1, word="Would sync"), conflict]
    assert om.ok("spec", "sync", "carts").splitlines() == [line(0, 1, 0, 1, 1), conflict]
    assert {name: world.quest(f"carts/{name}")["status"] for name in ("TSK-001", "TSK-002", "TSK-003")} == {
        "TSK-001": "running", "TSK-002": "queued", "TSK-003": "cancelled",
    }  # fmt: skip
    assert world.quest("carts/TSK-001")["title"] == "Write the cart"
    assert world.quest("carts/TSK-002")["title"] == "Store carts anew"
    go(om, 1)
    eventually(lambda: world.quest("carts/TSK-001")["status"] == "completed", what="it has completed")
    gone = three()
    gone["tasks"] = [
        {**gone["tasks"][1], "title": "Store carts anew", "requirements": ["REQ-CART-001", "REQ-CART-002"]}
    ]
    write_tasks(world, gone)
    world.run("carts", "--to", "tasks")
    world.answer("allow")
    said = om.ok("spec", "sync", "carts").splitlines()
    assert said[0] in {line(0, 1, 0, 0, 0), line(0, 0, 0, 1, 0)}
    assert world.quest("carts/TSK-001")["status"] == "completed", "what is done stays, also where its task is gone"
    go(om, 2)
    world.asked("merge")


def test_a_task_whose_quest_failed_is_tried_again_when_it_is_changed(om, world):
    value = three()
    value["tasks"][0]["check"] = "false"
    world.write(phases={"tasks": [{"output": "tasks.json", "data": value}]}, tasks={"TSK-003": done("TSK-003")})
    world.new("Carts", "--retries", "0", "--gates", "none")
    world.run()
    world.asked("phase")
    world.answer("allow")
    world.until("stuck")
    failed = world.quest("carts/TSK-001")
    assert failed["status"] == "failed"
    value["tasks"][0]["check"] = "true"
    write_tasks(world, value)
    world.run()
    assert world.until("done")
    again = world.quest("carts/TSK-001")
    assert (again["id"], again["status"], again["round"]) == (failed["id"], "completed", 2)


def test_a_file_that_is_gone_before_a_sync_is_a_fault_and_nothing_is_queued(om, world):
    synced(world, three())
    os.unlink(world.path("tasks.md"))
    assert om.refused("spec", "sync", "carts", code="invalid").startswith("tasks.md of spec carts is missing.")
    assert [one for one in om.api("quests") if "TSK" in one["name"]] == []


def test_a_branch_of_the_spec_s_name_is_left_alone(om, world):
    world.repository.git("branch", "spec/carts")
    before = world.repository.git("rev-parse", "spec/carts")
    world.repository.commit("second", {"README.md": "second\n"})
    world.write(tasks={"TSK-003": done("TSK-003")})
    world.new("Carts", "--gates", "none", "--allow", "Bash(true)")
    world.run()
    assert world.until("done")["branch"] == "spec/carts-2"
    assert world.repository.git("rev-parse", "spec/carts") == before


def test_a_task_whose_branch_refuses_it_keeps_its_spec_stuck_until_a_person_clears_the_way(om, world):
    go = om.path("go")
    world.write(tasks={"TSK-001": [{"until": go}, *done("TSK-001")]})
    world.new("Carts", "--gates", "none", "--allow", "Bash(true)")
    world.run()
    eventually(lambda: world.quests().get("carts/TSK-001") == "running", 60, what="the task runs")
    other = world.repository.worktree("spec/carts")
    other.write({"shop/TSK-001.txt": "mine\n"})
    with open(go, "w", encoding="utf-8"):
        pass
    question = world.asked("merge", "queue")
    assert question["part"] == "spec/carts"
    shown = world.show()
    assert shown["state"] == "stuck"
    assert [(one["name"], one["status"], one["why"]) for one in shown["waits"]] == [
        ("carts/TSK-001", "running", "dirty")
    ]
    assert "    see: overmind quest why carts/TSK-001" in om.ok("spec", "show", "carts").splitlines()
    (way,) = [line.partition(": ")[2] for line in om.ok("why", "carts/TSK-001").splitlines() if " go on with: " in line]
    assert world.run().endswith(f" (carts) is stuck\n  go on with: {way}\n")
    os.unlink(other.path("shop", "TSK-001.txt"))
    assert world.until("done")["landed"]["branch"] == "main"


def test_what_is_added_after_a_landing_lands_too(om, world):
    world.write(tasks={"TSK-003": done("TSK-003")})
    world.new("Carts", "--allow", "Bash(true)", "--gates", "none")
    world.run()
    first = world.until("done")["landed"]
    value = checked("true")
    value["tasks"].append(
        {**value["tasks"][0], "id": "TSK-003", "title": "Write about carts", "creates": ["docs/carts.md"]}
    )
    write_tasks(world, value)
    assert world.run() == "Spec carts: 1 task queued\n"
    second = eventually(
        lambda: (landed := world.show()["landed"]) and landed != first and landed, 30, what="it landed again"
    )
    assert second["before"] == first["after"]
    assert world.repository.git("rev-parse", "main") == second["after"]
    assert os.path.exists(os.path.join(world.folder, "shop", "TSK-003.txt"))
    assert world.show()["drift"] == []


def test_without_git_tasks_run_one_at_a_time_in_the_folder_and_nothing_lands(om):
    world = SpecWorld(om, git=False)
    value = three()
    for task in value["tasks"]:
        task["modifies"] = ["shop/app.py"]
    held = [{"call": "mkdir ~/alone && sleep 0.1 && rmdir ~/alone && echo '# with carts' >> shop/app.py"}]
    world.write(
        phases={"tasks": [{"output": "tasks.json", "data": value}]},
        tasks={f"TSK-00{number}": [*held, *done(f"TSK-00{number}")] for number in (1, 2, 3)},
    )
    world.new("Carts", "--gates", "none", "--allow", "Bash(true)", "--retries", "0")
    world.run()
    spec = world.until("done")
    assert (spec["branch"], spec["landed"], spec["tasks"]) == (None, None, {"completed": 3})
    assert sorted(os.listdir(os.path.join(world.folder, "shop")))[:3] == ["TSK-001.txt", "TSK-002.txt", "TSK-003.txt"]
    assert spec["drift"] == []
