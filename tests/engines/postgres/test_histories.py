"""Clients and a real server: as in memory (tests/core/domain/memory/test_sync.py), all copies end equal."""

from __future__ import annotations

from random import Random

import pytest

from overmind_core.cortex import database
from overmind_core.domain.memory.entries import is_emptied, to_wire, version_from_wire, vote_from_wire
from overmind_core.domain.memory.notes import Vote
from overmind_core.domain.memory.sync import Numbered, Page, Place
from tests.core.domain.memory.test_sync import History, logged, shared, words_of
from tests.kit import cortex, torture
from tests.kit.synced import Gone, Server

HISTORIES = 50 if torture.WHOLE else 3
STEPS = 60


class RealServer(Server):
    """A colony of a real server, spoken to as the one in memory is."""

    def __init__(self, server: cortex.RunningCortex, colony: str) -> None:
        self.server = server
        self.colony = colony
        self.token = server.token(f"{colony}-writer", colony=colony)

    def push(self, entries):
        parted: dict[str, list[object]] = {"versions": [], "votes": []}
        for entry in entries:
            parted["votes" if isinstance(entry, Vote) else "versions"].append(to_wire(entry))
        status, answer = self.server.push(self.token, **parted)
        assert status == 200, answer
        return answer["known"]

    def pull(self, place, limit):
        status, answer = self.server.pull(self.token, place.seq, place.chain, limit)
        if status == 409:
            raise Gone
        assert status == 200, answer
        entries = [Numbered(one["seq"], version_from_wire(one)) for one in answer["versions"]]
        entries += [Numbered(one["seq"], vote_from_wire(one)) for one in answer["votes"]]
        return Page(tuple(sorted(entries)), Place(answer["next"], answer["chain"]), answer["more"])

    def entries(self):
        return [numbered.entry for numbered in self.pull(Place(), 500).entries]

    def __deepcopy__(self, memo):
        """A backup: as it is now, to be put back later."""
        return Backup(self)

    def restore(self, backup):
        with database.connect(self.server.conninfo) as connection, connection.transaction():
            connection.execute("delete from entry where colony = %s", [self.colony])
            connection.execute("update colony set seq = %s, chain = %s where name = %s", [*backup.end, self.colony])
            with connection.cursor() as cursor:
                cursor.executemany(f"insert into entry values ({', '.join(['%s'] * 10)})", backup.rows)


class Backup:
    """What a colony held at some time."""

    def __init__(self, server: RealServer) -> None:
        self.server = server
        with database.connect(server.server.conninfo) as connection:
            self.end = database.end_of(connection, server.colony)
            query = "select * from entry where colony = %s"
            self.rows = connection.execute(query, [server.colony]).fetchall()

    def __deepcopy__(self, memo):
        """Put it back."""
        self.server.restore(self)
        return self.server


@pytest.mark.parametrize("seed", range(HISTORIES))
def test_all_copies_end_equal(server, seed):
    history = History(Random(seed).getrandbits(32), RealServer(server, f"colony{seed}"))
    for _ in range(STEPS):
        history.step()
    history.settle()
    stored = history.server.entries()
    log = logged(stored)
    assert log
    purged = {one.note for one in stored if is_emptied(one)}
    for client in history.clients:
        assert client.to_send == set()
        assert shared(client) == log
        assert words_of([one for one in client.stored.values() if one.note in purged]) == set()
    assert words_of([one for one in stored if one.note in purged]) == set()
