"""The queue on a clock of its own: when attempts begin, who is followed by another daemon, and what wakes it up."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from itertools import pairwise

import pytest

from overmind_core.domain.agents.prices import Price, Prices
from overmind_core.domain.settings import OwnAgent, QueueSettings
from overmind_core.errors import OvermindError
from overmind_core.kernel.config import Settings
from overmind_core.system.paths import Home
from tests.kit import in_process
from tests.kit.in_process import ScriptedKeeper, idle, supervising, until, world


class Daemons:
    """One home, its keeper, and the supervisor of the moment."""

    def __init__(self, tmp_path):
        self.home = Home(str(tmp_path / "home"))
        self.keeper = ScriptedKeeper(self.home)

    @asynccontextmanager
    async def one(self, *, own=(), prices=None, **queue):
        settings = Settings(queue=QueueSettings(**queue), own=own, prices=Prices(prices or {}))
        async with supervising(self.home, self.keeper, settings=settings) as inside:
            self.inside = inside
            yield self

    async def add(self, title, **how):
        quest = {"title": title, "command": "true", **how}
        added = await self.inside.ask("quest_add", quests=[quest], cwd="/", env=world())
        return added["quests"][0]["id"]

    async def info(self, quest):
        return await self.inside.ask("quest", id=quest)

    async def begun(self, quest, attempt=1):
        """Wait until this attempt runs."""
        await until(lambda: f"{quest}.{attempt}" in self.keeper.held, f"{quest} runs its attempt {attempt}")

    async def ends(self, quest, attempt=1, code=0):
        """Have this attempt end."""
        await self.begun(quest, attempt)
        self.keeper.exit(f"{quest}.{attempt}", code)
        await idle()

    @property
    def is_needed(self):
        """Whether the keeper brings another daemon when this one dies."""
        return self.inside.app.line.is_needed

    def started(self, quest, attempt):
        """When an attempt's process began."""
        return self.keeper.held[f"{quest}.{attempt}"]["mono"]

    def ended(self, quest, attempt):
        return self.keeper.held[f"{quest}.{attempt}"]["exit"]["mono"]


def story(tmp_path, scenario):
    daemons = Daemons(tmp_path)
    try:
        in_process.run(scenario(daemons))
    finally:
        daemons.keeper.close()


@pytest.mark.parametrize(("backoff", "pauses"), [(2.0, [2, 4, 8, 16, 32, 60, 60]), (0.5, [0.5, 1, 2])])
def test_the_pause_before_an_attempt_doubles_up_to_a_minute(tmp_path, backoff, pauses):
    async def scenario(daemons):
        async with daemons.one(backoff=backoff):
            quest = await daemons.add("one", retries=len(pauses))
            for attempt in range(1, len(pauses) + 2):
                await daemons.ends(quest, attempt, code=3)
            found = [
                daemons.started(quest, attempt + 1) - daemons.ended(quest, attempt)
                for attempt in range(1, len(pauses) + 1)
            ]
            assert found == pytest.approx(pauses, abs=0.1)
            info = await daemons.info(quest)
            assert (info["status"], info["reason"], info["exit_code"]) == ("failed", "retries_spent", 3)

    story(tmp_path, scenario)


def test_a_pause_goes_on_where_it_was_in_the_next_daemon(tmp_path):
    async def scenario(daemons):
        async with daemons.one(backoff=30.0):
            quest = await daemons.add("one", retries=1)
            await daemons.ends(quest, code=3)
        async with daemons.one(backoff=30.0):
            await daemons.ends(quest, 2)
            assert daemons.started(quest, 2) - daemons.ended(quest, 1) == pytest.approx(30.0, abs=0.1)
            assert (await daemons.info(quest))["status"] == "completed"

    story(tmp_path, scenario)


def test_a_quest_lasts_since_its_first_attempt_began_and_not_since_it_was_added(tmp_path):
    async def scenario(daemons):
        async with daemons.one(slots=1, backoff=20.0):
            first, second = await daemons.add("first"), await daemons.add("second", retries=1)
            await daemons.begun(first)
            await asyncio.sleep(30.0)
            waiting = await daemons.info(second)
            assert (waiting["began_at"], waiting["lasted_seconds"]) == (None, None)
            assert waiting["duration_seconds"] == pytest.approx(30.0, abs=0.5)
            await daemons.ends(first)
            await daemons.begun(second)
            await asyncio.sleep(5.0)
            began = (await daemons.info(second))["began_at"]
            await daemons.ends(second, code=3)
            await daemons.begun(second, 2)
            await daemons.ends(second, 2)
            done = await daemons.info(second)
            assert done["began_at"] == began == done["attempt_list"][0]["started_at"] > done["started_at"]
            assert done["lasted_seconds"] == pytest.approx(25.0, abs=0.5), "with the pause between its attempts"
            assert done["duration_seconds"] == pytest.approx(55.0, abs=1.0)

    story(tmp_path, scenario)


