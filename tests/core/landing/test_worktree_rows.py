"""A worktree as lists and removals have it: what is not known is null, what would be lost is named."""

from __future__ import annotations

import asyncio
import os
import shutil
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from overmind_core.cli.landing import worktrees
from overmind_core.domain.git_operations import GitOperation
from overmind_core.domain.isolation.isolation import Isolation
from overmind_core.domain.missions.mission import Status
from overmind_core.errors import OvermindError
from overmind_core.git.changes import ChangedFile
from overmind_core.kernel.config import Settings
from overmind_core.landing import answers
from overmind_core.landing.answers import InspectedWorktree, WorktreeInspector
from overmind_core.system.paths import Home
from overmind_core.view import landing as view
from tests.kit.in_process import played, until, world
from tests.kit.repositories import AUTHOR, Repository

STATE = SimpleNamespace(
    ahead=2, behind=1, files=3, insertions=5, deletions=4, dirty=("a.py",), merged=False,
    commits=(("1234", "Paint\udcff"),), ignored=SimpleNamespace(kept=(".env",)), operation=None,
    elsewhere=(),
)  # fmt: skip


SINCE = "0123456789abcdef"
UNUSED: Any = None


def isolation(**how):
    known = {
        "mission": "a1b2c3d4", "name": "red", "source": "/shop", "subfolder": "", "project": None, "saga": None,
        "worktree": "/w/red", "branch": "om/red", "base": "main", "ports": {"web": 3100}, "ignored": 1,
    }  # fmt: skip
    return Isolation(**known | how)


def looked(state=STATE, *, problem="", size=None, **how):
    return InspectedWorktree(isolation(**how), state, size, {"db": "healthy"}, problem)


def row(worktree, *, mission=None, records=None, held=None):
    ports = SimpleNamespace(held_by={"a1b2c3d4": held or {}}.__getitem__)
    workspace: Any = SimpleNamespace(records=records or {}, find=lambda text: (records or {})[text], ports=ports)
    registry: Any = SimpleNamespace(get=lambda _: mission)
    standings: Any = SimpleNamespace(of=lambda _: {})
    inspector = WorktreeInspector(locations=UNUSED, workspace=workspace, registry=registry, standings=standings)
    return inspector.row(worktree)


def mission(*, live=True):
    return SimpleNamespace(
        id="a1b2c3d4", is_live=live, status=Status.RUNNING, definition=SimpleNamespace(name="renamed")
    )


def test_a_row_has_all_that_is_known():
    assert row(looked(size=9), mission=mission(), held={"web": 3100}) == {
        "mission": "a1b2c3d4", "name": "renamed", "status": "running", "outcome": None,
        "quest_state": None, "source": "/shop",
        "path": "/w/red", "branch": "om/red", "base": "main", "ahead": 2, "behind": 1, "files": 3, "insertions": 5,
        "deletions": 4, "dirty": True, "operation": None, "merged": False, "elsewhere": [], "ignored": 1,
        "ports": {"web": 3100}, "containers": {"db": "healthy"}, "size_bytes": 9, "problem": None,
    }  # fmt: skip


def test_one_with_a_rebase_that_is_not_finished_says_so_whatever_else_is_in_it():
    found = row(looked(SimpleNamespace(**{**vars(STATE), "operation": GitOperation.REBASE})), mission=mission())
    assert (found["operation"], view.standing(found), worktrees.COLUMNS["WORK"](found)) == ("rebase",) * 3
    assert view.summary([found]) == "1 uncommitted"


@pytest.mark.parametrize("ignored", [0, 2])
def test_work_that_another_branch_has_and_the_base_has_not_is_not_called_merged(ignored):
    known = {"dirty": (), "merged": True, "elsewhere": ("keep",), "ignored": SimpleNamespace(kept=(".env",) * ignored)}
    found = row(looked(SimpleNamespace(**vars(STATE) | known)), mission=mission())
    assert (found["merged"], found["elsewhere"]) == (True, ["keep"])
    assert (view.standing(found), worktrees.COLUMNS["WORK"](found)) == ("elsewhere",) * 2
    assert view.summary([found]) == "1 elsewhere"
    assert "2 commits also on keep" in view.at_stake(found)


