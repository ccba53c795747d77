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
from overmind_core.memory.episode_table import EpisodeTable, StoredEpisode
from overmind_core.memory.events import NoteChanged
from overmind_core.memory.lookup import Reach
from overmind_core.memory.proposals import room
from overmind_core.memory.sight import author_of
from overmind_core.memory.store import Draft
from overmind_core.memory.threads import NoResource, WorkQueue
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
    from overmind_core.memory.opened import Reading, Writing
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
        mission = self._registry.get(step.mission)
        run = self._registry.run(f"{step.mission}.{step.run}")
        agent = None if mission is None else self._parts.agent(mission.id)
        if mission is None or run is None or agent is None:
            return
        place = await self._memory.place_of(mission.definition.cwd)

        def stored(reading: Reading) -> StoredEpisode | None:
            return EpisodeTable(reading.database).get(step.mission, step.run)

        known = await self._memory.read(stored, ours=True)
        if not self._memory.is_on or (known is not None and known.ended):
            return
        secrets = secret_values(self._parts.variables(mission.id))
        reader = _LogOfRun(mission, run, agent, self._parts.logs, secrets)
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
            reader = LineReader(f"{self.logs}/{self.mission.id}/{self.run.number:06d}", out or 0)
            episode = fold(episode, self._facts(reader, step), self._clean)
            out = reader.offset
        if step.is_end:
            episode = ended(episode, self._end())
        return stored._replace(episode=episode, out=out, ended=step.is_end)

    def _facts(self, reader: LineReader, step: _Step) -> Iterator[AgentFact]:
        """The facts in the log from where it was read last, up to where the step ends."""
        parse = provider_named(self.mission.definition.provider).parse
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
