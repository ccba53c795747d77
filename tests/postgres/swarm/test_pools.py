"""Pools on real homes: instances are started for what waits, leave by themselves, and leave nothing behind."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from tests.kit.pool_machines import PoolMachines
from tests.kit.swarm_homes import SwarmHomes
from tests.kit.waiting import eventually
from tests.postgres.conftest import empty_database


class Pool:
    """A swarm with a pool, and the hive that starts its instances."""

    def __init__(self, homes: SwarmHomes, machines: PoolMachines) -> None:
        self.homes = homes
        self.machines = machines
        self.name = machines.name
        self.desk = homes.desk

    def invite(self) -> str:
        """Invite the pool; return the URL of the invitation."""
        lines = self.desk.ok("swarm", "invite", self.name, "--role", "worker", "--pool").splitlines()
        return lines[-1].removeprefix("overmind swarm join ").strip("'")

    def keeper(self, short: str, **keys: Any):
        """A hive that takes no posts, and can start the pool's instances."""
        home = self.homes.hive(short, "--slots", "0")
        self.machines.configure(home, **keys)
        return home

    def row(self) -> dict[str, Any]:
        found: dict[str, Any] = self.desk.json("pool", "list", self.name, "--json")
        return found

    def joined(self) -> list[str]:
        return [one["name"] for one in self.row()["instances"] if one["state"] == "joined"]

    def wait_joined(self, count: int, timeout: float = 60.0) -> list[str]:
        def look() -> bool:
            return len(self.joined()) == count

        eventually(look, timeout=timeout, what=f"{count} instances have joined")
        return self.joined()


@pytest.fixture
def pool(make_home, tmp_path):
    """A swarm of this test, with a pool."""
    with empty_database() as url:
        homes = SwarmHomes(url, make_home)
        machines = PoolMachines(tmp_path / "machines", homes.name("p"))
        try:
            yield Pool(homes, machines)
        finally:
            machines.end()
            eventually(lambda: not machines.alive(), timeout=30, what="no machine is left")


def test_a_pool_grows_for_what_waits_and_shrinks_by_itself(pool, tmp_path):
    url = pool.invite()
    home = pool.keeper("a", slots=2, max=3, idle="3s", labels={"gpu": "yes"})
    assert home.ok("swarm", "join", "-", stdin=url).startswith(f"Kept the invitation of pool {pool.name}")
    for number in range(4):
        pool.desk.ok("run", "--on", "gpu=yes", "--name", f"train-{number}", f"echo here-{number}; sleep 12")
    pool.wait_joined(2)
    for number in range(4):
        assert pool.homes.wait_state(f"train-{number}", "done")["state"] == "done"
    eventually(lambda: not pool.joined(), timeout=60, what="all have left")
    eventually(lambda: not pool.machines.alive(), timeout=20, what="their processes have ended")
    assert len(pool.machines.starts()) == len(set(pool.machines.starts())) == 2
    assert "here-1" in pool.desk.ok("logs", "swarm/train-1")
    folder = Path(f"/tmp/overmind-{os.geteuid()}/pools")
    eventually(
        lambda: not [one for one in pool.machines.starts() if (folder / one).exists()], what="the homes are gone"
    )