def test_of_a_broken_one_nothing_is_made_up():
    found = row(looked(None, problem="Git refused"), mission=mission())
    unknown = ("ahead", "behind", "files", "insertions", "deletions", "dirty", "merged", "size_bytes")
    assert [found[name] for name in unknown] == [None] * len(unknown)
    assert found["problem"] == "Git refused"


@pytest.mark.parametrize("held", [{}, {"web": 3100}])
@pytest.mark.parametrize("found", [None, mission(live=False), mission()])
def test_ports_are_those_that_are_held_for_it_alone(found, held):
    assert row(looked(), mission=found, held=held)["ports"] == held


def test_a_mission_that_was_removed_has_the_name_that_it_had():
    found = row(looked())
    assert (found["name"], found["status"]) == ("red", None)


@pytest.mark.parametrize("live", [True, False])
def test_a_removal_names_what_would_be_lost(live):
    lost = looked().standing(live=live)
    assert (lost.live, lost.uncommitted, lost.ignored) == (live, ("a.py",), (".env",))
    assert len(lost.unmerged) == 1
    assert msgspec.json.encode(lost.unmerged)  # a subject of any bytes can be sent
    merged = SimpleNamespace(**vars(STATE) | {"merged": True})
    assert looked(merged).standing(live=live).unmerged == ()
    assert looked(None, problem="Git refused").standing(live=live).problem == "Git refused"


def test_other_work_that_would_be_lost_has_another_digest():
    digest = looked().digest(1)
    changes: list[dict[str, Any]] = [
        {"dirty": ("a.py", "b.py")}, {"merged": True}, {"commits": (("5678", "Paint"),)},
        {"ignored": SimpleNamespace(kept=())},
    ]  # fmt: skip
    others = [looked(SimpleNamespace(**vars(STATE) | change)).digest(1) for change in changes]
    others += [looked(None, problem=why).digest(1) for why in ("Git refused", "It is gone")] + [looked().digest(2)]
    assert looked(size=9).digest(1) == digest
    assert len({digest, *others}) == 1 + len(others)


def test_a_prune_by_force_takes_what_was_shown_as_it_was_and_names_what_stays(tmp_path):
    code = Repository(str(tmp_path / "shop"))
    code.commit("first", {"a": "1\n"})

    async def play(inside, keeper):
        ids: dict[str, str] = {}

        def work(name, file, text="1\n"):
            with open(os.path.join(inside.app.registry.get(ids[name]).definition.cwd, file), "w") as written:
                written.write(text)

        async def begin(name):
            run = {"command": ["true"], "name": name, "cwd": code.folder, "env": {**world(), **AUTHOR}}
            ids[name] = (await inside.ask("run", **run, isolate=True))["id"]
            await until(lambda: f"{ids[name]}.1" in keeper.held, f"{name} runs")
            work(name, "b")

        async def end(name):
            keeper.exit(f"{ids[name]}.1")
            await until(lambda: ids[name] not in inside.app.registry.live, f"{name} has ended")

        for name in ("red", "green", "blue", "grey"):
            await begin(name)
        for name in ("red", "green", "grey"):
            await end(name)
        shown = await inside.ask("worktrees_prune", force=True, dry_run=True)
        await end("blue")
        work("green", "c")
        work("grey", "b", "more\n")
        done = await inside.ask("worktrees_prune", force=True, as_shown=shown["as_shown"])
        return shown, done, await inside.ask("worktrees_prune", force=True)

    shown, done, rest = played(Home(str(tmp_path / "home")), play, Settings())
    assert [[one["name"] for one in answer["removed"]] for answer in (shown, done, rest)] == [
        ["red", "green", "grey"], ["red"], ["green", "blue", "grey"],
    ]  # fmt: skip
    assert {one["name"]: one["why"] for one in done["kept"]} == {
        "green": "it has changed since it was asked about (2 uncommitted files)",
        "grey": "it has changed since it was asked about (1 uncommitted file)",
        "blue": "nobody was asked about it (1 uncommitted file)",
    }


async def begun(inside, keeper, code, name, **how):
    """A mission that runs: its worktree, and what ends it."""
    run = {"command": ["true"], "name": name, "cwd": code.folder, "env": {**world(), **AUTHOR}, **how}
    mission = (await inside.ask("run", **run, isolate=True))["id"]
    await until(lambda: f"{mission}.1" in keeper.held, f"{name} runs")

    async def end():
        keeper.exit(f"{mission}.1")
        await until(lambda: inside.app.workspace.records[mission].ended, f"{name} has ended")

    return Repository(code.path(".overmind", "worktrees", mission)), end


