"""What runs are given of the notes: what fits, saved first, and the same bytes in each run of a conversation."""

from __future__ import annotations

import asyncio
import time

from overmind_core.agents.ports import BriefingRequest
from overmind_core.daemon.memory import FIRST_PRUNE
from overmind_core.domain.memory.block import ASK, parse
from overmind_core.domain.memory.episodes import begun
from overmind_core.domain.memory.giving import Injection
from overmind_core.domain.memory.notes import Author, Content, NoteKind, Origin, Scope, ScopeKind
from overmind_core.domain.memory.permissions import Writer
from overmind_core.domain.replacing import replace
from overmind_core.domain.settings import MemorySettings
from overmind_core.memory.episode_table import EpisodeTable, StoredEpisode
from overmind_core.memory.given import Given
from overmind_core.memory.lookup import Reach
from overmind_core.memory.requests import Forget, MemoryUsed, Note, Notes, NoteSet, Remember
from overmind_core.memory.store import Draft
from overmind_core.system.paths import Home
from tests.kit import in_process
from tests.kit.in_process import ScriptedKeeper, run, supervising, until, world
from tests.kit.memory import noted_home

REDIS = "The rate limiter keeps its buckets in Redis; start it with: make redis"
QUESTION = "Mend the rate limiter, whose buckets are in Redis.\nDo not touch api/limits.py"


async def remember(home, text, **more):
    request = Remember(text=text, **{"cwd": home.home.root, **more})
    return (await home.memory.remember(request, None))["id"]


async def given(home, mission, *, question=QUESTION, run=1, is_new=True, conversation=None, inject=Injection.AUTO):
    at = replace(home.missions.live[mission], run=run)
    home.missions.live[mission] = at
    request = BriefingRequest(at, conversation or mission, question, inject, is_new)
    return await home.memory.briefing.notes_for(request)


def test_what_fits_is_given_and_the_same_bytes_again(tmp_path):
    async def begin():
        async with noted_home(tmp_path) as home:
            mission = home.missions.add("worker", home.home.root)
            fits = await remember(home, REDIS)
            pinned = await remember(home, "Always run make check", pin=True)
            (tmp_path / "api").mkdir()
            (tmp_path / "api" / "limits.py").touch()
            of_file = await remember(home, "Nobody may import from here", files=["api/*.py"])
            await remember(home, "Deployments happen on Tuesdays")
            first = await given(home, mission)
            assert first.notes[0] == pinned
            assert set(first.notes) == {pinned, fits, of_file}
            assert [one.id for one in parse(first.text)] == list(first.notes)
            await remember(home, "Another one about the rate limiter and its buckets in Redis", pin=True)
            await home.memory.note_set(NoteSet(note=fits, change="edit", text=REDIS + "!"), None)
            again = await given(home, mission, run=2, is_new=False)
            assert again == first
            other = await given(home, home.missions.add("other", home.home.root))
            assert other.text != first.text
            used = await home.memory.briefing.used(mission, None)
            assert (used["run"], used["text"]) == (2, first.text)
            assert {one["id"]: one["why"] for one in used["notes"]} == {
                pinned: "pinned", of_file: "path", fits: "words",
            }  # fmt: skip
            note = await home.memory.note(Note(note=fits, history=True), None)
            assert (note["used"], len(note["used_by"])) == (3, 3)
            listed = await home.memory.notes(Notes(mission=mission, cwd=home.home.root), None)
            assert {one["id"] for one in listed["notes"]} == {pinned, fits, of_file}
            return mission, first, fits

    async def go_on(mission, first, fits):
        async with noted_home(tmp_path) as home:
            assert home.missions.add("worker", home.home.root) == mission
            assert await given(home, mission, run=3, is_new=False) == first
            await home.memory.forget(Forget(notes=[fits], purge=True, cwd=home.home.root), None)
            after = await given(home, mission, run=4, is_new=False)
            assert (fits in after.notes, "Redis" in after.text) == (False, False)
            assert (await home.memory.briefing.used(mission, 1))["purged"] == 1

    run(go_on(*run(begin())))


