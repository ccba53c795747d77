"""`web_link`, `web_login`, `web_token`, `web_check`, `web_sessions`, `web_revoke`: who may use the web server.

Web servers ask `web_login` and `web_check`, people the others. Secrets are in the answers that make them, once, and in
the requests that use them; in no event, no log and no list.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from overmind_core.domain.text.moment import format_time
from overmind_core.errors import OvermindError
from overmind_core.kernel.request import Args, handles
from overmind_core.missions.requests import Amount, Nothing
from overmind_core.missions.validate import seconds

if TYPE_CHECKING:
    from collections.abc import Callable

    from overmind_core.domain.web_access import Access
    from overmind_core.kernel.request import Caller
    from overmind_core.web_access.answer_types import (
        WebAccess,
        WebAccessRow,
        WebLink,
        WebLogin,
        WebRevoked,
        WebToken,
    )
    from overmind_core.web_access.service import WebAccesses


class WebLinkWanted(Args, frozen=True):
    """A link for one login."""

    name: str | None = None
    """Of the session that it becomes; null: `browser`, or with a number."""
    read_only: bool = False
    lifetime: Amount | None = None
    """How long the session lasts, from its login; null: `session` of `[web]` in config.toml."""


class WebLoginWanted(Args, frozen=True):
    """Use a link."""

    link: str
    """Its secret."""
    browser: str = ""
    """The `User-Agent` of the browser that logs in."""


class WebTokenWanted(Args, frozen=True):
    """A token for a script."""

    name: str
    read_only: bool = False
    lifetime: Amount | None = None
    """How long it lasts; null: `session` of `[web]` in config.toml."""


class WebCheck(Args, frozen=True):
    """What somebody showed: `session` and `key`, or `token`."""

    session: str | None = None
    key: str | None = None
    token: str | None = None


class WebRevoke(Args, frozen=True):
    """What is to count no longer: `name`, or `all`."""

    name: str | None = None
    """Of a session or token, and of links that have not been used."""
    all: bool = False
    kind: Literal["session", "token"] | None = None
    """Only sessions and links, or only tokens."""


class WebAccessApi:
    """The requests about logins of the web.

    Args:
        accesses: Made with the first request: most daemons serve no web server.
        session_seconds: How long sessions and tokens last where nobody says it.
    """

    def __init__(self, accesses: Callable[[], WebAccesses], *, session_seconds: float) -> None:
        self._accesses = accesses
        self._session_seconds = session_seconds

    @handles(WebLinkWanted)
    async def web_link(self, request: WebLinkWanted, caller: Caller) -> WebLink:
        """Make a link for one login, to be used within ten minutes."""
        del caller
        if request.name is not None:
            _check_name(request.name)
        lifetime = self._lifetime(request.lifetime)
        secret, link = await self._accesses().make_link(request.name, read_only=request.read_only, lifetime=lifetime)
        return {
            "link": secret,
            "name": link.name,
            "read_only": link.read_only,
            "expires_at": format_time(link.expires_at),
            "session_seconds": link.lifetime,
        }

    @handles(WebLoginWanted)
    async def web_login(self, request: WebLoginWanted, caller: Caller) -> WebLogin:
        """Use a link: it becomes a session."""
        del caller
        cookie, key, session = await self._accesses().log_in(request.link, request.browser)
        return {**_who(session), "session": cookie, "key": key}

    @handles(WebTokenWanted)
    async def web_token(self, request: WebTokenWanted, caller: Caller) -> WebToken:
        """Make a token."""
        del caller
        _check_name(request.name)
        lifetime = self._lifetime(request.lifetime)
        secret, token = await self._accesses().make_token(request.name, read_only=request.read_only, lifetime=lifetime)
        return {**_who(token), "token": secret}

    @handles(WebCheck)
    async def web_check(self, request: WebCheck, caller: Caller) -> WebAccess:
        """Tell whose session or token this is, and note that it was used."""
        del caller
        match request:
            case WebCheck(session=str(session), key=str(key), token=None):
                return _who(self._accesses().check_session(session, key))
            case WebCheck(session=None, key=None, token=str(token)):
                return _who(self._accesses().check_token(token))
            case _:
                raise OvermindError("unauthorized")

    @handles(Nothing)
    async def web_sessions(self, request: Nothing, caller: Caller) -> list[WebAccessRow]:
        """The sessions and tokens that have not expired, the oldest first."""
        del request, caller
        return [_row(one) for one in self._accesses().all()]

    @handles(WebRevoke)
    async def web_revoke(self, request: WebRevoke, caller: Caller) -> WebRevoked:
        """End sessions and tokens, and links that have not been used; answers what counted until now."""
        from overmind_core.domain.web_access import AccessKind  # noqa: PLC0415 - for those who have a web server

        del caller
        if request.all is (request.name is not None):
            raise OvermindError("invalid", "Give a name, or all.")
        kind = None if request.kind is None else AccessKind(request.kind)
        accesses, links = await self._accesses().revoke(request.name, kind)
        return {"revoked": [_row(one) for one in accesses], "links": len(links)}

    def _lifetime(self, amount: Amount | None) -> float:
        from overmind_core.domain.web_access import LONGEST, SHORTEST  # noqa: PLC0415 - as above

        if amount is None:
            return self._session_seconds
        found = seconds(amount, "--for")
        if not SHORTEST <= found <= LONGEST:
            raise OvermindError("invalid", f"--for {amount}: write a duration from 1m to 3650d.")
        return found


def _check_name(name: str) -> None:
    from overmind_core.domain.web_access import NAME_RULE, is_name  # noqa: PLC0415 - as above

    if not is_name(name):
        raise OvermindError("invalid", f"The name {name[:100]!r} can't be used: {NAME_RULE}.")


def _who(access: Access) -> WebAccess:
    return {"name": access.name, "read_only": access.read_only, "expires_at": format_time(access.expires_at)}


def _row(access: Access) -> WebAccessRow:
    return {
        **_who(access),
        "kind": access.kind.value,
        "browser": access.browser or None,
        "created_at": format_time(access.made_at),
        "used_at": None if access.used_at is None else format_time(access.used_at),
    }
