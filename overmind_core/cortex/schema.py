"""The tables of a Cortex, and how an older database gets today's: forward only, one server at a time.

Each statement that reads or writes notes carries the colony of whoever asks. A number of the log (`seq`) comes from the
colony's one row, which a transaction that adds something holds until it is committed: a sequence would hand out numbers
whose transactions are committed in another order, and who has read past one would never see it.
"""

from __future__ import annotations

import uuid

import psycopg

MIGRATIONS: tuple[str, ...] = (
    """
    create table cortex (id text not null);
    create table colony (
        name text primary key,
        seq bigint not null default 0,
        chain text not null
    );
    create table token (
        name text primary key,
        colony text not null references colony (name),
        role text not null check (role in ('read', 'write', 'admin')),
        digest bytea not null,
        created_at timestamptz not null default now(),
        expires_at timestamptz,
        used_at timestamptz
    );
    create unique index token_beginning on token (substr(digest, 1, 8));
    create table entry (
        colony text not null references colony (name),
        seq bigint not null,
        id text not null,
        note text not null,
        is_vote boolean not null,
        body text not null,
        by text not null,
        chain text not null,
        added_at timestamptz not null default now(),
        words tsvector,
        primary key (colony, seq),
        unique (colony, id)
    );
    create index entry_note on entry (colony, note);
    create index entry_words on entry using gin (words);
    """,
)
"""One per schema, oldest first. One that was released is never changed."""
NEWEST = len(MIGRATIONS)
_LOCK = 0x6F7665726D696E64
"""Of the advisory lock that servers of one database hold while they migrate it."""
_MEANING = """
    create table if not exists model (
        colony text not null references colony (name),
        name text not null,
        dimensions int not null,
        primary key (colony, name)
    );
    create table if not exists meaning (
        colony text not null,
        id text not null,
        note text not null,
        model text not null,
        value halfvec not null,
        primary key (colony, model, id)
    );
    create index if not exists meaning_note on meaning (colony, note);
"""


class SchemaNewer(Exception):
    """A newer version of the program has made the tables."""

    def __init__(self, found: int) -> None:
        super().__init__(f"The database has schema {found}, this version knows {NEWEST}. Upgrade Overmind.")
        self.found = found


def migrate(connection: psycopg.Connection) -> int:
    """Bring the database to today's schema, and return its number.

    Raises:
        SchemaNewer: it has a later one; nothing was changed.
    """
    with connection.transaction():
        connection.execute("select pg_advisory_xact_lock(%s)", [_LOCK])
        connection.execute("create table if not exists schema_version (version int not null)")
        row = connection.execute("select max(version) from schema_version").fetchone()
        found: int = (row and row[0]) or 0
        if found > NEWEST:
            raise SchemaNewer(found)
        for number, statements in enumerate(MIGRATIONS[found:], found + 1):
            connection.execute(statements.encode())
            connection.execute("insert into schema_version values (%s)", [number])
        if not found:
            connection.execute("insert into cortex values (%s)", [uuid.uuid4().hex])
    _add_meaning(connection)
    return NEWEST


def _add_meaning(connection: psycopg.Connection) -> None:
    """Make the tables of vectors where pgvector can be had; it may have come since."""
    try:
        with connection.transaction():
            connection.execute("select pg_advisory_xact_lock(%s)", [_LOCK])
            if connection.execute("select 1 from pg_available_extensions where name = 'vector'").fetchone():
                connection.execute("create extension if not exists vector")
                connection.execute(_MEANING.encode())
    except psycopg.Error:  # it is too old for halfvec, or this user may not: words do without it
        return


def pgvector_version(connection: psycopg.Connection) -> str | None:
    """Return the version of pgvector where there are tables of vectors, else None."""
    row = connection.execute(
        "select extversion from pg_extension where extname = 'vector' and to_regclass('meaning') is not null"
    ).fetchone()
    return row[0] if row else None
