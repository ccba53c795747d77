"""Specs over time: files that drift, clones that go on elsewhere, and specs that are put away."""

from __future__ import annotations

import os
import shutil

import pytest

from overmind_core.domain.specs.spec import PhaseName
from tests.kit.repositories import Repository
from tests.kit.spec_documents import checked
from tests.kit.specs import SpecWorld, done, handed_in
from tests.kit.waiting import eventually

pytestmark = pytest.mark.own_home


@pytest.fixture
def world(om):
    return SpecWorld(om)


def write(world, name, text):
    with open(os.path.join(world.folder, name), "w", encoding="utf-8") as file:
        file.write(text)


def test_a_key_file_that_changes_is_named_as_drift_nothing_runs_and_accept_clears_it(om, world):
    """Acceptance 32."""
    world.new()
    world.run("carts", "--to", "requirements")
    world.until("draft")
    assert world.show()["drift"] == []
    write(world, "shop/store.py", "changed\n")
    os.unlink(os.path.join(world.folder, "tests/test_app.py"))
    events = om.events()
    shown = om.ok("spec", "show", "carts").splitlines()
    at = shown.index("drift: 2 of 3 files")
    assert shown[at + 1 : at + 4] == [
        "  shop/store.py",
        "  tests/test_app.py",
        "  go on with: overmind spec accept carts, or spec run carts --from explore",
    ]
    assert world.show()["drift"] == ["shop/store.py", "tests/test_app.py"]
    assert world.states()["explore"] == "passed"
    assert om.events() == events
    assert om.ok("spec", "accept", "carts") == "Accepted carts: 2 files as they are now\n"
    assert world.show()["drift"] == []
    assert om.ok("spec", "accept", "carts") == "Accepted carts: 0 files as they are now\n"
    assert world.attempts() == ["explore 1", "requirements 1"]


def test_what_its_own_tasks_have_landed_is_no_drift_and_what_changes_afterwards_is(om, world):
    """Drift: a completed task knows the hashes of those files that it landed."""
    world.write(tasks={"TSK-001": [{"write": "shop/app.py", "text": "with carts\n"}, *done("TSK-001")]})
    world.new("Carts", "--gates", "none", "--allow", "Bash(true)")
    world.run()
    world.until("done")
    spec = world.show()
    assert (spec["drift"], spec["drift_of"]) == ([], 5)
    write(world, "shop/TSK-002.txt", "changed\n")
    assert world.show()["drift"] == ["shop/TSK-002.txt"]
    assert om.ok("spec", "accept", "carts") == "Accepted carts: 1 file as it is now\n"
    assert world.show()["drift"] == []


def test_an_edit_after_the_landing_leaves_a_spec_done_and_can_be_taken_as_harmless(om, world):
    world.new("Carts", "--gates", "tasks", "--allow", "Bash(true)")
    world.run()
    world.asked("phase")
    world.answer("allow")
    world.until("done")
    attempts = world.attempts()
    for edited, first in (("brief.md", "explore"), ("requirements.md", "design"), ("tasks.md", "tasks")):
        with open(world.path(edited), "a") as file:
            file.write("\nA typo less.\n" if edited == "brief.md" else "")
        if edited != "brief.md":
            world.edit(edited, "cart", "basket")
        spec = world.show()
        assert (spec["state"], spec["changed_since"]) == ("done", first), edited
        shown = om.ok("spec", "show", "carts")
        assert shown.startswith("carts  done, changed since  Carts\n")
        assert "overmind spec accept carts" in shown
        assert "overmind spec run carts" in shown
        assert om.ok("spec", "list").splitlines()[1].endswith("  changed since  Carts")
        assert om.api("inbox") == []
        assert f"{first}, " in om.ok("spec", "accept", "carts") or first == "tasks"
        assert (world.show()["state"], world.show()["changed_since"]) == ("done", None), edited
        assert set(world.states().values()) == {"passed"}
    world.edit("requirements.md", "### REQ-CART-002 ", "### REQ-CART-001 ")
    assert world.show()["state"] == "done"
    assert "requirements.md:" in om.refused("spec", "accept", "carts", code="invalid")
    assert world.attempts() == attempts


