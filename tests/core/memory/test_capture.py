"""What agents do is kept, and proposed once, whoever dies meanwhile."""

from __future__ import annotations

import asyncio
import glob
import json
import shutil

import pytest

from overmind_core.domain.agents.agent_events import TextSpoken, ToolCalled, ToolReturned, TurnEnded, TurnResult
from overmind_core.domain.memory.episodes import Episode
from overmind_core.domain.memory.notes import Author, Content, NoteKind, Origin, Scope, ScopeKind, Standing
from overmind_core.domain.memory.permissions import Writer
from overmind_core.memory.episode_table import EpisodeTable, StoredEpisode
from overmind_core.memory.lookup import Reach
from overmind_core.memory.requests import Forget, Notes, Remember, Search
from overmind_core.memory.store import Draft
from overmind_core.system.paths import Home
from tests.kit import in_process
from tests.kit.briefing import Remembered
from tests.kit.in_process import ScriptedKeeper, supervising, until, world
from tests.kit.memory import noted_home

TOKEN = "ghp_" + "a1B2" * 9


class Story:
    """Supervisors of one home, one after the other, and what an agent says."""

    def __init__(self, folder):
        self.home = Home(str(folder / "home"))
        self.work = folder / "work"
        self.work.mkdir()
        self.keeper = ScriptedKeeper(self.home)
        self.environment = world(str(folder / "bin"), "claude")

    def supervisor(self, later=0.0):
        return supervising(self.home, self.keeper, briefing=Remembered(), cwd=str(self.work), later=later)

    def play(self, work):
        async def whole():
            try:
                return await work()
            finally:
                self.keeper.close()

        return in_process.run(whole())

    async def run(self, inside, **how):
        mission = await inside.run("fix it", provider="claude", env=self.environment, **how)
        await until(lambda: f"{mission}.1" in self.keeper.held)
        return mission

    def say(self, mission, *lines, run=1):
        data = "".join(f"{json.dumps(line)}\n" for line in lines)
        self.keeper.write(f"{mission}.{run}", data.encode())

    async def episodes(self, inside, words="fix"):
        memory = inside.app.memory.memory()
        return (await memory.search(Search(words=words, episodes=True, cwd=str(self.work)), None))["episodes"]

    async def proposals(self, inside):
        memory = inside.app.memory.memory()
        return (await memory.notes(Notes(proposed=True, cwd=str(self.work)), None))["notes"]


def texts(notes):
    return sorted(one["text"] for one in notes)


@pytest.fixture
def story(tmp_path):
    return Story(tmp_path)


def used(call, tool, **fields):
    block = {"type": "tool_use", "id": call, "name": tool, "input": fields}
    return {"type": "assistant", "message": {"content": [block]}}


def answered(call, content="", *, failed=False):
    block = {"type": "tool_result", "tool_use_id": call, "content": content, "is_error": failed}
    return {"type": "user", "message": {"role": "user", "content": [block]}}


def ran(command, content="", *, failed=False):
    return used("c", "Bash", command=command), answered("c", content, failed=failed)


def edited(path):
    return used("e", "Edit", file_path=path), answered("e")


def result(text="done"):
    return {"type": "result", "subtype": "success", "is_error": False, "result": text, "num_turns": 1}


def mended(command, path, error="E  boom"):
    return *ran(command, f"Exit code 2\n{error}", failed=True), *edited(path), *ran(command)


