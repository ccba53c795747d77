"""What has passed its check lands, and nothing else: what changes while it runs, or behind it, is seen."""

from __future__ import annotations

import asyncio
import os
import shutil

import pytest

from overmind_core.errors import OvermindError
from overmind_core.kernel.config import Settings
from overmind_core.landing.locations import states_of
from overmind_core.system.paths import Home
from tests.kit import in_process
from tests.kit.in_process import ScriptedKeeper, supervising, until, world
from tests.kit.repositories import AUTHOR, Repository


class Checked:
    """A quest whose work is checked by hand, and lands on `main`."""

    def __init__(self, keeper, inside, code, quest):
        self.ask = inside.ask
        self.inside = inside
        self.keeper = keeper
        self.code = code
        self.quest = quest
        self.checks = 0

    @property
    def work(self):
        """Its worktree, once it runs."""
        return Repository(self.code.path(".overmind", "worktrees", self.quest))

    async def begin(self):
        await until(lambda: f"{self.quest}.1" in self.keeper.held, "it runs")
        self.work.write({"good": "1\n"})
        self.keeper.exit(f"{self.quest}.1")
        await self.check()

    def _runs(self):
        spawned = [one for one in self.keeper.asked["spawn"] if one["env"]["OVERMIND_MISSION_NAME"].endswith("/check")]
        return [one["run"] for one in spawned]

    async def check(self):
        """Wait for the next run of its check."""
        self.checks += 1
        await until(lambda: len(self._runs()) == self.checks, f"check {self.checks} runs")

    def passes(self):
        self.keeper.exit(self._runs()[-1])

    async def waits_for_its_target(self):
        """Its check has passed, and a file that a person has not committed is in its way."""
        self.code.write({"good": "a person's\n"})
        await self.begin()
        self.passes()
        await until(lambda: self.inside.app.engine.attempts.targets.refusal(self.quest), "it waits")

    def _verifications(self):
        return [one for one in self.keeper.asked["spawn"] if one["env"]["OVERMIND_MISSION_NAME"].endswith("/verify")]

    def verifying(self):
        return self._verifications()[-1]["run"]

    async def verifies(self):
        """The command that runs on the merged work."""
        await until(self._verifications, "the merged work is checked")
        return self._verifications()[-1]["argv"][-1]

    async def merge(self, **how):
        """Merge it by hand; what came of it."""
        return [item async for item in self.inside.stream("merge", id=self.quest, **how)][-1]

    async def landed(self):
        """The files that have landed, in the end."""
        await until(lambda: self.quest not in self.inside.app.quest_registry.live, "it has landed")
        assert len(self._runs()) == self.checks, "and no check more has run"
        first = self.code.git("rev-list", "--max-parents=0", "main")
        return self.code.git("diff", "--name-only", first, "main").splitlines()

    def reasons(self):
        """Why its check has run again, each time."""
        found = [one for one in self.inside.events(self.quest) if one["type"] == "quest"]
        return [one["why"] for one in found if "while its check ran" in (one.get("why") or "")]


def story(tmp_path, scenario, **more):
    home = Home(str(tmp_path / "home"))
    keeper = ScriptedKeeper(home)
    code = Repository(str(tmp_path / "shop"))
    code.commit("first", {"a": "1\n"})

    async def whole():
        async with supervising(home, keeper, settings=Settings()) as inside:
            new = {"title": "fix", "command": "true", "into": "main", "check": "make test", **more}
            added = await inside.ask("quest_add", quests=[new], cwd=code.folder, env={**world(), **AUTHOR})
            await scenario(Checked(keeper, inside, code, added["quests"][0]["id"]))

    try:
        in_process.run(whole())
    finally:
        keeper.close()


def test_work_that_nobody_touches_is_checked_once(tmp_path):
    async def scenario(checked):
        await checked.begin()
        checked.passes()
        assert await checked.landed() == ["good"]

    story(tmp_path, scenario)


@pytest.mark.parametrize("commits", [False, True], ids=["written", "committed"])
def test_what_is_written_while_it_is_checked_is_checked_before_it_lands(tmp_path, commits):
    async def scenario(checked):
        await checked.begin()
        checked.work.write({"evil": "1\n"})
        if commits:
            checked.work.git("add", "-A")
            checked.work.git("commit", "-qm", "evil")
        checked.passes()
        await checked.check()
        checked.passes()
        assert await checked.landed() == ["evil", "good"]
        (why,) = checked.reasons()
        assert why == "evil changed while its check ran"

    story(tmp_path, scenario)


def test_what_a_check_writes_each_time_is_its_own_and_lands(tmp_path):
    async def scenario(checked):
        await checked.begin()
        checked.work.write({"report": "1\n"})
        checked.passes()
        await checked.check()
        checked.work.write({"report": "2\n"})
        checked.passes()
        assert await checked.landed() == ["good", "report"]

    story(tmp_path, scenario)


def test_work_that_changed_during_its_check_and_fails_the_next_one_has_failed(tmp_path):
    async def scenario(checked):
        await checked.begin()
        checked.work.write({"evil": "1\n"})
        checked.passes()
        await checked.check()
        checked.keeper.exit(checked._runs()[-1], code=1)
        assert await checked.landed() == []
        assert (await checked.ask("quest", id=checked.quest))["reason"] == "check_failed"

    story(tmp_path, scenario, retries=0)


