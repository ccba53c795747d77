"""When an agent is told that nothing more follows, and that the next supervisor knows of it."""

from __future__ import annotations

import asyncio
import json
import signal

from overmind_core.agents.session import LEAVES_AFTER
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
            await asyncio.sleep(2 * LEAVES_AFTER)  # of the virtual clock
        assert keeper.asked["eof"] == [{"run": f"{mission}.1"}]
        assert keeper.asked["signal"] == [], "claude ends by itself, once its own background work is done"
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


SPOKEN = (
    {"id": "open", "result": {"protocolVersion": 1}},
    {"id": "session", "result": {"sessionId": "s", "modes": {"currentModeId": "default"}}},
    {"id": "m1", "result": {"stopReason": "end_turn"}},
)


def test_a_program_that_stays_behind_its_answer_is_ended_and_has_succeeded(tmp_path):
    """As some do that have begun servers of tools: also when the supervisor has died meanwhile."""
    environment = world(str(tmp_path), "gemini")
    home = Home(str(tmp_path / "home"))

    async def story():
        keeper = ScriptedKeeper(home)
        async with supervising(home, keeper) as first:
            mission = await first.run("say hi", provider="gemini", env=environment)
            for line in SPOKEN:
                keeper.write(f"{mission}.1", json.dumps(line).encode() + b"\n")
            await until(lambda: keeper.asked["eof"])
            assert keeper.asked["signal"] == []
            await until(lambda: keeper.asked["signal"])
        async with supervising(home, keeper) as second:
            await until(lambda: len(keeper.asked["signal"]) > 1)
            keeper.exit(f"{mission}.1", -signal.SIGTERM)
            while (info := await second.ask("info", id=mission))["outcome"] is None:
                await until(lambda: True)
        assert (info["status"], info["outcome"], info["exit_code"]) == ("stopped", "succeeded", 0)
        assert keeper.asked["signal"] == [{"run": f"{mission}.1", "signal": 15}] * 2
        keeper.close()

    in_process.run(story())
