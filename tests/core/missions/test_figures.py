"""One look at the machine serves all who want one at the same moment."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, cast

from overmind_core.kernel.tasks import Tasks
from overmind_core.missions.figures import FigureLooks


class Reader:
    """Reads figures that tell nothing but whose they are, and remembers each look."""

    def __init__(self):
        self.looks: list[set[str]] = []
        self.error: OSError | None = None

    async def read(self, missions):
        self.looks.append({mission.id for mission in missions})
        await asyncio.sleep(0)
        if self.error is not None:
            raise self.error
        return [{"id": mission.id} for mission in missions]


async def ids_of(look):
    """The missions of which the look told."""
    found = await look.figures()
    return None if found is None else found.keys()


class Scene:
    """Looks at missions of which one is gone, at moments that the test sets."""

    def __init__(self):
        self.reader = Reader()
        self.now = 100.25
        registry = SimpleNamespace(get=lambda one: None if one == "gone" else SimpleNamespace(id=one))
        clock = SimpleNamespace(mono=lambda: self.now)
        self.looks = FigureLooks(cast("Any", self.reader), cast("Any", registry), cast("Any", clock), Tasks())


def test_those_who_wait_for_the_same_moment_share_one_look():
    async def play():
        scene = Scene()
        one, other = scene.looks.next(["a", "b"], 2.0), scene.looks.next(["b", "c", "gone"], 1.0)
        assert (one.due, other.due) == (102.0, 101.0)
        scene.now = 101.5
        third = scene.looks.next(["c", "gone"], 0.5)
        assert third is one
        found = await asyncio.gather(*(ids_of(look) for look in (one, third, one)))
        assert scene.reader.looks == [{"a", "b", "c"}]
        assert found == [{"a", "b", "c"}] * 3

    asyncio.run(play())


def test_who_comes_when_a_look_has_begun_gets_another():
    async def play():
        scene = Scene()
        first = scene.looks.next(["a"], 2.0)
        scene.now = first.due
        looking = asyncio.create_task(ids_of(first))
        await asyncio.sleep(0)
        scene.now = first.due - 0.001  # a clock that stands where it stood
        later = scene.looks.next(["b"], 2.0)
        assert later is not first
        assert await looking == {"a"}
        assert await ids_of(later) == {"b"}
        now = scene.looks.now(["b"])
        assert now.due <= scene.now
        assert await ids_of(now) == {"b"}

    asyncio.run(play())


def test_who_leaves_takes_the_look_from_nobody_else():
    async def play():
        scene = Scene()
        look = scene.looks.next(["a"], 2.0)
        leaving, staying = (asyncio.create_task(ids_of(look)) for _ in range(2))
        await asyncio.sleep(0)
        leaving.cancel()
        assert await staying == {"a"}
        assert scene.reader.looks == [{"a"}]

    asyncio.run(play())


def test_a_look_that_nobody_waits_for_any_more_is_not_made():
    async def play():
        scene = Scene()
        dropped = scene.looks.next(["a"], 2.0)
        due = dropped.due
        del dropped
        look = scene.looks.next(["b"], 2.0)
        assert look.due == due
        assert await ids_of(look) == {"b"}
        assert scene.reader.looks == [{"b"}]

    asyncio.run(play())


def test_a_machine_that_cannot_be_looked_at_is_nothing_new_and_the_next_look_tells():
    async def play():
        scene = Scene()
        scene.reader.error = OSError(24, "Too many open files")
        assert await ids_of(scene.looks.next(["a"], 2.0)) is None
        scene.reader.error = None
        assert await ids_of(scene.looks.next(["a"], 2.0)) == {"a"}

    asyncio.run(play())
