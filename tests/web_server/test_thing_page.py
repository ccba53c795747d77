"""All about one row of a list, as a tab gets it."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, cast

from overmind_web.live.messages import Open
from overmind_web.live.pane import PaneContext
from overmind_web.pages.resources import ThingPane
from tests.tui.test_pictures_board import DETAILS, QUESTIONS, in_queue

ASKS = {**DETAILS, "attempt_list": [], **in_queue(0x56, "api-client", "running", 120, phase="work")}


class Told:
    """What a pane is given, of a daemon that tells about one quest."""

    feed = SimpleNamespace(fleet=SimpleNamespace(fleet=SimpleNamespace(rows={}, questions=QUESTIONS)))

    async def call(self, command: str, args: Any) -> Any:
        """Tell about it."""
        assert (command, args) == ("quest", {"id": ASKS["id"]})
        return dict(ASKS)


def test_all_about_a_quest_that_asks_has_the_state_of_its_row():
    opened = Open(p=1, view="thing", args={"list": "quests", "id": ASKS["id"]})
    content = cast("Any", asyncio.run(ThingPane(cast("PaneContext", Told()), opened).load()))
    (line,) = ("".join(text for text, _ in line) for line in content["lines"][1:2])
    assert line.startswith(" ! asks · ")
    assert line.endswith(" since it began  Bash: rm -rf build")
