"""The records of isolation that a recovery of state.db has lost, made again: worktrees and branches stand on disk.

Whose worktree it is, its mission says, or its own name: the id of a mission of which this home has something else. One
of another home in the same repository is left alone.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, cast

from overmind_core.isolation import store as isolation_store
from overmind_core.isolation.adoption import Adoption, Unrecorded, own_worktree, source_of
from overmind_core.isolation.steps.services import LABEL
from overmind_core.isolation.stray_containers import FACT
from overmind_core.missions.registry import MISSION
from overmind_core.quests import store as quest_store

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from overmind_core.domain.missions.mission import Mission
    from overmind_core.git.run import Git
    from overmind_core.kernel.database import Database
    from overmind_core.kernel.salvage import Key

ISOLATIONS = "isolations"
"""The table of these records."""


class Worktrees:
    """Makes the lost records again, within the transaction of a recovery.

    Args:
        git: Git as the person runs it.
        left: Ids of missions of which this home has logs, files or a process; it may have events or ports of others.
        around: The top of the checkout in which the person is, in wire form; None: there is none.
    """

    def __init__(self, git: Git, left: Collection[str], around: str | None) -> None:
        self.names: dict[str, str] = {}
        """Mission → the name of what has a record again."""
        self.gone: dict[str, str] = {}
        """Mission → the name of what has a record again that says that neither worktree nor branch is there."""
        self._git = git
        self._left = set(left)
        self._around = around

    def take(self, database: Database, lost: Mapping[Key, str]) -> None:
        """Write the records of all that has a worktree and no record; `lost`: keys of lost rows → their names."""
        decoded = (MISSION.decode(record) for (record,) in database.read("SELECT record FROM missions"))
        missions = {one.id: one for one in decoded}
        quests = [quest_store.RECORD.decode(record) for (record,) in database.read("SELECT record FROM quests")]
        isolations = isolation_store.IsolationTable(database)
        known = database.read("SELECT mission FROM events WHERE mission IS NOT NULL UNION SELECT mission FROM ports")
        self._left |= {str(id_) for (id_,) in known}
        recorded = {row.mission: row for row in isolations.all()}
        unrecorded = self._unrecorded(missions, recorded, lost)
        if not unrecorded:
            return
        targets = {quest.id: quest.goal.into for quest in quests if quest.goal is not None}
        ports = _ports(database)
        folders = {*(one.definition.cwd for one in missions.values()), *(one.cwd for one in quests)}
        sources = self._sources({row.source for row in recorded.values()}, folders)
        adoption = Adoption(self._git, _trusted(database), _engines(database))
        for id_, name in unrecorded.items():
            mission = missions.get(id_)
            children = [one for one in missions.values() if mission is not None and _is_service_of(one, mission)]
            one = Unrecorded(id_, name, mission, children, targets.get(id_), ports.get(id_, {}))
            made = adoption.adopt(one, sources)
            if made is not None:
                isolations.save(isolation_store.row(made))
                (self.gone if made.lost else self.names)[id_] = made.name

    def _unrecorded(
        self, missions: Mapping[str, Mission], recorded: Collection[str], lost: Mapping[Key, str]
    ) -> dict[str, str]:
        """Mission → its name, as far as that is known."""
        own = {one.id: one.definition.name for one in missions.values() if own_worktree(one) is not None}
        named = {key[0]: name for key, name in lost.items() if len(key) == 1 and isinstance(key[0], str)}
        found = {**dict.fromkeys(sorted(self._left), ""), **named, **own}
        return {id_: "" if name == id_ else name for id_, name in found.items() if id_ not in recorded}

    def _sources(self, known: Iterable[str], folders: Iterable[str]) -> list[str]:
        around = [] if self._around is None else [self._around]
        looked = (source_of(folder) for folder in folders)
        return sorted({*known, *around, *(one for one in looked if one is not None)})


def _is_service_of(one: Mission, mission: Mission) -> bool:
    return one.definition.parent == mission.id and LABEL in one.definition.labels


def _ports(database: Database) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for row in isolation_store.PortTable(database).all():
        found.setdefault(row.mission, {})[row.service] = row.port
    return found


def _trusted(database: Database) -> Callable[[str, str], bool]:
    table = isolation_store.TrustTable(database)
    return lambda path, content: table.sum_of(path) == content


def _engines(database: Database) -> list[str]:
    row = database.read_one("SELECT value FROM meta WHERE key = ?", (FACT,))
    return [] if row is None else cast("list[str]", json.loads(str(row[0])))
