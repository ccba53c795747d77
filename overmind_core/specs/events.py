"""Events about specs."""

from __future__ import annotations

from msgspec import UNSET, UnsetType

from overmind_core.domain.events import MissionAct


class SpecChanged(MissionAct, frozen=True, kw_only=True, tag="spec"):
    """A spec, or one of its phases, has changed."""

    spec: str
    """Its slug."""
    phase: str | None
    """The phase that has changed; null: the spec as a whole."""
    state: str
    """The state of the phase, else that of the spec."""
    score: float | None = None
    """The score of the phase's document."""
    why: str | UnsetType = UNSET
    """The reason for a change that nobody asked for."""
