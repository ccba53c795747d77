"""The journal: which changes share a commit, and in what order they are made and followed."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from overmind_core.kernel import journal
from overmind_core.kernel.database import DiskFull
from overmind_core.kernel.journal import Journal

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator


class Books:
    """A store that only notes what each commit has written."""

    def __init__(self) -> None:
        self.commits: list[list[str]] = []
        self.full = False

    @contextmanager
    def transaction(self) -> Iterator[None]:
        self.commits.append([])
        if self.full:
            self.commits.pop()
            raise DiskFull("state.db", "full")
        yield

    def sync(self) -> None: ...


class World:
    def __init__(self) -> None:
        self.books = Books()
        self.journal = Journal(self.books, asyncio.get_running_loop())  # type: ignore[arg-type]

    def save(self, what: str, after: object = None) -> None:
        self.journal.save(lambda: self.books.commits[-1].append(what), after)  # type: ignore[arg-type]


def in_loop(test: Callable[[World], Coroutine[None, None, None]]) -> Callable[[pytest.MonkeyPatch], None]:
    async def scene() -> None:
        world = World()
        await test(world)
        world.journal.close()

    def run(monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(journal, "RETRY_SECONDS", 0.0)
        asyncio.run(scene())

    return run


@in_loop
async def test_what_one_turn_saves_is_one_commit(world: World) -> None:
    world.save("a")
    world.save("b")
    await world.journal.saved()
    assert world.books.commits == [["a", "b"]]


@in_loop
async def test_what_follows_from_a_commit_and_the_task_that_it_begins_share_the_next(world: World) -> None:
    """The end of one agent of a plan, the decision who is next, and what that is to be."""

    begun = asyncio.Event()

    async def begin() -> None:
        world.save("intent", begun.set)

    def decide() -> None:
        world.save("decision")
        tasks.append(asyncio.create_task(begin()))

    tasks: list[asyncio.Task[None]] = []

    def ended() -> None:
        asyncio.get_running_loop().call_soon(decide)
        world.save("end of the agent")

    world.save("exit", ended)
    await asyncio.wait_for(begun.wait(), 30)
    assert world.books.commits == [["exit"], ["end of the agent", "decision", "intent"]]


@in_loop
async def test_a_commit_asked_for_now_leaves_none_behind_that_cuts_the_next_turn_in_two(world: World) -> None:
    world.save("a")
    world.journal.flush()
    asyncio.get_running_loop().call_soon(world.save, "c")
    world.save("b")
    await world.journal.saved()
    assert world.books.commits == [["a"], ["b", "c"]]


@in_loop
async def test_nobody_waits_for_ever_in_a_flood(world: World) -> None:
    """However much each turn brings: half of the time may go into commits, so they are made."""
    stop = asyncio.Event()

    async def flood() -> None:
        while not stop.is_set():
            world.save("drop")
            await asyncio.sleep(0)

    task = asyncio.create_task(flood())
    for _ in range(3):
        world.save("mine")
        await world.journal.saved()
    stop.set()
    await task
    assert [what for commit in world.books.commits for what in commit].count("mine") == 3


@in_loop
async def test_on_a_full_disk_the_queue_keeps_its_order_and_is_one_commit_later(world: World) -> None:
    world.books.full = True
    world.save("a")
    with pytest.raises(DiskFull):
        await world.journal.saved()
    assert world.journal.failing
    world.save("b")
    world.books.full = False
    await asyncio.wait_for(world.journal.saved(), 30)
    assert world.books.commits == [["a", "b"]]
