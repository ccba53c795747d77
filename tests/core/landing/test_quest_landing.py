"""The landing of quests, with real git: committed, merged, verified and cleared away; once, whenever a daemon dies."""

from __future__ import annotations

import asyncio
import os
import shutil
from contextlib import asynccontextmanager
from typing import NamedTuple
from unittest import mock

import pytest

from overmind_core.domain.landing import LeftWork, RemoteTarget
from overmind_core.domain.quests.quest import ConflictingFile, FolderState, LandedWork, MetConflict, UndoingLanding
from overmind_core.errors import OvermindError
from overmind_core.landing.preview import MergeCheck, MergeRequest
from overmind_core.landing.quest_work import MOST_TEXT
from overmind_core.missions.spec import Environment
from overmind_core.system import sweep
from overmind_core.system.paths import Home
from tests.kit import in_process
from tests.kit.in_process import ScriptedKeeper, idle, supervising, until
from tests.kit.repositories import Repository


class Wish(NamedTuple):
    mission: str
    into: str = "main"
    message: str = "Add carts\n\nThey hold what is bought.\n"
    verify: str | None = None
    request: str = "quest:red:land:1"
    remote: RemoteTarget | None = None
    allow_empty: bool = True
    met: tuple[MetConflict, ...] = ()
    allowed: UndoingLanding | None = None
    denied: tuple[UndoingLanding, ...] = ()
    shown: FolderState | None = None
    checked: FolderState | None = None
    check: str | None = None


class Shop:
    """A repository, and a quest `red` whose work has ended in its worktree."""

    def __init__(self, tmp_path):
        self.home = Home(str(tmp_path / "home"))
        self.code = Repository(str(tmp_path / "shop"))
        self.code.commit("first", {"a": "1\n", "b": "1\n"})
        self.keeper = ScriptedKeeper(self.home)
        self.red = ""

    @asynccontextmanager
    async def daemon(self):
        """One daemon; at the end of the block it is gone as after `kill -9`."""
        async with supervising(self.home, self.keeper, cwd=self.code.folder) as inside:
            self.inside = inside
            if not self.red:
                self.red = await inside.run("work", name="red", isolate=True, env=self.code.environ)
                await until(lambda: f"{self.red}.1" in self.keeper.held)
            yield inside

    async def works(self, files=None, *commits):
        """The quest's mission writes files, commits others, and ends."""
        for files_ in commits:
            self.work.commit("by hand", files_)
        self.work.write(files or {})
        self.keeper.exit(f"{self.red}.1")
        await until(lambda: self.red not in self.inside.app.registry.live)
        await until(lambda: self.record.ended)

    @property
    def record(self):
        return self.inside.app.workspace.records[self.red]

    @property
    def work(self):
        return Repository(self.code.path(".overmind", "worktrees", self.red))

    async def land(self, **wish):
        return await self.inside.app.engine.quest_landing.land(Wish(self.red, **wish))

    async def refused(self, **wish):
        before = self.code.git("rev-parse", "main")
        with pytest.raises(OvermindError) as refused:
            await self.land(**wish)
        assert self.code.git("rev-parse", "main") == before
        return refused.value

    def log(self, branch="main"):
        return self.code.git("log", "--first-parent", "--format=%s", branch).splitlines()

    def is_cleared(self):
        """Neither worktree nor branch is left."""
        known = self.code.git("worktree", "list").splitlines()[1:], self.code.git("branch", "--list", "overmind/*")
        return known == ([], "") and not os.path.exists(self.code.path(".overmind", "worktrees", self.red))


def story(tmp_path, scenario):
    shop = Shop(tmp_path)
    try:
        in_process.run(scenario(shop))
    finally:
        shop.keeper.close()


def test_what_a_quest_made_is_committed_and_merged_and_its_worktree_goes(tmp_path):
    async def scenario(shop):
        async with shop.daemon():
            before = shop.code.git("rev-parse", "main")
            await shop.works({"new": "x\n"}, {"b": "2\n"})
            landed = await shop.land()
            after = shop.code.git("rev-parse", "main")
            assert landed == LandedWork("main", before, after)
            assert shop.log() == ["Merge overmind/red into main", "first"]
            assert shop.code.git("log", "-1", "--format=%B", "main^2") == "Add carts\n\nThey hold what is bought."
            assert shop.code.read("new") == "x\n"
            assert shop.is_cleared()
            assert await shop.land() == landed, "the same request is told of the same landing"
            assert shop.code.git("rev-parse", "main") == after

    story(tmp_path, scenario)


def test_the_files_that_no_pattern_of_a_quest_names_are_known_before_and_after_its_landing(tmp_path):
    async def scenario(shop):
        async with shop.daemon():
            landing = shop.inside.app.engine.quest_landing
            await shop.works({"new": "x\n"}, {"docs/b": "2\n", "docs/deep/c": "3\n"})
            cases = ((("docs",), ("new",)), (("new", "docs/*"), ()), (("/b",), ("docs/b", "docs/deep/c", "new")))
            for owns, strange in cases:
                assert await landing.not_owned(shop.red, owns, None) == strange, owns
            landed = await shop.land()
            shop.code.commit("another one's", {"later": "1"})
            for owns, strange in cases:
                assert await landing.not_owned(shop.red, owns, landed) == strange, owns
            assert await landing.not_owned(shop.red, ("a",), LandedWork("main", "0" * 40, "1" * 40)) == ()

    story(tmp_path, scenario)