async def worked(inside, keeper, code, name, work, **how):
    """A mission that did some work in its worktree, and has ended; returns the worktree."""
    tree, end = await begun(inside, keeper, code, name, **how)
    work(tree)
    await end()
    return tree


def test_a_prune_leaves_the_last_branch_that_has_work_which_has_not_landed(tmp_path):
    code = Repository(str(tmp_path / "shop"))
    code.commit("first", {"a": "1\n"})

    async def play(inside, keeper):
        await worked(inside, keeper, code, "red", lambda tree: tree.commit("work", {"b": "1\n"}))
        await worked(inside, keeper, code, "blue", lambda tree: tree.git("reset", "-q", "--hard", "overmind/red"))
        wishes: list[dict[str, Any]] = [{"dry_run": True, "force": True}, {"dry_run": True}, {}]
        return [await inside.ask("worktrees_prune", **wish) for wish in wishes]

    forced, *plain = played(Home(str(tmp_path / "home")), play, Settings())
    assert [one["lost"] for one in forced["removed"]] == ["", "1 unmerged commit"]
    for answer in plain:
        assert view.removed_lines(answer) == [
            "Removed red: worktree, branch overmind/red, and its commits stay on overmind/blue",
            "Kept blue: 1 unmerged commit",
        ]


def test_a_prune_leaves_a_branch_without_work_of_its_own_that_alone_has_what_it_began_at(tmp_path):
    code = Repository(str(tmp_path / "shop"))
    code.commit("first", {"a": "1\n"})

    async def play(inside, keeper):
        await worked(inside, keeper, code, "red", lambda tree: tree.commit("work", {"b": "1\n"}))
        new = {"new": "1\n"}  # or it would be removed as it ends
        blue = await worked(inside, keeper, code, "blue", lambda tree: tree.write(new), base="overmind/red")
        os.unlink(blue.path("new"))
        wishes: list[dict[str, Any]] = [{"dry_run": True}, {}, {"dry_run": True}, {}]
        return [view.removed_lines(await inside.ask("worktrees_prune", **wish)) for wish in wishes]

    removed = "Removed red: worktree, branch overmind/red, and its commits stay on overmind/blue"
    kept = "Kept blue: 1 unmerged commit"
    assert played(Home(str(tmp_path / "home")), play, Settings()) == [[removed, kept], [removed, kept], [kept], [kept]]


def test_the_branch_of_a_live_mission_keeps_no_work_of_another_and_stays_where_it_alone_has_that(tmp_path):
    code = Repository(str(tmp_path / "shop"))
    code.commit("first", {"a": "1\n"})

    async def play(inside, keeper):
        await worked(inside, keeper, code, "red", lambda tree: tree.commit("work", {"b": "1\n"}))
        _, end = await begun(inside, keeper, code, "blue", base="overmind/red")
        with pytest.raises(OvermindError, match=r"red has 1 unmerged commit \(work\) that would be lost"):
            await inside.ask("discard", id="red")
        lines = view.removed_lines(await inside.ask("worktrees_prune"))
        code.git("branch", "keep", "overmind/red")
        lines += view.removed_lines(await inside.ask("worktrees_prune"))
        code.git("branch", "-D", "keep")
        await end()
        return lines

    assert played(Home(str(tmp_path / "home")), play, Settings()) == [
        "Kept red: 1 unmerged commit",
        "Kept blue: its mission is live",
        "Removed red: worktree, branch overmind/red, and its commits stay on keep",
        "Kept blue: its mission is live",
    ]
    assert code.git("log", "--format=%s", "overmind/blue") == "work\nfirst"


