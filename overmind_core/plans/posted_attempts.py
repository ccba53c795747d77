"""Attempts of a plan's agents as posts of the swarm: they are posted once, followed, ended, and reported to the plan.

The id of a post is that of its attempt, and saved with the decision that it begins. So whoever goes on after a crash
looks for it first, and posts what is not there: nothing is posted twice, and nothing is forgotten.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Protocol, TypeVar

from overmind_core.domain.missions.outcome import Outcome
from overmind_core.domain.plans.progress import BEHIND, NOT_POSTED, AgentPost, AttemptEnd
from overmind_core.errors import OvermindError
from overmind_core.plans.attempt_start import request_key
from overmind_core.plans.ports import GONE, PASSING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from overmind_core.domain.plans.blueprint import PlanAgent
    from overmind_core.domain.plans.progress import AgentProgress
    from overmind_core.missions.spec import Environment
    from overmind_core.plans.attempt_start import AttemptStarter
    from overmind_core.plans.ports import PostEnd, PostView, SwarmPosts
    from overmind_core.plans.post_watch import PostWatch
    from overmind_core.plans.state import PlanState
    from overmind_core.system.machine import Clock

Answer = TypeVar("Answer")
DIGITS = 12
"""Of an id: so many that no two of a swarm's posts have the same."""
EARLIER = 20
"""Earlier attempts that are looked at before another one is posted."""
FORGOTTEN = "post_forgotten"
"""The reason of an attempt of which the swarm knows nothing any more."""
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 8.0
"""Seconds before the swarm is asked again that did not answer."""


def post_id(prefix: str, key: str) -> str:
    """Return the id of an attempt's post: the same for the same home and request key."""
    import uuid  # noqa: PLC0415 - it loads what few daemons need

    return uuid.uuid5(uuid.NAMESPACE_OID, f"{prefix}:{key}").hex[:DIGITS]


class PostListener(Protocol):
    """The plan, as far as its posts report to it."""

    def on_post(self, name: str, post: AgentPost, *, has_begun: bool = False) -> None:
        """A post stands so; `has_begun`: a hive runs it, or has."""

    def on_end(self, name: str, end: AttemptEnd, explained: str = "") -> None:
        """An attempt is over; `explained`: why, in words, where it is not for its exit code."""

    def schedule(self) -> None:
        """Something else has changed: decide anew."""


