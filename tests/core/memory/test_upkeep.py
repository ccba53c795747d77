"""What no request waits for, and what none looks through although it is there: all notes of a scope."""

from __future__ import annotations

import threading
from contextlib import nullcontext
from typing import TYPE_CHECKING, cast

import pytest

from overmind_core.memory.index import MOST_UNSPELLED, SPELLED_IN_A_PIECE
from overmind_core.memory.opened import Writing
from overmind_core.memory.tables import Chosen, NoteTable
from overmind_core.memory.threads import WorkQueue
from tests.core.memory.test_store_laws import remember
from tests.kit.in_process import run

if TYPE_CHECKING:
    from overmind_core.kernel.database import Database


def test_a_quiet_moment_after_work_is_used_piece_by_piece_whatever_fails_in_it():
    done = []
    third, fourth = threading.Event(), threading.Event()

    class Tool:
        def close(self):
            done.append("closed")

    def upkeep(_tool):
        done.append("piece")
        if done.count("piece") == 3:
            third.set()
            raise ValueError
        if done.count("piece") == 4:
            fourth.set()
        return done.count("piece") < 4

    async def work():
        queue = WorkQueue("test", Tool, upkeep=upkeep)
        assert await queue.do(lambda _: 1) == 1
        assert third.wait(10)
        await queue.do(lambda _: done.append("work"))
        assert fourth.wait(10)
        queue.renew()
        await queue.do(lambda _: done.append("work"))
        queue.close()

    run(work())
    assert done[:5] == ["piece", "piece", "piece", "work", "piece"]
    assert done.count("closed") == 2


def test_new_words_are_spelled_in_quiet_moments_and_where_there_is_none_a_piece_with_each_note(tmp_path):
    def opened():
        return Writing(str(tmp_path / "memory.db"), files=str(tmp_path / "files"), readers=nullcontext)

    def standing():
        spelled = writing.database.read("SELECT count(DISTINCT word) FROM spelling")[0][0]
        return writing.store.index.unspelled(), spelled

    writing = opened()
    assert not writing.upkeep()
    remember(writing, "one two three")
    assert (writing.upkeep(), standing()) == (False, (3, 0)), "it is not worth it yet"
    remember(writing, " ".join(f"word{number}" for number in range(MOST_UNSPELLED - 3)))
    assert standing() == (MOST_UNSPELLED, 0)
    remember(writing, "redis")
    assert standing() == (MOST_UNSPELLED + 1 - SPELLED_IN_A_PIECE, SPELLED_IN_A_PIECE)
    writing.close()
    writing = opened()
    pieces = [writing.upkeep() for _ in range(5)]
    assert (pieces, standing()) == ([True, True, True, False, False], (0, MOST_UNSPELLED + 1))
    remember(writing, "rabbit")
    writing.store.rebuild()
    assert standing() == (0, MOST_UNSPELLED + 2)
    writing.close()


class Plans:
    """A database that says how it would look for what it is asked, in place of that."""

    def __init__(self, database):
        self._database = database
        self.said = ""

    def read(self, sql, values=()):
        self.said = "; ".join(row[3] for row in self._database.read(f"EXPLAIN QUERY PLAN {sql}", values))
        return []


@pytest.mark.parametrize(
    ("look", "index"),
    [
        (lambda notes: notes.by_key("redis", 1), "notes_by_key (scope=? AND key=?)"),
        (lambda notes: notes.alike("00", 1), "notes_alike (scope=? AND fingerprint=?)"),
        (lambda notes: notes.beginning("N-7f3k", (1, 2)), "sqlite_autoindex_notes_1 (id>? AND id<?)"),
        (lambda notes: notes.choose(Chosen(scopes=(1, 2), pinned=True), 50), "notes_pinned (scope=?)"),
        (lambda notes: notes.choose(Chosen(scopes=(1, 2), with_files=True), 50), "notes_with_files (scope=?)"),
        (lambda notes: notes.choose(Chosen(scopes=(1, 2), resting=True), 50), "notes_resting (scope=?)"),
        (lambda notes: notes.choose(Chosen(scopes=(1, 2), conflicts=True), 50), "notes_in_conflict (scope=?)"),
    ],
)
def test_the_few_that_are_looked_for_are_found_without_a_look_at_all_notes_of_their_scope(tmp_path, look, index):
    writing = Writing(str(tmp_path / "memory.db"), files=str(tmp_path / "files"), readers=nullcontext)
    plans = Plans(writing.database)
    look(NoteTable(cast("Database", plans)))
    writing.close()
    assert index in plans.said
