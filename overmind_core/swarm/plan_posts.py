"""Agents of plans in the swarm: each attempt is a run that this home has posted, and of which it asks how it goes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from overmind_core.agents.results import capped
from overmind_core.domain.plans.blueprint import LARGEST
from overmind_core.domain.swarm.standing import ENDED
from overmind_core.errors import OvermindError
from overmind_core.plans.outputs import Outputs
from overmind_core.plans.ports import GONE, PostEnd, PostView
from overmind_core.swarm.handed_on import HANDS_ON, HandedOn, HandsOn, hands_on

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from overmind_core.plans.ports import NewPost
    from overmind_core.swarm.answers import Post
    from overmind_core.swarm.host import SwarmHost

LARGEST_RUN = 1024 * 1024
"""Bytes of what one attempt is to run, as JSON."""
_POSTS = frozenset({"operator", "owner"})
"""Roles of logins that may post."""
_OPEN = "open"
"""The mode in which the swarm knows of all posts."""


class PlanPosts:
    """The swarm as plans ask it. On the loop's thread."""

    def __init__(self, host: Callable[[], SwarmHost]) -> None:
        """`host`: the membership of this home."""
        self._host = host

    def prefix(self) -> str:
        """What tells the posts of this home from those of others."""
        return f"plan:{self._host().home_id()}"

    async def check(self) -> None:
        """Refuse where nothing can be posted; a swarm that does not answer now may do so later.

        Raises:
            OvermindError: `no_swarm`; `forbidden`, the login may not post.
        """
        line = self._host().line()
        try:
            hello = await line.ask(lambda swarm: swarm.hello())
        except OvermindError as error:
            if error.code != "swarm_silent":
                raise
            return
        if hello.role not in _POSTS:
            role = "of no role" if hello.role is None else hello.role
            raise OvermindError(
                "forbidden",
                f"Login {hello.login} ({role}) may not post agents. An owner can change its role:"
                f" overmind swarm invite {hello.login} --role operator",
            )

    async def post(self, post: NewPost) -> None:
        """Post it, unless it is there.

        Raises:
            OvermindError: `too_large`, and what the swarm says.
        """
        definition = _definition(post)
        if len(msgspec.json.encode(definition)) > LARGEST_RUN:
            message = f"{post.agent}: with its values it has more than {LARGEST_RUN} bytes. Pass a file instead."
            raise OvermindError("too_large", message)
        await self._host().line().ask_patiently(lambda swarm: swarm.post([definition]))

    async def look(self, posts: Collection[str]) -> Mapping[str, PostView]:
        """How these stand; one that is not there, and may come back yet, is left out."""
        wanted = list(posts)
        found, hello = await self._host().line().ask_patiently(lambda swarm: (swarm.posts_of(wanted), swarm.hello()))
        if hello.role is None:  # it sees nothing any more
            raise OvermindError("forbidden", f"Login {hello.login} is none of the swarm any more.")
        views = {one.id: _view(one) for one in found}
        if hello.mode == _OPEN:
            views |= {one: PostView(GONE) for one in wanted if one not in views}
        return views

    async def cancel(self, post: str) -> str:
        """Have it end; return its state, `cancelling` where its hive ends it, `GONE` where there is no such post."""
        try:
            return await self._host().line().ask_patiently(lambda swarm: swarm.cancel(post))
        except OvermindError as error:
            if error.code != "not_found":
                raise
            return GONE

    async def end_of(self, post: str) -> PostEnd:
        """What came of one that has ended."""
        row, end = await self._host().line().ask_patiently(lambda swarm: (swarm.find_post(post), swarm.end_of(post)))
        if row is None or end is None:
            return PostEnd("failed", reason="gone")
        wanted = hands_on(end.definition) or HandsOn()
        handed = _handed_on(end.result)
        problem = _LOST if handed is None else handed.problem or _missing(handed, wanted)
        handed = handed or HandedOn()
        return PostEnd(
            state=row.state,
            exit_code=row.exit_code,
            reason=row.reason,
            by_hand=handed.by_hand,
            result=None if handed.result is None else capped(handed.result, LARGEST),
            output=None if handed.output is None else capped(handed.output, LARGEST),
            facts={name: capped(handed.facts[name], LARGEST) for name in wanted.outputs if name in handed.facts},
            problem=problem,
        )


def _missing(handed: HandedOn, wanted: HandsOn) -> tuple[str, str] | None:
    return Outputs(missing=tuple(name for name in wanted.outputs if name not in handed.facts)).problem


_LOST = ("output_lost", "its outputs are too large for the swarm, or its hive is older than this one")


def _definition(post: NewPost) -> dict[str, Any]:
    provider = post.run.get("provider")
    return {
        "id": post.id,
        "kind": "run",
        "name": post.name,
        "labels": dict(post.on),
        "cpu": post.cpu,
        "memory": post.memory,
        "provider": None if provider in {None, "raw"} else provider,
        "secrets": [],
        "pack": False,
        "on_lost": "wait",
        "lease": 600.0,
        "run": {**post.run, "name": post.name},
        "plan": {"name": post.plan, "agent": post.agent},
        HANDS_ON: {"outputs": list(post.outputs)},
        **({} if post.genome is None else {"genome": msgspec.to_builtins(post.genome)}),
    }


def _view(post: Post) -> PostView:
    is_over = post.state in ENDED
    return PostView(
        state=post.state,
        hive=post.hive,
        status=post.state if is_over and post.hive is not None else post.status,
        is_ending=post.cancelling is not None,
    )


def _handed_on(result: Any) -> HandedOn | None:  # noqa: ANN401 - whatever a hive has told
    given = result.get(HANDS_ON) if isinstance(result, dict) else None
    try:
        return None if given is None else msgspec.convert(given, HandedOn)
    except msgspec.ValidationError:
        return None
