"""The newest events of a pane: nothing that happens while they are asked for is missed, or asked for twice."""

from __future__ import annotations

import asyncio
from typing import Any

from overmind_web.live.feed import Change
from overmind_web.live.recent import RecentEvents


class Told:
    """Stands in for a pane's context and its supervisor: events 1 and 2, and before the end what `meanwhile` does."""

    by = "web:phone"

    def __init__(self, meanwhile=lambda: None):
        self.supervisor = self
        self.meanwhile = meanwhile
        self.asked = 0

    async def call(self, _command, _args):
        return {"seq": 2}

    async def stream(self, _command, _args, by):
        assert by == self.by
        self.asked += 1
        yield "ok", {}
        for seq in (1, 2):
            yield "item", {"seq": seq}
        self.meanwhile()


def made(told: Any, most: int = 10) -> RecentEvents:
    return RecentEvents(told, earlier=10, most=most)


def happened(*seqs):
    return Change(frozenset({"started"}), tuple({"seq": seq} for seq in seqs))


async def seqs(recent):
    return [one["seq"] for one in await recent.all()]


def test_what_happens_while_they_are_asked_for_is_there_once():
    told = Told()
    recent = made(told)
    told.meanwhile = lambda: recent.take(happened(2, 3))
    assert asyncio.run(seqs(recent)) == [1, 2, 3]
    recent.take(happened(3, 4))
    assert asyncio.run(seqs(recent)) == [1, 2, 3, 4]
    assert told.asked == 1


def test_a_daemon_that_is_reached_anew_is_asked_again_also_by_who_was_asking():
    told = Told()
    recent = made(told)
    told.meanwhile = lambda: recent.take(Change(everything=True))
    assert asyncio.run(seqs(recent)) == [1, 2]
    told.meanwhile = lambda: None
    assert asyncio.run(seqs(recent)) == [1, 2]
    assert told.asked == 2


def test_only_so_many_are_kept():
    recent = made(Told(), most=3)
    assert asyncio.run(seqs(recent)) == [1, 2]
    recent.take(happened(3, 4, 5))
    assert asyncio.run(seqs(recent)) == [3, 4, 5]
