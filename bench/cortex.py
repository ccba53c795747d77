"""Notes kept in step with a team's server: 10,000 that a home sends, that another one receives, and nothing to do.

The server is `overmind cortex serve` in front of a real PostgreSQL (`scripts/postgres-server`, or the one that
OVERMIND_TEST_POSTGRES names), all on this machine. Beside the first two: PostgreSQL taking the same texts, each by a
statement of its own in one transaction.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any

import psycopg

from bench import memory_set, postgres
from bench.figures import Figure, Row, Skipped, milliseconds
from bench.memory import version
from bench.memory_speed import AT_ONCE, BUILDING, Text
from bench.product import REPOSITORY, Home, Product
from bench.sizes import choose_size
from overmind_core.domain.memory.notes import Content, Scope, ScopeKind
from overmind_core.domain.replacing import replace
from overmind_core.memory.opened import Writing

NOTES = choose_size(10_000, smoke=50)
GOAL = 10.0
"""Seconds."""
NOTHING = choose_size(20, smoke=2)
"""Times that nothing is to be sent or received."""
IDLE_GOAL = 0.05
COLONY = Scope(ScopeKind.COLONY)


def measure(product: Product, folder: str) -> Iterator[Row]:
    with postgres.server("cortex") as server:
        if isinstance(server, Skipped):
            yield server
            return
        text = Text(memory_set.build().notes, seed=NOTES)
        texts = [text.note(number) for number in range(NOTES)]
        notes = os.path.join(folder, "to-send.db")
        _write(notes, texts)
        with postgres.database(server) as database:
            plain = _inserted(database, texts)
            with _cortex(database) as (url, token), product.home() as sender, product.home() as receiver:
                shutil.copy(notes, os.path.join(sender.path, "memory.db"))
                yield _exchanged("sent", sender, url, token("ada"), plain)
                yield _exchanged("received", receiver, url, token("bob"), plain)
                yield _idle(receiver)


def _write(path: str, texts: list[str]) -> None:
    writing = Writing(path, files=f"{path}-files", readers=nullcontext)
    writing.database.read(BUILDING)
    for first in range(0, len(texts), AT_ONCE):
        with writing.database.transaction():
            for number, text in enumerate(texts[first : first + AT_ONCE], first):
                writing.store.put((replace(version(number, text), content=Content(text, scope=COLONY)),))
    writing.close()


def _inserted(database: str, texts: list[str]) -> float:
    """The seconds in which PostgreSQL alone takes the texts."""
    with psycopg.connect(database) as connection:
        connection.execute("CREATE TEMPORARY TABLE plain (text text NOT NULL)")
        began = time.perf_counter()
        for text in texts:
            connection.execute("INSERT INTO plain VALUES (%s)", [text])
        connection.commit()
        return time.perf_counter() - began


def _exchanged(what: str, home: Home, url: str, token: str, plain: float) -> Figure:
    """A home connects for the first time, until it is in step."""
    with contextlib.closing(home.connect()) as api:
        began = time.perf_counter()
        api.call("memory_connect", {"url": url, "token": token})
        api.call("memory_sync", {})
        took = time.perf_counter() - began
        state: dict[str, Any] = api.call("memory", {})
    if state["live"] != NOTES or state["cortex"]["to_send"]:
        raise RuntimeError(f"the home is not in step: {state}")
    return Figure(
        f"{NOTES:,} notes {what}: from connecting to being in step", f"{took:.1f} s",
        f"PostgreSQL alone, {NOTES:,} INSERTs {plain:.1f} s", f"**{took / plain:.2f}×**", f"≤ {GOAL:g} s", took <= GOAL,
    )  # fmt: skip


def _idle(home: Home) -> Figure:
    """An exchange of a home that is in step."""
    with contextlib.closing(home.connect()) as api:
        taken = []
        for _ in range(NOTHING):
            began = time.perf_counter()
            api.call("memory_sync", {})
            taken.append(time.perf_counter() - began)
    median, late = statistics.median(taken), max(taken)
    shown = f"p50 {milliseconds(median)}, at most {milliseconds(late)}"
    goal = f"p50 ≤ {milliseconds(IDLE_GOAL)}"
    return Figure(f"`memory sync` of nothing, {NOTES:,} notes", shown, "", "", goal, median <= IDLE_GOAL)


@contextlib.contextmanager
def _cortex(database: str) -> Iterator[tuple[str, Any]]:
    """A server, by its address, and what makes tokens for it."""
    command = [sys.executable, "-m", "overmind_core.cli", "cortex"]
    environment = {**os.environ, "CORTEX_DB": database, "PYTHONUNBUFFERED": "1"}
    place = ["--db", "env:CORTEX_DB"]

    def token(name: str) -> str:
        words = [*command, "token", "new", name, "--role", "write", "--colony", "bench", *place]
        return subprocess.run(words, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=True).stdout

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    serve = [*command, "serve", "--listen", f"127.0.0.1:{port}", *place]
    with subprocess.Popen(serve, cwd=REPOSITORY, env=environment, stdout=subprocess.PIPE, text=True) as serving:
        assert serving.stdout is not None
        try:
            yield serving.stdout.readline().split()[2], token
        finally:
            serving.terminate()
