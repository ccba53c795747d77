"""Upkeep of the index, which no request waits for."""

from __future__ import annotations

import threading
from contextlib import nullcontext

from overmind_core.kernel.work_queue import WorkQueue
from overmind_core.memory.index import MOST_UNSPELLED, SPELLED_WITH_A_NOTE
from overmind_core.memory.opened import Writing
from tests.core.memory.test_store_laws import remember
from tests.kit.in_process import run


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
    assert standing() == (MOST_UNSPELLED + 1 - SPELLED_WITH_A_NOTE, SPELLED_WITH_A_NOTE)
    writing.close()
    writing = opened()
    pieces = [writing.upkeep() for _ in range(5)]
    assert (pieces, standing()) == ([True, True, True, False, False], (0, MOST_UNSPELLED + 1))
    remember(writing, "rabbit")
    writing.store.rebuild()
    assert standing() == (0, MOST_UNSPELLED + 2)
    writing.close()
