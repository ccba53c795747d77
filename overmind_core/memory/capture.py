"""Capture: the work of agents is kept as episodes, and their lessons are proposed. On the loop's thread.

At the end of each turn what is new in the run's log is read, on a thread of its own, from where it was read last: what
a killed daemon has not saved, the next one reads. A program on a terminal has no log that can be read; what its hooks
told since the last turn's end is held until then.
"""

from __future__ import annotations

import logging
from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from overmind_core.agents.line_reader import LineReader
from overmind_core.domain.agents.agent_events import Echoed, TextSpoken, ToolCalled, ToolReturned, TurnEnded
from overmind_core.domain.memory.episodes import begun, ended, fold, in_repository, lesson_key, lesson_text
from overmind_core.domain.memory.notes import MOST_FILES, Content, NoteKind, Origin, Scope, ScopeKind
from overmind_core.domain.memory.permissions import Writer
from overmind_core.domain.memory.redaction import redact, secret_values
from overmind_core.errors import OvermindError
from overmind_core.kernel.work_queue import NoResource, WorkQueue
from overmind_core.logs.reader import RunLog
from overmind_core.memory.episode_table import EpisodeTable, StoredEpisode
from overmind_core.memory.events import NoteChanged
from overmind_core.memory.lookup import Reach
from overmind_core.memory.proposals import room
from overmind_core.memory.sight import author_of
from overmind_core.memory.store import Draft
from overmind_core.providers.registry import get as provider_named

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from overmind_core.agents.session import FactRead
    from overmind_core.domain.agents.agent import Agent
    from overmind_core.domain.agents.agent_events import AgentFact
    from overmind_core.domain.memory.episodes import Lesson
    from overmind_core.domain.missions.mission import Mission, Run
    from overmind_core.kernel.event_log import EventLog
    from overmind_core.kernel.tasks import Tasks
    from overmind_core.memory.opened import Writing
    from overmind_core.memory.places import Place
    from overmind_core.memory.service import Memory
    from overmind_core.memory.store import Change
    from overmind_core.missions.changes import RunConcluded
    from overmind_core.missions.registry import Registry

KEPT = (ToolCalled, ToolReturned, TextSpoken, Echoed, TurnEnded)
"""The facts that an episode is made of."""
MOST_HEARD = 2000
"""Facts of one turn of a program on a terminal; of more the oldest go."""
WHOLE = 1 << 62
"""An offset behind the end of every log."""
_log = logging.getLogger(__name__)


class CaptureParts(NamedTuple):
    """The parts of the daemon that capture uses."""

    memory: Memory
    registry: Registry
    agent: Callable[[str], Agent | None]
    """The agent of a mission."""
    wanted: Callable[[str], bool]
    """Whether an agent has memory, by its mission."""
    variables: Callable[[str], Mapping[str, str]]
    """The environment of a mission."""
    logs: str
    """The folder of logs."""
    events: EventLog
    tasks: Tasks


class _Step(NamedTuple):
    """Facts of a run that are to be added to its episode."""

    mission: str
    run: int
    until: int | None
    """How far its log may be read; None: it is not."""
    facts: tuple[AgentFact, ...]
    is_end: bool


