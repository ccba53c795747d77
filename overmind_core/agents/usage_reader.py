"""Reading what agents on a terminal use: their programs write it down in files of their own, a moment after the fact.

A hook tells which file, and when to look; the positions are saved with what was counted, so that each call counts once
over any death of ours.
"""

from __future__ import annotations

import asyncio
import os
import stat
from typing import TYPE_CHECKING, NamedTuple

from overmind_core.domain.agents.agent import ActivitySource, AgentMode
from overmind_core.domain.agents.agent_events import FilePosition, TextSpoken, ToolCalled, TurnEnded, UsageRead
from overmind_core.domain.agents.spending import files_at
from overmind_core.missions.lookup import line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import Any

    from overmind_core.agents.session import Session
    from overmind_core.domain.agents.agent_events import AgentFact, CostTotalled, ModelCalled
    from overmind_core.domain.agents.conversation import ConversationFiles
    from overmind_core.kernel.tasks import Tasks
    from overmind_core.missions.registry import Registry
    from overmind_core.providers.base import Figure, InteractiveProvider

LOOK = 0.05
"""Seconds between two looks of a hook that waits for figures."""
TURN_END = 0.6
"""Seconds that the end of a turn waits for its last call to be written down."""
TOOL_CALL = 0.25
"""Seconds that a tool call waits for the call before it, where a budget may end the turn there."""
LATER = (0.2, 1.0, 3.0)
"""Seconds after which is looked again: more may have been written behind the last hook."""
LONGEST_LINE = 16 * 1024 * 1024
"""Bytes; a longer one is read in pieces, which mean nothing."""


class UsageReader:
    """Follows the files of all sessions on a terminal."""

    def __init__(self, tasks: Tasks, registry: Registry) -> None:
        self._tasks = tasks
        self._registry = registry
        self._looking: dict[str, asyncio.Task[Any]] = {}

    async def on_hook(self, session: Session, payload: Mapping[str, Any], facts: Sequence[AgentFact]) -> None:
        """A hook has come: count what is new before its facts are taken in.

        The program waits meanwhile, so that nothing is spent behind a budget's back.
        """
        path = _program(session).conversation_path(payload)
        if path is not None:
            await self._name_files(session, path)
        if session.state.files is None:
            return
        was_said = await self.read(session)
        ends = any(isinstance(fact, TurnEnded) and fact.result is not None and fact.result.ok for fact in facts)
        if ends and session.state.turn is not None and not was_said:
            await self._until(session, lambda: session.state.turn is None or session.state.turn.used.final, TURN_END)
        elif any(isinstance(fact, ToolCalled) for fact in facts) and self._has_budget(session):
            calls = _calls(session)
            await self._until(session, lambda: _calls(session) != calls, TOOL_CALL)
        self.read_later(session)

    async def read(self, session: Session) -> bool:
        """Count what was written since the last look; True where it holds the answer to a turn."""
        files, program = session.state.files, _program(session)
        if files is None or session.state.mode is not AgentMode.INTERACTIVE:
            return False
        read = await asyncio.to_thread(read_files, files, program.sub_agent_folder(files.path), program.figure)
        if read is None or session.state.files != files:  # somebody else has looked meanwhile
            return False
        session.apply(read.used)
        if read.said is None or session.state.turn is None:
            return False
        session.receive(read.said, ActivitySource.HOOK)
        return True

    def read_now(self, session: Session) -> None:
        """The same at once, where a run has ended: nothing more is written."""
        files = session.state.files
        if files is None or session.state.mode is not AgentMode.INTERACTIVE:
            return
        program = _program(session)
        read = read_files(files, program.sub_agent_folder(files.path), program.figure)
        if read is not None:
            session.apply(read.used)

    def read_later(self, session: Session) -> None:
        """Look again soon, and once more after that."""
        if session.state.files is None or session.state.mode is not AgentMode.INTERACTIVE:
            return
        earlier = self._looking.pop(session.id, None)
        if earlier is not None:
            earlier.cancel()
        task = self._looking[session.id] = self._tasks.start(self._look_again(session))
        task.add_done_callback(lambda done: self._forget(session.id, done))

    async def _look_again(self, session: Session) -> None:
        for seconds in LATER:
            await asyncio.sleep(seconds)
            if session.closed:
                return
            await self.read(session)

    def _forget(self, mission_id: str, task: asyncio.Task[Any]) -> None:
        if self._looking.get(mission_id) is task:
            del self._looking[mission_id]

    async def _name_files(self, session: Session, path: str) -> None:
        files = session.state.files
        if files is not None and files.path == path:
            return
        await self.read(session)  # the end of the conversation before
        run = self._registry.runs.get(session.id)
        session.put(files_at(session.state, path, 0.0 if run is None else run.started_at))

    async def _until(self, session: Session, holds: Callable[[], bool], seconds: float) -> None:
        deadline = asyncio.get_running_loop().time() + seconds
        while not holds() and not session.closed and asyncio.get_running_loop().time() < deadline:
            await asyncio.sleep(LOOK)
            if await self.read(session):
                return

    def _has_budget(self, session: Session) -> bool:
        above = [one.definition for one in line(self._registry, session.id)]
        return any(one.max_cost or one.max_tokens for one in above)


class FilesRead(NamedTuple):
    """The news in the files of a conversation. `said`: the answer to a turn, where no hook tells that."""

    used: UsageRead
    said: TextSpoken | None = None


def read_files(
    files: ConversationFiles, folder: str, figure: Callable[[bytes, float], Figure | None]
) -> FilesRead | None:
    """What was written behind the positions; None when nothing was."""
    positions = dict(files.read)
    found: list[ModelCalled | CostTotalled] = []
    said: TextSpoken | None = None
    for name in ("", *_sub_agents(folder)):
        path = f"{folder}/{name}" if name else files.path
        begin = positions.get(name, 0)
        for text, end in _lines(path, begin):
            positions[name] = end
            usage = figure(text, files.since)
            if isinstance(usage, TextSpoken):
                said = usage
            elif usage is not None:
                found.append(usage)
    read = tuple(FilePosition(*one) for one in positions.items())
    return None if read == files.read else FilesRead(UsageRead(files.path, read, tuple(found)), said)


def _sub_agents(folder: str) -> list[str]:
    try:
        return sorted(name for name in os.listdir(folder) if name.endswith(".jsonl"))
    except OSError:
        return []


def _lines(path: str, begin: int) -> Iterator[tuple[bytes, int]]:
    """The whole lines from `begin` on, each with the offset behind it."""
    try:
        with open(path, "rb", opener=_never_waiting) as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode) or status.st_size <= begin:
                return
            file.seek(begin)
            while text := file.readline(LONGEST_LINE):
                if not text.endswith(b"\n") and len(text) < LONGEST_LINE:
                    return
                begin += len(text)
                yield text, begin
    except OSError:
        return


def _never_waiting(path: str, flags: int) -> int:
    """Open what may be a pipe that nobody writes to."""
    return os.open(path, flags | os.O_NONBLOCK | os.O_NOCTTY)


def _calls(session: Session) -> int:
    return 0 if session.state.turn is None else session.state.turn.used.calls


def _program(session: Session) -> InteractiveProvider:
    return session.provider  # type: ignore[return-value] # only providers with that mode run interactively
