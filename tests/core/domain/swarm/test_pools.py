"""Pools of config.toml: what one says, and which key a mistake is of; and how their instances are called."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from overmind_core.domain.hives import name_fault
from overmind_core.domain.swarm.instance_names import (
    instance_name,
    is_instance_name,
    is_pool_name,
    name_at_engine,
    pool_and_number,
    swarm_and_instance,
)
from overmind_core.domain.swarm.pools import INVITATION_IN_POD, filled, pool_of

MACHINES = {"up": ["m", "up", "{instance}"], "down": ["m", "down", "{instance}"], "list": ["m", "list"]}


def test_a_pool_says_its_engine_its_instances_and_how_they_are_started():
    whole = {
        "engine": "slurm",
        "args": ["--partition=gpu", "--time=8:00:00"],
        "labels": {"gpu": "yes"},
        "slots": 4,
        "min": 0,
        "max": 10,
        "idle": "10m",
        "invitation": "/home/alice/.overmind-invitation",
    }
    found = pool_of("hpc", whole)
    assert (found.name, found.engine, found.args) == ("hpc", "slurm", ("--partition=gpu", "--time=8:00:00"))
    assert (found.labels, found.slots, found.min, found.max, found.idle) == ({"gpu": "yes"}, 4, 0, 10, 600.0)
    assert found.invitation == "/home/alice/.overmind-invitation"


def test_what_a_pool_does_not_say_has_a_default():
    found = pool_of("hpc", {"engine": "slurm"})
    assert (found.labels, found.slots, found.min, found.max, found.idle, found.invitation) == ({}, 1, 0, 1, 600.0, "")
    assert pool_of("k8s", {"engine": "kubernetes", "image": "overmind:1"}).invitation == INVITATION_IN_POD


@pytest.mark.parametrize(
    ("entry", "key", "says"),
    [
        (3, "pools.hpc: ", "write a table"),
        ({}, "pools.hpc: ", "give its engine"),
        ({"engine": "slrum"}, "pools.hpc.engine: ", "Did you mean slurm?"),
        ({"engine": 3}, "pools.hpc.engine: ", "none of slurm"),
        ({"engine": ["slurm"]}, "pools.hpc.engine: ", "none of slurm"),
        ({"engine": "slurm", "slot": 2}, "pools.hpc: ", "Did you mean slots?"),
        ({"engine": "slurm", "slots": 0}, "pools.hpc.slots: ", "whole number"),
        ({"engine": "slurm", "slots": True}, "pools.hpc.slots: ", "whole number"),
        ({"engine": "slurm", "min": -1}, "pools.hpc.min: ", "whole number"),
        ({"engine": "slurm", "min": 3, "max": 2}, "pools.hpc.min: ", "more than max"),
        ({"engine": "slurm", "max": 0}, "pools.hpc.max: ", "whole number"),
        ({"engine": "slurm", "idle": 600}, "pools.hpc.idle: ", "duration"),
        ({"engine": "slurm", "idle": "soon"}, "pools.hpc.idle: ", "duration"),
        ({"engine": "slurm", "idle": "10ms"}, "pools.hpc.idle: ", "a second or more"),
        ({"engine": "slurm", "labels": ["gpu"]}, "pools.hpc.labels: ", "write labels"),
        ({"engine": "slurm", "labels": {"gpu": True}}, "pools.hpc.labels.gpu: ", "write a string"),
        ({"engine": "slurm", "labels": {"gpu": "y" * 64}}, "pools.hpc.labels.gpu: ", "63 characters"),
        ({"engine": "slurm", "args": "--time=1"}, "pools.hpc.args: ", "list of words"),
        ({"engine": "slurm", "args": ["--job-name=x"]}, "pools.hpc.args: ", "leave --job-name out"),
        ({"engine": "slurm", "args": ["--array", "1-4"]}, "pools.hpc.args: ", "each instance is one job"),
        ({"engine": "slurm", "invitation": "token"}, "pools.hpc.invitation: ", "whole path"),
        ({"engine": "slurm", "up": ["x"]}, "pools.hpc.up: ", "only a pool of command has it"),
        ({"engine": "ray"}, "pools.hpc: ", "the cluster's address"),
        ({"engine": "ray", "args": ["--address=a", "--submission-id=b"]}, "pools.hpc.args: ", "leave --submission-id"),
        ({"engine": "kubernetes"}, "pools.hpc: ", "give image"),
        ({"engine": "kubernetes", "image": ""}, "pools.hpc.image: ", "string in quotes"),
        ({"engine": "kubernetes", "manifest": "job.yaml"}, "pools.hpc.manifest: ", "whole path"),
        ({"engine": "command", **MACHINES, "up": ["m"]}, "pools.hpc.up: ", "{instance}"),
        ({"engine": "command", **MACHINES, "gate": ["ssh", "m"]}, "pools.hpc.gate: ", "{instance}"),
        ({"engine": "command", **MACHINES, "list": []}, "pools.hpc: ", "give list"),
        ({"engine": "command", **MACHINES, "args": ["x"]}, "pools.hpc.args: ", "slurm or ray or kubernetes"),
    ],
)
def test_a_mistake_is_named_with_its_key(entry, key, says):
    with pytest.raises(ValueError, match=says) as refused:
        pool_of("hpc", entry)
    assert str(refused.value).startswith(key)


@pytest.mark.parametrize("name", ["", "Hpc", "3d", "a b", "-a", "a" * 25, "a\n", "ä"])
def test_a_pool_that_can_not_be_called_so_is_refused(name):
    with pytest.raises(ValueError, match="a pool's name"):
        pool_of(name, {"engine": "slurm"})


@given(st.from_regex(r"[a-z][a-z0-9-]{0,23}", fullmatch=True), st.integers(1, 9_999_999))
def test_an_instance_is_called_as_a_hive_can_be_and_its_name_says_of_which_pool_it_is(pool, number):
    name = instance_name(pool, number)
    assert is_pool_name(pool)
    assert is_instance_name(name)
    assert name_fault(name) == ""
    assert pool_and_number(name) == (pool, number)


@given(st.text())
def test_whatever_is_no_instance_is_of_no_pool(text):
    found = pool_and_number(text)
    assert found is None or instance_name(*found) == text


@pytest.mark.parametrize(
    "name", ["", "a b", "$(id)", "a;b", "../x", "a..b", "-rf", ".x", "a\n", "ä", "a" * 64, "a/b", "a|b"]
)
def test_words_are_never_filled_with_a_name_that_could_mean_something_else(name):
    with pytest.raises(ValueError, match="can't be the name of an instance"):
        filled(["ssh", "{instance}"], name)


def test_each_place_of_the_words_is_filled():
    assert filled(["ssh", "{instance}.example", "x{instance}{instance}"], "hpc-3") == [
        "ssh", "hpc-3.example", "xhpc-3hpc-3",
    ]  # fmt: skip


@given(
    swarm=st.from_regex("[0-9a-f]{8}", fullmatch=True),
    pool=st.from_regex("[a-z][a-z0-9-]{0,23}", fullmatch=True),
    number=st.integers(1, 9_999_999),
)
def test_an_engine_knows_an_instance_by_its_swarm_too(swarm, pool, number):
    name = name_at_engine(swarm, instance_name(pool, number))
    assert is_instance_name(name)
    assert swarm_and_instance(name) == (swarm, instance_name(pool, number))


@pytest.mark.parametrize("name", ["hpc-7", "overmind-hpc-7", "overmind-1A2B3C4D-hpc-7", "overmind-1a2b3c4d-hpc", "x"])
def test_other_jobs_of_the_account_are_no_instances(name):
    assert swarm_and_instance(name) is None
