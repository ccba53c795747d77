"""A person lands the work of a quest by hand: what follows is saved with the landing, whoever dies when."""

from __future__ import annotations

import asyncio
import os
import subprocess
from dataclasses import replace

import pytest

from overmind_core.errors import OvermindError
from overmind_core.kernel.config import Settings
from overmind_core.system.paths import Home
from tests.kit import in_process
from tests.kit.in_process import ScriptedKeeper, idle, supervising, until, world
from tests.kit.mortal import Mortal, at_each_commit
from tests.kit.repositories import AUTHOR, Repository

ENVIRONMENT = {**world(), **AUTHOR}


class Shop:
    """One home and one repository; the first attempts of the quest `base` commit a file of its name, and fail."""

    def __init__(self, folder: str, *, fails: int = 1) -> None:
        os.makedirs(folder)
        self.home = Home(os.path.join(folder, "home"))
        self.keeper = ScriptedKeeper(self.home)
        self.code = Repository(os.path.join(folder, "shop"))
        self.code.commit("first", {"a": "1\n"})
        self.runs: list[str] = []
        self._fails = fails
        self.keeper.on_ask["spawn"] = self._work

    def _work(self, fields):
        name, folder = fields["argv"][-1], fields["cwd"]
        self.runs.append(name)
        with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
            file.write(f"{len(self.runs)}\n")
        for words in (("add", name), ("commit", "-q", "-m", name)):
            subprocess.run(["git", *words], cwd=folder, env=self.code.environ, check=True)
        code = 3 if name == "base" and self.runs.count("base") <= self._fails else 0
        asyncio.get_running_loop().call_soon(self.keeper.exit, fields["run"], code)

    def daemon(self):
        return supervising(self.home, self.keeper, settings=Settings())

    async def add(self, inside, name, **more):
        quest = {"title": name, "name": name, "command": ["true", name], "into": "main", "retries": 0, **more}
        added = await inside.ask("quest_add", quests=[quest], cwd=self.code.folder, env=ENVIRONMENT)
        return added["quests"][0]["id"]

    def landed(self):
        return [one for one in self.code.git("log", "--format=%s", "main").splitlines() if one.startswith("Merge")]


class MergingMortal(Mortal):
    """One whose merge ends where it dies: it begins no other git."""

    asked: asyncio.Task[None] | None = None

    def _commit(self, changes):
        super()._commit(changes)
        if self.dead and self.asked is not None:
            self.asked.cancel()


def story(tmp_path, scenario, kind=Shop, **how):
    shop = kind(str(tmp_path / "shop"), **how)
    try:
        return in_process.run(scenario(shop))
    finally:
        shop.keeper.close()


async def ended(inside, quest):
    await until(lambda: quest not in inside.app.quest_registry.live, f"{quest} is over")
    return await inside.ask("quest", id=quest)


async def standing(inside, quest, status):
    await until(lambda: inside.app.quest_registry.get(quest).status == status, f"{quest} is {status}")


async def merge(inside, quest, **how):
    """The last item: what came of it."""
    return [item async for item in inside.stream("merge", id=quest, **how)][-1]


@pytest.mark.parametrize("cancelled", [False, True], ids=["failed", "cancelled"])
def test_those_that_need_a_quest_go_on_once_a_person_has_landed_its_work(tmp_path, cancelled):
    async def scenario(shop):
        async with shop.daemon() as inside:
            base = await shop.add(inside, "base", retries=int(cancelled), backoff=60_000)
            later = await shop.add(inside, "later", needs=[base])
            await standing(inside, base, "queued" if cancelled else "failed")
            if cancelled:
                await until(lambda: shop.runs, "it has run")
                await idle()
                await inside.ask("quest_cancel", id=base)
            await idle()
            assert (await inside.ask("quest_why", id=later))["code"] == "blocked"
            await merge(inside, base)
            over = await ended(inside, later)
            first = await inside.ask("quest", id=base)
            why = await inside.ask("quest_why", id=later)
            assert await inside.ask("inbox") == []
        return first, over, why

    first, over, why = story(tmp_path, scenario)
    assert first["status"] == ("cancelled" if cancelled else "failed")
    assert (first["achieved"], first["landed"]["by_hand"]) == ("landed by hand on main", True)
    assert (over["status"], over["achieved"], over["landed"]["by_hand"]) == ("completed", "landed on main", False)
    assert why["needs_by_hand"] == ["base"]


