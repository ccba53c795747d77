"""Documents of specs that somebody edits: what is looked at again, what is made again, and what stays."""

from __future__ import annotations

import os
import subprocess

import pytest

from overmind_core.domain.specs.spec import PhaseName
from tests.kit.spec_documents import checked
from tests.kit.specs import SpecWorld, changed, done, handed_in
from tests.kit.waiting import eventually

pytestmark = pytest.mark.own_home
TITLE = "When a visitor adds a book, the shop shall keep it in the visitor's cart."
EDITED = "When a visitor adds a book, the shop shall keep it in the visitor's cart for a week."


@pytest.fixture
def world(om):
    return SpecWorld(om)


def redone(phase):
    """An agent that shows the document which it was given to change, and hands in the same again."""
    return [{"read": f"partial/{phase}.json"}, *handed_in(PhaseName(phase))]


def is_there(path):
    return eventually(lambda: os.path.exists(path), what=f"{path} is there")


def test_after_an_edit_only_later_phases_run_again_ids_stay_and_a_running_task_is_named_as_a_conflict(om, world):
    """Acceptance 29."""
    at, go = om.path("at"), om.path("go")
    world.write(tasks={"TSK-001": [{"touch": at}, {"until": go}, *done("TSK-001")]})
    world.new()
    world.run()
    world.asked("phase")
    world.answer("allow")
    is_there(at)
    first = {name: world.quest(name)["id"] for name in ("carts/TSK-001", "carts/TSK-002")}
    world.edit("requirements.md", TITLE, EDITED)
    assert world.states() == {
        "explore": "passed", "requirements": "passed", "design": "stale", "tasks": "stale", "sync": "stale",
    }  # fmt: skip
    shown = om.ok("spec", "show", "carts")
    assert "↻ design        stale" in shown
    assert world.attempts() == ["explore 1", "requirements 1", "design 1", "tasks 1"], "nothing runs by itself"
    more = checked("true")
    more["tasks"][0]["title"] = "Write the cart anew"
    more["tasks"][1]["title"] = "Store carts for a week"
    world.write(
        phases={
            "design": redone("design"),
            "tasks": [{"read": "partial/tasks.json"}, *handed_in(PhaseName.TASKS, more)],
        }
    )
    assert world.run() == "Spec carts: design queued\n"
    world.asked("phase")
    assert world.attempts()[4:] == ["design 1", "tasks 1"]
    assert '"id": "TSK-001"' in om.ok("logs", world.phase("tasks")["quest"])
    assert '"overview"' in om.ok("logs", world.phase("design")["quest"])
    world.answer("allow")
    eventually(lambda: world.states()["sync"] == "passed", what="it is synced")
    assert {name: world.quest(name)["id"] for name in first} == first
    assert [world.quest(name)["title"] for name in first] == ["Write the cart", "Store carts for a week"]
    synced = om.ok("spec", "sync", "carts").splitlines()
    assert synced == [
        "Synced carts: 0 created, 0 updated, 1 skipped, 1 conflict, 0 cancelled",
        "conflict: carts/TSK-001 has begun, and stays as it is",
    ]
    with open(go, "w"):
        pass
    world.asked("merge")
    assert [one for one in world.attempts() if one.startswith("TSK")] == ["TSK-001 1", "TSK-002 1"]


def test_an_edit_of_the_layout_alone_makes_nothing_stale(om, world):
    """Acceptance 29."""
    world.new()
    world.run()
    question = world.asked("phase")["question"]
    before = world.states()
    text = world.document("requirements.md")
    with open(world.path("requirements.md"), "w", encoding="utf-8") as file:
        file.write(text.replace("\n", "\n\n").replace("- ", "-   "))
    assert world.document("requirements.md") != text
    assert world.states() == before
    assert world.run().startswith(f"Spec carts: waits for question {question}.")
    assert len(world.attempts()) == 4


def test_several_faults_are_told_in_one_line(om, world):
    world.new()
    world.run()
    world.asked("phase")
    world.edit("design.md", world.document("design.md"), "# design\n\n## components\n\nNone\n\n## components\n")
    faults = (
        "design.md:3: there are no components; design.md:5: expected `### NAME` before this; "
        "design.md:7: section 'components' is listed twice, first on line 3\n"
    )
    assert om.refused("spec", "run", "carts", code="invalid") == faults
    assert (
        om.refused("spec", "sync", "carts", code="invalid") == f"design.md of spec carts is not good enough. {faults}"
    )


def test_an_edit_that_does_not_pass_is_told_with_its_line_and_starts_no_agent(om, world):
    """Acceptance 29."""
    world.new()
    world.run()
    world.asked("phase")
    world.edit("requirements.md", "### REQ-CART-002 ", "### REQ-CART-001 ")
    line = next(
        number
        for number, text in enumerate(world.document("requirements.md").splitlines(), 1)
        if text.startswith("### REQ-CART-001 Survive")
    )
    fault = f"requirements.md:{line}: "
    spec = world.show()
    assert (spec["state"], world.phase("requirements")["state"]) == ("failed", "failed")
    assert fault in om.ok("spec", "show", "carts")
    assert om.refused("spec", "run", "carts", code="invalid").startswith(fault)
    assert om.refused("spec", "sync", "carts", code="invalid").count(fault) == 1
    assert len(world.attempts()) == 4
    world.edit("requirements.md", "### REQ-CART-001 Survive", "### REQ-CART-002 Survive")
    assert world.states()["tasks"] == "review"
    assert world.attempts() == ["explore 1", "requirements 1", "design 1", "tasks 1"]


