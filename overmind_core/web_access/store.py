"""The tables of links, and of sessions and tokens."""

# ruff: noqa: S608 -- every statement is put together from constants of this file

from __future__ import annotations

from overmind_core.domain.web_access import Access, AccessKind, Link
from overmind_core.kernel.database import Database

_LINK = ", ".join(Link._fields)
_ACCESS = ", ".join(Access._fields)


class WebAccessTable:
    """Reads any time, changes inside of a transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def links(self) -> list[Link]:
        """Return every link, the oldest first."""
        rows = self._database.read(f"SELECT {_LINK} FROM web_links ORDER BY made_at, digest")
        return [
            Link(bytes(digest), name, bool(read_only), lifetime, made_at, expires_at)
            for digest, name, read_only, lifetime, made_at, expires_at in rows
        ]

    def accesses(self) -> list[Access]:
        """Return every session and token, the oldest first."""
        rows = self._database.read(f"SELECT {_ACCESS} FROM web_accesses ORDER BY made_at, name")
        return [
            Access(name, AccessKind(kind), bytes(digest), key and bytes(key), bool(read_only), *rest)
            for name, kind, digest, key, read_only, *rest in rows
        ]

    def add_link(self, link: Link) -> None:
        """Add a link.

        Raises:
            Conflict: there is one with this hash.
        """
        self._database.write(f"INSERT INTO web_links ({_LINK}) VALUES (?, ?, ?, ?, ?, ?)", link)

    def remove_link(self, digest: bytes) -> None:
        """Forget a link."""
        self._database.write("DELETE FROM web_links WHERE digest = ?", (digest,))

    def save(self, access: Access) -> None:
        """Add a session or token, in the place of one of its name."""
        self._database.write(
            f"INSERT OR REPLACE INTO web_accesses ({_ACCESS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", access
        )

    def note_use(self, access: Access) -> None:
        """Store when it was used last; nothing when it was removed since, or its name is another's now."""
        self._database.write(
            "UPDATE web_accesses SET used_at = ? WHERE name = ? AND digest = ?",
            (access.used_at, access.name, access.digest),
        )

    def remove(self, access: Access) -> None:
        """Forget a session or token; nothing when its name is another's now."""
        self._database.write("DELETE FROM web_accesses WHERE name = ? AND digest = ?", (access.name, access.digest))
