"""When an agent is told that nothing more follows, and that the next supervisor knows of it."""

from __future__ import annotations

import asyncio
import json

from overmind_core.system.paths import Home
from tests.kit import in_process
from tests.kit.in_process import ScriptedKeeper, supervising, until, world

RESULT = {"type": "result", "subtype": "success", "is_error": False, "result": "hi", "num_turns": 1, "session_id": "s"}
LINE = json.dumps(RESULT).encode() + b"\n"


def test_the_end_of_the_input_is_told_once_and_again_by_the_next_supervisor(tmp_path):
    """When its turn is over: the keeper may have died before it heard of that."""
    environment = world(str(tmp_path), "claude")
    home = Home(str(tmp_path / "home"))

    async def story():
        keeper = ScriptedKeeper(home)
        async with supervising(home, keeper) as first:
            mission = await first.run("say hi", provider="claude", env=environment)
            await asyncio.sleep(1)
            assert keeper.asked["eof"] == []
            keeper.write(f"{mission}.1", LINE)
            await until(lambda: keeper.asked["eof"])
            await asyncio.sleep(1)
        assert keeper.asked["eof"] == [{"run": f"{mission}.1"}]
        async with supervising(home, keeper):
            assert keeper.asked["eof"] == [{"run": f"{mission}.1"}] * 2
        keeper.close()

    in_process.run(story())


def test_a_session_that_goes_on_keeps_its_input(tmp_path):
    environment = world(str(tmp_path), "claude")
    home = Home(str(tmp_path / "home"))

    async def story():
        keeper = ScriptedKeeper(home)
        async with supervising(home, keeper) as first:
            mission = await first.run("say hi", provider="claude", type="session", env=environment)
            await until(lambda: keeper.typed[f"{mission}.1"])
            keeper.write(f"{mission}.1", LINE)
            await asyncio.sleep(1)
        async with supervising(home, keeper):
            await asyncio.sleep(1)
        assert keeper.asked["eof"] == []
        keeper.close()

    in_process.run(story())
