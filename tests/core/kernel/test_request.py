"""Who asks, when the one who asked is dead by the time we look."""

from __future__ import annotations

import os
import subprocess

import pytest

from overmind_core.kernel.request import Caller
from overmind_core.system.run_mark import unmarked_limit
from overmind_core.system.unixsocket import Peer

pytestmark = pytest.mark.linux


@pytest.mark.parametrize(("mark", "inside"), [(lambda: unmarked_limit() - 7, True), (unmarked_limit, False)])
def test_a_dead_caller_that_wore_a_mark_died_inside_a_mission(mark, inside):
    command = ["prlimit", f"--msgqueue={mark()}:{unmarked_limit()}", "sh", "-c", "echo; exec sleep 60"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        caller = Caller(Peer(process.pid, os.getuid()))
        assert caller.died_inside() is False
        process.kill()
    assert caller.died_inside() is inside
