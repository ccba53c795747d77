"""A quest that is retried and cancelled at once: each request has the answer to what it did."""

from __future__ import annotations

import asyncio

from overmind_core.system.paths import Home
from tests.kit import in_process
from tests.kit.in_process import ScriptedKeeper, supervising, world


def test_a_retry_whose_quest_is_cancelled_before_it_is_saved_tells_the_round_that_it_began(tmp_path):
    async def scenario():
        home = Home(str(tmp_path))
        keeper = ScriptedKeeper(home)
        async with supervising(home, keeper) as inside:
            await inside.ask("queue_set", paused=True)
            added = await inside.ask("quest_add", quests=[{"title": "It", "command": "true"}], cwd="/", env=world())
            quest = added["quests"][0]["id"]
            await inside.ask("quest_cancel", id=quest)
            retried, cancelled = await asyncio.gather(
                inside.ask("quest_retry", id=quest), inside.ask("quest_cancel", id=quest)
            )
            assert (retried["id"], retried["round"]) == (quest, 2)
            assert cancelled["status"] == "cancelled"

    in_process.run(scenario())