class Capture:
    """Keeps episodes. What can't be kept is left out: nothing waits for it, and nothing fails with it."""

    def __init__(self, parts: CaptureParts) -> None:
        self._parts = parts
        self._registry = parts.registry
        self._memory = parts.memory
        self._thread = WorkQueue("episodes", NoResource)
        self._heard: dict[tuple[str, int], deque[AgentFact]] = {}
        self._steps: deque[_Step] = deque()
        self._is_working = False
        self._is_resumed = False

    def on_fact(self, read: FactRead) -> None:
        """An agent has done something."""
        key = (read.mission, read.run)
        if key not in self._heard:
            if not self._parts.wanted(read.mission):
                return
            self._heard[key] = deque(maxlen=MOST_HEARD)
            self._add(_Step(*key, None, (), is_end=False))  # known from now on: whoever comes after us finishes it
        heard = self._heard[key]
        if read.out is None and isinstance(read.fact, KEPT):
            heard.append(read.fact)
        if isinstance(read.fact, TurnEnded):
            self._add(_Step(*key, read.out, tuple(heard), is_end=False))
            heard.clear()

    def on_conclusion(self, concluded: RunConcluded) -> None:
        """A run is over."""
        mission, _, number = concluded.run.rpartition(".")
        key = (mission, int(number))
        heard = self._heard.pop(key, None)
        if heard is not None or self._parts.wanted(mission):
            self._add(_Step(*key, WHOLE, tuple(heard or ()), is_end=True))

    def close(self) -> None:
        """End the thread."""
        self._thread.close()

    def _add(self, step: _Step) -> None:
        self._steps.append(step)
        if not self._is_working:
            self._is_working = True
            self._parts.tasks.start(self._work())

    async def _work(self) -> None:
        try:
            if not self._is_resumed:
                self._is_resumed = True
                await self._resume()
            while self._steps:
                await self._taken(self._steps.popleft())
        finally:
            self._is_working = False

    async def rebuild(self) -> int:
        """Read the episodes of runs that are over anew, and those that were lost, as far as their logs are there.

        Returns:
            How many logs are gone: what is known of those runs stays.

        Raises:
            OvermindError: `memory_off`.
        """
        known = await self._memory.read(lambda reading: EpisodeTable(reading.database).runs(), ours=True)
        gone = 0
        for mission, number in known:
            stored = await self._stored(mission, number)
            if stored is not None and stored.ended and stored.out is not None and not stored.is_emptied:
                gone += not await self._read_again(stored, mission, number)
        if not await self._memory.read(lambda reading: reading.versions.has_purge(), ours=True):
            for mission, number in self._lost(set(known)):
                await self._read_again(None, mission, number)
        return gone

    def _lost(self, known: set[tuple[str, int]]) -> Iterator[tuple[str, int]]:
        """The runs that are over, and of which no episode is there."""
        for mission in self._registry.parents():
            if self._parts.wanted(mission):
                for run in self._registry.runs_of(mission):
                    if run.ended_at is not None and not run.tty and (mission, run.number) not in known:
                        yield mission, run.number

    async def _read_again(self, known: StoredEpisode | None, mission_id: str, number: int) -> bool:
        """Store the episode of a run as its log tells it; False: the log is gone, or its beginning."""
        reader = self._log_of(mission_id, number)
        if reader is None:
            return False
        place = await self._memory.place_of(reader.mission.definition.cwd)
        step = _Step(mission_id, number, WHOLE, (), is_end=True)
        after = await self._thread.do(
            lambda _: reader.after(None, step, place) if reader.is_whole() else None, ours=True
        )
        if after is None:
            return False
        after = after._replace(proposed=len(after.episode.lessons))  # proposed once, or lost with what was decided
        if known is not None:
            after = after._replace(repository=known.repository, at=known.at)

        def keep(writing: Writing) -> None:
            table = EpisodeTable(writing.database)
            with writing.database.transaction():
                if table.get(mission_id, number) == known:  # it was not emptied meanwhile
                    table.save(after)

        await self._memory.write(keep, ours=True)
        return True

    async def _stored(self, mission: str, number: int) -> StoredEpisode | None:
        return await self._memory.read(lambda reading: EpisodeTable(reading.database).get(mission, number), ours=True)

    def _log_of(self, mission_id: str, number: int) -> _LogOfRun | None:
        mission = self._registry.get(mission_id)
        run = self._registry.run(f"{mission_id}.{number}")
        agent = None if mission is None else self._parts.agent(mission.id)
        if mission is None or run is None or agent is None:
            return None
        return _LogOfRun(mission, run, agent, self._parts.logs, secret_values(self._parts.variables(mission.id)))

    async def _resume(self) -> None:
        """Put what an earlier daemon has not finished in front of the line."""
        try:
            open_ones = await self._memory.read(lambda reading: EpisodeTable(reading.database).unfinished(), ours=True)
        except OvermindError as error:
            _log.info("earlier episodes are not read: %s", error.message)
            return
        for mission, number in reversed(open_ones):
            run = self._registry.run(f"{mission}.{number}")
            live = self._registry.live.get(mission)
            is_over = live is None or live.run != number or run is None or run.ended_at is not None
            self._steps.appendleft(_Step(mission, number, WHOLE, (), is_end=is_over))

    async def _taken(self, step: _Step) -> None:
        try:
            await self._take(step)
        except OvermindError as error:
            _log.info("the episode of %s.%d is not kept: %s", step.mission, step.run, error.message)

    async def _take(self, step: _Step) -> None:
        reader = self._log_of(step.mission, step.run)
        if reader is None:
            return
        mission = reader.mission
        place = await self._memory.place_of(mission.definition.cwd)

        known = await self._stored(step.mission, step.run)
        if not self._memory.is_on or (known is not None and known.ended):
            return
        after = await self._thread.do(lambda _: reader.after(known, step, place), ours=True)
        if after == known:
            return
        changes = await self._memory.write(lambda writing: self._keep(writing, mission, place, known, after), ours=True)
        for one in changes:
            changed = NoteChanged(note=one.note, change=one.change, scope=one.scope, version=one.version)
            self._parts.events.record(changed)

    def _keep(
        self, writing: Writing, mission: Mission, place: Place, known: StoredEpisode | None, stored: StoredEpisode
    ) -> list[Change]:
        """Store an episode and propose what is new of its lessons: together, or nothing. On the thread that writes."""
        store, table = writing.store, EpisodeTable(writing.database)
        fresh = stored.episode.lessons[stored.proposed :][: room(store, stored.mission, stored.at)]
        with writing.database.transaction():
            if table.get(stored.mission, stored.run) != known:  # it was emptied meanwhile
                return []
            table.save(stored._replace(proposed=len(stored.episode.lessons)))
            new = [one for one in fresh if table.take_lesson(lesson_key(place.repository, one), writing.at)]
            changes = [change for one in new for change in store.write(_draft(one, mission, place)).changes]
            if changes:
                store.limit_proposals(place.repository)
        return changes


