"""What happens to work that lands, as the log has it."""

from __future__ import annotations

from overmind_core.domain.events import MissionAct


class WorkLanded(MissionAct, frozen=True, kw_only=True, tag="landed"):
    """The work of a mission was merged into its target."""

    branch: str
    target: str
    before: str
    """The commit at which the target stood."""
    after: str
    """The commit at which it stands now."""
