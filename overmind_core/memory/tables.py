"""The tables of notes: versions and votes as they came, and each note as they make it.

Reads any time, changes inside of a transaction. A note's own row holds the fold of its versions and votes, so that
nothing is folded to be listed.
"""

# ruff: noqa: S608 -- every statement is put together from constants of this file

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from overmind_core.domain.memory.notes import (
    ID_LENGTH,
    ID_LETTERS,
    Note,
    NoteKind,
    NoteState,
    Scope,
    ScopeKind,
    Version,
    Vote,
)
from overmind_core.domain.replacing import replace
from overmind_core.kernel.codec import Codec

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from overmind_core.kernel.database import Database, Row, Value

VERSION = Codec(Version)
VOTE = Codec(Vote)
NOTE = Codec(Note)
SLICE = 500
"""Rows that are read at once by those who go through all."""


class StoredNote(NamedTuple):
    """A note, with its row and its uses in this home."""

    row: int
    note: Note
    used: int
    """How many runs were given it."""
    used_at: float | None
    """Seconds since the epoch."""


class Derived(NamedTuple):
    """The columns of a note that are made of its text."""

    fingerprint: str
    parts: str
    """The words within its identifiers."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """The conditions on notes; all hold together."""

    scopes: tuple[int, ...] | None = None
    """Rows of scopes; None: all."""
    states: tuple[NoteState, ...] = (NoteState.PROPOSED, NoteState.LIVE)
    kind: str | None = None
    tag: str | None = None
    conflicts: bool = False
    resting: bool = False
    pinned: bool = False
    with_files: bool = False
    mission: str | None = None
    """The one that wrote it."""
    ids: tuple[str, ...] | None = None


def conditions(chosen: Chosen) -> tuple[str, list[Value]]:
    """The condition on rows of `notes`, and its values."""
    few = chosen.with_files or chosen.conflicts or chosen.resting or chosen.pinned
    # `+`: SQLite shall take the index of those few, and not look at all notes of these scopes and states.
    parts = [f"{'+' if few else ''}notes.state IN ({_marks(chosen.states)})"]
    values = [str(state) for state in chosen.states]
    found: list[Value] = [*values]
    if chosen.scopes is not None:
        parts.append(f"notes.scope IN ({_marks(chosen.scopes)})")
        found += chosen.scopes
    if chosen.kind is not None:
        parts.append("notes.kind = ?")
        found.append(chosen.kind)
    if chosen.tag is not None:
        parts.append("EXISTS (SELECT 1 FROM json_each(notes.tags) WHERE value = ?)")
        found.append(chosen.tag)
    if chosen.mission is not None:
        parts.append("notes.mission = ?")
        found.append(chosen.mission)
    if chosen.ids is not None:
        parts.append("notes.id IN (SELECT value FROM json_each(?))")
        found.append(json.dumps(chosen.ids))
    if chosen.with_files:
        parts.append("notes.files <> '[]'")
    if chosen.conflicts:
        parts.append("notes.conflicts > 0")
    if chosen.resting:
        parts.append("notes.rests > 0")
    if chosen.pinned:
        parts.append("notes.pinned")
    return " AND ".join(parts), found


def _marks(values: Collection[object]) -> str:
    return ", ".join("?" * len(values))


class VersionTable:
    """The versions of notes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, version: Version) -> bool:
        """Add a version; False: it was there."""
        sql = "INSERT OR IGNORE INTO versions (id, note, data) VALUES (?, ?, ?)"
        return bool(self._database.write(sql, (version.id, version.note, VERSION.encode(version))))

    def of(self, note: str) -> list[Version]:
        """Return those of a note."""
        return [VERSION.decode(row[0]) for row in self._database.read(f"{_VERSIONS} WHERE note = ?", (note,))]

    def get(self, version: str) -> Version | None:
        """Return one by its id."""
        row = self._database.read_one(f"{_VERSIONS} WHERE id = ?", (version,))
        return VERSION.decode(row[0]) if row else None

    def replace(self, version: Version) -> None:
        """Store it in the place of what has its id."""
        self._database.write("UPDATE versions SET data = ? WHERE id = ?", (VERSION.encode(version), version.id))

    def remove(self, note: str) -> None:
        """Delete those of a note."""
        self._database.write("DELETE FROM versions WHERE note = ?", (note,))

    def has_purge(self) -> bool:
        """Whether any note was purged."""
        return self._database.read_one("SELECT 1 FROM notes WHERE state = 'purged' LIMIT 1") is not None

    def notes(self) -> Iterator[str]:
        """The ids of all notes that have a version."""
        last = ""
        sql = "SELECT DISTINCT note FROM versions WHERE note > ? ORDER BY note LIMIT ?"
        while rows := self._database.read(sql, (last, SLICE)):
            for (last,) in rows:
                yield last


