"""Who may enter: the daemon says so, once per session; what it said counts until something about logins changes.

A browser has two secrets, its cookie and a key that its page keeps, as cookies go to every port of a host. A script has
one, a token. Each open socket is checked again whenever the daemon reports an event about logins, and when it returns.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple, Protocol

from overmind_core.domain.text.moment import parse_time
from overmind_core.errors import OvermindError
from overmind_web.supervisor import Supervisor

SECRET = re.compile(r"[A-Za-z0-9_-]{20,100}")
"""The form of all secrets: what has another one is refused unasked."""
CHECK_SECONDS = 5.0
"""How long the daemon may take to say who somebody is."""
MOST_CHECKS = 64
"""Checks that wait for the daemon at once; whoever comes later is told to try again."""
MOST_KNOWN = 512
"""Answers that are remembered."""
KNOWN_SECONDS = 60.0
"""How long what the daemon said counts without asking again; it notes when a login was used as often."""
LOOK_SECONDS = 10.0
"""Between two looks at the login of what is connected: where a check failed, another one says that it has ended; timers
stand still while the machine sleeps, and logins do not."""
AWAY = frozenset({"busy", "daemon_lost", "daemon_not_running"})
LINK_REFUSED = "This link has been used, or is older than 10 minutes. Get a new one with: overmind web link"
EVENT, REVOKED = "web", "revoked"
"""The type of events about logins, and what one says after which somebody may have no access any more."""


class Secrets(NamedTuple):
    """What somebody shows: a cookie's value and a key, or a token alone."""

    session: str = ""
    key: str = ""
    token: str = ""

    @property
    def well_formed(self) -> bool:
        """Whether they can be anybody's."""
        shown = (self.token,) if self.token else (self.session, self.key)
        return all(SECRET.fullmatch(one) for one in shown)


class Visitor(NamedTuple):
    """Somebody who is logged in."""

    name: str
    read_only: bool
    expires_at: float
    """Seconds since the epoch."""
    secrets: Secrets

    @property
    def by(self) -> str:
        """In whose name the daemon is asked."""
        return f"web:{self.name}"


class Credentials(Protocol):
    """Who may enter."""

    async def login(self, link: str, browser: str) -> Visitor:
        """Turn a link into a session."""
        ...

    async def logout(self, visitor: Visitor) -> None:
        """End a session."""
        ...

    async def check(self, secrets: Secrets) -> Visitor | None:
        """Return who shows these secrets; None: nobody who counts."""
        ...

    def watch(self, recheck: Callable[[], Awaitable[None]]) -> Callable[[], None]:
        """Have `recheck` called whenever logins may have ended; return what ends this."""
        ...


class SupervisorCredentials:
    """Logins that the daemon keeps.

    Args:
        supervisor: Says who somebody is.
    """

    def __init__(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor
        self._known: dict[Secrets, tuple[Visitor, float]] = {}
        """Secrets → who shows them, and when the daemon said so (monotonic seconds)."""
        self._changes = 0
        """How often something about logins has happened."""
        self._room = asyncio.Semaphore(MOST_CHECKS)
        self._watchers: set[Callable[[], Awaitable[None]]] = set()

    async def login(self, link: str, browser: str) -> Visitor:
        """Turn a link into a session.

        Args:
            link: The secret of the link.
            browser: What the browser says that it is; the daemon finds its name for the list of sessions.

        Raises:
            OvermindError: `unauthorized`, the link does not count; or the daemon does not answer.
        """
        if not SECRET.fullmatch(link):
            raise OvermindError("unauthorized", LINK_REFUSED)
        answer = await self._ask("web_login", {"link": link, "browser": browser})
        return _visitor(answer, Secrets(session=answer["session"], key=answer["key"]))

    async def logout(self, visitor: Visitor) -> None:
        """End a session."""
        self._known.pop(visitor.secrets, None)
        await self._ask("web_revoke", {"name": visitor.name})

    async def check(self, secrets: Secrets) -> Visitor | None:
        """Return who shows these secrets; None: nobody who counts.

        While the daemon is away, nobody's login can end: what it said before counts.

        Raises:
            OvermindError: `busy`, or the daemon does not answer.
        """
        if not secrets.well_formed or self._has_expired(secrets):
            return None
        known, said_at = self._known.get(secrets, (None, 0.0))
        if known is not None and (not self._supervisor.up or time.monotonic() - said_at < KNOWN_SECONDS):
            return known
        shown = {"token": secrets.token} if secrets.token else {"session": secrets.session, "key": secrets.key}
        changes = self._changes
        try:
            answer = await self._ask("web_check", shown)
        except OvermindError as error:
            if error.code == "unauthorized":
                self._known.pop(secrets, None)
                return None
            if known is not None and error.code in AWAY:
                return known
            raise
        if changes != self._changes:  # it may have ended after this was said
            return await self.check(secrets)
        visitor = _visitor(answer, secrets)
        while len(self._known) >= MOST_KNOWN:
            del self._known[next(iter(self._known))]
        self._known[secrets] = visitor, time.monotonic()
        return visitor

    def _has_expired(self, secrets: Secrets) -> bool:
        """Whether a login that is remembered has run out; it is forgotten then."""
        known, _ = self._known.get(secrets, (None, 0.0))
        expired = known is not None and known.expires_at <= time.time()
        if expired:
            del self._known[secrets]
        return expired

    def watch(self, recheck: Callable[[], Awaitable[None]]) -> Callable[[], None]:
        """Have `recheck` called whenever logins may have ended; return what ends this."""
        self._watchers.add(recheck)
        return lambda: self._watchers.discard(recheck)

    async def revoked(self) -> None:
        """Forget what the daemon said, and have all who are inside checked again."""
        self._known.clear()
        await self._recheck()

    async def returned(self) -> None:
        """Have all checked again, as the daemon has returned; should it go at once, what it said before counts."""
        self._known = {secrets: (visitor, -KNOWN_SECONDS) for secrets, (visitor, _) in self._known.items()}
        await self._recheck()

    async def _recheck(self) -> None:
        self._changes += 1
        for recheck in tuple(self._watchers):
            await recheck()

    async def _ask(self, verb: str, args: dict[str, str]) -> dict[str, Any]:
        if self._room.locked():
            raise OvermindError("busy", "Too many log in at once. Try again.")
        async with self._room:
            try:
                async with asyncio.timeout(CHECK_SECONDS):
                    answer: dict[str, Any] = await self._supervisor.call(verb, args)
            except TimeoutError:
                raise OvermindError("busy", "The daemon does not answer. Try again.") from None
        return answer


def _visitor(answer: dict[str, Any], secrets: Secrets) -> Visitor:
    expires_at = parse_time(answer["expires_at"], time.time())
    return Visitor(str(answer["name"]), bool(answer["read_only"]), expires_at, secrets)
