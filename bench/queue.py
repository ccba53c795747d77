"""The queue of quests, beside plans and make; who starts of 10,000; a cold board; what 10,000 queued ones cost."""

from __future__ import annotations

import contextlib
import itertools
import random
import shutil
import statistics
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from bench import plans, recovery
from bench.figures import Figure, Row, Side, Skipped, at_most, megabytes, milliseconds, take_turns
from bench.processes import duration, resident, sleeps
from bench.product import Api, Home, Product
from bench.sizes import choose_size
from overmind_core.domain.admission import Limits, Owned, Pool, Ready, Wait, WaitCode, Waiter, ready
from overmind_core.domain.quests.quest import Goal, Priority, Quest, QuestStatus, QueueState
from overmind_core.domain.quests.score import Urgency, urgency_of

COUNT = choose_size(1000, smoke=10)
CHAIN = choose_size(200, smoke=4)
AT_ONCE = plans.AT_ONCE
MANY = choose_size(10_000, smoke=50)
RUNNING = choose_size(100, smoke=3)
PORTION = 1000
"""Quests of one request."""
ROUNDS = choose_size(3, smoke=1)
SHORT_ROUNDS = choose_size(7, smoke=1)
COLD_ROUNDS = choose_size(40, smoke=2)
PLAN_GOAL, MAKE_GOAL, CHAIN_GOAL = 1.2, 3.5, 1.25
STARTS_GOAL, REASONS_GOAL = 10.0, 30.0
BOARD_GOAL = 3.5
RECOVERY_GOAL = 1.15
MEMORY_GOAL = 25_000_000
SETTLE, SECONDS = choose_size((5.0, 10.0), smoke=(0.2, 0.5))


def measure(product: Product, folder: str) -> Iterator[Row]:
    yield from _many(product, folder)
    yield _chain(product)
    yield from _choices()
    yield _board(product)
    yield _recovery(product)
    yield from _resting(product)


# quests that do nothing


def _many(product: Product, folder: str) -> Iterator[Row]:
    """From the request that adds them to the end of the last one."""
    sides = {"overmind": _ours(product), "a plan": plans.planned(product, plans.wide)}
    if shutil.which("make") is not None:
        sides["make"] = plans.made(folder, plans.wide())
    else:
        yield Skipped("the queue beside make", "it is not installed (apt-get install make)")
    taken = take_turns(sides, rounds=ROUNDS)
    ours = taken.pop("overmind")
    what = f"{COUNT:,} × `true` through a queue of {AT_ONCE} slots: for each quest"
    for name, theirs in taken.items():
        yield at_most(what, ours, theirs, PLAN_GOAL if name == "a plan" else MAKE_GOAL, milliseconds)


def _ours(product: Product) -> Callable[[], float]:
    def round_() -> float:
        with product.home(keeps_files=True) as home, contextlib.closing(home.connect()) as api:
            api.call("queue_set", {"slots": AT_ONCE})
            began = time.perf_counter()
            _completed(api, add(api, home, [quest(number) for number in range(COUNT)]))
            return (time.perf_counter() - began) / COUNT

    return round_


def _chain(product: Product) -> Figure:
    """From the end of each to the start of the next, by the product's own times; a mean evens out their digits."""
    taken = take_turns({"overmind": _quest_steps(product), "a plan": _plan_steps(product)}, rounds=SHORT_ROUNDS)
    what = f"a chain of {CHAIN} × `true`: from the end of one to the start of the next"
    return at_most(what, taken["overmind"], taken["a plan"], CHAIN_GOAL, milliseconds)


def _quest_steps(product: Product) -> Callable[[], float]:
    def round_() -> float:
        with product.home(keeps_files=True) as home, contextlib.closing(home.connect()) as api:
            chain = [quest(number, needs=[f"q{number - 1}"] if number else []) for number in range(CHAIN)]
            _completed(api, add(api, home, chain))
            return _step(api)

    return round_


