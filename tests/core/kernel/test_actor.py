"""Who asked for what is recorded: known where it was asked for, and nowhere else."""

from __future__ import annotations

import asyncio

from overmind_core.kernel.actor import actor, acts, handed_on, nobody


async def look():
    return actor()


def test_an_actor_is_known_in_its_own_task_and_where_that_hands_its_work_on():
    async def story():
        assert actor() is None, "nobody has asked"
        acts(lambda: "person")
        loop = asyncio.get_running_loop()
        timer = loop.create_future()
        loop.call_soon(lambda: timer.set_result(actor()))
        with nobody():
            inside = actor()
        return {
            "itself": actor(),
            "awaited": await look(),
            "handed on": await asyncio.create_task(handed_on(look())),
            "handed on twice": await asyncio.create_task(handed_on(handed_on(look()))),
            "a task of its own": await asyncio.create_task(look()),
            "a timer": await timer,
            "after a commit": inside,
            "then": actor(),
        }

    found = asyncio.run(story())
    named = {"itself", "awaited", "handed on", "handed on twice", "then"}
    assert {what for what, who in found.items() if who == "person"} == named
    assert {who for what, who in found.items() if what not in named} == {None}
