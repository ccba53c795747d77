"""Gates of specs: nothing behind one begins before a person has answered, and new commands open one by themselves."""

from __future__ import annotations

import os
from functools import partial

import pytest

from overmind_core.domain.specs.spec import PhaseName
from tests.kit import claude, scripted
from tests.kit.spec_documents import checked
from tests.kit.specs import SpecWorld, done, handed_in
from tests.kit.waiting import eventually

pytestmark = pytest.mark.own_home
WORDS = "Split TSK-001 in two;\n`rm -rf /` stays\tas <text> $HOME"


@pytest.fixture
def world(om):
    return SpecWorld(om)


def passed(world, phase):
    return world.phase(phase)["state"] == "passed"


def task_quests(om):
    return sorted(one["name"] for one in om.api("quests") if "/TSK-" in one["name"])


def test_while_the_gate_tasks_is_open_no_task_is_queued_and_deny_has_its_phase_run_again(om, world):
    """Acceptance 30."""
    world.new()
    world.run()
    question = world.asked("phase")
    assert (question["part"], world.states()["tasks"], world.show()["state"]) == ("tasks", "review", "review")
    assert task_quests(om) == []
    assert om.refused("spec", "sync", "carts", code="invalid").startswith("tasks.md of spec carts is in review.")
    assert om.ok("spec", "sync", "carts", "--dry-run").startswith("Would sync carts: 2 created, 0 updated")
    world.write(phases={"tasks": [{"read": "feedback.md"}, *handed_in(PhaseName.TASKS, checked("true # twice"))]})
    world.answer("deny", "-m", WORDS)
    again = eventually(
        lambda: [one for one in om.api("inbox") if one["question"] != question["question"]], what="it is asked anew"
    )[0]
    assert again["part"] == "tasks"
    made = {row["id"]: row["reason"] for row in om.api("quests") if row["name"] == "carts/tasks"}
    assert {made.pop(world.phase("tasks")["quest"]), *made.values()} == {None, "denied"}
    assert world.attempts()[4:] == ["tasks 1"]
    assert WORDS in om.ok("logs", world.phase("tasks")["quest"])
    assert task_quests(om) == []
    world.answer("allow")
    world.asked("merge")
    assert task_quests(om) == ["carts/TSK-001", "carts/TSK-002"]


def test_what_is_reported_beside_the_tasks_is_counted_apart(om, world):
    world.script["*"] = [{"write": "shop/report.txt", "text": "mended"}]
    world.write(tasks={"TSK-001": [*done("TSK-001"), {"report": "bug", "text": "Books are lost"}]})
    world.new("Carts", "--gates", "none", "--allow", "Bash(true)")
    world.run()
    spec = world.until("done")
    assert (spec["tasks"], spec["reported"]) == ({"completed": 2}, {"completed": 1})
    assert {"tasks: 2 completed", "reported: 1 completed"} <= set(om.ok("spec", "show", "carts").splitlines())


def test_all_tasks_are_queued_in_one_commit_with_what_their_document_says(om, world):
    """Acceptance 30: `allow`."""
    om.ok("queue", "slots", "1")
    world.write(tasks={"TSK-001": [{"until": om.path("go")}]})
    world.new()
    world.run()
    world.asked("phase")
    world.answer("allow")
    eventually(lambda: task_quests(om), what="tasks are queued")
    assert task_quests(om) == ["carts/TSK-001", "carts/TSK-002"]
    first, second = (world.quest(f"carts/{name}") for name in ("TSK-001", "TSK-002"))
    assert (first["owns"], second["owns"]) == (
        ["shop/cart.py", "tests/test_cart.py"], ["shop/cart_store.py", "shop/app.py", "shop/cart.py"],
    )  # fmt: skip
    assert (first["priority"], first["check"], first["group"], first["into"]) == (
        "high",
        "true",
        "TKT-001",
        "spec/carts",
    )
    assert [one["name"] for one in second["needs"]] == ["carts/TSK-001"]
    assert second["estimate_seconds"] == 5400
    with open(om.path("go"), "w"):
        pass


def test_a_gate_opens_anew_when_its_document_has_changed_and_not_without(om, world):
    world.new("Carts", "--gates", "design")
    world.run("carts", "--to", "design")
    first = world.asked("phase")
    assert first["part"] == "design"
    world.edit("design.md", "cart store", "cart cupboard")
    assert world.run("carts", "--to", "design").startswith("Spec carts: waits for question")
    second = world.asked("phase")
    assert second["question"] != first["question"]
    om.refused("answer", str(first["question"]), "allow", code="not_found")
    world.answer("allow")
    world.until("draft")
    assert world.run("carts", "--to", "design").startswith("unchanged: spec ")
    world.edit("design.md", "cart cupboard", "cart drawer")
    assert world.states()["design"] == "review"


