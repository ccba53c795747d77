"""A person accepts the work that they were shown, and no other: what has changed since is shown first."""

from __future__ import annotations

import os
from dataclasses import replace
from unittest import mock

import pytest

from overmind_core.domain.quests.attempt import AttemptMissions
from overmind_core.domain.quests.quest import FolderState
from overmind_core.domain.reports import Report, ReportKind
from overmind_core.errors import OvermindError
from overmind_core.kernel.config import Settings
from overmind_core.landing import quest_work
from overmind_core.quests.attempt_work import Verdict
from overmind_core.quests.outcomes import MAY_HAVE_CHANGED, UNKNOWN_STATE
from overmind_core.reports.assignment import Assignment
from overmind_core.reports.service import Source
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

    async def report(self, text):
        """Have the quest report a bug, and queue a quest for it; return that."""
        registry = self._inside.app.quest_registry
        quest, work = registry.get(self.quest), registry.work(self.quest)
        source, agent = Source(quest.id, quest.name, None, quest), Assignment(work, registry.shared(work.shared))
        wanted = Report(ReportKind.BUG, text, source.id, source.name, 0.0)
        reports = self._inside.app.engine.reports
        reported = await reports.report(source, wanted, block=False, waits=False, at_hand=agent)
        return await self.ask("quest", id=reported["quest"]["id"])

    def reviewed_by_agent(self, *, asked=False):
        """Have an agent be the reviewer; `asked`: a person was asked all the same."""
        quests = self._inside.app.quest_registry
        quest = quests.live[self.quest]
        *earlier, newest = quest.queue.tries
        queue = replace(quest.queue, tries=(*earlier, replace(newest, by_person=asked)))
        quests.put(replace(quest, goal=replace(quest.goal, review="claude"), queue=queue))

    def nobody_is_asked(self):
        """Withdraw the person's question: an agent reviews the work."""
        self._inside.app.engine.attempts._outcomes()._asker.withdraw(self.quest)

    async def judged(self, verdict, comparison):
        """Have an agent come to a verdict about its work, and git compare that with what was reviewed."""
        app = self._inside.app
        attempts, work = app.engine.attempts, app.registry.get(self.quest)
        judging = attempts._judge(app.quest_registry.live[self.quest], AttemptMissions(work, review=work))
        with (
            mock.patch.object(app.engine._attempt_work, "verdict", mock.AsyncMock(return_value=verdict)),
            mock.patch.object(app.engine.quest_landing, "changed_since", comparison),
        ):
            await attempts._act(self.quest, judging)

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


def test_what_the_rest_undoes_of_a_commit_is_named_where_it_is_reviewed(tmp_path):
    async def scenario(review):
        await until(lambda: f"{review.quest}.1" in review.keeper.held, "it runs")
        made = review.work.commit(
            "tidy", {"h3.txt": "PASSWORD\n", "art.txt": "1\n", ".gitattributes": "art.txt -diff\n"}
        )
        review.work.write({"h3.txt": "ok\n"})
        review.keeper.exit(f"{review.quest}.1")
        _, lines = await review.asked()
        assert (
            f"2 commits land as made, with what one undoes of another in h3.txt: the uncommitted rest, {made[:8]} tidy."
        ) in lines
        assert {"A h3.txt +1 -0", "A art.txt binary"} <= set(lines)

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


@pytest.mark.parametrize("reviewer", ["person", None])
def test_what_reviewed_work_reports_is_reviewed_before_it_lands_too(tmp_path, reviewer):
    async def scenario(review):
        await until(lambda: f"{review.quest}.1" in review.keeper.held, "it runs")
        reported = await review.report("a hole")
        assert (reported["into"], reported["review"]) == ("main", reviewer)

    story(tmp_path, scenario, review=reviewer)


def test_where_nobody_can_tell_whether_work_that_an_agent_has_passed_is_still_the_same_a_person_decides(tmp_path):
    async def scenario(review):
        first, _ = await review.begin()
        failing = mock.AsyncMock(side_effect=OvermindError("git_failed", "git has taken too long"))
        review.nobody_is_asked()
        await review.judged(Verdict(passes=True, feedback=""), failing)
        _, lines = await review.asked(but=first)
        assert MAY_HAVE_CHANGED in lines
        assert (await review.ask("quest", id=review.quest))["status"] == "review"

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


def overlooked(work):
    work.git("update-index", "--assume-unchanged", "a")
    work.write({"a": "2\n", "shown": "good\n"})


def nested(work):
    work.write({"shown": "good\n"})
    Repository(work.path("inn")).commit("own", {"b": "1\n"})


def elsewhere(work):
    work.git("checkout", "-q", "--detach")
    work.write({"shown": "good\n"})


def behind(work):
    work.commit("not shown", {"shown": "good\n"})
    work.git("checkout", "-q", "--detach", "HEAD~1")


def marked(work):
    work.commit("both", {"a": "<<<<<<< HEAD\n1\n=======\n2\n>>>>>>> main\n"})


UNFIT = {
    "overlooked": (
        overlooked,
        "output_invalid",
        "its result can't be taken over: Git is told to overlook changes of a in fix.",
    ),
    "nested": (nested, "output_invalid", "or register it with: git submodule add URL inn"),
    "elsewhere": (elsewhere, "output_invalid", "only overmind/fix lands. Bring the work there, and check it out."),
    "behind": (behind, "output_invalid", "only overmind/fix lands. Bring the work there, and check it out."),
    "marked": (marked, "conflict_left", ""),
    "unchanged": (lambda _work: None, "no_change", "nothing was changed or committed"),
}


