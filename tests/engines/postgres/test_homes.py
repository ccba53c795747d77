"""Homes and a real server, with what people do and what goes wrong at random: in the end all have the same notes."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import sqlite3
from collections import defaultdict
from contextlib import AsyncExitStack, closing, suppress

import pytest

from overmind_core.cortex import database
from overmind_core.domain.memory.notes import purge_id
from overmind_core.domain.settings import CortexSettings
from overmind_core.errors import OvermindError
from overmind_core.memory import requests
from tests.kit import torture
from tests.kit.lossy_proxy import ANSWER, NOTHING, REQUEST, lossy
from tests.kit.memory import noted_home

HISTORIES = 50 if torture.WHOLE else 4
HOMES = 4
STEPS = 60
DAY = 86_400.0
WORD = re.compile(rb"zyzzyva\d+x")


class Colony:
    """A colony of a server."""

    def __init__(self, server, name):
        self.server = server
        self.name = name
        self.tokens = [server.token(f"{name}-{number}", colony=name) for number in range(HOMES)]
        self.kept = self.rows()

    def rows(self):
        """Where it ends, and all that it has: of one moment, as in a backup, though a push may be under way."""
        with database.connect(self.server.conninfo) as connection, connection.transaction():
            connection.execute("set transaction isolation level repeatable read")
            end = database.end_of(connection, self.name)
            return end, connection.execute("select * from entry where colony = %s", [self.name]).fetchall()

    def back_up(self):
        self.kept = self.rows()

    def restore(self):
        end, rows = self.kept
        with database.connect(self.server.conninfo) as connection, connection.transaction():
            # First what waits for a push that is under way, whose answer was lost.
            connection.execute("update colony set seq = %s, chain = %s where name = %s", [*end, self.name])
            connection.execute("delete from entry where colony = %s", [self.name])
            with connection.cursor() as cursor:
                cursor.executemany(f"insert into entry values ({', '.join(['%s'] * 10)})", rows)

    def entries(self):
        """Id → note, of all that it has."""
        with database.connect(self.server.conninfo) as connection:
            return dict(connection.execute("select id, note from entry where colony = %s", [self.name]).fetchall())


class Machine:
    """A home that is opened, closed, backed up and restored; its clock is wrong."""

    def __init__(self, folder, random):
        os.mkdir(folder)
        self.folder = folder
        self.random = random
        self.kept = None
        self.stack = AsyncExitStack()
        self.off = random.uniform(-DAY, DAY)

    async def open(self):
        settings = CortexSettings(every=3600)
        noted = await self.stack.enter_async_context(noted_home(self.folder, cortex=settings))
        noted.clock.now += self.off
        self.memory = noted.memory

    async def close(self):
        await self.stack.aclose()

    def path(self, ending=""):
        return os.path.join(self.folder, f"memory.db{ending}")

    def back_up(self):
        self.kept = self.path(".kept")
        with suppress(FileNotFoundError):
            os.unlink(self.kept)
        with closing(sqlite3.connect(self.path())) as source, closing(sqlite3.connect(self.kept)) as target:
            source.backup(target)

    async def restore(self):
        if self.kept is None:
            return
        await self.close()
        for ending in ("-wal", "-shm"):
            with suppress(FileNotFoundError):
                os.unlink(self.path(ending))
        shutil.copy(self.kept, self.path())
        await self.open()

    async def crash(self):
        """It ends in the middle of an exchange."""
        syncing = asyncio.ensure_future(self.memory.memory_sync())
        await asyncio.sleep(self.random.uniform(0, 0.02))
        await self.close()
        with suppress(OvermindError, asyncio.CancelledError):
            await syncing
        self.off = self.random.uniform(-DAY, DAY)
        await self.open()

    async def sync(self):
        with suppress(OvermindError):
            await self.memory.memory_sync()

    async def act(self, words):
        """Do what a person does; to which note."""
        notes = (await self.memory.notes(requests.Notes(all=True), None))["notes"]
        if not notes or self.random.random() < 0.3:
            return (await self.memory.remember(requests.Remember(text=words, scope="colony"), None))["id"]
        note = self.random.choice(notes)["id"]
        do = self.random.choices(["edit", "vote", "forget", "restore", "purge"], [6, 4, 2, 1, 1])[0]
        try:
            if do == "vote":
                vote = requests.Outcome(notes=[note], helped=self.random.random() < 0.5, why=words)
                await self.memory.outcome(vote, None)
            elif do in {"forget", "purge"}:
                await self.memory.forget(requests.Forget(notes=[note], purge=do == "purge"), None)
            else:
                await self.memory.note_set(requests.NoteSet(note=note, change=do, text=words), None)
        except OvermindError as error:
            if error.code not in {"gone", "not_found"}:
                raise
        return note

    def bytes(self):
        """All that it has in files."""
        found = b""
        for ending in ("", "-wal"):
            with suppress(FileNotFoundError), open(self.path(ending), "rb") as file:
                found += file.read()
        return found

    async def entries(self):
        """Id → note, of all that it has."""
        sql = "SELECT id, note FROM versions UNION ALL SELECT id, note FROM votes"
        return dict(await self.memory.read(lambda reading: reading.database.read(sql)))

    async def shared(self):
        """The notes of which it has offered or got anything."""
        return {note for (note,) in await self.memory.read(lambda reading: reading.database.read(_SHARED))}

    async def stored(self):
        """What it tells of each note."""
        found = await self.memory.notes(requests.Notes(all=True), None)
        return sorted((one["id"], one["state"], one["text"], one["helped"], one["hurt"]) for one in found["notes"])


_SHARED = "SELECT note FROM shared_notes"


class History:
    """What homes do that share a colony, and what was written, by the ids of all versions and votes."""

    def __init__(self, folder, colony, random):
        self.random = random
        self.colony = colony
        self.machines = [Machine(os.path.join(folder, str(number)), random) for number in range(HOMES)]
        self.loses = False
        self.words = defaultdict[str, set[bytes]](set)
        """Note → words of it."""
        self.notes: dict[str, str] = {}
        """Id → note."""
        self.purged: set[str] = set()
        """Notes."""

    def lost(self):
        """What gets lost of a request."""
        return self.random.choices([NOTHING, REQUEST, ANSWER], [8, 1, 1])[0] if self.loses else NOTHING

    async def begin(self, port):
        for one, token in zip(self.machines, self.colony.tokens, strict=True):
            await one.open()
            connect = requests.MemoryConnect(url=f"http://127.0.0.1:{port}", token=token)
            await one.memory.memory_connect(connect)
        self.colony.back_up()
        self.loses = True

    async def step(self, number):
        one, colony = self.random.choice(self.machines), self.colony
        self.words[await one.act(f"zyzzyva{number}x of a note")].add(b"zyzzyva%dx" % number)
        for often, do in (
            (0.4, one.sync), (0.1, one.crash), (0.1, one.back_up), (0.07, one.restore), (0.1, colony.back_up),
            (0.07, colony.restore),
        ):  # fmt: skip
            if self.random.random() < often and (doing := do()) is not None:
                await doing

    async def settle(self):
        """Nothing goes wrong any more: who lost something gets it once the others have offered it again."""
        self.loses = False
        self.notes = self.colony.entries()
        shared = set(self.notes.values())
        for one in self.machines:
            self.notes |= await one.entries()
            shared |= await one.shared()
        purged = {note for id_, note in self.notes.items() if id_ == purge_id(note)}
        self.purged = purged & shared  # what is purged before it was offered concerns nobody else
        self.notes = {id_: note for id_, note in self.notes.items() if note not in purged - shared}
        for one in self.machines * 4:
            await one.memory.memory_sync()

    async def check(self):
        expected = {id_ for id_, note in self.notes.items() if note not in self.purged or id_ == purge_id(note)}
        for store in (self.colony.entries(), *[await one.entries() for one in self.machines]):
            kept = {id_ for id_, note in store.items() if note not in self.purged or id_ == purge_id(note)}
            assert kept & self.notes.keys() == expected
        told = [await one.stored() for one in self.machines]
        assert told[0]
        assert all(one == told[0] for one in told)
        forbidden = set[bytes]().union(*(self.words[note] for note in self.purged))
        for held in (repr(self.colony.rows()).encode(), *(one.bytes() for one in self.machines)):
            assert forbidden.isdisjoint(WORD.findall(held))
        for one in self.machines:
            state = await one.memory.cortex.state()
            assert state is not None
            assert state["to_send"] == 0


@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", range(HISTORIES))
def test_all_homes_and_the_server_end_with_the_same_notes_and_no_word_of_a_purged_one(server, tmp_path, seed):
    history = History(str(tmp_path), Colony(server, f"homes{seed}"), torture.seeded_random())

    async def go():
        with lossy(server.port, history.lost) as port:
            await history.begin(port)
            for number in range(STEPS):
                await history.step(number)
            await history.settle()
            await history.check()
            for one in history.machines:
                await one.close()

    asyncio.run(go())
