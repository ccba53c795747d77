"""A check that a limit of time has ended says so on every face, with the limit, and no later attempt says it too."""

from __future__ import annotations

import asyncio

import pytest

from overmind_core.cli.finished import quest_end_line
from overmind_core.domain.missions.mission import Status
from overmind_core.domain.quests.why import from_answer, why_lines
from overmind_core.landing import quest_landing
from overmind_core.system.paths import Home
from overmind_core.view.quests import reason
from tests.kit import in_process
from tests.kit.in_process import ScriptedKeeper, supervising, until
from tests.kit.repositories import Repository

LATE = "its check took longer than 3 seconds"
LATE_MERGED = "the check of the merged work took longer than 2 minutes"


class Shop:
    """A repository whose quests are tried by a keeper that holds no process."""

    def __init__(self, folder):
        self.home = Home(str(folder / "home"))
        self.code = Repository(str(folder / "shop"))
        self.code.commit("first", {"a": "1\n"})
        self.keeper = ScriptedKeeper(self.home)

    def play(self, story):
        async def whole():
            async with supervising(self.home, self.keeper, cwd=self.code.folder) as inside:
                self.inside = inside
                await story()

        in_process.run(whole())
        self.keeper.close()

    async def quest(self, kind, **how):
        where = {"cwd": self.code.folder, "env": self.code.environ}
        how = {"name": "red", "command": "work", "timeout": "3s", "retries": 0, **how}
        if kind == "at once":
            red = (await self.inside.ask("quest_run", **how, **where))["id"]
        else:
            red = (await self.inside.ask("quest_add", quests=[{"title": "Red", **how}], **where))["quests"][0]["id"]
        await self.runs(f"{red}.1")
        return red

    async def runs(self, run):
        await until(lambda: run in self.keeper.held, f"{run} runs")

    async def beside(self, name, *, but=""):
        """The run of the newest mission of a name."""

        def found():
            asked = [one for one in self.keeper.asked["spawn"] if one["env"]["OVERMIND_MISSION_NAME"] == name]
            return asked[-1]["run"] if asked and asked[-1]["run"] != but else None

        return await until(found, f"{name} runs")

    def feedback(self, red):
        with open(f"{self.home.root}/files/{red}/in/feedback.md", encoding="utf-8") as file:
            return file.read()

    async def is_late(self, run):
        """Have a limit of time end a run."""
        registry = self.inside.app.registry
        await until(lambda: registry.live[run.partition(".")[0]].status is Status.RUNNING)
        until_then = self.inside.app.clock.mono() + 3600
        while registry.live[run.partition(".")[0]].status is Status.RUNNING:
            await asyncio.sleep(1)
            assert self.inside.app.clock.mono() < until_then
        self.keeper.exit(run, -15)

    async def ended(self, red):
        """How it ended: what `quest_wait` says, and what `quest_why` does."""
        await until(lambda: red not in self.inside.app.quest_registry.live, "it ends")
        await self.inside.app.journal.saved()
        why = why_lines(from_answer(await self.inside.ask("quest_why", id=red)))
        return await self.inside.ask("quest", id=red), why[0]


@pytest.mark.parametrize("kind", ["at once", "of the queue"])
def test_a_check_that_took_too_long_is_not_a_check_that_failed(tmp_path, kind):
    shop = Shop(tmp_path)

    async def story():
        red = await shop.quest(kind, check="look")
        shop.keeper.exit(f"{red}.1")
        await shop.is_late(await shop.beside("red/check"))
        quest, why = await shop.ended(red)
        assert (quest["status"], quest["reason"], quest["limit_seconds"]) == ("failed", "check_failed", 3)
        assert why == f"red has failed: {LATE}: look"
        assert LATE in quest_end_line(quest)
        assert LATE in reason(quest)
        last = [event for event in shop.inside.events(red) if event["type"] == "quest"][-1]
        assert last["why"] == LATE
        if kind == "of the queue":
            (question,) = await shop.inside.ask("inbox")
            assert LATE in question["summary"]
            assert question["subject"]["lines"][0] == f"{LATE} in attempt 1"

    shop.play(story)


def test_the_next_attempt_is_told_and_its_own_failure_is_no_limit(tmp_path):
    shop = Shop(tmp_path)

    async def story():
        red = await shop.quest("of the queue", check="look", retries=1)
        shop.keeper.exit(f"{red}.1")
        first = await shop.beside("red/check")
        await shop.is_late(first)
        await shop.runs(f"{red}.2")
        assert f"Attempt 1 failed: {LATE}." in shop.feedback(red)
        shop.keeper.exit(f"{red}.2")
        shop.keeper.exit(await shop.beside("red/check", but=first), 1)
        quest, why = await shop.ended(red)
        assert quest["limit_seconds"] is None
        assert why == "red has failed: its check failed (1): look"

    shop.play(story)


def test_a_verification_that_took_too_long_is_none_that_failed(tmp_path, monkeypatch):
    monkeypatch.setattr(quest_landing, "VERIFY_LIMIT", "2m")
    shop = Shop(tmp_path)

    async def story():
        red = await shop.quest("of the queue", into="main", verify="look")
        shop.code.write({f".overmind/worktrees/{red}/new": "x\n"})
        shop.keeper.exit(f"{red}.1")
        await shop.is_late(await shop.beside("red/verify"))
        quest, why = await shop.ended(red)
        assert (quest["reason"], quest["limit_seconds"]) == ("verify_failed", 120)
        assert why == f"red has failed: {LATE_MERGED}: look"
        assert LATE_MERGED in quest_end_line(quest)

    shop.play(story)
