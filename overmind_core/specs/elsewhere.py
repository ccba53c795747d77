"""Attempts of specs that a swarm does: each is a post, which is followed to its end, whoever dies meanwhile.

The work of such an attempt is here a program of ours that waits, `cli/specs/attempt.py`: it has sent the documents to
the remote before it asks, and takes back what was made there. So the queue, retries and the daemon's death are as for
any other quest. The id of a post follows from its quest, round and failures: it is posted once.
"""

from __future__ import annotations

import asyncio
import base64
import logging
from typing import TYPE_CHECKING, Any

from overmind_core.domain.quests.quest import QuestStatus, SwarmWork
from overmind_core.domain.replacing import replace
from overmind_core.domain.swarm.quest_post import PostError, Source, SpecPart, check_source, definition, part_of_spec
from overmind_core.domain.swarm.standing import ENDED
from overmind_core.errors import OvermindError
from overmind_core.kernel.database import StoreError
from overmind_core.quests.intake import quest_id
from overmind_core.spec_files.documents import JSON, document_name

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    from overmind_core.domain.quests.quest import Quest
    from overmind_core.domain.specs.spec import Spec
    from overmind_core.domain.swarm.standing import PostStanding
    from overmind_core.kernel.journal import Journal
    from overmind_core.kernel.phase import Phase
    from overmind_core.kernel.tasks import Tasks
    from overmind_core.quests.registry import QuestRegistry
    from overmind_core.specs.answer_types import SpecAttemptItem
    from overmind_core.specs.ports import AttemptSource, SwarmPosts
    from overmind_core.specs.quest_maker import QuestMaker
    from overmind_core.specs.registry import SpecRegistry

    Spent = Callable[[str, float], None]
    """Is told the id of a quest and US dollars that it has cost since."""

LOOK_SECONDS = 1.0
"""Between two looks at a post."""
SILENT = "swarm_silent"
_WANTED = frozenset({"queued", "claimed", "lost", "done"})
"""States of a post that serve an attempt which is begun again."""
_GONE = frozenset({"not_found", "no_swarm"})
"""Codes by which a post can't be ended any more, as it is not there."""
_log = logging.getLogger(__name__)