def test_a_run_is_kept_and_what_it_mended_is_proposed_once(story):
    async def work():
        async with story.supervisor() as inside:
            mission = await story.run(inside)
            path = f"{story.work}/api/limits.py"
            story.say(mission, *mended(f"make test T={TOKEN}", path), result("Lessons:\n- use make\n- third"))
            await until(lambda: len(proposed(inside)) == 2)
            mended_text = (
                "`make test T=[redacted: github token]` failed with exit code 2: E  boom\n"
                "It succeeded after changes of:\n  api/limits.py"
            )
            assert texts(await story.proposals(inside)) == [mended_text, "use make"]
            again = await story.run(inside, name="again")
            story.say(again, *mended(f"make test T={TOKEN}", path), result())
            await until(lambda: "turn_ended" in inside.event_types(again))
            story.keeper.exit(f"{again}.1")
            await until(lambda: "stopped" in inside.event_types(again))
            await rows(inside, 1)
            assert len(await story.proposals(inside)) == 2
            found = await story.episodes(inside, "limits redacted")
            assert [(one["mission"], one["run"]) for one in found] == [(again, 1), (mission, 1)]
            assert found[0]["files"] == [path]
            codes = [(one["command"], one["exit_code"]) for one in found[0]["commands"]]
            assert codes == [("make test T=[redacted: github token]", code) for code in (2, None)]
            notes = await story.proposals(inside)
            assert {(one["kind"], one["state"], one["from"], one["author"]["mission"]) for one in notes} == {
                ("lesson", "proposed", "overmind", mission)
            }
            assert ["api/limits.py"] in [one["files"] for one in notes]
            elsewhere = Search(words="limits", episodes=True, cwd="/")
            assert (await inside.app.memory.memory().search(elsewhere, None))["episodes"] == []

    story.play(work)
    for path in glob.glob(f"{story.home.memory}*"):
        with open(path, "rb") as file:
            assert TOKEN.encode() not in file.read()


def proposed(inside):
    return [event for event in note_events(inside) if event["change"] == "proposed"]


def note_events(inside):
    inside.app.journal.flush()
    return [found for row in inside.app.state.events.after(0, 10_000)
            if (found := json.loads(row.data))["type"] == "note"]  # fmt: skip


async def rows(inside, number, *, ended=True):
    """Wait until there are so many episodes, which have ended or not."""
    found: list[object] = []
    loop = asyncio.get_running_loop()
    end = loop.time() + in_process.PATIENCE
    while len(found) != number:
        assert loop.time() < end, found
        found = await inside.app.memory.memory().read(
            lambda reading: reading.database.read("SELECT mission FROM episodes WHERE ended = ?", (ended,))
        )
        await in_process.idle()


@pytest.mark.parametrize("cut", range(8))
def test_a_killed_daemon_loses_nothing_of_a_log_and_proposes_nothing_twice(story, cut):
    """The lines of two turns come one by one; the daemon dies after some of them, at once."""
    lines = [*mended("make", "a.py"), result(), *mended("ls x", "b.py", "E  other"), result()]

    async def work():
        async with story.supervisor() as inside:
            mission = await story.run(inside, type="session")
            for line in lines[: cut * 2]:
                story.say(mission, line)
            await in_process.idle()
        for line in lines[cut * 2 :][:-1]:
            story.say(mission, line)
        async with story.supervisor() as inside:
            await until(lambda: inside.app.agents.agent(mission))
            story.say(mission, lines[-1])
            await until(lambda: len(proposed(inside)) == 2)
            (found,) = await story.episodes(inside)
            assert [one["exit_code"] for one in found["commands"]] == [2, None, 2, None]
            assert found["files"] == ["a.py", "b.py"]
            assert len(await story.proposals(inside)) == 2

    story.play(work)


def test_a_run_that_ends_while_no_daemon_is_there_is_read_to_its_end_by_the_next_one(story):
    first, *others = mended("make", "a.py")

    async def work():
        async with story.supervisor() as inside:
            mission = await story.run(inside)
            story.say(mission, first)
            await rows(inside, 1, ended=False)
        story.say(mission, *others, result())
        story.keeper.exit(f"{mission}.1")
        async with story.supervisor() as inside:
            await rows(inside, 1)
            assert len(await story.proposals(inside)) == 1
            (found,) = await story.episodes(inside)
            assert [one["exit_code"] for one in found["commands"]] == [2, None]

    story.play(work)


