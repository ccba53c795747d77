"""A person accepts the work that they were shown, and no other: what has changed since is shown first."""

from __future__ import annotations

import os

import pytest

from overmind_core.domain.quests.quest import FolderState
from overmind_core.errors import OvermindError
from overmind_core.kernel.config import Settings
from overmind_core.landing import quest_work
from overmind_core.quests.outcomes import UNKNOWN_STATE
from overmind_core.system.paths import Home
from tests.kit import in_process
from tests.kit.in_process import ScriptedKeeper, supervising, until, world
from tests.kit.repositories import AUTHOR, Repository


class Reviewed:
    """A quest that has written `shown`, and waits for a person's review."""

    def __init__(self, keeper, inside, code, quest):
        self._inside = inside
        self.ask = inside.ask
        self.quest = quest
        self.code = code
        self.keeper = keeper

    @property
    def work(self):
        """Its worktree, once it runs."""
        return Repository(self.code.path(".overmind", "worktrees", self.quest))

    async def begin(self):
        await until(lambda: f"{self.quest}.1" in self.keeper.held, "it runs")
        self.work.write({"shown": "good\n", "large": "x" * 3_000_000})
        self.keeper.exit(f"{self.quest}.1")
        return await self.asked()

    async def asked(self, but=0):
        """The question that is open, and its lines."""
        one = await self._inside.question(but)
        return one["question"], one["subject"]["lines"]

    async def allow(self, number):
        return await self.ask("answer", question=number, behaviour="allow")

    async def landed(self):
        await until(lambda: self.quest not in self._inside.app.quest_registry.live, "it has landed")
        first = self.code.git("rev-list", "--max-parents=0", "main")
        return self.code.git("diff", "--name-only", first, "main").splitlines()


def story(tmp_path, scenario, **more):
    home = Home(str(tmp_path / "home"))
    keeper = ScriptedKeeper(home)
    code = Repository(str(tmp_path / "shop"))
    code.commit("first", {"a": "1\n", "b": "1\n"})

    async def whole():
        async with supervising(home, keeper, settings=Settings()) as inside:
            new = {"title": "fix", "command": "true", "into": "main", "review": "person", **more}
            added = await inside.ask("quest_add", quests=[new], cwd=code.folder, env={**world(), **AUTHOR})
            await scenario(Reviewed(keeper, inside, code, added["quests"][0]["id"]))

    try:
        in_process.run(whole())
    finally:
        keeper.close()


EDITS = {
    "a new file": ({"never-shown": "evil\n"}, "never-shown has changed"),
    "another content": ({"shown": "evil\n"}, "shown has changed"),
    "of the same size": ({"shown": "evil\n"[:5]}, "shown has changed"),
    "a file of before": ({"a": "evil\n"}, "a has changed"),
    "a large one": ({"large": "y" * 3_000_000}, "large has changed"),
    "several": ({"a": "2\n", "b": "2\n"}, "a, b have changed"),
}


@pytest.mark.parametrize(("edit", "said"), EDITS.values(), ids=EDITS)
@pytest.mark.parametrize("commits", [False, True], ids=["written", "committed"])
def test_what_was_not_shown_does_not_land(tmp_path, edit, said, commits):
    async def scenario(review):
        first, _ = await review.begin()
        before = review.code.git("rev-parse", "main")
        review.work.write(edit)
        if commits:
            review.work.commit("by hand", {})
        with pytest.raises(OvermindError, match=f"^{said} since this work was shown. It is shown again") as refused:
            await review.allow(first)
        assert refused.value.code == "changed"
        assert review.code.git("rev-parse", "main") == before
        second, lines = await review.asked()
        assert second > first
        assert f"{said} since this work was shown." in lines
        assert all(any(name in line for line in lines) for name in edit)
        await review.allow(second)
        assert set(await review.landed()) == {"shown", "large", *edit}

    story(tmp_path, scenario)