def test_nothing_to_land_is_fine_and_leaves_nothing(tmp_path):
    async def scenario(shop):
        async with shop.daemon():
            await shop.works({"made": ""})
            os.unlink(shop.work.path("made"))
            assert await shop.land() is None
            assert shop.is_cleared()
            assert await shop.land() is None
            assert shop.log() == ["first"]

    story(tmp_path, scenario)


@pytest.mark.parametrize(
    "commits",
    [
        pytest.param([{}], id="a commit without a change"),
        pytest.param([{"b": "2\n"}, {"b": "1\n"}], id="commits of which one undoes the other"),
    ],
)
def test_commits_that_change_nothing_are_no_change(tmp_path, commits):
    async def scenario(shop):
        async with shop.daemon():
            await shop.works(None, *commits)
            assert (await shop.refused(allow_empty=False)).code == "no_change"
            assert await shop.inside.app.engine.quest_landing.is_unchanged(shop.red)
            shop.work.write({"b": "2\n"})
            assert (await shop.land(allow_empty=False)).branch == "main"

    story(tmp_path, scenario)


def test_what_is_checked_out_elsewhere_is_not_moved(tmp_path):
    async def scenario(shop):
        async with shop.daemon():
            shop.code.git("branch", "spec/cart")
            shop.code.write({"a": "edited\n"})
            before = shop.code.git("status", "--porcelain"), shop.code.git("rev-parse", "HEAD")
            await shop.works({"new": "x\n"})
            landed = await shop.land(into="spec/cart")
            assert landed.branch == "spec/cart"
            assert shop.log("spec/cart") == ["Merge overmind/red into spec/cart", "first"]
            assert (shop.code.git("status", "--porcelain"), shop.code.git("rev-parse", "HEAD")) == before

    story(tmp_path, scenario)


@pytest.mark.parametrize("there", ["nothing", "a repository"])
def test_work_in_a_folder_that_is_no_worktree_any_more_does_not_land_and_a_persons_merge_is_not_finished(
    tmp_path, there
):
    async def scenario(shop):
        async with shop.daemon():
            shop.code.git("switch", "-q", "-c", "other")
            shop.code.commit("theirs", {"c": "1\n"})
            shop.code.git("switch", "-q", "main")
            shop.code.git("merge", "-q", "--no-commit", "--no-ff", "other")
            await shop.works({"new": "x\n"})
            os.unlink(shop.work.path(".git"))
            if there == "a repository":
                shop.work.git("init", "-q")
            error = await shop.refused()
            assert (error.code, "is no longer a worktree" in error.message) == ("output_invalid", True)
            assert await shop.inside.app.engine.quest_landing.work_state(shop.red) is None
            assert not await shop.inside.app.engine.quest_landing.is_unchanged(shop.red)
            assert (
                shop.code.git("rev-parse", "MERGE_HEAD", "other").split()[0]
                == shop.code.git("rev-parse", "other").strip()
            )
            assert shop.log() == ["first"]

    story(tmp_path, scenario)


@pytest.mark.parametrize("committed", [False, True])
def test_what_changes_below_the_folder_of_the_engine_never_lands(tmp_path, committed):
    async def scenario(shop):
        async with shop.daemon():
            files = {".overmind/specs/cart/tasks.md": "- done\n"}
            await shop.works(*([None, files] if committed else [files]))
            error = await shop.refused()
            assert (error.code, error.fields["files"]) == ("output_invalid", [".overmind/specs/cart/tasks.md"])
            assert error.message == (
                "1 file below .overmind/ was changed by red: .overmind/specs/cart/tasks.md. "
                "Such changes never land: undo them."
            )
            if committed:
                shop.work.git("rm", "-rq", ".overmind")
            else:
                os.unlink(shop.work.path(".overmind/specs/cart/tasks.md"))
            shop.work.write({"new": "x\n"})
            assert (await shop.land()).branch == "main"

    story(tmp_path, scenario)


def test_the_commits_of_a_worktree_that_was_deleted_by_hand_land(tmp_path):
    async def scenario(shop):
        async with shop.daemon():
            await shop.works(None, {"new": "x\n"})
            shutil.rmtree(shop.code.path(".overmind", "worktrees", shop.red))
            assert (await shop.land(message=" \0 ")).branch == "main"
            assert shop.code.read("new") == "x\n"
            assert shop.is_cleared()

    story(tmp_path, scenario)


def test_a_message_without_words_is_the_name_of_the_quest(tmp_path):
    async def scenario(shop):
        async with shop.daemon():
            await shop.works({"new": "x\n"})
            assert (await shop.land(message=" \0\n")).branch == "main"
            assert shop.code.git("log", "-1", "--format=%B", "main^2") == "red"

    story(tmp_path, scenario)


