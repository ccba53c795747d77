"""Landing a mission's work with real git: who may move the target meanwhile, what its check is, and calling it off."""

from __future__ import annotations

import asyncio
import gc
import os
import time
from contextlib import asynccontextmanager

import pytest

from overmind_core.domain.missions.mission import Status
from overmind_core.errors import OvermindError
from overmind_core.git.run import GitFailed
from overmind_core.landing import preview
from overmind_core.landing.preview import MergeRequest
from overmind_core.system.paths import Home
from tests.kit import in_process
from tests.kit.in_process import ScriptedKeeper, supervising, until
from tests.kit.repositories import Repository

LABELS = {"team": "shop"}
CHECKED = "a-check"


class Shop:
    """A repository, and a mission `red` whose work is done and waits to land on `main`."""

    def __init__(self, inside, keeper, code, mission):
        self.inside = inside
        self.keeper = keeper
        self.code = code
        self.mission = mission
        self.steps = []
        self.on_step = {}

    async def asked(self, **wish):
        """The last item of a client's merge."""
        return [item async for item in self.inside.stream("merge", id=self.mission, **wish)][-1]

    async def merge(self, **wish):
        """Land it; what it tells of itself is in `steps`."""
        place = self.inside.app.locations.isolated(self.mission, there=False)
        return await self.inside.app.landing.merge(place, MergeRequest(**wish), self._say)

    def _say(self, told):
        self.steps.append(told.get("step"))
        self.on_step.get(told.get("step"), lambda: None)()

    def log(self):
        return self.code.git("log", "--first-parent", "--format=%s", "main").splitlines()

    def left(self):
        """Names of the worktrees that git knows."""
        return {os.path.basename(line.split()[0]) for line in self.code.git("worktree", "list").splitlines()[1:]}

    def end(self):
        self.keeper.exit(f"{self.mission}.1")


@asynccontextmanager
async def opened(tmp_path):
    home, code = Home(str(tmp_path / "home")), Repository(str(tmp_path / "shop"))
    code.commit("first", {"a": "1\n"})
    keeper = ScriptedKeeper(home)
    async with supervising(home, keeper, cwd=code.folder) as inside:
        red = await inside.run("work", name="red", isolate=True, env=code.environ, labels=LABELS)
        await until(lambda: inside.app.registry.live[red].status is Status.RUNNING)
        Repository(code.path(".overmind", "worktrees", red)).commit("one", {"b": "1\n"})
        yield Shop(inside, keeper, code, red)
    keeper.close()


MARKED = "<<<<<<< HEAD\n1\n=======\n2\n>>>>>>> main\n"


@pytest.mark.parametrize("preview", [False, True])
def test_marks_of_a_conflict_that_were_committed_land_only_where_that_is_wanted(tmp_path, preview):
    async def story():
        async with opened(tmp_path) as shop:
            Repository(shop.code.path(".overmind", "worktrees", shop.mission)).commit("resolved", {"a": MARKED})
            with pytest.raises(OvermindError) as refused:
                await shop.asked(preview=preview)
            assert (refused.value.code, refused.value.fields["files"]) == ("conflict_left", ["a"])
            assert refused.value.message == (
                "red left the marks of a conflict in a. Resolve and commit them, or merge them as they are: "
                "overmind merge red --with-marks"
            )
            assert shop.log() == ["first"]
            assert (await shop.asked(preview=preview, with_marks=True))["merged"] is not preview

    in_process.run(story())


def test_a_preview_waits_for_no_merge_that_is_being_verified(tmp_path):
    async def story():
        async with opened(tmp_path) as shop:
            begun = []
            shop.keeper.on_ask["spawn"] = lambda fields: begun.append(fields["run"])
            merging = asyncio.create_task(shop.merge(verify=CHECKED))
            await until(lambda: begun)
            assert (await shop.asked(preview=True))["preview"]
            assert not merging.done()
            shop.keeper.exit(begun[0])
            assert (await merging)["merged"]

    in_process.run(story())


def test_a_preview_says_why_the_merge_itself_would_be_refused(tmp_path):
    async def refusal(shop):
        shown = await shop.asked(preview=True)
        with pytest.raises(OvermindError) as refused:
            await shop.asked()
        assert (refused.value.code, refused.value.message) == ("dirty", shown["refused"])
        return shown["refused"]

    async def story():
        async with opened(tmp_path) as shop:
            work = Repository(shop.code.path(".overmind", "worktrees", shop.mission))
            work.write({"new": "x\n"})
            assert "1 file of red is not committed: new. Commit with: overmind commit red" in await refusal(shop)
            os.unlink(work.path("new"))
            shop.code.write({"b": "mine\n"})
            assert "are untracked files where main gets new files: b. " in await refusal(shop)
            os.unlink(shop.code.path("b"))
            assert "refused" not in await shop.asked(preview=True)
            await shop.asked()
            work.write({"new": "x\n"})
            for preview in (True, False):  # all that is there to land is not committed
                with pytest.raises(OvermindError) as refused:
                    await shop.asked(preview=preview)
                assert (refused.value.code, refused.value.fields["files"]) == ("dirty", ["new"])

    in_process.run(story())


