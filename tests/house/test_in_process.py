"""The loop of the kit whose time passes by itself must not hide what goes wrong in it."""

from __future__ import annotations

import asyncio
import os
import subprocess
import time

import pytest

from overmind_core.system.process_table import new_process_table
from tests.kit import in_process


def test_its_time_passes_only_while_nothing_is_to_be_done():
    async def story():
        loop = asyncio.get_running_loop()
        began = loop.time()
        await asyncio.sleep(500)
        assert loop.time() - began == pytest.approx(500)
        await asyncio.to_thread(time.sleep, 0.05)
        assert loop.time() - began == pytest.approx(500), "a thread that works is waited for"

    began = time.monotonic()
    in_process.run(story())
    assert time.monotonic() - began < 50


def test_what_is_waited_for_in_vain_is_an_error():
    async def story():
        await asyncio.Event().wait()

    with pytest.raises(TimeoutError):
        in_process.run(story())


def test_a_loop_that_never_rests_is_an_error():
    def again():
        asyncio.get_running_loop().call_soon(again)

    async def story():
        again()
        await asyncio.Event().wait()

    with pytest.raises(AssertionError, match="busy for ever"):
        in_process.run(story())


def test_an_error_in_a_callback_is_one_of_the_test():
    async def story():
        asyncio.get_running_loop().call_soon(lambda: 1 // 0)
        await asyncio.sleep(1)

    with pytest.raises(ZeroDivisionError):
        in_process.run(story())


@pytest.mark.linux
def test_its_supervisors_see_our_own_processes_and_nobody_elses():
    async def story():
        return await asyncio.to_thread(lambda: new_process_table().scan())

    with subprocess.Popen(["sleep", "60"]) as child:
        snapshot = in_process.run(story())
        child.kill()
    assert {os.getpid(), child.pid} <= snapshot.processes.keys()
    assert all(pid == os.getpid() or snapshot.descends(pid, os.getpid()) for pid in snapshot.processes)
    assert os.getppid() in new_process_table().scan().processes, "afterwards it is the machine's again"