def test_a_project_that_keeps_its_worktrees_keeps_those_of_quests(tmp_path):
    async def scenario(shop):
        async with shop.daemon() as inside:
            shop.code.commit("keep", {".overmind.yml": "isolation: { teardown: keep }\n"})
            await inside.ask("trust", cwd=shop.code.folder, env=shop.code.environ)
            shop.red = await inside.run("work", name="kept", env=shop.code.environ, cwd=shop.code.folder)
            await until(lambda: f"{shop.red}.1" in shop.keeper.held)
            await shop.works({"new": "x\n"})
            assert (await shop.land()).branch == "main"
            assert shop.work.read("new") == "x\n"
            assert [one["path"] for one in (await inside.ask("changes", id="kept"))["files"]] == ["new"]

    story(tmp_path, scenario)


def _switched(work):
    work.git("switch", "-qc", "other")
    work.commit("elsewhere", {"new": "x\n"})


def _nested(work):
    Repository(work.path("inner")).commit("inside", {"x": "1\n"})


def _unresolved(work):
    work.git("switch", "-qc", "other")
    work.commit("one", {"a": "one\n"})
    work.git("switch", "-q", "overmind/red")
    work.commit("two", {"a": "two\n"})
    with pytest.raises(AssertionError):
        work.git("merge", "-q", "other")


def _hidden(work):
    work.git("update-index", "--assume-unchanged", "a")
    work.write({"a": "hidden\n"})


@pytest.mark.parametrize(
    ("make", "told", "files"),
    [
        (_switched, "has other checked out: only overmind/red lands", []),
        (_nested, "inner in the worktree of red is a git repository of its own", ["inner"]),
        (_hidden, "Git is told to overlook changes of a in red", ["a"]),
    ],
)
def test_work_that_would_be_left_behind_is_its_own_fault(tmp_path, make, told, files):
    async def scenario(shop):
        async with shop.daemon():
            make(shop.work)
            await shop.works()
            error = await shop.refused()
            assert (error.code, error.fields["files"]) == ("output_invalid", files)
            assert told in error.message
            assert not shop.is_cleared()

    story(tmp_path, scenario)


def test_marks_of_a_conflict_that_were_left_are_a_fault_of_their_own(tmp_path):
    async def scenario(shop):
        async with shop.daemon():
            _unresolved(shop.work)
            await shop.works()
            error = await shop.refused()
            assert (error.code, error.fields["files"]) == ("conflict_left", ["a"])
            assert error.message == "It left the marks of a conflict in a."
            assert not shop.is_cleared()

    story(tmp_path, scenario)


def _committed(work):
    """As an agent does that adds all files of a merge and commits."""
    work.commit("ours", {"a": "red\n"})
    with pytest.raises(AssertionError):
        work.git("merge", "-q", "main")
    work.git("add", "-A")
    work.git("commit", "-qm", "resolved")


def _staged(work):
    """As one that tells git that they are resolved, and leaves the commit to the engine."""
    work.commit("ours", {"a": "red\n"})
    with pytest.raises(AssertionError):
        work.git("merge", "-q", "main")
    work.git("add", "-A")


def _rebased(work):
    work.commit("ours", {"a": "red\n"})
    with pytest.raises(AssertionError):
        work.git("rebase", "-q", "main")
    work.git("add", "-A")
    work.git("-c", "core.editor=true", "rebase", "--continue")


@pytest.mark.parametrize("make", [_committed, _staged, _rebased])
def test_marks_of_a_conflict_that_were_committed_do_not_land(tmp_path, make):
    async def scenario(shop):
        async with shop.daemon():
            shop.code.commit("blue", {"a": "blue\n"})
            make(shop.work)
            await shop.works()
            error = await shop.refused()
            assert (error.code, error.fields["files"]) == ("conflict_left", ["a"])
            assert error.message == "It left the marks of a conflict in a."
            assert not shop.is_cleared()
            landing = shop.inside.app.engine.quest_landing
            begun = await landing.begin_merge(shop.red, "main", None)
            assert (begun.conflicting, begun.marked) == ((), ("a",))
            tip = shop.work.git("rev-parse", "HEAD")
            left = await landing.begin_anew(shop.red, "main", None, 1)
            assert left == LeftWork("overmind/red-attempt-1", ("a",))
            assert shop.work.read("a") == "blue\n"
            shop.work.git("merge-base", "--is-ancestor", tip, "overmind/red-attempt-1")

    story(tmp_path, scenario)


def test_work_with_conflicts_is_kept_whole_on_a_branch_before_it_begins_anew(tmp_path):
    async def scenario(shop):
        async with shop.daemon():
            await shop.works({"a": "red\n", "part": "unique\n"})
            shop.work.git("add", "-A")
            shop.work.git("commit", "-qm", "red")
            shop.code.commit("blue", {"a": "blue\n"})
            landing = shop.inside.app.engine.quest_landing
            await landing.begin_merge(shop.red, "main", None)
            shop.work.write({"b": "made in the middle\n", "new": "too\n"})
            index = shop.work.git("ls-files", "-u")
            left = await landing.begin_anew(shop.red, "main", None, 2)
            assert left == LeftWork("overmind/red-attempt-2", ("a",))
            kept = {name: shop.work.git("show", f"{left.branch}:{name}") for name in ("part", "b", "new")}
            assert kept == {"part": "unique", "b": "made in the middle", "new": "too"}
            assert "<<<<<<<" in shop.work.git("show", f"{left.branch}:a")
            assert index
            assert shop.work.git("ls-files", "-u") == ""
            assert shop.work.read("a") == "blue\n"
            again = await landing.begin_anew(shop.red, "main", None, 2)  # killed before it could be remembered
            assert again == LeftWork(left.branch, ())
            assert await landing.begin_anew(shop.red, "main", None, 3) is None

    story(tmp_path, scenario)


