"""A memory.db that can't be used stops nothing but memory, and what can be read of it is taken over."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
import sys
from contextlib import suppress

import pytest

from overmind_core.errors import OvermindError
from overmind_core.kernel.work_queue import WorkQueue
from overmind_core.memory.requests import FileNote, Forget, Memory, MemoryImport, Note, Notes, Outcome, Recall, Remember
from tests.kit.full_disk import FULL, full_disk
from tests.kit.in_process import run, until
from tests.kit.memory import noted_home
from tests.kit.overmind import REPOSITORY

COUNT = 400
BOUND_BY_MODES = ["/usr/bin/setpriv", "--bounding-set", "-dac_override"] if os.geteuid() == 0 else []
"""Root may write what is read-only."""
ASK_READ_ONLY = """
import sys
from tests.core.memory.test_damage import print_refusals
print_refusals(sys.argv[1])
"""


async def remember(home, text, **more):
    return (await home.memory.remember(Remember(text=text, cwd=home.home.root, **more), None))["id"]


async def filled(home):
    ids = [await remember(home, f"note {number} about redis, number{number} {'x' * 300}") for number in range(COUNT)]
    await home.memory.outcome(Outcome(notes=[ids[-1]], helped=True), None)
    return ids


@pytest.mark.parametrize("damage", ["header", "middle", "text"])
def test_what_can_be_read_of_a_damaged_file_is_taken_over(tmp_path, damage):
    async def begin():
        async with noted_home(tmp_path) as home:
            return await filled(home)

    ids = run(begin())
    path = tmp_path / "memory.db"
    data = bytearray(path.read_bytes())
    if damage == "header":
        data[:100] = os.urandom(100)
    elif damage == "middle":
        middle = len(data) // 2 // 4096 * 4096
        data[middle : middle + 8192] = b"\xff" * 8192
    else:
        data[:] = b"no database " * 1000
    path.write_bytes(data)

    async def go_on():
        async with noted_home(tmp_path) as home:
            if damage != "middle":
                with pytest.raises(OvermindError) as refusal:
                    await remember(home, "another")
                assert refusal.value.code == "memory_off"
                state = await home.memory.memory(Memory(), None)
                assert (state["live"], "reindex" in str(state["reason"])) == (0, True)
            done = await home.memory.memory_reindex()
            aside, recovered, lost = done["damaged"], done["recovered"], done["lost"]
            assert aside is not None
            assert recovered is not None
            assert lost is not None
            assert os.path.basename(aside) in os.listdir(home.home.root)
            assert recovered + lost <= COUNT
            assert done["notes"] == recovered
            assert recovered >= {"header": COUNT, "middle": COUNT * 0.9, "text": 0}[damage]
            listed = await home.memory.notes(Notes(cwd=home.home.root), None)
            assert len(listed["notes"]) == done["notes"]
            assert {one["id"] for one in listed["notes"]} <= set(ids)
            assert await remember(home, "another about redis and reindex")
            answer = await home.memory.recall(Recall(questions=["reindex"], cwd=home.home.root), None)
            assert len(answer["notes"]) == 1
            assert [told[-1] for told in home.told() if told[-1] in {"damaged", "recovered"}][-1:] == ["recovered"]

    run(go_on())


def test_nothing_is_written_to_a_file_that_was_removed_or_replaced_while_it_was_open(tmp_path):
    path = tmp_path / "memory.db"

    async def listed(home):
        return [one["text"] for one in (await home.memory.notes(Notes(cwd=home.home.root), None))["notes"]]

    async def work():
        async with noted_home(tmp_path) as home:
            await remember(home, "first")
            await home.memory.read(lambda _: None)
            path.rename(tmp_path / "elsewhere")
            for ending in ("-wal", "-shm"):
                (tmp_path / f"memory.db{ending}").rename(tmp_path / f"elsewhere{ending}")
            await remember(home, "second")
            assert await listed(home) == ["second"]
            for ending in ("", "-wal", "-shm"):
                (tmp_path / f"memory.db{ending}").unlink()
                with suppress(FileNotFoundError):  # its last connection may have put the log back into the file
                    (tmp_path / f"elsewhere{ending}").rename(tmp_path / f"memory.db{ending}")
            assert await listed(home) == ["first"]
            await remember(home, "third")

    run(work())

    async def next_daemon():
        async with noted_home(tmp_path) as home:
            assert await listed(home) == ["third", "first"]

    run(next_daemon())


def test_memory_that_had_no_room_goes_on_when_there_is_room_again(tmp_path):
    async def begin():
        async with noted_home(tmp_path) as home:
            return await remember(home, "redis first")

    first = run(begin())

    async def go_on():
        async with noted_home(tmp_path) as home:
            with full_disk(os.getpid(), 1024):
                with pytest.raises(OvermindError) as refusal:
                    await home.memory.notes(Notes(cwd=home.home.root), None)
                state = await home.memory.memory(Memory(), None)
            assert (refusal.value.code, "is full" in str(state["reason"])) == ("memory_off", True)
            second = await remember(home, "postgres second")
            listed = await home.memory.notes(Notes(cwd=home.home.root), None)
            assert {one["id"] for one in listed["notes"]} == {first, second}

    run(go_on())


def test_the_index_of_a_whole_file_is_built_anew(tmp_path):
    async def begin():
        async with noted_home(tmp_path) as home:
            note = await remember(home, "the limiter needs redis")

            def spoil(writing):
                with writing.database.transaction():
                    writing.database.write("DELETE FROM vocabulary")
                    writing.database.write("DELETE FROM stems")
                    writing.database.write("INSERT INTO words (words) VALUES ('delete-all')")

            await home.memory.write(spoil)
            question = Recall(questions=["redis"], cwd=home.home.root)
            assert (await home.memory.recall(question, None))["notes"] == []
            done = await home.memory.memory_reindex()
            assert (done["notes"], done["recovered"], done["damaged"]) == (1, None, None)
            assert [one["note"]["id"] for one in (await home.memory.recall(question, None))["notes"]] == [note]

    run(begin())


def test_a_newer_file_is_left_as_it_is_and_a_missing_one_is_made(tmp_path):
    async def work():
        async with noted_home(tmp_path) as home:
            assert (await home.memory.notes(Notes(cwd=home.home.root), None))["notes"] == []

    run(work())
    with sqlite3.connect(tmp_path / "memory.db") as database:
        database.execute("PRAGMA user_version = 99")
    database.close()

    async def newer():
        async with noted_home(tmp_path) as home:
            for work in (remember(home, "x"), home.memory.note(Note(note="x"), None), home.memory.memory_reindex()):
                with pytest.raises(OvermindError, match="newer version") as refusal:
                    await work
                assert refusal.value.code == "memory_off"

    run(newer())
    assert not [name for name in os.listdir(tmp_path) if "damaged" in name]


def test_a_question_that_takes_too_long_is_interrupted_and_the_next_one_is_answered(tmp_path):
    slow = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT max(x) FROM n"

    async def work():
        async with noted_home(tmp_path) as home:
            with pytest.raises(OvermindError) as refusal:
                await home.memory.read(lambda reading: reading.database.read(slow))
            assert refusal.value.code == "busy"
            assert (await home.memory.notes(Notes(cwd=home.home.root), None))["notes"] == []

    run(work())


def test_a_tool_that_can_not_be_made_is_tried_again_with_the_next_work():
    tries = []

    class Tool:
        def close(self):
            tries.append("closed")

    def make():
        tries.append("made")
        if len(tries) == 1:
            raise OSError
        return Tool()

    async def work():
        queue = WorkQueue("test", make)
        with pytest.raises(OSError):  # noqa: PT011 - that of `make`
            await queue.do(lambda _: 1)
        assert await queue.do(lambda _: 2) == 2
        queue.close()
        with pytest.raises(OvermindError):
            await queue.do(lambda _: 3)

    run(work())
    assert tries == ["made", "made", "closed"]


async def refusals(home):
    """What is said to who writes and to who asks."""
    said = []
    for work in (
        home.memory.remember(Remember(text="another", cwd=home.home.root), None),
        home.memory.recall(Recall(questions=["redis"], cwd=home.home.root), None),
    ):
        try:
            await work
        except OvermindError as error:
            said.append(f"{error.code}: {error.fields['reason']}")
        else:
            said.append("done")
    state = await home.memory.memory(Memory(cwd=home.home.root), None)
    return [*said, str(state["reason"])]


def print_refusals(root):
    async def work():
        async with noted_home(root) as home:
            sys.stdout.write("\n".join(await refusals(home)))

    run(work())


@pytest.mark.linux
def test_a_file_that_can_not_be_written_is_named_and_stays_as_it_is(tmp_path):
    async def begin():
        async with noted_home(tmp_path) as home:
            await remember(home, "the limiter needs redis")

    run(begin())
    path = tmp_path / "memory.db"
    before = path.read_bytes()
    path.chmod(0o400)
    asking = [*BOUND_BY_MODES, sys.executable, "-c", ASK_READ_ONLY, str(tmp_path)]
    said = subprocess.run(asking, cwd=REPOSITORY, capture_output=True, text=True, timeout=60, check=True).stdout
    reason = f"{path} can't be used (Permission denied)"
    assert said.splitlines() == [f"memory_off: {reason}", f"memory_off: {reason}", reason]
    assert path.read_bytes() == before
    path.chmod(0o600)
    run(begin())


@pytest.mark.linux
def test_a_full_disk_refuses_what_is_written_and_answers_what_is_asked(tmp_path):
    async def work():
        async with noted_home(tmp_path) as home:
            note = await remember(home, "the limiter needs redis")
            with full_disk(os.getpid()):
                assert await refusals(home) == [
                    f"memory_off: the disk with {home.home.memory} is full", "done", "None",
                ]  # fmt: skip
            listed = await home.memory.notes(Notes(cwd=home.home.root), None)
            assert [one["id"] for one in listed["notes"]] == [note]
            assert await remember(home, "another")

    run(work())
    other = tmp_path / "new"
    other.mkdir()

    async def begin():
        async with noted_home(other) as home:
            with full_disk(os.getpid()):
                full = f"the disk with {home.home.memory} is full"
                assert await refusals(home) == [f"memory_off: {full}", f"memory_off: {full}", full]
            assert await remember(home, "there is room again")

    run(begin())


async def refusal(asked):
    """The code with which a request is refused; "": it is not."""
    try:
        await asked
    except OvermindError as error:
        return error.code
    return ""


@pytest.mark.linux
def test_a_disk_that_is_full_in_an_import_a_reindex_or_a_purge_loses_nothing_and_each_can_be_asked_for_again(tmp_path):
    async def work():
        async with noted_home(tmp_path) as home:
            memory, folder = home.memory, home.home.root
            kept = [await remember(home, f"the limiter needs redis, says number{number}") for number in range(50)]
            files = [FileNote(file=f"{number}.md", text=f"+++\n+++\n\nimported {number}\n") for number in range(50)]

            def asked():
                yield memory.memory_import(MemoryImport(files=files, cwd=folder))
                yield memory.memory_reindex()
                yield memory.forget(Forget(notes=kept[:1], purge=True, cwd=folder), None)

            async def states():
                listed = await memory.notes(Notes(cwd=folder, limit=500), None)
                return {one["id"]: one["text"] for one in listed["notes"]}

            before, refused = await states(), 0
            for room in (-1, 0, 40_000, 200_000, 800_000):
                log = (await asyncio.to_thread((tmp_path / "memory.db-wal").stat)).st_size
                with full_disk(os.getpid(), FULL if room < 0 else log + room):
                    said = [await refusal(one) for one in asked()]
                    found = await states()
                assert set(said) <= {"", "memory_off"}
                refused += said.count("memory_off")
                assert found.keys() >= before.keys() - {kept[0]}
                assert len(found) in {49, 50, 99, 100}, "an import is taken in whole, or not at all"
            assert refused >= 6
            for one in asked():
                await one
            after = await states()
            assert before.keys() - after.keys() == {kept[0]}
            assert len(after) == 99
            await until(lambda: (kept[0], "purged") in home.told())
            for name in ("memory.db", "memory.db-wal"):
                assert b"number0" not in await asyncio.to_thread((tmp_path / name).read_bytes)

    run(work())
