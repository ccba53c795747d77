"""The queued quests in line: who looks at a few is told of them what all of them would have been told."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

from hypothesis import given
from hypothesis import strategies as st

from overmind_core.domain.admission import Limits, Owned, Pool, Wait, WaitCode, Waiter, ready
from overmind_core.domain.quests.quest import Goal, Priority, Quest, QuestStatus, QueueState
from overmind_core.domain.quests.why import PAUSED, attempt_text, first_of
from overmind_core.domain.text.moment import format_clock
from overmind_core.quests.line import Line
from overmind_core.quests.obstacles import Obstacles

NOW = 10_000.0
HELD = Wait(WaitCode.HELD, "question 3 is open")
SPENT = Wait(WaitCode.BUDGET, "$4.10 of $4.00 of today are spent")
KEEP_BACK = frozenset({WaitCode.BLOCKED, WaitCode.NEEDS, WaitCode.HELD})
"""Reasons that have nothing to do with time, money or turns."""


class World:
    """Quests, each of which may need those before it, and what is in their way."""

    def __init__(self, quests, paused):
        self.live = {one.id: one for one in quests}
        self.paused = paused
        self.obstacles = Obstacles(cast("Any", self))
        self.obstacles.holds.append(lambda quest: HELD if quest.check == "held" else None)
        self.obstacles.money = cast("Any", SimpleNamespace(hold=lambda quest: SPENT if quest.check == "poor" else None))
        self.limits = Limits(
            {"queue": Pool(3, 1), "provider:claude": Pool(1, 0)}, {"other": Owned("/r", ("src/a/**",), "is in review")}
        )

    def get(self, quest_id):
        return self.live.get(quest_id)

    def dependants(self, quest_id):
        return [one.id for one in self.live.values() if one.goal is not None and quest_id in one.goal.needs]

    @property
    def queued(self):
        return [one for one in self.live.values() if one.status is QuestStatus.QUEUED]

    def waiter(self, quest, rank):
        return Waiter(
            quest.name, rank, pools=("queue", f"provider:{quest.provider}"), owns=quest.goal.owns, repository="/r"
        )

    def line(self):
        return Line(
            self.queued, self.obstacles, NOW, paused=self.paused, waiter=self.waiter, limits=lambda: self.limits
        )

    def told(self):
        """What `ready` says of all of them at once, by id."""
        waiters, needs = [], self.obstacles.needs(NOW)
        for quest in self.queued:
            blocked = self.obstacles.of(quest, needs)
            waiters.append(
                self.waiter(quest, self.obstacles.rank(quest, NOW))._replace(
                    blocked=first_of((blocked, PAUSED)) if self.paused else blocked,
                    not_before=quest.queue.not_before,
                    attempt=attempt_text(quest) if quest.queue.tries else "",
                )
            )
        waiting = ready(waiters, NOW, self.limits, time_text=lambda at: format_clock(at, NOW)).waiting
        return {one.id: waiting[one.name] for one in self.queued if one.name in waiting}


@st.composite
def worlds(draw):
    quests: list[Quest] = []
    for number in range(draw(st.integers(0, 14))):
        needs = draw(st.lists(st.sampled_from(quests), max_size=2, unique_by=id)) if quests else []
        goal = Goal(
            priority=draw(st.sampled_from(Priority)),
            needs=tuple(one.id for one in needs),
            owns=draw(st.sampled_from([(), ("src/a/*.py",), ("src/b/**",), ("docs/**",)])),
        )
        status = draw(
            st.sampled_from([QuestStatus.QUEUED] * 5 + [QuestStatus.RUNNING, QuestStatus.COMPLETED, QuestStatus.FAILED])
        )
        quests.append(
            Quest(
                f"{number:08x}",
                f"q{number}",
                "true",
                "/",
                draw(st.sampled_from(["raw", "claude"])),
                NOW - draw(st.integers(0, 9000)),
                check=draw(st.sampled_from([None, None, None, "held", "poor"])),
                status=status,
                goal=goal,
                ended_at=NOW - 5 if status in {QuestStatus.COMPLETED, QuestStatus.FAILED} else None,
                queue=QueueState(not_before=draw(st.sampled_from([0.0, 0.0, NOW + 60]))),
            )
        )
    return World(quests, draw(st.booleans()))


@given(worlds(), st.data())
def test_a_few_are_told_what_all_of_them_would_be(world, data):
    line, told = world.line(), world.told()
    some = data.draw(st.lists(st.sampled_from(list(world.live.values())), unique_by=id)) if world.live else []
    ids = {one.id for one in some}
    assert line.waits(some) == {one: wait for one, wait in told.items() if one in ids}


@given(worlds())
def test_the_code_is_that_of_the_reason_wherever_others_or_a_person_keep_it_back(world):
    line, told = world.line(), world.told()
    for quest in line.quests:
        wait = told.get(quest.id)
        code = None if wait is None or wait.code not in KEEP_BACK else wait.code
        assert line.code(quest) == code


@given(worlds())
def test_they_stand_in_the_order_of_their_ranks(world):
    line = world.line()
    ranks = [world.obstacles.rank(one, NOW) for one in line.quests]
    assert ranks == sorted(ranks)
    assert {one.id for one in line.quests} == {one.id for one in world.queued}
    assert [line.positions[one.id] for one in line.quests] == list(range(1, len(ranks) + 1))