def test_a_second_landing_elsewhere_leaves_it_done(tmp_path):
    async def scenario(shop):
        shop.code.git("branch", "release")
        async with shop.daemon() as inside:
            base = await shop.add(inside, "base")
            await standing(inside, base, "failed")
            await merge(inside, base)
            await merge(inside, base, into="release")
            later = await shop.add(inside, "later", needs=[base])
            return await inside.ask("quest", id=base), await ended(inside, later)

    base, later = story(tmp_path, scenario)
    assert (base["achieved"], later["status"]) == ("landed by hand on main", "completed")


def test_one_in_review_that_a_person_mends_and_lands_is_done_and_not_asked_about_again(tmp_path):
    async def scenario(shop):
        async with shop.daemon() as inside:
            base = await shop.add(inside, "base", review="person", check="true base")
            await standing(inside, base, "review")
            work = Repository(shop.code.path(".overmind", "worktrees", base))
            work.commit("mended", {"base": "mended\n"})
            await merge(inside, base, unreviewed=True)
            over = await ended(inside, base)
            assert await inside.ask("inbox") == []
            return over

    over = story(tmp_path, scenario, fails=0)
    assert (over["status"], over["achieved"]) == ("completed", "landed by hand on main")


@pytest.mark.parametrize("edits", [False, True], ids=["its files have changed", "its review was wanted afterwards"])
def test_what_was_accepted_before_it_changed_is_not_reviewed(tmp_path, edits):
    async def scenario(shop):
        async with shop.daemon() as inside:
            shop.code.write({"base": "a person's\n"})
            base = await shop.add(inside, "base", **({} if edits else {"review": "person"}))
            if not edits:
                await standing(inside, base, "review")
                await inside.ask("answer", id=base, behaviour="allow")
            await until(lambda: inside.app.engine.attempts.targets.refusal(base), "a person's file is in its way")
            await inside.ask("answer", question=(await inside.question())["question"], behaviour="deny")
            await standing(inside, base, "failed")
            shop.code.git("clean", "-qf", "base")
            if edits:
                await inside.ask("quest_edit", id=base, review="person")
            else:
                Repository(shop.code.path(".overmind", "worktrees", base)).commit("more", {"more": "1\n"})
            with pytest.raises(OvermindError) as refused:
                await merge(inside, base)
            return refused.value

    refused = story(tmp_path, scenario, fails=0)
    said = "Nobody can tell whether base was reviewed as it is now" if edits else "base has changed since its review"
    assert refused.code == "unreviewed"
    assert refused.message.startswith(f"{said}: nothing was changed.")


BROUGHT = {
    # how a mission has got the commits of another one, what it does for that
    "began there": (),
    "merged it": (("merge", "-q", "--no-edit", "overmind/base"),),
    "was forwarded": (("reset", "-q", "--hard", "main"), ("merge", "-q", "--ff-only", "overmind/base")),
    "was reset": (("reset", "-q", "--hard", "overmind/base"),),
    "was rebased": (("rebase", "-q", "overmind/base"),),
}


@pytest.mark.parametrize("how", BROUGHT)
@pytest.mark.parametrize("denied", [False, True], ids=["in review", "denied"])
def test_work_with_the_commits_of_another_quest_that_nobody_has_accepted_is_refused_like_that(tmp_path, how, denied):
    async def scenario(shop):
        async with shop.daemon() as inside:
            base = await shop.add(inside, "base", review="person")
            await standing(inside, base, "review")
            if denied:
                await inside.ask("answer", id=base, behaviour="deny")
                await standing(inside, base, "failed")
            shop.keeper.on_ask.clear()
            wanted = {"base": "overmind/base"} if how == "began there" else {}
            ont = await inside.run("work", name="ont", isolate=True, cwd=shop.code.folder, env=ENVIRONMENT, **wanted)
            await until(lambda: inside.app.registry.live[ont].status == "running")
            work = Repository(shop.code.path(".overmind", "worktrees", ont))
            work.commit("own", {"own": "1\n"})
            if how != "began there":
                assert (await merge(inside, ont, preview=True)).get("unreviewed") is None
            for words in BROUGHT[how]:
                work.git(*words)
            shown = await merge(inside, ont, into="main", preview=True)
            with pytest.raises(OvermindError) as refused:
                await merge(inside, ont, into="main")
            assert shop.landed() == []
            assert (await merge(inside, ont, into="main", unreviewed=True))["merged"]
            return shown["unreviewed"], refused.value

    foretold, refused = story(tmp_path, scenario, fails=0)
    why = "The review of base was denied" if denied else "base waits for your review"
    assert (refused.code, foretold) == ("unreviewed", f"ont has commits of base. {why}")
    assert refused.message.startswith(f"{foretold}: nothing was changed. ")
    assert refused.message.endswith("merge it all the same with: overmind merge ont --into main --unreviewed")


