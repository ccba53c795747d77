"""Lines that missions have changed in their worktrees: counted off the loop, seldom, and told while they are true."""

from __future__ import annotations

import asyncio
import os
import shutil

import pytest

from overmind_core.isolation import changed_lines
from overmind_core.isolation.changed_lines import LONGEST, LONGEST_PAUSE, PATIENCE, SHORTEST, TRUE_AFTER
from overmind_core.system.paths import Home
from tests.kit import in_process
from tests.kit.in_process import ScriptedKeeper, idle, supervising, until
from tests.kit.repositories import Repository


class Stage:
    """A supervisor with one mission in a worktree of its own.

    Attributes:
        counts: When git was asked (seconds of the loop).
        answer: What it says then; None: what git itself says.
    """

    def __init__(self, inside, keeper, code):
        self.inside, self.keeper, self._code = inside, keeper, code
        self.mission = ""
        self.counts: list[float] = []
        self.answer = {"added": 1, "removed": 0}

    async def start(self, **more):
        """Start it; what was counted as it began is forgotten."""
        how = {"cwd": self._code.folder, "env": self._code.environ, "isolate": True, "name": "api"}
        self.mission = await self.inside.run("work", **{**how, **more})
        await until(lambda: f"{self.mission}.1" in self.keeper.held)
        await asyncio.sleep(SHORTEST + 1)
        del self.counts[:]

    @property
    def folder(self):
        return self.inside.app.workspace.records[self.mission].worktree

    async def told(self):
        (row,) = await self.inside.ask("ps", ids=[self.mission])
        return row["changed_lines"]

    async def output(self):
        self.keeper.write(f"{self.mission}.1", b"x")
        await idle()

    def write(self, name, text):
        with open(os.path.join(self.folder, name), "w") as file:
            file.write(text)


@pytest.fixture
def staged(tmp_path, monkeypatch):
    """Run a story on such a stage; `real`: git itself counts."""
    home, code = Home(str(tmp_path / "home")), Repository(str(tmp_path / "shop"))
    code.commit("first", {"a": "1\n2\n"})
    keeper = ScriptedKeeper(home)
    counted = changed_lines._counted

    def play(story, *, real=False):
        async def whole():
            async with supervising(home, keeper, cwd=code.folder) as inside:
                stage = Stage(inside, keeper, code)
                loop = asyncio.get_running_loop()

                def count(*given):
                    stage.counts.append(loop.time())
                    return counted(*given) if real else stage.answer

                monkeypatch.setattr(changed_lines, "_counted", count)
                await story(stage)

        in_process.run(whole())

    yield play
    keeper.close()


def test_lines_are_counted_with_what_is_not_committed_and_gone_with_the_worktree(staged):
    async def story(stage):
        await stage.start()
        assert await stage.told() == {"added": 0, "removed": 0}
        stage.write("a", "2\n")
        stage.write("new", "x\ny\nz\n")
        await stage.output()
        await stage.told()
        await asyncio.sleep(SHORTEST)
        assert await stage.told() == {"added": 3, "removed": 1}
        shutil.rmtree(stage.folder)
        await stage.output()
        await stage.told()
        await asyncio.sleep(SHORTEST + 1)
        assert await stage.told() is None

    staged(story, real=True)


def test_no_mission_without_a_worktree_is_counted(staged):
    async def story(stage):
        await stage.start(isolate=False)
        assert await stage.told() is None
        await stage.output()
        await asyncio.sleep(LONGEST)
        assert await stage.told() is None
        assert stage.counts == []

    staged(story)


def test_who_asks_each_second_has_it_counted_once_in_some_seconds_and_only_while_something_happens(staged):
    async def story(stage):
        await stage.start()
        for _ in range(30):
            await stage.output()
            await stage.told()
            await asyncio.sleep(1.0)
        assert 4 <= len(stage.counts) <= 30 / SHORTEST + 1
        pauses = [later - earlier for earlier, later in zip(stage.counts, stage.counts[1:], strict=False)]
        assert min(pauses) > SHORTEST - 1e-6, "but for what a difference of two moments is rounded to"
        await asyncio.sleep(SHORTEST)
        await stage.told()
        await asyncio.sleep(SHORTEST)
        del stage.counts[:]
        for _ in range(int(LONGEST) - 10):
            await stage.told()
            await asyncio.sleep(1.0)
        assert stage.counts == [], "nothing happened"
        for _ in range(20):
            await stage.told()
            await asyncio.sleep(1.0)
        assert len(stage.counts) == 1, "it is looked at now and then all the same"

    staged(story)


def test_nobody_asks_and_nothing_is_counted_but_at_a_step(staged):
    async def story(stage):
        await stage.start()
        for _ in range(20):
            await stage.output()
            await asyncio.sleep(1.0)
        assert stage.counts == []
        stage.answer = {"added": 7, "removed": 2}
        stage.write("new", "x\n")  # else its end takes the worktree away
        stage.keeper.exit(f"{stage.mission}.1")
        await asyncio.sleep(SHORTEST + 1)
        assert 1 <= len(stage.counts) <= 2
        assert await stage.told() == {"added": 7, "removed": 2}

    staged(story)


FEW = 40.0
"""Seconds in the place of minutes."""


def test_a_count_that_may_be_no_longer_true_is_not_told(staged, monkeypatch):
    monkeypatch.setattr(changed_lines, "TRUE_FOR", FEW)
    monkeypatch.setattr(changed_lines, "LONGEST", FEW)

    async def story(stage):
        await stage.start()
        await stage.told()
        assert await stage.told() == stage.answer
        await stage.output()
        assert await stage.told() == stage.answer, "for a moment"
        await asyncio.sleep(SHORTEST + 1)
        await stage.output()
        await asyncio.sleep(TRUE_AFTER + 1)
        assert await stage.told() is None, "it wrote some time ago, and nobody has counted since"
        await asyncio.sleep(SHORTEST + 1)
        assert await stage.told() == stage.answer
        await asyncio.sleep(FEW + 1)
        assert await stage.told() is None, "a person may have worked there"
        await asyncio.sleep(1.0)
        assert await stage.told() == stage.answer

    staged(story)


def test_a_worktree_in_which_git_does_not_answer_holds_nobody_up(staged):
    async def story(stage):
        await stage.start()
        first = stage.mission
        work = stage.inside.app.workspace.in_thread

        async def hung(function, *given):
            if stage.mission == first and function is changed_lines._counted:
                await asyncio.sleep(PATIENCE * 30)
            return await work(function, *given)

        stage.inside.app.workspace.in_thread = hung
        await stage.output()
        await stage.told()
        await asyncio.sleep(PATIENCE + SHORTEST)
        assert await stage.told() is None
        await stage.start(name="web")
        await asyncio.sleep(LONGEST_PAUSE)
        assert await stage.told() == stage.answer

    staged(story)