def test_a_removal_names_work_that_nobody_can_read_and_what_it_has_removed(tmp_path):
    code = Repository(str(tmp_path / "shop"))
    code.commit("first", {"a": "1\n"})

    async def play(inside, keeper):
        red = await worked(inside, keeper, code, "red", lambda tree: tree.commit("work", {"b": "red"}))
        blue = await worked(inside, keeper, code, "blue", lambda tree: tree.commit("work", {"b": "blue"}))
        shutil.rmtree(red.folder)
        blue.git("switch", "-q", "--detach")
        code.git("switch", "-q", "overmind/blue")
        shown = await inside.ask("worktrees_prune", force=True, dry_run=True)
        done = await inside.ask("worktrees_prune", force=True, as_shown=shown["as_shown"])
        return shown, done, blue.folder

    shown, done, blue = played(Home(str(tmp_path / "home")), play, Settings())
    assert [one["lost"] for one in shown["removed"]] == ["work that nobody can read", ""]
    assert [(one["worktree"], one["branch"]) for one in done["removed"]] == [(None, "overmind/red"), (blue, None)]
    assert code.git("branch", "--list", "overmind/*") == "* overmind/blue"


def test_those_without_a_worktree_are_left_out_and_the_order_stays():
    records = {
        "a": isolation(mission="a"), "b": isolation(mission="b", branch=None),
        "c": isolation(mission="c", worktree=None), "d": isolation(mission="d"),
    }  # fmt: skip
    workspace: Any = SimpleNamespace(records=records, find=lambda text: records[text])
    worktrees = WorktreeInspector(locations=UNUSED, workspace=workspace, registry=UNUSED, standings=UNUSED)
    assert [one.mission for one in worktrees.of(None)] == ["a", "d"]
    assert [one.mission for one in worktrees.of(["d", "b"])] == ["d"]
    assert worktrees.of([]) == []


def test_a_file_has_what_became_of_it():
    (moved, added) = answers.files(
        [ChangedFile("b\udcff", "a", "R", 1, 2, binary=False), ChangedFile("c", None, "A", 0, 0, binary=True)]
    )
    assert [moved[name] for name in ("old_path", "status", "added", "removed", "binary")] == ["a", "R", 1, 2, False]
    assert msgspec.json.encode(moved["path"])  # a name of any bytes can be sent
    assert (added["old_path"], added["added"], added["binary"]) == (None, 0, True)


def changed(diff, **how):
    known = {"top": "/w/red", "branch": "om/red", "since": SINCE, "commits": [("12", "Paint")], "files": []}
    found: Any = SimpleNamespace(**known | {"diff": diff, "cut": ""} | how)
    place: Any = SimpleNamespace(mission="a1b2c3d4", name="red", base="main")
    return answers.changes(place, found)


def test_changes_are_whole_until_they_are_too_many_for_one_answer(monkeypatch):
    monkeypatch.setattr(answers, "MOST", 100)
    small = changed("a\n" * 20)
    assert (small["diff"], small["cut"], small["base"], small["merge_base"]) == ("a\n" * 20, "", "main", SINCE)
    assert small["commits"] == [{"hash": "12", "subject": "Paint"}]
    large = changed("a line\n" * 100)
    assert 0 < len(large["diff"]) <= 100
    assert large["diff"].endswith("a line\n")
    assert large["cut"] == "The output is truncated. See all changes with: git -C /w/red diff 0123456789ab"


def test_changes_without_a_branch_are_against_what_is_checked_out():
    place: Any = SimpleNamespace(mission="a1b2c3d4", name="red", base=None)
    found: Any = SimpleNamespace(top="/w", branch=None, since="1", commits=[], files=[], diff="", cut="more files")
    told = answers.changes(place, found)
    assert (told["base"], told["branch"], told["cut"]) == ("HEAD", None, "more files")


CONTAINERS: dict[str, tuple[dict[str, Any], str]] = {
    "running": ({"running": True}, "running"),
    "healthy": ({"running": True, "health": "healthy"}, "healthy"),
    "exited": ({"exists": True, "health": "healthy"}, "exited"),
    "gone": ({}, "gone"),
}


@pytest.mark.parametrize("name", CONTAINERS)
def test_a_container_stands_as_its_engine_says(monkeypatch, name):
    state, word = CONTAINERS[name]
    known = SimpleNamespace(**{"running": False, "exists": False, "health": None} | state)

    async def with_engine(_workspace, _isolation, ask):
        return ask(SimpleNamespace(state=lambda _: known))

    monkeypatch.setattr(answers, "with_engine", with_engine)
    worktrees = WorktreeInspector(locations=UNUSED, workspace=UNUSED, registry=UNUSED, standings=UNUSED)
    assert asyncio.run(worktrees._containers(isolation(containers={"db": "om-db"}))) == {"db": word}
    assert asyncio.run(worktrees._containers(isolation())) == {}