def test_work_that_another_quest_has_merged_is_no_work_of_that(tmp_path):
    async def scenario(shop):
        async with shop.daemon() as inside:
            base = await shop.add(inside, "base")
            later = await shop.add(inside, "later", review="person")
            await standing(inside, later, "review")
            await standing(inside, base, "failed")
            work = Repository(shop.code.path(".overmind", "worktrees", later))
            work.git("merge", "-q", "--no-edit", "overmind/base")
            assert (await merge(inside, base))["merged"]

    story(tmp_path, scenario)


@pytest.mark.parametrize("how", ["reset", "rebased", "gone"])
def test_commits_that_another_quest_was_only_moved_to_are_no_work_of_that(tmp_path, how):
    async def scenario(shop):
        async with shop.daemon() as inside:
            base = await shop.add(inside, "base", review="person")
            await standing(inside, base, "review")
            shop.code.git("checkout", "-q", "-b", "dev")
            shop.code.commit("dev", {"dev": "1\n"})
            shop.code.git("checkout", "-q", "main")
            work = Repository(shop.code.path(".overmind", "worktrees", base))
            work.git(*(("rebase", "-q", "dev") if how == "rebased" else ("reset", "-q", "--hard", "dev")))
            if how == "gone":
                record = inside.app.workspace.records[base]
                inside.app.workspace.records[base] = replace(record, base_commit="1" * 40)
            shop.keeper.on_ask.clear()
            ont = await inside.run("work", name="ont", isolate=True, cwd=shop.code.folder, env=ENVIRONMENT)
            await until(lambda: inside.app.registry.live[ont].status == "running")
            own = Repository(shop.code.path(".overmind", "worktrees", ont))
            own.commit("own", {"own": "1\n"})
            own.git("merge", "-q", "--no-edit", "dev")
            assert (await merge(inside, ont))["merged"]

    story(tmp_path, scenario, fails=0)


def test_what_another_quest_has_committed_on_a_branch_of_its_own_and_brought_to_its_work_is_its_work(tmp_path):
    async def scenario(shop):
        async with shop.daemon() as inside:
            base = await shop.add(inside, "base", review="person")
            await standing(inside, base, "review")
            work = Repository(shop.code.path(".overmind", "worktrees", base))
            work.git("checkout", "-q", "-b", "side", "main")
            side = work.commit("side", {"side": "1\n"})
            work.git("checkout", "-q", "overmind/base")
            work.git("reset", "-q", "--hard", "main")
            work.git("merge", "-q", "--ff-only", "side")
            shop.keeper.on_ask.clear()
            ont = await inside.run("work", name="ont", isolate=True, cwd=shop.code.folder, env=ENVIRONMENT)
            await until(lambda: inside.app.registry.live[ont].status == "running")
            Repository(shop.code.path(".overmind", "worktrees", ont)).git("merge", "-q", side)
            with pytest.raises(OvermindError) as refused:
                await merge(inside, ont)
            return refused.value

    assert story(tmp_path, scenario, fails=0).code == "unreviewed"


