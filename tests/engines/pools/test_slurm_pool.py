"""A pool of a real Slurm grows for what waits and shrinks by itself; whatever dies, nothing is left, or there twice."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

import pytest

from tests.engines.postgres.conftest import empty_database
from tests.kit.attached import Attached
from tests.kit.engines import leave_out
from tests.kit.overmind import Overmind
from tests.kit.slurm import Slurm
from tests.kit.swarm_homes import SwarmHomes
from tests.kit.swarm_pool import PATIENCE, SwarmPool
from tests.kit.waiting import eventually


class Pool(SwarmPool):
    """A pool of Slurm."""

    def __init__(self, homes: SwarmHomes, cluster: Slurm) -> None:
        super().__init__(homes)
        self.cluster = cluster

    def job(self, instance: str) -> str:
        """The number of the job of an instance."""
        (number,) = [job[0] for job in self.cluster.jobs() if job[2].endswith(f"-{instance}")]
        return number

    def wait_empty(self) -> None:
        """Wait until there is no job, and no process of one."""
        eventually(lambda: not self.cluster.jobs(), timeout=PATIENCE, what="there is no job")
        eventually(lambda: not self.cluster.processes(), timeout=20.0, what="no process of a job is left")


@pytest.fixture
def pool(cluster, make_home) -> Iterator[Pool]:
    """A swarm of this test, with a pool of Slurm."""
    if not os.environ.get("OVERMIND_TEST_POSTGRES"):
        leave_out("pools", f"without PostgreSQL: {os.environ.get('OVERMIND_NO_POSTGRES') or 'make test-pools'}")

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
        made.remove_homes()


@pytest.mark.long
@pytest.mark.timeout(300)
def test_a_pool_goes_from_nought_to_two_and_back_by_itself_and_a_terminal_of_it_is_attached_to(pool, tmp_path):
    go = tmp_path / "go"
    pool.begin(engine="slurm")
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
    pool.begin(engine="slurm", max=1)
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
    pool.begin(engine="slurm", max=1)
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
