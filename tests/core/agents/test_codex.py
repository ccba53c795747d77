"""A mission of codex, whose program tells tokens and no money, and its answer only as it says it."""

from __future__ import annotations

import json
import os

import pytest

from overmind_core.domain.agents.prices import Price, Prices
from overmind_core.errors import OvermindError
from overmind_core.kernel.config import Settings
from overmind_core.system.paths import Home
from tests.kit import in_process
from tests.kit.in_process import ScriptedKeeper, supervising, until, world

TURN = {"threadId": "t", "turnId": "u"}
TOKENS = {"inputTokens": 1000, "cachedInputTokens": 100, "outputTokens": 40}


def message(text):
    item = {"id": text, "type": "agentMessage", "text": text}
    return {"method": "item/completed", "params": {**TURN, "item": item, "completedAtMs": 1}}


OPENED = (
    {"id": "open", "result": {}},
    {"id": "account", "result": {"requiresOpenaiAuth": False}},
    {"id": "session", "result": {"thread": {"id": "t"}}},
)
LINES = (
    {"id": "m1", "result": {"turn": {"id": "u"}}},
    message("first thoughts"),
    message("All 31 tests pass.\nReally."),
    {"method": "thread/tokenUsage/updated", "params": {**TURN, "tokenUsage": {"last": TOKENS}}},
    {"method": "turn/completed", "params": {**TURN, "turn": {"id": "u", "status": "completed"}}},
)


def written(lines):
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)


def test_its_result_has_the_answer_and_its_cost_is_unknown(tmp_path):
    environment = world(str(tmp_path), "codex")
    home = Home(str(tmp_path / "home"))

    async def story():
        keeper = ScriptedKeeper(home)
        async with supervising(home, keeper) as inside:
            asked = {"permission_mode": "workspace-write"}
            mission = await inside.run("say hi", provider="codex", env=environment, agent=asked)
            keeper.write(f"{mission}.1", written(OPENED))
            await until(lambda: b"turn/start" in b"".join(keeper.typed[f"{mission}.1"]))
            keeper.write(f"{mission}.1", written(LINES))

            async def info():
                return await inside.ask("info", id=mission)

            while not (await info())["tokens"]["input"]:
                await until(lambda: True)
            found = await info(), await inside.ask("result", id=mission), await inside.ask("cost")
        keeper.close()
        return found

    info, result, (cost,) = in_process.run(story())
    assert result["result"] == "first thoughts\n\nAll 31 tests pass.\nReally."
    assert (info["cost_usd"], info["tokens"]) == (None, {"input": 1000, "output": 40})
    assert (cost["cost_usd"], cost["input_tokens"]) == (None, 1000)
    assert info["permission_mode"] == "workspace-write"


def test_what_it_can_not_do_is_refused_in_plain_words(tmp_path):
    environment = world(str(tmp_path), "codex")
    home = Home(str(tmp_path / "home"))

    async def story():
        keeper = ScriptedKeeper(home)
        async with supervising(home, keeper) as inside:
            with pytest.raises(OvermindError) as refused:
                await inside.run("say hi", provider="codex", env=environment, agent={"permission_mode": "plan"})
        keeper.close()
        return str(refused.value)

    assert "--permission-mode plan is not possible with codex: ask, read-only" in in_process.run(story())


def test_a_pipe_in_the_place_of_a_file_of_servers_is_named_and_nobody_waits_for_its_writer(tmp_path):
    environment = world(str(tmp_path), "codex")
    home = Home(str(tmp_path / "home"))
    pipe = str(tmp_path / "mcp.json")
    os.mkfifo(pipe)

    async def story():
        keeper = ScriptedKeeper(home)
        async with supervising(home, keeper) as inside:
            mission = await inside.run("say hi", provider="codex", env=environment, agent={"mcp_config": [pipe]})
            keeper.write(f"{mission}.1", written(OPENED))
            await until(lambda: "spawn_failed" in inside.event_types(mission))
            typed = b"".join(keeper.typed[f"{mission}.1"])
            said = [event["text"] for event in inside.events(mission) if event["type"] == "spawn_failed"]
        keeper.close()
        return typed, said

    typed, said = in_process.run(story())
    assert said == [f"--- could not start: --mcp-config {pipe}: it is not a regular file ---"]
    assert b"turn/start" not in typed, "it is given no prompt"


def test_a_fork_whose_limit_nobody_could_hold_any_more_is_refused(tmp_path):
    environment = world(str(tmp_path), "codex")
    home = Home(str(tmp_path / "home"))

    async def story():
        keeper = ScriptedKeeper(home)
        async with supervising(home, keeper, settings=Settings(prices=Prices({"stub": Price(1.0, 2.0)}))) as inside:
            asked = {"provider": "codex", "env": environment, "agent": {"model": "stub"}, "max_cost": 1.0}
            mission = await inside.run("say hi", **asked)
            keeper.write(f"{mission}.1", written(OPENED))
            await until(lambda: b"turn/start" in b"".join(keeper.typed[f"{mission}.1"]))
            keeper.write(f"{mission}.1", written(LINES))
            while not (await inside.ask("info", id=mission))["tokens"]["input"]:
                await until(lambda: True)
            fork = await inside.ask("fork", id=mission)
        async with supervising(home, keeper) as inside:
            with pytest.raises(OvermindError) as refused:
                await inside.ask("fork", id=mission)
        keeper.close()
        return fork["source"] == mission, str(refused.value)

    is_fork, why = in_process.run(story())
    assert is_fork
    assert why.startswith("--max-cost is not possible with codex")
    assert '[prices."stub"]' in why
