"""The outputs of a plan's agents: the result and the files that one hands on to those that refer to it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from overmind_core.agents.results import MissionResults, capped, clean
from overmind_core.domain.plans.blueprint import LARGEST
from overmind_core.missions.output_files import read_texts
from overmind_core.missions.private_files import private_folder

if TYPE_CHECKING:
    from overmind_core.agents.store import AgentTable
    from overmind_core.domain.missions.mission import Mission
    from overmind_core.domain.plans.progress import AgentProgress
    from overmind_core.kernel.journal import Journal
    from overmind_core.system.paths import Home


RESULT = "result"


@dataclass(frozen=True, slots=True)
class Outputs:
    """What an agent that has ended hands on. Texts in wire form, without NUL."""

    result: str | None = None
    """The final answer of an agent, the last line of a program's output that isn't empty; None: nobody wants it."""
    facts: dict[str, str] = field(default_factory=dict)
    """What the declared outputs hold, each without one newline at its end."""
    missing: tuple[str, ...] = ()
    """Declared outputs that are not there."""
    cut: tuple[str, ...] = ()
    """What was larger than may be handed on: only its beginning is here."""
    unfit: tuple[str, ...] = ()
    """Declared outputs that hold a NUL character, which no program can be given; it is left out here."""

    @property
    def problem(self) -> tuple[str, str] | None:
        """Why it is not handed on: a reason, and a clause for people; None: it is."""
        if self.missing:
            return "output_missing", f"it did not set the outputs {', '.join(self.missing)}"
        if self.cut:
            limit = f"{LARGEST // 1024} KiB"
            return (
                "output_too_large",
                f"{', '.join(self.cut)}: larger than {limit}, the limit of an output. Pass the path of a file instead",
            )
        if self.unfit:
            return "output_invalid", f"{', '.join(self.unfit)}: an output can't contain a NUL character"
        return None


def _fitting(spoken: str | None) -> str | None:
    return None if spoken is None else clean(capped(spoken, LARGEST))


class AgentOutputs:
    """Reads what missions hand on: results, output files, log texts."""

    def __init__(self, home: Home, journal: Journal, agent_table: AgentTable) -> None:
        self._home = home
        self._results = MissionResults(home, journal, agent_table)

    def folder(self, plan: str, name: str, node: AgentProgress) -> str:
        """Where an attempt puts what it hands on."""
        return os.path.join(private_folder(self._home, plan), f"{name}.{node.attempt}")

    async def read(self, mission: Mission, folder: str, wanted: Collection[str], declared: Collection[str]) -> Outputs:
        """Gather what a mission hands on.

        Args:
            mission: As it is after its end.
            folder: Where it put its outputs.
            wanted: What is referred to of it; its result is looked for only when `result` is among them.
            declared: The names of the outputs that it declares.
        """
        spoken = await self._results.result(mission) if RESULT in wanted else None
        result = _fitting(spoken)
        cut = (RESULT,) if spoken is not None and capped(spoken, LARGEST) != spoken else ()
        if not declared:
            return Outputs(result, cut=cut)
        files = await asyncio.to_thread(read_texts, folder, declared, largest=LARGEST)
        facts = {name: text.replace("\0", "") for name, text in files.texts.items()}
        unfit = tuple(name for name, text in files.texts.items() if "\0" in text)
        return Outputs(result, facts, files.missing, (*cut, *files.cut), unfit)

    async def result(self, mission: Mission) -> str | None:
        """What a mission that has ended has said last; None: nothing."""
        return _fitting(await self._results.result(mission))

    async def log_text(self, mission: Mission) -> str:
        """The clean log text of the mission's newest run; of a longer one the last 64 KiB. Wire form."""
        return await self._results.log_text(mission, LARGEST)