def test_the_attempt_that_ends_as_its_quest_is_cancelled_is_still_counted(tmp_path):
    async def scenario(daemons):
        async with daemons.one(backoff=30.0):

            async def tries(quest):
                info = await daemons.info(quest)
                return info["status"], info["tries"]

            quest = await daemons.add("one", retries=2)
            await daemons.ends(quest, code=3)
            await daemons.begun(quest, 2)
            assert await tries(quest) == ("running", 2)
            asking = asyncio.ensure_future(daemons.inside.ask("quest_cancel", id=quest))
            await idle()
            await daemons.ends(quest, 2, code=143)
            await asking
            assert await tries(quest) == ("cancelled", 2)
            await daemons.inside.ask("queue_set", paused=True)
            await daemons.inside.ask("quest_retry", id=quest)
            await daemons.inside.ask("quest_cancel", id=quest)
            assert await tries(quest) == ("cancelled", 0), "no attempt of this round began"

    story(tmp_path, scenario)


def test_a_daemon_is_followed_while_something_goes_on_by_itself_and_not_while_all_wait_for_a_person(tmp_path):
    """`custody.need` holds while one runs or will start by itself, not while all wait for a person."""

    async def scenario(daemons):
        async with daemons.one():
            assert not daemons.is_needed
            reviewed = await daemons.add("reviewed", review="person")
            await daemons.begun(reviewed)
            assert daemons.is_needed, "it runs"
            await daemons.ends(reviewed)
            await until(lambda: not daemons.is_needed)
            await daemons.add("blocked", needs=["reviewed"])
            assert not daemons.is_needed, "what it needs is a person's to decide"
            failing = await daemons.add("failing", retries=1, backoff=30_000)
            await daemons.ends(failing, code=3)
            assert daemons.is_needed, "it has another attempt in a moment"
            await daemons.inside.ask("queue_set", paused=True)
            await idle()
            assert not daemons.is_needed, "the queue is paused"
            await daemons.inside.ask("queue_set", paused=False)
            await idle()
            assert daemons.is_needed
            await daemons.inside.ask("quest_cancel", id="failing")
            await idle()
            assert not daemons.is_needed, "nobody waits for that time any more"
            await daemons.inside.ask("answer", id="reviewed", behaviour="allow")
            await daemons.begun((await daemons.inside.ask("quest", id="blocked"))["id"])
            assert daemons.is_needed

    story(tmp_path, scenario)


def test_a_paused_queue_sets_no_timer(tmp_path):
    """Figures: 10,000 queued, paused: no wake-up of ours."""

    async def scenario(daemons):
        async with daemons.one():
            await daemons.inside.ask("queue_set", paused=True)
            quests = [{"title": f"q{number}", "command": "true"} for number in range(200)]
            await daemons.inside.ask("quest_add", quests=quests, cwd="/", env=world())
            await idle()
            queue = daemons.inside.app.engine.queue
            assert queue._timer is None
            assert not daemons.is_needed

    story(tmp_path, scenario)


def test_a_changed_priority_counts_at_once(tmp_path):
    async def scenario(daemons):
        async with daemons.one(slots=1):
            taken = await daemons.add("taken")
            await daemons.begun(taken)
            names = [await daemons.add(name) for name in ("one", "two", "three")]
            await daemons.inside.ask("quest_edit", id="three", priority="critical")
            await daemons.inside.ask("quest_edit", id="one", priority="low")
            await daemons.ends(taken)
            order = [names[2], names[1], names[0]]
            for quest in order:
                await daemons.ends(quest)
            starts = [daemons.started(quest, 1) for quest in order]
            assert all(before <= after for before, after in pairwise(starts))
            assert [run.partition(".")[0] for run in daemons.keeper.held] == [taken, *order]

    story(tmp_path, scenario)


def test_a_lease_names_its_run_and_each_attempt_has_one(tmp_path):
    async def scenario(daemons):
        async with daemons.one(backoff=0.001):
            quest = await daemons.add("one", retries=2)
            for attempt in (1, 2, 3):
                await daemons.ends(quest, attempt, code=0 if attempt == 3 else 1)
            info = await daemons.info(quest)
            assert [(one["attempt"], one["run"]) for one in info["attempt_list"]] == [(1, 1), (2, 2), (3, 3)]
            events = [event for event in daemons.inside.events(quest) if event["type"] == "quest"]
            leases = [event for event in events if event.get("phase") == "work"]
            assert [(event["attempt"], event["by"], event["why"]) for event in leases] == [
                (number, "engine", "its turn has come") for number in (1, 2, 3)
            ]
            assert [event["attempt"] for event in events] == [0, 1, 1, 2, 2, 3, 3]

    story(tmp_path, scenario)


