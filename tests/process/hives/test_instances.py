"""Instances of a pool by their names: config.toml here and the engine's own list say how one is reached."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from tests.kit.attached import Attached
from tests.process.hives.conftest import gate_command

AT_ENGINE = "overmind-1a2b3c4d-hpc-3"
MACHINES = """
[pools.hpc]
engine = "command"
up = ["false", "{instance}"]
down = ["false", "{instance}"]
"""


class Pool:
    """A pool whose one instance is another home of this machine."""

    def __init__(self, hives) -> None:
        self.om = hives.om
        self.there = hives.home("there")
        folder = Path(hives.om.home)
        self.listed = folder / "listed"
        self.gate = folder / "gate"
        self.gate.write_text(f"#!/bin/sh\n[ $1 = {AT_ENGINE} ] || exit 9\nexec {gate_command(self.there)}\n")
        self.config = folder / "config.toml"
        self.config.write_text(
            f'{MACHINES}list = ["cat", {json.dumps(str(self.listed))}]\n'
            f'gate = ["sh", {json.dumps(str(self.gate))}, "{{instance}}"]\n'
        )
        self.says(f"{AT_ENGINE} running")

    def says(self, *lines: str) -> None:
        """Have the engine list this."""
        self.listed.write_text("".join(f"{line}\n" for line in lines))


@pytest.fixture
def pool(hives) -> Pool:
    return Pool(hives)


def test_an_instance_is_a_hive_in_front_of_and_behind_a_command(pool):
    pool.there.mission(["sh", "-c", "echo over there; exec sleep 600"], "--name", "job")
    assert [row["name"] for row in pool.om.json("ps", "-H", "hpc-3", "--json")] == ["job"]
    assert [row["name"] for row in pool.om.json("-H", "hpc-3", "ps", "--json")] == ["job"]
    assert pool.om.ok("logs", "hpc-3/job") == "over there\n"
    pool.om.ok("stop", "hpc-3/job")
    pool.there.wait_status("job", "stopped")


def test_a_terminal_of_an_instance_is_attached_to(pool):
    pool.there.mission(["sh", "-c", "echo ready; PS1= exec sh"], "--type", "session", "--name", "shell")
    with Attached(pool.om, "hpc-3/shell") as person:
        person.joined()
        person.shows("ready")
        person.type(b"echo $((6 * 7)) at $OVERMIND_MISSION_NAME\r")
        person.shows("\n42 at shell")


@pytest.mark.parametrize(
    ("listed", "says"),
    [
        ([], "command knows no such instance"),
        (["overmind-1a2b3c4d-hpc-4 running"], "command knows no such instance"),
        ([f"{AT_ENGINE} pending"], "command has not started it yet"),
        ([f"{AT_ENGINE} ended"], "command says that it has ended"),
        ([f"{AT_ENGINE};id running", f"../{AT_ENGINE} running", "hpc-3 running"], "command knows no such instance"),
    ],
)
def test_an_instance_that_does_not_run_is_named_with_what_its_engine_says(pool, listed, says):
    pool.says(*listed)
    said = pool.om.refused("ps", "-H", "hpc-3", code="hive_silent")
    assert said == f"hpc-3 can't be asked: {says}. See: overmind pool list\n"


def test_an_instance_of_that_name_in_each_of_two_swarms_is_neither(pool):
    pool.says("overmind-00000000-hpc-3 running", f"{AT_ENGINE} running")
    said = pool.om.refused("ps", "-H", "hpc-3", code="ambiguous")
    assert said.startswith(f"hpc-3 may be one of 2 swarms: overmind-00000000-hpc-3, {AT_ENGINE}. ")
    pool.says("overmind-00000000-hpc-3 ended", f"{AT_ENGINE} running")
    pool.there.mission(["sleep", "600"], "--name", "job")
    assert [row["name"] for row in pool.om.json("ps", "-H", "hpc-3", "--json")] == ["job"]


def test_an_engine_that_does_not_answer_is_told_in_its_own_words(pool):
    pool.listed.unlink()
    said = pool.om.refused("ps", "-H", "hpc-3", code="hive_silent")
    assert said.startswith("hpc-3 can't be asked: cat: ")
    assert "No such file or directory. Try it by hand: cat" in said


def test_an_instance_without_a_gate_is_reached_through_the_swarm(pool):
    pool.config.write_text(f'{MACHINES}list = ["cat", {json.dumps(str(pool.listed))}]\n')
    said = pool.om.refused("logs", "hpc-3/job", code="hive_silent")
    assert said == (
        "hpc-3 can't be asked: a pool of command without a gate is reached through the swarm only. Look at it with:"
        " overmind ps -H swarm\n"
    )


def test_a_mistake_in_its_table_is_named(pool):
    pool.config.write_text('[pools.hpc]\nengine = "slrum"\n')
    said = pool.om.refused("ps", "-H", "hpc-3", code="invalid_config")
    assert "pools.hpc.engine: 'slrum' is none of slurm, ray, kubernetes, command. Did you mean slurm?" in said


@pytest.mark.parametrize("name", ["hpc", "hpc-0", "hpc-x", "other-3", "hpc-3-4"])
def test_what_is_no_instance_of_a_pool_of_this_machine_is_unknown(pool, name):
    pool.om.refused("ps", "-H", name, code="hive_unknown")


def test_a_hive_of_that_name_is_that_hive(pool, hives):
    other = hives.home("other")
    other.mission(["sleep", "600"], "--name", "elsewhere")
    with pool.config.open("a") as file:
        file.write(f"[hives.hpc-3]\ngate = {json.dumps(shlex.split(gate_command(other)))}\n")
    assert [row["name"] for row in pool.om.json("ps", "-H", "hpc-3", "--json")] == ["elsewhere"]


def test_without_pools_nothing_of_them_is_imported(pool):
    pool.config.write_text("")
    said = pool.om("logs", "hpc-3/job", env={"PYTHONPROFILEIMPORTTIME": "1"})
    assert "Error: daemon_not_running" in said.stderr
    assert "pool_engines" not in said.stderr
    assert "domain.swarm.pools" not in said.stderr
