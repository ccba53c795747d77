"""Clients and a server that exchange notes, in memory: each as simple as the rules of `domain/memory/sync.py` allow."""

from __future__ import annotations

import copy
from dataclasses import replace
from random import Random

from overmind_core.domain.memory.entries import (
    Entry,
    emptied,
    to_wire,
    version_from_wire,
    vote_from_wire,
)
from overmind_core.domain.memory.notes import (
    Author,
    Content,
    Origin,
    Scope,
    ScopeKind,
    Standing,
    Version,
    Vote,
    note_id,
    purge_id,
)
from overmind_core.domain.memory.sync import (
    START,
    ChainBroken,
    Numbered,
    Page,
    Place,
    Sharing,
    admit,
    batch,
    first_chain,
    next_chain,
    offered_again,
    sent_after,
    take,
)
from overmind_core.domain.memory.versions import purge

REPOSITORY = Scope(ScopeKind.REPO, "example.org/team/shop")
OTHER = Scope(ScopeKind.REPO, "example.org/team/secret")
COLONY = Scope(ScopeKind.COLONY)
MINE = Scope(ScopeKind.GLOBAL)
DAY = 86_400.0


class Gone(Exception):
    """The server has another chain."""


def over_the_wire(entry: Entry) -> Entry:
    """Return the entry as the other side reads it."""
    return vote_from_wire(to_wire(entry)) if isinstance(entry, Vote) else version_from_wire(to_wire(entry))


class Server:
    """A colony of a Cortex."""

    def __init__(self) -> None:
        self.log: list[Entry] = []

    def push(self, entries: list[Entry]) -> int:
        """Add what is new; return how many were known."""
        end = Place(len(self.log), self._chain(len(self.log)))
        admitted = admit(entries, end, is_known=self._has, is_purged=lambda note: self._has(purge_id(note)))
        self.log += [entry for _, entry in admitted.entries]
        self.log = [emptied(entry) if entry.note in admitted.purged else entry for entry in self.log]
        assert admitted.place == (len(self.log), self._chain(len(self.log)))
        return admitted.known

    def pull(self, place: Place, limit: int) -> Page:
        """Return what comes after a place."""
        seq, chain = place
        if seq > len(self.log) or (seq and self._chain(seq) != chain):
            raise Gone
        entries = [Numbered(seq + at, over_the_wire(one)) for at, one in enumerate(self.log[seq : seq + limit], 1)]
        end = seq + len(entries)
        return Page(tuple(entries), Place(end, self._chain(end)), more=end < len(self.log))

    def entries(self) -> list[Entry]:
        """Return all, in order."""
        return self.log

    def _has(self, entry_id: str) -> bool:
        return any(entry.id == entry_id for entry in self.log)

    def _chain(self, seq: int) -> str:
        chain = first_chain("server", "shop")
        for entry in self.log[:seq]:
            chain = next_chain(chain, entry.id)
        return chain


