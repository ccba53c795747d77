"""Changes of the queue that a person asks for: quests added, edited, and given another round."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from overmind_core.domain.missions.references import is_id
from overmind_core.domain.quests import briefing
from overmind_core.domain.quests.again import begun_again, row_of
from overmind_core.domain.quests.attempt import RETRIED, is_gone
from overmind_core.domain.quests.life import is_done, landed_by_hand
from overmind_core.domain.quests.needs import cycle_of
from overmind_core.domain.quests.quest import IS, Quest, QuestStatus
from overmind_core.domain.replacing import replace
from overmind_core.errors import OvermindError
from overmind_core.kernel.database import StoreError
from overmind_core.kernel.tasks import SingleFlight
from overmind_core.quests import intake
from overmind_core.quests.answers import brief
from overmind_core.quests.edits import QuestEdits

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from overmind_core.domain.quests.quest import QueueState, SwarmPost
    from overmind_core.kernel.config import Settings
    from overmind_core.kernel.journal import Journal
    from overmind_core.missions.registry import Registry
    from overmind_core.missions.service import Missions
    from overmind_core.missions.spec import MissionSpec
    from overmind_core.quests.answer_types import QuestBrief, QuestRetried
    from overmind_core.quests.intake import QuestOrigin, QueuedWork
    from overmind_core.quests.ports import AgentWork, Asker, Repositories
    from overmind_core.quests.registry import QuestRegistry
    from overmind_core.quests.requests import QuestAdd, QuestEdit, QuestRetry
    from overmind_core.system.machine import Clock

MOST_UNFINISHED = 10_000


class _Looked(NamedTuple):
    """What was found of folders, programs and repositories: once for all quests of a request, as git is slow."""

    starts: dict[tuple[object, ...], bool]
    """What a start depends on → whether the quest would be isolated."""
    repositories: dict[tuple[object, ...], str | None]


class QueueChanges:
    """Adds, edits and retries quests. Used from the event loop's thread only."""

    def __init__(
        self,
        *,
        quests: QuestRegistry,
        journal: Journal,
        clock: Clock,
        settings: Settings,
        registry: Registry,
        missions: Missions,
        repositories: Repositories,
        asker: Asker,
        agents: AgentWork,
        kept_worktree: Callable[[str], str | None],
    ) -> None:
        """`kept_worktree`: the folder with a mission's work, even of a removed one; None: there is none."""
        self._kept_worktree = kept_worktree
        self._quests = quests
        self._journal = journal
        self._clock = clock
        self._settings = settings
        self._registry = registry
        self._missions = missions
        self._repositories = repositories
        self._asker = asker
        self._edits = QuestEdits(
            quests=quests,
            journal=journal,
            clock=clock,
            settings=settings,
            registry=registry,
            missions=missions,
            agents=agents,
            is_taken=self.is_taken,
            check_cycle=self._check_cycle,
            repository_of=self._repository,
        )
        self._under_way: SingleFlight[list[QuestBrief]] = SingleFlight()

    # adding

    async def add(self, request: QuestAdd, key: str) -> list[QuestBrief]:
        """Put quests into the queue: all of them, or none; with the same key once.

        Raises:
            OvermindError: the first mistake; nothing was recorded.
        """
        return await self._under_way.do(key, lambda: self._add(msgspec.structs.replace(request, request=key)))

    async def _add(self, request: QuestAdd) -> list[QuestBrief]:
        key = request.request or ""
        earlier = self.made_by(key, 0)
        if earlier is not None:
            found = [self.made_by(key, number) for number in range(len(request.quests))]
            return [brief(one) for one in found if one is not None]
        made = await self.prepare(request)
        await self._save(made, request)
        return [brief(one.quest) for one in made]

    async def add_post(
        self,
        request: QuestAdd,
        post: SwarmPost,
        *,
        origin: QuestOrigin = intake.PERSON_ADDS,
        prepare: Callable[[str], None] | None,
        link: Callable[[str], Callable[[], None]],
    ) -> str:
        """Add the quest that does a post of the swarm, and return its id; with the same key once.

        Args:
            request: With one quest, and a key.
            post: The post.
            origin: How its name begins, and the feedback of attempts before it was posted.
            prepare: Called in a thread with the id before the quest can begin; again, where a daemon dies meanwhile.
            link: Called with the id just before it is saved, and so before it can begin; what it returns saves in the
                same transaction which quest it is.

        Raises:
            OvermindError: it can't be done here; nothing was recorded, but for what `link` has done.
        """
        earlier = self.made_by(request.request or "", post=post.id)
        if earlier is not None:
            return earlier.id
        made = await self.prepare(request, origin._replace(post=post))
        quest = made[0].quest.id
        if prepare is not None:
            await asyncio.to_thread(prepare, quest)
            self._check_names(made)
        await self._save(made, request, link(quest))
        return quest

    async def prepare(self, request: QuestAdd, origin: QuestOrigin = intake.PERSON_ADDS) -> list[QueuedWork]:
        """Validate quests that are to be added; nothing is recorded.

        Raises:
            OvermindError: the first mistake.
        """
        key = request.request or ""
        self._missions.check_open()
        if len(self._quests.live) + len(request.quests) > MOST_UNFINISHED:
            raise OvermindError("too_large", f"There can be up to {MOST_UNFINISHED:,} unfinished quests.")
        ids = [self._new_id(key, number) for number in range(len(request.quests))]
        if origin.post is not None and is_id(origin.post.id) and self._is_free(origin.post.id):
            ids = [origin.post.id]  # people know it by that
        read = intake.Intake(
            request,
            self._settings,
            now=self._clock.wall(),
            id_of=ids.__getitem__,
            taken=self.is_taken,
            find=self._quests.find,
            origin=origin,
        ).read()
        intake.check_cycles(read)
        several, looked = len(read) > 1, _Looked({}, {})
        made = [await self._checked(one, number if several else None, looked) for number, one in enumerate(read, 1)]
        self._check_names(made)
        return made

    def made_by(self, key: str, number: int = 0, *, post: str | None = None) -> Quest | None:
        """Return the quest of this number that a request with this key has made; None: it has made none.

        `post`: the post of the swarm that it does.
        """
        named = None if post is None or not self._quests.knows(post) else self._quests.get(post)
        if named is not None and named.queue is not None and named.queue.request == key:
            return named
        salt = 0
        while True:
            fresh = intake.quest_id(key, number, salt)
            found = self._quests.get(fresh) if self._quests.knows(fresh) else None
            if found is None:
                return None
            if found.queue is not None and found.queue.request == key:
                return found
            salt += 1

    def _new_id(self, key: str, number: int) -> str:
        salt = 0
        while True:
            fresh = intake.quest_id(key, number, salt)
            if self._is_free(fresh):
                return fresh
            salt += 1

    def _is_free(self, quest: str) -> bool:
        return not self._registry.knows(quest) and not self._quests.knows(quest)

    def is_taken(self, name: str) -> bool:
        """Whether a live quest or mission has this name."""
        return self._quests.holder(name) is not None or self._registry.index.holder(name) is not None

    def _check_names(self, made: Sequence[QueuedWork]) -> None:
        """Check the names once more, as the lookups took a moment."""
        for one in made:
            if self.is_taken(one.quest.name):
                raise OvermindError("name_taken", f"The name {one.quest.name!r} was taken meanwhile. Try again.")

    def _check_cycle(self, quest: Quest) -> None:
        def known(quest_id: str) -> Quest | None:
            return quest if quest_id == quest.id else self._quests.get(quest_id)

        loop = cycle_of(quest.id, lambda one: intake.needs_of(known(one)))
        if loop:
            names = [one if (found := known(one)) is None else found.name for one in loop]
            raise intake.cycle_error(names)

    async def _checked(self, one: QueuedWork, number: int | None, looked: _Looked) -> QueuedWork:
        """Refuse now what `run` would refuse when the quest's turn comes; `number`: its place among several."""
        start, place = _start_of(one.spec), (one.quest.cwd, *_places(one.quest))
        try:
            if start not in looked.starts:
                looked.starts[start] = await self._missions.check_start(one.spec)
            isolated = looked.starts[start]
            review = intake.review_spec(one.quest, one.spec, self._settings)
            if review is not None and (reviewed := _start_of(review)) not in looked.starts:
                await self._missions.check_program(review)
                looked.starts[reviewed] = False
            if place not in looked.repositories:
                looked.repositories[place] = await self._repository(one.quest)
            repository = looked.repositories[place]
        except OvermindError as error:
            if number is None:
                raise
            message = f"{one.quest.name}: {error.message}"
            raise OvermindError(error.code, message, **{**error.fields, "number": number}) from None
        quest = one.quest
        assert quest.queue is not None
        if repository != quest.queue.repository:  # most need none: of a thousand quests each copy counts
            quest = replace(quest, queue=replace(quest.queue, repository=repository))
        return one._replace(quest=quest, work=replace(one.work, isolate=isolated))

    async def _repository(self, quest: Quest) -> str | None:
        """The repository to which its paths belong: git's common folder, else the folder itself."""
        goal = quest.goal
        assert goal is not None
        if not goal.owns and goal.into is None:
            return None
        found = await self._repositories.repository_around(quest.cwd)
        if found is None and goal.into is not None:
            raise OvermindError("invalid", f"{quest.cwd} is not in a git repository: leave out --into.")
        return found or quest.cwd

    async def _save(
        self, made: Sequence[QueuedWork], request: QuestAdd, link: Callable[[], None] = lambda: None
    ) -> None:
        """Save them, and what `link` saves with them."""
        new = [(one.quest, one.work) for one in made]
        save = self._quests.writing_new(new, {one.work.shared: request.env for one in made})

        def write() -> None:
            save()
            link()

        for one in made:
            self._registry.index.hold(one.quest.name, one.quest.id)
        changes = [self._journal.save(write), *(self._quests.record(one.quest) for one in made)]
        try:
            await self._journal.saved()
        except StoreError:
            self._journal.withdraw(changes)
            self._quests.dismiss(one.quest.id for one in made)
            for one in made:
                self._registry.index.let_go(one.quest.id)
            raise
        for one in made:
            self._quests.know(one.quest)

    # editing

    async def edit(self, request: QuestEdit) -> QuestBrief:
        """Change a quest; raises as `QuestEdits.edit` does."""
        return brief(await self._edits.edit(request))

    # another round

    async def retry(self, request: QuestRetry) -> QuestRetried:
        """Give a failed or cancelled quest another round of attempts.

        Raises:
            OvermindError: `not_running`: it has not failed; `gone`: its mission was removed; `name_taken`.
        """
        quest = self._quests.find(request.id, alone=True)
        self.retried(quest, intake.checked_brief(request.message or ""))
        again = self._quests.live[quest.id].queue  # before the wait, in which somebody may cancel and remove it
        assert again is not None
        await self._journal.saved()
        return {**brief(quest), "round": again.round}

    def check_retry(self, quest: Quest) -> QueueState:
        """The state of a quest that may have another round; raises as `retry` does."""
        queue = quest.queue
        if queue is None:
            mission = self._registry.get(quest.id)
            row = row_of(quest, timeout=0.0 if mission is None else mission.definition.timeout)
            raise OvermindError("invalid", f"Quest {quest.id} ({quest.name}) {begun_again(row)}")
        if quest.status not in RETRIED:
            message = f"Quest {quest.id} ({quest.name}) {IS[quest.status]}"
            message += ": only one that has failed or was cancelled is retried."
            raise OvermindError("not_running", message)
        landed = landed_by_hand(quest)
        if landed is not None and is_done(quest):
            message = (
                f"The work of quest {quest.id} ({quest.name}) was landed by hand on {landed.branch}, so it is done"
            )
            raise OvermindError("not_running", f"{message}. Have more done with: overmind quest add")
        if is_gone(quest, has_mission=self._registry.get(quest.id) is not None):
            message = f"The mission of quest {quest.id} ({quest.name}) was removed"
            kept = self._kept_worktree(quest.id)
            message += ", and its work with it." if kept is None else f"; its work is kept in {kept}."
            raise OvermindError("gone", f"{message} Add it again with: overmind quest add")
        if self.is_taken(quest.name):
            message = (
                f"The name {quest.name!r} is taken now. Rename this one: overmind quest edit {quest.id} --name NAME"
            )
            raise OvermindError("name_taken", message)
        return queue

    def retried(self, quest: Quest, words: str) -> None:
        """The quest queued again, with a person's message in its feedback; raises as `retry` does."""
        queue = self.check_retry(quest)
        now = self._clock.wall()
        again = replace(
            quest,
            status=QuestStatus.QUEUED,
            reason=None,
            exit_code=None,
            ended_at=None,
            queue=replace(
                queue,
                round=queue.round + 1,
                spent=0,
                free=0,
                redone=0,
                landed=None,
                able_at=now,
                not_before=0.0,
                feedback=briefing.with_words(queue.feedback, words),
            ),
        )
        with self._journal.together():
            self._quests.put(again)
            self._quests.record(again)
            self._asker.withdraw(quest.id)


def _start_of(spec: MissionSpec) -> tuple[object, ...]:
    """The fields that `Missions.check_start` reads; all quests of a request have the same environment."""
    made = spec.definition
    return made.cwd, made.argv[0], spec.isolate, spec.base, frozenset(spec.environment.chosen.items())


def _places(quest: Quest) -> tuple[bool, bool]:
    """Whether it has paths, and a branch to land on: each needs its repository."""
    assert quest.goal is not None
    return bool(quest.goal.owns), quest.goal.into is not None
