"""What happens to work that lands, as the log has it."""

from __future__ import annotations

from overmind_core.domain.events import MissionAct


class WorkLanded(MissionAct, frozen=True, kw_only=True, tag="landed"):
    """The work of a mission was merged into the target branch."""

    branch: str
    target: str
    before: str
    """The target's commit before the merge."""
    after: str
    """The target's commit after the merge."""
