"""The generations of a lineage at this hive: how each begins, and what it hands on. Used from the loop's thread."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

import msgspec

from overmind_core.domain.agents.events import GenerationBegun
from overmind_core.domain.replacing import replace
from overmind_core.domain.swarm import lineages
from overmind_core.domain.swarm.masks import masked
from overmind_core.domain.text.bytestrings import from_wire, to_wire
from overmind_core.errors import OvermindError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from overmind_core.agents.results import MissionResults
    from overmind_core.domain.agents.conversation import Conversation
    from overmind_core.domain.missions.mission import Mission
    from overmind_core.missions.registry import Registry
    from overmind_core.missions.spec import MissionSpec
    from overmind_core.swarm.answers import Generation
    from overmind_core.swarm.line import SwarmLine
    from overmind_core.swarm.run_secrets import RunSecrets
    from overmind_core.swarm.store import HeldClaim, SwarmStore


class Conversations(Protocol):
    """What is asked of agents."""

    def conversations(self, missions: Sequence[Mission]) -> dict[str, Conversation]:
        """How the conversations of these missions stand, by mission."""


class Begun(NamedTuple):
    """How one generation is to begin."""

    spec: MissionSpec
    event: GenerationBegun


def lineage_of(held: HeldClaim) -> str | None:
    """Return the lineage of a post; None: it has none."""
    name = msgspec.json.decode(held.claim.definition).get("lineage")
    return None if name is None else str(name)


class Generations:
    """Reads what is known of a lineage, and says what has become of it.

    Args:
        store: The session and the claims.
        line: To the swarm.
        secrets: Are masked in what is handed on.
        registry: Where the mission of the last generation is found.
        agents: Their conversations.
        results: The last answer of a mission.
        written: The texts of the notes that a mission has written.
    """

    def __init__(
        self,
        *,
        store: SwarmStore,
        line: SwarmLine,
        secrets: RunSecrets,
        registry: Registry,
        agents: Conversations,
        results: MissionResults,
        written: Callable[[Mission], Awaitable[Sequence[str]]],
    ) -> None:
        self._store = store
        self._line = line
        self._secrets = secrets
        self._registry = registry
        self._agents = agents
        self._results = results
        self._written = written

    async def begin(self, held: HeldClaim, lineage: str, spec: MissionSpec) -> Begun:
        """Say how a generation begins, here and to the swarm; return its run with what it is told.

        Raises:
            OvermindError: `invalid`, it is no agent with a task; `fenced`; `swarm_silent`.
        """
        agent = spec.agent
        if agent is None or agent.prompt is None:
            raise OvermindError("invalid", f"A generation of {lineage} needs an agent and a prompt.")
        known = await self._known(held)
        session = self._store.session
        assert session is not None
        last, mission = None, None
        if known.last is not None:
            last = lineages.Last(known.last.number, known.last.hive, known.last.state)
            mission = self._registry.get(known.last.mission) if last.hive == session.hive else None
        begun = lineages.beginning(last, self._seen(mission, spec), session.hive)
        conversation = "new" if begun.is_new else "continued"
        claim = held.claim
        await self._line.ask(
            lambda swarm: swarm.generation_begins(session.id, claim.id, claim.fence, conversation, begun.why)
        )
        told = lineages.Told(
            last,
            0 if known.result is None else known.result.number,
            "" if known.result is None else known.result.text,
            known.notes or "",
        )
        prompt = lineages.task(lineage, known.number, told, begun, from_wire(agent.prompt))
        return Begun(
            replace(
                spec,
                agent=replace(agent, prompt=to_wire(prompt)),
                origin=None if begun.is_new else mission,
            ),
            GenerationBegun(
                text=lineages.log_line(lineage, known.number, last, begun),
                lineage=lineage,
                generation=known.number,
                conversation=conversation,
            ),
        )

    def record(self, mission: Mission, event: GenerationBegun) -> None:
        """Have the log of a generation say how it has begun, once."""
        if not self._registry.has_event(mission, GenerationBegun):
            self._registry.record(mission, event)

    async def outputs(self, held: HeldClaim, mission: Mission) -> dict[str, bytes]:
        """Return the last answer and the notes of a generation, for the next one.

        Raises:
            OvermindError: `swarm_silent`.
        """
        hidden = self._secrets.hidden(held)
        if hidden is None:
            return {}
        try:
            before = (await self._known(held)).notes or ""
        except OvermindError as error:
            if error.code != "fenced":
                raise
            before = ""  # the store has gone back in time, and does not know of this one yet
        result = await self._results.result(mission)
        notes = lineages.handed_on_notes(before, await self._written(mission))
        files = {
            lineages.RESULT: _masked_end(result, hidden, lineages.LARGEST_RESULT),
            lineages.NOTES: _masked_end(notes, hidden, lineages.LARGEST_NOTES),
        }
        return {name: body for name, body in files.items() if body}

    async def _known(self, held: HeldClaim) -> Generation:
        session, claim = self._store.session, held.claim
        assert session is not None
        return await self._line.ask(lambda swarm: swarm.generation(session.id, claim.id, claim.fence))

    def _seen(self, mission: Mission | None, spec: MissionSpec) -> lineages.Known:
        if mission is None:
            return lineages.Known(is_there=False)
        before, now = mission.definition, spec.definition
        conversation = self._agents.conversations([mission]).get(mission.id)
        return lineages.Known(
            is_there=True,
            is_live=mission.is_live,
            has_conversation=conversation is not None and conversation.begun,
            providers=(before.provider, now.provider),
            folders=(before.cwd, now.cwd),
        )


def _masked_end(text: str, hidden: Sequence[bytes], limit: int) -> bytes:
    """Return the last bytes of a text as the database takes it, without any of these values."""
    data = masked(text.encode("utf-8", "replace"), hidden)[-limit:]
    return data.decode("utf-8", "ignore").replace("\0", "").strip().encode()
