"""A damaged memory.db is set aside, and what can be read of it is taken over into a new one.

On the thread that writes, while nobody reads.

Every page is read by itself, so rows are told apart by their columns. A note comes back as it stood or not at all: its
own row says what its newest version was where that one is lost, and where both are lost the note counts as forgotten.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from contextlib import nullcontext, suppress
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from overmind_core.domain.memory import versions
from overmind_core.domain.memory.block import parse
from overmind_core.domain.memory.notes import ID, Author, Note, NoteState, Origin, Standing, Version
from overmind_core.domain.replacing import replace
from overmind_core.kernel.database import Conflict, StoreUnavailable
from overmind_core.kernel.database_pages import DatabasePages
from overmind_core.kernel.replaced_file import put_in_place
from overmind_core.memory.index import derived
from overmind_core.memory.opened import SIGNING, Writing
from overmind_core.memory.shared_copy import CONNECTION, SharedCopy
from overmind_core.memory.tables import NOTE, VERSION, VOTE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from overmind_core.kernel.database import Value
    from overmind_core.kernel.database_pages import Row

_COLUMNS_OF_A_NOTE = 20
_SELF = Author(person="overmind")
"""Who forgets what can't be known any more."""


class Recovered(NamedTuple):
    """The result of a recovery."""

    notes: int
    lost: int
    """Notes that it names, and of which nothing could be read, or not how they stood."""
    damaged: str
    """Where it is now."""


_TEXT, _NUMBER, _TIME = (str,), (int,), (int, float)
_ROWID, _NUMBER_OR_NONE = (type(None),), (int, type(None))


def _is_note(value: Value) -> bool:
    return isinstance(value, str) and ID.fullmatch(value) is not None


class _Table(NamedTuple):
    """A table whose rows are taken over as they are."""

    name: str
    types: tuple[tuple[type, ...], ...]
    is_row: Callable[[tuple[Value, ...]], bool]
    """Tells its rows from those of other tables and indexes with columns of these types."""


_OTHERS = (
    _Table("meta", (_TEXT, _TEXT), lambda row: row[0] in {SIGNING, *CONNECTION}),
    _Table("checkouts", (_TEXT, _TEXT), lambda row: str(row[0]).startswith("/")),
    _Table("lessons", (_TEXT, (float,)), lambda _: True),
    _Table("purges", (_TEXT, _TIME, _TEXT), lambda row: _is_note(row[0])),
    _Table("requests", (_TEXT, _TIME, _TEXT), lambda row: not _is_note(row[0])),
    _Table("shared_repositories", (_TEXT,), lambda row: "/" in str(row[0])),
    _Table("shared_notes", (_TEXT,), lambda row: _is_note(row[0])),
    _Table("given", (_ROWID, _TEXT, _TEXT, _TIME, _NUMBER, _NUMBER, _NUMBER, _TEXT), lambda _: True),
    _Table("given_runs", (_TEXT, _NUMBER, _NUMBER), lambda row: not _is_note(row[0])),
    _Table("given_notes", (_NUMBER, _NUMBER, _TEXT, _TEXT, _TEXT, _TEXT), lambda row: _is_note(row[2])),
    _Table(
        "episodes",
        (_ROWID, _TEXT, _NUMBER, _TEXT, _TEXT, _TIME, _NUMBER_OR_NONE, _NUMBER, _NUMBER, _TEXT, _TEXT),
        lambda _: True,
    ),
)


def recover(path: str, files: str, at: float) -> Recovered:
    """Put a new file with what can be read of a damaged one in its place, and give that another name.

    Args:
        path: Of the damaged file.
        files: The folder of the missions' private files.
        at: When that was asked for, in seconds since the epoch.

    Raises:
        OvermindError: `memory_off`.
        StoreError: the new file can't be written, such as DiskFull; the old one is where it was.
    """

    def make(new: str) -> tuple[int, int]:
        writing = Writing(new, files=files, readers=nullcontext)
        try:
            writing.at = at
            found = _take_over(writing, path)
            writing.purge.finish()
        finally:
            writing.close()
        return found

    (notes, lost), aside = put_in_place(path, make, at)
    return Recovered(notes, lost, aside)


def _take_over(writing: Writing, path: str) -> tuple[int, int]:
    """Store what can be read of a damaged file; how many notes those are, and how many are lost."""
    try:
        pages = DatabasePages(path)
    except OSError as error:
        raise StoreUnavailable(path, error.strerror or str(error)) from error
    with pages, writing.database.transaction():
        taking = _Taking(writing)
        for row in pages.rows():
            taking.add(row)
        for row in pages.rows():
            taking.add_note(row)
        result = taking.finish()
    copy = SharedCopy(writing)
    if copy.link() is not None:  # what was read of the Cortex may be lost
        copy.start_again()
    return result


