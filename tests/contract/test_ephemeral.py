"""`start --foreground --ephemeral`: nothing that it has started outlives the daemon, nor the daemon its parent."""

from __future__ import annotations

import subprocess
import sys

import pytest

from overmind_core.kernel.keeper_client import CurrentKeeper
from tests.kit.overmind import REPOSITORY


def test_people_see_to_what_an_ephemeral_daemon_runs():
    """A headless run denies what it can't ask; this one asks."""
    line = CurrentKeeper(headless=False, ends_all=True)
    assert (line.headless, line.ends_all) == (False, True)
    assert CurrentKeeper(headless=True).ends_all is True
    assert CurrentKeeper(headless=False).ends_all is False


WATCH = """
import asyncio, os, sys
from overmind_core.daemon.parent import ParentWatch
if sys.argv[1] == "look" and hasattr(os, "pidfd_open"):
    del os.pidfd_open
async def watch():
    over = asyncio.get_running_loop().create_future()
    ParentWatch(asyncio.get_running_loop(), int(sys.argv[2]) or os.getppid(), lambda: over.set_result(None)).start()
    print("watches", flush=True)
    await asyncio.wait_for(over, 20)
    print("ended", flush=True)
asyncio.run(watch())
"""


@pytest.mark.parametrize("way", ["system", "look"])
def test_the_end_of_a_parent_is_seen_with_and_without_the_system(way):
    shell = ["sh", "-c", '"$@" & read x', "sh", sys.executable, "-c", WATCH, way, "0"]
    parent = subprocess.Popen(shell, cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    assert parent.stdout.readline() == "watches\n"
    parent.kill()
    parent.wait()
    assert parent.stdout.readline() == "ended\n"
    assert parent.stdin is not None
    parent.stdin.close()
    parent.stdout.close()


def test_a_process_that_is_not_the_parent_any_more_is_a_dead_parent():
    found = subprocess.run(
        [sys.executable, "-c", WATCH, "system", "1"], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    assert found.stdout == "watches\nended\n"
