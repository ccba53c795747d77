"""The purge of notes: when it is done, no byte of them is left in memory.db, beside it, or in the files of missions.

It is recorded first: whoever dies in between, the next one to open memory.db finishes it before anything is read. What
is deleted is overwritten (`secure_delete`), the index is merged into one so that it holds nothing of what was taken
out, and the write-ahead log is emptied while nobody reads: until then it is not done.
"""

from __future__ import annotations

import json
import os
from contextlib import AbstractContextManager, suppress
from typing import TYPE_CHECKING

from overmind_core.domain.memory import permissions, versions
from overmind_core.domain.memory.block import BlockNote, render, tokens
from overmind_core.domain.memory.notes import Author, Origin, ScopeKind, purge_id
from overmind_core.domain.quests.briefing import NEEDS
from overmind_core.domain.replacing import replace
from overmind_core.errors import OvermindError
from overmind_core.kernel.codec import Codec
from overmind_core.memory.episode_table import EpisodeTable
from overmind_core.memory.lookup import find_note
from overmind_core.memory.store import Change

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from overmind_core.domain.memory.permissions import Writer
    from overmind_core.memory.given import Given
    from overmind_core.memory.lookup import Reach
    from overmind_core.memory.store import NoteStore

LARGEST_FILE = 1 << 22
"""Bytes of a mission's private file that may hold notes: prompts are far smaller."""

HANDED_IN = "out"
"""In the private folder of a mission: what it hands in, which is its own to change."""
HANDED_ON = os.path.join("in", NEEDS)
"""Likewise: what others have handed in."""


class Purge:
    """Purges notes; on the thread that writes."""

    def __init__(
        self,
        store: NoteStore,
        *,
        files: str,
        secret: Callable[[], bytes],
        readers: Callable[[], AbstractContextManager[None]],
    ) -> None:
        """`files`: the folder of the missions' private files; `secret`: the home's; `readers`: holds those who read."""
        self._store = store
        self._database = store.database
        self._files = files
        self._secret = secret
        self._readers = readers
        self._scopes: dict[str, str] = {}
        """Note → its kind of scope, of those that were emptied, and not finished."""
        self.is_pending = False
        """Whether one has begun that could not be finished."""

    def purge(self, words: Sequence[str], writer: Writer, reach: Reach) -> list[Change]:
        """Purge notes; when this returns nothing of them is left.

        Raises:
            OvermindError: `not_found`, `ambiguous`; `busy`, somebody else reads the file: it is finished later.
            Forbidden: a mission asks.
        """
        with self._database.transaction():
            notes = [
                find_note(self._store.notes, self._store.scopes, word, reach, with_gone=True).note for word in words
            ]
            for note in notes:
                permissions.check_change(writer, "purge", note, ())
                self._database.write(
                    "INSERT OR IGNORE INTO purges (note, at, by) VALUES (?, ?, ?)",
                    (note.id, self._store.now(), _AUTHOR.encode(writer.author)),
                )
        return self.finish()

    def begun(self) -> list[tuple[str, float, Author]]:
        """The purges that have begun: note, when, and who."""
        rows = self._database.read("SELECT note, at, by FROM purges ORDER BY at, note")
        return [(note, at, _AUTHOR.decode(by)) for note, at, by in rows]

    def finish(self, *, waits: bool = True) -> list[Change]:
        """Finish all purges that have begun; what was changed. `waits`: a moment for who reads.

        Raises:
            OvermindError: `busy`, somebody else reads the file.
        """
        begun = self.begun()
        self.is_pending = bool(begun)
        if not begun:
            return []
        for note, at, author in begun:
            for given in self._store.given.with_note(note):
                self._take_out_of_files(given, self._without(given, note))
            with self._database.transaction():
                self._empty(note, at, author)
        with self._database.transaction():
            self._store.index.optimise()
        with self._readers():
            done = self._database.checkpoint(waits=waits)
        if not done:
            raise OvermindError("busy", "Another program reads memory.db: the purge ends when that no longer does.")
        with self._database.transaction():
            for note, *_ in begun:
                self._database.write("DELETE FROM purges WHERE note = ?", (note,))
        self.is_pending = False
        return [change for note, at, _ in begun if (change := self._change(note, at)) is not None]

    def _change(self, note: str, at: float) -> Change | None:
        """The change by the purge that began at that time; None: the note was purged before."""
        scope = self._scopes.pop(note, ScopeKind.GLOBAL.value)
        done = self._store.versions.get(purge_id(note))
        return Change(note, "purged", scope, done.id) if done is not None and done.at == at else None

    def _empty(self, note: str, at: float, author: Author) -> None:
        """Empty all versions of a note, and take it out of what was given; inside of a transaction."""
        store = self._store
        known = store.versions.of(note)
        if not known:
            return
        if known[0].content.text:
            self._scopes[note] = known[0].content.scope.kind.value
        given_to = store.given.with_note(note)
        EpisodeTable(self._database).empty(
            {one.author.mission for one in known} | {one.mission for one in given_to},
            [one.content.text for one in known],
        )
        for given in given_to:
            store.given.replace(self._without(given, note))
        for version in known:
            store.versions.replace(versions.emptied(version))
        for vote in store.votes.of(note):
            store.votes.replace(replace(vote, why=""))
        store.versions.add(versions.purge(note, versions.heads(known), author, Origin.COMMAND, at))
        store.refold(note)

    def _without(self, given: Given, note: str) -> Given:
        """The notes of a conversation without one of them."""
        left = tuple(one for one in given.notes if one.note != note)
        shown = [BlockNote(one.head, one.text) for one in left]
        block = render(shown, self._secret()) if shown else ""
        return given._replace(notes=left, block=block, tokens=tokens(block), purged=given.purged + 1)

    def _take_out_of_files(self, before: Given, after: Given) -> None:
        """Write the files of a mission anew that hold what it was given; what was handed in is its author's."""
        folder = os.path.join(self._files, before.mission)
        for path in files_below(folder, but=(HANDED_IN, HANDED_ON)):
            with suppress(FileNotFoundError):
                _replace_in(path, before.block, after.block)


_AUTHOR = Codec(Author)
_WAYS: Sequence[Callable[[str], str]] = (
    str,
    lambda text: json.dumps(text)[1:-1],
    lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
)
"""How a text stands in a file: as it is, or within a string of JSON."""


def files_below(folder: str, *, but: Sequence[str] = ()) -> Iterator[str]:
    """Yield the regular files of a folder; `but`: names of folders below it whose files are left out."""
    left_out = {os.path.join(folder, name) for name in but}
    for where, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if os.path.join(where, name) not in left_out]
        for path in (os.path.join(where, name) for name in names):
            if os.path.isfile(path) and not os.path.islink(path):
                yield path


def _replace_in(path: str, old: str, new: str) -> None:
    """Replace a text in a private file, also within JSON: a crash leaves the old file or the new one."""
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(handle, "rb") as file:
        held = file.read(LARGEST_FILE + 1)
    if not old or len(held) > LARGEST_FILE:
        return
    left = held
    for write in _WAYS:
        left = left.replace(write(old).encode(), write(new).encode())
    if left == held:
        return
    written = f"{path}.new"
    with os.fdopen(os.open(written, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600), "wb") as file:
        file.write(left)
    os.replace(written, path)
