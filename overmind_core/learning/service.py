"""The service of learning: one outcome for each attempt, estimates, and lessons.

The commit that ends an attempt also saves its outcome and, for memory, the lesson that follows from it, and whether
what the attempt was given has helped.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from overmind_core.domain.agents.agent import RAW
from overmind_core.domain.memory.giving import Injection
from overmind_core.domain.quests import briefing
from overmind_core.domain.quests.life import landed_by_hand
from overmind_core.domain.quests.quest import QuestStatus
from overmind_core.domain.replacing import replace
from overmind_core.domain.watching import learning
from overmind_core.domain.watching.learning import CANCELLED, AttemptOutcome, AttemptVote, Estimate

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Sequence

    from overmind_core.domain.quests.quest import Attempt, Quest
    from overmind_core.kernel.journal import Journal
    from overmind_core.kernel.tasks import Tasks
    from overmind_core.learning.outbox import Outbox
    from overmind_core.learning.ports import LessonKeeper
    from overmind_core.learning.store import OutcomeTable
    from overmind_core.missions.registry import Registry
    from overmind_core.quests.ports import AgentWork
    from overmind_core.quests.registry import QuestRegistry

KEPT = 20_000
"""How many outcomes are kept, the newest."""
KEPT_LESSONS = 1000
"""How many lessons, and votes, wait at most while memory can't be used: the newest."""
TYPE = "type"
"""The label with the type of a quest's work."""
_TRIM_EVERY = 500


class WorkKind(NamedTuple):
    """The kind of work: attempts of one kind are compared with each other."""

    type: str
    provider: str
    model: str


