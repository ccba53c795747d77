"""The log of each colony in PostgreSQL: adding to it, and reading it. Each statement names the colony."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import psycopg

from overmind_core.cortex import meaning
from overmind_core.cortex.protocol import Push, Refused, body_of, entry_of, numbered
from overmind_core.cortex.tokens import Caller
from overmind_core.domain.memory.entries import Entry, emptied, is_emptied
from overmind_core.domain.memory.notes import Standing, Vote, purge_id
from overmind_core.domain.memory.sync import MOST_BYTES, Place, admit, next_chain
from overmind_core.domain.memory.words import LONGEST_WORD, stems

_CONNECT_SECONDS = 10
_STATEMENT_SECONDS = 25
"""After which a statement is given up: whoever waits for it does so no longer."""


_END: Final = "select seq, chain from colony where name = %s"
_LOCKED_END: Final = "select seq, chain from colony where name = %s for update"


@dataclass(frozen=True, slots=True)
class Pushed:
    """The result of a push."""

    seq: int
    taken: int
    known: int


@dataclass(frozen=True, slots=True)
class Pulled:
    """The entries after a place."""

    versions: Sequence[str]
    """Objects of JSON, as they are sent."""
    votes: Sequence[str]
    place: Place
    more: bool


def connect(conninfo: str) -> psycopg.Connection:
    """Connect with the database; each statement is a transaction of its own unless one was begun."""
    return psycopg.connect(
        conninfo,
        autocommit=True,
        connect_timeout=_CONNECT_SECONDS,
        application_name="overmind cortex",
        options=f"-c statement_timeout={_STATEMENT_SECONDS}s -c idle_in_transaction_session_timeout=60s"
        " -c client_min_messages=warning",
    )


def cortex_id(connection: psycopg.Connection) -> str:
    """Return the id of this Cortex, which its backups have as well."""
    row = connection.execute("select id from cortex").fetchone()
    assert row is not None
    return str(row[0])


def end_of(connection: psycopg.Connection, colony: str, *, lock: bool = False) -> Place:
    """Return where the log ends; with `lock` it stays so until the transaction does."""
    query = _LOCKED_END if lock else _END
    row = connection.execute(query, [colony]).fetchone()
    assert row is not None  # a token names its colony by a foreign key
    return Place(*row)


def push(connection: psycopg.Connection, caller: Caller, sent: Push) -> Pushed:
    """Add new entries to the log, all of them or none."""
    ids = [*(entry.id for entry in sent.entries), *{purge_id(entry.note) for entry in sent.entries}]
    with connection.transaction():
        end = end_of(connection, caller.colony, lock=True)
        rows = connection.execute(
            "select id from entry where colony = %s and id = any(%s)", [caller.colony, ids]
        ).fetchall()
        known = {row[0] for row in rows}
        admitted = admit(sent.entries, end, is_known=known.__contains__, is_purged=lambda note: purge_id(note) in known)
        if admitted.purged:
            _empty(connection, caller.colony, admitted.purged)
        _insert(connection, caller, (one.entry for one in admitted.entries), end)
        connection.execute("update colony set seq = %s, chain = %s where name = %s", [*admitted.place, caller.colony])
        if sent.vectors is not None:
            meaning.store(connection, caller.colony, sent.vectors)
    return Pushed(admitted.place.seq, len(admitted.entries), admitted.known)


def _empty(connection: psycopg.Connection, colony: str, notes: set[str]) -> None:
    rows = connection.execute(
        "select seq, is_vote, body from entry where colony = %s and note = any(%s)", [colony, list(notes)]
    ).fetchall()
    with connection.cursor() as cursor:
        cursor.executemany(
            "update entry set body = %s, words = null where colony = %s and seq = %s",
            [(body_of(emptied(entry_of(body, is_vote=is_vote))), colony, seq) for seq, is_vote, body in rows],
        )
    meaning.remove(connection, colony, notes)


def _insert(connection: psycopg.Connection, caller: Caller, entries: Iterable[Entry], end: Place) -> None:
    seq, chain = end
    rows = []
    for entry in entries:
        seq, chain = seq + 1, next_chain(chain, entry.id)
        rows.append(
            (caller.colony, seq, entry.id, entry.note, isinstance(entry, Vote), body_of(entry), caller.name, chain,
             _words(entry))
        )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.executemany(
            "insert into entry (colony, seq, id, note, is_vote, body, by, chain, words)"
            " values (%s, %s, %s, %s, %s, %s, %s, %s, array_to_tsvector(%s))",
            rows,
        )


def _words(entry: Entry) -> list[str] | None:
    """The words by which a version is found."""
    if isinstance(entry, Vote) or entry.standing is not Standing.LIVE or is_emptied(entry):
        return None
    content = entry.content
    found = stems(" ".join((content.text, content.key, *content.tags)))
    return sorted({word for word in found if len(word) <= LONGEST_WORD})


def pull(connection: psycopg.Connection, caller: Caller, place: Place, limit: int) -> Pulled:
    """Return the entries after a place, at most `limit`.

    Raises:
        Refused: `gone`, the log has another chain there.
    """
    end = end_of(connection, caller.colony)
    if place.seq and _chain_at(connection, caller.colony, place.seq) != place.chain:
        raise Refused("gone", "This is not how the log begins. Read it from the start.")
    rows = connection.execute(
        "select seq, is_vote, body, by, chain from entry"
        " where colony = %s and seq > %s and seq <= %s order by seq limit %s",
        [caller.colony, place.seq, end.seq, limit],
    ).fetchall()
    versions: list[str] = []
    votes: list[str] = []
    size = 0
    for seq, is_vote, body, by, chain in rows:
        (votes if is_vote else versions).append(numbered(body, seq, by))
        place = Place(seq, chain)
        size += len(body.encode())
        if size > MOST_BYTES:
            break
    if not place.seq:  # there is nothing yet
        place = end
    return Pulled(versions, votes, place, more=place.seq < end.seq)


def _chain_at(connection: psycopg.Connection, colony: str, seq: int) -> str | None:
    row = connection.execute("select chain from entry where colony = %s and seq = %s", [colony, seq]).fetchone()
    return row[0] if row else None