def test_what_is_committed_while_its_merge_waits_for_another_is_judged_before_it_lands(tmp_path):
    async def scenario(shop):
        async with shop.daemon() as inside:
            shop.code.write({"base": "a person's\n"})
            base = await shop.add(inside, "base", review="person")
            await standing(inside, base, "review")
            await inside.ask("answer", id=base, behaviour="allow")
            await until(lambda: inside.app.engine.attempts.targets.refusal(base), "a person's file is in its way")
            await inside.ask("answer", question=(await inside.question())["question"], behaviour="deny")
            await standing(inside, base, "failed")
            shop.code.git("clean", "-qf", "base")
            place = inside.app.locations.isolated(base, there=False)
            async with inside.app.landing._turn(place.repository):
                merging = asyncio.create_task(merge(inside, base))
                await idle()
                Repository(place.folder).commit("more", {"more": "1\n"})
            with pytest.raises(OvermindError) as refused:
                await merging
            assert shop.landed() == []
            return refused.value

    refused = story(tmp_path, scenario, fails=0)
    assert (refused.code, "base has changed since its review" in refused.message) == ("unreviewed", True)


def test_work_that_has_changed_since_its_quest_was_completed_is_not_to_be_tried_again(tmp_path):
    async def scenario(shop):
        async with shop.daemon() as inside:
            base = await shop.add(inside, "base", review="person", into=None, isolate=True)
            await standing(inside, base, "review")
            await inside.ask("answer", id=base, behaviour="allow")
            await standing(inside, base, "completed")
            Repository(shop.code.path(".overmind", "worktrees", base)).commit("more", {"more": "1\n"})
            with pytest.raises(OvermindError) as refused:
                await merge(inside, base)
            return refused.value

    refused = story(tmp_path, scenario, fails=0)
    assert (refused.code, "base has changed since its review" in refused.message) == ("unreviewed", True)
    assert "quest retry" not in refused.message


class LeftUncommitted(Shop):
    """One whose work is not committed, and does not pass its check."""

    def _work(self, fields):
        is_check = fields["env"]["OVERMIND_MISSION_NAME"].endswith("/check")
        if not is_check:
            Repository(fields["cwd"]).write({"new": "x\n"})
        asyncio.get_running_loop().call_soon(self.keeper.exit, fields["run"], int(is_check))


@pytest.mark.parametrize("at_once", [False, True], ids=["of the queue", "begun at once"])
def test_a_refused_merge_names_a_retry_only_where_there_is_one(tmp_path, at_once):
    async def scenario(shop):
        async with shop.daemon() as inside:
            if at_once:
                how = {"name": "base", "command": "true", "isolate": True, "cwd": shop.code.folder, "env": ENVIRONMENT}
                base = (await inside.ask("quest_run", check="make test", **how))["id"]
                await ended(inside, base)
            else:
                base = await shop.add(inside, "base", check="make test")
                await standing(inside, base, "failed")
            with pytest.raises(OvermindError) as refused:
                await merge(inside, base)
            return refused.value

    refused = story(tmp_path, scenario, LeftUncommitted)
    assert (refused.code, "runs on the merged work too: make test. " in refused.message) == ("dirty", True)
    assert ("overmind quest retry base" in refused.message) is not at_once


class Overwriting(Shop):
    """One in which each attempt writes the file `a` whole; a person has added a line to it during the first one."""

    def _work(self, fields):
        self.runs.append(fields["argv"][-1])
        if len(self.runs) == 1:
            self.code.commit("theirs", {"a": "1\ntheirs\n"})
        Repository(fields["cwd"]).commit(f"attempt {len(self.runs)}", {"a": "base\n"})
        asyncio.get_running_loop().call_soon(self.keeper.exit, fields["run"], 0)

    async def undoing(self, inside):
        """A quest that waits for a person, as its landing would undo that line."""
        base = await self.add(inside, "base", retries=1, backoff=0.01)
        await until(lambda: inside.app.quest_registry.live[base].reason == "undoes_landed", "it would undo theirs")
        return base


LOSES = "a would lose 1 line of your own commits. Nothing was changed."