@pytest.mark.parametrize("reviewer", ["person", "claude"])
@pytest.mark.parametrize(("make", "failure", "said"), UNFIT.values(), ids=UNFIT)
def test_nobody_reviews_work_that_can_not_land_and_its_next_attempt_waits_with_the_reason(
    tmp_path, make, failure, said, reviewer
):
    async def scenario(review):
        await until(lambda: f"{review.quest}.1" in review.keeper.held, "it runs")
        quests = review._inside.app.quest_registry
        quest = quests.live[review.quest]
        quests.put(replace(quest, goal=replace(quest.goal, review=reviewer)))
        make(review.work)
        review.keeper.exit(f"{review.quest}.1")
        await until(lambda: quests.get(review.quest).queue.tries[0].failure, "it has failed")
        why = await review.ask("quest_why", id=review.quest)
        is_redone = failure == "conflict_left"  # at once, so that nobody has to be told why it waits
        assert is_redone or ("; attempt 1 failed: " in why["text"] and said in why["text"])
        assert (await review.ask("quest", id=review.quest))["attempt_list"][0]["class"] == failure
        assert await review.ask("inbox") == []
        assert not any("review" in one.definition.name for one in review._inside.app.registry.live.values())

    story(tmp_path, scenario)


def rebasing(work):
    work.commit("by hand", {"late": "1\n"})
    work.git("-c", "sequence.editor=sed -i.bak s/^pick/edit/", "rebase", "-q", "-i", "HEAD~1")


def undone(work):
    work.git("rebase", "--abort")
    work.git("reset", "-q", "HEAD~1")
    os.remove(work.path("late"))


def begun_elsewhere(work):
    work.git("switch", "-q", "-c", "mine")
    work.write({"shown": "mine\n"})


def back(work):
    work.write({"shown": "good\n"})
    work.git("switch", "-q", "overmind/fix")


HALF_DONE = {
    "another branch": (
        lambda work: work.git("switch", "-q", "-c", "mine"),
        back,
        "has mine checked out: only overmind/fix lands.",
    ),
    "and other work": (begun_elsewhere, back, "has mine checked out: only overmind/fix lands."),
    "an earlier commit": (
        lambda work: (work.commit("shown", {}), work.git("checkout", "-q", "--detach", "main")),
        lambda work: work.git("switch", "-q", "overmind/fix"),
        "checked out: only overmind/fix lands.",
    ),
    "a stash": (
        lambda work: work.git("stash", "-q", "-u"),
        lambda work: work.git("stash", "pop", "-q"),
        "Nothing was changed or committed.",
    ),
    "a rebase": (
        rebasing,
        undone,
        "A rebase in the worktree of fix is not finished.",
    ),
}


@pytest.mark.parametrize("is_recorded", [True, False], ids=["", "its state is not recorded"])
@pytest.mark.parametrize(("begin", "end", "said"), HALF_DONE.values(), ids=HALF_DONE)
def test_what_a_person_has_half_done_in_its_worktree_costs_no_attempt(
    tmp_path, monkeypatch, begin, end, said, is_recorded
):
    if not is_recorded:
        monkeypatch.setattr(quest_work, "folder_state", lambda *_: FolderState(problem="no space left on the disk"))

    async def scenario(review):
        first, _ = await review.begin()
        begin(review.work)
        with pytest.raises(OvermindError, match=r"^Its review stays open: it can't land as it is\. ") as refused:
            await review.allow(first)
        assert (refused.value.code, said in refused.value.message) == ("changed", True)
        assert (await review.asked())[0] == first
        quest = await review.ask("quest", id=review.quest)
        assert (quest["status"], quest["attempts"]) == ("review", 1)
        end(review.work)
        await review.allow(first)
        assert await review.landed() == ["large", "shown"]

    story(tmp_path, scenario, retries=0)


def test_work_that_an_agent_has_passed_and_that_is_unfit_at_its_landing_is_tried_again_by_itself(tmp_path):
    async def scenario(review):
        await review.begin()
        review.reviewed_by_agent()
        review.nobody_is_asked()
        review.work.git("switch", "-q", "-c", "mine")
        await review.judged(Verdict(passes=True, feedback=""), mock.AsyncMock(return_value=()))
        quests = review._inside.app.quest_registry
        await until(lambda: quests.get(review.quest).queue.tries[0].failure, "it has failed")
        assert await review.ask("inbox") == []
        quest = await review.ask("quest", id=review.quest)
        assert (quest["status"], quest["attempt_list"][0]["class"]) == ("queued", "output_invalid")
        assert "only overmind/fix lands" in quests.get(review.quest).queue.feedback

    story(tmp_path, scenario, retries=1)


@pytest.mark.parametrize("by_agent", [False, True], ids=["", "an agent had reviewed it"])
def test_what_a_person_begins_in_its_worktree_once_they_have_accepted_it_costs_no_attempt(tmp_path, by_agent):
    async def scenario(review):
        first, _ = await review.begin()
        if by_agent:
            review.reviewed_by_agent(asked=True)
        with mock.patch.object(
            review._inside.app.engine.quest_landing, "work_state", mock.AsyncMock(return_value=None)
        ):
            review.work.git("switch", "-q", "-c", "mine")
            await review.allow(first)
        second, lines = await review.asked(but=first)
        assert any("It can't land as it was found. The worktree of fix has mine checked out" in one for one in lines)
        assert (await review.ask("quest", id=review.quest))["attempts"] == 1
        back(review.work)
        await review.allow(second)
        assert await review.landed() == ["large", "shown"]

    story(tmp_path, scenario, retries=0)
