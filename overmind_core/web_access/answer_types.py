"""The types of answers about logins of the web. Only annotations name them."""

from __future__ import annotations

from typing import TypedDict


class WebLink(TypedDict):
    """A link that can be used once."""

    link: str
    """The secret; shown this once. The web server's address with `/#link=` and this is what a person opens."""
    name: str | None
    """The name that the session will have; null: `browser`, or with a number."""
    read_only: bool
    expires_at: str
    """Until when it can be used."""
    session_seconds: float
    """How long the session will last."""


class WebAccess(TypedDict):
    """Who somebody is that has logged in."""

    name: str
    read_only: bool
    expires_at: str


class WebLogin(WebAccess):
    """A new session. Both secrets are shown this once."""

    session: str
    """For the browser's cookie."""
    key: str
    """For its page; a request needs both."""


class WebToken(WebAccess):
    """A new token."""

    token: str
    """The secret; shown this once."""


class WebAccessRow(WebAccess):
    """A session or token."""

    kind: str
    """`session` or `token`."""
    browser: str | None
    """The browser, such as `Firefox on Android`; null for a token."""
    created_at: str
    used_at: str | None
    """When it was used last, to the minute; null: never."""


class WebRevoked(TypedDict):
    """What does not count any more."""

    revoked: list[WebAccessRow]
    """Sessions and tokens."""
    links: int
    """Links that had not been used."""
