"""Homes and a real server, with what people do at random: in the end all homes tell the same of each note."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from random import Random

import pytest

from overmind_core.cortex import database
from overmind_core.domain.settings import CortexSettings
from overmind_core.errors import OvermindError
from overmind_core.memory import requests
from tests.kit import torture
from tests.kit.memory import noted_home

HISTORIES = 50 if torture.WHOLE else 2
HOMES = 3
STEPS = 30


def rows_of(server, colony):
    with database.connect(server.conninfo) as connection:
        end = database.end_of(connection, colony)
        return end, connection.execute("select * from entry where colony = %s", [colony]).fetchall()


def put_back(server, colony, kept):
    end, rows = kept
    with database.connect(server.conninfo) as connection, connection.transaction():
        connection.execute("delete from entry where colony = %s", [colony])
        connection.execute("update colony set seq = %s, chain = %s where name = %s", [*end, colony])
        with connection.cursor() as cursor:
            cursor.executemany(f"insert into entry values ({', '.join(['%s'] * 10)})", rows)


async def notes_of(memory):
    found = await memory.notes(requests.Notes(all=True), None)
    return sorted((one["id"], one["state"], one["text"], one["helped"], one["hurt"]) for one in found["notes"])


async def act(memory, random, words):
    known = [one[0] for one in await notes_of(memory)]
    if not known or random.random() < 0.3:
        await memory.remember(requests.Remember(text=words, scope="colony"), None)
        return
    note = random.choice(known)
    do = random.choices(["edit", "vote", "forget", "restore", "purge"], [6, 4, 2, 1, 1])[0]
    try:
        if do == "vote":
            await memory.outcome(requests.Outcome(notes=[note], helped=random.random() < 0.5), None)
        elif do in {"forget", "purge"}:
            await memory.forget(requests.Forget(notes=[note], purge=do == "purge"), None)
        else:
            await memory.note_set(requests.NoteSet(note=note, change=do, text=words), None)
    except OvermindError as error:
        if error.code not in {"gone", "not_found"}:
            raise


@pytest.mark.parametrize("seed", range(HISTORIES))
def test_all_homes_end_with_the_same_notes(server, tmp_path, seed):
    random = Random(seed)
    colony = f"homes{seed}"

    async def go():
        async with AsyncExitStack() as stack:
            homes = []
            for name in range(HOMES):
                (tmp_path / str(name)).mkdir()
                noted = noted_home(tmp_path / str(name), cortex=CortexSettings(every=3600))
                homes.append((await stack.enter_async_context(noted)).memory)
                token = server.token(f"{colony}-{name}", colony=colony)
                url = f"http://127.0.0.1:{server.port}"
                await homes[-1].memory_connect(requests.MemoryConnect(url=url, token=token))
            kept = rows_of(server, colony)
            for step in range(STEPS):
                memory = random.choice(homes)
                await act(memory, random, f"word{step} of a note")
                if random.random() < 0.4:
                    await memory.memory_sync()
                if random.random() < 0.1:
                    kept = rows_of(server, colony)
                elif random.random() < 0.1:
                    put_back(server, colony, kept)
            for memory in [*homes, *homes, *homes]:
                await memory.memory_sync()
            notes = [await notes_of(memory) for memory in homes]
            assert notes[0]
            assert notes[0] == notes[1] == notes[2]
            for memory in homes:
                state = await memory.cortex.state()
                assert state is not None
                assert state["to_send"] == 0

    asyncio.run(go())