def test_what_is_purged_is_in_no_episode_and_does_not_come_back_with_the_log(story):
    async def work():
        async with story.supervisor() as inside:
            memory = inside.app.memory.memory()
            mission = await story.run(inside, type="session")
            other = await story.run(inside, type="session", name="other")
            story.say(mission, *ran("overmind remember zyzzyvaquartz"), result("I wrote of xenolithwords."))
            story.say(other, *ran("echo zyzzyvaquartz"), result())
            await until(lambda: "turn_ended" in inside.event_types(mission))
            await until(lambda: "turn_ended" in inside.event_types(other))
            written = await memory.remember(Remember(text="zyzzyvaquartz", cwd=str(story.work)), mission)
            while len(await story.episodes(inside, "zyzzyvaquartz")) < 2:
                await in_process.idle()
            await memory.forget(Forget(notes=[written["id"]], purge=True), None)
            story.say(mission, *ran("ls"), result())
            await until(lambda: inside.event_types(mission).count("turn_ended") > 1)
            story.keeper.exit(f"{mission}.1")
            await until(lambda: not inside.app.registry.live.get(mission))
            await rows(inside, 2)
            assert await story.episodes(inside, "zyzzyvaquartz") == []

    story.play(work)
    for path in glob.glob(f"{story.home.memory}*"):
        with open(path, "rb") as file:
            data = file.read()
        assert b"zyzzyva" not in data
        assert b"xenolith" not in data


def by_mission(episodes):
    return sorted(episodes, key=lambda one: one["mission"])


def test_a_reindex_reads_episodes_anew_and_counts_the_logs_that_are_gone_but_brings_nothing_back(story):
    lines = [*ran("echo zyzzyvaquartz"), *mended("make", "a.py"), result("done with it")]

    async def work():
        async with story.supervisor() as inside:
            memory = inside.app.memory.memory()

            async def change(sql):
                def write(writing):
                    with writing.database.transaction():
                        writing.database.write(sql)

                await memory.write(write)

            async def reindexed():
                done = await memory.memory_reindex()
                return done["episodes"], done["logs_gone"], by_mission(await story.episodes(inside, "a.py"))

            missions = [await story.run(inside, name=name) for name in ("first", "second", "third")]
            for mission in missions:
                story.say(mission, *lines)
                story.keeper.exit(f"{mission}.1")
            await rows(inside, 3)
            before = by_mission(await story.episodes(inside, "a.py"))
            assert len(before) == 3
            assert await reindexed() == (3, 0, before)
            await change("UPDATE episodes SET text = '', data = json_set(data, '$.said', 'spoilt')")
            assert await reindexed() == (3, 0, before)
            await change("DELETE FROM episodes")
            assert await reindexed() == (3, 0, before)
            assert len(await story.proposals(inside)) == 1, "no proposal twice"
            await asyncio.to_thread(shutil.rmtree, f"{story.home.logs}/{missions[0]}")
            assert await reindexed() == (3, 1, before), "what is known of it stays"
            note = await memory.remember(Remember(text="zyzzyvaquartz", cwd=str(story.work)), missions[1])
            await memory.forget(Forget(notes=[note["id"]], purge=True), None)
            assert await reindexed() == (3, 0, [])
            await change("DELETE FROM episodes")
            assert await reindexed() == (0, 0, []), "nobody knows any more which of them a purge has emptied"

    story.play(work)


def test_proposals_and_episodes_are_limited_by_number_and_age(tmp_path):
    async def work():
        async with noted_home(tmp_path) as home:
            here = Scope(ScopeKind.REPO, "host/shop")

            def fill(writing):
                author = Author(mission="m", name="m", agent="claude")
                with writing.database.transaction():
                    for number in range(300):
                        writing.at = 1000.0 + number
                        content = Content(f"lesson {number:03d}", NoteKind.LESSON, here)
                        writing.store.write(Draft(content, Writer(author, proposes=True), Origin.OVERMIND, Reach(())))
                    writing.store.limit_proposals(here.where)
                return left(writing)

            def later(writing):
                writing.at = 1300.0 + 30 * 86_400
                with writing.database.transaction():
                    writing.store.limit_proposals(here.where)
                return left(writing)

            def left(writing):
                return writing.database.read("SELECT count(*), min(text), max(text) FROM notes WHERE text <> ''")[0]

            assert await home.memory.write(fill) == (200, "lesson 100", "lesson 299")
            assert (await home.memory.write(later))[0] == 0

            def episodes(writing):
                table = EpisodeTable(writing.database)
                with writing.database.transaction():
                    for number in range(4):
                        table.save(StoredEpisode("m", number, "m", "old", float(number), 0, False, 0, Episode(("do",))))
                    assert [table.take_lesson("key", 1.0) for _ in range(2)] == [True, False]
                    table.remove_before(2.0)
                    table.rename_repository("old", "host/shop")
                return [one.stored.run for one in table.find(["DO"], "host/shop", 9)]

            assert await home.memory.write(episodes) == [3, 2]

    in_process.run(work())


