"""What a mission says in the end: the final answer of an agent, the last line of a program, the end of its log."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from overmind_core.domain.agents.agent import RAW
from overmind_core.domain.agents.agent_events import TurnEnded
from overmind_core.domain.text.bytestrings import to_wire
from overmind_core.logs.run_output import ending, last_line, last_spoken, newest
from overmind_core.providers import registry

if TYPE_CHECKING:
    from overmind_core.agents.store import AgentTable
    from overmind_core.domain.agents.agent_events import AgentFact
    from overmind_core.domain.missions.mission import Mission
    from overmind_core.kernel.journal import Journal
    from overmind_core.providers.base import Provider
    from overmind_core.system.paths import Home


class MissionResults:
    """Reads them from logs, and from what is stored of agents."""

    def __init__(self, home: Home, journal: Journal, agent_table: AgentTable) -> None:
        self._home = home
        self._journal = journal
        self._agent_table = agent_table

    async def result(self, mission: Mission) -> str:
        """The final answer of an agent, the last line of a program's output that isn't empty; "": there is none."""
        output = newest(self._home.logs, mission)
        provider = registry.get(mission.definition.provider)
        if provider.name == RAW:
            return await asyncio.to_thread(last_line, output.path)
        self._journal.flush()
        stored = self._agent_table.result(mission.id)
        answer = "" if stored is None else _answer(provider, stored)
        if answer or output.format is None:  # what a terminal shows is drawn, not said
            return answer
        return await asyncio.to_thread(last_spoken, output.path, provider)

    async def log_text(self, mission: Mission, largest: int) -> str:
        """The clean log text of the mission's newest run; of a longer one the last so many bytes. Wire form."""
        return clean(await asyncio.to_thread(ending, newest(self._home.logs, mission), largest))


def _answer(provider: Provider, stored: str) -> str:
    """The text in the program's own result object, which came as a line or by a hook; the provider knows where."""
    ends = (fact for fact in _facts(provider, stored) if isinstance(fact, TurnEnded))
    return next((end.result.text for end in ends if end.result is not None and end.result.text), "")


def _facts(provider: Provider, stored: str) -> Iterator[AgentFact]:
    yield from provider.parse(stored.encode("utf-8", "replace"))
    payload: Any = json.loads(stored)
    if hasattr(provider, "hook") and isinstance(payload, dict):
        yield from provider.hook(payload)


def capped(text: str, largest: int) -> str:
    """The beginning of an answer that is longer than so many bytes."""
    data = text.encode("utf-8", "replace")
    return text if len(data) <= largest else data[:largest].decode("utf-8", "ignore")


def told_end(end: bytes, whole: int) -> bytes:
    """The end of an output that has `whole` bytes, from its first whole line on; what is left out is said before it."""
    if not end or len(end) >= whole:
        return end
    shown = end.partition(b"\n")[2] or end.lstrip(bytes(range(0x80, 0xC0)))  # one line: from its first whole character
    return (
        f"--- the first {whole - len(shown):,} bytes are left out; overmind logs --raw has them ---\n".encode() + shown
    )


def clean(text: str) -> str:
    """What any program can be given: no lone half of a character, no NUL. Wire form."""
    return to_wire(text.encode("utf-8", "replace").decode().replace("\0", ""))
