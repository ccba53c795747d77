"""Commands that a refusal names mean the mission that it is about, whoever has its name as well."""

from __future__ import annotations

import pytest

from overmind_core.errors import OvermindError
from overmind_core.system.paths import Home
from tests.kit import in_process
from tests.kit.in_process import ScriptedKeeper, supervising, until
from tests.kit.repositories import Repository


class Shop:
    """A repository, and missions of one name that have ended and left work."""

    def __init__(self, folder):
        self.home = Home(str(folder / "home"))
        self.code = Repository(str(folder / "shop"))
        self.code.commit("first", {"a": "1\n"})
        self.keeper = ScriptedKeeper(self.home)

    def play(self, story):
        async def whole():
            async with supervising(self.home, self.keeper, cwd=self.code.folder) as inside:
                await story(inside)

        in_process.run(whole())
        self.keeper.close()

    async def ended(self, inside, work):
        """A mission `red` that has left committed work, or files; its id."""
        red = await inside.run("work", name="red", isolate=True, env=self.code.environ)
        await until(lambda: f"{red}.1" in self.keeper.held)
        tree = Repository(self.code.path(".overmind", "worktrees", red))
        if work == "committed":
            tree.commit("one", {"b": f"{red}\n"})
        else:
            tree.write({"b": f"{red}\n"})
        self.keeper.exit(f"{red}.1")
        await until(lambda: inside.app.workspace.records[red].ended)
        return red


@pytest.fixture
def shop(tmp_path):
    return Shop(tmp_path)


HINTS = [("committed", "overmind merge {} "), ("open", "overmind commit {} -m …")]


@pytest.mark.parametrize(("work", "hint"), HINTS)
@pytest.mark.parametrize("others", [0, 1])
def test_what_is_kept_of_a_removed_mission_is_named_by_its_id(shop, work, hint, others):
    async def story(inside):
        red = await shop.ended(inside, work)
        for _ in range(others):
            await shop.ended(inside, work)
        kept = (await inside.ask("rm", id=red))["note"]
        assert hint.format(red).strip() in kept.replace(",", " ")
        assert f"remove it with: overmind discard {red} --force" in kept

    shop.play(story)


@pytest.mark.parametrize("others", [0, 1])
def test_a_name_is_given_where_it_means_the_mission_and_else_the_id(shop, others):
    async def story(inside):
        red = await shop.ended(inside, "committed")
        blue = await shop.ended(inside, "open")
        word = "red"
        if others:
            word = red
        else:
            await inside.ask("discard", id=blue, force=True)
            await inside.ask("rm", id=blue)
        with pytest.raises(OvermindError, match=f"overmind changes {word},"):
            await inside.ask("discard", id=red)
        with pytest.raises(OvermindError, match=f"overmind merge {word},"):
            await inside.app.isolation.check(red, force=False)
        if others:
            with pytest.raises(OvermindError, match=f"overmind commit {blue} -m …"):
                [item async for item in inside.stream("merge", id=blue)]

    shop.play(story)


def test_a_mission_that_was_renamed_is_named_so_wherever_its_work_is(shop):
    async def story(inside):
        red = await shop.ended(inside, "committed")
        await inside.ask("update", id=red, name="blue")
        with pytest.raises(OvermindError, match=r"^blue has 1 unmerged commit .* See: overmind changes blue,"):
            await inside.ask("discard", id="blue")
        with pytest.raises(OvermindError) as refused:
            await inside.ask("discard", id="red", force=True)
        assert refused.value.code == "not_found"
        planned = await inside.ask("worktrees_prune", force=True, dry_run=True)
        assert [one["name"] for one in planned["removed"]] == ["blue"]
        assert (await inside.ask("discard", id="blue", force=True))["name"] == "blue"

    shop.play(story)
