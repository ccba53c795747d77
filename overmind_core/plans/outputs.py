"""The outputs of a plan's agents: the result and the files that one hands on to those that refer to it.

Only regular files in an agent's own folder count, never what a link points at.
"""

from __future__ import annotations

import asyncio
import json
import os
import stat
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from overmind_core.domain.agents.agent import RAW
from overmind_core.domain.agents.agent_events import TurnEnded
from overmind_core.domain.plans.blueprint import LARGEST, name_problem
from overmind_core.domain.text.bytestrings import to_wire
from overmind_core.logs.run_output import ending, last_line, last_spoken, newest
from overmind_core.missions.private_files import private_folder
from overmind_core.providers import registry

if TYPE_CHECKING:
    from overmind_core.agents.store import AgentTable
    from overmind_core.domain.agents.agent_events import AgentFact
    from overmind_core.domain.missions.mission import Mission
    from overmind_core.domain.plans.progress import AgentProgress
    from overmind_core.kernel.journal import Journal
    from overmind_core.providers.base import Provider
    from overmind_core.system.paths import Home


_CONTINUES = 0b1000_0000, 0b1100_0000
"""The value and the mask of a byte inside of a character in UTF-8."""
_LONGEST_CHARACTER = 4


class FolderContent(NamedTuple):
    """What is in a folder, as far as it was asked for; texts in wire form."""

    texts: dict[str, str]
    missing: tuple[str, ...]
    cut: tuple[str, ...]
    """Names of those that are larger than `LARGEST` bytes: only so much of their beginning is there."""


def read_files(folder: str, names: Iterable[str]) -> FolderContent:
    """Read these files, each without one newline at its end. Blocks: for a worker thread."""
    wanted = tuple(dict.fromkeys(names))
    try:
        where = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return FolderContent({}, wanted, ())
    try:
        found = {name: data for name in wanted if (data := _read(where, name)) is not None}
    finally:
        os.close(where)
    return FolderContent(
        {name: to_wire(os.fsdecode(_fitting(data))) for name, data in found.items()},
        tuple(name for name in wanted if name not in found),
        tuple(name for name, data in found.items() if len(data) > LARGEST),
    )


def _read(folder: int, name: str) -> bytes | None:
    """The beginning of a file, which tells whether it is larger than `LARGEST`; None when there is no such file."""
    if name_problem(name) is not None:
        return None
    try:
        file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    except OSError:
        return None
    try:
        if not stat.S_ISREG(os.fstat(file).st_mode):
            return None
        data = os.read(file, LARGEST + 2)
    except OSError:
        return None
    finally:
        os.close(file)
    return data if len(data) > LARGEST + 1 else data.removesuffix(b"\n")


def _fitting(data: bytes) -> bytes:
    """As much of the beginning as may be handed on, ending with a whole character."""
    end = min(len(data), LARGEST)
    value, mask = _CONTINUES
    for back in range(_LONGEST_CHARACTER):
        if end == len(data) or data[end - back] & mask != value:
            return data[: end - back]
    return data[:end]


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


class AgentOutputs:
    """Reads what missions hand on: results, output files, log texts."""

    def __init__(self, home: Home, journal: Journal, agent_table: AgentTable) -> None:
        self._home = home
        self._journal = journal
        self._agent_table = agent_table

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
        spoken = await self._result(mission) if RESULT in wanted else None
        result = None if spoken is None else _clean(_capped(spoken))
        cut = (RESULT,) if spoken is not None and _capped(spoken) != spoken else ()
        if not declared:
            return Outputs(result, cut=cut)
        files = await asyncio.to_thread(read_files, folder, declared)
        facts = {name: text.replace("\0", "") for name, text in files.texts.items()}
        unfit = tuple(name for name, text in files.texts.items() if "\0" in text)
        return Outputs(result, facts, files.missing, (*cut, *files.cut), unfit)

    async def log_text(self, mission: Mission) -> str:
        """The clean log text of the mission's newest run; of a longer one the last 64 KiB. Wire form."""
        return _clean(await asyncio.to_thread(ending, newest(self._home.logs, mission), LARGEST))

    async def _result(self, mission: Mission) -> str:
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
