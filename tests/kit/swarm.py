"""A swarm in a real PostgreSQL, and hives of it that are no more than their calls: what a test says, they say."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg

from overmind_core.swarm import schema
from overmind_core.swarm.answers import Beaten, Claimed, Claims, Joined, Post, Reported
from overmind_core.swarm.connection import url_with_login
from overmind_core.swarm.database import Role, Swarm, connect

LONGEST = 600 * 1.01 + 2
"""Seconds that somebody has waited for the longest lease, as long as nobody asked for a longer one."""


@dataclass
class Hive:
    """A hive's side: its connection, its session, and what it was answered last."""

    swarm: Swarm
    name: str
    home: str = field(default_factory=lambda: uuid.uuid4().hex)
    session: str = field(default_factory=lambda: uuid.uuid4().hex)
    number: int = 0
    nonce: str = ""
    proof: str = ""
    fence: int = 0
    seen: dict[str, tuple[int, float]] = field(default_factory=dict)

    def join(self, seen: Mapping[str, object] | None = None, **about: Any) -> Joined:
        """Begin the session; `about` beside 4 slots."""
        joined = self.swarm.join(self.name, self.home, self.session, {"slots": 4, "fence": self.fence, **about}, seen)
        if joined.word == "joined":
            self.number, self.proof = joined.beat, joined.proof
        return joined

    def join_after(self, silence: float = 6.0, **about: Any) -> Joined:
        """Begin a session where the name has one, having seen its beat stand still for so long."""
        first = self.join(**about)
        assert first.word == "watch"
        return self.join({"session": first.session, "beat": first.beat, "seconds": silence}, **about)

    def call_beat(self, nonce: str, **about: Any) -> Beaten:
        """Ask for a beat, and lose the answer."""
        told = {"hive": self.name, "home": self.home, "proof": self.proof, "fence": self.fence, **about}
        return self.swarm.beat(self.session, self.number, self.nonce, nonce, told)

    def beat(self, **about: Any) -> Beaten:
        """One whole beat."""
        nonce = uuid.uuid4().hex
        beaten = self.call_beat(nonce, **about)
        if beaten.word in {"ok", "present"}:
            self.number, self.nonce = beaten.beat, nonce
        return beaten

    def ask(self, slots: int = 1, **free: float) -> Claims:
        """Ask for posts."""
        answer = self.swarm.claim(self.session, self.number, {"slots": slots, **free}, self.seen)
        self.fence = max([self.fence, *(one.fence for one in answer.claims)])
        return answer

    def claim(self, slots: int = 1, **free: float) -> list[Claimed]:
        """Take posts."""
        answer = self.ask(slots, **free)
        assert answer.word == "ok", answer
        return answer.claims

    def claim_one(self) -> Claimed:
        """Take the one post that is given."""
        (one,) = self.claim()
        return one

    def end(self, claim: Claimed, state: str = "done", **more: Any) -> Reported:
        """Tell the end of a post."""
        return self.swarm.report_end(self.session, claim.id, claim.fence, {"state": state, **more})

    def watch(self, seconds: float) -> None:
        """Have seen all that is on the list for so long."""
        found = self.swarm.watchlist(self.session).posts
        self.seen = {one.post: (one.version, seconds) for one in found}

    def presented(self, claim: Claimed, state: str = "claimed", **more: Any) -> dict[str, Any]:
        """How a claim is presented."""
        return {
            "id": claim.id, "fence": claim.fence, "proof": claim.proof, "definition": claim.definition,
            "state": state, **more,
        }  # fmt: skip


class TestSwarm:
    """A swarm of one test. Logins are the server's: their names end in a suffix of this swarm."""

    __test__ = False

    def __init__(self, url: str) -> None:
        self.url = url
        self.suffix = uuid.uuid4().hex[:8]
        self._stack = ExitStack()
        self._own: psycopg.Connection | None = None
        self._own_url = url
        with psycopg.connect(url, autocommit=True) as connection:
            self.prepared = schema.migrate(connection)
        self.admin = self.connected(url)

    def connected(self, url: str) -> Swarm:
        """A connection that is closed in the end."""
        swarm = connect(url)
        self._stack.callback(swarm.close)
        return swarm

    def login(self, name: str) -> str:
        """The login of that name here."""
        return f"{name}-{self.suffix}"

    def url_of(self, login: str) -> str:
        """The URL of a login; the server of the tests trusts everybody who reaches its socket."""
        return url_with_login(self.url, login, "unused")

    def member(self, name: str, role: Role = "operator", *, pool: bool = False) -> Swarm:
        """Invite somebody, and connect as that login."""
        login = self.login(name)
        self.admin.invite(login, role, uuid.uuid4().hex, pool=pool)
        return self.connected(self.url_of(login))

    def hive(self, name: str, **about: Any) -> Hive:
        """A hive that has joined."""
        one = Hive(self.member(name, "worker"), self.login(name))
        assert one.join(**about).word == "joined"
        return one

    def again(self, hive: Hive, **changed: Any) -> Hive:
        """The same login with another connection: another life of its keeper, or a copy of it."""
        values = {"home": hive.home, "proof": hive.proof, "fence": hive.fence, **changed}
        return Hive(self.connected(self.url_of(hive.name)), hive.name, **values)

    def post(self, name: str = "docs", **more: Any) -> str:
        """Post a quest."""
        given = str(more.pop("id", uuid.uuid4().hex[:8]))
        self.admin.post([{"id": given, "kind": "quest", "name": name, **more}])
        return given

    def find(self, post: str) -> Post:
        """A post as it is."""
        found = self.admin.find_post(post)
        assert found is not None
        return found

    def sql(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Ask the database itself, as its owner."""
        if self._own is None or self._own.broken or self._own.closed or self._own_url != self.url:
            self._own_url = self.url
            self._own = psycopg.connect(self.url, autocommit=True)
            self._stack.callback(self._own.close)
        cursor = self._own.execute(query.encode(), values or None)
        return cursor.fetchall() if cursor.description is not None else []

    def events(self, *types: str) -> list[tuple[str, str | None]]:
        """Types and posts of the events of these types, oldest first."""
        return [(one.type, one.post) for one in self.admin.events(limit=100_000) if one.type in types]

    def close(self) -> None:
        """Disconnect all, and drop the logins."""
        self._stack.close()
        with psycopg.connect(self.url, autocommit=True) as connection:
            for (name,) in connection.execute(
                "select rolname from pg_roles where rolname like %s", [f"%-{self.suffix}"]
            ).fetchall():
                connection.execute(f'drop role "{name}"'.encode())


@contextmanager
def swarm_in(url: str) -> Iterator[TestSwarm]:
    """A swarm in an empty database."""
    swarm = TestSwarm(url)
    try:
        yield swarm
    finally:
        swarm.close()


def definition(claim: Claimed) -> dict[str, Any]:
    """The definition of a claimed post."""
    found: dict[str, Any] = json.loads(claim.definition)
    return found