def _plan_steps(product: Product) -> Callable[[], float]:
    def round_() -> float:
        with product.home(keeps_files=True) as home, contextlib.closing(home.connect()) as api:
            plans.run(api, home, plans.deep(CHAIN))
            return _step(api)

    return round_


def _step(api: Api) -> float:
    """Mean seconds from the end of one of a chain to the start of the next."""
    rows = [row for row in api.call("ps", {"all": True}) if row["command"] == "true"]
    times = sorted((_seconds(row["run_started_at"]), _seconds(row["ended_at"])) for row in rows)
    if len(times) != CHAIN:
        raise RuntimeError(f"{len(times)} of a chain of {CHAIN} ran")
    gaps = [start - end for (_, end), (start, _) in itertools.pairwise(times)]
    return sum(gaps) / len(gaps)


def _seconds(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()


def quest(number: int, **fields: object) -> dict[str, Any]:
    """A quest for `quest_add` that does nothing."""
    return {"title": f"quest {number}", "command": ["true"], "tty": False, "ref": f"q{number}", **fields}


def add(api: Api, home: Home, quests: Sequence[Mapping[str, Any]]) -> list[str]:
    """Put them into the queue; return their ids."""
    request = {"cwd": "/", "env": home.environment, "quests": list(quests)}
    return [added["id"] for added in api.call("quest_add", request)["quests"]]


def _completed(api: Api, quests: Sequence[str]) -> None:
    ends = api.until_ended(quests, command="quest_wait")
    failed = [end for end in ends if end["status"] != "completed"]
    if failed:
        raise RuntimeError(f"{len(failed)} quests did not complete: {failed[0]}")


# who starts


def _choices() -> Iterator[Figure]:
    """The pure part: ranks of this moment, then who starts; beside Python's own sort of the same ranks."""
    now = 1_000_000.0
    chance = random.Random(1)
    waiting = [_waiting(number, chance, now) for number in range(MANY)]
    owned = {f"r{number}": Owned("/repository", (f"lib/part{number}/**",)) for number in range(2)}
    limits = Limits({"queue": Pool(3, 2), "provider:claude": Pool(2, 1)}, owned)
    keys = [urgency.rank(now) for urgency, _ in waiting]

    def decided(*, reasons: bool) -> Ready:
        ranked = [waiter._replace(rank=urgency.rank(now)) for urgency, waiter in waiting]
        return ready(ranked, now, limits, reasons=reasons)

    found = decided(reasons=True)
    if decided(reasons=False).start != found.start or len(found.start) + len(found.waiting) != MANY:
        raise RuntimeError("who starts depends on whether anybody asks for reasons")
    taken = take_turns(
        {
            "who": lambda: _timed(lambda: decided(reasons=False)),
            "all": lambda: _timed(lambda: decided(reasons=True)),
            "`sorted` of as many keys": lambda: _timed(lambda: sorted(keys)),
        },
        rounds=SHORT_ROUNDS * 3,
    )
    who, reasons, theirs = taken.values()
    yield at_most(f"who starts, of {MANY:,} queued", who, theirs, STARTS_GOAL, milliseconds)
    yield at_most(f"who starts, and why each other of {MANY:,} waits", reasons, theirs, REASONS_GOAL, milliseconds)


def _waiting(number: int, chance: random.Random, now: float) -> tuple[Urgency, Waiter]:
    """One that is queued: a third needs others, a tenth has a deadline, a third owns paths."""
    name = f"quest-{number}"
    goal = Goal(
        priority=chance.choice(list(Priority)),
        deadline_at=now + chance.uniform(-600, 7200) if number % 10 == 0 else None,
    )
    created = now - chance.uniform(0, 9000)
    one = Quest(
        f"{number:08x}", name, "true", "/", "raw", created, status=QuestStatus.QUEUED, retries=2, goal=goal,
        queue=QueueState(),
    )  # fmt: skip
    needs = Wait(WaitCode.NEEDS, "waits for another", ("another",)) if number % 3 == 1 else None
    owns = (f"src/part{number % 3000}/**",) if number % 3 == 2 else ()
    provider = chance.choice(("raw", "claude"))
    waiter = Waiter(
        name, pools=("queue", f"provider:{provider}"), owns=owns, repository="/repository", blocked=needs
    )  # fmt: skip
    return urgency_of(one, chance.randrange(12), None if needs else 0.0), waiter


def _timed(work: Callable[[], object]) -> float:
    """Processor time: other work on the machine does not count."""
    began = time.process_time()
    work()
    return time.process_time() - began


# what waits


def _board(product: Product) -> Figure:
    with product.home() as home:
        queued(home, COUNT)
        sides: dict[str, Side] = {
            "overmind board": lambda: duration([product.program, "board"], home.environment),
            "python -c pass": lambda: duration([product.python, "-c", "pass"], home.environment),
        }
        for side in sides.values():
            side()  # what is on the disk is in memory then
        ours, python = take_turns(sides, rounds=COLD_ROUNDS).values()
    return at_most(f"`overmind board`, {COUNT:,} quests, cold", ours, python, BOARD_GOAL, milliseconds)


def queued(home: Home, count: int) -> None:
    """Let so many wait in a queue that is paused."""
    with contextlib.closing(home.connect()) as api:
        api.call("queue_set", {"paused": True})
        for first in range(0, count, PORTION):
            add(api, home, [quest(number) for number in range(first, min(first + PORTION, count))])


def _recovery(product: Product) -> Figure:
    """The next supervisor, with as many missions that run, of quests or of nobody."""
    with product.home() as home, product.home() as bare:
        _running(home)
        with contextlib.closing(home.connect()) as api:
            add(api, home, [quest(number) for number in range(COUNT)])
        bare.sleepers(RUNNING)
        sides = {
            "overmind": lambda: recovery.recovered(home, RUNNING),
            "without the queue": lambda: recovery.recovered(bare, RUNNING),
        }
        ours, theirs = take_turns(sides, rounds=SHORT_ROUNDS).values()
    what = f"{COUNT:,} quests queued, {RUNNING} running, supervisor `kill -9`: start of the next to its first answer"
    return at_most(what, ours, theirs, RECOVERY_GOAL, milliseconds)


def _running(home: Home) -> None:
    """Fill all slots with quests that last."""
    with contextlib.closing(home.connect()) as api:
        api.call("queue_set", {"slots": RUNNING})
        add(api, home, [quest(number, command=["sleep", "100000"], name=f"s{number}") for number in range(RUNNING)])
        while len([row for row in api.call("ps", {}) if row["status"] == "running"]) < RUNNING:
            time.sleep(0.05)


def _resting(product: Product) -> Iterator[Figure]:
    with product.home() as home, product.home() as bare:
        queued(home, MANY)
        time.sleep(SETTLE)
        woken, others = map(statistics.median, zip(*(_woken((home, bare)) for _ in range(SHORT_ROUNDS)), strict=True))
        ours, theirs = (resident(one.supervisor) + resident(one.keeper) for one in (home, bare))
    what = f"{MANY:,} quests queued, the queue paused"
    yield Figure(
        f"{what}: wake-ups of the supervisor, in {SECONDS:.0f} s", f"{woken:.0f}", f"none queued {others:.0f}", "",
        "no more",
        woken <= others,
    )  # fmt: skip
    yield Figure(
        f"{what}: memory (RSS)",
        f"{megabytes(ours)}",
        f"none queued {megabytes(theirs)}",
        f"{megabytes(ours - theirs)} more",
        f"≤ {megabytes(MEMORY_GOAL)} more",
        ours - theirs <= MEMORY_GOAL,
    )


def _woken(homes: Iterable[Home]) -> tuple[int, ...]:
    """How often each supervisor wakes up in the same ten seconds: whose timers begin just before them has one more."""
    pids = [home.supervisor for home in homes]
    before = [sleeps(pid) for pid in pids]
    time.sleep(SECONDS)
    return tuple(sleeps(pid) - was for pid, was in zip(pids, before, strict=True))
