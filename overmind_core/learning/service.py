"""The service of learning: one outcome for each attempt, estimates, and lessons.

The commit that ends an attempt also saves its outcome, the lesson that follows from it, and whether the lessons that
the attempt was shown have helped.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from overmind_core.domain.agents.agent import RAW
from overmind_core.domain.quests import briefing
from overmind_core.domain.quests.quest import QuestStatus
from overmind_core.domain.replacing import replace
from overmind_core.domain.watching import learning
from overmind_core.domain.watching.learning import AttemptOutcome, Estimate, Lesson, LessonState
from overmind_core.errors import OvermindError
from overmind_core.kernel.actor import ENGINE, actor
from overmind_core.learning.events import LessonChanged
from overmind_core.learning.store import lesson_row

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Sequence

    from overmind_core.domain.quests.quest import Attempt, Goal, Quest
    from overmind_core.kernel.event_log import EventLog
    from overmind_core.kernel.journal import Journal
    from overmind_core.kernel.tasks import Tasks
    from overmind_core.learning.store import LessonTable, OutcomeTable
    from overmind_core.missions.registry import Registry
    from overmind_core.quests.ports import AgentWork, Repositories
    from overmind_core.quests.registry import QuestRegistry

KEPT = 20_000
"""How many outcomes are kept, the newest."""
KEPT_LESSONS = 1000
"""How many lessons that nobody has accepted are kept, the newest."""
CANCELLED = "cancelled"
"""The class of an attempt that a person has ended."""
TYPE = "type"
"""The label with the type of a quest's work."""
_TRIM_EVERY = 500
_NOBODYS = learning.TEACHES_NOTHING | {CANCELLED}
"""Classes of failures that do not count against the lessons that the attempt was shown."""
_log = logging.getLogger(__name__)


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
        events: EventLog,
        tasks: Tasks,
        registry: Registry,
        quests: QuestRegistry,
        agents: AgentWork,
        outcome_table: OutcomeTable,
        lesson_table: LessonTable,
        repositories: Repositories,
        changed: Callable[[Quest], Awaitable[Iterable[str]]],
        slug_of_spec: Callable[[str], str | None],
    ) -> None:
        """`changed`: the files that the work of a quest has changed, relative to the top of its repository."""
        self._journal = journal
        self._events = events
        self._tasks = tasks
        self._registry = registry
        self._quests = quests
        self._agents = agents
        self._outcomes = outcome_table
        self._lessons = lesson_table
        self._repositories = repositories
        self._changed = changed
        self._slug_of_spec = slug_of_spec
        self._newest = 0
        self._added = 0
        self._around: dict[str, str | None] = {}
        """Folder → git's common folder there."""
        self._kinds: dict[str, tuple[Quest, WorkKind]] = {}
        self._estimates: dict[WorkKind, Estimate] = {}
        self._known_providers: frozenset[str] | None = None
        """Providers with enough successful attempts for an estimate; None: to be read again after a new outcome."""

    def load(self) -> None:
        """Continue after the highest number that was ever used."""
        self._newest = self._lessons.newest()

    # outcomes

    def attempt_ended(self, quest: Quest) -> None:
        """Record the newest attempt of a quest, which has ended, in the commit that saves its end."""
        queue = quest.queue
        if queue is None or not queue.tries or queue.tries[-1].ended_at is None:
            return
        attempt = queue.tries[-1]
        failure = attempt.failure or (CANCELLED if quest.status is QuestStatus.CANCELLED else None)
        self._add(quest, attempt, failure)
        self._count_use(attempt, failure)
        if failure is None and len(queue.tries) > 1 and queue.tries[-2].failure is not None:
            if queue.repository is not None:
                self._propose(quest, queue.repository)
            else:  # git says which repository it works in
                self._tasks.start(self._propose_later(quest))

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
        )
        self._added += 1
        trims = self._added % _TRIM_EVERY == 1  # at the first one, too: a daemon may see few of them

        def write() -> None:
            self._outcomes.add(outcome)
            if trims:
                self._outcomes.trim(KEPT)

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

    # lessons

    def lessons(self) -> list[Lesson]:
        """All lessons, oldest first."""
        self._journal.flush()
        return [row.lesson for row in self._lessons.every()]

    async def shown(self, quest: Quest) -> tuple[Lesson, ...]:
        """The lessons that the next attempt of a quest is shown."""
        if not self._newest or quest.goal is None:
            return ()
        repository = await self._repository(quest)
        if repository is None:
            return ()
        self._journal.flush()
        accepted = [row.lesson for row in self._lessons.accepted(repository)]
        return learning.select(accepted, repository=repository, owns=quest.goal.owns, about=_about(quest.goal))

    async def _repository(self, quest: Quest) -> str | None:
        """Git's common folder of the repository in which a quest works; None: it works in none."""
        if quest.queue is not None and quest.queue.repository is not None:
            return quest.queue.repository
        if quest.cwd not in self._around:
            try:
                found = await self._repositories.repository_around(quest.cwd)
            except OvermindError:
                return None
            if len(self._around) >= _MOST_FOLDERS:
                self._around.clear()
            self._around[quest.cwd] = found
        return self._around[quest.cwd]

    async def decide(self, word: str, state: LessonState) -> Lesson:
        """Accept or drop a lesson for a person; return it once that is saved.

        Raises:
            OvermindError: `not_found`.
        """
        self._journal.flush()
        digits = word.strip().upper().removeprefix("L-")
        row = self._lessons.get(int(digits)) if digits.isascii() and digits.isdigit() and len(digits) < _LONG else None
        if row is None:
            raise OvermindError("not_found", f"No lesson named {word!r}. See them with: overmind learn --lessons")
        before = row.lesson
        after = learning.accept(before) if state is LessonState.ACCEPTED else learning.drop(before)
        if after != before:
            self._save(after)
            self._record(None, after)
        await self._journal.saved()
        return after

    async def forgetting(self, spec: str, quests: Sequence[Quest]) -> Callable[[], None]:
        """Return a function that forgets the outcomes and lessons of a spec's quests; called in the same commit."""
        del spec
        where = {await self._repository(quest) for quest in quests} - {None}
        names, ids = {quest.name for quest in quests}, [quest.id for quest in quests]

        def write() -> None:
            self._outcomes.remove(ids)
            rows = [row for one in where if one is not None for row in self._lessons.of(one)]
            self._lessons.remove([row.id for row in rows if row.lesson.quest in names])

        def forget() -> None:
            self._journal.save(write, self._forget_estimates)

        return forget

    async def _propose_later(self, quest: Quest) -> None:
        repository = await self._repository(quest)
        if repository is not None:
            self._journal.flush()
            self._propose(quest, repository)

    def _propose(self, quest: Quest, repository: str) -> None:
        """Propose a lesson: an attempt has passed after one that failed."""
        queue, goal = quest.queue, quest.goal
        assert queue is not None
        assert goal is not None
        lesson = learning.propose(
            queue.tries[-2].failure or "",
            briefing.bare(queue.feedback),
            (),
            repository=repository,
            quest=quest.name,
            about=_about(goal),
            at=queue.tries[-1].ended_at or 0.0,
        )
        if lesson is None or any(row.lesson.key == lesson.key for row in self._lessons.of(repository)):
            return
        self._newest += 1
        lesson = replace(lesson, number=self._newest)
        self._save(lesson)
        self._record(quest, lesson)
        if self._newest % _TRIM_EVERY == 0:
            self._journal.save(lambda: self._lessons.trim(KEPT_LESSONS))
        self._tasks.start(self._note_files(lesson.number, quest))

    async def _note_files(self, number: int, quest: Quest) -> None:
        """Add the changed files to a lesson later, as git takes a while."""
        files = sorted(await self._changed(quest))[: learning.MOST_FILES]
        self._journal.flush()
        row = self._lessons.get(number)
        if files and row is not None:
            self._save(replace(row.lesson, files=tuple(files)))

    def _count_use(self, attempt: Attempt, failure: str | None) -> None:
        """Count for each lesson that the attempt was shown whether it helped."""
        if failure is not None and (failure in _NOBODYS or failure.startswith("api_error")):
            return
        for number in attempt.lessons:
            row = self._lessons.get(number)
            if row is not None:
                self._save(learning.count_use(row.lesson, passed=failure is None))

    def _save(self, lesson: Lesson) -> None:
        row = lesson_row(lesson)
        self._journal.save(lambda: self._lessons.save(row))

    def _record(self, quest: Quest | None, lesson: Lesson) -> None:
        event = LessonChanged(
            mission=None if quest is None else quest.id,
            name=lesson.quest,
            lesson=lesson.id,
            state=lesson.state.value,
            failure=lesson.failure,
            repository=lesson.repository,
        )
        if actor() is None:
            event = msgspec.structs.replace(event, by=ENGINE, why=f"it failed ({lesson.failure}), then it passed")
        self._events.record(event)


_MOST_FOLDERS = 1000
"""How many folders' repositories are remembered."""
_LONG = 18
"""As many digits no number of a lesson has; SQLite could not compare it."""


def _about(goal: Goal) -> str:
    return f"{goal.title}\n{goal.brief}"
