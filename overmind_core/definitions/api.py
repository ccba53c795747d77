"""`definition`, `redefine`, `environment`: a mission as its person defines it, and the environment of its programs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import msgspec

from overmind_core.definitions import editable
from overmind_core.domain.missions.events import MissionUpdated
from overmind_core.domain.missions.mission import Kind
from overmind_core.domain.text.bytestrings import to_wire
from overmind_core.errors import OvermindError
from overmind_core.kernel.request import handles
from overmind_core.missions import answers, lookup
from overmind_core.missions.environment import MARKS, Identity, compose
from overmind_core.missions.requests import One, Redefine
from overmind_core.missions.spec import Environment
from overmind_core.missions.validate import check_editable

if TYPE_CHECKING:
    from collections.abc import Callable

    from overmind_core.agents.service import Agents
    from overmind_core.definitions.answer_types import MissionDefinition, MissionWorld, RedefinedMission
    from overmind_core.domain.missions.mission import Mission
    from overmind_core.kernel.config import Settings
    from overmind_core.kernel.journal import Journal
    from overmind_core.kernel.request import Caller
    from overmind_core.missions.environment import Environments
    from overmind_core.missions.launcher import Launcher
    from overmind_core.missions.ports import MissionEdits
    from overmind_core.missions.registry import Registry
    from overmind_core.missions.store import EnvironmentTable
    from overmind_core.system.paths import Home

_PLACES = frozenset({"command", "cwd", "env"})
"""What decides where a program is found."""


class DefinitionsApi:
    """The requests about definitions."""

    def __init__(
        self,
        *,
        registry: Registry,
        settings: Settings,
        environments: Environments,
        launcher: Launcher,
        journal: Journal,
        home: Home,
        agents: Agents,
        environment_table: EnvironmentTable,
        edits: MissionEdits,
        check_restart: Callable[[Mission], None],
    ) -> None:
        """`check_restart`: refuses to start a mission again by hand that its plan or its quest starts."""
        self._registry = registry
        self._settings = settings
        self._environments = environments
        self._launcher = launcher
        self._journal = journal
        self._home = home
        self._agents = agents
        self._environment_table = environment_table
        self._edits = edits
        self._check_restart = check_restart

    @handles(One)
    async def definition(self, request: One, caller: Caller) -> MissionDefinition:
        """The editable fields of a mission, secrets included, and a name for this state of them."""
        del caller
        mission = lookup.find(self._registry, request.id)
        check_editable(mission)
        whole = self._whole(mission)
        return {
            **answers.brief(mission),
            "provider": mission.definition.provider,
            "type": mission.definition.kind,
            "live": mission.is_live,
            "as_of": editable.fingerprint(whole),
            "definition": editable.shown(whole),
            "restart_refused": self._restart_refused(mission),
        }

    @handles(Redefine)
    async def redefine(self, request: Redefine, caller: Caller) -> RedefinedMission:
        """Replace a mission's definition from its next run on; answers the names of the changed fields."""
        del caller
        mission = lookup.find(self._registry, request.id)
        check_editable(mission)
        before = self._unchanged(mission, request.as_of)
        after = editable.applied(before, request.definition, self._settings)
        changed = editable.changed(before, after)
        if _PLACES & set(changed):
            inherited = self._environments.of(mission.id).inherited
            await self._launcher.check(replace(mission, definition=after.definition),
                                     Environment(inherited, dict(after.chosen)))  # fmt: skip
            mission = lookup.find(self._registry, mission.id)
            self._unchanged(mission, request.as_of)
        if changed:
            self._check_name(before, after)
            agents, chosen = (before.agent, after.agent), (before.chosen, after.chosen)
            self._edits.redefine(mission, after.definition, agents, chosen)
            self._store(mission, after)
            await self._journal.saved()
        return {**answers.brief(self._registry.get(mission.id) or mission), "changed": changed}

    @handles(One)
    async def environment(self, request: One, caller: Caller) -> MissionWorld:
        """The folder, umask and environment of a mission's programs, for a shell beside it that is no part of it."""
        del caller
        mission = lookup.find(self._registry, request.id)
        found = self._environments.of(mission.id)
        made = mission.definition
        identity = Identity(mission.id, made.name, to_wire(self._home.root), made.parent, made.cwd)
        composed = compose(found.inherited, found.chosen, identity, tty=False, unattended=False, tools=None)
        return {
            **answers.brief(mission),
            "cwd": made.cwd,
            "umask": made.umask,
            "inside": mission.id if self._was_chosen_by_a_mission(mission) else None,
            "env": {name: value for name, value in composed.items() if name not in MARKS},
        }

    def _was_chosen_by_a_mission(self, mission: Mission) -> bool:
        """Whether a mission has started it, and so chosen its environment: a shell runs what some variables say."""
        above = lookup.line(self._registry, mission.definition.parent)
        return any(one.definition.kind is not Kind.BLUEPRINT for one in above)

    def _restart_refused(self, mission: Mission) -> str | None:
        try:
            self._check_restart(mission)
        except OvermindError as error:
            return ". ".join(filter(None, (error.message, self._edits.way(mission.id))))
        return None

    def _whole(self, mission: Mission) -> editable.EditableMission:
        return editable.EditableMission(
            mission.definition, self._agents.agent(mission.id), self._environments.of(mission.id).chosen
        )

    def _unchanged(self, mission: Mission, as_of: str) -> editable.EditableMission:
        whole = self._whole(mission)
        if editable.fingerprint(whole) != as_of:
            name = mission.definition.name
            raise OvermindError(
                "busy", f"Mission {mission.id} ({name}) was changed in the meantime. Review it, then edit again."
            )
        return whole

    def _check_name(self, before: editable.EditableMission, after: editable.EditableMission) -> None:
        name = after.definition.name
        holder = None if name == before.definition.name else self._registry.index.holder(name)
        if holder is not None:
            raise OvermindError("name_taken", f"The name {name!r} is taken by mission {holder}.", id=holder)

    def _store(self, mission: Mission, after: editable.EditableMission) -> None:
        """All of it in one commit."""
        parts = {"inherited": self._environments.of(mission.id).inherited, "chosen": after.chosen}
        text = msgspec.json.encode(parts).decode()
        with self._journal.together():
            self._journal.save(lambda: self._environment_table.save(mission.id, text))
            if after.agent is not None:
                self._agents.redefine(mission.id, after.agent)
            self._registry.put(replace(mission, definition=after.definition), (MissionUpdated(),))
