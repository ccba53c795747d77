"""The lookup of notes: the one that somebody's word means, among the scopes that they see."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from overmind_core.domain.memory.notes import ID, ID_LENGTH, ID_LETTERS, SHORTEST_PREFIX, NoteState
from overmind_core.errors import OvermindError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from overmind_core.domain.memory.notes import Scope
    from overmind_core.memory.tables import NoteTable, ScopeTable, StoredNote

LISTED = 10
"""Notes that an `ambiguous` error names."""


LONGEST_SHOWN = 80
"""Characters of a word that means no note."""


class Reach(NamedTuple):
    """The notes that a caller sees."""

    scopes: tuple[Scope, ...]
    """The nearest first."""
    every_id: bool = False
    """Also any note whose whole id they know: a person."""


def find_note(
    notes: NoteTable,
    scopes: ScopeTable,
    word: str,
    reach: Reach,
    *,
    with_gone: bool = False,
    with_old_keys: bool = False,
) -> StoredNote:
    """The note that a word means: its id, the beginning of it, or its key in the nearest scope that has it.

    Args:
        notes: The notes.
        scopes: The scopes.
        word: What somebody calls it.
        reach: What they see.
        with_gone: Forgotten ones as well, by their ids.
        with_old_keys: Forgotten ones by their keys, too, where no other note has it now.

    Raises:
        OvermindError: `not_found`; `ambiguous`; `gone`, where it was forgotten or purged.
    """
    rows = scopes.rows_of(reach.scopes)
    if ID.fullmatch(word) and (found := notes.get(word)) is not None:
        if reach.every_id or _is_seen(found, rows, scopes) or found.note.state is NoteState.PURGED:
            return _there(found, with_gone=with_gone)
    elif letters := _letters_of(word):
        begun = [one for one in notes.beginning(word, rows) if one.note.state is not NoteState.PURGED]
        live = [one for one in begun if one.note.state in {NoteState.PROPOSED, NoteState.LIVE}]
        choice = begun if with_gone or not live else live
        if len(choice) > 1:
            raise _ambiguous(word, choice)
        if choice and len(letters) < SHORTEST_PREFIX:
            raise OvermindError("not_found", f"{word!r} is too short: give {SHORTEST_PREFIX} characters behind N-.")
        if choice:
            return _there(choice[0], with_gone=with_gone)
    for named in _with_key(notes, rows, word, with_old_keys=with_old_keys):
        if len(named) > 1:
            raise _ambiguous(word, named, more="Name one by its id.")
        return named[0]
    raise OvermindError("not_found", f"No note {_shown(word)!r} here. See them with: overmind notes")


def _with_key(notes: NoteTable, rows: Sequence[int], word: str, *, with_old_keys: bool) -> Iterator[list[StoredNote]]:
    """The notes with a key, scope by scope where there are any; forgotten ones at last."""
    for row in rows:
        if named := [one for one in notes.by_key(word, row) if not one.note.proposed_for]:
            yield named
    for row in rows if with_old_keys else ():
        if named := notes.forgotten_by_key(word, row):
            yield named


def _shown(word: str) -> str:
    """A word as an error repeats it."""
    from overmind_core.domain.memory.redaction import redact  # noqa: PLC0415 - many patterns

    return redact(word).text[:LONGEST_SHOWN]


def _is_seen(found: StoredNote, rows: Sequence[int], scopes: ScopeTable) -> bool:
    return scopes.row_of(found.note.content.scope) in rows


def _letters_of(word: str) -> str:
    """The characters behind `N-` of a word that may begin an id; "": it can't."""
    letters = word.removeprefix("N-")
    return letters if letters != word and len(letters) < ID_LENGTH and set(letters) <= set(ID_LETTERS) else ""


def _there(found: StoredNote, *, with_gone: bool) -> StoredNote:
    note = found.note
    if with_gone or note.state not in {NoteState.FORGOTTEN, NoteState.PURGED}:
        return found
    if note.state is NoteState.PURGED:
        raise OvermindError("gone", f"{note.id} was purged: nothing of it is left.")
    raise OvermindError("gone", f"{note.id} was forgotten. Take it back with: overmind note restore {note.id}")


def _ambiguous(word: str, found: Iterable[StoredNote], *, more: str = "Give more characters.") -> OvermindError:
    ids = [one.note.id for one in found]
    rest = f" and {len(ids) - LISTED} more" if len(ids) > LISTED else ""
    listed = ", ".join(ids[:LISTED])
    message = f"{word!r} matches several notes: {listed}{rest}. {more}"
    return OvermindError("ambiguous", message, candidates=ids[:LISTED])
