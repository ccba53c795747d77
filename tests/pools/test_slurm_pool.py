"""A pool of a real Slurm grows for what waits and shrinks by itself; whatever dies, nothing is left, or there twice."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.kit.attached import Attached
from tests.kit.overmind import Overmind
from tests.kit.slurm import Slurm
from tests.kit.swarm_homes import SwarmHomes
from tests.kit.waiting import eventually
from tests.postgres.conftest import empty_database

PATIENCE = 90.0


class Pool:
    """A swarm with a pool, and a hive that takes nothing and starts the pool's instances.

    Attributes:
        name: Of the pool; each test has its own, as all are of one account.
        hub: The hive.
    """

    def __init__(self, homes: SwarmHomes, cluster: Slurm) -> None:
        self.homes = homes
        self.cluster = cluster
        self.name = homes.name("p")
        self.desk = homes.desk
        lines = self.desk.ok("swarm", "invite", self.name, "--role", "worker", "--pool").splitlines()
        self._url = lines[-1].removeprefix("overmind swarm join ").strip("'")
        self.hub: Overmind = homes.hive("hub", "--slots", "0")

    def begin(self, **keys: Any) -> None:
        """Have the hub start instances."""
        table = {
            "engine": "slurm",
            "slots": 2,
            "max": 2,
            "idle": "4s",
            "labels": {"gpu": "yes"},
            **keys,
        }
        lines = [f"{key} = {toml(value)}" for key, value in table.items()]
        Path(self.hub.home, "config.toml").write_text("\n".join([f"[pools.{self.name}]", *lines, ""]))
        assert self.hub.ok("swarm", "join", "-", stdin=self._url).startswith("Kept the invitation")

    def instances(self) -> list[dict[str, Any]]:
        """All that there were, as the swarm has them."""
        found: list[dict[str, Any]] = self.desk.json("pool", "list", self.name, "--json")["instances"]
        return found

    def listed(self) -> str:
        """What `pool list` says of it."""
        said = self.desk("pool", "list")
        return said.stdout + said.stderr

    def joined(self) -> list[str]:
        """Those that are hives."""
        return [one["name"] for one in self.instances() if one["state"] == "joined"]

    def wait_joined(self, count: int) -> list[str]:
        """Return those that are hives once there are so many."""
        eventually(lambda: len(self.joined()) == count, timeout=PATIENCE, what=f"{count} instances have joined")
        return self.joined()

    def post(self, name: str, script: str, *options: str) -> None:
        """Post a run for the pool."""
        self.desk.ok("run", "--on", "gpu=yes", "--name", name, *options, script)

    def job(self, instance: str) -> str:
        """The number of the job of an instance."""
        (number,) = [job[0] for job in self.cluster.jobs() if job[2].endswith(f"-{instance}")]
        return number

    def homes_left(self) -> list[Path]:
        """Homes of instances; one that was killed together with its keeper leaves its own."""
        return list(Path(f"/tmp/overmind-{os.geteuid()}/pools").glob(f"overmind-????????-{self.name}-*"))

    def wait_empty(self) -> None:
        """Wait until there is no job, and no process of one."""
        eventually(lambda: not self.cluster.jobs(), timeout=PATIENCE, what="there is no job")
        eventually(lambda: not self.cluster.processes(), timeout=20.0, what="no process of a job is left")


def toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {toml(one)}" for key, one in value.items()) + " }"
    return json.dumps(value)


@pytest.fixture
def pool(cluster, make_home) -> Iterator[Pool]:
    """A swarm of this test, with a pool of Slurm."""
    if not os.environ.get("OVERMIND_TEST_POSTGRES"):
        pytest.skip(f"without PostgreSQL: {os.environ.get('OVERMIND_NO_POSTGRES') or 'make test-pools'}")

    def make() -> Overmind:
        home: Overmind = make_home()
        programs = os.path.dirname(sys.executable)
        home.environment.update({**cluster.environment, "PATH": f"{programs}:{home.environment['PATH']}"})
        return home

    with empty_database() as url:
        made = Pool(SwarmHomes(url, make), cluster)
        yield made
        for job in cluster.jobs():
            cluster.run("scancel", job[0])
        eventually(lambda: not cluster.processes(), timeout=PATIENCE, what="no process of a job is left")
        for one in made.homes_left():
            shutil.rmtree(one)


@pytest.mark.long
@pytest.mark.timeout(300)
def test_a_pool_goes_from_nought_to_two_and_back_by_itself_and_a_terminal_of_it_is_attached_to(pool, tmp_path):
    go = tmp_path / "go"
    pool.begin()
    for number in range(4):
        pool.post(f"train-{number}", f"echo here-{number}; until [ -e {go} ]; do sleep .1; done")
    names = pool.wait_joined(2)
    (swarm,) = {name.split("-")[1] for _, _, name in pool.cluster.jobs()}  # which of two with a pool of this name it is
    assert sorted(name for _, _, name in pool.cluster.jobs()) == sorted(f"overmind-{swarm}-{name}" for name in names)
    row = pool.homes.wait_state("train-0", "claimed")
    assert row["hive"] in names
    assert "here-0" in pool.hub.ok("logs", f"{row['hive']}/train-0")
    shell = ("--type", "session", "--name", "shell", "sh", "-c", "echo ready; PS1= exec sh")
    pool.hub.ok("run", "-H", row["hive"], *shell)
    with Attached(pool.hub, f"{row['hive']}/shell") as person:
        person.joined()
        person.shows("ready")
        person.type(b"echo $((6 * 7)) in $OVERMIND_MISSION_NAME; exit\r")
        person.shows("\n42 in shell")
    there = pool.hub.json("ps", "-H", row["hive"], "--json")
    assert "train-0" in [one["name"] for one in there]
    go.touch()
    for number in range(4):
        pool.homes.wait_state(f"train-{number}", "done", timeout=PATIENCE)
    pool.wait_empty()
    eventually(lambda: not pool.homes_left(), what="no home of an instance is left")
    assert pool.joined() == []
    assert "here-1" in pool.desk.ok("logs", "swarm/train-1")


@pytest.mark.long
@pytest.mark.timeout(300)
def test_a_job_that_is_cancelled_leaves_nothing_and_its_work_goes_on_in_another_one(pool, tmp_path):
    go, journal = tmp_path / "go", tmp_path / "journal"
    pool.begin(max=1)
    work = f"echo $$ >>{journal}; (setsid sleep 600 &); until [ -e {go} ]; do sleep .1; done"
    pool.post("train", work, "--on-lost", "move", "--lease", "10s")
    (first,) = pool.wait_joined(1)
    eventually(journal.exists, timeout=PATIENCE, what="the work has begun")
    pool.cluster.run("scancel", pool.job(first))
    eventually(lambda: first not in pool.joined(), timeout=PATIENCE, what="the instance has ended")
    go.touch()
    pool.homes.wait_state("train", "done", timeout=PATIENCE)
    pool.wait_empty()
    assert len(journal.read_text().split()) == 2


@pytest.mark.long
@pytest.mark.timeout(300)
def test_a_controller_that_is_killed_and_comes_back_has_no_instance_twice(pool, tmp_path):
    go, journal = tmp_path / "go", tmp_path / "journal"
    pool.begin(max=1)
    work = f"echo begun >>{journal}; until [ -e {go} ]; do sleep .1; done; echo ended >>{journal}"
    pool.post("train", work, "--on-lost", "move", "--lease", "10s")
    pool.wait_joined(1)
    eventually(journal.exists, timeout=PATIENCE, what="the work has begun")
    pool.cluster.kill_controller()
    eventually(lambda: "silent" in pool.listed(), timeout=PATIENCE, what="the pool is silent")
    assert journal.read_text().split() == ["begun"]
    pool.cluster.start_controller()
    eventually(lambda: "silent" not in pool.listed(), timeout=PATIENCE, what="the pool is not silent any more")
    go.touch()
    pool.homes.wait_state("train", "done", timeout=PATIENCE)
    pool.wait_empty()
    assert journal.read_text().split().count("ended") == 1
    assert pool.joined() == []
