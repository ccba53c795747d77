"""What always holds of the queue, whatever people, programs and crashes do to it in whatever order."""

from __future__ import annotations

import asyncio
import os
import random
import tempfile
from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from overmind_core.cli.quests.board import BoardDrawing
from overmind_core.domain.quests.board import COLUMNS
from overmind_core.domain.settings import QueueSettings
from overmind_core.domain.text.globs import can_meet
from overmind_core.errors import OvermindError
from overmind_core.kernel.config import Settings
from overmind_core.system.paths import Home
from tests.kit import in_process, torture
from tests.kit.in_process import ScriptedKeeper, idle, supervising, world
from tests.kit.quest_lives import assert_lives_are_legal, folded, standing
from tests.kit.repositories import Repository

SETTINGS = Settings(queue=QueueSettings(slots=2, backoff=0.5))
STATES = 200
"""Random stores of which the board is looked at."""
GLOBS = ["api/**", "api/x.py", "*/x.py", "web/*.ts", "docs/?", "**"]
PRIORITIES = ["critical", "high", "medium", "low"]

Act = tuple[str, int, int]
"""What is done, and two numbers that choose to whom and how."""
KINDS = ["add"] * 4 + ["end"] * 6 + ["answer"] * 2 + [
    "cancel", "retry", "edit", "needs", "pause", "slots", "tick", "crash",
]  # fmt: skip
ACTS: st.SearchStrategy[list[Act]] = st.lists(
    st.tuples(st.sampled_from(KINDS), st.integers(0, 1000), st.integers(0, 1000)), max_size=40
)


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """A repository, in which patterns mean something."""
    code = Repository(str(tmp_path_factory.mktemp("code") / "shop"))
    code.commit("first", {"a": "1\n"})
    return code.folder


