"""What happens to rituals, as the log has it."""

from __future__ import annotations

from msgspec import UNSET, UnsetType

from overmind_core.domain.events import Event


class RitualChanged(Event, frozen=True, kw_only=True, tag="ritual"):
    """Something has happened to a ritual, or to a run of it."""

    ritual: str
    """Its id."""
    name: str
    what: str
    """`created`, `paused`, `resumed` or `deleted`; of a run `run`, `ended`, `skipped` or `missed`."""
    number: int | None = None
    """Of the run that it is about."""
    status: str | None = None
    """That run's."""
    by: str | UnsetType = UNSET
    """Who asked: `person`, a mission's id, or `?` for a program that some mission started."""
