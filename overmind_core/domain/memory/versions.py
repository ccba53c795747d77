"""The fold of a note's versions and votes into its state, which depends on neither order nor clock. Pure.

Machines exchange versions in any order, some twice, a child before its parent. The same set gives the same note:

* A purge beats everything, and a version without text is what a purge has left: it stands for the purge as well.
* The heads are the versions that no other one replaces. An edit beats a forget that did not know of it; of the other
  heads the deepest is shown, of equally deep ones that with the smallest id. The rest stand beside it until an edit
  replaces them.
* Of each voter the vote with the largest number counts, then that with the largest id.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from overmind_core.domain.memory.notes import (
    EMPTY,
    Author,
    Note,
    NoteState,
    Origin,
    Standing,
    Version,
    Vote,
    purge_id,
)
from overmind_core.domain.replacing import replace

HURT_MORE = 2
"""So many more votes that it hurt than that it helped, and a note rests."""

_GONE = frozenset({Standing.FORGOTTEN, Standing.REPLACED})


def fold(versions: Iterable[Version], votes: Iterable[Vote] = ()) -> Note:
    """Return how the note of these versions stands, of which there is at least one.

    Raises:
        ValueError: there is no version, or they are of several notes.
    """
    known = merged(versions)
    _check_one_note(known)
    if is_purged(known):
        return _purged(known, votes)
    by_id = {version.id: version for version in known}
    standing = heads(known)
    shown = standing[0]
    first = known[0]
    counted = counted_votes(vote for vote in votes if vote.note == first.note)
    helped, hurt = _sums(counted)
    return Note(
        id=first.note,
        state=NoteState(shown.standing.value),
        version=shown.id,
        number=shown.number,
        versions=len(known),
        content=shown.content,
        author=first.author,
        origin=first.origin,
        created_at=first.at,
        edited_at=shown.at,
        by_person=any(version.author.is_person for version in known),
        conflicts=tuple(version.id for version in standing[1:]),
        helped=helped,
        hurt=hurt,
        rests=_rests(counted, _with_its_text(shown, by_id)),
        proposed_for=shown.proposed_for,
    )


def merged(versions: Iterable[Version]) -> tuple[Version, ...]:
    """Return each version of a note once, the first ones first; all without content when the note is purged."""
    by_id: dict[str, Version] = {}
    for version in versions:
        known = by_id.get(version.id)
        by_id[version.id] = version if known is None or known == version else min(known, version, key=_age)
    found = sorted(by_id.values(), key=_depth)
    return tuple(map(emptied, found)) if is_purged(found) else tuple(found)


def is_purged(versions: Iterable[Version]) -> bool:
    """Return whether the note of these versions is purged."""
    return any(version.standing is Standing.PURGED or not version.content.text for version in versions)


def emptied(version: Version) -> Version:
    """Return a version as a purge leaves it."""
    return version if version.content == EMPTY else replace(version, content=EMPTY)


def purge(note: str, replaced: Sequence[Version], author: Author, origin: Origin, at: float) -> Version:
    """Return the version that purges a note."""
    return Version(
        id=purge_id(note),
        note=note,
        number=number_after(replaced),
        replaces=tuple(sorted(version.id for version in replaced)),
        standing=Standing.PURGED,
        content=EMPTY,
        author=author,
        origin=origin,
        at=at,
    )


def number_after(replaced: Iterable[Version]) -> int:
    """Return the number of a version that replaces these."""
    return 1 + max((version.number for version in replaced), default=0)


def heads(versions: Iterable[Version]) -> list[Version]:
    """Return the versions that no other one replaces, that which is shown first. A new version replaces all of them.

    A version can replace only what is less deep: so there is always a head, whatever somebody sends.
    """
    by_id = {version.id: version for version in versions}
    replaced = {
        parent
        for version in by_id.values()
        for parent in version.replaces
        if parent in by_id and by_id[parent].number < version.number
    }
    return sorted(
        (version for version in by_id.values() if version.id not in replaced),
        key=lambda version: (version.standing in _GONE, -version.number, version.id),
    )


def counted_votes(votes: Iterable[Vote]) -> list[Vote]:
    """Return the one vote that counts of each note and voter, in the order of notes and voters."""
    newest: dict[tuple[str, str], Vote] = {}
    for vote in votes:
        of = (vote.note, vote.voter)
        if of not in newest or _weight(newest[of]) < _weight(vote):
            newest[of] = vote
    return [newest[of] for of in sorted(newest)]


def _check_one_note(versions: Sequence[Version]) -> None:
    notes = {version.note for version in versions}
    if len(notes) != 1:
        what = f"versions of {len(notes)} notes, not of one"
        raise ValueError(what)


def _purged(known: Sequence[Version], votes: Iterable[Vote]) -> Note:
    """A purged note; also before the purge itself has come, which is known by what it has left."""
    purging = purge_id(known[0].note)
    written = [version for version in known if version.id != purging]
    first = written[0] if written else known[0]
    newest = next((version for version in known if version.id == purging), known[-1])
    helped, hurt = _sums(counted_votes(vote for vote in votes if vote.note == first.note))
    return Note(
        id=first.note,
        state=NoteState.PURGED,
        version=purging,
        number=number_after(written),
        versions=len(known),
        content=EMPTY,
        author=first.author,
        origin=first.origin,
        created_at=first.at,
        edited_at=newest.at,
        by_person=any(version.author.is_person for version in known),
        helped=helped,
        hurt=hurt,
    )


def _with_its_text(shown: Version, by_id: Mapping[str, Version]) -> frozenset[str]:
    """The versions with the text that is shown, back to the newest one with another text that led to it."""
    other = 0
    seen = {shown.id}
    waiting = [shown]
    while waiting:
        for parent in (by_id[id_] for id_ in waiting.pop().replaces if id_ in by_id and id_ not in seen):
            seen.add(parent.id)
            if parent.content.text == shown.content.text:
                waiting.append(parent)
            else:
                other = max(other, parent.number)
    return frozenset(
        version.id
        for version in by_id.values()
        if version.number > other and version.content.text == shown.content.text
    )


def _rests(counted: Iterable[Vote], versions: frozenset[str]) -> bool:
    helped, hurt = _sums(vote for vote in counted if vote.version in versions)
    return hurt >= helped + HURT_MORE


def _sums(votes: Iterable[Vote]) -> tuple[int, int]:
    """How many say that it helped, and that it hurt."""
    helped = [vote.helped for vote in votes]
    return sum(helped), len(helped) - sum(helped)


def _weight(vote: Vote) -> tuple[int, str, str]:
    return vote.number, vote.id, repr(vote)


def _depth(version: Version) -> tuple[int, str]:
    return version.number, version.id


def _age(version: Version) -> tuple[str, str]:
    """Decides between two versions with one id, as two purges of one note are, alike before and after a purge."""
    return repr(emptied(version)), repr(version)
