"""Notes as answers show them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from overmind_core.domain.memory.notes import ScopeKind
from overmind_core.domain.text.moment import format_time
from overmind_core.memory.tables import StoredNote

if TYPE_CHECKING:
    from collections.abc import Iterable

    from overmind_core.domain.memory.notes import Author, Content, Note, Version
    from overmind_core.memory.answer_types import AuthorInfo, FoundNote, NoteBrief, NoteInfo, NoteKindWord, VersionInfo

BEGINNING = 80
"""Characters of a note in a line."""


def note_info(stored: StoredNote, *, stale: bool) -> NoteInfo:
    """A note; `stale`: none of its files is there."""
    note = stored.note
    content = note.content
    return {
        "id": note.id,
        "state": note.state.value,
        "kind": content.kind.value,
        "scope": content.scope.kind.value,
        "repository": _repository(content),
        "key": content.key or None,
        "text": content.text,
        "tags": list(content.tags),
        "files": list(content.files),
        "pinned": content.pinned,
        "author": author_info(note.author),
        "version": note.number,
        "version_id": note.version,
        "versions": note.versions,
        "created_at": format_time(note.created_at),
        "edited_at": format_time(note.edited_at),
        "helped": note.helped,
        "hurt": note.hurt,
        "used": stored.used,
        "used_at": None if stored.used_at is None else format_time(stored.used_at),
        "stale": stale,
        "rests": note.rests,
        "conflicts": list(note.conflicts),
        "from": note.origin.value,
        "proposed_for": note.proposed_for or None,
    }


def found_remotely(note: Note, score: float, why: Iterable[str]) -> FoundNote:
    """A note that the Cortex found; it never counts as stale."""
    return {
        "note": note_info(StoredNote(0, note, 0, None), stale=False),
        "score": score,
        "why": ["meaning" if word == "meaning" else "words" for word in why],
        "corrected": {},
    }


def version_info(version: Version) -> VersionInfo:
    """A version of a note."""
    content = version.content
    kind: NoteKindWord = content.kind.value
    return {
        "version": version.id,
        "number": version.number,
        "replaces": list(version.replaces),
        "at": format_time(version.at),
        "by": author_info(version.author),
        "standing": version.standing.value,
        "text": content.text,
        "kind": kind,
        "scope": content.scope.kind.value,
        "repository": _repository(content),
        "key": content.key or None,
        "tags": list(content.tags),
        "files": list(content.files),
        "pinned": content.pinned,
    }


def note_brief(stored: StoredNote) -> NoteBrief:
    """A note in a line."""
    line = " ".join(stored.note.content.text.split())
    return {"id": stored.note.id, "text": line if len(line) <= BEGINNING else f"{line[: BEGINNING - 1]}…"}


def author_info(author: Author) -> AuthorInfo:
    """Who wrote something."""
    return {
        "person": author.person or None,
        "mission": author.mission or None,
        "name": author.name or None,
        "agent": author.agent or None,
    }


def _repository(content: Content) -> str | None:
    return content.scope.where if content.scope.kind is ScopeKind.REPO else None