def test_a_target_that_refuses_says_so_and_the_work_stays(tmp_path):
    async def scenario(shop):
        async with shop.daemon():
            await shop.works({"a": "2\n"})
            shop.code.write({"a": "edited\n"})
            error = await shop.refused()
            assert (error.code, error.fields["folder"]) == ("dirty", shop.code.folder)
            assert (await shop.refused(into="nowhere")).code == "git_failed"
            shop.code.git("checkout", "-q", "a")
            assert (await shop.land()).branch == "main"

    story(tmp_path, scenario)


def test_conflicts_name_the_files_and_show_both_sides_and_land_once_they_are_merged(tmp_path):
    """Acceptance 48."""

    async def scenario(shop):
        async with shop.daemon():
            await shop.works({"a": "red\n", "new": "x\n"})
            assert await shop.inside.app.engine.quest_landing.conflict_sides(shop.red, "main") == ""
            shop.code.commit("blue", {"a": "blue\n"})
            error = await shop.refused()
            assert error.code == "conflicts"
            assert [one["path"] for one in error.fields["files"]] == ["a"]
            objects = shop.code.git("count-objects")
            text = await shop.inside.app.engine.quest_landing.conflict_sides(shop.red, "main")
            assert shop.code.git("count-objects") == objects
            mains, reds = text.split("=== a: the changes of red\n")
            assert mains.startswith("=== a: the changes on main\ndiff --git a/a b/a\n")
            assert "-1\n+blue\n" in mains
            assert "-1\n+red\n" in reds
            assert shop.log("overmind/red") == ["Add carts", "first"]
            with pytest.raises(AssertionError):
                shop.work.git("merge", "-q", "main")
            shop.work.write({"a": "blue and red\n"})
            shop.work.git("add", "a")
            assert (await shop.land()).branch == "main"
            assert shop.code.read("a") == "blue and red\n"

    story(tmp_path, scenario)


def test_what_would_undo_the_other_side_of_an_earlier_conflict_is_refused_before_its_check_runs(tmp_path):
    async def scenario(shop):
        async with shop.daemon():
            await shop.works({"a": "red\n", "bin": b"\0red", "gone": "red\n"})
            shop.code.commit("blue", {"a": "blue\n", "bin": b"\0blue"})
            error = await shop.refused()
            files = tuple(map(ConflictingFile, ("a", "bin", "c")))
            met = MetConflict(error.fields["before"], error.fields["tip"], files)
            shop.work.git("merge", "-q", "-s", "ours", "main")
            error = await shop.refused(met=(met,), verify=f"touch {tmp_path}/ran")
            assert error.code == "undoes_landed"
            assert error.message == (
                "a would lose 1 line of your own commits. "
                "bin would be as it was before the change of your own commits. Nothing was changed."
            )
            assert error.fields["dropped"] == [
                {"path": "a", "text": "a would lose 1 line of your own commits", "lines": ["- blue"]},
                {"path": "bin", "text": "bin would be as it was before the change of your own commits", "lines": []},
            ]
            assert not (tmp_path / "ran").exists()
            unknown = MetConflict("0" * 40, "0" * 40, files)
            assert (await shop.refused(met=(unknown, met))).code == "undoes_landed"
            shop.work.write({"a": "blue\nred\n", "bin": b"\0both"})
            assert (await shop.land(met=(met,))).branch == "main"
            assert shop.code.read("a") == "blue\nred\n"

    story(tmp_path, scenario)


def undoing(error, *paths):
    """The landing that was refused so, as a person allows it."""
    return UndoingLanding(error.fields["before"], error.fields["after"], 1, paths or ("a",))


async def writes_over(shop):
    """The quest has written a file whole after a conflict with a person's line in it."""
    await shop.works({"a": "red\n"})
    shop.code.commit("blue", {"a": "1\nblue\n"})
    error = await shop.refused()
    met = MetConflict(error.fields["before"], error.fields["tip"], (ConflictingFile("a"),))
    shop.work.git("merge", "-q", "-s", "ours", "main")
    return met, await shop.refused(met=(met,))


def test_what_was_allowed_to_be_undone_lands_though_its_target_has_moved_while_no_more_would_be(tmp_path):
    async def scenario(shop):
        async with shop.daemon():
            met, error = await writes_over(shop)
            shop.code.commit("elsewhere", {"b": "2\n"})
            assert (await shop.land(met=(met,), allowed=undoing(error))).branch == "main"
            assert (shop.code.read("a"), shop.code.read("b")) == ("red\n", "2\n")

    story(tmp_path, scenario)