class Client:
    """A machine that shares one of two repositories."""

    def __init__(self, name: str, random: Random) -> None:
        self.author = Author(person=name)
        self.random = random
        self.clock = 1.8e9 + random.uniform(-DAY, DAY)
        self.stored: dict[str, Entry] = {}
        self.to_send: set[str] = set()
        self.shared: set[str] = set()
        self.place = START
        self.sharing = Sharing(frozenset({REPOSITORY.where}))

    # what a person does

    def write(self, words: str) -> None:
        """Write a note."""
        scope = self.random.choice([REPOSITORY, REPOSITORY, COLONY, OTHER, MINE])
        self._add(self._version(note_id(self.random.getrandbits(50)), Content(words, scope=scope)))

    def change(self, words: str) -> None:
        """Edit, forget, promote or propose something of a note that is there."""
        if heads := self._heads():
            head = self.random.choice(heads)
            beside = tuple(one.id for one in heads if one.note == head.note)
            number = 1 + max(one.number for one in heads if one.note == head.note)
            standing = self.random.choice([Standing.LIVE, Standing.LIVE, Standing.FORGOTTEN, Standing.PROPOSED])
            scope = self.random.choice([head.content.scope, head.content.scope, COLONY])
            content = replace(head.content, text=words, scope=scope)
            self._add(self._version(head.note, content, number=number, replaces=beside, standing=standing))

    def vote(self) -> None:
        """Vote for a note."""
        if heads := self._heads():
            head = self.random.choice(heads)
            number = 1 + sum(isinstance(one, Vote) and one.note == head.note for one in self.stored.values())
            words = "it says: " + head.content.text
            self._add(Vote(self._id(), head.note, head.id, self.author.person, number, helped=True, why=words))

    def purge(self) -> None:
        """Purge a note."""
        if heads := self._heads():
            note = self.random.choice(heads).note
            versions = [one for one in self.entries_of(note) if isinstance(one, Version)]
            self._empty({note})
            self._add(purge(note, versions, self.author, Origin.COMMAND, self.clock))

    def _heads(self) -> list[Version]:
        purged = {one.note for one in self.stored.values() if one.id == purge_id(one.note)}
        versions = [one for one in self.stored.values() if isinstance(one, Version) and one.note not in purged]
        replaced = {before for one in versions for before in one.replaces}
        return [one for one in versions if one.id not in replaced]

    def _version(
        self,
        note: str,
        content: Content,
        *,
        number: int = 1,
        replaces: tuple[str, ...] = (),
        standing: Standing = Standing.LIVE,
    ) -> Version:
        self.clock += self.random.uniform(0, 60)
        return Version(
            self._id(), note, number, replaces, standing, content, self.author, Origin.COMMAND, at=self.clock
        )

    def _id(self) -> str:
        return f"{self.random.getrandbits(128):032x}"

    def _add(self, entry: Entry) -> None:
        others = self.entries_of(entry.note)
        self.stored[entry.id] = entry
        if sent := sent_after(entry, others, self.sharing, is_shared=self.shared.__contains__):
            self.to_send.update(sent)
            self.shared.add(entry.note)

    def _empty(self, notes: set[str]) -> None:
        self.stored = {one.id: emptied(one) if one.note in notes else one for one in self.stored.values()}

    # what a client has

    def is_known(self, entry_id: str) -> bool:
        """Whether there is a version or vote with this id."""
        return entry_id in self.stored

    def is_purged(self, note: str) -> bool:
        """Whether there is a purge of this note."""
        return purge_id(note) in self.stored

    def is_shared(self, note: str) -> bool:
        """Whether anything of this note was sent or received before, or is to be sent."""
        return note in self.shared

    def entries_of(self, note: str) -> list[Entry]:
        """Return the versions and votes of a note."""
        return [one for one in self.stored.values() if one.note == note]

    # what the program does

    def push(self, server: Server, *, sent: set[str] | None = None) -> bool:
        """Send what is to be sent, but for what was `sent` already, as one request; return whether there was any."""
        chosen = batch([self.stored[one] for one in self.to_send - (sent or set())])
        server.push([over_the_wire(one) for one in chosen])
        if sent is not None:
            sent.update(one.id for one in chosen)
        return bool(chosen)

    def pull(self, server: Server, limit: int, *, lost: bool = False) -> bool:
        """Read a page, and whether there is more. `lost`: the answer does not arrive, or the client is killed."""
        try:
            page = server.pull(self.place, limit)
            taken = take(page, self.place, self, self.sharing)
        except (Gone, ChainBroken):
            if not lost:
                self.place = START
                self.to_send = set(offered_again(self.stored.values(), self.sharing, self.shared))
            return True
        if lost:
            return True
        self._empty(taken.purged)
        self.stored |= {one.id: one for one in taken.added}
        self.shared |= {numbered.entry.note for numbered in page.entries}
        self.to_send = (self.to_send - taken.sent) | taken.to_send
        self.place = taken.place
        return page.more

    def sync(self, server: Server) -> None:
        """Send all, and read all."""
        sent: set[str] = set()
        while self.push(server, sent=sent):
            pass
        while self.pull(server, 500):
            pass

    def backup(self) -> Client:
        """Return a copy as it is now; from now on each goes its own way."""
        random, self.random = self.random, Random()
        made = copy.deepcopy(self)
        self.random = made.random = random
        return made
