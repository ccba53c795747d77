"""Budgets where the clock moves only while nothing is to be done: midnight, and each commit a daemon may die at."""

from __future__ import annotations

import asyncio
import json
import pathlib

import pytest

from overmind_core.domain.settings import QueueSettings
from overmind_core.errors import OvermindError
from overmind_core.kernel.config import Settings
from tests.kit import in_process
from tests.kit.in_process import supervising, until, world
from tests.kit.mortal import Story, commits_of

SETTINGS = Settings(queue=QueueSettings(slots=1, backoff=0.01, max_cost_per_day=1.0))
COSTS = {"one": 0.40, "two": 0.45, "three": 0.15, "four": 0.10}
MIDNIGHT = 1_800_057_600.0
"""Of a day in UTC, in seconds since the epoch."""
QUESTS = [{"title": name, "provider": "claude", "retries": 0, "isolate": False} for name in COSTS]


class Budgeted(Story):
    """Four quests for a dollar, of which the last one is a dime too dear."""

    settings = SETTINGS

    def __init__(self, folder, at=0, *, saved=False):
        super().__init__(folder, at, saved=saved)
        self.environment = world(f"{folder}/bin", "claude")
        self.asked: set[int] = set()

    def plays(self, inside):
        """Every run is one turn that costs what its quest does."""

        def begun(fields):
            run = fields["run"]
            if self.keeper.held.get(run, {}).get("exit") is None:
                asyncio.get_running_loop().call_soon(self.turn, inside, run)

        self.keeper.on_ask["spawn"] = begun

    def turn(self, inside, run):
        row = self.keeper.held[run]
        if row["exit"] is not None:
            return
        if not row["out"]:
            name = inside.app.registry.get(run.rpartition(".")[0]).definition.name
            result = {"type": "result", "subtype": "success", "is_error": False, "result": "done", "session_id": "s",
                      "num_turns": 1, "total_cost_usd": COSTS[name]}  # fmt: skip
            self.keeper.write(run, json.dumps(result).encode() + b"\n")
        self.keeper.exit(run)

    async def adds(self, inside):
        await inside.ask("quest_add", quests=QUESTS, cwd="/", env=self.environment, request="once")

    async def client(self, inside):
        """Add the quests, once, and allow more, until all are over."""
        await self.adds(inside)
        while True:
            for question in await inside.ask("inbox"):
                assert question["need"] == "budget"
                self.asked.add(question["question"])
                await inside.ask("answer", question=question["question"], behaviour="allow")
            if {row["status"] for row in await inside.ask("quests")} == {"completed"}:
                return
            await asyncio.sleep(0.01)

    async def ends(self):
        """The next one: it goes on, and warns and asks of nothing again."""
        async with supervising(self.home, self.keeper, settings=SETTINGS) as inside:
            self.plays(inside)
            for run in list(self.keeper.held):  # begun in the moment of the death
                self.turn(inside, run)
            await self.client(inside)
            events = [(event["type"], event.get("need")) for event in inside.events("queue")]
            assert events.count(("cost_warning", None)) == 1
            assert events.count(("asked", "budget")) == len(self.asked) == 1
            assert inside.app.engine.budgets.spent("queue") == pytest.approx(1.10)
            rows = await inside.ask("quests")
            assert [row["cost_usd"] for row in rows] == pytest.approx(list(COSTS.values()))
        self.keeper.close()


@pytest.mark.parametrize("saved", [False, True], ids=["before it is saved", "right after it is saved"])
def test_it_is_warned_and_asked_once_whichever_of_the_commits_a_supervisor_dies_at(tmp_path, saved):
    assert commits_of(Budgeted, str(tmp_path), saved=saved) > 12