def test_work_that_was_committed_to_after_it_was_judged_does_not_land(tmp_path):
    async def story():
        async with opened(tmp_path) as shop:
            judged = shop.code.git("rev-parse", "overmind/red")
            late = Repository(shop.code.path(".overmind", "worktrees", shop.mission)).commit("late", {"c": "1\n"})
            with pytest.raises(OvermindError) as refused:
                await shop.merge(tip=judged)
            assert (refused.value.code, shop.log()) == ("changed", ["first"])
            assert (await shop.merge(tip=late))["merged"]

    in_process.run(story())


@pytest.mark.parametrize("moves", [2, 3])
def test_a_target_that_somebody_moves_is_merged_anew_at_most_three_times(tmp_path, moves):
    async def story():
        async with opened(tmp_path) as shop:
            left = [f"street {number}" for number in range(moves)]
            shop.on_step["landing"] = lambda: left and shop.code.commit(left.pop(0), {"a": f"{len(left)}\n"})
            if moves == 2:
                merged = await shop.merge()
                assert shop.log() == ["Merge overmind/red into main", "street 1", "street 0", "first"]
                assert merged["after"] == shop.code.git("rev-parse", "main")
                (landed,) = (one for one in shop.inside.events(shop.mission) if one["type"] == "landed")
                assert {"name": "red", "branch": "overmind/red", "target": "main"}.items() <= landed.items()
                assert landed["after"] == merged["after"]
            else:
                with pytest.raises(OvermindError, match="main was moved 3 times in the meantime"):
                    await shop.merge()
                assert shop.log() == ["street 2", "street 1", "street 0", "first"]
            assert shop.steps.count("landing") == 3
            assert shop.left() == {shop.mission}

    in_process.run(story())


def test_a_merge_that_is_asked_for_again_says_what_came_of_it_also_once_the_worktree_is_gone(tmp_path):
    async def story():
        async with opened(tmp_path) as shop:
            first = await shop.asked(request="mine")
            shop.end()
            await until(lambda: shop.mission not in shop.inside.app.registry.live)
            await shop.inside.ask("discard", id=shop.mission)
            assert await shop.asked(request="mine") == first
            assert shop.log() == ["Merge overmind/red into main", "first"], "once"
            with pytest.raises(OvermindError) as refused:
                await shop.asked(request="another")
            assert refused.value.code == "not_isolated"

    in_process.run(story())


def test_a_conflict_that_no_agent_takes_has_the_command_that_begins_to_resolve_it(tmp_path):
    async def story():
        async with opened(tmp_path) as shop:
            shop.code.commit("mine", {"b": "2\n"})
            with pytest.raises(OvermindError) as refused:
                await shop.asked(preview=True)
            error = refused.value
            assert error.code == "conflicts"
            command = f"git -C {shop.code.path('.overmind', 'worktrees', shop.mission)} merge main"
            assert error.fields["resolve_with"] == command
            assert f"Resolve them there with: {command}, and merge again" in error.message
            work = Repository(shop.code.path(".overmind", "worktrees", shop.mission))
            with pytest.raises(AssertionError):
                work.git("merge", "main")
            begun = "A merge in the worktree of red has unresolved conflicts: b. Resolve them, then stage them with: "
            for said in (begun, "A merge in the worktree of red is not finished. Finish it with: git"):
                for wish in ({"preview": True}, {"resolve": True}):
                    with pytest.raises(OvermindError) as refused:
                        await shop.asked(**wish)
                    assert said in refused.value.message
                    assert "merge main" not in refused.value.message
                    assert "resolve_with" not in refused.value.fields
                work.write({"b": "both\n"})
                work.git("add", "b")

    in_process.run(story())


@pytest.mark.parametrize("told", ["told", "too many", "git fails"])
def test_a_conflict_names_those_alone_whose_lines_stand_in_it_where_that_can_be_told(tmp_path, told, monkeypatch):
    def fails(*_, **__):
        raise GitFailed(("merge-tree",), None, "git merge-tree took more than 600 s")

    if told == "too many":
        monkeypatch.setattr(preview, "MOST_LOOKED_AT", 1)
    elif told == "git fails":
        monkeypatch.setattr(preview, "conflicts_of_steps", fails)

    async def story():
        async with opened(tmp_path) as shop:
            lines = "".join(f"{number}\n" for number in range(20))
            first = shop.code.commit("long", {"a": lines})
            works = {"red": ("19\n", "19\nlast\n"), "blue": ("3\n", "three\n"), "green": ("3\n", "III\n")}
            for name, (old, new) in works.items():
                if name != "red":
                    shop.mission = await shop.inside.run("work", name=name, isolate=True, env=shop.code.environ)
                    await until(lambda: shop.inside.app.registry.live[shop.mission].status is Status.RUNNING)
                work = Repository(shop.code.path(".overmind", "worktrees", shop.mission))
                work.git("reset", "-q", "--hard", first)
                work.commit(name, {"a": f"\n{lines}".replace(f"\n{old}", f"\n{new}", 1)[1:]})
                if name != "green":
                    await shop.merge()
            shop.code.commit("mine", {"a": shop.code.read("a").replace("11\n", "eleven\n")})
            with pytest.raises(OvermindError) as refused:
                await shop.merge()
            who = "green, blue" if told == "told" else "green, red, blue, your own commits"
            assert (refused.value.code, refused.value.message.rpartition(": ")[2]) == ("conflicts", f"a ({who}).")

    in_process.run(story())


