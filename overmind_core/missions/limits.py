"""Whether a tree may have one more mission: asked right before that is recorded, so that no race exceeds a limit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from overmind_core.domain.agents.agent import RAW
from overmind_core.domain.missions import tree
from overmind_core.domain.missions.tree import Above
from overmind_core.errors import OvermindError
from overmind_core.missions.lookup import line

if TYPE_CHECKING:
    from overmind_core.daemon.app import Supervisor
    from overmind_core.domain.missions.mission import Mission


def check(core: Supervisor, parent: str | None, provider: str, *, inside: bool) -> None:
    """Refuse what would make the parent's tree larger, or dearer, than it may be.

    Raises:
        OvermindError: `forbidden`, naming the limit and whose it is.
    """
    if parent is None:
        return
    above = [_above(one) for one in line(core.book, parent)]
    services = core.isolation.services_of(parent)  # they belong to the mission itself
    children = sum(one.definition.parent == parent and one.id not in services for one in core.book.live.values())
    refused = tree.refusal(above, children, inside=inside)
    if refused is not None:
        raise OvermindError("forbidden", refused)
    spent = None if provider == RAW else core.budgets.spent(parent)
    if spent is not None:
        raise OvermindError("forbidden", _spent(*spent))


def _above(mission: Mission) -> Above:
    definition = mission.definition
    return Above(mission.id, definition.name, definition.max_children, definition.max_depth)


def _spent(owner: Mission, usd: float) -> str:
    name, limit = owner.definition.name, owner.definition.max_cost
    return (
        f"The tree of mission {owner.id} ({name}) has spent ${usd:.2f}, and its --max-cost is ${limit:.2f}:"
        " no further agent is started in it."
    )
