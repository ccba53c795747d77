"""Real homes that join a swarm in a real PostgreSQL, through the command line alone."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.kit.overmind import Overmind
from tests.kit.proxy import Proxy
from tests.kit.waiting import eventually


class SwarmHomes:
    """A swarm, and the homes that are its hives. Logins are the server's: each swarm of a test has its own names.

    Attributes:
        desk: The home that has made the swarm; it invites the others, and is no hive.
    """

    def __init__(self, url: str, make_home: Callable[[], Overmind]) -> None:
        self.url = url
        self.suffix = uuid.uuid4().hex[:6]
        self._make = make_home
        self.desk = make_home()
        self.desk.ok("swarm", "init", url)
        self.homes: dict[str, Overmind] = {}

    def name(self, short: str) -> str:
        """The name of a hive in this swarm."""
        return f"{short}-{self.suffix}"

    def invited(self, short: str, role: str = "operator") -> str:
        """Invite a hive; return the URL with which it joins."""
        lines = self.desk.ok("swarm", "invite", self.name(short), "--role", role).splitlines()
        assert lines[0] == f"Invited {self.name(short)} ({role}). On that machine, once:"
        assert lines[1].startswith("overmind swarm join 'postgresql://")
        return lines[1].removeprefix("overmind swarm join ").strip("'")

    def hive(
        self,
        short: str,
        *options: str,
        role: str = "operator",
        way: Proxy | None = None,
        home: Overmind | None = None,
        environment: Mapping[str, str] = MappingProxyType({}),
    ) -> Overmind:
        """Make a home that joins, with these variables besides, or have this one join.

        `way`: the one that it takes to the database.
        """
        home = home or self._make()
        home.environment |= environment
        url = self.invited(short, role)
        said = home.ok("swarm", "join", url if way is None else way.through(url), *options)
        assert f" as hive {self.name(short)} (" in said
        self.homes[short] = home
        return home

    def posts(self, *, ended: bool = True) -> dict[str, dict[str, Any]]:
        """All posts by their names."""
        rows = self.desk.json("ps", "-H", "swarm", "--json", *(["--all"] if ended else []))
        return {row["name"]: row for row in rows}

    def wait_state(self, name: str, *states: str, timeout: float = 40.0) -> dict[str, Any]:
        """Return a post as soon as it is in one of these states."""

        def look() -> dict[str, Any] | None:
            row = self.posts().get(name)
            return row if row is not None and row["state"] in states else None

        return eventually(look, timeout=timeout, what=f"{name} is {' or '.join(states)}") or {}

    def way(self) -> Proxy:
        """Make a way to the database that can be disturbed; a context manager."""
        return Proxy(unquote(parse_qs(urlsplit(self.url).query)["host"][0]))


def url_of_server() -> str:
    """Where the server of the tests answers."""
    return os.environ["OVERMIND_TEST_POSTGRES"]
