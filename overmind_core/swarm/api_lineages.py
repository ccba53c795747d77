"""`swarm_lineages`, `swarm_lineage`: names whose runs are generations of one agent."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from overmind_core.domain.missions.names import name_problem
from overmind_core.domain.text.cells import did_you_mean
from overmind_core.domain.text.moment import format_time
from overmind_core.errors import OvermindError
from overmind_core.kernel.request import handles
from overmind_core.missions.requests import Nothing
from overmind_core.swarm import requests

if TYPE_CHECKING:
    from collections.abc import Sequence

    from overmind_core.kernel.request import Caller
    from overmind_core.swarm import answer_types as answers
    from overmind_core.swarm.answers import GenerationRow, Post
    from overmind_core.swarm.host import SwarmHost

_RAW = frozenset({None, "raw"})


class LineageApi:
    """The requests about lineages."""

    def __init__(self, host: SwarmHost) -> None:
        self._host = host

    @handles(Nothing)
    async def swarm_lineages(self, request: Nothing, caller: Caller) -> list[answers.LineageRow]:
        """All lineages, by name."""
        del request, caller
        found, posts = await self._host.line().ask(lambda swarm: (swarm.generations(), swarm.posts(ended=False)))
        ran = {name: list(rows) for name, rows in groupby(found, lambda one: one.lineage)}
        waiting = {one.lineage for one in posts if one.lineage is not None}
        return [_row(name, ran.get(name, []), posts) for name in sorted({*ran, *waiting})]

    @handles(requests.SwarmLineage)
    async def swarm_lineage(self, request: requests.SwarmLineage, caller: Caller) -> answers.LineageDetails:
        """One lineage with its generations."""
        del caller
        found, posts = await self._host.line().ask(lambda swarm: (swarm.generations(), swarm.posts(ended=False)))
        names = {one.lineage for one in found} | {one.lineage for one in posts if one.lineage is not None}
        if request.name not in names:
            hint = did_you_mean(request.name, names) or " See them with: overmind lineage list"
            raise OvermindError("not_found", f"There is no lineage {request.name!r}.{hint}")
        ran = [one for one in found if one.lineage == request.name]
        result = next((one for one in reversed(ran) if one.result is not None), None)
        return {
            **_row(request.name, ran, posts),
            "result": None if result is None else result.result,
            "result_of": None if result is None else result.number,
            "notes": next((one.notes for one in reversed(ran) if one.notes is not None), None),
            "generations": [_generation(one) for one in ran],
        }


def check_generation(request: requests.SwarmRun) -> None:
    """Refuse what can be no generation of a lineage.

    Raises:
        OvermindError: `invalid`.
    """
    problem = name_problem(request.lineage or "")
    if problem is not None:
        raise OvermindError("invalid", f"Lineage {(request.lineage or '')[:80]!r}: {problem}.")
    run = request.run
    if run.get("provider") in _RAW:
        raise OvermindError(
            "invalid", "--lineage is for agents, which go on with a conversation. Add: --provider claude"
        )
    agent = run.get("agent")
    prompt = agent.get("prompt") if isinstance(agent, dict) else None
    if not (prompt or run.get("command")):
        raise OvermindError("invalid", f"A generation of {request.lineage} begins with its task. Give it a prompt.")


def _row(name: str, ran: Sequence[GenerationRow], posts: Sequence[Post]) -> answers.LineageRow:
    mine = [one for one in posts if one.lineage == name]
    lives = next((one for one in mine if one.state != "queued"), None)
    last = ran[-1] if ran else None
    lies = next((one for one in reversed(ran) if one.mission is not None), None)
    ended = "queued" if last is None or last.state is None else last.state
    return {
        "name": name,
        "generation": 0 if last is None else last.number,
        "state": ended if lives is None else lives.state,
        "hive": lives.hive if lives is not None else None if lies is None else lies.hive,
        "post": lives.id if lives is not None else None if last is None else last.post,
        "waiting": [one.name for one in mine if one.state == "queued"],
    }


def _generation(one: GenerationRow) -> answers.LineageGeneration:
    return {
        "number": one.number,
        "post": one.post,
        "hive": one.hive,
        "mission": one.mission,
        "conversation": one.conversation,
        "why": one.why,
        "state": one.state,
        "began_at": format_time(one.began_at),
        "ended_at": None if one.ended_at is None else format_time(one.ended_at),
    }