class SpecsElsewhere:
    """Posts attempts and follows them. Used from the event loop's thread only."""

    def __init__(
        self,
        *,
        registry: SpecRegistry,
        quests: QuestRegistry,
        maker: QuestMaker,
        posts: SwarmPosts,
        journal: Journal,
        phase: Phase,
        tasks: Tasks,
        spent: Spent,
    ) -> None:
        self._registry = registry
        self._quests = quests
        self._maker = maker
        self._posts = posts
        self._journal = journal
        self._phase = phase
        self._tasks = tasks
        self._spent = spent
        self._ending: set[str] = set()
        """Specs of which posts are being ended."""
        self._told: dict[str, int] = {}
        """Posts whose end an attempt was told → the number of that attempt: the next one needs another post."""

    def check(self) -> None:
        """Raise `no_swarm` where this home has none."""
        self._posts.check()

    def attempt(self, text: str) -> Quest:
        """Return the quest with this id, whose newest attempt the swarm is to do.

        Raises:
            OvermindError: `not_running`, there is none.
        """
        quest = self._quests.live.get(text)
        if quest is None or quest.status is not QuestStatus.RUNNING or quest.queue is None or not quest.queue.elsewhere:
            raise OvermindError("not_running", f"Quest {text} has no attempt that the swarm does.")
        return quest

    async def follow(self, quest: Quest, source: AttemptSource) -> AsyncIterator[SpecAttemptItem]:
        """Have the swarm do the newest attempt of a quest, and yield how it goes, last its end.

        Raises:
            OvermindError: it can't be posted.
        """
        told: SpecAttemptItem | None = None
        post: str | None = None
        while True:
            item: SpecAttemptItem
            try:
                post = post or await self._posted(quest, source)
                standing = _known(post, await self._posts.standing(post))
                item = await self._end(quest, post, standing) if standing.state in ENDED else _item(post, standing)
                self._note(quest.id, standing)
            except OvermindError as error:
                if error.code != SILENT:
                    raise
                item = {"what": "silent", "post": post, "state": "", "hive": None, "status": "", "why": error.message}
            if item != told:
                told = item
                yield item
            if item["what"] == "end":
                return
            await asyncio.sleep(LOOK_SECONDS)

    async def _posted(self, quest: Quest, source: AttemptSource) -> str:
        """Return the id of the post of an attempt, which it has once, whatever was lost."""
        spec = self._registry.of_quest(quest)
        if spec is None or spec.placement is None:
            raise OvermindError("gone", f"The spec of quest {quest.name} is no longer done in the swarm.")
        number = 0
        while True:
            post = _post_of(quest, number)
            standing = await self._posts.standing(post)
            if standing is None or standing.state in _WANTED or self._is_awaited(quest, post):
                break
            number += 1  # what became of that one is known
        others = [one for one, whose in spec.posts.items() if whose == quest.id and one != post]
        for other in others:
            await self._ended_surely(spec.id, other)
        if standing is None:
            made = self._definition(self._registry.all[spec.id], quest, post, source)
            self._remember(spec.id, post, quest.id)
            await self._journal.saved()
            await self._posts.add(made)
        return post

    def _is_awaited(self, quest: Quest, post: str) -> bool:
        """Whether the end of a post is that of the newest attempt, which may not have heard it yet."""
        spec = self._registry.of_quest(quest)
        tries = _tries(quest)
        return spec is not None and post in spec.posts and self._told.get(post, tries) == tries

    def _definition(self, spec: Spec, quest: Quest, post: str, source: AttemptSource) -> Mapping[str, Any]:
        assert spec.placement is not None
        assert quest.goal is not None
        assert quest.queue is not None
        phase, task = self._registry.phase_of(quest), self._registry.task_of(quest)
        code = Source(source.remote, source.commit)
        try:
            check_source(code)
        except PostError as error:
            raise OvermindError("invalid", f"Other hives can't work on {source.remote}: {error}.") from None
        given = self._maker.posted(spec, quest, retries=0 if phase is not None else spec.retries)
        collects = () if phase is None else (f"{phase}{JSON}", document_name(phase))
        part = SpecPart(spec.slug, None if phase is None else phase.value, task)
        return definition(
            post=post,
            name=quest.name,
            given=given,
            needs=(),
            deadline_at=None,
            placement=spec.placement,
            source=code,
            more=part_of_spec(part, brought=source.brought, collects=collects, feedback=quest.queue.feedback),
        )

    def _note(self, quest_id: str, standing: PostStanding) -> None:
        """Keep who does it, and what it costs."""
        quest = self._quests.live.get(quest_id)
        if quest is None or quest.queue is None or quest.queue.elsewhere is None:
            return
        earlier = sum(one.cost_usd or 0.0 for one in quest.queue.tries[:-1])
        before, cost = quest.queue.elsewhere, max(earlier + standing.cost, quest.queue.elsewhere.cost)
        if (before.hive, before.cost) != (standing.hive, cost):
            work = SwarmWork(standing.hive, cost)
            self._quests.put(replace(quest, queue=replace(quest.queue, elsewhere=work)))
            if cost > before.cost:
                self._spent(quest_id, cost - before.cost)

    async def _end(self, quest: Quest, post: str, standing: PostStanding) -> SpecAttemptItem:
        """Return what came of a post. It is known until the quest needs it no more: whoever waits may ask again."""
        ending = await self._posts.ending(post)
        self._told[post] = _tries(quest)
        return {
            **_item(post, standing),
            "what": "end",
            "exit_code": standing.exit_code,
            "tail": base64.b64encode(ending.tail).decode(),
            "files": {name: base64.b64encode(body).decode() for name, body in ending.files.items()},
        }

    # posts that nobody waits for any more

    def end_posts(self, spec_id: str) -> None:
        """Have the posts of a spec end whose quests have ended, in a task of its own."""
        if spec_id in self._ending or self._phase.closing or not self._unwanted(spec_id):
            return
        self._ending.add(spec_id)
        self._tasks.start(self._end_unwanted(spec_id))

    async def let_go(self, spec_id: str) -> None:
        """Ask once for the end of the posts of a spec that is forgotten: their hives see to it from then on.

        Raises:
            OvermindError: `swarm_silent`, nobody answers.
        """
        for post in self._unwanted(spec_id):
            await self._cancelled(post)
            self._forget(spec_id, post)

    def _unwanted(self, spec_id: str) -> list[str]:
        spec = self._registry.all.get(spec_id)
        posts = {} if spec is None else spec.posts
        return [post for post, quest in posts.items() if quest not in self._quests.live]

    async def _end_unwanted(self, spec_id: str) -> None:
        try:
            while not self._phase.closing and (unwanted := self._unwanted(spec_id)):
                for post in unwanted:
                    try:
                        await self._ended_surely(spec_id, post)
                    except OvermindError as error:
                        if error.code != SILENT:
                            _log.warning("post %s can't be ended: %s", post, error.message)
                            self._forget(spec_id, post)
                    except StoreError:
                        pass  # tried again
                await asyncio.sleep(LOOK_SECONDS)
        finally:
            self._ending.discard(spec_id)

    async def _ended_surely(self, spec_id: str, post: str) -> None:
        """Have a post end, and wait until its hive has ended it."""
        state = await self._cancelled(post)
        while state not in ENDED:
            await asyncio.sleep(LOOK_SECONDS)
            standing = await self._posts.standing(post)
            if standing is None:
                break
            state = standing.state
            if state not in ENDED and state != "claimed":  # its hive is silent, or has given it back
                state = await self._cancelled(post)
        self._forget(spec_id, post)

    async def _cancelled(self, post: str) -> str:
        """Ask for the end of a post, and return its state; of one that is not there that of an ended one."""
        try:
            return await self._posts.cancel(post)
        except OvermindError as error:
            if error.code not in _GONE:
                raise
            return "cancelled"

    def _remember(self, spec_id: str, post: str, quest: str) -> None:
        self._registry.change(spec_id, posts={**self._registry.all[spec_id].posts, post: quest})

    def _forget(self, spec_id: str, post: str) -> None:
        self._told.pop(post, None)
        spec = self._registry.all.get(spec_id)
        if spec is not None and post in spec.posts:
            self._registry.change(spec_id, posts={one: quest for one, quest in spec.posts.items() if one != post})


def _known(post: str, standing: PostStanding | None) -> PostStanding:
    if standing is None:
        raise OvermindError("gone", f"Post {post} is no longer in the swarm.")
    return standing


def _item(post: str, standing: PostStanding) -> SpecAttemptItem:
    return {
        "what": "standing",
        "post": post,
        "state": standing.state,
        "hive": standing.hive,
        "status": standing.status,
        "why": standing.reason,
    }


def _tries(quest: Quest) -> int:
    assert quest.queue is not None
    return len(quest.queue.tries)


def _post_of(quest: Quest, number: int) -> str:
    """The id of the post for the newest attempt: the same for one that is tried again without having failed."""
    assert quest.queue is not None
    return quest_id(f"spec:{quest.id}:{quest.queue.round}:{quest.queue.spent}", number, 0)
