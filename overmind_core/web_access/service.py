"""Logins of the web: links are made and used, sessions and tokens are checked, named, kept and revoked.

All of them are in memory, as every request of a web server asks for one; each change is saved before it is answered.
What can't be saved never was, but for a revocation: that counts at once.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from overmind_core.domain import web_access as rules
from overmind_core.domain.text.moment import format_time
from overmind_core.domain.web_access import Access, AccessKind, Link
from overmind_core.errors import OvermindError
from overmind_core.kernel.database import StoreError
from overmind_core.web_access.events import WebAccessChanged

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from overmind_core.kernel.event_log import EventLog
    from overmind_core.kernel.journal import Change, Journal
    from overmind_core.system.machine import Clock
    from overmind_core.web_access.store import WebAccessTable

LINK_USED = "This link has been used, or is older than 10 minutes. Get a new one with: overmind web link"


class WebAccesses:
    """Links, sessions and tokens of one home.

    Args:
        journal: Saves.
        events: Where changes are recorded.
        clock: Expiry is a matter of the wall clock, as a session outlives many boots.
        table: What is stored.
        random: Returns so many random bytes.
    """

    def __init__(
        self,
        *,
        journal: Journal,
        events: EventLog,
        clock: Clock,
        table: WebAccessTable,
        random: Callable[[int], bytes] = os.urandom,
    ) -> None:
        self._journal = journal
        self._events = events
        self._clock = clock
        self._table = table
        self._random = random
        self._links = {link.digest: link for link in table.links()}
        self._accesses = {access.name: access for access in table.accesses()}

    async def make_link(self, name: str | None, *, read_only: bool, lifetime: float) -> tuple[str, Link]:
        """Return a new link, and its secret.

        Raises:
            OvermindError: `name_taken`; `too_large`, there are too many sessions and tokens already.
            StoreError: it can't be saved.
        """
        now = self._tidied()
        if name is not None:
            self._refuse_taken(name, now)
        self._refuse_too_many(now)
        secret = self._new_secret()
        link = Link(rules.digest_of(secret), name, read_only, lifetime, now, now + rules.LINK_SECONDS)
        waiting = [one for one in self._links.values() if rules.counts(one, now)]
        for dropped in waiting[: max(0, len(waiting) + 1 - rules.MOST_LINKS)]:
            self._drop_link(dropped)
        self._links[link.digest] = link
        with self._undone(lambda: self._links.pop(link.digest, None)) as changes:
            changes += [
                self._journal.save(lambda: self._table.add_link(link)),
                self._log("link", link.name, "link", link),
            ]
            await self._journal.saved()
        return secret, link

    async def log_in(self, secret: str, user_agent: str) -> tuple[str, str, Access]:
        """Turn a link into a session; return the secrets of its cookie and of its key, and the session.

        Raises:
            OvermindError: `unauthorized`, the link doesn't count; `too_large`, as with `make_link`.
            StoreError: it can't be saved; the link can be used again.
        """
        now = self._tidied()
        link = rules.find_link(self._links.values(), secret, now)
        if link is None:
            raise OvermindError("unauthorized", LINK_USED)
        self._refuse_too_many(now)
        cookie, key = self._new_secret(), self._new_secret()
        session = Access(
            name=rules.free_name(link.name, self._taken(now)),
            kind=AccessKind.SESSION,
            digest=rules.digest_of(cookie),
            key_digest=rules.digest_of(key),
            read_only=link.read_only,
            browser=rules.browser_of(user_agent),
            made_at=now,
            expires_at=now + link.lifetime,
        )
        del self._links[link.digest]
        await self._save_new(
            session,
            "login",
            (lambda: self._table.remove_link(link.digest),),
            undo=lambda: self._links.setdefault(link.digest, link),
        )
        return cookie, key, session

    async def make_token(self, name: str, *, read_only: bool, lifetime: float) -> tuple[str, Access]:
        """Return a new token: its secret, and itself.

        Raises:
            OvermindError: `name_taken`, `too_large`, as with `make_link`.
            StoreError: it can't be saved.
        """
        now = self._tidied()
        self._refuse_taken(name, now)
        self._refuse_too_many(now)
        secret = self._new_secret()
        token = Access(name, AccessKind.TOKEN, rules.digest_of(secret), None, read_only, "", now, now + lifetime)
        await self._save_new(token, "token")
        return secret, token

    def check_session(self, cookie: str, key: str) -> Access:
        """Return the session with these secrets, and note that it was used.

        Raises:
            OvermindError: `unauthorized`.
        """
        now = self._clock.wall()
        return self._used(rules.find_session(self._accesses.values(), cookie, key, now), now)

    def check_token(self, token: str) -> Access:
        """Return the token with this secret, and note that it was used.

        Raises:
            OvermindError: `unauthorized`.
        """
        now = self._clock.wall()
        return self._used(rules.find_token(self._accesses.values(), token, now), now)

    def all(self) -> list[Access]:
        """Return the sessions and tokens that have not expired, the oldest first."""
        now = self._clock.wall()
        return sorted(
            (one for one in self._accesses.values() if not rules.has_expired(one.expires_at, now)),
            key=lambda one: (one.made_at, one.name),
        )

    async def revoke(self, name: str | None, kind: AccessKind | None) -> tuple[list[Access], list[Link]]:
        """End what has this name, unused links included; None: everything. Return what counted until now.

        Args:
            name: Of sessions, tokens and links.
            kind: Only sessions, or only tokens; links become sessions.

        Raises:
            OvermindError: `not_found`, nothing has this name.
            StoreError: it counts no longer, but after a crash it may: it is not saved yet.
        """
        accesses = [one for one in self.all() if name in {None, one.name} and kind in {None, one.kind}]
        now = self._clock.wall()
        links = [
            one
            for one in self._links.values()
            if name in {None, one.name} and kind is not AccessKind.TOKEN and not rules.has_expired(one.expires_at, now)
        ]
        if name is not None and not accesses and not links:
            what, where = ("token", "web token list") if kind is AccessKind.TOKEN else ("login", "web sessions")
            raise OvermindError("not_found", f"No {what} has the name {name!r}. See them with: overmind {where}")
        for access in accesses:
            self._drop_access(access)
            self._log("revoked", access.name, access.kind, access)
        for link in links:
            self._drop_link(link)
            self._log("revoked", link.name, "link", link)
        await self._journal.saved()
        return accesses, links

    # helpers

    async def _save_new(
        self,
        access: Access,
        change: str,
        more: Sequence[Callable[[], None]] = (),
        undo: Callable[[], object] = lambda: None,
    ) -> None:
        self._accesses[access.name] = access

        def forget() -> None:
            if self._accesses.get(access.name) is access:
                del self._accesses[access.name]
            undo()

        with self._undone(forget) as changes:
            changes += [self._journal.save(write) for write in (*more, lambda: self._table.save(access))]
            changes.append(self._log(change, access.name, access.kind, access))
            await self._journal.saved()

    @contextmanager
    def _undone(self, undo: Callable[[], object]) -> Iterator[list[Change]]:
        """What the block saves has never been when it can't be saved: `undo` forgets it, too."""
        changes: list[Change] = []
        try:
            yield changes
        except StoreError:
            self._journal.withdraw(changes)
            undo()
            raise

    def _tidied(self) -> float:
        """Forget what expired long ago; return the time."""
        now = self._clock.wall()
        for link in [one for one in self._links.values() if rules.is_forgotten(one, now)]:
            self._drop_link(link)
        for access in [one for one in self._accesses.values() if rules.is_forgotten(one, now)]:
            self._drop_access(access)
        return now

    def _drop_link(self, link: Link) -> None:
        del self._links[link.digest]
        self._journal.save(lambda: self._table.remove_link(link.digest))

    def _drop_access(self, access: Access) -> None:
        del self._accesses[access.name]
        self._journal.save(lambda: self._table.remove(access))

    def _taken(self, now: float) -> set[str]:
        return {one.name for one in self._accesses.values() if not rules.has_expired(one.expires_at, now)}

    def _refuse_taken(self, name: str, now: float) -> None:
        if name in self._taken(now):
            kind = self._accesses[name].kind.value
            raise OvermindError(
                "name_taken",
                f"A {kind} has the name {name!r}. End it with: overmind web revoke {name}; or choose another name.",
            )

    def _refuse_too_many(self, now: float) -> None:
        if len(self._taken(now)) >= rules.MOST_ACCESSES:
            raise OvermindError(
                "too_large",
                f"There are {rules.MOST_ACCESSES} sessions and tokens already. End some with: overmind web revoke NAME",
            )

    def _used(self, found: Access | None, now: float) -> Access:
        if found is None:
            raise OvermindError("unauthorized")
        if rules.is_use_due(found, now) and not self._journal.failing:
            used = found._replace(used_at=now)
            self._accesses[used.name] = used
            self._journal.save(lambda: self._table.note_use(used))
        return found

    def _log(self, change: str, name: str | None, kind: str, one: Link | Access) -> Change:
        return self._events.record(
            WebAccessChanged(
                change=change,
                name=name,
                kind=kind,
                read_only=one.read_only,
                expires_at=format_time(one.expires_at),
            )
        )

    def _new_secret(self) -> str:
        return rules.encode_secret(self._random(rules.RANDOM_BYTES))