class VoteTable:
    """The votes for notes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, vote: Vote) -> bool:
        """Add a vote; False: it was there."""
        sql = "INSERT OR IGNORE INTO votes (id, note, voter, data) VALUES (?, ?, ?, ?)"
        return bool(self._database.write(sql, (vote.id, vote.note, vote.voter, VOTE.encode(vote))))

    def of(self, note: str) -> list[Vote]:
        """Return those for a note."""
        return [VOTE.decode(row[0]) for row in self._database.read(f"{_VOTES} WHERE note = ?", (note,))]

    def by(self, voter: str, note: str) -> list[Vote]:
        """Return those of one voter for a note."""
        rows = self._database.read(f"{_VOTES} WHERE note = ? AND voter = ?", (note, voter))
        return [VOTE.decode(row[0]) for row in rows]

    def replace(self, vote: Vote) -> None:
        """Store it in the place of what has its id."""
        self._database.write("UPDATE votes SET data = ? WHERE id = ?", (VOTE.encode(vote), vote.id))

    def remove(self, note: str) -> None:
        """Delete those for a note."""
        self._database.write("DELETE FROM votes WHERE note = ?", (note,))


_VERSIONS = "SELECT data FROM versions"
_VOTES = "SELECT data FROM votes"


class ScopeTable:
    """The scopes that notes have, by number."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def row_of(self, scope: Scope) -> int | None:
        """Return a scope's number; None: no note was ever in it."""
        row = self._database.read_one("SELECT row FROM scopes WHERE kind = ? AND place = ?", (scope.kind, scope.where))
        return row[0] if row else None

    def rows_of(self, scopes: Iterable[Scope]) -> tuple[int, ...]:
        """Return the numbers of those scopes that notes are in, in the order given."""
        return tuple(row for scope in scopes if (row := self.row_of(scope)) is not None)

    def number(self, scope: Scope) -> int:
        """Return a scope's number, a new one where it has none."""
        row = self.row_of(scope)
        if row is not None:
            return row
        return self._database.insert("INSERT INTO scopes (kind, place) VALUES (?, ?)", (scope.kind, scope.where))

    def all(self, kind: ScopeKind) -> list[Scope]:
        """Return those of a kind."""
        rows = self._database.read("SELECT place FROM scopes WHERE kind = ? ORDER BY row", (kind,))
        return [Scope(kind, place) for (place,) in rows]


_COLUMNS = "notes.row, notes.text, notes.data, notes.used, notes.used_at"
_SAVE = """INSERT INTO notes (id, state, kind, scope, key, mission, fingerprint, pinned, rests, conflicts, tags, files,
    created_at, edited_at, text, parts, data) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (id) DO UPDATE SET state = excluded.state, kind = excluded.kind, scope = excluded.scope,
    key = excluded.key, mission = excluded.mission, fingerprint = excluded.fingerprint, pinned = excluded.pinned,
    rests = excluded.rests, conflicts = excluded.conflicts, tags = excluded.tags, files = excluded.files,
    created_at = excluded.created_at, edited_at = excluded.edited_at, text = excluded.text, parts = excluded.parts,
    data = excluded.data"""


