"""Who makes the lines of agents readable; found when the first log of one is shown."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from overmind_core.logs.rendered import LineRenderer


def renderer(name: str) -> LineRenderer | None:
    """A renderer for a run of that format; None: its lines are shown as they are."""
    from overmind_core.providers import registry

    return registry.renderer(name)
