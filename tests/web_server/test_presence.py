"""A tab as one of the daemon's viewers: which of the events that it hears of call its person."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from overmind_web.live.messages import Look
from overmind_web.live.presence import Presence

EVENTS: list[tuple[str, dict[str, Any]]] = [
    ("ok", {"viewer": 7}),
    ("item", {"type": "notification", "ring": True, "seq": 1}),
    ("item", {"type": "notification", "ring": False, "seq": 2}),
    ("item", {"type": "notification", "seq": 3}),
    ("item", {"type": "crashed", "ring": True, "seq": 4}),
    ("end", {"type": "notification", "ring": True, "seq": 5}),
    ("item", {"type": "notification", "ring": True, "seq": 6}),
]


class Told:
    """Stands in for a supervisor: says what happens, once, and is told who looks."""

    def __init__(self) -> None:
        self.used: list[dict[str, Any]] = []
        self.all_of_it = asyncio.Event()

    async def call(self, request: str, arguments: dict[str, Any], *, by: str = "") -> dict[str, Any]:
        if request == "used":
            assert by == "ada"
            self.used.append(arguments)
        return {"seq": 0}

    async def stream(self, _request: str, _arguments: Any, *, by: str) -> AsyncIterator[tuple[str, dict[str, Any]]]:
        assert by == "ada"
        for event in EVENTS:
            yield event
            await asyncio.sleep(0)
        self.all_of_it.set()
        await asyncio.Event().wait()


def test_only_a_notification_for_this_tab_calls_its_person_and_the_daemon_knows_who_looks_at_what():
    rung: list[int] = []

    async def story() -> list[dict[str, Any]]:
        told = Told()
        presence = Presence(told, "ada", lambda event: rung.append(event["seq"]))  # type: ignore[arg-type]
        presence.look(Look(visible=True, mission="a1"))
        await told.all_of_it.wait()
        await presence.close()
        return told.used

    used = asyncio.run(asyncio.wait_for(story(), 5))
    assert rung == [1, 6]
    assert [(one["viewer"], one["view"]) for one in used] == [(7, "a1")]
