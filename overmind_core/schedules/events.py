"""What happens to rituals, as the log has it."""

from __future__ import annotations

from msgspec import UNSET, UnsetType

from overmind_core.domain.events import Event


class RitualChanged(Event, frozen=True, kw_only=True, tag="ritual"):
    """A ritual, or one of its runs, has changed."""

    ritual: str
    """The ritual's id."""
    name: str
    what: str
    """`created`, `paused`, `resumed` or `deleted`; for a run `run`, `ended`, `skipped` or `missed`."""
    number: int | None = None
    """The number of the run."""
    status: str | None = None
    """The status of the run."""
    by: str | UnsetType = UNSET
    """The caller: `person`, a person's client such as `web:phone`, a mission's id, or `?` for a program started by an
    unknown mission."""