def test_more_than_was_allowed_is_refused_with_all_of_it_and_lands_once_that_is_allowed(tmp_path):
    """Also where the two conflict now: nobody has to do the work again."""

    async def scenario(shop):
        async with shop.daemon():
            met, error = await writes_over(shop)
            shop.code.commit("green", {"a": "1\nblue\ngreen\n"})
            assert (await shop.refused(met=(met,))).code == "conflicts"
            more = await shop.refused(met=(met,), allowed=undoing(error))
            assert more.code == "undoes_landed"
            assert more.fields["dropped"] == [
                {"path": "a", "text": "a would lose 2 lines of your own commits", "lines": ["- blue", "- green"]}
            ]
            gone = undoing(more, "b")
            assert (await shop.refused(met=(met,), allowed=gone)).code == "conflicts", "in a file that nobody allowed"
            unknown = UndoingLanding("0" * 40, "0" * 40, 1, ("a",))
            assert (await shop.refused(met=(met,), allowed=unknown)).fields["dropped"] == more.fields["dropped"]
            assert (await shop.land(met=(met,), allowed=undoing(more))).branch == "main"
            assert shop.code.read("a") == "red\n"

    story(tmp_path, scenario)


@pytest.mark.parametrize("is_known", [True, False])
def test_what_nobody_has_allowed_to_be_undone_is_refused_again_whatever_was_written_in_its_place(tmp_path, is_known):
    """Also where git has cleaned that landing away: then no line of the file goes without a question."""

    async def scenario(shop):
        async with shop.daemon():
            met, error = await writes_over(shop)
            assert (
                await shop.inside.app.engine.quest_landing.set_aside(shop.red, "main", None, 2)
                == "overmind/red-attempt-2"
            )
            assert shop.work.read("a") == "1\nblue\n"
            shop.work.write({"a": "1\ngreen\n"})
            denied = undoing(error) if is_known else UndoingLanding("0" * 40, "0" * 40, 1, ("a",))
            again = await shop.refused(met=(met,), denied=(denied,))
            assert again.code == "undoes_landed"
            assert again.fields["dropped"] == [
                {"path": "a", "text": "a would lose 1 line of your own commits", "lines": ["- blue"]}
            ]
            assert (await shop.refused(denied=(denied,))).code == "undoes_landed", "whatever conflict is known"
            shop.work.write({"a": "1\n"})
            assert (await shop.refused(met=(met,), denied=(denied,))).code == "undoes_landed"
            assert (await shop.land(met=(met,), denied=(denied,), allowed=undoing(again))).branch == "main"
            assert shop.code.read("a") == "1\n"

    story(tmp_path, scenario)


def test_what_was_denied_and_is_kept_now_lands(tmp_path):
    async def scenario(shop):
        async with shop.daemon():
            met, error = await writes_over(shop)
            await shop.inside.app.engine.quest_landing.set_aside(shop.red, "main", None, 2)
            shop.work.write({"a": "blue\ngreen\n"})
            assert (await shop.land(met=(met,), denied=(undoing(error),))).branch == "main"
            assert shop.code.read("a") == "blue\ngreen\n"

    story(tmp_path, scenario)


def test_work_that_is_set_aside_is_kept_whole_on_a_branch_once_and_the_worktree_begins_at_its_target(tmp_path):
    async def scenario(shop):
        async with shop.daemon():
            await shop.works({"new": "x\n"}, {"a": "red\n"})
            shop.code.commit("blue", {"b": "blue\n"})
            set_aside = shop.inside.app.engine.quest_landing.set_aside
            assert await set_aside(shop.red, "main", None, 1) == "overmind/red-attempt-1"
            assert shop.code.git("log", "--format=%s", "overmind/red-attempt-1").splitlines()[:2] == [
                "Left by attempt 1 of red", "by hand"
            ]  # fmt: skip
            assert shop.code.git("show", "overmind/red-attempt-1:new") == "x"
            main = shop.code.git("rev-parse", "main")
            assert shop.work.git("status", "--porcelain") == ""
            assert shop.code.git("rev-parse", "overmind/red") == main == shop.record.base_commit
            assert await set_aside(shop.red, "main", None, 1) == "overmind/red-attempt-1", "done again"
            assert await set_aside(shop.red, "main", None, 2) is None, "nothing was left"
            shop.work.commit("more", {"a": "green\n"})
            assert await set_aside(shop.red, "main", None, 1) == "overmind/red-attempt-1-2"
            branches = shop.code.git("branch", "--list", "--format=%(refname:short)", "overmind/*").splitlines()
            assert branches == ["overmind/red", "overmind/red-attempt-1", "overmind/red-attempt-1-2"]

    story(tmp_path, scenario)


def test_work_in_the_middle_of_something_is_not_set_aside(tmp_path):
    async def scenario(shop):
        async with shop.daemon():
            await shop.works({}, {"a": "red\n"})
            shop.code.commit("blue", {"a": "blue\n"})
            set_aside = shop.inside.app.engine.quest_landing.set_aside
            tip = shop.work.git("rev-parse", "HEAD")
            shop.work.git("checkout", "-qb", "elsewhere")
            with pytest.raises(OvermindError, match=r"has elsewhere checked out. Check out overmind/red there."):
                await set_aside(shop.red, "main", None, 1)
            shop.work.git("checkout", "-q", "overmind/red")
            with pytest.raises(AssertionError):
                shop.work.git("rebase", "-q", "main")
            with pytest.raises(OvermindError, match="rebase"):
                await set_aside(shop.red, "main", None, 1)
            assert shop.code.git("rev-parse", "overmind/red") == tip
            assert shop.code.git("branch", "--list", "*attempt*") == ""

    story(tmp_path, scenario)


