"""The alterations of a note: edit, accept, pin, unpin, promote, restore, forget. On the thread that writes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from overmind_core.domain.memory import permissions
from overmind_core.domain.memory.notes import NoteState, Standing
from overmind_core.domain.replacing import replace
from overmind_core.errors import OvermindError
from overmind_core.memory.lookup import find_note
from overmind_core.memory.store import Change

if TYPE_CHECKING:
    from collections.abc import Callable

    from overmind_core.domain.memory.notes import Content, Note, Origin, Scope, Version
    from overmind_core.domain.memory.permissions import Writer
    from overmind_core.memory.lookup import Reach
    from overmind_core.memory.store import NoteStore


@dataclass(frozen=True, slots=True)
class Alteration:
    """A change of a note that is there."""

    note: str
    """An id, a prefix of one, or a key."""
    change: str
    """`edit accept pin unpin promote restore forget`."""
    writer: Writer
    reach: Reach
    origin: Origin
    text: str = ""
    """Of an edit."""
    to: Scope | None = None
    """Of a promotion."""
    seen: str = ""
    """The version that an editor has seen; "": that which is shown."""


class Altered(msgspec.Struct, frozen=True):
    """A note after an alteration."""

    note: str
    changed: bool
    changes: tuple[Change, ...] = ()


def alter(store: NoteStore, wish: Alteration) -> Altered:
    """Change a note.

    Raises:
        OvermindError: `not_found`, `ambiguous`, `gone`, `invalid`.
        Forbidden: only a person may.
    """
    with store.database.transaction():
        is_restoring = wish.change == "restore"
        found = find_note(store.notes, store.scopes, wish.note, wish.reach, with_gone=True, with_old_keys=is_restoring)
        note = found.note
        if note.state is NoteState.PURGED:
            raise OvermindError("gone", f"{note.id} was purged: nothing of it is left.")
        permissions.check_change(wish.writer, wish.change, note, store.versions.of(note.id))
        _, change = _ALTERATIONS[wish.change]
        return change(store, note, wish)


def _edit(store: NoteStore, note: Note, wish: Alteration) -> Altered:
    if note.state is NoteState.FORGOTTEN:
        raise OvermindError("gone", f"{note.id} was forgotten. Take it back with: overmind note restore {note.id}")
    shown = store.versions.get(wish.seen) if wish.seen else None
    if wish.seen and (shown is None or shown.note != note.id):
        raise OvermindError("not_found", f"{note.id} has no version {wish.seen}.")
    if shown is None and not note.conflicts and wish.text == note.content.text:
        return Altered(note.id, changed=False)
    if shown is not None and wish.text == shown.content.text:
        return Altered(note.id, changed=False)
    base = note.content if shown is None else shown.content
    standing = Standing.PROPOSED if note.state is NoteState.PROPOSED else Standing.LIVE
    content = replace(base, text=wish.text)
    return _altered(store, note, content, standing, wish, seen=shown)


def _accept(store: NoteStore, note: Note, wish: Alteration) -> Altered:
    if note.state is not NoteState.PROPOSED:
        return Altered(note.id, changed=False)
    target = store.notes.get(note.proposed_for) if note.proposed_for else None
    if target is None or target.note.state in {NoteState.PURGED, NoteState.FORGOTTEN}:
        return _altered(store, note, note.content, Standing.LIVE, wish)
    after = store.append(target.note, note.content, Standing.LIVE, wish.writer.author, wish.origin)
    gone = store.append(note, note.content, Standing.REPLACED, wish.writer.author, wish.origin)
    return Altered(after.id, changed=True, changes=(Change.of(gone, "accepted"), Change.of(after, "replaced")))


def _pin(store: NoteStore, note: Note, wish: Alteration) -> Altered:
    pinned = wish.change == "pin"
    if note.state is not NoteState.LIVE:
        raise OvermindError("invalid", f"{note.id} is {note.state}: only a live note can be pinned.")
    if note.content.pinned == pinned:
        return Altered(note.id, changed=False)
    return _altered(store, note, replace(note.content, pinned=pinned), Standing.LIVE, wish)


def _promote(store: NoteStore, note: Note, wish: Alteration) -> Altered:
    assert wish.to is not None
    if note.content.scope == wish.to:
        return Altered(note.id, changed=False)
    if note.state not in {NoteState.LIVE, NoteState.PROPOSED}:
        raise OvermindError("invalid", f"{note.id} is {note.state}.")
    return _altered(store, note, replace(note.content, scope=wish.to), Standing(note.state.value), wish)


def _restore(store: NoteStore, note: Note, wish: Alteration) -> Altered:
    if note.state is not NoteState.FORGOTTEN:
        return Altered(note.id, changed=False)
    versions = (one for one in store.versions.of(note.id) if one.standing is not Standing.FORGOTTEN)
    before = max(versions, key=lambda one: one.number, default=None)
    # A proposal that was declined is one again: nobody has accepted it.
    is_proposal = before is not None and before.standing is Standing.PROPOSED
    return _altered(store, note, note.content, Standing.PROPOSED if is_proposal else Standing.LIVE, wish)


def _forget(store: NoteStore, note: Note, wish: Alteration) -> Altered:
    if note.state is NoteState.FORGOTTEN:
        return Altered(note.id, changed=False)
    return _altered(store, note, note.content, Standing.FORGOTTEN, wish)  # also its pin: it may be restored


def _altered(
    store: NoteStore, note: Note, content: Content, standing: Standing, wish: Alteration, *, seen: Version | None = None
) -> Altered:
    after = store.append(note, content, standing, wish.writer.author, wish.origin, seen=seen)
    done, _ = _ALTERATIONS[wish.change]
    return Altered(note.id, changed=True, changes=(Change.of(after, done),))


_ALTERATIONS: dict[str, tuple[str, Callable[[NoteStore, Note, Alteration], Altered]]] = {
    "edit": ("edited", _edit),
    "accept": ("accepted", _accept),
    "pin": ("pinned", _pin),
    "unpin": ("unpinned", _pin),
    "promote": ("promoted", _promote),
    "restore": ("restored", _restore),
    "forget": ("forgotten", _forget),
}
"""Change → the word of its event, and the function that makes it."""
