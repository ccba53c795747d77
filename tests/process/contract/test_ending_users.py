"""Programs that become another user lose the mark, and with a login the environment: they end with their mission."""

from __future__ import annotations

import os
import shutil
import uuid

import pytest

from overmind_core.system.process_table import command as read_command
from overmind_core.system.process_table import read
from tests.kit.processes import with_word
from tests.kit.waiting import eventually

pytestmark = [
    pytest.mark.linux,
    pytest.mark.shared_home,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes another user without a password"),
    pytest.mark.skipif(shutil.which("su") is None or shutil.which("runuser") is None, reason="needs su and runuser"),
]

WAYS = (
    "su nobody -s /bin/sh -c 'setsid sleep @ & setsid sleep @ &'",
    "su - nobody -s /bin/sh -c 'setsid -f sleep @'",
    "runuser -l nobody -s /bin/sh -c 'setsid -f sleep @'",
    "runuser -u nobody -- setsid -f sleep @",
)
LEFT = 5


@pytest.fixture
def word():
    """A time to sleep that no other process has."""
    return f"9{uuid.uuid4().int % 10**8:08}"


def asleep(om, word):
    """The pids of what sleeps for so long and has come to the keeper."""
    keeper = om.keeper_pid()
    sleeping = [pid for pid in with_word(word) if read_command(pid) == ["sleep", word]]
    return [pid for pid in sleeping if (process := read(pid)) and process.ppid == keeper]


def script(ways, word):
    return "; ".join([*ways, "exec sleep 600"]).replace("@", word)


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_what_su_and_runuser_have_started_ends_with_the_mission(om, word, end):
    mission = om.mission(script(WAYS, word))
    eventually(lambda: len(asleep(om, word)) == LEFT)
    om.ok(end, mission)
    assert with_word(word) == []
    assert om.info(mission)["survivors"] == []


def test_what_another_mission_may_have_started_is_named_and_ends_with_the_last_that_may_have(om, word):
    other = om.mission("sleep 600", "--name", "other")
    mission = om.mission(script(WAYS[1:2], word))
    (pid,) = map(str, eventually(lambda: asleep(om, word)))
    refused = om.refused("stop", mission, code="survivors")
    assert f"{pid} sleep {word} (of this mission or another: it changed its user)" in refused
    assert [one.split()[0] for one in om.info(mission)["survivors"]] == [pid]
    younger = om.mission("sleep 600")
    om.ok("stop", younger)  # began after it, and says nothing of it
    om.ok("kill", other)
    assert with_word(word) == []
