"""Specs: from a brief to work that has landed, with agents that write documents, and a person at the gates."""

from __future__ import annotations

import os
import re

import pytest

from tests.kit.specs import SpecWorld

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
    assert (
        world.run()
        == f"Spec carts: waits for question {question['question']}. Answer it with: overmind answer carts allow\n"
    )
    assert world.attempts() == ["explore 1", "requirements 1", "design 1", "tasks 1"]
    assert world.answer("allow") == f"Answered question {question['question']} of carts (tasks): allow\n"
    merge = world.asked("merge")
    assert merge["subject"]["lines"][0] == "4 commits, 2 files, no conflict"
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
