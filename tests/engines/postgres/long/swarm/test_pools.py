"""Pools on real homes: instances are started for what waits, leave by themselves, and leave nothing behind."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.engines.postgres.conftest import empty_database
from tests.engines.postgres.swarm.test_pools import Pool
from tests.kit import processes
from tests.kit.killing import kill_both
from tests.kit.overmind import PROGRAM, Overmind
from tests.kit.pool_machines import PoolMachines
from tests.kit.swarm_homes import SwarmHomes
from tests.kit.waiting import eventually

WITHIN = 4.0
"""Seconds in which everything of an instance that was killed ends, on a busy machine."""
TREE = "trap '' HUP TERM; setsid sleep 601.{0} & (setsid sleep 602.{0} &); sleep 603.{0}"


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


@contextlib.contextmanager
def served(home: Overmind, argv: list[str], *before: str) -> Iterator[subprocess.Popen[str]]:
    """A process of an instance, as an engine would start it."""
    environment = {name: value for name, value in home.environment.items() if name != "OVERMIND_HOME"}
    with subprocess.Popen(
        [*before, *argv], env=environment, cwd="/", stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        except BaseException:
            process.kill()
            sys.stderr.write("".join(filter(None, process.communicate())))
            raise
        process.kill()


def started_tree() -> tuple[str, str]:
    """A command that leaves processes behind where it can, and what is found in their words."""
    unique = f"{uuid.uuid4().int % 10**9}"
    return TREE.format(unique), f".{unique}"


def tree_of(word: str) -> list[int]:
    def look() -> list[int] | None:
        found = processes.programs_with_word(word)
        return found if len(found) >= 4 else None

    return eventually(look, timeout=40, what="the whole tree runs") or []


def test_a_pool_grows_for_what_waits_and_shrinks_by_itself(pool):
    pool.starter(slots=2, max=3, idle="3s", labels={"gpu": "yes"})
    posts = [f"train-{number}" for number in range(4)]
    for post in posts:
        pool.desk.ok("quest", "add", post, "--on", "gpu=yes", "--", "sh", "-c", f"echo here-{post}; sleep 4")
    pool.wait_joined(2)
    for post in posts:
        pool.homes.wait_state(post, "done")
    eventually(lambda: not pool.joined(), timeout=60, what="all have left")
    eventually(lambda: not pool.machines.alive(), timeout=20, what="their processes have ended")
    assert len(pool.machines.starts()) == len(set(pool.machines.starts())) == 2
    assert "here-train-1" in pool.desk.ok("logs", "swarm/train-1")
    eventually(
        lambda: not [one for one in pool.machines.starts() if pool.machines.home(one).exists()],
        what="the homes are gone",
    )


def test_an_instance_that_is_killed_leaves_no_process_and_its_name_never_joins_again(pool):
    home = pool.starter(idle="1m", labels={"gpu": "yes"}, max=2)
    command, word = started_tree()
    how = ("--on", "gpu=yes", "--on-lost", "move", "--lease", "10s", "--name", "train")
    pool.desk.ok("run", *how, command)
    (name,) = pool.wait_joined(1)
    pids = tree_of(word)
    os.kill(pool.machines.pid(name), signal.SIGKILL)
    eventually(lambda: not any(map(processes.alive, pids)), timeout=WITHIN, what="no process of it is left")
    eventually(lambda: not pool.machines.home(name).exists(), timeout=WITHIN, what="its home is gone")
    with served(home, pool.machines.argv(name)) as again:
        _, said = again.communicate(timeout=40)
    assert again.returncode == 1
    assert "Error: name_taken" in said or "has ended" in said
    eventually(lambda: not pool.machines.home(name).exists(), timeout=WITHIN, what="its home is gone, too")
    eventually(lambda: set(pool.joined()) - {name}, timeout=90, what="another one has joined, once the lease is over")
    assert len(pool.machines.starts()) == len(set(pool.machines.starts()))
    pool.desk.ok("kill", "swarm/train")
    eventually(lambda: not processes.programs_with_word(word), timeout=30, what="the second one has ended, too")


def test_an_instance_ends_with_its_parent_and_is_found_by_a_gate_until_then(pool):
    home = pool.starter(idle="1m", max=2, labels={"gpu": "yes"}, gate=[*PROGRAM, "gate", "--instance", "{instance}"])
    command, word = started_tree()
    pool.desk.ok("quest", "add", "train", "--on", "gpu=yes", "--", "sh", "-c", command)
    (name,) = pool.wait_joined(1)
    pids = tree_of(word)
    assert [row["name"] for row in home.json("-H", name, "ps", "--json")] == ["train"]
    pool.desk.ok("quest", "cancel", "swarm/train")
    eventually(lambda: not any(map(processes.alive, pids)), timeout=30, what="it is cancelled")
    by_hand, argv = pool.by_hand()
    with served(home, argv, "sh", "-c", '"$@" & wait', "sh") as parent:
        pool.wait_joined(2)
        parent.kill()
        eventually(lambda: not pool.machines.home(by_hand).exists(), timeout=WITHIN + 1, what="its home is gone")
    assert not processes.programs_with_word(f"/{pool.machines.home(by_hand).name}")


def test_an_instance_that_is_told_to_end_gives_back_what_it_has(pool):
    home = pool.starter(idle="1m", labels={"gpu": "yes"}, max=1)
    name, argv = pool.by_hand()
    with served(home, argv) as process:
        pool.wait_joined(1)
        pool.desk.ok("run", "--on", "gpu=yes", "--name", "train", "sleep 1000")
        assert pool.homes.posts()["train"]["hive"] == name
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert out.startswith(f"Joined swarm overmind as hive {name} (")
    row = pool.homes.posts()["train"]
    assert (row["state"], row["reason"]) == ("queued", "its hive has left")
    assert name not in pool.joined()
    pool.desk.ok("kill", "swarm/train")


def test_an_instance_without_work_leaves_and_what_it_ran_is_in_the_swarm(pool):
    home = pool.starter(idle="8s", labels={"gpu": "yes"})
    name, argv = pool.by_hand()
    with served(home, argv) as process:
        pool.wait_joined(1)
        pool.desk.ok("run", "--on", "gpu=yes", "--name", "train", "echo last words")
        process.communicate(timeout=60)
    assert process.returncode == 0
    assert pool.desk.ok("logs", "swarm/train") == "last words\n"
    assert name not in {row["name"] for row in pool.desk.json("swarm", "status", "--json")["hives"]}
    eventually(lambda: not pool.machines.home(name).exists(), timeout=WITHIN, what="its home is gone")


def test_an_instance_that_is_started_twice_on_a_machine_runs_once(pool):
    home = pool.starter(idle="1m")
    name, argv = pool.by_hand()
    with served(home, argv):
        pool.wait_joined(1)
        with served(home, argv) as second:
            _, said = second.communicate(timeout=40)
        assert second.returncode == 1
        assert f"Error: busy: Instance {pool.machines.home(name).name} runs on this machine already" in said
        assert pool.machines.home(name).is_dir()
        assert pool.joined() == [name]


@pytest.mark.timeout(300)
def test_another_hive_decides_once_the_first_is_dead_and_nothing_is_started_twice(pool):
    url = pool.invite()
    keys: dict[str, Any] = {"idle": "2m", "labels": {"gpu": "yes"}, "max": 2}
    first = pool.starter("a", url, **keys)
    pool.starter("b", url, **keys)
    pool.desk.ok("quest", "add", "one", "--on", "gpu=yes", "--", "sleep", "1000")
    pool.wait_joined(1)
    assert pool.row()["hive"] == pool.homes.name("a")
    kill_both(first)
    pool.desk.ok("quest", "add", "two", "--on", "gpu=yes", "--", "sleep", "1000")
    eventually(lambda: pool.row()["hive"] == pool.homes.name("b"), timeout=120, what="the other one decides")
    assert len(pool.wait_joined(2, timeout=90)) == 2
    assert len(pool.machines.starts()) == len(set(pool.machines.starts())) == 2
    for quest in ("one", "two"):
        pool.desk.ok("quest", "cancel", f"swarm/{quest}")


def test_while_its_engine_is_silent_nothing_is_started_and_the_list_says_so(pool):
    pool.starter(max=1)
    silent = pool.machines.folder / "silent"
    silent.touch()
    eventually(lambda: pool.row()["state"] == "silent", timeout=30, what="it is silent")
    assert pool.desk.ok("pool", "list").splitlines()[1].split()[:3] == [pool.name, "command", "silent"]
    asked = pool.desk("pool", "up", pool.name)
    assert asked.stdout.startswith(f"Asked for 1 of pool {pool.name}: ")
    assert "the engine is down" in asked.stderr
    assert pool.machines.starts() == []
    silent.unlink()
    pool.wait_joined(1)
    assert len(pool.machines.starts()) == 1


def test_a_secret_of_a_pool_is_for_all_its_instances_and_its_key_and_password_are_nowhere(pool):
    url = pool.invite()
    home = pool.starter(url=url, idle="1m", labels={"gpu": "yes"})
    password, key = url.split(":", 2)[2].split("@")[0], url.partition("#")[2]
    said = home.ok("vault", "set", "TOKEN", "--on", "gpu=yes", stdin="planted-for-pools")
    assert said == "Secret TOKEN: for 1 hive\n"
    assert home.ok("vault", "list").splitlines()[1].split()[:2] == ["TOKEN", pool.name]
    pool.desk.ok("quest", "add", "train", "--on", "gpu=yes", "--secret", "TOKEN", "--", "sh", "-c",
                 'test "$TOKEN" = planted-for-pools && sleep 1000')  # fmt: skip
    (name,) = pool.wait_joined(1)
    pool.homes.wait_state("train", "claimed")
    keeper = int((pool.machines.home(name) / "keeper.lock").read_text())
    for pid in (pool.machines.pid(name), keeper):
        for file in ("cmdline", "environ"):
            seen = Path(f"/proc/{pid}/{file}").read_text()
            assert password not in seen
            assert key not in seen
    told = pool.desk.ok("events", "-H", "swarm") + home.ok("pool", "list", "--json") + pool.machines.log(name)
    told += Path(home.home, "daemon.log").read_text()
    for planted in (password, key, "planted-for-pools"):
        assert planted not in told
    kept = Path(home.home, "pools", f"{pool.name}.json")
    assert kept.stat().st_mode & 0o777 == 0o600
    pool.desk.ok("quest", "cancel", "swarm/train")
