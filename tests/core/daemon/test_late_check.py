"""The check of a state that is too large for the start: once, behind it, and what is damaged is told."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import threading
from contextlib import closing

import pytest

from overmind_core.daemon.state_check import RECOVER, LateCheck
from overmind_core.kernel.replaced_file import damage
from overmind_core.system.paths import Home

PAGE = 4096


@pytest.fixture
def home(tmp_path):
    """A home whose state is a database of many pages, which a daemon has open."""
    found = Home(str(tmp_path))
    with closing(sqlite3.connect(found.database)) as database:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("CREATE TABLE rows (id INTEGER PRIMARY KEY, text TEXT)")
        database.executemany("INSERT INTO rows (text) VALUES (?)", [("x" * 500,)] * 2000)
        database.commit()
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        yield found


def flip(path):
    """Damage a page in the middle, of which no start reads anything."""
    with open(path, "r+b") as file:
        file.seek(os.path.getsize(path) // 2 // PAGE * PAGE)
        file.write(b"\xff" * PAGE)


def looked(home, **how):
    told: list[str] = []
    asyncio.run(LateCheck(home, told.append, later=0.0, **{"largest": 0, **how}).run())
    return told


def test_a_damaged_place_of_a_large_state_is_told_once_with_what_to_do(home):
    flip(home.database)
    (text,) = looked(home)
    assert text.startswith(f"The state {home.database} is damaged (")
    assert text.endswith(f"Recover it with: {RECOVER}")


def test_of_a_whole_one_there_is_nothing_to_tell_and_nothing_of_it_changes(home):
    before = os.stat(home.database).st_mtime_ns
    assert looked(home) == []
    assert os.stat(home.database).st_mtime_ns == before


def test_what_the_start_has_looked_at_is_not_looked_at_again(home):
    flip(home.database)
    assert looked(home, largest=os.path.getsize(home.database)) == []
    os.unlink(home.database)
    assert looked(home) == []


def test_a_look_that_nobody_waits_for_any_more_finds_nothing(home, monkeypatch):
    monkeypatch.setattr("overmind_core.kernel.replaced_file._STEPS", 1)
    assert damage(home.database, lambda: True) == ""
    flip(home.database)
    assert damage(home.database, lambda: True) == ""
    assert damage(home.database, lambda: False)


def test_the_look_ends_with_the_daemon(home, monkeypatch):
    began, ended = threading.Event(), threading.Event()

    def look(_path, is_over):
        began.set()
        while not is_over():
            ended.wait(0.01)
        ended.set()
        return "a page is damaged"

    async def leave():
        check = asyncio.ensure_future(LateCheck(home, pytest.fail, later=0.0, largest=0).run())
        await asyncio.to_thread(began.wait)
        check.cancel()
        with pytest.raises(asyncio.CancelledError):
            await check

    monkeypatch.setattr("overmind_core.daemon.state_check.damage", look)
    asyncio.run(leave())
    assert ended.wait(30.0)
