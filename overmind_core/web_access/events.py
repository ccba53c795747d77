"""Events about logins of the web: they name logins, and hold no secret of them."""

from __future__ import annotations

from msgspec import UNSET, UnsetType

from overmind_core.domain.events import Event


class WebAccessChanged(Event, frozen=True, kw_only=True, tag="web"):
    """A link or a token was made, somebody logged in, or a login, token or link was revoked."""

    change: str
    """`link`, `login`, `token` or `revoked`."""
    name: str | None
    """The name of the session or token; of a link, the one that it asks for, or null."""
    kind: str
    """`link`, `session` or `token`."""
    read_only: bool
    expires_at: str
    """When it ends, or would have ended; RFC 3339."""
    by: str | UnsetType = UNSET
    """The caller: `person`, a mission's id, or `?` for a program started by an unknown mission."""
