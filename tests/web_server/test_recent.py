"""The newest events of a pane: nothing that happens while they are asked for is missed, or asked for twice."""

from __future__ import annotations

import asyncio
from datetime import UTC
from typing import Any, cast

import pytest

from overmind_core.domain.text.moment import parse_time
from overmind_core.view import tables
from overmind_web.live.feed import Change
from overmind_web.live.messages import Open
from overmind_web.live.pane import PaneContext
from overmind_web.live.recent import RecentEvents
from overmind_web.pages.events import EARLIER, EventsPane, line


class Told:
    """Stands in for a pane's context and its supervisor: events 1 and 2, and before the end what `meanwhile` does."""

    by = "web:phone"

    def __init__(self, meanwhile=lambda: None, seqs=(1, 2)):
        self.supervisor = self
        self.meanwhile = meanwhile
        self.seqs = seqs
        self.asked = 0

    async def call(self, _command, _args):
        return {"seq": 2}

    async def stream(self, _command, _args, by):
        assert by == self.by
        self.asked += 1
        yield "ok", {}
        for seq in self.seqs:
            yield "item", {"seq": seq, "at": "2026-11-20T12:00:00Z", "type": "started", "mission": "a"}
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


@pytest.mark.parametrize(("seqs", "among"), [((1, 2), 0), ((2_001, 2_002), EARLIER), ((), 0)])
def test_a_page_of_events_knows_whether_there_are_older_ones(seqs, among):
    pane = EventsPane(cast("PaneContext", Told(seqs=seqs)), Open(p=1, view="events", args={"mission": "b"}))
    found = asyncio.run(pane.load())
    assert (found.ids, found.head) == ([], {"among": among})


@pytest.mark.parametrize(("at", "day"), [("2026-11-20T12:00:00Z", ""), ("2026-11-19T12:00:00Z", "2026-11-19")])
def test_an_event_has_its_day_unless_that_is_today(at, day):
    (row,) = tables.events([{"seq": 1, "at": at, "type": "started"}], UTC, now=parse_time("2026-11-20T13:00:00Z", 0.0))
    cells = {key: text for key, text, _ in cast("Any", line(row)[4])}
    assert (cells["day"], cells["at"]) == (day, "12:00:00")
