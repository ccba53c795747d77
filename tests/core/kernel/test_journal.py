"""The journal: which changes share a commit, and in what order they are made and followed."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from overmind_core.kernel import journal
from overmind_core.kernel.database import DiskFull, StoreUnavailable
from overmind_core.kernel.journal import Journal

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator


class Books:
    """A store that only notes what each commit has written."""

    path = "state.db"

    def __init__(self) -> None:
        self.commits: list[list[str]] = []
        self.full = False

    @contextmanager
    def transaction(self) -> Iterator[None]:
        self.commits.append([])
        if self.full:
            self.commits.pop()
            raise DiskFull(self.path, "full")
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
async def test_what_is_kept_together_in_a_block_within_another_is_part_of_that(world: World) -> None:
    with world.journal.together():
        world.save("a")
        with world.journal.together():
            world.save("b")
        world.journal.flush()
        world.save("c")
    world.journal.flush()
    assert world.books.commits == [["a", "b", "c"]]


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
async def test_a_decision_and_what_the_task_that_it_begins_saves_are_in_the_commit_of_what_was_decided_about(
    world: World,
) -> None:
    """An agent has ended, another one is next, and what that is to be: all of it or nothing."""
    begun = asyncio.Event()

    async def begin() -> None:
        world.save("intent", begun.set)

    def decide() -> None:
        world.save("decision")
        tasks.append(asyncio.create_task(begin()))

    tasks: list[asyncio.Task[None]] = []
    world.save("exit")
    world.journal.decide(decide)
    await asyncio.wait_for(begun.wait(), 30)
    assert world.books.commits == [["exit", "decision", "intent"]]


@in_loop
async def test_a_decision_that_comes_when_a_commit_is_due_is_part_of_it(world: World) -> None:
    begun = asyncio.Event()

    async def begin() -> None:
        world.save("intent", begun.set)

    def ended() -> None:
        world.save("exit")
        world.journal.decide(lambda: tasks.append(asyncio.create_task(begin())))

    tasks: list[asyncio.Task[None]] = []
    loop = asyncio.get_running_loop()
    loop.call_soon(lambda: loop.call_soon(ended))
    world.save("something else")
    await asyncio.wait_for(begun.wait(), 30)
    assert world.books.commits == [["something else", "exit", "intent"]]


@in_loop
async def test_who_decides_again_and_again_holds_no_commit_up(world: World) -> None:
    decided = 0

    def decide() -> None:
        nonlocal decided
        decided += 1
        if not world.books.commits:
            world.journal.decide(decide)

    world.save("mine")
    world.journal.decide(decide)
    await asyncio.wait_for(world.journal.saved(), 30)
    assert world.books.commits == [["mine"]]
    assert decided > 1


@in_loop
async def test_a_decision_is_made_also_when_there_is_nothing_to_save_or_it_was_saved_meanwhile(world: World) -> None:
    made: list[str] = []
    world.journal.decide(lambda: made.append("alone"))
    await turns(3)
    world.save("a")
    world.journal.decide(lambda: made.append("after a flush"))
    world.journal.flush()
    await turns(3)
    assert (made, world.books.commits) == (["alone", "after a flush"], [["a"]])


@in_loop
async def test_a_decision_is_made_also_on_a_full_disk_and_saved_with_the_rest_once_there_is_room(world: World) -> None:
    world.books.full = True
    world.save("exit")
    world.journal.decide(lambda: world.save("decision"))
    with pytest.raises(DiskFull):
        await world.journal.saved()
    world.journal.decide(lambda: world.save("another one"))
    await turns(2)
    world.books.full = False
    await asyncio.wait_for(world.journal.saved(), 30)
    assert world.books.commits == [["exit", "decision", "another one"]]


@in_loop
async def test_a_decision_that_fails_takes_no_commit_along(world: World) -> None:
    def decide() -> None:
        raise RuntimeError

    world.save("exit")
    world.journal.decide(decide)
    await world.journal.saved()
    assert world.books.commits == [["exit"]]


@in_loop
async def test_what_somebody_waits_for_follows_first_and_is_sent_before_the_rest(world: World) -> None:
    followed: list[str] = []
    world.journal = Journal(
        world.books,  # type: ignore[arg-type]
        asyncio.get_running_loop(),
        hurry=lambda: followed.append("sent"),
    )
    world.save("exit", lambda: followed.append("told"))
    world.journal.save(lambda: None, lambda: followed.append("asked"), first=True)
    world.journal.save(lambda: None, lambda: followed.append("asked, too"), first=True)
    await world.journal.saved()
    world.save("something else", lambda: followed.append("told"))
    await world.journal.saved()
    assert followed == ["asked", "asked, too", "sent", "told", "told"]


async def turns(number: int) -> None:
    """Let so many turns of the loop go by."""
    for _ in range(number):
        await asyncio.sleep(0)


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


@in_loop
async def test_who_leaves_does_not_wait_for_the_next_try_of_a_full_disk(world: World) -> None:
    done: list[str] = []
    world.books.full = True
    world.save("a", lambda: done.append("a"))
    with pytest.raises(DiskFull):
        await world.journal.saved()
    world.save("b", lambda: done.append("b"))
    assert isinstance(world.journal.save_at_once(), DiskFull)
    assert (world.books.commits, done) == ([], [])
    world.books.full = False
    assert world.journal.save_at_once() is None
    assert (world.books.commits, done) == ([["a", "b"]], ["a", "b"])
    assert not world.journal.failing


@in_loop
async def test_once_it_is_closed_nothing_is_saved_and_nothing_follows(world: World) -> None:
    """Else a daemon that leaves would act on what no other ever hears of."""
    done: list[str] = []
    world.save("before", lambda: done.append("before"))
    waiting = asyncio.create_task(world.journal.saved())
    await asyncio.sleep(0)
    world.journal.decide(lambda: done.append("decided"))
    world.journal.close()
    world.save("after", lambda: done.append("after"))
    world.journal.decide(lambda: done.append("decided late"))
    world.journal.flush()
    for _ in range(5):
        await asyncio.sleep(0)
    assert (world.books.commits, done) == ([], [])
    for told in (waiting, world.journal.saved()):
        with pytest.raises(StoreUnavailable):
            await asyncio.wait_for(told, 30)