def test_what_was_isolated_and_has_no_worktree_left_is_not_told_to_be_started_isolated(tmp_path):
    async def refusal(shop, request, **wish):
        answer = shop.asked(**wish) if request == "merge" else shop.inside.ask(request, id=shop.mission, **wish)
        with pytest.raises(OvermindError) as refused:
            await answer
        return refused.value.code, refused.value.message

    async def story():
        async with opened(tmp_path) as shop:
            shop.end()
            await until(lambda: shop.mission not in shop.inside.app.registry.live)
            await shop.inside.ask("discard", id=shop.mission, force=True)
            said = f"Mission {shop.mission} (red) has no worktree: it was discarded."
            assert await refusal(shop, "merge") == ("not_isolated", said)

            none = await shop.inside.run("work", name="none", isolate=True, env=shop.code.environ)
            await until(lambda: shop.inside.app.registry.live[none].status is Status.RUNNING)
            shop.keeper.exit(f"{none}.1")
            await until(lambda: not shop.left(), what="the worktree is removed at the end")
            shop.mission, reason = none, "it was removed, and no work was lost with it"
            said = f"Mission {none} (none) has no worktree: {reason}."
            for request, wish in (
                ("merge", {}),
                ("commit", {"message": "x"}),
                ("push", {}),
                ("merge", {"resolve": True}),
            ):
                assert await refusal(shop, request, **wish) == ("not_isolated", said)
            code, said = await refusal(shop, "changes")
            assert (code, f"does not exist. It has no worktree: {reason}." in said) == ("gone", True), said
            assert (await shop.inside.ask("info", id=none))["isolation"]["no_worktree"] == reason

    in_process.run(story())


@pytest.mark.parametrize("state", ["live", "ended", "removed"])
def test_the_check_is_a_mission_like_the_one_that_it_is_about(tmp_path, state):
    async def story():
        async with opened(tmp_path) as shop:
            if state != "live":
                shop.end()
                await until(lambda: shop.mission not in shop.inside.app.registry.live)
            if state == "removed":
                await shop.inside.ask("rm", id=shop.mission)
            begun = []

            def check(fields):
                begun.append(fields["run"].partition(".")[0])
                asyncio.get_running_loop().call_later(1, shop.keeper.exit, fields["run"])

            shop.keeper.on_ask["spawn"] = check
            merged = await shop.merge(verify=CHECKED)
            assert [merged["verify"]] == begun
            found = shop.inside.app.registry.get(begun[0])
            assert found.definition.command == CHECKED
            assert found.definition.parent == (shop.mission if state == "live" else None)
            assert found.definition.labels == ({} if state == "removed" else LABELS)
            assert shop.log() == ["Merge overmind/red into main", "first"]

    in_process.run(story())


@pytest.mark.parametrize(("why", "option"), [(None, " (--verify-timeout)"), ("its work is good", "")])
def test_a_check_that_took_too_long_names_the_option_where_somebody_has_asked_for_the_merge(tmp_path, why, option):
    async def story():
        async with opened(tmp_path) as shop:
            begun = []
            shop.keeper.on_ask["spawn"] = lambda fields: begun.append(fields["run"])
            merging = asyncio.create_task(shop.merge(verify=CHECKED, verify_timeout=3.0, why=why))
            await until(lambda: begun)
            live, check = shop.inside.app.registry.live, begun[0].partition(".")[0]
            await until(lambda: live[check].status is Status.STOPPING)
            shop.keeper.exit(begun[0], -15)
            with pytest.raises(OvermindError, match="took more than") as refused:
                await merging
            assert f"on main took more than 3 s{option}: nothing was changed" in refused.value.message

    in_process.run(story())


def test_a_merge_that_is_called_off_ends_its_git_and_leaves_nothing(tmp_path):
    async def story():
        async with opened(tmp_path) as shop:
            began, hook = shop.code.path(".git", "began"), ".git/hooks/pre-merge-commit"
            shop.code.write({hook: f"#!/bin/sh\nmkfifo '{began}'\necho > '{began}'\nexec sleep 20\n"})
            os.chmod(shop.code.path(hook), 0o700)
            merge = asyncio.create_task(shop.merge())
            await asyncio.to_thread(opened_by_somebody, began)
            merge.cancel()
            with pytest.raises(asyncio.CancelledError):
                await merge
            del merge
            gc.collect()  # what git said of its end is nobody's: it must not be complained about either
            assert (shop.log(), shop.left()) == (["first"], {shop.mission})
            assert shop.steps == ["merging"]

    in_process.run(story())


def opened_by_somebody(pipe):
    """Wait until somebody writes to it."""
    while not os.path.exists(pipe):
        time.sleep(0.005)
    with open(pipe, "rb") as file:
        file.read()