@pytest.mark.parametrize("denied", [False, True], ids=["asked about", "denied"])
@pytest.mark.parametrize(
    "how", [{}, {"preview": True}, {"squash": True, "message": "two words"}], ids=["", "preview", "squash"]
)
def test_what_would_undo_what_has_landed_is_merged_only_when_a_person_says_so(tmp_path, denied, how):
    async def scenario(shop):
        async with shop.daemon() as inside:
            base = await shop.undoing(inside)
            if denied:
                await inside.ask("answer", id=base, behaviour="deny")
                await standing(inside, base, "failed")
            asked = await inside.ask("inbox")
            with pytest.raises(OvermindError) as refused:
                await merge(inside, base, **how)
            assert (shop.code.read("a"), await inside.ask("inbox")) == ("1\ntheirs\n", asked)
            await merge(inside, base, undo_landed=True)
            over = await ended(inside, base)
            assert await inside.ask("inbox") == []
            return refused.value, [one["question"] for one in asked], over, inside.events(base)

    refused, numbers, over, told = story(tmp_path, scenario, Overwriting)
    allow = "Merge" if denied else f"Allow it with: overmind answer {numbers[0]} allow, or merge"
    given = " --squash -m 'two words'" if "squash" in how else ""
    command = f"overmind merge base{given} --undo-landed"
    assert (refused.code, refused.message) == (
        "undoes_landed", f"{LOSES} {allow} it all the same with: {command}",
    )  # fmt: skip
    assert over["achieved"] == f"landed by hand on main{'' if denied else ' after a conflict in a'}"
    if not denied:
        assert [one for one in told if one["type"] == "quest"][-1]["why"] == over["achieved"]


def test_what_was_allowed_to_undo_what_has_landed_is_merged_by_hand_while_it_undoes_no_more(tmp_path):
    async def scenario(shop):
        async with shop.daemon() as inside:
            base = await shop.undoing(inside)
            shop.code.write({"a": "mine\n"})
            await inside.ask("answer", id=base, behaviour="allow")
            await until(lambda: inside.app.engine.attempts.targets.refusal(base), "a person's file is in its way")
            shop.code.commit("mine", {"a": "1\ntheirs\nmine\n"})
            with pytest.raises(OvermindError, match=r"^a would lose 2 lines of your own commits"):
                await merge(inside, base, preview=True)

    story(tmp_path, scenario, Overwriting)


WAITING = [
    # what the quest is beside its work, how often that fails, where it then waits
    ({"retries": 3, "backoff": 60_000}, 9, "queued"),
    ({"review": "person"}, 0, "review"),
]


@pytest.mark.parametrize(("more", "fails", "status"), WAITING, ids=["for its next try", "in review"])
def test_one_that_waits_is_done_once_a_person_has_landed_its_work(tmp_path, more, fails, status):
    async def scenario(shop):
        async with shop.daemon() as inside:
            base = await shop.add(inside, "base", **more)
            later = await shop.add(inside, "later", needs=[base])
            await until(lambda: shop.runs, "it has run")
            await standing(inside, base, status)
            await merge(inside, base, unreviewed=status == "review")
            over = await ended(inside, base)
            assert (await ended(inside, later))["status"] == "completed"
            assert await inside.ask("inbox") == []
            assert shop.runs == ["base", "later"]
            return over

    over = story(tmp_path, scenario, fails=fails)
    assert (over["status"], over["achieved"], over["exit_code"]) == ("completed", "landed by hand on main", 0)
    assert (over["tries"], over["attempts"]) == (1, 1)


@pytest.mark.parametrize("preview", [False, True])
def test_work_of_which_nothing_is_committed_is_refused_for_its_review_first_also_as_a_preview(tmp_path, preview):
    async def scenario(shop):
        async with shop.daemon() as inside:
            base = await shop.add(inside, "base", review="person")
            await standing(inside, base, "review")
            Repository(inside.app.locations.isolated(base, there=False).folder).git("reset", "-q", "HEAD~1")
            found = []
            for unreviewed in (False, True):
                with pytest.raises(OvermindError) as refused:
                    await merge(inside, base, preview=preview, unreviewed=unreviewed)
                found.append(refused.value.code)
            return found

    assert story(tmp_path, scenario, fails=0) == ["unreviewed", "dirty"]


