"""What is noticed about missions that run, as the log has it."""

from __future__ import annotations

from overmind_core.domain.events import MissionEvent


class HealthChanged(MissionEvent, frozen=True, kw_only=True, tag="health"):
    """The level of a mission's health has changed."""

    level: str
    """`ok`, `quiet`, `stalled` or `hung`."""
    by: str
    """Always `engine`."""
    why: str
    """The reason, for people."""


class MissionSteered(MissionEvent, frozen=True, kw_only=True, tag="steer"):
    """The guardian has done something about a mission, or knows what came of that."""

    rung: str
    """`message`, `interrupt` (a message, and the turn was interrupted), `freeze` or `end` (the attempt was ended)."""
    terms: tuple[str, ...]
    """The patterns that held: `loop`, `drift`, `thrash`, `overrun`, `silence`."""
    outcome: str | None
    """`helped`, `unchanged` or `worse`, two samples later; null when it was done."""
    by: str
    """Always `engine`."""
    why: str
    """The reason, for people."""


class OverlapFound(MissionEvent, frozen=True, kw_only=True, tag="overlap"):
    """Two missions with worktrees of one repository change the same files; told again only for further files."""

    other: str
    """The id of the other mission."""
    other_name: str
    files: tuple[str, ...]
    """The files that both change, relative to the top of the repository; at most 100."""
    conflicts: tuple[str, ...] | None
    """Those that would conflict if both landed as they are now; null: git can't tell."""
    twins: bool
    """They change mostly the same files: perhaps both do the same work."""
    by: str
    """Always `engine`."""
    why: str
    """The reason, for people."""
