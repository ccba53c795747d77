"""The commits of the queue: whichever of them a supervisor dies at, each attempt runs once and each quest ends once."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import pytest

from overmind_core.domain.settings import QueueSettings
from overmind_core.kernel.config import Settings
from tests.kit.in_process import supervising, world
from tests.kit.mortal import Story, commits_of
from tests.kit.quest_lives import assert_lives_are_legal, folded, standing

SETTINGS = Settings(queue=QueueSettings(slots=1, backoff=0.01))
BAD = {("checked/check", 1): 3, ("stuck", 1): 5}
"""Name and how often it has run → the exit code; others end well."""
QUESTS: list[dict[str, Any]] = [
    {"title": "checked", "check": "look", "retries": 1, "ref": "checked"},
    {"title": "reviewed", "review": "person", "needs": ["checked"], "ref": "reviewed"},
    {"title": "stuck", "retries": 0, "needs": ["reviewed"], "ref": "stuck"},
    {"title": "last", "needs": ["stuck"]},
]
ATTEMPTS = {
    "checked": ["check_failed", None],
    "reviewed": [None],
    "stuck": ["exit", None],
    "last": [None],
}
RUNS = {"checked": 2, "checked/check": 2, "reviewed": 1, "stuck": 2, "last": 1}


class Chain(Story):
    """A chain of quests: one is checked twice, one reviewed, one gets another round; their person answers once each."""

    settings = SETTINGS

    def __init__(self, folder, at=0, *, saved=False):
        super().__init__(folder, at, saved=saved)
        self.ran: Counter[str] = Counter()
        self.named: dict[str, str] = {}

    def plays(self, inside):
        """Every run ends as soon as its start was answered."""

        def begun(fields):
            run = fields["run"]
            if run in self.named:  # asked for again, as the answer was lost
                return
            mission = inside.app.registry.get(run.rpartition(".")[0])
            self.named[run] = name = mission.definition.name
            self.ran[name] += 1
            asyncio.get_running_loop().call_soon(self.keeper.exit, run, BAD.get((name, self.ran[name]), 0))

        self.keeper.on_ask["spawn"] = begun

    async def client(self, inside):
        """Add the quests, once, and answer what is asked, until all are over."""
        quests = [{"command": "true", **one} for one in QUESTS]
        await inside.ask("quest_add", quests=quests, cwd="/", env=world(), request="once")
        while True:
            for question in await inside.ask("inbox"):
                await inside.ask("answer", question=question["question"], behaviour="allow")
            if {row["status"] for row in await inside.ask("quests")} == {"completed"}:
                return
            await asyncio.sleep(0.01)

    async def ends(self):
        """The next one: everything happens that has not, and nothing again."""
        async with supervising(self.home, self.keeper, settings=SETTINGS) as inside:
            self.plays(inside)
            for run, row in self.keeper.held.items():
                if row["exit"] is None:  # begun in the moment of the death
                    self.keeper.exit(run, BAD.get((self.named[run], self.ran[self.named[run]]), 0))
            await self.client(inside)
            rows = await inside.ask("quests")
            found = {row["name"]: (await inside.ask("quest", id=row["id"]))["attempt_list"] for row in rows}
            assert {name: [one["class"] for one in tries] for name, tries in found.items()} == ATTEMPTS
            assert all([one["run"] for one in tries] == list(range(1, len(tries) + 1)) for tries in found.values())
            assert dict(self.ran) == RUNS, "each attempt, and each check, has run once"
            events = [event for row in rows for event in inside.events(row["id"]) if event["type"] == "quest"]
            assert_lives_are_legal(events)
            assert folded(events) == {row["id"]: standing(row) for row in rows}
            assert Counter(event["name"] for event in events if event["status"] == "completed") == Counter(
                list(ATTEMPTS)
            )
            answers = [event for row in rows for event in inside.events(row["id"]) if event["type"] == "answered"]
            assert [(event["name"], event["behaviour"]) for event in answers] == [
                ("reviewed", "allow"), ("stuck", "allow"),
            ]  # fmt: skip
        self.keeper.close()


@pytest.mark.parametrize("saved", [False, True], ids=["before it is saved", "right after it is saved"])
def test_each_attempt_runs_once_whichever_of_the_commits_a_supervisor_dies_at(tmp_path, saved):
    """Kill table: added; between lease and spawn; work over, check not begun; a question answered, not acted on."""
    assert commits_of(Chain, str(tmp_path), saved=saved) > 12
