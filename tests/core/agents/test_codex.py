"""A mission of codex, whose program tells tokens and no money, and its answer only as it says it."""

from __future__ import annotations

import json

import pytest

from overmind_core.errors import OvermindError
from overmind_core.system.paths import Home
from tests.kit import in_process
from tests.kit.in_process import ScriptedKeeper, supervising, until, world

LINES = (
    {"type": "thread.started", "thread_id": "t"},
    {"type": "turn.started"},
    {"type": "item.completed", "item": {"id": "1", "type": "agent_message", "text": "first thoughts"}},
    {"type": "item.completed", "item": {"id": "2", "type": "agent_message", "text": "All 31 tests pass.\nReally."}},
    {"type": "turn.completed", "usage": {"input_tokens": 900, "cached_input_tokens": 100, "output_tokens": 40}},
)


def test_its_result_has_the_answer_and_its_cost_is_unknown(tmp_path):
    environment = world(str(tmp_path), "codex")
    home = Home(str(tmp_path / "home"))

    async def story():
        keeper = ScriptedKeeper(home)
        async with supervising(home, keeper) as inside:
            asked = {"permission_mode": "workspace-write"}
            mission = await inside.run("say hi", provider="codex", env=environment, agent=asked)
            keeper.write(f"{mission}.1", b"".join(json.dumps(line).encode() + b"\n" for line in LINES))

            async def info():
                return await inside.ask("info", id=mission)

            while not (await info())["tokens"]["input"]:
                await until(lambda: True)
            found = await info(), await inside.ask("result", id=mission), await inside.ask("cost")
        keeper.close()
        return found

    info, result, (cost,) = in_process.run(story())
    assert result["result"] == "All 31 tests pass.\nReally."
    assert (info["cost_usd"], info["tokens"]) == (None, {"input": 900, "output": 40})
    assert (cost["cost_usd"], cost["input_tokens"]) == (None, 900)
    assert info["permission_mode"] == "workspace-write"


REFUSED = [
    (
        {"agent": {"permission_mode": "plan"}},
        "--permission-mode plan is not a codex sandbox: read-only, workspace-write",
    ),
    ({"type": "session"}, "codex only runs tasks: omit --type session."),
]


@pytest.mark.parametrize(("asked", "sentence"), REFUSED)
def test_what_it_can_not_do_is_refused_in_plain_words(tmp_path, asked, sentence):
    environment = world(str(tmp_path), "codex")
    home = Home(str(tmp_path / "home"))

    async def story():
        keeper = ScriptedKeeper(home)
        async with supervising(home, keeper) as inside:
            with pytest.raises(OvermindError) as refused:
                await inside.run("say hi", provider="codex", env=environment, **asked)
        keeper.close()
        return str(refused.value)

    assert sentence in in_process.run(story())
