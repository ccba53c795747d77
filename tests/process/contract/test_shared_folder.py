"""Quests that work in a person's own folder and are reviewed: what the review shows, whoever dies meanwhile."""

from __future__ import annotations

import os
import shutil

import pytest

from tests.kit.killing import kill
from tests.kit.queued import Queued
from tests.kit.repositories import Repository
from tests.kit.waiting import eventually

SLOW_GIT = """\
#!/bin/sh
case " $* " in *" write-tree "*)
    echo x >> '{at}'
    until [ -e '{go}' ]; do sleep 0.02; done
esac
exec '{git}' "$@"
"""
"""A git that says that it writes a tree, and waits until it may."""


@pytest.fixture
def shop(om):
    code = Repository(om.path("shop"))
    code.commit("first", {"a": "1\n", "b": "1\n"})
    code.write({"a": "1\nby the person\n", "notes": "by the person\n"})
    om.environment.update({name: value for name, value in code.environ.items() if name.startswith("GIT_")})
    return code


def test_a_review_shows_what_changed_since_the_attempt_began_and_not_what_a_person_did_before(om, shop):
    queue = Queued(om, cwd=shop.folder)
    before = shop.traces()
    idle = queue.add("idle", review="person")
    lines = queue.asked("review", idle)["subject"]["lines"]
    assert lines == ["idle", "Its folder is shared: nothing changed since attempt 1 began."]
    assert shop.traces() == before, "nothing of it is in the repository"
    commits = "echo by the quest >> a; git commit -qam 'by the quest'; echo by the quest > new"
    busy = queue.add("busy", commits, review="person")
    lines = queue.asked("review", busy)["subject"]["lines"]
    assert lines[1:4] == [
        "Its folder is shared: this is what changed since attempt 1 began.", "M a +1 -0", "A new +1 -0",
    ]  # fmt: skip
    assert "+by the person" not in lines
    shown = om.ok("inbox")
    assert "accept the work" in shown
    assert "land it" not in shown
    assert om.ok("changes", "busy", "--name-only").split() == ["a", "new"]
    assert [one["subject"] for one in om.json("changes", "busy", "--json")["commits"]] == ["by the quest"]


def test_a_daemon_that_is_killed_while_it_looks_at_the_folder_is_followed_by_one_that_begins_once(om, shop):
    at, go, began = om.path("at"), om.path("go"), om.path("began")
    os.mkdir(om.path("bin"))
    with open(om.path("bin", "git"), "w", encoding="utf-8") as file:
        file.write(SLOW_GIT.format(at=at, go=go, git=shutil.which("git")))
    os.chmod(om.path("bin", "git"), 0o700)
    om.environment["PATH"] = f"{om.path('bin')}:{om.environment['PATH']}"
    queue = Queued(om, cwd=shop.folder)
    quest = queue.add("work", f"echo x >> {began}; echo by the quest > new", review="person")
    eventually(lambda: os.path.exists(at), what="git looks at the folder")
    kill(om.supervisor_pid())
    assert not os.path.exists(began)
    shop.write({"notes": "by the person, later\n"})
    with open(go, "w", encoding="utf-8"):
        pass
    om.ok("start")
    lines = queue.asked("review", quest)["subject"]["lines"]
    assert lines[1:3] == ["Its folder is shared: this is what changed since attempt 1 began.", "A new +1 -0"]
    assert "M notes" not in " ".join(lines)
    with open(began, encoding="utf-8") as file:
        assert file.read() == "x\n", "it ran once"
    assert (queue.info(quest)["attempts"], queue.leases(quest)) == (1, ["work"])
