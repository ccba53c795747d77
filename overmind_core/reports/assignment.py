"""Which agent gets a reported quest, in which folder and environment: one like the agent that reported it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec

from overmind_core.agents.spec import spec_of
from overmind_core.domain.agents.agent import RAW, Agent
from overmind_core.domain.missions.mission import Kind, Restart, RestartPolicy
from overmind_core.domain.replacing import replace
from overmind_core.errors import OvermindError
from overmind_core.missions.requests import AgentArgs, Start
from overmind_core.quests.store import SHARED, StoredWork

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from overmind_core.domain.missions.mission import Mission
    from overmind_core.domain.quests.quest import Quest
    from overmind_core.isolation.workspace import Workspace
    from overmind_core.kernel.config import Settings
    from overmind_core.missions.environment import SavedEnvironments
    from overmind_core.quests.ports import AgentWork
    from overmind_core.quests.registry import QuestRegistry


class Assignment(NamedTuple):
    """The command or agent of a reported quest, and its environment."""

    work: StoredWork
    environment: Mapping[str, str]
    """The one that `work.shared` names."""

    @property
    def environments(self) -> dict[str, Mapping[str, str]]:
        """As `QuestRegistry.enqueue` takes it."""
        return {self.work.shared: self.environment}


class Assignments:
    """Chooses the agents of reported quests. Used from the event loop's thread only."""

    def __init__(
        self,
        *,
        settings: Settings,
        quests: QuestRegistry,
        agents: AgentWork,
        saved: SavedEnvironments,
        workspace: Workspace,
        work_of_spec: Callable[[str], StoredWork | None],
    ) -> None:
        """`work_of_spec`: id of a spec → the command or agent of its quests."""
        self._settings = settings
        self._quests = quests
        self._agents = agents
        self._saved = saved
        self._workspace = workspace
        self._work_of_spec = work_of_spec

    def of(self, source: Mission, quest: Quest | None, *, named: str = "") -> Assignment | None:
        """The agent for what a mission has reported: that of its spec, else its own provider, else that of the queue.

        Args:
            source: The mission.
            quest: The quest of the queue whose work, check or review the mission is; None: it is of none.
            named: The agent that a person has named, should there be none; "": nobody has.

        Raises:
            OvermindError: nothing is known of the named agent.
        """
        stored = None if quest is None else self._quests.work(quest.id)
        spec = None if quest is None or quest.queue is None else quest.queue.spec
        work = self._work_of_spec(spec) if spec is not None else None
        if work is None and stored is not None and (stored.agent is not None or spec is not None):
            work = stored
        if work is not None:
            return Assignment(work, self._quests.shared(work.shared))
        return self._of_mission(source, named)

    def _of_mission(self, source: Mission, named: str) -> Assignment | None:
        inherited = self._saved.of(source.id).inherited
        agent = self._agents.agent(source.id)
        if agent is not None and source.definition.provider != RAW:
            definition = replace(
                source.definition,
                kind=Kind.TASK,
                parent=None,
                cwd=self._persons_folder(source),
                restart=RestartPolicy(Restart.NEVER),
                isolated=False,
            )
            isolate = source.definition.isolated or None
            return _assignment(StoredWork(definition, replace(agent, prompt=None, folders=None), isolate), inherited)
        return self.of_queue(self._persons_folder(source), inherited, named=named)

    def of_queue(self, cwd: str, environment: Mapping[str, str], *, named: str = "") -> Assignment | None:
        """The agent of the queue, in a folder and an environment, else the one that a person has named; None: neither.

        Raises:
            OvermindError: nothing is known of the named agent.
        """
        agent = self._settings.queue.agent
        try:
            found = self._assigned(agent, cwd, environment) if agent else None
        except OvermindError:
            found = None
        return self._assigned(named, cwd, environment) if found is None and named else found

    def _assigned(self, agent: str | tuple[str, ...], cwd: str, environment: Mapping[str, str]) -> Assignment:
        is_provider = isinstance(agent, str)
        start = Start(
            command="quest" if is_provider else list(agent),
            cwd=cwd,
            env=dict(environment),
            provider=str(agent) if is_provider else RAW,
            agent=AgentArgs() if is_provider else None,
        )
        spec = spec_of(start, self._settings, name="quest")
        return _assignment(StoredWork(spec.definition, spec.agent), environment)

    def _persons_folder(self, source: Mission) -> str:
        """The folder in which its caller started it, instead of its worktree."""
        record = self._workspace.records.get(source.id)
        if record is None or record.worktree is None:
            return source.definition.cwd
        return f"{record.source}/{record.subfolder}" if record.subfolder else record.source


def _assignment(work: StoredWork, environment: Mapping[str, str]) -> Assignment:
    import hashlib  # noqa: PLC0415 - it loads OpenSSL: 4 MB, for those who report

    text = msgspec.json.encode(dict(environment), order="deterministic")
    return Assignment(replace(work, shared=f"{SHARED}{hashlib.sha256(text).hexdigest()}"), environment)


def worded(work: StoredWork, name: str, title: str) -> StoredWork:
    """The same work for a quest with this name and title."""
    agent: Agent | None = work.agent
    command = title if agent is not None else work.definition.command
    return replace(work, definition=replace(work.definition, name=name, command=command))
