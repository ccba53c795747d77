"""Agents that a live plan had, and has no longer: what runs of them is ended, and their attempts stay counted.

They stay in the store beside the others. Should one come back under its name, what it does now must not be taken for
what it did then, and it does not begin before that has ended.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from overmind_core.domain.plan.progress import ACTIVE, Node, Stage
from overmind_core.supervisor.plans import saved

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from overmind_core.domain.mission import Mission
    from overmind_core.supervisor.core import Supervisor


def request_key(plan: str, name: str, node: Node) -> str:
    """The request key of an agent's newest attempt: however often it is asked for, it makes one mission."""
    return f"plan:{plan}:{name}:{node.attempt}"


class Removed:
    """Used from the loop's thread only."""

    def __init__(
        self, core: Supervisor, plan: str, nodes: Mapping[str, Node], tell_to_end: Callable[[str | None], None]
    ) -> None:
        self._core = core
        self._plan = plan
        self._nodes = dict(nodes)
        self._tell_to_end = tell_to_end

    @property
    def any_active(self) -> bool:
        """Whether anything of them runs, or may be about to."""
        return any(node.stage in ACTIVE for node in self._nodes.values())

    def put(self, name: str, node: Node) -> None:
        """This one is removed, and stands like that."""
        self._nodes[name] = node
        text = saved.encode(node)
        self._core.ledger.save(lambda: self._core.state.plans.save_node(self._plan, name, text))

    def back(self, name: str) -> Node | None:
        """Where the agent stood that is part of the plan again; None when it never was before."""
        return self._nodes.pop(name, None)

    def take_up(self) -> None:
        """End what was not told to end before the supervisor died."""
        for name, node in list(self._nodes.items()):
            if node.stage in ACTIVE:
                self._settle(name, node)

    def has_begun(self, name: str, number: int, mission: Mission) -> None:
        """An attempt has become a mission, which is being ended."""
        node = self._nodes.get(name)
        if node is not None and node.attempt == number and node.stage is Stage.STARTING:
            self.put(name, replace(node, stage=Stage.STOPPING, mission=mission.id))
            self.changed(mission)

    def changed(self, mission: Mission) -> bool:
        """A mission below the plan has changed; whether it was one of these, and has ended."""
        if mission.is_live:
            return False
        mine = [name for name, node in self._nodes.items() if node.mission == mission.id and node.stage in ACTIVE]
        for name in mine:
            self.ended(name)
        return bool(mine)

    def ended(self, name: str) -> None:
        """Nothing runs of this one, and nothing will."""
        node = self._nodes.get(name)
        if node is not None and node.stage in ACTIVE:
            self.put(name, replace(node, stage=Stage.CANCELLED))

    def _settle(self, name: str, node: Node) -> None:
        mission = node.mission
        if node.stage is Stage.STARTING:
            row = self._core.state.missions.by_request(request_key(self._plan, name, node))
            mission = None if row is None else row.id
        if mission is not None and mission in self._core.book.live:
            self.put(name, replace(node, stage=Stage.STOPPING, mission=mission))
            self._tell_to_end(mission)
        else:
            self.ended(name)
