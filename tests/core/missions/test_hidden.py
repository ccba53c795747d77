"""A mission that was killed once it had ended: hidden, and as it ended; over real books, by a scripted keeper."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from overmind_core.errors import OvermindError
from overmind_core.system.paths import Home
from tests.kit import in_process
from tests.kit.in_process import ScriptedKeeper, supervising

OLDER = """UPDATE missions SET status = 'killed',
    record = json_remove(json_set(record, '$.status', 'killed'), '$.hidden')"""
"""What an older program has made of such missions."""
LISTS: list[tuple[dict[str, Any], bool]] = [
    # arguments of `ps`, whether it lists the mission
    ({}, False),
    ({"recent": 10}, False),
    ({"all": True}, True),
    ({"all": True, "status": ["crashed"]}, True),
    ({"status": ["crashed"]}, False),
    ({"status": ["killed"]}, False),
    ({"all": True, "status": ["stopped", "killed"]}, False),
    ({"outcome": ["failed"]}, True),
]


def _make_older(database):
    database.write(OLDER, ())


@pytest.mark.parametrize("older", [False, True], ids=["of today", "stored by an older program"])
def test_what_was_killed_after_its_end_is_hidden_and_keeps_how_it_ended(tmp_path, older):
    async def story():
        home = Home(str(tmp_path))
        keeper = ScriptedKeeper(home)
        async with supervising(home, keeper) as first:
            mission = await first.run("exit 3")
            keeper.exit(f"{mission}.1", 3)
            before = (await first.app.registry.ended(mission)).status
            killed = await first.ask("kill", id=mission)
            first.app.journal.flush()
            if older:
                first.app.journal.save(partial(_make_older, first.app.state.database))
                await first.app.journal.saved()
        async with supervising(home, keeper) as second:
            info = await second.ask("info", id=mission)
            end = [item async for item in second.stream("wait", ids=[mission])][-1]
            listed = [[row["id"] for row in await second.ask("ps", **arguments)] for arguments, _ in LISTS]
            counts = (await second.ask("status"))["missions"]
            with pytest.raises(OvermindError, match="already ended: failed"):
                await second.ask("stop", id=mission)
            await second.ask("restart", id=mission)
            again = await second.ask("ps")
        keeper.close()
        assert killed["hidden"] == [mission]
        assert {name: count for name, count in counts.items() if count} == {"crashed": 1, "total": 1}
        assert [bool(ids) for ids in listed] == [is_listed for _, is_listed in LISTS]
        for told in (info, end):
            assert (told["status"], told["exit_code"], told["outcome"]) == (before, 3, "failed")
        assert info["hidden"]
        assert [(row["id"], row["hidden"]) for row in again] == [(mission, False)]

    in_process.run(story())