@pytest.mark.parametrize(
    ("options", "command", "asked"),
    [
        (("--gates", "none"), "pytest -q", True),
        (("--gates", "none", "--allow", "Bash(pytest:*)"), "pytest -q", False),
        (("--gates", "none", "--allow", "Bash(pytest:*)"), "pytest -q; true", True),
        (("--gates", "none", "--allow", "Bash(pytest:*)"), "true", True),
    ],
    ids=["unknown", "allowed", "allowed and more", "another"],
)
def test_a_new_command_is_asked_about_even_without_gates_unless_a_rule_knows_it(om, world, options, command, asked):
    """Acceptance 34."""
    world.write(phases={"tasks": handed_in(PhaseName.TASKS, checked(command))})
    world.new("Carts", *options)
    om.ok("queue", "pause")
    world.run()
    om.ok("queue", "resume")
    if asked:
        question = world.asked("phase")
        assert question["subject"]["commands"] == [command]
        assert f"new command: {command}" in question["subject"]["lines"]
        assert task_quests(om) == []
    else:
        eventually(lambda: task_quests(om), what="tasks are queued")
        assert [one for one in om.api("inbox") if one["need"] == "phase"] == []


def test_what_a_person_has_allowed_is_not_asked_again_and_what_is_new_is(om, world):
    world.new("Carts", "--gates", "none")
    world.run()
    assert world.asked("phase")["subject"]["commands"] == ["true"]
    world.answer("allow")
    world.until("done")
    more = checked("true")
    more["tasks"][0]["title"] = "Write the cart anew"
    world.write(phases={"tasks": handed_in(PhaseName.TASKS, more)})
    world.run("carts", "--from", "tasks")
    eventually(lambda: world.attempts().count("tasks 1") == 2 and world.show()["state"] == "done", what="it is synced")
    assert om.api("inbox") == []
    more["tasks"][1]["check"] = "rm -rf ."
    world.write(phases={"tasks": handed_in(PhaseName.TASKS, more)})
    world.run("carts", "--from", "tasks")
    assert world.asked("phase")["subject"]["commands"] == ["rm -rf ."]


def test_a_rule_that_denies_a_command_wins_and_is_told_as_a_fault_with_its_line(om, world):
    """Acceptance 34: deny wins over allow."""
    world.write(phases={
        "tasks.1": [*handed_in(PhaseName.TASKS, checked("rm -rf /tmp/x"))],
        "tasks.2": [{"read": "feedback.md"}, *handed_in(PhaseName.TASKS, checked("pytest -q"))],
    })  # fmt: skip
    world.new("Carts", "--gates", "none", "--allow", "Bash", "--deny", "Bash(rm:*)")
    world.run()
    eventually(lambda: task_quests(om), what="tasks are queued")
    told = om.ok("logs", "carts/tasks", "--run", "2")
    assert "the rule Bash(rm:*) denies the check of TSK-001, TSK-002" in told
    assert "tasks.json:" in told
    assert [one for one in om.api("inbox") if one["need"] == "phase"] == []


def test_the_rules_of_the_configuration_judge_checks_too(om):
    world = SpecWorld(om, settings='[permissions]\nallow = ["Bash(true)"]\n')
    world.new("Carts", "--gates", "none")
    world.run()
    assert world.until("done")["landed"]["branch"] == "main"
    assert om.api("inbox") == []
    assert om.events("asked") == []


def test_the_gate_of_the_tasks_says_what_they_cost_by_what_such_work_has_cost(om, tmp_path):
    claude.at_hand(om, tmp_path)
    world = SpecWorld(om)
    for phase in ("explore", "requirements", "design", "tasks"):
        world.write(phases={phase: [{"cost": 0.25}, *handed_in(PhaseName(phase))]})
    scripted.behind(om, os.path.join(om.environment["HOME"], "script.json"))
    world.write(quests={"feature-1": [{"cost": 0.4}], "feature-2": [{"cost": 0.5}], "feature-3": [{"cost": 0.9}]})
    for number in (1, 2, 3):
        om.ok("quest", "add", f"Feature {number}", "--provider", "claude", "--label", "type=feature", cwd=world.folder)
    om.ok("quest", "wait", "feature-1", "feature-2", "feature-3")
    om.ok("spec", "new", "Carts", "--provider", "claude", cwd=world.folder)
    world.run()
    question = world.asked("phase")
    assert "2 tasks, 3.5 hours, about $1.00" in question["subject"]["lines"]
    assert question["subject"]["cost_usd"] == 1.0
    assert {one["provider"] for one in om.api("quests")} == {"claude"}