def test_at_midnight_the_question_is_withdrawn_and_the_queue_goes_on_by_itself(tmp_path, monkeypatch):
    monkeypatch.setenv("TZ", "UTC")
    monkeypatch.setattr(in_process, "WALL", MIDNIGHT - 60.0)

    async def told():
        story = Budgeted(str(tmp_path))
        async with supervising(story.home, story.keeper, settings=SETTINGS) as inside:
            story.plays(inside)
            await story.adds(inside)
            await until(inside.app.engine_questions.asked_about, "more money is asked for")
            (question,) = await inside.ask("inbox")
            (last,) = [row for row in await inside.ask("quests") if row["status"] == "queued"]
            await asyncio.sleep(60.0)
            statuses = {row["status"] for row in await inside.ask("quests")}
            found = question["need"], last["code"], await inside.ask("inbox"), statuses
            spent = inside.app.engine.budgets.spent("queue")
        story.keeper.close()
        return found, spent

    assert in_process.run(told()) == (("budget", "budget", [], {"completed"}), pytest.approx(0.10))


@pytest.mark.parametrize("way", ["one daemon", "the next daemon", "a machine that slept"])
def test_at_midnight_the_question_is_withdrawn_also_where_no_quest_waits(tmp_path, monkeypatch, way):
    monkeypatch.setenv("TZ", "UTC")
    monkeypatch.setattr(in_process, "WALL", MIDNIGHT - 60.0)

    async def goes_on(inside, asked):
        assert [one["question"] for one in await inside.ask("inbox")] == [asked]
        if way == "a machine that slept":
            monkeypatch.setattr(inside.app.clock, "_later", 60.0)
        else:
            await asyncio.sleep(60.0)
            assert await inside.ask("inbox") == []
        with pytest.raises(OvermindError) as refused:
            await inside.ask("answer", question=asked, behaviour="allow")
        return refused.value.code, inside.app.engine.budgets._day_scope().limit

    async def told():
        story = Budgeted(str(tmp_path))
        async with supervising(story.home, story.keeper, settings=SETTINGS) as inside:
            story.plays(inside)
            await inside.ask("quest_add", quests=QUESTS[:3], cwd="/", env=story.environment, request="once")
            await until(inside.app.engine_questions.asked_about, "more money is asked for")
            (question,) = await inside.ask("inbox")
            found = None if way == "the next daemon" else await goes_on(inside, question["question"])
        if found is None:
            async with supervising(story.home, story.keeper, settings=SETTINGS) as inside:
                found = await goes_on(inside, question["question"])
        story.keeper.close()
        return found

    assert in_process.run(told()) == ("not_found", 1.0)


def test_a_day_whose_raise_was_denied_has_a_command_that_lets_the_queue_go_on(tmp_path):
    async def told():
        story = Budgeted(str(tmp_path))
        async with supervising(story.home, story.keeper, settings=SETTINGS) as inside:
            story.plays(inside)
            await story.adds(inside)
            await until(inside.app.engine_questions.asked_about, "more money is asked for")
            (question,) = await inside.ask("inbox")
            await inside.ask("answer", question=question["question"], behaviour="deny")
            why = await inside.ask("quest_why", id="four")
            await inside.ask("queue_set", max_cost_today=5.0)
            four = inside.app.quest_registry.find("four").id
            await until(lambda: inside.app.quest_registry.find(four).is_over, "it is done")
            asked = await inside.ask("inbox")
        story.keeper.close()
        return why["code"], why["do"], asked

    assert in_process.run(told()) == ("budget", ["overmind queue --max-cost-per-day 1.5 --today"], [])


@pytest.mark.parametrize("way", ["answer", "command"])
def test_a_day_that_cost_many_times_its_limit_goes_on_with_the_answer_or_with_the_command_of_why(tmp_path, way):
    settings = Settings(queue=QueueSettings(slots=1, backoff=0.01, max_cost_per_day=0.04))

    async def told():
        story = Budgeted(str(tmp_path))
        async with supervising(story.home, story.keeper, settings=settings) as inside:
            story.plays(inside)
            await story.adds(inside)
            await until(inside.app.engine_questions.asked_about, "more money is asked for")
            (question,) = await inside.ask("inbox")
            two = inside.app.quest_registry.find("two").id
            if way == "answer":
                await inside.ask("answer", question=question["question"], behaviour="allow")
            else:
                await inside.ask("answer", question=question["question"], behaviour="deny")
                (command,) = (await inside.ask("quest_why", id="two"))["do"]
                await inside.ask("queue_set", max_cost_today=float(command.split()[-2]))
            await until(lambda: inside.app.quest_registry.find(two).is_over, "it is done")
            row = await inside.ask("quest", id=two)
        story.keeper.close()
        return row["status"], question["summary"]

    assert in_process.run(told()) == ("completed", "$0.40 of $0.04 of today are spent")


