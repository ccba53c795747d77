"""Pools on real homes: instances are started for what waits, leave by themselves, and leave nothing behind."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.engines.postgres.conftest import empty_database
from tests.kit.overmind import Overmind
from tests.kit.pool_machines import PoolMachines
from tests.kit.swarm_homes import SwarmHomes
from tests.kit.waiting import eventually


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

    def starter(self, short: str = "a", url: str | None = None, **keys: Any) -> Overmind:
        """A hive that takes no posts, and can start the pool's instances."""
        home = self.homes.hive(short, "--slots", "0")
        self.machines.configure(home, **keys)
        said = home.ok("swarm", "join", "-", stdin=url or self.invite())
        assert said.startswith(f"Kept the invitation of pool {self.name}")
        eventually(lambda: self.row()["hive"] and self.row()["engine"], what="somebody has decided about it once")
        return home

    def by_hand(self) -> tuple[str, list[str]]:
        """An instance that is asked for, and that the engine does not start: its name, and its command."""
        deaf = self.machines.folder / "deaf"
        deaf.touch()
        said = self.desk.ok("pool", "up", self.name)
        assert said.startswith(f"Started 1 of pool {self.name}: ")
        name = self.machines.starts()[-1]
        deaf.unlink()
        return name, self.machines.argv(name)

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
            left = [machines.home(name) for name in machines.starts()]
            eventually(lambda: not any(map(Path.exists, left)), timeout=30, what="no home is left")


def test_an_instance_that_does_not_join_is_ended_and_told(pool):
    pool.starter(join="3s")
    name, _ = pool.by_hand()

    def is_ended() -> bool:
        return [one["reason"] for one in pool.row()["instances"]] == ["it has not joined within 3s"]

    eventually(is_ended, timeout=40, what="it is ended")
    eventually(lambda: not pool.machines.alive(), what="its machine was ended")
    (row,) = pool.row()["instances"]
    assert row["engine_id"] == str(pool.machines.pid(name)), "as it was started, whatever `list` calls it"
    assert "it has not joined within 3s" in pool.desk.ok("pool", "list", pool.name)
    (event,) = [
        one for one in map(json.loads, pool.desk.ok("events", "-H", "swarm").splitlines())
        if one["type"] == "instance_ended"
    ]  # fmt: skip
    assert (event["hive"], event["body"]["reason"]) == (name, "it has not joined within 3s")


def test_people_start_and_end_instances(pool):
    pool.starter(max=2, idle="2m", labels={"gpu": "yes"})
    said = pool.desk("pool", "up", pool.name, "3")
    names = pool.machines.starts()
    ids = [str(pool.machines.pid(name)) for name in names]
    assert said.stderr == f"Not 3: pool {pool.name} is at its max. Raise it in config.toml.\n"
    assert said.stdout == f"Started 2 of pool {pool.name}: {', '.join(ids)}\n"
    assert "its max" in pool.desk.refused("pool", "up", pool.name, code="no_room")
    pool.wait_joined(2)
    pool.desk.ok("quest", "add", "train", "--on", "gpu=yes", "--", "sleep", "1000")
    busy = pool.homes.wait_state("train", "claimed")["hive"]
    (idle,) = set(names) - {busy}
    idle_id, busy_id = (str(pool.machines.pid(name)) for name in (idle, busy))
    assert pool.desk.ok("pool", "down", pool.name, idle_id) == f"Ended 1 of pool {pool.name}: {idle_id}\n"
    draining = pool.desk("pool", "down", pool.name, busy)
    assert draining.stdout == f"Draining 1 of pool {pool.name}: {busy_id}\n"
    assert "1 post goes on there" in draining.stderr
    assert pool.homes.posts()["train"]["state"] == "claimed"
    pool.desk.ok("pool", "down", pool.name, "--all", "--force")
    eventually(lambda: not pool.machines.alive(), timeout=60, what="it was ended at once")
    pool.desk.ok("quest", "cancel", "swarm/train")
    assert "pool list" in pool.desk.refused("pool", "down", pool.name, "4711", code="not_found")
    pool.desk.refused("pool", "down", pool.name, code="invalid", exit_code=2)


def test_what_is_missing_is_named(pool):
    home = pool.homes.hive("a", "--slots", "0")
    pool.machines.configure(home)
    assert "no invitation of pool" in home.ok("pool", "list", "--json")
    assert f"swarm invite {pool.name} --role worker --pool" in home.refused("pool", "up", pool.name, code="invalid")
    url = pool.invite()
    assert "No hive starts instances" in pool.desk.refused("pool", "up", pool.name, code="invalid")
    near = f"{pool.name[:-1]}x"
    assert f"Did you mean {pool.name}" in pool.desk.refused("pool", "up", near, code="not_found")
    home.ok("swarm", "join", "-", stdin=url)
    pool.machines.configure(home, up=["no-such-program", "{instance}"])
    eventually(lambda: pool.row()["hive"] is None, timeout=30, what="nobody decides about it")
    assert "there is no no-such-program" in home.refused("pool", "up", pool.name, code="invalid")
    pool.desk.refused("swarm", "join", url.partition("#")[0], code="invalid")
    home.refused("hive", "serve", "--pool", "nosuch", "--instance", "nosuch-1", code="not_found")


def test_missions_may_not_use_pools_nor_be_instances(pool):
    home = pool.starter()
    inside = {"OVERMIND_MISSION_ID": "x"}
    home.refused("hive", "serve", "--pool", pool.name, "--instance", f"{pool.name}-1", code="forbidden", env=inside)
    home.refused("pool", "manifest", pool.name, code="forbidden", env=inside)


def test_why_names_the_pool_that_starts_a_machine_for_a_post(pool):
    pool.starter(max=1, idle="1m", labels={"gpu": "yes"})
    (pool.machines.folder / "deaf").touch()  # what it starts does not join
    pool.desk.ok("run", "--on", "gpu=yes", "--name", "train", "true")
    pool.desk.ok("run", "--on", "gpu=no", "--name", "other", "true")
    eventually(pool.machines.starts, timeout=30, what="an instance is started")
    (name,) = pool.machines.starts()
    assert pool.desk.ok("why", "swarm/train").splitlines()[-1] == f"  pool {pool.name}  starts {name}"
    assert pool.desk.json("why", "swarm/train", "--json")["pools"] == [{"pool": pool.name, "text": f"starts {name}"}]
    assert "pool" not in pool.desk.ok("why", "swarm/other")
    for post in ("train", "other"):
        pool.desk.ok("kill", f"swarm/{post}")
