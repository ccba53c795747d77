"""The store of notes: every change is one transaction, and returns the changes for the log of events.

Used on the one thread that writes. Nothing here decides who may do what: `domain/memory/permissions.py` does.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import msgspec

from overmind_core.domain.memory import permissions, versions
from overmind_core.domain.memory.notes import (
    MOST_NOTES,
    Author,
    Content,
    Note,
    NoteState,
    Origin,
    Scope,
    ScopeKind,
    Standing,
    Version,
    Vote,
    note_id,
)
from overmind_core.domain.memory.repository import ROOT
from overmind_core.domain.replacing import replace
from overmind_core.errors import OvermindError
from overmind_core.memory.episode_table import EpisodeTable
from overmind_core.memory.given import GivenTable
from overmind_core.memory.index import SPELLED_IN_A_PIECE, NoteIndex, derived, folded
from overmind_core.memory.lookup import find_note
from overmind_core.memory.tables import Chosen, NoteTable, ScopeTable, StoredNote, VersionTable, VoteTable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from overmind_core.domain.memory.permissions import Writer
    from overmind_core.kernel.database import Database
    from overmind_core.memory.lookup import Reach

Answer = TypeVar("Answer")

KEPT_REQUESTS = 10_000
"""Answers that are kept for those who repeat their request."""
PROPOSALS_OF_A_REPOSITORY = 200
"""Of Overmind's own; the oldest go."""
PROPOSAL_SECONDS = 30 * 86_400
"""After which a proposal of Overmind's goes."""


class Change(msgspec.Struct, frozen=True):
    """A change of a note, for the log of events: no word of its text."""

    note: str
    change: str
    """`remembered proposed accepted edited replaced pinned unpinned promoted forgotten restored purged moved`."""
    scope: str
    version: str

    @classmethod
    def of(cls, note: Note, change: str) -> Change:
        """A change of a note, which is so now."""
        return cls(note=note.id, change=change, scope=note.content.scope.kind, version=note.version)


class Written(msgspec.Struct, frozen=True):
    """The result of writing a text."""

    note: str
    number: int
    state: str
    new: bool
    """Whether anything was written."""
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True)
class Draft:
    """A text to be written as a note, or as the next version of one."""

    content: Content
    writer: Writer
    origin: Origin
    reach: Reach
    replaces: str = ""
    """The note whose next version it is to be, as somebody calls it; "" for none."""
    request: str = ""
    """The key by which a repetition is recognised; "" for none."""
    kind_given: bool = True
    """Whether its kind was named; else a version keeps that of its note."""
    known_as: str = ""
    """The id that a new note has elsewhere; "" for none."""
    version: str = ""
    """The beginning of its version's id elsewhere; "" for none."""