@pytest.mark.parametrize(
    ("command", "words", "status"),
    [("quest_edit", {"priority": "critical"}, "running"), ("quest_cancel", {}, "cancelled")],
)
def test_a_quest_that_somebody_meets_as_it_is_saved_begins_once_or_never(tmp_path, command, words, status):
    """Its commit is there before whoever has added it hears of that."""

    async def scenario(daemons):
        async with daemons.one() as one:
            journal = one.inside.app.journal
            met: list[str] = []
            saved = journal.saved

            async def saved_and_met():
                await saved()
                if not met:
                    met.append(command)
                    await one.inside.ask(command, id="one", **words)

            journal.saved = saved_and_met
            quest = await one.add("one")
            journal.saved = saved
            await idle()
            assert (await one.info(quest))["status"] == status
            told = [event["status"] for event in one.inside.events(quest) if event["type"] == "quest"]
            assert told == ["queued", status]

    story(tmp_path, scenario)


def test_a_reviewer_that_is_not_there_is_refused_before_any_work(tmp_path):
    """A reviewer's program would be looked for only once the work is done."""
    environment = {**world(str(tmp_path / "bin"), "claude"), "PATH": str(tmp_path / "bin")}

    def quest(**how):
        return {"title": "work", "command": ["/bin/sh"], **how}

    async def scenario(daemons):
        async with daemons.one():
            await daemons.inside.ask("queue_set", paused=True)

            async def add(*quests):
                return await daemons.inside.ask("quest_add", quests=list(quests), cwd="/", env=environment)

            for refused in ([quest(review="codex")], [quest(), quest(review="claude"), quest(review="codex")]):
                with pytest.raises(OvermindError, match="codex") as met:
                    await add(*refused)
                assert met.value.code == "provider_missing"
            assert not daemons.inside.app.quest_registry.live
            kept = (await add(quest(review="claude")))["quests"][0]["id"]
            with pytest.raises(OvermindError, match="codex") as met:
                await daemons.inside.ask("quest_edit", id=kept, review="codex")
            assert met.value.code == "provider_missing"
            assert (await daemons.info(kept))["review"] == "claude"
            await daemons.inside.ask("quest_edit", id=kept, review="person")
            assert (await daemons.info(kept))["review"] == "person"

    story(tmp_path, scenario)


def test_another_prompt_keeps_the_model_and_is_judged_with_it(tmp_path):
    """The limit of cost needs the price of that model."""
    environment = world(str(tmp_path / "bin"), "codex")
    quest = {"title": "work", "command": "first", "provider": "codex", "max_cost": 1.0,
             "agent": {"model": "stub", "allow": ["Bash(ls)"]}}  # fmt: skip

    async def scenario(daemons):
        async with daemons.one(prices={"stub": Price(1.0, 2.0)}):
            ask = daemons.inside.ask
            await ask("queue_set", paused=True)
            added = (await ask("quest_add", quests=[quest], cwd="/", env=environment))["quests"][0]["id"]

            async def edit(**how):
                await ask("quest_edit", id=added, **how)
                work = daemons.inside.app.quest_registry.work(added)
                return work.agent.prompt, work.agent.model, work.agent.allow, work.definition.max_cost

            assert await edit(command="second") == ("second", "stub", ("Bash(ls)",), 1.0)
            assert await edit(agent={"allow": ["Bash(pwd)"]}) == ("work", "stub", ("Bash(pwd)",), 1.0)
            with pytest.raises(OvermindError, match="dear"):
                await edit(agent={"model": "dear"})
            assert await edit(command="third", agent={"model": "dear"}, max_cost=0.0) == (
                "third", "dear", ("Bash(pwd)",), 0.0,
            )  # fmt: skip

    story(tmp_path, scenario)


def test_another_prompt_is_given_to_the_program_as_it_is_set_up_now(tmp_path):
    environment = world(str(tmp_path / "bin"), "first", "second")

    async def scenario(daemons):
        async with daemons.one(own=(OwnAgent("once:mine", "first", ("-a",), "a"),)):
            await daemons.inside.ask("queue_set", paused=True)
            quest = {"title": "work", "command": "x", "provider": "once:mine"}
            added = (await daemons.inside.ask("quest_add", quests=[quest], cwd="/", env=environment))["quests"][0]["id"]
        async with daemons.one(own=(OwnAgent("once:mine", "second", ("-b",), "b"),)):
            await daemons.inside.ask("quest_edit", id=added, command="y")
            agent = daemons.inside.app.quest_registry.work(added).agent
            assert (agent.program, agent.program_arguments, agent.answer) == ("second", ("-b",), "b")

    story(tmp_path, scenario)