def test_after_a_conflict_work_is_shown_against_what_has_landed_and_one_answer_lands_it(tmp_path):
    async def scenario(review):
        first, _ = await review.begin()
        review.code.commit("theirs", {"shown": "theirs\n", "their-own": "1\n"})
        await review.allow(first)
        await until(lambda: f"{review.quest}.2" in review.keeper.held, "it runs again, with both sides in its worktree")
        assert "<<<<<<<" in review.work.read("shown")
        review.work.write({"shown": "theirs\ngood\n"})
        review.keeper.exit(f"{review.quest}.2")
        second, lines = await review.asked(first)
        assert {"M shown +1 -0", "A large +1 -0"} <= set(lines)
        assert not [line for line in lines if "their-own" in line], "that has landed, and is nobody's change"
        await review.allow(second)
        assert set(await review.landed()) == {"shown", "large", "their-own"}
        assert review.code.git("show", "main:shown") == "theirs\ngood"

    story(tmp_path, scenario)


def test_what_is_as_it_was_shown_lands_and_a_refusal_needs_no_look(tmp_path):
    async def scenario(review):
        first, _ = await review.begin()
        review.work.write({"shown": "other\n"})
        review.work.write({"shown": "good\n"})
        await review.allow(first)
        assert await review.landed() == ["large", "shown"]

    story(tmp_path, scenario)


@pytest.mark.parametrize("commits", [False, True], ids=["written", "committed"])
def test_of_a_worktree_that_is_gone_only_what_was_committed_can_be_as_it_was_shown(tmp_path, commits):
    async def scenario(review):
        first, _ = await review.begin()
        if commits:
            review.work.commit("by hand", {})
        review.code.git("worktree", "remove", "--force", review.work.folder)
        if not commits:
            with pytest.raises(OvermindError, match=r"since this work was shown\. It is not asked about any more"):
                await review.allow(first)
            assert [one["question"] for one in await review.ask("inbox")] == []
            assert (await review.ask("quest", id=review.quest))["class"] == "no_change", "another attempt follows"
            return
        await review.allow(first)
        assert await review.landed() == ["large", "shown"]

    story(tmp_path, scenario)


@pytest.mark.parametrize("steps", [("+-",), ("+-", "+-"), ("+?",)], ids=["one undone", "two undone", "undone there"])
def test_commits_that_nobody_was_shown_do_not_land_though_they_leave_no_trace(tmp_path, steps):
    """`+` commits a file, `-` commits that it is gone, `?` removes it."""

    async def scenario(review):
        first, _ = await review.begin()
        for number, step in enumerate("".join(steps)):
            path = f"secret{number // 2}"
            if step == "+":
                review.work.commit("not shown", {path: "token\n"})
            else:
                os.remove(os.path.join(review.work.folder, path))
            if step == "-":
                review.work.commit("undo", {})
        with pytest.raises(OvermindError, match=r"the history of .* has changed since this work was shown\."):
            await review.allow(first)
        second, _ = await review.asked()
        assert second > first
        await review.ask("answer", question=second, behaviour="deny")
        assert review.code.git("log", "--format=%s", "main") == "first"

    story(tmp_path, scenario)


@pytest.mark.parametrize("is_gone", [False, True], ids=["", "its worktree is gone"])
def test_a_commit_without_a_change_that_nobody_was_shown_does_not_land_where_all_was_committed(tmp_path, is_gone):
    async def scenario(review):
        await until(lambda: f"{review.quest}.1" in review.keeper.held, "it runs")
        review.work.commit("shown", {"shown": "good\n"})
        review.keeper.exit(f"{review.quest}.1")
        first, _ = await review.asked()
        review.work.git("commit", "-q", "--allow-empty", "-m", "not shown")
        if is_gone:
            review.code.git("worktree", "remove", "--force", review.work.folder)
        with pytest.raises(OvermindError, match=r"the history of .* has changed since this work was shown\."):
            await review.allow(first)
        assert review.code.git("log", "--format=%s", "main") == "first"

    story(tmp_path, scenario)


def test_what_its_commits_undo_is_named_where_it_is_reviewed(tmp_path):
    async def scenario(review):
        await until(lambda: f"{review.quest}.1" in review.keeper.held, "it runs")
        review.work.commit("one", {".env": "PASSWORD=1\n", "shown": "good\n"})
        os.remove(review.work.path(".env"))
        review.work.commit("two", {})
        review.keeper.exit(f"{review.quest}.1")
        _, lines = await review.asked()
        assert "Its commits also change .env, and undo that again." in lines
        (history,) = [line for line in lines if "commits land as made, with what one undoes of another: " in line]
        assert history.startswith("2 ")
        assert history.index(" two") < history.index(" one.")

    story(tmp_path, scenario)


