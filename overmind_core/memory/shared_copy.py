"""This home's copy of what a Cortex has: what is to be sent, what was read, and how far. On the thread that writes.

What a page brings, the place where it ends and what leaves the list of what is to be sent are one transaction.
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from overmind_core.domain.memory.entries import is_emptied
from overmind_core.domain.memory.notes import NoteState, Standing, Version, Vote, purge_id
from overmind_core.domain.memory.sync import (
    START,
    Page,
    Place,
    Sharing,
    offered_again,
    sent_after,
    take,
)
from overmind_core.domain.replacing import replace
from overmind_core.errors import OvermindError
from overmind_core.memory.store import Change
from overmind_core.memory.tables import VERSION, VOTE

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from overmind_core.domain.memory.entries import Entry
    from overmind_core.memory.opened import Writing

LINK = "cortex"
"""Of the row that says which Cortex; while there is one, what is written is looked at."""
_PLACE = "cortex_place"
CONNECTION = (LINK, _PLACE)
"""Rows of the table of single facts."""
_log = logging.getLogger(__name__)
_CHANGES = {NoteState.PROPOSED: "proposed", NoteState.FORGOTTEN: "forgotten"}


@dataclass(frozen=True, slots=True)
class Link:
    """The Cortex that is connected. Its token is in a file of its own."""

    url: str
    colony: str
    role: str
    name: str
    """Of the token."""
    ca: str = ""
    """The certificates that are trusted, as PEM; "": those of this machine."""


@dataclass(frozen=True, slots=True)
class Received:
    """The result of storing a page."""

    entries: int
    """Those that were not known."""
    conflicts: int
    """Notes with several heads among those it was about."""
    more: bool
    changes: tuple[Change, ...]


class SharedCopy:
    """The state of the connection with a Cortex, in memory.db."""

    def __init__(self, writing: Writing) -> None:
        self._writing = writing
        self._database = writing.database
        self._store = writing.store

    # the connection

    def link(self) -> Link | None:
        """Return which Cortex is connected."""
        held = self._writing.meta.get(LINK)
        return None if held is None else Link(**json.loads(held))

    def connect(self, link: Link) -> None:
        """Connect with a Cortex, from its start; what is shared is offered to it."""
        with self._database.transaction():
            self._writing.meta.save(LINK, json.dumps({key: getattr(link, key) for key in Link.__slots__}))
            self._start_again()

    def disconnect(self) -> Link | None:
        """Forget the Cortex, and what is shared; the notes stay. Return which it was."""
        was = self.link()
        with self._database.transaction():
            for key in CONNECTION:
                self._writing.meta.remove(key)
            for table in ("unseen", "to_send", "shared_notes", "shared_repositories"):
                self._database.write(f"DELETE FROM {table}")  # noqa: S608 - one of the four
        return was

    def share(self, repository: str, *, on: bool) -> None:
        """Send the notes of a repository from now on, or no longer."""
        with self._database.transaction():
            sql = "INSERT OR IGNORE INTO" if on else "DELETE FROM"
            rest = "(name) VALUES (?)" if on else "WHERE name = ?"
            self._database.write(f"{sql} shared_repositories {rest}", (repository,))
            # What is there already, from here or from others, leaves the list when it is read once more.
            self._start_again()

    def repositories(self) -> list[str]:
        """Return the names of those that are shared."""
        return [row[0] for row in self._database.read("SELECT name FROM shared_repositories ORDER BY name")]

    @property
    def place(self) -> Place:
        """How far the Cortex has been read."""
        held = self._writing.meta.get(_PLACE)
        return START if held is None else Place(*json.loads(held))

    def waiting(self) -> int:
        """Return how many entries are to be sent."""
        self._look_at_unseen()
        return int(self._database.read("SELECT count(*) FROM to_send")[0][0])

    # sending

    def outgoing(self) -> list[str]:
        """Return the ids of all that is to be sent, purges first."""
        self._look_at_unseen()
        sql = "SELECT to_send.id, versions.data FROM to_send LEFT JOIN versions ON versions.id = to_send.id"
        rows = self._database.read(sql)
        return [
            one for one, data in sorted(rows, key=lambda row: row[1] is None or not is_emptied(VERSION.decode(row[1])))
        ]

    def entries(self, ids: Iterable[str]) -> list[Entry]:
        """Return those of these that are still there."""
        return [entry for one in ids if (entry := self._entry(one)) is not None]

    def never_send(self, entry_id: str) -> None:
        """Remove an entry that the Cortex refuses from the list."""
        with self._database.transaction():
            self._database.write("DELETE FROM to_send WHERE id = ?", (entry_id,))

    def _look_at_unseen(self) -> None:
        """Add to the list what was written since the last time and is shared."""
        rows = self._database.read("SELECT id FROM unseen")
        if not rows:
            return
        sharing = self._sharing()
        with self._database.transaction():
            for (one,) in rows:
                entry = self._entry(one)
                if entry is not None:
                    others = [other for other in self.entries_of(entry.note) if other.id != one]
                    self._add_to_send(sent_after(entry, others, sharing, is_shared=self.is_shared))
                    if sharing.has(entry, is_shared=self.is_shared):
                        self._share_note(entry.note)
            self._database.write("DELETE FROM unseen")

    def _sharing(self) -> Sharing:
        return Sharing(frozenset(self.repositories()))

    def _offer_all(self) -> None:
        """Make the list anew: all that is shared; inside of a transaction."""
        entries = [entry for note in self._store.versions.notes() for entry in self.entries_of(note)]
        sharing = self._sharing()
        shared = [row[0] for row in self._database.read("SELECT note FROM shared_notes")]
        ids = set(offered_again(entries, sharing, shared))
        self._database.write("DELETE FROM to_send")
        self._database.write("DELETE FROM unseen")
        self._add_to_send(ids)
        for note in {entry.note for entry in entries if entry.id in ids}:
            self._share_note(note)

    def _add_to_send(self, ids: Collection[str]) -> None:
        for one in ids:
            self._database.write("INSERT OR IGNORE INTO to_send (id) VALUES (?)", (one,))

    def _share_note(self, note: str) -> None:
        self._database.write("INSERT OR IGNORE INTO shared_notes (note) VALUES (?)", (note,))

    # receiving

    def start_again(self) -> None:
        """Read the Cortex from its start, and offer everything."""
        with self._database.transaction():
            self._start_again()

    def _start_again(self) -> None:
        self._writing.meta.remove(_PLACE)
        self._offer_all()

    def receive(self, page: Page, own: Collection[str], *, proposed: bool) -> Received:
        """Store a page that was read from where this copy ends.

        Args:
            page: What the Cortex has sent.
            own: Ids that were brought there with this home's token.
            proposed: Whether what others wrote waits until a person accepts it.

        Raises:
            ChainBroken: it does not go on where the last one ended; nothing was stored.
            OvermindError: `too_large`, there would be too many notes; nothing was stored.
        """
        self._look_at_unseen()
        with self._database.transaction():
            taken = take(page, self.place, self, self._sharing())
            added = [one if one.id in own or not proposed else _as_proposal(one) for one in taken.added]
            before = {one.note: self._state(one.note) for one in added}
            self._store.check_room(sum(state is None for state in before.values()))
            notes = self._store.merge(
                [one for one in added if isinstance(one, Version)], [one for one in added if isinstance(one, Vote)]
            )
            for numbered in page.entries:
                self._share_note(numbered.entry.note)
            for one in taken.sent:
                self._database.write("DELETE FROM to_send WHERE id = ?", (one,))
            for entry in added:  # it came from there
                self._database.write("DELETE FROM unseen WHERE id = ?", (entry.id,))
            self._add_to_send(taken.to_send)
            self._writing.meta.save(_PLACE, json.dumps(taken.place))
        purged = self._finish_purges()
        changes = tuple(
            Change(note.id, _change_of(before[note.id], note.state), note.content.scope.kind, note.version)
            for note in notes
            if note.state is not NoteState.PURGED
        )
        return Received(len(added), sum(bool(note.conflicts) for note in notes), page.more, (*changes, *purged))

    def _finish_purges(self) -> list[Change]:
        """Leave no byte of what was purged elsewhere; also of an earlier page, which somebody's reading held up."""
        try:
            return self._writing.purge.finish()
        except OvermindError as error:  # the page is stored; it is tried again, and told then
            _log.warning("a purge of notes has not ended: %s", error.message)
            return []

    def _state(self, note: str) -> NoteState | None:
        stored = self._store.notes.get(note)
        return None if stored is None else stored.note.state

    def _entry(self, entry_id: str) -> Entry | None:
        version = self._store.versions.get(entry_id)
        if version is not None:
            return version
        row = self._database.read_one("SELECT data FROM votes WHERE id = ?", (entry_id,))
        return VOTE.decode(row[0]) if row else None

    # what `take` asks

    def is_known(self, entry_id: str) -> bool:
        """Whether there is a version or vote with this id."""
        return self._entry(entry_id) is not None

    def is_purged(self, note: str) -> bool:
        """Whether there is a purge of this note, or one has begun."""
        sql = "SELECT 1 FROM versions WHERE id = ? UNION ALL SELECT 1 FROM purges WHERE note = ?"
        return self._database.read_one(sql, (purge_id(note), note)) is not None

    def is_shared(self, note: str) -> bool:
        """Whether anything of this note was sent or received before, or is to be sent."""
        return self._database.read_one("SELECT 1 FROM shared_notes WHERE note = ?", (note,)) is not None

    def entries_of(self, note: str) -> list[Entry]:
        """Return the versions and votes of a note."""
        return [*self._store.versions.of(note), *self._store.votes.of(note)]


def _as_proposal(entry: Entry) -> Entry:
    if isinstance(entry, Version) and entry.standing is Standing.LIVE:
        return replace(entry, standing=Standing.PROPOSED)
    return entry


def _change_of(before: NoteState | None, after: NoteState) -> str:
    if after in _CHANGES:
        return _CHANGES[after]
    return "remembered" if before is None else "replaced"
