"""The starts of claims: beside one another, given up when their claim is over, waited for while they are recorded."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from overmind_core.errors import OvermindError
from overmind_core.kernel.database import StoreError
from overmind_core.kernel.tasks import Tasks
from overmind_core.swarm.answers import Claimed
from overmind_core.swarm.connection import SwarmSilent
from overmind_core.swarm.starts import Starts
from overmind_core.swarm.store import HeldClaim


class Hive:
    """Starts whose work is what a test says."""

    def __init__(self, *posts: str) -> None:
        self.claims = {post: HeldClaim(Claimed(post, "run", post, 1, "{}", "", "move", 10.0)) for post in posts}
        self.begun: dict[str, list[float]] = {post: [] for post in posts}
        self.changes = 0
        self.errors: dict[str, Exception] = {}
        self.fetched, self.saved = asyncio.Event(), asyncio.Event()
        self.recording = asyncio.Event()
        self.starts = Starts(works=self, store=self, tasks=Tasks(), sent=lambda: 7.0, changed=self._on_change)  # type: ignore[arg-type]

    def _on_change(self) -> None:
        self.changes += 1

    async def start(self, held: HeldClaim, sent: Callable[[], float]) -> None:
        if held.claim.id in self.errors:
            raise self.errors[held.claim.id]
        await self.fetched.wait()
        self.begun[held.claim.id].append(sent())
        self.recording.set()
        await self.saved.wait()
        self.claims[held.claim.id] = HeldClaim(held.claim, mission="m")

    def is_begun(self, held: HeldClaim) -> bool:
        return held.mission is not None

    async def turns(self) -> None:
        for _ in range(5):
            await asyncio.sleep(0)


def test_several_begin_beside_one_another_and_each_once():
    async def go() -> None:
        hive = Hive("a", "b")
        hive.saved.set()
        hive.starts.begin_all()
        await hive.turns()
        hive.starts.begin_all()
        hive.fetched.set()
        await hive.turns()
        assert hive.begun == {"a": [7.0], "b": [7.0]}
        assert hive.changes == 2
        hive.starts.begin_all()
        await hive.turns()
        assert hive.begun == {"a": [7.0], "b": [7.0]}

    asyncio.run(go())


def test_what_is_over_before_it_is_recorded_is_never_begun():
    async def go() -> None:
        hive = Hive("a")
        hive.starts.begin_all()
        await hive.turns()
        await hive.starts.settle("a")
        del hive.claims["a"]
        hive.fetched.set()
        await hive.turns()
        assert hive.begun == {"a": []}
        assert list(hive.starts.refused()) == []

    asyncio.run(go())


def test_what_is_being_recorded_is_waited_for_so_that_it_can_be_ended():
    async def go() -> None:
        hive = Hive("a")
        hive.fetched.set()
        hive.starts.begin_all()
        await hive.recording.wait()
        settled = asyncio.ensure_future(hive.starts.settle("a"))
        await hive.turns()
        assert not settled.done()
        hive.saved.set()
        await settled
        assert hive.claims["a"].mission == "m"

    asyncio.run(go())


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (OvermindError("git_failed", "no way there."), "no way there."),
        (ValueError("never seen"), "ValueError: never seen"),
        (SwarmSilent("nobody"), None),
        (StoreError("state.db", "full"), None),
    ],
)
def test_what_can_not_be_started_is_given_back_once_and_what_fails_for_a_while_is_tried_again(error, reason):
    async def go() -> None:
        hive = Hive("a")
        hive.fetched.set()
        hive.saved.set()
        hive.errors["a"] = error
        hive.starts.begin_all()
        await hive.turns()
        assert [why for _, why in hive.starts.refused()] == ([] if reason is None else [reason])
        hive.errors.clear()
        hive.starts.begin_all()
        await hive.turns()
        assert hive.begun == {"a": [7.0] if reason is None else []}
        hive.starts.forget("a")
        assert list(hive.starts.refused()) == []

    asyncio.run(go())