def test_a_merge_that_is_begun_tells_both_sides_of_its_conflicts_also_when_it_was_begun_before(tmp_path):
    async def scenario(shop):
        async with shop.daemon():
            await shop.works({}, {"a": "red\n"})
            shop.code.commit("blue", {"a": "blue\n"})
            own, landed = shop.work.git("rev-parse", "HEAD"), shop.code.git("rev-parse", "main")
            begin = shop.inside.app.engine.quest_landing.begin_merge
            assert await begin(shop.red, "main", None) == (landed, own, ("a",), ())
            shop.code.commit("green", {"a": "green\n"})
            assert await begin(shop.red, "main", None) == (landed, own, ("a",), ())

    story(tmp_path, scenario)


def test_both_sides_of_many_conflicts_are_cut_and_all_files_are_named(tmp_path):
    names = [f"f{number:02}" for number in range(20)]

    async def scenario(shop):
        async with shop.daemon():
            shop.work.commit("red", dict.fromkeys(names, "red ü\n" * 2000) | {"bin": b"\0red"})
            await shop.works()
            shop.code.commit("blue", dict.fromkeys(names, "blue\n" * 2000) | {"bin": b"\0blue"})
            text = await shop.inside.app.engine.quest_landing.conflict_sides(shop.red, "main")
            assert len(text.encode()) <= MOST_TEXT
            assert "=== bin: the changes on main\n" in text
            assert "Binary files" in text
            assert text.count("[the rest is left out]\n") == 26
            assert text.endswith("=== conflicting, too: f13, f14, f15, f16, f17, f18, f19\n")

    story(tmp_path, scenario)


def test_a_check_that_fails_moves_nothing_and_names_its_mission(tmp_path):
    """Acceptance 48."""

    async def scenario(shop):
        async with shop.daemon():
            await shop.works({"new": "x\n"})
            begun = []

            def check(fields):
                begun.append(fields["run"])
                asyncio.get_running_loop().call_later(1, shop.keeper.exit, fields["run"], len(begun) % 2)

            shop.keeper.on_ask["spawn"] = check
            error = await shop.refused(verify="test -f missing")
            assert error.code == "verify_failed"
            assert error.fields["mission"] == begun[0].partition(".")[0]
            assert error.fields["name"] == "red/verify"
            assert (await shop.land(verify="true")).branch == "main"
            assert len(begun) == 2

    story(tmp_path, scenario)


def test_the_changes_of_a_quest_are_what_landed_once_its_worktree_is_gone(tmp_path):
    async def scenario(shop):
        async with shop.daemon() as inside:
            shop.code.write({"unrelated": "x\n"})
            await shop.works({"new": "x\n"}, {"b": "2\n"})
            before = await inside.ask("changes", id="red")
            landed = await shop.land()
            shop.code.commit("later", {"new": "y\n"})
            after = await inside.ask("changes", id="red")
            assert [(one["path"], one["status"]) for one in after["files"]] == [("b", "M"), ("new", "A")]
            assert after["diff"] == before["diff"]
            assert [one["subject"] for one in after["commits"]] == ["Add carts", "by hand"]
            assert (after["branch"], after["merge_base"]) == ("main", landed.before)
            assert (after["path"], after["cut"]) == (shop.code.folder, "")

    story(tmp_path, scenario)


def test_the_changes_are_what_landed_where_the_worktree_is_kept_and_what_is_new_once_there_is_anything(tmp_path):
    async def scenario(shop):
        async with shop.daemon() as inside:
            shop.code.commit("ignore", {".gitignore": "*.log\n"})
            shop.work.git("merge", "-q", "main")
            await shop.works({"new": "x\n", "kept.log": "precious\n"})
            assert (await shop.land()).branch == "main"
            assert shop.work.read("kept.log") == "precious\n"
            assert [one["path"] for one in (await inside.ask("changes", id="red"))["files"]] == ["new"]
            shop.work.write({"newer": "y\n"})
            assert [one["path"] for one in (await inside.ask("changes", id="red"))["files"]] == ["newer"]
            assert (await shop.land(request="quest:red:land:2")).branch == "main"
            os.unlink(shop.work.path("kept.log"))
            await inside.ask("discard", id="red")
            after = await inside.ask("changes", id="red")
            assert [one["path"] for one in after["files"]] == ["newer"]
            assert after["cut"].startswith("This landed last. See what landed before with: git -C ")

    story(tmp_path, scenario)


def test_quests_of_one_repository_land_one_after_the_other_in_the_order_in_which_they_came(tmp_path):
    async def scenario(shop):
        async with shop.daemon() as inside:
            others = [await inside.run("work", name=name, isolate=True, env=shop.code.environ) for name in "xyz"]
            missions = [shop.red, *others]
            await until(lambda: all(f"{one}.1" in shop.keeper.held for one in missions))
            # The commit of the first one takes longest.
            hook = shop.code.path(".git", "hooks", "pre-commit")
            _hangs(hook, began := shop.code.path(".git", "began"), unless=f"test -e '{shop.code.path('.git', 'once')}'")
            for one in missions:
                Repository(shop.code.path(".overmind", "worktrees", one)).write({one: "x\n"})
                shop.keeper.exit(f"{one}.1")
            await until(lambda: not inside.app.registry.live)
            wishes = [Wish(one, request=f"quest:{one}:land:1") for one in missions]
            landings = [asyncio.create_task(inside.app.engine.quest_landing.land(wish)) for wish in wishes]
            await asyncio.to_thread(_read, began)
            shop.code.write({".git/once": ""})
            _let_go(began)
            landed = await asyncio.gather(*landings)
            assert [one.before for one in landed[1:]] == [one.after for one in landed[:-1]]
            names = [line.removeprefix("Merge overmind/").split()[0] for line in shop.log()]
            assert names == ["z", "y", "x", "red", "first"]

    story(tmp_path, scenario)


