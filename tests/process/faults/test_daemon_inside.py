"""A daemon of another home that a mission starts outlives it by design: every answer about the end names it."""

from __future__ import annotations

import json
import os
import shlex

import pytest

from tests.kit import processes
from tests.kit.overmind import PROGRAM, Overmind
from tests.kit.waiting import eventually


def test_a_daemon_inside_is_named_by_kill_info_and_doctor(om, tmp_path):
    inner = Overmind(str(tmp_path / "inner"), user_home=om.environment["HOME"], marker="inner")
    os.mkdir(inner.home)
    begin = f"OVERMIND_HOME={inner.home} {shlex.join([*PROGRAM, 'run', '--name', 'deep', 'sleep 7799'])}"
    outer = om.mission(f"{begin}; sleep 600", "--name", "outer")
    try:
        eventually(lambda: inner.holder("supervisor.lock") is not None, what="the inner daemon is there")
        eventually(lambda: [(row["name"], row["status"]) for row in inner.ps()] == [("deep", "running")])
        deep = inner.pid("deep")
        named = f"(a daemon of {inner.home}, PID {inner.supervisor_pid()})"
        assert named in om.refused("kill", "outer", code="survivors")
        assert any(named in one for one in om.info(outer)["survivors"])
        assert processes.alive(deep), "what it supervises is its own"
        (row,) = [one for one in json.loads(om("doctor", "--json").stdout) if one["check"] == "daemons inside"]
        assert row["status"] == "warn"
        assert f"a daemon of {inner.home}, PID " in row["found"]
        assert row["mend"] == f"overmind --home {inner.home} shutdown"
        left = om("shutdown", "-y").stderr
        assert f"Processes of outer could not be ended: {inner.supervisor_pid()} " in left
        assert f"End the daemon with: overmind --home {inner.home} shutdown" in left
        assert processes.alive(deep), "the daemon of the first home has left all the same"
        om.ok("start")
    finally:
        inner.ok("shutdown", "-y")
    assert not [one for one in json.loads(om("doctor", "--json").stdout) if one["check"] == "daemons inside"]


@pytest.mark.parametrize("end", [("stop", "outer"), ("shutdown", "-y")], ids=["stop", "shutdown"])
def test_each_end_names_it_too_where_it_alone_is_left(om, tmp_path, end):
    inner = Overmind(str(tmp_path / "inner"), user_home=om.environment["HOME"], marker="inner")
    os.mkdir(inner.home)
    om.mission(f"OVERMIND_HOME={inner.home} {shlex.join([*PROGRAM, 'start'])}; sleep 600", "--name", "outer")
    try:
        eventually(lambda: inner.holder("supervisor.lock") is not None, what="the inner daemon is there")
        said = om(*end)
        assert f"a daemon of {inner.home}" in said.stdout + said.stderr
    finally:
        inner.ok("shutdown", "-y")
