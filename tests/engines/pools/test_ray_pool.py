"""A pool of a real Ray: its jobs are hives that take what waits, leave by themselves, and leave nothing if stopped."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engines.postgres.conftest import empty_database
from tests.kit import processes
from tests.kit.engines import leave_out
from tests.kit.overmind import Overmind
from tests.kit.ray import Ray
from tests.kit.swarm_homes import SwarmHomes
from tests.kit.swarm_pool import PATIENCE, SwarmPool
from tests.kit.waiting import eventually


@pytest.fixture
def pool(ray_head: Ray, make_home) -> Iterator[SwarmPool]:
    """A swarm of this test, with a pool of Ray."""
    if not os.environ.get("OVERMIND_TEST_POSTGRES"):
        leave_out("pools", f"without PostgreSQL: {os.environ.get('OVERMIND_NO_POSTGRES') or 'make test-pools'}")

    def make() -> Overmind:
        home: Overmind = make_home()
        home.environment["PATH"] = f"{ray_head.bin}:{home.environment['PATH']}"
        return home

    with empty_database() as url:
        made = SwarmPool(SwarmHomes(url, make))
        made.begin(engine="ray", args=[f"--address={ray_head.address}"], max=1)
        yield made
        made.remove_homes()


def stop(pool: SwarmPool, ray_head: Ray, instance: str) -> None:
    """Stop the job of an instance, as somebody does who knows of Ray alone."""

    def asked(command: str, *words: str) -> str:
        argv = ["ray", "job", command, "--address", ray_head.address, "--log-color", "false", *words]
        done = subprocess.run(argv, env=pool.hub.environment, capture_output=True, text=True, timeout=60, check=True)
        return done.stdout

    (job,) = {word for word in asked("list").split("'") if word.endswith(f"-{instance}")}
    asked("stop", job)


@pytest.mark.long
@pytest.mark.timeout(300)
def test_a_pool_goes_from_nought_to_one_and_back_by_itself(pool, tmp_path):
    go, pids = tmp_path / "go", tmp_path / "pids"
    pool.post("train", f"echo here; echo $$ >>{pids}; until [ -e {go} ]; do sleep .1; done")
    (name,) = pool.wait_joined(1)
    assert pool.homes.wait_state("train", "claimed")["hive"] == name
    eventually(pids.exists, timeout=PATIENCE, what="the work has begun")
    go.touch()
    pool.homes.wait_state("train", "done", timeout=PATIENCE)
    eventually(lambda: pool.joined() == [], timeout=PATIENCE, what="the instance has left")
    eventually(lambda: not pool.homes_left(), what="no home of an instance is left")
    assert "here" in pool.desk.ok("logs", "swarm/train")
    assert len(numbers(pids)) == 1


@pytest.mark.long
@pytest.mark.timeout(300)
def test_a_job_that_is_stopped_leaves_nothing_and_its_work_goes_on_in_another_one(pool, ray_head, tmp_path):
    go, pids = tmp_path / "go", tmp_path / "pids"
    setsid = f"(setsid sh -c 'echo $$ >>{pids}; exec sleep 600' &)"
    work = f"echo $$ >>{pids}; {setsid}; until [ -e {go} ]; do sleep .1; done"
    pool.post("train", work, "--on-lost", "move", "--lease", "10s")
    (first,) = pool.wait_joined(1)
    eventually(lambda: pids.exists() and len(numbers(pids)) == 2, timeout=PATIENCE, what="the work has begun")
    stop(pool, ray_head, first)
    begun = numbers(pids)[:2]
    eventually(lambda: not any(map(processes.alive, begun)), timeout=20.0, what="nothing of it is left")
    eventually(lambda: len(numbers(pids)) == 4, timeout=PATIENCE, what="it has begun in another one")
    go.touch()
    pool.homes.wait_state("train", "done", timeout=PATIENCE)
    eventually(lambda: pool.joined() == [], timeout=PATIENCE, what="no instance is left")
    assert len(numbers(pids)) == 4
    assert not any(map(processes.alive, numbers(pids)))


def numbers(pids: Path) -> list[int]:
    """The processes that have begun."""
    return [int(word) for word in pids.read_text().split()]
