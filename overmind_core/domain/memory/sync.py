"""The synchronisation of notes: what a client sends and takes, and what a server numbers. Pure.

Versions and votes never change and have random ids, so that it does not matter how often, or in which order, they come.
A server gives each that it did not know the next number; each number has the hash of the ids up to it, its chain. A
client asks for what comes after the last number that it has seen, and says that number's chain. Where the server has
another one (it was restored from a backup, or is another server), the client reads from the start and offers
everything again.

An answer to what was sent proves nothing, as the server may have been restored since: only what was read back from the
server leaves the list of what is to be sent.

A purge is the one thing that changes others: it empties all versions of its note, here, there and when they come later.
It is sent first, and an emptied version of a note implies the purge, wherever that has got lost.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from overmind_core.domain.memory.entries import Entry, emptied, is_emptied, standing_elsewhere, to_wire
from overmind_core.domain.memory.notes import Origin, Scope, ScopeKind, Standing, Version, Vote
from overmind_core.domain.memory.versions import purge

MOST_ENTRIES = 500
"""Versions and votes in one request."""
MOST_BYTES = 1 << 20
"""Of one request."""
_FRAME = 4096
"""Bytes of a request beside its versions and votes, at most."""


class Place(NamedTuple):
    """How far a client has read."""

    seq: int = 0
    """The number of the last entry; 0: none."""
    chain: str = ""
    """The hash of the ids up to it: 64 hexadecimal digits, "" of none."""


START = Place()


class Numbered(NamedTuple):
    """A version or vote with the number that a server gave it."""

    seq: int
    entry: Entry


class Page(NamedTuple):
    """Entries that a client has read with one request."""

    entries: tuple[Numbered, ...]
    place: Place
    """Where it ends, as the server says."""
    more: bool


class ChainBroken(Exception):
    """A page does not continue the one before: read the log from its start."""


def first_chain(server: str, colony: str) -> str:
    """Return the chain of number 0: no two servers, nor two colonies of one, have it in common."""
    return hashlib.sha256(f"{server} {colony}".encode()).hexdigest()


def next_chain(chain: str, entry_id: str) -> str:
    """Return the chain of an entry that comes after `chain`."""
    return hashlib.sha256(f"{chain} {entry_id}".encode()).hexdigest()


# the server


@dataclass(slots=True)
class Admitted:
    """The changes of a server's log by entries that were sent."""

    entries: list[Numbered] = field(default_factory=list)
    """To be added."""
    place: Place = START
    """Where the log ends then."""
    purged: set[str] = field(default_factory=set)
    """Notes of which all that was there before is to be emptied."""
    known: int = 0
    """How many were there already."""


def admit(
    entries: Iterable[Entry], end: Place, *, is_known: Callable[[str], bool], is_purged: Callable[[str], bool]
) -> Admitted:
    """Return the changes of a server's log, which ends at `end`.

    Args:
        entries: Those that were sent.
        end: Where its log ends.
        is_known: Whether the log has the entry with this id.
        is_purged: Whether the log has a purge of this note.
    """
    admitted = Admitted(place=end)
    added: set[str] = set()

    def add(entry: Entry) -> None:
        added.add(entry.id)
        seq, chain = admitted.place
        admitted.place = Place(seq + 1, next_chain(chain, entry.id))
        admitted.entries.append(Numbered(seq + 1, entry))

    for entry in sorted(entries, key=_purges_first):
        gone = entry.note in admitted.purged or is_purged(entry.note)
        if not gone and is_emptied(entry):
            gone = True
            admitted.purged.add(entry.note)
            add(implied := _purge_implied_by(entry))
            if implied is entry:
                continue
        if entry.id in added or is_known(entry.id):
            admitted.known += 1
        else:
            add(emptied(entry) if gone else entry)
    return admitted


def _purge_implied_by(entry: Entry) -> Version:
    if isinstance(entry, Version) and entry.standing is Standing.PURGED:
        return entry
    assert isinstance(entry, Version)  # a vote has no content that could be empty
    return purge(entry.note, [entry], entry.author, Origin.CORTEX, entry.at)


def _purges_first(entry: Entry) -> bool:
    return not is_emptied(entry)


# the client


@dataclass(frozen=True, slots=True)
class Sharing:
    """The notes that leave this machine."""

    repositories: frozenset[str] = frozenset()
    """Names of those whose notes are shared; notes of the colony always are."""

    def has_scope(self, scope: Scope) -> bool:
        """Whether notes of this scope are shared."""
        return scope.kind is ScopeKind.COLONY or (scope.kind is ScopeKind.REPO and scope.where in self.repositories)

    def has(self, entry: Entry, *, is_shared: Callable[[str], bool]) -> bool:
        """Whether a version or vote is sent.

        Args:
            entry: A version or vote of this machine.
            is_shared: Whether anything of this note was sent or received before, or is to be sent.
        """
        if isinstance(entry, Vote) or entry.standing is Standing.PURGED:
            return is_shared(entry.note)
        if is_emptied(entry):
            return False  # the purge says it all
        return standing_elsewhere(entry) in _SHARED and self.has_scope(entry.content.scope)


