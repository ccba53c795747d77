"""Who is woken by what."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest

from overmind_core.domain.agents.events import NotificationDue
from overmind_core.domain.missions.events import MissionPaused, MissionThawed
from overmind_core.missions.followers import Followers

if TYPE_CHECKING:
    from overmind_core.missions.registry import Registry


PAUSED = MissionPaused(mission="a", name="a")
THAWED = MissionThawed(mission="b", name="b")
DUE = NotificationDue(mission="a", name="a", why="blocked", now="?")
WOKEN = [
    ("any event", None, None, [PAUSED, THAWED, DUE]),
    ("those of a mission", ["a"], None, [PAUSED, DUE]),
    ("those of a type", None, [NotificationDue], [DUE]),
    ("those of two types", None, [NotificationDue, MissionThawed], [THAWED, DUE]),
    ("none, of a type that does not come", None, [], []),
]


@pytest.mark.parametrize(("missions", "types", "expected"), [row[1:] for row in WOKEN], ids=[row[0] for row in WOKEN])
def test_woken_by(missions, types, expected):
    async def story():
        feed = Followers(cast("Registry", SimpleNamespace(live={})))
        woken = []
        with feed.follow(missions) if types is None else feed.follow_types(types) as follower:
            for event in (PAUSED, THAWED, DUE):
                feed.on_event(event)
                news = asyncio.ensure_future(follower.news())
                await asyncio.sleep(0)
                await asyncio.sleep(0)
                if news.done():
                    woken.append(event)
                news.cancel()
        return woken

    assert asyncio.run(story()) == expected