def test_a_clone_with_the_folder_goes_on_where_its_documents_are(om, world):
    """Acceptance 33."""
    world.new()
    world.run("carts", "--to", "design")
    world.until("draft")
    world.repository.commit("the spec", {})
    clone = f"{world.folder}-clone"
    world.repository.git("clone", "-q", world.folder, clone)
    other = os.path.join(clone, ".overmind", "specs", "carts")
    made = om.ok("spec", "new", "--from", ".overmind/specs/carts", "--", *world.command, cwd=clone)
    assert made.endswith("(carts-2)\n")
    assert world.states("carts-2") == {
        "explore": "passed", "requirements": "passed", "design": "passed", "tasks": "pending", "sync": "pending",
    }  # fmt: skip
    spec = world.show("carts-2")
    assert (spec["folder"], spec["title"], spec["state"]) == (other, "Carts", "draft")
    assert world.run("carts-2") == "Spec carts-2: tasks queued\n"
    world.asked("phase", "carts-2")
    assert world.attempts()[3:] == ["tasks 1"]
    world.answer("allow", slug="carts-2")
    world.asked("merge", "carts-2")
    world.answer("allow", slug="carts-2")
    world.until("done", slug="carts-2")
    assert os.path.exists(os.path.join(clone, "shop", "TSK-002.txt"))
    assert not os.path.exists(os.path.join(world.folder, "shop", "TSK-002.txt"))
    assert om.refused("spec", "new", "--from", other, "--", "true", code="name_taken", cwd=clone).startswith(
        f"{other} is spec carts-2 already."
    )


def test_documents_that_do_not_pass_are_made_again_by_who_takes_up_a_folder(om, world):
    world.new()
    world.run("carts", "--to", "tasks")
    world.asked("phase")
    clone = f"{world.folder}-clone"
    passing = shutil.ignore_patterns("worktrees", "overmind", "*.lock")  # of attempts, and of git that deletes branches
    shutil.copytree(world.folder, clone, ignore=passing)
    path = os.path.join(clone, ".overmind", "specs", "carts", "requirements.md")
    with open(path, "w") as file:
        file.write("# requirements: Carts\n\nnothing\n")
    om.ok("spec", "new", "--from", os.path.dirname(path), "--", *world.command, cwd=clone)
    states = world.states("carts-2")
    assert (states["explore"], states["requirements"]) == ("passed", "pending")
    assert world.run("carts-2", "--to", "requirements") == "Spec carts-2: requirements queued\n"
    world.until("failed", slug="carts-2")
    assert world.attempts()[4:] == ["requirements 1"]
    nothing, beside = world.show("carts-2")["phases"][1]["faults"]
    assert nothing.startswith("requirements.md:")
    assert beside.endswith("to take that: mv requirements.new.md requirements.md")
    os.replace(path.replace(".md", ".new.md"), path)
    world.until("draft", slug="carts-2")
    assert world.attempts()[5:] == []


def test_only_a_folder_of_documents_is_taken_up(om, world):
    for given, told in (
        ("nowhere", "There is no folder"),
        ("README.md", "There is no folder"),
        ("shop", "Specs are in .overmind/specs/ of a repository"),
        ("../..", "Specs are in .overmind/specs/ of a repository"),
    ):
        assert told in om.refused("spec", "new", "--from", given, "--", "true", code="not_found", cwd=world.folder)
    assert om.api("specs") == []


def test_nothing_of_an_archived_spec_is_leased_why_says_so_and_undo_frees_it(om, world):
    """Acceptance 35."""
    at, go = om.path("at"), om.path("go")
    world.write(tasks={"TSK-001": [{"touch": at}, {"until": go}, *done("TSK-001")]})
    world.new("Carts", "--gates", "tasks")
    world.run()
    world.asked("phase")
    world.answer("allow")
    eventually(lambda: os.path.exists(at), what="the first task runs")
    assert om.ok("spec", "archive", "carts") == "Archived carts: 1 queued quest is held\n"
    assert om.ok("spec", "archive", "carts") == "Archived carts: 1 queued quest is held\n"
    with open(go, "w"):
        pass
    eventually(lambda: world.quest("carts/TSK-001")["status"] == "completed", what="what ran goes on")
    assert om.api("quest_why", id="carts/TSK-002")["code"] == "held"
    why = om.ok("quest", "why", "carts/TSK-002").splitlines()
    assert why[:2] == [
        "carts/TSK-002 is queued: held: spec carts is archived",
        "  go on with: overmind spec archive carts --undo",
    ]
    assert om.refused("spec", "run", "carts", code="gone").endswith("overmind spec archive carts --undo\n")
    assert [one["slug"] for one in om.api("specs")] == []
    assert om.ok("spec", "list", "--all").splitlines()[1].split()[:2] == ["carts", "archived"]
    om.ok("shutdown", "--keep")
    om.ok("start")
    assert world.quest("carts/TSK-002")["status"] == "queued"
    assert om.ok("spec", "archive", "carts", "--undo") == "Restored carts: 1 queued quest is free\n"
    assert world.until("done")["landed"]["branch"] == "main"
    assert world.attempts()[4:] == ["TSK-001 1", "TSK-002 1"]