class World:
    """A home whose queue is done all sorts of things to; after each of them all laws are looked at.

    Attributes:
        looks: How often they were.
    """

    def __init__(self, folder: str, checkout: str) -> None:
        self.home = Home(os.path.join(folder, "home"))
        self.keeper = ScriptedKeeper(self.home)
        self.checkout = checkout
        self.quests: list[str] = []
        self.slots = SETTINGS.queue.slots
        self.had_slot: set[str] = set()
        self.looks = 0

    async def lives(self, acts: list[Act]) -> None:
        """Do all of these, below one supervisor after the other."""
        left = list(acts)
        while True:
            async with supervising(self.home, self.keeper, settings=SETTINGS) as self.inside:
                await idle()
                await self.look()
                while left and left[0][0] != "crash":
                    await self.act(*left.pop(0))
                    await idle()
                    await self.look()
            if not left:
                self.keeper.close()
                return
            left.pop(0)

    async def act(self, kind: str, one: int, other: int) -> None:
        """Do something, which may be refused."""
        try:
            await getattr(self, f"act_{kind}")(one, other)
        except OvermindError as refusal:
            if refusal.code not in {"cycle", "name_taken", "not_running", "not_found", "invalid", "gone"}:
                raise

    async def ask(self, command: str, **arguments: Any) -> Any:
        return await self.inside.ask(command, **arguments)

    async def act_add(self, one: int, other: int) -> None:
        chance = random.Random(one * 1001 + other)
        quest = {
            "title": f"q {len(self.quests)}",
            "command": "true",
            "priority": chance.choice(PRIORITIES),
            "retries": chance.randrange(3),
            "needs": chance.sample(self.quests, min(len(self.quests), chance.choice([0, 0, 1, 2]))),
            "owns": chance.sample(GLOBS, chance.choice([0, 0, 1, 2])),
        }
        quest |= {name: value for name, value in (("check", "true"), ("review", "person")) if chance.random() < 0.3}
        if quest["needs"] and chance.random() < 0.3:
            quest["needs_min"] = 1
        (made,) = (await self.ask("quest_add", quests=[quest], cwd=self.checkout, env=world()))["quests"]
        self.quests.append(made["id"])

    async def act_end(self, one: int, other: int) -> None:
        runs = [run for run, row in self.keeper.held.items() if row["exit"] is None]
        if runs:
            self.keeper.exit(runs[one % len(runs)], [0, 0, 0, 1, 3][other % 5])

    async def act_answer(self, one: int, other: int) -> None:
        questions = await self.ask("inbox")
        if questions:
            question = questions[one % len(questions)]["question"]
            await self.ask("answer", question=question, behaviour=["allow", "deny"][other % 2])

    def chosen(self, number: int) -> str:
        return self.quests[number % len(self.quests)] if self.quests else "nobody"

    async def act_cancel(self, one: int, _other: int) -> None:
        asked = asyncio.create_task(self.ask("quest_cancel", id=self.chosen(one)))
        await idle()
        for run in [run for run, row in self.keeper.held.items() if row["exit"] is None]:
            if run.partition(".")[0] == self.chosen(one):
                self.keeper.exit(run, 143)
        await idle()
        asked.cancel()
        await asyncio.gather(asked, return_exceptions=True)

    async def act_retry(self, one: int, _other: int) -> None:
        await self.ask("quest_retry", id=self.chosen(one))

    async def act_edit(self, one: int, other: int) -> None:
        await self.ask("quest_edit", id=self.chosen(one), priority=PRIORITIES[other % 4])

    async def act_needs(self, one: int, other: int) -> None:
        await self.ask("quest_edit", id=self.chosen(one), needs=[self.chosen(other)] if other % 3 else [])

    async def act_pause(self, one: int, _other: int) -> None:
        await self.ask("queue_set", paused=bool(one % 2))

    async def act_slots(self, one: int, _other: int) -> None:
        self.slots = 1 + one % 3
        await self.ask("queue_set", slots=self.slots)

    async def act_tick(self, one: int, _other: int) -> None:
        await asyncio.sleep(one / 100)

    # the laws

    async def look(self) -> None:
        """See that all laws hold of the store as it is."""
        rows = await self.ask("quests", limit=10_000)
        queue = await self.ask("queue")
        self.looks += 1
        self.each_queued_one_has_a_reason(queue)
        self.nobody_got_a_slot_that_was_not_free(rows, queue)
        self.nobody_shares_what_it_owns(rows)
        self.each_is_in_one_column(rows, (await self.ask("board", all=True))["columns"])
        self.events_give_the_rows(rows)

    def each_queued_one_has_a_reason(self, queue: dict[str, Any]) -> None:
        """No queued quest without a start or a reason: nothing is to be done any more, so each has a reason."""
        assert [row["position"] for row in queue["quests"]] == list(range(1, len(queue["quests"]) + 1))
        for row in queue["quests"]:
            assert row["code"] is not None, row
            assert row["why"], row
            if row["code"] == "slots":
                assert sum(pool["used"] >= pool["slots"] for pool in queue["pools"]), row

    def nobody_got_a_slot_that_was_not_free(self, rows: list[dict[str, Any]], queue: dict[str, Any]) -> None:
        """No over-capacity: only fewer slots than run already make more run than there are slots."""
        having = {row["id"] for row in rows if row["status"] == "running" and row["phase"] != "landing"}
        assert queue["pools"][0]["used"] == len(having)
        assert len(having) <= self.slots or having <= self.had_slot
        self.had_slot = having

    def nobody_shares_what_it_owns(self, rows: list[dict[str, Any]]) -> None:
        """No two that run, or are in review, own patterns that can name one path."""
        own = [row["owns"] for row in rows if row["status"] in {"running", "review"}]
        for number, globs in enumerate(own):
            for others in own[:number]:
                assert not any(can_meet(one, other) for one in globs for other in others), (globs, others)

    def each_is_in_one_column(self, rows: list[dict[str, Any]], columns: list[dict[str, Any]]) -> None:
        """Acceptance 50: as JSON and as text."""
        assert [column["name"] for column in columns] == [column.value for column in COLUMNS]
        cards = Counter(row["id"] for column in columns for row in column["quests"])
        assert cards == Counter(row["id"] for row in rows)
        assert all(column["count"] == len(column["quests"]) for column in columns)
        text = "\n".join(BoardDrawing(4000, most=None).lines(columns)).split()
        assert Counter(word for word in text if word.startswith("q-")) >= Counter(row["name"] for row in rows)
        assert sum(word in "○▶⊗?✔✖■" for word in text) == len(rows)

    def events_give_the_rows(self, rows: list[dict[str, Any]]) -> None:
        """Folding the events gives the rows."""
        events = [event for quest in self.quests for event in self.inside.events(quest) if event["type"] == "quest"]
        assert folded(events) == {row["id"]: standing(row) for row in rows}
        assert_lives_are_legal(events)


def lived(folder: str, checkout: str, acts: list[Act]) -> World:
    story = World(folder, checkout)
    in_process.run(story.lives(acts))
    return story


@given(ACTS)
@settings(max_examples=torture.examples(100), deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_whatever_happens_the_laws_of_the_queue_hold(checkout, acts):
    with tempfile.TemporaryDirectory() as folder:
        lived(folder, checkout, acts)


@pytest.mark.parametrize(
    "seed",
    [
        pytest.param(random.SystemRandom().randrange(2**32), id="any"),
        pytest.param(678647009, id="a mission is gone before its exit is told"),
    ],
)
def test_of_200_random_stores_each_quest_is_in_exactly_one_column(checkout, tmp_path, seed):
    """Acceptance 50, its first half."""
    chance = random.Random(seed)
    acts = [(chance.choice(KINDS[:-1]), chance.randrange(1000), chance.randrange(1000)) for _ in range(STATES)]
    try:
        assert lived(str(tmp_path), checkout, acts).looks > STATES
    except AssertionError as failure:
        raise AssertionError(f"seed {seed}") from failure
