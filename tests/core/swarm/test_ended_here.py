"""What a hive ends itself is the end of no work: it is given up before that, and the swarm is never told of it."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from overmind_core.errors import OvermindError
from overmind_core.kernel.tasks import Tasks
from overmind_core.swarm.answers import Claimed
from overmind_core.swarm.connection import SwarmSilent
from overmind_core.swarm.reports import Reports
from overmind_core.swarm.service import SwarmService
from overmind_core.swarm.store import HeldClaim, Session, SwarmStore

POSTS = ("p1", "p2", "p3")


class Life:
    """A hive whose keeper is another one than that of its session; the end of some posts' work fails once."""

    def __init__(self, failing):
        self.failing = set(failing)
        self.asked_to_end: list[tuple[str, str | None]] = []
        """Each post whose work was to end, with what was kept of it by then."""
        self.ended: set[str] = set()
        self.joined = False
        session = Session("s", "h", "old", "keeper-1", slots=1)
        meta: Any = SimpleNamespace(get=lambda _: msgspec.json.encode(session).decode(), save=lambda *_: None)
        journal: Any = SimpleNamespace(save=lambda write: write(), saved=self.saved)
        database: Any = SimpleNamespace(read=lambda *_: [], write=self.write)
        self.on_disk: dict[str, HeldClaim] = {}
        self.store = SwarmStore(database, meta, journal)
        for post in POSTS:
            self.store.save_claim(HeldClaim(Claimed(post, "run", post, 1, "{}", "", "move", 600.0), mission=post))
        clock: Any = SimpleNamespace(boot=lambda: asyncio.get_running_loop().time())
        line: Any = SimpleNamespace(ask=self.ask, news=self.news)
        none: Any = None
        works: Any = SimpleNamespace(of=lambda _held: self, release=lambda _held: None, on_call=lambda: None)
        reports = Reports(store=self.store, works=works, questions=none, secrets=none, line=line, clock=clock)
        machine: Any = SimpleNamespace(
            keeper=lambda: "keeper-2", key=lambda: None, pools=tuple, home="h", cpu=1.0, memory=1, providers=(),
            accepts={}, system="linux",
        )  # fmt: skip
        self.service = SwarmService(
            machine=machine, store=self.store, works=works, reports=reports, line=line, clock=clock, tasks=Tasks(),
            keeper=none,
        )  # fmt: skip

    def write(self, _sql, row):
        if len(row) > 1:
            self.on_disk[row[0]] = msgspec.json.decode(row[1], type=HeldClaim)

    async def saved(self):
        await asyncio.sleep(0)

    async def news(self):
        return ()

    async def ask(self, _question):
        self.joined = True
        raise SwarmSilent("nobody answers")

    # the work of its posts

    async def end(self, held):
        self.asked_to_end.append((held.claim.id, self.on_disk[held.claim.id].refusal))
        self.ended.add(held.claim.id)
        if held.claim.id in self.failing:
            self.failing.discard(held.claim.id)
            raise OvermindError("survivors", "some processes could not be ended")

    def is_fenced(self, _held):
        return False

    def end_of(self, held, *, cancelling):
        del cancelling
        return {"state": "cancelled", "reason": "killed"} if held.claim.id in self.ended else None


@pytest.mark.parametrize("failing", [(), POSTS[:1], POSTS[1:], POSTS])
def test_what_another_keeper_began_is_given_up_before_it_is_ended_whether_that_works_at_once_or_not(failing):
    life = Life(failing)

    async def turns():
        life.service.begin()
        while not life.joined:
            life.service.on_answer()  # the next turn is due
            await asyncio.sleep(0)
        await life.service.close()

    asyncio.run(asyncio.wait_for(turns(), 10))
    assert {post for post, _ in life.asked_to_end} == set(POSTS)
    assert all(refusal is not None for _, refusal in life.asked_to_end)
    assert life.joined
    assert (life.store.claims, life.store.untold) == ({}, {})
    assert all(held.end is None for held in life.on_disk.values())