def test_of_300_proposals_200_stay_and_of_these_none_longer_than_30_days(story):
    async def open_ones(inside):
        notes = await inside.ask("notes", proposed=True, cwd=str(story.work), limit=1000)
        assert notes["proposed"] == len(notes["notes"])
        return texts(notes["notes"])

    async def work():
        async with story.supervisor() as inside:
            for number in range(150):
                mission = await story.run(inside, name=f"run{number}")
                story.say(mission, result(f"Lessons:\n- the first of {number:03d}\n- the second of {number:03d}"))
                story.keeper.exit(f"{mission}.1")
                await rows(inside, number + 1)
            written = [f"the {one} of {number:03d}" for number in range(50, 150) for one in ("first", "second")]
            assert await open_ones(inside) == sorted(written)
        for days, count, left in ((29, 301, 200), (31, 302, 2)):
            async with story.supervisor(days * 86_400.0) as inside:
                mission = await story.run(inside, name=f"after{days}")
                story.say(mission, result(f"Lessons:\n- after {days} days"))
                while len(proposed(inside)) < count:
                    await in_process.idle()
                assert len(await open_ones(inside)) == left

    story.play(work)


def test_what_is_proposed_makes_room_for_itself_among_overminds_own_proposals_alone(story):
    async def work():
        async with story.supervisor() as inside:
            memory = inside.app.memory.memory()
            here = Scope(ScopeKind.REPO, (await memory.place_of(str(story.work))).repository)
            writer = Writer(Author(mission="m", name="m", agent="claude"), proposes=True)
            month = 31 * 86_400

            def fill(writing):
                def propose(text, origin, age):
                    writing.at = now - age
                    content = Content(text, NoteKind.LESSON, here)
                    writing.store.first(Draft(content, writer, origin, Reach(())), Standing.PROPOSED)

                now = writing.at
                with writing.database.transaction():
                    propose("an old one", Origin.OVERMIND, month)
                    propose("an agent's, as old", Origin.AGENT, month)
                    for number in range(200):
                        propose(f"number {number:03d}", Origin.OVERMIND, 1000 - number)

            def kept(reading):
                rows = reading.database.read("SELECT text FROM notes WHERE state = 'proposed' ORDER BY created_at")
                return [text for (text,) in rows]

            await memory.write(fill)
            mission = await story.run(inside)
            story.say(mission, result("Lessons:\n- use make"))
            await until(lambda: proposed(inside))
            recent = [f"number {number:03d}" for number in range(1, 200)]
            assert await memory.read(kept) == ["an agent's, as old", *recent, "use make"]

    story.play(work)


def test_a_program_on_a_terminal_is_heard_by_its_hooks_and_no_memory_keeps_nothing(story):
    async def work():
        async with story.supervisor() as inside:
            mission = await story.run(inside, type="session", interactive=True)
            off = await story.run(inside, type="session", interactive=True, notes="off", name="off")
            for one in (mission, off):
                session = inside.app.agents.session(inside.app.registry.live[one])
                for fact in (
                    ToolCalled("c", "Bash", "Bash: make", runs=True, command="make"),
                    ToolReturned("c", failed=True, exit_code=1, error="bad"),
                    TextSpoken("Lessons:\n- look twice"),
                    TurnEnded(TurnResult(ok=True)),
                ):
                    session.receive(fact)
            await until(lambda: note_events(inside))
            (found,) = await story.episodes(inside, "make")
            assert (found["mission"], found["commands"]) == (mission, [{"command": "make", "exit_code": 1}])
            assert texts(await story.proposals(inside)) == ["look twice"]

    story.play(work)
