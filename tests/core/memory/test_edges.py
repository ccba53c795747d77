"""What is easily overlooked: a home without notes, a forgotten key, a word beside its misspelling, a full store."""

from __future__ import annotations

import os

import pytest

from overmind_core.domain.memory.notes import Author, Content, Origin, Scope, ScopeKind, Standing, Version
from overmind_core.domain.memory.sync import START, Numbered, Page, Place
from overmind_core.errors import OvermindError
from overmind_core.memory.requests import (
    Forget,
    Memory,
    MemoryUsed,
    Note,
    Notes,
    NoteSet,
    Outcome,
    Recall,
    Remember,
    Search,
)
from overmind_core.memory.shared_copy import Link, SharedCopy
from tests.kit.in_process import run
from tests.kit.memory import noted_home


async def remember(home, text, **more):
    return (await home.memory.remember(Remember(text=text, cwd=home.home.root, **more), None))["id"]


def test_who_only_looks_makes_no_file_and_sees_what_another_one_writes(tmp_path):
    async def work():
        async with noted_home(tmp_path) as home:
            memory, folder = home.memory, home.home.root
            mission = home.missions.add("worker", folder)
            for inside in (None, mission):
                assert (await memory.notes(Notes(cwd=folder), inside))["notes"] == []
                assert (await memory.recall(Recall(questions=["redis"], cwd=folder), inside))["notes"] == []
                found = await memory.search(Search(words="redis", cwd=folder, episodes=True), inside)
                assert found == {"notes": [], "episodes": []}
                assert (await memory.search(Search(words="redis", cwd=folder, literal=True), inside))["notes"] == []
                assert (await memory.memory_used(MemoryUsed(mission=mission), inside))["notes"] == []
                state = await memory.memory(Memory(cwd=folder), inside)
                assert (state["on"], state["live"], state["bytes"]) == (True, 0, 0)
                with pytest.raises(OvermindError) as refusal:
                    await memory.note(Note(note="N-0000000000", cwd=folder), inside)
                assert refusal.value.code == "not_found"
            assert os.listdir(tmp_path) == []
            note = await remember(home, "redis is needed")
            assert [one["id"] for one in (await memory.notes(Notes(cwd=folder), mission))["notes"]] == [note]
        async with noted_home(tmp_path) as home:
            assert [one["id"] for one in (await home.memory.notes(Notes(cwd=folder), None))["notes"]] == [note]

    run(work())


def test_a_forgotten_note_is_restored_by_its_key_unless_another_one_has_it_now(tmp_path):
    async def work():
        async with noted_home(tmp_path) as home:
            folder = home.home.root

            async def restore():
                return await home.memory.note_set(NoteSet(note="the-key", change="restore", cwd=folder), None)

            first = await remember(home, "first", key="the-key")
            for _ in range(2):  # the answer may have been lost
                done = await home.memory.forget(Forget(notes=["the-key"], cwd=folder), None)
                assert done["notes"][0]["id"] == first
            with pytest.raises(OvermindError) as refusal:
                await home.memory.outcome(Outcome(notes=["the-key"], helped=True, cwd=folder), None)
            assert refusal.value.code == "not_found"
            back = await restore()
            assert (back["note"]["id"], back["note"]["state"], back["changed"]) == (first, "live", True)
            await home.memory.forget(Forget(notes=[first], cwd=folder), None)
            second = await remember(home, "second", key="the-key")
            assert second != first
            assert (await restore())["note"]["id"] == second, "the one that lives is meant"
            await home.memory.forget(Forget(notes=[second], cwd=folder), None)
            with pytest.raises(OvermindError) as refusal:
                await restore()
            assert (refusal.value.code, refusal.value.fields["candidates"]) == ("ambiguous", [second, first])
            await home.memory.forget(Forget(notes=[first], purge=True, cwd=folder), None)
            assert (await restore())["note"]["id"] == second

    run(work())


def test_a_proposal_that_was_forgotten_is_one_again_and_no_live_note(tmp_path):
    async def work():
        async with noted_home(tmp_path) as home:
            folder = home.home.root

            async def change(word):
                done = await home.memory.note_set(NoteSet(note=note, change=word, cwd=folder), None)
                return done["note"]["state"]

            mission = home.missions.add("worker", folder)
            found = Remember(text="found", scope="global", cwd=folder)  # a mission can only propose for all
            note = (await home.memory.remember(found, mission))["id"]
            for _ in range(2):
                await home.memory.forget(Forget(notes=[note], cwd=folder), None)
                assert await change("restore") == "proposed"
            assert await change("accept") == "live"
            await home.memory.forget(Forget(notes=[note], cwd=folder), None)
            assert await change("restore") == "live"

    run(work())


def test_a_correction_is_told_also_where_the_right_word_is_asked_for_beside_it(tmp_path):
    async def work():
        async with noted_home(tmp_path) as home:
            await remember(home, "the limiter needs redis")
            answer = await home.memory.search(Search(words="redis redsi", cwd=home.home.root), None)
            (found,) = answer["notes"]
            assert (found["why"], found["corrected"]) == (["words", "spelling"], {"redsi": "redis"})

    run(work())


def test_a_full_store_takes_no_more_notes_from_a_cortex_either_until_some_are_forgotten(tmp_path):
    def version(number, note):
        content = Content(f"text {number}", scope=Scope(ScopeKind.COLONY))
        return Version(
            f"{number:032x}", note, 1, (), Standing.LIVE, content, Author(person="eve"), Origin.COMMAND, 1.0
        )  # fmt: skip

    page = Page(
        tuple(Numbered(number, version(number, f"N-000000000{number}")) for number in (1, 2)),
        Place(2, "c" * 64),
        more=False,
    )

    async def work():
        async with noted_home(tmp_path) as home:

            def receive(writing):
                writing.store.most = 3
                return SharedCopy(writing).receive(page, (), proposed=False).entries

            notes = [await remember(home, text) for text in ("first", "second")]
            with pytest.raises(OvermindError, match="There are 3 notes already") as refusal:
                await home.memory.write(receive)
            assert refusal.value.code == "too_large"
            assert (await home.memory.memory(Memory(), None))["live"] == 2, "all of a page is taken, or nothing"
            await home.memory.forget(Forget(notes=notes[:1]), None)
            assert await home.memory.write(receive) == 2
            with pytest.raises(OvermindError, match="There are 3 notes already"):
                await remember(home, "third")
            await home.memory.forget(Forget(notes=notes[1:]), None)
            assert await remember(home, "third")

    run(work())


def test_what_came_from_a_cortex_before_its_repository_was_shared_is_not_offered_again_for_ever(tmp_path):
    content = Content("of another machine", scope=Scope(ScopeKind.REPO, "github.com/team/shop"))
    version = Version(
        "1" * 32, "N-0000000001", 1, (), Standing.LIVE, content, Author(person="eve"), Origin.COMMAND, 1.0
    )  # fmt: skip
    page = Page((Numbered(1, version),), Place(1, "c" * 64), more=False)

    async def work():
        async with noted_home(tmp_path) as home:

            def share(writing):
                copy = SharedCopy(writing)
                copy.connect(Link("https://cortex.example.org", "shop", "write", "ada", ""))
                copy.receive(page, (), proposed=False)
                assert copy.outgoing() == []
                copy.share("github.com/team/shop", on=True)
                assert copy.place == START
                copy.receive(page, (), proposed=False)
                return copy.outgoing()

            assert await home.memory.write(share) == []

    run(work())
