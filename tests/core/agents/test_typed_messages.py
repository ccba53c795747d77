"""Messages for raw sessions: on the books before they are typed, and typed once, whoever dies when."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from overmind_core.agents.store import DELIVERED, FAILED, QUEUED
from overmind_core.errors import OvermindError
from overmind_core.kernel.keeper_client import KeeperRefused
from overmind_core.system.paths import Home
from tests.kit import in_process
from tests.kit.in_process import ScriptedKeeper, supervising, until
from tests.kit.mortal import Mortal, at_each_commit

TYPED = b"hello\r"
KEY = "a" * 32


@pytest.fixture
def home(tmp_path):
    return Home(str(tmp_path / "home"))


async def session(inside):
    mission = await inside.run("cat", type="session")
    await until(lambda: inside.app.agents.of(mission).state.running)
    inside.app.journal.flush()
    return mission


async def messages(inside, mission):
    return [(one["text"], one["state"]) for one in await inside.ask("messages", id=mission)]


@pytest.mark.parametrize("saved", [False, True], ids=["before it is saved", "right after it is saved"])
def test_a_message_is_typed_once_whichever_of_its_commits_a_supervisor_dies_at(home, saved):
    """The same request is sent again until it is answered, as the command line does."""

    async def dies(keeper, at):
        mission = None
        async with supervising(home, keeper) as first:
            mission = await session(first)
            mortal = Mortal(first.app, at, saved=saved)
            asked = asyncio.create_task(first.ask("send", id=mission, text="hello", request=KEY + str(at)))
            await until(lambda: mortal.dead or asked.done())
            asked.cancel()
            await asyncio.gather(asked, return_exceptions=True)
            if not mortal.dead:
                return False
        for _ in range(2):
            async with supervising(home, keeper) as later:
                answer = await later.ask("send", id=mission, text="hello", request=KEY + str(at))
                await until(lambda: not later.app.state.inputs.messages(), "the keeper has it")
                assert await messages(later, mission) == [("hello", DELIVERED)], answer
                assert later.event_types(mission).count("message_delivered") == 1
        assert keeper.typed[f"{mission}.1"] == [TYPED]
        return True

    async def story():
        keeper = ScriptedKeeper(home)
        commits = await at_each_commit(lambda at: dies(keeper, at))
        keeper.close()
        return commits

    assert in_process.run(story()) > 1, "it was saved in no commits at all"


def test_a_message_that_the_keeper_took_from_a_dead_supervisor_is_delivered_though_the_run_has_ended(home):
    async def story():
        keeper = ScriptedKeeper(home)
        keeper.silent = {"write"}
        async with supervising(home, keeper) as first:
            mission = await session(first)
            asked = asyncio.create_task(first.ask("send", id=mission, text="hello"))
            await until(lambda: keeper.typed[f"{mission}.1"])
        asked.cancel()
        keeper.exit(f"{mission}.1", 3)
        async with supervising(home, keeper) as second:
            await second.app.registry.ended(mission)
            found = await messages(second, mission)
        keeper.close()
        return found

    assert in_process.run(story()) == [("hello", DELIVERED)]


@pytest.mark.parametrize("restart", ["never", "always"])
def test_a_message_that_was_never_typed_fails_with_the_run_that_it_was_for(home, restart):
    async def story():
        keeper = ScriptedKeeper(home)
        async with supervising(home, keeper) as first:
            mission = await session(first)
            if restart == "always":
                await first.ask("update", id=mission, restart="always")
            first.app.line.link = None
            answer = await first.ask("send", id=mission, text="hello")
            states = [answer["state"]]
        keeper.exit(f"{mission}.1", 3)
        async with supervising(home, keeper) as second:
            await until(lambda: not second.app.state.inputs.messages())
            states += [state for _, state in await messages(second, mission)]
        typed = dict(keeper.typed)
        keeper.close()
        return states, typed

    assert in_process.run(story()) == ([QUEUED, FAILED], {})


def test_a_message_that_no_keeper_is_there_for_is_queued_and_typed_by_whoever_finds_one(home):
    async def story():
        keeper = ScriptedKeeper(home)
        async with supervising(home, keeper) as first:
            mission = await session(first)
            first.app.line.link = None
            answer = await first.ask("send", id=mission, text="hello")
            with pytest.raises(OvermindError, match="already being typed"):
                await first.ask("messages", id=mission, cancel=answer["message"])
        async with supervising(home, keeper) as second:
            await until(lambda: keeper.typed)
            second.app.journal.flush()
            found = await messages(second, mission)
        keeper.close()
        return answer["state"], found, keeper.typed[f"{mission}.1"]

    assert in_process.run(story()) == (QUEUED, [("hello", DELIVERED)], [TYPED])


def test_a_message_that_the_keeper_refuses_has_failed_and_is_not_tried_again(home):
    async def story():
        keeper = ScriptedKeeper(home)

        def refuse(_fields):
            raise KeeperRefused({"error": "too_large", "message": "the line is too long"})

        async with supervising(home, keeper) as first:
            mission = await session(first)
            keeper.on_ask["write"] = refuse
            with pytest.raises(OvermindError) as caught:
                await first.ask("send", id=mission, text="hello")
            found = await messages(first, mission)
        asked = len(keeper.asked["write"])
        async with supervising(home, keeper) as second:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(until(lambda: len(keeper.asked["write"]) > asked), 5)
            found += await messages(second, mission)
        keeper.close()
        return caught.value.code, found, len(keeper.asked["write"]) - asked

    assert in_process.run(story()) == ("too_large", [("hello", FAILED)] * 2, 0)


def test_a_message_that_comes_before_a_new_line_is_settled_is_typed_behind_the_older_ones(home):
    async def story():
        keeper = ScriptedKeeper(home)
        async with supervising(home, keeper) as first:
            mission = await session(first)
            first.app.line.link = None
            await first.ask("send", id=mission, text="one")
            keeper.silent = {"list"}
            first.app.keeper._lost()
            await until(lambda: first.app.line.link)
            await first.ask("send", id=mission, text="two")
            assert await messages(first, mission) == [("one", QUEUED), ("two", QUEUED)]
        keeper.silent = set()
        async with supervising(home, keeper) as second:
            await until(lambda: not second.app.state.inputs.messages())
            found = await messages(second, mission)
        typed = keeper.typed[f"{mission}.1"]
        keeper.close()
        return found, typed

    assert in_process.run(story()) == ([("one", DELIVERED), ("two", DELIVERED)], [b"one\r", b"two\r"])


def test_with_a_message_to_a_run_that_the_keeper_does_not_have_the_older_ones_have_failed(home):
    """Their inputs are forgotten with it: no later supervisor would come across them."""

    async def story():
        keeper = ScriptedKeeper(home)
        async with supervising(home, keeper) as inside:
            mission = await session(inside)
            link, inside.app.line.link = inside.app.line.link, None
            await inside.ask("send", id=mission, text="one")
            keeper.held.clear()
            inside.app.line.link = link
            with pytest.raises(OvermindError):
                await inside.ask("send", id=mission, text="two")
            found = await messages(inside, mission)
        keeper.close()
        return found

    assert in_process.run(story()) == [("one", FAILED), ("two", FAILED)]
