"""What happens to rituals, as the log has it."""

from __future__ import annotations

from overmind_core.domain.events import Event


class RitualChanged(Event, frozen=True, kw_only=True, tag="ritual"):
    """Something has happened to a ritual, or to a run of it."""

    ritual: str
    """Its id."""
    name: str
    what: str
    """Such as `created`, `paused`, `started`, `ended`."""
    number: int | None = None
    """Of the run that it is about."""
    status: str | None = None
    """Of that run."""
