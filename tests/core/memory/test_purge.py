"""A purged note leaves no byte behind, whoever reads meanwhile and whoever dies in between."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path

import pytest

from overmind_core.domain.memory.block import BlockNote, render
from overmind_core.domain.memory.notes import Author, Origin
from overmind_core.domain.memory.sync import Numbered, Page, Place
from overmind_core.domain.memory.versions import purge
from overmind_core.errors import OvermindError
from overmind_core.kernel.database import Database
from overmind_core.memory.given import Given, GivenRow
from overmind_core.memory.opened import secret_of
from overmind_core.memory.purge import HANDED_IN, HANDED_ON, LARGEST_FILE, _replace_in
from overmind_core.memory.requests import Forget, Note, NoteSet, Outcome, Recall, Remember, Search
from overmind_core.memory.shared_copy import SharedCopy
from tests.kit.in_process import run, until
from tests.kit.memory import noted_home

SECRETS = ("zyzzyvaquartz", "getZyzzyvaQuartz", "xylophonic-tag", "votewhyxenolith")
WORDS = (b"zyzzyva", b"xylophonic", b"xenolith")


async def remember(home, text, inside=None, **more):
    return (await home.memory.remember(Remember(text=text, **{"cwd": home.home.root, **more}), inside))["id"]


async def filled(home, mission):
    """A note with words that no other note has, in several versions, given to a mission; and others."""
    for number in range(60):
        await remember(home, f"note {number} about redis and make, number{number}")
    note = await remember(home, f"the password {SECRETS[0]} is nobody's", tags=[SECRETS[2]], key="secret")
    await home.memory.note_set(NoteSet(note=note, change="edit", text=f"call {SECRETS[1]}() first"), None)
    await home.memory.outcome(Outcome(notes=[note], helped=True, why=SECRETS[3]), None)
    other = await remember(home, "redis is needed")

    def give(writing):
        shown = [BlockNote(f"[{one}] fact, ada", text) for one, text in ((note, SECRETS[1]), (other, "redis"))]
        block = render(shown, secret_of(writing.meta))
        rows = tuple(GivenRow(one.id, "v", "words", one.head, one.text) for one in shown)
        with writing.database.transaction():
            row = writing.store.given.add(Given(0, mission, mission, 1.0, 10, 0, 0, block, rows))
            writing.store.given.begun(row, mission, 1)
        return block, render(shown[1:], secret_of(writing.meta))

    before, after = await home.memory.write(give)
    folder = os.path.join(home.home.root, "files", mission)
    os.makedirs(folder)
    path = os.path.join(folder, "append-system-prompt")
    await asyncio.to_thread(Path(path).write_text, f"mine\n\n{before}", encoding="utf-8")
    for name, is_ascii in (("opening", False), ("context.json", True)):  # as codex is told, and copilot
        text = json.dumps({"text": f"mine\n\n{before} é"}, ensure_ascii=is_ascii)
        await asyncio.to_thread(Path(folder, name).write_text, text, encoding="utf-8")
    return note, path, f"mine\n\n{after}"


def left(root):
    """Files below a folder with one of the words."""
    found = []
    for where, _, names in os.walk(root):
        for name in names:
            with open(os.path.join(where, name), "rb") as file:
                data = file.read().lower()
            found += [name for word in WORDS if word in data]
    return found


def test_no_byte_is_left_while_two_readers_search(tmp_path):
    async def work():
        async with noted_home(tmp_path) as home:
            mission = home.missions.add("worker", home.home.root)
            note, path, wanted = await filled(home, mission)
            assert left(tmp_path)
            going = True

            async def search():
                while going:
                    await home.memory.recall(Recall(questions=["redis make zyzzyvaquartz"], cwd=home.home.root), None)

            readers = [asyncio.ensure_future(search()) for _ in range(2)]
            done = await home.memory.forget(Forget(notes=[note], purge=True, cwd=home.home.root), None)
            assert left(tmp_path) == []
            going = False
            await asyncio.gather(*readers)
            assert await asyncio.to_thread(Path(path).read_text, encoding="utf-8") == wanted
            assert done["notes"] == [{"id": note, "still_in": [f"live mission {mission}"]}]
            assert home.told()[-1] == (note, "purged")
            with pytest.raises(OvermindError) as refusal:
                await home.memory.note_set(NoteSet(note=note, change="restore"), None)
            assert refusal.value.code == "gone"
            shown = await home.memory.note(Note(note=note, history=True), None)
            assert (shown["state"], {one["text"] for one in shown["history"]}) == ("purged", {""})
            words = await home.memory.search(Search(words="zyzzyvaquartz", literal=True, cwd=home.home.root), None)
            assert words["notes"] == []
            await home.memory.forget(Forget(notes=[note], purge=True, cwd=home.home.root), None)
        assert left(tmp_path) == []

    run(work())


def test_a_purge_that_has_begun_is_finished_before_anything_is_read(tmp_path):
    async def begin():
        async with noted_home(tmp_path) as home:
            mission = home.missions.add("worker", home.home.root)
            note, *_ = await filled(home, mission)

            def record(writing):
                with writing.database.transaction():
                    writing.database.write("INSERT INTO purges (note, at, by) VALUES (?, 1.0, '{}')", (note,))

            await home.memory.write(record)
            return note

    async def go_on(note):
        async with noted_home(tmp_path) as home:
            assert (await home.memory.note(Note(note=note), None))["state"] == "purged"
            assert left(tmp_path) == []
            assert home.told() == [(note, "purged")]

    note = run(begin())
    assert left(tmp_path)
    run(go_on(note))


def test_a_purge_that_another_program_holds_up_says_so_and_ends_later(tmp_path):
    async def work():
        async with noted_home(tmp_path) as home:
            mission = home.missions.add("worker", home.home.root)
            note, *_ = await filled(home, mission)
            other = Database.open_reader(home.home.memory)
            other.read("BEGIN")
            other.read("SELECT count(*) FROM notes")
            with pytest.raises(OvermindError) as refusal:
                await home.memory.forget(Forget(notes=[note], purge=True, cwd=home.home.root), None)
            assert refusal.value.code == "busy"
            assert (note, "purged") not in home.told()
            other.close()
            await until(lambda: (note, "purged") in home.told(), "it ends by itself")
            assert left(tmp_path) == []
            assert await home.memory.write(lambda writing: writing.purge.begun()) == []

    run(work())


def test_a_purge_that_comes_from_a_cortex_leaves_no_byte_either(tmp_path):
    async def work():
        async with noted_home(tmp_path) as home:
            mission = home.missions.add("worker", home.home.root)
            note, path, wanted = await filled(home, mission)

            def receive(writing, *entries):
                copy = SharedCopy(writing)
                numbered = tuple(Numbered(number, one) for number, one in enumerate(entries, 1))
                end = Place(len(entries), "c" * 64) if entries else copy.place
                return copy.receive(Page(numbered, end, more=False), (), proposed=False)

            def purged_elsewhere(writing):
                known = writing.store.versions.of(note)
                return receive(writing, purge(note, known, Author(person="eve"), Origin.CORTEX, 1.0))

            other = Database.open_reader(home.home.memory)
            other.read("BEGIN")
            other.read("SELECT count(*) FROM notes")
            got = await home.memory.write(purged_elsewhere)  # what it brought is stored
            assert (got.entries, got.changes) == (1, ())
            assert left(tmp_path) != []
            other.close()
            got = await home.memory.write(receive)  # the next exchange, which brings nothing
            assert (got.entries, [(one.note, one.change) for one in got.changes]) == (0, [(note, "purged")])
            assert left(tmp_path) == []
            assert await asyncio.to_thread(Path(path).read_text, encoding="utf-8") == wanted
            assert await home.memory.write(lambda writing: writing.purge.begun()) == []

    run(work())


def test_a_file_that_has_not_the_text_stays_the_file_that_it_was(tmp_path):
    path = tmp_path / "given"
    path.write_bytes(b"one two")
    for old in ("", "three"):
        before = path.stat()
        _replace_in(str(path), old, "[purged]")
        assert (path.read_bytes(), path.stat().st_ino) == (b"one two", before.st_ino)
    _replace_in(str(path), "two", "[purged]")
    assert path.read_bytes() == b"one [purged]"
    assert os.listdir(tmp_path) == ["given"]


def test_a_file_beyond_what_is_read_of_it_stays_whole(tmp_path):
    path = tmp_path / "given"
    path.write_bytes(b"two" + bytes(LARGEST_FILE))
    _replace_in(str(path), "two", "[purged]")
    assert path.read_bytes() == b"two" + bytes(LARGEST_FILE)


def test_what_was_handed_in_with_a_note_stays_as_it_is_and_is_named_with_its_copies(tmp_path):
    async def work():
        async with noted_home(tmp_path) as home:
            note, _, _ = await filled(home, "a1b2c3d4")
            private = os.path.join(home.home.root, "files")
            handed_in = os.path.join(private, "a1b2c3d4", HANDED_IN, "report.txt")
            copy = os.path.join(private, "e5f6a7b8", HANDED_ON, "find", "report.txt")
            other = os.path.join(private, "e5f6a7b8", HANDED_ON, "find", "plan.txt")
            for path in (handed_in, copy, other):
                os.makedirs(os.path.dirname(path), exist_ok=True)
                text = "nothing" if path == other else f"see: call {SECRETS[1]}() first"
                await asyncio.to_thread(Path(path).write_text, text, encoding="utf-8")
            (purged,) = (await home.memory.forget(Forget(notes=[note], purge=True, cwd=home.home.root), None))["notes"]
            assert [one for one in purged["still_in"] if one.startswith(private)] == [handed_in, copy]
            assert await asyncio.to_thread(Path(copy).read_text, encoding="utf-8") == f"see: call {SECRETS[1]}() first"

    run(work())
