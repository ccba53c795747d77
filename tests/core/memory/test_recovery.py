"""What can be read of a damaged memory.db comes back as it stood, or not at all."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
from contextlib import closing

import pytest

from overmind_core.domain.memory.block import BlockNote, render
from overmind_core.domain.memory.episodes import begun
from overmind_core.errors import OvermindError
from overmind_core.kernel.database import PAGE
from overmind_core.kernel.database_pages import DatabasePages
from overmind_core.kernel.replaced_file import is_damaged
from overmind_core.memory import recovery
from overmind_core.memory.episode_table import EpisodeTable, StoredEpisode
from overmind_core.memory.given import Given, GivenRow
from overmind_core.memory.opened import secret_of
from overmind_core.memory.requests import Forget, Memory, NoteSet, Outcome, Remember
from overmind_core.memory.shared_copy import Link, SharedCopy
from tests.kit.full_disk import full_disk
from tests.kit.in_process import run
from tests.kit.memory import noted_home
from tests.kit.torture import portion, seeded_random

DERIVED = {"notes", "scopes", "vocabulary", "spelling", "unspelled", "stems", "unseen", "to_send"}
"""Made anew of versions and votes, or of what a Cortex is told again."""
NUMBERED = {"versions", "votes"}
"""Their first column is a number that nothing refers to."""
ENDINGS = ("", "-wal")
SIZE = 120


async def fill(root, copy_to):
    """A home with notes in all states, and a copy of it, whose last changes are in the log, as a kill leaves them."""
    async with noted_home(root) as home:
        mission = home.missions.add("worker", home.home.root)

        async def remember(text, **more):
            request = Remember(text=text, cwd=home.home.root, **more)
            return (await home.memory.remember(request, None))["id"]

        ids = [
            await remember(f"note {number} {'words ' * (number % 40 * 15)}end{number}", tags=[f"t{number % 7}"])
            for number in range(SIZE)
        ]
        for note in ids[::3]:
            await home.memory.note_set(NoteSet(note=note, change="edit", text=f"edited {note} {'é' * 1500}"), None)
        await home.memory.write(lambda writing: writing.database.checkpoint())
        await home.memory.forget(Forget(notes=ids[1::10], cwd=home.home.root), None)
        await home.memory.forget(Forget(notes=ids[2::10], purge=True, cwd=home.home.root), None)
        await home.memory.outcome(Outcome(notes=ids[:1], helped=True, why="it did"), None)
        await remember("by request", request="r1", key="the-key")

        def write(writing):
            block = render([BlockNote(f"[{ids[0]}] fact, ada", "given")], secret_of(writing.meta))
            given = Given(0, mission, mission, 1.0, 10, 1, 0, block, (GivenRow(ids[0], "v", "words", "head", "given"),))
            with writing.database.transaction():
                writing.store.given.begun(writing.store.given.add(given), mission, 1)
                writing.store.notes.used(ids[0], 7.5)
                table = EpisodeTable(writing.database)
                table.save(StoredEpisode(mission, 1, "worker", "/r", 1.5, None, False, 0, begun("mend it", str)))
                table.take_lesson("ab12", 1.5)
            copy = SharedCopy(writing)
            copy.connect(Link("https://cortex.example.org", "shop", "write", "ada", ""))
            copy.share("github.com/team/shop", on=True)

        await home.memory.write(write)
        for ending in ENDINGS:
            await asyncio.to_thread(shutil.copy, f"{home.home.memory}{ending}", f"{copy_to}{ending}")


@pytest.fixture(scope="module")
def killed(tmp_path_factory):
    """The file of a home that was killed, with its log beside it."""
    folder = tmp_path_factory.mktemp("killed")
    (folder / "home").mkdir()
    path = str(folder / "memory.db")
    run(fill(folder / "home", path))
    return path


@pytest.fixture(scope="module")
def whole(killed, tmp_path_factory):
    """The same without a log."""
    path = str(tmp_path_factory.mktemp("whole") / "memory.db")
    for ending in ENDINGS:
        shutil.copy(f"{killed}{ending}", f"{path}{ending}")
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return path


def contents(path):
    """The tables, without what is derived; the notes with their state, text, votes and uses."""
    with closing(sqlite3.connect(path)) as database:
        names = [row[0] for row in database.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        tables = {
            name: sorted(repr(row[name in NUMBERED :]) for row in database.execute(f"SELECT * FROM {name}"))
            for name in names
            if name not in DERIVED and not name.startswith(("words", "sqlite_"))
        }
        rows = database.execute("SELECT id, state, text, key, tags, used, used_at, edited_at FROM notes").fetchall()
        return tables, {row[0]: row[1:] for row in rows}


def not_purged(notes):
    return sum(row[0] != "purged" for row in notes.values())


def damaged(path, folder, change):
    """A copy in which something is otherwise."""
    copy = str(folder / "memory.db")
    with open(path, "rb") as file:
        data = bytearray(file.read())
    with open(copy, "wb") as file:
        file.write(change(data))
    return copy


def recovered(path, tmp_path):
    return recovery.recover(path, str(tmp_path / "files"), 1.0)


def overwritten(offset, with_):
    def change(data):
        data[offset : offset + len(with_)] = with_
        return data

    return change


FIRST_PAGE = [
    pytest.param(bytes(PAGE), id="zeros"),
    pytest.param(b"\xff" * PAGE, id="ones"),
    pytest.param(b"no database " * 8, id="another header"),
]


@pytest.mark.parametrize("data", FIRST_PAGE)
def test_a_file_whose_first_page_is_lost_comes_back_whole(whole, tmp_path, data):
    tables, notes = contents(whole)
    path = damaged(whole, tmp_path, overwritten(0, data))
    assert is_damaged(path)
    found = recovered(path, tmp_path)
    assert (found.notes, found.lost, found.damaged) == (not_purged(notes), 0, f"{path}.damaged-1")
    after, notes_after = contents(path)
    assert notes_after == notes
    assert {name for name, rows in tables.items() if not rows} <= {"purges", "shared_notes"}
    assert after == tables
    assert sorted(os.listdir(tmp_path)) == ["memory.db", "memory.db.damaged-1"]


def test_pages_of_the_log_count(killed, whole):
    """As SQLite reads them: those of whole transactions, in the place of the file's."""
    with DatabasePages(killed) as pages, DatabasePages(whole) as checkpointed:
        assert list(pages.rows()) == list(checkpointed.rows())


