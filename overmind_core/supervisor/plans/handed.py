"""What an agent that has ended hands on to those that refer to it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from overmind_core.domain.agent import RAW
from overmind_core.domain.agentfacts import TurnEnded
from overmind_core.domain.plan.outputs import LARGEST
from overmind_core.providers import registry
from overmind_core.supervisor.plans.outputfiles import read_files
from overmind_core.supervisor.plans.runoutput import ending, last_bytes, last_line, last_spoken, newest
from overmind_core.wire.bytestrings import to_wire

if TYPE_CHECKING:
    from overmind_core.domain.agentfacts import AgentFact
    from overmind_core.domain.mission import Mission
    from overmind_core.providers.base import Provider
    from overmind_core.supervisor.core import Supervisor

RESULT = "result"


@dataclass(frozen=True, slots=True)
class Handed:
    """Texts in wire form, without NUL."""

    result: str | None = None
    """The final answer of an agent, the last line of a program's output that isn't empty; None: nobody wants it."""
    facts: dict[str, str] = field(default_factory=dict)
    """What the declared outputs hold, each without one newline at its end."""
    missing: tuple[str, ...] = ()
    """Declared outputs that are not there."""
    cut: tuple[str, ...] = ()
    """Declared outputs that were larger than may be handed on: only their beginning is in `facts`."""


async def handed_on(
    core: Supervisor, mission: Mission, folder: str, wanted: Collection[str], outputs: Collection[str]
) -> Handed:
    """Gather what a mission hands on.

    Args:
        core: Where it ran.
        mission: As it is after its end.
        folder: Where it put its outputs.
        wanted: What is referred to of it; its result is looked for only when `result` is among them.
        outputs: The names of the outputs that it declares.
    """
    result = _clean(_capped(await _result(core, mission))) if RESULT in wanted else None
    if not outputs:
        return Handed(result)
    files = await asyncio.to_thread(read_files, folder, outputs)
    facts = {name: text.replace("\0", "") for name, text in files.texts.items()}
    return Handed(result, facts, files.missing, files.cut)


async def output_text(core: Supervisor, mission: Mission) -> str:
    """The clean log text of the mission's newest run; of a longer one the last 64 KiB. Wire form."""
    return _clean(await asyncio.to_thread(ending, newest(core.home.logs, mission), LARGEST))


async def _result(core: Supervisor, mission: Mission) -> str:
    output = newest(core.home.logs, mission)
    provider = registry.get(mission.definition.provider)
    if provider.name == RAW:
        return last_bytes(await asyncio.to_thread(last_line, output.path), LARGEST)
    core.ledger.flush()
    stored = core.state.agents.result(mission.id)
    answer = "" if stored is None else _answer(provider, stored)
    if answer or output.format is None:  # what a terminal shows is drawn, not said
        return answer
    return await asyncio.to_thread(last_spoken, output.path, provider)


def _answer(provider: Provider, stored: str) -> str:
    """The text in the program's own result object, which came as a line or by a hook; the provider knows where."""
    ends = (fact for fact in _facts(provider, stored) if isinstance(fact, TurnEnded))
    return next((end.result.text for end in ends if end.result is not None and end.result.text), "")


def _facts(provider: Provider, stored: str) -> Iterator[AgentFact]:
    yield from provider.parse(stored.encode("utf-8", "replace"))
    payload: Any = json.loads(stored)
    if hasattr(provider, "hook") and isinstance(payload, dict):
        yield from provider.hook(payload)


def _capped(text: str) -> str:
    """The beginning of an answer that is longer than what fits into a variable."""
    data = text.encode("utf-8", "replace")
    return text if len(data) <= LARGEST else data[:LARGEST].decode("utf-8", "ignore")


def _clean(text: str) -> str:
    """What any program can be given: no lone half of a character, no NUL."""
    return to_wire(text.encode("utf-8", "replace").decode().replace("\0", ""))
