"""The live missions by id and by name. A name belongs to one of them, or to one that is about to be."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, KeysView

    from overmind_core.domain.mission import Mission


class Roster:
    """Who is there, in memory only. `live` is to be read; it changes through the methods."""

    def __init__(self) -> None:
        self.live: dict[str, Mission] = {}
        self._names: dict[str, str] = {}

    @property
    def names(self) -> KeysView[str]:
        """The names in use."""
        return self._names.keys()

    def holder(self, name: str) -> str | None:
        """The id of the mission that has this name."""
        return self._names.get(name)

    def put(self, mission: Mission) -> None:
        """The mission is live, and like this."""
        before = self.live.get(mission.id)
        if before is not None:
            self._free(before.definition.name, mission.id)
        self.live[mission.id] = mission
        self._names[mission.definition.name] = mission.id

    def remove(self, mission_id: str) -> None:
        """The mission isn't live, perhaps wasn't before."""
        mission = self.live.pop(mission_id, None)
        if mission is not None:
            self._free(mission.definition.name, mission_id)

    @contextmanager
    def reserved(self, name: str, mission_id: str) -> Iterator[None]:
        """Nobody else gets this name inside of the block; afterwards the mission has it if it is live."""
        self._names[name] = mission_id
        try:
            yield
        finally:
            if mission_id not in self.live:
                self._free(name, mission_id)

    def _free(self, name: str, mission_id: str) -> None:
        if self._names.get(name) == mission_id:
            del self._names[name]