@pytest.mark.parametrize("into", [None, "topic"], ids=["where it is to land", "elsewhere"])
@pytest.mark.parametrize("denied", [False, True], ids=["open", "denied"])
def test_what_no_reviewer_has_accepted_lands_only_when_a_person_says_so(tmp_path, denied, into):
    async def scenario(shop):
        shop.code.git("branch", "topic")
        target = {} if into is None else {"into": into}
        async with shop.daemon() as inside:
            base = await shop.add(inside, "base", review="person")
            await standing(inside, base, "review")
            if denied:
                await inside.ask("answer", id=base, behaviour="deny")
                await standing(inside, base, "failed")
            asked = await inside.ask("inbox")
            previewed = await merge(inside, base, preview=True, **target)
            with pytest.raises(OvermindError) as refused:
                await merge(inside, base, **target)
            assert (shop.landed(), await inside.ask("inbox")) == ([], asked)
            await merge(inside, base, unreviewed=True, **target)
            log = shop.code.git("log", "--format=%s", into or "main")
            return refused.value, [one["question"] for one in asked], previewed["unreviewed"], log

    refused, numbers, said, log = story(tmp_path, scenario, fails=0)
    where = "" if into is None else f" --into {into}"
    assert refused.code == "unreviewed"
    assert said == ("The review of base was denied" if denied else "base waits for your review")
    assert said in refused.message
    assert ("overmind quest retry base" if denied else f"overmind answer {numbers[0]} allow") in refused.message
    assert f"overmind merge base{where} --unreviewed" in refused.message
    assert "Merge" in log


@pytest.mark.parametrize("saved", [False, True], ids=["before it is saved", "right after it is saved"])
def test_whichever_commit_of_a_landing_a_supervisor_dies_at_those_that_need_it_start_once(tmp_path, saved):
    async def dies(at):
        shop = Shop(str(tmp_path / str(at)))
        async with shop.daemon() as first:
            base = await shop.add(first, "base")
            later = await shop.add(first, "later", needs=[base])
            await standing(first, base, "failed")
            await first.ask("queue_set", paused=True)  # the dead begin no worktree that the living would meet
            await idle()
            mortal = MergingMortal(first.app, at, saved=saved)
            asked = mortal.asked = asyncio.create_task(merge(first, base))
            await until(lambda: mortal.dead or asked.done())
            asked.cancel()
            await asyncio.gather(asked, return_exceptions=True)
        async with shop.daemon() as second:
            await until(lambda: not second.app.landing._traces, "the merge was brought to its end, or taken back")
            if not shop.landed():
                await merge(second, base)
            await second.ask("queue_set", paused=False)
            assert (await ended(second, later))["status"] == "completed"
            info = await second.ask("quest", id=base)
            assert (info["status"], info["achieved"]) == ("failed", "landed by hand on main")
            told = [one for one in second.events(base) if one["type"] == "landed"]
            assert await second.ask("inbox") == []
        assert len(told) == 1
        assert shop.runs == ["base", "later"]
        shop.keeper.close()
        return mortal.dead

    assert in_process.run(at_each_commit(dies)) > 3


def test_what_a_person_has_landed_is_not_done_once_more(tmp_path):
    async def scenario(shop):
        async with shop.daemon() as inside:
            base = await shop.add(inside, "base")
            await standing(inside, base, "failed")
            await merge(inside, base)
            with pytest.raises(OvermindError) as refused:
                await inside.ask("quest_retry", id=base)
            later = await shop.add(inside, "later", needs=[base])
            assert (await ended(inside, later))["status"] == "completed"
            return refused.value

    refused = story(tmp_path, scenario)
    assert refused.code == "not_running"
    done = "(base) was landed by hand on main, so it is done. Have more done with: overmind quest add"
    assert done in refused.message


def test_work_that_lands_on_another_branch_frees_nobody(tmp_path):
    async def scenario(shop):
        shop.code.git("branch", "topic")
        async with shop.daemon() as inside:
            base = await shop.add(inside, "base")
            later = await shop.add(inside, "later", needs=[base])
            await standing(inside, base, "failed")
            async for _ in inside.stream("merge", id=base, into="topic"):
                pass
            await idle()
            why = await inside.ask("quest_why", id=later)
            with pytest.raises(OvermindError):
                await inside.ask("merge", id="nosuch")
            assert (await inside.ask("quest_retry", id=base))["round"] == 2, "it is not where it was to land"
            return why["code"], why["text"]

    assert story(tmp_path, scenario) == (
        "blocked",
        "needs base (failed: its command failed; landed by hand on topic)",
    )
