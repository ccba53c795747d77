"""A recovery that has lost the records of worktrees makes them again of what stands on disk, and of nothing else."""

from __future__ import annotations

import asyncio
import os
import shutil
from types import SimpleNamespace
from typing import Any

import pytest

from overmind_core.daemon.state import State
from overmind_core.daemon.state_recovery import recover
from overmind_core.domain.isolation.isolation import Isolation
from overmind_core.domain.isolation.project import Project
from overmind_core.domain.isolation.saga import saga_of
from overmind_core.domain.missions.facts import Now
from overmind_core.domain.missions.mission import Definition, Mission, Status
from overmind_core.domain.quests.quest import Goal, Quest, QuestStatus, QueueState
from overmind_core.git.repository import find_repository
from overmind_core.git.run import Git
from overmind_core.git.worktrees import add
from overmind_core.isolation import store
from overmind_core.isolation.steps.worktree import Worktree
from overmind_core.kernel.database import PAGE
from overmind_core.missions import registry
from overmind_core.quests import store as quests
from overmind_core.system.paths import Home
from tests.kit.repositories import Repository

NOW = Now(2e9, 1000.0)
ID, OTHER = "e3632871", "aaaaaaaa"


class Shop:
    """A repository with a mission's worktree in it, which has work, and the home of the mission."""

    def __init__(self, folder):
        self.home = Home(str(folder / "home"))
        os.mkdir(self.home.root)
        self.code = Repository(str(folder / "shop"))
        self.first = self.code.commit("first", {"a.txt": "a"})
        self.git = Git(self.code.environ)
        self.tree = self.worktree(ID, "overmind/r2")
        with open(f"{self.tree}/r2.txt", "w", encoding="utf-8") as file:
            file.write("r2")

    def worktree(self, mission, branch):
        seen = find_repository(self.git, self.code.folder)
        assert seen is not None
        path = f"{self.code.folder}/.overmind/worktrees/{mission}"
        add(self.git, seen, path, [branch], None, fetch=False)
        return path

    def save(self, *, with_mission=True, with_quest=True, status=Status.STOPPED):
        """The state, without the record of the worktree, and damaged so that this is known."""
        state = State.open(self.home.database)
        definition = Definition("r2", "true", ("true",), f"{self.tree}/sub", isolated=True)
        mission = Mission(ID, definition, 1.0, status, run=1, restart_count=2)
        quest = Quest(
            ID, "r2", "true", self.code.folder, "raw", 1.0, status=QuestStatus.REVIEW, goal=Goal(into="release"),
            queue=QueueState(),
        )  # fmt: skip
        with state.transaction():
            if with_mission:
                state.missions.insert(registry._row(mission, None))
            if with_quest:
                state.database.write(
                    "INSERT INTO quests (id, name, live, status, created_at, record) "
                    "VALUES (?, 'r2', 1, 'review', 1, ?)",
                    (quest.id, quests.RECORD.encode(quest)),
                )
            state.database.write("INSERT INTO ports VALUES (?, 'web', 3101, 0)", (ID,))
        (root,) = state.database.read("SELECT rootpage FROM sqlite_schema WHERE name = 'isolations_name'")
        state.close()
        with open(self.home.database, "r+b") as file:
            file.seek((int(str(root[0])) - 1) * PAGE)
            file.write(b"\xff" * PAGE)

    def recovered(self):
        """What a recovery reports of the records, and the records."""
        report = recover(self.home, {}, NOW, self.code.folder)
        state = State.open(self.home.database)
        found = store.isolations(store.IsolationTable(state.database).all())
        state.close()
        (table,) = [one for one in report.tables if one.table == "isolations"]
        return table, found


@pytest.fixture
def shop(tmp_path, monkeypatch):
    made = Shop(tmp_path)
    for name, value in made.code.environ.items():
        monkeypatch.setenv(name, value)
    return made


def test_a_worktree_whose_record_is_lost_has_one_again(shop):
    shop.save()
    table, found = shop.recovered()
    assert (table.from_disk, table.lost) == (["r2"], [])
    one = found[ID]
    assert (one.name, one.source, one.subfolder, one.worktree) == ("r2", shop.code.folder, "sub", shop.tree)
    assert (one.branch, one.base, one.base_commit) == ("overmind/r2", "release", shop.first)
    assert (one.ports, one.generation, one.repository) == ({"web": 3101}, 2, shop.code.path(".git"))
    assert (one.ended, one.ready_once, one.ready_at, one.lost) == (True, True, 0, False), "all in it may be work"


def test_it_began_at_what_is_checked_out_where_no_quest_says_another_branch(shop):
    shop.save(with_quest=False, status=Status.RUNNING)
    _, found = shop.recovered()
    assert (found[ID].base, found[ID].base_commit, found[ID].ended) == ("main", shop.first, False)


def test_a_branch_is_enough_and_without_one_the_work_is_lost(shop):
    shop.save()
    shutil.rmtree(shop.tree)
    table, found = shop.recovered()
    assert (table.from_disk, found[ID].branch, found[ID].lost) == (["r2"], "overmind/r2", False)
    shop.code.git("worktree", "prune")
    shop.code.git("branch", "-D", "overmind/r2")
    os.unlink(shop.home.database)
    shop.save()
    table, found = shop.recovered()
    assert (table.from_disk, table.lost) == ([], ["r2"])
    assert (found[ID].branch, found[ID].lost, found[ID].ready_once) == (None, True, False)


def test_a_worktree_outlives_its_mission_and_that_of_another_home_is_left_alone(shop):
    shop.worktree(OTHER, "overmind/other")
    shop.save(with_mission=False, with_quest=False)
    table, found = shop.recovered()
    assert (table.from_disk, list(found)) == (["r2"], [ID]), "its ports say that it is ours"
    assert found[ID].name == "r2"


def test_a_state_of_which_nothing_is_left_counts_nothing(shop):
    with open(shop.home.database, "wb") as file:
        file.write(bytes(100))
    os.makedirs(f"{shop.home.root}/files/{ID}")
    os.makedirs(f"{shop.home.root}/files/.spare")
    report = recover(shop.home, {}, NOW, shop.code.folder)
    assert (report.is_empty, report.unrecorded) == (True, [ID])
    assert [one.from_disk for one in report.tables if one.from_disk] == [["r2"]]


async def no_git(*_arguments, **_named):
    raise AssertionError("something was removed")


def test_what_stands_where_a_worktree_should_be_made_is_not_removed_with_what_was_not_made(shop, monkeypatch):
    """A mission that begins with the id of one that was lost finds its worktree there, and can't begin."""
    monkeypatch.setattr("overmind_core.isolation.steps.worktree.with_git", no_git)
    one = Isolation(ID, "r2", shop.code.folder, "", Project(), saga_of(()), worktree=shop.tree)
    workspace: Any = SimpleNamespace(records={ID: one})
    asyncio.run(Worktree(workspace, ID).undo(""))
    assert os.path.exists(f"{shop.tree}/r2.txt")