def _draft(lesson: Lesson, mission: Mission, place: Place) -> Draft:
    """The note that is proposed: its files as they are called from the top of the repository."""
    definition = mission.definition
    names = {path: in_repository(path, top=place.top, folder=definition.cwd) for path in lesson.files}
    content = Content(
        text=lesson_text(lesson, dict.fromkeys(name or path for path, name in names.items())),
        kind=NoteKind.LESSON,
        scope=Scope(ScopeKind.REPO, place.repository),
        files=tuple(dict.fromkeys(filter(None, names.values())))[:MOST_FILES],
    )
    return Draft(content, Writer(author_of(mission), proposes=True), Origin.OVERMIND, Reach(()))


class _LogOfRun(NamedTuple):
    """Reads what a run did; on the thread for that."""

    mission: Mission
    run: Run
    agent: Agent
    logs: str
    secrets: tuple[str, ...]

    @property
    def _path(self) -> str:
        return f"{self.logs}/{self.mission.id}/{self.run.number:06d}"

    def is_whole(self) -> bool:
        """Whether the log is there from its beginning."""
        log = RunLog(self._path)
        return log.end[0] > 0 and log.start[0] == 0

    def after(self, known: StoredEpisode | None, step: _Step, place: Place) -> StoredEpisode:
        """The episode with what is new."""
        has_lines = not self.run.tty
        stored = known or StoredEpisode(
            self.mission.id,
            self.run.number,
            self._clean(self.mission.definition.name),
            place.repository,
            self.run.started_at,
            0 if has_lines else None,
            ended=False,
            proposed=0,
            episode=begun(self.agent.prompt or "", self._clean),
        )
        episode, out = stored.episode, stored.out
        if not has_lines:
            episode = fold(episode, step.facts, self._clean)
        elif step.until is not None:
            reader = LineReader(self._path, out or 0)
            episode = fold(episode, self._facts(reader, step), self._clean)
            out = reader.offset
        if step.is_end:
            episode = ended(episode, self._end())
        return stored._replace(episode=episode, out=out, ended=step.is_end)

    def _facts(self, reader: LineReader, step: _Step) -> Iterator[AgentFact]:
        """The facts in the log from where it was read last, up to where the step ends."""
        parse = provider_named(self.mission.definition.provider).listener().parse
        until, before = step.until or 0, -1
        while before < reader.position < until:
            before = reader.position
            for line in reader.lines(until):
                yield from parse(line.data)
        rest = reader.remainder() if step.is_end else None
        if rest is not None:
            yield from parse(rest.data)

    def _end(self) -> str:
        if self.run.reason:
            return self.run.reason
        return "" if self.run.code is None else f"exit code {self.run.code}"

    def _clean(self, text: str) -> str:
        return redact(text, self.secrets).text
