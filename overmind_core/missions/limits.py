"""Whether a tree may have one more mission: asked right before that is recorded, so that no race exceeds a limit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from overmind_core.domain.agents.agent import RAW
from overmind_core.domain.missions import tree
from overmind_core.domain.missions.tree import Ancestor
from overmind_core.errors import OvermindError
from overmind_core.missions.lookup import line

if TYPE_CHECKING:
    from overmind_core.domain.missions.mission import Mission
    from overmind_core.domain.missions.tree import SpentTree
    from overmind_core.missions.ports import Budget, Preparer
    from overmind_core.missions.registry import Registry


class TreeLimits:
    """The limits of children, generations and money above a new mission."""

    def __init__(self, registry: Registry, preparer: Preparer, budget: Budget) -> None:
        self._registry = registry
        self._preparer = preparer
        self._budget = budget

    def check(self, parent: str | None, provider: str, *, inside: bool) -> None:
        """Refuse what would make the parent's tree larger, or dearer, than it may be.

        Raises:
            OvermindError: `forbidden`, naming the limit and whose it is.
        """
        if parent is None:
            return
        above = [_above(one) for one in line(self._registry, parent)]
        services = self._preparer.services_of(parent)  # they belong to the mission itself
        live = self._registry.live.values()
        children = sum(one.definition.parent == parent and one.id not in services for one in live)
        refused = tree.refusal(above, children, inside=inside)
        if refused is not None:
            raise OvermindError("forbidden", refused)
        spent = None if provider == RAW else self._budget.spent(parent)
        if spent is not None:
            raise OvermindError("forbidden", _spent(*spent))


def _above(mission: Mission) -> Ancestor:
    definition = mission.definition
    return Ancestor(mission.id, definition.name, definition.max_children, definition.max_depth)


def _spent(owner: Mission, spent: SpentTree) -> str:
    option = f"--{spent.reason.replace('_', '-')}"
    return (
        f"The tree of mission {owner.id} ({owner.definition.name}) has spent {spent.used}, and its {option} is"
        f" {spent.limit}: it can't start more agents."
    )