def test_of_a_prompt_of_megabytes_the_beginning_is_looked_at(tmp_path):
    async def work():
        async with noted_home(tmp_path, settings=MemorySettings(ask=False)) as home:
            fits = await remember(home, REDIS)
            padding = "\nwidget9 api/x/y.py" * 200_000
            given_ = []
            for place, question in enumerate((QUESTION + padding, padding + QUESTION)):
                mission = home.missions.add(f"worker{place}", home.home.root)
                before = time.process_time()
                given_.append(await given(home, mission, question=question))
                assert time.process_time() - before < 0.4  # all of it takes seconds, its beginning a hundredth
            assert [one and one.notes for one in given_] == [(fits,), None]

    run(work())


def test_nothing_that_fits_is_one_line_or_nothing(tmp_path):
    async def work(settings):
        async with noted_home(tmp_path, settings=settings) as home:
            await remember(home, "Deployments happen on Tuesdays")
            missions = [home.missions.add(name, home.home.root, provider=name) for name in ("claude", "raw")]
            return [await given(home, one, question="Write a poem about the sea") for one in missions]

    asked, command = run(work(MemorySettings()))
    assert (asked.text, asked.notes, command) == (ASK, (), None)
    assert run(work(MemorySettings(ask=False)))[1] is None


def test_what_is_proposed_resting_or_stale_is_given_to_nobody(tmp_path):
    async def work():
        async with noted_home(tmp_path, settings=MemorySettings(ask=False)) as home:
            mission = home.missions.add("worker", home.home.root)
            await remember(home, REDIS, files=["gone.py"])
            text = Remember(text=f"{REDIS} for all", scope="global", cwd=home.home.root)
            assert (await home.memory.remember(text, mission))["state"] == "proposed"
            assert await given(home, mission) is None
            await remember(home, "make check", pin=True)
            only = await given(home, mission, conversation="x", inject=Injection.PINNED)
            assert len(only.notes) == 1

    run(work())


def test_a_run_that_began_without_is_given_nothing_later(tmp_path):
    async def work():
        async with noted_home(tmp_path) as home:
            mission = home.missions.add("worker", home.home.root)
            await remember(home, REDIS)
            search = asyncio.ensure_future(given(home, mission))
            await asyncio.sleep(0)
            search.cancel()
            home.memory.briefing.not_given(mission)
            assert await given(home, mission, run=2, is_new=False) is None
            first = await given(home, mission, conversation=f"{mission}.3")
            assert first.notes
            home.memory.briefing.not_given(f"{mission}.3")
            assert await given(home, mission, conversation=f"{mission}.3") is None

    run(work())


def test_a_run_that_never_begins_was_not_given_its_notes(tmp_path):
    async def work():
        async with noted_home(tmp_path) as home:
            mission = home.missions.add("worker", home.home.root)
            note = await remember(home, REDIS)
            briefing = home.memory.briefing

            async def uses():
                await asyncio.sleep(0)  # what is done behind the answers takes its place in the line
                await home.memory.write(lambda _: None)
                found = await home.memory.note(Note(note=note, history=True), None)
                return found["used"], found["used_at"] is None, [one["run"] for one in found["used_by"]]

            first = await given(home, mission)
            await given(home, mission, run=2, is_new=False)
            briefing.never_begun(mission, 2)
            briefing.never_begun(mission, 2)
            assert await given(home, mission, run=3, is_new=False) == first
            briefing.never_begun(mission, 3)
            assert await uses() == (1, False, [1])
            briefing.never_begun(mission, 1)
            assert await uses() == (0, True, [])
            assert (await briefing.used(mission, None))["notes"] == []
            assert await given(home, mission, run=4, is_new=False) is None, "no conversation has begun that could go on"

    run(work())


