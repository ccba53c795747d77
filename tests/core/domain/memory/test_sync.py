"""Clients and a server that exchange notes end with the same ones, whatever is lost, killed or restored meanwhile."""

from __future__ import annotations

import copy
import re
from random import Random

import pytest

from overmind_core.domain.memory.entries import Entry, is_emptied
from overmind_core.domain.memory.notes import Author, Content, Origin, Standing, Version, Vote, note_id, purge_id
from overmind_core.domain.memory.sync import MOST_BYTES, MOST_ENTRIES, ChainBroken, Numbered, Page, Place, batch, take
from tests.kit import torture
from tests.kit.synced import COLONY, MINE, OTHER, Client, Server

HISTORIES = 10_000 if torture.WHOLE else 60
CLIENTS = 4
STEPS = 60


def comparable(entry: Entry) -> object:
    """All of it but how it came here; of a purge, which is the same whoever asks for it, not who and when."""
    if isinstance(entry, Vote):
        return entry
    if entry.standing is Standing.PURGED:
        return entry.id, entry.note
    return entry.id, entry.note, entry.number, entry.replaces, entry.standing, entry.content, entry.author, entry.at


class History:
    """One of many: what was written, and who has lost it since."""

    def __init__(self, seed: int, server: Server | None = None) -> None:
        self.random = random = Random(seed)
        self.server = server or Server()
        self.clients = [Client(f"person{at}", Random(random.getrandbits(64))) for at in range(CLIENTS)]
        self.backups: dict[int, Client] = {}
        self.server_backup = copy.deepcopy(self.server)
        self.words = 0

    def step(self) -> None:
        random = self.random
        at = random.randrange(CLIENTS)
        client = self.clients[at]
        self.words += 1
        text = f"word{self.words} of a note"
        doing = [
            (5, lambda: client.write(text)),
            (6, lambda: client.change(text)),
            (3, client.vote),
            (1, client.purge),
            (8, lambda: client.push(self.server)),  # whether the answer arrives makes no difference
            (10, lambda: client.pull(self.server, random.choice([1, 2, 5, 500]), lost=random.random() < 0.3)),
            (1, lambda: self.backups.update({at: client.backup()})),
            (0.6, lambda: self.clients.__setitem__(at, self.backups.pop(at, client))),
            (1, lambda: setattr(self, "server_backup", copy.deepcopy(self.server))),
            (0.6, lambda: setattr(self, "server", copy.deepcopy(self.server_backup))),
        ]
        random.choices([do for _, do in doing], [often for often, _ in doing])[0]()

    def settle(self) -> None:
        for _ in range(4):  # who lost something gets it once the others have offered it again
            for client in self.clients:
                client.sync(self.server)


def shared(client: Client) -> dict[str, object]:
    """What a client has that it would send; of a purged note the purge alone."""
    has = client.sharing.has
    purged = {one.note for one in client.stored.values() if is_emptied(one)}
    return {
        one.id: comparable(one)
        for one in client.stored.values()
        if has(one, is_shared=client.shared.__contains__) and (one.note not in purged or one.id == purge_id(one.note))
    }


def shared_entries(client: Client) -> list[Entry]:
    return [client.stored[one] for one in shared(client)]


def logged(log: list[Entry]) -> dict[str, object]:
    """What a server has; of a purged note the purge alone."""
    purged = {one.note for one in log if is_emptied(one)}
    return {one.id: comparable(one) for one in log if one.note not in purged or one.id == purge_id(one.note)}


def words_of(entries: list[Entry]) -> set[str]:
    return {one for entry in entries for one in re.findall(r"word\d+", repr(entry))}


def test_all_copies_end_equal_with_nothing_missing_and_nothing_of_what_was_purged():
    purges = gone = 0
    for seed in range(HISTORIES):
        history = History(seed)
        for _ in range(STEPS):
            history.step()
        stored = [one for client in history.clients for one in shared_entries(client)] + history.server.log
        notes = {one.note for one in stored}  # one of them may have been purged where it was not shared yet
        purged = {one.note for client in history.clients for one in client.stored.values() if is_emptied(one)} & notes
        purged |= {one.note for one in history.server.log if is_emptied(one)}
        expected = {one.id for one in stored if one.note not in purged} | {purge_id(note) for note in purged}
        purges += len(purged)
        history.settle()
        log = logged(history.server.entries())
        assert set(log) == expected, f"seed {seed}"
        for client in history.clients:
            assert client.to_send == set(), f"seed {seed}"
            assert shared(client) == log, f"seed {seed}"
            kept = words_of([one for one in client.stored.values() if one.note in purged])
            assert kept == set(), f"seed {seed}"
            gone += sum(is_emptied(one) for one in client.stored.values())
        versions = [one for one in history.server.log if isinstance(one, Version)]
        assert words_of([one for one in history.server.log if one.note in purged]) == set(), f"seed {seed}"
        assert {one.content.scope for one in versions}.isdisjoint({OTHER}), f"seed {seed}"
        assert all(one.content.scope != MINE or is_emptied(one) for one in versions), f"seed {seed}"
        assert all(one.standing is not Standing.PROPOSED for one in versions), f"seed {seed}"
    assert purges > HISTORIES / 4
    assert gone > purges


def version(number: int, text: str = "a text", standing: Standing = Standing.LIVE, note: str = note_id(1)) -> Version:
    content = Content(text, scope=COLONY)
    return Version(f"{number:032x}", note, 1, (), standing, content, Author("ada"), Origin.COMMAND, 1.0)


def test_a_request_holds_as_much_as_it_may_and_purges_first():
    many = [version(number) for number in range(600)] + [version(700, "")]
    assert batch(many)[0] == many[-1]
    assert len(batch(many)) == MOST_ENTRIES
    large = [version(number, "\U0001f40d" * 4000) for number in range(200)]
    assert MOST_BYTES / 16_500 - 2 < len(batch(large)) < MOST_BYTES / 16_000


@pytest.mark.parametrize(
    "page",
    [
        Page((Numbered(3, version(1)),), Place(3, "c" * 64), more=False),
        Page((Numbered(2, version(1)),), Place(2, "c" * 64), more=False),
        Page((Numbered(2, version(1)),), Place(3, ""), more=False),
        Page((), Place(1, "b" * 64), more=False),
    ],
    ids=["an entry is left out", "another chain", "another end", "another chain of nothing"],
)
def test_a_page_that_does_not_go_on_where_the_last_one_ended_is_refused(page):
    client = Client("ada", Random(0))
    with pytest.raises(ChainBroken):
        take(page, Place(1, "a" * 64), client, client.sharing)
