"""Specs: from a brief to work that has landed, with agents that write documents, and a person at the gates."""

from __future__ import annotations

import os
import re

import pytest

from overmind_core.domain.specs.spec import PhaseName
from tests.kit.spec_documents import checked
from tests.kit.specs import SpecWorld, handed_in

pytestmark = pytest.mark.own_home


@pytest.fixture
def world(om):
    return SpecWorld(om)


def test_a_spec_from_its_brief_to_work_that_has_landed(om, world):
    verified = ("--verify", 'test -e shop/TSK-001.txt && echo "$OVERMIND_MISSION_NAME" >> ~/verified')
    created = om.ok(
        "spec", "new", "Carts", "--brief", "Visitors want carts.", *verified, "--", *world.command, cwd=world.folder
    )
    (spec,) = re.findall(r"^Spec created: ([0-9a-f]{8}) \(carts\)\n$", created)
    assert world.document("brief.md") == "# Carts\n\nVisitors want carts.\n"
    assert world.show()["state"] == "draft"
    assert world.run() == "Spec carts: explore queued\n"
    question = world.asked("phase")
    assert (question["part"], question["subject"]["tasks"], question["subject"]["hours"]) == ("tasks", 2, 3.5)
    assert question["subject"]["commands"] == ["true"]
    number = question["question"]
    gate = f"  waits for you: question {number} (gate of carts/tasks): overmind answer {number} allow"
    assert om.ok("quest", "why", "carts/tasks").splitlines() == ["carts/tasks has completed", gate]
    assert om.ok("quest", "why", "carts/design").splitlines() == ["carts/design has completed"]
    number = question["question"]
    assert world.run() == f"Spec carts: waits for question {number}. Answer it with: overmind answer {number} allow\n"
    assert world.attempts() == ["explore 1", "requirements 1", "design 1", "tasks 1"]
    assert world.answer("allow") == f"Answered question {question['question']} of carts (tasks): allow\n"
    merge = world.asked("merge")
    assert merge["subject"]["lines"][0] == "4 commits, 2 files, no conflict"
    assert "carts/TSK-001 changed 1 file not its own: shop/TSK-001.txt" in merge["subject"]["lines"]
    assert world.repository.git("log", "--format=%s", "main") == "first"
    assert world.quest("carts/TSK-002")["landed"]["branch"] == "spec/carts"
    world.answer("allow")
    assert world.until("done")["landed"]["branch"] == "main"
    with open(os.path.join(om.environment["HOME"], "verified"), encoding="utf-8") as file:
        assert file.read().splitlines() == ["carts/TSK-001/verify", "carts/TSK-002/verify", "carts/verify"]
    assert [one["need"] for one in om.events("asked")] == ["phase", "merge"]
    assert sorted(os.listdir(os.path.join(world.folder, "shop"))) == [
        "TSK-001.txt",
        "TSK-002.txt",
        "app.py",
        "store.py",
    ]
    assert world.run() == f"unchanged: spec {spec} (carts) is done\n"
    types = {line.split()[0] for line in om.ok("learn", "--by", "type").splitlines()}
    assert {"explore", "requirements", "design", "tasks", "feature"} <= types
    row = om.ok("spec", "list").splitlines()[1].split()
    assert row[:5] == ["carts", "done", "✔✔✔✔✔", "2/2", "-"]
    shown = om.ok("spec", "show", "carts").splitlines()
    assert shown[0] == "carts  done  Carts"
    assert "critical path: TSK-001 -> TSK-002 (3.5 of 3.5 h)" in shown
    assert world.repository.git("status", "--porcelain") == "?? .overmind/"


def test_a_phase_that_has_failed_shows_what_was_wrong_with_its_document(om, world):
    world.write(phases={"explore": [{"output": "explore.json", "data": {"tech_stack": ["Python"]}}]})
    world.new("Carts", "--retries", "0")
    world.run()
    world.until("failed")
    shown = om.ok("spec", "show", "carts").splitlines()
    at = shown.index("  its quest has failed: its result can't be taken over")
    assert shown[at + 1].startswith("  The score of explore.json is ")
    assert "  hint: codebase_summary: missing" in shown
    assert world.phase("explore")["faults"][0] == "its quest has failed: its result can't be taken over"


def test_a_phase_whose_agent_has_failed_names_the_command_that_shows_why(om, world):
    world.new("Carts", "--retries", "0", command=["sh", "-c", "echo no key; exit 3"])
    world.run()
    world.until("failed")
    (fault,) = world.phase("explore")["faults"]
    quest = world.phase("explore")["quest"]
    assert fault == f"its quest has failed: its command failed. See: overmind logs {quest}"
    assert "no key" in om.ok("logs", quest)


def test_the_one_question_about_a_quest_of_a_spec_is_answered_by_the_name_or_id_of_the_spec(om, world):
    world.new("Carts", "--retries", "0", command=["false"])
    world.run()
    stuck = world.asked("stuck", "carts/explore")
    assert om.ok("answer", "carts", "deny") == f"Answered question {stuck['question']} of carts/explore (stuck): deny\n"
    assert om.api("inbox") == []
    om.ok("quest", "retry", "carts/explore")
    again = world.asked("stuck", "carts/explore")
    assert om.api("answer", id=world.show()["id"], behaviour="deny")["question"] == again["question"]
    assert "Spec " in om.refused("answer", "carts", "deny", code="not_found")


def test_several_questions_about_quests_of_a_spec_are_listed_with_the_command_for_each(om, world):
    world.write(tasks={name: [{"exit": 3}] for name in ("TSK-001", "TSK-002")})
    plan = checked("true")
    plan["tasks"][1]["needs"] = []
    world.write(phases={"tasks": handed_in(PhaseName.TASKS, plan)})
    world.new("Carts", "--retries", "0", "--gates", "none", "--allow", "Bash(true)")
    world.run()
    numbers = [world.asked("stuck", f"carts/{name}")["question"] for name in ("TSK-001", "TSK-002")]
    told = om.refused("answer", "carts", "deny", code="ambiguous")
    assert told.startswith("2 questions about quests of carts are open: overmind answer ")
    for number, name in zip(numbers, ("TSK-001", "TSK-002"), strict=True):
        assert f"overmind answer {number} allow|deny (carts/{name} has failed: its command failed)" in told
    assert len(om.api("inbox")) == 2
