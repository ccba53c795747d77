"""What happens to work that lands, as the log has it."""

from __future__ import annotations

from msgspec import UNSET, UnsetType

from overmind_core.domain.agents.events import TurnFinished
from overmind_core.domain.events import About, MissionAct, MissionEvent


class WorkCommitted(MissionAct, frozen=True, kw_only=True, tag="committed"):
    """The work in the worktree of a mission was committed, as somebody asked for."""

    commit: str
    subject: str
    files: int
    """How many the commit changes."""


class WorkLanded(MissionAct, frozen=True, kw_only=True, tag="landed"):
    """The work of a mission was merged into the target branch."""

    branch: str
    target: str
    before: str
    """The target's commit before the merge."""
    after: str
    """The target's commit after the merge."""
    added: int | UnsetType = UNSET
    """Lines that came with it; absent where nobody counted them."""
    removed: int | UnsetType = UNSET
    """Lines that went with it; absent where nobody counted them."""
    about: About | UnsetType = UNSET
    """The quest or the spec whose work it is; absent for a mission that belongs to none."""
    why: str | UnsetType = UNSET
    """The reason for a landing that nobody asked for."""


STEPS: tuple[type[MissionEvent], ...] = (TurnFinished, WorkCommitted, WorkLanded)
"""Events with which a mission may have come further in its worktree."""