class NoteTable:
    """Notes as their versions and votes make them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def save(self, note: Note, scope: int, derived: Derived) -> None:
        """Store how a note stands."""
        content = note.content
        bare = NOTE.encode(replace(note, content=replace(content, text="")))
        self._database.write(
            _SAVE,
            (
                note.id, note.state, content.kind, scope, content.key, note.author.mission, derived.fingerprint,
                content.pinned, note.rests, len(note.conflicts), json.dumps(content.tags, ensure_ascii=False),
                json.dumps(content.files, ensure_ascii=False), note.created_at, note.edited_at, content.text,
                derived.parts, bare,
            ),
        )  # fmt: skip

    def remove(self, note: str) -> None:
        """Delete a note's row."""
        self._database.write("DELETE FROM notes WHERE id = ?", (note,))

    def clear(self) -> None:
        """Delete all rows."""
        self._database.write("DELETE FROM notes")

    def get(self, note: str) -> StoredNote | None:
        """Return a note by its whole id."""
        return self._one("notes.id = ?", note)

    def at(self, row: int) -> StoredNote | None:
        """Return a note by its row."""
        return self._one("notes.row = ?", row)

    def _one(self, condition: str, value: Value) -> StoredNote | None:
        row = self._database.read_one(f"SELECT {_COLUMNS} FROM notes WHERE {condition}", (value,))
        return _stored(row) if row else None

    def beginning(self, prefix: str, scopes: Sequence[int]) -> list[StoredNote]:
        """Return the notes of these scopes whose id begins so."""
        last = prefix + ID_LETTERS[-1] * (len("N-") + ID_LENGTH - len(prefix))
        sql = f"SELECT {_COLUMNS} FROM notes WHERE id >= ? AND id <= ? AND +scope IN ({_marks(scopes)}) ORDER BY id"
        return [_stored(row) for row in self._database.read(sql, (prefix, last, *scopes))]

    def by_key(self, key: str, scope: int) -> list[StoredNote]:
        """Return the notes of a scope that can be found by this key, the newest first."""
        sql = f"""SELECT {_COLUMNS} FROM notes INDEXED BY notes_by_key WHERE scope = ? AND key = ? AND key <> ''
            AND state IN ('proposed', 'live') ORDER BY state, edited_at DESC, id"""
        return [_stored(row) for row in self._database.read(sql, (scope, key))]

    def forgotten_by_key(self, key: str, scope: int) -> list[StoredNote]:
        """Return the forgotten notes of a scope that had this key, the newest first."""
        sql = f"""SELECT {_COLUMNS} FROM notes WHERE scope = ? AND key = ? AND key <> ''
            AND state = 'forgotten' ORDER BY edited_at DESC, id"""
        return [_stored(row) for row in self._database.read(sql, (scope, key))]

    def alike(self, fingerprint: str, scope: int) -> list[StoredNote]:
        """Return the notes of a scope that say the same, live ones first."""
        # By name: SQLite would take the index of the scope's states instead, and look at all of its notes.
        sql = f"""SELECT {_COLUMNS} FROM notes INDEXED BY notes_alike WHERE scope = ? AND fingerprint = ?
            AND state IN ('proposed', 'live') ORDER BY state, created_at, id"""
        return [_stored(row) for row in self._database.read(sql, (scope, fingerprint))]

    def choose(self, chosen: Chosen, limit: int) -> list[StoredNote]:
        """Return notes, the newest first."""
        condition, values = conditions(chosen)
        # Sorted are rows of the index: of all notes of a large scope their texts would be.
        newest = f"SELECT row FROM notes WHERE {condition} ORDER BY edited_at DESC, row DESC LIMIT ?"
        sql = f"SELECT {_COLUMNS} FROM notes WHERE row IN ({newest}) ORDER BY edited_at DESC, id"
        return [_stored(row) for row in self._database.read(sql, (*values, limit))]

    def behind(self, note: str, chosen: Chosen, limit: int) -> list[StoredNote]:
        """Return notes with larger ids than this one, in the order of their ids."""
        condition, values = conditions(chosen)
        sql = f"SELECT {_COLUMNS} FROM notes WHERE id > ? AND {condition} ORDER BY id LIMIT ?"
        return [_stored(row) for row in self._database.read(sql, (note, *values, limit))]

    def count(self, chosen: Chosen) -> int:
        """Return how many there are."""
        condition, values = conditions(chosen)
        return int(self._database.read(f"SELECT count(*) FROM notes WHERE {condition}", values)[0][0])

    def are_fewer(self, limit: int) -> bool:
        """Return whether there are fewer notes than `limit` that are live or proposed."""
        last = self._database.read("SELECT max(row) FROM notes")[0][0] or 0  # known without a look at all of them
        return last < limit or self.count(Chosen()) < limit

    def literally(self, text: str, chosen: Chosen, limit: int) -> list[StoredNote]:
        """Return those with exactly this text in theirs, the newest first."""
        condition, values = conditions(chosen)
        sql = f"""SELECT {_COLUMNS} FROM notes WHERE {condition} AND instr(notes.text, ?) > 0
            ORDER BY edited_at DESC, id LIMIT ?"""
        return [_stored(row) for row in self._database.read(sql, (*values, text, limit))]

    def written_by(self, mission: str) -> list[str]:
        """Return the ids of the notes that a mission has written, oldest first, without what was noticed about it."""
        sql = "SELECT id FROM notes WHERE mission = ? AND mission <> '' AND kind <> ? ORDER BY row"
        rows = self._database.read(sql, (mission, NoteKind.LESSON.value))
        return [row[0] for row in rows]

    def in_scope(self, scope: int) -> list[str]:
        """Return the ids of all notes of a scope."""
        return [row[0] for row in self._database.read("SELECT id FROM notes WHERE scope = ?", (scope,))]

    def used(self, note: str, at: float) -> None:
        """Note that one more run was given it."""
        self._database.write("UPDATE notes SET used = used + 1, used_at = ? WHERE id = ?", (at, note))

    def not_used(self, note: str) -> None:
        """Note that a run was not given it after all."""
        sql = "UPDATE notes SET used = used - 1, used_at = iif(used > 1, used_at, NULL) WHERE id = ? AND used > 0"
        self._database.write(sql, (note,))


def _stored(row: Row) -> StoredNote:
    note = NOTE.decode(row[2])
    whole = replace(note, content=replace(note.content, text=row[1]))
    return StoredNote(row[0], whole, row[3], row[4])
