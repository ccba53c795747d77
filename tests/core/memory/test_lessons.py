"""What attempts of the engine teach becomes notes and votes, once, whoever dies meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import shutil
import sqlite3
from functools import partial

import pytest

from overmind_core.domain.memory.notes import NoteKind, ScopeKind
from overmind_core.domain.settings import QueueSettings
from overmind_core.kernel.config import Settings
from overmind_core.kernel.database import Database
from overmind_core.kernel.migrations import released
from overmind_core.memory.requests import MemorySet, Note, Notes, NoteSet, Remember
from overmind_core.system.paths import Home
from tests.kit import in_process
from tests.kit.in_process import ScriptedKeeper, supervising, until, world
from tests.kit.repositories import AUTHOR, Repository

TOKEN = "ghp_" + "a1B2" * 9
SETTINGS = Settings(queue=QueueSettings(backoff=0.01))
LESSON = (
    "carts: its command failed:\n> AssertionError: carts total misses shipping\n"
    "> with [redacted: github token]\nThe next attempt passed after changes of:\n  carts.py"
)
KILLS = 20
OLDER = 11
"""Schema of the last homes whose lessons were no notes."""


class Story:
    """Supervisors of one home, one after the other, whose quests work in one repository."""

    def __init__(self, folder):
        self.home = Home(str(folder / "home"))
        self.shop = Repository(str(folder / "shop"))
        self.shop.commit("first", {"carts.py": "total = 0\n"})
        self.keeper = ScriptedKeeper(self.home)

    def supervisor(self):
        return supervising(self.home, self.keeper, settings=SETTINGS, cwd=self.shop.folder, own_notes=True)

    def play(self, work):
        async def whole():
            try:
                return await work()
            finally:
                self.keeper.close()

        return in_process.run(whole())

    async def quest(self, inside, title, *codes, name="carts", said="", **how):
        """A quest whose attempts end with these codes; its id."""
        mission = await self.begun(inside, title, name=name, retries=len(codes) - 1, **how)
        for number, code in enumerate(codes, 1):
            run = f"{mission}.{number}"
            await until(partial(self.keeper.held.__contains__, run), f"{run} runs")
            record = inside.app.workspace.records.get(mission)
            if record is not None and code == 0:
                Repository(record.worktree).write({"carts.py": "total = 1\n"})
            self.keeper.write(run, f"{said}\n".encode())
            self.keeper.exit(run, code)
        await until(lambda: mission not in inside.app.quest_registry.live, f"{mission} is over")
        return mission

    async def begun(self, inside, title, env=None, **how):
        """A quest whose first attempt runs; its id."""
        quest = {"title": title, "command": "true", "isolate": False, **how}
        added = await inside.ask("quest_add", quests=[quest], cwd=self.shop.folder, env=env or world())
        mission = added["quests"][0]["id"]
        await until(partial(self.keeper.held.__contains__, f"{mission}.1"), "its first attempt runs")
        return mission

    async def taught(self, inside, **how):
        said = f"AssertionError: carts total misses shipping\nwith {TOKEN}"
        return await self.quest(inside, "carts total", 1, 0, said=said, **how)

    def rows(self, table):
        with contextlib.closing(sqlite3.connect(self.home.database)) as database:
            return database.execute(f"SELECT * FROM {table}").fetchall()

    def put_back(self, table, rows):
        """As where a daemon is killed before it deletes what memory has taken in."""
        with contextlib.closing(sqlite3.connect(self.home.database)) as database, database:
            for row in rows:
                marks = ", ".join("?" * len(row))
                database.execute(f"INSERT OR IGNORE INTO {table} VALUES ({marks})", row)

    def make_older(self):
        """A home whose lessons are no notes yet."""
        os.makedirs(self.home.root, mode=0o700)
        Database.open(self.home.database, migrations=released()[:OLDER]).close()

    def has_memory(self):
        return os.path.exists(self.home.memory)

    def damage_memory(self):
        with open(self.home.memory, "r+b") as file:
            file.write(b"no database at all" * 100)
        for beside in ("-wal", "-shm"):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self.home.memory + beside)

    async def handed_over(self, inside):
        """Wait until nothing waits for memory."""

        def is_over():
            inside.app.journal.flush()
            return not inside.app.state.has_outbox

        await until(is_over, "all is handed over")

    async def notes(self, inside, **how):
        found = await inside.app.memory.memory().notes(Notes(cwd=self.shop.folder, **how), None)
        return found["notes"]


@pytest.fixture
def story(tmp_path):
    return Story(tmp_path)


def events(inside, kind):
    inside.app.journal.flush()
    rows = inside.app.state.events.after(0, 1000, types=[kind])
    return [json.loads(row.data) for row in rows]


def test_a_lesson_waits_for_its_files_while_the_vote_of_the_same_attempt_is_counted(story):
    async def work():
        async with story.supervisor() as inside:
            memory = inside.app.memory.memory()
            await memory.remember(Remember(text="given to everybody", pin=True, cwd=story.shop.folder), None)
            await story.taught(inside, isolate=True)
            await story.handed_over(inside)
            lesson = next(one for one in await story.notes(inside) if one["kind"] == "lesson")
            assert (lesson["text"], lesson["files"]) == (LESSON, ["carts.py"])

    story.play(work)


def test_an_attempt_that_failed_and_then_passed_is_proposed_once_and_without_secrets(story):
    async def work():
        async with story.supervisor() as inside:
            quest = await story.taught(inside, isolate=True)
            await story.handed_over(inside)
            (note,) = await story.notes(inside)
            assert (note["text"], note["kind"], note["state"], note["from"]) == (
                LESSON, "lesson", "proposed", "overmind",
            )  # fmt: skip
            assert (note["scope"], note["files"], note["author"]["mission"]) == ("repo", ["carts.py"], quest)
            assert note["author"]["name"] == "carts"
            (event,) = events(inside, "note")
            assert (event["note"], event["change"], event["mission"]) == (note["id"], "proposed", quest)
            assert (event["by"], event["why"]) == ("engine", "it failed (exit), then it passed")
            again = await story.taught(inside, name="again")
            await story.quest(inside, "carts", 1, name="fails", said="x")
            await story.quest(inside, "carts", 0, name="passes", said="x")
            off = await story.quest(inside, "quiet", 1, 0, name="off", said="nobody keeps this", notes="off")
            assert again != off
            await story.handed_over(inside)
            assert len(await story.notes(inside)) == 1
            assert story.rows("attempt_votes") == []
            story.shop.git("rm", "-q", "carts.py")  # as if it were on a branch that has not landed
            shutil.rmtree(story.shop.path(".overmind"))
            assert [one["stale"] for one in await story.notes(inside)] == [False]
            await inside.app.memory.memory().note_set(
                NoteSet(note=note["id"], change="accept", cwd=story.shop.folder), None
            )
            assert [one["stale"] for one in await story.notes(inside)] == [True]

    story.play(work)
    for name in os.listdir(story.home.root):
        if name.startswith("memory.db"):
            with open(os.path.join(story.home.root, name), "rb") as file:
                assert TOKEN.encode() not in file.read()


@pytest.mark.parametrize("is_by_hand", [True, False], ids=["landed by hand", "accepted"])
def test_work_that_a_person_has_landed_by_hand_has_not_passed_and_teaches_nothing(story, is_by_hand):
    async def work():
        async with story.supervisor() as inside:
            landing = {"into": "main", "review": "person", "isolate": True, "env": {**world(), **AUTHOR}}
            mission = await story.begun(inside, "carts total", name="carts", retries=1, **landing)
            story.keeper.write(f"{mission}.1", b"AssertionError: carts total misses shipping\n")
            story.keeper.exit(f"{mission}.1", 1)
            await until(partial(story.keeper.held.__contains__, f"{mission}.2"), "it is tried again")
            Repository(inside.app.workspace.records[mission].worktree).commit("total", {"carts.py": "total = 1\n"})
            story.keeper.exit(f"{mission}.2", 0)
            await until(lambda: inside.app.quest_registry.live[mission].status == "review", "it is in review")
            if is_by_hand:
                assert [item async for item in inside.stream("merge", id=mission, unreviewed=True)]
            else:
                await inside.ask("answer", id=mission, behaviour="allow")
            await until(lambda: mission not in inside.app.quest_registry.live, "it has landed")
            await story.handed_over(inside)
            assert len(await story.notes(inside)) == (0 if is_by_hand else 1)

    story.play(work)


def test_attempts_vote_on_the_lessons_that_they_were_given_each_once_whoever_dies(story):
    async def work():
        async with story.supervisor() as inside:
            await story.taught(inside)
            await story.handed_over(inside)
            memory = inside.app.memory.memory()
            (lesson,) = await story.notes(inside)
            fact = await memory.remember(Remember(text="carts are totals", cwd=story.shop.folder), None)
            for change, note in (("accept", lesson["id"]), ("pin", lesson["id"]), ("pin", fact["id"])):
                await memory.note_set(NoteSet(note=note, change=change, cwd=story.shop.folder), None)
            quest = await story.quest(inside, "carts with shipping", 1, 0, name="votes")
            voted = [(quest, number, number, number == 2) for number in (1, 2)]
            await story.handed_over(inside)
            assert [(one["note"], one["helped"], one["by"]) for one in events(inside, "voted")] == [
                (lesson["id"], False, "engine"), (lesson["id"], True, "engine"),
            ]  # fmt: skip
            await story.quest(inside, "nothing", 0, name="without", notes="off")
            assert story.rows("attempt_votes") == [], "who was given nothing has nothing to say"
            longer = await story.begun(inside, "carts at last", name="longer")
        story.put_back("attempt_votes", [(*one, 5.0) for one in voted])
        async with story.supervisor() as inside:
            await story.handed_over(inside)
            assert len(events(inside, "voted")) == 2
            story.keeper.exit(f"{longer}.1", 0)
            await until(lambda: longer not in inside.app.quest_registry.live)
            await story.handed_over(inside)
            found = {one["id"]: (one["helped"], one["hurt"]) for one in await story.notes(inside)}
            assert {id_: votes for id_, votes in found.items() if votes != (0, 0)} == {lesson["id"]: (2, 1)}
            assert found[fact["id"]] == (0, 0)

    story.play(work)


def test_what_waits_while_memory_is_off_or_damaged_is_taken_in_afterwards(story):
    async def work():
        async with story.supervisor() as inside:
            memory = inside.app.memory.memory()
            await memory.memory_set(MemorySet(on=False))
            await story.taught(inside)
            await in_process.idle()
            assert len(story.rows("lessons")) == 1
            assert not story.has_memory()
            await memory.memory_set(MemorySet(on=True))
            await story.handed_over(inside)
            assert len(await story.notes(inside)) == 1
        story.damage_memory()
        async with story.supervisor() as inside:
            await story.quest(inside, "another one", 1, 0, name="other", said="KeyError: total")
            await in_process.idle()
            assert len(story.rows("lessons")) == 1
            await inside.app.memory.memory().memory_reindex()
            await story.handed_over(inside)
            assert (await story.notes(inside))[0]["author"]["name"] == "other"
        unreadable = (500, "/x", "proposed", 0, 0, "{")
        story.put_back("lessons", [unreadable])
        async with story.supervisor() as inside:
            await story.quest(inside, "a third one", 1, 0, name="third", said="IndexError")
            await until(lambda: story.rows("lessons") == [unreadable], "nobody waits for what can't be read")
            assert (await story.notes(inside))[0]["author"]["name"] == "third"

    story.play(work)


def old_row(number, repository, state="proposed", helped=0, hurt=0, **more):
    """A row of the table of lessons, as a home had it whose lessons were no notes."""
    record = {
        "key": f"{number:016x}", "repository": repository, "failure": "check_failed", "feedback": f"E{number} first\nE",
        "files": [f"src/{number}.py"], "words": ["carts"], "quest": f"carts/TSK-{number:03}",
        "at": in_process.WALL - number, "state": state, "helped": helped, "hurt": hurt, **more,
    }  # fmt: skip
    return (number, repository, state, helped, hurt, json.dumps(record))


def test_lessons_of_an_older_home_are_notes_with_their_votes_once_over_many_kills(story):
    source = os.path.join(story.shop.folder, ".git")
    rows = [
        old_row(1, source, "accepted", helped=4, hurt=1),
        old_row(2, source),
        old_row(3, source, "dropped", helped=1),
        old_row(4, source, "accepted", hurt=3),
        old_row(5, str(story.home.root), "accepted"),
        *(old_row(number, source) for number in range(6, 60)),
    ]
    seed = random.SystemRandom().randrange(2**32)
    chance = random.Random(seed)

    async def work():
        story.make_older()
        story.put_back("lessons", rows)
        moved = []
        for kill in range(KILLS):
            left = len(story.rows("lessons"))
            async with story.supervisor() as inside:
                if kill % 4 == 3:
                    await story.handed_over(inside)
                for _ in range(chance.randrange(10_000)):  # threads work beside these
                    await asyncio.sleep(0)
            moved.append(left - len(story.rows("lessons")))
            story.put_back("lessons", chance.sample(rows, 5))
        async with story.supervisor() as inside:
            await story.handed_over(inside)
            notes = {one["author"]["name"]: one for one in await story.notes(inside, all=True, limit=500)}
            assert len(notes) == len(await story.notes(inside, all=True, limit=500)) == len(rows), (seed, moved)
            first, second, third, fourth = (notes[f"carts/TSK-{number:03}"] for number in (1, 2, 3, 4))
            assert [(one["state"], one["helped"], one["hurt"], one["rests"]) for one in (first, second, third)] == [
                ("live", 4, 1, False), ("proposed", 0, 0, False), ("forgotten", 1, 0, False),
            ]  # fmt: skip
            assert (fourth["state"], fourth["rests"]) == ("live", True)
            assert first["text"] == (
                "carts/TSK-001: its check failed:\n> E1 first\n> E\n"
                "The next attempt passed after changes of:\n  src/1.py"
            )
            assert (first["kind"], first["scope"], first["files"]) == (NoteKind.LESSON, ScopeKind.REPO, ["src/1.py"])
            assert first["repository"] == notes["carts/TSK-003"]["repository"] != notes["carts/TSK-005"]["repository"]
            assert first["version"] == 2
            memory = inside.app.memory.memory()
            decided, proposed = (await memory.note(Note(note=first["id"], history=True, cwd=story.shop.folder), None))[
                "history"
            ]
            assert (bool(decided["by"]["person"]), proposed["by"]["person"]) == (True, None)
            accepted = await memory.note_set(NoteSet(note=second["id"], change="accept", cwd=story.shop.folder), None)
            assert accepted["note"]["state"] == "live"

    story.play(work)
