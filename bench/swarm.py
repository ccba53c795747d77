"""Machines that share work: one claim, work of five hives beside one queue, a hive at rest, a move.

The server is a real PostgreSQL of `scripts/postgres-server` that has each commit on the disk before it answers; all
hives are homes on this machine.
"""

from __future__ import annotations

import contextlib
import json
import os
import statistics
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import psycopg

from bench import postgres
from bench.figures import Figure, Row, Skipped, megabytes, milliseconds
from bench.processes import busy_seconds, proportional
from bench.product import LOOK_AGAIN, PATIENCE, Home, Product
from bench.sizes import choose_size
from overmind_core.swarm import schema
from overmind_core.swarm.connection import url_with_login
from overmind_core.swarm.database import Swarm, connect

WAITING = choose_size(10_000, smoke=50)
CLAIMS = choose_size(300, smoke=5)
CLAIM_GOAL, WHOLE_GOAL = 3.0, 15.0
HIVES, SLOTS = choose_size((5, 8), smoke=(2, 2))
QUESTS = choose_size(10_000, smoke=10)
QUESTS_GOAL = 1.3
PORTION = 1000
COUNT_AGAIN = 0.2
"""Seconds between two counts of all posts that have ended: to count ten thousand takes some milliseconds."""
MEMORY_GOAL = 30_000_000
BUSY_GOAL = 0.005
SETTLE, SECONDS = choose_size((5.0, 20.0), smoke=(0.2, 0.5))
LEASE = 10.0
BEAT = 5.0
MOVE_GOAL = LEASE * 1.01 + 2.0 + BEAT
MOVES = choose_size(3, smoke=1)
_ENDED = "select count(*) from overmind.posts where state in ('done', 'failed', 'cancelled')"
_DONE = "select count(*) from overmind.posts where state = 'done'"
_CLAIMED = "select count(*) from overmind.events where type = 'post_claimed'"


def measure(product: Product, folder: str) -> Iterator[Row]:
    del folder
    with postgres.server("swarm", syncs=True) as server:
        if isinstance(server, Skipped):
            yield server
            return
        with postgres.database(server) as url:
            yield from _claims(url)
        product.install_swarm()
        with postgres.database(server) as url:
            yield from _rest(product, url)
        with postgres.database(server) as url:
            yield from _work(product, url)
        with postgres.database(server) as url:
            yield _moves(product, url)


# the database alone


def _claims(url: str) -> Iterator[Figure]:
    """A hive that takes, reports and ends posts, beside a row of a plain table that is changed."""
    with psycopg.connect(url, autocommit=True) as plain:
        schema.migrate(plain)
    with psycopg.connect(url, autocommit=True) as plain, contextlib.closing(connect(url)) as owner:
        name = f"a-{uuid.uuid4().hex[:8]}"
        owner.invite(name, "worker", uuid.uuid4().hex)
        posts = [{"id": f"{number:08x}", "kind": "run", "name": "x"} for number in range(WAITING)]
        for first in range(0, WAITING, PORTION):
            owner.post(posts[first : first + PORTION])
        plain.execute("create table plain (id int primary key, n int)")
        plain.execute("insert into plain select id, 0 from generate_series(1, %s) id", (WAITING,))
        with contextlib.closing(connect(url_with_login(url, name, "unused"))) as hive:
            updates, claims, wholes = _timed(plain, hive, name)
    update = statistics.median(updates)
    for what, found, goal in (
        (f"one claim among {WAITING:,} posts", statistics.median(claims), CLAIM_GOAL),
        ("one claim, one report and the end", statistics.median(wholes), WHOLE_GOAL),
    ):
        yield Figure(
            f"swarm: {what}", milliseconds(found), f"one committed UPDATE {milliseconds(update)}",
            f"**{found / update:.1f}×**", f"≤ {goal:g}×", found <= goal * update,
        )  # fmt: skip


def _timed(plain: psycopg.Connection, hive: Swarm, name: str) -> tuple[list[float], list[float], list[float]]:
    """Seconds of each update, each claim, and each claim with its report and its end."""
    session = uuid.uuid4().hex
    joined = hive.join(name, uuid.uuid4().hex, session, {"slots": CLAIMS + 1}, None)
    updates, claims, wholes = [], [], []
    for number in range(CLAIMS):
        began = time.perf_counter()
        plain.execute("update plain set n = n + 1 where id = %s", (number + 1,))
        updates.append(time.perf_counter() - began)
        began = time.perf_counter()
        (one,) = hive.claim(session, joined.beat, {"slots": 1}, {}).claims
        claims.append(time.perf_counter() - began)
        hive.report_progress(session, one.id, one.fence, {"status": "running"})
        hive.report_end(session, one.id, one.fence, {"state": "done"})
        wholes.append(time.perf_counter() - began)
    return updates, claims, wholes


# homes


@contextlib.contextmanager
def _swarm(product: Product, url: str, hives: int, slots: int) -> Iterator[list[Home]]:
    """So many homes that have joined; the first one has made the swarm, too."""
    with contextlib.ExitStack() as stack:
        homes = [stack.enter_context(product.home(keeps_files=True)) for _ in range(hives)]
        homes[0].command("swarm", "init", url)
        suffix = uuid.uuid4().hex[:6]
        for number, home in enumerate(homes):
            lines = homes[0].command("swarm", "invite", f"h{number}-{suffix}", "--role", "operator").splitlines()
            place = lines[1].removeprefix("overmind swarm join ").strip("'")
            home.command("swarm", "join", place, "--slots", str(slots))
        yield homes


