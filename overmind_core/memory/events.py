"""Events about notes: they name notes, and hold no word of them."""

from __future__ import annotations

from msgspec import UNSET, UnsetType

from overmind_core.domain.events import Event


class NoteChanged(Event, frozen=True, kw_only=True, tag="note"):
    """A note was written or changed."""

    note: str
    change: str
    """`remembered`, `proposed`, `accepted`, `edited`, `replaced`, `pinned`, `unpinned`, `promoted`, `forgotten`,
    `restored`, `purged` or `moved`."""
    scope: str
    version: str
    """The id of the version that is shown now."""
    by: str | UnsetType = UNSET
    """The caller: `person`, a person's client such as `web:phone`, a mission's id, or `?` for a program started by an
    unknown mission."""
    why: str | UnsetType = UNSET
    """The reason for a change that nobody asked for."""


class Voted(Event, frozen=True, kw_only=True, tag="voted"):
    """Somebody has said whether a note helped."""

    note: str
    helped: bool
    by: str | UnsetType = UNSET
    """The caller, as in `note`."""


class MemoryChanged(Event, frozen=True, kw_only=True, tag="memory"):
    """Memory was switched, or its file was found damaged, or recovered."""

    change: str
    """`on`, `off`, `damaged` or `recovered`."""
    by: str | UnsetType = UNSET
    """The caller, as in `note`."""


class CortexChanged(Event, frozen=True, kw_only=True, tag="cortex"):
    """Notes were exchanged with the Cortex, or could not be; told once until it works again."""

    change: str
    """`connected`, `disconnected`, `synced`, `unreachable` or `refused`."""
    sent: int = 0
    received: int = 0
    by: str | UnsetType = UNSET
    """The caller, as in `note`."""
