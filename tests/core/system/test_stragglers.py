"""Processes that wear a variable are ended, with their children, and nobody else."""

from __future__ import annotations

import os
import signal
import subprocess
import uuid

import pytest

from overmind_core.system.sweep import end_own_programs, end_stragglers
from tests.kit import processes
from tests.kit.waiting import eventually

NAME, PROBE = "OVERMIND_GIT_FOR", "OVERMIND_PROBE_OF"


def start(value, command="exec sleep 600", **variables):
    environ = {**os.environ, NAME: value, **variables}
    return subprocess.Popen(["/bin/sh", "-c", command], env=environ, start_new_session=True)


def test_all_that_wear_the_variable_end_their_children_too_and_nobody_else():
    value = str(uuid.uuid4())
    parent = start(value, "sleep 600 & sleep 600 & wait")
    other = start(f"{value}-other")
    try:
        eventually(lambda: len(processes.with_variable(NAME, value)) == 3)
        assert end_stragglers(NAME, value) == 3
        assert not processes.with_variable(NAME, value)
        assert other.poll() is None
        assert end_stragglers(NAME, value) == 0
    finally:
        for process in (parent, other):
            process.kill()
            process.wait()


def test_agents_that_were_started_from_there_are_spared():
    value = str(uuid.uuid4())
    agent = start(value, OVERMIND_MISSION_ID="m1")
    try:
        eventually(lambda: processes.with_variable(NAME, value))
        assert end_stragglers(NAME, value) == 0
        assert agent.poll() is None
    finally:
        agent.kill()
        agent.wait()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes another user")
def test_what_has_become_another_user_ends_with_the_rest():
    value = str(uuid.uuid4())
    other = subprocess.Popen(["/bin/sleep", "600"], env={NAME: value}, user=65534, start_new_session=True)
    try:
        eventually(lambda: processes.with_variable(NAME, value))
        assert end_stragglers(NAME, value) == 1
    finally:
        other.kill()
        other.wait()


def test_no_value_ends_nobody():
    assert end_stragglers(NAME, "") == 0


def test_whoever_is_asked_to_end_may_tidy_up_first(tmp_path):
    value = str(uuid.uuid4())
    lock = tmp_path / "lock"
    tidy = start(value, f"trap 'rm {lock}; exit' TERM; touch {lock}; while :; do sleep 0.01; done")
    try:
        eventually(lock.exists)
        assert end_stragglers(NAME, value) >= 1
        assert not lock.exists()
        assert not processes.with_variable(NAME, value)
    finally:
        tidy.kill()
        tidy.wait()


def test_whoever_does_not_end_when_asked_is_killed():
    value = str(uuid.uuid4())
    deaf = start(value, "trap '' TERM; sleep 600; :")
    try:
        eventually(lambda: len(processes.with_variable(NAME, value)) == 2)
        assert end_stragglers(NAME, value) == 2
        assert not processes.with_variable(NAME, value)
        assert deaf.wait() == -signal.SIGKILL
    finally:
        deaf.kill()
        deaf.wait()


def test_what_forks_all_the_time_ends():
    value = str(uuid.uuid4())
    storm = start(value, "while :; do sleep 600 & sleep 0.001; done")
    try:
        eventually(lambda: len(processes.with_variable(NAME, value)) > 5)
        assert end_stragglers(NAME, value) > 5
        assert not processes.with_variable(NAME, value)
    finally:
        storm.kill()
        storm.wait()


def test_the_probes_of_one_home_end_and_no_mission_that_one_has_started():
    home, other = f"/home-{uuid.uuid4()}", f"/home-{uuid.uuid4()}"
    probes = [(home, "m1", "m1"), (home, "m1", "m2"), (other, "m1", "m1")]
    started = [
        subprocess.Popen(["/bin/sleep", "600"], env={"OVERMIND_HOME": at, PROBE: about, "OVERMIND_MISSION_ID": mission})
        for at, about, mission in probes
    ]
    try:
        eventually(lambda: all(processes.with_variable("OVERMIND_HOME", at) for at in (home, other)))
        assert end_own_programs(home) == 1
        assert [process.poll() for process in started[1:]] == [None, None]
        assert started[0].wait() == -signal.SIGTERM
    finally:
        for process in started:
            process.kill()
            process.wait()


def test_the_git_of_one_home_ends_as_far_as_it_is_older_and_no_other():
    home = f"/home-{uuid.uuid4()}"
    ours, others = start("m1", OVERMIND_HOME=home), start("m1", OVERMIND_HOME=f"{home}-other")
    plain = subprocess.Popen(["/bin/sleep", "600"], env={"OVERMIND_HOME": home})
    try:
        eventually(lambda: len(processes.with_variable("OVERMIND_HOME", home)) == 2)
        assert end_own_programs(home, before=0) == 0
        assert end_own_programs(home) == 1
        assert (ours.wait(), others.poll(), plain.poll()) == (-signal.SIGTERM, None, None)
    finally:
        for process in (ours, others, plain):
            process.kill()
            process.wait()