class _Taking:
    """The rows of a damaged file on their way into a new one; inside of a transaction."""

    def __init__(self, writing: Writing) -> None:
        self._database = writing.database
        self._store = writing.store
        self._columns: Mapping[str, str] = {
            one.name: ", ".join(row[1] for row in self._database.read(f"PRAGMA table_info({one.name})"))
            for one in _OTHERS
        }
        self._later: list[tuple[_Table, Row]] = []
        self._entries: defaultdict[str, list[int]] = defaultdict(list)
        """Note → the rows that indexes name of it: its own, and those of its versions."""
        self._versions: defaultdict[str, list[int]] = defaultdict(list)
        """Note → the rows of its versions that are there."""
        self._certain: dict[str, tuple[int, float | None]] = {}
        """Notes of which it is known how they stood → how often they were used, and when last."""

    def add(self, row: Row) -> None:
        """Take over a row that is no note's own."""
        values = row.values
        match len(values):
            case 2 if row.rowid is None and _is_note(values[0]) and isinstance(values[1], int):
                self._entries[str(values[0])].append(values[1])
            case 4 if row.rowid is not None and _is_note(values[2]):
                with suppress(msgspec.MsgspecError, TypeError):
                    version = VERSION.decode(str(values[3]))
                    if (version.id, version.note) == values[1:3]:
                        self._store.versions.add(version)
                        self._versions[version.note].append(row.rowid)
            case 5 if row.rowid is not None and _is_note(values[2]):
                with suppress(msgspec.MsgspecError, TypeError):
                    vote = VOTE.decode(str(values[4]))
                    if (vote.id, vote.note) == values[1:3]:
                        self._store.votes.add(vote)
            case _:
                pass
        for table in _OTHERS:
            if _fits(table, row):
                if table.name.startswith("given_"):  # behind those rows that they belong to
                    self._later.append((table, row))
                else:
                    self._copy(table, row)

    def add_note(self, row: Row) -> None:
        """Take over how a note stood, from its own row, where its newest version is lost."""
        values = row.values
        if row.rowid is None or len(values) != _COLUMNS_OF_A_NOTE or not _is_note(values[1]):
            return
        with suppress(msgspec.MsgspecError, TypeError):
            bare = NOTE.decode(str(values[19]))
            note = replace(bare, content=replace(bare.content, text=str(values[17])))
            used, used_at = values[15], values[16]
            if note.id != values[1] or derived(note.content.text).fingerprint != values[7]:
                return
            if not isinstance(used, int) or not isinstance(used_at, (int, float, type(None))):
                return
            self._certain[note.id] = used, used_at
            known = self._store.versions.of(note.id)
            replaced = [one for one in versions.heads(known) if one.id not in note.conflicts]
            if [one.id for one in replaced] != [note.version] and not versions.is_purged(known):
                self._store.versions.add(self._newest(note, replaced))

    def finish(self) -> tuple[int, int]:
        """Make all that follows from those rows; how many notes there are but purged ones, and how many are lost."""
        for table, row in self._later:
            with suppress(Conflict):  # what it belongs to is lost
                self._copy(table, row)
        for row, block in self._database.read("SELECT row, block FROM given"):
            listed = self._database.read("SELECT note FROM given_notes WHERE given = ?", (row,))
            if _ids_in(block) != {note for (note,) in listed}:  # a purge would not find its text
                self._database.write("DELETE FROM given WHERE row = ?", (row,))
        found = list(self._store.versions.notes())
        uncertain, purged, every = 0, 0, {row for rows in self._versions.values() for row in rows}
        for note in found:
            known = self._store.versions.of(note)
            if note not in self._certain and not versions.is_purged(known) and not self._has_all_of(note, every):
                uncertain += 1
                self._store.versions.add(self._forgotten(known))
            purged += self._store.refold(note).state is NoteState.PURGED
        for note, (used, used_at) in self._certain.items():
            self._database.write("UPDATE notes SET used = ?, used_at = ? WHERE id = ?", (used, used_at, note))
        named = {*found, *self._entries}
        return len(found) - uncertain - purged, len(named) - len(found) + uncertain

    def _has_all_of(self, note: str, every: set[int]) -> bool:
        """Whether indexes tell that no version of a note is lost: they name those that are there, and its own row.

        That one is told from the row of a version that is lost by another note's version being there under its number.
        """
        named, known = Counter(self._entries[note]), Counter(self._versions[note])
        own = [*(named - known).elements()]
        return known <= named and len(own) == 1 and own[0] in every

    def _copy(self, table: _Table, row: Row) -> None:
        values = [row.rowid, *row.values[1:]] if table.types[0] is _ROWID else row.values
        sql = "INSERT OR REPLACE" if table.name == "meta" else "INSERT OR IGNORE"
        marks = ", ".join("?" * len(values))
        self._database.write(f"{sql} INTO {table.name} ({self._columns[table.name]}) VALUES ({marks})", values)

    def _newest(self, note: Note, replaced: list[Version]) -> Version:
        """The version that a note's own row shows, in the place of older ones which one that is lost has replaced.

        It has another id: nobody may take it for one that is lost.
        """
        if note.state is NoteState.PURGED:
            return versions.purge(note.id, replaced, note.author, note.origin, note.edited_at)
        return Version(
            id=self._store.new_id(),
            note=note.id,
            number=max(note.number, versions.number_after(replaced)),
            replaces=tuple(sorted(one.id for one in replaced)),
            standing=Standing(note.state.value),
            content=note.content,
            author=note.author,
            origin=note.origin,
            at=note.edited_at,
            proposed_for=note.proposed_for,
        )

    def _forgotten(self, known: list[Version]) -> Version:
        """A version that forgets a note of which a newer one is lost: it may have been forgotten, or purged."""
        replaced = versions.heads(known)
        return Version(
            id=self._store.new_id(),
            note=replaced[0].note,
            number=versions.number_after(replaced),
            replaces=tuple(sorted(one.id for one in replaced)),
            standing=Standing.FORGOTTEN,
            content=replaced[0].content,
            author=_SELF,
            origin=Origin.OVERMIND,
            at=self._store.now(),
            proposed_for=replaced[0].proposed_for,
        )


def _ids_in(block: str) -> set[str]:
    """The notes of a block; none of the line that is given where no note fits."""
    try:
        return {one.id for one in parse(block)}
    except ValueError:
        return set()


def _fits(table: _Table, row: Row) -> bool:
    values = row.values
    if len(values) != len(table.types) or not all(map(isinstance, values, table.types)):
        return False
    has_rowid = table.types[0] is _ROWID
    return has_rowid == (row.rowid is not None) and table.is_row(values)