@pytest.mark.parametrize("reviewed", [False, True])
def test_what_is_committed_while_a_landing_waits_for_its_turn_is_looked_at_before_it_lands(tmp_path, reviewed):
    async def scenario(shop):
        async with shop.daemon() as inside:
            await shop.works({"new": "x\n"})
            shown = await inside.app.engine.quest_landing.work_state(shop.red) if reviewed else None
            place = inside.app.locations.isolated(shop.red, there=False)
            async with inside.app.landing._turn(place.repository):
                landing = asyncio.create_task(shop.land(shown=shown))
                await idle()
                shop.work.commit("late", {"late": "x\n"})
            if reviewed:
                with pytest.raises(OvermindError) as refused:
                    await landing
                assert (refused.value.code, refused.value.fields["files"]) == ("changed", ["late"])
                assert shop.log() == ["first"]
            else:
                assert (await landing).branch == "main"
                assert shop.code.read("late") == "x\n"

    story(tmp_path, scenario)


def test_what_is_committed_after_a_person_has_landed_all_the_rest_is_looked_at_before_it_lands(tmp_path):
    async def scenario(shop):
        async with shop.daemon() as inside:
            landing = inside.app.engine.quest_landing
            await shop.works({"new": "x\n"})
            shown, look = await landing.work_state(shop.red), landing._is_landed
            shop.work.commit("mended", {"new": "y\n"})
            shop.code.git("merge", "-q", "overmind/red")

            async def is_landed(*asked):
                if found := await look(*asked):
                    shop.work.commit("late", {"late": "x\n"})
                return found

            with mock.patch.object(landing, "_is_landed", is_landed):
                refused = await shop.refused(shown=shown)
            assert (refused.code, sorted(refused.fields["files"])) == ("changed", ["late", "new"])

    story(tmp_path, scenario)


# whoever dies


def test_a_commit_that_was_made_is_not_made_twice(tmp_path):
    async def scenario(shop):
        async with shop.daemon():
            await shop.works({"new": "x\n"})
            hook = shop.code.path(".git", "hooks", "pre-merge-commit")
            _hangs(hook, began := shop.code.path(".git", "began"))
            left = shop.inside.app.tasks.start(shop.land())
            await asyncio.to_thread(_read, began)
        os.unlink(hook)
        assert shop.log("overmind/red") == ["Add carts", "first"]
        async with shop.daemon():
            assert (await shop.land()).branch == "main"
            assert shop.log() == ["Merge overmind/red into main", "first"]
            assert shop.code.git("log", "--format=%s", "main").count("Add carts") == 1
            assert shop.is_cleared()
        await asyncio.wait([left])

    story(tmp_path, scenario)


def test_a_commit_that_was_being_made_is_ended_and_made_anew(tmp_path):
    async def scenario(shop):
        async with shop.daemon():
            await shop.works({"new": "x\n"})
            hook = shop.code.path(".git", "hooks", "pre-commit")
            _hangs(hook, began := shop.code.path(".git", "began"))
            left = shop.inside.app.tasks.start(shop.land())
            await asyncio.to_thread(_read, began)
        os.unlink(hook)
        async with shop.daemon():
            assert (await shop.land()).branch == "main"
            assert shop.code.git("log", "--format=%s", "main").count("Add carts") == 1
            assert shop.is_cleared()
        await asyncio.wait([left])

    story(tmp_path, scenario)


def test_all_processes_are_looked_at_only_for_what_an_earlier_daemon_may_have_left_and_once(tmp_path, monkeypatch):
    looked = []
    monkeypatch.setattr(sweep, "end_stragglers", lambda _mark, mission: looked.append(mission))

    async def scenario(shop):
        async with shop.daemon():
            await shop.works({"new": "x\n"})
            assert (await shop.refused(into="nowhere")).code == "git_failed"
            assert looked == []
        async with shop.daemon():
            for _ in range(2):
                assert (await shop.refused(into="nowhere")).code == "git_failed"
            assert looked == [f"commit-{shop.red}"]

    story(tmp_path, scenario)


def test_a_target_that_was_moved_and_not_written_down_has_landed_once(tmp_path):
    async def scenario(shop):
        async with shop.daemon():
            await shop.works({"new": "x\n"})
            before = shop.code.git("rev-parse", "main")
            # Git has moved the branch when it runs this: not where both are merged, there no branch is checked out.
            hook, began = shop.code.path(".git", "hooks", "post-merge"), shop.code.path(".git", "began")
            _hangs(hook, began, unless="! git symbolic-ref -q HEAD")
            left = shop.inside.app.tasks.start(shop.land())
            await asyncio.to_thread(_read, began)
        assert shop.log() == ["Merge overmind/red into main", "first"]
        async with shop.daemon() as inside:
            landed = await shop.land()
            assert landed == LandedWork("main", before, shop.code.git("rev-parse", "main"))
            assert shop.log() == ["Merge overmind/red into main", "first"]
            (event,) = (one for one in inside.events(shop.red) if one["type"] == "landed")
            assert (event["by"], event["why"]) == ("engine", "the quest's work has passed")
            assert shop.is_cleared()
            _let_go(began)
        await asyncio.wait([left])

    story(tmp_path, scenario)


