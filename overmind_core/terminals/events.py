"""What happens at the terminals of missions, as the log has it."""

from __future__ import annotations

from overmind_core.domain.events import MissionAct


class TerminalAttached(MissionAct, frozen=True, kw_only=True, tag="attached"):
    """A viewer has attached to a mission's terminal."""

    read_only: bool


class TerminalDetached(MissionAct, frozen=True, kw_only=True, tag="detached"):
    """A viewer has detached from a mission's terminal."""

    read_only: bool