def test_the_scores_of_a_later_time_are_told_without_waiting_for_it(tmp_path):
    async def scenario(daemons):
        async with daemons.one():
            await daemons.inside.ask("queue_set", paused=True)
            await daemons.add("waits")
            found = [await daemons.inside.ask("queue", at=at) for at in (0, 3600, 7200)]
            scores = [one["quests"][0]["score"] for one in found]
            assert scores == pytest.approx([0.275, 0.475, 0.6475], abs=1e-3)

    story(tmp_path, scenario)


@pytest.mark.parametrize("while_it_waits", [True, False], ids=["while it waits", "between two daemons"])
def test_a_clock_that_is_set_back_makes_no_pause_longer(tmp_path, monkeypatch, while_it_waits):
    wall = in_process.WALL

    def set_back():
        monkeypatch.setattr(in_process, "WALL", wall - 86_400)

    async def scenario(daemons):
        async with daemons.one(backoff=8.0):
            quest = await daemons.add("one", retries=1)
            await daemons.ends(quest, code=3)
            if while_it_waits:
                set_back()
                await daemons.begun(quest, 2)
        if not while_it_waits:
            set_back()
            async with daemons.one(backoff=8.0):
                await daemons.begun(quest, 2)
        assert daemons.started(quest, 2) - daemons.ended(quest, 1) < 60

    story(tmp_path, scenario)


async def edited(inside, quest, **terms):
    known = await inside.ask("definition", id=quest)
    changed = {**known["definition"], **terms}
    return await inside.ask("redefine", id=quest, as_of=known["as_of"], definition=changed)


@pytest.mark.parametrize("failed", [False, True])
@pytest.mark.parametrize("by", ["update", "edit", "quest edit"])
def test_a_limit_that_is_changed_is_that_of_the_next_attempt_too(tmp_path, by, failed):
    async def scenario(daemons):
        async with daemons.one() as one:
            quest = await one.add("lim", retries=0, timeout="20s", env_set={"A": "1"})
            await one.begun(quest)
            if failed:
                await one.ends(quest, code=1)
            if by == "quest edit":
                await one.inside.ask("quest_edit", id=quest, timeout="90s", activity_timeout=40)
            elif by == "update":
                await one.inside.ask("update", id=quest, timeout="90s", activity_timeout=40)
            else:
                terms = {"timeout": "90s", "activity_timeout": "40s", "env": {"B": "2"}, "max_cost": 3.0}
                await edited(one.inside, quest, **terms)
            mission = one.inside.app.registry.get(quest)
            assert (mission.definition.timeout, mission.definition.activity_timeout) == (90.0, 40.0), "at once"
            if not failed:
                await one.ends(quest, code=1)
            await one.inside.ask("quest_retry", id=quest)
            await one.begun(quest, 2)
            definition = one.inside.app.registry.get(quest).definition
            assert (definition.timeout, definition.activity_timeout) == (90.0, 40.0)
            if by == "edit":
                chosen = one.inside.app.saved_environments.of(quest).chosen
                assert (chosen.get("A"), chosen.get("B"), definition.max_cost) == (None, "2", 3.0)
                assert (await one.info(quest))["max_cost_usd"] == 3.0

    story(tmp_path, scenario)


@pytest.mark.parametrize(
    ("code", "change", "said"),
    [
        (None, {"command": "false"}, "its command can't be changed now. Cancel it first: overmind quest cancel lim"),
        (1, {"command": "false"}, "Change that with: overmind quest edit lim -- CMD"),
        (0, {"timeout": "90s"}, "has completed. Add it again with: overmind quest add"),
        (None, {"restart": "always"}, "Change them with: overmind quest edit lim --retries N"),
        (1, {"restart": "always"}, "Change them with: overmind quest edit lim --retries N"),
    ],
)
def test_an_edit_of_its_mission_that_its_next_attempt_would_lose_is_refused(tmp_path, code, change, said):
    async def scenario(daemons):
        async with daemons.one() as one:
            quest = await one.add("lim", retries=0)
            await one.begun(quest)
            if code is not None:
                await one.ends(quest, code=code)
            before = (await one.inside.ask("definition", id=quest))["definition"]
            with pytest.raises(OvermindError) as error:
                await edited(one.inside, quest, **change)
            assert said in error.value.message
            after = await one.inside.ask("definition", id=quest)
            assert after["definition"] == before
            assert after["restart_refused"]

    story(tmp_path, scenario)
