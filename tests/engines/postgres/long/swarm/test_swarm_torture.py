"""Thousands of posts, hives that lose their connections and lives: a journal of all that began and ended."""

from __future__ import annotations

import random
import threading
from collections import Counter

import pytest

from tests.kit.torture import portion, seeded_random

MANY = portion(10_000)
HIVES, SLOTS = 5, 8


class Journal:
    """What began where, under which fence, and what was answered about its end."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.began: Counter[tuple[str, int]] = Counter()
        self.ended: list[tuple[str, int]] = []

    def begin(self, post: str, fence: int) -> None:
        with self._lock:
            self.began[post, fence] += 1

    def end(self, post: str, fence: int) -> None:
        with self._lock:
            self.ended.append((post, fence))


def live(swarm, hive, journal, chance, errors):
    """One hive: claims, begins, ends; now and then its connection is cut, or it is killed and joins anew."""
    try:
        begun: set[int] = set()
        while True:
            if chance.random() < 0.01:  # the answer to the claim is lost with the connection
                hive.ask(SLOTS)
                hive.swarm.close()
                hive.swarm = swarm.connected(swarm.url_of(hive.name))
            if chance.random() < 0.005:  # killed: what it had begun is gone with it
                hive = swarm.again(hive)
                assert hive.join_after().word == "joined"
                begun = set()
            beaten = hive.beat()
            assert beaten.word == "ok"
            hive.claim(SLOTS - len(beaten.held))
            held = hive.swarm.claims_of(hive.session)
            if not held and not hive.swarm.status().queued:
                return
            for claim in held:
                hive.fence = max(hive.fence, claim.fence)
                if claim.fence not in begun:
                    begun.add(claim.fence)
                    journal.begin(claim.id, claim.fence)
                if chance.random() < 0.9:
                    for _ in range(1 + (chance.random() < 0.05)):  # told again as if the answer had been lost
                        assert hive.end(claim).word == "ok"
                    journal.end(claim.id, claim.fence)
    except BaseException as error:  # noqa: BLE001 - is raised by the test
        errors.append(error)


@pytest.mark.timeout(500)
def test_10_000_posts_each_has_one_fence_at_a_time_and_one_end(swarm):
    chance = seeded_random()
    for start in range(0, MANY, 1000):
        swarm.admin.post(
            [{"id": f"{n:08x}", "kind": "quest", "name": f"q{n}"} for n in range(start, min(start + 1000, MANY))]
        )
    hives = [swarm.hive(f"eu{n}", slots=SLOTS) for n in range(HIVES)]
    journal = Journal()
    errors: list[BaseException] = []
    threads = [
        threading.Thread(target=live, args=(swarm, hive, journal, random.Random(chance.random()), errors))
        for hive in hives
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(450)
    assert not errors, errors[0]
    posts = swarm.admin.posts()
    assert Counter(one.state for one in posts) == {"done": MANY}
    assert max(journal.began.values()) == 1, "a fence begins once"
    assert sorted(post for post, _ in journal.ended) == sorted(one.id for one in posts), "one end each"
    final = {(one.id, one.fence) for one in posts}
    assert set(journal.ended) == final, "the end is that of the last fence"
    fences = Counter(fence for _, fence in journal.began)
    assert max(fences.values()) == 1