_SHARED = (Standing.LIVE, Standing.FORGOTTEN)


def batch(entries: Iterable[Entry]) -> list[Entry]:
    """Return those that are sent in the next request: purges first, as many as one may hold."""
    chosen: list[Entry] = []
    room = MOST_BYTES - _FRAME
    for entry in sorted(entries, key=_purges_first):
        room -= len(json.dumps(to_wire(entry), ensure_ascii=False).encode("utf-8", "surrogatepass")) + 2
        if len(chosen) == MOST_ENTRIES or room < 0:
            break
        chosen.append(entry)
    return chosen


@dataclass(slots=True)
class Taken:
    """The changes of a client's copy by a page: all of them in one transaction, or none."""

    place: Place
    added: list[Entry] = field(default_factory=list)
    """To be stored."""
    purged: set[str] = field(default_factory=set)
    """Notes of which all that is stored is to be emptied."""
    sent: set[str] = field(default_factory=set)
    """Ids that leave the list of entries to send."""
    to_send: set[str] = field(default_factory=set)
    """Ids that enter it: purges that only were implied."""


class Copy(Protocol):
    """The copy of a client."""

    def is_known(self, entry_id: str) -> bool:
        """Whether there is a version or vote with this id."""

    def is_purged(self, note: str) -> bool:
        """Whether there is a purge of this note."""

    def is_shared(self, note: str) -> bool:
        """Whether anything of this note was sent or received before, or is to be sent."""

    def entries_of(self, note: str) -> Iterable[Entry]:
        """Return the versions and votes of a note."""


def take(page: Page, place: Place, copy: Copy, sharing: Sharing) -> Taken:
    """Return the changes of a client's copy by a page that it has read after `place`.

    Raises:
        ChainBroken: the page does not continue at `place`, or ends elsewhere than the server says.
    """
    _check_chain(page, place)
    taken = Taken(page.place)
    added: set[str] = set()
    for _, entry in sorted(page.entries, key=lambda numbered: _purges_first(numbered.entry)):
        gone = entry.note in taken.purged or copy.is_purged(entry.note)
        if not gone and is_emptied(entry):
            gone = True
            implied = _purge_implied_by(entry)
            taken.purged.add(entry.note)
            taken.added.append(implied)
            added.add(implied.id)
            taken.to_send.add(implied.id)
        if entry.id not in added and not copy.is_known(entry.id):
            taken.added.append(emptied(entry) if gone else entry)
            added.add(entry.id)
    for note in {numbered.entry.note for numbered in page.entries}:
        if not copy.is_shared(note):  # others have shared what was here alone: votes, or the purge, of it are for all
            here = copy.entries_of(note)
            taken.to_send.update(one.id for one in here if sharing.has(one, is_shared=lambda _: True))
    taken.sent = {numbered.entry.id for numbered in page.entries}
    taken.to_send -= taken.sent
    return taken


def _check_chain(page: Page, place: Place) -> None:
    seq, chain = place
    for numbered in page.entries:
        if numbered.seq != seq + 1:
            raise ChainBroken
        seq = numbered.seq
        chain = next_chain(chain, numbered.entry.id) if chain else ""
    if page.place.seq != seq or (chain and page.place.chain != chain):
        raise ChainBroken


def sent_after(
    entry: Entry, others: Iterable[Entry], sharing: Sharing, *, is_shared: Callable[[str], bool]
) -> list[str]:
    """Return the ids that are to be sent once `entry` was written: with a note's first shared version its votes, too.

    Args:
        entry: What was written.
        others: What else there is of its note.
        sharing: What leaves this machine.
        is_shared: Whether anything of this note was sent or received before, or is to be sent.
    """
    if not sharing.has(entry, is_shared=is_shared):
        return []
    if is_shared(entry.note):
        return [entry.id]
    return [one.id for one in (*others, entry) if sharing.has(one, is_shared=lambda _: True)]


def offered_again(entries: Iterable[Entry], sharing: Sharing, shared: Collection[str]) -> Sequence[str]:
    """Return the ids of all that is to be sent to a server that has lost some, or never had any.

    Args:
        entries: All that the client has.
        sharing: What leaves this machine.
        shared: Notes of which anything was sent or received before.
    """
    stored = list(entries)
    notes = set(shared)
    notes.update(
        one.note for one in stored if isinstance(one, Version) and sharing.has(one, is_shared=notes.__contains__)
    )
    return [one.id for one in stored if sharing.has(one, is_shared=notes.__contains__)]