def test_random_damage_never_brings_back_what_was_forgotten_or_purged_nor_an_older_text(whole, tmp_path):
    chance = seeded_random()
    _, notes = contents(whole)
    size = os.path.getsize(whole) // PAGE

    def change(data):
        for page in chance.sample(range(size), chance.choice([1, 2, size // 10])):
            data[page * PAGE : (page + 1) * PAGE] = chance.choice([bytes(PAGE), chance.randbytes(PAGE)])
        return data[: int(len(data) * chance.choice([1, 1, 0.8, 0.5]))]

    for number in range(portion(40)):
        folder = tmp_path / str(number)
        folder.mkdir()
        path = damaged(whole, folder, change)
        found = recovered(path, folder)
        _, after = contents(path)
        open_ones = {note: row for note, row in after.items() if row[0] in {"live", "proposed"}}
        assert {note: row[:4] for note, row in open_ones.items()} == {note: notes[note][:4] for note in open_ones}
        assert found.notes + found.lost <= len(notes)
        shutil.rmtree(folder)


@pytest.mark.linux
def test_a_recovery_that_has_no_room_changes_nothing_and_one_that_is_cut_off_goes_on(whole, tmp_path):
    _, notes = contents(whole)
    path = damaged(whole, tmp_path, overwritten(0, bytes(PAGE)))
    before = read(path)

    async def work():
        async with noted_home(tmp_path) as home:
            with full_disk(os.getpid(), PAGE * 20), pytest.raises(OvermindError, match="is full") as refusal:
                await home.memory.memory_reindex()
            assert refusal.value.code == "memory_off"
            assert await asyncio.to_thread(read, path) == before
            assert os.listdir(tmp_path) == ["memory.db"]
            done = await home.memory.memory_reindex()
            assert (done["recovered"], done["lost"]) == (not_purged(notes), 0)
        os.rename(path, f"{path}.recovered")  # as a kill leaves it between the two names
        async with noted_home(tmp_path) as home:
            live = sum(row[0] == "live" for row in notes.values())
            assert (await home.memory.memory(Memory(), None))["live"] == live

    run(work())


def read(path):
    with open(path, "rb") as file:
        return file.read()