def test_every_gate_asks_in_its_turn_and_a_merge_that_is_denied_waits_for_a_run(om, world):
    world.new("Carts", "--gates", "all")
    world.run()
    for phase in ("explore", "requirements", "design", "tasks"):
        assert world.asked("phase")["part"] == phase
        world.answer("allow")
        eventually(partial(passed, world, phase), what=f"{phase} has passed")
    world.asked("merge")
    traces = world.repository.git("rev-parse", "main", "spec/carts")
    world.answer("deny", "-m", "not yet")
    assert world.until("stuck")["landed"] is None
    assert world.repository.git("rev-parse", "main", "spec/carts") == traces
    assert om.api("inbox") == []
    world.run()
    world.asked("merge")
    world.answer("allow")
    assert world.until("done")["landed"]["branch"] == "main"


def test_what_was_allowed_to_land_before_something_changed_is_asked_about_again(om, world):
    world.new("Carts", "--gates", "merge")
    world.run()
    world.asked("phase")  # about the commands of its checks
    world.answer("allow")
    first = world.asked("merge")
    before = world.repository.git("rev-parse", "main")
    world.edit("design.md", "cart store", "cart cupboard")
    om.ok("answer", str(first["question"]), "allow")
    eventually(lambda: world.show()["state"] != "landing", what="it lands nothing")
    assert (world.show()["landed"], world.repository.git("rev-parse", "main")) == (None, before)
    om.ok("spec", "accept", "carts")
    assert world.asked("merge")["question"] != first["question"]
    world.answer("allow")
    assert world.until("done")["landed"]["branch"] == "main"


def test_unknown_gates_phases_and_thresholds_are_refused_and_nothing_is_recorded(om, world):
    cases = [
        (("--gates", "taks"), "Unknown gate 'taks'"),
        (("--gates", ""), "Missing gates"),
        (("--gates", "none,tasks"), "Unknown gate 'none'"),
        (("--verify", " "), ""),
        (("--max-cost", "-1"), ""),
        (("--retries", "-1"), ""),
        (("--retries", "101"), "--retries 101 is too many; the limit is 100."),
        (("--base", "nowhere"), "nowhere"),
        (("--allow", "Bash("), "Bash("),
    ]
    for options, told in cases:
        finished = om("spec", "new", "Carts", *options, "--", *world.command, cwd=world.folder)
        assert finished.returncode in {1, 2}, options
        assert told in finished.stderr, (options, finished.stderr)
    assert om("spec", "new", "Carts", "--threshold", "1.5", "--", "true", cwd=world.folder).returncode == 2
    assert om.api("specs") == []
    assert om.events("spec") == []
    assert not os.path.exists(os.path.join(world.folder, ".overmind"))
    world.new()
    assert om.refused("spec", "run", "carts", "--from", "taks", code="not_found").startswith("No phase 'taks'")
    assert om.refused("spec", "run", "carts", "--to", "x", code="not_found").startswith("No phase 'x'")
    backwards = om.refused("spec", "run", "carts", "--from", "design", "--to", "explore", code="invalid")
    assert backwards == "--to explore comes before --from design: nothing would run.\n"
    assert om.refused("spec", "run", "nobody", code="not_found") == (
        "No spec named 'nobody'. See them with: overmind spec list\n"
    )
    assert world.show()["state"] == "draft"
    assert world.attempts() == []


def test_a_gate_that_is_denied_takes_no_row_file_branch_or_worktree_away(om, world):
    """Acceptance 37: of `phase`."""
    world.new("Carts", "--gates", "design")
    world.run()
    assert world.asked("phase")["part"] == "design"
    world.write(
        phases={"design": [{"touch": om.path("again")}, {"until": om.path("go")}, *handed_in(PhaseName.DESIGN)]}
    )
    eventually(
        lambda: len(everything(om, world)["worktrees"]) == 1, what="those of its phases are dropped: they are clean"
    )
    before, design = everything(om, world), world.document("design.md")
    world.answer("deny", "-m", "smaller")
    eventually(lambda: os.path.exists(om.path("again")), what="the phase runs again")
    after = everything(om, world)
    assert {name: there - after[name] for name, there in before.items()} == {name: set() for name in before}
    assert world.document("design.md") == design
    with open(om.path("go"), "w"):
        pass
    assert world.asked("phase")["part"] == "design"


def everything(om, world):
    """What is there, by its kind."""
    return {
        "quests": {one["id"] for one in om.api("quests")},
        "missions": {one["id"] for one in om.api("ps", all=True)},
        "documents": set(os.listdir(os.path.dirname(world.path("brief.md")))),
        "branches": set(world.repository.git("branch", "--format=%(refname)").split()),
        "worktrees": {one.split()[0] for one in world.repository.git("worktree", "list").splitlines()},
    }