def test_what_was_shown_may_be_committed_by_hand(tmp_path):
    async def scenario(review):
        first, _ = await review.begin()
        review.work.commit("by hand", {})
        await review.allow(first)
        assert await review.landed() == ["large", "shown"]

    story(tmp_path, scenario)


@pytest.mark.parametrize("line", ["echo evil > never-shown", "echo evil >> shown"], ids=["another file", "a shown one"])
def test_what_a_hook_of_the_repository_adds_to_the_commit_is_shown_before_it_lands(tmp_path, line):
    async def scenario(review):
        first, _ = await review.begin()
        path = line.rpartition(" ")[2]
        review.code.write({".git/hooks/pre-commit": f"#!/bin/sh\n{line}\ngit add {path}\n"})
        os.chmod(review.code.path(".git", "hooks", "pre-commit"), 0o755)
        await review.allow(first)
        second, lines = await review.asked(but=first)
        assert f"{path} has changed since this work was shown." in lines
        assert any(one.startswith(f"A {path} +") for one in lines)
        assert review.code.git("log", "--format=%s", "main") == "first"
        await review.allow(second)
        assert path in await review.landed()

    story(tmp_path, scenario)


def test_where_its_state_can_not_be_recorded_its_reviewer_is_told(tmp_path, monkeypatch):
    unknown = FolderState(problem="no space left on the disk")
    monkeypatch.setattr(quest_work, "folder_state", lambda *_: unknown)

    async def scenario(review):
        first, lines = await review.begin()
        assert UNKNOWN_STATE in lines
        await review.allow(first)
        assert await review.landed() == ["large", "shown"]

    story(tmp_path, scenario)


def test_work_that_has_changed_can_be_refused(tmp_path):
    async def scenario(review):
        first, _ = await review.begin()
        review.work.write({"shown": "evil\n"})
        await review.ask("answer", question=first, behaviour="deny", message="no")
        assert (await review.ask("quest", id=review.quest))["status"] in {"queued", "running"}
        assert review.code.git("log", "--format=%s", "main") == "first"

    story(tmp_path, scenario)


@pytest.mark.parametrize("merged", [True, False], ids=["merged by somebody", "on its branch alone"])
def test_a_denial_says_that_its_target_has_the_commits_all_the_same(tmp_path, merged):
    async def scenario(review):
        await until(lambda: f"{review.quest}.1" in review.keeper.held, "it runs")
        review.work.commit("one", {"shown": "good\n"})
        review.keeper.exit(f"{review.quest}.1")
        first, _ = await review.asked()
        if merged:
            review.code.git("merge", "-q", "--no-ff", "-m", "by another", "overmind/fix")
        await review.ask("answer", question=first, behaviour="deny", message="no")
        (question,) = await review.ask("inbox")
        said = "main has its commits already, by another merge: they stay there."
        assert (said in question["subject"]["lines"], "no" in question["subject"]["lines"]) == (merged, True)

    story(tmp_path, scenario, retries=0)


def test_after_another_supervisor_it_is_still_compared_with_what_was_shown(tmp_path):
    home = Home(str(tmp_path / "home"))
    keeper = ScriptedKeeper(home)
    code = Repository(str(tmp_path / "shop"))
    code.commit("first", {"a": "1\n"})

    async def whole():
        async with supervising(home, keeper, settings=Settings()) as inside:
            new = {"title": "fix", "command": "true", "into": "main", "review": "person"}
            added = await inside.ask("quest_add", quests=[new], cwd=code.folder, env={**world(), **AUTHOR})
            review = Reviewed(keeper, inside, code, added["quests"][0]["id"])
            number, _ = await review.begin()
            inside.app.journal.flush()
        keeper.lose()
        review.work.write({"shown": "evil\n"})
        async with supervising(home, keeper, settings=Settings()) as later:
            review = Reviewed(keeper, later, code, review.quest)
            assert (await review.asked())[0] == number
            with pytest.raises(OvermindError, match="shown has changed"):
                await review.allow(number)
            again, _ = await review.asked()
            await review.allow(again)
            assert await review.landed() == ["large", "shown"]

    try:
        in_process.run(whole())
    finally:
        keeper.close()