class Learning:
    """Outcomes and lessons of a home. Used from the event loop's thread only."""

    def __init__(
        self,
        *,
        journal: Journal,
        tasks: Tasks,
        registry: Registry,
        quests: QuestRegistry,
        agents: AgentWork,
        outcome_table: OutcomeTable,
        outbox: Outbox,
        keeper: LessonKeeper,
        changed: Callable[[Quest], Awaitable[Iterable[str]]],
        slug_of_spec: Callable[[str], str | None],
    ) -> None:
        """`changed`: the files that the work of a quest has changed, relative to the top of its repository."""
        self._journal = journal
        self._tasks = tasks
        self._registry = registry
        self._quests = quests
        self._agents = agents
        self._outcomes = outcome_table
        self._outbox = outbox
        self._keeper = keeper
        self._changed = changed
        self._slug_of_spec = slug_of_spec
        self._newest = 0
        self._added = 0
        self._kinds: dict[str, tuple[Quest, WorkKind]] = {}
        self._estimates: dict[WorkKind, Estimate] = {}
        self._known_providers: frozenset[str] | None = None
        """Providers with enough successful attempts for an estimate; None: to be read again after a new outcome."""

    def load(self) -> None:
        """Continue after the highest number that was ever used."""
        self._newest = self._outbox.newest()

    # outcomes

    def attempt_ended(self, quest: Quest) -> None:
        """Record the newest attempt of a quest, which has ended, in the commit that saves its end."""
        queue = quest.queue
        if queue is None or not queue.tries or queue.tries[-1].ended_at is None:
            return
        attempt = queue.tries[-1]
        failure = attempt.failure or (CANCELLED if quest.status is QuestStatus.CANCELLED else None)
        self._add(quest, attempt, failure)
        is_by_hand = failure is None and landed_by_hand(quest) is not None  # no attempt has passed
        if is_by_hand or not self._keeper.keeps_lessons:
            return
        self._vote(quest, attempt, failure)
        if failure is None and len(queue.tries) > 1 and queue.tries[-2].failure is not None:
            self._propose(quest)

    def _add(self, quest: Quest, attempt: Attempt, failure: str | None) -> None:
        kind = self.kind(quest)
        spec = None if quest.queue is None or quest.queue.spec is None else self._slug_of_spec(quest.queue.spec)
        ended = attempt.ended_at or attempt.started_at
        outcome = AttemptOutcome(
            quest.id,
            attempt.number,
            ended,
            type=kind.type,
            provider=kind.provider,
            model=kind.model,
            spec=spec or "",
            failure=failure,
            cost_usd=attempt.cost_usd,
            seconds=max(0.0, ended - attempt.started_at),
            is_estimated=attempt.is_estimated,
        )
        self._added += 1
        trims = self._added % _TRIM_EVERY == 1  # at the first one, too: a daemon may see few of them

        def write() -> None:
            self._outcomes.add(outcome)
            if trims:
                self._outcomes.trim(KEPT)
                self._outbox.trim(KEPT_LESSONS)

        self._journal.save(write, self._forget_estimates)
        if quest.is_over:
            self._kinds.pop(quest.id, None)

    def _forget_estimates(self) -> None:
        self._estimates.clear()
        self._known_providers = None

    def kind(self, quest: Quest) -> WorkKind:
        """The kind of a quest's work."""
        known = self._kinds.get(quest.id)
        if known is not None and known[0] is quest:
            return known[1]
        work = self._registry.get(quest.id)
        agent = None if work is None or quest.provider == RAW else self._agents.agent(quest.id)
        labels = None if work is None else work.definition.labels
        if work is None and (stored := self._quests.work(quest.id)) is not None:
            labels, agent = stored.definition.labels, stored.agent
        group = None if quest.goal is None else quest.goal.group
        model = None if agent is None else agent.model
        found = WorkKind((labels or {}).get(TYPE) or group or "", quest.provider, model or "")
        if not quest.is_over:
            self._kinds[quest.id] = (quest, found)
        return found

    def estimate(self, quest: Quest) -> Estimate:
        """The time and cost to expect of an attempt of a quest, from similar ones."""
        return self.usual(self.kind(quest)) if self._has_enough(quest.provider) else Estimate()

    def usual(self, kind: WorkKind) -> Estimate:
        """The time and cost to expect of an attempt of this kind."""
        if not self._has_enough(kind.provider):
            return Estimate()
        found = self._estimates.get(kind)
        if found is None:
            passed = self._outcomes.passed(kind.type, kind.provider)
            found = learning.estimate(passed, type=kind.type, provider=kind.provider, model=kind.model)
            self._estimates[kind] = found
        return found

    def _has_enough(self, provider: str) -> bool:
        """Whether a provider has enough outcomes; asked for each quest, so it is read from the store once."""
        if self._known_providers is None:
            self._known_providers = self._outcomes.providers(learning.ENOUGH)
        return provider in self._known_providers

    def estimated_seconds(self, quest: Quest) -> float | None:
        """The given estimate of a quest in seconds, else that from similar quests; None: unknown."""
        goal = quest.goal
        if goal is None or goal.estimate is not None:
            return None if goal is None else goal.estimate
        return self.estimate(quest).seconds

    def expected(self, quest: Quest) -> Estimate:
        """As `estimated_seconds`, with the cost; plain commands differ too much to be estimated from each other."""
        if quest.goal is None or quest.provider == RAW:
            return Estimate(None if quest.goal is None else quest.goal.estimate)
        return self.estimate(quest)._replace(seconds=self.estimated_seconds(quest))

    def rates(self, by: str) -> list[learning.Rate]:
        """How quests went, grouped by one of `learning.GROUPS`."""
        self._journal.flush()
        return learning.rates(self._outcomes.newest(KEPT), by)

    # what waits for memory

    def resume(self) -> None:
        """Go on with what an earlier daemon has left."""
        self._begin_to_complete([one.number for one in self._outbox.lessons() if one.mission])

    async def forgetting(self, spec: str, quests: Sequence[Quest]) -> Callable[[], None]:
        """Return a function that forgets the outcomes of a spec's quests, and what of them waits; in the same commit.

        Notes that were made of their lessons stay.
        """
        del spec
        ids = [quest.id for quest in quests]

        def write() -> None:
            self._outcomes.remove(ids)
            self._outbox.remove_lessons([one.number for one in self._outbox.lessons() if one.mission in ids])
            self._outbox.remove_votes([one for one in self._outbox.votes() if one.mission in ids])

        def forget() -> None:
            self._journal.save(write, self._forget_estimates)

        return forget

    def _propose(self, quest: Quest) -> None:
        """Propose a lesson: an attempt has passed after one that failed."""
        queue, goal = quest.queue, quest.goal
        assert queue is not None
        assert goal is not None
        work = self._registry.get(quest.id)
        if work is not None and work.definition.notes is Injection.OFF:  # nothing of it is kept
            return
        before, attempt = queue.tries[-2:]
        lesson = learning.propose(
            before.failure or "",
            briefing.bare(queue.feedback),
            repository=queue.repository or quest.cwd,
            quest=quest.name,
            mission=quest.id,
            agent="" if quest.provider == RAW else quest.provider,
            began_at=attempt.started_at,
            at=attempt.ended_at or 0.0,
        )
        if lesson is None:
            return
        self._newest += 1
        lesson = replace(lesson, number=self._newest)
        self._outbox.unfinished.add(lesson.number)  # the vote of the same commit may have memory look before git has
        self._journal.save(lambda: self._outbox.save(lesson), lambda: self._begin_to_complete([lesson.number]))

    def _begin_to_complete(self, numbers: Sequence[int]) -> None:
        self._outbox.unfinished.update(numbers)
        self._tasks.start(self._complete(numbers))

    async def _complete(self, numbers: Sequence[int]) -> None:
        """Add the changed files to lessons, as git takes a while, and have memory look."""
        try:
            for number in numbers:
                await self._add_files(number)
            self._journal.flush()
        finally:
            self._outbox.unfinished.difference_update(numbers)
        self._keeper.wake()

    async def _add_files(self, number: int) -> None:
        lesson = self._outbox.get(number)
        quest = None if lesson is None or lesson.files else self._quests.get(lesson.mission)
        files = [] if quest is None else sorted(await self._changed(quest))[: learning.MOST_FILES]
        self._journal.flush()
        lesson = self._outbox.get(number)
        if files and lesson is not None:
            self._journal.save(lambda: self._outbox.save(replace(lesson, files=tuple(files))))

    def _vote(self, quest: Quest, attempt: Attempt, failure: str | None) -> None:
        """Have what the attempt was given counted as what has helped it, or not."""
        if not self._keeper.was_given(quest.id) or not attempt.run:
            return
        if failure is not None and (failure == CANCELLED or not learning.is_of_the_work(failure)):
            return
        vote = AttemptVote(quest.id, attempt.number, attempt.run, failure is None, attempt.ended_at or 0.0)
        self._journal.save(lambda: self._outbox.vote(vote), self._keeper.wake)
