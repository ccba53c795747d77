"""Killed while scaling and with a changed definition: exactly N, one replaced at a time; the database, in any order."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from tests.kit.swarm import Hive, TestSwarm
from tests.kit.torture import portion

SIZES = (7, 15, 29)
STEPS = 120


class Torture:
    """A fleet, three hives, and what they have."""

    def __init__(self, swarm: TestSwarm, seed: int) -> None:
        self.swarm = swarm
        self.random = Random(seed)
        self.want, self.version = 15, 1
        self.hives = [swarm.hive(name, slots=99) for name in ("a", "b", "c")]
        self.held: dict[str, tuple[Hive, Any]] = {}
        """Post → who has it, and the claim."""
        self.steps = (
            self.scale, self.change, self.end_one, self.kill_one, self.be_ready, self.obey, self.claim, self.claim
        )  # fmt: skip

    def apply(self) -> None:
        """Have the blueprint as it is now."""
        definition = {"agent": "review", "lease": 60, "run": {"version": self.version}}
        self.swarm.admin.apply_fleets("team.toml", [{"fleet": "review", "want": self.want, "definition": definition}])

    def scale(self) -> None:
        self.want = self.random.choice(SIZES)
        self.swarm.admin.scale("review", self.want)

    def change(self) -> None:
        self.version += 1
        self.apply()

    def end(self, post: str, state: str) -> None:
        hive, claim = self.held.pop(post)
        assert hive.end(claim, state).word == "ok"

    def end_one(self) -> None:
        if self.held:
            self.end(self.random.choice(sorted(self.held)), self.random.choice(("done", "failed")))

    def kill_one(self) -> None:
        """A hive has another keeper: what it had is free."""
        number = self.random.randrange(3)
        dead = self.hives[number]
        self.held = {post: one for post, one in self.held.items() if one[0] is not dead}
        life = self.hives[number] = self.swarm.again(dead)
        assert life.join_after(slots=99).word == "joined"

    def be_ready(self) -> None:
        hive = self.random.choice(self.hives)
        for holder, claim in self.held.values():
            if holder is hive:
                hive.swarm.report_progress(hive.session, claim.id, claim.fence, {"ready": True})

    def obey(self) -> None:
        """End what is to end."""
        for hive in self.hives:
            for one in hive.beat().held:
                if one.cancelling is not None and one.post in self.held:
                    self.end(one.post, "cancelled")

    def claim(self) -> None:
        hive = self.random.choice(self.hives)
        hive.watch(60)
        for one in hive.claim(self.random.randrange(1, 9)):
            self.held[one.id] = (hive, one)

    def check(self) -> None:
        """Exactly so many, none twice, and at most one that is being replaced."""
        posts = [one for one in self.swarm.admin.posts(ended=False) if one.cancelling in {None, "replaced"}]
        assert sorted(one.place or 0 for one in posts) == list(range(1, self.want + 1))
        assert sum(one.cancelling == "replaced" for one in posts) <= 1


@pytest.mark.parametrize("seed", range(portion(6)))
def test_there_are_exactly_so_many_and_one_is_replaced_at_a_time(swarm, seed):
    torture = Torture(swarm, seed)
    torture.apply()
    for _ in range(STEPS):
        torture.random.choice(torture.steps)()
        torture.check()
    for _ in range(STEPS * 3):
        torture.obey()
        torture.claim()
        torture.be_ready()
    torture.check()
    posts = swarm.admin.posts(ended=False)
    assert {(one.state, one.ready) for one in posts} == {("claimed", True)}
    assert {one.generation for one in posts} == {swarm.admin.fleets()[0].generation}
