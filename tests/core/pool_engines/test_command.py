"""A pool of commands: a person's own program starts, lists and ends its machines."""

from __future__ import annotations

import os
import stat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from overmind_core.domain.swarm.instance_names import is_instance_name
from overmind_core.domain.swarm.pools import pool_of
from overmind_core.pool_engines import program
from overmind_core.pool_engines.command import listed
from overmind_core.pool_engines.engine import Engine, EngineSilent, SeenInstance, engine_of
from tests.kit import processes
from tests.kit.waiting import eventually

MACHINES = """#!/bin/sh
set -eu
cd "$(dirname "$0")/machines"
case $1 in
up) name=$2; shift 2; for word; do printf '%s\\n' "$word"; done >"$name"; env >"../environment" ;;
down) rm -f "$2" ;;
list) for one in *; do [ ! -e "$one" ] || echo "$one running"; done ;;
esac
"""


@pytest.fixture
def machines(tmp_path):
    """A program that keeps a file for each machine, and its path."""
    path = tmp_path / "my-machines"
    path.write_text(MACHINES)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    (tmp_path / "machines").mkdir()
    return path


def pool(path: object, **more: object) -> Engine:
    words = {
        "up": [str(path), "up", "{instance}"],
        "down": [str(path), "down", "{instance}"],
        "list": [str(path), "list"],
    }
    return engine_of(pool_of("mine", {"engine": "command", **words, **more}))


def test_a_machine_is_started_with_the_instances_command_listed_and_ended(machines):
    engine = pool(machines)
    command = ["overmind", "hive", "serve", "--pool", "mine", "a b", "$(id)"]
    assert engine.start("mine-1", command) == "mine-1"
    assert (machines.parent / "machines" / "mine-1").read_text().splitlines() == command
    assert engine.seen() == [SeenInstance("mine-1", "mine-1", "running")]
    engine.end(SeenInstance("mine-1", "mine-1", "running"))
    assert engine.seen() == []
    engine.end(SeenInstance("mine-1", "mine-1", "running"))  # gone already is fine


def test_nothing_of_this_home_is_in_the_programs_environment(machines, monkeypatch):
    monkeypatch.setenv("OVERMIND_HOME", "/somewhere")
    pool(machines).start("mine-1", ["true"])
    assert "OVERMIND_" not in (machines.parent / "environment").read_text()


def test_a_gate_has_the_instances_name_in_its_place(machines):
    seen = SeenInstance("mine-1", "mine-1", "running")
    assert pool(machines).gate(seen) is None
    assert pool(machines, gate=["ssh", "{instance}.example", "overmind", "gate"]).gate(seen) == [
        "ssh", "mine-1.example", "overmind", "gate",
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["", "a b", "$(touch x)", "../x", "-rf"])
def test_a_hostile_name_never_becomes_a_word_of_a_command(machines, name):
    engine = pool(machines, gate=["ssh", "{instance}"])
    for ask in (lambda: engine.start(name, ["true"]), lambda: engine.end(SeenInstance(name, name, "running")),
                lambda: engine.gate(SeenInstance(name, name, "running"))):  # fmt: skip
        with pytest.raises(ValueError, match="can't be the name of an instance"):
            ask()
    assert os.listdir(machines.parent / "machines") == []


@pytest.mark.parametrize(
    ("printed", "seen"),
    [
        ("a-1\nb-2 pending\nc-3 ended\n", [("a-1", "running"), ("b-2", "pending"), ("c-3", "ended")]),
        ("  a-1   running  \n", [("a-1", "running")]),
        ("a-1 somehow\n../x running\n$(id)\n\n", []),
    ],
)
def test_instances_are_read_line_by_line(printed, seen):
    assert listed(printed) == [SeenInstance(name, name, state) for name, state in seen]


@given(st.text())
def test_no_list_brings_a_name_that_means_something_to_a_shell(printed):
    assert all(is_instance_name(one.name) for one in listed(printed))


def test_a_program_that_fails_is_told_in_its_own_words(tmp_path):
    failing = tmp_path / "failing"
    failing.write_text("#!/bin/sh\necho 'no credit \033[31mleft' >&2\nexit 3\n")
    failing.chmod(0o755)
    with pytest.raises(EngineSilent, match="no credit") as told:
        pool(failing).seen()
    assert "\033" not in str(told.value)


def test_a_program_that_does_not_end_is_killed_with_what_it_started(tmp_path):
    pidfile = tmp_path / "pid"
    sleeper = ["sh", "-c", f"sleep 600 & echo $! >{pidfile}; wait"]
    with pytest.raises(EngineSilent, match="has not answered for 1 s"):
        program.run(sleeper, seconds=1.0)
    eventually(lambda: not processes.alive(int(pidfile.read_text())), what="the child of the program has ended")


def test_a_machine_that_goes_on_behind_its_program_is_not_waited_for(tmp_path):
    pidfile = tmp_path / "pid"
    answer = program.run(["sh", "-c", f"sleep 600 & echo $! >{pidfile}; echo up"], seconds=20.0)
    os.kill(int(pidfile.read_text()), 9)
    assert answer == (0, "up\n", "")


def test_where_the_program_is_missing_it_is_said(tmp_path):
    with pytest.raises(EngineSilent, match=r"There is no .*nowhere here"):
        pool(tmp_path / "nowhere").seen()