class PostedAttempts:
    """Does what the swarm does for one plan. Each piece of work is a coroutine, of which one runs for each agent."""

    def __init__(
        self,
        plan: PlanState,
        listener: PostListener,
        *,
        clock: Clock,
        starter: AttemptStarter,
        swarm: SwarmPosts,
        watch: PostWatch,
    ) -> None:
        self._plan = plan
        self._listener = listener
        self._clock = clock
        self._starter = starter
        self._swarm = swarm
        self._watch = watch
        self._unwanted: set[str] = set()
        """Posts that are to end."""
        self.unanswered: dict[str, str] = {}
        """Post that is to end, or to be posted → why the swarm has not answered that yet. To be read."""

    def new_id(self, key: str) -> str:
        """The id of the post that the attempt of this request key is."""
        return post_id(self._swarm.prefix(), key)

    def end(self, post: str) -> None:
        """Nobody wants it any more; whoever follows it has the swarm end it."""
        self._unwanted.add(post)

    async def begin(self, agent: PlanAgent, node: AgentProgress, applied: Environment, *, is_new: bool) -> None:
        """Post an attempt, unless that was done already, and follow it to its end.

        Args:
            agent: As it is in the plan.
            node: Where the agent stands; its `post` is what is posted.
            applied: The environment of whoever applied the plan.
            is_new: Nobody has asked for this attempt before.

        Raises:
            OvermindError: it can't be posted.
        """
        assert node.post is not None
        post = node.post.id
        is_there = node.post.state not in NOT_POSTED
        if not is_there and not is_new:
            view = (await self._surely(post, lambda: self._swarm.look([post]))).get(post)
            is_there = view is not None and view.state != GONE
        if not is_there:
            if not await self._earlier_have_ended(agent.name, node):
                return  # whoever ends it says so
            new = await self._starter.to_post(self._plan, agent, node, applied)
            await self._surely(post, lambda: self._swarm.post(new))
        if node.post.state in NOT_POSTED:
            self._listener.on_post(agent.name, AgentPost(post, "queued"))
        await self.follow(agent.name, post)

    async def follow(self, name: str, post: str) -> None:
        """Report how a post goes on, until it has ended; where it is unwanted, have it end.

        Raises:
            OvermindError: it can't be followed any more.
        """
        view: PostView | None = None
        while view is None or not view.is_over:
            view = await self._change(post, view, ends=post in self._unwanted, about=post)
            known = AgentPost(post, view.state, view.hive, is_ending=view.is_ending)
            if view.state != GONE:
                self._listener.on_post(name, known, has_begun=view.has_begun)
        self._unwanted.discard(post)
        if view.state == GONE:
            self._report_gone(name)
            return
        self._report_end(name, await self._surely(post, lambda: self._swarm.end_of(post)))

    async def _change(self, post: str, view: PostView | None, *, ends: bool, about: str) -> PostView:
        """Wait until a post stands otherwise, and have it end before, if it `ends`; `about`: for which one that is."""
        if ends and (view is None or not view.is_ending or view.state == "lost"):
            await self._surely(about, lambda: self._swarm.cancel(post))
        return await self._watch.change(post, view, partial(self._on_look, about))

    def _on_look(self, post: str, failure: OvermindError | None) -> None:
        if failure is None or post in self._unwanted:
            self._on_answer(post, failure)

    def _on_answer(self, post: str, failure: OvermindError | None) -> None:
        if (failure is None) is (post not in self.unanswered):
            return
        if failure is None:
            del self.unanswered[post]
        else:
            self.unanswered[post] = failure.message
        self._listener.schedule()

    async def _earlier_have_ended(self, name: str, node: AgentProgress) -> bool:
        """Wait until nothing of the agent's earlier attempts is left in the swarm: a plan that is killed ends before.

        Returns whether somebody wants this one still.

        Raises:
            OvermindError: it can't be found out.
        """
        assert node.post is not None
        post, newest = node.post.id, node.attempt - 1
        numbers = range(max(newest - EARLIER, 0) + 1, newest + 1)
        if not numbers:
            return True
        earlier = [self.new_id(request_key(self._plan.id, name, replace(node, attempt=one))) for one in numbers]
        views = await self._surely(post, lambda: self._swarm.look(earlier))
        # One of which the swarm says nothing may come back: its hive has not told yet what it holds.
        left = [one for one in earlier if (view := views.get(one)) is None or not view.is_over]
        for one in left:
            view = views.get(one)
            while view is None or not view.is_over:
                self._listener.on_post(name, AgentPost(post, BEHIND, None if view is None else view.hive))
                view = await self._change(one, view, ends=True, about=post)
        if left:
            now = self._plan.nodes.get(name)
            if now is None or now.post is None or now.post.id != post or now.stopped is not None:
                return False
            self._listener.on_post(name, AgentPost(post))
        return True

    def _report_gone(self, name: str) -> None:
        end = AttemptEnd(ok=False, at=self._clock.wall(), reason=FORGOTTEN)
        self._listener.on_end(name, end, "the swarm has no such post any more")

    def _report_end(self, name: str, end: PostEnd) -> None:
        ok = end.state == "done" and not end.by_hand
        given_up = end.by_hand or end.state == "cancelled"
        reason = Outcome.STOPPED.value if given_up and end.reason != Outcome.KILLED.value else end.reason
        explained = ""
        if ok and end.problem is not None:
            ok, (reason, explained) = False, end.problem
        self._listener.on_end(
            name,
            AttemptEnd(
                ok=ok,
                at=self._clock.wall(),
                exit_code=end.exit_code,
                reason=reason,
                result=end.result if name in self._plan.results else None,
                facts=dict(end.facts),
                output=(end.output or "") if name in self._plan.outputs else None,
            ),
            explained,
        )

    async def _surely(self, post: str, ask: Callable[[], Awaitable[Answer]]) -> Answer:
        """Ask about a post, again and again while nobody answers: what is asked does the same when it is repeated.

        Raises:
            OvermindError: it refuses.
        """
        pause = FIRST_PAUSE
        while True:
            try:
                answer = await ask()
            except OvermindError as error:
                if error.code not in PASSING:
                    raise
                self._on_answer(post, error)
            else:
                self._on_answer(post, None)
                return answer
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)