class NoteStore:
    """All changes of notes."""

    def __init__(
        self,
        database: Database,
        *,
        now: Callable[[], float],
        random: Callable[[int], bytes] = os.urandom,
    ) -> None:
        """`now`: seconds since the epoch; `random`: so many bytes."""
        self.database = database
        self.versions = VersionTable(database)
        self.votes = VoteTable(database)
        self.notes = NoteTable(database)
        self.scopes = ScopeTable(database)
        self.index = NoteIndex(database)
        self.given = GivenTable(database)
        self.now = now
        self.most = MOST_NOTES
        """Notes that may be live or proposed."""
        self._random = random

    def remember(self, draft: Draft) -> Written:
        """Write a note or the next version of one, unless that is known.

        Raises:
            OvermindError: `not_found`, `ambiguous`, `gone`, `too_large`.
            Forbidden: only a person may.
        """
        with self.database.transaction():
            done = self.answered(draft.request, Written)
            if done is not None:
                return done
            written = self.write(draft)
            self.index.spell_some()
            self.keep_answer(draft.request, msgspec.structs.replace(written, changes=()))
            return written

    def write(self, draft: Draft) -> Written:
        """The same, inside of a transaction, and without an answer that is kept.

        Raises:
            OvermindError: `not_found`, `ambiguous`, `gone`, `too_large`.
            Forbidden: only a person may.
        """
        content, writer = draft.content, draft.writer
        if content.pinned:
            permissions.check_pin(writer)
        target = self._target(draft)
        if target is None:
            known = self._known(content)
            if known is not None:
                return self._known_already(known, draft)
        elif target.note.state is NoteState.PURGED:
            raise OvermindError("gone", f"{target.note.id} was purged.")
        written = len(self.notes.written_by(writer.author.mission)) if writer.author.mission else 0
        note = None if target is None else target.note
        standing = permissions.written_as(writer, content.scope.kind, target=note, written=written)
        if note is None:
            return self.first(draft, standing)
        return self._next(note, draft, standing)

    def _target(self, draft: Draft) -> StoredNote | None:
        """The note whose next version it is to be."""
        if draft.replaces:
            return find_note(self.notes, self.scopes, draft.replaces, draft.reach)
        if not draft.content.key:
            return None
        row = self.scopes.row_of(draft.content.scope)
        named = [] if row is None else self.notes.by_key(draft.content.key, row)
        return next((one for one in named if not one.note.proposed_for), None)

    def _known(self, content: Content) -> StoredNote | None:
        row = self.scopes.row_of(content.scope)
        alike = [] if row is None else self.notes.alike(derived(content.text).fingerprint, row)
        same = folded(content.text)
        every = (one for one in alike if folded(one.note.content.text) == same)
        return next((one for one in every if not one.note.proposed_for), None)

    def _known_already(self, known: StoredNote, draft: Draft) -> Written:
        """Nothing is written, unless a person says what was only proposed."""
        note = known.note
        if note.state is NoteState.PROPOSED and draft.writer.is_person and not draft.writer.proposes:
            changed = self.append(note, note.content, Standing.LIVE, draft.writer.author, draft.origin)
            changes = (Change.of(changed, "accepted"),)
            return Written(note.id, changed.number, changed.state, new=False, changes=changes)
        return Written(note.id, note.number, note.state, new=False)

    def check_room(self, new: int = 1) -> None:
        """See that there may be so many notes more.

        Raises:
            OvermindError: `too_large`, there are too many.
        """
        if not self.notes.are_fewer(self.most - new + 1):
            raise OvermindError("too_large", f"There are {self.most:,} notes already. Forget some of them.")

    def first(self, draft: Draft, standing: Standing, *, proposed_for: str = "") -> Written:
        """Write a new note, inside of a transaction.

        Raises:
            OvermindError: `too_large`, there are too many.
        """
        self.check_room()
        version = Version(
            id=self.new_id(draft.version),
            note=draft.known_as or self._new_note_id(),
            number=1,
            replaces=(),
            standing=standing,
            content=draft.content,
            author=draft.writer.author,
            origin=draft.origin,
            at=self.now(),
            proposed_for=proposed_for,
        )
        note = self.put((version,))
        change = "proposed" if standing is Standing.PROPOSED else "remembered"
        return Written(note.id, note.number, note.state, new=True, changes=(Change.of(note, change),))

    def _next(self, note: Note, draft: Draft, standing: Standing) -> Written:
        content = _in_place_of(note.content, draft)
        if content == note.content and note.state is NoteState.LIVE:
            return Written(note.id, note.number, note.state, new=False)
        if standing is Standing.PROPOSED and note.state is NoteState.LIVE:
            open_one = next((one for one in self.proposed_for(note) if one.note.content == content), None)
            if open_one is not None:
                return Written(open_one.note.id, open_one.note.number, open_one.note.state, new=False)
            return self.first(replace(draft, content=content), standing, proposed_for=note.id)
        if standing is Standing.LIVE and not draft.writer.is_person and note.state is NoteState.PROPOSED:
            standing = Standing.PROPOSED  # what a person is still to accept stays so
        after = self.append(note, content, standing, draft.writer.author, draft.origin)
        changes = (Change.of(after, "replaced"),)
        return Written(after.id, after.number, after.state, new=True, changes=changes)

    def proposed_for(self, note: Note) -> list[StoredNote]:
        """The proposals that would become its next version."""
        row = self.scopes.row_of(note.content.scope)
        chosen = Chosen(scopes=(row,) if row is not None else (), states=(NoteState.PROPOSED,))
        return [one for one in self.notes.choose(chosen, MOST_NOTES) if one.note.proposed_for == note.id]

    def vote(self, note: str, vote: Vote, reach: Reach) -> Note:
        """Count a vote; `vote` names neither note, version, id nor number yet.

        Raises:
            OvermindError: `not_found`, `ambiguous`, `gone`.
        """
        with self.database.transaction():
            found = find_note(self.notes, self.scopes, note, reach).note
            before = versions.counted_votes(self.votes.by(vote.voter, found.id))
            if before and before[0].helped == vote.helped and before[0].version == found.version:
                return found
            number = 1 + max((one.number for one in before), default=0)
            self.votes.add(
                replace(vote, id=self.new_id(), note=found.id, version=found.version, number=number, at=self.now())
            )
            return self.refold(found.id)

    def put(self, added: Iterable[Version], votes: Iterable[Vote] = ()) -> Note:
        """Add versions and votes of one note, inside of a transaction; what is there already stays."""
        note = ""
        for version in added:
            self.versions.add(version)
            note = version.note
        for vote in votes:
            self.votes.add(vote)
            note = vote.note
        return self.refold(note)

    def merge(self, added: Iterable[Version], votes: Iterable[Vote]) -> list[Note]:
        """Add what another machine has sent, inside of a transaction: versions of any notes, in any order.

        A vote for a note of which no version is here is kept until one comes.
        """
        touched: dict[str, None] = {}
        for version in added:
            if self.versions.add(version):
                touched[version.note] = None
                if version.standing is Standing.PURGED:  # to be finished as one of our own
                    self.database.write(
                        "INSERT OR IGNORE INTO purges (note, at, by) VALUES (?, ?, ?)",
                        (version.note, version.at, msgspec.json.encode(version.author).decode()),
                    )
        for vote in votes:
            if self.votes.add(vote) and self.versions.of(vote.note):
                touched[vote.note] = None
        return [self.refold(note) for note in touched]

    def refold(self, note: str) -> Note:
        """Store how a note stands now, inside of a transaction."""
        now = versions.fold(self.versions.of(note), self.votes.of(note))
        before = self.index.entry(note)
        scope = self.scopes.number(now.content.scope)
        self.notes.save(now, scope, derived(now.content.text))
        self.index.replace(before, self.index.entry(note))
        return now

    def rebuild(self) -> int:
        """Make all that is derived of versions and votes anew; how many notes there are."""
        with self.database.transaction():
            for note in list(self.versions.notes()):
                now = versions.fold(self.versions.of(note), self.votes.of(note))
                self.notes.save(now, self.scopes.number(now.content.scope), derived(now.content.text))
            self.index.rebuild()
            return self.notes.count(Chosen(states=(NoteState.PROPOSED, NoteState.LIVE)))

    def remove(self, note: str) -> None:
        """Delete all of a note, inside of a transaction: of a scope that is gone."""
        self.index.replace(self.index.entry(note), None)
        self.notes.remove(note)
        self.versions.remove(note)
        self.votes.remove(note)

    def remove_mission(self, roots: Sequence[str], missions: Sequence[str]) -> None:
        """Delete the notes of these trees, and what these missions were given: their records are gone."""
        with self.database.transaction():
            for root in roots:
                row = self.scopes.row_of(Scope(ScopeKind.MISSION, root))
                for note in [] if row is None else self.notes.in_scope(row):
                    self.remove(note)
            self.given.remove(missions)

    def rename_repository(self, old: str, new: str) -> list[Change]:
        """Move the notes of a repository that is called otherwise now; its versions were never sent to anybody."""
        with self.database.transaction():
            row = self.scopes.row_of(Scope(ScopeKind.REPO, old))
            changes = []
            for note in [] if row is None else self.notes.in_scope(row):
                for version in self.versions.of(note):
                    if version.content.scope == Scope(ScopeKind.REPO, old):
                        moved = replace(version.content, scope=Scope(ScopeKind.REPO, new))
                        self.versions.replace(replace(version, content=moved))
                changes.append(Change.of(self.refold(note), "moved"))
            EpisodeTable(self.database).rename_repository(old, new)
            return changes

    def settle(self, clone: str, repository: str, *, is_local: bool) -> list[Change]:
        """Note how a clone is called now; where it has got a name that others know it by too, its notes move along.

        By a path no other clone is known, so they move on to the first commit as well. What was called by its first
        commit may be called so elsewhere, and moves on to a remote only.
        """
        row = self.database.read_one("SELECT repository FROM checkouts WHERE folder = ?", (clone,))
        before = row[0] if row else _path_before_git(clone)
        if before == repository and (row or not is_local):
            return []
        changes: list[Change] = []
        if before is not None and (not is_local or (before.startswith("/") and repository.startswith(ROOT))):
            changes = self.rename_repository(before, repository)
        if row or is_local:
            with self.database.transaction():
                self.database.write(
                    """INSERT INTO checkouts (folder, repository) VALUES (?, ?)
                    ON CONFLICT (folder) DO UPDATE SET repository = excluded.repository""",
                    (clone, repository),
                )
        return changes

    def limit_proposals(self, repository: str) -> None:
        """Forget Overmind's proposals of a repository that are too many or too old; inside of a transaction."""
        row = self.scopes.row_of(Scope(ScopeKind.REPO, repository))
        if row is None:
            return
        chosen = Chosen(scopes=(row,), states=(NoteState.PROPOSED,))
        every = [one.note for one in self.notes.choose(chosen, MOST_NOTES) if one.note.origin is Origin.OVERMIND]
        oldest = self.now() - PROPOSAL_SECONDS
        for number, note in enumerate(sorted(every, key=lambda one: (-one.created_at, one.id))):
            if number >= PROPOSALS_OF_A_REPOSITORY or note.created_at < oldest:
                self.remove(note.id)

    def new_id(self, beginning: str = "") -> str:
        """Return an id for a version or a vote, with this beginning."""
        return beginning + self._random(16).hex()[len(beginning) :]

    def _new_note_id(self) -> str:
        while True:
            new = note_id(int.from_bytes(self._random(7), "big"))
            if self.notes.get(new) is None:
                return new

    def append(
        self,
        note: Note,
        content: Content,
        standing: Standing,
        author: Author,
        origin: Origin,
        *,
        seen: Version | None = None,
        beginning: str = "",
    ) -> Note:
        """Add the next version of a note, in the place of what its author has seen; `beginning`: of its id."""
        replaced = [seen] if seen is not None else versions.heads(self.versions.of(note.id))
        version = Version(
            id=self.new_id(beginning),
            note=note.id,
            number=versions.number_after(replaced),
            replaces=tuple(sorted(one.id for one in replaced)),
            standing=standing,
            content=content,
            author=author,
            origin=origin,
            at=self.now(),
            proposed_for=note.proposed_for,
        )
        return self.put((version,))

    def answered(self, request: str, kind: type[Answer]) -> Answer | None:
        """Return the answer to a request that is repeated; None: it is new, or "" and none can tell."""
        row = request and self.database.read_one("SELECT answer FROM requests WHERE key = ?", (request,))
        return msgspec.json.decode(row[0], type=kind) if row else None

    def keep_answer(self, request: str, answer: object) -> None:
        """Keep the answer to a request, inside of its transaction."""
        if not request:
            return
        data = msgspec.json.encode(answer).decode()
        self.database.write("INSERT INTO requests (key, at, answer) VALUES (?, ?, ?)", (request, self.now(), data))

    def upkeep(self) -> bool:
        """Do a piece of what no request waits for; return whether there is more."""
        with self.database.transaction():
            self.database.write(
                "DELETE FROM requests WHERE at < (SELECT at FROM requests ORDER BY at DESC LIMIT 1 OFFSET ?)",
                (KEPT_REQUESTS,),
            )
            self.index.spell(SPELLED_IN_A_PIECE)
            return self.index.unspelled() > 0


def _path_before_git(clone: str) -> str | None:
    """How the folder of a clone was called before it was one."""
    return os.path.dirname(clone) if os.path.basename(clone) == ".git" else None


def _in_place_of(before: Content, draft: Draft) -> Content:
    """The content of the next version: fields that the draft leaves out stay as they are."""
    new = draft.content
    return replace(
        new,
        kind=new.kind if draft.kind_given else before.kind,
        scope=before.scope if draft.replaces else new.scope,
        key=new.key or before.key,
        tags=new.tags or before.tags,
        files=new.files or before.files,
        pinned=new.pinned or before.pinned,
    )