def test_a_day_gets_a_limit_where_none_is_configured_and_what_it_has_cost_counts(tmp_path, monkeypatch):
    monkeypatch.setenv("TZ", "UTC")
    monkeypatch.setattr(in_process, "WALL", MIDNIGHT - 60.0)
    settings = Settings(queue=QueueSettings(slots=1, backoff=0.01))

    async def told():
        story = Budgeted(str(tmp_path))
        async with supervising(story.home, story.keeper, settings=settings) as inside:
            story.plays(inside)
            await inside.ask("quest_add", quests=QUESTS[:2], cwd="/", env=story.environment, request="first")
            quests = inside.app.quest_registry
            await until(lambda: all(quests.find(one).is_over for one in ("one", "two")), "both are done")
            await inside.ask("queue_set", max_cost_today=0.5)
            await inside.ask("quest_add", quests=QUESTS[2:3], cwd="/", env=story.environment, request="second")
            await until(inside.app.engine_questions.asked_about, "more money is asked for")
            (question,) = await inside.ask("inbox")
            why = await inside.ask("quest_why", id="three")
        async with supervising(story.home, story.keeper, settings=settings) as inside:
            story.plays(inside)
            assert (await inside.ask("quest_why", id="three"))["code"] == "budget", "the next daemon forgets it"
            await asyncio.sleep(60.0)
            (three,) = [row for row in await inside.ask("quests") if row["name"] == "three"]
            found = question["summary"], why["code"], await inside.ask("inbox"), three["status"]
        story.keeper.close()
        return found

    summary = "$0.85 of $0.50 of today are spent"
    assert in_process.run(told()) == (summary, "budget", [], "completed")


def test_a_limit_that_is_set_during_a_day_counts_what_the_day_has_cost_and_a_lower_one_asks_at_once(tmp_path):
    settings = Settings(queue=QueueSettings(slots=1, backoff=0.01))

    async def told():
        story = Budgeted(str(tmp_path))
        async with supervising(story.home, story.keeper, settings=settings) as inside:
            story.plays(inside)
            await inside.ask("quest_add", quests=QUESTS[:2], cwd="/", env=story.environment, request="first")
            quests = inside.app.quest_registry
            await until(lambda: all(quests.find(one).is_over for one in ("one", "two")), "both are done")
        async with supervising(story.home, story.keeper, settings=SETTINGS) as inside:
            spent = inside.app.engine.budgets.spent("queue")
            await inside.ask("queue_set", max_cost_today=0.5)
            (question,) = await inside.ask("inbox")
        story.keeper.close()
        return spent, question["summary"]

    assert in_process.run(told()) == (pytest.approx(0.85), "$0.85 of $0.50 of today are spent")


def configure(home, text):
    pathlib.Path(home.config).write_text(text, encoding="utf-8")


def test_what_a_day_holds_says_that_a_higher_limit_is_configured_and_not_in_use(tmp_path):
    async def told():
        story = Budgeted(str(tmp_path))
        found = []
        async with supervising(story.home, story.keeper, settings=SETTINGS) as inside:
            story.plays(inside)
            await story.adds(inside)
            await until(inside.app.engine_questions.asked_about, "more money is asked for")
            for text in ("[queue]\nmax_cost_per_day = 1.0\nslots = 9", "[queue]\nmax_cost_per_day = 9.0"):
                configure(story.home, text)
                answers = await inside.ask("quest_why", id="four"), await inside.ask("queue")
                found += [answer["pending_settings"].rpartition(" was changed: ")[2] for answer in answers]
        story.keeper.close()
        return found

    said = "it takes effect with: overmind start --replace"
    assert in_process.run(told()) == ["", "", said, said]