def test_who_waits_for_a_spec_that_is_archived_is_told(om, world):
    world.write(phases={"explore": [{"touch": om.path("at")}, {"until": om.path("go")}, *handed_in(PhaseName.EXPLORE)]})
    world.new()
    waiting = om.popen("spec", "run", "carts", "--wait")
    eventually(lambda: os.path.exists(om.path("at")), what="explore runs")
    om.ok("spec", "archive", "carts")
    assert waiting.wait(timeout=20) == 1
    assert waiting.stdout.read().splitlines()[-1] == "Spec carts: archived"
    assert "Spec carts was archived. Take it back with: overmind spec archive carts --undo\n" in waiting.stderr.read()
    with open(om.path("go"), "w"):
        pass
    eventually(lambda: world.quest("carts/explore")["status"] == "completed", what="what ran goes on")
    assert world.attempts() == ["explore 1"]


def test_a_spec_is_waited_for_with_a_line_for_each_phase_and_task_and_an_exit_code(om, world):
    world.new("Carts", "--gates", "none", "--allow", "Bash(true)")
    finished = om("spec", "run", "carts", "--wait")
    assert finished.returncode == 0, finished
    first, *meanwhile = finished.stderr.splitlines()
    assert first == "Spec carts: explore queued"
    assert [line for line in meanwhile if not line.startswith("waits for carts/")] == []
    lines = [line.split("  ") for line in finished.stdout.splitlines()]
    assert [line[:2] for line in lines[:5]] == [
        [phase, "passed"] for phase in ("explore", "requirements", "design", "tasks", "sync")
    ]
    assert [line[2:4] for line in lines[:4]] == [["1.00", "attempt 1"]] * 4
    assert [line[:3] for line in lines[5:-1]] == [
        ["TSK-001", "completed", "attempt 1"], ["TSK-002", "completed", "attempt 1"],
    ]  # fmt: skip
    assert lines[-1] == ["Spec carts: done"]
    again = om("spec", "run", "carts", "--wait")
    assert (again.returncode, again.stdout) == (0, "Spec carts: done\n")


def test_a_spec_that_fails_is_waited_for_with_exit_code_1(om, world):
    world.write(phases={"requirements": []})
    world.new("Carts", "--retries", "0")
    finished = om("spec", "run", "carts", "--wait")
    assert finished.returncode == 1
    assert [line.split("  ")[:2] for line in finished.stdout.splitlines()] == [
        ["explore", "passed"], ["requirements", "failed"], ["Spec carts: failed"],
    ]  # fmt: skip
    world.write(phases={"requirements": handed_in(PhaseName.REQUIREMENTS)}, tasks={"TSK-001": [{"exit": 3}]})
    world.write(phases={"tasks": handed_in(PhaseName.TASKS, checked("true"))})
    om.refused("spec", "sync", "carts", code="invalid")
    waiting = om.popen("spec", "run", "carts", "--gates", "none", "--wait")
    world.asked("phase")
    world.answer("allow")
    assert waiting.wait(timeout=60) == 3, "nothing goes on without a person"
    said = [line.split("  ")[:2] for line in waiting.stdout.read().splitlines()]
    assert said[-2:] == [["TSK-001", "failed"], ["Spec carts: stuck"]]
    assert Repository(world.folder).git("log", "--format=%s", "main") == "first"


def test_an_archived_spec_asks_about_no_quest_that_has_failed(om, world):
    om.ok("spec", "new", "Bar", "--brief", "x", "--", "sh", "-c", "exec /nothing/here", cwd=world.folder)
    om.ok("spec", "run", "bar", cwd=world.folder)
    eventually(lambda: [one["need"] for one in om.json("inbox", "--json")] == ["stuck"], timeout=15)
    assert om.ok("spec", "archive", "bar") == "Archived bar: 0 queued quests are held\n"
    assert om.json("inbox", "--json") == []
    om.ok("spec", "archive", "bar", "--undo")
    (quest,) = om.json("quest", "list", "--json")
    assert quest["status"] == "failed"
    assert f"overmind quest retry {quest['name']}" in om.ok("quest", "why", quest["name"])