def _rest(product: Product, url: str) -> Iterator[Figure]:
    """A hive that has nothing to do, beside a home that is in no swarm."""
    with product.home() as alone:
        memory, busy = _cost(alone)
    with _swarm(product, url, 1, SLOTS) as (hive,):
        more_memory, more_busy = _cost(hive)
    memory, busy = more_memory - memory, more_busy - busy
    yield Figure(
        "swarm: a hive at rest, beside a home in none: memory (PSS)", f"+ {megabytes(memory)}", "", "",
        f"≤ + {megabytes(MEMORY_GOAL)}", memory <= MEMORY_GOAL,
    )  # fmt: skip
    yield Figure(
        f"swarm: a hive at rest, beside a home in none: processor, over {SECONDS:.0f} s", f"+ {busy:.2%} of a core", "",
        "", f"≤ + {BUSY_GOAL:.1%}", busy <= BUSY_GOAL,
    )  # fmt: skip


def _cost(home: Home) -> tuple[int, float]:
    pids = [home.supervisor, home.keeper]
    time.sleep(SETTLE)
    before, began = sum(map(busy_seconds, pids)), time.perf_counter()
    time.sleep(SECONDS)
    busy = (sum(map(busy_seconds, pids)) - before) / (time.perf_counter() - began)
    return sum(map(proportional, pids)), busy


def _work(product: Product, url: str) -> Iterator[Figure]:
    """Quests that do nothing, from the first request to the last end: of the swarm, and of one home's queue."""
    with product.home(keeps_files=True) as home, contextlib.closing(home.connect()) as api:
        api.call("queue_set", {"slots": HIVES * SLOTS})
        began = time.perf_counter()
        ids: list[str] = []
        for quests in _portions():
            added = api.call("quest_add", {"quests": quests, "cwd": home.path, "env": home.environment})
            ids += [one["id"] for one in added["quests"]]
        api.until_ended(ids, command="quest_wait")
        alone = time.perf_counter() - began
    with _swarm(product, url, HIVES, SLOTS) as homes, contextlib.closing(homes[0].connect()) as api:
        for one in homes:
            with contextlib.closing(one.connect()) as of_hive:
                of_hive.call("queue_set", {"slots": SLOTS})
        began = time.perf_counter()
        for quests in _portions():
            api.call("swarm_add", {"quests": quests, "cwd": homes[0].path})
        with psycopg.connect(url, autocommit=True) as looking:  # a connection for each look would be work beside theirs
            _until(lambda: _found(looking, _ENDED) == QUESTS, 20 * alone + PATIENCE, pause=COUNT_AGAIN)
        together = time.perf_counter() - began
        done, twice = _counted(url, _DONE), _counted(url, _CLAIMED) - QUESTS
    yield Figure(
        f"swarm: {QUESTS:,} × `true` over {HIVES} hives with {SLOTS} slots each", f"{together:.1f} s, {twice} twice",
        f"one home's queue, {HIVES * SLOTS} slots: {alone:.1f} s", f"**{together / alone:.2f}×**",
        f"≤ {QUESTS_GOAL:g}×, 0 twice", together <= QUESTS_GOAL * alone and not twice and done == QUESTS,
    )  # fmt: skip


def _portions() -> Iterator[list[dict[str, Any]]]:
    for first in range(0, QUESTS, PORTION):
        yield [{"title": f"q{number}", "command": "true"} for number in range(first, first + PORTION)]


def _counted(url: str, query: str) -> int:
    with psycopg.connect(url, autocommit=True) as connection:
        return _found(connection, query)


def _found(connection: psycopg.Connection, query: str) -> int:
    row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return int(row[0])


def _until(holds: Callable[[], bool], patience: float, *, pause: float = LOOK_AGAIN * 25) -> None:
    """Wait for it; a look costs something, so there are few."""
    until = time.monotonic() + patience
    while not holds():
        if time.monotonic() > until:
            raise RuntimeError(f"still not so after {patience:.0f} s")
        time.sleep(pause)


def _moves(product: Product, url: str) -> Figure:
    """A run with a lease whose hive is killed, supervisor and keeper: from that to its start elsewhere."""
    taken = []
    for _ in range(MOVES):
        with _swarm(product, url, 3, 1) as homes:
            homes[0].command("hive", "drain", _name(homes[0]))
            words = ("run", "--on", "any", "--name", f"m{uuid.uuid4().hex[:8]}", "--on-lost", "move", "--lease", "10s")
            homes[0].command(*words, "--json", "sleep 100000")
            holder = next(one for one in homes[1:] if json.loads(one.command("ps", "--json")))
            other = next(one for one in homes[1:] if one is not holder)
            pids = (holder.supervisor, holder.keeper)
            began = time.perf_counter()
            for pid in pids:
                os.kill(pid, 9)
            _until(lambda other=other: bool(json.loads(other.command("ps", "--json"))), 10 * MOVE_GOAL)  # type: ignore[misc]
            taken.append(time.perf_counter() - began)
            homes[0].command("kill", f"swarm/{words[4]}")
    median = statistics.median(taken)
    return Figure(
        f"swarm: a run with a lease of {LEASE:g} s whose hive is killed begins elsewhere",
        f"{median:.1f} s, at most {max(taken):.1f} s", "", "", f"≤ {MOVE_GOAL:.1f} s", max(taken) <= MOVE_GOAL,
    )  # fmt: skip


def _name(home: Home) -> str:
    return str(json.loads(home.command("swarm", "status", "--json"))["hive"])
