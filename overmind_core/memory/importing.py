"""The import of files: each a note, a version or nothing, all of a request in one transaction. On the writer thread."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple, cast

from overmind_core.domain.memory.files import VERSION_DIGITS, FileMistake, NoteFile, parse
from overmind_core.domain.memory.notes import Content, NoteState, Origin, ScopeKind, Standing, Version
from overmind_core.domain.replacing import replace
from overmind_core.errors import OvermindError
from overmind_core.memory import validate
from overmind_core.memory.store import Change, Draft

if TYPE_CHECKING:
    from collections.abc import Sequence

    from overmind_core.domain.memory.notes import Note, Scope
    from overmind_core.domain.memory.permissions import Writer
    from overmind_core.memory import answer_types as answers
    from overmind_core.memory.lookup import Reach
    from overmind_core.memory.store import NoteStore, Written

FORGOTTEN_HERE = "was forgotten here"


class TextFile(NamedTuple):
    """A file of a note, its secrets replaced."""

    file: str
    text: str


class Import:
    """Files of one request, as they are taken in.

    Args:
        store: The notes.
        scope: The repository that they are of.
        writer: The person who imports, or proposes.
        reach: What they see.
    """

    def __init__(self, store: NoteStore, scope: Scope, writer: Writer, reach: Reach) -> None:
        self._store = store
        self._scope = scope
        self._writer = writer
        self._reach = reach
        self.answer: answers.Imported = {"new": 0, "changed": 0, "known": 0, "skipped": [], "refused": []}
        self.changes: list[Change] = []

    def take_in(self, files: Sequence[TextFile]) -> None:
        """Take in all of them, inside of a transaction."""
        for one in files:
            try:
                self._one(one, parse(one.text))
            except FileMistake as mistake:
                self.answer["refused"].append({"file": one.file, "line": mistake.line, "why": mistake.why})
            except OvermindError as error:
                if error.code not in {"invalid", "too_large"}:
                    raise
                why = error.message.removesuffix(".")
                self.answer["refused"].append({"file": one.file, "line": None, "why": why})

    def _one(self, file: TextFile, found: NoteFile) -> None:
        content = self._content(found)
        known = self._store.notes.get(found.id) if found.id else None
        if known is None and found.id:
            self._put(found, content)
        elif known is None or self._is_of_another_repository(known.note):
            self._remember(content)
        elif known.note.state in {NoteState.FORGOTTEN, NoteState.PURGED, NoteState.REPLACED}:
            self.answer["skipped"].append({"file": file.file, "id": found.id, "why": FORGOTTEN_HERE})
        else:
            self._change(known.note, replace(content, scope=known.note.content.scope), found.version)

    def _content(self, found: NoteFile) -> Content:
        return Content(
            text=validate.note_text(found.text),
            kind=found.kind,
            scope=self._scope,
            key=validate.key(found.key) if found.key else "",
            tags=validate.tags(found.tags),
            files=validate.files(found.files),
            pinned=found.pinned,
        )

    def _is_of_another_repository(self, note: Note) -> bool:
        scope = note.content.scope
        return scope.kind in {ScopeKind.REPO, ScopeKind.MISSION} and scope != self._scope

    def _put(self, found: NoteFile, content: Content) -> None:
        """Take in a note that nobody has seen here, under its ids of elsewhere: an export writes these again."""
        standing = Standing.PROPOSED if self._writer.proposes else Standing.LIVE
        draft = replace(self._draft(content), known_as=found.id, version=found.version)
        self._count(self._store.first(draft, standing))

    def _remember(self, content: Content) -> None:
        """Write the note of a file as `remember` would."""
        self._count(self._store.write(self._draft(content)))

    def _change(self, note: Note, content: Content, named: str) -> None:
        """Write the next version of a note, unless what the file says is there already."""
        versions = self._store.versions.of(note.id)
        seen = next((one for one in versions if named and one.id[:VERSION_DIGITS] == named), None)
        known = [one.content for one in _taken_in_before(versions, seen)]
        known += [one.note.content for one in self._store.proposed_for(note)]
        if content in known:
            self.answer["known"] += 1
            return
        self.answer["changed"] += 1
        if self._writer.proposes and note.state is NoteState.LIVE:
            proposed = self._store.first(self._draft(content), Standing.PROPOSED, proposed_for=note.id)
            self.changes.extend(proposed.changes)
            return
        standing = Standing(note.state.value)
        elsewhere = named if seen is None else ""  # the version of another home, as its file says it
        after = self._store.append(
            note, content, standing, self._writer.author, Origin.FILE, seen=seen, beginning=elsewhere
        )
        self.changes.append(Change(after.id, "edited", content.scope.kind, after.version))

    def _draft(self, content: Content) -> Draft:
        return Draft(content=content, writer=self._writer, origin=Origin.FILE, reach=self._reach)

    def _count(self, written: Written) -> None:
        self.changes.extend(written.changes)
        self.answer["new" if written.new else "known"] += 1


class _DryRun(Exception):
    """Rolls back the transaction of a dry run."""


def take_in(
    store: NoteStore,
    files: Sequence[TextFile],
    scope: Scope,
    writer: Writer,
    reach: Reach,
    *,
    keep: bool,
    request: str = "",
) -> Import:
    """Take in files in one transaction; without `keep` only find out what each would become.

    `request`: by which a repetition is recognised: it has the first one's answer, as all is known by then.
    """
    taken = Import(store, scope, writer, reach)
    with suppress(_DryRun), store.database.transaction():
        done = store.answered(request, dict)
        if done is not None:
            taken.answer = cast("answers.Imported", done)
            return taken
        taken.take_in(files)
        if not keep:
            raise _DryRun
        store.keep_answer(request, taken.answer)
    return taken


def _taken_in_before(versions: Sequence[Version], seen: Version | None) -> list[Version]:
    """The versions that a file may say without being a change.

    That which it was made from, what has replaced that, and what is shown now: an import that is repeated finds its own
    version among these. Of a file that names no version that is here: all.
    """
    if seen is None:
        return list(versions)
    replaced = {parent for one in versions for parent in one.replaces}
    return [one for one in versions if one is seen or seen.id in one.replaces or one.id not in replaced]