def test_the_supervisor_gives_what_its_home_has_and_removes_it_with_the_mission(tmp_path):
    home = Home(str(tmp_path / "home"))
    environment = world(str(tmp_path / "bin"), "claude")

    async def work():
        keeper = ScriptedKeeper(home)
        try:
            async with supervising(home, keeper, own_notes=True, cwd=str(tmp_path)) as inside:
                memory = inside.app.memory.memory()
                note = (await memory.remember(Remember(text=REDIS, cwd=str(tmp_path)), None))["id"]
                mission = await inside.run(QUESTION, provider="claude", env=environment)
                await until(lambda: f"{mission}.1" in keeper.held, "it runs")
                used = await memory.memory_used(MemoryUsed(mission=mission), None)
                assert [one["id"] for one in used["notes"]] == [note]
                (asked,) = keeper.asked["spawn"]
                paths = [word for word in asked["argv"] if "append-system-prompt" in word and word.startswith("/")]
                texts = [await asyncio.to_thread(_read, path) for path in paths]
                assert texts == [used["text"]]
                info = await inside.ask("info", id=mission)
                assert [one["id"] for one in info["notes"]["given"]] == [note]
                keeper.exit(f"{mission}.1")
                await until(lambda: mission not in inside.app.registry.live, "it has ended")
                await inside.ask("rm", id=mission)
                await memory.write(lambda _: None)
                rows = await memory.read(lambda reading: reading.database.read("SELECT count(*) FROM given"))
                assert rows == [(0,)]
        finally:
            keeper.close()

    in_process.run(work())


def test_a_daemon_removes_what_is_too_old_and_what_belongs_to_nothing(tmp_path):
    home = Home(str(tmp_path / "home"))

    def age(writing):
        """An episode and a proposal that are too old, and what a mission was given of which no record is left."""
        given = Given(0, "gone", "gone", 0.0, 10, 0, 0, "", ())
        proposer = Writer(Author(mission="gone", name="worker"), proposes=True)
        content = Content("lesson", kind=NoteKind.LESSON, scope=Scope(ScopeKind.REPO, str(tmp_path)))
        of_tree = Content("of the tree", scope=Scope(ScopeKind.MISSION, "gone"))
        writing.at = 1.0
        with writing.database.transaction():
            writing.store.given.add(given)
            writing.store.write(Draft(content, proposer, Origin.OVERMIND, Reach(())))
            writing.store.write(Draft(of_tree, Writer(Author(mission="gone")), Origin.AGENT, Reach(())))
            EpisodeTable(writing.database).save(
                StoredEpisode(
                    "gone", 1, "worker", str(tmp_path), 1.0, None, ended=True, proposed=0, episode=begun("", str)
                )
            )

    def count(reading):
        tables = ("given", "notes", "episodes")
        return [reading.database.read_one(f"SELECT count(*) FROM {one}")[0] for one in tables]

    async def work():
        keeper = ScriptedKeeper(home)
        try:
            async with supervising(home, keeper, own_notes=True, cwd=str(tmp_path)) as inside:
                memory = inside.app.memory.memory()
                kept = (await memory.remember(Remember(text=REDIS, cwd=str(tmp_path)), None))["id"]
                await memory.write(age)
                assert await memory.read(count) == [1, 3, 1]
                await memory.prune()
                assert await memory.read(count) == [0, 1, 0]
                await memory.write(age)
            async with supervising(home, keeper, own_notes=True, cwd=str(tmp_path)) as inside:
                await asyncio.sleep(FIRST_PRUNE + 1)
                memory = inside.app.memory.memory()
                assert await memory.read(count) == [0, 1, 0], "a while after its start"
                assert (await memory.note(Note(note=kept), None))["state"] == "live"
        finally:
            keeper.close()

    in_process.run(work())


def _read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()