@pytest.mark.parametrize("look", [("list",), ("show", "carts"), ("run", "carts"), ("sync", "carts")])
def test_a_gate_asks_only_while_its_document_passes(om, world, look):
    world.new()
    world.run()
    first = world.asked("phase")["question"]
    world.edit("tasks.md", "### TSK-002 ", "### TSK-001 ")
    om("spec", *look)
    assert om.api("inbox") == []
    assert om.refused("answer", "carts", "allow", code="not_found")
    world.edit("tasks.md", "### TSK-001 Store", "### TSK-002 Store")
    om("spec", *look)
    (question,) = om.api("inbox")
    assert (question["need"], question["part"], world.phase("tasks")["question"]) == (
        "phase", "tasks", question["question"],
    )  # fmt: skip
    assert question["question"] != first
    world.answer("allow")
    assert world.asked("merge")


def test_the_same_result_leaves_later_phases_as_they_are(om, world):
    world.write(tasks={"TSK-001": done("TSK-001")})
    world.new()
    world.run("carts", "--gates", "none")
    world.asked("phase")
    world.answer("allow")
    world.until("done")
    tasks = [world.quest(f"carts/{task}")["id"] for task in ("TSK-001", "TSK-002")]
    assert world.run("carts", "--from", "design") == "Spec carts: design queued\n"
    eventually(lambda: len(world.attempts()) == 7 and world.show()["state"] == "done", what="design ran again")
    assert world.attempts()[6:] == ["design 1"]
    assert [world.quest(f"carts/{task}")["id"] for task in ("TSK-001", "TSK-002")] == tasks


def test_a_person_s_edit_while_an_agent_writes_is_kept_and_the_agent_s_lies_beside_it(om, world):
    """Edited meanwhile: `<phase>.new.md`; allow keeps the person's."""
    at, go = om.path("at"), om.path("go")
    world.new()
    world.run("carts", "--to", "design", "--gates", "none")
    world.until("draft")
    new = changed(PhaseName.DESIGN, errors="The agent's own words about errors.")
    world.write(phases={"design": [{"touch": at}, {"until": go}, *handed_in(PhaseName.DESIGN, new)]})
    assert world.run("carts", "--from", "design") == "Spec carts: design queued\n"
    is_there(at)
    world.edit("design.md", "cart store", "cart cupboard")
    with open(go, "w"):
        pass
    question = world.asked("phase")
    assert question["part"] == "design"
    assert any("design.new.md" in line for line in question["subject"]["lines"])
    assert "cart cupboard" in world.document("design.md")
    assert "The agent's own words" in world.document("design.new.md")
    assert "tasks" not in " ".join(world.attempts())
    world.answer("allow")
    eventually(lambda: "tasks 1" in world.attempts(), what="tasks go on with the person's design")
    assert "cart cupboard" in world.document("design.md")
    assert not os.path.exists(world.path("design.new.md"))


def test_denied_the_agent_works_on_the_person_s_document(om, world):
    """Edited meanwhile: deny has the agent work on that."""
    at, go = om.path("at"), om.path("go")
    world.new()
    world.run("carts", "--to", "design", "--gates", "none")
    world.until("draft")
    new = changed(PhaseName.DESIGN, errors="The agent's own words about errors.")
    world.write(phases={"design": [{"touch": at}, {"until": go}, *handed_in(PhaseName.DESIGN, new)]})
    world.run("carts", "--from", "design")
    is_there(at)
    world.edit("design.md", "cart store", "cart cupboard")
    with open(go, "w"):
        pass
    world.asked("phase")
    both = changed(PhaseName.DESIGN, errors="Both.")
    world.write(phases={
        "design": [{"read": "partial/design.md"}, {"read": "partial/design.new.md"}, {"read": "feedback.md"},
                   *handed_in(PhaseName.DESIGN, both)],
    })  # fmt: skip
    world.answer("deny", "-m", "Use my words, <literally> $HOME.")
    eventually(lambda: world.attempts().count("design 1") == 3, what="design runs again")
    question = world.asked("phase")
    assert "Both." in world.document("design.new.md")
    assert "cart cupboard" in world.document("design.md"), "what a person has written is never replaced"
    (take,) = (line for line in question["subject"]["lines"] if line.startswith("to take the agent's: mv "))
    subprocess.run(["sh", "-c", take.partition(": ")[2]], check=True)
    assert world.states()["design"] == "passed"
    eventually(lambda: "tasks 1" in world.attempts(), what="it goes on with what the person has taken")
    assert "Both." in world.document("design.md")
    assert not os.path.exists(world.path("design.new.md"))
    said = om.ok("logs", world.phase("design")["quest"])
    assert "cart cupboard" in said
    assert "The agent's own words" in said
    assert "Use my words, <literally> $HOME." in said


def test_a_document_that_a_person_has_written_needs_no_agent_and_one_removed_is_made_again(om, world):
    world.new()
    world.run("carts", "--to", "requirements")
    world.until("draft")
    text = world.document("requirements.md")
    os.unlink(world.path("requirements.md"))
    assert world.states()["requirements"] == "pending"
    with open(world.path("requirements.md"), "w") as file:
        file.write(text)
    assert world.states()["requirements"] == "passed"
    assert world.run("carts", "--to", "requirements") == f"unchanged: spec {world.show()['id']} (carts) is draft\n"
    os.unlink(world.path("requirements.md"))
    assert world.run("carts", "--to", "requirements") == "Spec carts: requirements queued\n"
    world.until("draft")
    assert world.attempts() == ["explore 1", "requirements 1", "requirements 1"]