@pytest.mark.parametrize("code", [0, 1], ids=["passes", "fails"])
def test_what_changes_while_checked_work_waits_to_land_is_checked_once_it_is_merged(tmp_path, code):
    async def scenario(checked):
        await checked.waits_for_its_target()
        checked.work.write({"evil": "1\n"})
        checked.code.git("clean", "-qf", "good")
        (refused,) = await checked.ask("inbox")
        await checked.ask("answer", question=refused["question"], behaviour="allow")
        assert await checked.verifies() == "make test"
        checked.keeper.exit(checked.verifying(), code=code)
        assert await checked.landed() == ([] if code else ["evil", "good"])

    story(tmp_path, scenario, retries=0)


@pytest.mark.parametrize("adds", [True, False], ids=["a hook adds something", "a hook adds nothing"])
def test_what_a_hook_adds_to_the_commit_is_checked_once_it_is_merged(tmp_path, adds):
    async def scenario(checked):
        line = "echo evil >evil; git add evil" if adds else "true"
        checked.code.write({".git/hooks/pre-commit": f"#!/bin/sh\n{line}\n"})
        os.chmod(checked.code.path(".git", "hooks", "pre-commit"), 0o755)
        await checked.begin()
        checked.passes()
        if adds:
            assert await checked.verifies() == "make test"
            checked.keeper.exit(checked.verifying())
        assert await checked.landed() == (["evil", "good"] if adds else ["good"])

    story(tmp_path, scenario)


HANDS = {
    # what changes the quest once it has passed its check, what then has to succeed before it is merged by hand
    "nothing": (lambda _: None, {}, None),
    "a file": (lambda checked: checked.work.commit("evil", {"evil": "1\n"}), {}, "make test"),
    "another check": (lambda _: None, {"check": "make all"}, "make all"),
}


@pytest.mark.parametrize(("changes", "edit", "verify"), HANDS.values(), ids=HANDS)
def test_a_merge_by_hand_checks_what_has_not_passed_the_check_that_there_is(tmp_path, changes, edit, verify):
    async def scenario(checked):
        await checked.waits_for_its_target()
        (refused,) = await checked.ask("inbox")
        await checked.ask("answer", question=refused["question"], behaviour="deny")
        await until(lambda: checked.quest not in checked.inside.app.quest_registry.live, "it has failed")
        changes(checked)
        if edit:
            await checked.ask("quest_edit", id=checked.quest, **edit)
        checked.code.git("clean", "-qf", "good")
        merging = asyncio.ensure_future(checked.merge())
        if verify is not None:
            assert await checked.verifies() == verify
            checked.keeper.exit(checked.verifying())
        assert (await merging)["merged"]

    story(tmp_path, scenario)


def test_work_that_nobody_can_compare_with_what_was_checked_is_checked_once_it_is_merged_by_hand(tmp_path):
    async def scenario(checked):
        await checked.begin()
        checked.passes()
        await checked.inside.question()
        await checked.ask("quest_cancel", id=checked.quest)
        shutil.rmtree(states_of(checked.inside.app.home, checked.quest))  # it goes with its mission
        checked.work.commit("mine", {"good": "2\n"})
        merging = asyncio.ensure_future(checked.merge(unreviewed=True))
        assert await checked.verifies() == "make test"
        checked.keeper.exit(checked.verifying())
        assert (await merging)["merged"]

    story(tmp_path, scenario, review="person")


def test_a_review_is_of_what_was_checked(tmp_path):
    async def scenario(checked):
        await checked.begin()
        checked.work.write({"evil": "1\n"})
        checked.passes()
        await checked.check()
        assert await checked.ask("inbox") == []
        checked.passes()
        review = await checked.inside.question()
        await checked.ask("answer", question=review["question"], behaviour="allow")
        assert await checked.landed() == ["evil", "good"]

    story(tmp_path, scenario, review="person")


@pytest.mark.parametrize("waiting", ["changed_since", "shown_changes"])
def test_a_denial_while_an_allow_is_compared_with_git_stays_one(tmp_path, monkeypatch, waiting):
    async def scenario(checked):
        await checked.begin()
        checked.passes()
        review = await checked.inside.question()
        checked.work.write({"good": "2\n"})
        lander = checked.inside.app.engine.attempts._lander
        slow, begun, goes_on = getattr(lander, waiting), asyncio.Event(), asyncio.Event()

        async def waits(*args):
            begun.set()
            await goes_on.wait()
            return await slow(*args)

        monkeypatch.setattr(lander, waiting, waits)
        allowed = asyncio.ensure_future(checked.ask("answer", question=review["question"], behaviour="allow"))
        await begun.wait()
        await checked.ask("answer", question=review["question"], behaviour="deny", message="use cents")
        goes_on.set()
        with pytest.raises(OvermindError):
            await allowed
        await until(lambda: f"{checked.quest}.2" in checked.keeper.held, "its next attempt runs")
        (row,) = await checked.ask("quests")
        assert (row["status"], await checked.ask("inbox")) == ("running", [])

    story(tmp_path, scenario, review="person", retries=1)