def test_what_landed_is_cleared_away_by_the_next_daemon(tmp_path, monkeypatch):
    async def scenario(shop):
        async with shop.daemon() as inside:
            await shop.works({"new": "x\n"})
            never = asyncio.get_running_loop().create_future
            monkeypatch.setattr(inside.app.isolation, "discard", lambda *_, **__: never())
            left = shop.inside.app.tasks.start(shop.land())
            await until(lambda: any(one["type"] == "landed" for one in inside.events(shop.red)))
        after = shop.code.git("rev-parse", "main")
        async with shop.daemon():
            assert (await shop.land()).after == after
            assert shop.is_cleared()
        await asyncio.wait([left])

    story(tmp_path, scenario)


def _hangs(hook, began, unless="false"):
    """A hook that says that it was reached, and goes on when it is let go."""
    with open(hook, "w", encoding="utf-8") as file:
        file.write(
            f"#!/bin/sh\nif {unless}; then exit 0; fi\n"
            f"mkfifo '{began}' '{began}.on'\necho > '{began}'\nread line < '{began}.on'\n"
        )
    os.chmod(hook, 0o700)


def _let_go(began):
    with open(f"{began}.on", "wb") as file:
        file.write(b"\n")


def _read(pipe):
    while not os.path.exists(pipe):
        os.sched_yield()
    with open(pipe, "rb") as file:
        file.read()


# branches that are no mission's


def test_a_branch_is_made_for_its_owner_once_and_beside_one_of_somebody_else(tmp_path):
    async def scenario(shop):
        async with shop.daemon() as inside:
            first = shop.code.git("rev-parse", "main")
            shop.code.commit("second", {"a": "2\n"})
            shop.code.git("branch", "spec/cart")
            world = Environment(shop.code.environ, {})

            async def ensured(name, owner, base=first):
                how = {"owner": owner, "environment": world}
                return await inside.app.engine.quest_landing.ensure_branch(shop.code.folder, name, base, **how)

            assert await ensured("spec/cart", "5bec0001") == "spec/cart-2"
            assert await ensured("spec/cart", "5bec0001") == "spec/cart-2"
            assert await ensured("spec/cart", "5bec0002") == "spec/cart-3"
            assert shop.code.git("rev-parse", "spec/cart-2") == first
            with pytest.raises(OvermindError, match="there is no branch or commit 'nowhere'"):
                await ensured("spec/new", "5bec0003", "nowhere")
            with pytest.raises(
                OvermindError, match="a branch is called main, so git can make none below main/: rename"
            ):
                await ensured("main/x", "5bec0003")

    story(tmp_path, scenario)


@pytest.mark.parametrize("preview", [True, False])
def test_a_branch_lands_with_a_check_of_the_callers_and_a_preview_moves_nothing(tmp_path, preview):
    async def scenario(shop):
        async with shop.daemon() as inside:
            shop.code.git("switch", "-qc", "spec/cart")
            shop.code.commit("carts", {"new": "x\n"})
            shop.code.git("switch", "-q", "main")
            refs = shop.code.git("for-each-ref", "--format=%(refname) %(objectname)")
            world = Environment(shop.code.environ, {})
            place = await inside.app.locations.branch(
                "5bec0001", "cart", source=shop.code.folder, branch="spec/cart", environment=world
            )
            begun = []

            def check(fields):
                begun.append(fields["run"].partition(".")[0])
                asyncio.get_running_loop().call_later(1, shop.keeper.exit, fields["run"])

            shop.keeper.on_ask["spawn"] = check
            how = MergeCheck("cart/merge", shop.red, {"spec": "cart"}, world)
            wish = MergeRequest(into="main", verify="true", check=how, preview=preview, request="spec:5bec0001:1")
            done = await inside.app.engine.quest_landing.land_branch(place, wish)
            assert (done["mission"], done["name"], done["target"]) == ("5bec0001", "cart", "main")
            assert [one["path"] for one in done["files"]] == ["new"]
            if preview:
                assert not begun
                assert shop.code.git("for-each-ref", "--format=%(refname) %(objectname)") == refs
            else:
                (checked,) = map(inside.app.registry.get, begun)
                made = checked.definition
                assert (made.name, made.parent, made.labels) == ("cart/merge", shop.red, {"spec": "cart"})
                assert shop.log() == ["Merge spec/cart into main", "first"]
                assert await inside.app.engine.quest_landing.land_branch(place, wish) == done | {"verify": None}
            assert shop.code.git("status", "--porcelain") == ""
            left = os.listdir(shop.code.path(".overmind", "worktrees"))
            assert [name for name in left if not name.endswith(".branch")] == [shop.red]

    story(tmp_path, scenario)
